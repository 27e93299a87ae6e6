# SPDX-License-Identifier: Apache-2.0
"""Jobs, training, cards and complaints at the hub: what is placed, counted, kept from others' eyes."""

from __future__ import annotations

from hub import officers, queue
from schema import ids
from schema.effects_work import vacancy_id
from schema.web.door import Officer
from sync.hub import publish
from tests.hub.county import ACCEPT, REVIEW, TOWNSHIP, Browse, County, Desk
from tests.hub.deciding import address, decide, state

COMPLAINT = {
    "anonymous": "yes", "unit_name": "某服装厂", "matter": "wages", "happened_on": "2026-10-31",
    "facts": "两个月没有发工资",
}  # fmt: skip
JOB = {
    "name": "永顺电机厂", "uscc": "91330683MA2XXXXX09", "asked_for": "王经理", "employer_phone": "0575-83012345",
    "job": "motor_assembly", "job_title": "装配工", "places": "2", "wage_from_yuan": "5000",
}  # fmt: skip


def put_class(county: County, seats: int, taken: int) -> bytes:
    class_id = ids.new_id()
    with publish.transaction(county.store) as pub:
        pub.put("training_class", {
            "id": class_id, "course": "养老护理员", "place": "培训中心", "township": TOWNSHIP,
            "begins_on": "2026-12-10", "ends_on": "2026-12-25", "sign_up_until": "2026-12-05", "hours": 80,
            "seats": seats, "seats_taken": taken, "state": "open",
        })  # fmt: skip
    return class_id


def officer(roles: str) -> Officer:
    return Officer("2999", "某人", tuple(roles.split()), "", b"", b"")


def test_a_vacancy_is_placed_before_its_cells_arrive(county: County, desk: Desk) -> None:
    case_id = desk.submit("vacancy_registration", None, given=JOB)
    placed = county.rows("SELECT slice, granted FROM slice_member WHERE person_id = ?", vacancy_id(case_id))
    assert placed == [(TOWNSHIP, "vacancy")]
    assert state(county, case_id)[0] == "effective"
    assert county.rows("SELECT * FROM vacancy") == [], "its cells are the station's to send"


def test_unemployment_begins_on_the_day_the_hub_receives_it(county: County, desk: Desk) -> None:
    county.add_person("周建根", "19800101")
    given = {"left_on": "2026-11-10", "reason": "contract_end", "wants_work": "no"}
    case_id = desk.submit("unemployment_registration", "周建根", given=given, stated_at="2026-11-20T01:00:00.000Z")
    assert state(county, case_id)[0] == "effective"
    today = county.hub.clock.today().isoformat()
    assert county.rows("SELECT registered_on, left_on FROM unemployment_spell") == [(today, "2026-11-10")]


def test_of_two_who_want_the_last_seat_the_first_accepted_gets_it(county: County, desk: Desk) -> None:
    class_id = put_class(county, 30, 29)
    cases = []
    for name, birth in (("周建根", "19800101"), ("周建水", "19810101")):
        county.add_person(name, birth)
        cases.append(desk.submit("training_enrolment", name, given={"training_class": ids.to_text(class_id)}))
    for case_id in cases:
        decide(county, case_id, ACCEPT)
    seats = dict(county.rows("SELECT person_id, state FROM training_seat"))
    assert seats == {county.persons["周建根"]: "enrolled", county.persons["周建水"]: "waiting"}
    assert county.rows("SELECT seats_taken FROM training_class") == [(30,)]


def test_a_complaint_waits_for_labour_inspection_alone(county: County, desk: Desk) -> None:
    case_id = desk.submit("complaint_report", None, given=COMPLAINT)
    with county.store.read() as db:
        waiting = {roles: queue.count(db, officer(roles)) for roles in ("accept", "review", "accept labour")}
    assert waiting == {"accept": 0, "review": 0, "accept labour": 1}
    assert county.rows("SELECT person_id, person_name FROM hub_case WHERE id = ?", case_id) == [(None, None)]
    assert county.rows("SELECT person_id FROM case_state WHERE case_id = ?", case_id) == [(None,)]


def test_nobody_else_opens_or_decides_a_complaint(county: County, desk: Desk, browse: Browse) -> None:
    case_id = desk.submit("complaint_report", None, given=COMPLAINT)
    stranger = browse(county.hub, ACCEPT)
    for answer in (stranger.get(address(case_id)), stranger.post(address(case_id, "/decide"), {"decision": "agree"})):
        assert answer.status_code == 403
        assert "某服装厂" not in answer.text and "劳动监察" in answer.text
    officers.set_roles(county.store, REVIEW, ("accept", "labour"))
    assert "某服装厂" in browse(county.hub, REVIEW).get(address(case_id)).text


def test_a_lost_card_is_in_effect_when_the_hub_has_accepted_it(county: County, desk: Desk) -> None:
    county.add_person("周建根", "19800101")
    case_id = desk.submit("card_loss", "周建根", given={"card_no": "A00123456", "reason": "lost"})
    assert county.rows("SELECT * FROM card") == []
    decide(county, case_id, ACCEPT)
    assert county.rows("SELECT card_no, state FROM card") == [("A00123456", "lost")]


