# SPDX-License-Identifier: Apache-2.0
"""The hub comes back from a copy, is looked at, and opened; of two machines under one name one is permitted."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from hub import cli
from hub.context import Hub
from schema import backup, database
from schema.database import Store
from sync.equality import incidents
from sync.hub import life, publish
from tests.hub.county import ADMIN, STATION, Browser, County

AT = "2026-11-23T01:00:00.000Z"


@pytest.fixture
def folder(county: County, monkeypatch: pytest.MonkeyPatch) -> Hub:
    """The hub with its settings written down, so that commands find it."""
    hub = county.hub
    monkeypatch.setattr("schema.home.HubHome.unlock", lambda home, passphrase: hub.secrets)
    monkeypatch.setattr("schema.home.HubHome.config", lambda home: hub.config)
    (hub.home.path / "unlock").write_bytes(b"x")
    return hub


def run(hub: Hub, *words: str) -> Result:
    place = ["--dir", str(hub.home.path), "--unlock-file", str(hub.home.path / "unlock")]
    return CliRunner().invoke(cli.main, [*words, *place])


def copy(hub: Hub) -> backup.Copy:
    return backup.make(hub.store, hub.secrets.db_key, hub.home.backups, hub.clock)


def test_a_restored_hub_is_closed_until_somebody_opens_it(folder: Hub, county: County) -> None:
    made = copy(folder)
    county.add_pensioner_to_be()
    head = county.one("SELECT seq FROM feed_head")
    folder.store.close()

    answer = run(folder, "restore", "--json")

    assert answer.exit_code == 0, answer.output
    told = json.loads(answer.output)
    assert (told["restored"], told["fenced"]) == (made.path.name, True)
    assert county.rows("SELECT count(*) FROM person") == [(0,)]
    with folder.store.read() as db:
        assert life.is_fenced(db) and life.of(db) != life.FIRST
        assert life.since(db) == AT
        assert publish.head(db) > head
    kept = Store(folder.home.path / told["kept"], folder.secrets.db_key, side="hub")
    with kept.read() as db:
        assert db.execute("SELECT count(*) FROM person").fetchone()[0] == 1
    kept.close()
    assert json.loads(run(folder, "open", "--json").output) == {"opened": True}
    with folder.store.read() as db:
        assert not life.is_fenced(db)
    assert json.loads(run(folder, "open", "--json").output) == {"opened": False}


def test_a_running_hub_is_not_restored(folder: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    copy(folder)
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen()
        port = door.getsockname()[1]
        object.__setattr__(folder.config, "port", port)
        answer = run(folder, "restore")
    assert answer.exit_code == 1 and "请先停下" in answer.output
    with folder.store.read() as db:
        assert not life.is_fenced(db)


def test_a_station_is_permitted_by_command_and_an_unknown_one_refused(folder: Hub, county: County) -> None:
    assert run(folder, "permit", STATION).exit_code == 0
    assert county.one("SELECT permit_at IS NOT NULL FROM node_record WHERE id = ?", STATION) == 1
    answer = run(folder, "permit", "0999-1")
    assert answer.exit_code == 1 and "没有站点" in answer.output


class TestPage:
    @pytest.fixture
    def in_doubt(self, county: County) -> County:
        with county.store.write() as db:
            database.update(db, "node_record", {"id": STATION}, {"last_seen_at": AT})
            incidents.record(db, "clone", STATION, "clone", AT)
        return county

    def test_an_administrator_sees_who_waits_and_permits(
        self, in_doubt: County, browse: Callable[..., Browser]
    ) -> None:
        admin = browse(in_doubt.hub, ADMIN)
        assert "放行下一台" in admin.get("/stations").text
        assert admin.post(f"/stations/{STATION}/permit").status_code == 303
        assert "已放行" in admin.get("/stations").text
        assert in_doubt.one("SELECT permit_at FROM node_record WHERE id = ?", STATION) == AT

    def test_others_see_it_without_the_button(self, in_doubt: County, browse: Callable[..., Any]) -> None:
        page = browse(in_doubt.hub, "2001").get("/stations").text
        assert "由系统管理员放行" in page and "放行下一台" not in page


def test_the_folder_keeps_no_half_copy(folder: Hub) -> None:
    made = copy(folder)
    Path(made.path).write_bytes(b"nothing")
    assert run(folder, "restore").exit_code == 1
    assert list(folder.home.path.glob("*restored*")) == []
