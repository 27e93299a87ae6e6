# SPDX-License-Identifier: Apache-2.0
"""A person's page: what is known and as of when, contact changed in place, what can be done and why not."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from node import contacts
from node.station import Station
from schema import database, ids
from tests.node.conftest import Counter, add_person

Person = Callable[[str], bytes]


def contact(counter: Counter, person_id: bytes, **cells: str) -> str:
    counter.get(f"/persons/{person_id.hex()}?edit=contact")
    answer = counter.post(f"/persons/{person_id.hex()}/contact", cells)
    return counter.get(answer.headers["Location"]).text if answer.status_code == 302 else answer.text


def plain(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_everything_known_is_there_with_its_date(counter: Counter, person: Person) -> None:
    page = counter.get(f"/persons/{person('郑俊刚').hex()}").text
    words = plain(page)
    for known in (
        "甘霖镇 东王村",
        "0575-83270000",
        "农商银行",
        "尾号 4560",
        "418.35",
        "2026-10",
        "9,363.30",
        "居民养老 领取中",
    ):
        assert known in words, known
    assert page.count("截至 11-21 06:40") >= 4
    assert "6228580399001234560" not in page


def test_the_household_is_there_and_leads_to_its_members(counter: Counter, person: Person) -> None:
    page = counter.get(f"/persons/{person('张建国').hex()}").text
    assert f"/persons/{person('吕秀珍').hex()}" in page and f"/persons/{person('张伟').hex()}" in page
    assert f"/persons/{person('陈桂英').hex()}" not in page


def test_a_phone_changed_in_place_is_marked_with_the_hubs_value_below(counter: Counter, person: Person) -> None:
    page = contact(counter, person("张建国"), phone="138 5758 2046", address="张家路 4 号", address_village="")
    assert "已改好" in page
    assert re.search(r'class="edited"[^>]*><span class="private">138 5758 2046', page)
    assert re.search(r'hub-value">中心值 <span class="private">138 5758 2064', page)
    assert "本站另有 1 处修改未上报" in page


def test_only_the_changed_cell_is_written(counter: Counter, station: Station, person: Person) -> None:
    contact(counter, person("张建国"), phone="13857582046", address="张家路 4 号", address_village="")
    with station.store.read() as db:
        assert [edit["column"] for edit in contacts.unsent(db)] == ["phone"]


def test_saving_without_a_change_says_so_and_writes_nothing(counter: Counter, station: Station, person: Person) -> None:
    page = contact(counter, person("张建国"), phone="13857582064", address="张家路 4 号", address_village="")
    assert "内容没有变化" in page
    with station.store.read() as db:
        assert contacts.unsent(db) == []


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"phone": "1385758204"}, "手机号少一位"),
        ({"phone": "电话"}, "电话只能是数字"),
        ({"address": "长" * 121}, "最多 120 个字"),
        ({"phone": "1385758204", "address": "长" * 121}, "有 2 处要改"),
    ],
)
def test_a_wrong_value_comes_back_with_what_was_typed_and_nothing_is_written(
    counter: Counter, station: Station, person: Person, cells: dict[str, str], said: str
) -> None:
    counter.get(f"/persons/{person('张建国').hex()}?edit=contact")
    answer = counter.post(f"/persons/{person('张建国').hex()}/contact", cells)
    assert answer.status_code == 422 and said in answer.text
    assert all(value in answer.text for value in cells.values())
    with station.store.read() as db:
        assert contacts.unsent(db) == []


def test_what_can_be_done_has_digits_and_what_cannot_says_why(counter: Counter, person: Person) -> None:
    page = counter.get(f"/persons/{person('张建国').hex()}").text
    able = re.findall(r'href="/items/(\w+)\?[^"]*" data-digit="(\d)"', page)
    assert able[:2] == [("personal_data_change", "2"), ("resident_pension_claim", "3")]
    assert "名册里自 2012-01 起已参加居民养老" in page


def test_a_dead_person_is_marked_and_only_what_concerns_the_heirs_can_be_begun(
    counter: Counter, station: Station, person: Person
) -> None:
    with station.store.write() as db:
        db.execute("UPDATE person SET life_status = '2', died_on = '2026-11-01' WHERE id = ?", (person("张建国"),))
    page = counter.get(f"/persons/{person('张建国').hex()}").text
    able = set(re.findall(r'href="/items/(\w+)\?', page))
    assert "已去世 2026-11-01" in page and "death_grant" in able
    assert able.isdisjoint({"resident_pension_claim", "personal_data_change", "death_report", "payout_account_change"})


def test_a_conflict_shows_both_values_and_whose_was_not_used(
    counter: Counter, station: Station, person: Person
) -> None:
    row = {"tbl": "contact", "row_id": person("张建国"), "col": "phone", "kept": "13857582064", "lost": "13800000000"}
    more = {"kept_by": "0101-1", "lost_by": "0100-1", "found_at": "2026-11-20T02:00:00.000Z", "rev": 1}
    more |= {"kind": "cell", "rule": "H", "base": 0, "kept_version": 2, "lost_version": 2}
    with station.store.write() as db:
        database.insert(db, "conflict", {"id": ids.new_id(), **row, **more})
    words = plain(counter.get(f"/persons/{person('张建国').hex()}").text)
    assert "手机两处都改过，现在用 138 5758 2064 没有采用 0100-1 的 138 0000 0000" in words


def test_somebody_with_nothing_on_record_has_a_page_that_says_so(counter: Counter, person: Person) -> None:
    words = plain(counter.get(f"/persons/{person('吕秀珍').hex()}").text)
    assert "本站名册里没有参保记录" in words and "还没有月结记录" in words and "未登记" in words


def looks(station: Station) -> list[tuple[str, str]]:
    with station.store.read() as db:
        return [(row["operator_no"], row["via"]) for row in db.execute("SELECT * FROM person_opened ORDER BY at")]


def test_every_look_at_a_person_is_noted_with_who_and_from_where(
    counter: Counter, colleague: Counter, station: Station, person: Person
) -> None:
    zhang, gang = person("张建国").hex(), person("郑俊刚").hex()
    hits = counter.post("/search", {"q": "zjg"}, headers={"HX-Request": "true"}).text
    assert f"/persons/{zhang}?via=search" in hits
    counter.get(f"/persons/{zhang}?via=search")
    counter.get(f"/persons/{zhang}?year=2026")  # turning the page's parts over is one look
    counter.get(f"/persons/{gang}?via=card")
    colleague.get(f"/persons/{zhang}?via=<script>")
    counter.get(f"/persons/{zhang}")
    assert sorted(looks(station)) == [("3007", "page"), ("3012", "card"), ("3012", "page"), ("3012", "search")]


def test_looking_for_nobody_notes_nothing(counter: Counter, station: Station) -> None:
    assert counter.get(f"/persons/{'00' * 16}").status_code == 404
    assert looks(station) == []


def test_monthly_lines_are_turned_by_the_year_with_its_sums(
    counter: Counter, station: Station, person: Person
) -> None:
    gang = person("郑俊刚")
    line = {"person_id": gang, "insurance": "resident_pension", "contribution_fen": 0, "subsidy_fen": 0, "rev": 1}
    with station.store.write() as db:
        more = {"benefit_fen": 30_000, "from_account_fen": 0, "balance_fen": 0, "month": "2025-12"}
        database.insert(db, "statement", line | more)
    newest = plain(counter.get(f"/persons/{gang.hex()}").text)
    assert "2026 年合计" in newest and "836.70" in newest and "2025-12" not in newest
    older = plain(counter.get(f"/persons/{gang.hex()}?year=2025").text)
    assert "2025 年合计 0.00 0.00 300.00" in older and "2026-10-10" not in older
    assert "2026 年合计" in plain(counter.get(f"/persons/{gang.hex()}?year=1999").text)


def test_work_training_visits_and_cards_have_their_blocks(counter: Counter, station: Station, person: Person) -> None:
    zhang, case = person("张建国"), ids.new_id()
    own = {"person_id": zhang, "case_id": case, "rev": 1}
    unit = {"id": b"u" * 16, "uscc": "91330683MA2XXXXX09", "name": "嵊州市兴达领带厂", "township": "330683100"}
    job = {"person_id": zhang, "unit_id": b"u" * 16, "wage_fen": 512_300, "began_month": "2020-01", "rev": 1}
    idle = {"reason": "left", "left_on": "2019-06-30", "registered_on": "2019-07-02", "ended_on": "2020-01-01"}
    lesson = {"course": "养老护理", "place": "甘霖", "township": "330683100", "begins_on": "2026-12-01", "rev": 1}
    lesson |= {"ends_on": "2026-12-20", "sign_up_until": "2026-11-28", "hours": 40, "seats": 30, "seats_taken": 1}
    with station.store.write() as db:
        database.insert(db, "unit", unit | {"rev": 1})
        database.insert(db, "employment", {"id": ids.new_id()} | job)
        database.insert(db, "unemployment_spell", {"id": ids.new_id(), **own, **idle})
        database.insert(db, "training_class", {"id": b"t" * 16, "state": "open"} | lesson)
        seat = {"class_id": b"t" * 16, "state": "given", "given_on": "2026-11-20"}
        database.insert(db, "training_seat", {"id": ids.new_id()} | own | seat)
        visit = {"visited_on": "2026-11-11", "way": "home", "found": "well", "station": "0100-1"}
        database.insert(db, "visit", {"id": ids.new_id()} | own | visit)
        card = {"card_no": "A12345678", "state": "lost", "since": "2026-11-20", "bank": "农商银行"}
        database.insert(db, "card", {"id": ids.new_id()} | own | card)
        database.insert(db, "job_seeker", {"id": zhang, "looking": "yes", "wish_skills": "裁剪"})
    page = counter.get(f"/persons/{zhang.hex()}").text
    words = plain(page)
    for known in ("嵊州市兴达领带厂", "5,123.00", "失业登记", "2019-07-02", "养老护理", "2026-11-11", "A12345678"):
        assert known in words, known
    assert "裁剪" in words and f"/units/{(b'u' * 16).hex()}" in page


def test_doubts_about_who_it_is_stand_first(counter: Counter, station: Station, person: Person) -> None:
    assert "办之前请留意" not in counter.get(f"/persons/{person('张建国').hex()}").text
    with station.store.write() as db:
        add_person(db, "33012719650812991", "张建国", "330683100203")
        twin = add_person(db, "33068319650812001", "张建囯", "330683100203")
    words = plain(counter.get(f"/persons/{person('张建囯').hex()}").text)
    assert "身份证号相同，名册里还有一人： 张建国" in words and twin
    assert "可能重复登记： 张建国" in plain(counter.get(f"/persons/{person('张建国').hex()}").text)
