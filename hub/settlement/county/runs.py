# SPDX-License-Identifier: Apache-2.0
"""Runs of the county's month: one file each, and one row of the hub's database that makes it count.

`run_id` is a hash over month, inputs, parameters and code: the same month again is the same run and does nothing. A run
that was killed leaves no row, so nothing of it counts. Another run of a month that nobody approved yet takes its place;
the files and rows of all runs stay. Which run counts, and who signed it, is the row of `period` (scheme `county`).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub import pack
from hub.settlement import hands, month
from hub.settlement.county import (
    controls,
    earlier,
    engines,
    freeze,
    kernel,
    merkle,
    money_in,
    month_file,
    verify,
    watermarks,
)
from hub.settlement.county.columns import Rates
from hub.settlement.county.controls import Control
from hub.settlement.county.earlier import SEEN
from hub.settlement.county.freeze import Frozen
from hub.settlement.county.month_file import MonthFile
from hub.settlement.county.parameters import rates_of
from hub.settlement.county.verify import Verified
from hub.settlement.inputs import code_version, number_of
from hub.settlement.month import COUNTY
from schema import database
from schema.clock import Clock, local, stamp
from schema.database import Store
from schema.errors import UnknownSubject, WrongState
from sync.hub import publish

ROLE = "settle"
FOLDER = "months"
Progress = Callable[[str], None]
_COUNTS = "SELECT r.* FROM month_run r JOIN period p ON p.run_id = r.run_id AND p.month = r.month WHERE p.scheme = ?"


@dataclass(frozen=True)
class Run:
    """A run that counts. `again`: it was there already, nothing was done."""

    run_id: str
    month: str
    file: str
    root: str
    controls: list[Control]
    elapsed_ms: int
    again: bool = False


class County:
    """The county's months of one hub. `folder`: where the files lie; `key`: of the hub's database."""

    def __init__(self, store: Store, folder: Path, key: bytes, clock: Clock) -> None:
        self.store, self.clock = store, clock
        self._folder, self._key = folder / FOLDER, key

    def run(self, settled: str, officer: str, key: Ed25519PrivateKey, tell: Progress = lambda step: None) -> Run:
        """Freeze, compute, check, write, commit.

        Raises Refusal (not a month), WrongState (not the open month, not begun, approved before, controls differ, out
        of range), NotAllowed.
        """
        began = time.monotonic()
        with self.store.write() as db:
            hands.require(db, officer, ROLE, key, self.clock)
            month.require_next(db, settled, self.clock.today(), COUNTY)
            money_in.match_again(db, settled)
        with self.store.read() as db:
            tell("freeze")
            seen = publish.head(db)
            frozen, rates = self.freeze(db, settled)
            run_id = self._run_id(settled, frozen)
            if (found := self._find(db, settled)) is not None and found["run_id"] == run_id:
                return _read(found, again=True)
        tell("compute")
        outcome = kernel.settle(frozen.inputs, rates)
        agreed = controls.require(controls.of_month(frozen.inputs, outcome))
        tell("write")
        rates_known = earlier.digests(settled, self.clock.today(), pack.parameters())
        about = {"run_id": run_id, "code": code_version(), "pack": pack.pack_hash(), earlier.RATES: rates_known}
        written = month_file.write(
            self._folder, self._key, f"{settled}-{run_id[:16]}.month", frozen.inputs, frozen.who, outcome, about
        )
        elapsed_ms = round((time.monotonic() - began) * 1000)
        done = Run(run_id, settled, written.name, written.root, agreed, elapsed_ms)
        tell("commit")
        self._commit(done, written.sha256, seen, officer, key)
        return done

    def verify(self, settled: str, address: str, tell: Progress = lambda step: None) -> Verified:
        """The month once more by SQL, out of the file's own inputs. Raises UnknownSubject, StoreError, ConfigError."""
        with self.open(settled) as file:
            inputs, first, root = file.inputs(), file.outcome(), file.about()["root"]
        rates = self.rates(settled)
        with engines.opened(address) as engine:
            second = verify.recompute(inputs, rates, engine, tell)
        if merkle.root(first.tables()) != root:
            raise WrongState(f"{settled} 的月结文件与登记的根不符", f"the file of {settled} does not match its root")
        return verify.compare(first, root, second)

    def open(self, settled: str) -> MonthFile:
        """The file of the run that counts. Raises UnknownSubject, StoreError."""
        with self.store.read() as db:
            return MonthFile(self._folder / self.get(db, settled)["file"], self._key)

    def get(self, db: Any, settled: str) -> Any:
        """The row of the run that counts. Raises UnknownSubject."""
        found = self._find(db, settled)
        if found is None:
            raise UnknownSubject(f"{settled} 全县各险还没有结算", f"the county's month {settled} was never settled")
        return found

    def runs(self) -> list[Run]:
        """All months' runs that count, the newest first."""
        with self.store.read() as db:
            rows = db.execute(f"{_COUNTS} ORDER BY r.month DESC", (COUNTY,)).fetchall()
        return [_read(row) for row in rows]

    def freeze(self, db: Any, settled: str) -> tuple[Frozen, Rates]:
        """The register as it is now, for that month, and the month's rates as known today."""
        today, parameters = self.clock.today(), pack.parameters()
        before = earlier.of(db, settled, today, parameters, self._folder, self._key)
        rates = rates_of(number_of(settled), today, parameters)
        return freeze.freeze(db, settled, today, parameters, before), rates

    def require_may_run(self, settled: str, officer: str, key: Ed25519PrivateKey) -> None:
        """What a run would be refused for before it begins; the errors of `run`."""
        with self.store.read() as db:
            hands.require(db, officer, ROLE, key, self.clock)
            month.require_next(db, settled, self.clock.today(), COUNTY)

    def same(self, db: Any, settled: str, run_id: str) -> bool:
        """Whether the month computed now would be that run: nothing it depends on has moved."""
        return self._run_id(settled, self.freeze(db, settled)[0]) == run_id

    def _find(self, db: Any, settled: str) -> Any:
        return db.execute(f"{_COUNTS} AND p.month = ?", (COUNTY, settled)).fetchone()

    def known_on(self, settled: str) -> date:
        """The day on which the month was computed: what was published later did not count. Raises UnknownSubject."""
        with self.store.read() as db:
            return local(self.get(db, settled)["computed_at"]).date()

    def rates(self, settled: str) -> Rates:
        """The rates with which the month was computed."""
        return rates_of(number_of(settled), self.known_on(settled), pack.parameters())

    def _run_id(self, settled: str, frozen: Frozen) -> str:
        who = sha256(b"".join(frozen.who.persons + frozen.who.units)).hexdigest()
        known = [settled, month_file.input_hash(frozen.inputs), who, pack.pack_hash(), code_version()]
        return sha256("|".join(known).encode()).hexdigest()

    def _commit(self, done: Run, file_hash: str, seen: int, officer: str, key: Ed25519PrivateKey) -> None:
        now = stamp(self.clock.now())
        signed = {"computed_by": officer, "computed_at": now}
        with self.store.write() as db, hands.four_hands():
            hands.require(db, officer, ROLE, key, self.clock)
            month.require_next(db, done.month, self.clock.today(), COUNTY)
            if not db.execute("SELECT 1 FROM month_run WHERE run_id = ?", (done.run_id,)).fetchone():
                database.insert(db, "month_run", signed | {
                    "run_id": done.run_id, "month": done.month, "file": done.file, "file_sha256": file_hash,
                    "root": done.root, "elapsed_ms": done.elapsed_ms,
                    "controls": json.dumps([vars(c) for c in done.controls], ensure_ascii=False),
                })  # fmt: skip
            name = {"scheme": COUNTY, "month": done.month}
            row = signed | {"state": "computed", "run_id": done.run_id, "controls": json.dumps({SEEN: seen})}
            if month.find(db, done.month, COUNTY) is None:
                database.insert(db, "period", name | row)
            else:
                database.update(db, "period", name, row)
            watermarks.record(db, done.run_id)
            body = {"run_id": done.run_id, "root": done.root}
            hands.sign(db, "month_computed", done.month, body, officer, key, self.clock, COUNTY)


def _read(row: Any, *, again: bool = False) -> Run:
    agreed = [Control(**control) for control in json.loads(row["controls"])]
    return Run(row["run_id"], row["month"], row["file"], row["root"], agreed, row["elapsed_ms"], again)
