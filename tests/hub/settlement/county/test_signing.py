# SPDX-License-Identifier: Apache-2.0
"""The county's month through its four hands, and what paying it does to the register."""

from __future__ import annotations

from typing import Any

import pytest

from hub import officers
from hub.settlement.county import payout, signing
from hub.settlement.county.runs import County as Months
from schema.database import IntegrityError
from schema.errors import NotAllowed, Refusal, WrongState
from tests.hub.settlement.conftest import OFFICERS, County, report
from tests.hub.settlement.county.working import (
    DECEMBER,
    FULL_FEN,
    HANDS,
    NOVEMBER,
    OFFICER,
    employer,
    later,
    of_person,
    pay_in,
    run,
    settle,
    sign,
)


def state(county: County, month: str = NOVEMBER) -> str:
    return str(county.rows("SELECT state FROM period WHERE scheme = 'county' AND month = ?", month)[0]["state"])


def paid_through(county: County, person: bytes) -> str:
    return str(county.rows("SELECT paid_through FROM benefit WHERE person_id = ?", person)[0]["paid_through"])


def held(county: County) -> list[tuple[str, str, int]]:
    rows = county.rows("SELECT fund, reason, amount_fen FROM month_held ORDER BY reason")
    return [(row["fund"], row["reason"], row["amount_fen"]) for row in rows]


def test_a_month_goes_through_four_hands_each_with_a_signed_fact(county: County, months: Months) -> None:
    run(county, months)
    seen = []
    for action in signing.ACTS:
        sign(county, months, action)
        seen.append(state(county))
    assert seen == ["approved", "paid", "closed"]
    facts = county.rows("SELECT kind, officer FROM fact WHERE kind LIKE 'month_%' ORDER BY rowid")
    assert [tuple(fact.values()) for fact in facts] == [
        ("month_computed", OFFICER), ("month_approved", HANDS["approve"]), ("month_paid", HANDS["pay"]),
        ("month_closed", HANDS["close"]),
    ]  # fmt: skip


def test_nothing_is_signed_without_its_word(county: County, months: Months) -> None:
    run(county, months)
    for action, act in signing.ACTS.items():
        for typed in ("", "好", "审批 2026-10", "approve 2026-11"):
            with pytest.raises(Refusal) as refused:
                act(months, NOVEMBER, HANDS[action], county.keys[HANDS[action]], typed)
            assert refused.value.code == "typed" and NOVEMBER in refused.value.zh
    assert state(county) == "computed"


def test_no_step_is_left_out(county: County, months: Months) -> None:
    run(county, months)
    for action in ("pay", "close"):
        with pytest.raises(WrongState):
            sign(county, months, action)
    assert state(county) == "computed"


def test_who_did_one_step_does_no_other_one(county: County, months: Months) -> None:
    for number in (OFFICER, HANDS["approve"]):
        officers.set_roles(county.store, number, ("settle", "approve_month", "pay", "close"))
    run(county, months)
    with pytest.raises(NotAllowed) as refused:
        sign(county, months, "approve", officer=OFFICER)
    assert refused.value.code == "four_hands"
    sign(county, months, "approve")
    for action, number in (("pay", OFFICER), ("pay", HANDS["approve"])):
        with pytest.raises(NotAllowed):
            sign(county, months, action, officer=number)
    assert state(county) == "approved"


def test_a_post_that_is_not_held_signs_nothing(county: County, months: Months) -> None:
    run(county, months)
    with pytest.raises(NotAllowed):
        sign(county, months, "approve", officer=OFFICERS["close"])


def test_an_approved_month_is_not_run_again(county: County, months: Months) -> None:
    employer(county, 6_000_00)
    run(county, months)
    sign(county, months, "approve")
    with pytest.raises(WrongState) as refused:
        run(county, months)
    assert refused.value.code == "month_state"
    with pytest.raises(WrongState):
        pay_in(county, FULL_FEN, "T1")
    pay_in(county, FULL_FEN, "T1", DECEMBER)


