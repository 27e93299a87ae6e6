# SPDX-License-Identifier: Apache-2.0
"""A courier without legs: a station without a line to the hub hands its bundle to a neighbour that has one.

    POST /relay/bundle?have=<sha256 of the last answer>   at the neighbour: a bundle   -> 200 the answer that waits, 204
    POST /s1/courier                                      at the hub: the same bundle  -> 200 the answer

A bundle is sealed for the hub and signed by its sender, the answer sealed for the sender and signed by the hub, so the
neighbour can read neither and change neither; whatever it does with them, it can only delay. That is also why the way
between the two needs no TLS and the neighbour no key for it: what an onlooker sees is two station names and a length.

"Received" is said at the sender when the hub's receipt is in its database, never because the neighbour took a file.
The neighbour keeps one bundle and one answer per station, the newest: every bundle holds all that has no receipt.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from io import BytesIO
from pathlib import Path

from schema import ids
from schema.clock import Clock
from schema.errors import BadFrame, BadSignature, SyncError, TownshipError
from schema.events import HUB
from sync.courier import box
from sync.courier.bundle import CARRIED_MAX_BYTES
from sync.hub.server import STATUS, problem
from sync.station.hello import refusal
from sync.wire import certificate as certificates
from sync.wire import codec
from sync.wire.transport import Request, Response, Transport

PATH, HUB_PATH = "/relay/bundle", "/s1/courier"
MAX_SENDERS = 32
KEPT = timedelta(days=30)
CERTIFICATE = "s1-certificate"
# What the hub will never take as it is; anything else is offered again.
_FOR_GOOD = (400, 403, 413)
_OUT, _BACK = ".to-hub", ".to-station"
_STATION = re.compile(r"[0-9]{4}-[1-9][0-9]?")


@dataclass(frozen=True)
class Waiting:
    """A bundle on its way to the hub."""

    node: str
    data: bytes


class Mailbox:
    """The neighbour's store: sealed files in a folder, bounded in size, number and age."""

    def __init__(self, folder: Path, authority_public: bytes, clock: Clock) -> None:
        self._folder, self._authority, self._clock = folder, authority_public, clock

    def put(self, certificate: bytes, data: bytes) -> str:
        """Keep a bundle in the place of its sender's last one; returns who sent it.

        Raises BadFrame (size, bundle, bundle_recipient), BadSignature (certificate_*), RefusedByPeer (relay_full).
        """
        if len(data) > CARRIED_MAX_BYTES:
            raise codec.bad("size")
        held = certificates.open_certificate(certificate, self._authority, self._clock.today())
        source = BytesIO(data)
        stated = box.address(source)
        if (stated.sender, stated.recipient) != (held.node, HUB) or not _STATION.fullmatch(held.node):
            raise codec.bad("bundle_recipient")
        box.check(source, stated, held.public_key)
        self._sweep()
        path = self._path(held.node, _OUT)
        if not path.exists() and len(list(self._folder.glob(f"*{_OUT}"))) >= MAX_SENDERS:
            raise refusal("relay_full")
        _write(path, data)
        return held.node

    def answer(self, node: str, have: str) -> bytes | None:
        """The answer that waits for a station, unless it is the one it `have`s (SHA-256, hex)."""
        data = _read(self._path(node, _BACK))
        return None if data is None or sha256(data).hexdigest() == have else data

    def waiting(self) -> list[Waiting]:
        """Bundles for the hub, the oldest first."""
        self._sweep()
        paths = sorted(self._folder.glob(f"*{_OUT}"), key=lambda path: path.stat().st_mtime)
        found = ((path.name.removesuffix(_OUT), _read(path)) for path in paths)
        return [Waiting(node, data) for node, data in found if data is not None]

    def done(self, sent: Waiting, answer: bytes | None) -> None:
        """The hub has answered, or never will take it: forget the bundle unless a newer one came meanwhile."""
        if answer is not None:
            _write(self._path(sent.node, _BACK), answer)
        path = self._path(sent.node, _OUT)
        if _read(path) == sent.data:
            path.unlink(missing_ok=True)

    def _path(self, node: str, kind: str) -> Path:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self._folder / f"{node}{kind}"

    def _sweep(self) -> None:
        oldest = (self._clock.now() - KEPT).timestamp()
        for path in self._folder.glob("*"):
            if path.stat().st_mtime < oldest:
                path.unlink(missing_ok=True)


class RelayServer:
    """Answers neighbours; speaks nothing but this one route. `arrived` is told of every bundle that was kept."""

    def __init__(self, mailbox: Mailbox, arrived: Callable[[], None]) -> None:
        self._mailbox, self._arrived = mailbox, arrived

    def handle(self, request: Request) -> Response:
        """The answer; raises nothing that a neighbour's bytes can cause."""
        if (request.method, request.path) != ("POST", PATH):
            return problem(404, "not_found")
        try:
            node = self._mailbox.put(_certificate(request.headers), request.body)
        except BadFrame as error:
            return problem(STATUS.get(error.code, 400), error.code)
        except TownshipError as error:
            return problem(503 if error.code == "relay_full" else 403, error.code)
        self._arrived()
        found = self._mailbox.answer(node, request.query.get("have", ""))
        return Response(204) if found is None else Response(200, {"content-type": "application/octet-stream"}, found)


def headers(certificate: bytes) -> dict[str, str]:
    """With which a station hands its bundle over."""
    return {CERTIFICATE: base64.b64encode(certificate).decode()}


def forward(mailbox: Mailbox, transport: Transport) -> int:
    """Carry what waits to the hub and the answers back; returns how many were answered. Stops when the line is down."""
    answered = 0
    for sent in mailbox.waiting():
        try:
            answer = transport.request("POST", HUB_PATH, {}, {}, sent.data)
        except SyncError:
            break
        if answer.status == 200:
            mailbox.done(sent, answer.body)
            answered += 1
        elif answer.status in _FOR_GOOD:
            mailbox.done(sent, None)
    return answered


def _certificate(given: Mapping[str, str]) -> bytes:
    try:
        return base64.b64decode(given.get(CERTIFICATE, "").encode(), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadSignature("证书格式不对", "the certificate is malformed", code="certificate_form") from error


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all."""
    part = path.with_name(f".{ids.to_text(ids.new_id())}.part")
    with part.open("xb") as sink:
        sink.write(data)
        sink.flush()
        os.fsync(sink.fileno())
    part.replace(path)
