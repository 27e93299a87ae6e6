# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import csv
from pathlib import Path

from hub.importing import headings
from provisioning.county import export
from provisioning.county.register import Register
from schema import parameter

PERSONS = 400


def _lines(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def _write(path: Path) -> list[dict[str, str]]:
    assert export.write(path, Register(PERSONS, 5, "2026-10", parameter.load())) == PERSONS
    return _lines(path)


def test_there_is_one_line_per_person_with_amounts_in_yuan(tmp_path: Path) -> None:
    lines = _write(tmp_path / "register.csv")
    assert len(lines) == PERSONS
    drawing = [line for line in lines if line["基础养老金"]]
    assert drawing and all(line["基础养老金"] == "350.00" and line["待遇状态"] for line in drawing)
    assert {line["性别"] for line in lines} == {"男", "女"}


def test_the_same_seed_writes_the_same_file(tmp_path: Path) -> None:
    _write(tmp_path / "a.csv")
    _write(tmp_path / "b.csv")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_a_register_import_understands_every_heading(tmp_path: Path) -> None:
    found = headings.register().match(export.HEADINGS)
    assert (found.unknown, found.repeated) == ((), ())
    assert None not in found.fields
