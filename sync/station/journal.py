# SPDX-License-Identifier: Apache-2.0
"""Station: cells the hub may not have, kept aside while the database is loaded anew, then written again as new edits.

Each keeps the hub state it was based on, so that rule H still finds a concurrent edit of somebody else. What was
written again wins or loses by the merge's own order (col_version, then value); a loser becomes a conflict row, as under
rule N: after a restored or copied disk the other value may be this very station's, out of a life it does not remember.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schema import crsqlite, database, tables
from schema.clock import Clock, stamp
from schema.crsqlite import Cell
from sync import slices
from sync.merging import conflicts, merge
from sync.station import outbox
from sync.wire import codec
from sync.wire.certificate import Certificate
from sync.wire.codec import WireCell


@dataclass(frozen=True)
class Kept:
    """One cell of the journal. `base`: the hub state that counts as seen by who wrote it."""

    table: str
    row_id: bytes
    column: str
    value: str | None
    col_version: int
    base: int

    @property
    def place(self) -> tuple[str, bytes, str]:
        return self.table, self.row_id, self.column


def keep(db: Any, hub_has: int, former_sites: frozenset[bytes]) -> int:
    """Write down every own cell above what the hub has (`hub_has`: the last `upto` it knows); returns how many.

    `former_sites`: authors whose cells count as own and signed for, when a hub forgot what former lives gave it.
    What the hub had signed for it compared with all that was there: of that this station has seen what it has now, and
    nothing that others offer again.
    """
    signed_for = outbox.acked(db, "reg")
    seen = db.execute("SELECT coalesce(max(hub_seq), 0) FROM pull_mark").fetchone()[0]
    count = 0
    for table in outbox.REGISTRY_NAMES:
        for cell in crsqlite.changed_since(db, table, min(hub_has, signed_for), own_only=True):
            count += _keep(db, cell, seen if cell.db_version <= signed_for else outbox.base_of(db, cell.db_version))
        if former_sites:
            for cell in crsqlite.changed_since(db, table, 0, own_only=False):
                if cell.site in former_sites:
                    count += _keep(db, cell, seen)
    return count


def _keep(db: Any, cell: Cell, base: int) -> bool:
    if merge.never_written(cell) or cell.column == crsqlite.ROW_SENTINEL:
        return False
    where = {"tbl": cell.table, "row_id": cell.row_id, "col": cell.column}
    before = db.execute(
        "SELECT base FROM journal_cell WHERE tbl = ? AND row_id = ? AND col = ?", tuple(where.values())
    ).fetchone()
    if before is not None:  # the way back was cut and begun again: the first base is the one the clerk saw
        base = min(base, before["base"])
    database.upsert(db, "journal_cell", {
        **where, "value": codec.dump(cell.value), "col_version": cell.col_version, "base": base,
    })  # fmt: skip
    return True


def count(db: Any) -> int:
    """How many cells wait to be written again."""
    return int(db.execute("SELECT count(*) FROM journal_cell").fetchone()[0])


def write_again(
    db: Any, certificate: Certificate, key: Ed25519PrivateKey, clock: Clock, *, head: int, own_lives: frozenset[bytes]
) -> None:
    """Once everything is loaded: edit anew what still wins, and frame it in this transaction, before any base moves.

    Cells of a person who left the slices meanwhile are framed as they were: the hub rules on late edits.
    `own_lives`: former authors of this station whose cells these edits were made on, because its history was never cut.
    """
    rows: dict[tuple[str, bytes], list[Kept]] = {}
    for r in db.execute("SELECT * FROM journal_cell ORDER BY tbl, row_id, col").fetchall():
        kept = Kept(
            r["tbl"], bytes(r["row_id"]), r["col"], codec.load(r["value"]), r["col_version"], r["base"]
        )
        rows.setdefault((kept.table, kept.row_id), []).append(kept)
    bases: dict[tuple[str, bytes, str], int] = {}
    strays: list[WireCell] = []
    for (table, row_id), cells in rows.items():
        if _is_gone(db, table, row_id):
            strays += [
                WireCell(table, row_id, c.column, c.value, c.col_version, 1, min(c.base, head)) for c in cells
            ]
            continue
        stored = {c.column: c for c in crsqlite.cells_of(db, table, row_id)}
        changes = {}
        for cell in cells:
            now = stored.get(cell.column)
            if now is not None and now.value == cell.value:
                continue
            if now is None or now.site is None or _order(cell) > _order(now):
                if now is None or now.site is not None:
                    changes[cell.column] = cell.value
                else:  # changed again while all was loading, by somebody who was not shown this value
                    _note_loser(db, cell, now, certificate, clock)
                if now is None or now.site not in own_lives:
                    bases[cell.place] = min(cell.base, head)
            else:  # signed for or not: a hub that forgot the edit forgot the conflict with it, too
                _note_loser(db, cell, now, certificate, clock)
        if not stored and changes:
            database.insert(db, table, {"id": row_id, **changes})
        else:
            database.update(db, table, {"id": row_id}, changes)
    db.execute("DELETE FROM journal_cell")
    outbox.build(db, "reg", certificate, key, clock, bases, strays)


def _order(cell: Kept | Cell) -> tuple[int, bool, bytes]:
    """What a merge compares: any text beats NULL, texts by their bytes."""
    return cell.col_version, cell.value is not None, str(cell.value or "").encode()


def _is_gone(db: Any, table: str, row_id: bytes) -> bool:
    """Whether the person of this row is not this station's any more."""
    if slices.person_column(tables.TABLES[table]) != "id" or table in tables.OF_NOBODY:
        return False
    return db.execute("SELECT 1 FROM person WHERE id = ?", (row_id,)).fetchone() is None


def _note_loser(db: Any, kept: Kept, now: Cell, certificate: Certificate, clock: Clock) -> None:
    table, row_id, column = kept.place
    mine = Cell(table, row_id, column, kept.value, kept.col_version, 0, 1, None)
    stands = WireCell(table, row_id, column, now.value, now.col_version, now.causal_length, 0)
    author = now.site or crsqlite.site_id(db)
    conflicts.keep_found(db, stands, mine, author, certificate.node, kept.base, stamp(clock.now()))
