# SPDX-License-Identifier: Apache-2.0
"""Runs and recomputations asked for on a page: done beside it, so that the page may be closed meanwhile.

One at a time, in this process. The officer's key never leaves memory, so nothing of a job is written down while it
goes on: one that is cut off with the process left no trace and can be asked for again. What stopped a run is kept
(`month_stop`) until the month is run again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from flask import Flask

from hub.settlement.month import COUNTY
from schema import database
from schema.clock import Clock, stamp
from schema.database import Store
from schema.errors import TownshipError, WrongState

log = logging.getLogger("township.hub")
EXTENSION = "county_jobs"
Work = Callable[[Callable[[str], None]], Any]


@dataclass
class Job:
    """What is going on: `run` or `verify`. `step` is told by the work itself, the `at`-th of `of`."""

    kind: str
    month: str
    officer: str
    began_at: str
    of: int
    step: str = ""
    at: int = 0


@dataclass(frozen=True)
class Stop:
    """A run that came to nothing: when, who asked, why."""

    at: str
    officer: str
    code: str
    zh: str
    en: str


class Jobs:
    """At most one job."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(1, "county")
        self._job: Job | None = None
        self._future: Future[None] | None = None

    def now(self) -> Job | None:
        """The one that is going on."""
        return self._job

    def start(self, kind: str, month: str, officer: str, of: int, work: Work) -> None:
        """Begin work of so many steps. Raises WrongState while another one is going on."""
        with self._lock:
            if self._job is not None:
                raise WrongState(
                    f"{self._job.month} 正在算，等它完了再来", f"{self._job.month} is being computed: wait for it",
                    code="busy",
                )  # fmt: skip
            self._job = Job(kind, month, officer, stamp(self._clock.now()), of)
            self._future = self._pool.submit(self._do, self._job, work)

    def wait(self) -> None:
        """Until nothing is going on."""
        if self._future is not None:
            self._future.result()

    def _do(self, job: Job, work: Work) -> None:
        def tell(step: str) -> None:
            job.step, job.at = step, job.at + 1

        try:
            work(tell)
            with self._store.write() as db:
                db.execute("DELETE FROM month_stop WHERE month = ? AND kind = ?", (job.month, job.kind))
        except TownshipError as error:
            self._stopped(job, error.code, error.zh, error.en)
        except Exception as error:
            log.exception("the county's month stopped")
            what = type(error).__name__
            self._stopped(job, "unforeseen", f"没有料到的错误：{what}", f"an unforeseen error: {what}")
        finally:
            self._job = None

    def _stopped(self, job: Job, code: str, zh: str, en: str) -> None:
        row = {
            "month": job.month, "kind": job.kind, "at": stamp(self._clock.now()), "officer": job.officer,
            "code": code[:40], "zh": zh[:2000], "en": en[:2000],
        }  # fmt: skip
        with self._store.write() as db:
            database.upsert(db, "month_stop", row)


def of(app: Flask, store: Store, clock: Clock) -> Jobs:
    """The jobs of this app."""
    found: Jobs = app.extensions.setdefault(EXTENSION, None) or Jobs(store, clock)
    app.extensions[EXTENSION] = found
    return found


def stop_of(db: Any, month: str, kind: str) -> Stop | None:
    """What stopped the last job of that kind, unless the month was run since."""
    row = db.execute(
        "SELECT s.* FROM month_stop s LEFT JOIN period p ON p.scheme = ? AND p.month = s.month "
        "WHERE s.month = ? AND s.kind = ? AND (p.computed_at IS NULL OR s.at > p.computed_at)",
        (COUNTY, month, kind),
    ).fetchone()
    return Stop(row["at"], row["officer"], row["code"], row["zh"], row["en"]) if row else None
