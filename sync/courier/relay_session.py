# SPDX-License-Identifier: Apache-2.0
"""Station: an exchange through a neighbour (`relay`): hand the bundle over, take in whatever answer waits there."""

from __future__ import annotations

import time
from dataclasses import replace
from hashlib import sha256
from io import BytesIO

from schema.errors import BadSignature, SyncError, TownshipError, Unreachable
from sync.courier import node as courier_node
from sync.courier import relay
from sync.courier.bundle import CARRIED_AIM_BYTES
from sync.courier.node import Node, Taken
from sync.station.conversation import Progress
from sync.station.link import Link
from sync.station.report import Answered, Report
from sync.wire.transport import Transport

_HAVE = "relay_have"


class RelaySession:
    """One exchange through a neighbour."""

    def __init__(self, node: Node, transport: Transport) -> None:
        self._node, self._transport = node, transport
        self._link = Link(node.store, node.clock)

    def run(self, progress: Progress | None = None) -> Report:
        """Never raises for what a line, a neighbour or a hub can do. What the report calls pushed has a receipt."""
        began = time.monotonic()
        error: TownshipError | None = None
        report = Report()
        try:
            report = self._exchange(progress)
        except (SyncError, BadSignature) as caught:
            error = caught
        if error is not None:
            report = replace(report, ok=False, error_code=error.code, error_zh=error.zh, error_en=error.en)
        state = "relay" if error is None else "down" if _may_pass(error) else "refused"
        self._link.after_session(state, report.error_code, answered=False, equal=False)
        return replace(report, seconds=time.monotonic() - began)

    def _exchange(self, progress: Progress | None) -> Report:
        sink = BytesIO()
        courier_node.export(self._node, sink, limit_bytes=CARRIED_AIM_BYTES, tell=progress)
        body, have = sink.getvalue(), self._link.get(_HAVE)
        answer = self._transport.request(
            "POST", relay.PATH, {"have": have}, relay.headers(self._node.certificate), body
        )
        moved = Report(ok=True, bytes_out=len(body), bytes_in=len(answer.body))
        if answer.status == 204:
            return moved
        if answer.status != 200:
            raise Answered(answer)
        taken = courier_node.take(self._node, BytesIO(answer.body), progress)
        self._link.put({_HAVE: sha256(answer.body).hexdigest()})
        return _told(moved, taken)


def _told(moved: Report, taken: Taken) -> Report:
    return replace(
        moved, pushed_frames=taken.receipts, pushed_items=taken.receipts, pulled_frames=taken.pages,
        pulled_items=taken.items, refused=taken.refused, equal=taken.equal, caught_up=taken.equal is not None,
    )  # fmt: skip


def _may_pass(error: TownshipError) -> bool:
    return isinstance(error, Unreachable) or (isinstance(error, Answered) and error.status >= 500)
