# SPDX-License-Identifier: Apache-2.0
"""Whatever a station, or somebody with a station's key, sends to the hub's address: checked, refused, kept apart."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub.app import create_app
from schema import database, events, ids
from schema.clock import FixedClock, stamp
from schema.events import KINDS
from sync.wire import enrolment, receipt
from sync.wire.validator import MAX_STEP
from tests.hostile.evil import MARKUP, TEXTS, require_words, rows
from tests.hostile.peer import Peer
from tests.hub.county import (
    ACCEPT,
    ALL_FOUR,
    CHEAP,
    CLAIM,
    CLERK,
    ENROLMENT,
    OTHER_CLERK,
    OTHER_STATION,
    OTHER_VILLAGE,
    STATION,
    Browse,
    County,
    Desk,
    newcomer,
)

# Told of every good greeting, whatever comes after it.
GREETED = "node_record"


@pytest.fixture
def peer(county: County) -> Peer:
    app = create_app(county.hub, cost=CHEAP)
    return Peer(county, app.test_client())


@pytest.fixture
def desk(county: County, peer: Peer) -> Desk:
    """The counter of the peer: its facts belong to the peer's epoch."""
    return Desk(county, epoch=peer.epoch)


def refused(county: County, answer: Any) -> list[str]:
    """The codes of what a frame's receipt refuses."""
    assert answer.status_code == 200, answer.data
    said = receipt.read(answer.data, county.hub.secrets.signing.public_key().public_bytes_raw())
    return [one.code for one in said.refused]


def submission(desk: Desk, **changes: Any) -> events.Fact:
    body = desk.body(ENROLMENT, None, given=newcomer()) | changes
    return desk.fact("case_submitted", body["case_id"], body)


HELLOS = {
    "expired": (lambda p: p.hello(p.certificate(not_after="2026-11-22")), "certificate_expired"),
    "not yet": (lambda p: p.hello(p.certificate(not_before="2026-11-24")), "certificate_not_yet"),
    "another county's": (lambda p: p.hello(p.certificate(Ed25519PrivateKey.generate())), "certificate_signature"),
    "altered": (lambda p: p.hello(p.certificate()[:-70] + os.urandom(6) + p.certificate()[-64:]), None),
    "cut": (lambda p: p.hello(p.certificate()[:-1]), None),
    "another key": (lambda p: p.hello(p.certificate(public_key=os.urandom(32))), "signature"),
    "more slices": (lambda p: p.hello(p.certificate(slices=(*p.slices, "330683101"))), "certificate_mismatch"),
    "another station": (lambda p: p.hello(p.certificate(node=OTHER_STATION)), None),
    "nobody": (lambda p: p.hello(p.certificate(node="0999-1")), "unknown_node"),
    "later serial": (lambda p: p.hello(p.certificate(serial=9)), "hub_behind"),
    "another epoch": (lambda p: p.hello(epoch=bytes(16)), "rebase"),
    "another database": (lambda p: p.hello(site=bytes(16)), "rebase"),
    "newer software": (lambda p: p.hello(schema=99), "hub_too_old"),
    "wrong types": (lambda p: p.hello(unsent="many"), None),
    "rubbish": (lambda p: p.send("POST", "/s1/hello", os.urandom(500)), None),
    "nothing": (lambda p: p.send("POST", "/s1/hello"), None),
    "a web form": (lambda p: p.send("POST", "/s1/hello", b"operator_no=2001&password=x"), None),
}  # fmt: skip


@pytest.mark.parametrize("kind", HELLOS)
def test_a_greeting_that_does_not_hold_gets_a_code_and_writes_nothing(peer: Peer, county: County, kind: str) -> None:
    before = rows(county.store)
    act, code = HELLOS[kind]
    answer = act(peer)
    assert 400 <= answer.status_code < 500 and "token" not in answer.get_json()
    assert code is None or answer.get_json()["code"] == code
    assert rows(county.store) == before


def test_a_revoked_station_is_refused_with_the_token_it_still_has(peer: Peer, county: County, desk: Desk) -> None:
    token, fact = peer.token(), submission(desk)
    with county.store.write() as db:
        db.execute("UPDATE node_record SET revoked_at = '2026-11-23T00:00:00.000Z' WHERE id = ?", (STATION,))
    before = rows(county.store)
    data = peer.frame({"facts": [fact.to_wire()]}, 1)
    feed = peer.send("GET", "/s1/feed/county?chan=ref&after=0&max=9000", token=token)
    for answer in (peer.hello(), peer.push(data, token), feed):
        assert (answer.status_code, answer.get_json()["code"]) == (403, "revoked")
    assert rows(county.store) == before


