# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from provisioning import station
from provisioning.hub_folder import OpenHub
from provisioning.kit import Kit
from schema.clock import FixedClock
from schema.errors import ConfigError, Refusal, TownshipError, UnknownSubject, WrongState
from sync.wire import enrolment

GANLIN = "330683100"


def test_a_new_station_is_recorded_named_and_leased_serials(hub: OpenHub, make_kit: Callable[..., Kit]) -> None:
    make_kit(more_slices=("330683104",))
    with hub.store.read() as db:
        record = db.execute("SELECT * FROM node_record").fetchone()
        named = db.execute("SELECT name, township FROM station WHERE id = '0100-1'").fetchone()
        block = db.execute("SELECT year, first, last FROM receipt_block WHERE station = '0100-1'").fetchone()
    assert record["slices"].split() == ["county", GANLIN, "330683104", "node:0100-1", "elsewhere"]
    assert (record["serial"], record["not_after"], record["public_key"]) == (1, "2028-11-22", None)
    assert tuple(named) == ("甘霖镇劳动保障所", GANLIN)
    assert tuple(block) == (2026, 1, 1000)


def test_what_stations_must_learn_of_a_new_one_is_fed(hub: OpenHub, make_kit: Callable[..., Kit]) -> None:
    make_kit()
    with hub.store.read() as db:
        fed = db.execute("SELECT slice, tbl FROM slice_feed WHERE tbl IN ('station', 'receipt_block')").fetchall()
    assert {tuple(r) for r in fed} == {("county", "station"), ("node:0100-1", "receipt_block")}


def test_the_hub_keeps_no_code_and_the_kit_no_key(hub: OpenHub, make_kit: Callable[..., Kit]) -> None:
    kit = make_kit()
    with hub.store.read() as db:
        stored = db.execute("SELECT enrol_code_hash FROM node_record").fetchone()[0]
    assert stored == enrolment.hash_code(kit.code()) != kit.code()
    assert not (kit.path / "secrets.sealed").exists()
    assert kit.code_file.stat().st_mode & 0o077 == 0


def test_the_kit_says_in_two_languages_what_to_do_in_six_steps(make_kit: Callable[..., Kit]) -> None:
    text = (make_kit().path / "README.txt").read_text(encoding="utf-8")
    steps = [line for line in text.splitlines() if line[:2] in {f"{n}." for n in range(1, 10)}]
    assert len(steps) == 12
    assert "township-provision install" in text and "township-node run" in text and "注册码" in text


@pytest.mark.parametrize("station_id", ["100-1", "0100", "0100-0", "0101-1", "0100-1; DROP", "../0100-1", "0100-123"])
def test_an_id_that_does_not_say_the_township_is_refused(station_id: str, make_kit: Callable[..., Kit]) -> None:
    with pytest.raises(ConfigError):
        make_kit(station_id)


def test_an_unknown_or_former_township_is_refused_and_nothing_written(
    hub: OpenHub, make_kit: Callable[..., Kit]
) -> None:
    for station_id, township in (("0999-1", "330683999"), ("0109-1", "330683109")):
        with pytest.raises(UnknownSubject):
            make_kit(station_id, township)
    with hub.store.read() as db:
        assert db.execute("SELECT count(*) FROM node_record").fetchone()[0] == 0


@pytest.mark.parametrize("words", [{"certificate_days": 5}, {"certificate_days": 9999}, {"code_days": 0}])
def test_a_lifetime_out_of_bounds_is_refused(words: dict[str, int], make_kit: Callable[..., Kit]) -> None:
    with pytest.raises(ConfigError):
        make_kit(**words)


def test_a_kit_made_anew_before_enrolment_voids_the_old_code(
    hub: OpenHub, make_kit: Callable[..., Kit], clock: FixedClock
) -> None:
    old, new = make_kit(), make_kit()
    assert old.code() != new.code()
    with hub.store.read() as db:
        stored = db.execute("SELECT enrol_code_hash FROM node_record").fetchone()[0]
    assert stored == enrolment.hash_code(new.code())


def test_a_station_in_service_gets_no_second_kit(hub: OpenHub, make_kit: Callable[..., Kit]) -> None:
    make_kit()
    with hub.store.write() as db:
        db.execute("UPDATE node_record SET public_key = x'00'")
    with pytest.raises(WrongState):
        make_kit()


def test_a_kit_folder_that_exists_is_never_overwritten(hub: OpenHub, tmp_path: Path, clock: FixedClock) -> None:
    (tmp_path / "mine").mkdir()
    wanted = station.NewStation("0100-1", "甘霖", "Ganlin", GANLIN, 8401)
    with pytest.raises(ConfigError):
        station.new_station(hub, wanted, tmp_path / "mine", clock)
    with hub.store.read() as db:
        assert db.execute("SELECT count(*) FROM node_record").fetchone()[0] == 0


def test_certify_without_a_request_says_what_is_missing(
    hub: OpenHub, make_kit: Callable[..., Kit], clock: FixedClock
) -> None:
    with pytest.raises(ConfigError):
        station.certify(hub, make_kit(), clock)


@pytest.mark.parametrize("content", [b"", b"S1E", b"S1E" + b"\x00" * 300, b"x" * 100_000])
def test_certify_refuses_a_request_that_is_not_one(
    content: bytes, hub: OpenHub, make_kit: Callable[..., Kit], clock: FixedClock
) -> None:
    kit = make_kit()
    kit.request_file.write_bytes(content)
    with pytest.raises(TownshipError) as caught:
        station.certify(hub, kit, clock)
    assert isinstance(caught.value, Refusal) and caught.value.code == "enrol_malformed"
    assert not kit.certificate_file.exists()
