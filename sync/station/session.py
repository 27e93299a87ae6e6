# SPDX-License-Identifier: Apache-2.0
"""Station: one exchange with the hub, from hello to proof. Cut it anywhere and run it again.

Order: hello; push ctl, evt, reg; pull evt, ref, reg of every slice; compare digests when all is sent and fetched.
Facts go first because people wait for them; push before pull keeps edits from losing unseen. Each stage is a module of
its own (`push_stage`, `pull_stage`, `proof`) and speaks to the hub through the one `Conversation` of the session.

A refusal that asking again cannot change (a 4xx) ends the session and is not repeated unchanged.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schema.clock import Clock
from schema.database import Store
from schema.errors import BadSignature, SyncError, TownshipError, Unreachable
from sync import slices
from sync.station import blob, proof, pull_stage, ranges, rebase
from sync.station.budget import Spending
from sync.station.conversation import Conversation, Progress
from sync.station.pull import Receive
from sync.station.pull_stage import PullStage
from sync.station.push_stage import PushStage
from sync.station.rebase_stage import RebaseStage
from sync.station.report import Answered, Report
from sync.station.urgent import IsUrgent
from sync.wire import certificate as certificates
from sync.wire import frame
from sync.wire.transport import Transport

__all__ = ["Progress", "Report", "Session"]

PAGE_BYTES = frame.RAW_BUDGET
# Scans go last, and of them no more than this in one exchange.
BLOB_BYTES = 4 * 1024 * 1024


class Session:
    """Runs exchanges of one station.

    `receive` acts on each new fact of the hub, in the transaction that stores it. `is_urgent`: which facts overtake.
    `bytes_per_hour`: the station's own limit for what nobody waits for, 0 for none; the hub's may be lower.
    """

    def __init__(
        self, store: Store, node_key: Ed25519PrivateKey, certificate: bytes, hub_public: bytes, transport: Transport,
        clock: Clock, receive: Receive, *, is_urgent: IsUrgent = lambda fact: False, bytes_per_hour: int = 0,
    ) -> None:  # fmt: skip
        self._store, self._key, self._hub_public = store, node_key, hub_public
        self._file, self._certificate = certificate, certificates.read(certificate)
        self._transport, self._clock, self._receive = transport, clock, receive
        self._is_urgent, self._bytes_per_hour = is_urgent, bytes_per_hour

    def run(self, progress: Progress | None = None, *, by_hand: bool = False) -> Report:
        """One exchange. Never raises for what a line or a hub can do; the report says it in words.

        `by_hand`: a person asked for it, so facts and cells go whatever the hour's budget says.
        """
        began = time.monotonic()
        talk = Conversation(
            self._store, self._key, self._certificate_now(), self._hub_public, self._transport, self._clock,
            progress or (lambda stage, done: None), Spending(self._bytes_per_hour, by_hand),
        )  # fmt: skip
        report = Report()
        try:
            report = self._exchange(talk)
        except (SyncError, BadSignature) as caught:
            talk.problem = caught
        error = talk.problem
        report = replace(report, seconds=time.monotonic() - began, waits=tuple(sorted(talk.waits)), **talk.counts)
        if error is not None:
            report = replace(
                report, ok=False, error_code=error.code, error_zh=error.zh, error_en=error.en,
                retry_after_s=getattr(error, "retry_after_s", None),
            )  # fmt: skip
        state = "up" if error is None else "down" if _may_pass(error) else "refused"
        with self._store.write():  # one wait for the disk instead of four
            talk.line.remember()
            talk.telling.end(caught_up=report.caught_up)
            talk.link.after_session(state, report.error_code, answered=talk.answered, equal=report.equal is True)
        return report

    def _exchange(self, talk: Conversation) -> Report:
        talk.tell("hello", 0)
        back, pushes = RebaseStage(talk), PushStage(talk, self._is_urgent)
        welcome = self._push_and_pull(talk, pushes, back.hello())
        while talk.problem is None and not talk.waits and back.finish(welcome):
            welcome = self._push_and_pull(talk, pushes, welcome)
        if talk.problem is not None:
            return Report()
        if talk.waits:
            return Report(ok=True)
        talk.tell("verify", 0)
        equal = proof.prove(talk)
        blob.push(talk, BLOB_BYTES, PAGE_BYTES)
        return Report(ok=True, caught_up=equal is not None, equal=equal)

    def _push_and_pull(self, talk: Conversation, pushes: PushStage, welcome: dict[str, Any]) -> dict[str, Any]:
        """Send all there is, then fetch all there is; the welcome that the fetch followed."""
        sent = talk.counts.get("pushed_frames", 0)
        self._push(pushes)
        if talk.counts.get("pushed_frames", 0) > sent:
            welcome = talk.hello()  # the feeds moved: what the hub made of our work is fetched in this session
        pulls = PullStage(talk, self._receive, pushes.run_urgent)
        for family in slices.FAMILIES:
            if family != "node":
                ranges.first_load(talk, family, PAGE_BYTES)
            new = pull_stage.skip_ahead(self._store, talk.certificate.slices, welcome)
            for slice_, channel in sorted(new, key=pull_stage.rank):
                if slices.family(slice_) == family:
                    pulls.run(slice_, channel, PAGE_BYTES)
        return welcome

    def _certificate_now(self) -> bytes:
        with self._store.read() as db:
            return rebase.certificate_in_force(db, self._file)

    def _push(self, pushes: PushStage) -> None:
        pushes.run_urgent()
        for channel in ("evt", "reg"):
            pushes.run(channel)


def _may_pass(error: TownshipError) -> bool:
    """Whether waiting alone can help."""
    return isinstance(error, Unreachable) or (isinstance(error, Answered) and error.status >= 500)
