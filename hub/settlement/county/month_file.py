# SPDX-License-Identifier: Apache-2.0
"""One immutable encrypted file per run: the inputs as they were and the results, column by column in pieces.

Written under another name, read back and checked against the root, synced, and only then named. A run that is killed
leaves a `.part` at most, which the next one removes; a file counts when one row of the hub's database names it
(`runs`). The pieces are the leaves of the root, so one person's rows are read, and proven, without the rest.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from hub.settlement.county import merkle
from hub.settlement.county.columns import (
    Accounts,
    Adjusted,
    Adjustments,
    Assessed,
    Bills,
    Claims,
    Contributors,
    Corrections,
    Inputs,
    Ints,
    Ledger,
    Lines,
    Outcome,
    Payees,
    Payers,
    Payments,
    Postings,
    Recoveries,
    Table,
    Units,
    Who,
)
from schema import database, ids
from schema.errors import StoreError

INPUTS: dict[str, type[Table]] = {
    "contributors": Contributors, "units": Units, "arrears": Lines, "accounts": Accounts, "payees": Payees,
    "adjustments": Adjustments, "corrections": Corrections, "claims": Claims,
}  # fmt: skip
RESULTS: dict[str, type[Table]] = {
    "assessed": Assessed, "bills": Bills, "payers": Payers, "unpaid": Lines, "postings": Postings,
    "payments": Payments, "ledger": Ledger, "adjusted": Adjusted, "recoveries": Recoveries,
}  # fmt: skip
_FORMS = INPUTS | RESULTS
_PART = ".part"
_NARROW = ("<i1", "<i2", "<i4", "<i8")
_LIMITS = [(np.iinfo(kind).min, np.iinfo(kind).max, kind) for kind in _NARROW]


@dataclass(frozen=True)
class Written:
    """A file that is in place: its name, size and hash, and the root of what is in it."""

    name: str
    size_bytes: int
    sha256: str
    root: str


def input_hash(inputs: Inputs) -> str:
    """SHA-256 (hex) over all input columns."""
    digest = sha256(str(inputs.month).encode())
    for name, table in inputs.tables().items():
        digest.update(f"{name}:{len(table)}:".encode())
        for _, values in table.columns():
            digest.update(np.ascontiguousarray(values, "<i8").data)
    return digest.hexdigest()


def write(
    folder: Path, key: bytes, name: str, inputs: Inputs, who: Who, outcome: Outcome, about: dict[str, Any]
) -> Written:
    """Make the file `name` in `folder`. Raises StoreError when what is read back is not what was written."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    target, part = folder / name, folder / (name + _PART)
    for rest in folder.glob(f"*{_PART}*"):
        rest.unlink()
    root = merkle.root(outcome.tables())
    _fill(part, key, inputs, who, outcome, about | {"month": inputs.month, "root": root})
    with MonthFile(part, key) as made:
        if made.root() != root:
            part.unlink()
            raise StoreError(
                "写出的月结文件与结果不一致，已丢弃", "the month file read back differs; it was thrown away"
            )
    hash_, size = _sync(part)
    part.chmod(0o400)
    part.replace(target)
    _sync_folder(folder)
    return Written(name, size, hash_, root)


def _fill(path: Path, key: bytes, inputs: Inputs, who: Who, outcome: Outcome, about: dict[str, Any]) -> None:
    db = database.archive(path, key, making=True)
    try:
        db.execute("BEGIN")
        db.execute("CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID")
        db.execute("CREATE TABLE piece (tbl TEXT, first INTEGER, col TEXT, kind TEXT, data BLOB)")
        db.executemany("INSERT INTO about VALUES (?, ?)", [(k, json.dumps(v)) for k, v in sorted(about.items())])
        for name, table in (inputs.tables() | outcome.tables()).items():
            db.executemany("INSERT INTO piece VALUES (?, ?, ?, ?, ?)", _pieces(name, table))
        db.executemany(
            "INSERT INTO piece VALUES (?, 0, 'id', '', ?)", [(f"{k} ids", b"".join(v)) for k, v in vars(who).items()]
        )
        db.execute("CREATE INDEX piece_of ON piece (tbl, first, col)")
        db.execute("COMMIT")
    finally:
        db.close()


def _pieces(name: str, table: Table) -> Iterator[tuple[str, int, str, str, bytes]]:
    for first in range(0, len(table), merkle.ROWS):
        for column, values in table.columns():
            part = values[first : first + merkle.ROWS]
            least, most = int(part.min()), int(part.max())
            kind = next(kind for low, high, kind in _LIMITS if low <= least and most <= high)
            yield name, first, column, kind, part.astype(kind).tobytes()


