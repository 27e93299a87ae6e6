# SPDX-License-Identifier: Apache-2.0
"""After the end: a disk is restored from an old copy, copied and run twice, or the hub comes back from a backup.

The model's run is over, so this has a simpler truth: every value is written once, whoever writes over a value he saw
has replaced it, and what nobody replaced must be at the hub or in a conflict when all have been led back. What was only
on a disk that is gone is not asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from schema import database, ids
from schema.clock import stamp
from schema.database import Store
from schema.errors import Unreachable
from sync.hub import grant, life, publish
from sync.station.report import Report
from sync.wire.transport import InProcess, Request, Response
from tests.simulation.looking import need, one, rows
from tests.simulation.model import HUB, Cell
from tests.simulation.world import Station, World, state_fact

COLUMNS = ("phone", "address", "note")
WORK = 12
ROUNDS = 8
A_DAY_S = 25 * 3600.0
BY_A_PERSON = ("frozen", "clone", "rebase_waits")


@dataclass
class Told:
    """What was written, in the order of writing, and what somebody who saw it replaced."""

    values: list[tuple[Cell, str]] = field(default_factory=list)
    replaced: set[tuple[Cell, str | None]] = field(default_factory=set)
    facts: set[bytes] = field(default_factory=set)


@dataclass
class Lossy:
    """A line that loses replies."""

    world: World
    badness: float

    def request(self, method: str, path: str, query: Any, headers: Any, body: bytes) -> Response:
        """The hub's answer, if it comes."""
        lower = {name.lower(): value for name, value in headers.items()}
        answer = self.world.server.handle(Request(method, path, dict(query), lower, body))
        if self.world.rng.random() < self.badness:
            raise Unreachable("线断了", "the line is cut")
        return answer


def strike(world: World) -> None:
    """One disaster, then everybody calls until all is well."""
    disaster = world.rng.choice(DISASTERS)
    world.note(f"--- disaster: {disaster.__name__}")
    disaster(world, Told())


def station_restored(world: World, told: Told) -> None:
    """F9: a station's disk breaks; the copy it is restored from is some sessions old."""
    station = world.rng.choice(world.stations)
    copy = world.copied(station.store, world.folder)
    _work(world, told)
    _call_all(world, 0.0)
    # What is done from here to the crash was on the broken disk alone.
    _work_at(world, Told(), station)
    station.store.close()
    station.store = copy
    _work_at(world, told, station)
    world.fired["station restored"] += 1
    _end(world, told)


def disk_copied(world: World, told: Told) -> None:
    """F10: a copy of a station's disk runs as well. A person lets each go on once, then the copy is switched off."""
    station = world.rng.choice(world.stations)
    other = replace(station, store=world.copied(station.store, world.folder))
    for machine in (station, other, station, other):
        _work_at(world, told, machine)
        _call(world, machine, world.rng.choice((0.0, 0.2)))
    for machine in (other, station):
        _call_until_well(world, machine)
    other.store.close()
    world.fired["disk copied"] += 1
    _end(world, told)


def hub_restored(world: World, told: Told) -> None:
    """F11: the hub comes back from a copy older than what it signed for. Its own work since then is gone, and with it
    the record of a conflict that the station which lost had not fetched yet."""
    _work(world, told, hub=True)
    _call_all(world, 0.0)
    copied_at = stamp(world.clock.now())
    copy = world.copied(world.hub, world.folder)
    world.advance(3600)
    _work(world, told)
    _call_all(world, 0.1)
    unheard = _unheard(world) - {lost for lost, _ in _lost(copy)}
    told.values = [one for one in told.values if one not in unheard]
    world.hub.close()
    world.hub = copy
    with world.hub.write() as db:
        life.begin_anew(db, copied_at, stamp(world.clock.now()))
    world.open_server()
    fenced = _call(world, world.stations[0], 0.0)
    need(fenced.error_code == "fenced", eventually_copies_are_led_back, f"behind the fence: {fenced}")
    with world.hub.write() as db:
        life.open_again(db, stamp(world.clock.now()))
    _work(world, told)
    world.fired["hub restored"] += 1
    _end(world, told)


def _unheard(world: World) -> set[tuple[Cell, str]]:
    """Values that lost a conflict of which only the hub knows, and stations that did not lose it."""
    heard = {(lost, s.name) for s in world.stations for lost, _ in _lost(s.store)}
    return {lost for lost, by in _lost(world.hub) if (lost, by) not in heard}


def _lost(store: Store) -> list[tuple[tuple[Cell, str], str]]:
    """(cell and value that lost, whose it was) of every conflict."""
    found = rows(store, "SELECT row_id, col, lost, lost_by FROM conflict")
    return [(((row_id, column), lost), by) for row_id, column, lost, by in found]


DISASTERS: tuple[Callable[[World, Told], None], ...] = (station_restored, disk_copied, hub_restored)


# --- work -----------------------------------------------------------------------------------------------------


