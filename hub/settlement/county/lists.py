# SPDX-License-Identifier: Apache-2.0
"""The lists of a month: fund to payer to person, township to person, payees, who is held back, who owes what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hub.settlement.county import booking
from hub.settlement.county.columns import AMOUNTS, FUND_OF, FUNDS, OWN_PART, Ints, Table
from hub.settlement.county.listing import Column, Listing, Words, payers, persons
from hub.settlement.county.month_file import MonthFile
from hub.settlement.county.paying import HELD
from hub.settlement.county.payout import BANK_CHANGED, CHANGED
from hub.settlement.county.summary import due_of, places_of, waiting_months
from hub.settlement.inputs import month_named
from hub.settlement.stops import REPORTED
from schema.errors import UnknownSubject

# Why a payment waits, by number: known when the month was computed, or found out on the day of payment.
REASONS = (*HELD, CHANGED, BANK_CHANGED, REPORTED)
_SHIFT = 1 << 32

_NAME, _NUMBER, _VILLAGE = Column("name", "text"), Column("id_number", "idno"), Column("village", "text")
PERSON = (_NAME, _NUMBER, _VILLAGE)


def fens(*names: str) -> tuple[Column, ...]:
    """Columns of amounts."""
    return tuple(Column(name, "fen") for name in names)


def payers_of(file: MonthFile, fund: str) -> Listing:
    """Who pays into a fund: persons, due for this month, what arrived for it, what is owed at the end."""
    names = [name for name, of in zip(AMOUNTS, FUND_OF, strict=True) if of == fund]
    who, assessed, unpaid, ledger = (file.who().units, *(file.table(n) for n in ("assessed", "unpaid", "ledger")))
    due, covered = _sum(assessed, names), np.zeros(len(who), np.int64)
    np.add.at(covered, assessed.unit[due > 0], 1)
    income = (ledger.fund == FUNDS.index(fund)) & (ledger.event == booking.CONTRIBUTION)
    figures = {
        "persons": covered, "due_fen": _at(len(who), assessed.unit, due),
        "paid_fen": _at(len(who), ledger.unit[income], ledger.amount[income]),
        "unpaid_fen": _at(len(who), unpaid.unit, _sum(unpaid, names)),
    }  # fmt: skip
    columns = (_NAME, _NUMBER, Column("persons", "count"), *fens("due_fen", "paid_fen", "unpaid_fen"))
    return _some(columns, who, figures, payers, "due_fen", "payer")


def bills_of(file: MonthFile) -> Listing:
    """Each payer's bill for this month by amount, and what it still owes of earlier ones."""
    who, assessed, arrears = file.who().units, file.table("assessed"), file.table("arrears")
    figures = {f"{name}_fen": _at(len(who), assessed.unit, getattr(assessed, name)) for name in AMOUNTS}
    figures |= {"due_fen": _at(len(who), assessed.unit, due_of(assessed)),
                "arrears_fen": _at(len(who), arrears.unit, due_of(arrears))}  # fmt: skip
    return _some((_NAME, _NUMBER, *fens(*figures)), who, figures, payers, "due_fen", "payer")


def payees_of(file: MonthFile, fund: str) -> Listing:
    """Who draws from a fund, for how many months, from the pool and from the account."""
    paid = file.table("payments")
    mine = paid.take((paid.kind == FUNDS.index(fund)) & (paid.pool + paid.account > 0))
    figures = {"months": mine.months, "pool_fen": mine.pool, "account_fen": mine.account,
               "paid_fen": mine.pool + mine.account}  # fmt: skip
    columns = (*PERSON, Column("months", "count"), *fens("pool_fen", "account_fen", "paid_fen"))
    return _listing(columns, _ids(file.who().persons, mine.person), figures, persons, "paid_fen", "person")


def people_of(file: MonthFile, unit_id: bytes) -> Listing:
    """Everybody of a payer: base, what was due of whom, what of it and of earlier months was paid and is owed."""
    who = file.who()
    if unit_id not in who.units:
        raise UnknownSubject("这个月没有这个单位", "there is no such payer in this month")
    unit = who.units.index(unit_id)
    names = ("assessed", "arrears", "unpaid", "adjusted")
    assessed, arrears, unpaid, adjusted = (file.rows_of(name, unit, "unit") for name in names)
    people = np.unique(np.concatenate([table.person for table in (assessed, arrears, unpaid, adjusted)]))

    def of(table: Any, values: Ints) -> Ints:
        return _at(len(people), np.searchsorted(people, table.person), values)

    owed = of(assessed, due_of(assessed)) + of(arrears, due_of(arrears))
    owed, left = owed + of(adjusted, adjusted.more - adjusted.cancelled), of(unpaid, due_of(unpaid))
    own = [name for name, mine in zip(AMOUNTS, OWN_PART, strict=True) if mine]
    figures = {
        "base_fen": of(assessed, assessed.base), "due_fen": of(assessed, due_of(assessed)),
        "own_fen": of(assessed, _sum(assessed, own)), "paid_fen": owed - left, "unpaid_fen": left,
    }  # fmt: skip
    columns = (*PERSON, *fens("base_fen", "due_fen", "own_fen", "paid_fen", "unpaid_fen"))
    return _listing(columns, _ids(who.persons, people), figures, persons, "due_fen", "person")


