# SPDX-License-Identifier: Apache-2.0
"""The folder of a station and the folder of the hub: which file is what, and how its secrets are opened.

What provisioning gives a station is files; this module is the agreement about them.

    station/  station.toml  station.db  secrets.sealed  certificate.s1  hub-ca.pem  crsqlite.so  tasks.db  backups/
    hub/      hub.toml      hub.db      secrets.sealed  tls/ca.pem  tls/server.pem  tls/server.key  tasks.db  kits/
              backups/

Secrets are one CBOR map sealed with a passphrase (`schema.keys.seal`). The passphrase comes from a file named on the
command line or in TOWNSHIP_UNLOCK_FILE, or from a prompt; never from an argument others could read in a process list.
"""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schema import keys
from schema.errors import ConfigError, WrongKey, WrongPassword

UNLOCK_ENV = "TOWNSHIP_UNLOCK_FILE"


@dataclass(frozen=True)
class StationSecrets:
    """What a station keeps sealed: its database key, its own key, the key of its page sessions."""

    db_key: bytes
    node_key: bytes
    web_secret: bytes

    @property
    def signing(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.node_key)


@dataclass(frozen=True)
class HubSecrets:
    """What the hub keeps sealed: database key, frame key, certificate authority, TLS authority, session keys."""

    db_key: bytes
    hub_key: bytes
    authority_key: bytes
    tls_ca_key: bytes
    web_secret: bytes
    token_secret: bytes

    @property
    def signing(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.hub_key)

    @property
    def authority(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.authority_key)


@dataclass(frozen=True)
class StationConfig:
    """station.toml. `hub_public` and `authority_public` are hex of Ed25519 keys. `relay_url`: the neighbour through
    which this station exchanges, '' for its own line; `relay_listen`: where it takes neighbours' bundles, '' nowhere.
    `sync_bytes_per_hour`: the station's own limit for what nobody waits for, 0 for the hub's alone. `card_driver`: how
    social security cards are read; `kiosk_port`: where the self-service page is on this machine, 0 nowhere.
    """

    id: str
    name: str
    name_en: str
    township: str
    hub_url: str
    port: int
    hub_public: str
    authority_public: str
    phone: str = ""
    sync_every_s: int = 900
    relay_url: str = ""
    relay_listen: str = ""
    sync_bytes_per_hour: int = 0
    card_driver: str = "pcsc"
    kiosk_port: int = 0


@dataclass(frozen=True)
class HubConfig:
    """hub.toml. `undo_s`: how long a decision can be taken back before it is signed. `sync_bytes_per_hour`: what every
    station may spend on what nobody waits for, 0 for no limit.
    """

    name: str
    name_en: str
    county: str
    host: str
    port: int
    url: str
    undo_s: int = 20
    sync_bytes_per_hour: int = 8_388_608


_T = TypeVar("_T")
_ADDRESS = (r"https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?", "https://主机:端口", "https://host:port")
_KEY = (r"[0-9a-f]{64}", "64 位十六进制的公钥", "a public key of 64 hex digits")

# What a text setting must look like, and the bounds of the numbers. Other texts: up to 80 visible characters.
_TEXTS = {
    "id": (r"[0-9]{4}-[1-9][0-9]?", "站点编号，如 0100-1", "a station id such as 0100-1"),
    "township": (r"[0-9]{9}", "9 位乡镇代码", "a township code of 9 digits"),
    "county": (r"[0-9]{6}", "6 位县代码", "a county code of 6 digits"),
    "host": (r"[A-Za-z0-9._:-]{1,255}", "主机名或地址", "a host name or address"),
    "name": (r".{1,80}", "1 到 80 个字", "1 to 80 characters"),
    "hub_url": _ADDRESS,
    "relay_url": (r"(http://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5})?", "http://主机:端口", "http://host:port"),
    "relay_listen": (r"([A-Za-z0-9._-]+:[0-9]{1,5})?", "主机:端口", "host:port"),
    "url": _ADDRESS,
    "card_driver": (r"pcsc|simulator|manual", "pcsc、simulator 或 manual", "pcsc, simulator or manual"),
    "hub_public": _KEY,
    "authority_public": _KEY,
}
_NUMBERS = {"port": (1, 65535), "sync_every_s": (10, 86400), "undo_s": (0, 3600),
            "sync_bytes_per_hour": (0, 10**12), "kiosk_port": (0, 65535)}  # fmt: skip


