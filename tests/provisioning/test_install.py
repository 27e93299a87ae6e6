# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from provisioning import authority, install, revocation, station
from provisioning.hub_folder import OpenHub
from provisioning.kit import Kit
from schema import crsqlite, database
from schema.clock import FixedClock
from schema.database import Store
from schema.errors import BadSignature, ConfigError, Refusal, SyncError, Unreachable, WrongPassword, WrongState
from sync.wire.certificate import open_certificate
from sync.wire.transport import Response

PASSPHRASE = b"Zhishan Lu 17, qunian"


def _install(kit: Kit, folder: Path, line: Any, clock: FixedClock, secret: bytes = PASSPHRASE) -> install.Installed:
    return install.install(kit, folder, secret, clock, line)


def test_a_station_with_a_line_is_installed_in_one_go(
    make_kit: Callable[..., Kit], tmp_path: Path, line: Any, clock: FixedClock
) -> None:
    done = _install(make_kit(), tmp_path / "station", line, clock)
    assert done.certificate is not None
    assert done.certificate.slices == ("county", "330683100", "node:0100-1", "elsewhere")
    secrets = done.home.unlock(PASSPHRASE)
    assert done.certificate.public_key == authority.public_of(secrets.node_key)
    store = Store(done.home.database, secrets.db_key, side="node")
    with store.read() as db:
        named = {name: database.setting(db, name) for name in ("node_id", "epoch", "site_id")}
        site = crsqlite.site_id(db)
    store.close()
    expected = {"node_id": b"0100-1", "epoch": done.certificate.epoch, "site_id": done.certificate.site_id}
    assert named == expected
    assert site == done.certificate.site_id
    assert database.is_encrypted(done.home.database)


def test_the_certificate_is_the_authoritys_and_the_hub_knows_the_same_key(
    hub: OpenHub, make_kit: Callable[..., Kit], tmp_path: Path, line: Any, clock: FixedClock
) -> None:
    done = _install(make_kit(), tmp_path / "station", line, clock)
    public = hub.secrets.authority.public_key().public_bytes_raw()
    opened = open_certificate(done.home.certificate_file.read_bytes(), public, clock.today())
    with hub.store.read() as db:
        record = db.execute("SELECT public_key, epoch, site_id FROM node_record").fetchone()
    assert tuple(record) == (opened.public_key, opened.epoch, opened.site_id)


def test_without_a_line_a_stick_does_the_same(
    hub: OpenHub, make_kit: Callable[..., Kit], tmp_path: Path, line: Any, clock: FixedClock
) -> None:
    line.down = True
    kit = make_kit()
    waiting = _install(kit, tmp_path / "station", line, clock)
    assert waiting.certificate is None and waiting.request == kit.request_file
    station.certify(hub, kit, clock)
    done = _install(kit, tmp_path / "station", line, clock)
    assert done.certificate is not None and done.certificate.node == "0100-1"


def test_going_on_after_a_cut_keeps_the_keys(
    make_kit: Callable[..., Kit], tmp_path: Path, line: Any, clock: FixedClock
) -> None:
    kit, folder = make_kit(), tmp_path / "station"
    line.down = True
    first = _install(kit, folder, line, clock).home.unlock(PASSPHRASE)
    request = kit.request_file.read_bytes()
    _install(kit, folder, line, clock)
    assert kit.request_file.read_bytes() == request
    line.down = False
    assert _install(kit, folder, line, clock).home.unlock(PASSPHRASE) == first


def test_a_lost_answer_costs_nothing(
    hub: OpenHub, make_kit: Callable[..., Kit], tmp_path: Path, line: Any, clock: FixedClock
) -> None:
    class Cut:
        def request(self, *asked: Any) -> Response:
            line.request(*asked)
            raise Unreachable("断了", "cut")

    kit = make_kit()
    assert _install(kit, tmp_path / "station", Cut(), clock).certificate is None
    assert _install(kit, tmp_path / "station", line, clock).certificate is not None


def test_installing_twice_is_refused_and_changes_nothing(
    make_kit: Callable[..., Kit], tmp_path: Path, line: Any, clock: FixedClock
) -> None:
    kit = make_kit()
    home = _install(kit, tmp_path / "station", line, clock).home
    before = {p.name: p.read_bytes() for p in home.path.iterdir()}
    with pytest.raises(WrongState):
        _install(kit, tmp_path / "station", line, clock)
    assert {p.name: p.read_bytes() for p in home.path.iterdir()} == before


def test_a_copied_kit_cannot_become_a_second_station(
    make_kit: Callable[..., Kit], tmp_path: Path, line: Any, clock: FixedClock
) -> None:
    kit = make_kit()
    _install(kit, tmp_path / "first", line, clock)
    with pytest.raises(Refusal) as caught:
        _install(kit, tmp_path / "second", line, clock)
    assert caught.value.code == "enrol_used"
    assert not (tmp_path / "second" / "certificate.s1").exists()


def test_a_certificate_on_the_stick_for_another_machine_is_refused(
    hub: OpenHub, make_kit: Callable[..., Kit], tmp_path: Path, line: Any, clock: FixedClock
) -> None:
    line.down = True
    kit = make_kit()
    _install(kit, tmp_path / "first", line, clock)
    station.certify(hub, kit, clock)
    with pytest.raises(BadSignature) as caught:
        _install(kit, tmp_path / "second", line, clock)
    assert caught.value.code == "certificate_mismatch"


