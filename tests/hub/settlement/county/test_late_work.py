# SPDX-License-Identifier: Apache-2.0
"""Whatever the order in which cases arrive, and however many months were closed in between: everybody's totals are the
same once all has arrived.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from hub import pack
from hub.settlement.county import controls, freeze, kernel, month_file
from hub.settlement.county.columns import AMOUNTS, Outcome
from hub.settlement.county.earlier import Earlier
from hub.settlement.county.parameters import rates_of
from hub.settlement.inputs import number_of
from schema import database
from schema.database import Store
from schema.ids import derived_id
from sync.hub import publish
from tests.hub.settlement.conftest import number

KEY = bytes(range(32))
TODAY = date(2026, 12, 20)
MONTHS = 5
SEED = bytes(16)
ENOUGH_FEN = 90_000_00
Write = tuple[str, dict[str, Any]]


def month(n: int) -> str:
    """The n-th month of the chain."""
    return f"2026-{n + 1:02d}"


def id_of(*name: object) -> bytes:
    return derived_id(SEED, " ".join(map(str, name)))


@dataclass(frozen=True)
class Case:
    """What an approved case writes, before which of the months it arrives, and before which it would arrive in time."""

    arrives: int
    rows: Callable[[], list[Write]]
    in_time: int = 0


@dataclass
class Totals:
    """Of everybody in all months."""

    due: Counter[bytes] = field(default_factory=Counter)
    drawn: Counter[bytes] = field(default_factory=Counter)
    accounts: dict[bytes, tuple[int, int, int]] = field(default_factory=dict)
    money: Counter[bytes] = field(default_factory=Counter)
    owed: int = 0


def employs(person: int, unit: int, began: int, ended: int | None, wage_fen: int) -> Write:
    ended_month = None if ended is None else month(ended)
    return ("employment", {
        "id": id_of("job", person, unit), "person_id": id_of("person", person), "unit_id": id_of("unit", unit),
        "wage_fen": wage_fen, "began_month": month(began), "ended_month": ended_month,
    })  # fmt: skip


def base(person: int, unit: int | None, since: int, base_fen: int) -> Write:
    return ("contribution_base", {
        "id": id_of("base", person, unit, since), "person_id": id_of("person", person),
        "unit_id": None if unit is None else id_of("unit", unit), "base_fen": base_fen, "from_month": month(since),
    })  # fmt: skip


def relations(person: int, since: int, state: str, ended: str | None = None) -> list[Write]:
    return [
        ("enrolment", {"id": id_of(insurance, person), "person_id": id_of("person", person), "insurance": insurance,
                       "state": state, "began_month": month(since), "ended_month": ended, "grade_fen": 0})
        for insurance in ("employee_pension", "employee_medical")
    ]  # fmt: skip


@st.composite
def worker(draw: Any, person: int) -> list[Case]:
    """Joins a unit, perhaps after paying alone; perhaps another base from a later month, leaves, or dies."""
    began, unit = draw(st.integers(0, 3)), draw(st.integers(0, 1))
    wages = st.integers(4_000_00, 30_000_00)
    wage = draw(wages)
    alone = draw(st.none() | st.integers(0, began))
    since = began if alone is None else alone
    arrives, cases = draw(st.integers(0, 4)), []
    if alone is not None and alone < began:
        own = draw(wages)
        cases.append(Case(arrives, lambda: [*relations(person, since, "active"), base(person, None, alone, own)]))
        arrives = draw(st.integers(arrives, 4))
    joined = [employs(person, unit, began, None, wage), base(person, unit, began, wage)]
    cases.append(Case(arrives, lambda: [*relations(person, since, "active"), *joined]))
    last = arrives
    for later in draw(st.sets(st.integers(began + 1, 4), max_size=2)):
        when = draw(st.integers(arrives, 4))
        last = max(last, when)
        cases.append(Case(when, partial(list, [base(person, unit, later, draw(wages))])))
    end = draw(st.sampled_from(["stays", "leaves", "dies"]))
    final = draw(st.integers(began, 4))
    arrived = draw(st.integers(last, 4))
    if end == "leaves":
        left = employs(person, unit, began, final, wage)
        cases.append(Case(arrived, lambda: [left, *relations(person, since, "suspended")]))
    elif end == "dies":
        dead = {"id": id_of("person", person), "life_status": "2", "died_on": f"{month(final)}-05"}
        cases.append(Case(arrived, lambda: [("person", dead), *relations(person, since, "ended", month(final))]))
    return cases


@st.composite
def pensioner(draw: Any, person: int) -> list[Case]:
    """Draws a pension from some month, perhaps dies in another."""
    began, amount = draw(st.integers(0, 3)), draw(st.integers(100_00, 6_000_00))
    row = {"id": id_of("benefit", person), "person_id": id_of("person", person), "kind": "employee_pension",
           "from_month": month(began), "basic_fen": amount, "account_fen": 77_00, "extra_fen": 0}  # fmt: skip
    arrives = draw(st.integers(0, 3))
    cases = [Case(arrives, lambda: [("benefit", row | {"state": "active"})])]
    if draw(st.booleans()):
        # What was not paid before the death was known is the heirs' and not drawn: in time is the month after it.
        final = draw(st.integers(max(began, arrives), 3))
        dead = {"id": id_of("person", person), "life_status": "2", "died_on": f"{month(final)}-05"}
        ended = ("benefit", row | {"state": "ended"})
        cases.append(Case(draw(st.integers(final + 1, 5)), lambda: [("person", dead), ended], final + 1))
    return cases


@st.composite
def counties(draw: Any) -> list[Case]:
    people = [draw(worker(person)) for person in range(3)] + [draw(pensioner(person)) for person in (3, 4)]
    return [case for cases in people for case in cases]


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A register of two units and five persons of whom nothing is known yet."""
    path = tmp_path_factory.mktemp("late") / "hub.db"
    store = Store(path, KEY, side="hub")
    with publish.transaction(store) as pub:
        database.set_setting(pub.db, "node_id", b"hub")
        for n in range(2):
            row = {"id": id_of("unit", n), "uscc": f"91330683MA2KC123{n}X", "name": "甲", "industry": "C17"}
            pub.put("unit", row | {"township": "330683100"})
        for n in range(5):
            row = {"id": id_of("person", n), "id_number": number(n + 1), "name": "王", "sex": "1"}
            pub.put("person", row | {"birth_on": "1960-01-01", "village": "330683100201", "life_status": "1"})
            pub.put("bank_account", {"person_id": row["id"], "bank": "乙", "account_no": "6228", "holder": "王"})
    store.close()
    return path


