# SPDX-License-Identifier: Apache-2.0
"""The view of a person, read from real databases of both sides."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from schema import checks, database, effects, ids, view
from schema.database import Store
from schema.effects import CaseInput
from schema.tables import TABLES
from tests.schema import domain

TODAY = date(2026, 11, 25)
PERSON_ID = domain.PERSON_ID
OTHER_ID = b"person-0000-0002"
FILLED = {"int": 0, "text": "x", "id": b"i" * 16, "blob": b"x"}


def put(db: Any, table: str, **given: Any) -> None:
    """A row with everything required filled in."""
    made = {c.name: FILLED[c.type] for c in TABLES[table].columns if c.required or c.name in TABLES[table].key}
    database.insert(db, table, made | given)


@pytest.fixture(params=["node", "hub"])
def store(request: pytest.FixtureRequest, make_store: Callable[..., Store]) -> Store:
    made = make_store(request.param)
    with made.write() as db:
        for key, person in ((PERSON_ID, "330683198111030429"), (OTHER_ID, "330623197005150020")):
            put(db, "person", id=key, id_number=person, name="陈桂英", birth_on="1981-11-03", sex="2", life_status="1")
        db.execute("UPDATE person SET id_number_15 = '330623700515002' WHERE id = ?", (OTHER_ID,))
        put(db, "contact", id=PERSON_ID, phone="13857582046")
        put(db, "account", person_id=PERSON_ID, insurance="resident_pension", balance_fen=5)
        put(db, "account", person_id=PERSON_ID, insurance="employee_pension", balance_fen=7)
        for n, owner in enumerate((PERSON_ID, PERSON_ID, OTHER_ID)):
            put(
                db,
                "enrolment",
                id=bytes([n]) * 16,
                person_id=owner,
                insurance="resident_pension",
                state="active",
                began_month=f"202{9 - n}-01",
            )
        put(db, "benefit", id=b"b" * 16, person_id=PERSON_ID, kind="resident_pension", state="suspended")
        put(db, "bank_account", person_id=PERSON_ID, holder="陈桂英")
        put(db, "employment", id=b"e" * 16, person_id=PERSON_ID)
        put(db, "officer_key", operator_no="3012", valid_from="2026", name="王丽萍")
    return made


def put_case(store: Store, case_id: bytes, person_id: bytes | None, state: str = "submitted", **answers: str) -> None:
    """A case of Wang Liping's; the higher the first byte of its id, the earlier it was submitted."""
    table, by, at = (
        ("hub_case", "submitted_by", "stated_at")
        if store.side == "hub"
        else ("case_file", "operator_no", "submitted_at")
    )
    row = {by: "3012", at: f"2026-11-25T01:{59 - case_id[0]:02d}:00.000Z", "answers": json.dumps(answers)}
    with store.write() as db:
        put(db, table, id=case_id, person_id=person_id, service="resident_pension_enrolment", state=state,
            receipt_no=f"0100-1-26-{case_id[0]:06d}-3", **row)  # fmt: skip


def seen(store: Store, **more: Any) -> view.PersonView:
    with store.read() as db:
        found = view.person_view(db, PERSON_ID, TODAY, **more)
    assert found is not None
    return found


def test_a_person_is_seen_whole_and_alone(store: Store) -> None:
    found = seen(store)
    assert found.known and found.person_id == PERSON_ID and found.age == 45
    assert found.contact["phone"] == "13857582046"
    assert [e["began_month"] for e in found.enrolments] == ["2028-01", "2029-01"]
    assert found.account["balance_fen"] == 5
    assert [b["state"] for b in found.drawing("resident_pension")] == ["suspended"]
    assert found.bank_account["holder"] == "陈桂英" and len(found.employments) == 1
    assert found.at_hub is (store.side == "hub")


def test_rows_come_without_revision_and_with_every_other_column(store: Store) -> None:
    found = seen(store)
    assert set(found.person) == set(TABLES["person"].names) - {"rev"}
    assert set(found.enrolments[0]) == set(TABLES["enrolment"].names) - {"rev"}


def test_nobody_is_no_view(store: Store) -> None:
    with store.read() as db:
        assert view.person_view(db, b"n" * 16, TODAY) is None