@pytest.mark.parametrize("change", ["money", "register"])
def test_what_moved_since_the_run_must_be_run_again_before_approval(
    county: County, months: Months, change: str
) -> None:
    employer(county, 6_000_00)
    run(county, months)
    if change == "money":
        pay_in(county, FULL_FEN, "T1")
    else:
        county.pensioner()
    with pytest.raises(WrongState) as refused:
        sign(county, months, "approve")
    assert refused.value.code == "inputs_changed"
    run(county, months)
    sign(county, months, "approve")


def test_the_data_layer_keeps_a_signed_run_and_its_record(county: County, months: Months) -> None:
    run(county, months)
    sign(county, months, "approve")
    for sql in ("UPDATE period SET run_id = 'b'", "UPDATE month_run SET root = 'b'", "DELETE FROM month_run"):
        with pytest.raises(IntegrityError), county.store.write() as db:
            db.execute(sql)


def test_money_matched_after_its_month_was_approved_counts_in_the_open_one(county: County, months: Months) -> None:
    pay_in(county, FULL_FEN, "T1")
    settle(county, months)
    (person,) = employer(county, 6_000_00)
    later(county, 12)
    run(county, months, DECEMBER)
    assert of_person(months, DECEMBER, "postings", person)["months"] == 1


def test_paying_moves_the_benefits_on_and_the_next_month_pays_one_month(county: County, months: Months) -> None:
    person = county.pensioner()
    settle(county, months)
    assert paid_through(county, person) == NOVEMBER
    later(county, 12)
    run(county, months, DECEMBER)
    assert of_person(months, DECEMBER, "payments", person)["months"] == 1


def died(county: County, person: bytes) -> None:
    county.put(("person", {"id": person, "life_status": "3"}))


def suspended(county: County, person: bytes) -> None:
    row = county.rows("SELECT id FROM benefit WHERE person_id = ?", person)[0]
    county.put(("benefit", {"id": row["id"], "state": "suspended"}))


def ended(county: County, person: bytes) -> None:
    row = county.rows("SELECT id FROM benefit WHERE person_id = ?", person)[0]
    county.put(("benefit", {"id": row["id"], "state": "ended"}))


def paid_elsewhere(county: County, person: bytes) -> None:
    row = county.rows("SELECT id FROM benefit WHERE person_id = ?", person)[0]
    county.put(("benefit", {"id": row["id"], "paid_through": NOVEMBER}))


def moved_account(county: County, person: bytes) -> None:
    county.bank(person, account_no="6228580699999999")


def death_reported(county: County, person: bytes) -> None:
    report(county, person, "death_report", {})


CHANGES: list[tuple[Any, str]] = [
    (died, "dead"), (suspended, "suspended"), (ended, "ended"), (paid_elsewhere, "changed"),
    (moved_account, "bank_changed"), (death_reported, "reported"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "reason"), CHANGES)
def test_who_changed_since_the_run_is_taken_out_and_waits(
    county: County, months: Months, change: Any, reason: str
) -> None:
    other, person = county.pensioner(), county.pensioner()
    run(county, months)
    sign(county, months, "approve")
    change(county, person)
    assert sign(county, months, "pay") == payout.Paid(1, 480_94, 1, 480_94)
    assert held(county) == [("resident_pension", reason, 480_94)]
    assert paid_through(county, other) == NOVEMBER
    if change is not paid_elsewhere:
        assert paid_through(county, person) == "2026-10"


def test_a_death_reported_before_the_run_is_held_back_in_the_plan(county: County, months: Months) -> None:
    person = county.pensioner()
    report(county, person, "death_report", {})
    run(county, months)
    assert of_person(months, NOVEMBER, "payments", person)["held"] == 2
    sign(county, months, "approve")
    assert sign(county, months, "pay").held == 0


def test_a_resident_pension_paid_alone_is_not_paid_again_by_the_county(county: County, months: Months) -> None:
    county.pensioner()
    county.settle()
    assert next(c.left for c in run(county, months).controls if c.name == "benefits_booked") == 0
