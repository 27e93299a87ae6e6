# SPDX-License-Identifier: Apache-2.0
"""A rule pack from a folder to every station, in two pairs of hands.

    draft = prepare(store, folder, "2031", key, note, clock)    # every fault of every file at once, else kept
    publish(store, draft.hash, "2032", key, hub_key, clock)     # in force here now, at stations with their next sync

Whoever prepared a pack does not publish it: a mistyped amount would reach every counter of the county within the hour.
Both acts are facts signed by their officers; what stations receive is signed by the hub.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub import officers, pack
from schema import database, events, packs, rulebook
from schema.clock import Clock, stamp
from schema.database import Store
from schema.errors import NotAllowed, Refusal, UnknownSubject, WrongState
from schema.packs import Manifest, RulePack
from schema.readable import readable
from sync.hub import publish as feed

ROLE = "rules"


@dataclass(frozen=True)
class Draft:
    """A pack that waits for a second officer."""

    pack: RulePack
    prepared_by: str
    prepared_at: str
    note: str


def prepare(store: Store, folder: Path, operator_no: str, key: Ed25519PrivateKey, note: str, clock: Clock) -> Draft:
    """Keep the pack in the folder for publishing. Raises BadPack with all faults, WrongState when nothing differs,
    NotAllowed without the post."""
    made = packs.load(packs.read_folder(folder))
    why = readable(note).strip()[: packs.NOTE_MAX_CHARS]
    if not why:
        raise Refusal("请写明为什么改（--note）", "say why the rules change (--note)", code="note")
    draft = Draft(made, operator_no, stamp(clock.now()), why)
    with store.write() as db:
        officers.require(db, operator_no, ROLE, clock.today())
        if made.hash == pack.pack_hash():
            raise WrongState("与现行的规则包完全相同", "the same as the pack in force", code="same")
        row = {"hash": made.hash, "prepared_by": operator_no, "prepared_at": draft.prepared_at, "note": why}
        database.upsert(db, "pack_draft", row | {"files": cbor2.dumps(dict(made.files))})
        body = {"pack": made.hash, "note": why}
        events.state(
            db, "pack_prepared", _subject(made.hash), body, officer=operator_no, key=key, clock=clock,
            received_at=draft.prepared_at,
        )  # fmt: skip
    return draft


def publish(
    store: Store, named: str, operator_no: str, key: Ed25519PrivateKey, hub_key: Ed25519PrivateKey, clock: Clock
) -> Manifest:
    """Put a prepared pack in force and give it to every station. `named`: its hash or the beginning of it.

    Raises UnknownSubject, and NotAllowed to the officer who prepared it.
    """
    with feed.transaction(store, clock=clock) as pub:
        officers.require(pub.db, operator_no, ROLE, clock.today())
        draft = find(pub.db, named)
        if draft.prepared_by == operator_no:
            raise NotAllowed(
                "这个规则包是您准备的，要由另一位有「规则」岗位的人发布",
                "you prepared this pack: another officer with the post 'rules' publishes it", code="same_hands",
            )  # fmt: skip
        last, now = rulebook.newest(pub.db), stamp(clock.now())
        manifest = Manifest(
            number=(last["number"] if last else 0) + 1, hash=draft.pack.hash, before=pack.pack_hash(),
            published_at=now, prepared_by=draft.prepared_by, published_by=operator_no, note=draft.note,
            files={path: sha256(content).hexdigest() for path, content in draft.pack.files.items()},
        )  # fmt: skip
        content, signature = packs.sign(manifest, hub_key)
        for file in draft.pack.files.values():
            pub.put("rule_file", {"sha256": sha256(file).hexdigest(), "data": file})
        row = {"number": manifest.number, "hash": manifest.hash, "manifest": content, "signature": signature}
        pub.put("rule_pack", row)
        rulebook.put_in_force(pub.db, manifest.hash)
        pub.db.execute("DELETE FROM pack_draft WHERE hash = ?", (manifest.hash,))
        body = {"pack": manifest.hash, "number": manifest.number, "prepared_by": draft.prepared_by}
        events.state(
            pub.db, "pack_published", _subject(manifest.hash), body, officer=operator_no, key=key, clock=clock,
            received_at=now,
        )  # fmt: skip
    return manifest


def discard(store: Store, named: str, operator_no: str, clock: Clock) -> None:
    """Throw a prepared pack away. Raises UnknownSubject, NotAllowed."""
    with store.write() as db:
        officers.require(db, operator_no, ROLE, clock.today())
        db.execute("DELETE FROM pack_draft WHERE hash = ?", (find(db, named).pack.hash,))


def find(db: Any, named: str) -> Draft:
    """The prepared pack whose hash begins so. Raises UnknownSubject; BadPack when a newer program cannot load it."""
    found = [row for row in db.execute("SELECT * FROM pack_draft") if named and row["hash"].startswith(named)]
    if len(found) != 1:
        raise UnknownSubject(
            f"没有（或不止一个）准备好的规则包「{named}」。请看 township-hub pack list",
            f"no prepared pack, or more than one, begins with {named!r}: see township-hub pack list",
        )
    return _draft(found[0])


def drafts(db: Any) -> list[Draft]:
    """The packs that wait for publishing, oldest first."""
    return [_draft(row) for row in db.execute("SELECT * FROM pack_draft ORDER BY prepared_at, hash")]


def published(db: Any) -> list[Manifest]:
    """All packs that were published, newest first."""
    rows = db.execute("SELECT manifest FROM rule_pack ORDER BY number DESC")
    return [packs.read_manifest(bytes(row["manifest"])) for row in rows]


def _draft(row: Any) -> Draft:
    made = packs.load(cbor2.loads(bytes(row["files"])))
    return Draft(made, row["prepared_by"], row["prepared_at"], row["note"])


def _subject(hash_: str) -> bytes:
    return bytes.fromhex(hash_)[:16]