def test_open_cases_are_those_still_undecided_and_not_the_case_itself(store: Store) -> None:
    put_case(store, b"1" * 16, PERSON_ID)
    put_case(store, b"2" * 16, PERSON_ID, "returned")
    put_case(store, b"3" * 16, PERSON_ID, "effective")
    put_case(store, b"4" * 16, PERSON_ID, "rejected")
    put_case(store, b"5" * 16, PERSON_ID, "draft")
    put_case(store, b"6" * 16, OTHER_ID)
    found = seen(store, except_case=b"2" * 16)
    assert [(c["id"], c["officer"]) for c in found.open_cases] == [(b"1" * 16, "王丽萍")]
    assert [c["id"] for c in seen(store).open_cases] == [b"2" * 16, b"1" * 16]


def test_a_station_also_sees_open_cases_taken_elsewhere(make_store: Callable[..., Store]) -> None:
    store = make_store("node", "elsewhere")
    with store.write() as db:
        put(db, "person", id=PERSON_ID, birth_on="1981-11-03")
        for key, state in ((b"1" * 16, "accepted"), (b"2" * 16, "paid")):
            put(db, "case_state", case_id=key, person_id=PERSON_ID, service="personal_data_change", state=state,
                received_at="2026-11-25T01:30:00.000Z")  # fmt: skip
    put_case(store, b"1" * 16, PERSON_ID)
    assert [c["id"] for c in seen(store).open_cases] == [b"1" * 16]
    put_case(store, b"3" * 16, PERSON_ID, "withdrawn")
    assert len(seen(store).open_cases) == 1


def test_somebody_new_taken_twice_is_noticed_by_the_id_number(store: Store) -> None:
    put_case(store, b"1" * 16, None, id_number="110105 19491231 002x")
    put_case(store, b"2" * 16, None, id_number="not a number")
    put_case(store, b"3" * 16, PERSON_ID, id_number="11010519491231002X")
    with store.read() as db:
        same = view.unknown_person_view(db, TODAY, {"id_number": "11010519491231002X"})
        none = view.unknown_person_view(db, TODAY, {"id_number": "not a number"})
        itself = view.unknown_person_view(db, TODAY, {"id_number": "11010519491231002X"}, except_case=b"1" * 16)
    assert [c["id"] for c in same.open_cases] == [b"1" * 16]
    assert (none.open_cases, itself.open_cases, same.known, same.person_id) == ([], [], False, None)


@pytest.mark.parametrize("typed", ["330623700515002", "330623197005150020", " 330623 19700515 0020 "])
def test_a_person_is_found_by_either_form_of_the_number(store: Store, typed: str) -> None:
    with store.read() as db:
        assert view.find_by_id_number(db, typed) == OTHER_ID


@pytest.mark.parametrize("typed", ["", "330683811103042", "abcdefghijklmno", "110105194912310020"])
def test_other_numbers_find_nobody_or_the_upgraded_one(store: Store, typed: str) -> None:
    with store.read() as db:
        assert view.find_by_id_number(db, typed) == (PERSON_ID if typed == "330683811103042" else None)


def test_the_view_tells_who_holds_a_number(store: Store) -> None:
    with store.read() as db:
        found = view.person_view(db, PERSON_ID, TODAY)
        assert found is not None
        assert found.holder_of("330623197005150020") == OTHER_ID
        assert found.holder_of("11010519491231002X") is None


def test_what_effects_change_can_be_written_to_the_hub(make_store: Callable[..., Store]) -> None:
    hub = make_store("hub", "written")
    data = domain.merged(domain.good("resident_pension_enrolment"), {"known": False})
    item = domain.services()[data["service"]]
    with hub.write() as db:
        person = view.unknown_person_view(db, TODAY, data["answers"])
        examined = checks.examine(item, data["answers"], data["materials"], person, TODAY, domain.parameters())
        case = CaseInput(domain.CASE_ID, None, examined.values, "0100-1", "330683100")
        for change in effects.changes(item, case, person, TODAY, domain.parameters()):
            row = change.row | ({"rev": 1} if TABLES[change.table].kind == "reference" else {})
            database.insert(db, change.table, row)
        written = view.person_view(db, ids.derived_id(domain.CASE_ID, "person"), TODAY)
        assert written is not None
        again = checks.examine(item, data["answers"], data["materials"], written, TODAY, domain.parameters())
    assert (written.person["name"], written.contact["phone"]) == ("陈桂英", "13857582046")
    assert [f.code for f in again.findings] == ["not_enrolled_yet"]
