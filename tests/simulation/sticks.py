# SPDX-License-Identifier: Apache-2.0
"""Sticks: carried late, read twice, cut, taken to the wrong house, mixed with the line in any order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from unittest.mock import patch

from schema.errors import TownshipError
from sync.courier import node as courier_node
from sync.courier.hub import Courier
from sync.wire import frame
from tests.simulation import wire
from tests.simulation.hostile import everything
from tests.simulation.model import Broken
from tests.simulation.observer import Page, deliver, observe_page
from tests.simulation.world import HUB_KEY, HUB_PUBLIC, Station, World, program

POCKET = 6  # more sticks than that are forgotten in drawers


@dataclass(frozen=True)
class Stick:
    """A file on its way. `to_hub`: from that station, else for it."""

    station: Station
    to_hub: bool
    data: bytes


def courier(world: World) -> Courier:
    """The hub's end, seen by the model."""
    return Courier(world.hub, HUB_KEY, world.clock, lambda request: deliver(world, request))


def end(world: World, station: Station) -> courier_node.Node:
    """The station's end."""
    return courier_node.Node(
        station.store, station.key, station.certificate, HUB_PUBLIC, station.clock, world.receive
    )


def stick(world: World) -> None:
    """A station writes a stick; it travels for some time."""
    station = world.rng.choice(world.stations)
    world.note(f"{station.name} writes a stick")
    sink = BytesIO()
    with program(station.release):
        courier_node.export(end(world, station), sink)
    _pocket(world, Stick(station, True, sink.getvalue()))


def _pocket(world: World, one: Stick) -> None:
    world.sticks.append(one)
    if len(world.sticks) > POCKET:
        world.sticks.pop(world.rng.randrange(POCKET))


def stick_arrives(world: World) -> None:
    """One of the sticks gets somewhere, whole or not; whether it is read again one day is open."""
    if not world.sticks:
        return
    rng = world.rng
    one = world.sticks[rng.randrange(len(world.sticks))]
    again = rng.random() < 0.3
    if not again:
        world.sticks.remove(one)
    chance = rng.random()
    if chance < 0.15:
        _truncated(world, one)
    elif chance < 0.25:
        _to_somebody_else(world, one)
    else:
        _read(world, one, one.data)
        world.fired["stick read twice"] += again


def _read(world: World, one: Stick, data: bytes) -> str:
    """The code it was refused with, '' when it was taken in."""
    world.note(f"a stick {'of' if one.to_hub else 'for'} {one.station.name} is read")
    try:
        if one.to_hub:
            _hub_reads(world, one.station, data)
        else:
            _station_reads(world, one.station, data)
    except TownshipError as error:
        world.note(f"-> {error.code}")
        return error.code
    return ""


def _hub_reads(world: World, station: Station, data: bytes) -> None:
    with program(world.release):
        here = courier(world)
        came = here.take(BytesIO(data))
        sink = BytesIO()
        here.answer(station.name, sink)
    world.note(f"-> {came.taken} frames, {came.again} again {came.code}")
    world.fired["stick to the hub"] += 1
    _pocket(world, Stick(station, False, sink.getvalue()))


@contextmanager
def observed_pages(world: World, station: Station) -> Iterator[None]:
    """While a station takes an answer in, the model hears of every page that it applies."""
    apply = courier_node.apply_page

    def observed(store: Any, opened: frame.Frame, *more: Any) -> int:
        header, content = opened.header, opened.content
        cells = world.cells.recalled(wire.cells(content)) if header.chan == "reg" else {}
        world.pages[station.name] = Page(header.slice, header.chan, header.upto, 0, cells, dict(content))
        items = apply(store, opened, *more)
        observe_page(world, station)
        return items

    with patch.object(courier_node, "apply_page", observed):
        yield


def _station_reads(world: World, station: Station, data: bytes) -> None:
    with program(station.release), observed_pages(world, station):
        taken = courier_node.take(end(world, station), BytesIO(data))
    world.note(f"-> {taken.receipts} receipts, {taken.pages} pages, equal {taken.equal}")
    world.fired["stick to a station"] += 1
    if taken.equal is False:
        raise Broken("eventually_everybody_holds_the_same", f"{station.name}: the stick says the digests differ")


def _truncated(world: World, one: Stick) -> None:
    """A stick pulled out too early: nothing of it is taken, and it says so."""
    before = everything(world, without=("refusal",))
    cut = one.data[: world.rng.randrange(len(one.data))]
    code = _read(world, one, cut)
    if not code or everything(world, without=("refusal",)) != before:
        raise Broken("anytime_nothing_unsigned_is_taken", f"a stick cut after {len(cut)} bytes: {code!r}")
    world.fired["stick truncated"] += 1


def _to_somebody_else(world: World, one: Stick) -> None:
    """The right file in the wrong house: it cannot even be opened."""
    other = world.rng.choice([s for s in world.stations if s is not one.station])
    code = _read(world, Stick(other, False, b""), one.data)
    if not code:
        raise Broken("anytime_nothing_unsigned_is_taken", f"{other.name} reads a stick of {one.station.name}")
    world.fired["stick of somebody else"] += 1
