# SPDX-License-Identifier: Apache-2.0
"""A unit's page: who it is, its roster page by page, and what an empty roster means."""

from __future__ import annotations

import pytest

from node import units
from node.station import Station
from schema import database, ids
from tests.node.conftest import Counter, add_person

UNIT = b"u" * 16


@pytest.fixture
def unit(station: Station) -> bytes:
    row = {"uscc": "91330683MA2XXXXX09", "name": "嵊州市兴达领带厂", "township": "330683100", "rev": 1}
    with station.store.write() as db:
        database.insert(db, "unit", {"id": UNIT} | row)
    return UNIT


def employ(station: Station, count: int, ended: str | None = None) -> None:
    """So many people at the unit, at 5,000 yuan each."""
    with station.store.write() as db:
        for n in range(count):
            person_id = add_person(db, f"330683197{len(ended or '')}0101{n:03d}", f"职工{n:03d}", "330683100201")
            row = {"id": ids.new_id(), "person_id": person_id, "unit_id": UNIT, "wage_fen": 500_000, "rev": 1}
            database.insert(db, "employment", row | {"began_month": "2020-01", "ended_month": ended})


def test_a_unit_hit_leads_to_its_page(counter: Counter, unit: bytes) -> None:
    page = counter.post("/search", {"q": "兴达"}, headers={"HX-Request": "true"}).text
    assert f"/units/{unit.hex()}" in page and "91330683MA2XXXXX09" in page
    assert f"/units/{unit.hex()}" in counter.post("/search", {"q": "兴达"}).text
    assert "嵊州市兴达领带厂" in counter.get(f"/units/{unit.hex()}").text


def test_only_persons_are_offered_when_an_item_asks_for_whom(counter: Counter, unit: bytes) -> None:
    asked = "/search?item=resident_pension_enrolment"
    assert "/units/" not in counter.post(asked, {"q": "兴达"}, headers={"HX-Request": "true"}).text


def test_the_roster_is_turned_page_by_page_those_who_work_there_first(
    counter: Counter, station: Station, unit: bytes
) -> None:
    employ(station, 2, ended="2024-12")
    employ(station, units.ROSTER_PAGE)
    first = counter.get(f"/units/{unit.hex()}").text
    second = counter.get(f"/units/{unit.hex()}?page=2").text
    assert first.count("2020-01 ～ ") == units.ROSTER_PAGE and "2024-12" not in first
    assert second.count("2020-01 ～ 2024-12") == 2 and 'rel="prev"' in second
    assert "在职 50 人" in first and "250,000.00" in first and "本站看得到 52 人" in first


def test_an_empty_roster_says_what_it_means_and_an_unknown_unit_is_no_page(counter: Counter, unit: bytes) -> None:
    page = counter.get(f"/units/{unit.hex()}").text
    assert "没有人在这家单位参保" in page and "截至 11-21 06:40" in page
    assert counter.get(f"/units/{'00' * 16}").status_code == 404


def test_its_cases_and_jobs_on_offer_stand_beside_the_roster(counter: Counter, station: Station, unit: bytes) -> None:
    assert "本站没有办过这家单位的件" in counter.get(f"/units/{unit.hex()}").text
    case = {"service": "personal_data_change", "service_version": 1, "pack": "0" * 64, "unit_id": unit}
    case |= {"state": "submitted", "legal": "received", "operator_no": "3012", "receipt_no": "0100-1-26-000401-1"}
    case |= {"created_at": "2026-11-23T01:00:00.000Z", "answers": "{}", "materials": "[]", "findings": "[]"}
    job = {"employer_code": "91330683MA2XXXXX09", "job_title": "缝纫工", "places": "3", "vacancy_open": "yes"}
    with station.store.write() as db:
        database.insert(db, "case_file", {"id": ids.new_id()} | case)
        database.insert(db, "vacancy", {"id": ids.new_id()} | job)
        database.insert(db, "vacancy", {"id": ids.new_id()} | job | {"job_title": "已招满", "vacancy_open": "no"})
    page = counter.get(f"/units/{unit.hex()}").text
    assert "0100-1-26-000401-1" in page and "缝纫工" in page and "已招满" not in page
