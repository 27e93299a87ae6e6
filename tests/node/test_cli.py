# SPDX-License-Identifier: Apache-2.0
"""`township-node` for a technician: help that teaches, JSON for scripts, exit codes, no stack traces."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from node.cli import main
from node.station import Station
from schema import crsqlite_rows
from schema.home import StationHome

PROGRAM = Path(sys.executable).with_name("township-node")


def run(home: StationHome, command: str, *words: str) -> Result:
    return CliRunner().invoke(
        main, [command, "--dir", str(home.path), "--unlock-file", str(home.path / "unlock"), *words]
    )


@pytest.mark.parametrize("command", ["", "run", "sync", "status", "doctor", "backup", "verify"])
def test_help_teaches_in_both_languages(command: str) -> None:
    said = CliRunner().invoke(main, [*([command] if command else []), "--help"])
    assert said.exit_code == 0
    assert re.search("[\u4e00-\u9fff]{4}", said.output) and re.search("[a-z]{4} [a-z]+", said.output)


def test_status_is_what_the_bar_says(home: StationHome, station: Station) -> None:
    answer = run(home, "status", "--json")
    assert answer.exit_code == 0, answer.output
    told = json.loads(answer.output)
    assert (told["station"], told["link"], told["unsent"], told["numbers_left"]) == ("0100-1", "down", 0, 500)
    assert "down" in run(home, "status").output


def test_a_sync_that_cannot_reach_the_hub_says_why_and_exits_with_1(home: StationHome, station: Station) -> None:
    answer = run(home, "sync", "--json")
    assert answer.exit_code == 1
    assert json.loads(answer.stdout)["error_code"] == "unreachable"
    plain = run(home, "sync")
    assert plain.exit_code == 1 and "Traceback" not in plain.output


def test_doctor_lists_every_check_and_exits_by_the_worst(home: StationHome, station: Station) -> None:
    answer = run(home, "doctor", "--json")
    assert answer.exit_code == 0, answer.output
    assert {check["name"] for check in json.loads(answer.output)} >= {"extension", "certificate", "disk", "clock"}
    with station.store.write() as db:
        db.execute("UPDATE receipt_block SET last = 400")
    assert run(home, "doctor").exit_code == 1


def test_verify_computes_the_digests_anew_and_finds_rows_nobody_tracks(home: StationHome, station: Station) -> None:
    assert json.loads(run(home, "verify", "--json").output) == {
        "digests": {"county": True, "node": True, "township": True}, "untracked": {},
    }  # fmt: skip
    with station.store.merging() as db:
        db.execute("UPDATE digest_kept SET position = 999999 WHERE name = 'county'")
        db.execute("UPDATE digest_group SET hashes = zeroblob(1024) WHERE name = 'county'")
        db.execute("SELECT crsql_internal_sync_bit(1)").fetchone()
        db.execute("INSERT INTO contact (id) VALUES (zeroblob(16))")

    found = run(home, "verify", "--json")

    assert found.exit_code == 1
    assert json.loads(found.output) == {
        "digests": {"county": False, "node": True, "township": True}, "untracked": {"contact": 1},
    }  # fmt: skip
    again = run(home, "verify")
    assert again.exit_code == 1 and "✗ contact: 1" in again.output and "✓ 全县" in again.output
    with station.store.merging() as db:
        crsqlite_rows.evict(db, "contact", [bytes(16)])
    assert run(home, "verify").exit_code == 0


def test_backup_says_where_the_proven_copy_is(home: StationHome, station: Station) -> None:
    answer = run(home, "backup", "--json")
    assert answer.exit_code == 0, answer.output
    assert Path(json.loads(answer.output)["path"]).is_file()


@pytest.mark.parametrize("command", ["run", "sync", "status", "doctor", "backup", "verify"])
def test_a_folder_that_is_not_a_station_is_refused_in_words(tmp_path: Path, command: str) -> None:
    answer = run(StationHome(tmp_path / "nowhere"), command)
    assert answer.exit_code == 1
    assert "没有找到" in answer.output and "not found" in answer.output and "Traceback" not in answer.output


def test_a_wrong_passphrase_is_refused_in_words(home: StationHome) -> None:
    (home.path / "unlock").write_bytes(b"wrong")
    answer = run(home, "status")
    assert answer.exit_code == 1 and "密码不对" in answer.output and "Traceback" not in answer.output


def test_the_station_runs_answers_on_this_machine_only_and_stops_on_a_signal(
    home: StationHome, station: Station, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    environment = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")} | {"PYTHONUNBUFFERED": "1"}
    with log.open("wb") as out:
        process = subprocess.Popen(
            [PROGRAM, "run", "--dir", home.path, "--unlock-file", home.path / "unlock", "--port", "18137"],
            stdout=out, stderr=out, env=environment,
        )  # fmt: skip
    try:
        until = time.monotonic() + 40
        while "http://127.0.0.1:18137/" not in log.read_text() and process.poll() is None:
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.1)
        with urllib.request.urlopen("http://127.0.0.1:18137/login", timeout=20) as page:
            assert "登录" in page.read().decode()
        busy = run(home, "run", "--port", "18137")
        assert busy.exit_code == 1 and "18137" in busy.output and "--port" in busy.output
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0, log.read_text()
    assert "Traceback" not in log.read_text() and "张建国" not in log.read_text()
