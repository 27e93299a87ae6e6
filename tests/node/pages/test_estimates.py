# SPDX-License-Identifier: Apache-2.0
"""Estimates at the counter: filled from the register, worked out on the page, marked as what they are."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from node.station import Station
from schema import database
from schema.what_if import TOPICS
from tests.node.conftest import Counter

Person = Callable[[str], bytes]


def cells(page: str) -> list[str]:
    """The figures of the result, row by row."""
    table = page.split("<tbody>")[1].split("</tbody>")[0]
    return [re.sub("<[^>]*>", "", cell) for cell in re.findall("<t[dh][^>]*>(.*?)</t[dh]>", table)]


def test_a_person_is_estimated_from_the_register_without_typing(counter: Counter, person: Person) -> None:
    zhang = person("张建国").hex()
    assert f"/estimates/?person={zhang}" in counter.get(f"/persons/{zhang}").text
    page = counter.get(f"/estimates/resident?person={zhang}").text
    # Born in 1965: reached 60 long ago, 178 months paid, so two months are missing for a monthly pension.
    assert 'value="1965-08-12"' in page and 'value="178"' in page and 'value="18200"' in page
    assert "年限不够" in page
    page = counter.post(
        f"/estimates/resident?person={zhang}", {"birth_on": "1965-08-12", "paid_months": "180", "balance": "18200"}
    ).text
    assert cells(page)[:9] == ["100.00", "30.00", "0", "18,200.00", "350.00", "130.94", "0.00", "2026-11", "480.94"]


def test_the_page_says_that_it_is_provisional_and_which_values_nobody_verified(counter: Counter) -> None:
    counter.get("/estimates/unemployment")
    page = counter.post("/estimates/unemployment", {"registered_on": "2026-11-10", "paid_months": "60"}).text
    assert cells(page) == ["8", "0", "2026-11", "2027-06", "1,944.00", "15,552.00"]
    for words in (
        "试算结果，不是核定",
        "最低月工资 × 比例",
        "社会保险法 四十七",
        "2,430.00 元",
        "待核实",
        "已核实",
        "规则包",
    ):
        assert words in page


def test_contributions_are_worked_out_for_nobody_in_particular(counter: Counter) -> None:
    counter.get("/estimates/contribution")
    page = counter.post("/estimates/contribution", {"way": "employee", "wage": "7200", "injury_class": "3"}).text
    assert cells(page)[:6] == ["职工养老", "7,200.00", "1,152.00", "576.00", "576.00", "1,728.00"]
    assert cells(page)[-1] == "2,390.40"


def test_faults_are_told_together_beside_their_fields(counter: Counter) -> None:
    counter.get("/estimates/employee")
    page = counter.post("/estimates/employee", {"birth_on": "1990", "index": "0"}).text
    for field in ("birth_on", "group", "base", "index", "paid_months", "balance"):
        assert f'id="e-{field}"' in page
    assert "<tbody>" not in page


@pytest.mark.parametrize("topic", TOPICS)
def test_every_topic_opens_in_both_languages_with_and_without_a_person(
    counter: Counter, station: Station, person: Person, topic: str
) -> None:
    gang = person("郑俊刚")
    with station.store.write() as db:
        job = {"id": b"j" * 16, "person_id": gang, "unit_id": b"u" * 16, "wage_fen": 720_000, "rev": 1}
        database.insert(db, "employment", job | {"began_month": "2020-01"})
    for path in (f"/estimates/{topic}", f"/estimates/{topic}?person={gang.hex()}"):
        for lang in ("zh", "en"):
            counter.get(f"/lang/{lang}?next=/")
            answer = counter.get(path)
            assert answer.status_code == 200 and TOPICS[topic].title[lang] in answer.text


def test_a_topic_that_does_not_exist_is_no_such_page(counter: Counter) -> None:
    assert counter.get("/estimates/lottery").status_code == 404
    assert counter.get("/estimates/").status_code == 302
