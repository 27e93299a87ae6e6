# SPDX-License-Identifier: Apache-2.0
"""The conflict desk: every value with its author, picked by field, decided once, taken back, never decided blindly."""

from __future__ import annotations

import re
from typing import Any

import pytest

from schema import database, ids
from schema.database import IntegrityError
from sync.hub import publish
from tests.hub.county import (
    CLERK,
    INSPECT,
    OTHER_CLERK,
    OTHER_STATION,
    OTHER_TOWNSHIP,
    REVIEW,
    STATION,
    Browse,
    Browser,
    County,
)
from tests.hub.deciding import put_conflict

FOUND_AT = "2026-11-22T22:31:00.000Z"
PEOPLE = {
    "kept_officer": CLERK, "kept_at": "2026-11-21T01:10:00.000Z", "kept_received_at": "2026-11-21T22:31:00.000Z",
    "lost_officer": OTHER_CLERK, "lost_at": "2026-11-21T06:20:00.000Z", "lost_received_at": FOUND_AT,
}  # fmt: skip


@pytest.fixture(autouse=True)
def person(county: County) -> bytes:
    """周建根, telephone 13857582046, 施家岙 12 号."""
    return county.add_pensioner_to_be()


def put_parallel(county: County, kind: str, col: str, value: str, other_col: str, other_value: str) -> bytes:
    made = ids.new_id()
    with county.store.write() as db:
        database.insert(db, "parallel_edit", {
            "id": made, "kind": kind, "tbl": "contact", "row_id": county.persons["周建根"], "col": col, "value": value,
            "version": 2, "station": STATION, "officer": CLERK, "written_at": "2026-11-21T01:10:00.000Z",
            "other_col": other_col, "other_value": other_value, "other_version": 2, "other_station": OTHER_STATION,
            "found_at": FOUND_AT,
        })  # fmt: skip
    return made