class MonthFile:
    """A month file, open for reading. Raises WrongKey, StoreError."""

    def __init__(self, path: Path, key: bytes) -> None:
        if not path.is_file():
            raise StoreError(
                f"月结文件不在：{path.name}，请从备份取回", f"month file {path.name} is missing; restore it"
            )
        self._db = database.archive(path, key)

    def __enter__(self) -> MonthFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def about(self) -> dict[str, Any]:
        """What was written down about the run."""
        return {row[0]: json.loads(row[1]) for row in self._db.execute("SELECT name, value FROM about")}

    def table(self, name: str) -> Any:
        """A whole table, in the form that belongs to its name."""
        parts: dict[str, list[Ints]] = {column: [] for column in _FORMS[name].names()}
        for column, kind, data in self._db.execute(
            "SELECT col, kind, data FROM piece WHERE tbl = ? ORDER BY first", (name,)
        ):
            parts[column].append(np.frombuffer(data, kind).astype(np.int64))
        none = np.zeros(0, np.int64)
        return _FORMS[name](**{c: np.concatenate(found) if found else none for c, found in parts.items()})

    def who(self) -> Who:
        """The ids behind the numbers."""
        return Who(self._ids("persons"), self._ids("units"))

    def _ids(self, kind: str) -> list[bytes]:
        found = self._db.execute("SELECT data FROM piece WHERE tbl = ? AND col = 'id'", (f"{kind} ids",)).fetchone()
        data = bytes(found[0])
        return [data[i : i + ids.ID_BYTES] for i in range(0, len(data), ids.ID_BYTES)]

    def persons(self) -> int:
        """How many persons the file numbers."""
        sql = "SELECT length(data) FROM piece WHERE tbl = 'persons ids' AND col = 'id'"
        return int(self._db.execute(sql).fetchone()[0]) // ids.ID_BYTES

    def numbers_of(self, persons: list[bytes]) -> Ints:
        """Their numbers in this file, -1 for who is not in it."""
        found = self._db.execute("SELECT data FROM piece WHERE tbl = 'persons ids' AND col = 'id'").fetchone()
        known, wanted = (np.frombuffer(data, f"S{ids.ID_BYTES}") for data in (bytes(found[0]), b"".join(persons)))
        if not len(known):
            return np.full(len(persons), -1, np.int64)
        place = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
        return np.where(known[place] == wanted, place, -1).astype(np.int64)

    def rows_among(self, name: str, wanted: np.ndarray) -> Table:
        """The rows about these persons, in their order. `wanted`: a flag for each number of a person."""
        parts: dict[str, list[Ints]] = {column: [np.zeros(0, np.int64)] for column in _FORMS[name].names()}
        persons = self._db.execute(
            "SELECT first, kind, data FROM piece WHERE tbl = ? AND col = 'person' ORDER BY first", (name,)
        ).fetchall()
        for first, kind, data in persons:
            mask = wanted[np.frombuffer(data, kind)]
            if mask.any():
                sql = "SELECT col, kind, data FROM piece WHERE tbl = ? AND first = ?"
                for column, form, values in self._db.execute(sql, (name, first)):
                    parts[column].append(np.frombuffer(values, form)[mask].astype(np.int64))
        return _FORMS[name](**{column: np.concatenate(found) for column, found in parts.items()})

    def inputs(self) -> Inputs:
        """What the run saw."""
        return Inputs(self.about()["month"], **{name: self.table(name) for name in INPUTS})

    def outcome(self) -> Outcome:
        """What came of it."""
        return Outcome(**{name: self.table(name) for name in RESULTS})

    def root(self) -> str:
        """The root over what is in the file now."""
        return merkle.root(self.outcome().tables())

    def rows_of(self, name: str, number: int, column: str = "person") -> Any:
        """The rows of one person, or of one unit, of a table."""
        pieces = [r[0] for r in self._db.execute("SELECT DISTINCT first FROM piece WHERE tbl = ? ORDER BY 1", (name,))]
        found = [
            part.take(getattr(part, column) == number)
            for first in pieces if (part := self._piece(name, first, number, column))
        ]  # fmt: skip
        out = _FORMS[name].empty()
        for part in found:
            out = _FORMS[name].joined(out, part)
        return out

    def _piece(self, name: str, first: int, number: int, column: str) -> Table | None:
        """The rows of one piece; None when nobody of that number is among them, found out by one column of it."""
        sql = "SELECT col, kind, data FROM piece WHERE tbl = ? AND first = ?"
        numbers = self._db.execute(f"{sql} AND col = ?", (name, first, column)).fetchone()
        if numbers is None or number not in np.frombuffer(numbers[2], numbers[1]):
            return None
        rows = self._db.execute(sql, (name, first)).fetchall()
        return _FORMS[name](**{col: np.frombuffer(data, kind).astype(np.int64) for col, kind, data in rows})


def _sync(path: Path) -> tuple[str, int]:
    digest = sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
        os.fsync(file.fileno())
    return digest.hexdigest(), path.stat().st_size


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
