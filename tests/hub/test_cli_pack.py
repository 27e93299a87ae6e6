# SPDX-License-Identifier: Apache-2.0
"""`township-hub pack` as two policy officers use it, from the rules in force to new ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hub import cli
from provisioning import hub_folder
from schema.clock import SystemClock
from tests.packing import AGE

PASSPHRASE = b"seven brass kettles 41"
Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A command on a hub as provisioning makes it, with two officers of the post `rules`."""
    config = hub_folder.config_for("嵊州市劳动保障中心", "Shengzhou", "127.0.0.1", 8443, None)
    hub_folder.init_hub(tmp_path / "hub", config, PASSPHRASE, SystemClock())
    (tmp_path / "unlock").write_bytes(PASSPHRASE)
    (tmp_path / "password").write_text("old wooden bridge 3")

    def invoke(*words: object) -> Result:
        place = ["--dir", str(tmp_path / "hub"), "--unlock-file", str(tmp_path / "unlock")]
        return CliRunner().invoke(cli.main, [*map(str, words), *place])

    for number in ("2031", "2032"):
        said = invoke("officer", "add", "--number", number, "--name", "规则", "--roles", "rules",
                      "--password-file", tmp_path / "password", "--no-change-needed")  # fmt: skip
        assert said.exit_code == 0, said.output
    return invoke


def test_rules_are_copied_edited_checked_prepared_and_published_by_another(run: Run, tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    rules.mkdir()
    assert run("pack", "copy", rules).exit_code == 0
    assert run("pack", "copy", rules).exit_code != 0  # not over somebody's work
    age = rules / AGE
    age.write_text(age.read_text("utf-8").replace("= 60", "= 60.5"), "utf-8")
    bad = run("pack", "check", rules)
    assert bad.exit_code == 1 and "claim_age_years.toml" in bad.output and "Traceback" not in bad.output
    age.write_text(age.read_text("utf-8").replace("= 60.5", "= 61"), "utf-8")
    changes = json.loads(run("pack", "check", rules, "--json").output)["changes"]
    assert [(c["what"], c["effective_on"]) for c in changes] == [("parameter", "2009-09-01")]

    def signed(*words: object, officer: str) -> Result:
        return run("pack", *words, "--officer", officer, "--password-file", tmp_path / "password")

    built = signed("build", rules, "--note", "试行 61 岁", officer="2031")
    assert built.exit_code == 0 and "60 years" in built.output and "61 years" in built.output
    made = json.loads(run("pack", "list", "--json").output)["prepared"][0]["hash"]
    assert run("pack", "show", made[:10]).exit_code == 0
    same = signed("publish", made[:10], officer="2031")
    assert same.exit_code == 1 and "另一位" in same.output
    assert signed("publish", made[:10], officer="2032").exit_code == 0
    listed = json.loads(run("pack", "list", "--json").output)
    assert listed["in_force"] == made == listed["published"][0]["hash"] and not listed["prepared"]
    told = run("pack", "list").output
    assert "现行" in told and made[:10] in told and "2032" in told
    age.write_text(age.read_text("utf-8").replace("= 61", "= 62"), "utf-8")
    assert signed("build", rules, "--note", "x", officer="2031").exit_code == 0
    other = json.loads(run("pack", "list", "--json").output)["prepared"][0]["hash"]
    assert signed("discard", other[:8], officer="2032").exit_code == 0
    assert not json.loads(run("pack", "list", "--json").output)["prepared"]
