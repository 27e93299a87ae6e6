# SPDX-License-Identifier: Apache-2.0
"""Is this machine fit, and is this folder whole? Looks only; changes nothing but what opening a database changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from provisioning import authority, tls
from schema import crsqlite, database
from schema.clock import Clock
from schema.database import Store
from schema.errors import TownshipError
from schema.events import HUB
from schema.home import HubHome, StationHome
from sync.wire.certificate import open_certificate

WARN_DAYS = 30


@dataclass(frozen=True)
class Finding:
    """One check and what came of it."""

    name: str
    ok: bool
    zh: str
    en: str


def examine(folder: Path | None, passphrase: bytes, clock: Clock) -> list[Finding]:
    """Everything there is to say, all at once; a check that fails does not stop the next."""
    if folder is None:
        return [_try("extension", _extension)]
    crsqlite.use_library(folder)
    found = [_try("extension", _extension)]
    if HubHome(folder).config_file.is_file():
        return found + list(_hub(HubHome(folder), passphrase, clock.today()))
    if StationHome(folder).config_file.is_file():
        return found + list(_station(StationHome(folder), passphrase, clock.today()))
    zh, en = f"{folder} 不是中心也不是站点的文件夹", f"{folder} is neither a hub's nor a station's folder"
    return [*found, Finding("folder", False, zh, en)]


def _hub(home: HubHome, passphrase: bytes, today: date) -> Iterator[Finding]:
    yield _try("config", lambda: _said(f"中心 {home.config().name}", f"hub at {home.config().url}"))
    yield _try("private", lambda: _private([home.secrets_file, home.server_key]))
    yield _try("tls", lambda: _server_certificate(home, today))
    yield _try("database", lambda: _database(home.database, home.unlock(passphrase).db_key, "hub", HUB))


def _station(home: StationHome, passphrase: bytes, today: date) -> Iterator[Finding]:
    yield _try("config", lambda: _said(f"站点 {home.config().id}", f"station {home.config().id}"))
    yield _try("private", lambda: _private([home.secrets_file]))
    yield _try("certificate", lambda: _certificate(home, passphrase, today))
    yield _try("database", lambda: _database(home.database, home.unlock(passphrase).db_key, "node", home.config().id))


def _try(name: str, check: Callable[[], tuple[bool, str, str]]) -> Finding:
    try:
        return Finding(name, *check())
    except TownshipError as error:
        return Finding(name, False, error.zh, error.en)
    except (OSError, ValueError) as error:
        return Finding(name, False, f"检查不了：{error}", f"cannot be checked: {error}")


def _said(zh: str, en: str) -> tuple[bool, str, str]:
    return True, zh, en


def _extension() -> tuple[bool, str, str]:
    found = crsqlite.self_test()
    words = f"SQLite {found['sqlite']}, cr-sqlite {found['crsqlite']}"
    return True, f"扩展自检通过：{words}", f"the extension works: {words}"


def _private(paths: list[Path]) -> tuple[bool, str, str]:
    open_to_others = [p.name for p in paths if p.stat().st_mode & 0o077]
    if open_to_others:
        names = " ".join(open_to_others)
        return False, f"别人也能读：{names}，请改成只有自己能读", f"others can read {names}: make it private"
    return True, "密钥文件只有自己能读", "secret files are private"


def _server_certificate(home: HubHome, today: date) -> tuple[bool, str, str]:
    return _in_force("TLS 证书", "TLS certificate", tls.last_day(home.server_certificate.read_bytes()), today)


def _in_force(zh: str, en: str, until: date, today: date) -> tuple[bool, str, str]:
    if until < today:
        return False, f"{zh}在 {until} 过期", f"the {en} ran out on {until}"
    if until - today < timedelta(days=WARN_DAYS):
        return False, f"{zh}快到期了：{until}", f"the {en} runs out soon: {until}"
    return True, f"{zh}到 {until}", f"the {en} holds until {until}"


def _certificate(home: StationHome, passphrase: bytes, today: date) -> tuple[bool, str, str]:
    if not home.certificate_file.is_file():
        return False, "还没有证书：请再运行 install", "no certificate yet: run install again"
    config = home.config()
    found = open_certificate(home.certificate_file.read_bytes(), bytes.fromhex(config.authority_public), today)
    if found.node != config.id or found.public_key != authority.public_of(home.unlock(passphrase).node_key):
        return False, "证书不是给本站的", "the certificate is for another station"
    return _in_force("站点证书", "station's certificate", date.fromisoformat(found.not_after), today)


def _database(path: Path, key: bytes, side: str, node: str) -> tuple[bool, str, str]:
    if not path.is_file():
        return False, f"没有数据库 {path}", f"there is no database {path}"
    if not database.is_encrypted(path):
        return False, "数据库没有加密", "the database is not encrypted"
    store = Store(path, key, side=side)
    try:
        with store.read() as db:
            named = (database.setting(db, "node_id") or b"").decode()
            verdict = str(db.execute("PRAGMA quick_check(1)").fetchone()[0])
    finally:
        store.close()
    if named != node:
        return False, f"数据库是 {named} 的", f"the database belongs to {named}"
    return verdict == "ok", f"数据库加密，检查：{verdict}", f"the database is encrypted; check: {verdict}"
