# SPDX-License-Identifier: Apache-2.0
"""Behind all faults: what really reached the hub, what a station really applied. This alone the model is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature

from schema.errors import Unreachable
from sync.transport import Request, Response
from tests.simulation import wire
from tests.simulation.model import HUB, Broken
from tests.simulation.world import HUB_KEY, Crashed, Station, World


def unreachable() -> Unreachable:
    """No answer."""
    return Unreachable("线断了", "the line is cut")


def short(path: str, query: Mapping[str, str]) -> str:
    """A path for the trace, without epochs and digests."""
    kept = "/".join(part for part in path.split("/") if len(part) != 32)
    return kept + "".join(f" {k}={v}" for k, v in query.items() if k not in ("mine", "max"))


def deliver(world: World, request: Request, *, may_fail: bool = False) -> Response:
    """Hand a request to the hub and tell the model what the hub signed for."""
    try:
        response = world.server.handle(request)
    except Crashed:
        world.crash_hub()
        raise unreachable() from None
    finally:
        world.dies = "" if world.dies == HUB else world.dies
    if response.status == 500 and not may_fail:
        raise Broken("anytime_the_hub_never_fails", f"{request.method} {short(request.path, request.query)}: 500")
    parts = request.path.split("/")
    if (request.method, parts[2]) == ("PUT", "chunk") and response.status == 200:
        _arrived(world, parts[3], parts[5], int(parts[6]), request.body)
    return response


def _arrived(world: World, name: str, channel: str, n: int, body: bytes) -> None:
    if (name, channel, n) in world.arrived:
        return
    world.arrived.add((name, channel, n))
    station = next(s for s in world.stations if s.name == name)
    world.accepted.append((station, channel, n, body))
    _, payload = wire.content(body)
    if channel == "reg":
        world.cells.pushed(name, wire.cells(payload))
        return
    for fact_id in wire.facts(payload):
        fact = world.register.facts[fact_id]
        fact.arrived = True
        if not fact.bad:
            _take_effect(world, fact.station, fact.effects)


def _take_effect(world: World, station: str, effects: dict[str, Any]) -> None:
    """What the intake of the simulated hub makes of a good fact."""
    register, person = world.register, effects["person"]
    register.rows["case_state"][effects["case"]] = (station, "submitted")
    if person:
        register.rows["person"][person] = (effects["name"], effects["village"])
        register.members[person] = {effects["village"][:9]}
        world.people.append(person)
        world.cells.write(HUB, person, {"phone": effects["phone"]})


def remember_page(world: World, station: Station, request: Request, response: Response) -> None:
    """A page of cells is on its way. Whether it gets applied shows in the station's own cursor."""
    if response.status != 200 or not request.path.startswith("/s1/feed/") or request.query["chan"] != "reg":
        return
    try:
        HUB_KEY.public_key().verify(response.body[-wire.SIGNATURE_BYTES :], response.body[: -wire.SIGNATURE_BYTES])
    except InvalidSignature:
        return  # the line spoiled it: nobody will apply that
    header, payload = wire.content(response.body)
    world.pages[station.name] = (header["slice"], header["upto"], world.cells.page(wire.cells(payload)))


def observe_page(world: World, station: Station) -> None:
    """Tell the model if the last page was applied: the cursor moves in the transaction of the data."""
    page = world.pages.pop(station.name, None)
    if page is None:
        return
    slice_, upto, versions = page
    with station.store.read() as db:
        sql = "SELECT \"after\" FROM cursor WHERE slice = ? AND channel = 'reg'"
        found = db.execute(sql, (slice_,)).fetchone()
    if found and found[0] == upto:
        world.cells.pulled(station.name, versions)
