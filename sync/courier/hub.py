# SPDX-License-Identifier: Apache-2.0
"""Hub: an exchange without a line. `take` works through a station's bundle, `answer` writes what goes back.

The bundle holds the station's signed greeting and its frames; each is put to the same server that answers over the
line, in the station's name and in the order of a session. So every check, code and receipt is the line's, and what came
both ways is told apart by nothing. The answer is built from what the hub knows when it is asked for: receipts of every
frame behind the last one the station knew of, the feed from where it said it stood. It can be written again when a
stick is lost, and a stick that never returns costs nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schema import database, ids
from schema.clock import Clock, stamp
from schema.database import Store
from schema.errors import BadFrame, BadSignature, RefusedByPeer, UnknownSubject, Unreachable
from schema.events import HUB
from sync.courier import box, bundle
from sync.courier import state as courier_state
from sync.courier.state import State
from sync.equality import digest
from sync.equality.buckets import AtHub
from sync.hub import publish
from sync.hub.inbox import write_refusal
from sync.station import outbox
from sync.station.hello import refusal
from sync.station.pull_stage import rank
from sync.wire import certificate, codec, frame, signed
from sync.wire.receipt import Refused
from sync.wire.transport import Request, Response
from sync.wire.words import words

Serve = Callable[[Request], Response]
Progress = Callable[[str, int], None]
_BUSY = 503
_STATED = "courier:"


@dataclass
class Came:
    """What came of a station's bundle. `code`: why nothing was taken, '' when it was; `missing`: channel -> the number
    of the frame that was not there; `refused`: [frame, code]; `again`: frames the hub had already.
    """

    node: str
    created: str = ""
    code: str = ""
    taken: int = 0
    again: int = 0
    facts: int = 0
    rows: int = 0
    refused_items: int = 0
    missing: dict[str, int] = field(default_factory=dict)
    refused: list[list[str]] = field(default_factory=list)
    more: bool = False
    stale: bool = False


@dataclass(frozen=True)
class Written:
    """An answer. `more`: the limit ended it; the station asks on with its next bundle."""

    node: str
    code: str
    receipts: int
    pages: int
    size_bytes: int
    more: bool


class Courier:
    """Takes bundles in and answers them. `serve` is the server's own way to answer a request."""

    def __init__(self, store: Store, hub_key: Ed25519PrivateKey, clock: Clock, serve: Serve) -> None:
        self._store, self._key, self._clock, self._serve = store, hub_key, clock, serve
        self._digests = AtHub(store)

    def take(self, source: IO[bytes], tell: Progress | None = None) -> Came:
        """Take a station's bundle in. What the hub refuses stands in the result and among the refusals.

        Raises BadFrame (bundle, bundle_recipient, size), RefusedByPeer (unknown_node, revoked) when there is nobody to
        answer, Unreachable (overload) when the database is busy: take it in again, nothing is done twice.
        """
        stated = box.address(source)
        if stated.recipient != HUB:
            raise codec.bad("bundle_recipient", stated.recipient)
        try:
            public = self._public_key(stated.sender)
            box.check(source, stated, public)
            return _Intake(self, stated.sender, tell or (lambda stage, done: None)).run(
                bundle.members(source, stated, self._key)
            )
        except (BadFrame, BadSignature, RefusedByPeer) as error:
            self.keep_refusal(stated.sender, "", error.code)
            raise

    def has_asked(self, node: str) -> bool:
        """Whether this station ever sent a bundle."""
        with self._store.read() as db:
            return database.setting(db, _STATED + node) is not None

    def asked(self) -> list[tuple[str, str]]:
        """(station, when it wrote the newest bundle), newest first. The instant is the station's own."""
        with self._store.read() as db:
            rows = db.execute(
                "SELECT name, value FROM setting WHERE substr(name, 1, ?) = ?", (len(_STATED), _STATED)
            ).fetchall()
        found = [(row["name"][len(_STATED) :], _stated(bytes(row["value"])).created) for row in rows]
        return sorted(found, key=lambda one: (one[1], one[0]), reverse=True)

    def answer(
        self, node: str, sink: IO[bytes], *, limit_bytes: int = box.MAX_FILE, tell: Progress | None = None
    ) -> Written:
        """Write the answer to the newest bundle of a station.

        Raises UnknownSubject when it never sent one, RefusedByPeer (unknown_node, revoked), Unreachable (overload).
        """
        public = self._public_key(node)
        with self._store.read() as db:
            stored = database.setting(db, _STATED + node)
        if stored is None:
            raise UnknownSubject(
                f"站点 {node} 还没有交来 U 盘数据，请先导入它的文件",
                f"station {node} has sent no bundle yet: import its file first",
            )
        header_bytes, hello, refused = codec.load(stored)
        asked = bundle.Header.read(header_bytes)
        welcome = self.serve("POST", "/s1/hello", {}, hello)
        code = "" if welcome.status == 200 else code_of(welcome)
        header = bundle.Header(
            ids.new_id(), HUB, node, asked.epoch, stamp(self._clock.now()), asked.id, asked.state, code
        )
        sealer = box.Sealer(sink, sender=HUB, key=self._key, recipient=node, recipient_public=public)
        writer = bundle.Writer(sealer, header)
        if code:
            writer.close(frames={})
            return Written(node, code, 0, 0, sealer.size, False)
        writer.add(bundle.WELCOME, welcome.body)
        state, token = courier_state.read(asked.state), _token(welcome.body)
        receipts, more = self._receipts(writer, node, asked.epoch, state, limit_bytes)
        pages = _Pages(self, token, state, writer, limit_bytes, tell or (lambda stage, done: None))
        pages.more = more
        if not more:
            pages.run(signed.peek(signed.WELCOME, welcome.body, "header")["heads"])
        head, digests = (0, {}) if pages.more else self._digests_of(state)
        writer.close(frames={}, more=pages.more, head=head, digests=digests, refused=refused)
        return Written(node, "", receipts, pages.count, sealer.size, pages.more)

    def serve(self, method: str, path: str, query: dict[str, str], body: bytes = b"", token: str = "") -> Response:
        """The server's answer. Raises Unreachable when it is too busy."""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        answer = self._serve(Request(method, path, query, headers, body))
        if answer.status == _BUSY:
            raise Unreachable(*words("overload"), code="overload")
        return answer

    def remember(self, node: str, header: bundle.Header, hello: bytes, refused: list[list[str]]) -> bool:
        """Keep what the answer is built from; False when the station was further already in the one that is kept.

        Its clock does not decide: one that ran ahead for a day would make every later bundle look old.
        """
        with self._store.write() as db:
            stored = database.setting(db, _STATED + node)
            if stored is not None:
                known = _stated(stored)
                if known.epoch == header.epoch and _is_further(known.state, header.state):
                    return False
            database.set_setting(db, _STATED + node, codec.dump([header.dump(), hello, refused]))
        return True

    def keep_refusal(self, node: str, item: str, code: str, channel: str = "usb", n: int = 0) -> None:
        """A bundle or a frame was refused: kept once for a known station, not once per stick."""
        name = (item or "bundle")[:200]
        with self._store.write() as db:
            if db.execute("SELECT 1 FROM node_record WHERE id = ?", (node,)).fetchone() is None:
                return
            known = db.execute(
                "SELECT 1 FROM refusal WHERE direction = 'in' AND peer = ? AND item = ? AND code = ? "
                "AND handled_at IS NULL",
                (node, name, code),
            ).fetchone()
            if known is None:
                write_refusal(db, "in", node, channel, n, Refused.of(name, code), None, stamp(self._clock.now()))

    def _public_key(self, node: str) -> bytes:
        with self._store.read() as db:
            row = db.execute("SELECT public_key, revoked_at FROM node_record WHERE id = ?", (node,)).fetchone()
        if row is None or row["public_key"] is None:
            raise refusal("unknown_node")
        if row["revoked_at"]:
            raise refusal("revoked")
        return bytes(row["public_key"])

    def _receipts(
        self, writer: bundle.Writer, node: str, epoch: bytes, state: State, limit_bytes: int
    ) -> tuple[int, bool]:
        """(how many were written, whether more are left). They go first: what has one need not come again."""
        count = 0
        for channel in outbox.PUSHED:
            with self._store.read() as db:
                sql = "SELECT n FROM frame_ledger WHERE node = ? AND epoch = ? AND channel = ? AND n > ? ORDER BY n"
                numbers = [r[0] for r in db.execute(sql, (node, epoch, channel, state.acked[channel]))]
            for n in numbers:
                if count and writer.size > limit_bytes:
                    return count, True
                with self._store.read() as db:
                    sql = "SELECT receipt FROM frame_ledger WHERE node = ? AND epoch = ? AND channel = ? AND n = ?"
                    found = db.execute(sql, (node, epoch, channel, n)).fetchone()
                writer.add(bundle.RECEIPT, bytes(found[0]))
                count += 1
        return count, False

    def _digests_of(self, state: State) -> tuple[int, dict[str, list[Any]]]:
        with self._store.read() as db:
            head = publish.head(db)  # before them: what is fed meanwhile makes them newer than the head, never older
        now = self._clock.now()
        found = {f: self._digests.of(held, now) for f, held in digest.families(state.after).items()}
        return head, {family: [d.last, d.root] for family, d in found.items()}


