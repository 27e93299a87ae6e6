# SPDX-License-Identifier: Apache-2.0
"""Helpers: folders of rules for tests, each the program's own with something edited, and their publication."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub import pack_publish
from schema import database, packs
from schema.clock import Clock
from schema.database import Store
from schema.packs import Manifest

AGE = "parameters/resident_pension/claim_age_years.toml"
CHANGE = "services/personal_data_change.toml"
PREPARER, PUBLISHER = "2031", "2032"
_KEY = Ed25519PrivateKey.generate()


def edited(path: str, before: str, after: str, files: packs.Files | None = None) -> dict[str, bytes]:
    """The files (the program's own by default) with one text of one of them replaced, where it first stands."""
    all_of_them = dict(files or packs.built_in().files)
    assert before.encode() in all_of_them[path]
    return all_of_them | {path: all_of_them[path].replace(before.encode(), after.encode(), 1)}


def folder_of(files: packs.Files, folder: Path) -> Path:
    """The files laid out as a policy officer has them."""
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


def employ(store: Store) -> None:
    """The two officers with the post `rules`."""
    with store.write() as db:
        for number in (PREPARER, PUBLISHER):
            row = {"operator_no": number, "name": f"规则{number}", "roles": "rules", "public_key": bytes(32), "rev": 1}
            database.insert(db, "officer", row | {"wrapped_key": b"", "must_change": 0})


def published(store: Store, files: packs.Files, folder: Path, hub_key: Ed25519PrivateKey, clock: Clock) -> Manifest:
    """The pack prepared by one and published by the other."""
    made = pack_publish.prepare(store, folder_of(files, folder), PREPARER, _KEY, "依据文件", clock)
    return pack_publish.publish(store, made.pack.hash, PUBLISHER, _KEY, hub_key, clock)
