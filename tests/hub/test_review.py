# SPDX-License-Identifier: Apache-2.0
"""Decisions: the path of a case, four pairs of eyes, one transaction."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hub import officers, steps
from schema import database, events
from schema.clock import FixedClock, stamp
from schema.errors import NotAllowed, Refusal, WrongState
from sync.hub import publish
from tests.hub.county import (
    ACCEPT,
    ADMIN,
    ALL_FOUR,
    APPROVE,
    BY_STEP,
    CALCULATE,
    CHANGE,
    CLAIM,
    CLERK,
    ENROLMENT,
    INSPECT,
    OTHER_TOWNSHIP,
    OTHER_VILLAGE,
    REVIEW,
    STATION,
    TOWNSHIP,
    County,
    Desk,
    newcomer,
)
from tests.hub.deciding import decide, everything, state, walk


def test_a_claim_goes_through_four_hands_into_effect(county: County, claim: bytes) -> None:
    seen = []
    for officer in BY_STEP.values():
        decide(county, claim, officer)
        seen.append(state(county, claim))
    assert seen == [("accepted", "calculate"), ("calculated", "review"), ("reviewed", "approve"), ("effective", None)]
    hands = county.rows("SELECT step, decision, officer FROM case_step ORDER BY rowid")
    assert hands == [("submit", "submit", CLERK), *((step, "agree", officer) for step, officer in BY_STEP.items())]


def test_the_benefit_that_was_calculated_is_the_one_in_the_register(county: County, claim: bytes) -> None:
    walk(county, claim, "accept", "calculate")
    shown = json.loads(county.one("SELECT calculation FROM hub_case"))
    walk(county, claim, "review", "approve")
    basic, account, extra = county.rows("SELECT basic_fen, account_fen, extra_fen FROM benefit")[0]
    assert account == 15600, "21,684.20 yuan over 139 months"
    assert shown["lines"][-1][2] == basic + account + extra
    assert [line["rule"] for line in shown["trace"]] and all(line["law"] for line in shown["trace"])
    assert county.rows("SELECT state, ended_month FROM enrolment") == [("ended", "2026-10")]


def test_each_step_is_a_fact_signed_by_its_officer_and_sent_to_the_station(county: County, claim: bytes) -> None:
    walk(county, claim, "accept", "calculate", "review", "approve")
    with county.store.read() as db:
        facts = [f for f in events.of_subject(db, claim) if f.origin == "hub"]
    assert [f.kind for f in facts] == ["case_accepted", "case_calculated", "case_reviewed", "case_approved"]
    for fact in facts:
        fact.verify(county.keys[fact.officer].public_key().public_bytes_raw())
        assert fact.received_at == "2026-11-23T01:00:00.000Z"
        assert county.rows("SELECT slice FROM slice_feed WHERE pk = ?", fact.id) == [(f"node:{STATION}",)]
    assert facts[0].body["due_on"] == "2026-12-21"
    assert facts[1].body["calculation"]["lines"]
    assert [table for table, _ in facts[3].body["changes"]] == ["benefit", "enrolment", "bank_account"]


def test_the_station_is_told_the_result_in_words_and_fen(county: County, claim: bytes) -> None:
    walk(county, claim, "accept", "calculate", "review", "approve")
    told, result, decided_at = county.rows("SELECT state, result, decided_at FROM case_state")[0]
    assert (told, decided_at) == ("effective", "2026-11-23T01:00:00.000Z")
    assert ["个人账户养老金", "From the individual account", 15600] in json.loads(result)["lines"]


def test_a_newcomers_enrolment_makes_the_person_and_places_it(county: County, desk: Desk) -> None:
    case_id = desk.submit(ENROLMENT, None, given=newcomer())
    walk(county, case_id, "accept", "review")
    assert state(county, case_id) == ("effective", None)
    person_id, name, initials = county.rows("SELECT id, name, initials FROM person")[0]
    assert (name, initials) == ("陈小燕", "cxy")
    assert county.rows("SELECT slice FROM slice_member WHERE person_id = ?", person_id) == [("330683100",)]
    assert county.rows("SELECT phone FROM contact WHERE id = ?", person_id) == [("13857581234",)]
    assert county.one("SELECT person_id FROM hub_case") == county.one("SELECT person_id FROM case_state") == person_id
    fed = {t for (t,) in county.rows("SELECT tbl FROM slice_feed WHERE slice = '330683100'")}
    assert {"person", "contact", "enrolment", "account"} <= fed


def test_the_same_newcomer_at_two_stations_becomes_one_person(county: County, desk: Desk, other_desk: Desk) -> None:
    first = desk.submit(ENROLMENT, None, given=newcomer())
    second = other_desk.submit(ENROLMENT, None, given=newcomer(village="330683101200"))
    walk(county, first, "accept", "review")
    with pytest.raises(WrongState) as refused:
        decide(county, second, ACCEPT)
    assert refused.value.code == "findings"
    decide(county, second, ACCEPT, "reject", "长乐镇的另一件已参保")
    assert county.one("SELECT count(*) FROM person") == 1


@pytest.mark.parametrize("steps_between", [(), ("calculate",), ("calculate", "review")])
def test_nobody_does_two_steps_of_one_case(county: County, claim: bytes, steps_between: tuple[str, ...]) -> None:
    decide(county, claim, ALL_FOUR)
    walk(county, claim, *steps_between)
    before = everything(county)
    with pytest.raises(NotAllowed) as refused:
        decide(county, claim, ALL_FOUR)
    assert refused.value.code == "four_eyes"
    assert refused.value.zh.startswith("您受理过本案，不能再")
    assert everything(county) == before


def test_the_database_itself_refuses_the_same_hands(county: County, claim: bytes) -> None:
    decide(county, claim, ALL_FOUR)
    with pytest.raises(NotAllowed) as refused, county.store.write() as db:
        steps.record(db, claim, "review", "agree", round_no=1, officer=ALL_FOUR, at="2026-11-23T01:00:00.000Z")
    assert refused.value.code == "four_eyes"


def test_the_trigger_alone_stops_a_second_step(county: County, claim: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    decide(county, claim, ALL_FOUR)
    monkeypatch.setattr(steps, "obstacle", lambda *_: None)
    before = everything(county)
    with pytest.raises(NotAllowed, match="cannot calculate it"):
        decide(county, claim, ALL_FOUR)
    assert everything(county) == before


def test_the_clerk_who_took_a_case_never_reviews_it(county: County, claim: bytes) -> None:
    with county.store.write() as db:
        db.execute("UPDATE officer SET station = NULL, roles = 'accept' WHERE operator_no = ?", (CLERK,))
    with pytest.raises(NotAllowed, match="took in"):
        decide(county, claim, CLERK)


def test_four_eyes_hold_over_a_return(county: County, desk: Desk, claim: bytes) -> None:
    decide(county, claim, ALL_FOUR, "return", "账号看不清")
    again = {"case_id": claim, "answers": desk.answers(CLAIM, "周建根"), "materials": ["id_card", "bank_book"]}
    desk.deliver(desk.fact("case_resubmitted", claim, again))
    decide(county, claim, ACCEPT)
    with pytest.raises(NotAllowed):
        decide(county, claim, ALL_FOUR)


def test_an_officer_does_not_decide_a_relatives_case(county: County, claim: bytes) -> None:
    with county.store.write() as db:
        db.execute("INSERT INTO relative VALUES (?, ?)", (ACCEPT, county.persons["周建根"]))
    before = everything(county)
    with pytest.raises(NotAllowed) as refused:
        decide(county, claim, ACCEPT)
    assert refused.value.zh.startswith("申请人是您的近亲属")
    assert everything(county) == before


@pytest.mark.parametrize("officer", [CALCULATE, INSPECT, ADMIN, CLERK])
def test_only_the_post_of_the_step_decides(county: County, claim: bytes, officer: str) -> None:
    with pytest.raises(NotAllowed):
        decide(county, claim, officer)
    assert state(county, claim) == ("submitted", "accept")


def test_supervision_processes_nothing_whatever_else_stands_beside_it(county: County, claim: bytes) -> None:
    with county.store.write() as db:
        db.execute("UPDATE officer SET roles = 'inspect accept' WHERE operator_no = ?", (INSPECT,))
    with pytest.raises(NotAllowed) as refused:
        decide(county, claim, INSPECT)
    assert refused.value.code == "watching"


def test_a_disabled_officer_decides_nothing(county: County, claim: bytes) -> None:
    officers.disable(county.store, ACCEPT, county.hub.clock)
    with pytest.raises(NotAllowed, match="disabled"):
        decide(county, claim, ACCEPT)


def test_a_key_that_was_replaced_signs_nothing(county: County, claim: bytes, clock: FixedClock) -> None:
    clock.advance(seconds=1)
    officers.reset_password(county.store, ACCEPT, "a new one 27 words", clock)
    with pytest.raises(NotAllowed) as refused:
        decide(county, claim, ACCEPT)
    assert refused.value.code == "key"


def test_a_return_tells_what_is_missing_and_the_case_comes_back_at_its_beginning(county: County, desk: Desk) -> None:
    county.add_pensioner_to_be()
    case_id = desk.submit(CLAIM, "周建根", materials=["id_card"])
    decide(county, case_id, ACCEPT, "return", "缺存折首页", missing=["bank_book"])
    told, reason, result = county.rows("SELECT state, reason, result FROM case_state")[0]
    assert (told, reason, json.loads(result)) == ("returned", "缺存折首页", {"missing": ["bank_book"]})
    again = {"case_id": case_id, "answers": desk.answers(CLAIM, "周建根"), "materials": ["id_card", "bank_book"]}
    desk.deliver(desk.fact("case_resubmitted", case_id, again))
    assert county.rows("SELECT state, step, round, reason FROM hub_case") == [("submitted", "accept", 2, None)]
    walk(county, case_id, "accept", "calculate", "review", "approve")
    assert state(county, case_id) == ("effective", None)


def test_a_return_that_leaves_out_a_missing_paper_is_refused(county: County, desk: Desk) -> None:
    county.add_pensioner_to_be()
    case_id = desk.submit(CLAIM, "周建根", materials=["id_card"])
    with pytest.raises(Refusal, match="Bank card or bank book"):
        decide(county, case_id, ACCEPT, "return", "账号看不清")
    assert state(county, case_id) == ("submitted", "accept")


@pytest.mark.parametrize("word", ["return", "reject"])
def test_a_return_or_rejection_needs_a_reason(county: County, claim: bytes, word: str) -> None:
    before = everything(county)
    with pytest.raises(Refusal) as refused:
        decide(county, claim, ACCEPT, word, "  ")
    assert refused.value.code == "decision_reason"
    assert everything(county) == before


def test_a_word_that_is_no_decision_is_refused(county: County, claim: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        decide(county, claim, ACCEPT, "perhaps")
    assert refused.value.code == "decision_decision"


def test_a_rejected_case_is_closed_with_its_reason(county: County, claim: bytes) -> None:
    walk(county, claim, "accept", "calculate")
    decide(county, claim, REVIEW, "reject", "缴费年限不足")
    assert county.rows("SELECT state, step, reason, closed_at IS NULL FROM hub_case") == [
        ("rejected", None, "缴费年限不足", 0)
    ]
    assert county.rows("SELECT * FROM benefit") == []
    with pytest.raises(WrongState):
        decide(county, claim, APPROVE)


def test_a_case_whose_answers_are_wrong_cannot_be_agreed_to(county: County, desk: Desk) -> None:
    county.add_pensioner_to_be(life_status="2", died_on="2026-10-01")
    case_id = desk.submit(CLAIM, "周建根")
    with pytest.raises(WrongState) as refused:
        decide(county, case_id, ACCEPT)
    assert refused.value.code == "findings"


def test_reviewed_figures_that_no_longer_hold_do_not_take_effect(county: County, claim: bytes) -> None:
    walk(county, claim, "accept", "calculate", "review")
    with publish.transaction(county.store) as pub:
        account = {"person_id": county.persons["周建根"], "insurance": "resident_pension", "balance_fen": 9999999}
        pub.put("account", account)
    before = everything(county)
    with pytest.raises(WrongState) as refused:
        decide(county, claim, APPROVE)
    assert refused.value.code == "recalculate"
    assert everything(county) == before


def test_approval_in_a_later_month_takes_effect_with_the_reviewed_figures(
    county: County, claim: bytes, clock: FixedClock
) -> None:
    walk(county, claim, "accept", "calculate")
    total = json.loads(county.one("SELECT calculation FROM hub_case"))["lines"][-1][2]
    clock.advance(days=40)
    walk(county, claim, "review", "approve")
    assert county.one("SELECT basic_fen + account_fen + extra_fen FROM benefit") == total


def test_a_phone_changed_meanwhile_at_the_counter_survives_the_approval(county: County, claim: bytes) -> None:
    walk(county, claim, "accept", "calculate", "review")
    with publish.transaction(county.store) as pub:
        pub.cells("contact", county.persons["周建根"], {"phone": "13900000001"})
    walk(county, claim, "approve")
    assert county.one("SELECT phone FROM contact") == "13900000001"


def test_a_failure_while_signing_leaves_nothing_half_done(
    county: County, claim: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk(county, claim, "accept", "calculate", "review")
    before = everything(county)
    calls = {"left": 0}

    def fail_at(number: int) -> None:
        calls["left"] = number

    def wrap(module: Any, name: str) -> None:
        real = getattr(module, name)

        def counted(*args: Any, **kwargs: Any) -> Any:
            calls["left"] -= 1
            if calls["left"] == 0:
                raise database.OperationalError("disk full")
            return real(*args, **kwargs)

        monkeypatch.setattr(module, name, counted)

    wrap(events, "state")
    wrap(steps, "record")
    wrap(publish.Publication, "put")
    wrap(publish.Publication, "fact")
    fault = 0
    while True:
        fault += 1
        fail_at(fault)
        try:
            decide(county, claim, APPROVE)
        except database.OperationalError:
            assert everything(county) == before, f"call {fault} left something behind"
        else:
            break
    assert fault > 5
    assert state(county, claim) == ("effective", None)


def test_a_change_of_name_takes_three_hands_and_changes_pinyin_with_it(county: County, desk: Desk) -> None:
    county.add_pensioner_to_be()
    case_id = desk.submit(CHANGE, "周建根", given={"new_name": "周建耕", "reason": "公安已更正"})
    walk(county, case_id, "accept", "review", "approve")
    assert county.rows("SELECT name, pinyin FROM person") == [("周建耕", "zhoujiangeng")]


def test_an_approved_move_takes_the_person_to_the_other_township(county: County, desk: Desk) -> None:
    person_id = county.add_pensioner_to_be()
    case_id = desk.submit(CHANGE, "周建根", given={"new_village": OTHER_VILLAGE, "reason": "户口迁移"})

    walk(county, case_id, "accept", "review", "approve")

    assert state(county, case_id) == ("effective", None)
    assert county.rows("SELECT slice FROM slice_member WHERE person_id = ?", person_id) == [(OTHER_TOWNSHIP,)]
    left = county.rows("SELECT tbl FROM slice_feed WHERE slice = ? AND op = ?", TOWNSHIP, publish.LEAVE)
    assert {"person", "contact", "enrolment", "account", "bank_account"} <= {row[0] for row in left}
    assert county.rows("SELECT left_at FROM slice_left") == [(stamp(county.hub.clock.now()),)]


def test_nobody_moves_to_a_village_that_does_not_exist(county: County, desk: Desk) -> None:
    county.add_pensioner_to_be()
    case_id = desk.submit(CHANGE, "周建根", given={"new_village": "330683999999", "reason": "户口迁移"})
    with pytest.raises(WrongState) as refused:
        decide(county, case_id, ACCEPT)
    assert refused.value.code == "village"