def test_an_altered_byte_anywhere_in_a_frame_changes_nothing_at_the_hub(
    peer: Peer, county: County, desk: Desk
) -> None:
    data, token = peer.frame({"facts": [submission(desk).to_wire()]}, 1), peer.token()
    before = rows(county.store)
    for at in range(len(data)):
        wrong = data[:at] + bytes([data[at] ^ (1 + at % 255)]) + data[at + 1 :]
        answer = peer.push(wrong, token)
        assert 400 <= answer.status_code < 500, (at, answer.status_code)
    for cut in range(0, len(data), 7):
        assert peer.push(data[:cut], token).status_code in (400, 403)
    assert rows(county.store) == before
    assert refused(county, peer.push(data, token)) == []


def test_a_frame_sent_again_writes_nothing_and_is_answered_alike(peer: Peer, county: County, desk: Desk) -> None:
    data, token = peer.frame({"facts": [submission(desk).to_wire()]}, 1), peer.token()
    first = peer.push(data, token)
    before = rows(county.store)
    for _ in range(3):
        assert peer.push(data, token).data == first.data
    assert rows(county.store) == before
    assert county.one("SELECT count(*) FROM hub_case") == 1


@pytest.mark.parametrize("kind", [kind for kind, (_, side, _) in KINDS.items() if side == "hub"])
def test_a_fact_only_the_hub_may_state_is_refused_from_a_station(
    peer: Peer, county: County, desk: Desk, kind: str
) -> None:
    """The clerk approves the own case: well signed, well chained, and worth nothing."""
    mine = submission(desk)
    body = {"case_id": mine.subject, "changes": [["benefit", {"id": "00" * 16}]], "month": "2026-11", "run_id": "x"}
    forged = desk.fact(kind, mine.subject, body)
    as_hub = replace(forged, origin="hub", epoch=county.one("SELECT value FROM setting WHERE name = 'epoch'"))
    assert refused(county, peer.push_facts(mine, forged, as_hub.signed(county.keys[CLERK]))) == ["kind", "origin"]
    assert county.rows("SELECT state, step FROM hub_case") == [("submitted", "accept")]
    assert county.one("SELECT count(*) FROM fact") == 1
    assert county.one("SELECT count(*) FROM case_step") == 1


def test_a_hub_that_came_back_from_a_backup_takes_no_clerk_for_a_witness_of_its_decisions(
    peer: Peer, county: County, desk: Desk
) -> None:
    """What such a hub forgot, stations may return, signed by its own officers: never by one of theirs."""
    mine = submission(desk)
    forged = desk.fact("case_approved", mine.subject, {"case_id": mine.subject, "changes": []})
    as_hub = replace(forged, origin="hub", epoch=county.one("SELECT value FROM setting WHERE name = 'epoch'"))
    with county.store.write() as db:
        database.set_setting(db, "life", ids.new_id())
    assert refused(county, peer.push_facts(mine, as_hub.signed(county.keys[CLERK]))) == ["officer_station"]
    assert county.one("SELECT count(*) FROM fact") == 1


def test_facts_of_officers_who_may_not_state_them_are_refused_one_by_one(
    peer: Peer, county: County, desk: Desk
) -> None:
    county.keys["3999"] = Ed25519PrivateKey.generate()
    facts = []
    for officer in (OTHER_CLERK, ACCEPT, "3999"):
        body = desk.body(ENROLMENT, None, given=newcomer())
        facts.append(desk.fact("case_submitted", body["case_id"], body, officer=officer))
    body = desk.body(ENROLMENT, None, given=newcomer())
    stolen = desk.fact("case_submitted", body["case_id"], body)
    facts.append(replace(stolen, signature=county.keys[ACCEPT].sign(stolen.hash)))
    codes = refused(county, peer.push_facts(*facts))
    assert codes == ["officer_station", "officer_station", "officer_unknown", "officer_signature"]
    assert county.one("SELECT count(*) FROM hub_case") == 0


INSTANTS = ["yesterday", "", "9999-99-99T00:00:00.000Z", "2026-11-23T01:00:00Z", "2026-11-23 01:00", "<script>", "\x00"]


