# SPDX-License-Identifier: Apache-2.0
"""The columns against a slow reckoning: one person, one month after the other, in fractions."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.settlement import kernel
from hub.settlement.kernel import ACTIVE, ENDED, HELD, NONE, SEVERAL, SUSPENDED, Columns
from schema.errors import WrongState

NOW = 2026 * 12 + 10
YEARS_BACK = 120


@dataclass(frozen=True)
class Person:
    """What the month must know of one person, in plain numbers."""

    opening: int
    contribution: int
    subsidy: int
    benefit: int
    alive: bool
    bank: bool
    from_month: int
    paid_through: int
    basic: int
    account: int
    extra: int


fen = st.one_of(st.just(0), st.integers(0, 2_000_00), st.integers(0, 2**27))
people = st.builds(
    Person,
    opening=st.one_of(st.just(0), st.integers(0, 3_000_00), st.integers(0, 2**39)),
    contribution=fen,
    subsidy=fen,
    benefit=st.sampled_from([NONE, ACTIVE, ACTIVE, ACTIVE, SUSPENDED, ENDED, SEVERAL]),
    alive=st.booleans(),
    bank=st.booleans(),
    from_month=st.integers(NOW - YEARS_BACK, NOW + 3),
    paid_through=st.one_of(st.just(-1), st.integers(NOW - YEARS_BACK, NOW + 1)),
    basic=fen,
    account=fen,
    extra=fen,
)


def columns(persons: list[Person]) -> Columns:
    names = Person.__dataclass_fields__
    kinds = {"alive": bool, "bank": bool}
    return Columns(**{n: np.array([getattr(p, n) for p in persons], dtype=kinds.get(n, np.int64)) for n in names})


def slowly(p: Person) -> tuple[str, int, Fraction, Fraction]:
    """(why held, months paid, fen paid, closing balance), month by month."""
    balance = Fraction(p.opening) + p.contribution + p.subsidy
    due = [m for m in range(p.from_month, NOW + 1) if m > p.paid_through] if p.benefit != NONE else []
    if p.benefit == SEVERAL:
        return "several", 0, Fraction(0), balance
    if p.benefit == ENDED:
        return "ended", 0, Fraction(0), balance
    if not due:
        return "", 0, Fraction(0), balance
    if p.benefit == SUSPENDED:
        return "suspended", 0, Fraction(0), balance
    if not p.alive:
        return "dead", 0, Fraction(0), balance
    if p.basic + p.account + p.extra == 0:
        return "no_amount", 0, Fraction(0), balance
    if not p.bank:
        return "no_bank_account", 0, Fraction(0), balance
    paid = Fraction(0)
    for _ in due:
        paid += Fraction(p.basic) + p.account + p.extra
        balance -= min(balance, Fraction(p.account))
    return "", len(due), paid, balance


@settings(deadline=None)
@given(st.lists(people, max_size=20))
def test_every_line_agrees_with_the_slow_reckoning(persons: list[Person]) -> None:
    lines = kernel.settle(NOW, columns(persons))
    for i, person in enumerate(persons):
        why, months, paid, closing = slowly(person)
        assert (HELD[lines.held[i]], int(lines.months[i])) == (why, months)
        assert (int(lines.payable[i]), int(lines.closing[i])) == (paid, closing)


@settings(deadline=None)
@given(st.lists(people, max_size=20))
def test_no_fen_appears_or_goes(persons: list[Person]) -> None:
    c = columns(persons)
    lines = kernel.settle(NOW, c)
    assert (c.opening + c.contribution + c.subsidy - lines.from_account == lines.closing).all()
    assert (lines.closing >= 0).all() and (lines.from_account >= 0).all()
    assert (lines.from_account <= lines.payable).all()
    assert (lines.payable == lines.basic + lines.account + lines.extra + lines.arrears).all()
    assert (lines.payable[lines.held > 0] == 0).all()


@settings(deadline=None)
@given(st.lists(people, min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_the_order_of_persons_does_not_matter(persons: list[Person], random: object) -> None:
    order = list(range(len(persons)))
    random.shuffle(order)  # type: ignore[attr-defined]
    straight = kernel.settle(NOW, columns(persons))
    shuffled = kernel.settle(NOW, columns([persons[i] for i in order]))
    for name in vars(straight):
        assert (getattr(straight, name)[order] == getattr(shuffled, name)).all()


@pytest.mark.parametrize("change", [
    {"opening": -1}, {"opening": 2**40}, {"contribution": 2**30}, {"subsidy": -1}, {"basic": 2**28}, {"account": -5},
    {"from_month": -5000, "paid_through": -5000},
])  # fmt: skip
def test_what_could_overflow_is_refused_before_it_is_computed(change: dict[str, int]) -> None:
    person = Person(0, 0, 0, ACTIVE, True, True, NOW, -1, 1, 1, 0)
    with pytest.raises(WrongState) as caught:
        kernel.settle(NOW, columns([Person(**(vars(person) | change))]))
    assert caught.value.code == "out_of_range"


def test_the_bounds_leave_room_for_every_sum() -> None:
    most = kernel.AMOUNT_LIMIT_FEN * kernel.MONTHS_LIMIT * kernel.PERSONS_LIMIT
    balances = (kernel.BALANCE_LIMIT_FEN + 2 * kernel.AMOUNT_LIMIT_FEN) * kernel.PERSONS_LIMIT
    assert max(most, balances) < 2**63
