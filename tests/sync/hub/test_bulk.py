# SPDX-License-Identifier: Apache-2.0
"""Many rows at once leave the same as one by one."""

from __future__ import annotations

from typing import Any

import pytest

from schema import database, ids
from schema.errors import StoreError
from sync.hub import publish


def statement(person: bytes, month: str = "2026-10", **change: Any) -> dict[str, Any]:
    row = {
        "person_id": person,
        "insurance": "resident_pension",
        "month": month,
        "contribution_fen": 1,
        "subsidy_fen": 2,
    }
    return row | {"benefit_fen": 3, "from_account_fen": 4, "balance_fen": 5} | change


def feed(world: Any) -> list[tuple[Any, ...]]:
    return world.rows("SELECT slice, tbl, pk, channel, op FROM slice_feed WHERE tbl = 'statement' ORDER BY seq")


def test_the_outcome_is_that_of_put(world: Any) -> None:
    people = [world.person() for _ in range(6)]
    with publish.transaction(world.hub) as pub:
        pub.place(people[5], ["330683101"])
        pub.put("statement", statement(people[0]))
        pub.put("statement", statement(people[1]))
    rows = [statement(p, benefit_fen=9 if n == 1 else 3) for n, p in enumerate(people)]

    with publish.transaction(world.hub) as pub:
        before = pub.seq
        written = pub.put_many("statement", rows)
        assert pub.put_many("statement", rows) == 0
        at = pub.seq
    many = feed(world), world.rows("SELECT * FROM statement ORDER BY person_id")
    with publish.transaction(world.hub) as pub:
        again = [pub.put("statement", row) for row in rows]

    assert (written, again) == (5, [False] * 6)
    assert (feed(world), world.rows("SELECT * FROM statement ORDER BY person_id")) == many
    assert before < world.rows("SELECT min(rev) FROM statement WHERE benefit_fen = 9")[0][0] <= at
    assert {s for s, *_ in feed(world)} == {"330683100", "330683101"}
    assert world.rows(
        "SELECT count(*) FROM statement t JOIN slice_feed f ON f.seq = t.rev AND f.tbl = 'statement'"
    ) == [(7,)], "each row in each of its slices stands at the row's own number"


def test_a_station_gets_them(world: Any) -> None:
    station = world.station()
    people = [world.person() for _ in range(40)]
    station.sync()
    with publish.transaction(world.hub) as pub:
        pub.put_many("statement", [statement(p) for p in people])

    assert station.sync().equal is True
    assert station.rows("SELECT count(*) FROM statement") == [(40,)]


def test_columns_left_out_keep_their_value(world: Any) -> None:
    person = world.person()
    with publish.transaction(world.hub) as pub:
        pub.put("statement", statement(person))
        key = {c: statement(person)[c] for c in ("person_id", "insurance", "month")}
        assert pub.put_many("statement", [key | {"paid_on": "2026-11-15"}]) == 1

    assert world.rows("SELECT benefit_fen, paid_on FROM statement") == [(3, "2026-11-15")]


def test_rows_of_no_person_go_where_their_columns_say(world: Any) -> None:
    units = [{"id": ids.new_id(), "uscc": "9", "name": "厂", "township": t} for t in ("330683100", "330683101")]
    with publish.transaction(world.hub) as pub:
        assert pub.put_many("unit", units) == 2
        assert pub.put_many("unit", []) == 0

    assert world.rows("SELECT slice, pk FROM slice_feed ORDER BY slice") == [(u["township"], u["id"]) for u in units]


def test_a_key_given_twice_is_an_error(world: Any) -> None:
    person = world.person()
    with pytest.raises(database.IntegrityError), publish.transaction(world.hub) as pub:
        pub.put_many("statement", [statement(person), statement(person, benefit_fen=9)])
    assert world.rows("SELECT count(*) FROM statement") == [(0,)]
    with publish.transaction(world.hub) as pub:
        assert pub.put_many("statement", [statement(person)]) == 1


@pytest.mark.parametrize("table", ["person", "contact", "setting"])
def test_tables_that_need_more_than_that_are_refused(world: Any, table: str) -> None:
    with pytest.raises(StoreError), publish.transaction(world.hub) as pub:
        pub.put_many(table, [{"id": bytes(16)}])
