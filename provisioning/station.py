# SPDX-License-Identifier: Apache-2.0
"""A station's life at the hub: registered with its slices and a one-time code, given a kit, certified."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from provisioning import authority
from provisioning.hub_folder import OpenHub
from provisioning.kit import Kit
from schema import database
from schema.clock import Clock
from schema.errors import ConfigError, UnknownSubject, WrongState
from schema.home import StationConfig, require_good
from sync.hub import publish
from sync.slices import COUNTY, ELSEWHERE, NODE_PREFIX
from sync.wire import enrolment

FIRST_BLOCK = 1000  # receipt serials leased with the kit, so that a station can work before its first contact
_STATION_ID = re.compile(r"0([0-9]{3})-[1-9][0-9]?")


@dataclass(frozen=True)
class NewStation:
    """What a technician says of a new station. `more_slices`: further townships whose persons it serves."""

    id: str
    name: str
    name_en: str
    township: str
    port: int
    phone: str = ""
    more_slices: tuple[str, ...] = ()
    certificate_days: int | None = None
    code_days: int | None = None

    @property
    def slices(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((COUNTY, self.township, *self.more_slices, NODE_PREFIX + self.id, ELSEWHERE)))


@dataclass(frozen=True)
class Registered:
    """What came of it."""

    kit: Path
    slices: tuple[str, ...]
    serial: int
    not_after: date
    code_until: date


def new_station(hub: OpenHub, station: NewStation, out: Path | None, clock: Clock) -> Registered:
    """Register a station and write its kit. A station that never enrolled gets a new code; the old one dies.

    Raises ConfigError for an id, township or lifetime that cannot be, or a kit folder that exists; WrongState when the
    station is in service or revoked.
    """
    kit = Kit(out or hub.home.kits / station.id)
    if kit.path.exists():
        raise ConfigError(
            f"{kit.path} 已经存在。请先移走，或用 --out 换一个文件夹",
            f"{kit.path} exists: move it away, or name another folder with --out",
        )
    require_good(kit.config_file, _config(hub, station))  # before the register knows of a station without a kit
    today = clock.today()
    not_after = authority.STATION_CERTIFICATE.last_day(today, station.certificate_days)
    code_until = authority.ENROLMENT_CODE.last_day(today, station.code_days)
    code = enrolment.new_code(code_until)
    with publish.transaction(hub.store) as pub:
        _require_places(pub.db, station)
        serial = _record(pub.db, station, not_after, code)
        pub.put("station", {
            "id": station.id, "name": station.name, "name_en": station.name_en, "township": station.township,
            "phone": station.phone or None,
        })  # fmt: skip
        block = {"station": station.id, "year": today.year, "first": 1, "last": FIRST_BLOCK}
        pub.put("receipt_block", block)
    kit.write(_config(hub, station), hub.home.ca_file, code, code_until.isoformat())
    return Registered(kit.path, station.slices, serial, not_after, code_until)


def certify(hub: OpenHub, kit: Kit, clock: Clock) -> Path:
    """Answer the request a station left in its kit; returns the certificate's file. Raises ConfigError, Refusal."""
    if not kit.request_file.is_file():
        raise ConfigError(
            f"安装包里没有请求文件 {kit.request_file}。请先在站点运行 install",
            f"the kit has no request {kit.request_file}: run install at the station first",
        )
    request = enrolment.read_request(kit.request_file.read_bytes()[: enrolment.LIMIT + 1])
    certificate = enrolment.enrol(hub.store, hub.secrets.authority, request, clock)
    kit.certificate_file.write_bytes(certificate)
    return kit.certificate_file


def _config(hub: OpenHub, station: NewStation) -> StationConfig:
    return StationConfig(
        id=station.id, name=station.name, name_en=station.name_en, township=station.township, hub_url=hub.config.url,
        port=station.port, hub_public=authority.public_of(hub.secrets.hub_key).hex(),
        authority_public=authority.public_of(hub.secrets.authority_key).hex(), phone=station.phone,
    )  # fmt: skip


def _require_places(db: database.Connection, station: NewStation) -> None:
    found = _STATION_ID.fullmatch(station.id)
    if found is None or not station.township.endswith(found[1]):
        raise ConfigError(
            f"站点编号应是 0 加乡镇代码后三位，再加窗口号，如 0{station.township[-3:]}-1；这里是 {station.id}",
            f"a station id is 0, the township's last three digits and a window, as 0{station.township[-3:]}-1; "
            f"this is {station.id}",
        )
    for code in (station.township, *station.more_slices):
        sql = "SELECT 1 FROM division WHERE code = ? AND level = 'township' AND valid_to IS NULL"
        if db.execute(sql, (code,)).fetchone() is None:
            raise UnknownSubject(f"没有这个乡镇代码：{code}", f"no township has the code {code}")


def _record(db: database.Connection, station: NewStation, not_after: date, code: str) -> int:
    known = db.execute("SELECT public_key, revoked_at FROM node_record WHERE id = ?", (station.id,)).fetchone()
    if known is not None and known["revoked_at"] is not None:
        raise WrongState(
            f"站点 {station.id} 已注销，编号不再使用。请用下一个窗口号",
            f"station {station.id} was revoked and its id is not used again: take the next window number",
        )
    if known is not None and known["public_key"] is not None:
        raise WrongState(
            f"站点 {station.id} 已经在用。换电脑请先注销，再用下一个窗口号新建",
            f"station {station.id} is in service: to change its machine, revoke it and take the next window number",
        )
    serial = int(db.execute("SELECT coalesce(max(serial), 0) + 1 FROM node_record").fetchone()[0])
    row = {
        "id": station.id, "name": station.name, "slices": " ".join(station.slices), "serial": serial,
        "not_after": not_after.isoformat(), "enrol_code_hash": enrolment.hash_code(code), "unsent": 0,
    }  # fmt: skip
    database.upsert(db, "node_record", row)
    return serial