@pytest.mark.parametrize("stated_at", INSTANTS)
def test_a_fact_without_an_instant_is_refused_and_the_desk_still_opens(
    peer: Peer, county: County, browse: Browse, stated_at: str
) -> None:
    """One such case would break every list it stands in, for every officer."""
    desk = Desk(county, epoch=peer.epoch)
    body = desk.body(ENROLMENT, None, given=newcomer())
    fact = desk.fact("case_submitted", body["case_id"], body, stated_at=stated_at)
    assert refused(county, peer.push_facts(fact)) == ["fact_form"]
    assert county.one("SELECT count(*) FROM hub_case") == 0


NOT_FACTS: dict[str, Any] = {
    "nothing": [], "a number": 5, "text": "x" * 500, "a map": {"id": b"x"}, "thirteen nulls": [None] * 13,
    "null": None, "bytes": bytes(16), "a list of lists": [[[]]] * 13,
}  # fmt: skip


def test_items_that_are_no_facts_are_refused_and_the_next_one_is_taken(peer: Peer, county: County) -> None:
    desk = Desk(county, epoch=peer.epoch, seq=len(NOT_FACTS))
    codes = refused(county, peer.push_facts(*NOT_FACTS.values(), submission(desk)))
    assert codes == ["fact_form"] * len(NOT_FACTS)
    assert county.one("SELECT count(*) FROM hub_case") == 1


def cyclic() -> bytes:
    """A map that contains itself, by shared references."""
    return bytes.fromhex("d81ca1616100").replace(b"\x00", b"\xd8\x1d\x00")


@pytest.mark.parametrize("body", [
    b"", b"\xff", cbor2.dumps([1]), cbor2.dumps({1: 2}), cyclic(), bytes.fromhex("a16161c48221196ab3"),
    bytes.fromhex("a16161fb7ff8000000000000"), b"\x81" * 5000 + b"\x00", cbor2.dumps({"a": "x" * 70_000}),
    bytes.fromhex("a26161016161 02".replace(" ", "")), bytes.fromhex("a1616178ff"), bytes.fromhex("a16161d9010280"),
    bytes.fromhex("a16161d82376285b612b292b24"),
])  # fmt: skip
def test_a_body_in_any_shape_is_refused_and_never_crashes(peer: Peer, county: County, body: bytes) -> None:
    desk = Desk(county, epoch=peer.epoch)
    wire = submission(desk).to_wire()
    wire[10] = body
    assert refused(county, peer.push_facts(wire)) in (["fact_form"], ["officer_signature"])
    assert county.one("SELECT count(*) FROM hub_case") == 0


WRONG: dict[str, list[Any]] = {
    "case_id": [None, b"", bytes(16), "x", 5],
    "service": ["", "nothing", 5, None, "../x", MARKUP, "resident_pension_claim"],
    "service_version": [0, -1, 2**63, "1", None, True],
    "pack": ["", None, "x" * 65, 7],
    "person_id": [bytes(16), b"x", "x", 0],
    "person_name": ["x" * 61, 5, "甲\x00", MARKUP, "\u202e"],
    "township": ["", "330683101", "county", "node:0100-1", None, 330683100, "33068310X"],
    "receipt_no": ["", "x", "0100-1-26-000001-0", "0101-1-26-000001-3", "0100-1-26-999999-9", "٠" * 18, None, 5],
    "answers": [None, [], {}, {"name": 5}, {5: "x"}, {"name": "x" * 30_000}, {"grade": "-1"}, {"id_number": "\x00"}],
    "materials": [None, {}, ["x"] * 2, [5], ["x" * 5000], ["../../etc"], "id_card"],
    "new_person": [None, 5, {"id": 5}],
    "findings": ["x", 5, [{"x": 1}]],
    "mode": [None, "S", 5],
    "legal": [None, "final", 5],
}


def test_a_submission_wrong_in_any_part_is_refused_in_words_or_worked_on_without_it(
    peer: Peer, county: County, browse: Browse
) -> None:
    """Well signed, and still not believed; nothing of it crashes the intake or a page."""
    desk = Desk(county, epoch=peer.epoch)
    facts = [submission(desk, **{part: value}) for part, values in WRONG.items() for value in values]
    codes = refused(county, peer.push_facts(*facts))
    assert "intake_failed" not in codes and len(codes) > 40
    browser = browse(county.hub, ALL_FOUR)
    browser.client.application.testing = False
    for path in ("/", "/review", "/refusals", "/stations", *(f"/review/{row[0].hex()}?all=1" for row in
                 county.rows("SELECT id FROM hub_case"))):  # fmt: skip
        answer = browser.get(path)
        assert answer.status_code == 200, path
        require_words(answer, path)


