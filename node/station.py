# SPDX-License-Identifier: Apache-2.0
"""The opened station: folder, secrets, store, rules, clock; handed to pages, commands and tasks alike.

Opening refuses on doubt: a folder that is not what it says would take cases under a wrong name or lose their way home.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import current_app

from node import pack
from node.cases import Desk
from schema import crsqlite, database, programs
from schema.clock import Clock, SystemClock
from schema.database import Store
from schema.errors import BadSignature, ConfigError
from schema.home import StationConfig, StationHome, StationSecrets, passphrase_from
from schema.rulebook import RuleBook
from sync.station import rebase
from sync.wire.certificate import Certificate, open_certificate

EXTENSION = "station"
EXPIRED = "certificate_expired"


@dataclass(frozen=True)
class Station:
    """Everything the station's parts need. Nothing in it changes while a process runs, but for the rules in force."""

    home: StationHome
    config: StationConfig
    secrets: StationSecrets
    store: Store
    clock: Clock

    @cached_property
    def rules(self) -> RuleBook:
        """The rules in force, and the older ones that cases were taken under."""
        return RuleBook(self.store)

    @property
    def desk(self) -> Desk:
        """What the verbs of a case need, with the rules in force at this moment. Raises BadPack."""
        now = self.rules.current()
        return Desk(
            store=self.store,
            station=self.config.id,
            township=self.config.township,
            clock=self.clock,
            services=now.services,
            parameters=now.parameters,
            pack=now.hash,
            rules=self.rules,
        )

    def follow_rules(self) -> None:
        """Put the newest rule pack in force that the hub sent and this program can use."""
        pack.follow(self.store, self.rules, bytes.fromhex(self.config.hub_public))

    @property
    def certificate(self) -> bytes:
        """The certificate that the hub's authority signed. Raises ConfigError."""
        if not self.home.certificate_file.is_file():
            raise ConfigError(
                f"没有找到站点证书 {self.home.certificate_file}。请让技术员重新安装",
                f"station certificate {self.home.certificate_file} not found: have the kit installed again",
            )
        installed = self.home.certificate_file.read_bytes()
        with self.store.read() as db:
            return rebase.certificate_in_force(db, installed)

    def keep_certificate(self) -> None:
        """Put a certificate that the hub gave since the installation into its file, where other programs look."""
        newest = self.certificate
        if newest != self.home.certificate_file.read_bytes():
            temporary = self.home.certificate_file.with_suffix(".tmp")
            temporary.write_bytes(newest)
            temporary.replace(self.home.certificate_file)

    def close(self) -> None:
        """Close every database connection."""
        self.store.close()


def open_station(
    folder: Path | str,
    unlock_file: str | None = None,
    *,
    clock: Clock | None = None,
    ask: Callable[[], str] | None = None,
) -> Station:
    """Open the station in that folder. The passphrase comes from a file, the environment, or `ask`; never from argv.

    Raises ConfigError, WrongPassword, StoreError, BadSignature, each with what to do.
    """
    home = StationHome(folder)
    config = home.config()
    crsqlite.use_library(home.path)
    crsqlite.self_test()
    passphrase = passphrase_from(unlock_file)
    if passphrase is None:
        if ask is None:
            raise ConfigError("没有给口令文件（--unlock-file）", "no unlock file was given (--unlock-file)")
        passphrase = ask().encode()
    secrets = home.unlock(passphrase)
    if not home.database.is_file():
        raise ConfigError(
            f"没有找到数据库 {home.database}。请不要新建，先从备份恢复或重新安装",
            f"database {home.database} not found: restore it from a backup or install the kit again",
        )
    station = Station(home, config, secrets, Store(home.database, secrets.db_key, side="node"), clock or SystemClock())
    try:
        _require_one_identity(station)
        station.follow_rules()
        return station
    except BaseException:
        station.close()
        raise


def certificate_of(station: Station) -> Certificate:
    """The certificate, proven. Raises BadSignature (also when it has expired: code `certificate_expired`)."""
    authority = bytes.fromhex(station.config.authority_public)
    return open_certificate(station.certificate, authority, station.clock.today())


def current() -> Station:
    """The station of the app that serves this request."""
    station: Station = current_app.extensions[EXTENSION]
    return station


with_station = programs.with_folder(open_station, "站点文件夹 / the station's folder")
"""Decorates a command: `--dir`, `--unlock-file`, and the opened station as its first argument."""


def _require_one_identity(station: Station) -> None:
    """Settings, database and certificate must all speak of this station, and the key must be the certificate's."""
    with station.store.read() as db:
        named = (database.setting(db, "node_id") or b"").decode()
        epoch = database.setting(db, "epoch")
    _agree("数据库", "the database", named, station.config.id)
    if not epoch or len(epoch) != 16:
        raise ConfigError(
            "数据库里没有批次标识。请让技术员重新安装", "the database has no epoch: have the kit installed again"
        )
    try:
        certificate = certificate_of(station)
    except BadSignature as error:
        # An old certificate stops the exchange, not the counter: what is taken now is sent once it is renewed.
        if error.code == EXPIRED:
            return
        path = station.home.certificate_file
        raise BadSignature(
            f"{path}：{error.zh}。请让技术员重新安装",
            f"{path}: {error.en}. Have the kit installed again",
            code=error.code,
        ) from error
    _agree("证书", "the certificate", certificate.node, station.config.id)
    own = Ed25519PrivateKey.from_private_bytes(station.secrets.node_key).public_key().public_bytes_raw()
    if own != certificate.public_key:
        raise ConfigError(
            "证书与本站的密钥对不上。请让技术员重新安装",
            "the certificate is for another key: have the kit installed again",
        )


def _agree(zh: str, en: str, found: str, wanted: str) -> None:
    if found != wanted:
        raise ConfigError(
            f"{zh}是站点「{found or '--'}」的，设置写的是「{wanted}」。请不要继续，先找技术员核对",
            f"{en} belongs to station {found or '--'!r}, the settings say {wanted!r}: stop and have it checked",
        )
