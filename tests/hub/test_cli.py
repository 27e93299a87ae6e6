# SPDX-License-Identifier: Apache-2.0
"""`township-hub` as a technician uses it: real folders, words instead of stack traces, exit codes."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result

from hub import cli
from provisioning import hub_folder
from schema import keys
from schema.clock import SystemClock
from schema.database import Store
from schema.home import HubHome
from sync.equality.buckets import AtHub

PASSPHRASE = b"seven brass kettles 41"
Run = Callable[..., Result]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hub as provisioning makes it, with its unlock file beside it."""
    base = tmp_path_factory.mktemp("hub")
    config = hub_folder.config_for("嵊州市劳动保障中心", "Shengzhou", "127.0.0.1", _free_port(), None)
    hub_folder.init_hub(base / "hub", config, PASSPHRASE, SystemClock())
    (base / "unlock").write_bytes(PASSPHRASE)
    return base


@pytest.fixture
def run(folder: Path) -> Run:
    def invoke(*words: str) -> Result:
        place = ["--dir", str(folder / "hub"), "--unlock-file", str(folder / "unlock")]
        return CliRunner().invoke(cli.main, [*words, *place])

    return invoke


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def officer(folder: Path, number: str) -> Any:
    home = HubHome(folder / "hub")
    store = Store(home.database, home.unlock(PASSPHRASE).db_key, side="hub")
    try:
        with store.read() as db:
            return db.execute("SELECT * FROM officer WHERE operator_no = ?", (number,)).fetchone()
    finally:
        store.close()


def password_file(folder: Path, text: str) -> str:
    path = folder / "password"
    path.write_text(text + "\n", encoding="utf-8")
    return str(path)


def test_a_random_password_is_shown_once_and_must_be_changed(folder: Path, run: Run) -> None:
    said = run("officer", "add", "--number", "2001", "--name", "林小满", "--roles", "accept calculate")
    assert said.exit_code == 0, said.output
    row = officer(folder, "2001")
    password = said.output.strip().splitlines()[-1]
    assert keys.unwrap(row["wrapped_key"], password).public_key().public_bytes_raw() == row["public_key"]
    assert (row["roles"], row["must_change"]) == ("accept calculate", 1)
    assert password not in run("officer", "list").output


def test_a_password_from_a_file_need_not_be_changed_when_that_is_said(folder: Path, run: Run) -> None:
    file = password_file(folder, "harvest at 5 o'clock")
    said = run("officer", "add", "--number", "2002", "--name", "周建", "--roles", "review", "--password-file", file,
               "--no-change-needed")  # fmt: skip
    assert said.exit_code == 0, said.output
    assert "harvest" not in said.output
    row = officer(folder, "2002")
    assert row["must_change"] == 0
    keys.unwrap(row["wrapped_key"], "harvest at 5 o'clock")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--roles", "accept", "--no-change-needed"], "--password-file"),
        (["--roles", "accept", "--password-file", "WEAK"], "密码至少"),
        (["--roles", "accept", "--password-file", "NONE"], "密码文件不存在"),
        (["--roles", "nonsense"], "岗位不对"),
        (["--roles", "admin accept"], "不能兼其他岗位"),
        (["--roles", "clerk"], "岗位不对"),
        (["--roles", "clerk", "--station", "9999-9"], "没有站点 9999-9"),
    ],
)
def test_an_officer_that_cannot_be_is_refused_in_words(folder: Path, run: Run, words: list[str], said: str) -> None:
    files = {"WEAK": password_file(folder, "short"), "NONE": str(folder / "nothing")}
    answer = run("officer", "add", "--number", "2033", "--name", "某人", *[files.get(w, w) for w in words])
    assert answer.exit_code == 1
    assert said in answer.output
    assert "Traceback" not in answer.output
    assert officer(folder, "2033") is None


def test_an_officer_is_listed_reset_and_disabled(folder: Path, run: Run) -> None:
    file = password_file(folder, "old wooden bridge 3")
    run("officer", "add", "--number", "2004", "--name", "何守信", "--roles", "approve", "--password-file", file)
    before = officer(folder, "2004")
    said = run("officer", "reset-password", "--number", "2004", "--end-old-key")
    assert said.exit_code == 0
    after = officer(folder, "2004")
    assert after["public_key"] != before["public_key"]
    keys.unwrap(after["wrapped_key"], said.output.strip().splitlines()[-1])
    assert run("officer", "disable", "--number", "2004", "--yes").exit_code == 0
    listed = {row["operator_no"]: row for row in json.loads(run("officer", "list", "--json").output)}
    assert listed["2004"]["disabled_on"]
    assert "wrapped_key" not in listed["2004"]
    assert run("officer", "reset-password", "--number", "2004").exit_code == 1


