# SPDX-License-Identifier: Apache-2.0
"""A file on a stick is whole or not there."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path
from typing import BinaryIO

import pytest

from schema.errors import ConfigError
from sync.courier import file as courier_file


def fill(sink: BinaryIO) -> int:
    return sink.write(b"content")


def test_a_folder_gets_the_name_and_a_path_is_taken_as_it_is(tmp_path: Path) -> None:
    assert courier_file.write(tmp_path, "a.s1b", 0, fill) == (tmp_path / "a.s1b", 7)
    assert courier_file.write(tmp_path / "b.s1b", "a.s1b", 0, fill)[0].read_bytes() == b"content"


def test_two_names_are_never_the_same() -> None:
    assert len({courier_file.name("0100-1", "hub") for _ in range(50)}) == 50


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), KeyError("a fault"), KeyboardInterrupt()])
def test_a_cut_leaves_nothing_behind(tmp_path: Path, error: BaseException) -> None:
    def breaks(sink: BinaryIO) -> None:
        sink.write(b"half")
        raise error

    with pytest.raises((ConfigError, KeyError, KeyboardInterrupt)):
        courier_file.write(tmp_path, "a.s1b", 0, breaks)
    assert list(tmp_path.iterdir()) == []


def test_a_full_stick_is_told_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=300_000))
    with pytest.raises(ConfigError, match="full"):
        courier_file.write(tmp_path, "a.s1b", 100_000, lambda sink: pytest.fail("written"))


@pytest.mark.parametrize("target", ["there.s1b", "no/such/folder/a.s1b"])
def test_what_is_there_or_has_no_place_is_refused(tmp_path: Path, target: str) -> None:
    (tmp_path / "there.s1b").write_bytes(b"old")
    with pytest.raises(ConfigError):
        courier_file.write(tmp_path / target, "a.s1b", 0, fill)
    assert (tmp_path / "there.s1b").read_bytes() == b"old"
