# SPDX-License-Identifier: Apache-2.0
"""A station's folder with a synthetic register in it, as a first load leaves it: rows of the hub, nothing unsent."""

from __future__ import annotations

import os
import time
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import cbor2
import certifi
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from provisioning.county.register import Register
from schema import crsqlite, crsqlite_rows, database, ids, keys, parameter
from schema.clock import SystemClock
from schema.crsqlite_rows import InstalledRow
from schema.database import Store
from schema.home import StationConfig, StationHome, StationSecrets, write_toml
from schema.tables import REGISTRY, TABLES
from sync.wire.certificate import Certificate, issue

STATION, TOWNSHIP, OFFICER = "0100-1", "330683100", "3012"
PASSWORD = "counter window 3012"
ROSTER = 5000
USCC = "91330683MA2XXXXX09"
_HUB_SITE = bytes(range(16, 32))
_REGISTRY = {t.name for t in REGISTRY}


@dataclass(frozen=True)
class Made:
    """What was made: persons with a phone, names of units, the unit with `ROSTER` employees, each (ID number, name)."""

    people: list[dict[str, Any]]
    units: list[str]
    big_unit: bytes
    roster: list[tuple[str, str]]
    seconds: float
    size_mb: int


def make_station(folder: Path, persons: int) -> Made:
    """Settings, secrets, certificate and a database of so many persons, in a new folder."""
    began = time.monotonic()
    home, secrets = _home(folder)
    store = Store(home.database, secrets.db_key, side="node")
    _fill(store, persons)
    with store.write() as db:
        big, roster = _big_unit(db, persons)
        people = [
            dict(row) for row in db.execute(
                "SELECT p.id, p.id_number, p.name, p.initials, p.pinyin, c.phone FROM person p "
                "JOIN contact c ON c.id = p.id WHERE length(c.phone) = 11 AND p.life_status = '1' "
                "AND p.birth_on < '2000' "
                "AND (SELECT count(*) FROM person q WHERE q.id_number = p.id_number) = 1 ORDER BY p.id LIMIT 2000"
            )
        ]  # fmt: skip
        units = [row["name"][2:] for row in db.execute("SELECT name FROM unit ORDER BY id LIMIT 200")]
        _identity(db, home, secrets)
    store.connection().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    store.close()
    size = home.database.stat().st_size // 1_000_000
    return Made(people, units, big, roster, time.monotonic() - began, size)


def _home(folder: Path) -> tuple[StationHome, StationSecrets]:
    home = StationHome(folder)
    home.path.mkdir(parents=True)
    key = Ed25519PrivateKey.generate()
    secrets = StationSecrets(os.urandom(32), key.private_bytes_raw(), os.urandom(32))
    (folder / "unlock").write_bytes(b"a passphrase for measuring")
    home.secrets_file.write_bytes(keys.seal(cbor2.dumps(asdict(secrets)), b"a passphrase for measuring"))
    home.ca_file.write_bytes(Path(certifi.where()).read_bytes())
    return home, secrets


def _identity(db: Any, home: StationHome, secrets: StationSecrets) -> None:
    """Who this database is, an officer, numbers for slips, a certificate."""
    authority, hub, epoch = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate(), ids.new_id()
    database.set_setting(db, "node_id", STATION.encode())
    database.set_setting(db, "epoch", epoch)
    public, wrapped = keys.new_officer_key(PASSWORD)
    officer = {"operator_no": OFFICER, "name": "王丽萍", "roles": "clerk", "public_key": public, "rev": 1}
    database.insert(db, "officer", officer | {"station": STATION, "wrapped_key": wrapped, "must_change": 0})
    database.insert(db, "officer_key", officer | {"valid_from": "2026-01-01T00:00:00.000Z"})
    today = SystemClock().today()
    block = {"station": STATION, "year": today.year, "first": 1, "last": 99_999, "rev": 1}
    database.insert(db, "receipt_block", block)
    node = Ed25519PrivateKey.from_private_bytes(secrets.node_key).public_key().public_bytes_raw()
    until = (today + timedelta(days=700)).isoformat()
    slices = ("county", TOWNSHIP, f"node:{STATION}")
    since = (today - timedelta(days=1)).isoformat()
    certificate = Certificate(STATION, node, crsqlite.site_id(db), epoch, slices, "station", since, until, 1)
    home.certificate_file.write_bytes(issue(certificate, authority))
    write_toml(
        home.config_file,
        StationConfig(
            id=STATION, name="甘霖镇劳动保障所", name_en="Ganlin labour office", township=TOWNSHIP,
            hub_url="https://127.0.0.1:9", port=8100, hub_public=hub.public_key().public_bytes_raw().hex(),
            authority_public=authority.public_key().public_bytes_raw().hex(), phone="0575-00000000",
            card_driver="simulator",
        ),
    )  # fmt: skip


def _fill(store: Store, persons: int) -> None:
    """The whole register of a synthetic county as this station's own."""
    with store.merging() as db:
        db.execute("PRAGMA cache_size = -262144")
        for part in Register(persons, 1, "2026-10", parameter.load()).parts():
            for name, rows in sorted(part.rows.items()):
                if name in _REGISTRY:
                    cells = (_from_hub(row) for row in rows)
                    crsqlite_rows.install(db, name, cells, own_version=0)
                    continue
                columns = (*TABLES[name].names[: len(rows[0])], "rev")
                marks = ", ".join("?" * (len(columns) - 1))
                db.executemany(f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({marks}, 1)", rows)


def _from_hub(row: tuple[Any, ...]) -> InstalledRow:
    values = row[1:]
    return InstalledRow(row[0], values, (1,) * len(values), (_HUB_SITE,) * len(values))  # type: ignore[arg-type]


def _big_unit(db: Any, persons: int) -> tuple[bytes, list[tuple[str, str]]]:
    """One unit that employs many of working age; (ID number, name) of each."""
    unit = ids.new_id()
    row = {"uscc": USCC, "name": "嵊州市兴达领带集团", "township": TOWNSHIP, "rev": 1}
    database.insert(db, "unit", {"id": unit} | row)
    chosen = db.execute(
        "SELECT id, id_number, name FROM person WHERE id NOT IN (SELECT person_id FROM employment) "
        "AND life_status = '1' AND birth_on BETWEEN '1968' AND '2006' ORDER BY id LIMIT ?",
        (min(ROSTER, persons // 4),),
    ).fetchall()
    for one in chosen:
        job = {"id": ids.new_id(), "person_id": one["id"], "unit_id": unit, "wage_fen": 520_000, "rev": 1}
        database.insert(db, "employment", job | {"began_month": "2025-01"})
    return unit, [(row["id_number"], row["name"]) for row in chosen]