def test_status_and_stations_are_one_json_document(run: Run) -> None:
    assert json.loads(run("status", "--json").output)["stations"] == 0
    assert json.loads(run("stations", "--json").output) == []
    assert run("status").exit_code == run("stations").exit_code == 0


def test_the_doctor_names_what_is_missing_and_is_content_with_the_rest(run: Run) -> None:
    said = run("doctor", "--json")
    levels = {check["name"]: check["level"] for check in json.loads(said.output)}
    assert said.exit_code == 0
    assert [levels[name] for name in ("extension", "database", "identity", "tls")] == ["ok"] * 4
    assert levels["posts"] == "warn"
    assert "vacant posts" in run("doctor").output


def test_the_doctor_fails_when_the_certificate_cannot_be_read(folder: Path, run: Run) -> None:
    certificate = HubHome(folder / "hub").server_certificate
    kept = certificate.read_bytes()
    certificate.write_bytes(b"rubbish")
    try:
        said = run("doctor")
    finally:
        certificate.write_bytes(kept)
    assert said.exit_code == 1
    assert "TLS" in said.output


def test_a_wrong_passphrase_and_a_wrong_folder_are_said_in_words(folder: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("not the passphrase")
    for place in (
        ["--dir", str(folder / "hub"), "--unlock-file", str(wrong)],
        ["--dir", str(tmp_path / "nothing"), "--unlock-file", str(folder / "unlock")],
        ["--dir", str(folder / "hub"), "--unlock-file", str(tmp_path / "nothing")],
    ):
        said = CliRunner().invoke(cli.main, ["status", *place])
        assert said.exit_code == 1
        assert "Error: " in said.output and "Traceback" not in said.output


def test_every_command_teaches_in_its_help() -> None:
    def walk(command: Any, path: tuple[str, ...]) -> None:
        said = CliRunner().invoke(cli.main, [*path, "--help"])
        assert said.exit_code == 0 and len(said.output) > 100, path
        for name, sub in getattr(command, "commands", {}).items():
            walk(sub, (*path, name))

    walk(cli.main, ())


def test_run_serves_until_it_is_told_to_stop(folder: Path) -> None:
    home, port = HubHome(folder / "hub"), _free_port()
    words = [Path(sys.executable).parent / "township-hub", "run", "--dir", home.path, "--port", str(port)]
    env = os.environ | {"TOWNSHIP_UNLOCK_FILE": str(folder / "unlock")}
    with (folder / "run.log").open("wb") as log:
        process = subprocess.Popen([str(w) for w in words], stdout=log, stderr=log, env=env)
    try:
        trusted = ssl.create_default_context(cafile=str(home.ca_file))
        with httpx.Client(verify=trusted, trust_env=False) as client:
            page = _when_up(client, f"https://127.0.0.1:{port}/login", process)
        assert "登录" in page.text
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(30)
    said = (folder / "run.log").read_text(encoding="utf-8")
    assert code == 0, said
    assert f"https://127.0.0.1:{port}" in said
    assert "Traceback" not in said


def _when_up(client: httpx.Client, url: str, process: subprocess.Popen[bytes]) -> httpx.Response:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            return client.get(url)
        except httpx.ConnectError:
            time.sleep(0.1)
    raise AssertionError("the hub did not come up")


def test_verify_sync_computes_what_is_kept_for_the_stations_anew(folder: Path, run: Run) -> None:
    home = HubHome(folder / "hub")
    store = Store(home.database, home.unlock(PASSPHRASE).db_key, side="hub")
    kept, now = AtHub(store), SystemClock().now()
    for held in (("county",), ("330683100",)):
        kept.of(held, now)
    assert json.loads(run("verify-sync", "--json").output) == {"digests": 2, "wrong": [], "untracked": {}}
    with store.write() as db:
        db.execute("UPDATE digest_group SET hashes = randomblob(1024) WHERE name = 'county' AND number = 3")

    answer = run("verify-sync")

    assert answer.exit_code == 1 and "✗ county" in answer.output
    assert run("verify-sync").exit_code == 0
    store.close()
