# SPDX-License-Identifier: Apache-2.0
"""What must hold: anytime_* after every step, eventually_* when the faults have stopped and everybody has called.

Everything is read with plain SQL and compared with the model; nothing here asks sync/ how things stand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from schema.database import Store
from tests.simulation.model import COLUMNS, HUB, PUBLISHED, Broken, Cell, Pair, Write
from tests.simulation.world import Station, World


def stores(world: World) -> list[tuple[str, Store]]:
    """Every database with its name."""
    return [(HUB, world.hub), *((s.name, s.store) for s in world.stations)]


def _need(kept: bool, checker: Callable[[World], None], what: str) -> None:
    if not kept:
        raise Broken(checker.__name__, what)


def _rows(store: Store, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    with store.read() as db:
        return [tuple(row) for row in db.execute(sql, values)]


# --- anytime --------------------------------------------------------------------------------------------------


def anytime_values_follow_the_model(world: World) -> None:
    """Every replica shows in every cell exactly what the merge rule makes of what it was given."""
    for name, store in stores(world):
        replica = world.cells.at[name]
        found: dict[Cell, Any] = {}
        for row_id, *values in _rows(store, f"SELECT id, {', '.join(COLUMNS)} FROM contact"):
            found.update({(row_id, column): value for column, value in zip(COLUMNS, values, strict=True)})
        for cell in found.keys() | replica.cells.keys():
            if found.get(cell) != replica.value(cell):
                where = f"{name} {world.name_of(cell[0])}.{cell[1]}"
                told = f"{found.get(cell)!r} instead of {replica.value(cell)!r}"
                _need(False, anytime_values_follow_the_model, f"{where}: {told}")


def anytime_local_edits_are_tracked(world: World) -> None:
    """The extension's sync bit is 0 on every connection that people write on (K1)."""
    for name, store in stores(world):
        bit = store.connection().execute("SELECT crsql_internal_sync_bit()").fetchone()[0]
        _need(bit == 0, anytime_local_edits_are_tracked, f"{name}: local writes are not tracked")


def anytime_a_station_holds_only_its_slices(world: World) -> None:
    """No person, account, contact, case or fact of somebody else's."""
    for station in world.stations:
        for table, (key, _) in (*PUBLISHED.items(), ("contact", ("id", ()))):
            held = world.register.of_slices("person" if table == "contact" else table, station.slices)
            if table == "account":
                held = world.register.of_slices("person", station.slices)
            strangers = [k for (k,) in _rows(station.store, f"SELECT {key} FROM {table}") if k not in held]
            _need(not strangers, anytime_a_station_holds_only_its_slices, f"{station.name}: {table} {strangers}")
        for fact_id, origin in _rows(station.store, "SELECT id, origin FROM fact"):
            mine = origin == station.name or world.register.to_station.get(fact_id) == station.name
            _need(mine, anytime_a_station_holds_only_its_slices, f"{station.name}: fact of {origin}")


def anytime_cursors_are_never_ahead(world: World) -> None:
    """What the hub's feed lists up to a station's cursor is at the station, as new as the hub has it."""
    for station in world.stations:
        for slice_, channel, after in _rows(station.store, 'SELECT slice, channel, "after" FROM cursor'):
            head = _rows(world.hub, "SELECT seq FROM feed_head")[0][0]
            _need(after <= head, anytime_cursors_are_never_ahead, f"{station.name}: {slice_} {after} > {head}")
            sql = "SELECT tbl, pk FROM slice_feed WHERE slice = ? AND channel = ? AND seq <= ?"
            for table, key in _rows(world.hub, sql, slice_, channel, after):
                if table in ("person", "case_state", "conflict", "fact"):
                    column = PUBLISHED.get(table, ("id", ()))[0]
                    what = "hash" if table == "fact" else "rev"
                    asked = f"SELECT {what} FROM {table} WHERE {column} = ?"
                    here, there = _rows(station.store, asked, key), _rows(world.hub, asked, key)
                    told = f"{station.name} is at {after} of {slice_} without {table} {world.name_of(key)}"
                    _need(here == there, anytime_cursors_are_never_ahead, told)


