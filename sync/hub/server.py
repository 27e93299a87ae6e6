# SPDX-License-Identifier: Apache-2.0
"""The hub's side of S1: its routes over one `handle`, whatever web server carries them.

    POST /s1/hello                               greeting: who are you, how far are we         -> signed welcome
    PUT  /s1/chunk/<node>/<epoch hex>/<chan>/<n> one pushed frame (?at&of&hash: a piece of it) -> signed receipt
    POST /s1/rebase                              a database begins a new life           -> signed grant
    GET  /s1/feed/<slice>?chan&after&max&since   one page of a feed                            -> signed frame
    GET  /s1/snapshot/<slice,slice...>           what a first load is                          -> signed manifest
    GET  /s1/snapshot/<slices>/<sha256>?from&max a range of it                                 -> bytes
    POST /s1/courier                             a station's bundle, carried by a neighbour    -> its answer
    PUT  /s1/blob/<about hex>/<sha256>?from&size&type  a range of a scan                       -> JSON
    GET  /s1/blob/<about hex>/<sha256>?from&max  likewise the other way                        -> bytes
    GET  /s1/blob/<about hex>                    which scans there are                         -> JSON
    GET  /s1/digest/<slice,slice...>?mine&at     proof of equality                             -> JSON
    GET  /s1/buckets/<slices>?at&groups          where a station differs                       -> hashes
    GET  /s1/rows/<slices>?at&buckets            what belongs there                            -> signed frame

Errors are JSON `{"code": ...}`: 400 malformed, 401 token, 403 revoked or not allowed, 404, 409 gap or rebase, 413 too
large, 423 frozen, 426 upgrade, 500, 503 overload with Retry-After. Every request looks `node_record` up again, so a
revocation counts from the moment it is written.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from io import BytesIO
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schema import migrations
from schema.clock import Clock, stamp
from schema.database import Store
from schema.errors import BadFrame, BadSignature, RefusedByPeer, Unreachable
from schema.events import GENESIS, HUB
from sync.courier import bundle
from sync.courier.hub import Courier
from sync.faults import told
from sync.hub import blob_hub, feed, inbox, life, parts
from sync.hub.difference import Differences
from sync.hub.grant import Granter, OnGrant
from sync.hub.greeting import Greeter, OnHello
from sync.hub.inbox import Gap, Inbox, Intake, Node
from sync.hub.parts import OtherPart
from sync.snapshot import making as snapshot
from sync.station import blob
from sync.station.budget import GRANTED_BYTES_PER_HOUR
from sync.wire import frame, tokens
from sync.wire.transport import Request, Response

log = logging.getLogger(__name__)
MIN_PAGE, MAX_PAGE = 2 * 1024, frame.RAW_BUDGET
_BUSY = (5, 6)  # SQLITE_BUSY, SQLITE_LOCKED: another writer, not a fault
STATUS = {
    "gap": 409, "part": 409, "moved": 409, "rebase": 409, "hub_behind": 409, "frozen": 423, "clone": 423,
    "rebase_waits": 423, "upgrade": 426, "hub_too_old": 426, "token": 401, "size": 413, "no_snapshot": 404,
    "snapshot_gone": 404,
}  # fmt: skip
FENCED_RETRY_S = 600


class SyncServer:
    """Answers stations. `intake` acts on each good fact; `on_hello` may publish what a station should find today."""

    def __init__(
        self,
        store: Store,
        hub_key: Ed25519PrivateKey,
        authority_public: bytes,
        token_secret: bytes,
        clock: Clock,
        intake: Intake,
        on_hello: OnHello,
        *,
        max_at_once: int = 32,
        bytes_per_hour: int = GRANTED_BYTES_PER_HOUR,
        retry_after_s: int = 30,
        authority_key: Ed25519PrivateKey | None = None,
        on_grant: OnGrant = lambda pub, station, fork: None,
    ) -> None:
        self._store, self._hub_key, self._clock = store, hub_key, clock
        self._token_secret = token_secret
        self._inbox = Inbox(store, hub_key, clock, intake)
        self._greeter = Greeter(
            store, hub_key, authority_public, token_secret, clock, on_hello, authority_key,
            bytes_per_hour=bytes_per_hour,
        )
        self._granter = Granter(store, hub_key, authority_key, clock, self._greeter, on_grant)
        self._differences = Differences(store, hub_key, clock)
        self._blobs = blob_hub.Blobs(store, clock)
        self._snapshots = snapshot.Snapshots(store, hub_key, clock)
        self._places = threading.BoundedSemaphore(max_at_once)
        self._retry_after_s = retry_after_s
        self.courier = Courier(store, hub_key, clock, self._answer)

    def handle(self, request: Request) -> Response:
        """The answer; never raises. Load is shed before any work is done."""
        if not self._places.acquire(blocking=False):
            return self._overloaded()
        try:
            return self._answer(request)
        finally:
            self._places.release()

    def _answer(self, request: Request) -> Response:
        try:
            return self._route(request)
        except OtherPart as error:
            return problem(409, "part", have=error.have)
        except Gap as error:
            return problem(409, "gap", known_n=error.known.n)
        except Unreachable:
            return self._overloaded()
        except BadFrame as error:
            return problem(STATUS.get(error.code, 400), error.code)
        except (BadSignature, RefusedByPeer) as error:
            return problem(STATUS.get(error.code, 403), error.code)
        except Exception as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in _BUSY:
                return self._overloaded()
            log.error("%s %r failed: %s", request.method, _route_of(request), told(error))
            return problem(500, "internal")

    def _overloaded(self) -> Response:
        return problem(503, "overload", {"retry-after": str(self._retry_after_s)})

    def _route(self, request: Request) -> Response:
        parts = request.path.strip("/").split("/")
        is_bundle = (request.method, parts[1:]) == ("POST", ["courier"])
        if len(request.body) > (bundle.CARRIED_MAX_BYTES if is_bundle else frame.MAX_FRAME):
            return problem(413, "size")
        handler: Callable[[Request, list[str]], Response] | None = {
            ("POST", "hello", 2): self._hello,
            ("POST", "rebase", 2): self._rebase,
            ("PUT", "chunk", 6): self._chunk,
            ("POST", "courier", 2): self._courier,
            ("GET", "feed", 3): self._feed,
            ("PUT", "blob", 4): self._blob,
            ("GET", "blob", 4): self._blob,
            ("GET", "blob", 3): self._blob,
            ("GET", "snapshot", 3): self._snapshot,
            ("GET", "snapshot", 4): self._snapshot,
            ("GET", "digest", 3): self._digest,
            ("GET", "buckets", 3): self._buckets,
            ("GET", "rows", 3): self._rows,
        }.get((request.method, parts[1] if len(parts) > 1 else "", len(parts)))
        if handler is None or parts[0] != "s1":
            return problem(404, "not_found")
        with self._store.read() as db:
            fenced = life.is_fenced(db)
        if fenced:
            return problem(503, "fenced", {"retry-after": str(FENCED_RETRY_S)})
        return handler(request, parts)

    def _hello(self, request: Request, parts: list[str]) -> Response:
        return Response(200, _CBOR, self._greeter.answer(request.body))

    def _rebase(self, request: Request, parts: list[str]) -> Response:
        return Response(200, _CBOR, self._granter.answer(request.body))

    def _chunk(self, request: Request, parts: list[str]) -> Response:
        node = self._sender(request)
        _, _, name, epoch, channel, n = parts
        if (name, epoch) != (node.id, node.epoch.hex()) or channel not in frame.PUSHED or not _is_number(n):
            return problem(403, "address")
        if request.query:
            return self._part(request, node, channel, int(n))
        return Response(200, _CBOR, self._inbox.accept(node, channel, int(n), request.body))

    def _courier(self, request: Request, parts: list[str]) -> Response:
        """A bundle that a neighbour of the station carries; it proves itself, so the neighbour need not."""
        came, answer = self.courier.take(BytesIO(request.body)), BytesIO()
        self.courier.answer(came.node, answer, limit_bytes=bundle.CARRIED_AIM_BYTES)
        return Response(200, _CBOR, answer.getvalue())

    def _part(self, request: Request, node: Node, channel: str, n: int) -> Response:
        """`at`, `of`, `hash`: a piece of a frame too long for the line. The last one is answered like the frame."""
        at, of, hash_ = (request.query.get(name, "") for name in ("at", "of", "hash"))
        if not (_is_number(at) and _is_number(of) and _is_hex(hash_, 64)):
            return problem(400, "address")
        part = parts.Part(channel, n, int(at), int(of), bytes.fromhex(hash_))
        stored = self._inbox.receipt_of(node, channel, n, part.hash)
        if stored is not None:
            return Response(200, _CBOR, stored)
        whole = parts.take(self._store, node, part, request.body)
        if isinstance(whole, int):
            return _json(200, {"have": whole})
        try:
            answer = self._inbox.accept(node, channel, n, whole)
        except (BadFrame, BadSignature):
            parts.drop(self._store, node, channel)
            raise
        parts.drop(self._store, node, channel)
        return Response(200, _CBOR, answer)

    def _feed(self, request: Request, parts: list[str]) -> Response:
        node, slice_ = self._sender(request), parts[2]
        channel, after, wanted = (request.query.get(name, "") for name in ("chan", "after", "max"))
        since = request.query.get("since", after)
        if slice_ not in node.slices:
            return problem(403, "not_in_slice")
        if channel not in frame.PULLED or not all(map(_is_number, (after, since, wanted))):
            return problem(400, "address")
        limit = min(max(int(wanted), MIN_PAGE), MAX_PAGE)
        with self._store.read() as db:
            page = feed.page(db, slice_, channel, int(after), limit, node.site_id, held=node.slices, since=int(since))
        header = frame.Header(
            HUB, node.id, node.epoch, channel, slice_, frame.PULL, 0, GENESIS, int(after), page.upto, page.more,
            migrations.SCHEMA_VERSION, page.items, stamp(self._clock.now()),
        )  # fmt: skip
        return Response(200, _CBOR, frame.build(header, page.content, self._hub_key))

    def _blob(self, request: Request, parts: list[str]) -> Response:
        node, numbers = self._sender(request), {n: request.query.get(n, "0") for n in ("from", "max", "size")}
        named = all(_is_hex(part, size) for part, size in zip(parts[2:], (32, 64), strict=False))
        if not named or not all(map(_is_number, numbers.values())):
            return problem(400, "address")
        about, *hash_ = map(bytes.fromhex, parts[2:])
        if not hash_:
            return _json(200, {"blobs": self._blobs.listed(node, about)})
        first = int(numbers["from"])
        if request.method == "GET":
            limit = min(max(int(numbers["max"]), MIN_PAGE), MAX_PAGE)
            return Response(200, _CBOR, self._blobs.part(node, about, hash_[0], first, limit))
        offered = blob.Offered(about, hash_[0], int(numbers["size"]), request.query.get("type", ""))
        return _json(200, {"have": self._blobs.take(node, offered, first, request.body)})

    def _snapshot(self, request: Request, parts: list[str]) -> Response:
        node, wanted = self._sender(request), tuple(parts[2].split(","))
        if not snapshot.is_set(wanted, node.slices):
            return problem(403, "not_in_slice")
        if len(parts) == 3:
            manifest = self._snapshots.manifest(wanted, node.id)
            return Response(200, _CBOR, manifest) if manifest else self._overloaded()
        first, most = (request.query.get(name, "") for name in ("from", "max"))
        if not all(map(_is_number, (first, most))) or not _is_hex(parts[3], 64):
            return problem(400, "address")
        limit = min(max(int(most), MIN_PAGE), MAX_PAGE)
        return Response(200, _CBOR, self._snapshots.part(wanted, bytes.fromhex(parts[3]), int(first), limit))

    def _digest(self, request: Request, parts: list[str]) -> Response:
        return _json(200, self._differences.verdict(self._sender(request), parts[2].split(","), request.query))

    def _buckets(self, request: Request, parts: list[str]) -> Response:
        node = self._sender(request)
        return Response(200, _CBOR, self._differences.hashes(node, parts[2].split(","), request.query))

    def _rows(self, request: Request, parts: list[str]) -> Response:
        node = self._sender(request)
        return Response(200, _CBOR, self._differences.rows(node, parts[2].split(","), request.query))

    def _sender(self, request: Request) -> Node:
        """The station this request's token was issued to, as it stands now. Raises RefusedByPeer."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        bearer = tokens.check(self._token_secret, token, self._clock.now()) if scheme == "Bearer" else None
        if bearer is None:
            raise self._greeter.refused("token")
        with self._store.read() as db:
            node = self._greeter.node(db, bearer[0])
            if node.epoch != bearer[1]:
                raise self._greeter.refused("rebase")
            if inbox.is_frozen(db, node.id):
                raise self._greeter.refused("frozen")
        return node


_CBOR = {"content-type": "application/octet-stream", "cache-control": "no-store"}


def problem(status: int, code: str, headers: dict[str, str] | None = None, **more: Any) -> Response:
    """An error answer."""
    return _json(status, {"code": code, **more}, headers)


def _json(status: int, content: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    body = json.dumps(content, separators=(",", ":")).encode()
    return Response(status, {"content-type": "application/json", **(headers or {})}, body)


def _route_of(request: Request) -> str:
    """The kind of address, without what it names."""
    return "/".join(request.path.split("/")[:3])[:40]


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 15


def _is_hex(text: str, digits: int) -> bool:
    return len(text) == digits and set(text) <= set("0123456789abcdef")
