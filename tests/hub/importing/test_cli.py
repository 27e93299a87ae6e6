# SPDX-License-Identifier: Apache-2.0
"""The import command: looks first, writes on --apply, gives the refused lines back as a file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hub import officers
from hub.cli import main
from hub.context import Hub
from hub.officers import NewOfficer
from schema.home import write_toml
from tests.hub.county import CHEAP, PASSWORD, VILLAGE
from tests.hub.importing.conftest import person

WriteFile = Callable[..., Path]
Command = Callable[..., Result]


@pytest.fixture
def command(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """`command(path, "--apply")`: township-hub import on this hub, as officer 2007."""
    new = NewOfficer("2007", "史月琴", ("import",))
    officers.add(hub.store, new, PASSWORD, hub.clock, must_change=False, cost=CHEAP)
    (tmp_path / "password").write_text(PASSWORD, "utf-8")
    (tmp_path / "unlock").write_text("opens the folder", "utf-8")
    write_toml(hub.home.config_file, hub.config)
    hub.home.seal(hub.secrets, b"opens the folder")
    monkeypatch.setattr("hub.context.SystemClock", lambda: hub.clock)
    at = ("--dir", str(hub.home.path), "--unlock-file", str(tmp_path / "unlock"))
    who = ("--officer", "2007", "--password-file", str(tmp_path / "password"))
    return lambda path, *more: CliRunner().invoke(main, ["import", str(path), *at, *who, *more])


def persons(hub: Hub) -> int:
    with hub.store.read() as db:
        return int(db.execute("SELECT count(*) FROM person").fetchone()[0])


def test_without_apply_nothing_is_written(hub: Hub, command: Command, write_file: WriteFile) -> None:
    result = command(write_file([person(村社区编码=VILLAGE)]))
    assert result.exit_code == 0, result.output
    assert "新增 / new: 1" in result.output and "没有写入" in result.output
    assert persons(hub) == 0


def test_apply_writes_the_good_lines_and_the_others_go_to_a_file(
    hub: Hub, command: Command, write_file: WriteFile, tmp_path: Path
) -> None:
    path = write_file([person(村社区编码=VILLAGE), person(serial=2, 姓名="", 村社区编码=VILLAGE)])
    out = tmp_path / "refused.csv"
    result = command(path, "--apply", "--refused", str(out), "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.output)
    assert (told["rows"], told["new"], told["refused"]) == (2, 1, 1)
    assert told["refused_lines"] == [{"line": 3, "codes": ["required"]}]
    assert persons(hub) == 1
    assert "「姓名」没有填" in out.read_text("utf-8-sig")
    again = json.loads(command(path, "--apply", "--json").output)
    assert (again["new"], again["changed"], again["unchanged"]) == (0, 0, 1)


def test_the_json_holds_no_personal_data(command: Command, write_file: WriteFile) -> None:
    line = person(村社区编码=VILLAGE, 账户余额="x")
    told = command(write_file([line]), "--json").output
    assert line["姓名"] not in told and line["身份证号"] not in told


def test_changes_are_shown_before_and_after(hub: Hub, command: Command, write_file: WriteFile) -> None:
    command(write_file([person(村社区编码=VILLAGE)]), "--apply")
    shown = command(write_file([person(村社区编码=VILLAGE, 移动电话="13900001111")])).output
    assert "移动电话 13857582046 → 13900001111" in shown


def test_a_file_that_is_none_is_refused_in_words(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"\x00\x01")
    result = command(path, "--apply")
    assert result.exit_code == 1 and "文字编码不认识" in result.output
