# SPDX-License-Identifier: Apache-2.0
"""The books: what is debited is credited, and nothing booked is ever changed."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub import ledger
from schema.clock import FixedClock
from schema.database import IntegrityError, Store
from schema.errors import UnknownSubject, WrongState
from schema.ids import new_id

FUND = "resident_pension"


def test_an_event_moves_money_between_its_two_accounts(hub_store: Store, clock: FixedClock) -> None:
    with hub_store.write() as db:
        ledger.post(db, FUND, "2026-11", "receipt_suspense", 500_00, clock)
        ledger.post(db, FUND, "2026-11", "suspense_matched", 300_00, clock)
        assert ledger.balance(db, FUND, "1005") == 500_00
        assert ledger.balance(db, FUND, "2001") == 200_00
        assert ledger.balance(db, FUND, "4001-02") == 300_00


def test_books_of_two_funds_and_two_months_stay_apart(hub_store: Store, clock: FixedClock) -> None:
    with hub_store.write() as db:
        ledger.post(db, FUND, "2026-10", "benefits_paid", 100, clock)
        ledger.post(db, FUND, "2026-11", "benefits_paid", 20, clock)
        ledger.post(db, "employee_pension", "2026-11", "benefits_paid", 3, clock)
        assert ledger.balance(db, FUND, "5001-01", "2026-11") == 20
        assert ledger.trial_balance(db, FUND).debit_fen == 120


def test_a_reversal_leaves_both_entries_and_no_money(hub_store: Store, clock: FixedClock) -> None:
    with hub_store.write() as db:
        entry = ledger.post(db, FUND, "2026-10", "receipt_matched", 100_00, clock)
        ledger.reverse(db, entry, clock, month="2026-11", memo="booked twice")
        assert db.execute("SELECT count(*) FROM journal_entry").fetchone()[0] == 2
        assert ledger.balance(db, FUND, "1005") == 0
        assert ledger.balance(db, FUND, "1005", "2026-11") == -100_00
        assert ledger.trial_balance(db, FUND).balanced


def test_an_entry_is_reversed_once_and_a_reversal_never(hub_store: Store, clock: FixedClock) -> None:
    with hub_store.write() as db:
        entry = ledger.post(db, FUND, "2026-11", "receipt_matched", 100, clock)
        reversal = ledger.reverse(db, entry, clock, month="2026-11", memo="")
        for again in (entry, reversal):
            with pytest.raises(WrongState):
                ledger.reverse(db, again, clock, month="2026-11", memo="")
        with pytest.raises(UnknownSubject):
            ledger.reverse(db, new_id(), clock, month="2026-11", memo="")


@pytest.mark.parametrize("amount_fen", [0, -1])
def test_an_entry_moves_a_positive_amount(hub_store: Store, clock: FixedClock, amount_fen: int) -> None:
    with pytest.raises(IntegrityError), hub_store.write() as db:
        ledger.post(db, FUND, "2026-11", "benefits_paid", amount_fen, clock)


def test_booked_entries_can_be_neither_changed_nor_deleted(hub_store: Store, clock: FixedClock) -> None:
    with hub_store.write() as db:
        ledger.post(db, FUND, "2026-11", "benefits_paid", 5, clock)
    for statement in ("UPDATE journal_entry SET amount_fen = 6", "DELETE FROM journal_entry"):
        with pytest.raises(IntegrityError, match="reversal"), hub_store.write() as db:
            db.execute(statement)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(sorted(ledger.EVENTS)), st.integers(1, 10**13), st.booleans()), max_size=12))
def test_debits_equal_credits_after_any_postings_and_reversals(
    hub_store: Store, clock: FixedClock, postings: list[tuple[str, int, bool]]
) -> None:
    fund = new_id().hex()[:20]
    with hub_store.write() as db:
        for event, amount_fen, taken_back in postings:
            entry = ledger.post(db, fund, "2026-11", event, amount_fen, clock)
            if taken_back:
                ledger.reverse(db, entry, clock, month="2026-11", memo="")
        assert ledger.trial_balance(db, fund).balanced
        moved_fen = sum(amount_fen * (1 + taken_back) for _, amount_fen, taken_back in postings)
        assert ledger.trial_balance(db, fund).debit_fen == moved_fen
