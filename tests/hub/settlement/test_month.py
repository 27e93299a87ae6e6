# SPDX-License-Identifier: Apache-2.0
"""A month from computation to close: who is paid what, who is not and why, and what remains for the next month."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from hub import ledger
from hub.settlement import month
from hub.settlement.payout import Paid
from schema import database, events
from schema.database import Store
from schema.errors import NotAllowed, Refusal, WrongState
from schema.ids import new_id
from tests.hub.settlement.conftest import NOVEMBER, OFFICERS, SCHEME, County


def held(county: County, person_id: bytes) -> str:
    return str(json.loads(county.line(person_id)["trace"]).get("held", ""))


def test_a_pension_is_basic_plus_account_part_and_draws_the_account_down(county: County) -> None:
    who = county.pensioner(balance_fen=18_200_00)
    county.settle()
    line = county.line(who)
    assert (line["basic_fen"], line["account_fen"], line["arrears_fen"]) == (350_00, 130_94, 0)
    assert (line["opening_fen"], line["from_account_fen"], line["closing_fen"]) == (18_200_00, 130_94, 18_069_06)
    assert county.balance(who) == 18_069_06
    payment = county.rows("SELECT amount_fen, state, batch FROM payment")[0]
    assert payment == {"amount_fen": 480_94, "state": "paid", "batch": "2026-11-01"}
    assert county.rows("SELECT paid_through FROM benefit")[0]["paid_through"] == NOVEMBER


def test_months_not_yet_paid_are_paid_as_arrears(county: County) -> None:
    who = county.pensioner(from_month="2026-09", paid_through=None)
    county.run()
    line = county.line(who)
    assert line["arrears_fen"] == 2 * 480_94
    assert line["from_account_fen"] == 3 * 130_94
    assert json.loads(line["trace"]) == {"months": 3, "first": "2026-09"}


def test_an_empty_account_is_never_drawn_below_zero_and_the_pool_pays_on(county: County) -> None:
    who = county.pensioner(balance_fen=100_00)
    county.settle()
    assert county.balance(who) == 0
    assert county.line(who)["from_account_fen"] == 100_00
    assert county.rows("SELECT amount_fen FROM payment")[0]["amount_fen"] == 480_94


def test_a_contribution_is_credited_with_its_subsidy_and_a_year_of_months(county: County) -> None:
    who = county.person(balance_fen=1_000_00)
    county.receipt(who, 500_00)
    county.settle()
    line = county.line(who)
    assert (line["contribution_fen"], line["subsidy_fen"], line["closing_fen"]) == (500_00, 80_00, 1_580_00)
    account = county.rows("SELECT balance_fen, paid_months, as_of_month FROM account")[0]
    assert account == {"balance_fen": 1_580_00, "paid_months": 192, "as_of_month": NOVEMBER}
    assert county.rows("SELECT state, posted_month FROM receipt")[0] == {"state": "posted", "posted_month": NOVEMBER}


def test_two_receipts_of_one_year_bring_the_subsidy_of_their_sum(county: County, clock: object) -> None:
    who = county.person()
    county.receipt(who, 300_00)
    county.receipt(who, 200_00)
    county.run()
    assert county.line(who)["subsidy_fen"] == 80_00


def test_a_second_receipt_in_a_later_month_brings_the_difference_only(county: County) -> None:
    who = county.person()
    county.receipt(who, 300_00)
    county.settle()
    county.receipt(who, 200_00, on="2026-12-01")
    county.clock.at = datetime(2026, 12, 20, tzinfo=UTC)
    county.run("2026-12")
    line = county.line(who, "2026-12")
    assert (county.line(who)["subsidy_fen"], line["subsidy_fen"]) == (40_00, 40_00)
    assert json.loads(line["trace"])["receipts"][0][4] == 0


def test_money_that_came_after_the_month_or_that_nobody_claims_waits(county: County) -> None:
    who = county.person()
    county.receipt(who, 500_00, "late", on="2026-12-01")
    county.receipt(None, 700_00, "whose")
    county.clock.at = datetime(2026, 12, 2, tzinfo=UTC)
    done = county.run()
    assert county.line(who) == {}
    assert (done.totals["suspense"], done.totals["suspense_fen"]) == (1, 700_00)


def test_whoever_may_not_be_paid_is_listed_with_the_reason(county: County) -> None:
    cases = {
        "dead": county.person(life="2"),
        "no_bank_account": county.person(),
        "no_amount": county.person(),
        "several": county.person(),
    }
    for reason, who in cases.items():
        if reason != "no_bank_account":
            county.bank(who)
        county.benefit(who, **({"basic_fen": 0, "account_fen": 0} if reason == "no_amount" else {}))
    county.benefit(cases["several"])
    cases["suspended"] = county.pensioner(state="suspended")
    cases["ended"] = county.pensioner(state="ended")
    long_gone = county.pensioner(state="ended", paid_through="2019-05")
    done = county.run()
    assert {reason: held(county, who) for reason, who in cases.items()} == {reason: reason for reason in cases}
    assert county.line(long_gone) == {}
    assert county.rows("SELECT * FROM payment") == []
    assert dict((reason, persons) for reason, persons, _ in done.totals["held"]) == dict.fromkeys(cases, 1)


def test_what_is_held_back_for_a_missing_bank_account_is_paid_next_month(county: County) -> None:
    who = county.person(balance_fen=10_000_00)
    county.benefit(who)
    county.settle()
    assert json.loads(county.line(who)["trace"]) == {"held": "no_bank_account", "due_fen": 480_94}
    assert county.balance(who) == 10_000_00
    county.bank(who)
    county.clock.at = datetime(2026, 12, 20, tzinfo=UTC)
    county.settle("2026-12")
    assert county.rows("SELECT amount_fen FROM payment WHERE month = '2026-12'")[0]["amount_fen"] == 2 * 480_94


def test_a_benefit_that_begins_later_is_neither_paid_nor_listed(county: County) -> None:
    who = county.pensioner(from_month="2027-01", paid_through=None)
    county.run()
    assert county.line(who) == {}


def test_each_bank_gets_its_own_batch(county: County) -> None:
    for bank in ("建设银行", "工商银行", "建设银行"):
        who = county.pensioner()
        county.bank(who, bank)
    county.run()
    batches = county.rows("SELECT batch, count(DISTINCT bank) banks, count(*) n FROM payment GROUP BY batch")
    assert sorted((b["banks"], b["n"]) for b in batches) == [(1, 1), (1, 2)]


def test_the_same_inputs_give_the_same_run_and_the_same_rows(county: County) -> None:
    county.pensioner()
    county.receipt(county.person(), 500_00)
    first = county.run()
    rows = county.rows("SELECT * FROM settlement_line"), county.rows("SELECT * FROM payment")
    again = county.run()
    assert (again.run_id, again.totals, again.controls) == (first.run_id, first.totals, first.controls)
    assert (county.rows("SELECT * FROM settlement_line"), county.rows("SELECT * FROM payment")) == rows


def test_another_input_gives_another_run(county: County) -> None:
    who = county.pensioner()
    first = county.run()
    county.bank(who, "工商银行")
    assert county.run().run_id != first.run_id


def test_only_the_open_month_can_be_computed(county: County) -> None:
    county.pensioner()
    for settled, code in (("2026-10", "not_next"), ("2026-12", "not_next")):
        with pytest.raises(WrongState) as caught:
            county.run(settled)
        assert caught.value.code == code
    with pytest.raises(Refusal):
        county.run("2026-13")


def test_a_month_that_has_not_begun_is_not_computed(county: County) -> None:
    county.pensioner()
    county.settle()
    with pytest.raises(WrongState) as caught:
        county.run("2026-12")
    assert caught.value.code == "not_begun"


def test_accounts_opened_since_do_not_move_the_open_month(county: County) -> None:
    for _ in range(3):
        county.person()
    late = county.person()
    county.put(("account", {"person_id": late, "insurance": SCHEME, "as_of_month": "2027-05"}))
    with county.store.read() as db:
        assert month.open_month(db) == NOVEMBER


def test_an_approved_month_is_not_computed_again(county: County) -> None:
    county.pensioner()
    county.run()
    county.approve()
    with pytest.raises(WrongState):
        county.run()


def test_a_register_that_moved_since_must_be_computed_again_before_approval(county: County) -> None:
    who = county.pensioner()
    county.run()
    county.put(("person", {"id": who, "life_status": "2"}))
    with pytest.raises(WrongState) as caught:
        county.approve()
    assert caught.value.code == "inputs_changed"
    assert county.state() == "computed"


def test_money_that_arrives_after_the_computation_does_not_hinder_the_approval(county: County) -> None:
    who = county.pensioner()
    county.run()
    county.receipt(who, 500_00)
    county.approve()
    county.pay()
    assert county.line(who)["contribution_fen"] == 0
    assert county.rows("SELECT state, posted_month FROM receipt")[0] == {"state": "matched", "posted_month": None}


@pytest.mark.parametrize(("change", "reason"), [
    (("person", {"life_status": "2"}), "dead"),
    (("benefit", {"state": "suspended"}), "suspended"),
    (("bank_account", {"account_no": "99999999"}), "bank_changed"),
])  # fmt: skip
def test_who_may_no_longer_be_paid_is_taken_out_of_the_batch_on_the_day(
    county: County, change: tuple[str, dict[str, str]], reason: str
) -> None:
    who, other = county.pensioner(), county.pensioner()
    county.run()
    county.approve()
    table, columns = change
    key = "person_id" if table == "bank_account" else "id"
    of = {"id": who} if table == "person" else {}
    if table == "benefit":
        of = {"id": county.rows("SELECT id FROM benefit WHERE person_id = ?", who)[0]["id"]}
    county.put((table, (of or {key: who}) | columns))
    paid = county.pay()
    assert (paid.payments, paid.amount_fen, paid.held) == (1, 480_94, 1)
    assert county.rows("SELECT state, reason FROM payment WHERE person_id = ?", who)[0] == {
        "state": "held",
        "reason": reason,
    }
    assert (held(county, who), county.balance(who)) == (reason, 18_200_00)
    assert county.rows("SELECT paid_through FROM benefit WHERE person_id = ?", who)[0]["paid_through"] == "2026-10"
    assert county.balance(other) == 18_069_06
    county.close()


def test_an_account_that_moved_after_the_approval_stops_the_payment(county: County) -> None:
    who = county.pensioner()
    county.run()
    county.approve()
    county.put(("account", {"person_id": who, "insurance": SCHEME, "balance_fen": 1}))
    with pytest.raises(WrongState) as caught:
        county.pay()
    assert caught.value.code == "opening_changed"
    assert (county.state(), county.rows("SELECT state FROM payment")[0]["state"]) == ("approved", "planned")


@pytest.mark.parametrize("step", ["approve", "pay", "close"])
def test_no_officer_does_two_steps_of_one_month(county: County, step: str) -> None:
    county.pensioner()
    everything = " ".join(OFFICERS)
    county.put(*(("officer", {"operator_no": no, "roles": everything}) for no in OFFICERS.values()))
    county.run()
    for name in ("approve", "pay", "close"):
        if name == step:
            with pytest.raises(NotAllowed) as caught:
                getattr(county, name)(officer=OFFICERS["settle"])
            assert caught.value.code == "four_hands"
            return
        getattr(county, name)()


@pytest.mark.parametrize("step", ["run", "approve", "pay", "close"])
def test_each_step_needs_its_own_role(county: County, step: str) -> None:
    county.pensioner()
    names = ["run", "approve", "pay", "close"]
    for name in names[: names.index(step)]:
        getattr(county, name)()
    wrong = OFFICERS["pay"] if step != "pay" else OFFICERS["close"]
    with pytest.raises(NotAllowed) as caught:
        getattr(county, step)(officer=wrong)
    assert caught.value.code == "role"


def test_a_key_that_is_not_the_officers_signs_nothing(county: County) -> None:
    county.pensioner()
    county.keys[OFFICERS["settle"]] = county.keys[OFFICERS["pay"]]
    with pytest.raises(NotAllowed) as caught:
        county.run()
    assert caught.value.code == "key"


def test_closing_needs_the_typed_word(county: County) -> None:
    county.pensioner()
    county.run()
    county.approve()
    county.pay()
    for typed in ("", "结账", "结账 2026-10", "yes"):
        with pytest.raises(Refusal):
            county.close(typed=typed)
    county.close(typed=" 结账  2026-11 ")
    assert county.state() == "closed"


def test_each_hand_leaves_a_fact_that_verifies(county: County) -> None:
    county.pensioner()
    county.settle()
    with county.store.read() as db:
        facts = events.of_subject(db, month.subject(NOVEMBER))
    assert [f.kind for f in facts] == ["month_computed", "month_approved", "month_paid", "month_closed"]
    assert [f.officer for f in facts] == list(OFFICERS.values())
    for fact in facts:
        fact.verify(county.keys[fact.officer].public_key().public_bytes_raw())
    assert len({f.body["run_id"] for f in facts}) == 1


def test_the_books_of_a_month_balance_and_tell_the_story(county: County) -> None:
    county.pensioner()
    county.receipt(county.person(), 500_00)
    county.receipt(None, 70_00)
    county.settle()
    with county.store.read() as db:
        books = ledger.trial_balance(db, SCHEME)
        balances = {a.code: ledger.balance(db, SCHEME, a.code) for a, _, _ in books.rows}
    assert books.balanced
    assert balances == {
        "1003": 0, "1004": 80_00 - 480_94, "1005": 570_00, "2001": 70_00, "4001-02": 500_00, "4002": 80_00,
        "5001-01": 480_94,
    }  # fmt: skip


def test_a_claim_paid_for_the_first_time_is_told_to_its_station(county: County) -> None:
    case_id, station = new_id(), "0100-1"
    who = county.pensioner(from_month="2026-11", paid_through=None, case_id=case_id)
    row = {
        "id": case_id, "service": "resident_pension_claim", "service_version": 1, "pack": "p", "station": station,
        "township": "330683100", "person_id": who, "receipt_no": "0100-1-26-000417-3", "state": "effective", "round": 1,
        "submitted_by": "3001", "stated_at": "2026-11-01T00:00:00.000Z", "received_at": "2026-11-01T00:00:00.000Z",
        "answers": "{}", "materials": "[]", "findings": "[]",
    }  # fmt: skip
    with county.store.write() as db:
        database.insert(db, "hub_case", row)
    assert county_pay(county).claims == 1
    assert county.rows("SELECT state FROM case_state")[0]["state"] == "paid"
    assert county.rows("SELECT state FROM hub_case")[0]["state"] == "paid"
    assert county.rows("SELECT slice FROM slice_feed WHERE tbl = 'case_state'")[0]["slice"] == "node:0100-1"


def county_pay(county: County) -> Paid:
    county.run()
    county.approve()
    return county.pay()


def test_statement_and_account_are_fed_to_the_township(county: County) -> None:
    who = county.pensioner()
    county_pay(county)
    statement = county.rows("SELECT * FROM statement")[0]
    assert (statement["benefit_fen"], statement["from_account_fen"], statement["balance_fen"]) == (
        480_94,
        130_94,
        18_069_06,
    )
    assert statement["paid_on"] == "2026-11-23"
    fed = {r["tbl"]: r["seq"] for r in county.rows("SELECT tbl, seq FROM slice_feed WHERE slice = '330683100'")}
    revs = {
        t: county.rows(f"SELECT max(rev) rev FROM {t} WHERE person_id = ?", who)[0]["rev"]
        for t in ("account", "benefit")
    }
    assert fed["account"] == revs["account"] and fed["benefit"] == revs["benefit"] and "statement" in fed


def test_a_control_total_that_differs_stops_the_run_and_nothing_is_written(county: County, hub_store: Store) -> None:
    who = county.person()
    county.receipt(who, 500_00)
    with county.store.write() as db:
        database.update(db, "receipt", {"no": "R000000"}, {"amount_fen": 600_00})
    with pytest.raises(WrongState) as caught:
        county.run()
    assert caught.value.code == "control_treasury"
    assert county.rows("SELECT * FROM settlement_line") == county.rows("SELECT * FROM period") == []


@pytest.mark.parametrize("column", ["basic_fen", "account_fen"])
def test_an_amount_that_could_overflow_stops_the_run(county: County, column: str) -> None:
    county.pensioner(**{column: 2**40})
    with pytest.raises(WrongState) as caught:
        county.run()
    assert caught.value.code == "out_of_range"
