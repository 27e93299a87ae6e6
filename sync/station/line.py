# SPDX-License-Identifier: Apache-2.0
"""Station: the transport with a measure: how fast it was, how much the next request may hold, what it has cost.

What was learned is kept in `link` (`pace`), so a line that was slow yesterday starts small today. Seconds are those of
the line: a transport that runs a modelled line faster than real says so (`speed`), and everything scales with it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from schema.errors import Unreachable
from sync.station import budget, pace
from sync.station.budget import Ledger
from sync.station.link import Link
from sync.station.pace import Pace
from sync.wire import frame
from sync.wire.transport import Broken, Patient, Response, Transport

_NAME = "pace"
# How many times smaller compression makes a page, and what an entry of a page weighs, until it is known better.
_RATIO, _RATIOS = 2.0, (1.0, 16.0)
_EACH_BYTES = {"ctl": 500.0, "evt": 500.0, "reg": 40.0, "ref": 60.0, "blob": 100_000.0}


class Line:
    """Carries the requests of one session."""

    def __init__(self, transport: Transport, link: Link, ledger: Ledger) -> None:
        self._transport, self._link, self.ledger = transport, link, ledger
        self._patient = transport if isinstance(transport, Patient) else None
        self._speed = self._patient.speed if self._patient else 1.0
        known = _read(link.get(_NAME))
        self.up, self.down = Pace(**known["up"]), Pace(**known["down"])
        self._ratio: dict[str, float] = known["ratio"]
        self._each: dict[str, float] = known["each"]

    def request(
        self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes, channel: str
    ) -> Response:
        """The answer, measured and counted. Raises Unreachable."""
        if self._patient:
            self._patient.allow(pace.patience_s(self.up, len(body)))
        began = time.monotonic()
        try:
            response = self._transport.request(method, path, query, headers, body)
        except Unreachable as error:
            self._failed(error, method, (time.monotonic() - began) * self._speed, len(body))
            raise
        seconds = (time.monotonic() - began) * self._speed
        if len(body) > len(response.body):
            self.up = pace.after_success(self.up, len(body), seconds)
        else:
            self.down = pace.after_success(self.down, len(response.body), seconds)
        self.ledger.add(channel, len(body) + len(response.body) + budget.AROUND_BYTES)
        return response

    def _failed(self, error: Unreachable, method: str, seconds: float, sent: int) -> None:
        if not isinstance(error, Broken):
            return  # no connection: nothing travelled, nothing learned
        self.ledger.add(budget.RETRY, sent + error.received + budget.AROUND_BYTES)
        if error.code == "timeout" or seconds > pace.AIM_S:
            if method == "PUT":
                self.up = pace.after_failure(self.up)
            else:
                self.down = pace.after_failure(self.down)

    def raw_up(self, channel: str) -> int:
        """How much to put into a frame, before compression."""
        return self._raw(self.up, channel)

    def raw_down(self, channel: str) -> int:
        """How much to ask for in a page, before compression."""
        return self._raw(self.down, channel)

    def _raw(self, of: Pace, channel: str) -> int:
        return int(min(of.size * self._ratio.get(channel, _RATIO), frame.RAW_BUDGET))

    def learn(self, channel: str, raw: int, packed: int, items: int) -> None:
        """A frame or page of `raw` bytes before compression travelled as `packed`, with so many items."""
        ratio = min(max(raw / max(packed, 1), _RATIOS[0]), _RATIOS[1])
        self._ratio[channel] = ratio if channel not in self._ratio else 0.5 * (self._ratio[channel] + ratio)
        if items:
            self._each[channel] = 0.5 * (self._each.get(channel, packed / items) + packed / items)

    def remember(self) -> None:
        """Keep what was learned and what was spent."""
        said = {
            "up": asdict(self.up), "down": asdict(self.down),
            "ratio": {c: round(r, 2) for c, r in self._ratio.items()},
            "each": {c: round(b, 1) for c, b in self._each.items()},
        }  # fmt: skip
        self._link.put({_NAME: json.dumps(said)})
        self.ledger.flush()


def paces(stored: str | None) -> tuple[Pace, Pace, dict[str, float]]:
    """(up, down, bytes of one item by channel) as last remembered."""
    known = _read(stored or "")
    return Pace(**known["up"]), Pace(**known["down"]), {**_EACH_BYTES, **known["each"]}


def _read(stored: str) -> dict[str, Any]:
    known: dict[str, Any] = json.loads(stored) if stored else {}
    return {"up": {}, "down": {}, "ratio": {}, "each": {}} | known
