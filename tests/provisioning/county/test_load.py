# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest

from provisioning.county import load
from provisioning.county.register import Register
from schema import crsqlite, parameter
from schema.database import Store
from schema.errors import WrongState
from schema.tables import TABLES
from sync.hub import publish

PERSONS, SEED, MONTH = 3000, 2, "2026-10"


def _register(persons: int = 400, seed: int = SEED, month: str = MONTH) -> Register:
    return Register(persons, seed, month, parameter.load())


def test_the_same_order_gives_the_same_register_row_for_row(county: Any) -> None:
    assert load.digest(_register(PERSONS)) == county.loaded.digest


def test_another_seed_number_or_month_gives_another(county: Any) -> None:
    others = [_register(), _register(seed=3), _register(401), _register(month="2026-09")]
    assert len({load.digest(register) for register in others}) == 4


def test_what_is_in_the_database_is_what_the_seed_says(county: Any) -> None:
    drawn: dict[str, set[Any]] = {"person": set(), "contact": set(), "benefit": set()}
    for part in _register(PERSONS).parts():
        for table, rows in drawn.items():
            rows.update(part.rows.get(table, ()))
    for table, rows in drawn.items():
        names = ", ".join(name for name in TABLES[table].names if name != "rev")
        assert set(county.rows(f"SELECT {names} FROM {table}")) == rows


def test_every_person_is_in_one_township_and_every_row_is_fed_there(county: Any) -> None:
    placed = county.rows(
        "SELECT count(*), count(DISTINCT m.person_id), sum(m.slice = substr(p.village, 1, 9)) "
        "FROM slice_member m JOIN person p ON p.id = m.person_id"
    )
    assert placed == [(3000, 3000, 3000)]
    fed = dict(county.rows("SELECT tbl, count(*) FROM slice_feed GROUP BY tbl"))
    assert fed == {**county.loaded.rows, "division": county.one("SELECT count(*) FROM division")}


def test_contact_rows_carry_their_clocks_and_are_tracked_from_then_on(county: Any) -> None:
    person_id = county.one("SELECT id FROM contact WHERE phone IS NOT NULL ORDER BY id LIMIT 1")
    with county.store.read() as db:
        cells = crsqlite.cells_of(db, "contact", person_id)
    assert [c.column for c in cells] == ["address", "address_village", "education", "note", "phone"]
    assert {c.col_version for c in cells} == {1}


def test_indexes_are_there_after_the_load(county: Any, hub_store: Store) -> None:
    sql = "SELECT name FROM sqlite_master WHERE type = 'index' ORDER BY name"
    with hub_store.read() as db:
        expected = [r[0] for r in db.execute(sql).fetchall()]
    assert [name for (name,) in county.rows(sql)] == expected


def test_a_hub_with_persons_takes_no_second_county(hub_store: Store) -> None:
    load.load(hub_store, _register())
    with hub_store.read() as db:
        before = db.execute("SELECT count(*), max(rev) FROM person").fetchone()
    with pytest.raises(WrongState):
        load.load(hub_store, _register(seed=9))
    with hub_store.read() as db:
        assert tuple(db.execute("SELECT count(*), max(rev) FROM person").fetchone()) == tuple(before)


def test_a_cut_in_the_middle_leaves_nothing(hub_store: Store) -> None:
    class Cut(Exception):
        pass

    def stop(persons: int) -> None:
        if persons:
            raise Cut

    with pytest.raises(Cut):
        load.load(hub_store, _register(), stop)
    with hub_store.read() as db:
        counts = [db.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in ("person", "contact", "unit")]
    assert counts == [0, 0, 0]
    load.load(hub_store, _register())


def test_a_row_changed_later_is_newer_than_the_load(hub_store: Store) -> None:
    load.load(hub_store, _register())
    with hub_store.read() as db:
        row = dict(db.execute("SELECT * FROM unit LIMIT 1").fetchone())
        head = publish.head(db)
    with publish.transaction(hub_store) as pub:
        assert pub.put("unit", {**row, "phone": "0575-83000000"})
        assert pub.seq > head >= row["rev"]


def test_progress_counts_every_person(hub_store: Store) -> None:
    seen: list[int] = []
    load.load(hub_store, _register(), seen.append)
    assert sum(seen) == 400


def test_every_vacancy_is_in_the_slice_of_its_township(county: Any) -> None:
    with county.store.read() as db:
        found = db.execute(
            "SELECT count(*), count(m.slice), count(f.pk) FROM vacancy v "
            "LEFT JOIN slice_member m ON m.person_id = v.id AND m.slice = v.job_township "
            "LEFT JOIN slice_feed f ON f.slice = v.job_township AND f.tbl = 'vacancy' AND f.pk = v.id"
        ).fetchone()
    assert found[0] > 0 and len(set(found)) == 1
