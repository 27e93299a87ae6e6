# SPDX-License-Identifier: Apache-2.0
"""Runs of the county's month: one file each, and one row of the hub's database that makes it count.

`run_id` is a hash over month, inputs, parameters and code: the same month again is the same run and does nothing. A run
that was killed leaves no row, so nothing of it counts. Another run of a month that is not closed takes its place; the
files and rows of all runs stay.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub import pack
from hub.settlement import hands
from hub.settlement.county import controls, engines, freeze, kernel, merkle, money_in, month_file, verify
from hub.settlement.county.columns import Rates
from hub.settlement.county.controls import Control
from hub.settlement.county.freeze import Frozen
from hub.settlement.county.month_file import MonthFile
from hub.settlement.county.parameters import rates_of
from hub.settlement.county.verify import Verified
from hub.settlement.inputs import code_version, number_of
from schema import database, period
from schema.clock import Clock, stamp
from schema.database import Store
from schema.errors import Refusal, UnknownSubject, WrongState

ROLE = "settle"
FOLDER = "months"
Progress = Callable[[str], None]


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
        self._store, self._folder, self._key, self._clock = store, folder / FOLDER, key, clock

    def run(self, month: str, officer: str, key: Ed25519PrivateKey, tell: Progress = lambda step: None) -> Run:
        """Freeze, compute, check, write, commit.

        Raises Refusal (not a month, or not begun), WrongState (controls differ, out of range), NotAllowed.
        """
        began = time.monotonic()
        self._require_month(month)
        with self._store.write() as db:
            hands.require(db, officer, ROLE, key, self._clock)
            money_in.match_again(db)
        with self._store.read() as db:
            tell("freeze")
            frozen, rates = self._freeze(db, month)
            run_id = self._run_id(month, frozen)
            if (found := self._find(db, month)) is not None and found["run_id"] == run_id:
                return _read(found, again=True)
        tell("compute")
        outcome = kernel.settle(frozen.inputs, rates)
        agreed = controls.require(controls.of_month(frozen.inputs, outcome))
        tell("write")
        about = {"run_id": run_id, "code": code_version(), "pack": pack.pack_hash()}
        written = month_file.write(
            self._folder, self._key, f"{month}-{run_id[:16]}.month", frozen.inputs, frozen.who, outcome, about
        )
        elapsed_ms = round((time.monotonic() - began) * 1000)
        done = Run(run_id, month, written.name, written.root, agreed, elapsed_ms)
        tell("commit")
        self._commit(done, written.sha256, officer, key)
        return done

    def verify(self, month: str, address: str, tell: Progress = lambda step: None) -> Verified:
        """The month once more by SQL, out of the file's own inputs. Raises UnknownSubject, StoreError, ConfigError."""
        with self.open(month) as file:
            inputs, first, root = file.inputs(), file.outcome(), file.about()["root"]
        rates = rates_of(inputs.month, self._clock.today(), pack.parameters())
        with engines.opened(address) as engine:
            second = verify.recompute(inputs, rates, engine, tell)
        if merkle.root(first.tables()) != root:
            raise WrongState(f"{month} 的月结文件与登记的根不符", f"the file of {month} does not match its root")
        return verify.compare(first, root, second)

    def open(self, month: str) -> MonthFile:
        """The file of the run that counts. Raises UnknownSubject, StoreError."""
        with self._store.read() as db:
            return MonthFile(self._folder / self.get(db, month)["file"], self._key)

    def get(self, db: Any, month: str) -> Any:
        """The row of the run that counts. Raises UnknownSubject."""
        found = self._find(db, month)
        if found is None:
            raise UnknownSubject(f"{month} 全县各险还没有结算", f"the county's month {month} was never settled")
        return found

    def runs(self) -> list[Run]:
        """All months' runs that count, the newest first."""
        with self._store.read() as db:
            rows = db.execute(
                "SELECT r.* FROM month_run r JOIN month_current c ON c.run_id = r.run_id ORDER BY r.month DESC"
            ).fetchall()
        return [_read(row) for row in rows]

    def _find(self, db: Any, month: str) -> Any:
        return db.execute(
            "SELECT r.* FROM month_run r JOIN month_current c ON c.run_id = r.run_id WHERE c.month = ?", (month,)
        ).fetchone()

    def _require_month(self, month: str) -> None:
        if not period.is_month(month):
            raise Refusal(
                f"月份要写成 2026-11 这样：{month}", f"a month is written like 2026-11: {month}", code="month"
            )
        if month > period.month_of(self._clock.today()):
            raise WrongState(f"{month} 还没有到", f"{month} has not begun", code="not_begun")

    def _freeze(self, db: Any, month: str) -> tuple[Frozen, Rates]:
        today, parameters = self._clock.today(), pack.parameters()
        before = self._find(db, period.add_months(month, -1))
        rates = rates_of(number_of(month), today, parameters)
        if before is None:
            return freeze.freeze(db, month, today, parameters, None), rates
        with MonthFile(self._folder / before["file"], self._key) as file:
            return freeze.freeze(db, month, today, parameters, file), rates

    def _run_id(self, month: str, frozen: Frozen) -> str:
        who = sha256(b"".join(frozen.who.persons + frozen.who.units)).hexdigest()
        known = [month, month_file.input_hash(frozen.inputs), who, pack.pack_hash(), code_version()]
        return sha256("|".join(known).encode()).hexdigest()

    def _commit(self, done: Run, file_hash: str, officer: str, key: Ed25519PrivateKey) -> None:
        with self._store.write() as db:
            hands.require(db, officer, ROLE, key, self._clock)
            later = db.execute("SELECT min(month) FROM month_current WHERE month > ?", (done.month,)).fetchone()[0]
            if later:
                zh = f"{later} 已经结算，{done.month} 不能重算：改动作为后续月份的调整"
                en = f"{later} is settled: {done.month} cannot be run again, what changed is adjusted in a later month"
                raise WrongState(zh, en, code="month_state")
            database.upsert(db, "month_run", {
                "run_id": done.run_id, "month": done.month, "file": done.file, "file_sha256": file_hash,
                "root": done.root, "computed_by": officer, "computed_at": stamp(self._clock.now()),
                "elapsed_ms": done.elapsed_ms,
                "controls": json.dumps([vars(c) for c in done.controls], ensure_ascii=False),
            })  # fmt: skip
            database.upsert(db, "month_current", {"month": done.month, "run_id": done.run_id})
            body = {"run_id": done.run_id, "root": done.root, "all_schemes": 1}
            hands.sign(db, "month_computed", done.month, body, officer, key, self._clock)


def _read(row: Any, *, again: bool = False) -> Run:
    agreed = [Control(**control) for control in json.loads(row["controls"])]
    return Run(row["run_id"], row["month"], row["file"], row["root"], agreed, row["elapsed_ms"], again)
