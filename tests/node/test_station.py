# SPDX-License-Identifier: Apache-2.0
"""Opening a station: on doubt it does not start, and says in both languages what to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from node.station import Station, certificate_of, open_station
from schema import database
from schema.clock import FixedClock
from schema.database import Store
from schema.errors import BadSignature, ConfigError, TownshipError, UnsafeSqlite, WrongKey, WrongPassword
from schema.home import StationHome, write_toml
from sync.wire.certificate import issue, read


def start(home: StationHome, clock: FixedClock) -> Station:
    return open_station(home.path, str(home.path / "unlock"), clock=clock)


def test_an_installed_folder_opens_and_its_parts_agree(home: StationHome, clock: FixedClock) -> None:
    station = start(home, clock)
    assert certificate_of(station).node == station.config.id == station.desk.station == "0100-1"
    assert set(station.desk.services) >= {
        "resident_pension_enrolment",
        "resident_pension_claim",
        "personal_data_change",
    }
    station.close()


def _other_id(home: StationHome) -> None:
    config = home.config()
    write_toml(home.config_file, replace(config, id="0100-2"))


def _other_authority(home: StationHome) -> None:
    certificate = read(home.certificate_file.read_bytes())
    home.certificate_file.write_bytes(issue(certificate, Ed25519PrivateKey.generate()))


def _other_key(home: StationHome) -> None:
    authority = Ed25519PrivateKey.generate()
    certificate = read(home.certificate_file.read_bytes())
    home.certificate_file.write_bytes(issue(replace(certificate, public_key=bytes(32)), authority))
    public = authority.public_key().public_bytes_raw().hex()
    write_toml(home.config_file, replace(home.config(), authority_public=public))


def _no_epoch(home: StationHome) -> None:
    store = Store(home.database, bytes(range(32)), side="node")
    with store.write() as db:
        database.set_setting(db, "epoch", b"")
    store.close()


def _plain_database(home: StationHome) -> None:
    home.database.write_bytes(b"SQLite format 3\x00" + bytes(4080))


DOUBTS: dict[str, tuple[Callable[[StationHome], object], type[TownshipError], str]] = {
    "no folder": (lambda home: home.config_file.unlink(), ConfigError, "没有找到"),
    "unknown setting": (lambda home: home.config_file.open("a").write("evil = 1\n"), ConfigError, "不认识"),
    "wrong passphrase": (lambda home: (home.path / "unlock").write_bytes(b"wrong"), WrongPassword, "密码不对"),
    "empty unlock file": (lambda home: (home.path / "unlock").write_bytes(b" \n"), ConfigError, "是空的"),
    "no database": (lambda home: home.database.unlink(), ConfigError, "请不要新建"),
    "foreign database": (_plain_database, WrongKey, "打不开"),
    "another station's settings": (_other_id, ConfigError, "0100-2"),
    "no epoch": (_no_epoch, ConfigError, "批次标识"),
    "no certificate": (lambda home: home.certificate_file.unlink(), ConfigError, "证书"),
    "broken certificate": (lambda home: home.certificate_file.write_bytes(b"x"), BadSignature, "证书"),
    "foreign certificate": (_other_authority, BadSignature, "不是县中心签发的"),
    "certificate of another key": (_other_key, ConfigError, "密钥对不上"),
}


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("doubt", DOUBTS)
def test_on_doubt_it_does_not_start_and_says_what_to_do(home: StationHome, clock: FixedClock, doubt: str) -> None:
    spoil, kind, word = DOUBTS[doubt]
    spoil(home)
    with pytest.raises(kind) as refused:
        start(home, clock)
    assert word in refused.value.zh and refused.value.en


def test_without_a_passphrase_it_asks_or_refuses(
    home: StationHome, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TOWNSHIP_UNLOCK_FILE", raising=False)
    with pytest.raises(ConfigError):
        open_station(home.path, clock=clock)
    station = open_station(home.path, clock=clock, ask=lambda: "a passphrase for tests")
    station.close()


def test_an_expired_certificate_stops_the_exchange_and_not_the_counter(home: StationHome, clock: FixedClock) -> None:
    clock.advance(days=3000)
    station = start(home, clock)
    with pytest.raises(BadSignature) as expired:
        certificate_of(station)
    assert expired.value.code == "certificate_expired"
    station.close()


def test_a_clock_before_the_certificate_began_is_a_doubt(home: StationHome, clock: FixedClock) -> None:
    clock.advance(days=-timedelta(days=8000).days)
    with pytest.raises(BadSignature):
        start(home, clock)


def test_a_missing_extension_is_a_doubt(home: StationHome, clock: FixedClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRSQLITE_LIB", str(home.path / "nothing.so"))
    with pytest.raises(UnsafeSqlite):
        start(home, clock)
