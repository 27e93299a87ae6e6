# SPDX-License-Identifier: Apache-2.0
"""A rule pack travels from the hub and takes effect at a station; cases and drafts go on under their rules."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from node import cases, doctor, pack, status
from node.exchange import Exchange
from node.station import Station, open_station
from schema import database, events, packs, rulebook
from schema.database import Store
from schema.effects import EFFECTS
from schema.web.door import Officer
from sync.wire.transport import InProcess
from tests.node.test_exchange import Hub
from tests.packing import AGE, CHANGE, edited, employ, published

FIELD = """
[[fields]]
name = "nickname"
type = "text"
section = "contact"
label = { zh = "曾用名", en = "Former name" }
required = true
"""
CHANGE_ITEM, ENROLMENT_ITEM = "personal_data_change", "resident_pension_enrolment"


@pytest.fixture
def hub(station: Station, make_store: Callable[..., Store], hub_key: Ed25519PrivateKey) -> Hub:
    made = Hub(station, make_store("hub"), hub_key)
    employ(made.store)
    return made


@pytest.fixture
def online(station: Station, hub: Hub) -> Exchange:
    return Exchange(station, lambda: InProcess(hub.server))


@pytest.fixture
def publish(hub: Hub, station: Station, tmp_path: Path) -> Callable[[packs.Files], str]:
    """Publishes a pack at the hub; its hash."""
    count = iter(range(100))

    def go(files: packs.Files) -> str:
        return published(hub.store, files, tmp_path / f"rules{next(count)}", hub.key, station.clock).hash

    return go


def age_of(station: Station) -> int:
    value = station.desk.parameters.at("resident_pension/claim_age_years", station.clock.today())
    return value.number


def test_a_station_that_never_synced_works_with_the_pack_of_its_installation(station: Station) -> None:
    assert station.desk.pack == packs.built_in().hash and station.rules.current().number == 0


def test_a_published_pack_is_in_force_after_the_next_exchange_without_a_restart(
    station: Station, online: Exchange, hub: Hub, publish: Any, home: Any
) -> None:
    assert age_of(station) == 60
    hash_ = publish(edited(AGE, "= 60", "= 61"))
    report = online.run()
    assert report.ok and report.equal
    assert (station.desk.pack, age_of(station), station.rules.current().number) == (hash_, 61, 1)
    online.run()  # now the hub hears of it
    assert _hub_hears(hub) == (hash_, "")
    other = open_station(home.path, str(home.path / "unlock"), clock=station.clock)
    try:
        assert age_of(other) == 61  # and after a restart
    finally:
        other.close()


def _hub_hears(hub: Hub) -> tuple[str, str]:
    with hub.store.read() as db:
        return tuple(db.execute("SELECT rules, rules_waiting FROM node_record").fetchone())


def test_a_pack_with_a_word_this_program_does_not_know_waits_and_everybody_is_told(
    station: Station, online: Exchange, hub: Hub, publish: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = publish(edited(AGE, "= 60", "= 61"))
    assert online.run().ok
    with monkeypatch.context() as newer:  # the hub's program is a version ahead
        newer.setitem(EFFECTS, "bless", EFFECTS["person_columns"])
        second = publish(edited(CHANGE, 'effects            = ["', 'effects            = ["bless", "'))
    assert online.run().equal
    assert station.desk.pack == first
    with station.store.read() as db:
        why = rulebook.waiting(db)
        now = status.read(db, station.config.id, station.home.path, station.clock)
    assert (why["hash"], why["number"]) == (second, 2) and "bless" in why["zh"]
    assert "rules" in now.amber
    assert next(c for c in doctor.examine(station) if c.name == "rules").level == "warn"
    online.run()
    assert _hub_hears(hub) == (first, second)
    third = publish(edited(AGE, "= 60", "= 62"))  # the hub takes it back with rules that this program knows
    online.run()
    assert station.desk.pack == third
    with station.store.read() as db:
        assert rulebook.waiting(db) == {}


def test_only_the_hubs_signature_puts_rules_in_force(
    station: Station, online: Exchange, hub: Hub, publish: Any
) -> None:
    publish(edited(AGE, "= 60", "= 61"))
    assert online.run().ok
    with station.store.write() as db:
        row = dict(rulebook.newest(db))
        manifest = packs.read_manifest(row["manifest"])
        content, signature = packs.sign(
            packs.Manifest(**{**manifest.__dict__, "number": 9}), Ed25519PrivateKey.generate()
        )
        database.insert(db, "rule_pack", {**row, "number": 9, "hash": "a" * 64, "manifest": content,
                                          "signature": signature})  # fmt: skip
    before = station.desk.pack
    station.follow_rules()
    assert station.desk.pack == before
    with station.store.read() as db:
        assert rulebook.waiting(db)["code"] == "pack_signature"


def test_a_pack_whose_files_are_not_all_here_is_not_in_force_yet(
    station: Station, online: Exchange, publish: Any
) -> None:
    hash_ = publish(edited(AGE, "= 60", "= 61"))
    assert online.run().ok and station.desk.pack == hash_
    with station.store.write() as db:  # as when the line broke between two pages
        database.set_setting(db, "rule_pack", b"")
        db.execute("DELETE FROM rule_file WHERE sha256 = (SELECT min(sha256) FROM rule_file)")
    fresh = rulebook.RuleBook(station.store)
    assert pack.follow(station.store, fresh, bytes.fromhex(station.config.hub_public)) is None
    assert fresh.current().number == 0 and fresh.of(hash_) is None
    with station.store.read() as db:
        assert rulebook.waiting(db) == {}


def test_an_older_pack_never_comes_back_while_the_hub_has_the_newer_one(
    station: Station, online: Exchange, publish: Any
) -> None:
    publish(edited(AGE, "= 60", "= 61"))
    newest = publish(edited(AGE, "= 60", "= 62"))
    online.run()
    assert station.desk.pack == newest
    with station.store.write() as db:
        last = rulebook.newest(db)["number"]
        db.execute("UPDATE rule_pack SET number = 50 - number WHERE number <= ?", (last,))
    station.follow_rules()
    assert station.desk.pack == newest
    with station.store.write() as db:  # the hub came back from a copy and knows it no more
        db.execute("DELETE FROM rule_pack WHERE hash = ?", (newest,))
        db.execute("UPDATE rule_pack SET number = 50 - number")
    station.follow_rules()
    assert age_of(station) == 61


def with_field(field: str, path: str = CHANGE) -> packs.Files:
    """The program's rules with one field more in an item."""
    return edited(path, "[[materials]]", field + "\n[[materials]]")


