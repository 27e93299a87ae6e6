# SPDX-License-Identifier: Apache-2.0
"""Papers at the counter: each is logged before it is seen, says which copy it is, and shows what the register holds."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from node import cases, prints
from node.cases import Submitted
from node.station import Station
from schema import database, events, ids, packs, rulebook
from schema.clock import FixedClock, stamp
from schema.slip import check_code
from schema.subject import Subject
from tests.documents import boxes
from tests.node.conftest import ENROLMENT, STATION, Counter, number_of
from tests.packing import edited

Person = Callable[[str], bytes]


@pytest.fixture
def decided(station: Station, enrol: Callable[..., Submitted]) -> Callable[..., bytes]:
    """`decided("rejected", reason=...)`: a case with the hub's word on it."""

    def make(state: str, **said: Any) -> bytes:
        done = enrol()
        word = {"station": STATION, "service": "resident_pension_enrolment", "receipt_no": done.receipt_no, "rev": 2}
        at = {"received_at": "2026-11-23T02:00:00.000Z", "decided_at": "2026-11-24T02:00:00.000Z"}
        with station.store.write() as db:
            database.insert(db, "case_state", word | at | {"case_id": done.case_id, "state": state} | said)
        return done.case_id

    return make


def printed(counter: Counter, document: str, subject: bytes, **form: str) -> str:
    """Print a paper as the button does; the sheet."""
    counter.get("/")
    answer = counter.post(f"/prints/new/{document}/{subject.hex()}", form)
    assert answer.status_code == 302, answer.text
    return counter.get(answer.headers["Location"]).text


def facts(station: Station) -> list[events.Fact]:
    with station.store.read() as db:
        rows = db.execute("SELECT * FROM fact WHERE kind = 'document_printed' ORDER BY seq").fetchall()
    return [events.from_row(row) for row in rows]


def test_a_paper_speaks_the_words_of_the_rules_in_force(
    station: Station, counter: Counter, decided: Callable[..., bytes]
) -> None:
    case = decided("rejected", reason="已参加职工养老保险")
    assert "不予批准决定告知书" in printed(counter, "decision", case)
    files = edited("words.toml", "{n} 日内", "{n} 天以内", edited("words.toml", "不予批准决定告知书", "不予批准通知书"))
    pack = station.rules.keep(packs.load(files, 1))
    with station.store.write() as db:
        rulebook.put_in_force(db, pack.hash)
    sheet = printed(counter, "decision", case)
    assert "不予批准通知书" in sheet and "不予批准决定告知书" not in sheet and "60 天以内" in sheet


def test_a_refusal_names_reason_law_and_both_remedies_with_their_periods(
    counter: Counter, decided: Callable[..., bytes]
) -> None:
    sheet = printed(counter, "decision", decided("rejected", reason="已参加职工养老保险"))
    for words in ("不予批准决定告知书", "已参加职工养老保险", "60 日内", "行政复议", "6 个月内", "行政诉讼"):
        assert words in sheet
    assert "国发" in sheet and "陈*英" in sheet and "陈桂英" not in sheet
    assert ENROLMENT["id_number"] not in sheet


def test_an_approval_shows_the_amounts_and_their_sum_in_capitals(
    counter: Counter, decided: Callable[..., bytes]
) -> None:
    result = {"lines": [["基础养老金", "Basic", 35000], ["月数", "Months", "139"]], "total_fen": 48094}
    sheet = printed(counter, "decision", decided("effective", result=json.dumps(result)))
    assert "业务办理决定告知书" in sheet and "350.00" in sheet and "480.94" in sheet and "肆佰捌拾元" in sheet


def test_there_is_no_decision_notice_before_a_decision(counter: Counter, enrol: Callable[..., Submitted]) -> None:
    counter.get("/")
    answer = counter.post(f"/prints/new/decision/{enrol().case_id.hex()}")
    assert answer.status_code == 409 and "还没有决定" in answer.text


def test_a_returned_case_is_told_everything_at_once_with_where_to_get_it(
    counter: Counter, decided: Callable[..., bytes]
) -> None:
    case_id = decided("returned", reason="照片看不清", result=json.dumps({"missing": ["household_book"]}))
    sheet = printed(counter, "missing", case_id)
    assert "还缺 1 份材料" in sheet and "户籍地派出所" in sheet and "照片看不清" in sheet
    assert "已经带来的" in sheet and "0100-1-26-000401-9" in sheet and "申请人签收" in sheet


