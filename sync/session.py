# SPDX-License-Identifier: Apache-2.0
"""Station: one exchange with the hub, from hello to proof. Cut it anywhere and run it again.

Order: hello; push evt, reg; pull evt, ref, reg of every slice; compare digests when everything is sent and fetched.
Facts go first because people wait for them; push before pull keeps edits from losing unseen.

A refusal that asking again cannot change (a 4xx) ends the session and is not repeated unchanged: a frame refused as a
whole is held back for HOLD before it is offered once more.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schema import crsqlite, database, ids, migrations
from schema.clock import Clock, parse_stamp, stamp
from schema.database import Store
from schema.errors import BadFrame, BadSignature, Refusal, RefusedByPeer, SyncError, TownshipError, Unreachable
from sync import certificate as certificates
from sync import codec, frame, outbox, proof, pull, receipt, signed, slices
from sync.faults import told
from sync.greeting import WELCOME
from sync.link import Link
from sync.pull import Receive
from sync.report import Answered, Report
from sync.transport import Transport
from sync.words import words

log = logging.getLogger(__name__)
HOLD = timedelta(hours=24)
PAGE_BYTES = frame.RAW_BUDGET
PULL_ORDER = ("evt", "ref", "reg")
# Answers that say that this frame will never be taken as it is.
_WHOLE_FRAME = (400, 403, 404, 413)


Progress = Callable[[str, int], None]
"""Called with a stage ('hello', 'push', 'pull', 'verify') and the number of items done so far."""


class Session:
    """Runs exchanges of one station. `receive` acts on each new fact of the hub, in the transaction that stores it."""

    def __init__(
        self, store: Store, node_key: Ed25519PrivateKey, certificate: bytes, hub_public: bytes, transport: Transport,
        clock: Clock, receive: Receive,
    ) -> None:  # fmt: skip
        self._store, self._key, self._hub_public = store, node_key, hub_public
        self._file, self._certificate = certificate, certificates.read(certificate)
        self._transport, self._clock, self._receive = transport, clock, receive
        self._link = Link(store, clock)
        self._begin()

    def _begin(self) -> None:
        self._token = ""
        self._counts: dict[str, Any] = {}
        self._problem: TownshipError | None = None
        self._answered = False

    def run(self, progress: Progress | None = None) -> Report:
        """One exchange. Never raises for what a line or a hub can do; the report says it in words."""
        began = time.monotonic()
        self._begin()
        report = Report()
        try:
            report = self._exchange(progress or (lambda stage, done: None))
        except (SyncError, BadSignature) as caught:
            self._problem = caught
        error = self._problem
        report = replace(report, seconds=time.monotonic() - began, **self._counts)
        if error is not None:
            report = replace(
                report, ok=False, error_code=error.code, error_zh=error.zh, error_en=error.en,
                retry_after_s=getattr(error, "retry_after_s", None),
            )  # fmt: skip
        state = "up" if error is None else "down" if self._may_pass(error) else "refused"
        self._link.after_session(state, report.error_code, answered=self._answered, equal=report.equal is True)
        return report

    def _may_pass(self, error: TownshipError) -> bool:
        """Whether waiting alone can help."""
        return isinstance(error, Unreachable) or (isinstance(error, Answered) and error.status >= 500)

    def _exchange(self, tell: Progress) -> Report:
        tell("hello", 0)
        welcome = self._hello()
        for channel in outbox.PUSHED:
            self._push(channel, tell)
        if self._counts.get("pushed_frames"):
            welcome = self._hello()  # the feeds moved: what the hub made of our work is fetched in this session
        new = self._skip_ahead(welcome)
        for slice_, channel in sorted(new, key=_pull_rank):
            self._pull(slice_, channel, tell)
        if self._problem is not None:
            return Report()
        with self._store.read() as db:
            if outbox.unsent(db).count:
                return Report(ok=True)
        tell("verify", 0)
        equal = proof.compare(self._store, self._certificate.slices, self._ask_json, self._link, self._clock.now())
        return Report(ok=True, caught_up=equal is not None, equal=equal)

    # --- hello ------------------------------------------------------------------------------------------------

    def _hello(self) -> dict[str, Any]:
        with self._store.read() as db:
            site, waiting = crsqlite.site_id(db), outbox.unsent(db).count
            _, epoch = outbox.identity(db)
            # Taken before asking: another session of this station may get further while the hub answers.
            proven = {channel: outbox.acked_n(db, channel) for channel in outbox.PUSHED}, pull.furthest(db)
        nonce, before = ids.new_id(), self._clock.now()
        hello = {
            "certificate": self._file, "epoch": epoch, "site": site, "nonce": nonce,
            "unsent": waiting, "schema": migrations.SCHEMA_VERSION, "node_time": stamp(before),
        }  # fmt: skip
        answer = self._ask("POST", "/s1/hello", {}, signed.seal(signed.HELLO, hello, self._key))
        welcome = signed.fields(signed.open_(signed.WELCOME, answer, self._hub_public), WELCOME, "header")
        if _checked(welcome, self._certificate.slices)["nonce"] != nonce:
            raise codec.bad("header", "nonce")
        middle = before + (self._clock.now() - before) / 2
        skew = (middle - _instant(welcome["hub_time"])).total_seconds()
        self._link.put({"clock_skew_s": str(round(skew))})
        self._reconcile(welcome, *proven)
        self._token = welcome["token"]
        return welcome

    def _reconcile(self, welcome: dict[str, Any], acked: dict[str, int], furthest: int) -> None:
        """The hub's record of what it stored is the truth for push; where it does not fit ours, say so and stop."""
        with self._store.read() as db:
            for channel in outbox.PUSHED:
                n, hash_, _ = welcome["known"][channel]
                if acked[channel] > n:
                    raise _refusal("hub_behind")
                if n and outbox.hash_at(db, channel, n) != hash_:
                    raise _refusal("rebase")
        if furthest > welcome["head"]:
            raise _refusal("hub_behind")

    # --- push -------------------------------------------------------------------------------------------------

    def _push(self, channel: str, tell: Progress) -> None:
        with self._store.write() as db:
            outbox.build(db, channel, self._certificate, self._key, self._clock)
            waiting = outbox.pending(db, channel)
        if waiting and self._is_held(channel, waiting[0]):
            self._problem = _refusal("held")
            return
        for n in waiting:
            self._push_frame(channel, n)
            tell("push", self._counts.get("pushed_items", 0))

    def _push_frame(self, channel: str, n: int) -> None:
        with self._store.write() as db:
            sent = outbox.frame_at(db, channel, n)
            if sent is None:
                return  # another session of this station was quicker
            outbox.mark_sent(db, sent, self._clock)
        path = f"/s1/chunk/{self._certificate.node}/{self._certificate.epoch.hex()}/{channel}/{n}"
        try:
            answer = self._ask("PUT", path, {}, sent.data)
        except Answered as error:
            if error.status in _WHOLE_FRAME and error.code != "revoked":
                self._link.put({f"held:{channel}": json.dumps([n, self._link.now()])})
            raise
        got = receipt.read(answer, self._hub_public)
        address = (self._certificate.node, self._certificate.epoch, channel, n, sent.hash)
        if (got.node, got.epoch, got.chan, got.n, got.hash) != address:
            raise codec.bad("receipt", "address")
        with self._store.write() as db:
            outbox.accept_receipt(db, sent, got, answer, self._clock)
        self._count(pushed_frames=1, pushed_items=sent.items, refused=got.refused_count)

    def _is_held(self, channel: str, n: int) -> bool:
        stored = self._link.get(f"held:{channel}")
        if not stored:
            return False
        held_n, at = json.loads(stored)
        # abs: a note from a clock that ran ahead would hold the frame until that day comes.
        return bool(held_n == n and abs(self._clock.now() - parse_stamp(at)) < HOLD)

    # --- pull -------------------------------------------------------------------------------------------------

    def _skip_ahead(self, welcome: dict[str, Any]) -> set[tuple[str, str]]:
        """(slice, channel) with something new. Of the others the cursor moves to the head without a request: the hub,
        which signed the welcome, says that nothing lies between."""
        head, heads, new, idle = welcome["head"], welcome["heads"], set(), []
        with self._store.read() as db:
            for slice_ in self._certificate.slices:
                for channel in PULL_ORDER:
                    at = pull.cursor(db, slice_, channel)
                    if heads[slice_][channel] > at:
                        new.add((slice_, channel))
                    elif at < head:
                        idle.append((slice_, channel))
        if idle:
            with self._store.write() as db:
                for slice_, channel in idle:
                    pull.move_cursor(db, slice_, channel, head)
                pull.mark(db, self._certificate.slices)
        return new

    def _pull(self, slice_: str, channel: str, tell: Progress) -> None:
        more = True
        while more:
            with self._store.read() as db:
                after, since = pull.cursor(db, slice_, channel), pull.complete(db, slice_)
            query = {"chan": channel, "after": str(after), "max": str(PAGE_BYTES)}
            if channel == "reg" and since < after:
                query["since"] = str(since)
            answer = self._ask("GET", f"/s1/feed/{slice_}", query, b"")
            try:
                opened = frame.open_frame(answer, self._hub_public)
                pull.check_header(opened, self._certificate, slice_, channel, after)
                items = self._apply(opened)
            except BadFrame as error:
                pull.keep_refusal(self._store, slice_, channel, error, self._clock)
                self._problem = _refusal("pull_refused")
                self._count(refused=1)
                return
            self._count(pulled_frames=1, pulled_items=items)
            tell("pull", self._counts["pulled_items"])
            more = opened.header.more

    def _apply(self, opened: frame.Frame) -> int:
        """Apply a page; whatever the business above makes of it, only its channel of its slice may suffer."""
        try:
            return pull.apply(self._store, opened, self._certificate, self._key, self._clock, self._receive)
        except Refusal as error:
            raise BadFrame(error.zh, error.en, code=error.code) from error
        except (ValueError, LookupError, TypeError, AttributeError, database.IntegrityError) as error:
            log.error("page %s %s not applied: %s", opened.header.slice, opened.header.chan, told(error))
            raise codec.bad("intake_failed") from error

    # --- the line ---------------------------------------------------------------------------------------------

    def _ask_json(self, path: str, query: dict[str, str]) -> dict[str, Any]:
        try:
            content = json.loads(self._ask("GET", path, query, b""))
        except ValueError as error:
            raise codec.bad("payload", "json") from error
        return content if type(content) is dict else {}

    def _ask(self, method: str, path: str, query: dict[str, str], body: bytes) -> bytes:
        """The body of a good answer. Raises Unreachable, or Answered for any other status."""
        for attempt in (1, 2):
            headers = {"authorization": f"Bearer {self._token}"} if self._token else {}
            response = self._transport.request(method, path, query, headers, body)
            self._answered = True
            self._count(bytes_out=len(body), bytes_in=len(response.body))
            if response.status == 200:
                return response.body
            error = Answered(response)
            if attempt == 2 or error.code != "token" or not self._token:
                break
            self._token = ""
            self._hello()  # a first load over a slow line outlives its token
        raise error

    def _count(self, **numbers: int) -> None:
        for name, number in numbers.items():
            self._counts[name] = self._counts.get(name, 0) + number


def _pull_rank(place: tuple[str, str]) -> tuple[int, str]:
    """Facts first, but before them the county's rows: they hold the keys that facts are checked with."""
    slice_, channel = place
    return (-1 if place == (slices.COUNTY, "ref") else PULL_ORDER.index(channel), slice_)


def _refusal(code: str) -> RefusedByPeer:
    return RefusedByPeer(*words(code), code=code)


def _checked(welcome: dict[str, Any], held: tuple[str, ...]) -> dict[str, Any]:
    """The welcome when its inner parts have the form this session relies on. Raises BadFrame."""
    known, heads = welcome["known"], welcome["heads"]
    good = all(
        type(known.get(c)) is list and [type(x) for x in known[c]] == [int, bytes, int] for c in outbox.PUSHED
    ) and all(type(heads.get(s)) is dict and type(heads[s].get(c)) is int for s in held for c in PULL_ORDER)
    if not good:
        raise codec.bad("header", "welcome")
    return welcome


def _instant(text: str) -> datetime:
    try:
        return parse_stamp(text)
    except ValueError as error:
        raise codec.bad("header", "time") from error