def anytime_facts_count_once(world: World) -> None:
    """The hub holds every good fact that arrived, once, acted on it once, and holds no bad one; so does a station."""
    arrived = {k for k, fact in world.register.facts.items() if fact.arrived and not fact.bad}
    stored = {k for (k,) in _rows(world.hub, "SELECT id FROM fact WHERE origin <> 'hub'")}
    _need(stored == arrived, anytime_facts_count_once, f"hub: {len(stored)} facts, {len(arrived)} arrived")
    acted = {case: state for case, state in _rows(world.hub, "SELECT case_id, state FROM case_state")}
    wanted = {case: row[1] for case, row in world.register.rows["case_state"].items()}
    _need(acted == wanted, anytime_facts_count_once, f"hub acted on {acted}, not on {wanted}")
    for station in world.stations:
        got = _rows(station.store, "SELECT value FROM setting WHERE name LIKE 'got:%'")
        told = _rows(station.store, "SELECT count(*) FROM fact WHERE origin = 'hub'")[0][0]
        once = len(got) == told and all(times == b"x" for (times,) in got)
        _need(once, anytime_facts_count_once, f"{station.name}: {told} facts of the hub, acted on {got}")


def anytime_no_edit_vanishes(world: World) -> None:
    """An edit that nobody who saw it replaced is on its author's screen, on its way, or in a conflict."""
    kept = {name: conflicts(world, store) for name, store in stores(world)}
    for write in world.cells.last_words():
        shown = world.cells.at[write.author].cells[write.cell].write is write
        under_way = write.author != HUB and write.number not in world.cells.at_hub and _frames_wait(world, write)
        listed = any(_lists(kept[name], write) for name in (HUB, write.author))
        told = f"{write.author}'s {world.name_of(write.cell[0])}.{write.cell[1]} = {write.value!r}"
        _need(shown or under_way or listed, anytime_no_edit_vanishes, told)


def _frames_wait(world: World, write: Write) -> bool:
    station = next(s for s in world.stations if s.name == write.author)
    sql = "SELECT count(*) FROM outbox_frame WHERE channel = 'reg' AND acked_at IS NULL"
    return bool(_rows(station.store, sql)[0][0])


def _lists(found: Counter[Pair], write: Write) -> bool:
    return any(cell == write.cell and write.value in values for cell, values in found)


def conflicts(world: World, store: Store) -> Counter[Pair]:
    """The conflict records of a database."""
    found = _rows(store, "SELECT row_id, col, kept, lost FROM conflict")
    return Counter(((row_id, column), frozenset((kept, lost))) for row_id, column, kept, lost in found)


ANYTIME: tuple[Callable[[World], None], ...] = (
    anytime_values_follow_the_model, anytime_local_edits_are_tracked, anytime_facts_count_once,
)  # fmt: skip
# These cost more and look at what stays, so every tenth step is enough.
OFTEN: tuple[Callable[[World], None], ...] = (
    anytime_a_station_holds_only_its_slices, anytime_cursors_are_never_ahead, anytime_no_edit_vanishes,
)  # fmt: skip


# --- eventually -----------------------------------------------------------------------------------------------


def eventually_values_are_equal(world: World) -> None:
    """Hub and stations show the same in every cell of the slice."""
    sql = f"SELECT id, {', '.join(COLUMNS)} FROM contact"
    hub = {row[0]: row for row in _rows(world.hub, sql)}
    for station in world.stations:
        held = world.register.of_slices("person", station.slices)
        wanted = {k: row for k, row in hub.items() if k in held}
        found = {row[0]: row for row in _rows(station.store, sql)}
        differing = [world.name_of(k) for k in sorted(wanted.keys() | found.keys()) if wanted.get(k) != found.get(k)]
        _need(not differing, eventually_values_are_equal, f"{station.name}: {differing}")


def eventually_rows_are_equal(world: World) -> None:
    """Published rows are exactly those of the station's slices, with the hub's last word."""
    for name, store in stores(world):
        for table, (key, columns) in PUBLISHED.items():
            station = next((s for s in world.stations if s.name == name), None)
            rows = world.register.rows[table]
            wanted = rows if station is None else world.register.of_slices(table, station.slices)
            found = {k: tuple(v) for k, *v in _rows(store, f"SELECT {key}, {', '.join(columns)} FROM {table}")}
            _need(found == wanted, eventually_rows_are_equal, f"{name}: {table} {_difference(found, wanted)}")