class _Intake:
    """One station's bundle on its way in."""

    def __init__(self, courier: Courier, node: str, tell: Progress) -> None:
        self._courier, self._node, self._tell = courier, node, tell
        self._header: bundle.Header | None = None
        self._hello, self._token = b"", ""
        self._stopped: set[str] = set()
        self._known: dict[str, int] = {}
        self.came = Came(node)

    def run(self, members: Iterator[tuple[int, bytes]]) -> Came:
        handlers = {
            bundle.HEADER: self._take_header, bundle.HELLO: self._take_hello, bundle.FRAME: self._take_frame,
            bundle.END: self._take_end,
        }  # fmt: skip
        for kind, data in members:
            if kind not in handlers or (kind == bundle.FRAME and not self._hello):
                raise codec.bad("bundle", "member")
            handlers[kind](data)
        return self.came

    def _take_header(self, data: bytes) -> None:
        self._header = header = bundle.Header.read(data)
        if (header.sender, header.recipient) != (self._node, HUB):
            raise codec.bad("bundle", "header")
        courier_state.read(header.state)
        self.came.created = header.created

    def _take_hello(self, data: bytes) -> None:
        assert self._header is not None
        self._hello = data
        answer = self._courier.serve("POST", "/s1/hello", {}, data)
        if answer.status != 200:
            self.came.code = code_of(answer)
            self._courier.keep_refusal(self._node, "", self.came.code)
            return
        welcome = signed.peek(signed.WELCOME, answer.body, "header")
        assert self._header is not None
        held = certificate.read(signed.peek(signed.HELLO, data, "header")["certificate"]).slices
        if set(self._header.state["after"]) != set(held):
            raise codec.bad("bundle", "state")  # it may ask for its own slices and no other
        self._token = welcome["token"]
        self._known = {channel: n for channel, (n, *_) in welcome["known"].items()}

    def _take_frame(self, data: bytes) -> None:
        if self.came.code:
            return
        channel, n, items = _numbers(data)
        if channel in self._stopped:
            return
        assert self._header is not None
        path = f"/s1/chunk/{self._node}/{self._header.epoch.hex()}/{channel}/{n}"
        answer = self._courier.serve("PUT", path, {}, data, self._token)
        if answer.status == 200:
            self._count(channel, n, items, answer.body)
            return
        code = code_of(answer)
        if code == "token":
            raise Unreachable(*words("overload"), code="overload")  # an import of over an hour: go on where it stopped
        self._stopped.add(channel)
        if code == "gap":
            self.came.missing[channel] = self._known.get(channel, 0) + 1
            return
        self.came.refused.append([f"{channel}/{n}", code])
        self._courier.keep_refusal(self._node, f"{channel}/{n}", code, channel, n)

    def _count(self, channel: str, n: int, items: int, receipt_bytes: bytes) -> None:
        if n <= self._known.get(channel, 0):
            self.came.again += 1
        else:
            self._known[channel] = n
            self.came.taken += 1
            self.came.facts += items if channel == "evt" else 0
            self.came.rows += items if channel == "reg" else 0
            self.came.refused_items += int(signed.peek(signed.RECEIPT, receipt_bytes, "receipt")["refused_count"])
        self._tell("push", self.came.taken + self.came.again)

    def _take_end(self, data: bytes) -> None:
        assert self._header is not None
        self.came.more = bundle.end_of(data)["more"]
        if not self._hello:
            raise codec.bad("bundle", "member")
        self.came.stale = not self._courier.remember(self._node, self._header, self._hello, self.came.refused)
        state = courier_state.read(self._header.state)
        if state.digests and not self.came.code:
            self._note_proof(state)

    def _note_proof(self, state: State) -> None:
        """The station had nothing to send: its digests can be compared as at the end of a session."""
        families = digest.families(state.after)
        if set(families) == set(state.digests):
            query = {"mine": ".".join(state.digests[f] for f in families), "at": str(state.lowest)}
            self._courier.serve("GET", f"/s1/digest/{','.join(state.after)}", query, b"", self._token)


