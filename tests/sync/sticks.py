# SPDX-License-Identifier: Apache-2.0
"""Sticks between the stations and the hub of a `World`."""

from __future__ import annotations

import zlib
from hashlib import sha256
from io import BytesIO
from typing import Any

from sync.courier import box, bundle
from sync.courier import hub as courier_hub
from sync.courier import node as courier_node
from sync.wire import codec, frame
from tests.sync.forging import make


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


def swelling(station: Any, length: int) -> bytes:
    """A frame of a few hundred KiB, well signed, that says it holds 1,000 bytes and holds `length`."""
    small = make(station, "evt", {"facts": [bytes(1000)]})
    fields = codec.load(small[8 : 8 + int.from_bytes(small[4:8], "big")])
    packed = zlib.compress(bytes(length), 9)
    head = codec.dump(fields | {"payload_sha256": sha256(packed).digest()})
    body = b"S1" + bytes((frame.VERSION, frame.ZLIB)) + len(head).to_bytes(4, "big") + head + packed
    return body + station.key.sign(body)


def rewritten(
    world: Any, data: bytes, *, sender: Any, frames: list[bytes] | None = None, **state: Any
) -> bytes:
    """The bundle's members under another seal, with other frames when given, and another state."""
    source = BytesIO(data)
    members = list(bundle.members(source, box.address(source), world.hub_key))
    old = bundle.Header.read(members[0][1])
    sink = BytesIO()
    sealer = box.Sealer(sink, sender=sender.name, key=sender.key, recipient="hub", recipient_public=world.hub_public)
    rest = (old.epoch, old.created, old.answers, old.state | state, old.code)
    writer = bundle.Writer(sealer, bundle.Header(old.id, sender.name, "hub", *rest))
    kept = [m for m in members[1:-1] if frames is None or m[0] != bundle.FRAME]
    for kind, member in [*kept, *((bundle.FRAME, f) for f in frames or [])]:
        writer.add(kind, member)
    writer.close(frames={})
    return sink.getvalue()


def without(world: Any, station: Any, data: bytes, channel: str, n: int) -> bytes:
    """The bundle without one frame."""
    source = BytesIO(data)
    members = list(bundle.members(source, box.address(source), world.hub_key))
    pushed = [m for kind, m in members if kind == bundle.FRAME]
    kept = [f for f in pushed if (frame.peek(f)["chan"], frame.peek(f)["n"]) != (channel, n)]
    assert len(kept) == len(pushed) - 1
    return rewritten(world, data, sender=station, frames=kept)