@pytest.mark.parametrize("field", ["name", "id_number", "grade", "start_month"])
def test_hostile_answers_of_a_station_are_findings_at_the_hub_and_open_as_text(
    peer: Peer, county: County, browse: Browse, field: str
) -> None:
    desk = Desk(county, epoch=peer.epoch)
    kinds = ("a hundred thousand bytes", "markup", "nul", "right to left", "huge number", "no date", "placeholders")
    texts = [TEXTS[kind].decode()[:3000] for kind in kinds]
    facts = [submission(desk, answers=newcomer(**{field: text})) for text in texts]
    assert "intake_failed" not in refused(county, peer.push_facts(*facts))
    browser = browse(county.hub, ACCEPT)
    browser.client.application.testing = False
    for (case_id,) in county.rows("SELECT id FROM hub_case"):
        answer = browser.get(f"/review/{case_id.hex()}?all=1")
        assert answer.status_code == 200
        require_words(answer, field)
        require_words(browser.post(f"/cases/{case_id.hex()}/decide", {"decision": "agree"}), field)


def test_other_stations_cases_cannot_be_touched(peer: Peer, county: County, desk: Desk, other_desk: Desk) -> None:
    county.add_pensioner_to_be("过水根", "19661106", village=OTHER_VILLAGE)
    theirs = other_desk.submit(CLAIM, "过水根")
    before = county.rows("SELECT * FROM hub_case"), county.rows("SELECT * FROM case_step")
    facts = [
        desk.fact("case_withdrawn", theirs, {"case_id": theirs, "reason": "x"}),
        desk.fact("case_resubmitted", theirs, {"case_id": theirs, "answers": {}, "materials": []}),
        submission(desk, person_id=county.persons["过水根"]),
        desk.fact("case_withdrawn", bytes(16), {"case_id": bytes(16), "reason": "x"}),
    ]
    body = desk.body(ENROLMENT, None, given=newcomer()) | {"case_id": theirs}
    facts.append(desk.fact("case_submitted", theirs, body))
    assert refused(county, peer.push_facts(*facts)) == ["station", "station", "slice", "unknown_subject", "duplicate"]
    assert (county.rows("SELECT * FROM hub_case"), county.rows("SELECT * FROM case_step")) == before


def test_an_officer_changes_no_other_officers_key(peer: Peer, county: County, desk: Desk) -> None:
    before = county.rows("SELECT * FROM officer")
    blob = bytes(100)
    facts = [
        desk.fact("officer_key_changed", bytes(16), {"operator_no": ACCEPT, "wrapped_key": blob}),
        desk.fact("officer_key_changed", bytes(16), {"operator_no": CLERK, "wrapped_key": b"short"}),
        desk.fact("officer_key_changed", bytes(16), {"operator_no": CLERK, "wrapped_key": bytes(5000)}),
    ]
    assert refused(county, peer.push_facts(*facts)) == ["not_allowed", "body", "body"]
    assert county.rows("SELECT * FROM officer") == before


def test_a_withdrawal_with_a_reason_no_station_would_take_back_is_refused(
    peer: Peer, county: County, desk: Desk
) -> None:
    """The reason is published to the station: with a NUL in it, it would refuse the page and all that follow."""
    mine = submission(desk)
    gone = desk.fact("case_withdrawn", mine.subject, {"case_id": mine.subject, "reason": "甲\x00"})
    assert refused(county, peer.push_facts(mine, gone)) == ["unfit"]
    assert county.rows("SELECT state FROM case_state") == [("submitted",)]


@pytest.mark.parametrize(("changes", "status"), [
    ({"node": OTHER_STATION}, 400), ({"to": "x"}, 400), ({"epoch": bytes(16)}, 400), ({"dir": "pull"}, 400),
    ({"n": 2}, 400), ({"items": 2}, 400), ({"schema": 99}, 400), ({"more": True}, 400),
    ({"upto": MAX_STEP + 2}, 400), ({"slice": "county"}, 400), ({"chan": "ref"}, 400), ({"prev": b"\1" * 32}, 423),
])  # fmt: skip
def test_a_frame_that_says_what_it_is_not_writes_no_case(
    peer: Peer, county: County, desk: Desk, changes: dict[str, Any], status: int
) -> None:
    data = peer.frame({"facts": [submission(desk).to_wire()]}, 1, **changes)
    before = rows(county.store, GREETED, "refusal")
    assert peer.push(data, peer.token()).status_code == status
    assert rows(county.store, GREETED, "refusal") == before