def _draft(station: Station, person_id: bytes, clerk: Officer, answers: dict[str, str], case_id: bytes) -> None:
    item = station.desk.service(CHANGE_ITEM)
    cases.save(station.desk, case_id, item, cases.trim(item, answers, ["id_card"]), clerk, person_id)


def test_a_draft_survives_an_update_keeps_what_is_asked_no_more_and_finds_what_is_new(
    station: Station, online: Exchange, publish: Any, person: Callable[[str], bytes], clerk: Any
) -> None:
    publish(with_field(FIELD.replace("true", "false")))
    online.run()
    case_id, whom = bytes(range(16)), person("张建国")
    _draft(station, whom, clerk[0], {"phone": "13857580001", "nickname": "建国"}, case_id)
    publish(with_field(FIELD.replace("nickname", "alias")))
    online.run()
    desk = station.desk
    item = desk.service(CHANGE_ITEM)
    with station.store.read() as db:
        row = cases.file(db, case_id)
        assert cases.asked(item, row).answers == {"phone": "13857580001"}
        assert cases.left_over(desk, item, row) == [({"zh": "曾用名", "en": "Former name"}, "建国")]
    _draft(station, whom, clerk[0], {"phone": "13857580002"}, case_id)  # kept again under the new rules
    with station.store.read() as db:
        assert json.loads(cases.file(db, case_id)["answers"]) == {"phone": "13857580002", "nickname": "建国"}
    found = cases.submit(desk, case_id, *clerk).findings
    assert [f.field for f in found if f.severity == "block"] == ["alias"]
    _draft(station, whom, clerk[0], {"phone": "13857580002", "alias": "阿国"}, case_id)
    assert cases.submit(desk, case_id, *clerk).receipt_no
    with station.store.read() as db:
        assert cases.file(db, case_id)["pack"] == desk.pack
        assert events.of_subject(db, case_id)[0].body["answers"] == {"phone": "13857580002", "alias": "阿国"}


def test_a_returned_case_is_corrected_in_the_form_it_was_taken_with(
    station: Station, online: Exchange, publish: Any, enrol: Any
) -> None:
    done, taken_under = enrol(), station.desk.pack
    section = packs.built_in().services[ENROLMENT_ITEM].sections[0].id
    publish(with_field(FIELD.replace('"contact"', f'"{section}"'), f"services/{ENROLMENT_ITEM}.toml"))
    assert online.run().ok  # the case goes up and is returned, the pack comes down
    desk = station.desk
    assert desk.pack != taken_under and desk.service(ENROLMENT_ITEM).field("nickname")
    with station.store.read() as db:
        row = cases.file(db, done.case_id)
        assert desk.item_of(db, row).field("nickname") is None and row["pack"] == taken_under