class _Pages:
    """The feed from where the station stood, in the order of a session."""

    def __init__(
        self, courier: Courier, token: str, state: State, writer: bundle.Writer, limit_bytes: int, tell: Progress
    ) -> None:
        self._courier, self._token, self._state, self._writer = courier, token, state, writer
        self._limit, self._tell = limit_bytes, tell
        self.count, self.more = 0, False

    def run(self, heads: list[int]) -> None:
        """Every place with something new; the others the station skips by the welcome."""
        after = self._state.after
        places = [p for p, last in zip(frame.places(after), heads, strict=True) if last > after[p[0]][p[1]]]
        for slice_, channel in sorted(places, key=rank):
            self._place(slice_, channel)

    def _place(self, slice_: str, channel: str) -> None:
        after, more = self._state.after[slice_][channel], True
        since = min(after, self._state.complete[slice_])
        while more:
            if self.count and self._writer.size > self._limit:
                self.more = True
                return
            query = {"chan": channel, "after": str(after), "max": str(frame.RAW_BUDGET)}
            if channel == "reg" and since < after:
                query["since"] = str(since)
            answer = self._courier.serve("GET", f"/s1/feed/{slice_}", query, b"", self._token)
            if answer.status != 200:
                raise refusal(code_of(answer))
            self._writer.add(bundle.FRAME, answer.body)
            self.count += 1
            self._tell("pull", self.count)
            header = frame.peek(answer.body)
            after, more = header["upto"], header["more"]


def _stated(stored: bytes) -> bundle.Header:
    return bundle.Header.read(codec.load(stored)[0])


def _is_further(known: dict[str, Any], stated: dict[str, Any]) -> bool:
    acked = any(n > stated["acked"][channel] for channel, n in known["acked"].items())
    return acked or bool(known["furthest"] > stated["furthest"])


def code_of(answer: Response) -> str:
    """The code of a refusal."""
    return str(json.loads(answer.body)["code"])


def _token(welcome: bytes) -> str:
    return str(signed.peek(signed.WELCOME, welcome, "header")["token"])


def _numbers(data: bytes) -> tuple[str, int, int]:
    header = frame.peek(data)
    return header["chan"], header["n"], header["items"]