class StationHome:
    """A station's folder."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.config_file = self.path / "station.toml"
        self.database = self.path / "station.db"
        self.secrets_file = self.path / "secrets.sealed"
        self.certificate_file = self.path / "certificate.s1"
        self.ca_file = self.path / "hub-ca.pem"
        self.tasks = self.path / "tasks.db"
        self.backups = self.path / "backups"

    def config(self) -> StationConfig:
        """Raises ConfigError naming file, place and remedy."""
        return _read_toml(self.config_file, StationConfig)

    def unlock(self, passphrase: bytes) -> StationSecrets:
        """Raises WrongPassword."""
        return _open(self.secrets_file, passphrase, StationSecrets)

    def seal(self, secrets: StationSecrets, passphrase: bytes) -> None:
        _seal(self.secrets_file, secrets, passphrase)


class HubHome:
    """The hub's folder."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.config_file = self.path / "hub.toml"
        self.database = self.path / "hub.db"
        self.secrets_file = self.path / "secrets.sealed"
        self.tls = self.path / "tls"
        self.ca_file = self.tls / "ca.pem"
        self.server_certificate = self.tls / "server.pem"
        self.server_key = self.tls / "server.key"
        self.tasks = self.path / "tasks.db"
        self.kits = self.path / "kits"
        self.backups = self.path / "backups"

    def config(self) -> HubConfig:
        """Raises ConfigError naming file, place and remedy."""
        return _read_toml(self.config_file, HubConfig)

    def unlock(self, passphrase: bytes) -> HubSecrets:
        """Raises WrongPassword."""
        return _open(self.secrets_file, passphrase, HubSecrets)

    def seal(self, secrets: HubSecrets, passphrase: bytes) -> None:
        _seal(self.secrets_file, secrets, passphrase)


def passphrase_from(unlock_file: str | None) -> bytes | None:
    """The passphrase in the named file, or in the one TOWNSHIP_UNLOCK_FILE names; None when neither is given.

    Raises ConfigError when the file is missing or empty.
    """
    name = unlock_file or os.environ.get(UNLOCK_ENV)
    if not name:
        return None
    path = Path(name)
    text = path.read_bytes().strip() if path.is_file() else b""
    if not text:
        raise ConfigError(f"口令文件不存在或是空的：{path}", f"the unlock file is missing or empty: {path}")
    return text


def write_toml(path: Path, config: Any) -> None:
    """Write a config dataclass as flat TOML (text and whole numbers only). Raises ConfigError for what cannot be."""
    require_good(path, config)
    lines = []
    for field in fields(config):
        value = getattr(config, field.name)
        if isinstance(value, str):
            escaped = value.replace("\\", "\\\\").replace('"', '\\"')
            lines.append(f'{field.name} = "{escaped}"')
        else:
            lines.append(f"{field.name} = {value}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _read_toml(path: Path, kind: type[_T]) -> _T:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(
            f"没有找到 {path}。这个文件夹还没有安装？", f"{path} not found: is this folder installed?"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} 不是正确的 TOML：{error}", f"{path} is not valid TOML: {error}") from error
    declared = {f.name: f for f in fields(kind)}  # type: ignore[arg-type]
    for name, value in data.items():
        if name not in declared:
            raise ConfigError(
                f"{path}：不认识「{name}」，可用的是 {', '.join(declared)}",
                f"{path}: unknown setting {name!r}; known are {', '.join(declared)}",
            )
        wanted = int if declared[name].type == "int" else str
        if type(value) is not wanted:
            raise ConfigError(f"{path}：「{name}」的类型不对", f"{path}: {name!r} should be {wanted.__name__}")
        _require_value(path, name, value)
    missing = [name for name, f in declared.items() if name not in data and f.default is MISSING]
    if missing:
        raise ConfigError(
            f"{path} 缺少设置：{'、'.join(missing)}。请照安装时的补上",
            f"{path}: {', '.join(missing)} missing: put back what was installed",
        )
    return kind(**data)


def require_good(path: Path, config: Any) -> None:
    """Raises ConfigError unless every setting may stand in that file."""
    for field in fields(config):
        _require_value(path, field.name, getattr(config, field.name))


def _require_value(path: Path, name: str, value: str | int) -> None:
    if isinstance(value, int):
        least, most = _NUMBERS[name]
        zh, en, good = f"{least} 到 {most} 的数", f"a number from {least} to {most}", least <= value <= most
    else:
        pattern, zh, en = _TEXTS.get(name, (r".{0,80}", "最多 80 个字", "at most 80 characters"))
        good = bool(re.fullmatch(pattern, value)) and value.isprintable()
    if not good:
        shown = repr(value)[:60]
        raise ConfigError(
            f"{path}：「{name}」应是{zh}，这里是 {shown}。请照安装时的改回",
            f"{path}: {name} must be {en}; this is {shown}: put back what was installed",
        )


def _open(path: Path, passphrase: bytes, kind: type[_T]) -> _T:
    if not path.is_file():
        raise ConfigError(f"没有找到 {path}，请从备份恢复", f"{path} not found: restore it from a backup")
    try:
        data = cbor2.loads(keys.open_sealed(path.read_bytes(), passphrase))
    except WrongPassword as error:
        raise WrongPassword(
            f"密码不对，打不开 {path}。请核对口令文件", f"the passphrase does not open {path}: check the unlock file"
        ) from error
    except WrongKey as error:
        raise WrongKey(
            f"{path} 损坏或不是本系统的，请从备份恢复", f"{path} is damaged or not ours: restore it from a backup"
        ) from error
    try:
        return kind(**data)
    except TypeError as error:
        raise WrongPassword(f"{path} 的内容不对", f"{path} does not hold what it should") from error


def _seal(path: Path, secrets: Any, passphrase: bytes) -> None:
    content = cbor2.dumps({f.name: getattr(secrets, f.name) for f in fields(secrets)})
    temporary = path.with_suffix(".tmp")
    temporary.touch(mode=0o600)
    temporary.write_bytes(keys.seal(content, passphrase))
    temporary.replace(path)
