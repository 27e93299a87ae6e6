# SPDX-License-Identifier: Apache-2.0
"""Sticks between the stations and the hub of a `World`."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from sync import courier_hub, courier_node


def node(station: Any) -> courier_node.Node:
    world = station.world
    return courier_node.Node(
        station.store, station.key, station.certificate, world.hub_public, world.clock,
        lambda db, fact: station.received.append(fact),
    )  # fmt: skip


def export(station: Any, **more: Any) -> bytes:
    sink = BytesIO()
    courier_node.export(node(station), sink, **more)
    return sink.getvalue()


def hub_takes(world: Any, data: bytes) -> courier_hub.Came:
    return world.server.courier.take(BytesIO(data))


def answer(world: Any, station: Any, **more: Any) -> bytes:
    sink = BytesIO()
    world.server.courier.answer(station.name, sink, **more)
    return sink.getvalue()


def takes(station: Any, data: bytes) -> courier_node.Taken:
    return courier_node.take(node(station), BytesIO(data))


def round_trip(world: Any, station: Any) -> courier_node.Taken:
    """A stick to the hub and back."""
    came = hub_takes(world, export(station))
    assert (came.code, came.missing, came.refused) == ("", {}, [])
    return takes(station, answer(world, station))
