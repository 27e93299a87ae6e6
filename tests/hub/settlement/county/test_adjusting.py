# SPDX-License-Identifier: Apache-2.0
"""What late work about closed months does to debts, money, accounts and benefits: cases with round numbers."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np

from hub.settlement.county import booking, controls, kernel
from hub.settlement.county.columns import (
    NO_END,
    Accounts,
    Adjustments,
    Claims,
    Contributors,
    Corrections,
    Inputs,
    Lines,
    Outcome,
    Payees,
    Table,
    Units,
)
from tests.hub.settlement.county.months import MONTH, rates

OCTOBER, SEPTEMBER = MONTH - 1, MONTH - 2
# A pension month of a base of 6,000 yuan.
FULL = {"pension_employee": 480_00, "pension_employer": 960_00, "credit_pension": 480_00, "months": 1}
HALF = {name: value // 2 for name, value in FULL.items() if name != "months"}


def rows(form: type[Table], *given: dict[str, int]) -> Any:
    """A table of these rows; what is not given is 0."""
    return form(**{name: np.array([row.get(name, 0) for row in given], np.int64) for name in form.names()})


def line(month: int = SEPTEMBER, billed: int | None = None, **amounts: int) -> dict[str, int]:
    """A row about person 0 of unit 0."""
    return {"month": month, "billed": month if billed is None else billed} | amounts


def less(amounts: dict[str, int], **more: int) -> dict[str, int]:
    return line(billed=MONTH, **{name: -value for name, value in amounts.items()} | more)


def settled(
    *, arrears: tuple[dict[str, int], ...] = (), late: tuple[dict[str, int], ...] = (), money: int = 0, account: int = 0
) -> Outcome:
    """The month of one unit with nobody in it any more, which owes, pays and is adjusted; all controls hold."""
    unit = {"received": money, "received_on": date(2026, 12, 20).toordinal(), "declared": 1}
    inputs = Inputs(
        MONTH, Contributors.empty(), rows(Units, unit), rows(Lines, *arrears),
        rows(Accounts, {"pension": account, "pension_months": 9}), Payees.empty(), rows(Adjustments, *late),
    )  # fmt: skip
    return checked(inputs)


def checked(inputs: Inputs) -> Outcome:
    outcome = kernel.settle(inputs, rates())
    controls.require(controls.of_month(inputs, outcome))
    return outcome


def posted(outcome: Outcome) -> tuple[int, int, int]:
    """(credit, months now, balance)."""
    p = outcome.postings
    return int(p.credit_pension[0]), int(p.months[0]), int(p.pension[0])


def test_somebody_who_worked_there_all_along_owes_the_month_and_is_credited_when_it_is_paid() -> None:
    owed = settled(late=(line(billed=MONTH, **FULL),)).unpaid
    assert [c.tolist() for c in (owed.month, owed.pension_employer, owed.months)] == [[SEPTEMBER], [960_00], [1]]
    paid = settled(late=(line(billed=MONTH, **FULL),), money=1_440_00, account=100)
    assert posted(paid) == (480_00, 1, 480_00 + 100)


def test_a_higher_wage_learned_late_adds_to_the_account_and_counts_no_month_twice() -> None:
    paid = settled(late=(line(billed=MONTH, **HALF),), money=720_00, account=480_00)
    assert posted(paid) == (240_00, 0, 720_00)


def test_what_was_not_due_and_never_paid_is_owed_no_more() -> None:
    outcome = settled(arrears=(line(**FULL),), late=(less(FULL),))
    assert len(outcome.unpaid) == 0
    assert (outcome.adjusted.cancelled.tolist(), outcome.adjusted.returned.tolist()) == ([1_440_00], [0])
    assert posted(outcome) == (0, 0, 0)


def test_what_was_not_due_and_paid_goes_back_to_the_payer_and_off_the_account() -> None:
    outcome = settled(late=(less(FULL),), account=5_000_00)
    assert outcome.payers.suspense.tolist() == [1_440_00]
    assert posted(outcome) == (-480_00, -1, 4_520_00)
    ledger = outcome.ledger
    back = ledger.amount[ledger.event == booking.RETURNED]
    assert sorted(back.tolist()) == [480_00, 960_00]


def test_of_a_month_paid_in_part_only_the_paid_part_goes_back() -> None:
    """The person's 480 were paid, the unit's 960 were not; half of both was never due."""
    open_ = line(pension_employer=960_00, credit_pension=480_00, months=1)
    outcome = settled(arrears=(open_,), late=(less(HALF),))
    adjusted = outcome.adjusted
    assert (adjusted.cancelled.tolist(), adjusted.returned.tolist(), adjusted.undone_pension.tolist()) == (
        [480_00], [240_00], [0],
    )  # fmt: skip
    # What goes back pays at once what the unit still owes.
    assert outcome.unpaid.pension_employer.tolist() == [240_00]
    assert outcome.unpaid.credit_pension.tolist() == [240_00]


def test_a_month_that_is_settled_by_less_being_due_is_credited() -> None:
    """Half of the unit's part was paid, and half is all that is due."""
    open_ = line(pension_employer=480_00, credit_pension=480_00, months=1)
    outcome = settled(arrears=(open_,), late=(less({"pension_employer": 480_00}),))
    assert len(outcome.unpaid) == 0
    assert posted(outcome) == (480_00, 1, 480_00)