def settled(empty: Path, cases: list[Case], paying: list[int]) -> Totals:
    """All months, each with what had arrived by then; a unit pays that much of each, and enough for all in the last."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(empty, folder / "hub.db")
        store = Store(folder / "hub.db", KEY, side="hub")
        try:
            return _chain(store, folder, cases, paying)
        finally:
            store.close()


def _chain(store: Store, folder: Path, cases: list[Case], paying: list[int]) -> Totals:
    totals, before = Totals(), None
    for n in range(MONTHS + 1):
        with publish.transaction(store) as pub:
            for case in (case for case in cases if case.arrives == n):
                for table, row in case.rows():
                    pub.put(table, row)
            for payer in [*(id_of("unit", u) for u in range(2)), *(id_of("person", p) for p in range(3))]:
                fen = ENOUGH_FEN if n >= MONTHS else paying[n % len(paying)]
                database.insert(pub.db, "unit_receipt", {
                    "no": f"T{n}-{payer.hex()}", "payer_no": "x", "payer_id": payer, "month": month(n),
                    "amount_fen": fen, "received_on": f"{month(n)}-20", "source": "test",
                })  # fmt: skip
        before = _month(store, folder, n, before, totals)
    return totals


def _month(store: Store, folder: Path, n: int, before: Earlier | None, totals: Totals) -> Earlier:
    parameters = pack.parameters()
    with store.read() as db:
        seen = publish.head(db)
        frozen = freeze.freeze(db, month(n), TODAY, parameters, before)
    rates = rates_of(number_of(month(n)), TODAY, parameters)
    outcome = kernel.settle(frozen.inputs, rates)
    controls.require(controls.of_month(frozen.inputs, outcome))
    written = month_file.write(folder, KEY, f"{n}.month", frozen.inputs, frozen.who, outcome, {})
    _count(totals, frozen, outcome)
    _move_on(store, frozen.who.persons, outcome, month(n))
    paths = {**(before.paths if before else {}), number_of(month(n)): folder / written.name}
    return Earlier(paths, KEY, seen, {})


def _count(totals: Totals, frozen: freeze.Frozen, outcome: Outcome) -> None:
    persons, units = frozen.who.persons, frozen.who.units
    for table in (outcome.assessed, frozen.inputs.adjustments):
        for place, person in enumerate(table.person.tolist()):
            totals.due[persons[person]] += sum(int(getattr(table, name)[place]) for name in AMOUNTS)
    for place, person in enumerate(outcome.payments.person.tolist()):
        totals.drawn[persons[person]] += int(outcome.payments.pool[place] + outcome.payments.account[place])
    for place, person in enumerate(outcome.recoveries.person.tolist()):
        totals.drawn[persons[person]] -= int(outcome.recoveries.added[place])
    posted = outcome.postings
    for place, person in enumerate(posted.person.tolist()):
        totals.accounts[persons[person]] = tuple(  # type: ignore[assignment]
            int(column[place]) for column in (posted.pension, posted.pension_months, posted.medical)
        )
    for place, unit in enumerate(outcome.payers.unit.tolist()):
        change = outcome.payers.suspense[place] - outcome.payers.carried[place] + outcome.payers.late_fee[place]
        totals.money[units[unit]] += int(change)
    totals.owed = len(outcome.unpaid)


def _move_on(store: Store, persons: list[bytes], outcome: Outcome, settled_month: str) -> None:
    """As paying does."""
    paid = outcome.payments.take(outcome.payments.months > 0)
    with publish.transaction(store) as pub:
        for person in paid.person.tolist():
            found = pub.db.execute("SELECT id FROM benefit WHERE person_id = ?", (persons[person],)).fetchone()
            pub.put("benefit", {"id": bytes(found[0]), "paid_through": settled_month})


@settings(
    max_examples=10,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
@given(cases=counties(), paying=st.lists(st.integers(0, 4_000_00), min_size=1, max_size=4))
def test_any_order_of_arrival_gives_everybody_the_same_totals(
    empty: Path, cases: list[Case], paying: list[int]
) -> None:
    late = settled(empty, cases, paying)
    in_time = settled(empty, [Case(case.in_time, case.rows) for case in cases], paying)
    assert (late.owed, in_time.owed) == (0, 0)
    assert late.due == in_time.due
    assert late.accounts == in_time.accounts
    assert late.drawn == in_time.drawn
    assert late.money == in_time.money


# One person earns 6,000 yuan at a unit that pays; each row: what becomes known before the third month, and what that
# month books for the first two: the due of each, and the credit.
CASES = {
    "the base was 7,000 from January on": (lambda: [base(0, 0, 0, 7_000_00)], {0: (332_00, 80_00), 1: (332_00, 80_00)}),
    "the base was 7,000 from February on": (lambda: [base(0, 0, 1, 7_000_00)], {1: (332_00, 80_00)}),
    "the wage is written otherwise, and nobody declared it": (lambda: [employs(0, 0, 0, None, 9_000_00)], {}),
    "left in January": (
        lambda: [employs(0, 0, 0, 0, 6_000_00), *relations(0, 0, "suspended")], {1: (-1_992_00, -480_00)},
    ),
    "died in January": (
        lambda: [("person", {"id": id_of("person", 0), "life_status": "2", "died_on": "2026-01-09"}),
                 *relations(0, 0, "ended", "2026-01")], {1: (-1_992_00, -480_00)},
    ),
    "rests now, still working there": (lambda: relations(0, 0, "suspended"), {}),
    "another began in February": (
        lambda: [employs(1, 0, 1, None, 6_000_00), *relations(1, 1, "active")], {1: (1_992_00, 480_00)},
    ),
    "another pays alone since February": (
        lambda: [base(1, None, 1, 6_000_00), *relations(1, 1, "active")], {1: (1_650_00, 480_00)},
    ),
}  # fmt: skip


@pytest.mark.parametrize("known", CASES)
def test_what_becomes_known_later_is_booked_as_the_difference(empty: Path, tmp_path: Path, known: str) -> None:
    rows, expected = CASES[known]
    shutil.copy(empty, tmp_path / "hub.db")
    store, totals, before = Store(tmp_path / "hub.db", KEY, side="hub"), Totals(), None
    first = [employs(0, 0, 0, None, 6_000_00), *relations(0, 0, "active")]
    for n, arriving in enumerate((first, [], rows())):
        with publish.transaction(store) as pub:
            for table, row in arriving:
                pub.put(table, row)
        before = _month(store, tmp_path, n, before, totals)
    with before.open(before.last) as file:
        booked = file.inputs().adjustments
    store.close()
    due = sum(getattr(booked, name) for name in AMOUNTS)
    found = zip(booked.month.tolist(), due.tolist(), booked.credit_pension.tolist(), strict=True)
    assert {settled - number_of(month(0)): tuple(rest) for settled, *rest in found} == expected


def test_a_unit_whose_declaration_lapsed_owes_110_percent_and_the_declaration_that_comes_late_takes_it_back(
    empty: Path, tmp_path: Path
) -> None:
    """Declared for 2025, a year holds; for January and February 2026 nothing is declared until March."""
    shutil.copy(empty, tmp_path / "hub.db")
    store, totals, before, due = Store(tmp_path / "hub.db", KEY, side="hub"), Totals(), None, []
    declared = base(0, 0, 0, 6_000_00)[1]
    with store.write() as db:
        for case in (id_of("case 2025"), id_of("case 2026")):
            database.insert(db, "hub_case", {
                "id": case, "service": "base_declaration", "service_version": 1, "pack": "x", "station": "0100-1",
                "township": "330683100", "receipt_no": case.hex(), "state": "effective", "round": 1,
                "submitted_by": "1", "stated_at": "2025-01-01T00:00:00Z", "received_at": "2025-01-01T00:00:00Z",
                "answers": "{}", "materials": "[]", "findings": "[]",
            })  # fmt: skip
    work = [employs(0, 0, 0, None, 6_000_00), *relations(0, 0, "active")]
    old = declared | {"id": id_of("2025"), "from_month": "2025-02", "case_id": id_of("case 2025")}
    new = declared | {"from_month": "2026-02", "case_id": id_of("case 2026")}
    for n, arriving in enumerate(([*work, ("contribution_base", old)], [], [("contribution_base", new)])):
        with publish.transaction(store) as pub:
            for table, row in arriving:
                pub.put(table, row)
        before = _month(store, tmp_path, n, before, totals)
        with before.open(before.last) as file:
            assessed, late = file.outcome().assessed, file.inputs().adjustments
        due.append([int(sum(getattr(table, name).sum() for name in AMOUNTS)) for table in (assessed, late)])
    store.close()
    # January is within the year of the declaration; February is 110 % of it, until it is declared with the old base.
    assert due == [[1_992_00, 0], [2_191_20, 0], [1_992_00, -199_20]]
