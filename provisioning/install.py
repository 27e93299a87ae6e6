# SPDX-License-Identifier: Apache-2.0
"""A kit becomes a station: keys made here, encrypted database, certificate from the hub by line or by stick.

The folder appears at once and complete but for its certificate; running again goes on from there. Keys that exist are
never made anew: a second key under one station's name would look like a stolen station.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from provisioning import authority
from provisioning.kit import Kit
from schema import crsqlite, database, ids
from schema.clock import Clock
from schema.database import Store
from schema.errors import BadSignature, ConfigError, Refusal, SyncError, Unreachable, WrongState
from schema.home import StationHome, StationSecrets
from sync.wire import enrolment
from sync.wire.certificate import Certificate, open_certificate
from sync.wire.transport import Transport

ENROL_PATH = "/s1/enrol"


@dataclass(frozen=True)
class Installed:
    """`certificate` is None while the station waits for it; then `request` is the file to take to the hub."""

    home: StationHome
    certificate: Certificate | None
    request: Path | None


def install(kit: Kit, folder: Path, passphrase: bytes, clock: Clock, transport: Transport) -> Installed:
    """Make or finish the station in `folder`.

    Raises ConfigError for a damaged kit, a strange folder or a weak passphrase; WrongState when it is installed
    already; WrongPassword on resuming with another passphrase; Refusal with the hub's reason; BadSignature for a
    certificate that is not the authority's or not for this station.
    """
    kit.verify()
    crsqlite.use_library(kit.path)
    home = StationHome(folder)
    if home.certificate_file.exists():
        raise WrongState(f"{folder} 已经安装好了", f"{folder} is installed already")
    if not home.secrets_file.exists():
        authority.require_strong(passphrase)
        _make(kit, folder, passphrase)
    own = _request_of(home, kit, passphrase)
    answer = _answer(kit, own, transport)
    if answer is None:
        kit.request_file.write_bytes(own)
        return Installed(home, None, kit.request_file)
    certificate = _check(answer, own, home, clock.today())
    _put(home.certificate_file, answer)
    return Installed(home, certificate, None)


def _make(kit: Kit, folder: Path, passphrase: bytes) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(
            f"{folder} 里有别的东西，不会覆盖。请换一个文件夹", f"{folder} holds something else: name another folder"
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    work = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(work, ignore_errors=True)  # left by a cut; its keys were never used
    work.mkdir(mode=0o700)
    try:
        for path in kit.station_files():
            shutil.copyfile(path, work / path.name)
        secrets = authority.station_secrets()
        home = StationHome(work)
        _make_database(home, secrets, kit.config().id)
        home.seal(secrets, passphrase)
        if folder.exists():
            folder.rmdir()
        work.rename(folder)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise


def _make_database(home: StationHome, secrets: StationSecrets, station: str) -> None:
    store = Store(home.database, secrets.db_key, side="node")
    try:
        with store.write() as db:
            database.set_setting(db, "node_id", station.encode())
            database.set_setting(db, "epoch", ids.new_id())
            database.set_setting(db, "site_id", crsqlite.site_id(db))
    finally:
        store.close()


def _request_of(home: StationHome, kit: Kit, passphrase: bytes) -> bytes:
    """The request for this station's keys; the same bytes each time."""
    config = home.config()
    if config.id != kit.config().id:
        raise ConfigError(
            f"{home.path} 是站点 {config.id}，安装包是 {kit.config().id} 的",
            f"{home.path} is station {config.id}, the kit is for {kit.config().id}",
        )
    secrets = home.unlock(passphrase)
    store = Store(home.database, secrets.db_key, side="node")
    try:
        with store.read() as db:
            epoch, site_id = database.setting(db, "epoch") or b"", crsqlite.site_id(db)
    finally:
        store.close()
    return enrolment.make_request(secrets.signing, node=config.id, code=kit.code(), site_id=site_id, epoch=epoch)


def _answer(kit: Kit, request: bytes, transport: Transport) -> bytes | None:
    """The certificate: from the kit if it was certified on a stick, else from the hub; None without a line.

    Raises Refusal with the hub's own code and words.
    """
    if kit.certificate_file.is_file():
        return kit.certificate_file.read_bytes()
    try:
        response = transport.request("POST", ENROL_PATH, {}, {"content-type": "application/octet-stream"}, request)
    except Unreachable as error:
        if error.code == "tls":  # somebody answers who is not the hub of this kit: a stick would not mend that
            raise
        return None
    if response.status == 200:
        return response.body
    if response.status >= 500:
        return None
    try:
        words = json.loads(response.body)
        code, zh, en = (str(words[name])[:300] for name in ("code", "zh", "en"))
    except (ValueError, KeyError, TypeError):
        status = response.status
        raise SyncError(f"中心的回答看不懂（{status}）", f"the hub's answer is not understood ({status})") from None
    raise Refusal(f"中心拒绝：{zh}", f"the hub refused: {en}", code=code)


def _check(answer: bytes, request: bytes, home: StationHome, today: date) -> Certificate:
    asked = enrolment.read_request(request)
    certificate = open_certificate(answer, bytes.fromhex(home.config().authority_public), today)
    named = {"node": certificate.node, "public_key": certificate.public_key, "site_id": certificate.site_id,
             "epoch": certificate.epoch}  # fmt: skip
    if any(asked[name] != value for name, value in named.items()):
        raise BadSignature(
            "证书不是给这台电脑的。请删掉安装包里的 certificate.s1 再试",
            "the certificate is for another machine: delete certificate.s1 in the kit and try again",
            code="certificate_mismatch",
        )
    return certificate


def _put(path: Path, content: bytes) -> None:
    temporary = path.with_suffix(".tmp")
    with temporary.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)
