# SPDX-License-Identifier: Apache-2.0
"""The self-test finds what is wrong, one thing at a time, and says what to do."""

from __future__ import annotations

import pytest

from node import doctor
from node.station import Station
from schema import backup, database, self_test
from schema.clock import FixedClock


def level(station: Station, name: str) -> str:
    found = {check.name: check for check in doctor.examine(station)}
    assert found[name].zh and found[name].en
    return found[name].level


def test_a_well_station_has_nothing_but_the_first_copy_still_to_make(station: Station) -> None:
    checks = doctor.examine(station)
    assert {check.name for check in checks if check.level != "ok"} == {"backup"}
    backup.make(station.store, station.secrets.db_key, station.home.backups, station.clock)
    assert self_test.worst(doctor.examine(station)) == "ok"


@pytest.mark.parametrize(("days", "expected"), [(0, "ok"), (641, "warn"), (701, "fail")])
def test_the_end_of_the_certificate_is_told_in_time(
    station: Station, clock: FixedClock, days: int, expected: str
) -> None:
    clock.advance(days=days)
    assert level(station, "certificate") == expected


@pytest.mark.parametrize(("last", "expected"), [(900, "ok"), (430, "warn"), (400, "fail")])
def test_numbers_running_out_are_told(station: Station, last: int, expected: str) -> None:
    with station.store.write() as db:
        db.execute("UPDATE receipt_block SET last = ?", (last,))
    assert level(station, "numbers") == expected


@pytest.mark.parametrize(("skew", "zh"), [("840", "比中心快 14 分钟"), ("-660", "比中心慢 11 分钟")])
def test_a_wrong_clock_is_told_with_its_direction(station: Station, skew: str, zh: str) -> None:
    with station.store.write() as db:
        database.upsert(db, "link", {"name": "clock_skew_s", "value": skew})
    (clock,) = (check for check in doctor.examine(station) if check.name == "clock")
    assert clock.level == "warn" and zh in clock.zh


def test_a_refusal_by_the_hub_and_a_missing_authority_are_told(station: Station) -> None:
    with station.store.write() as db:
        database.upsert(db, "link", {"name": "state", "value": "refused"})
    assert level(station, "line") == "warn"
    station.home.ca_file.unlink()
    assert level(station, "line") == "fail"


def test_a_full_disk_is_told(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(self_test, "DISK_LOW_BYTES", 2**62)
    assert level(station, "disk") == "warn"


def test_a_check_that_breaks_is_a_finding_and_the_others_are_still_made(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRSQLITE_LIB", str(station.home.path / "nothing.so"))
    checks = doctor.examine(station)
    assert self_test.worst(checks) == "fail"
    assert {check.name for check in checks} >= {"extension", "database", "disk", "backup"}
