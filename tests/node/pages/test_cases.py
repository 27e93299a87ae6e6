# SPDX-License-Identifier: Apache-2.0
"""Cases and slips at the pages: true states, one original and marked copies, correction and withdrawal."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from node import cases
from node.cases import Submitted
from node.station import Station
from schema import database, events, ids
from schema.clock import FixedClock
from tests.node.conftest import ENROLMENT, PAPERS, STATION, Counter

Enrol = Callable[..., Submitted]


def hub_says(station: Station, done: Submitted, state: str, **more: object) -> None:
    row = {
        "case_id": done.case_id, "station": STATION, "service": "resident_pension_enrolment",
        "receipt_no": done.receipt_no, "state": state,
        "received_at": "2026-11-23T02:00:00.000Z", "due_on": "2026-12-07", "rev": 2, **more,
    }  # fmt: skip
    with station.store.write() as db:
        database.upsert(db, "case_state", row)


def plain(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


# The list and the case


def test_the_list_shows_the_hubs_state_and_claims_none_before_the_hub_has_the_case(
    counter: Counter, station: Station, enrol: Enrol
) -> None:
    done = enrol()
    assert "已提交" not in counter.get("/cases").text
    hub_says(station, done, "reviewed")
    page = counter.get("/cases?show=open").text
    assert "已复核" in page and "2026-12-07" in page


def test_filters_by_state_and_by_officer(counter: Counter, colleague: Counter, station: Station, enrol: Enrol) -> None:
    done = enrol()
    hub_says(station, done, "paid")
    shown = {
        show: done.receipt_no in counter.get(f"/cases?show={show}").text for show in ("all", "open", "done", "ended")
    }
    assert shown == {"all": True, "open": False, "done": True, "ended": False}
    assert done.receipt_no not in colleague.get("/cases?mine=1").text


def test_a_returned_case_says_why_what_is_missing_and_opens_for_correction(
    counter: Counter, station: Station, enrol: Enrol
) -> None:
    done = enrol()
    hub_says(station, done, "returned", reason="户口簿看不清", result='{"missing":["household_book"]}')
    page = counter.get(f"/cases/{done.case_id.hex()}").text
    assert "户口簿看不清" in page and "还缺：户口簿本人页" in plain(page) and "补正并重新提交" in page
    form = counter.get(f"/drafts/{done.case_id.hex()}")
    assert form.status_code == 200 and "提交补正" in form.text and "放弃" not in form.text
    assert "中心退回补正 户口簿看不清 还缺：户口簿本人页" in plain(form.text)
    sent = ENROLMENT | {"service": "resident_pension_enrolment", "person": "", "materials": PAPERS, "do": "submit"}
    assert counter.post(f"/drafts/{done.case_id.hex()}", sent).status_code == 302
    with station.store.read() as db:
        assert [f.kind for f in events.of_subject(db, done.case_id)] == ["case_submitted", "case_resubmitted"]
    assert "补正后重新提交" in counter.get(f"/cases/{done.case_id.hex()}").text


def test_a_result_is_shown_with_its_amounts(counter: Counter, station: Station, enrol: Enrol) -> None:
    done = enrol()
    result = '{"lines":[["基础养老金","Basic pension",35000]],"total_fen":48094}'
    hub_says(station, done, "effective", result=result)
    words = plain(counter.get(f"/cases/{done.case_id.hex()}").text)
    assert "基础养老金 350.00" in words and "480.94" in words


def test_withdrawing_needs_a_reason_and_is_signed(counter: Counter, station: Station, enrol: Enrol) -> None:
    done = enrol()
    path = f"/cases/{done.case_id.hex()}"
    counter.get(path)
    refused = counter.post(f"{path}/withdraw", {"reason": "  "})
    assert refused.status_code == 422 and "请写明申请人为什么撤回" in refused.text
    assert counter.post(f"{path}/withdraw", {"reason": "去外地了"}).status_code == 302
    page = counter.get(path).text
    assert "已撤回" in page and "理由：去外地了" in page and "撤回原因" not in page


def test_a_decided_case_cannot_be_withdrawn(counter: Counter, station: Station, enrol: Enrol) -> None:
    done = enrol()
    hub_says(station, done, "effective")
    page = counter.get(f"/cases/{done.case_id.hex()}").text
    assert "撤回原因" not in page
    assert counter.post(f"/cases/{done.case_id.hex()}/withdraw", {"reason": "不办了"}).status_code == 409


# Slips


@pytest.fixture
def slip(counter: Counter, enrol: Enrol) -> Callable[[], str]:
    """Print one more copy of the same case's slip."""
    done = enrol()

    def again() -> str:
        counter.get(f"/cases/{done.case_id.hex()}")
        where = counter.post(f"/cases/{done.case_id.hex()}/slip").headers["Location"]
        return counter.get(where).text

    return again


def test_the_slip_says_what_is_true_and_no_more_about_a_person_than_needed(slip: Callable[[], str]) -> None:
    page = slip()
    words = plain(page)
    for true in ("0100-1-26-000401-9", "陈*英", "0429", "2026 年 11 月 23 日 09:00", "暂定，待县中心确认",
                 "158****1162", "居民身份证", "每年 1,000 元", "…4560", "王丽萍（工号 3012）",
                 "0575-00000000"):  # fmt: skip
        assert true in words, true
    for private in ("陈桂英", "15857501162", "330683198111030429", "6228580399001234560"):
        assert private not in page, private
    assert 'class="legal-box provisional"' in page


