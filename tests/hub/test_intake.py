# SPDX-License-Identifier: Apache-2.0
"""Facts of stations become cases, or are refused with a reason and leave nothing."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from hub import pack
from schema import ids
from schema.clock import FixedClock
from schema.errors import NotAllowed, Refusal, UnknownSubject, WrongState
from sync.hub import publish
from tests.hub.county import (
    ACCEPT,
    CHANGE,
    CLAIM,
    CLERK,
    ENROLMENT,
    OTHER_VILLAGE,
    STATION,
    County,
    Desk,
    id_number,
    newcomer,
)


def codes(county: County, case_id: bytes) -> list[str]:
    return [f["code"] for f in json.loads(county.one("SELECT findings FROM hub_case WHERE id = ?", case_id))]


def test_a_claim_waits_for_acceptance_and_its_station_is_told(county: County, desk: Desk) -> None:
    county.add_pensioner_to_be()
    case_id = desk.submit(CLAIM, "周建根")
    assert county.rows("SELECT state, step, round FROM hub_case WHERE id = ?", case_id) == [("submitted", "accept", 1)]
    told = county.rows("SELECT station, state, receipt_no, person_id FROM case_state WHERE case_id = ?", case_id)
    assert told == [(STATION, "submitted", "0100-1-26-000001-" + told[0][2][-1], county.persons["周建根"])]
    fed = county.rows("SELECT slice FROM slice_feed WHERE tbl = 'case_state' AND pk = ?", case_id)
    assert fed == [(f"node:{STATION}",)]


def test_the_legal_limit_runs_from_the_day_the_hub_received_it(county: County, desk: Desk) -> None:
    county.add_pensioner_to_be()
    case_id = desk.submit(CLAIM, "周建根", stated_at="2026-11-20T01:15:00.000Z")
    # 20 working days after Monday 2026-11-23.
    assert county.one("SELECT due_on FROM hub_case WHERE id = ?", case_id) == "2026-12-21"


def test_a_limit_that_the_law_counts_in_calendar_days_runs_through_weekends_and_holidays() -> None:
    item = pack.services()["labour_ability_appraisal"]  # 60 日, 工伤保险条例 25
    assert item.last_day(date(2026, 9, 20)) == date(2026, 11, 19)
    assert pack.services()[CLAIM].last_day(date(2026, 11, 23)) == date(2026, 12, 21)


def test_a_case_without_a_legal_limit_has_no_last_day_and_is_never_late(county: County, desk: Desk) -> None:
    county.add_pensioner_to_be(life_status="2", died_on="2026-10-01")
    case_id = desk.submit("care_elsewhere_filing", "周建根")
    assert county.rows("SELECT step, due_on FROM hub_case WHERE id = ?", case_id) == [("review", None)]
    assert county.rows("SELECT due_on FROM case_state WHERE case_id = ?", case_id) == [(None,)]


def test_what_the_station_found_is_not_believed(county: County, desk: Desk) -> None:
    county.add_pensioner_to_be(life_status="2", died_on="2026-10-01")
    case_id = desk.submit(CLAIM, "周建根", findings=[])
    assert "alive" in codes(county, case_id)


def test_a_phone_change_is_in_effect_at_once_and_closed(county: County, desk: Desk) -> None:
    county.add_pensioner_to_be()
    case_id = desk.submit(CHANGE, "周建根", given={"phone": "13857589999"})
    assert county.rows("SELECT state, step, closed_at IS NULL FROM hub_case") == [("effective", None, 0)]
    assert county.rows("SELECT state FROM case_state WHERE case_id = ?", case_id) == [("effective",)]
    assert county.one("SELECT phone FROM contact") == "13857582046", "the cell travels by itself, newer edits stay"


def test_an_on_the_spot_case_with_findings_goes_to_the_hubs_officers(county: County, desk: Desk) -> None:
    county.add_pensioner_to_be(life_status="2", died_on="2026-10-01")
    case_id = desk.submit(CHANGE, "周建根", given={"phone": "13857589999"})
    assert county.rows("SELECT state, step FROM hub_case WHERE id = ?", case_id) == [("submitted", "accept")]


def test_a_change_of_name_said_to_be_on_the_spot_is_reviewed_all_the_same(county: County, desk: Desk) -> None:
    county.add_pensioner_to_be()
    case_id = desk.submit(
        CHANGE, "周建根", given={"new_name": "周建耕", "change_reason": "更正"}, mode="S", legal="final"
    )
    assert county.one("SELECT step FROM hub_case WHERE id = ?", case_id) == "accept"
    assert county.one("SELECT name FROM person") == "周建根"


def test_the_same_case_again_is_refused(county: County, desk: Desk) -> None:
    county.add_pensioner_to_be()
    body = desk.body(CLAIM, "周建根")
    desk.deliver(desk.fact("case_submitted", body["case_id"], body))
    with pytest.raises(Refusal) as refused:
        desk.deliver(desk.fact("case_submitted", body["case_id"], body | {"receipt_no": desk.next_receipt()}))
    assert refused.value.code == "duplicate"
    assert county.one("SELECT count(*) FROM hub_case") == county.one("SELECT count(*) FROM fact") == 1


def test_a_receipt_number_used_twice_is_refused(county: County, desk: Desk) -> None:
    county.add_pensioner_to_be()
    first = desk.body(CLAIM, "周建根")
    desk.deliver(desk.fact("case_submitted", first["case_id"], first))
    again = desk.body(CHANGE, "周建根", given={"phone": "13857589999"}, receipt_no=first["receipt_no"])
    with pytest.raises(Refusal, match="submit it with a new number") as refused:
        desk.deliver(desk.fact("case_submitted", again["case_id"], again))
    assert refused.value.code == "receipt_twice"


@pytest.mark.parametrize(
    "number", ["0101-1-26-000001-4", "0100-1-26-000001-0", "0100-1-26-1", "x", "0100-1-26-00000a-1"]
)
def test_a_number_that_is_not_this_stations_is_refused(county: County, desk: Desk, number: str) -> None:
    county.add_pensioner_to_be()
    with pytest.raises(Refusal) as refused:
        desk.submit(CLAIM, "周建根", receipt_no=number)
    assert refused.value.code == "receipt_no"


def test_a_number_outside_the_leased_block_is_refused(county: County, desk: Desk) -> None:
    county.add_pensioner_to_be()
    with pytest.raises(Refusal) as refused:
        desk.submit(CLAIM, "周建根", receipt_no=ids.receipt_no(STATION, 2026, 5001))
    assert refused.value.code == "receipt_block"


@pytest.mark.parametrize(("days", "taken"), [(29, True), (31, False)])
def test_a_case_of_somebody_who_moved_away_is_taken_for_thirty_days(
    county: County, desk: Desk, clock: FixedClock, days: int, taken: bool
) -> None:
    """The counter could not know; the slip is handed out. What it is decided on goes to the new township."""
    county.add_pensioner_to_be()
    with publish.transaction(county.store, clock=clock) as pub:
        pub.put("person", {"id": county.persons["周建根"], "village": OTHER_VILLAGE})
    clock.advance(days=days)
    if taken:
        assert county.one("SELECT station FROM hub_case WHERE id = ?", desk.submit(CLAIM, "周建根")) == STATION
        return
    with pytest.raises(NotAllowed) as refused:
        desk.submit(CLAIM, "周建根")
    assert refused.value.code == "slice"


def test_a_person_outside_the_stations_slice_is_refused(county: County, desk: Desk) -> None:
    county.add_pensioner_to_be(village=OTHER_VILLAGE)
    with pytest.raises(NotAllowed) as refused:
        desk.submit(CLAIM, "周建根")
    assert refused.value.code == "slice"
    assert county.rows("SELECT * FROM hub_case") == []


def test_a_township_outside_the_stations_slice_is_refused(county: County, desk: Desk) -> None:
    county.add_pensioner_to_be()
    with pytest.raises(NotAllowed):
        desk.submit(CLAIM, "周建根", township="330683101")


def test_a_person_nobody_knows_is_refused(county: County, desk: Desk) -> None:
    county.add_pensioner_to_be()
    with pytest.raises(UnknownSubject):
        desk.submit(CLAIM, "周建根", person_id=ids.new_id())


def test_a_newcomer_is_enrolled_without_a_person_until_somebody_decides(county: County, desk: Desk) -> None:
    case_id = desk.submit(ENROLMENT, None, given=newcomer())
    assert codes(county, case_id) == []
    assert county.rows("SELECT state, step, person_id FROM hub_case") == [("submitted", "accept", None)]
    assert county.rows("SELECT * FROM person") == []


def test_a_newcomer_known_elsewhere_in_the_county_is_not_made_a_second_person(county: County, desk: Desk) -> None:
    number = id_number("19900412", "024")
    known = county.add_person("陈小燕", "19900412", OTHER_VILLAGE, number=number, sex="2")
    case_id = desk.submit(ENROLMENT, None, given=newcomer())
    assert "exists_elsewhere" in codes(county, case_id)
    assert county.one("SELECT person_id FROM hub_case") == known
    assert county.one("SELECT count(*) FROM person") == 1


def test_a_newcomer_already_in_this_stations_slice_is_that_person(county: County, desk: Desk) -> None:
    known = county.add_person("陈小燕", "19900412", number=id_number("19900412", "024"), sex="2")
    case_id = desk.submit(ENROLMENT, None, given=newcomer())
    assert county.one("SELECT person_id FROM hub_case") == known
    assert "exists_elsewhere" not in codes(county, case_id)


def test_another_rule_pack_at_the_station_is_noted(county: County, desk: Desk) -> None:
    county.add_pensioner_to_be()
    assert codes(county, desk.submit(CLAIM, "周建根", pack="0" * 64)) == ["pack"]


def test_an_unknown_item_is_refused(county: County, desk: Desk) -> None:
    county.add_pensioner_to_be()
    with pytest.raises(UnknownSubject, match="no such service item"):
        body = desk.body(CLAIM, "周建根") | {"service": "no_such_item"}
        desk.deliver(desk.fact("case_submitted", body["case_id"], body))


@pytest.mark.parametrize(
    "wrong",
    [
        {"answers": {"phone": 1}},
        {"answers": {"note": "长" * 20001}},
        {"materials": ["id_card", "id_card"]},
        {"township": None},
        {"person_id": b"short"},
        {"service_version": "1"},
        {"person_name": "名" * 121},
    ],
)
def test_a_body_out_of_shape_is_refused_by_the_name_of_the_part(
    county: County, desk: Desk, wrong: dict[str, Any]
) -> None:
    county.add_pensioner_to_be()
    with pytest.raises(Refusal) as refused:
        desk.submit(CLAIM, "周建根", **wrong)
    assert refused.value.code == "body"
    assert next(iter(wrong)) in refused.value.zh


def test_a_fact_about_another_subject_than_its_case_is_refused(county: County, desk: Desk) -> None:
    county.add_pensioner_to_be()
    body = desk.body(CLAIM, "周建根")
    with pytest.raises(Refusal, match="subject"):
        desk.deliver(desk.fact("case_submitted", ids.new_id(), body))


def test_a_kind_that_stations_do_not_state_is_refused(county: County, desk: Desk) -> None:
    with pytest.raises(Refusal) as refused:
        desk.deliver(desk.fact("case_approved", ids.new_id(), {}))
    assert refused.value.code == "kind"


def test_an_officer_without_counter_post_cannot_take_cases(county: County, desk: Desk) -> None:
    county.add_pensioner_to_be()
    body = desk.body(CLAIM, "周建根")
    with pytest.raises(NotAllowed):
        desk.deliver(desk.fact("case_submitted", body["case_id"], body, officer=ACCEPT))


def test_a_clerk_does_not_take_a_relatives_case(county: County, desk: Desk) -> None:
    person_id = county.add_pensioner_to_be()
    with county.store.write() as db:
        db.execute("INSERT INTO relative VALUES (?, ?)", (CLERK, person_id))
    with pytest.raises(NotAllowed, match="relative"):
        desk.submit(CLAIM, "周建根")
    assert county.rows("SELECT * FROM hub_case") == []


def test_a_withdrawn_case_waits_for_nobody(county: County, desk: Desk) -> None:
    county.add_pensioner_to_be()
    case_id = desk.submit(CLAIM, "周建根")
    desk.deliver(desk.fact("case_withdrawn", case_id, {"case_id": case_id, "reason": "本人改主意"}))
    assert county.rows("SELECT state, step, reason FROM hub_case") == [("withdrawn", None, "本人改主意")]
    assert county.rows("SELECT state FROM case_state") == [("withdrawn",)]


def test_a_case_in_effect_cannot_be_withdrawn(county: County, desk: Desk) -> None:
    county.add_pensioner_to_be()
    case_id = desk.submit(CHANGE, "周建根", given={"phone": "13857589999"})
    with pytest.raises(WrongState):
        desk.deliver(desk.fact("case_withdrawn", case_id, {"case_id": case_id, "reason": "算了"}))
    assert county.one("SELECT state FROM hub_case") == "effective"


def test_only_a_returned_case_is_submitted_again(county: County, desk: Desk) -> None:
    county.add_pensioner_to_be()
    case_id = desk.submit(CLAIM, "周建根")
    again = {"case_id": case_id, "answers": desk.answers(CLAIM, "周建根"), "materials": ["id_card", "bank_book"]}
    with pytest.raises(WrongState):
        desk.deliver(desk.fact("case_resubmitted", case_id, again))


def test_another_station_cannot_touch_a_case(county: County, desk: Desk, other_desk: Desk) -> None:
    county.add_pensioner_to_be()
    case_id = desk.submit(CLAIM, "周建根")
    with pytest.raises(NotAllowed):
        other_desk.deliver(other_desk.fact("case_withdrawn", case_id, {"case_id": case_id, "reason": "不是我的"}))


def test_a_new_password_reaches_the_officers_row(county: County, desk: Desk) -> None:
    with county.store.write() as db:
        db.execute("UPDATE officer SET must_change = 1 WHERE operator_no = ?", (CLERK,))
    blob = bytes(range(100))
    subject = ids.new_id()
    desk.deliver(desk.fact("officer_key_changed", subject, {"operator_no": CLERK, "wrapped_key": blob}))
    row = county.rows("SELECT wrapped_key, must_change FROM officer WHERE operator_no = ?", CLERK)
    assert row == [(blob, 0)]


def test_nobody_changes_the_password_of_another(county: County, desk: Desk) -> None:
    with pytest.raises(NotAllowed):
        desk.deliver(desk.fact("officer_key_changed", ids.new_id(), {"operator_no": ACCEPT, "wrapped_key": bytes(100)}))


def test_cases_taken_use_up_the_block_and_bring_the_next_one(county: County, desk: Desk) -> None:
    county.add_pensioner_to_be()
    desk.serial = 800
    desk.submit(CHANGE, "周建根", given={"phone": "13857589999"})
    blocks = county.rows("SELECT year, first, last FROM receipt_block WHERE station = ? ORDER BY first", STATION)
    assert blocks == [(2026, 1, 1000), (2026, 1001, 2000)]
