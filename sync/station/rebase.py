# SPDX-License-Identifier: Apache-2.0
"""Station: a new life for this database (P11): a new epoch and author id, everything unsent kept, all rows loaded anew.

Three transactions, each of which can be the last before a power cut:

    want     the new epoch and site id are chosen and stored, so that asking again asks for the same
    begin    with the hub's grant: unsent cells into the journal, facts into the queue, the register emptied, cursors 0
    finish   when every slice is loaded: the journal is written again and framed

Cases, drafts, refusals, used serials and facts stay where they are throughout.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schema import crsqlite, crsqlite_rows, database, ids, tables
from schema.clock import Clock, stamp
from schema.database import Store
from schema.events import HUB, Fact
from sync import slices
from sync.equality import buckets, incidents
from sync.hub.grant import HUB_FORGOT, MAX_LIVES
from sync.station import blob, journal, outbox
from sync.wire import certificate as certificates
from sync.wire import codec
from sync.wire.certificate import Certificate

ASKING, LOADING = "ask", "load"
_PENDING, _CERTIFICATE, _HUB_LIFE = "rebase", "certificate", "hub_life"
# This station's own rows stay until the hub's replace them: officers log in and cases are listed while all else loads.
_KEPT = tuple(t.name for t in tables.REFERENCE if slices.family_of_table(t.name) == "node")
# What a session must lead back from, by the code that stopped it -> why the hub is asked.
REASON_OF = {
    "rebase": "history", "hub_behind": HUB_FORGOT, "hub_restored": HUB_FORGOT, "certificate_expired": "renew",
    "certificate_superseded": "renew",
    # The hub gave it while its own clock was ahead; waiting for that day could take years.
    "certificate_not_yet": "renew",
}  # fmt: skip


@dataclass(frozen=True)
class Pending:
    """A new life under way. `phase`: ASKING the hub for it, or LOADING."""

    phase: str
    why: str
    epoch: bytes
    site: bytes

    @property
    def history_was_cut(self) -> bool:
        """Whether another life of this database may have done work that this one does not know of."""
        return self.why != HUB_FORGOT


def pending(db: Any) -> Pending | None:
    """The new life under way, None in ordinary times."""
    stored = database.setting(db, _PENDING)
    return Pending(*codec.load(stored)) if stored else None


def want(db: Any, why: str) -> Pending:
    """Decide to ask for a new life; once decided, the same one is asked for until it is granted."""
    known = pending(db)
    if known is not None and known.phase == ASKING:
        return known
    wanted = Pending(ASKING, why, ids.new_id(), ids.new_id())
    _put(db, wanted)
    return wanted


def forget(db: Any) -> None:
    """The life that was chosen cannot be had."""
    _put(db, None)


def _put(db: Any, state: Pending | None) -> None:
    database.set_setting(
        db, _PENDING, codec.dump([state.phase, state.why, state.epoch, state.site]) if state else b""
    )


def question(db: Any, wanted: Pending, certificate: bytes, nonce: bytes) -> dict[str, Any]:
    """What is sent to the hub (`grant.ASK`): who asks, which life follows which, how far the hub signed each."""
    node, epoch = outbox.identity(db)
    former = db.execute(
        "SELECT epoch, site_id FROM former_epoch WHERE node = ? ORDER BY ended_at DESC, rowid DESC LIMIT ?",
        (node, MAX_LIVES),
    ).fetchall()
    facts = db.execute(
        "SELECT epoch, max(seq) FROM fact WHERE origin = ? AND received_at IS NOT NULL GROUP BY epoch "
        "ORDER BY max(rowid) DESC LIMIT ?",
        (node, MAX_LIVES),
    ).fetchall()
    return {
        "certificate": certificate, "epoch": epoch, "site": crsqlite.site_id(db), "new_epoch": wanted.epoch,
        "new_site": wanted.site, "why": wanted.why, "former": [[bytes(e), bytes(s)] for e, s in former],
        "facts": [[bytes(e), seq] for e, seq in facts], "nonce": nonce,
    }  # fmt: skip


def begin(db: Any, wanted: Pending, grant: dict[str, Any], clock: Clock) -> None:
    """The hub granted it: keep what is unsent, empty the register, be the new one. On a connection for merging."""
    if pending(db) != wanted:
        return  # another session of this station was quicker
    node, epoch = outbox.identity(db)
    now = stamp(clock.now())
    journal.keep(db, grant["known"].get("reg", (0, b"", 0))[2], _own_lives(db, node, wanted))
    if not wanted.history_was_cut:
        _tell_conflicts_again(db, node)
        blob.doubt(db)
    _queue_facts(db, node, grant, everything=not wanted.history_was_cut)
    site = crsqlite.site_id(db)
    database.upsert(db, "former_epoch", {"node": node, "epoch": epoch, "site_id": site, "ended_at": now})
    _empty(db, now, wanted)
    crsqlite_rows.take_site_id(db, wanted.site)
    database.set_setting(db, "epoch", wanted.epoch)
    database.set_setting(db, _CERTIFICATE, grant["certificate"])
    database.set_setting(db, _HUB_LIFE, grant["life"])
    _put(db, Pending(LOADING, wanted.why, wanted.epoch, wanted.site))
    incidents.record(db, "rebase", HUB, f"{wanted.why} {epoch.hex()}", now)


def _queue_facts(db: Any, node: str, grant: dict[str, Any], *, everything: bool) -> None:
    """Own facts without receipt; where the hub forgot, also those above what it has, and its own that it may lack."""
    hub_has = {epoch: seq for epoch, seq in grant["facts"]}
    waiting = [bytes(r[0]) for r in db.execute("SELECT fact_id FROM reoffer ORDER BY place")]
    for row in db.execute(
        "SELECT f.id, f.epoch, f.seq, f.received_at, f.origin, EXISTS (SELECT 1 FROM refusal r WHERE "
        "r.direction = 'out' AND r.item = lower(hex(f.id))) AS refused FROM fact f WHERE f.origin IN (?, ?) "
        "ORDER BY f.rowid",
        (node, HUB),
    ).fetchall():
        if row["origin"] == HUB:
            wanted = everything and _is_since(row, grant)
        else:
            unsent = row["received_at"] is None and not row["refused"]
            forgotten = row["seq"] > hub_has.get(bytes(row["epoch"]), 0) or _is_since(row, grant)
            wanted = unsent or (everything and forgotten)
        if wanted and bytes(row["id"]) not in waiting:
            waiting.append(bytes(row["id"]))
    db.execute("DELETE FROM reoffer")
    db.executemany("INSERT INTO reoffer (place, fact_id) VALUES (?, ?)", enumerate(waiting, 1))


def _tell_conflicts_again(db: Any, node: str) -> None:
    """A hub that forgot an edit may have forgotten that one of ours lost against it, and no cell holds the loser any
    more: each is told once more, the known ones known by their id. Whose cell stands now is the author named."""
    lost = "SELECT id, tbl, row_id, col FROM conflict WHERE rev > 0 AND lost_by = ?"
    for row in db.execute(lost, (node,)).fetchall():
        cells = {c.column: c for c in crsqlite.cells_of(db, row["tbl"], bytes(row["row_id"]))}
        cell = cells.get(row["col"])
        author = (cell.site if cell else None) or crsqlite.site_id(db)
        database.update(db, "conflict", {"id": row["id"]}, {"kept_by": author.hex(), "rev": 0})


def _is_since(row: Any, grant: dict[str, Any]) -> bool:
    """Whether the hub received it after the copy was made that it came back from; both instants are the hub's."""
    return bool(grant["since"]) and (row["received_at"] or "") > grant["since"]


