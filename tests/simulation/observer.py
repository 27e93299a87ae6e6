# SPDX-License-Identifier: Apache-2.0
"""Behind all faults: what really reached the hub, what a station really applied. This alone the model is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidSignature

from schema.errors import Unreachable
from sync.wire.transport import Request, Response
from tests.simulation import first_loads, wire
from tests.simulation.model import HUB, Broken, Cell, Version
from tests.simulation.power import FATE, Crashed
from tests.simulation.world import HUB_KEY, Station, World, program


def unreachable() -> Unreachable:
    """No answer."""
    return Unreachable("线断了", "the line is cut")


def short(path: str, query: Mapping[str, str]) -> str:
    """A path for the trace, without epochs and digests."""
    kept = "/".join(part for part in path.split("/") if len(part) != 32)
    return kept + "".join(f" {k}={v}" for k, v in query.items() if k not in ("mine", "max"))


def deliver(world: World, request: Request, *, may_fail: bool = False) -> Response:
    """Hand a request to the hub and tell the model what the hub has taken in, whether or not it lived to say so."""
    fatal, FATE.paused = FATE.machine == HUB, FATE.machine != HUB
    try:
        with program(world.release):
            response = world.server.handle(request)
    except Crashed:
        world.fired[FATE.autopsy(HUB)] += 1
        world.crash_hub()
        raise unreachable() from None
    finally:
        if fatal:
            FATE.spare()
        _look_for(world, request)
        if request.path.startswith("/s1/snapshot/"):
            first_loads.remember_made(world)
    if response.status == 500 and not may_fail:
        raise Broken("anytime_every_process_lives", f"{request.method} {short(request.path, request.query)}: 500")
    return response


def _look_for(world: World, request: Request) -> None:
    """Whether the hub's ledger has this frame now."""
    parts = request.path.split("/")
    if (request.method, parts[2]) != ("PUT", "chunk") or tuple(parts[i] for i in (3, 5, 6)) in world.arrived:
        return
    with world.hub.read() as db:
        sql = "SELECT hash FROM frame_ledger WHERE node = ? AND channel = ? AND n = ?"
        found = db.execute(sql, (parts[3], parts[5], int(parts[6]))).fetchone()
    if found and bytes(found[0]) == sha256(request.body).digest():
        _arrived(world, parts[3], parts[5], int(parts[6]), request.body)


def _arrived(world: World, name: str, channel: str, n: int, body: bytes) -> None:
    world.arrived.add((name, channel, str(n)))
    world.traffic["useful"] += len(body)
    station = next((s for s in world.stations if s.name == name), None)
    if station is None:
        return  # the hostile one: what it sends is not believed
    world.accepted.append((station, channel, n, body))
    _, payload = wire.content(body)
    if channel == "reg":
        held = set(station.slices)
        world.cells.pushed(name, wire.cells(payload), lambda person: bool(world.register.members[person] & held))
        return
    for fact_id in wire.facts(payload):
        fact = world.register.facts[fact_id]
        if fact.arrived:
            world.fired["urgent fact in its place"] += 1
            continue
        fact.arrived = True
        if not fact.bad:
            _take_effect(world, fact.station, fact.effects)


def _take_effect(world: World, station: str, effects: dict[str, Any]) -> None:
    """What the intake of the simulated hub makes of a good fact."""
    register, person = world.register, effects["person"]
    register.rows["case_state"][effects["case"]] = (station, "submitted")
    if person:
        register.rows["person"][person] = (effects["name"], effects["village"])
        register.enter(person, {effects["village"][:9]})
        world.people.append(person)
        world.cells.write(HUB, person, {"phone": effects["phone"]})


@dataclass(frozen=True)
class Page:
    """A page on its way to a station, and what the hub's cells on it were when it was made."""

    slice: str
    channel: str
    upto: int
    size: int
    cells: dict[Cell, Version]
    payload: dict[str, Any]


def remember_page(world: World, station: Station, request: Request, response: Response) -> None:
    """A page is on its way. Whether it gets applied shows in the station's own cursor."""
    if response.status != 200 or not request.path.startswith("/s1/feed/"):
        return
    try:
        HUB_KEY.public_key().verify(response.body[-wire.SIGNATURE_BYTES :], response.body[: -wire.SIGNATURE_BYTES])
    except InvalidSignature:
        return  # the line spoiled it: nobody will apply that
    header, payload = wire.content(response.body)
    slice_, channel = header["slice"], header["chan"]
    _only_its_own(world, station, wire.persons(payload))
    cells = world.cells.page(wire.cells(payload)) if channel == "reg" else {}
    world.pages[station.name] = Page(slice_, channel, header["upto"], len(response.body), cells, payload)


def _only_its_own(world: World, station: Station, persons: set[bytes]) -> None:
    """I4: the hub sends nobody to a station whose slices that person is not in."""
    strangers = [p for p in persons if not world.register.members.get(p, set()) & set(station.slices)]
    if strangers:
        raise Broken("anytime_a_station_holds_only_its_slices", f"{station.name} was sent {strangers}")


def observe_page(world: World, station: Station) -> None:
    """Tell the model if the last page was applied: the cursor moves in the transaction of the data."""
    first_loads.observe_installed(world, station)
    page = world.pages.pop(station.name, None)
    if page is None:
        return
    with station.store.read() as db:
        sql = 'SELECT "after" FROM cursor WHERE slice = ? AND channel = ?'
        found = db.execute(sql, (page.slice, page.channel)).fetchone()
    if found and found[0] == page.upto:
        world.cells.pulled(station.name, page.cells)
        if page.channel == "ref":
            world.cells.ahead -= {(station.name, person) for person in wire.persons(page.payload)}
        for table, person in wire.gone(page.payload):
            with station.store.read() as db:
                shown = db.execute("SELECT 1 FROM person WHERE id = ?", (person,)).fetchone() is not None
            world.cells.gone(station.name, table, person, shown=shown)
            world.fired["row leaves a station"] += table == "contact"
        world.traffic["useful"] += page.size
