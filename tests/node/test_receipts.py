# SPDX-License-Identifier: Apache-2.0
"""Receipt numbers: one after another out of leased blocks, never twice, and a clear word when they are used up."""

from __future__ import annotations

from typing import Any

import pytest

from node import receipts
from schema import database, ids
from schema.database import Store
from schema.errors import OutOfNumbers

HERE = "0100-1"


def lease(db: Any, year: int, first: int, last: int, station: str = HERE) -> None:
    row = {"station": station, "year": year, "first": first, "last": last, "rev": 1}
    database.insert(db, "receipt_block", row)


def test_numbers_follow_each_other_and_check_themselves(node_store: Store) -> None:
    with node_store.write() as db:
        lease(db, 2026, 401, 500)
        taken = [receipts.take(db, HERE, 2026) for _ in range(3)]
    assert [number.rpartition("-")[0] for number in taken] == [f"0100-1-26-00040{n}" for n in (1, 2, 3)]
    assert all(ids.is_receipt_no(number) for number in taken)


def test_the_next_block_is_opened_when_one_is_used_up(node_store: Store) -> None:
    with node_store.write() as db:
        lease(db, 2026, 401, 402)
        lease(db, 2026, 9001, 9002)
        serials = [receipts.take(db, HERE, 2026).split("-")[3] for _ in range(4)]
    assert serials == ["000401", "000402", "009001", "009002"]


def test_a_station_offline_over_new_year_goes_on_with_last_years_block(node_store: Store) -> None:
    with node_store.write() as db:
        lease(db, 2026, 401, 402)
        assert receipts.take(db, HERE, 2027).startswith("0100-1-26-000401-")
        lease(db, 2027, 1, 9)
        assert receipts.take(db, HERE, 2027).startswith("0100-1-27-000001-")


def test_used_up_blocks_are_refused_in_both_languages_and_count_zero(node_store: Store) -> None:
    with node_store.write() as db:
        lease(db, 2026, 401, 401)
        receipts.take(db, HERE, 2026)
        assert receipts.left(db, HERE) == 0
        with pytest.raises(OutOfNumbers) as refused:
            receipts.take(db, HERE, 2026)
    assert "回执号用完了" in refused.value.text("zh") and "connect once" in refused.value.text("en")


def test_another_stations_block_is_never_used(node_store: Store) -> None:
    with node_store.write() as db:
        lease(db, 2026, 1, 99, station="0100-2")
        assert receipts.left(db, HERE) == 0
        with pytest.raises(OutOfNumbers):
            receipts.take(db, HERE, 2026)


def test_what_is_left_is_counted_over_all_blocks(node_store: Store) -> None:
    with node_store.write() as db:
        lease(db, 2026, 1, 10)
        lease(db, 2026, 101, 120)
        receipts.take(db, HERE, 2026)
        assert receipts.left(db, HERE) == 29


def test_a_number_taken_in_a_transaction_that_fails_is_free_again(node_store: Store) -> None:
    with node_store.write() as db:
        lease(db, 2026, 401, 500)
    with pytest.raises(ZeroDivisionError), node_store.write() as db:
        lost = receipts.take(db, HERE, 2026)
        raise ZeroDivisionError
    with node_store.write() as db:
        assert receipts.take(db, HERE, 2026) == lost
