# SPDX-License-Identifier: Apache-2.0
"""Station: an exchange without a line. `export` writes what it has to say, `take` takes the hub's answer in.

The frames of the outbox, the pages of the feed and the functions that handle them are those of a session over the line;
the stick only changes who waits. Nothing is forgotten when a stick leaves: bytes are kept until the hub's receipt comes
back by any way. An answer may be taken in late, twice or never, and a cut between any two members costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schema import ids
from schema.clock import Clock, stamp
from schema.database import Store
from schema.errors import BadFrame
from schema.events import HUB
from sync.courier import box, bundle
from sync.courier import state as courier_state
from sync.equality import digest
from sync.station import hello, outbox, proof, pull
from sync.station.hello import refusal
from sync.station.link import Link
from sync.station.pull import Receive
from sync.station.pull_stage import apply_page, skip_ahead
from sync.station.push_stage import store_receipt
from sync.wire import certificate as certificates
from sync.wire import codec, frame, receipt

# On a stick everything leaves at once, so nothing urgent has to overtake; copies framed for the line go along.
BUILT = ("evt", "reg")
Progress = Callable[[str, int], None]
"""Called with a stage ('push', 'receipt', 'pull', 'verify') and the number of members done so far."""


@dataclass(frozen=True)
class Node:
    """What a station brings to an exchange by stick."""

    store: Store
    key: Ed25519PrivateKey
    certificate: bytes
    hub_public: bytes
    clock: Clock
    receive: Receive


@dataclass(frozen=True)
class Exported:
    """What was written. `frames`: channel -> [first n, last n, count]; `more`: not everything fitted."""

    id: str
    facts: int
    rows: int
    frames: dict[str, list[int]]
    oldest_at: str | None
    size_bytes: int
    more: bool


@dataclass
class Taken:
    """What an answer brought. `passed`: pages known already; `gaps`: `slice/channel` whose page does not join on."""

    created: str = ""
    receipts: int = 0
    refused: int = 0
    pages: int = 0
    items: int = 0
    passed: int = 0
    gaps: list[str] = field(default_factory=list)
    bad_pages: list[list[str]] = field(default_factory=list)
    not_taken: list[list[str]] = field(default_factory=list)
    more: bool = False
    equal: bool | None = None


def export(node: Node, sink: IO[bytes], *, limit_bytes: int = box.MAX_FILE, tell: Progress | None = None) -> Exported:
    """Write everything without a receipt, and how far this station is; `limit_bytes` ends it after at least a frame."""
    held = certificates.read(node.certificate)
    with node.store.write() as db:
        for channel in BUILT:
            outbox.build(db, channel, held, node.key, node.clock)
        waiting = [(channel, n) for channel in outbox.PUSHED for n in outbox.pending(db, channel)]
        oldest = outbox.unsent(db).oldest_at
        state = courier_state.of_node(db, held, node.clock.now(), proven=not waiting)
        greeting, _ = hello.write(db, node.certificate, node.key, node.clock.now())
    header = bundle.Header(ids.new_id(), held.node, HUB, held.epoch, stamp(node.clock.now()), b"", vars(state), "")
    sealer = box.Sealer(sink, sender=held.node, key=node.key, recipient=HUB, recipient_public=node.hub_public)
    writer = bundle.Writer(sealer, header)
    writer.add(bundle.HELLO, greeting)
    frames: dict[str, list[int]] = {}
    items = dict.fromkeys(BUILT, 0)
    more = False
    for channel, n in waiting:
        with node.store.write() as db:
            sent = outbox.frame_at(db, channel, n)
            if sent is None:
                continue  # a session over the line was quicker
            more = bool(frames) and writer.size + len(sent.data) > limit_bytes
            if more:
                break
            outbox.mark_sent(db, sent, node.clock)
        writer.add(bundle.FRAME, sent.data)
        frames[channel] = [frames.get(channel, [n])[0], n, frames.get(channel, [0, 0, 0])[2] + 1]
        if channel in items:
            items[channel] += sent.items
        if tell:
            tell("push", sum(items.values()))
    writer.close(frames=frames, more=more)
    return Exported(header.id.hex(), items["evt"], items["reg"], frames, oldest, sealer.size, more)


def take(node: Node, source: IO[bytes], tell: Progress | None = None) -> Taken:
    """Take an answer of the hub in: receipts, pages, proof.

    Raises BadFrame (bundle, bundle_recipient, bundle_epoch ...), BadSignature, or RefusedByPeer with the hub's reason
    (revoked, rebase, frozen ...), hub_behind, rebase; what was taken in before stays, and nothing of a member half.
    """
    stated = box.address(source)
    held = certificates.read(node.certificate)
    if (stated.sender, stated.recipient) != (HUB, held.node):
        raise codec.bad("bundle_recipient", f"{stated.sender} → {stated.recipient}")
    box.check(source, stated, node.hub_public)
    return _Intake(node, tell or (lambda stage, done: None)).run(bundle.members(source, stated, node.key))


class _Intake:
    """One answer on its way in."""

    def __init__(self, node: Node, tell: Progress) -> None:
        self._node, self._tell = node, tell
        self._certificate = certificates.read(node.certificate)
        self._stopped: set[tuple[str, str]] = set()
        self._state: courier_state.State | None = None
        self._known: dict[str, Any] = {}
        self.taken = Taken()

    def run(self, members: Any) -> Taken:
        handlers = {
            bundle.HEADER: self._header, bundle.WELCOME: self._welcome, bundle.RECEIPT: self._receipt,
            bundle.FRAME: self._page, bundle.END: self._end,
        }  # fmt: skip
        for kind, data in members:
            if kind not in handlers:
                raise codec.bad("bundle", "member")
            handlers[kind](data)
        return self.taken

    def _header(self, data: bytes) -> None:
        header = bundle.Header.read(data)
        if (header.sender, header.recipient) != (HUB, self._certificate.node):
            raise codec.bad("bundle", "header")
        if header.epoch != self._certificate.epoch:
            raise codec.bad("bundle_epoch")
        self._state = courier_state.read(header.state)
        self.taken.created = header.created
        if header.code:
            raise refusal(header.code)

    def _welcome(self, data: bytes) -> None:
        welcome = hello.read_welcome(data, self._node.hub_public, self._certificate.slices)
        assert self._state is not None
        self._known = welcome["known"]
        with self._node.store.read() as db:
            hello.reconcile(db, welcome, self._state.standing)
        skip_ahead(self._node.store, self._certificate.slices, welcome)

    def _receipt(self, data: bytes) -> None:
        got = receipt.read(data, self._node.hub_public)
        if (got.node, got.epoch) != (self._certificate.node, self._certificate.epoch):
            raise codec.bad("receipt", "address")
        with self._node.store.write() as db:
            sent = outbox.frame_at(db, got.chan, got.n)
            if sent is None:
                return  # its receipt came another way
            if sent.hash != got.hash:
                raise codec.bad("receipt", "hash")
            store_receipt(db, sent, got, data, self._certificate, self._node.clock)
        self.taken.receipts += 1
        self.taken.refused += got.refused_count
        self._tell("receipt", self.taken.receipts)

    def _page(self, data: bytes) -> None:
        opened = frame.open_frame(data, self._node.hub_public)
        slice_, channel = place = opened.header.slice, opened.header.chan
        if place in self._stopped:
            return
        if slice_ not in self._certificate.slices:
            raise codec.bad("address")
        with self._node.store.read() as db:
            at = pull.cursor(db, slice_, channel)
        if opened.header.first > at:
            self._stopped.add(place)
            self.taken.gaps.append(f"{slice_}/{channel}")
            return
        if opened.header.upto <= at:
            self.taken.passed += 1
            return
        try:
            pull.check_header(opened, self._certificate, slice_, channel, opened.header.first)
            node = self._node
            self.taken.items += apply_page(node.store, opened, self._certificate, node.key, node.clock, node.receive)
        except BadFrame as error:
            pull.keep_refusal(self._node.store, slice_, channel, error, self._node.clock)
            self._stopped.add(place)
            self.taken.bad_pages.append([f"{slice_}/{channel}", error.code])
            return
        self.taken.pages += 1
        self._tell("pull", self.taken.items)

    def _end(self, data: bytes) -> None:
        end = bundle.end_of(data)
        self.taken.more = end["more"]
        link = Link(self._node.store, self._node.clock)
        if self.taken.created > link.get("last_contact_at"):
            link.put({"last_contact_at": self.taken.created})  # what the hub said is as of then
        self.taken.not_taken = _refusals(end["refused"])
        if not self._stopped and not self.taken.more:
            self._tell("verify", 0)
            self.taken.equal = self._compare(end["digests"], end["head"])

    def _compare(self, hubs: dict[str, Any], head: int) -> bool | None:
        """The proof of a session, answered by the digests that the hub put into the bundle. None when this station has
        work that the hub had not seen then, or heard more over the line since.
        """
        families = digest.families(self._certificate.slices)
        if set(hubs) != set(families) or not all(_is_digest(found) for found in hubs.values()):
            return None
        with self._node.store.read() as db:
            sent_since = any(
                outbox.acked_n(db, channel) > self._known.get(channel, hello.NOTHING_KNOWN)[0]
                for channel in outbox.PUSHED
            )
            if sent_since or outbox.unsent(db).count or pull.furthest(db) > head:
                return None

        def ask(path: str, query: dict[str, str]) -> dict[str, Any]:
            comparable = all(hubs[f][0] <= int(query["at"]) for f in families)
            mine = dict(zip(families, query["mine"].split("."), strict=True))
            differs = [f for f in families if mine[f] != hubs[f][1].hex()]
            return {"comparable": comparable, "differs": differs}

        link = Link(self._node.store, self._node.clock)
        equal = proof.compare(self._node.store, self._certificate.slices, ask, self._node.clock.now()).equal
        if equal and self.taken.created > link.get("last_equal_at"):
            link.put({"last_equal_at": self.taken.created})  # as of then, not of the day the stick came back
        return equal


def _refusals(listed: list[Any]) -> list[list[str]]:
    return [[str(part)[:100] for part in item[:2]] for item in listed[:100] if type(item) is list and len(item) >= 2]


def _is_digest(found: Any) -> bool:
    return type(found) is list and [type(part) for part in found] == [int, bytes]