def people_in(db: Any, file: MonthFile, code: str) -> Listing:
    """Everybody of a township whom the month did something to."""
    who = file.who().persons
    here = np.array([place == code for place in places_of(db, who)], bool)
    if not here.any():
        raise UnknownSubject("没有这个乡镇，或没有人住在那里", "no such township, or nobody lives there")
    assessed, arrears, unpaid, adjusted, postings, payments = (
        file.table(name) for name in ("assessed", "arrears", "unpaid", "adjusted", "postings", "payments")
    )

    def of(table: Any, values: Ints) -> Ints:
        return _at(len(who), table.person, values)

    due = of(assessed, due_of(assessed))
    owed = due + of(arrears, due_of(arrears)) + of(adjusted, adjusted.more - adjusted.cancelled)
    credit = postings.credit_pension + postings.credit_medical
    figures = {
        "due_fen": due, "paid_fen": owed - of(unpaid, due_of(unpaid)),
        "unpaid_fen": of(unpaid, due_of(unpaid)), "credit_fen": of(postings, credit),
        "benefit_fen": of(payments, payments.pool + payments.account),
    }  # fmt: skip
    figures = {name: np.where(here, values, 0) for name, values in figures.items()}
    columns = (*PERSON, *fens(*figures))
    return _some(columns, who, figures, persons, "benefit_fen", "person")


def held_back(db: Any, file: MonthFile) -> Listing:
    """Payments that wait: of which fund, why, for how many months, how much. Those taken out on the day of payment
    are among them."""
    who, month = file.who().persons, file.about()["month"]
    payees, payments = file.table("payees"), file.table("payments")
    months = waiting_months(payees, month)
    waits = (payees.pool + payees.account) * months
    late = {
        (bytes(row["person_id"]), row["fund"]): REASONS.index(row["reason"])
        for row in db.execute("SELECT * FROM month_held WHERE month = ?", (month_named(month),))
    }
    held = payments.held.copy()
    if late:
        for n, (person, fund) in enumerate(zip(payments.person.tolist(), payments.kind.tolist(), strict=True)):
            held[n] = held[n] or late.get((who[person], FUNDS[fund]), 0)
    rows = held > 0
    figures = {"fund": payments.kind[rows], "held": held[rows], "months": months[rows], "waits_fen": waits[rows]}
    columns = (*PERSON, Column("fund", "fund"), Column("held", "held"), Column("months", "count"), *fens("waits_fen"))
    return _listing(columns, _ids(who, payments.person[rows]), figures, persons, "waits_fen", "person")


def arrears_of(file: MonthFile) -> Listing:
    """Who owes: since when, how many months, how much of them, and the late fees on what was paid late."""
    unpaid, payers_, who = file.table("unpaid"), file.table("payers"), file.who().units
    units = np.union1d(unpaid.unit, payers_.unit[payers_.fee_owed > 0])
    place = np.searchsorted(units, unpaid.unit)
    bills = np.unique(unpaid.unit * _SHIFT + unpaid.month)
    since = np.full(len(units), file.about()["month"], np.int64)
    np.minimum.at(since, place, unpaid.month)
    people = np.unique(place * _SHIFT + unpaid.person)
    figures = {
        "since": since, "months": _times(len(units), np.searchsorted(units, bills // _SHIFT)),
        "persons": _times(len(units), people // _SHIFT),
        "unpaid_fen": _at(len(units), place, due_of(unpaid)), "fee_owed_fen": payers_.fee_owed[units],
    }  # fmt: skip
    columns = (_NAME, _NUMBER, Column("since", "month"), Column("months", "count"), Column("persons", "count"),
               *fens("unpaid_fen", "fee_owed_fen"))  # fmt: skip
    return _listing(columns, _ids(who, units), figures, payers, "unpaid_fen", "payer")


def _sum(table: Table, names: Sequence[str]) -> Ints:
    return sum((getattr(table, name) for name in names), np.zeros(len(table), np.int64))


def _at(count: int, places: Ints, values: Ints) -> Ints:
    """Sums of the values by place."""
    out = np.zeros(count, np.int64)
    np.add.at(out, places, values)
    return out


def _times(count: int, places: Any) -> Ints:
    """How often each place is named."""
    return np.bincount(places, minlength=count).astype(np.int64)


def _ids(who: list[bytes], numbers: Ints) -> list[bytes]:
    return [who[n] for n in numbers.tolist()]


def _some(
    columns: tuple[Column, ...], ids: list[bytes], figures: dict[str, Ints], words: Words, first: str, links: str
) -> Listing:
    """The rows that have any figure."""
    some = np.flatnonzero(sum((np.abs(values) for values in figures.values()), np.zeros(len(ids), np.int64)))
    return _listing(columns, _ids(ids, some), {k: v[some] for k, v in figures.items()}, words, first, links)


def _listing(
    columns: tuple[Column, ...], ids: list[bytes], figures: dict[str, Ints], words: Words, first: str, links: str
) -> Listing:
    sums = {column.name: int(figures[column.name].sum()) for column in columns if column.right}
    return Listing(columns, ids, figures, words, first, links, sums)
