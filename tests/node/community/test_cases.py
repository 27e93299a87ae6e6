# SPDX-License-Identifier: Apache-2.0
"""The township's own items at the counter: what is true at once offline, what is urgent, who sees what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from node import cases, unsent
from node.cases import Submitted
from node.station import Station
from schema import database, events, ids
from schema.effects_work import vacancy_id
from schema.web.door import Officer
from tests.node.conftest import Counter

Clerk = tuple[Officer, Ed25519PrivateKey]
Person = Callable[[str], bytes]
Take = Callable[..., Submitted]
COMPLAINT = {
    "anonymous": "yes", "unit_name": "某服装厂", "matter": "wages", "happened_on": "2026-10-31", "facts": "没有发工资",
}  # fmt: skip


@pytest.fixture
def take(station: Station, clerk: Clerk, person: Person) -> Take:
    """`take(item, "张伟", *papers, answer=...)` saves and submits one case."""

    def submit(service: str, whom: str | None, *papers: str, **answers: str) -> Submitted:
        case_id, item = ids.new_id(), station.desk.service(service)
        about = person(whom) if whom else None
        cases.save(station.desk, case_id, item, cases.trim(item, answers, list(papers)), clerk[0], about)
        return cases.submit(station.desk, case_id, *clerk)

    return submit


def rows(station: Station, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    with station.store.read() as db:
        return [tuple(row) for row in db.execute(sql, values)]


def test_a_wish_is_in_the_list_at_once_and_waits_to_be_sent(station: Station, take: Take, person: Person) -> None:
    done = take("job_seeker_registration", "张伟", "id_card", wish_job="welding", wish_wage_yuan="6000")
    assert done.receipt_no
    assert rows(station, "SELECT id, looking, wish_job, wish_wage_yuan FROM job_seeker") == [
        (person("张伟"), "yes", "welding", "6000")
    ]
    with station.store.read() as db:
        waiting = {item.what: item.name for item in unsent.items(db)}
    assert {"looking", "wish_job", "wish_wage_yuan"} <= waiting.keys()
    assert waiting["wish_job"] == "张伟"


def test_a_vacancy_of_an_employer_who_is_not_registered_is_in_the_list_at_once(station: Station, take: Take) -> None:
    done = take(
        "vacancy_registration", None, "licence", name="阿芳小吃店", uscc="91330683MA2XXXXX09", asked_for="阿芳",
        employer_phone="13857580000", job="waiter", job_title="服务员", places="1", wage_from_yuan="3800",
    )  # fmt: skip
    assert [f.zh for f in done.findings] == [] and done.receipt_no
    found = rows(station, "SELECT id, employer, vacancy_open, job_township FROM vacancy")
    assert found == [(vacancy_id(done.case_id), "阿芳小吃店", "yes", "330683100")]
    with station.store.read() as db:
        assert {i.name for i in unsent.items(db) if i.what == "job_title"} == {"服务员"}


def test_work_in_the_register_waits_for_the_hub(station: Station, take: Take) -> None:
    take("unemployment_registration", "张伟", "id_card", left_on="2026-11-10", reason="resigned", wants_work="no")
    assert rows(station, "SELECT * FROM unemployment_spell") == []


def test_a_lost_card_is_provisional_and_goes_first(station: Station, take: Take) -> None:
    done = take("card_loss", "张伟", card_no="A00123456", reason="lost")
    with station.store.read() as db:
        (fact,) = events.of_subject(db, done.case_id)
    assert fact.body["legal"] == "provisional"
    assert cases.is_urgent(station.desk, fact)


def test_nobody_stands_in_an_anonymous_complaint(station: Station, take: Take) -> None:
    done = take("complaint_report", None, **COMPLAINT)
    with station.store.read() as db:
        (fact,) = events.of_subject(db, done.case_id)
    assert (fact.body["person_id"], fact.body["person_name"]) == (None, None)
    assert rows(station, "SELECT person_name FROM case_file WHERE id = ?", done.case_id) == [(None,)]


def test_only_who_took_a_complaint_opens_it(take: Take, counter: Counter, colleague: Counter) -> None:
    done = take("complaint_report", None, **COMPLAINT)
    assert "某服装厂" in counter.get(f"/cases/{done.case_id.hex()}").text
    for path in (f"/cases/{done.case_id.hex()}", f"/cases/{done.case_id.hex()}/slip/1"):
        answer = colleague.get(path)
        assert answer.status_code == 403 and "某服装厂" not in answer.text, path
    assert colleague.get("/cases").status_code == 200


def test_the_slip_of_a_complaint_says_nothing_of_it(take: Take, counter: Counter) -> None:
    done = take("complaint_report", None, **COMPLAINT)
    counter.get(f"/cases/{done.case_id.hex()}")
    issued = counter.post(f"/cases/{done.case_id.hex()}/slip")
    slip = counter.get(issued.headers["Location"])
    assert slip.status_code == 200 and done.receipt_no and done.receipt_no in slip.text
    assert "某服装厂" not in slip.text


def test_a_class_is_chosen_from_the_list_with_the_seats_left(
    station: Station, counter: Counter, person: Person
) -> None:
    class_id = ids.new_id()
    with station.store.write() as db:
        database.insert(db, "training_class", {
            "id": class_id, "course": "养老护理员", "place": "培训中心", "township": "330683001",
            "begins_on": "2026-12-10", "ends_on": "2026-12-25", "sign_up_until": "2026-12-05", "hours": 80, "seats": 30,
            "seats_taken": 12, "state": "open", "rev": 1,
        })  # fmt: skip
    page = counter.get(f"/items/training_enrolment?person={person('张伟').hex()}").text
    assert f'<option value="{class_id.hex()}"' in page and "余 18 名" in page