def _empty(db: Any, now: str, wanted: Pending) -> None:
    for table in tables.REGISTRY:
        crsqlite_rows.evict(db, table.name, crsqlite.rows_changed_since(db, table.name, 0))
    for table in tables.REFERENCE:
        if table.name == "conflict":
            # Those the hub was told of but never confirmed are told once more; it knows each by its id.
            db.execute("DELETE FROM conflict WHERE rev > 0")
            db.execute("UPDATE conflict SET rev = 0 WHERE rev < 0")
        elif table.name in _KEPT:
            db.execute(f"UPDATE {table.name} SET rev = 0")
        else:
            db.execute(f"DELETE FROM {table.name}")
    if wanted.history_was_cut:  # the life that is not remembered may have printed from them
        db.execute("UPDATE receipt_block SET ended_at = ? WHERE ended_at IS NULL", (now,))
    # Facts were not emptied: their cursor stands, unless the hub that gave it forgot what lies below.
    keep = "AND slice NOT LIKE 'node:%'" if wanted.history_was_cut else ""
    db.execute(f"DELETE FROM cursor WHERE channel <> 'evt' OR (channel = 'evt' {keep})")
    # What is half here of a snapshot may be of a hub's life that is over.
    for name in ("pull_mark", "outbox_frame", "snapshot_part", "snapshot"):
        db.execute(f"DELETE FROM {name}")
    db.execute("DELETE FROM link WHERE name LIKE 'cut:%' OR name LIKE 'held:%' OR name LIKE 'ahead:%'")
    buckets.forget(db)


