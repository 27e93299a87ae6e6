# SPDX-License-Identifier: Apache-2.0
"""A run in figures: by fund, by township, who is held back, what each step counted. Made once per run and kept.

Everything here is a sum over the month file; it is no part of the result and can be made again at any time.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from hub.settlement.county import booking
from hub.settlement.county.columns import AMOUNTS, FUND_OF, FUNDS, Inputs, Ints, Outcome, Payees, Rates, Table
from hub.settlement.county.paying import HELD
from hub.settlement.county.runs import County
from schema import database


@dataclass(frozen=True)
class Fund:
    """One fund's month, in fen and persons. `due`: assessed for this month; `income`: what arrived for it, of any
    month; `unpaid`: arrears at the end; `paid`: benefits.
    """

    name: str
    due_fen: int
    income_fen: int
    unpaid_fen: int
    payees: int
    paid_fen: int


@dataclass(frozen=True)
class Township:
    """The same by where people live, all funds together. `code` is empty for who lives nowhere we know."""

    code: str
    insured: int
    due_fen: int
    income_fen: int
    payees: int
    paid_fen: int


@dataclass(frozen=True)
class Held:
    """Payments that wait: why, how many, how much for the months that were not paid."""

    reason: str
    payments: int
    fen: int


@dataclass(frozen=True)
class Summary:
    """What the pages and commands tell of a run. `counts`: of single steps, by name."""

    funds: tuple[Fund, ...]
    townships: tuple[Township, ...]
    held: tuple[Held, ...]
    counts: dict[str, int]

    @property
    def paid_fen(self) -> int:
        return sum(fund.paid_fen for fund in self.funds)

    @property
    def income_fen(self) -> int:
        return sum(fund.income_fen for fund in self.funds)

    def to_json(self) -> dict[str, Any]:
        """As it is kept, and for scripts."""
        return asdict(self)


def from_json(kept: dict[str, Any]) -> Summary:
    """The opposite of `Summary.to_json`."""
    return Summary(
        tuple(Fund(**row) for row in kept["funds"]), tuple(Township(**row) for row in kept["townships"]),
        tuple(Held(**row) for row in kept["held"]), kept["counts"],
    )  # fmt: skip


def of(county: County, settled: str) -> Summary:
    """Of the run that counts; made and kept when nobody asked before. Raises UnknownSubject, StoreError."""
    with county.store.read() as db:
        run_id = county.get(db, settled)["run_id"]
        if (found := find(db, run_id)) is not None:
            return found
        with county.open(settled) as file:
            inputs, outcome, who = file.inputs(), file.outcome(), file.who()
        places = places_of(db, who.persons)
    made = make(inputs, outcome, county.rates(settled), places)
    with county.store.write() as db:
        database.upsert(db, "month_summary", {"run_id": run_id, "figures": json.dumps(made.to_json())})
    return made


def find(db: Any, run_id: str) -> Summary | None:
    """The one that was kept."""
    row = db.execute("SELECT figures FROM month_summary WHERE run_id = ?", (run_id,)).fetchone()
    return from_json(json.loads(row[0])) if row else None


def make(inputs: Inputs, outcome: Outcome, rates: Rates, places: list[str]) -> Summary:
    """`places`: the township of each person, by number."""
    return Summary(
        tuple(_funds(outcome)), tuple(_townships(inputs, outcome, places)), tuple(_held(inputs, outcome)),
        _counts(inputs, outcome, rates),
    )  # fmt: skip


def places_of(db: Any, persons: list[bytes]) -> list[str]:
    """The township of each person now; '' for who is in the register no more or lives nowhere known."""
    known = {bytes(row[0]): row[1] for row in db.execute("SELECT id, substr(village, 1, 9) FROM person")}
    return [known.get(person) or "" for person in persons]


def waiting_months(payees: Payees, month: int) -> Ints:
    """How many months of each benefit were not paid yet before this one was."""
    return np.maximum(np.minimum(month, payees.until) - payees.paid_through, 0)


def due_of(lines: Table) -> Ints:
    """What a row of amounts comes to."""
    return sum((getattr(lines, name) for name in AMOUNTS), np.zeros(len(lines), np.int64))


def _funds(outcome: Outcome) -> list[Fund]:
    ledger, payments = outcome.ledger, outcome.payments
    paid = payments.pool + payments.account
    out = []
    for place, name in enumerate(FUNDS):
        mine = payments.kind == place
        income = ledger.amount[(ledger.fund == place) & (ledger.event == booking.CONTRIBUTION)]
        out.append(Fund(
            name, _of_fund(outcome.assessed, name), int(income.sum()), _of_fund(outcome.unpaid, name),
            int((mine & (paid > 0)).sum()), int(paid[mine].sum()),
        ))  # fmt: skip
    return out


def _of_fund(lines: Table, fund: str) -> int:
    return sum(int(getattr(lines, name).sum()) for name, of in zip(AMOUNTS, FUND_OF, strict=True) if of == fund)


def _townships(inputs: Inputs, outcome: Outcome, places: list[str]) -> list[Township]:
    codes = sorted(set(places))
    number = {code: n for n, code in enumerate(codes)}
    of = np.array([number[place] for place in places], np.int64)

    def sums(persons: Ints, values: Ints) -> Ints:
        out = np.zeros(len(codes), np.int64)
        np.add.at(out, of[persons], values)
        return out

    assessed, payments = outcome.assessed, outcome.payments
    paid = payments.pool + payments.account
    due = sums(assessed.person, due_of(assessed))
    owed = due + sums(inputs.arrears.person, due_of(inputs.arrears))
    owed += sums(outcome.adjusted.person, outcome.adjusted.more - outcome.adjusted.cancelled)
    income = owed - sums(outcome.unpaid.person, due_of(outcome.unpaid))
    people = np.unique(assessed.person)
    insured = sums(people, np.ones(len(people), np.int64))
    payees, benefits = sums(payments.person, (paid > 0).astype(np.int64)), sums(payments.person, paid)
    figures = zip(codes, *(part.tolist() for part in (insured, due, income, payees, benefits)), strict=True)
    return sorted((Township(*row) for row in figures if any(row[1:])), key=lambda t: (-t.due_fen, t.code))


def _held(inputs: Inputs, outcome: Outcome) -> list[Held]:
    """Payments and payees are the same rows in the same order."""
    payees, held = inputs.payees, outcome.payments.held
    waits = (payees.pool + payees.account) * waiting_months(payees, inputs.month)
    out = [Held(reason, int((held == n).sum()), int(waits[held == n].sum())) for n, reason in enumerate(HELD) if n]
    return sorted((one for one in out if one.payments), key=lambda one: -one.payments)


def _counts(inputs: Inputs, outcome: Outcome, rates: Rates) -> dict[str, int]:
    o, people, units = outcome, inputs.contributors, inputs.units
    silent = units.declared[people.unit] == 0
    unpaid = due_of(o.unpaid)
    return {
        "contributors": len(people), "payers": len(np.unique(people.unit)),
        "raised": int(((people.wage < rates.floor) & ~silent).sum()),
        "lowered": int(((people.wage > rates.cap) & ~silent).sum()),
        "assessed_fen": int(due_of(o.assessed).sum()), "bills": int((o.bills.month == inputs.month).sum()),
        "silent_units": len(np.unique(people.unit[silent])),
        "received_fen": int(units.received.sum()), "paying_units": int((units.received > 0).sum()),
        "allocated_fen": int(o.payers.allocated.sum()), "suspense_fen": int(o.payers.suspense.sum()),
        "owing_units": len(np.unique(o.unpaid.unit)), "unpaid_fen": int(unpaid.sum()),
        "late_fee_fen": int(o.payers.late_fee.sum()), "fee_owed_fen": int(o.payers.fee_owed.sum()),
        "credited": int((o.postings.months > 0).sum()),
        "credited_fen": int(o.postings.credit_pension.sum() + o.postings.credit_medical.sum()),
        "payees": int((o.payments.months > 0).sum()), "held": int((o.payments.held > 0).sum()),
        "paid_fen": int((o.payments.pool + o.payments.account).sum()),
        "journal_lines": len(o.ledger), "booked_fen": int(o.ledger.amount.sum()),
    }  # fmt: skip
