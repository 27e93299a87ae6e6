# SPDX-License-Identifier: Apache-2.0
"""Frames that nobody honest sends. Each must be answered as the protocol says and leave the hub as it was."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

from schema import database
from schema.clock import stamp
from sync.wire import frame, tokens
from sync.wire.transport import Request, Response
from tests.simulation import sessions
from tests.simulation.model import Broken
from tests.simulation.observer import deliver
from tests.simulation.world import TOKEN_SECRET, Station, World

Accepted = tuple[Station, str, int, bytes]


def attack(world: World) -> None:
    """Somebody with an old frame, or with a station's key, tries something."""
    if world.accepted:
        old = world.rng.choice(world.accepted)
        world.rng.choice((replay, spoil, wrong_number, clone))(world, old)


def replay(world: World, old: Accepted) -> None:
    """A frame the hub has is acknowledged again and changes nothing."""
    station, channel, n, body = old
    before = everything(world)
    response = _put(world, station, channel, n, body)
    _expect(world, "anytime_replay_changes_nothing", response, (200,), before)
    world.fired["replay"] += 1


def spoil(world: World, old: Accepted) -> None:
    """One bit of it differs: the signature does not hold."""
    station, channel, n, body = old
    before = everything(world)
    at = world.rng.randrange(len(body))
    spoiled = body[:at] + bytes((body[at] ^ 1,)) + body[at + 1 :]
    response = _put(world, station, channel, n, spoiled)
    _expect(world, "anytime_a_refused_frame_changes_nothing", response, (400, 403, 413), before)
    world.fired["flipped frame"] += 1


def wrong_number(world: World, old: Accepted) -> None:
    """At another address, or properly signed for a number that is not the next."""
    station, channel, _, body = old
    before = everything(world)
    last = max(m for s, c, m, _ in world.accepted if (s.name, c) == (station.name, channel))
    far = last + world.rng.randint(2, 9)
    signed = _signed_anew(station, body, n=far)
    for data, status in ((body, 400), (signed, 409)):
        response = _put(world, station, channel, far, data)
        _expect(world, "anytime_a_refused_frame_changes_nothing", response, (status,), before)
    world.fired["wrong number"] += 1


def clone(world: World, old: Accepted) -> None:
    """Other content under a known number, with the station's own key: a copied disk. Frozen until a person looks."""
    station, channel, n, body = old
    other = _signed_anew(station, body, made_at="2000-01-01T00:00:00.000Z")
    before = everything(world, without=("refusal",))
    response = _put(world, station, channel, n, other)
    if response.status != 423:
        raise Broken("anytime_a_clone_is_frozen", f"{station.name} {channel} {n}: {response.status}")
    report = sessions.run(world, station, 0.0, lambda line: None)
    if report is None or report.error_code != "frozen":
        raise Broken("anytime_a_clone_is_frozen", f"{station.name} goes on: {report}")
    incident, looked = {"peer": station.name, "code": "frozen"}, {"handled_at": stamp(world.clock.now())}
    with world.hub.write() as db:
        database.update(db, "refusal", incident, looked)
    if everything(world, without=("refusal",)) != before:
        raise Broken("anytime_a_refused_frame_changes_nothing", f"{station.name} {channel} {n}: clone")
    world.fired["clone"] += 1


def everything(world: World, without: tuple[str, ...] = ()) -> bytes:
    """A hash over every row of every table of the hub."""
    whole = sha256()
    with world.hub.read() as db:
        names = [r[0] for r in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        for name in names:
            if name not in without:
                whole.update(repr((name, sorted(map(repr, map(tuple, db.execute(f"SELECT * FROM {name}")))))).encode())
    return whole.digest()


def _put(world: World, station: Station, channel: str, n: int, body: bytes) -> Response:
    token = tokens.issue(TOKEN_SECRET, station.name, station.epoch, world.clock.now())
    path = f"/s1/chunk/{station.name}/{station.epoch.hex()}/{channel}/{n}"
    return deliver(world, Request("PUT", path, {}, {"authorization": f"Bearer {token}"}, body))


def _signed_anew(station: Station, body: bytes, **changes: object) -> bytes:
    opened = frame.open_frame(body, station.key.public_key().public_bytes_raw())
    return frame.build(replace(opened.header, **changes), opened.content, station.key)  # type: ignore[arg-type]


def _expect(world: World, checker: str, response: Response, wanted: tuple[int, ...], before: bytes) -> None:
    if response.status not in wanted:
        raise Broken(checker, f"answered {response.status}, not {wanted}: {response.body[:80]!r}")
    if everything(world) != before:
        raise Broken(checker, "the hub's database is not as it was")
