# SPDX-License-Identifier: Apache-2.0
"""The month's tables as columns: every column is int64, every table is named tuples of columns in a fixed order.

Amounts are fen. Persons and units are numbered 0.. in the order of their ids in the register; months are counted as
year x 12 + month - 1; days as the proleptic Gregorian ordinal. A table's order of rows is part of it: the root of a
month is taken over rows in that order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

EMPLOYEE, FLEXIBLE = 0, 1
NO_END = 2**15 - 1
# What a month of insurance consists of, in the order in which a payment that does not suffice is used up:
# 社会保险费 of the person first, so that what the employer withheld counts for the person.
AMOUNTS = (
    "pension_employee", "pension_employer", "medical_employee", "medical_employer", "unemployment_employee",
    "unemployment_employer", "work_injury", "maternity",
)  # fmt: skip
# The fund that each of them belongs to, and whether it is the person's own part.
FUND_OF = ("pension", "pension", "medical", "medical", "unemployment", "unemployment", "injury", "medical")
OWN_PART = (True, False, True, False, True, False, False, False)
FUNDS = ("pension", "medical", "unemployment", "injury", "resident_pension")
# Which fund pays which benefit.
FUND_OF_KIND = {"employee_pension": "pension", "resident_pension": "resident_pension", "unemployment": "unemployment",
                 "work_injury": "injury", "maternity": "medical", "employee_medical": "medical"}  # fmt: skip


@dataclass(frozen=True)
class Table:
    """Columns of equal length."""

    def __len__(self) -> int:
        return len(getattr(self, fields(self)[0].name))

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """The columns in their order."""
        return tuple(f.name for f in fields(cls))

    def columns(self) -> Iterator[tuple[str, Ints]]:
        """(name, values), in order."""
        for name in self.names():
            yield name, getattr(self, name)

    def take(self, where: NDArray[np.bool_] | Ints) -> Self:
        """The rows that these flags or places name."""
        return type(self)(**{name: values[where] for name, values in self.columns()})

    @classmethod
    def empty(cls) -> Self:
        return cls(**{name: np.zeros(0, np.int64) for name in cls.names()})

    @classmethod
    def joined(cls, one: Table, other: Table) -> Self:
        """Rows of both, the columns of this table."""
        return cls(**{n: np.concatenate((getattr(one, n), getattr(other, n))) for n in cls.names()})


@dataclass(frozen=True)
class Contributors(Table):
    """Who is insured through work this month, by (unit, person). `covered`: bits of pension 1, medical 2, others 4.

    `last_...`: what was due of them last month; used where the unit has declared nothing (社会保险法 62).
    """

    person: Ints
    unit: Ints
    wage: Ints
    kind: Ints
    covered: Ints
    last_pension_employee: Ints
    last_pension_employer: Ints
    last_medical_employee: Ints
    last_medical_employer: Ints
    last_unemployment_employee: Ints
    last_unemployment_employer: Ints
    last_work_injury: Ints
    last_maternity: Ints


@dataclass(frozen=True)
class Units(Table):
    """Payers, by number: employers, and flexible workers, each of whom pays for one.

    `injury_rate`: per million of the base. `declared`: 0 where nothing was. `received`: what arrived this month,
    the last of it on day `received_on`; `carried`: what arrived earlier and nothing was due for; `fee_owed`: late fees
    of earlier months.
    """

    unit: Ints
    injury_rate: Ints
    declared: Ints
    carried: Ints
    received: Ints
    received_on: Ints
    fee_owed: Ints


@dataclass(frozen=True)
class Lines(Table):
    """What is due of a person for a month, by (unit, month, billed, person): of this month, or carried over.

    `billed`: the month whose due day counts for the late fee: the month itself, or that of the bill in which late work
    was first asked for. `credit_...` and `months`: what goes to the person's account, and whether a month of insurance
    does, when the pension or the medical part is paid in full.
    """

    unit: Ints
    month: Ints
    billed: Ints
    person: Ints
    pension_employee: Ints
    pension_employer: Ints
    medical_employee: Ints
    medical_employer: Ints
    unemployment_employee: Ints
    unemployment_employer: Ints
    work_injury: Ints
    maternity: Ints
    credit_pension: Ints
    credit_medical: Ints
    months: Ints


@dataclass(frozen=True)
class Accounts(Table):
    """Individual accounts before the month, by person: pension (employee scheme) and medical."""

    person: Ints
    pension: Ints
    pension_months: Ints
    medical: Ints


@dataclass(frozen=True)
class Payees(Table):
    """Benefits in force, by (person, kind). `kind`: place in `FUNDS` of the fund that pays; `alive`, `bank`: 0 or 1.

    `paid_through` is the last month paid, or the month before the first; `until`: the last month of a benefit that is
    limited in time, `NO_END` otherwise.
    """

    person: Ints
    kind: Ints
    state: Ints
    alive: Ints
    bank: Ints
    paid_through: Ints
    until: Ints
    pool: Ints
    account: Ints


@dataclass(frozen=True)
class Adjustments(Table):
    """What late work changes of closed months, by (unit, month, person): the difference to what was booked so far.

    Signed; `billed` and the rest as in `Lines`.
    """

    unit: Ints
    month: Ints
    billed: Ints
    person: Ints
    pension_employee: Ints
    pension_employer: Ints
    medical_employee: Ints
    medical_employer: Ints
    unemployment_employee: Ints
    unemployment_employer: Ints
    work_injury: Ints
    maternity: Ints
    credit_pension: Ints
    credit_medical: Ints
    months: Ints


@dataclass(frozen=True)
class Corrections(Table):
    """What late work changes of benefits paid for closed months, by (person, kind, month); signed."""

    person: Ints
    kind: Ints
    month: Ints
    pool: Ints
    account: Ints


@dataclass(frozen=True)
class Claims(Table):
    """Benefits paid too much and not yet back, by (person, kind)."""

    person: Ints
    kind: Ints
    amount: Ints


@dataclass(frozen=True)
class Inputs:
    """Everything a month depends on besides parameters and code."""

    month: int
    contributors: Contributors
    units: Units
    arrears: Lines
    accounts: Accounts
    payees: Payees
    adjustments: Adjustments = field(default_factory=Adjustments.empty)
    corrections: Corrections = field(default_factory=Corrections.empty)
    claims: Claims = field(default_factory=Claims.empty)

    def tables(self) -> dict[str, Table]:
        """By name, in the order in which they are hashed."""
        return {name: value for name, value in vars(self).items() if isinstance(value, Table)}


@dataclass(frozen=True)
class Who:
    """The ids behind the numbers. A unit's is that of an employer, or of a flexible worker, who pays alone."""

    persons: list[bytes]
    units: list[bytes]


