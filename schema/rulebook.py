# SPDX-License-Identifier: Apache-2.0
"""Which rules are in force in a database, and the older ones that its cases were taken under.

    rules.current()        # the pack in force now; another one the moment it is put in force, without a restart
    rules.of(case.pack)    # the pack a case was taken under; None when it is not here

Before the hub's first pack the one of the installed program is in force, at the hub and at every station.
"""

from __future__ import annotations

import json
import threading
from typing import Any

from schema import database, packs
from schema.database import Store
from schema.errors import BadPack
from schema.packs import Manifest, RulePack

_IN_FORCE, _WAITING = "rule_pack", "rule_pack_waiting"
_HELD = 12  # packs ready for use at a time: the one in force, and a few that old cases ask for


class RuleBook:
    """The rules of one database. A pack is read once and kept; which one is in force is asked each time."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._read: dict[str, RulePack] = {}
        self._useless: set[str] = set()

    def current(self) -> RulePack:
        """The pack in force. Raises BadPack when the program's own is wrong."""
        with self._store.read() as db:
            named = in_force(db)
        return (named and self.of(named)) or packs.built_in()

    def of(self, hash_: str) -> RulePack | None:
        """The pack of that hash; None when this database has it not, or this program cannot use it."""
        known = self._read.get(hash_)
        if known is not None:
            return known
        if hash_ == packs.built_in().hash:
            return packs.built_in()
        if hash_ in self._useless:
            return None
        with self._store.read() as db:
            found = manifest_of(db, hash_)
            files = files_of(db, found) if found else None
        if found is None or files is None:
            return None
        try:
            return self.keep(packs.load(files, found.number))
        except BadPack:
            self._useless.add(hash_)
            return None

    def keep(self, pack: RulePack) -> RulePack:
        """Have a pack ready for use."""
        with self._lock:
            self._read[pack.hash] = pack
            while len(self._read) > _HELD:
                del self._read[next(iter(self._read))]
        return pack


def in_force(db: Any) -> str:
    """The hash of the pack that was put in force here; '' for the program's own."""
    return (database.setting(db, _IN_FORCE) or b"").decode()


def put_in_force(db: Any, hash_: str) -> None:
    """From the end of this transaction on, cases are taken and examined under that pack."""
    database.set_setting(db, _IN_FORCE, hash_.encode())


def waiting(db: Any) -> dict[str, Any]:
    """The pack that is here and cannot be used by this program: number, hash, code, zh, en; {} when there is none."""
    found = database.setting(db, _WAITING)
    return dict(json.loads(found)) if found else {}


def keep_waiting(db: Any, why: dict[str, Any]) -> None:
    """Note why the newest pack is not in force; {} when it is."""
    if waiting(db) != why:
        database.set_setting(db, _WAITING, json.dumps(why, ensure_ascii=False).encode())


def newest(db: Any) -> Any:
    """The row of the last pack that was published; None before the first."""
    return db.execute("SELECT * FROM rule_pack ORDER BY number DESC LIMIT 1").fetchone()


def manifest_of(db: Any, hash_: str) -> Manifest | None:
    """The manifest of that pack; of one published twice, the last."""
    row = db.execute("SELECT manifest FROM rule_pack WHERE hash = ? ORDER BY number DESC LIMIT 1", (hash_,)).fetchone()
    return packs.read_manifest(bytes(row["manifest"])) if row else None


def files_of(db: Any, manifest: Manifest) -> dict[str, bytes] | None:
    """The files of a pack; None unless all are here and are what the pack's hash was made of."""
    marks = ", ".join("?" * len(manifest.files))
    sql = f"SELECT sha256, data FROM rule_file WHERE sha256 IN ({marks})"
    found = {row["sha256"]: bytes(row["data"]) for row in db.execute(sql, tuple(manifest.files.values()))}
    if set(manifest.files.values()) - found.keys():
        return None
    files = {path: found[sha256] for path, sha256 in manifest.files.items()}
    return files if packs.hash_of(files) == manifest.hash else None