def test_less_is_due_of_the_bill_that_was_written_first() -> None:
    first, second = line(**FULL), line(billed=OCTOBER, **HALF)
    unpaid = settled(arrears=(first, second), late=(less(FULL),)).unpaid
    assert (unpaid.billed.tolist(), unpaid.pension_employee.tolist()) == ([OCTOBER], [240_00])


def test_the_late_fee_of_late_work_counts_from_the_bill_it_was_first_in() -> None:
    """September paid on 20 December: due on 10 October, billed with October due on 10 November, or only now."""
    fees = [
        settled(late=(line(billed=billed, **FULL),), money=2_000_00).bills.late_fee.tolist()
        for billed in (SEPTEMBER, OCTOBER, MONTH)
    ]
    assert fees == [[50_40], [28_08], [0]]


def benefits(
    *, corrections: tuple[dict[str, int], ...] = (), claims: tuple[dict[str, int], ...] = (), **payee: int
) -> Outcome:
    """A month of one pensioner with 3,000 + 500 yuan who was paid through October."""
    row = {"state": 1, "alive": 1, "bank": 1, "paid_through": OCTOBER, "until": NO_END, "pool": 3_000_00,
           "account": 500_00} | payee  # fmt: skip
    inputs = Inputs(
        MONTH, Contributors.empty(), Units.empty(), Lines.empty(), Accounts.empty(), rows(Payees, row),
        corrections=rows(Corrections, *corrections), claims=rows(Claims, *claims),
    )  # fmt: skip
    return checked(inputs)


def paid(outcome: Outcome) -> tuple[int, int, int]:
    """(pool, account, open claim) after the month."""
    return int(outcome.payments.pool[0]), int(outcome.payments.account[0]), int(outcome.recoveries.open.sum())


def test_what_was_paid_too_little_comes_with_the_month() -> None:
    assert paid(benefits(corrections=({"month": SEPTEMBER, "pool": 40_00},))) == (3_040_00, 500_00, 0)


def test_a_death_learned_late_makes_a_claim_and_no_payment() -> None:
    late = ({"month": OCTOBER, "pool": -3_000_00, "account": -500_00},)
    assert paid(benefits(corrections=late, alive=0)) == (0, 0, 3_500_00)


def test_of_a_month_no_more_is_kept_than_the_parameter_allows() -> None:
    """20 % in these rates: 700 of 3,500."""
    assert paid(benefits(claims=({"amount": 1_000_00},))) == (2_300_00, 500_00, 300_00)
    assert paid(benefits(claims=({"amount": 100_00},))) == (2_900_00, 500_00, 0)


def test_a_death_that_was_none_takes_its_claim_back() -> None:
    late = ({"month": OCTOBER, "pool": 3_000_00, "account": 500_00},)
    assert paid(benefits(corrections=late, claims=({"amount": 3_500_00},))) == (2_500_00, 1_000_00, 0)


def test_what_cannot_be_paid_now_is_not_counted_as_paid() -> None:
    outcome = benefits(corrections=({"month": SEPTEMBER, "pool": 40_00},), bank=0)
    assert (paid(outcome), outcome.payments.corrected.tolist()) == ((0, 0, 0), [0])


def test_a_benefit_limited_in_time_is_paid_to_its_end() -> None:
    outcome = benefits(paid_through=SEPTEMBER, until=OCTOBER)
    assert (outcome.payments.months.tolist(), paid(outcome)) == ([1], (3_000_00, 500_00, 0))