def plain(text: str) -> str:
    """The words of a page without its markup."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", text))


def stand(page: str) -> str:
    found = re.search(r'name="stand" value="([0-9a-f]+)"', page)
    assert found is not None
    return found[1]


def decide(browser: Browser, row_id: bytes, **form: str) -> Any:
    """Open the page, choose, save."""
    page = browser.get(f"/conflicts/{row_id.hex()}").text
    named = {name.replace("_", "-", 1): value for name, value in form.items()}
    return browser.post(f"/conflicts/{row_id.hex()}", {"stand": stand(page)} | named)


def batch(page: str) -> str:
    found = re.search(r"/take-back/([0-9a-f]{32})", page)
    assert found is not None
    return found[1]


class TestTheQueue:
    def test_it_says_that_nothing_waits_and_what_would_come_here(self, county: County, browse: Browse) -> None:
        page = plain(browse(county.hub, REVIEW).get("/conflicts").text)
        assert "没有要人定的冲突。截至" in page and "两个人互不知道、改了同一栏，会排在这里" in page

    def test_who_waits_longest_comes_first_and_the_menu_counts_persons(self, county: County, browse: Browse) -> None:
        late = county.add_person("后来", "19800101")
        put_conflict(county)
        put_conflict(county, col="note", kept="a", lost="b")
        put_conflict(county, row_id=late, found_at="2026-11-23T01:00:00.000Z")
        page = browse(county.hub, REVIEW).get("/conflicts").text
        assert page.index("周建根") < page.index("后来")
        assert "要人定的冲突 2" in page
        assert "手机、备注：改成不同的值" in plain(page)

    @pytest.mark.parametrize(
        ("asked", "names"),
        [
            ("", {"周建根", "吕秀珍", "过忠良"}),
            ("township=" + OTHER_TOWNSHIP, {"吕秀珍"}),
            ("station=0999-1", {"过忠良"}),
            ("kind=group", {"周建根"}),
            ("kind=row", {"吕秀珍"}),
            ("show=merged", {"周建根"}),
            ("show=merged&kind=row", {"周建根"}),
            ("show=decided", set()),
            ("show=nonsense&kind=nonsense", {"周建根", "吕秀珍", "过忠良"}),
        ],
    )
    def test_it_can_be_narrowed(self, county: County, browse: Browse, asked: str, names: set[str]) -> None:
        other = county.add_person("吕秀珍", "19800101", village="330683101200")
        third = county.add_person("过忠良", "19700101")
        put_parallel(county, "group", "address", "东街 1 号", "address_village", "330683100200")
        put_parallel(county, "disjoint", "phone", "13857582046", "note", "轮椅")
        put_conflict(county, row_id=other, kind="row", rule="R", kept=None, kept_by="hub")
        put_conflict(county, row_id=third, lost_by="0999-1")
        page = browse(county.hub, REVIEW).get(f"/conflicts?{asked}").text
        queue = page[page.index('id="queue"') : page.index('<div class="case">')]
        assert {name for name in ("周建根", "吕秀珍", "过忠良") if name in queue} == names

    def test_the_persons_page_leads_here(self, county: County, browse: Browse, person: bytes) -> None:
        put_conflict(county)
        page = browse(county.hub, REVIEW).get(f"/persons/{person.hex()}").text
        assert "冲突 1 处" in page and f"/conflicts/{person.hex()}" in page


class TestOnePerson:
    def test_both_values_stand_side_by_side_with_people_times_and_what_differs(
        self, county: County, browse: Browse, person: bytes
    ) -> None:
        put_conflict(county, **PEOPLE)
        text = browse(county.hub, REVIEW).get("/conflicts").text
        page = plain(text)
        for said in (
            "138 5758 2046", "177 0675 3391", "王丽萍 3001，甘霖镇站点 0100-1", "过国强 3101，长乐镇站点 0101-1",
            "站点时间 11-21 09:10，中心收到 11-22 06:31", "站点时间 11-21 14:20，中心收到 06:31", "现在用的",
            "按规则先用",
        ):  # fmt: skip
            assert said in page, said
        assert "1<mark>38 5758 2046</mark>" in text and "1<mark>77 0675 3391</mark>" in text
        assert "施家岙 12 号" in page, "fields that are not in conflict are shown too"

    def test_a_value_that_moved_since_is_said_and_can_be_kept(
        self, county: County, browse: Browse, person: bytes
    ) -> None:
        put_conflict(county)
        with publish.transaction(county.store) as pub:
            pub.cells("contact", person, {"phone": "13900000009"})
        browser = browse(county.hub, REVIEW)
        assert "后来又改成「139 0000 0009」（中心）" in plain(browser.get("/conflicts").text)
        assert decide(browser, person).status_code == 303
        assert county.one("SELECT phone FROM contact") == "13900000009"
        assert county.one("SELECT choice FROM conflict_decision") == "keep"

    def test_columns_of_one_group_ask_whether_they_fit(self, county: County, browse: Browse) -> None:
        put_parallel(county, "group", "address", "东街 1 号", "address_village", "330683100200")
        assert plain(browse(county.hub, REVIEW).get("/conflicts").text).count("请看是否配套") == 2

    def test_edits_that_merged_by_themselves_ask_nothing(self, county: County, browse: Browse, person: bytes) -> None:
        put_parallel(county, "disjoint", "phone", "13857582046", "note", "轮椅")
        page = browse(county.hub, REVIEW).get(f"/conflicts/{person.hex()}").text
        assert "改的不是同一栏" in page and "轮椅" in page and 'name="stand"' not in page


class TestDeciding:
    def test_the_other_value_is_an_edit_of_the_hub_with_a_line_of_who_when_and_why(
        self, county: County, browse: Browse, person: bytes
    ) -> None:
        put_conflict(county)
        before = county.one("SELECT seq FROM feed_head")
        assert decide(browse(county.hub, REVIEW), person, use_phone="1", reason="已电话核实").status_code == 303
        assert county.one("SELECT phone FROM contact") == "17706753391"
        assert county.rows("SELECT choice, col, before, value, officer, reason FROM conflict_decision") == [
            ("pick", "phone", "13857582046", "17706753391", REVIEW, "已电话核实")
        ]
        assert county.one("SELECT seq FROM slice_feed WHERE tbl = 'contact'") > before
        assert county.rows("SELECT station, officer FROM cell_edit") == [("hub", REVIEW)]

    def test_what_was_decided_waits_no_longer_and_is_found_under_decided(
        self, county: County, browse: Browse, person: bytes
    ) -> None:
        put_conflict(county)
        browser = browse(county.hub, REVIEW)
        decide(browser, person, use_phone="0")
        assert "要人定的冲突 0" in browser.get("/conflicts").text
        page = plain(browser.get("/conflicts?show=decided").text)
        assert "周建根" in page and "手机：保持「138 5758 2046」" in page and "赵敏 2003" in page
        assert "要人定的冲突 1" not in page

    def test_several_fields_are_decided_with_one_submit(self, county: County, browse: Browse, person: bytes) -> None:
        put_conflict(county)
        put_conflict(county, col="address", kept="施家岙 12 号", lost="东街 1 号")
        decide(browse(county.hub, REVIEW), person, use_phone="1", use_address="0")
        assert county.rows("SELECT phone, address FROM contact") == [("17706753391", "施家岙 12 号")]
        assert county.one("SELECT count(DISTINCT batch) FROM conflict_decision") == 1
        assert county.one("SELECT count(*) FROM conflict_decision") == 2

    def test_a_new_value_is_tidied_and_needs_a_reason(self, county: County, browse: Browse, person: bytes) -> None:
        put_conflict(county)
        browser = browse(county.hub, REVIEW)
        answer = decide(browser, person, use_phone="other", other_phone="139 0000 0009")
        assert answer.status_code == 422 and "写一个新值要说明理由" in answer.text and "139 0000 0009" in answer.text
        assert county.one("SELECT phone FROM contact") == "13857582046"
        answer = decide(browser, person, use_phone="other", other_phone="139 0000 0009", reason="问过本人")
        assert answer.status_code == 303
        assert county.one("SELECT phone FROM contact") == "13900000009"
        assert county.one("SELECT choice FROM conflict_decision") == "other"

    @pytest.mark.parametrize("typed", ["12", "电话", "1" * 30, "138\x0013800"])
    def test_a_value_that_does_not_fit_its_field_is_said_beside_it(
        self, county: County, browse: Browse, person: bytes, typed: str
    ) -> None:
        put_conflict(county)
        answer = decide(browse(county.hub, REVIEW), person, use_phone="other", other_phone=typed, reason="x")
        assert answer.status_code == 422 and 'id="e-phone"' in answer.text
        assert county.one("SELECT count(*) FROM conflict_decision") == 0

    def test_nothing_is_decided_over_a_value_that_moved_while_the_page_was_open(
        self, county: County, browse: Browse, person: bytes
    ) -> None:
        put_conflict(county)
        browser = browse(county.hub, REVIEW)
        page = browser.get(f"/conflicts/{person.hex()}").text
        with publish.transaction(county.store) as pub:
            pub.cells("contact", person, {"note": "轮椅"})
        answer = browser.post(f"/conflicts/{person.hex()}", {"stand": stand(page), "use-phone": "1"})
        assert answer.status_code == 409 and "打开以后这个人的资料又变了" in answer.text and "轮椅" in answer.text
        assert county.one("SELECT phone FROM contact") == "13857582046"

    def test_the_same_form_twice_decides_once(self, county: County, browse: Browse, person: bytes) -> None:
        put_conflict(county)
        browser = browse(county.hub, REVIEW)
        page = browser.get(f"/conflicts/{person.hex()}").text
        codes = [browser.post(f"/conflicts/{person.hex()}", {"stand": stand(page), "use-phone": "1"}).status_code
                 for _ in range(2)]  # fmt: skip
        assert codes == [303, 409]
        assert county.one("SELECT count(*) FROM conflict_decision") == 1

    def test_a_new_conflict_of_a_decided_person_waits_again(
        self, county: County, browse: Browse, person: bytes
    ) -> None:
        put_conflict(county)
        browser = browse(county.hub, REVIEW)
        decide(browser, person, use_phone="1")
        put_conflict(county, kept="17706753391", lost="13900000009")
        page = browser.get("/conflicts").text
        before_the_history = plain(page.split("怎么定的")[0])
        assert "要人定的冲突 1" in page
        assert "139 0000 0009" in before_the_history and "138 5758 2046" not in before_the_history

    def test_supervision_looks_and_changes_nothing(self, county: County, browse: Browse, person: bytes) -> None:
        put_conflict(county)
        browser = browse(county.hub, INSPECT)
        page = browser.get(f"/conflicts/{person.hex()}").text
        assert "按所选保存" not in page
        answer = browser.post(f"/conflicts/{person.hex()}", {"stand": stand(page), "use-phone": "1"})
        assert answer.status_code == 403 and county.one("SELECT phone FROM contact") == "13857582046"

    @pytest.mark.parametrize("use", ["7", "-1", "nonsense", ""])
    def test_a_choice_that_was_never_offered_changes_nothing(
        self, county: County, browse: Browse, person: bytes, use: str
    ) -> None:
        put_conflict(county)
        assert decide(browse(county.hub, REVIEW), person, use_phone=use).status_code == 303
        assert county.one("SELECT phone FROM contact") == "13857582046"

    def test_somebody_without_conflicts_cannot_be_decided(self, county: County, browse: Browse, person: bytes) -> None:
        browser = browse(county.hub, REVIEW)
        browser.get("/conflicts")
        assert browser.post(f"/conflicts/{person.hex()}", {"stand": "00"}).status_code == 404


class TestTakingBack:
    def test_the_former_value_stands_again_the_conflict_waits_and_both_lines_stay(
        self, county: County, browse: Browse, person: bytes
    ) -> None:
        put_conflict(county)
        browser = browse(county.hub, REVIEW)
        decide(browser, person, use_phone="1")
        where = f"/conflicts/{person.hex()}"
        assert browser.post(f"{where}/take-back/{batch(browser.get(where).text)}").status_code == 303
        assert county.one("SELECT phone FROM contact") == "13857582046"
        assert county.rows("SELECT choice, value FROM conflict_decision ORDER BY rowid") == [
            ("pick", "17706753391"), ("undo", "13857582046")
        ]  # fmt: skip
        page = browser.get("/conflicts").text
        assert "要人定的冲突 1" in page and "（已撤回）" in page and "/take-back/" not in page
        assert decide(browser, person, use_phone="1").status_code == 303

    def test_not_twice_and_not_over_a_later_edit(self, county: County, browse: Browse, person: bytes) -> None:
        put_conflict(county)
        browser, where = browse(county.hub, REVIEW), f"/conflicts/{person.hex()}"
        decide(browser, person, use_phone="1")
        made = batch(browser.get(where).text)
        with publish.transaction(county.store) as pub:
            pub.cells("contact", person, {"phone": "13900000009"})
        assert browser.post(f"{where}/take-back/{made}").status_code == 409
        with publish.transaction(county.store) as pub:
            pub.cells("contact", person, {"phone": "17706753391"})
        assert browser.post(f"{where}/take-back/{made}").status_code == 303
        assert browser.post(f"{where}/take-back/{made}").status_code == 409
        assert browser.post(f"{where}/take-back/{'0' * 32}").status_code == 404

    def test_a_line_is_never_changed_nor_removed(self, county: County, browse: Browse, person: bytes) -> None:
        put_conflict(county)
        decide(browse(county.hub, REVIEW), person, use_phone="1")
        for attack in ("UPDATE conflict_decision SET officer = '2001'", "DELETE FROM conflict_decision"):
            with county.store.write() as db, pytest.raises(IntegrityError, match="a decision is never"):
                db.execute(attack)