def _work(world: World, told: Told, *, hub: bool = False) -> None:
    for _ in range(WORK):
        what = world.rng.random()
        if what < 0.6:
            _work_at(world, told, world.rng.choice(world.stations))
        elif what < 0.8 and hub:
            _edit(world, told, world.hub, HUB)
        else:
            _call(world, world.rng.choice(world.stations), world.rng.choice((0.0, 0.2)))


def _work_at(world: World, told: Told, station: Station) -> None:
    for _ in range(world.rng.randint(1, 3)):
        _edit(world, told, station.store, station.name)
    if world.rng.random() < 0.5:
        case = ids.new_id()
        fact = state_fact(station, case, {"case": case, "bad": "", "person": b""})
        told.facts.add(fact.id)
        world.note(f"{station.name} states a case")


def _edit(world: World, told: Told, store: Store, name: str) -> None:
    people = [p for (p,) in rows(store, "SELECT id FROM person ORDER BY id")]
    if not people:
        return
    person, column = world.rng.choice(people[:5]), world.rng.choice(COLUMNS)
    world.edits += 1
    value = f"1{world.rng.randrange(10)}{world.edits:06d}"
    cell = (person, column)
    known = rows(store, f"SELECT {column} FROM contact WHERE id = ?", person)
    told.replaced.add((cell, known[0][0] if known else None))
    told.values.append((cell, value))
    world.note(f"{name} edits {world.name_of(person)}.{column}: {value}")
    if name == HUB:
        with publish.transaction(store, clock=world.clock) as pub:
            pub.cells("contact", person, {column: value})
        return
    with store.write() as db:
        if known:
            database.update(db, "contact", {"id": person}, {column: value})
        else:
            database.insert(db, "contact", {"id": person, column: value})


# --- sessions -------------------------------------------------------------------------------------------------


def _call(world: World, machine: Station, badness: float) -> Report:
    line = Lossy(world, badness) if badness else InProcess(world.server)
    report = world.session(machine, lambda: line).run()
    world.note(f"{machine.name} calls: {report.error_code or 'ok'}, equal {report.equal}")
    return report


def _call_all(world: World, badness: float) -> None:
    for station in world.stations:
        _call(world, station, badness)


def _call_until_well(world: World, machine: Station) -> Report:
    """Days go by; where a person must decide, a person does."""
    report = Report()
    for _ in range(ROUNDS):
        world.advance(A_DAY_S)
        report = _call(world, machine, 0.0)
        if report.ok:
            return report
        if report.error_code in BY_A_PERSON:
            with world.hub.write() as db:
                grant.permit(db, machine.name, stamp(world.clock.now()))
    need(False, eventually_copies_are_led_back, f"{machine.name}: {report}")
    return report


def _end(world: World, told: Told) -> None:
    for _ in range(2):
        for station in world.stations:
            _call_until_well(world, station)
    for station in world.stations:
        report = _call_until_well(world, station)
        need(report.equal is True, eventually_copies_are_led_back, f"{station.name}: {report}")
    eventually_copies_are_led_back(world, told)


def eventually_copies_are_led_back(world: World, told: Told) -> None:
    """I20: whoever was restored or copied holds what the hub holds, and nothing that reached a living disk is lost."""
    me = eventually_copies_are_led_back
    sql = f"SELECT id, {', '.join(COLUMNS)} FROM contact"
    hub = {row[0]: row[1:] for row in rows(world.hub, sql)}
    for station in world.stations:
        held = {p for (p,) in rows(station.store, "SELECT id FROM person")}
        here = {row[0]: row[1:] for row in rows(station.store, sql)}
        differing = [world.name_of(p) for p in sorted(held | here.keys()) if here.get(p) != hub.get(p)]
        need(not differing, me, f"{station.name} and the hub differ: {differing}")
        waiting = one(station.store, "SELECT count(*) FROM journal_cell") + one(
            station.store, "SELECT count(*) FROM reoffer"
        )
        need(not waiting, me, f"{station.name} still keeps {waiting} aside")
    kept = {
        ((row_id, column), value)
        for row_id, column, *both in rows(world.hub, "SELECT row_id, col, kept, lost FROM conflict")
        for value in both
    }
    for cell, value in told.values:
        stands = hub.get(cell[0], ("",) * len(COLUMNS))[COLUMNS.index(cell[1])] == value
        found = stands or (cell, value) in told.replaced | kept
        need(found, me, f"{world.name_of(cell[0])}.{cell[1]} = {value} is nowhere")
    at_hub = {k for (k,) in rows(world.hub, "SELECT id FROM fact WHERE origin <> 'hub'")}
    need(told.facts <= at_hub, me, f"{len(told.facts - at_hub)} facts are not at the hub")
    twice = one(world.hub, "SELECT count(*) FROM case_state WHERE state = 'twice'")
    need(twice == 0, me, f"{twice} facts were acted on twice")
