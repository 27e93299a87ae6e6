# SPDX-License-Identifier: Apache-2.0
"""The commands as a technician types them, on real folders."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from provisioning import hub_folder
from provisioning.cli import main
from schema.clock import SystemClock
from sync.wire import enrolment

PASSPHRASE = "剡溪九曲胜景 one"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`run("init-hub", folder, ...)` with the passphrase in a file."""
    unlock = tmp_path / "unlock"
    unlock.write_text(PASSPHRASE, encoding="utf-8")
    monkeypatch.setenv("TOWNSHIP_UNLOCK_FILE", str(unlock))
    return lambda *words, text=None: CliRunner().invoke(main, [str(w) for w in words], input=text)


@pytest.fixture
def hub(tmp_path: Path, run: Any) -> Path:
    done = run("init-hub", tmp_path / "hub", "--name", "县中心", "--port", _free_port(), "--json")
    assert done.exit_code == 0, done.output
    return tmp_path / "hub"


@pytest.fixture
def kit(hub: Path, run: Any) -> Path:
    done = run("new-station", hub, "0100-1", "--name", "甘霖镇劳动保障所", "--township", "330683100", "--json")
    assert done.exit_code == 0, done.output
    return Path(json.loads(done.stdout)["kit"])


def _free_port() -> int:
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        return int(server.server_port)


@contextmanager
def _serving(folder: Path) -> Iterator[None]:
    """The hub's side of enrolment over TLS with the certificate of its folder."""
    with hub_folder.opened(folder, PASSPHRASE.encode()) as hub:

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                request = enrolment.read_request(self.rfile.read(int(self.headers["content-length"])))
                body = enrolment.enrol(hub.store, hub.secrets.authority, request, SystemClock())
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                return

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(hub.home.server_certificate, hub.home.server_key)
        with HTTPServer(("127.0.0.1", hub.config.port), Handler) as server:
            server.socket = context.wrap_socket(server.socket, server_side=True)
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
            thread.start()
            yield
            server.shutdown()
            thread.join()


def test_a_kit_becomes_a_station_over_real_tls(hub: Path, kit: Path, tmp_path: Path, run: Any) -> None:
    with _serving(hub):
        done = run("install", kit, "--dir", tmp_path / "station", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["state"] == "installed"
    assert run("doctor", tmp_path / "station").exit_code == 0
    again = run("install", kit, "--dir", tmp_path / "station")
    assert again.exit_code == 1 and "已经安装" in again.output


def test_without_a_line_the_stick_road_ends_in_the_same_place(hub: Path, kit: Path, tmp_path: Path, run: Any) -> None:
    waiting = run("install", kit, "--dir", tmp_path / "station")
    assert waiting.exit_code == 2 and "certify" in waiting.output
    assert run("doctor", tmp_path / "station").exit_code == 1
    assert run("certify", hub, kit).exit_code == 0
    assert run("install", kit, "--dir", tmp_path / "station").exit_code == 0


def test_a_county_is_loaded_and_its_dirt_told(hub: Path, run: Any) -> None:
    done = run("county", hub, "--persons", 400, "--month", "2026-10", "--json")
    assert done.exit_code == 0, done.output
    values = json.loads(done.stdout)
    assert values["rows"]["person"] == 400 and len(values["digest"]) == 64
    again = run("county", hub, "--persons", 400)
    assert again.exit_code == 1 and "已经有人员" in again.output


def test_a_csv_needs_no_hub(tmp_path: Path, run: Any) -> None:
    done = run("county", "--persons", 300, "--month", "2026-10", "--csv", tmp_path / "register.csv")
    assert done.exit_code == 0, done.output
    assert len((tmp_path / "register.csv").read_text(encoding="utf-8-sig").splitlines()) == 301
    assert run("county", "--persons", 300).exit_code == 2


def test_a_revocation_is_told_and_final(hub: Path, kit: Path, run: Any) -> None:
    assert run("revoke", hub, "0100-1", "--reason", "失窃").exit_code == 0
    again = run("revoke", hub, "0100-1", "--reason", "失窃")
    assert again.exit_code == 1 and "已经注销" in again.output


@pytest.mark.parametrize(
    "words",
    [
        ("init-hub", "HUB", "--name", "县中心", "--port", "1"),
        ("new-station", "NOWHERE", "0100-1", "--name", "x", "--township", "330683100"),
        ("new-station", "HUB", "nonsense", "--name", "x", "--township", "330683100"),
        ("certify", "HUB", "NOWHERE"),
        ("install", "NOWHERE", "--dir", "NOWHERE"),
        ("county", "HUB", "--persons", "5"),
        ("county", "HUB", "--persons", "400", "--month", "yesterday"),
        ("revoke", "HUB", "0100-9", "--reason", "x"),
        ("doctor", "NOWHERE"),
    ],
)
def test_a_command_that_cannot_be_done_says_why_and_shows_no_trace(words: tuple[str, ...], hub: Path, run: Any) -> None:
    places = {"HUB": str(hub), "NOWHERE": str(hub.parent / "nowhere")}
    done: Result = run(*(places.get(w, w) for w in words))
    assert done.exit_code == 1
    assert isinstance(done.exception, SystemExit)
    assert any("\u4e00" <= c <= "\u9fff" for c in done.output) and "Traceback" not in done.output


def test_a_wrong_passphrase_opens_nothing(hub: Path, tmp_path: Path, run: Any) -> None:
    other = tmp_path / "other"
    other.write_text("some quite other words")
    done = run("revoke", hub, "0100-1", "--reason", "x", "--unlock-file", other)
    assert done.exit_code == 1 and "Traceback" not in done.output


def test_a_typed_passphrase_is_asked_for_twice_and_must_be_strong(
    tmp_path: Path, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TOWNSHIP_UNLOCK_FILE")
    words = ("init-hub", tmp_path / "typed", "--name", "县中心", "--port", 8443)
    assert run(*words, text="12345678\n12345678\n").exit_code == 1
    assert not (tmp_path / "typed").exists()
    assert run(*words, text=f"{PASSPHRASE}\n{PASSPHRASE}\n").exit_code == 0
    assert run("doctor", tmp_path / "typed", text=f"{PASSPHRASE}\n").exit_code == 0


@pytest.mark.parametrize("command", ["init-hub", "new-station", "certify", "install", "revoke", "county", "doctor"])
def test_help_speaks_both_languages(command: str, run: Any) -> None:
    text = run(command, "--help").output
    assert any("\u4e00" <= c <= "\u9fff" for c in text) and "--json" in text and "--unlock-file" in text
