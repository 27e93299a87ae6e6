# SPDX-License-Identifier: Apache-2.0
"""A case at the counter: taken once, with one number, all of it or nothing, and then in the state it is really in."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from node import case_state, cases, contacts, receipts
from node.cases import Given, Submitted
from node.station import Station
from schema import database, events, ids
from schema.errors import NotAllowed, OutOfNumbers, UnknownSubject, WrongState
from schema.web.door import Officer
from tests.node.conftest import ENROLMENT, PAPERS, STATION, number_of

Enrol = Callable[..., Submitted]
Person = Callable[[str], bytes]
Clerk = tuple[Officer, Ed25519PrivateKey]

COLLEAGUE = Officer("3007", "俞国平", ("clerk",), STATION, b"", b"")
CHANGE = "personal_data_change"


def take(
    station: Station, clerk: Clerk, service: str, person_id: bytes | None, answers: dict[str, str], *papers: str
) -> Submitted:
    """Save and submit one case."""
    case_id = ids.new_id()
    item = station.desk.service(service)
    cases.save(station.desk, case_id, item, cases.trim(item, answers, list(papers)), clerk[0], person_id)
    return cases.submit(station.desk, case_id, *clerk)


def shown(station: Station, case_id: bytes) -> str:
    with station.store.read() as db:
        return str(case_state.one(db, case_id)["state"])


def facts(station: Station, case_id: bytes) -> list[events.Fact]:
    with station.store.read() as db:
        return events.of_subject(db, case_id)


def hub_says(station: Station, case_id: bytes, state: str, kind: str = "", reason: str = "") -> None:
    """What an exchange brings: the fact, and the row that says where the case stands."""
    with station.store.write() as db:
        if kind:
            body = {"case_id": case_id, "reason": reason}
            fact = events.Fact(
                ids.new_id(), "hub", bytes(16), len(events.of_subject(db, case_id)) + 1, bytes(32), kind, 1, case_id,
                "2001", "2026-11-23T02:00:00.000Z", body, bytes(64), "2026-11-23T02:00:00.000Z",
            )  # fmt: skip
            events.store(db, fact)
            cases.receive(db, fact)
        row = {
            "case_id": case_id,
            "station": STATION,
            "service": "resident_pension_enrolment",
            "receipt_no": "0100-1-26-000401-9",
            "state": state,
            "received_at": "2026-11-23T02:00:00.000Z",
            "reason": reason,
            "rev": 2,
        }
        database.upsert(db, "case_state", row)


# Taking a case


def test_submitting_stores_number_row_and_signed_fact_together(station: Station, clerk: Clerk, enrol: Enrol) -> None:
    done = enrol()
    assert done.receipt_no == ids.receipt_no(STATION, 2026, 401)
    (fact,) = facts(station, done.case_id)
    fact.verify(clerk[0].public_key)
    assert (fact.kind, fact.origin, fact.subject, fact.officer) == ("case_submitted", STATION, done.case_id, "3012")
    assert fact.body["receipt_no"] == done.receipt_no and fact.body["answers"]["grade"] == "1000"
    with station.store.read() as db:
        row = cases.file(db, done.case_id)
    assert (row["state"], row["legal"], bytes(row["fact_id"])) == ("submitted", "provisional", fact.id)


def test_submitting_the_same_draft_again_gives_the_same_receipt_and_no_second_fact(
    station: Station, clerk: Clerk, enrol: Enrol
) -> None:
    done = enrol()
    again = cases.submit(station.desk, done.case_id, *clerk)
    assert again.receipt_no == done.receipt_no
    assert len(facts(station, done.case_id)) == 1
    with station.store.read() as db:
        assert receipts.left(db, STATION) == 499


def test_a_failure_while_signing_leaves_no_number_no_fact_no_phone(
    station: Station, person: Person, enrol: Enrol, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(events, "state", broken)
    case_id = ids.new_id()
    with pytest.raises(OSError):
        enrol(case_id, phone="13900000009")
    assert facts(station, case_id) == []
    with station.store.read() as db:
        assert receipts.left(db, STATION) == 500
        assert cases.file(db, case_id)["state"] == "draft"
        assert contacts.of(db, person("陈桂英"))["phone"] == "15857501162"


def test_all_findings_come_at_once_and_nothing_is_submitted(station: Station, enrol: Enrol) -> None:
    done = enrol(phone="1585750116", holder="陈贵英", grade="7")
    assert done.receipt_no is None
    assert {"phone", "holder", "grade"} <= {f.field for f in done.findings if f.severity == "block"}
    assert facts(station, done.case_id) == []


def test_used_up_numbers_keep_the_draft_and_say_what_to_do(station: Station, enrol: Enrol) -> None:
    with station.store.write() as db:
        db.execute("UPDATE receipt_block SET last = 400")
    case_id = ids.new_id()
    with pytest.raises(OutOfNumbers) as refused:
        enrol(case_id)
    assert "草稿已保存" in refused.value.zh
    assert shown(station, case_id) == "draft" and facts(station, case_id) == []


def test_a_change_of_phone_is_final_on_the_spot_and_in_use_at_once(
    station: Station, clerk: Clerk, person: Person
) -> None:
    done = take(
        station, clerk, CHANGE, person("张建国"), {"phone": "138 5758 2046", "address": "张家路 4 号"}, "id_card"
    )
    assert done.receipt_no, done.findings
    with station.store.read() as db:
        assert contacts.of(db, person("张建国"))["phone"] == "13857582046"
        assert cases.file(db, done.case_id)["legal"] == "final"
    assert facts(station, done.case_id)[0].body["mode"] == "S"


def test_a_change_of_name_is_received_only_and_the_register_stays(
    station: Station, clerk: Clerk, person: Person
) -> None:
    answers = {"phone": "13857582064", "address": "张家路 4 号", "new_name": "张建邦", "reason": "户口簿更正"}
    done = take(station, clerk, CHANGE, person("张建国"), answers, "id_card", "police_proof")
    assert done.receipt_no, done.findings
    with station.store.read() as db:
        assert cases.file(db, done.case_id)["legal"] == "received"
        assert db.execute("SELECT name FROM person WHERE id = ?", (person("张建国"),)).fetchone()[0] == "张建国"


def test_somebody_new_is_described_to_the_hub_and_not_written_into_the_register(station: Station, clerk: Clerk) -> None:
    number = number_of("33068319900101002")
    answers = ENROLMENT | {"name": "沈百根", "id_number": number, "holder": "沈百根"}
    done = take(station, clerk, "resident_pension_enrolment", None, answers, *PAPERS)
    assert done.receipt_no, done.findings
    body = facts(station, done.case_id)[0].body
    assert body["person_id"] is None and body["new_person"]["id_number"] == number
    with station.store.read() as db:
        assert db.execute("SELECT count(*) FROM person").fetchone()[0] == 7


def test_an_id_number_typed_by_hand_finds_the_person_in_the_register(
    station: Station, clerk: Clerk, person: Person
) -> None:
    done = take(station, clerk, "resident_pension_enrolment", None, ENROLMENT, *PAPERS)
    assert facts(station, done.case_id)[0].body["person_id"] == person("陈桂英")


# Drafts


def test_a_draft_keeps_only_what_the_item_asks_for_within_bounds(station: Station) -> None:
    item = station.desk.service("resident_pension_enrolment")
    given = cases.trim(item, {"name": "陈\x00桂\x1b英\ud800", "phone": "9" * 100_000, "evil": "x"}, ["id_card", "nope"])
    assert given.answers["name"] == "陈桂英"
    assert len(given.answers["phone"]) <= 1000
    assert set(given.answers) == {"name", "phone"} and given.materials == ["id_card"]


def test_hundred_thousand_characters_in_every_field_fit_into_a_fact(
    station: Station, clerk: Clerk, person: Person
) -> None:
    item = station.desk.service("resident_pension_enrolment")
    given = cases.trim(item, {f.name: '"<b>' * 25_000 for f in item.fields}, [])
    case_id = ids.new_id()
    cases.save(station.desk, case_id, item, given, clerk[0], person("陈桂英"))
    done = cases.submit(station.desk, case_id, *clerk)
    assert done.receipt_no is None and {"name", "phone", "address"} <= {f.field for f in done.findings}
    assert len(json.dumps(given.answers, ensure_ascii=False)) < 20_000


def test_another_officers_draft_cannot_be_opened_changed_submitted_or_discarded(
    station: Station, clerk: Clerk, person: Person
) -> None:
    item, case_id = station.desk.service(CHANGE), ids.new_id()
    cases.save(station.desk, case_id, item, Given({"phone": "13800000000"}, []), clerk[0], person("张建国"))
    with pytest.raises(NotAllowed):
        cases.save(station.desk, case_id, item, Given({}, []), COLLEAGUE, person("张建国"))
    with pytest.raises(NotAllowed):
        cases.submit(station.desk, case_id, COLLEAGUE, clerk[1])
    with pytest.raises(NotAllowed):
        cases.discard(station.desk, case_id, COLLEAGUE)
    with pytest.raises(NotAllowed), station.store.read() as db:
        cases.may_edit(db, case_id, COLLEAGUE)


def test_a_draft_can_be_discarded_and_a_submitted_case_cannot(station: Station, clerk: Clerk, enrol: Enrol) -> None:
    case_id = ids.new_id()
    cases.save(station.desk, case_id, station.desk.service(CHANGE), Given({}, []), clerk[0], None)
    cases.discard(station.desk, case_id, clerk[0])
    with pytest.raises(UnknownSubject), station.store.read() as db:
        cases.file(db, case_id)
    with pytest.raises(WrongState):
        cases.discard(station.desk, enrol().case_id, clerk[0])


def test_a_submitted_case_is_no_longer_changed(station: Station, clerk: Clerk, enrol: Enrol) -> None:
    done = enrol()
    item = station.desk.service("resident_pension_enrolment")
    with pytest.raises(WrongState):
        cases.save(station.desk, done.case_id, item, Given({"grade": "100"}, []), clerk[0], None)


def test_a_draft_of_one_item_is_not_saved_as_another(station: Station, clerk: Clerk) -> None:
    case_id = ids.new_id()
    cases.save(station.desk, case_id, station.desk.service(CHANGE), Given({}, []), clerk[0], None)
    with pytest.raises(WrongState):
        cases.save(station.desk, case_id, station.desk.service("resident_pension_claim"), Given({}, []), clerk[0], None)


# What the hub makes of it


def test_the_hubs_row_decides_the_state_shown(station: Station, enrol: Enrol) -> None:
    done = enrol()
    for state in ("accepted", "reviewed", "effective", "paid"):
        hub_says(station, done.case_id, state)
        assert shown(station, done.case_id) == state


def test_a_returned_case_is_corrected_by_any_clerk_under_the_same_number(
    station: Station, clerk: Clerk, enrol: Enrol
) -> None:
    done = enrol()
    hub_says(station, done.case_id, "returned", "case_returned", "缺户口簿")
    item = station.desk.service("resident_pension_enrolment")
    cases.save(
        station.desk, done.case_id, item, cases.trim(item, ENROLMENT | {"grade": "500"}, PAPERS), COLLEAGUE, None
    )
    again = cases.submit(station.desk, done.case_id, COLLEAGUE, clerk[1])
    assert again.receipt_no == done.receipt_no
    assert [f.kind for f in facts(station, done.case_id) if f.origin == STATION] == [
        "case_submitted",
        "case_resubmitted",
    ]
    assert (
        next(f for f in facts(station, done.case_id) if f.kind == "case_resubmitted").body["answers"]["grade"] == "500"
    )
    assert shown(station, done.case_id) == "submitted"


def test_a_correction_stays_submitted_until_the_hub_answers_and_can_be_returned_again(
    station: Station, clerk: Clerk, enrol: Enrol
) -> None:
    done = enrol()
    hub_says(station, done.case_id, "returned", "case_returned", "缺户口簿")
    assert cases.submit(station.desk, done.case_id, *clerk).receipt_no == done.receipt_no
    with station.store.write() as db:
        case_state.follow(db)
    assert shown(station, done.case_id) == "submitted"
    hub_says(station, done.case_id, "returned", "case_returned", "还缺存折")
    assert shown(station, done.case_id) == "returned"


def test_a_correction_does_not_undo_a_phone_that_somebody_changed_meanwhile(
    station: Station, clerk: Clerk, person: Person, enrol: Enrol
) -> None:
    done = enrol()
    with station.store.write() as db:
        contacts.change(db, person("陈桂英"), {"phone": "13911112222"}, "3007", station.clock)
    hub_says(station, done.case_id, "returned", "case_returned", "缺户口簿")
    cases.submit(station.desk, done.case_id, *clerk)
    with station.store.read() as db:
        assert contacts.of(db, person("陈桂英"))["phone"] == "13911112222"


def test_an_applicant_withdraws_before_the_decision_and_twice_is_once(
    station: Station, clerk: Clerk, enrol: Enrol
) -> None:
    done = enrol()
    hub_says(station, done.case_id, "accepted", "case_accepted")
    for _ in range(2):
        cases.withdraw(station.desk, done.case_id, "去外地了", *clerk)
    assert shown(station, done.case_id) == "withdrawn"
    own = [f for f in facts(station, done.case_id) if f.kind == "case_withdrawn"]
    assert [f.body["reason"] for f in own] == ["去外地了"]


@pytest.mark.parametrize("state", ["approved", "effective", "paid", "rejected"])
def test_a_decided_case_is_not_withdrawn(station: Station, clerk: Clerk, enrol: Enrol, state: str) -> None:
    done = enrol()
    hub_says(station, done.case_id, state)
    with pytest.raises(WrongState):
        cases.withdraw(station.desk, done.case_id, "不办了", *clerk)


def test_when_the_hub_decided_before_the_withdrawal_arrived_its_word_stands(
    station: Station, clerk: Clerk, enrol: Enrol
) -> None:
    done = enrol()
    cases.withdraw(station.desk, done.case_id, "不办了", *clerk)
    hub_says(station, done.case_id, "effective")
    assert shown(station, done.case_id) == "effective"


def test_a_case_in_effect_no_longer_stands_in_the_way_of_a_new_one(
    station: Station, clerk: Clerk, person: Person
) -> None:
    first = take(station, clerk, CHANGE, person("张伟"), {"phone": "13957580017"}, "id_card")
    blocked = take(station, clerk, CHANGE, person("张伟"), {"phone": "13957580018"}, "id_card")
    assert first.receipt_no and "no_open_case" in {f.code for f in blocked.findings}
    hub_says(station, first.case_id, "effective")
    with station.store.write() as db:
        assert case_state.follow(db) == 1
    assert take(station, clerk, CHANGE, person("张伟"), {"phone": "13957580018"}, "id_card").receipt_no


def test_facts_of_other_kinds_and_other_cases_change_nothing(station: Station, enrol: Enrol) -> None:
    done = enrol()
    hub_says(station, ids.new_id(), "returned", "case_returned")
    with station.store.read() as db:
        assert cases.file(db, done.case_id)["state"] == "submitted"


@pytest.mark.parametrize(
    ("change", "sent"),
    [
        ("", "unsent"),
        ("UPDATE fact SET received_at = '2026-11-23T03:00:00.000Z'", "acknowledged"),
        ("INSERT INTO outbox_frame (channel, n, hash, upto, items, built_at, sent_at) "
         "VALUES ('evt', 1, x'00', 9, 1, '', '2')", "sent"),
        ("INSERT INTO refusal (id, direction, peer, channel, frame_n, item, code, reason, at) "
         "SELECT randomblob(16), 'out', 'hub', 'evt', 1, lower(hex(id)), 'role', '', '' FROM fact", "returned"),
    ],
)  # fmt: skip
def test_how_far_a_case_is_on_its_way_is_known(station: Station, enrol: Enrol, change: str, sent: str) -> None:
    done = enrol()
    with station.store.write() as db:
        if change:
            db.execute(change)
        assert case_state.one(db, done.case_id)["sent"] == sent


# A person who moved away


def test_a_draft_of_somebody_who_moved_away_keeps_the_name_and_is_stopped_in_words(
    station: Station, person: Person, clerk: Clerk
) -> None:
    case_id, item, zhang = ids.new_id(), station.desk.service(CHANGE), person("张建国")
    given = cases.trim(item, {"phone": "13900000001"}, ["id_card"])
    cases.save(station.desk, case_id, item, given, clerk[0], zhang)
    with station.store.write() as db:
        db.execute("DELETE FROM person WHERE id = ?", (zhang,))

    cases.save(station.desk, case_id, item, given, clerk[0], zhang)
    done = cases.submit(station.desk, case_id, *clerk)

    assert "in_register" in [found.code for found in done.findings]
    with station.store.read() as db:
        kept = db.execute("SELECT person_name, state FROM case_file WHERE id = ?", (case_id,)).fetchone()
    assert tuple(kept) == ("张建国", "draft")
