# SPDX-License-Identifier: Apache-2.0
"""What is due, marks that can be undone until they are signed, photos that stand for one person, matching first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from node import cases, survival
from node.cases import Submitted
from node.station import Station
from node.survival import Seen
from schema import database, events, ids
from schema import survival as checks
from schema.clock import FixedClock
from schema.errors import Refusal, UnknownSubject
from schema.web.door import Officer
from tests.node.conftest import STATION

VILLAGE = "330683100203"
PHOTO = b"\xff\xd8\xff" + b"a face" * 100
Clerk = tuple[Officer, Ed25519PrivateKey]
Person = Callable[[str], bytes]


@pytest.fixture
def gang(person: Person) -> bytes:
    """郑俊刚 draws since 2016-04 and was never checked."""
    return person("郑俊刚")


def draw(db: Any, person_id: bytes, since: str) -> None:
    benefit = {"id": ids.new_id(), "person_id": person_id, "kind": "resident_pension", "state": "active", "rev": 1}
    amounts = {"basic_fen": 35_000, "account_fen": 0, "extra_fen": 0}
    database.insert(db, "benefit", benefit | amounts | {"from_month": since})


def checked(db: Any, person_id: bytes, on: str, found: int = 1) -> None:
    row = {"id": ids.new_id(), "person_id": person_id, "checked_on": on, "method": "face", "found": found, "rev": 1}
    by = {"station": STATION, "officer": "3012", "seen_at": f"{on}T01:00:00.000Z"}
    database.insert(db, "eligibility_check", row | by)


def facts(station: Station) -> list[events.Fact]:
    with station.store.read() as db:
        rows = db.execute("SELECT * FROM fact WHERE kind = 'eligibility_checked' ORDER BY seq").fetchall()
    return [events.from_row(row) for row in rows]


@pytest.mark.parametrize(
    ("last", "due_on", "state"),
    [
        (None, "2017-04-01", "overdue"),
        ("2025-11-22", "2026-11-22", "overdue"),
        ("2025-11-23", "2026-11-23", "due"),
        ("2026-01-22", "2027-01-22", "due"),
        ("2026-01-23", "2027-01-23", "seen"),
        ("2024-02-29", "2025-02-28", "overdue"),
    ],
)
def test_a_check_holds_for_twelve_rolling_months_from_the_last_time_seen(
    station: Station, gang: bytes, last: str | None, due_on: str, state: str
) -> None:
    with station.store.write() as db:
        if last:
            checked(db, gang, last)
        one = survival.person(db, station.desk, gang)
    assert (one.due_on, one.state) == (date.fromisoformat(due_on), state)


def test_not_found_is_no_check(station: Station, gang: bytes) -> None:
    with station.store.write() as db:
        checked(db, gang, "2026-11-01", found=0)
        assert survival.person(db, station.desk, gang).last_on is None


def test_whoever_draws_nothing_or_is_dead_is_not_asked_for(station: Station, gang: bytes, person: Person) -> None:
    with station.store.write() as db:
        with pytest.raises(UnknownSubject):
            survival.person(db, station.desk, person("张伟"))
        database.update(db, "person", {"id": gang}, {"life_status": "2"})
        assert survival.due(db, station.desk) == []


def test_villages_are_listed_with_the_most_overdue_first(station: Station, person: Person) -> None:
    with station.store.write() as db:
        draw(db, person("陈桂英"), "2026-10")
        draw(db, person("张俊格"), "2020-01")
        found = survival.villages(db, station.desk)
    assert [(v.name, v.drawing, v.overdue) for v in found] == [("东王村", 2, 2), ("施家岙村", 1, 0)]


def test_a_mark_is_no_fact_until_it_is_signed_and_then_carries_the_hash_of_its_photo(
    station: Station, gang: bytes, clerk: Clerk, clock: FixedClock
) -> None:
    with station.store.write() as db:
        one = survival.person(db, station.desk, gang)
        survival.mark(db, station.desk, one, Seen(True, "face", photo=PHOTO), clerk[0])
    assert facts(station) == []
    clock.advance(minutes=30)
    with station.store.write() as db:
        assert survival.sign(db, station.desk, VILLAGE, *clerk) == 1
        assert survival.sign(db, station.desk, VILLAGE, *clerk) == 0
    (fact,) = facts(station)
    assert fact.body["photo"] == sha256(PHOTO).digest() and fact.body["person_id"] == gang
    assert fact.body["seen_at"] == "2026-11-23T01:00:00.000Z" < fact.stated_at, "when it was seen, not when signed"
    with station.store.read() as db:
        waiting = db.execute("SELECT about, sha256, size FROM blob").fetchone()
        assert survival.person(db, station.desk, gang).state == "seen"
        assert db.execute("SELECT photo FROM survival_mark").fetchone()[0] is None, "the photo is kept once"
    assert tuple(waiting) == (fact.subject, fact.body["photo"], len(PHOTO))


def test_undo_takes_back_the_newest_mark_of_ones_own_and_never_a_signed_one(
    station: Station, gang: bytes, person: Person, clerk: Clerk, clock: FixedClock
) -> None:
    ge = person("张俊格")
    other = Officer("3007", "俞国平", ("clerk",), STATION, b"", b"")
    with station.store.write() as db:
        draw(db, ge, "2020-01")
        for person_id in (gang, ge):
            one = survival.person(db, station.desk, person_id)
            survival.mark(db, station.desk, one, Seen(True, "id_card"), clerk[0])
            clock.advance(seconds=20)
        assert survival.undo(db, VILLAGE, other) is None
        assert survival.undo(db, VILLAGE, clerk[0]) == ge
        survival.sign(db, station.desk, VILLAGE, *clerk)
        assert survival.undo(db, VILLAGE, clerk[0]) is None
    assert [f.body["person_id"] for f in facts(station)] == [gang]


def test_a_second_mark_of_the_same_person_replaces_the_first(station: Station, gang: bytes, clerk: Clerk) -> None:
    with station.store.write() as db:
        one = survival.person(db, station.desk, gang)
        survival.mark(db, station.desk, one, Seen(False, "visit", "away"), clerk[0])
        survival.mark(db, station.desk, one, Seen(True, "id_card"), clerk[0])
        survival.sign(db, station.desk, VILLAGE, *clerk)
    assert [(f.body["found"], f.body["method"]) for f in facts(station)] == [(1, "id_card")]


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        (Seen(True, "face"), "photo"),
        (Seen(True, "telepathy"), "method"),
        (Seen(True, "face", photo=b"GIF89a"), "blob_type"),
        (Seen(True, "face", photo=PHOTO, media_type="image/svg+xml"), "blob_type"),
    ],
)
def test_what_is_no_proof_is_refused(station: Station, gang: bytes, clerk: Clerk, seen: Seen, code: str) -> None:
    with station.store.write() as db, pytest.raises(Refusal) as refused:
        survival.mark(db, station.desk, survival.person(db, station.desk, gang), seen, clerk[0])
    assert refused.value.code == code


@pytest.mark.parametrize("where", ["today", "hub"])
def test_one_photo_stands_for_one_person(
    station: Station, gang: bytes, person: Person, clerk: Clerk, where: str
) -> None:
    ge = person("张俊格")
    with station.store.write() as db:
        draw(db, ge, "2020-01")
        if where == "today":
            one = survival.person(db, station.desk, ge)
            survival.mark(db, station.desk, one, Seen(True, "face", photo=PHOTO), clerk[0])
        else:
            checked(db, ge, "2026-05-01")
            db.execute("UPDATE eligibility_check SET photo = ?", (sha256(PHOTO).digest(),))
        with pytest.raises(Refusal, match="somebody else"):
            survival.mark(
                db, station.desk, survival.person(db, station.desk, gang), Seen(True, "face", photo=PHOTO), clerk[0]
            )


def test_who_came_to_the_counter_is_checked_by_matching_as_of_that_day(
    station: Station, enrol: Callable[..., Submitted], person: Person, clerk: Clerk, clock: FixedClock
) -> None:
    number = enrol().receipt_no
    clock.advance(days=40)
    chen = person("陈桂英")
    with station.store.write() as db:
        draw(db, chen, "2020-01")
        (trace,) = survival.traces(db, station.desk)
        assert (trace.what, trace.number, trace.person.person_id) == ("case", number, chen)
        assert survival.accept(db, station.desk, [chen, person("郑俊刚")], *clerk) == 1
        assert survival.traces(db, station.desk) == []
        assert survival.person(db, station.desk, chen).last_on == date(2026, 11, 23)
    (fact,) = facts(station)
    assert (fact.body["method"], fact.body["checked_on"]) == (checks.MATCHING, "2026-11-23")


def test_an_old_trace_proves_nothing(
    station: Station, enrol: Callable[..., Submitted], person: Person, clock: FixedClock
) -> None:
    enrol()
    clock.advance(days=400)
    with station.store.write() as db:
        draw(db, person("陈桂英"), "2020-01")
        assert survival.traces(db, station.desk) == []


def test_an_overdue_check_is_proposed_as_a_draft_that_stops_nothing(
    station: Station, gang: bytes, person: Person, clerk: Clerk
) -> None:
    chen = person("陈桂英")
    with station.store.write() as db:
        draw(db, chen, "2026-10")
    assert survival.propose(station.desk, [gang, chen], clerk[0]) == 1
    assert survival.propose(station.desk, [gang], clerk[0]) == 0, "one is under way already"
    with station.store.read() as db:
        drafts = db.execute("SELECT person_id, service, state, answers, receipt_no FROM case_file").fetchall()
        assert db.execute("SELECT state FROM benefit WHERE person_id = ?", (gang,)).fetchone()[0] == "active"
        assert db.execute("SELECT count(*) FROM fact").fetchone()[0] == 0
    ((whom, service, state, answers, number),) = drafts
    assert (whom, service, state, number) == (gang, "benefit_pause", "draft", None)
    assert '"reason":"no_check"' in answers and '"from_month":"2026-12"' in answers and "逾期" in answers


def test_the_draft_of_a_pause_can_be_submitted_as_it_is(station: Station, gang: bytes, clerk: Clerk) -> None:
    survival.propose(station.desk, [gang], clerk[0])
    with station.store.read() as db:
        case_id = db.execute("SELECT id FROM case_file").fetchone()[0]
    done = cases.submit(station.desk, case_id, *clerk)
    assert done.receipt_no and [f.code for f in done.findings if f.severity == "block"] == []
