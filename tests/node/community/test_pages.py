# SPDX-License-Identifier: Apache-2.0
"""Pages of the township's own work: a person is sent to the job that fits; what is due is listed."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from node import contacts
from node.station import Station
from schema import database, ids
from tests.node.conftest import Counter

Person = Callable[[str], bytes]
FITS = {
    "vacancy_open": "yes", "employer": "永顺电机厂", "job": "motor_assembly", "job_title": "装配工", "places": "2",
    "wage_from_yuan": "5000", "wage_to_yuan": "6500", "job_township": "330683100", "employer_phone": "0575-83012345",
}  # fmt: skip


@pytest.fixture
def vacancy(station: Station) -> Callable[..., bytes]:
    """`vacancy(job_title=...)` is the id of a job on offer."""

    def put(**cells: str) -> bytes:
        row_id = ids.new_id()
        with station.store.write() as db:
            contacts.change(db, row_id, FITS | cells, "3012", station.clock, "vacancy")
        return row_id

    return put


@pytest.fixture
def seeker(station: Station, person: Person) -> Callable[..., bytes]:
    """`seeker("张伟", wish_job=...)` looks for work."""

    def put(name: str, **cells: str) -> bytes:
        with station.store.write() as db:
            wish = {"looking": "yes", "wish_job": "motor_assembly", "wish_wage_yuan": "5000"} | cells
            contacts.change(db, person(name), wish, "3012", station.clock, "job_seeker")
        return person(name)

    return put


Put = Callable[..., bytes]


def rows(station: Station, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    with station.store.read() as db:
        return [tuple(row) for row in db.execute(sql, values)]


def test_the_jobs_that_fit_are_listed_best_first_with_their_reasons(
    counter: Counter, seeker: Put, vacancy: Put
) -> None:
    seeker("张伟")
    vacancy(job_title="包装工", job="packing")
    vacancy()
    page = counter.get("/community/jobs").text
    assert page.index("<b>装配工</b>") < page.index("<b>包装工</b>")
    for words in ("就是想做的工作", "相近的工作", "起薪 5000 元，达到期望", "在户籍乡镇，离家近"):
        assert words in page


def test_the_people_who_fit_a_job_are_listed_too(counter: Counter, seeker: Put, vacancy: Put) -> None:
    seeker("张伟"), seeker("陈桂英", wish_job="cook")
    page = counter.get(f"/community/jobs/vacancies/{vacancy().hex()}").text
    matched = page[page.index('class="fits"'):]
    assert "张伟" in matched and "陈桂英" not in matched


def test_a_referral_is_one_case_with_its_letter_however_often_it_is_sent(
    station: Station, counter: Counter, seeker: Put, vacancy: Put
) -> None:
    who, job = seeker("张伟"), vacancy()
    page = counter.get("/community/jobs").text
    action = re.search(r'action="(/community/jobs/refer/[0-9a-f]{32})"', page)
    assert action
    for _ in range(2):
        sent = counter.post(action[1], {"person": who.hex(), "vacancy": job.hex()})
        assert sent.status_code == 303 and "/slip/1" in sent.headers["Location"]
    letter = counter.get(sent.headers["Location"]).text
    assert "永顺电机厂" in letter and "装配工" in letter
    assert len(rows(station, "SELECT id FROM case_file WHERE service = 'job_referral'")) == 1
    assert "已推荐" in counter.get("/community/jobs").text


def test_a_filled_job_is_offered_to_nobody(station: Station, counter: Counter, seeker: Put, vacancy: Put) -> None:
    who, job = seeker("张伟"), vacancy()
    counter.get(f"/community/jobs/vacancies/{job.hex()}")
    assert counter.post(f"/community/jobs/vacancies/{job.hex()}/close").status_code == 303
    assert "装配工" not in counter.get(f"/community/jobs/seekers/{who.hex()}").text
    refused = counter.post(f"/community/jobs/refer/{ids.new_id().hex()}", {"person": who.hex(), "vacancy": job.hex()})
    assert "不招了" in counter.get(refused.headers["Location"]).text
    assert rows(station, "SELECT id FROM case_file") == []


def test_who_no_longer_looks_for_work_or_whose_registration_ended_is_not_listed(counter: Counter, seeker: Put) -> None:
    seeker("张伟", looking="no"), seeker("陈桂英", wish_until_on="2026-11-01")
    page = counter.get("/community/jobs").text
    assert "张伟" not in page and "陈桂英" not in page


def test_classes_show_the_seats_left_and_who_of_here_has_one(
    station: Station, counter: Counter, person: Person
) -> None:
    class_id = ids.new_id()
    with station.store.write() as db:
        database.insert(db, "training_class", {
            "id": class_id, "course": "养老护理员", "place": "培训中心", "township": "330683100",
            "begins_on": "2026-12-10", "ends_on": "2026-12-25", "sign_up_until": "2026-12-05", "hours": 80, "seats": 30,
            "seats_taken": 30, "state": "open", "rev": 1,
        })  # fmt: skip
        database.insert(db, "training_seat", {
            "id": ids.new_id(), "person_id": person("张伟"), "class_id": class_id, "state": "waiting",
            "given_on": "2026-11-20", "case_id": ids.new_id(), "rev": 1,
        })  # fmt: skip
        late = {"begins_on": "2026-11-20", "sign_up_until": "2026-11-15", "seats_taken": 3, "course": "电工"}
        row = dict(db.execute("SELECT * FROM training_class").fetchone()) | late
        database.insert(db, "training_class", row | {"id": ids.new_id()})
    page = counter.get("/community/training").text
    assert "已满，可候补" in page and "张伟" in page and "候补" in page
    assert page.index("养老护理员") < page.index("电工") < page.index("停止报名") and "余 27" not in page


def test_a_visit_is_due_on_the_day_agreed_and_gone_from_the_list_once_it_was_made(
    station: Station, counter: Counter, person: Person
) -> None:
    with station.store.write() as db:
        contacts.change(db, person("郑俊刚"), {"next_visit_on": "2026-11-20"}, "3012", station.clock, "visit_note")
    assert "郑俊刚" in counter.get("/community/visits").text
    with station.store.write() as db:
        database.insert(db, "visit", {
            "id": ids.new_id(), "person_id": person("郑俊刚"), "visited_on": "2026-11-20", "way": "home",
            "found": "well", "station": "0100-1", "case_id": ids.new_id(), "rev": 1,
        })  # fmt: skip
    assert "郑俊刚" not in counter.get("/community/visits").text


def test_the_old_whom_nobody_saw_for_half_a_year_are_due_without_an_agreed_day(counter: Counter) -> None:
    page = counter.get("/community/visits").text
    assert "郑俊刚" in page, "71 years old, draws a pension, never visited"
    assert "张建国" not in page, "draws nothing"


@pytest.mark.parametrize(
    ("typed", "title"),
    [("失业金几个月", "失业金最长领几个月"), ("工伤认定", "工伤认定什么时候申请"), ("挂失", "社保卡丢了怎么办"),
     ("我辞职了能不能领失业金", "谁可以领失业保险金"), ("retire", "职工几岁退休")],
)  # fmt: skip
def test_an_answer_is_found_by_the_words_people_use(counter: Counter, typed: str, title: str) -> None:
    page = counter.get("/community/library", query_string={"q": typed}).text
    found = re.findall(r'class="it"[^>]*><b>([^<]+)</b>', page)
    assert title in found[:3]


def test_an_article_shows_its_law_and_says_when_nobody_has_checked_it(counter: Counter) -> None:
    checked = counter.get("/community/library/unemployment-months").text
    assert "社会保险法 四十六" in checked and "24 个月" in checked and "还没有对照原文" not in checked
    assert "还没有对照原文" in counter.get("/community/library/complaint-time").text
    assert counter.get("/community/library/no-such").status_code == 404
