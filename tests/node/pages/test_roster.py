# SPDX-License-Identifier: Apache-2.0
"""A unit's roster at the counter: the empty sheet, the preview, the cases, the lines that go back, all withdrawn."""

from __future__ import annotations

import io
import re
import threading
from typing import Any

import openpyxl
import pytest
from werkzeug.test import TestResponse

from node import roster
from node.station import Station
from schema import ids
from tests.node.conftest import PERSONS, Counter, number_of
from tests.rostering import HEADER, ITEM, add_unit, put_in_force, sheet

USCC = "91330683MA2XXXXX0A"
ZHANG, LYU = (number_of(PERSONS[n][0]) for n in range(2))
GOOD = [ZHANG, "张建国", 5200, "调整", "2026-11"]
BAD = [LYU, "吕秀", 4800, "每天", "2026-11"]


@pytest.fixture
def unit(station: Station, counter: Counter) -> bytes:
    put_in_force(station)
    with station.store.write() as db:
        unit_id = add_unit(db)
    counter.get("/rosters")
    return unit_id


def send(counter: Counter, content: bytes, **changes: Any) -> TestResponse:
    """Upload a file as the page does."""
    given = {"service": ITEM, "uscc": USCC, "materials": "sheet", "file": (io.BytesIO(content), "工资.xlsx")}
    return counter.post("/rosters", given | changes)


def wait() -> None:
    """Until the work in the background is over."""
    for thread in threading.enumerate():
        if thread.name == "roster":
            thread.join()


def worked(counter: Counter, answer: TestResponse) -> str:
    """Wait for the work behind an answer; where the page leads then."""
    assert answer.status_code == 303
    wait()
    return counter.get(answer.headers["Location"]).headers["Location"]


def cases_of(station: Station) -> list[tuple[str, str]]:
    with station.store.read() as db:
        return [tuple(r) for r in db.execute("SELECT person_name, state FROM case_file ORDER BY receipt_no")]


def test_before_any_roster_the_page_says_how_it_goes_and_hands_out_the_sheet(counter: Counter, unit: bytes) -> None:
    page = counter.get(f"/rosters?service={ITEM}&uscc={USCC}").text
    assert "还没有名册" in page and "嵊州市甘霖领带厂" in page and f"/rosters/template/{ITEM}.xlsx" in page
    assert f"/rosters?uscc={USCC}" in counter.get(f"/units/{unit.hex()}").text
    book = openpyxl.load_workbook(io.BytesIO(counter.client.get(f"/rosters/template/{ITEM}.xlsx").data))
    assert [c.value for c in book.active[1]] == [f"{h}*" for h in HEADER]
    for other in ("personal_data_change", "nonsense"):
        assert counter.get(f"/rosters/template/{other}.xlsx").status_code == 404


def test_a_preview_takes_nothing_then_good_lines_are_taken_and_bad_ones_go_back(
    counter: Counter, station: Station, unit: bytes
) -> None:
    at = worked(counter, send(counter, sheet([GOOD, BAD])))
    page = counter.get(at).text
    assert "姓名与名册不同" in page and "办这 1 件" in page and ZHANG not in page and not cases_of(station)
    counter.get("/lang/en")
    assert "Another name than in the register" in counter.get(at).text
    counter.get("/lang/zh")
    assert worked(counter, counter.post(f"{at}/take")) == at
    assert cases_of(station) == [("张建国", "submitted")]
    assert re.search(r"/cases/[0-9a-f]{32}", counter.get(at).text)
    returned = counter.client.get(f"{at}/bad.xlsx")
    assert "attachment" in returned.headers["Content-Disposition"]
    rows = list(openpyxl.load_workbook(io.BytesIO(returned.data)).active.iter_rows(values_only=True))
    assert len(rows) == 2 and rows[1][1] == "吕秀" and "姓名与名册不同" in rows[1][5]
    receipt = counter.get(f"{at}/receipt").text
    assert "0100-1-26-000401" in receipt and "张建国" not in receipt


