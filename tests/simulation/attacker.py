# SPDX-License-Identifier: Apache-2.0
"""A station whose key is in the wrong hands: well-formed, well-signed frames with whatever a peer might try.

Each attempt must be refused with its own code, in the receipt when it is one row among others, and must leave every
table of the hub as it was, except the ledger of frames, the list of refusals and the station's own record.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import Any

from schema import database, ids
from schema.clock import stamp
from schema.events import GENESIS, HUB, Fact
from sync.hub import publish
from sync.wire import codec, frame, receipt, tokens
from sync.wire.codec import WireCell
from sync.wire.transport import Request, Response
from tests.simulation.hostile import everything
from tests.simulation.model import Broken
from tests.simulation.observer import deliver
from tests.simulation.world import HUB_PUBLIC, TOKEN_SECRET, TOWNSHIPS, World, derived_key

NAME, OFFICER = "0100-9", "3009"
SLICES = ("county", TOWNSHIPS[0], f"node:{NAME}")
KEY, OFFICER_KEY = derived_key(NAME), derived_key(OFFICER)
EPOCH, SITE = random.Random(f"epoch {NAME}").randbytes(16), random.Random(f"site {NAME}").randbytes(16)
# What an attempt may leave behind.
TRACES = ("frame_ledger", "refusal", "setting", "node_record")
POISON = "毒"


def enrol(world: World) -> None:
    """The county knows this station and one officer of it; its register has a trigger that hates one word."""
    with publish.transaction(world.hub) as pub:
        database.insert(pub.db, "node_record", {
            "id": NAME, "name": NAME, "slices": " ".join(SLICES), "serial": 1, "unsent": 0, "epoch": EPOCH,
            "public_key": KEY.public_key().public_bytes_raw(), "site_id": SITE,
        })  # fmt: skip
        officer = {"operator_no": OFFICER, "name": "乙", "roles": "clerk"}
        officer |= {"public_key": OFFICER_KEY.public_key().public_bytes_raw()}
        pub.put("officer", officer | {"station": NAME, "wrapped_key": b"w", "must_change": 0})
        pub.put("officer_key", officer | {"valid_from": "1990-01-01T00:00:00.000Z"})
        for moment in ("INSERT", "UPDATE"):
            pub.db.execute(
                f"CREATE TRIGGER poison_{moment} BEFORE {moment} ON contact WHEN NEW.note LIKE '{POISON}%' "
                "BEGIN SELECT RAISE(ABORT, 'poison'); END"
            )


def attack_as_a_station(world: World) -> None:
    """One attempt of the table."""
    kind = world.rng.choice((row, row, fact, whole_frame))
    kind(world)


# --- rows -----------------------------------------------------------------------------------------------------


def row(world: World) -> None:
    """A row that no program of ours would write, sometimes between two harmless ones."""
    name = "poison" if world.rng.random() < 0.2 else world.rng.choice(tuple(ROWS))
    code, make = ROWS[name]
    person = _somebody(world, inside=True)
    if person is None:
        return
    world.note(f"hostile row: {name}")
    cells = make(world, _cell(world, person))
    refused = _push(world, "reg", {"cells": codec.pack_cells(cells), "conflicts": []}, 1)
    _need(world, name, refused == [code], f"{refused} instead of {code}")
    world.fired["poison row" if name == "poison" else "hostile row"] += 1


def _cell(world: World, person: bytes, **changes: Any) -> WireCell:
    with world.hub.read() as db:
        head = publish.head(db)
    return WireCell("contact", person, "phone", "13900000001", 2, 1, head)._replace(**changes)


def _somebody(world: World, *, inside: bool) -> bytes | None:
    members = world.register.members if inside else world.register.ever
    held = [p for p in world.people if (TOWNSHIPS[0] in members[p]) == inside and p not in world.cells.erased]
    return world.rng.choice(held) if held else None


def _stranger(world: World, cell: WireCell) -> WireCell:
    return cell._replace(row_id=_somebody(world, inside=False) or ids.new_id())


Make = Callable[[World, WireCell], list[WireCell]]
BIG = 2**62
# what is tried -> (the code it is refused with, the cells)
ROWS: dict[str, tuple[str, Make]] = {
    "another table": ("table", lambda w, c: [c._replace(table="person", column="name", value="改")]),
    "no table of ours": ("table", lambda w, c: [c._replace(table="sqlite_master")]),
    "huge version": ("range", lambda w, c: [c._replace(col_version=BIG)]),
    "negative version": ("range", lambda w, c: [c._replace(col_version=-1)]),
    "version that wins for ever": ("range", lambda w, c: [c._replace(col_version=900_000)]),
    "huge causal length": ("range", lambda w, c: [c._replace(causal_length=BIG + 1)]),
    "causal length 0": ("range", lambda w, c: [c._replace(causal_length=0)]),
    "a deletion": ("sentinel", lambda w, c: [c._replace(column="-1", value=None, causal_length=2, col_version=2)]),
    "a cell of a deleted row": ("tombstone", lambda w, c: [c._replace(causal_length=2)]),
    "the key": ("column", lambda w, c: [c._replace(column="id", value=bytes(16))]),
    "no column of ours": ("column", lambda w, c: [c._replace(column="township", value="330683101")]),
    "quoted column": ("column", lambda w, c: [c._replace(column='phone" = NULL --')]),
    "base of the future": ("range", lambda w, c: [c._replace(extra=c.extra + 1)]),
    "negative base": ("range", lambda w, c: [c._replace(extra=-1)]),
    "somebody else's person": ("not_in_slice", lambda w, c: [_stranger(w, c)]),
    "nobody": ("not_in_slice", lambda w, c: [c._replace(row_id=ids.new_id())]),
    "too long": ("length", lambda w, c: [c._replace(column="note", value="长" * 5000)]),
    "NUL": ("characters", lambda w, c: [c._replace(column="note", value="a\x00b")]),
    "wrong type": ("type", lambda w, c: [c._replace(value=13900000001)]),
    "wrong form": ("format", lambda w, c: [c._replace(value="<script>")]),
    "poison": ("database", lambda w, c: [c._replace(column="note", value=POISON, col_version=5000)]),
}  # fmt: skip


# --- facts ----------------------------------------------------------------------------------------------------


def fact(world: World) -> None:
    """A fact that this station may not state."""
    name = world.rng.choice(tuple(FACTS))
    code, change, key = FACTS[name]
    seq, prev = _chain(world)
    made = Fact(
        ids.new_id(), NAME, EPOCH, seq + 1, prev, "case_submitted", 1, ids.new_id(), OFFICER,
        stamp(world.clock.now()), {"bad": "hostile", "person": b""},
    )  # fmt: skip
    changed = replace(made, **change).signed(key)
    if name == "a hole in the chain":
        changed = replace(changed, seq=seq + 3).signed(key)
    world.note(f"hostile fact: {name}")
    wire: Any = changed.to_wire()
    refused = _push(world, "evt", {"facts": [wire[:-1] if name == "cut" else wire]}, 1)
    _need(world, name, refused == [code], f"{refused} instead of {code}")
    world.fired["hostile fact"] += 1


def _chain(world: World) -> tuple[int, bytes]:
    """The hub's record of this station's facts, refused ones included."""
    with world.hub.read() as db:
        kept = database.setting(db, f"chain:{NAME}")
    _, seq, last = codec.load(kept) if kept else (EPOCH, 0, GENESIS)
    return seq, last or GENESIS


FACTS: dict[str, tuple[str, dict[str, Any], Any]] = {
    "another station's officer": ("officer_station", {"officer": "3001"}, derived_key("3001")),
    "nobody's officer": ("officer_unknown", {"officer": "9999"}, OFFICER_KEY),
    "another's signature": ("officer_signature", {}, derived_key("nobody")),
    "a decision of the hub": ("kind", {"kind": "case_approved"}, OFFICER_KEY),
    "an unknown kind": ("kind", {"kind": "pay_me"}, OFFICER_KEY),
    "another origin": ("origin", {"origin": "0100-1"}, OFFICER_KEY),
    "the hub's name": ("origin", {"origin": HUB}, OFFICER_KEY),
    "another epoch": ("origin", {"epoch": bytes(16)}, OFFICER_KEY),
    "a hole in the chain": ("chain", {}, OFFICER_KEY),
    "cut": ("fact_form", {}, OFFICER_KEY),
}


# --- whole frames ---------------------------------------------------------------------------------------------


def whole_frame(world: World) -> None:
    """A frame that is refused before anything of it is looked at. Nothing at all may change."""
    name = world.rng.choice(tuple(FRAMES))
    channel = world.rng.choice(("evt", "reg"))
    n, prev = _last(world, channel)
    before = everything(world)
    response = _put(world, channel, n + 1, FRAMES[name](world, channel, n + 1, prev))
    world.note(f"hostile frame: {name}")
    _need(world, name, response.status in (400, 403, 413), f"answered {response.status}")
    if everything(world) != before:
        raise Broken("anytime_a_refused_frame_changes_nothing", f"hostile frame: {name}")
    world.fired["bomb" if "bomb" in name else "hostile frame"] += 1


def _raw(payload: bytes, raw_len: int, packed: bool, channel: str, n: int, prev: bytes, **changes: Any) -> bytes:
    """A frame around these bytes, signed as it stands."""
    stated = vars(replace(_header(channel, n, prev), **changes))
    fields = {("from" if name == "first" else name): value for name, value in stated.items()}
    head = codec.dump(fields | {"raw_len": raw_len, "payload_sha256": sha256(payload).digest()})
    body = frame.MAGIC + bytes((frame.VERSION, packed)) + len(head).to_bytes(4, "big") + head + payload
    return body + KEY.sign(body)


def _bomb(size: int, stated: int) -> Callable[[World, str, int, bytes], bytes]:
    packed = zlib.compress(bytes(size), 9)
    return lambda world, channel, n, prev: _raw(packed, stated, True, channel, n, prev)


def _of(content: bytes) -> Callable[[World, str, int, bytes], bytes]:
    return lambda world, channel, n, prev: _raw(content, len(content), False, channel, n, prev)


def _stated(**changes: Any) -> Callable[[World, str, int, bytes], bytes]:
    content = codec.dump({"facts": [], "cells": {}, "conflicts": []})
    return lambda world, channel, n, prev: _raw(content, len(content), False, channel, n, prev, **changes)


def _noise(world: World, channel: str, n: int, prev: bytes) -> bytes:
    noise = world.rng.randbytes(world.rng.randint(1, 300))
    return _raw(noise, len(noise), False, channel, n, prev)


MIB = 1024 * 1024
FRAMES: dict[str, Callable[[World, str, int, bytes], bytes]] = {
    "bomb that says how large it is": _bomb(40 * MIB, 40 * MIB),
    "bomb that says it is small": _bomb(40 * MIB, 1000),
    "bomb of the largest allowed size": _bomb(4 * MIB + 1, 4 * MIB),
    "bomb of empty lists": _of(b"\x9a\x00\x03\x00\x00" + b"\x80" * 0x30000),
    "bomb of depth": _of(b"\x81" * 5000 + b"\x80"),
    "indefinite": _of(b"\x9f\x01\xff"),
    "a tag": _of(b"\xc1\x1a\x00\x00\x00\x00"),
    "a float": _of(b"\xa1\x65cells\xfb\x7f\xf8\x00\x00\x00\x00\x00\x00"),
    "a key of 15 bytes": _of(codec.dump({"cells": {"contact": {"id": b"x" * 15, "c": []}}, "conflicts": []})),
    "bad text": _of(b"\xa1\x65cells\x62\xff\xfe"),
    "another form": _stated(),
    "more to come": _stated(more=True),
    "a newer release": _stated(schema=99),
    "another station": _stated(node="0100-1"),
    "another epoch": _stated(epoch=bytes(16)),
    "a pulled frame": _stated(dir=frame.PULL),
    "noise": _noise,
}


# --- the line -------------------------------------------------------------------------------------------------


def _header(channel: str, n: int, prev: bytes) -> frame.Header:
    return frame.Header(
        NAME, HUB, EPOCH, channel, "", frame.PUSH, n, prev, 0, n, False, 1, 1, "2026-11-23T01:00:00.000Z"
    )


def _last(world: World, channel: str) -> tuple[int, bytes]:
    with world.hub.read() as db:
        sql = "SELECT n, hash FROM frame_ledger WHERE node = ? AND channel = ? ORDER BY n DESC LIMIT 1"
        found = db.execute(sql, (NAME, channel)).fetchone()
    return (found[0], bytes(found[1])) if found else (0, GENESIS)


def _push(world: World, channel: str, content: dict[str, Any], count: int) -> list[str]:
    """The codes of what the hub refused of this frame; everything but its traces must be as it was."""
    n, prev = _last(world, channel)
    header = replace(_header(channel, n + 1, prev), items=count)
    before = everything(world, without=TRACES)
    response = _put(world, channel, n + 1, frame.build(header, content, KEY))
    if response.status != 200:
        raise Broken("anytime_nothing_unsigned_is_taken", f"the frame was answered {response.status}")
    if everything(world, without=TRACES) != before:
        raise Broken("anytime_a_refused_frame_changes_nothing", "a refused row left something behind")
    return [item.code for item in receipt.read(response.body, HUB_PUBLIC).refused]


def _put(world: World, channel: str, n: int, body: bytes) -> Response:
    token = tokens.issue(TOKEN_SECRET, NAME, EPOCH, world.clock.now())
    path = f"/s1/chunk/{NAME}/{EPOCH.hex()}/{channel}/{n}"
    return deliver(world, Request("PUT", path, {}, {"authorization": f"Bearer {token}"}, body))


def _need(world: World, name: str, good: bool, told: str) -> None:
    if not good:
        raise Broken("anytime_nothing_unsigned_is_taken", f"hostile {name}: {told}")
