# SPDX-License-Identifier: Apache-2.0
"""One exchange with the hub at a time, whoever asks for it: the clock, a button or the command line.

What came of each is kept as the link's history; when the next one is due is decided here (every `sync_every_s`, sooner
after a failure, never in step with other stations).
"""

from __future__ import annotations

import json
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from node import case_state, cases, relay
from node.station import Station
from schema import database
from schema.clock import parse_stamp, stamp
from schema.errors import WrongState
from sync.courier.relay import forward
from sync.courier.relay_session import RelaySession
from sync.station import backoff
from sync.station.report import LONGEST_WAIT_S, Report
from sync.station.session import Session
from sync.wire.transport import Transport
from sync.wire.transport_http import Http

HISTORY_KEPT = 20
_HISTORY, _NOT_BEFORE = "history", "not_before"

Progress = Callable[[str, int], None]


@dataclass(frozen=True)
class Step:
    """How far a running exchange is: its stage, and the items done in it."""

    stage: str
    done: int


class Exchange:
    """Runs exchanges of one station and knows when the next is due."""

    def __init__(
        self,
        station: Station,
        transport: Callable[[], Transport] | None = None,
        *,
        wait_s: float = 0.0,
        monotonic: Callable[[], float] = time.monotonic,
        rng: random.Random | None = None,
    ) -> None:
        """`transport`: how the hub is reached; by default HTTPS to the address in station.toml. `wait_s`: how long to
        wait for an exchange that is running already.
        """
        self._station = station
        self._wait_s = wait_s
        self._transport = transport or (lambda: _line_of(station))
        self._monotonic = monotonic
        self._rng = rng or random.Random()
        self._failures = 0
        self._due_at = self._monotonic()
        self._lock = threading.Lock()
        self.step: Step | None = None
        self.ended = 0  # how many, so that a page knows whether the one it asked for is over

    def due(self) -> bool:
        """Whether it is time for the next one. What the hub said of its return counts after a restart as well."""
        return self.due_in_s() <= 0

    def due_in_s(self) -> float:
        """Seconds until it is."""
        with self._station.store.read() as db:
            row = db.execute("SELECT value FROM link WHERE name = ?", (_NOT_BEFORE,)).fetchone()
        asked_s = 0.0
        if row and row["value"]:
            asked_s = (parse_stamp(row["value"]) - self._station.clock.now()).total_seconds()
        if asked_s > LONGEST_WAIT_S:
            asked_s = 0.0  # a clock that was set back would wait for the day that comes again
        return max(self._due_at - self._monotonic(), asked_s)

    def run(self, progress: Progress | None = None, *, by_hand: bool = False) -> Report:
        """One exchange now. `by_hand`: a person asked for it, so what waits is sent whatever the hour's budget says.

        Raises WrongState when one is running already, ConfigError when the certificate is gone.
        """
        try:
            with self.alone():
                report = self._run(progress, by_hand)
                self._after(report)
                return report
        finally:
            self.ended += 1

    def _run(self, progress: Progress | None, by_hand: bool) -> Report:
        self.step = Step("hello", 0)
        try:
            with self._line() as transport:
                return self._exchange(transport, self._follow(progress), by_hand=by_hand)
        finally:
            self.step = None

    def _exchange(self, transport: Transport, tell: Progress, *, by_hand: bool) -> Report:
        station = self._station
        if station.config.relay_url:
            return RelaySession(relay.courier_node(station), transport).run(tell)
        report = self._session(transport).run(tell, by_hand=by_hand)
        if report.ok and station.config.relay_listen:
            forward(relay.mailbox(station), transport)
        return report

    @contextmanager
    def _line(self) -> Iterator[Transport]:
        transport = self._transport()
        try:
            yield transport
        finally:
            if isinstance(transport, Http):
                transport.close()

    def _session(self, transport: Transport) -> Session:
        station = self._station
        return Session(
            station.store,
            station.secrets.signing,
            station.certificate,
            bytes.fromhex(station.config.hub_public),
            transport,
            station.clock,
            cases.receive,
            bytes_per_hour=station.config.sync_bytes_per_hour,
            is_urgent=lambda fact: cases.is_urgent(station.desk, fact),
        )

    def _follow(self, progress: Progress | None) -> Progress:
        def tell(stage: str, done: int) -> None:
            self.step = Step(stage, done)
            if progress:
                progress(stage, done)

        return tell

    def _after(self, report: Report) -> None:
        """Note what came of it, bring our case notes to the hub's word, and plan the next one."""
        with self._station.store.write() as db:
            case_state.follow(db)
            now = self._station.clock.now()
            _remember(db, report, stamp(now))
            until = stamp(now + timedelta(seconds=report.retry_after_s)) if report.retry_after_s else ""
            database.upsert(db, "link", {"name": _NOT_BEFORE, "value": until})
        self._station.keep_certificate()
        self._station.follow_rules()
        if report.ok:
            self._failures = 0
            wait_s = self._station.config.sync_every_s * self._rng.uniform(0.9, 1.1)
        else:
            if report.moved:
                self._failures = 0  # the line carries something: soon again, it goes on where it broke
            wait_s = backoff.next_delay_s(self._failures, self._rng, report.retry_after_s)
            self._failures += 1
        self._due_at = self._monotonic() + wait_s

    @contextmanager
    def alone(self) -> Iterator[None]:
        """No other exchange of this station meanwhile. Raises WrongState when one is running already."""
        if not self._lock.acquire(timeout=self._wait_s):
            raise _busy()
        try:
            with _file_lock(self._station.home.path / "exchange.lock", self._wait_s):
                yield
        finally:
            self._lock.release()


def _line_of(station: Station) -> Transport:
    if station.config.relay_url:
        return Http(station.config.relay_url, None)
    return Http(station.config.hub_url, station.home.ca_file)


def history(db: Any) -> list[dict[str, Any]]:
    """What came of the last exchanges, newest first."""
    row = db.execute("SELECT value FROM link WHERE name = ?", (_HISTORY,)).fetchone()
    entries: list[dict[str, Any]] = json.loads(row["value"]) if row and row["value"] else []
    return entries


def _remember(db: Any, report: Report, at: str) -> None:
    entry = {
        "at": at,
        "ok": report.ok,
        "code": report.error_code,
        "sent": report.pushed_items,
        "fetched": report.pulled_items,
        "refused": report.refused,
        "equal": report.equal,
        "bytes": report.bytes_out + report.bytes_in,
        "seconds": round(report.seconds, 1),
    }
    known = history(db)
    if known and not report.ok and known[0]["code"] == report.error_code:
        # A line that is down for days is one entry with a count, and does not push the good ones out.
        entry["again"] = known[0].get("again", 0) + 1
        known = known[1:]
    value = json.dumps([entry, *known][:HISTORY_KEPT], separators=(",", ":"))
    database.upsert(db, "link", {"name": _HISTORY, "value": value})


@contextmanager
def _file_lock(path: Path, wait_s: float) -> Iterator[None]:
    """One process at a time. The system drops the lock when a process dies, so none can stay behind."""
    until = time.monotonic() + wait_s
    with path.open("a+b") as file:
        while not _locked(file.fileno()):
            if time.monotonic() >= until:
                raise _busy()
            time.sleep(0.1)
        yield


def _locked(descriptor: int) -> bool:
    try:
        _lock(descriptor)
    except OSError:
        return False
    return True


def _busy() -> WrongState:
    return WrongState("正在上报，请等这一次完成", "an exchange is running: wait until it is done", code="busy")


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