def test_the_same_file_again_changes_nothing_and_says_so(counter: Counter, station: Station, unit: bytes) -> None:
    worked(counter, counter.post(f"{worked(counter, send(counter, sheet([GOOD])))}/take"))
    again = worked(counter, send(counter, sheet([GOOD])))
    page = counter.get(again).text
    assert "已经办过" in page and "没有可以办的行" in page and f"{again}/take" not in page
    worked(counter, counter.post(f"{again}/take"))
    assert len(cases_of(station)) == 1


def test_too_few_numbers_are_told_before_anything_is_taken(counter: Counter, station: Station, unit: bytes) -> None:
    with station.store.write() as db:
        db.execute("UPDATE receipt_block SET last = first - 1")
    page = counter.get(worked(counter, send(counter, sheet([GOOD])))).text
    assert "还差 1 个回执号" in page and "现在上报" in page


def test_all_of_it_is_withdrawn_while_unsent(counter: Counter, station: Station, unit: bytes) -> None:
    at = worked(counter, send(counter, sheet([GOOD])))
    worked(counter, counter.post(f"{at}/take"))
    assert f"{at}/withdraw" in counter.get(at).text
    assert counter.post(f"{at}/withdraw").status_code == 303
    page = counter.get(at).text
    assert "已撤回 1 件" in page and f"{at}/withdraw" not in page and f"{at}/take" not in page
    assert cases_of(station) == [("张建国", "withdrawn")]


def test_a_preview_is_thrown_away(counter: Counter, unit: bytes) -> None:
    at = worked(counter, send(counter, sheet([GOOD])))
    assert counter.post(f"{at}/discard").headers["Location"] == "/rosters"
    assert "没有办件" in counter.get("/rosters").text and counter.get(at).status_code == 404


@pytest.mark.parametrize("content", [b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), b"", "没有表头\n1\n".encode()])
def test_a_wrong_file_is_told_on_the_page_of_the_work(counter: Counter, unit: bytes, content: bytes) -> None:
    answer = send(counter, content)
    assert answer.status_code == 303
    wait()
    page = counter.get(answer.headers["Location"]).text
    assert 'role="alert"' in page and "every 500ms" not in page and "/rosters" in page


def test_a_failure_of_the_program_is_no_success(
    counter: Counter, unit: bytes, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*given: Any) -> bytes:
        raise ValueError(ZHANG)

    monkeypatch.setattr(roster, "preview", broken)
    answer = send(counter, sheet([GOOD]))
    wait()
    assert "处理中断" in counter.get(answer.headers["Location"]).text
    assert "ValueError" in caplog.text and ZHANG not in caplog.text


@pytest.mark.parametrize(
    ("changes", "said"), [({"uscc": "91330683MA2XXXXX0Z"}, "没有这个代码"), ({"file": ""}, "请选择名册文件")]
)
def test_a_form_that_lacks_something_comes_back_as_it_was(
    counter: Counter, unit: bytes, changes: dict[str, Any], said: str
) -> None:
    answer = send(counter, sheet([GOOD]), **changes)
    assert answer.status_code == 422 and said in answer.text and 'value="sheet" checked' in answer.text


def test_the_bar_tells_how_far_it_is_to_its_own_officer_only_and_leads_on(
    counter: Counter, colleague: Counter, unit: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached, go_on = threading.Event(), threading.Event()

    def slowly(desk: Any, content: Any, new: Any, tell: roster.Progress) -> bytes:
        tell(200, 1500)
        reached.set()
        go_on.wait(10)
        return ids.new_id()

    monkeypatch.setattr(roster, "preview", slowly)
    at = send(counter, sheet([GOOD])).headers["Location"]
    assert reached.wait(10)
    bar = counter.get(f"{at}/progress", headers={"HX-Request": "true"})
    assert "200 / 1,500" in bar.text and "every 500ms" in bar.text and "every 500ms" in counter.get(at).text
    assert colleague.get(f"{at}/progress").status_code == 404
    go_on.set()
    wait()
    told = counter.get(f"{at}/progress")
    assert told.headers["HX-Redirect"].startswith("/rosters/")
    assert 'hx-trigger="load"' in told.text, "a page made while the work ended asks once more, and is led on"
