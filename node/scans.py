# SPDX-License-Identifier: Apache-2.0
"""Scans and photos of a case's papers: kept at the counter, encrypted, and sent to the hub after the case itself.

The bytes lie in `blob` under their hash (`sync.station.blob`); here stands which paper of which case they show. The
hashes are part of what the officer signs, so nobody can put another picture under the case later.
"""

from __future__ import annotations

from typing import Any

from schema import database
from schema.clock import Clock, stamp
from schema.errors import Refusal, UnknownSubject
from sync.station import blob

PER_PAPER = 12
_STATE = """CASE WHEN b.refused_at IS NOT NULL THEN 'refused' WHEN b.done_at IS NOT NULL THEN 'sent'
    WHEN b.moved > 0 THEN 'going' ELSE 'queued' END"""


def keep(db: Any, case_id: bytes, material_id: str, data: bytes, media_type: str, *, clock: Clock) -> bytes:
    """Keep a scan of one paper, in the caller's write transaction; returns its SHA-256. The same picture twice is one.

    Raises Refusal: `size`, `blob_type` (the bytes are not what the media type says), `blob_quota`, `scans_many`;
    UnknownSubject for a case that is not here.
    """
    if db.execute("SELECT 1 FROM case_file WHERE id = ?", (case_id,)).fetchone() is None:
        raise UnknownSubject("本站没有这一件", "this station has no such case")
    kept = db.execute("SELECT count(*) FROM scan WHERE case_id = ? AND material = ?", (case_id, material_id)).fetchone()
    if kept[0] >= PER_PAPER:
        zh = f"一项材料最多 {PER_PAPER} 张"
        raise Refusal(zh, f"at most {PER_PAPER} pictures of one paper", code="scans_many")
    at = stamp(clock.now())
    hash_ = blob.keep(db, data, media_type, case_id, at)
    row = {"case_id": case_id, "material": material_id, "sha256": hash_, "added_at": at}
    database.upsert(db, "scan", row)
    return hash_


def sniffed(data: bytes) -> str:
    """The media type that the bytes themselves show, '' for none that is taken: a file's name proves nothing."""
    return next((kind for kind, magic in blob.MEDIA.items() if data[: len(magic)] == magic), "")


def of_case(db: Any, case_id: bytes) -> dict[str, list[Any]]:
    """The scans of a case by paper: rows with sha256, size, media_type, state (queued, going, sent, refused)."""
    rows = db.execute(
        f"SELECT s.material, s.sha256, b.size, b.media_type, {_STATE} AS state FROM scan s "
        "JOIN blob b ON b.about = s.case_id AND b.sha256 = s.sha256 WHERE s.case_id = ? ORDER BY s.added_at, s.sha256",
        (case_id,),
    )
    out: dict[str, list[Any]] = {}
    for row in rows:
        out.setdefault(row["material"], []).append(row)
    return out


def hashes(db: Any, case_id: bytes) -> dict[str, list[str]]:
    """What the officer signs: the hashes of each paper's scans, as hex."""
    return {paper: [bytes(row["sha256"]).hex() for row in rows] for paper, rows in of_case(db, case_id).items()}


def read(db: Any, case_id: bytes, hash_: bytes) -> tuple[str, bytes]:
    """(media type, bytes). Raises UnknownSubject for a scan that is not of this case or no longer here."""
    listed = db.execute("SELECT 1 FROM scan WHERE case_id = ? AND sha256 = ?", (case_id, hash_)).fetchone()
    found = blob.read(db, case_id, hash_) if listed else None
    if found is None:
        raise UnknownSubject("没有这张扫描件", "there is no such scan")
    return found


def remove(db: Any, case_id: bytes, material_id: str, hash_: bytes) -> None:
    """Take a scan out of a draft or correction; its bytes go when no other paper shows them and none was sent."""
    gone = db.execute(
        "DELETE FROM scan WHERE case_id = ? AND material = ? AND sha256 = ?", (case_id, material_id, hash_)
    ).rowcount
    if not gone:
        return
    shown = db.execute("SELECT 1 FROM scan WHERE case_id = ? AND sha256 = ?", (case_id, hash_)).fetchone()
    unsent = db.execute(
        "SELECT 1 FROM blob WHERE about = ? AND sha256 = ? AND done_at IS NULL", (case_id, hash_)
    ).fetchone()
    if unsent and not shown:
        _forget(db, case_id, hash_)


def discard(db: Any, case_id: bytes) -> None:
    """A draft is thrown away, with everything that was scanned for it."""
    for row in db.execute("SELECT DISTINCT sha256 FROM scan WHERE case_id = ?", (case_id,)).fetchall():
        _forget(db, case_id, bytes(row[0]))
    db.execute("DELETE FROM scan WHERE case_id = ?", (case_id,))


def _forget(db: Any, case_id: bytes, hash_: bytes) -> None:
    blob.drop(db, (case_id, hash_))
    db.execute("DELETE FROM blob WHERE about = ? AND sha256 = ?", (case_id, hash_))