def _own_lives(db: Any, node: str, state: Pending) -> frozenset[bytes]:
    """Authors of this station's former lives, where all of them are one history that this database remembers."""
    if state.history_was_cut:
        return frozenset()
    return frozenset(bytes(r[0]) for r in db.execute("SELECT site_id FROM former_epoch WHERE node = ?", (node,)))


def finish(db: Any, certificate: Certificate, key: Ed25519PrivateKey, clock: Clock, head: int) -> bool:
    """Everything is loaded: write the journal again. False when no new life was under way."""
    state = pending(db)
    if state is None or state.phase != LOADING:
        return False
    own_lives = _own_lives(db, certificate.node, state)
    journal.write_again(db, certificate, key, clock, head=head, own_lives=own_lives)
    for table in _KEPT:
        db.execute(f"DELETE FROM {table} WHERE rev = 0")
    _put(db, None)
    incidents.repaired(db, "rebase", HUB, stamp(clock.now()))
    return True


# --- own facts that the hub sends back ----------------------------------------------------------------------------


def side_of(db: Any, fact: Fact) -> str:
    """Whether a pulled fact is one of this station's own, out of a life it has forgotten, or the hub's.

    Raises BadFrame for one of the present life: only this database states those.
    """
    node, epoch = outbox.identity(db)
    if fact.origin != node:
        return "hub"
    if fact.epoch == epoch:
        raise codec.bad("origin")
    return "node"


def note_known(db: Any, fact: Fact) -> None:
    """The hub sends a fact that is here already: it has it, so it need not be offered."""
    if fact.origin != HUB and fact.received_at:
        db.execute("UPDATE fact SET received_at = ? WHERE id = ? AND received_at IS NULL", (fact.received_at, fact.id))
        db.execute("DELETE FROM reoffer WHERE fact_id = ? AND frame_n IS NULL", (fact.id,))


# --- what a welcome brings ----------------------------------------------------------------------------------------


def knows_hub(store: Store) -> bool:
    """Whether a hub's life was ever noted."""
    with store.read() as db:
        return database.setting(db, _HUB_LIFE) is not None


def is_another_hub_life(db: Any, welcome: dict[str, Any]) -> bool:
    """Whether the hub is not the one of last time any more, but one that came back from a backup."""
    known = database.setting(db, _HUB_LIFE)
    return known is not None and known != welcome["life"]


def note(db: Any, welcome: dict[str, Any]) -> None:
    """Remember the hub's life, and a renewed certificate."""
    if database.setting(db, _HUB_LIFE) is None:
        database.set_setting(db, _HUB_LIFE, welcome["life"])
    if welcome["certificate"]:
        database.set_setting(db, _CERTIFICATE, welcome["certificate"])


def certificate_in_force(db: Any, installed: bytes) -> bytes:
    """The station's certificate: the installed one, or the newer one that the hub gave since."""
    given = database.setting(db, _CERTIFICATE)
    if not given:
        return installed
    _, epoch = outbox.identity(db)

    def rank(data: bytes) -> tuple[bool, int, str]:
        read = certificates.read(data)
        return read.epoch == epoch, read.serial, read.not_after

    return max(given, installed, key=rank)