def test_the_first_print_is_the_slip_and_every_later_one_is_a_marked_and_logged_copy(
    slip: Callable[[], str], station: Station, clock: FixedClock
) -> None:
    first = slip()
    clock.advance(minutes=5)
    second = slip()
    assert "第 1 份" in first and "<b>副本</b>" not in first
    assert "<b>副本</b>" in second and "第 1 次补打" in second and "09:05" in second
    with station.store.read() as db:
        rows = db.execute("SELECT copy, operator_no FROM print_log ORDER BY copy").fetchall()
    assert [tuple(row) for row in rows] == [(1, "3012"), (2, "3012")]


def test_a_slip_says_the_last_legal_day_as_far_as_it_can_be_promised(
    counter: Counter, station: Station, enrol: Enrol, clock: FixedClock
) -> None:
    done = enrol()
    where = f"/cases/{done.case_id.hex()}/slip"
    counter.get(f"/cases/{done.case_id.hex()}")
    counter.post(where)
    before = "中心今天收到的话，最晚 2026 年 12 月 7 日。"
    assert before in plain(counter.get(f"{where}/1").text)
    clock.advance(minutes=90)
    hub_says(station, done, "accepted")  # received at 10:00, due on 2026-12-07
    counter.get(f"/cases/{done.case_id.hex()}")
    counter.post(where)
    assert "中心 2026 年 11 月 23 日 收到，最晚 2026 年 12 月 7 日。" in plain(counter.get(f"{where}/2").text)
    assert before in plain(counter.get(f"{where}/1").text), "a copy goes on saying what it said"


def test_a_last_day_in_a_year_without_announced_holidays_is_marked(
    counter: Counter, enrol: Enrol, clock: FixedClock
) -> None:
    clock.advance(days=31)
    done = enrol()
    counter.get(f"/cases/{done.case_id.hex()}")
    counter.post(f"/cases/{done.case_id.hex()}/slip")
    page = plain(counter.get(f"/cases/{done.case_id.hex()}/slip/1").text)
    assert "最晚 2027 年 1 月 8 日（2027 年放假安排公布前的推算）。" in page


def test_a_final_slip_names_no_further_steps(
    counter: Counter, station: Station, clerk: tuple, person: Callable[[str], bytes]
) -> None:
    item, case_id = station.desk.service("personal_data_change"), ids.new_id()
    given = cases.trim(item, {"phone": "13857582046", "address": "张家路 4 号"}, ["id_card"])
    cases.save(station.desk, case_id, item, given, clerk[0], person("张建国"))
    cases.submit(station.desk, case_id, *clerk)
    counter.get(f"/cases/{case_id.hex()}")
    slip = counter.get(counter.post(f"/cases/{case_id.hex()}/slip").headers["Location"]).text
    assert 'class="legal-box final"' in slip and "不用再来" in slip and "审批" not in slip and "批准以后" not in slip


def test_a_slip_of_the_small_hours_bears_the_civil_day(
    station: Station, clock: FixedClock, enrol: Enrol, colleague: Counter
) -> None:
    clock.advance(hours=-2)  # 07:00 in China, the day before by universal time
    done = enrol()
    where = colleague.post(f"/cases/{done.case_id.hex()}/slip").headers["Location"]
    assert "2026 年 11 月 23 日 07:00" in plain(colleague.get(where).text)


def test_the_code_on_the_slip_is_a_picture_of_the_check_address(slip: Callable[[], str]) -> None:
    page = slip()
    assert re.search(r'<div class="qr".*?<svg viewBox="0 0 \d+ \d+".*?</svg>', page, re.DOTALL)
    code = re.search(r'class="code">([2-9A-Z]{4}-[2-9A-Z]{2})<', page)
    assert code
    assert "hub" not in plain(page)


def test_a_copy_that_was_never_printed_does_not_exist(counter: Counter, enrol: Enrol) -> None:
    done = enrol()
    assert counter.get(f"/cases/{done.case_id.hex()}/slip/1").status_code == 404
    assert counter.get(f"/cases/{done.case_id.hex()}/slip/x").status_code == 404


def test_a_slip_stays_as_signed_when_the_case_is_corrected(
    counter: Counter, station: Station, clerk: tuple, enrol: Enrol, slip: Callable[[], str]
) -> None:
    before = slip()
    with station.store.read() as db:
        case_id = bytes(db.execute("SELECT id FROM case_file WHERE receipt_no IS NOT NULL").fetchone()[0])
    done = Submitted(case_id, "0100-1-26-000401-9")
    hub_says(station, done, "returned")
    item = station.desk.service("resident_pension_enrolment")
    cases.save(station.desk, case_id, item, cases.trim(item, ENROLMENT | {"grade": "500"}, PAPERS), clerk[0], None)
    cases.submit(station.desk, case_id, *clerk)
    code = re.search(r'class="code">([^<]+)<', before)
    after = slip()
    assert code and code[1] in after and "每年 1,000 元" in after
