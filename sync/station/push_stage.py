# SPDX-License-Identifier: Apache-2.0
"""Station: the stage of a session that sends: frames are built, stored, sent in order and forgotten with the receipt.

A refusal that asking again cannot change (a 4xx) is not repeated unchanged: a frame refused as a whole is held back for
HOLD before it is offered once more.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from schema.clock import Clock, parse_stamp
from sync.station import outbox, urgent
from sync.station.conversation import Conversation
from sync.station.hello import refusal
from sync.station.outbox import Pending
from sync.station.report import Answered
from sync.station.urgent import IsUrgent
from sync.wire import codec, frame, receipt, signed
from sync.wire.certificate import Certificate
from sync.wire.receipt import Receipt

HOLD = timedelta(hours=24)
_PART = "part:"
# Answers that say that this frame will never be taken as it is.
_WHOLE_FRAME = (400, 403, 404, 413)


class PushStage:
    """Sends what the hub has not signed for."""

    def __init__(self, talk: Conversation, is_urgent: IsUrgent) -> None:
        self._talk, self._is_urgent = talk, is_urgent

    def run_urgent(self) -> None:
        """Send copies of urgent facts if there are any: asked before everything else and between two fetched pages."""
        with self._talk.store.read() as db:
            wanted = urgent.waiting(db, self._is_urgent) or outbox.pending(db, urgent.CHANNEL)
        if wanted:
            self.run(urgent.CHANNEL)

    def run(self, channel: str) -> None:
        """Frame and send all new work of a channel. Raises what ends the session."""
        with self._talk.store.write() as db:
            mine, raw = (self._talk.certificate, self._talk.key, self._talk.clock), self._talk.line.raw_up(channel)
            if channel == urgent.CHANNEL:
                urgent.build(db, self._is_urgent, *mine, raw)
            else:
                outbox.build(db, channel, *mine, raw_bytes=raw)
            waiting = outbox.pending(db, channel)
        if waiting and self._is_held(channel, waiting[0]):
            self._talk.problem = refusal("held")
            return
        for n in waiting:
            if not self._talk.may(channel):
                return
            self._push_frame(channel, n)
            self._talk.tell("push", self._talk.counts.get("pushed_items", 0))

    def _push_frame(self, channel: str, n: int) -> None:
        with self._talk.store.write() as db:
            sent = outbox.frame_at(db, channel, n)
            if sent is None:
                return  # another session of this station was quicker
            outbox.mark_sent(db, sent, self._talk.clock)
        path = f"/s1/chunk/{self._talk.certificate.node}/{self._talk.certificate.epoch.hex()}/{channel}/{n}"
        try:
            answer = self._send(path, sent)
        except Answered as error:
            if error.status in _WHOLE_FRAME and error.code != "revoked":
                self._talk.link.put({f"held:{channel}": json.dumps([n, self._talk.link.now()])})
            raise
        self._talk.line.learn(channel, frame.raw_len(sent.data), len(sent.data), sent.items)
        got = receipt.read(answer, self._talk.hub_public)
        address = (self._talk.certificate.node, self._talk.certificate.epoch, channel, n, sent.hash)
        if (got.node, got.epoch, got.chan, got.n, got.hash) != address:
            raise codec.bad("receipt", "address")
        with self._talk.store.write() as db:
            store_receipt(db, sent, got, answer, self._talk.certificate, self._talk.clock)
        # Copies are counted when their facts go in `evt`, and refused there or nowhere.
        items, refused = (0, 0) if channel == urgent.CHANNEL else (sent.items, got.refused_count)
        self._talk.count(pushed_frames=1, pushed_items=items, refused=refused)

    def _send(self, path: str, sent: Pending) -> bytes:
        """The receipt. A frame too long for what the line carries at once goes in parts: what arrived stays there."""
        if len(sent.data) <= 2 * self._talk.line.up.size:
            return self._talk.ask("PUT", path, {}, sent.data, sent.channel)
        name, known = _PART + sent.channel, sent.hash.hex()
        noted = self._talk.link.get(name).split(":")
        have = int(noted[1]) if noted[0] == known else 0
        corrected = False
        while True:
            piece = sent.data[have : have + self._talk.line.up.size]
            query = {"at": str(have), "of": str(len(sent.data)), "hash": known}
            try:
                answer = self._talk.ask("PUT", path, query, piece, sent.channel)
                if answer.startswith(signed.RECEIPT):
                    return answer
                arrived = _arrived(answer, have + 1, len(sent.data))
            except Answered as error:
                if error.code != "part" or corrected:
                    raise
                corrected, arrived = True, _arrived(error.body, 0, len(sent.data))
            have = arrived
            self._talk.link.put({name: f"{known}:{have}"})
            self._talk.count(parts=1)

    def _is_held(self, channel: str, n: int) -> bool:
        stored = self._talk.link.get(f"held:{channel}")
        if not stored:
            return False
        held_n, at = json.loads(stored)
        # abs: a note from a clock that ran ahead would hold the frame until that day comes.
        return bool(held_n == n and abs(self._talk.clock.now() - parse_stamp(at)) < HOLD)


def store_receipt(db: Any, sent: Pending, got: Receipt, data: bytes, certificate: Certificate, clock: Clock) -> None:
    """The hub has signed for this frame; of copies in `ctl` the facts are marked by their ids."""
    if sent.channel == urgent.CHANNEL:
        urgent.received(db, sent, got, certificate.public_key)
    outbox.accept_receipt(db, sent, got, data, clock)


def _arrived(answer: bytes, least: int, most: int) -> int:
    """How many bytes of a frame the hub has by its own word. Raises BadFrame when that cannot be."""
    try:
        have = json.loads(answer)["have"]
    except (ValueError, LookupError, TypeError) as error:
        raise codec.bad("receipt", "part") from error
    if type(have) is not int or not least <= have <= most:
        raise codec.bad("receipt", "part")
    return have
