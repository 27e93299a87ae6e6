# SPDX-License-Identifier: Apache-2.0
"""Sticks from the command lines of both programs: a station that never sees a line, from its kit to its proof."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from hub import cli as hub_cli
from node import cli as node_cli
from provisioning import hub_folder, install, station
from provisioning.kit import Kit
from schema import keys
from schema.clock import SystemClock
from schema.database import Store
from schema.errors import Unreachable
from schema.home import HubHome, StationHome
from sync.hub import publish

PASSPHRASE = b"seven brass kettles 41"
PERSON = {
    "id": bytes(range(16)), "id_number": "330683195501010011", "name": "测试甲", "sex": "1", "birth_on": "1955-01-01",
    "village": "330683100201", "life_status": "1",
}  # fmt: skip


class NoLine:
    def request(self, *_: Any) -> Any:
        raise Unreachable("没有线路", "no line")


class Place:
    """A hub and a station in folders, an officer of the station, and a stick."""

    def __init__(self, base: Path) -> None:
        self.base, self.stick = base, base / "stick"
        self.stick.mkdir()
        (base / "unlock").write_bytes(PASSPHRASE)
        clock = SystemClock()
        config = hub_folder.config_for("县中心", "County hub", "127.0.0.1", 8443, None)
        hub_folder.init_hub(base / "hub", config, PASSPHRASE, clock)
        wanted = station.NewStation("0100-1", "甘霖镇", "Ganlin", "330683100", 8401)
        public, _ = keys.new_officer_key("counter window 3012", keys.Cost(64, 1, 1))
        with hub_folder.opened(base / "hub", PASSPHRASE) as hub:
            kit = Kit(station.new_station(hub, wanted, base / "kit", clock).kit)
            install.install(kit, base / "station", PASSPHRASE, clock, NoLine())
            station.certify(hub, kit, clock)
            install.install(kit, base / "station", PASSPHRASE, clock, NoLine())
            with publish.transaction(hub.store) as pub:
                pub.put("person", PERSON)
                pub.cells("contact", PERSON["id"], {"phone": "13800000000"})
                pub.put("officer", {
                    "operator_no": "3012", "name": "王丽萍", "roles": "clerk", "station": "0100-1",
                    "public_key": public, "wrapped_key": b"w", "must_change": 0,
                })  # fmt: skip

    def node(self, *words: Any) -> Result:
        return self._run(node_cli.main, "station", *words)

    def hub(self, *words: Any) -> Result:
        return self._run(hub_cli.main, "hub", *words)

    def _run(self, main: Any, folder: str, *words: Any) -> Result:
        place = ["--dir", str(self.base / folder), "--unlock-file", str(self.base / "unlock")]
        return CliRunner().invoke(main, ["usb", *map(str, words), *place])

    def store(self, side: str) -> Store:
        if side == "hub":
            home = HubHome(self.base / "hub")
            return Store(home.database, home.unlock(PASSPHRASE).db_key, side="hub")
        own = StationHome(self.base / "station")
        return Store(own.database, own.unlock(PASSPHRASE).db_key, side="node")


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("usb")
    with pytest.MonkeyPatch.context() as patch:
        seal = keys.seal
        patch.setattr(keys, "seal", lambda secret, passphrase: seal(secret, passphrase, keys.Cost(64, 1, 1)))
        Place(base)
    return base


@pytest.fixture
def place(original: Path, tmp_path: Path) -> Place:
    copy = tmp_path / "copy"
    shutil.copytree(original, copy)
    made = Place.__new__(Place)
    made.base, made.stick = copy, copy / "stick"
    return made


def one(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_there_and_back_without_a_line(place: Place) -> None:
    made = one(place.node("export", place.stick, "--json"))
    taken_in = one(place.hub("import", made["path"], "--answer", place.stick, "--json"))
    taken = one(place.node("import", taken_in["answers"][0]["path"], "--json"))

    assert (made["facts"], made["rows"], made["more"]) == (0, 0, False)
    assert taken_in["files"][0]["node"] == "0100-1"
    assert (taken[0]["ok"], taken[0]["equal"]) == (True, True)
    store = place.store("node")
    with store.read() as db:
        assert db.execute("SELECT phone FROM contact").fetchone()[0] == "13800000000"
    store.close()


def test_the_words_say_what_went_and_what_came(place: Place) -> None:
    made = one(place.node("export", place.stick, "--json"))["path"]
    one(place.hub("import", made, "--answer", place.stick, "--json"))
    answer = next(place.stick.glob("hub-to-0100-1-*.s1b"))
    assert place.node("import", answer).exit_code == 0
    store = place.store("node")
    with store.write() as db:
        db.execute("UPDATE contact SET note = 'x'")
    store.close()

    said = place.node("export", place.stick / "second.s1b")
    came = place.hub("import", place.stick / "second.s1b", "--answer", place.stick)

    assert "改动 edits 1" in said.output and "reg: 第 1 到 1 包" in said.output
    assert "中心回执带回之前，本站仍保留" in said.output
    assert "新收 taken 1" in came.output and "回执 receipts 1" in came.output


def test_a_file_is_never_overwritten_and_names_differ(place: Place) -> None:
    first = one(place.node("export", place.stick, "--json"))["path"]
    second = one(place.node("export", place.stick, "--json"))["path"]
    before = Path(first).read_bytes()

    again = place.node("export", first)

    assert first != second
    assert again.exit_code == 1 and "不会覆盖" in again.output
    assert Path(first).read_bytes() == before
    assert sorted(p.suffix for p in place.stick.iterdir()) == [".s1b", ".s1b"]


def test_a_bad_file_does_not_stop_the_others(place: Place) -> None:
    good = one(place.node("export", place.stick, "--json"))["path"]
    (place.stick / "notes.s1b").write_bytes(b"shopping list")

    result = place.hub("import", place.stick / "notes.s1b", place.stick / "gone.s1b", good, "--json")

    assert result.exit_code == 1
    files = json.loads(result.stdout)["files"]
    assert [(f["ok"], f["code"]) for f in files] == [(False, "bundle"), (False, "config"), (True, "")]


def test_a_file_for_the_other_side_is_refused_in_words(place: Place) -> None:
    mine = one(place.node("export", place.stick, "--json"))["path"]
    refused = place.node("import", mine)
    assert refused.exit_code == 1
    assert "不是给这里的" in refused.output and "Traceback" not in refused.output


def test_an_answer_can_be_written_again_when_a_stick_is_lost(place: Place) -> None:
    too_early = place.hub("export", "0100-1", place.stick)
    assert too_early.exit_code == 1 and "还没有交来" in too_early.output
    one(place.hub("import", one(place.node("export", place.stick, "--json"))["path"], "--json"))

    for _ in range(2):
        written = one(place.hub("export", "0100-1", place.stick, "--json"))
    assert place.node("import", written["path"]).exit_code == 0


def test_a_revoked_station_is_refused_and_told_so_at_the_hub(place: Place) -> None:
    path = one(place.node("export", place.stick, "--json"))["path"]
    store = place.store("hub")
    with store.write() as db:
        db.execute("UPDATE node_record SET revoked_at = '2026-11-20T01:00:00.000Z'")

    result = place.hub("import", path)

    assert result.exit_code == 1 and "注销" in result.output
    with store.read() as db:
        assert [tuple(r) for r in db.execute("SELECT peer, code FROM refusal")] == [("0100-1", "revoked")]
    store.close()


@pytest.mark.parametrize("words", [("usb",), ("usb", "export"), ("usb", "import")])
@pytest.mark.parametrize("main", [node_cli.main, hub_cli.main], ids=["node", "hub"])
def test_help_shows_an_example_or_says_what_the_words_mean(main: Any, words: tuple[str, ...]) -> None:
    said = CliRunner().invoke(main, [*words, "--help"])
    assert said.exit_code == 0
    assert "township-" in said.output or "TARGET" in said.output or "FILES" in said.output
