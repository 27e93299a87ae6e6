# SPDX-License-Identifier: Apache-2.0
"""The hub's rule pack takes effect at this station: looked for after each exchange and when the program starts.

A pack is put in force in one transaction, and only when the hub signed it, all its files are here, and this program
can load it. One with a word that this program does not know waits: the old rules stay in force, the bar and the
hub's list of stations say so, and it is tried again after each exchange and with the next version of the program.
"""

from __future__ import annotations

import logging
from typing import Any

from schema import packs, rulebook
from schema.database import Store
from schema.errors import BadPack, BadSignature, TownshipError
from schema.packs import RulePack
from schema.rulebook import RuleBook

log = logging.getLogger("township.node")
REASON_MAX_CHARS = 500


def follow(store: Store, rules: RuleBook, hub_public: bytes) -> RulePack | None:
    """Put the newest pack in force; it, or None when nothing changed."""
    with store.read() as db:
        row = rulebook.newest(db)
        if row is None or not _is_next(db, row):
            overtaken = bool(rulebook.waiting(db))
            row = None
    if row is None:
        if overtaken:  # what waited was taken back by the hub
            with store.write() as db:
                rulebook.keep_waiting(db, {})
        return None
    try:
        manifest = packs.open_manifest(bytes(row["manifest"]), bytes(row["signature"]), hub_public)
        if (manifest.number, manifest.hash) != (row["number"], row["hash"]):
            raise BadPack("规则包的目录与编号不符", "the pack's manifest is another pack's")
        with store.read() as db:
            files = rulebook.files_of(db, manifest)
        if files is None:
            return None  # the exchange was cut between two files: the next one brings the rest
        made = packs.load(files, manifest.number)
    except (BadPack, BadSignature) as error:
        _keep_waiting(store, row, error)
        return None
    rules.keep(made)
    with store.write() as db:
        rulebook.put_in_force(db, made.hash)
        rulebook.keep_waiting(db, {})
    log.info("rule pack %s in force", made.number)
    return made


def _is_next(db: Any, row: Any) -> bool:
    """Never back: an older pack is followed only where the hub no longer has the one in force (its own restore)."""
    now = rulebook.in_force(db)
    if row["hash"] == now:
        return False
    known = rulebook.manifest_of(db, now)
    return known is None or known.number < row["number"]


def _keep_waiting(store: Store, row: Any, error: TownshipError) -> None:
    why = {"number": row["number"], "hash": row["hash"], "code": error.code,
           "zh": error.zh[:REASON_MAX_CHARS], "en": error.en[:REASON_MAX_CHARS]}  # fmt: skip
    with store.write() as db:
        rulebook.keep_waiting(db, why)
    log.warning("rule pack %s cannot be used by this program: %s", row["number"], error.code)