@dataclass(frozen=True)
class Assessed(Table):
    """What is due for this month, by (unit, person); `base` is the contribution base, 0 where 110 % was taken."""

    person: Ints
    unit: Ints
    base: Ints
    pension_employee: Ints
    pension_employer: Ints
    medical_employee: Ints
    medical_employer: Ints
    unemployment_employee: Ints
    unemployment_employer: Ints
    work_injury: Ints
    maternity: Ints


@dataclass(frozen=True)
class Bills(Table):
    """One per (unit, month, billed) with anything due: due, paid, and the late fee on what was paid late."""

    unit: Ints
    month: Ints
    billed: Ints
    due: Ints
    paid: Ints
    late_fee: Ints


@dataclass(frozen=True)
class Payers(Table):
    """What became of each unit's money: carried + received + returned = allocated + late_fee + suspense.

    `returned`: paid for an earlier month and not due by what is known now.
    """

    unit: Ints
    carried: Ints
    received: Ints
    returned: Ints
    allocated: Ints
    late_fee: Ints
    suspense: Ints
    fee_owed: Ints


@dataclass(frozen=True)
class Postings(Table):
    """Accounts after the month, of everybody credited, assessed or adjusted: by person. What was undone is negative."""

    person: Ints
    credit_pension: Ints
    credit_medical: Ints
    months: Ints
    pension: Ints
    pension_months: Ints
    medical: Ints


@dataclass(frozen=True)
class Payments(Table):
    """What is paid to each payee, by (person, kind). `held`: 0, or why the `months` wait.

    `pool` and `account` are what goes to the bank: the months, and `corrected` of earlier ones, less `deducted` for
    what was paid too much.
    """

    person: Ints
    kind: Ints
    held: Ints
    months: Ints
    corrected: Ints
    deducted: Ints
    pool: Ints
    account: Ints


@dataclass(frozen=True)
class Adjusted(Table):
    """What became of each adjustment, by (unit, month, person): `more` is due, `cancelled` was not paid yet, `returned`
    was paid and goes back to the payer; `undone_...`: taken off the person's account again.
    """

    unit: Ints
    month: Ints
    person: Ints
    more: Ints
    cancelled: Ints
    returned: Ints
    undone_pension: Ints
    undone_medical: Ints
    undone_months: Ints


@dataclass(frozen=True)
class Recoveries(Table):
    """Benefits paid too much, by (person, kind): carried + added - deducted = open."""

    person: Ints
    kind: Ints
    carried: Ints
    added: Ints
    deducted: Ints
    open: Ints


@dataclass(frozen=True)
class Ledger(Table):
    """Journal lines: `fund` is a place in FUNDS, `debit` and `credit` are accounts (domain: 4.1), by all columns."""

    fund: Ints
    event: Ints
    unit: Ints
    debit: Ints
    credit: Ints
    amount: Ints


@dataclass(frozen=True)
class Outcome:
    """What the month comes to. `unpaid` is carried over to the next month."""

    assessed: Assessed
    bills: Bills
    payers: Payers
    unpaid: Lines
    postings: Postings
    payments: Payments
    ledger: Ledger
    adjusted: Adjusted
    recoveries: Recoveries

    def tables(self) -> dict[str, Table]:
        """By name, in the order in which they are hashed."""
        return dict(vars(self))


@dataclass(frozen=True)
class Rates:
    """The parameters of one month as numbers: per ten thousand of the base, limits in fen.

    `fee_points`: for each day from `fee_from` on (an ordinal), the sum of the daily late-fee rates up to that day, per
    ten thousand; `fee_cap_percent` of the principal at most. `due_day`: the day of the following month on which a month
    is due. `recovery_percent`: how much of a month's benefit may be kept for what was paid too much.
    """

    floor: int
    cap: int
    employee: tuple[int, ...]
    flexible_pension: int
    flexible_medical: int
    account: int
    undeclared_percent: int
    fee_from: int
    fee_points: Ints
    fee_cap_percent: int
    due_day: int
    recovery_percent: int = 0
