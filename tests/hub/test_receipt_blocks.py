# SPDX-License-Identifier: Apache-2.0
"""Receipt numbers are leased in blocks: in time, each once, and not without end."""

from __future__ import annotations

from datetime import date

import pytest

from hub import receipt_blocks
from schema import ids
from sync.hub import publish
from tests.hub.county import OTHER_STATION, STATION, County


@pytest.fixture
def bare(county: County) -> County:
    """Nobody has a number yet."""
    with county.store.write() as db:
        db.execute("DELETE FROM receipt_block")
    return county


def top_up(county: County, station: str, today: date, wanted: int = 0) -> list[tuple[int, int, int]]:
    with publish.transaction(county.store) as pub:
        receipt_blocks.top_up(pub, station, today, wanted)
    return county.rows("SELECT year, first, last FROM receipt_block WHERE station = ? ORDER BY year, first", station)


def arrived(county: County, serial: int) -> None:
    number = ids.receipt_no(STATION, 2026, serial)
    with county.store.write() as db:
        db.execute(
            "INSERT INTO hub_case (id, service, service_version, pack, station, township, receipt_no, state, round, "
            "submitted_by, stated_at, received_at, answers, materials, findings) "
            "VALUES (?, 'x', 1, '', ?, '', ?, 'submitted', 1, '', '', '', '', '', '')",
            (ids.new_id(), STATION, number),
        )


def test_a_new_station_gets_a_thousand(bare: County) -> None:
    assert top_up(bare, STATION, date(2026, 5, 4)) == [(2026, 1, 1000)]


def test_asking_again_gives_nothing_while_enough_are_left(bare: County) -> None:
    top_up(bare, STATION, date(2026, 5, 4))
    arrived(bare, 700)
    assert top_up(bare, STATION, date(2026, 5, 4)) == [(2026, 1, 1000)]


def test_the_next_block_comes_when_fewer_than_300_are_left(bare: County) -> None:
    top_up(bare, STATION, date(2026, 5, 4))
    arrived(bare, 701)
    assert top_up(bare, STATION, date(2026, 5, 4)) == [(2026, 1, 1000), (2026, 1001, 2000)]


def test_in_december_next_years_first_block_goes_out_as_well(bare: County) -> None:
    assert top_up(bare, STATION, date(2026, 12, 1)) == [(2026, 1, 1000), (2027, 1, 1000)]


def test_a_roster_in_hand_gets_as_many_as_it_needs_once_and_not_without_end(bare: County) -> None:
    top_up(bare, STATION, date(2026, 12, 1))
    arrived(bare, 700)
    for _ in range(2):
        assert top_up(bare, STATION, date(2026, 12, 1), 5000)[-2:] == [(2026, 5001, 6000), (2027, 1, 1000)]
    assert top_up(bare, STATION, date(2026, 12, 1), 10**9)[-2:] == [(2026, 20_001, 21_000), (2027, 1, 1000)]


def test_each_station_has_its_own(bare: County) -> None:
    top_up(bare, STATION, date(2026, 5, 4))
    top_up(bare, OTHER_STATION, date(2026, 5, 4))
    fed = bare.rows("SELECT DISTINCT slice FROM slice_feed WHERE tbl = 'receipt_block' ORDER BY 1")
    assert fed == [(f"node:{STATION}",), (f"node:{OTHER_STATION}",)]


def test_serials_end_at_six_digits(bare: County) -> None:
    with publish.transaction(bare.store) as pub:
        pub.put("receipt_block", {"station": STATION, "year": 2026, "first": 1, "last": 999_900})
    arrived(bare, 999_800)
    assert top_up(bare, STATION, date(2026, 5, 4))[-1] == (2026, 999_901, 999_999)
    arrived(bare, 999_999)
    assert len(top_up(bare, STATION, date(2026, 5, 4))) == 2


@pytest.mark.parametrize(("serial", "leased"), [(1, True), (1000, True), (1001, False)])
def test_a_number_is_leased_when_it_lies_in_a_block(bare: County, serial: int, leased: bool) -> None:
    top_up(bare, STATION, date(2026, 5, 4))
    with bare.store.read() as db:
        assert receipt_blocks.is_leased(db, STATION, ids.receipt_no(STATION, 2026, serial)) is leased
        assert not receipt_blocks.is_leased(db, OTHER_STATION, ids.receipt_no(OTHER_STATION, 2026, serial))


def test_after_a_station_came_back_from_a_copy_only_fresh_serials_may_be_printed(bare: County) -> None:
    top_up(bare, STATION, date(2026, 5, 4))
    with publish.transaction(bare.store) as pub:
        receipt_blocks.begin_fresh(pub, STATION, date(2026, 5, 4), "2026-05-04T01:00:00.000Z")
    listed = bare.rows("SELECT first, last, ended_at FROM receipt_block WHERE station = ? ORDER BY first", STATION)
    assert listed == [(1, 1000, "2026-05-04T01:00:00.000Z"), (1001, 2000, None)]
    with bare.store.read() as db:
        assert receipt_blocks.is_leased(db, STATION, ids.receipt_no(STATION, 2026, 7)), "a slip printed before counts"


def test_after_this_hub_came_back_from_a_copy_every_block_it_may_have_forgotten_is_leased_again(bare: County) -> None:
    top_up(bare, STATION, date(2026, 5, 4))
    with publish.transaction(bare.store) as pub:
        receipt_blocks.lease_again(pub, STATION, date(2026, 5, 4))
    listed = bare.rows("SELECT first, last, ended_at FROM receipt_block WHERE station = ? ORDER BY first", STATION)
    assert listed == [(1, 1000, None), *((first, first + 999, None) for first in range(1001, 21_000, 1000))]