def test_requests_of_every_kind_to_the_stations_address_are_answered_with_a_code(peer: Peer, county: County) -> None:
    token = peer.token()
    before = rows(county.store)
    epoch = peer.epoch.hex()
    chunk = f"/s1/chunk/{STATION}/{epoch}"
    paths = [
        "/s1/", "/s1/hello/x", "/s1/chunk", "/s1/enrol", f"{chunk}/evt/{'9' * 40}", f"/s1/chunk/{STATION}/zz/evt/1",
        f"{chunk}/ref/1", f"{chunk}/evt/-1", f"{chunk}/evt/²", "/s1/feed/county", "/s1/%2e%2e/hub.db",
        "/s1/feed/330683101?chan=ref&after=0&max=1", f"/s1/feed/county?chan=ref&after={'9' * 30}&max=1",
        "/s1/feed/%00?chan=%00&after=%00&max=%00", "/s1/digest/county", "/s1/digest/%00?mine=%00&at=0",
    ]  # fmt: skip
    for path in paths:
        for method in ("GET", "POST", "PUT", "DELETE", "PATCH"):
            for bearer in (token, "", token[:-1], "x" * 5000, "a.b.c.d", "é"):
                answer = peer.send(method, path, b"\x00\xff", bearer)
                assert 400 <= answer.status_code < 500, (method, path, answer.status_code)
                assert "Traceback" not in answer.text
    assert rows(county.store) == before


def test_bodies_beyond_every_limit_are_refused_unread(peer: Peer, county: County) -> None:
    before = rows(county.store)
    for path in ("/s1/hello", "/s1/enrol", f"/s1/chunk/{STATION}/{peer.epoch.hex()}/evt/1"):
        answer = peer.send("PUT" if "chunk" in path else "POST", path, bytes(700 * 1024))
        assert answer.status_code in (401, 403, 413)
    assert rows(county.store) == before


def test_an_enrolment_with_a_code_that_is_wrong_used_or_expired_gets_no_certificate(
    peer: Peer, county: County, clock: FixedClock
) -> None:
    key = Ed25519PrivateKey.generate()

    def ask(code: str, node: str = OTHER_STATION, epoch: bytes = bytes(16)) -> Any:
        request = enrolment.make_request(key, node=node, code=code, site_id=bytes(16), epoch=epoch)
        return peer.send("POST", "/s1/enrol", request)

    code = enrolment.new_code(clock.today())
    with county.store.write() as db:
        hashed = {"enrol_code_hash": enrolment.hash_code(code)}
        database.update(db, "node_record", {"id": OTHER_STATION}, hashed)
    before = rows(county.store)
    wrong = enrolment.new_code(clock.today())
    rubbish = peer.send("POST", "/s1/enrol", os.urandom(300))
    for answer, said in (
        (ask(wrong), "enrol_code"), (ask("x" * 3000), "enrol_code"), (ask(""), "enrol_code"),
        (ask(code, "0999-1"), "enrol_unknown"), (ask(code, STATION), "enrol_code"), (rubbish, "enrol_malformed"),
    ):  # fmt: skip
        assert (answer.status_code, answer.get_json()["code"]) == (403, said)
    clock.advance(days=1)
    assert ask(code).get_json()["code"] == "enrol_expired"
    assert rows(county.store) == before
    clock.advance(days=-1)
    assert ask(code).status_code == 200
    assert ask(code, epoch=os.urandom(16)).get_json()["code"] == "enrol_used"


def test_what_was_refused_is_kept_with_its_reason_for_both_languages(peer: Peer, county: County, desk: Desk) -> None:
    refused(county, peer.push_facts(submission(desk, receipt_no="0100-1-26-999999-9")))
    kept = county.rows("SELECT code, reason, length(content) > 100 FROM refusal")
    assert kept[0][0] in ("receipt_no", "receipt_block") and kept[0][2] == 1
    assert any("\u4e00" <= c <= "\u9fff" for c in kept[0][1])


def test_the_same_receipt_number_and_the_same_case_make_no_second_case(peer: Peer, county: County, desk: Desk) -> None:
    first = submission(desk)
    again = submission(desk, case_id=ids.new_id(), receipt_no=first.body["receipt_no"])
    moved = replace(again, seq=again.seq, stated_at=stamp(county.hub.clock.now())).signed(county.keys[CLERK])
    assert refused(county, peer.push_facts(first, moved)) == ["receipt_twice"]
    assert county.one("SELECT count(*) FROM hub_case") == 1
