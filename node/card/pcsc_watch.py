# SPDX-License-Identifier: Apache-2.0
"""The process that tells what lies on which reader, one JSON line whenever that changes and at least every 2 s.

    {"readers": {name: {"counted": n, "state": "empty" | "present" | "mute"}}}   or   {"problem": code}

The station takes silence for a service that hangs. The process ends when its stdin does: when the station is gone.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from typing import Any

from node.card.problems import CardProblem

SAY_AT_LEAST_MS = 2000
RETRY_S = 0.5
NEW_READER = "\\\\?PnP?\\Notification"  # the service's own name for "a reader came or went"


def main() -> None:
    """Tell until the station is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_the_station, daemon=True).start()
    try:
        from node.card import pcsc
    except ImportError:
        pcsc = None  # type: ignore[assignment]
    while True:
        try:
            if pcsc is None:
                raise CardProblem("no_driver")
            _watch(pcsc)
        except CardProblem as problem:
            _say({"problem": "no_service" if problem.code == "disturbed" else problem.code})
            time.sleep(RETRY_S)


def _watch(pcsc: Any) -> None:
    """Until the service goes or a reader does; then everything is looked at anew. Raises CardProblem."""
    scard = pcsc.scard
    with pcsc.service() as context:
        names = pcsc.succeeded(scard.SCardListReaders(context, []))
        if not names:
            raise CardProblem("no_reader")
        # How many readers there are stands in the upper half, so that one that came since the list is noticed.
        known = {name: scard.SCARD_STATE_UNAWARE for name in names} | {NEW_READER: len(names) << pcsc.COUNTER_SHIFT}
        timeout_ms = 0
        while True:
            result, states = scard.SCardGetStatusChange(context, timeout_ms, list(known.items()))
            if result & 0xFFFFFFFF == scard.SCARD_E_TIMEOUT & 0xFFFFFFFF:
                if pcsc.succeeded(scard.SCardListReaders(context, [])) != names:
                    return  # not every service knows the notification
            else:
                pcsc.succeeded([result, states])
                gone = scard.SCARD_STATE_UNKNOWN | scard.SCARD_STATE_UNAVAILABLE
                if any(state & scard.SCARD_STATE_CHANGED if name == NEW_READER else state & gone
                       for name, state, _ in states):  # fmt: skip
                    return
                known = {name: state & ~scard.SCARD_STATE_CHANGED for name, state, _ in states}
            _say({"readers": {name: _plain(pcsc, state) for name, state in known.items() if name != NEW_READER}})
            timeout_ms = SAY_AT_LEAST_MS


def _plain(pcsc: Any, state: int) -> dict[str, Any]:
    scard = pcsc.scard
    word = "empty"
    if state & scard.SCARD_STATE_PRESENT:
        word = "mute" if state & scard.SCARD_STATE_MUTE else "present"
    return {"counted": state >> pcsc.COUNTER_SHIFT, "state": word}


def _say(what: dict[str, Any]) -> None:
    print(json.dumps(what), flush=True)


def _end_with_the_station() -> None:
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
