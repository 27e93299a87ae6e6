# SPDX-License-Identifier: Apache-2.0
"""The hub's pages as officers meet them: who gets in, who may do what, and that nothing is written otherwise."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from hub.app import create_app
from hub.context import Hub
from schema import database, ids
from schema.clock import FixedClock
from sync import publish
from tests.hub.county import (
    ACCEPT,
    ADMIN,
    ALL_FOUR,
    CALCULATE,
    CHEAP,
    CLERK,
    INSPECT,
    OTHER_STATION,
    REVIEW,
    STATION,
    Browser,
    County,
    Desk,
)
from tests.hub.test_intake import CHANGE, CLAIM
from tests.hub.test_review import everything, state, walk

Browse = Callable[..., Browser]
AGREE = {"decision": "agree"}


@pytest.fixture
def claim(county: County, desk: Desk) -> bytes:
    county.add_pensioner_to_be()
    return desk.submit(CLAIM, "周建根")


def address(case_id: bytes, do: str = "") -> str:
    return f"/cases/{case_id.hex()}{do}"


def own_routes(hub: Hub) -> list[tuple[str, str]]:
    """Every page and action of this app, with some id where one is asked for."""
    out = []
    for rule in create_app(hub, cost=CHEAP).url_map.iter_rules():
        if rule.endpoint in ("static", "web.static", "web.set_lang", "auth.login") or rule.endpoint.startswith(
            "sync_api"
        ):
            continue
        path = re.sub(r"<id:[^>]+>", "0" * 32, rule.rule)
        path = re.sub(r"<[^>]+>", "2026-11", path)
        out += [(method, path) for method in sorted((rule.methods or set()) & {"GET", "POST"})]
    return out


# --- who gets in ------------------------------------------------------------------------------------------------


def test_no_page_opens_and_no_action_runs_without_a_login(county: County, browse: Browse) -> None:
    browser = browse(county.hub)
    browser.get("/login")
    routes = own_routes(county.hub)
    assert len(routes) > 20
    for method, path in routes:
        answer = browser.get(path) if method == "GET" else browser.post(path)
        led_to_login = answer.status_code == 302 and "/login" in answer.headers["Location"]
        assert led_to_login, f"{method} {path}: {answer.status_code}"


def test_no_action_runs_without_its_token(county: County, browse: Browse, claim: bytes) -> None:
    browser = browse(county.hub, ALL_FOUR)
    before = everything(county)
    for method, path in own_routes(county.hub):
        if method == "POST":
            answer = browser.client.post(path, data=AGREE)
            assert answer.status_code == 400, f"{path}: {answer.status_code}"
    assert everything(county) == before


def test_a_clerk_of_a_station_does_not_log_in_at_the_hub(county: County, browse: Browse) -> None:
    browser = browse(county.hub)
    browser.get("/login")
    answer = browser.post("/login", {"operator_no": CLERK, "password": "清水 runs downhill 7", "next": "/"})
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("officer", "sees", "sees_not"),
    [
        (REVIEW, {"审核台", "冲突", "人员"}, {"权限"}),
        (INSPECT, {"冲突", "人员", "权限"}, {"审核台"}),
        (ADMIN, {"站点", "权限"}, {"审核台", "人员", "冲突"}),
    ],
)
def test_each_officer_sees_the_sections_of_the_post(
    county: County, browse: Browse, officer: str, sees: set[str], sees_not: set[str]
) -> None:
    page = browse(county.hub, officer).get("/").text
    shown = set(re.findall(r">([^<>]+)(?:<span class=\"n\">\d+</span>)?</a>", page.split("<nav")[1].split("</nav>")[0]))
    assert sees <= shown
    assert not sees_not & shown


@pytest.mark.parametrize(
    ("officer", "path"),
    [
        (ADMIN, "/review"),
        (ADMIN, "/registry"),
        (INSPECT, "/review"),
        (REVIEW, "/officers"),
    ],
)
def test_a_page_of_another_post_is_refused_in_words(county: County, browse: Browse, officer: str, path: str) -> None:
    answer = browse(county.hub, officer).get(path)
    assert answer.status_code == 403
    assert "您的工号没有这个岗位" in answer.text


@pytest.mark.parametrize("officer", [INSPECT, ADMIN])
def test_supervision_and_administration_decide_nothing(
    county: County, browse: Browse, claim: bytes, officer: str
) -> None:
    browser = browse(county.hub, officer)
    before = everything(county)
    assert browser.post(address(claim, "/decide"), AGREE).status_code == 403
    assert everything(county) == before


# --- decisions --------------------------------------------------------------------------------------------------


def test_a_case_goes_through_four_officers_pages_into_effect(county: County, browse: Browse, claim: bytes) -> None:
    for officer in ("2001", "2002", "2003", "2004"):
        browser = browse(county.hub, officer)
        page = browser.get("/review")
        assert "周建根" in page.text
        assert browser.post(address(claim, "/decide"), AGREE).status_code == 303
    assert state(county, claim) == ("effective", None)
    assert county.one("SELECT count(*) FROM benefit") == 1


def test_the_reviewer_sees_the_figures_their_formula_and_documents(
    county: County, browse: Browse, claim: bytes
) -> None:
    walk(county, claim, "accept", "calculate")
    page = browse(county.hub, REVIEW).get(f"/review/{claim.hex()}").text
    for said in ("506.00", "计发月数", "21,684.20", "139", "国发〔2009〕32号"):
        assert said in page


def test_the_same_officer_is_refused_the_second_step_and_nothing_is_written(
    county: County, browse: Browse, claim: bytes
) -> None:
    browser = browse(county.hub, ALL_FOUR)
    browser.post(address(claim, "/decide"), AGREE)
    assert state(county, claim) == ("accepted", "calculate")
    before = everything(county)
    answer = browser.post(address(claim, "/decide"), AGREE)
    assert answer.status_code == 403
    assert "您受理过本案，不能再核算。已留在队列里" in answer.text
    assert everything(county) == before


def test_the_desk_shows_why_an_officer_cannot_decide_and_offers_no_decision(
    county: County, browse: Browse, claim: bytes
) -> None:
    browser = browse(county.hub, ALL_FOUR)
    browser.post(address(claim, "/decide"), AGREE)
    page = browser.get(f"/review/{claim.hex()}").text
    assert "您受理过本案，不能再核算" in page
    assert 'name="decision"' not in page


def test_a_case_my_hands_have_touched_is_not_in_my_queue(county: County, browse: Browse, claim: bytes) -> None:
    browser = browse(county.hub, ALL_FOUR)
    assert "待我办理 1" in browser.get("/review").text
    browser.post(address(claim, "/decide"), AGREE)
    assert "待我办理 0" in browser.get("/review").text
    assert "待我办理 1" in browse(county.hub, CALCULATE).get("/review").text


def test_a_relatives_case_is_not_offered_and_refused(county: County, browse: Browse, claim: bytes) -> None:
    with county.store.write() as db:
        db.execute("INSERT INTO relative VALUES (?, ?)", (ACCEPT, county.persons["周建根"]))
    browser = browse(county.hub, ACCEPT)
    assert "待我办理 0" in browser.get("/review").text
    answer = browser.post(address(claim, "/decide"), AGREE)
    assert answer.status_code == 403
    assert "近亲属" in answer.text


def test_a_return_without_reason_comes_back_with_the_finding_beside_the_field(
    county: County, browse: Browse, claim: bytes
) -> None:
    browser = browse(county.hub, ACCEPT)
    answer = browser.post(address(claim, "/decide"), {"decision": "return", "missing": ["bank_book"]})
    assert answer.status_code == 422
    assert "请写明理由" in answer.text
    assert re.search(r'value="bank_book"[^>]*checked', answer.text), "what was ticked stays ticked"
    assert state(county, claim) == ("submitted", "accept")


def test_missing_papers_are_ticked_beforehand(county: County, browse: Browse, desk: Desk) -> None:
    county.add_pensioner_to_be()
    case_id = desk.submit(CLAIM, "周建根", materials=["id_card"])
    page = browse(county.hub, ACCEPT).get(f"/review/{case_id.hex()}").text
    assert re.search(r'value="bank_book"[^>]*checked', page)
    assert not re.search(r'value="id_card"[^>]*checked', page)


def test_a_return_through_the_page_tells_the_station_what_is_missing(
    county: County, browse: Browse, desk: Desk
) -> None:
    county.add_pensioner_to_be()
    case_id = desk.submit(CLAIM, "周建根", materials=["id_card"])
    browser = browse(county.hub, ACCEPT)
    form = {"decision": "return", "reason": "请带存折", "missing": ["bank_book"]}
    assert browser.post(address(case_id, "/decide"), form).status_code == 303
    assert county.rows("SELECT state, reason, result FROM case_state") == [
        ("returned", "请带存折", '{"missing":["bank_book"]}')
    ]


def test_agreeing_to_a_case_with_wrong_answers_is_refused_in_words(county: County, browse: Browse, desk: Desk) -> None:
    county.add_pensioner_to_be(life_status="2", died_on="2026-10-01")
    case_id = desk.submit(CLAIM, "周建根")
    answer = browse(county.hub, ACCEPT).post(address(case_id, "/decide"), AGREE)
    assert answer.status_code == 409
    assert "还有必须改正的问题" in answer.text


@pytest.mark.parametrize("path", ["/cases/zz", "/cases/" + "0" * 32, "/review/" + "0" * 32, "/persons/" + "0" * 32])
def test_an_address_of_nothing_is_a_page_that_says_so(county: County, browse: Browse, path: str) -> None:
    answer = browse(county.hub, REVIEW).get(path)
    assert answer.status_code == 404
    assert "Traceback" not in answer.text


# --- the time to take a decision back ------------------------------------------------------------------------------


def test_a_decision_can_be_taken_back_from_the_next_page(
    county: County, patient_hub: Hub, browse: Browse, claim: bytes
) -> None:
    browser = browse(patient_hub, ACCEPT)
    answer = browser.post(address(claim, "/decide"), AGREE)
    following = browser.get(answer.headers["Location"])
    assert "周建根：已同意" in following.text
    assert state(county, claim) == ("submitted", "accept")
    assert browser.post(address(claim, "/take-back")).status_code == 303
    assert county.rows("SELECT * FROM pending_decision") == []
    assert "已撤回，本案回到待受理" in browser.get(f"/review/{claim.hex()}").text


def test_the_status_bar_signs_what_is_due(
    county: County, patient_hub: Hub, browse: Browse, claim: bytes, clock: FixedClock
) -> None:
    browser = browse(patient_hub, ACCEPT)
    browser.post(address(claim, "/decide"), AGREE)
    clock.advance(seconds=15)
    browser.get("/status")
    assert state(county, claim) == ("submitted", "accept")
    clock.advance(seconds=5)
    browser.get("/status")
    assert state(county, claim) == ("accepted", "calculate")


def test_opening_another_case_signs_the_decision_before(
    county: County, patient_hub: Hub, browse: Browse, desk: Desk, claim: bytes
) -> None:
    county.add_pensioner_to_be("周二根", "19661106")
    other = desk.submit(CLAIM, "周二根")
    browser = browse(patient_hub, ACCEPT)
    browser.get(browser.post(address(claim, "/decide"), AGREE).headers["Location"])
    assert state(county, claim) == ("submitted", "accept"), "the page that follows by itself is not going on"
    browser.get(f"/review/{other.hex()}")
    assert state(county, claim) == ("accepted", "calculate")


@pytest.mark.parametrize("leave", ["/lock", "/logout"])
def test_leaving_signs_what_was_decided(
    county: County, patient_hub: Hub, browse: Browse, claim: bytes, leave: str
) -> None:
    browser = browse(patient_hub, ACCEPT)
    browser.post(address(claim, "/decide"), AGREE)
    browser.post(leave)
    assert state(county, claim) == ("accepted", "calculate")


def test_a_session_that_broke_off_leaves_it_pending_until_the_next_login(
    county: County, patient_hub: Hub, browse: Browse, claim: bytes, clock: FixedClock
) -> None:
    browse(patient_hub, ACCEPT).post(address(claim, "/decide"), AGREE)
    clock.advance(hours=20)
    browse(patient_hub, REVIEW).get("/")
    assert state(county, claim) == ("submitted", "accept")
    browse(patient_hub, ACCEPT)
    assert state(county, claim) == ("accepted", "calculate")


def test_a_decision_that_could_not_be_signed_is_told_to_its_officer(
    county: County, patient_hub: Hub, browse: Browse, claim: bytes, clock: FixedClock
) -> None:
    browser = browse(patient_hub, ACCEPT)
    browser.post(address(claim, "/decide"), AGREE)
    with publish.transaction(county.store) as pub:
        pub.put("person", {"id": county.persons["周建根"], "life_status": "2", "died_on": "2026-11-22"})
    clock.advance(minutes=1)
    assert "还有必须改正的问题" in browser.get("/").text
    assert county.rows("SELECT * FROM pending_decision") == []


# --- the other pages ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_page_opens_in_both_languages(
    county: County, browse: Browse, desk: Desk, other_desk: Desk, claim: bytes, lang: str
) -> None:
    desk.submit(CHANGE, "周建根", given={"new_name": "周建耕", "reason": "公安已更正"})
    walk(county, claim, "accept")
    _conflict(county)
    _refusal(county, "receipt_block")
    person = county.persons["周建根"].hex()
    pages = {
        ALL_FOUR: ["/", "/review", f"/review/{claim.hex()}?all=1", f"/cases/{claim.hex()}", "/conflicts", "/stations",
                   "/stations?show=all", "/stations?township=330683100", "/registry", f"/persons/{person}", "/refusals",
                   "/refusals?show=all", "/workload", "/workload?month=2020-01", "/status"],
        ADMIN: ["/", "/officers", "/workload", "/refusals"],
        INSPECT: ["/", "/officers", "/conflicts", f"/cases/{claim.hex()}"],
    }  # fmt: skip
    for officer, paths in pages.items():
        browser = browse(county.hub, officer)
        browser.get(f"/lang/{lang}")
        for path in paths:
            answer = browser.get(path)
            assert answer.status_code == 200, path
            assert not re.search(r">None<|\bundefined\b", answer.text), path
            if lang == "en":
                main = answer.text.split('<main id="main"')[-1].split("</main>")[0]
                assert "（" not in main and "：" not in re.sub(r"<small>.*?</small>", "", main), path


@pytest.mark.parametrize("typed", ["330683196611050136", "zjg", "周建", "ZhouJian", "0100-1-26-0000"])
def test_search_finds_by_number_name_letters_and_receipt(
    county: County, browse: Browse, claim: bytes, typed: str
) -> None:
    browser = browse(county.hub, REVIEW)
    answer = browser.post("/search", {"q": typed}, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert "周建根" in answer.text
    assert 'role="option"' in answer.text


def test_search_without_script_leads_straight_to_the_one_hit(county: County, browse: Browse, claim: bytes) -> None:
    answer = browse(county.hub, REVIEW).post("/search", {"q": "周建根"})
    assert answer.status_code == 303
    assert answer.headers["Location"].endswith(f"/persons/{county.persons['周建根'].hex()}")


def test_search_says_where_it_looked_when_nothing_is_there(county: County, browse: Browse) -> None:
    answer = browse(county.hub, REVIEW).post("/search", {"q": "没有这人"}, headers={"HX-Request": "true"})
    assert "全县名册里没有找到" in answer.text


def test_the_person_page_shows_what_the_register_holds(county: County, browse: Browse, claim: bytes) -> None:
    page = browse(county.hub, INSPECT).get(f"/persons/{county.persons['周建根'].hex()}").text
    for said in ("138 5758 2046", "21,684.20", "农商银行 尾号 0018", "甘霖镇 施家岙村", "居民养老领取"):
        assert said in page


def _conflict(county: County) -> bytes:
    conflict_id = ids.new_id()
    with publish.transaction(county.store) as pub:
        pub.put("conflict", {
            "id": conflict_id, "tbl": "contact", "row_id": county.persons["周建根"], "col": "phone",
            "kept": "13857582046", "lost": "17706753391", "kept_by": STATION, "lost_by": OTHER_STATION,
            "found_at": "2026-11-22T22:31:00.000Z",
        })  # fmt: skip
    return conflict_id


def test_a_conflict_shows_both_values_who_wrote_them_and_which_is_in_use(
    county: County, browse: Browse, claim: bytes
) -> None:
    _conflict(county)
    page = browse(county.hub, REVIEW).get("/conflicts").text
    for said in ("13857582046", "17706753391", "甘霖镇站点 0100-1 改的", "长乐镇站点 0101-1 改的", "现在用的"):
        assert said in page


def test_the_other_value_can_be_chosen_and_changed_back(county: County, browse: Browse, claim: bytes) -> None:
    conflict_id, person = _conflict(county), county.persons["周建根"]
    browser = browse(county.hub, REVIEW)
    for which, phone in (("lost", "17706753391"), ("kept", "13857582046")):
        answer = browser.post(f"/conflicts/{person.hex()}", {f"use-{conflict_id.hex()}": which})
        assert answer.status_code == 303
        assert county.one("SELECT phone FROM contact") == phone
    assert county.one("SELECT count(*) FROM slice_feed WHERE tbl = 'contact'") == 1


def test_supervision_looks_at_conflicts_and_changes_none(county: County, browse: Browse, claim: bytes) -> None:
    conflict_id, person = _conflict(county), county.persons["周建根"]
    browser = browse(county.hub, INSPECT)
    assert browser.get("/conflicts").status_code == 200
    assert browser.post(f"/conflicts/{person.hex()}", {f"use-{conflict_id.hex()}": "lost"}).status_code == 403
    assert county.one("SELECT phone FROM contact") == "13857582046"


def _refusal(county: County, code: str) -> bytes:
    refusal_id = ids.new_id()
    with county.store.write() as db:
        database.insert(db, "refusal", {
            "id": refusal_id, "direction": "in", "peer": STATION, "channel": "evt", "frame_n": 3, "item": "ab" * 16,
            "code": code, "reason": "回执号不在发给本站的号段里", "at": "2026-11-22T22:31:00.000Z",
        })  # fmt: skip
    return refusal_id


def test_a_refusal_is_shown_with_reason_and_whose_turn_it_is_until_it_is_handled(
    county: County, browse: Browse
) -> None:
    refusal_id = _refusal(county, "receipt_block")
    browser = browse(county.hub, REVIEW)
    page = browser.get("/refusals").text
    for said in ("回执号不在发给本站的号段里", "技术员", "中心没有收"):
        assert said in page
    assert browser.post(f"/refusals/{refusal_id.hex()}/handled").status_code == 303
    assert "没有等处理的拒收" in browser.get("/refusals").text
    assert browser.post(f"/refusals/{refusal_id.hex()}/handled").status_code == 409


def test_the_bar_counts_stations_unsent_and_refusals(county: County, browse: Browse, clock: FixedClock) -> None:
    with county.store.write() as db:
        db.execute(
            "UPDATE node_record SET last_seen_at = '2026-11-23T00:50:00.000Z', unsent = 7 WHERE id = ?", (STATION,)
        )
    _refusal(county, "duplicate")
    bar = re.sub(r"<[^>]+>", "", browse(county.hub, ADMIN).get("/status").text)
    for said in ("站点在线 1 / 2", "1 个站点 超过 7 天无消息", "站点待上报 7 件，拒收待处理 1"):
        assert said in bar


def test_a_station_is_listed_by_its_age(county: County, browse: Browse, clock: FixedClock) -> None:
    with county.store.write() as db:
        db.execute("UPDATE node_record SET last_seen_at = '2026-11-10T00:50:00.000Z' WHERE id = ?", (STATION,))
        revoked = {"revoked_at": "2026-11-10T00:50:00.000Z", "revoked_reason": "电脑被盗"}
        database.update(db, "node_record", {"id": OTHER_STATION}, revoked)
    browser = browse(county.hub, ADMIN)
    look = browser.get("/stations").text
    assert "甘霖镇站点" in look.split("<table")[-1]
    assert "长乐镇站点" not in look.split("<table")[-1]
    assert "电脑被盗" in browser.get("/stations?show=all").text


def test_offline_work_counts_on_the_day_it_was_done(county: County, browse: Browse, desk: Desk) -> None:
    county.add_pensioner_to_be()
    desk.submit(CHANGE, "周建根", given={"phone": "13857589999"}, stated_at="2026-10-30T01:15:00.000Z")
    browser = browse(county.hub, ADMIN)
    assert "王丽萍" in browser.get("/workload?month=2026-10").text
    assert "王丽萍" not in browser.get("/workload?month=2026-11").text


# --- officers -----------------------------------------------------------------------------------------------------


def new_officer(**changes: Any) -> dict[str, Any]:
    return {"operator_no": "2050", "name": "新人", "roles": ["accept"], "station": ""} | changes


def test_the_administrator_makes_an_officer_who_must_change_the_password_shown_once(
    county: County, browse: Browse
) -> None:
    admin = browse(county.hub, ADMIN)
    answer = admin.post("/officers", new_officer())
    password = re.search(r"一次性密码：([a-z0-9-]{14})", answer.text)
    assert password
    assert password[1] not in admin.get("/officers").text
    browser = browse(county.hub)
    browser.get("/login")
    browser.post("/login", {"operator_no": "2050", "password": password[1], "next": "/"})
    assert browser.get("/").headers["Location"].endswith("/password")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"operator_no": ACCEPT}, "已有人用"),
        ({"operator_no": "20"}, "工号是 4 位数字"),
        ({"name": " "}, "姓名不能空"),
        ({"roles": ["clerk"]}, "岗位不对"),
        ({"roles": ["inspect", "accept"]}, "不能兼其他岗位"),
        ({"roles": ["clerk"], "station": "9999-9"}, "没有站点"),
    ],
)
def test_an_officer_that_cannot_be_is_refused_beside_the_form(
    county: County, browse: Browse, changes: dict[str, Any], said: str
) -> None:
    before = county.one("SELECT count(*) FROM officer")
    answer = browse(county.hub, ADMIN).post("/officers", new_officer(**changes))
    assert answer.status_code == 422
    assert said in answer.text
    assert county.one("SELECT count(*) FROM officer") == before


def test_a_disabled_officer_is_out_at_the_next_click(county: County, browse: Browse, claim: bytes) -> None:
    officer, admin = browse(county.hub, ACCEPT), browse(county.hub, ADMIN)
    assert admin.post(f"/officers/{ACCEPT}/disable", {"again": "2002"}).status_code == 422
    assert officer.get("/review").status_code == 200
    assert admin.post(f"/officers/{ACCEPT}/disable", {"again": ACCEPT}).status_code == 303
    assert "/login" in officer.get("/review").headers["Location"]
    assert county.rows("SELECT disabled_at IS NULL FROM officer_key WHERE operator_no = ?", ACCEPT) == [(0,)]


def test_a_forgotten_password_at_a_station_keeps_the_old_key_for_what_is_still_unsent(
    county: County, browse: Browse
) -> None:
    assert browse(county.hub, ADMIN).post(f"/officers/{CLERK}/reset").status_code == 200
    ended = county.rows("SELECT disabled_at FROM officer_key WHERE operator_no = ? ORDER BY valid_from", CLERK)
    assert ended == [(None,), (None,)]


def test_a_password_that_others_know_ends_its_key_at_once(county: County, browse: Browse) -> None:
    assert browse(county.hub, ADMIN).post(f"/officers/{ACCEPT}/reset", {"end_old_key": "1"}).status_code == 200
    ended = county.rows("SELECT disabled_at IS NULL FROM officer_key WHERE operator_no = ? ORDER BY valid_from", ACCEPT)
    assert ended == [(0,), (1,)]


def test_only_the_administrator_changes_officers(county: County, browse: Browse) -> None:
    browser = browse(county.hub, INSPECT)
    assert browser.get("/officers").status_code == 200
    assert browser.post("/officers", new_officer()).status_code == 403
    assert browser.post(f"/officers/{ACCEPT}/disable", {"again": ACCEPT}).status_code == 403
    assert county.one("SELECT count(*) FROM officer WHERE disabled_on IS NOT NULL") == 0
