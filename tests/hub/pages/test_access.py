# SPDX-License-Identifier: Apache-2.0
"""Who gets into the hub's pages, and who may do what there."""

from __future__ import annotations

import re

import pytest

from hub.app import create_app
from hub.context import Hub
from tests.hub.county import (
    ADMIN,
    AGREE,
    ALL_FOUR,
    CHANGE,
    CHEAP,
    CLERK,
    INSPECT,
    REVIEW,
    Browse,
    County,
    Desk,
)
from tests.hub.deciding import address, everything, put_conflict, put_incidents, put_late, put_refusal, walk


def own_routes(hub: Hub) -> list[tuple[str, str]]:
    """Every page and action of this app, with some id where one is asked for."""
    out = []
    for rule in create_app(hub, cost=CHEAP).url_map.iter_rules():
        if rule.endpoint in (
            "static",
            "web.static",
            "web.set_lang",
            "auth.login",
            "check.show",
        ) or rule.endpoint.startswith("sync_api"):
            continue
        path = re.sub(r"<id:[^>]+>", "0" * 32, rule.rule)
        path = re.sub(r"<any\((\w+)[^>]*>", r"\1", path)
        path = re.sub(r"<[^>]+>", "2026-11", path)
        out += [(method, path) for method in sorted((rule.methods or set()) & {"GET", "POST"})]
    return out


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


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_page_opens_in_both_languages(
    county: County, browse: Browse, desk: Desk, other_desk: Desk, claim: bytes, lang: str
) -> None:
    desk.submit(CHANGE, "周建根", given={"new_name": "周建耕", "reason": "公安已更正"})
    walk(county, claim, "accept")
    put_conflict(county)
    put_refusal(county, "receipt_block")
    put_late(county, phone="17706753391", address=None)
    put_incidents(county)
    person = county.persons["周建根"].hex()
    pages = {
        ALL_FOUR: ["/", "/review", f"/review/{claim.hex()}?all=1", f"/cases/{claim.hex()}", "/conflicts", "/stations",
                   "/stations?show=all", "/stations?township=330683100", "/registry", f"/persons/{person}", "/refusals",
                   "/refusals?show=all", "/late", "/late?show=decided", "/workload", "/workload?month=2020-01",
                   "/status"],
        ADMIN: ["/", "/officers", "/workload", "/refusals", "/incidents", "/incidents?show=all"],
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


@pytest.mark.parametrize("path", ["/cases/zz", "/cases/" + "0" * 32, "/review/" + "0" * 32, "/persons/" + "0" * 32])
def test_an_address_of_nothing_is_a_page_that_says_so(county: County, browse: Browse, path: str) -> None:
    answer = browse(county.hub, REVIEW).get(path)
    assert answer.status_code == 404
    assert "Traceback" not in answer.text
