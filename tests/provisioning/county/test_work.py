# SPDX-License-Identifier: Apache-2.0
"""The township's own work in the synthetic county: there to be seen, few rows, and nobody else changes by it."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from provisioning.county import work
from provisioning.county.register import Register
from schema import parameter, service
from schema.tables import TABLES

TABLES_OF_WORK = ("job_seeker", "vacancy", "visit_note", "unemployment_spell", "card", "training_class")


def rows(persons: int = 3000) -> dict[str, list[tuple[Any, ...]]]:
    out: dict[str, list[tuple[Any, ...]]] = {}
    for part in Register(persons, 5, "2026-10", parameter.load()).parts():
        for table, found in part.rows.items():
            out.setdefault(table, []).extend(found)
    return out


@pytest.fixture(scope="module")
def drawn() -> dict[str, list[tuple[Any, ...]]]:
    return rows()


def test_every_kind_of_work_is_there_and_few_rows_of_it(drawn: dict[str, list[tuple[Any, ...]]]) -> None:
    counts = {table: len(drawn.get(table, ())) for table in TABLES_OF_WORK}
    assert all(counts.values()), counts
    assert sum(counts.values()) < len(drawn["person"]) // 20


def test_each_row_fits_its_table(drawn: dict[str, list[tuple[Any, ...]]]) -> None:
    for table in (*TABLES_OF_WORK, "aid_finding"):
        columns = [c for c in TABLES[table].columns if c.name != "rev"]
        for row in drawn.get(table, ()):
            assert len(row) == len(columns)
            assert [c.name for c, v in zip(columns, row, strict=True) if c.accepts(v)] == [], (table, row)


def test_the_people_are_those_they_would_be_without(
    drawn: dict[str, list[tuple[Any, ...]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("person", "offers", "classes"):
        monkeypatch.setattr(work, name, lambda *_: None)
    without = rows()
    assert {table: found for table, found in drawn.items() if table in without} == without


def test_jobs_are_of_the_list_that_forms_offer(drawn: dict[str, list[tuple[Any, ...]]]) -> None:
    known = {choice.value for choice in service.choices()["job"]}
    wanted = Counter(row[2] for row in drawn["job_seeker"]) + Counter(row[4] for row in drawn["vacancy"])
    assert set(wanted) <= known