def test_a_certificate_of_another_authority_is_refused(
    make_kit: Callable[..., Kit], tmp_path: Path, line: Any, clock: FixedClock
) -> None:
    kit = make_kit()
    other = replace(line.hub.secrets, authority_key=authority.new_signing_key())
    line.hub = replace(line.hub, secrets=other)
    with pytest.raises(BadSignature):
        _install(kit, tmp_path / "station", line, clock)
    assert not (tmp_path / "station" / "certificate.s1").exists()


@pytest.mark.parametrize("name", ["station.toml", "hub-ca.pem", "enrolment-code.txt", "crsqlite.so"])
@pytest.mark.parametrize("fault", ["changed", "missing"])
def test_a_damaged_kit_is_named_and_makes_nothing(
    name: str, fault: str, make_kit: Callable[..., Kit], tmp_path: Path, line: Any, clock: FixedClock
) -> None:
    kit = make_kit()
    if fault == "changed":
        with (kit.path / name).open("ab") as stream:
            stream.write(b" ")
    else:
        (kit.path / name).unlink()
    with pytest.raises(ConfigError, match=name):
        _install(kit, tmp_path / "station", line, clock)
    assert not (tmp_path / "station").exists()


def test_checksums_that_name_files_outside_the_kit_are_refused(
    make_kit: Callable[..., Kit], tmp_path: Path, line: Any, clock: FixedClock
) -> None:
    kit = make_kit()
    with kit.checksums.open("a") as stream:
        stream.write(f"{'0' * 64}  ../elsewhere\n")
    with pytest.raises(ConfigError):
        _install(kit, tmp_path / "station", line, clock)


def test_a_folder_with_other_things_in_it_is_left_alone(
    make_kit: Callable[..., Kit], tmp_path: Path, line: Any, clock: FixedClock
) -> None:
    folder = tmp_path / "station"
    folder.mkdir()
    (folder / "holiday.jpg").write_bytes(b"mine")
    with pytest.raises(ConfigError):
        _install(make_kit(), folder, line, clock)
    assert [p.name for p in folder.iterdir()] == ["holiday.jpg"]


def test_going_on_needs_the_same_passphrase_and_the_same_station(
    make_kit: Callable[..., Kit], tmp_path: Path, line: Any, clock: FixedClock
) -> None:
    line.down = True
    kit = make_kit()
    _install(kit, tmp_path / "station", line, clock)
    with pytest.raises(WrongPassword):
        _install(kit, tmp_path / "station", line, clock, b"a quite other sentence")
    with pytest.raises(ConfigError):
        _install(make_kit("0104-1", "330683104"), tmp_path / "station", line, clock)


def test_an_expired_code_is_refused(
    make_kit: Callable[..., Kit], tmp_path: Path, line: Any, clock: FixedClock
) -> None:
    kit = make_kit()
    clock.advance(days=15)
    with pytest.raises(Refusal) as caught:
        _install(kit, tmp_path / "station", line, clock)
    assert caught.value.code == "enrol_expired"


def test_a_revoked_station_is_refused_and_told_so(
    hub: OpenHub, make_kit: Callable[..., Kit], tmp_path: Path, line: Any, clock: FixedClock
) -> None:
    kit = make_kit()
    revocation.revoke(hub.store, "0100-1", "失窃", clock)
    with pytest.raises(Refusal) as caught:
        _install(kit, tmp_path / "station", line, clock)
    assert caught.value.code == "revoked"
    assert "注销" in caught.value.zh


@pytest.mark.parametrize(("status", "body"), [(404, b"<html>"), (403, b"{}"), (403, b"[1]"), (302, b"")])
def test_an_answer_nobody_understands_is_an_error_in_words(
    status: int, body: bytes, make_kit: Callable[..., Kit], tmp_path: Path, clock: FixedClock
) -> None:
    class Strange:
        def request(self, *_: object) -> Response:
            return Response(status, {}, body)

    with pytest.raises(SyncError):
        _install(make_kit(), tmp_path / "station", Strange(), clock)


def test_a_hub_that_fails_leaves_the_station_waiting(
    make_kit: Callable[..., Kit], tmp_path: Path, clock: FixedClock
) -> None:
    class Failing:
        def request(self, *_: object) -> Response:
            return Response(503, {}, b"")

    assert _install(make_kit(), tmp_path / "station", Failing(), clock).certificate is None


def test_a_wrong_tls_certificate_is_not_taken_for_a_missing_line(
    make_kit: Callable[..., Kit], tmp_path: Path, clock: FixedClock
) -> None:
    class Impostor:
        def request(self, *_: object) -> Response:
            raise Unreachable("证书不对", "wrong certificate", code="tls")

    with pytest.raises(Unreachable):
        _install(make_kit(), tmp_path / "station", Impostor(), clock)


def test_a_bare_machine_uses_the_extension_of_the_kit(
    make_kit: Callable[..., Kit], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kit = make_kit()
    shutil.copytree(kit.path, tmp_path / "stick")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "empty"))
    monkeypatch.setenv("CRSQLITE_LIB", "")  # so that monkeypatch takes back what is set below
    monkeypatch.delenv("CRSQLITE_LIB")
    crsqlite.use_library(tmp_path / "stick")
    assert Path(os.environ["CRSQLITE_LIB"]) == tmp_path / "stick" / "crsqlite.so"
    assert crsqlite.self_test()["library"] == os.environ["CRSQLITE_LIB"]
