# SPDX-License-Identifier: Apache-2.0
"""Rosters at work behind the pages: one at a time, with how far it is. The officer's key stays in memory."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from node.station import EXTENSION
from schema import ids
from schema.errors import TownshipError

log = logging.getLogger("township.node")

KEPT = 50
Work = Callable[[Callable[[int, int], None]], bytes]


@dataclass
class Job:
    """One piece of work. `roster_id`: what came of it; `error`: why nothing did, None also when the program failed."""

    owner: str
    done: int = 0
    total: int = 0
    roster_id: bytes | None = None
    error: TownshipError | None = None
    ended: bool = False

    def tell(self, done: int, total: int) -> None:
        """How far it is."""
        self.done, self.total = done, total


class Jobs:
    """The work of this process. `leave`: closes what a thread has opened, when it ends."""

    def __init__(self, leave: Callable[[], None]) -> None:
        self._leave = leave
        self._jobs: dict[bytes, Job] = {}
        self._one_at_a_time = threading.Lock()

    def start(self, owner: str, work: Work) -> bytes:
        """Begin; the id under which a page asks for it."""
        job_id, job = ids.new_id(), Job(owner)
        self._jobs[job_id] = job
        while len(self._jobs) > KEPT:
            del self._jobs[next(iter(self._jobs))]
        threading.Thread(target=self._run, args=(job, work), name="roster", daemon=True).start()
        return job_id

    def of(self, job_id: bytes, owner: str) -> Job | None:
        """The officer's own job; None for any other."""
        job = self._jobs.get(job_id)
        return job if job and job.owner == owner else None

    def _run(self, job: Job, work: Work) -> None:
        try:
            with self._one_at_a_time:
                job.roster_id = work(job.tell)
        except TownshipError as error:
            job.error = error
        except Exception as error:
            # The words of an exception may hold personal data; the page says that it was interrupted.
            log.error("roster work failed: %s", type(error).__name__)
        finally:
            self._leave()
            job.ended = True


def of_app(app: Any) -> Jobs:
    """The jobs of the app that serves this request."""
    jobs: Jobs = app.extensions.setdefault("roster_jobs", Jobs(app.extensions[EXTENSION].store.leave))
    return jobs
