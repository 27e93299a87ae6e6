# SPDX-License-Identifier: Apache-2.0
"""The demonstration: its cast, its folder, and once for real with all four programs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from provisioning import demo
from provisioning.demo import LOGINS, OFFICERS, STATIONS, Demo
from schema import keys
from schema.errors import ConfigError

HUB_ROLES = {
    "accept", "calculate", "review", "approve", "settle", "approve_month", "pay", "close", "import", "admin", "inspect",
    "accept labour", "review labour",
}  # fmt: skip


def test_every_role_has_one_officer_so_that_no_hand_does_two_steps() -> None:
    hub = [roles for _, _, roles, station in OFFICERS if not station]
    assert sorted(hub) == sorted(HUB_ROLES)
    clerks = [station for _, _, roles, station in OFFICERS if roles == "clerk"]
    assert sorted(clerks) == sorted(2 * [place.id for place in STATIONS])
    assert len({number for number, *_ in OFFICERS}) == len(OFFICERS)


def test_passwords_are_drawn_anew_and_pass_the_rules() -> None:
    drawn = {demo._new_password() for _ in range(200)}
    assert len(drawn) == 200
    assert all(keys.password_findings(password) == [] for password in drawn)


def test_a_folder_with_other_things_is_never_cleared(tmp_path: Path) -> None:
    (tmp_path / "thesis.docx").write_text("mine")
    with pytest.raises(ConfigError, match=r"thesis\.docx"):
        Demo(tmp_path, Console(quiet=True)).make(300)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.docx"]


@pytest.mark.xdist_group("demo")
def test_it_is_made_once_answers_and_is_found_again(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    command = [sys.executable, "-m", "provisioning.demo", "--persons", "400", "--dir", str(folder), "--check"]
    first = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert first.returncode == 0, first.stdout + first.stderr
    assert (folder / LOGINS).stat().st_mode & 0o077 == 0
    logins = (folder / LOGINS).read_text(encoding="utf-8")
    second = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert second.returncode == 0, second.stdout + second.stderr
    assert "已就绪" in second.stdout and "county" not in second.stderr
    assert (folder / LOGINS).read_text(encoding="utf-8") == logins
    lines = [line.split("\t") for line in logins.splitlines()[1:]]
    assert len(lines) == len(OFFICERS) and len({line[3] for line in lines}) == len(OFFICERS)
    assert all(line[3] in second.stdout for line in lines)
