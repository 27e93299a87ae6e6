# SPDX-License-Identifier: Apache-2.0
"""What must hold when the faults have stopped and everybody has called three times."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.simulation.looking import conflicts, need, one, rows, station_of, stores
from tests.simulation.model import COLUMNS, HUB, PUBLISHED, Broken, Pair
from tests.simulation.scans import eventually_scans_are_at_the_hub
from tests.simulation.world import Station, World

# Bytes of feeds and frames that met no fault, against those of frames accepted and pages applied; and what may be over
# in a run in which next to nothing travelled.
OVERHEAD, SLACK_BYTES = 1.3, 20_000


def eventually_everybody_holds_the_same(world: World) -> None:
    """I13: hub and stations show the same in every cell and every published row of the slice, as the model has it."""
    me = eventually_everybody_holds_the_same
    sql = f"SELECT id, {', '.join(COLUMNS)} FROM contact"
    hub = {row[0]: row for row in rows(world.hub, sql)}
    for station in world.stations:
        held = world.register.of_slices("person", station.slices)
        wanted = {k: row for k, row in hub.items() if k in held}
        found = {row[0]: row for row in rows(station.store, sql)}
        differing = [world.name_of(k) for k in sorted(wanted.keys() | found.keys()) if wanted.get(k) != found.get(k)]
        need(not differing, me, f"{station.name}: {differing}")
    for name, store in stores(world):
        for table, (key, columns) in PUBLISHED.items():
            of_all = world.register.rows[table]
            wanted = of_all if name == HUB else world.register.of_slices(table, station_of(world, name).slices)
            found = {k: tuple(v) for k, *v in rows(store, f"SELECT {key}, {', '.join(columns)} FROM {table}")}
            need(found == wanted, me, f"{name}: {table} {_difference(found, wanted)}")


def _difference(found: dict[Any, Any], wanted: dict[Any, Any]) -> str:
    differing = sorted(k for k in found.keys() | wanted if found.get(k) != wanted.get(k))
    return str([(found.get(k), wanted.get(k)) for k in differing])


def eventually_no_repair_was_needed(world: World) -> None:
    """I13: no row was ever put right after a comparison: what holds, holds by the exchange, not because it was mended.

    An incident that names no row is an answer that the line spoiled: it changed nothing. So is a first load whose bytes
    had not the hash that the hub signed: the feed did the work.
    """
    for name, store in stores(world):
        spoiled = "detail = '' OR (detail LIKE 'snapshot %' AND detail LIKE '%(hash)')"
        found = rows(store, f"SELECT kind, detail FROM incident WHERE kind = 'digest' AND NOT ({spoiled})")
        need(not found, eventually_no_repair_was_needed, f"{name}: {found}")


def proven_equal(world: World, station: Station, equal: bool | None) -> None:
    """I13 as well: the protocol's own proof agrees."""
    if equal is not True:
        raise Broken("eventually_everybody_holds_the_same", f"{station.name}: digests say {equal}")


def eventually_every_conflict_is_on_record(world: World) -> None:
    """I14: a record for every pair that met unseen, none for others, the same at every station."""
    me = eventually_every_conflict_is_on_record
    found, wanted = conflicts(world.hub), world.cells.required()
    missing, extra = wanted - found, found - wanted
    blurred = Counter({pair: n for pair, n in extra.items() if world.cells.is_blurred(pair)})
    world.fired["record too many of a blurred base"] += sum(blurred.values())
    extra -= blurred
    missing -= world.cells.may_be_missing(lambda name, person: _has_left(world, name, person))
    need(not missing and not extra, me, f"missing {_pairs(world, missing)}, too many {_pairs(world, extra)}")
    wrong = [pair for pair in found - blurred if not world.cells.are_concurrent(pair)]
    need(not wrong, me, f"not concurrent: {_pairs(world, Counter(wrong))}")
    for station in world.stations:
        held = world.register.of_slices("person", station.slices)
        mine = Counter({pair: n for pair, n in found.items() if pair[0][0] in held})
        here = conflicts(station.store)
        told = f"{station.name}: missing {_pairs(world, mine - here)}, too many {_pairs(world, here - mine)}"
        need(here == mine, me, told)


def _has_left(world: World, name: str, person: bytes) -> bool:
    held = set(station_of(world, name).slices)
    return bool(world.register.left.get(person, set()) & held)


def _pairs(world: World, pairs: Counter[Pair]) -> list[str]:
    return sorted(
        f"{world.name_of(cell[0])}.{cell[1]} {sorted(map(str, values))} x{n}" for (cell, values), n in pairs.items()
    )


def eventually_outboxes_are_empty(world: World) -> None:
    """I15: everything was sent and signed for; what was refused is listed on both sides with its reason."""
    me = eventually_outboxes_are_empty
    for station in world.stations:
        waiting = rows(station.store, "SELECT channel, n FROM outbox_frame WHERE acked_at IS NULL")
        need(not waiting, me, f"{station.name}: frames {waiting}")
    for fact_id, fact in world.register.facts.items():
        need(fact.arrived, me, f"{fact.station}: a fact never arrived")
        store = station_of(world, fact.station).store
        received = one(store, "SELECT received_at IS NOT NULL FROM fact WHERE id = ?", fact_id)
        need(received == (not fact.bad), me, f"{fact.station}: {fact.bad} {received}")
        for name, place in ((HUB, world.hub), (fact.station, store)):
            listed = bool(rows(place, "SELECT 1 FROM refusal WHERE item = ?", fact_id.hex()))
            need(listed == bool(fact.bad), me, f"{name}: {fact.bad} listed {listed}")
    for station in world.stations:
        wanted = {k for k, name in world.register.to_station.items() if name == station.name}
        found = {k for (k,) in rows(station.store, "SELECT id FROM fact WHERE origin = 'hub'")}
        need(found == wanted, me, f"{station.name}: {len(found)} of {len(wanted)} facts of the hub")


def eventually_nothing_travels_twice(world: World) -> None:
    """I16: frames and pages that met no fault cost at most 1.3 times the bytes of those that brought something."""
    carried, useful = world.traffic["carried"], world.traffic["useful"]
    told = f"{carried} bytes carried, {useful} of use"
    need(carried <= OVERHEAD * useful + SLACK_BYTES, eventually_nothing_travels_twice, told)


EVENTUALLY: tuple[Callable[[World], None], ...] = (
    eventually_everybody_holds_the_same, eventually_every_conflict_is_on_record, eventually_outboxes_are_empty,
    eventually_nothing_travels_twice, eventually_no_repair_was_needed, eventually_scans_are_at_the_hub,
)  # fmt: skip