def test_a_draft_is_told_its_papers_and_the_fields_to_put_right_and_has_no_number(
    counter: Counter, station: Station, person: Person
) -> None:
    case_id = ids.new_id()
    counter.get("/")
    form = ENROLMENT | {"service": "resident_pension_enrolment", "person": person("陈桂英").hex(), "do": "notice"}
    answer = counter.post(f"/drafts/{case_id.hex()}", form | {"account_no": "", "materials": ["id_card"]})
    sheet = counter.get(answer.headers["Location"]).text
    assert "还缺 2 份材料" in sheet and "另有 1 处" in sheet and "账号" in sheet and "没有回执号" in sheet
    assert [(f.subject, f.body["number"], f.body["document"]) for f in facts(station)] == [(case_id, None, "missing")]


def test_a_second_print_is_marked_with_how_many_times_and_is_a_fact_of_its_own(
    counter: Counter, station: Station, decided: Callable[..., bytes], clock: FixedClock
) -> None:
    case_id = decided("rejected", reason="理由")
    first = printed(counter, "decision", case_id)
    clock.advance(minutes=5)
    second = printed(counter, "decision", case_id)
    assert "第 1 份" in first and "副本" not in first
    assert "<b>副本</b>" in second and "第 1 次补打" in second and "09:05" in second
    assert [f.body["copy"] for f in facts(station)] == [1, 2]


def test_a_record_of_rights_asks_for_its_purpose_and_logs_it(
    counter: Counter, station: Station, person: Person
) -> None:
    gang = person("郑俊刚")
    assert "用途" in counter.get(f"/prints/new/rights/{gang.hex()}").text
    answer = counter.post(f"/prints/new/rights/{gang.hex()}", {"purpose": "  "})
    assert answer.status_code == 422 and "请写明用途" in answer.text and facts(station) == []
    sheet = printed(counter, "rights", gang, purpose="贷款")
    for words in (number_of("330623195603071236"), "郑俊刚", "贷款", "2011-01", "9,500.00", "418.35", "2016-04"):
        assert words in sheet
    fact = facts(station)[0]
    assert fact.officer == "3012" and fact.subject == gang and fact.body["purpose"] == "贷款"


def test_a_paper_without_a_case_carries_a_number_of_its_own_and_the_code_of_its_fact(
    counter: Counter, station: Station, person: Person
) -> None:
    sheets = [printed(counter, "rights", person(name), purpose="本人查询") for name in ("郑俊刚", "张建国")]
    numbers = [re.findall(r"0100-1-26-P\d{5}-\d", sheet)[0] for sheet in sheets]
    assert [number[:16] for number in numbers] == ["0100-1-26-P00001", "0100-1-26-P00002"]
    assert all(ids.is_receipt_no(number) for number in numbers)
    assert check_code(facts(station)[0].hash) in sheets[0]


def test_a_unit_record_lists_who_works_there_with_masked_numbers(
    counter: Counter, station: Station, person: Person
) -> None:
    unit = ids.new_id()
    with station.store.write() as db:
        about = {"id": unit, "uscc": "91330683MA2D8QKX5T", "name": "甘霖竹编厂", "township": "330683100", "rev": 1}
        database.insert(db, "unit", about)
        works = {"id": ids.new_id(), "person_id": person("张伟"), "unit_id": unit, "wage_fen": 520000}
        database.insert(db, "employment", works | {"began_month": "2024-03", "rev": 1})
    sheet = printed(counter, "unit_rights", unit, purpose="招投标")
    assert "甘霖竹编厂" in sheet and "张伟" in sheet and "5,200.00" in sheet
    assert number_of("330683199011240016") not in sheet and "330683********" in sheet
    assert facts(station)[0].body["persons"] == 1


def test_what_somebody_else_printed_is_not_shown_again_without_a_print_of_ones_own(
    counter: Counter, colleague: Counter, station: Station, person: Person
) -> None:
    printed(counter, "rights", person("郑俊刚"), purpose="本人查询")
    path = f"/prints/{facts(station)[0].id.hex()}"
    assert colleague.get(path).status_code == 403 and colleague.get(path + "/pdf").status_code == 403
    assert "郑俊刚" not in colleague.get("/prints").text


