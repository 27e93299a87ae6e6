# SPDX-License-Identifier: Apache-2.0
"""The hub's folder: made once, complete or not at all; and opened again by the commands that work on it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from provisioning import authority, tls
from provisioning.county import places
from schema import database, ids
from schema.clock import Clock
from schema.database import Store
from schema.errors import ConfigError
from schema.events import HUB
from schema.home import HubConfig, HubHome, HubSecrets, write_toml
from sync.hub import publish

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.:-]{0,250}[A-Za-z0-9])?")


@dataclass(frozen=True)
class OpenHub:
    """A hub's folder with its secrets and its database."""

    home: HubHome
    config: HubConfig
    secrets: HubSecrets
    store: Store


def config_for(name: str, name_en: str, host: str, port: int, url: str | None) -> HubConfig:
    """The hub's settings. Raises ConfigError for a host, port or address that cannot be."""
    if not _HOST.fullmatch(host):
        raise ConfigError(f"主机名不对：{host}", f"not a host name or address: {host}")
    if not 1 <= port <= 65535:
        raise ConfigError(f"端口应在 1 到 65535 之间，这里是 {port}", f"a port is 1 to 65535; this is {port}")
    address = url or f"https://{host}:{port}"
    if not re.fullmatch(r"https://[^\s/]+", address):
        raise ConfigError(
            f"站点用的地址应写成 https://主机:端口，这里是 {address}",
            f"the address must be https://host:port; this is {address}",
        )
    return HubConfig(name, name_en, places.county()["code"], host, port, address)


def init_hub(folder: Path, config: HubConfig, passphrase: bytes, clock: Clock) -> HubHome:
    """Make the folder: settings, sealed secrets, TLS authority, encrypted database with the county's divisions.

    Everything is made beside it and renamed into place, so that a cut leaves no half hub.
    Raises ConfigError when something is there already or the passphrase is too weak.
    """
    if folder.exists():
        raise ConfigError(
            f"{folder} 已经存在，不会覆盖。请换一个文件夹",
            f"{folder} exists and is never overwritten: name another folder",
        )
    authority.require_strong(passphrase)
    work = _work_folder(folder)
    try:
        _make(HubHome(work), config, passphrase, clock)
        work.rename(folder)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise
    return HubHome(folder)


@contextmanager
def opened(folder: Path, passphrase: bytes) -> Iterator[OpenHub]:
    """The hub in that folder; works beside a running hub. Raises ConfigError, WrongPassword, StoreError."""
    home = HubHome(folder)
    config = home.config()
    secrets = home.unlock(passphrase)
    if not home.database.is_file():
        raise ConfigError(f"没有找到 {home.database}", f"{home.database} not found")
    store = Store(home.database, secrets.db_key, side="hub")
    try:
        yield OpenHub(home, config, secrets, store)
    finally:
        store.close()


def _work_folder(folder: Path) -> Path:
    folder.parent.mkdir(parents=True, exist_ok=True)
    work = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(mode=0o700)
    return work


def _make(home: HubHome, config: HubConfig, passphrase: bytes, clock: Clock) -> None:
    today = clock.today()
    write_toml(home.config_file, config)
    home.tls.mkdir()
    home.kits.mkdir()
    tls_key, tls_certificate = tls.new_authority(config.name_en, today)
    hosts = (config.host, config.url.removeprefix("https://").rsplit(":", 1)[0])
    server_key, server_certificate = tls.new_server(tls_key, tls_certificate, hosts, today)
    home.ca_file.write_bytes(tls_certificate)
    home.server_certificate.write_bytes(server_certificate)
    tls.write_private(home.server_key, server_key)
    secrets = HubSecrets(
        db_key=authority.new_secret(), hub_key=authority.new_signing_key(), authority_key=authority.new_signing_key(),
        tls_ca_key=tls_key, web_secret=authority.new_secret(), token_secret=authority.new_secret(),
    )  # fmt: skip
    home.seal(secrets, passphrase)
    _fill_database(home, secrets.db_key)


def _fill_database(home: HubHome, key: bytes) -> None:
    store = Store(home.database, key, side="hub")
    try:
        with publish.transaction(store) as pub:
            database.set_setting(pub.db, "node_id", HUB.encode())
            database.set_setting(pub.db, "epoch", ids.new_id())
            for row in places.divisions():
                pub.put("division", row)
    finally:
        store.close()
