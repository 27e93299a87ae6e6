# SPDX-License-Identifier: Apache-2.0
"""The set-up: what it finds missing, what it says to someone who may not install it, what it leaves alone."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from provisioning import bootstrap
from provisioning.bootstrap import Need, SetupError

ABSENT = Need(("no-such-package", "another-one"), lambda: False)
PRESENT = Need(("never-asked-for",), lambda: True)


def test_only_what_is_absent_is_asked_for() -> None:
    assert bootstrap.missing_packages([PRESENT, ABSENT]) == ["no-such-package", "another-one"]


def test_whoever_is_not_root_gets_one_line_that_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(SetupError) as refused:
        bootstrap.install_system_packages([PRESENT, ABSENT])
    line = str(refused.value)
    assert line.endswith("sudo apt-get install -y --no-install-recommends no-such-package another-one")
    assert "\n" not in line


def test_nothing_is_installed_when_nothing_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    bootstrap.install_system_packages([PRESENT])


@pytest.mark.parametrize(
    ("says", "enough"),
    [("cargo 1.69.9", False), ("cargo 1.70.0 (ec8a8a0ca)", True), ("rustc 2.0", True), ("", False)],
)
def test_an_old_rust_counts_as_absent(says: str, enough: bool, tmp_path: Path, monkeypatch) -> None:
    for tool in ("cargo", "rustc"):
        (tmp_path / tool).write_text(f"#!/bin/sh\necho '{says}'\n")
        (tmp_path / tool).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert bootstrap._rust_is_new_enough() is enough


def test_a_failing_step_ends_with_its_name_and_not_with_a_stack_trace(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="no-such-tool update failed"):
        bootstrap.run(["no-such-tool", "update"])


def test_a_second_set_up_finds_everything_and_says_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "provisioning.bootstrap"],
        cwd=bootstrap.ROOT,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("module", ["bootstrap.py", "assets.py", "__init__.py"])
def test_what_runs_before_any_installation_needs_only_the_standard_library(module: str) -> None:
    tree = ast.parse((bootstrap.ROOT / "provisioning" / module).read_text(encoding="utf-8"))
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or ""])
    }
    assert imported <= sys.stdlib_module_names | {"provisioning"}
