# SPDX-License-Identifier: Apache-2.0
"""Digests: equal when the content is equal, different for every difference that matters."""

from __future__ import annotations

from typing import Any

import pytest

from schema import ids
from sync.equality import digest
from sync.hub import publish


@pytest.fixture
def pair(world: Any) -> tuple[Any, Any]:
    station = world.station()
    for number in range(3):
        world.person(name=f"测试{number}")
    with publish.transaction(world.hub) as pub:
        pub.put("unit", {"id": ids.new_id(), "uscc": "9", "name": "厂", "township": "330683100"})
        pub.put("receipt_block", {"station": station.name, "year": 2026, "first": 1, "last": 100})
    assert station.sync().equal is True
    return world, station


def digests(pair: tuple[Any, Any]) -> tuple[dict[str, bytes], dict[str, bytes]]:
    world, station = pair
    families = digest.families(station.slices)
    with world.hub.read() as hub, station.store.read() as node:
        return (
            {family: digest.of_hub(hub, held) for family, held in families.items()},
            {family: digest.of_node(node, family) for family in families},
        )


def test_both_sides_compute_the_same(pair: tuple[Any, Any]) -> None:
    at_hub, at_station = digests(pair)

    assert at_hub == at_station
    assert set(at_hub) == {"county", "node", "township"}
    assert len(set(at_hub.values())) == 3


@pytest.mark.parametrize(
    ("family", "statement"),
    [
        ("township", "UPDATE person SET name = '换' WHERE name = '测试1'"),
        ("township", "UPDATE unit SET phone = '1'"),
        ("township", "UPDATE unit SET rev = rev + 1"),
        ("township", "DELETE FROM unit"),
        ("township", "UPDATE contact SET phone = '13911111111' WHERE rowid = 1"),
        ("township", "UPDATE contact__crsql_clock SET col_version = 9 WHERE key = 1 AND col_name = 'phone'"),
        ("county", "UPDATE officer_key SET roles = 'admin'"),
        ("county", "UPDATE station SET name = '换'"),
        ("node", "UPDATE officer SET roles = 'admin'"),
        ("node", "UPDATE receipt_block SET last = 999"),
    ],
)
def test_a_difference_shows_in_its_family_alone(pair: tuple[Any, Any], family: str, statement: str) -> None:
    _, station = pair
    with station.store.write() as db:
        db.execute(statement)

    at_hub, at_station = digests(pair)

    assert {name for name in at_hub if at_hub[name] != at_station[name]} == {family}


def test_what_differs_rightly_between_replicas_does_not_count(pair: tuple[Any, Any]) -> None:
    _, station = pair
    with station.store.write() as db:
        db.execute("UPDATE contact__crsql_clock SET db_version = db_version + 5, seq = 3")

    assert digests(pair)[0] == digests(pair)[1]


def test_two_townships_count_as_one_set(world: Any) -> None:
    """A person may be in both: counted per slice the station could not tell which rows belong to which."""
    station = world.station(township=("330683100", "330683101"))
    person = world.person()
    world.person(village="330683101201")
    with publish.transaction(world.hub) as pub:
        pub.place(person, ["330683101"])

    assert station.sync().equal is True
    assert station.rows("SELECT count(*) FROM person") == [(2,)]


def test_every_row_lies_in_the_bucket_of_its_owner(pair: tuple[Any, Any]) -> None:
    world, _ = pair
    with world.hub.read() as db:
        for family, held in digest.families(world.stations[0].slices).items():
            scope = digest.Scope.at_hub(held)
            for table in scope.tables:
                for bucket, values in digest.rows(db, scope, table):
                    row = dict(zip(table.names, values, strict=False))
                    assert 0 <= bucket == digest.bucket_of_row(table, row) < digest.BUCKETS, family


def test_all_rows_of_a_person_share_a_bucket(world: Any) -> None:
    """So that a person who leaves, or is repaired, costs one bucket."""
    person = world.person()
    with publish.transaction(world.hub) as pub:
        for number in range(3):
            pub.put("enrolment", {
                "id": ids.new_id(), "person_id": person, "insurance": "居民养老", "state": "active",
                "began_month": f"2026-0{number + 1}", "grade_fen": 50_000,
            })  # fmt: skip
    with world.hub.read() as db:
        assert set(digest.hashes(db, digest.Scope.at_hub(("330683100",)))) == {digest.bucket_of(person)}


def test_some_buckets_are_computed_as_all_are(pair: tuple[Any, Any]) -> None:
    world, station = pair
    for family, held in digest.families(station.slices).items():
        with world.hub.read() as hub, station.store.read() as node:
            for db, scope in ((hub, digest.Scope.at_hub(held)), (node, digest.Scope(family))):
                whole = digest.hashes(db, scope)
                some = sorted(whole)[::2]
                assert digest.hashes(db, scope, [*some, 4095]) == {b: whole[b] for b in {*some, 4095} & set(whole)}


def test_a_busy_hub_elsewhere_does_not_hinder_the_comparison(world: Any) -> None:
    station = world.station()

    class Busy:
        """Another township's row is published before each request."""

        def request(self, *args: Any) -> Any:
            world.person(village="330683101201")
            return inner.request(*args)

    inner = world.transport()
    assert station.sync(Busy()).equal is True


def test_a_row_that_comes_in_between_makes_no_false_alarm(world: Any) -> None:
    station = world.station()

    class Busy:
        def request(self, method: str, path: str, *rest: Any) -> Any:
            if "/digest/" in path:
                world.person()
            return inner.request(method, path, *rest)

    inner = world.transport()
    report = station.sync(Busy())
    assert (report.ok, report.equal, report.caught_up) == (True, None, False)
