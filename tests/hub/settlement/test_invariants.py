# SPDX-License-Identifier: Apache-2.0
"""Any mix of receipts and benefits, over several months: no fen is lost, made up, or paid twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from fractions import Fraction
from itertools import count
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub import ledger, pack
from schema import period
from tests.hub.settlement.conftest import SCHEME, County

MONTHS = ("2026-11", "2026-12", "2027-01")
_names = count()

receipts = st.tuples(
    st.integers(0, 5), st.sampled_from([50_00, 100_00, 300_00, 500_00, 1234_56]), st.sampled_from(["2025", "2026"]),
    st.integers(0, 2),
)  # fmt: skip
benefits = st.fixed_dictionaries(
    {
        "basic_fen": st.integers(0, 500_00), "account_fen": st.integers(0, 300_00),
        "from_month": st.sampled_from(["2026-09", "2026-11", "2026-12", "2027-03"]),
        "paid_through": st.sampled_from([None, "2026-10"]), "state": st.sampled_from(["active", "active", "suspended"]),
    }
)  # fmt: skip
people = st.lists(
    st.tuples(st.integers(0, 900_00), st.one_of(st.none(), benefits), st.booleans(), st.booleans()),
    min_size=1,
    max_size=6,
)


def subsidy_of(year: str, total_fen: int) -> int:
    table = pack.parameters().at("resident_pension/subsidy_fen", datetime(int(year), 12, 31).date()).table
    return max((amount for grade, amount in table.items() if grade <= total_fen), default=0)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(people=people, money=st.lists(receipts, max_size=10))
def test_any_county_keeps_every_invariant_for_three_months(
    make_county: Callable[[str], County], people: list[Any], money: list[Any]
) -> None:
    county = make_county(f"county{next(_names)}")
    persons = [county.person(balance_fen=balance, life="1" if alive else "2") for balance, _, alive, _ in people]
    for who, (_, benefit, _, bank) in zip(persons, people, strict=True):
        if bank:
            county.bank(who)
        if benefit:
            county.benefit(who, **benefit)
    expected = {who: Fraction(balance) for who, (balance, *_) in zip(persons, people, strict=True)}
    paid_for: dict[bytes, set[str]] = defaultdict(set)
    totals: dict[tuple[bytes, str], int] = defaultdict(int)
    spent = Fraction(0)
    for n, settled in enumerate(MONTHS):
        county.clock.at = datetime(int(settled[:4]), int(settled[5:]), 20, tzinfo=UTC)
        for who, amount_fen, year, _ in [m for m in money if m[3] == n and m[0] < len(persons)]:
            county.receipt(persons[who], amount_fen, year=year, on=f"{settled}-10")
            key = persons[who], year
            expected[persons[who]] += (
                amount_fen + subsidy_of(year, totals[key] + amount_fen) - subsidy_of(year, totals[key])
            )
            totals[key] += amount_fen
        for who, (_, benefit, alive, bank) in zip(persons, people, strict=True):
            if benefit and alive and bank and benefit["state"] == "active":
                spent += draw(benefit, settled, expected, who, paid_for[who])
        county.settle(settled)
        check(county, expected, spent)
    assert all(r["state"] == "posted" for r in county.rows("SELECT state FROM receipt"))


def draw(
    benefit: dict[str, Any], settled: str, expected: dict[bytes, Fraction], who: bytes, done: set[str]
) -> Fraction:
    """One month at a time, each at most once; the account pays its part as long as it lasts."""
    spent = Fraction(0)
    month = benefit["from_month"]
    while month <= settled:
        if (
            month > (benefit["paid_through"] or "")
            and month not in done
            and benefit["basic_fen"] + benefit["account_fen"]
        ):
            done.add(month)
            spent += benefit["basic_fen"] + benefit["account_fen"]
            expected[who] -= min(expected[who], Fraction(benefit["account_fen"]))
        month = period.add_months(month, 1)
    return spent


def check(county: County, expected: dict[bytes, Fraction], spent: Fraction) -> None:
    with county.store.read() as db:
        books = ledger.trial_balance(db, SCHEME)
        spending = ledger.balance(db, SCHEME, "5001-01")
        income = ledger.balance(db, SCHEME, "4001-02") + ledger.balance(db, SCHEME, "4002")
    assert books.balanced
    assert spending == spent
    for who, balance in expected.items():
        assert county.balance(who) == balance
    sums = county.rows("SELECT sum(contribution_fen + subsidy_fen) credits, sum(benefit_fen) benefits FROM statement")[
        0
    ]
    assert (sums["credits"] or 0, sums["benefits"] or 0) == (income, spent)
    moved = "opening_fen + contribution_fen + subsidy_fen - from_account_fen"
    assert county.rows(f"SELECT * FROM settlement_line WHERE {moved} <> closing_fen OR closing_fen < 0") == []
