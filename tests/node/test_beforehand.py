# SPDX-License-Identifier: Apache-2.0
"""What an unsent case will meet at the hub is said before it is sent; nothing is barred by it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from node import beforehand, cases
from node.cases import Submitted
from node.station import Station
from schema import database, elsewhere, ids
from schema.web.door import Officer
from tests.node.conftest import ENROLMENT, PAPERS, Counter, number_of

KEY = bytes(range(32))
STRANGER = number_of("33068319880808123")
NEW = ENROLMENT | {"name": "邢秀英", "id_number": STRANGER, "phone": "", "holder": "邢秀英"}
ITEM = "resident_pension_enrolment"
Enrol = Callable[..., Submitted]
Person = Callable[[str], bytes]


@pytest.fixture
def digest(station: Station) -> None:
    """The hub said: this number is known in 长乐镇."""
    bucket, rest = elsewhere.place(KEY, STRANGER)
    rows = {elsewhere.KEY_BUCKET: elsewhere.pack_key(KEY, ["330683101"]), bucket: elsewhere.pack([(rest, 0)])}
    with station.store.write() as db:
        for number, entries in rows.items():
            database.insert(db, "elsewhere", {"bucket": number, "entries": entries, "rev": 1})
        place = {"code": "330683101", "name": "长乐镇", "name_en": "Changle", "level": "township", "rev": 1}
        database.insert(db, "division", place)


def case_state(station: Station, person_id: bytes, **more: Any) -> None:
    row = {"case_id": ids.new_id(), "person_id": person_id, "station": "0100-2", "service": ITEM, "rev": 1}
    row |= {"receipt_no": "0100-2-26-000007-1", "state": "accepted", "received_at": "2026-11-20T02:00:00.000Z"}
    with station.store.write() as db:
        database.insert(db, "case_state", row | more)


def said(station: Station, case_id: bytes) -> list[str]:
    with station.store.read() as db:
        return sorted(one.code for one in beforehand.of_case(db, station.desk, case_id))


def test_a_search_that_finds_nobody_says_where_the_number_is_known_and_what_to_do(
    counter: Counter, digest: None
) -> None:
    for htmx in ({"HX-Request": "true"}, {}):
        page = counter.post("/search", {"q": STRANGER}, headers=htmx).text
        assert "可能在长乐镇已有登记" in page and "中心会核对、合并" in page
    other = counter.post("/search", {"q": number_of("33068319880808125")}).text
    assert "已有登记" not in other and "不等于全县没有" in other


def test_the_form_of_a_new_person_says_it_and_suggests_who_is_alike(
    counter: Counter, station: Station, digest: None
) -> None:
    counter.get(f"/items/{ITEM}?new=1")
    draft = f"/drafts/{ids.new_id().hex()}"
    page = counter.post(f"{draft}/auto", NEW | {"service": ITEM}).text
    assert "可能在长乐镇已有登记" in page and "不影响办理" in page
    near = counter.post(f"{draft}/auto", NEW | {"service": ITEM, "phone": "13857582064"}).text
    assert "手机号相同" in near and "张建国" in near


def test_it_bars_nothing(counter: Counter, station: Station, digest: None) -> None:
    counter.get(f"/items/{ITEM}?new=1")
    form = NEW | {"service": ITEM, "materials": PAPERS, "do": "submit"}
    answer = counter.post(f"/drafts/{ids.new_id().hex()}", form)
    assert answer.status_code == 302 and "/slip" in answer.headers["Location"]
    assert "可能在长乐镇已有登记" in counter.get("/unsent").text


def test_what_the_register_learned_since_is_told_in_the_unsent_list(
    counter: Counter, station: Station, person: Person, enrol: Enrol
) -> None:
    done = enrol()
    assert said(station, done.case_id) == []
    assert "报上去可能遇到的" not in counter.get("/unsent").text
    row = {"person_id": person("陈桂英"), "insurance": "resident_pension", "state": "active", "began_month": "2026-11"}
    with station.store.write() as db:
        database.insert(db, "enrolment", {"id": ids.new_id(), "grade_fen": 0, "rev": 9} | row)
    assert said(station, done.case_id)
    assert "报上去可能遇到的" in counter.get("/unsent").text


def test_another_open_case_for_the_same_item_and_a_later_decision_are_told(
    station: Station, person: Person, clerk: Any
) -> None:
    case_id, item = ids.new_id(), station.desk.service(ITEM)
    cases.save(station.desk, case_id, item, cases.trim(item, ENROLMENT, PAPERS), clerk[0], person("陈桂英"))
    assert said(station, case_id) == []
    case_state(station, person("陈桂英"))
    assert "open_elsewhere" in said(station, case_id)
    decided = {"state": "effective", "decided_at": "2099-01-01T00:00:00.000Z", "receipt_no": "0100-2-26-000008-9"}
    case_state(station, person("陈桂英"), **decided)
    assert "decided_since" in said(station, case_id)


def test_what_was_done_on_the_spot_does_not_meet_its_own_change(
    station: Station, person: Person, clerk: tuple[Officer, Ed25519PrivateKey]
) -> None:
    item, case_id = station.desk.service("personal_data_change"), ids.new_id()
    given = cases.trim(item, {"phone": "13857582046"}, ["id_card"])
    cases.save(station.desk, case_id, item, given, clerk[0], person("张建国"))
    done = cases.submit(station.desk, case_id, *clerk)
    assert done.receipt_no, done.findings
    assert said(station, case_id) == []