def test_the_head_of_the_station_sees_everybodys_prints_and_how_many_persons_stood_on_them(
    counter: Counter, colleague: Counter, station: Station, person: Person
) -> None:
    printed(counter, "rights", person("郑俊刚"), purpose="本人查询")
    with station.store.write() as db:
        database.update(db, "officer", {"operator_no": "3007"}, {"roles": "clerk head"})
    page = colleague.get("/prints").text
    assert "郑俊刚" in page and "本人查询" in page and "按打印人" in page
    assert "郑俊刚" not in colleague.get("/prints?document=decision").text


def test_a_file_is_named_by_the_number_and_never_by_the_person(
    counter: Counter, station: Station, decided: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[str] = []
    monkeypatch.setattr("schema.web.pdf.pdf", lambda html: given.append(html) or b"%PDF-")
    case_id = decided("rejected", reason="理由")
    printed(counter, "decision", case_id)
    answer = counter.get(f"/prints/{facts(station)[0].id.hex()}/pdf")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="0100-1-26-000401-9-decision.pdf"'
    assert answer.headers["Content-Type"] == "application/pdf" and answer.headers["Cache-Control"] == "no-store"
    assert "决定告知书" in given[0] and "<script" not in given[0] and "print-bar" not in given[0]
    counter.get("/")
    counter.post(f"/cases/{case_id.hex()}/slip")
    slip = counter.get(f"/cases/{case_id.hex()}/slip/1/pdf")
    assert slip.headers["Content-Disposition"] == 'attachment; filename="0100-1-26-000401-9-slip.pdf"'


def test_prints_of_ours_that_come_back_after_a_restore_fill_the_log_again(
    counter: Counter, station: Station, person: Person
) -> None:
    printed(counter, "rights", person("郑俊刚"), purpose="贷款")
    fact = facts(station)[0]
    with station.store.write() as db:
        db.execute("DELETE FROM print_log")
        cases.receive(db, fact)
        cases.receive(db, fact)
        back = prints.read(db, fact.id)
    assert (back.number, back.purpose, back.copy, back.at) == (
        fact.body["number"], "贷款", 1, stamp(station.clock.now())
    )  # fmt: skip


def test_a_letter_of_introduction_names_person_employer_and_job_and_has_a_strip_to_answer(
    counter: Counter, station: Station, person: Person, clerk: tuple[Any, Any]
) -> None:
    case_id, item = ids.new_id(), station.desk.service("job_referral")
    wei = {"employer": "永顺服饰", "job_title": "缝纫工", "interview_at": "周三上午", "employer_phone": "13857580011"}
    given = cases.trim(item, wei, [])
    cases.save(station.desk, case_id, item, given, clerk[0], Subject(person_id=person("张伟")))
    done = cases.submit(station.desk, case_id, *clerk)
    assert done.receipt_no, done.findings
    assert "打印介绍信" in counter.get(f"/cases/{case_id.hex()}").text
    sheet = printed(counter, "referral", case_id)
    for words in ("永顺服饰", "张伟", "缝纫工", "周三上午", "1990", done.receipt_no, "单位回执"):
        assert words in sheet
    assert number_of("330683199011240016") not in sheet


def test_only_a_referral_has_a_letter(counter: Counter, enrol: Callable[..., Submitted]) -> None:
    counter.get("/")
    assert counter.post(f"/prints/new/referral/{enrol().case_id.hex()}").status_code == 409


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_letter_as_a_file_is_one_sheet_in_both_languages(
    counter: Counter, station: Station, person: Person, clerk: tuple[Any, Any], lang: str
) -> None:
    case_id, item = ids.new_id(), station.desk.service("job_referral")
    told = {"employer": "永顺服饰有限公司", "job_title": "缝纫工", "interview_at": "周三上午 9:00",
            "employer_phone": "13857580011"}  # fmt: skip
    given = cases.trim(item, told, [])
    cases.save(station.desk, case_id, item, given, clerk[0], Subject(person_id=person("张伟")))
    cases.submit(station.desk, case_id, *clerk)
    counter.get(f"/lang/{lang}")
    printed(counter, "referral", case_id)
    data = counter.client.get(f"/prints/{facts(station)[0].id.hex()}/pdf").data
    assert boxes(data) == [(148, 210)]