def _difference(found: dict[Any, Any], wanted: dict[Any, Any]) -> str:
    differing = [k for k in found.keys() | wanted if found.get(k) != wanted.get(k)]
    return str([(found.get(k), wanted.get(k)) for k in differing])


def eventually_every_conflict_is_on_record(world: World) -> None:
    """Recall and precision: a record for every pair that met unseen, none for others, the same at every station."""
    found, wanted = conflicts(world, world.hub), world.cells.required()
    missing, extra = wanted - found, found - wanted
    blurred = Counter({pair: n for pair, n in extra.items() if world.cells.is_blurred(pair)})
    world.fired["record too many of a blurred base"] += sum(blurred.values())
    extra -= blurred
    told = f"missing {_pairs(world, missing)}, too many {_pairs(world, extra)}"
    _need(not missing and not extra, eventually_every_conflict_is_on_record, told)
    wrong = [pair for pair in found - blurred if not world.cells.are_concurrent(pair)]
    _need(not wrong, eventually_every_conflict_is_on_record, f"not concurrent: {_pairs(world, Counter(wrong))}")
    for station in world.stations:
        held = world.register.of_slices("person", station.slices)
        mine = Counter({pair: n for pair, n in found.items() if pair[0][0] in held})
        here = conflicts(world, station.store)
        told = f"{station.name}: missing {_pairs(world, mine - here)}, too many {_pairs(world, here - mine)}"
        _need(here == mine, eventually_every_conflict_is_on_record, told)


def _pairs(world: World, pairs: Counter[Pair]) -> list[str]:
    return sorted(
        f"{world.name_of(cell[0])}.{cell[1]} {sorted(map(str, values))} x{n}" for (cell, values), n in pairs.items()
    )


def eventually_outboxes_are_empty(world: World) -> None:
    """Everything was sent and signed for; what was refused is listed on both sides with its reason."""
    for station in world.stations:
        waiting = _rows(station.store, "SELECT channel, n FROM outbox_frame WHERE acked_at IS NULL")
        _need(not waiting, eventually_outboxes_are_empty, f"{station.name}: frames {waiting}")
    for fact_id, fact in world.register.facts.items():
        _need(fact.arrived, eventually_outboxes_are_empty, f"{fact.station}: a fact never arrived")
        station = next(s for s in world.stations if s.name == fact.station)
        received = _rows(station.store, "SELECT received_at IS NOT NULL FROM fact WHERE id = ?", fact_id)[0][0]
        _need(received == (not fact.bad), eventually_outboxes_are_empty, f"{fact.station}: {fact.bad} {received}")
        for name, store in ((HUB, world.hub), (fact.station, station.store)):
            listed = len(_rows(store, "SELECT 1 FROM refusal WHERE item = ?", fact_id.hex()))
            _need(listed == bool(fact.bad), eventually_outboxes_are_empty, f"{name}: {fact.bad} listed {listed}")


def eventually_hub_facts_arrive(world: World) -> None:
    """Each station has each fact the hub stated for it."""
    for station in world.stations:
        wanted = {k for k, name in world.register.to_station.items() if name == station.name}
        found = {k for (k,) in _rows(station.store, "SELECT id FROM fact WHERE origin = 'hub'")}
        _need(found == wanted, eventually_hub_facts_arrive, f"{station.name}: {len(found)} of {len(wanted)}")


EVENTUALLY: tuple[Callable[[World], None], ...] = (
    eventually_values_are_equal, eventually_rows_are_equal, eventually_hub_facts_arrive,
    eventually_every_conflict_is_on_record, eventually_outboxes_are_empty,
)  # fmt: skip


def eventually_digests_prove_it(world: World, station: Station, equal: bool | None) -> None:
    """The protocol's own proof agrees."""
    if equal is not True:
        raise Broken("eventually_digests_prove_it", f"{station.name}: {equal}")
