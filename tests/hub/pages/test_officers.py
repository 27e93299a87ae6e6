# SPDX-License-Identifier: Apache-2.0
"""Officers made, disabled and given new passwords by the administrator."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.hub.county import (
    ACCEPT,
    ADMIN,
    CLERK,
    INSPECT,
    Browse,
    County,
)


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
        ({"name": " "}, "姓名要填"),
        ({"name": "名" * 41}, "最多 40 个字"),
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


def test_other_posts_hold_at_the_next_click(county: County, browse: Browse) -> None:
    officer, admin = browse(county.hub, ACCEPT), browse(county.hub, ADMIN)
    assert admin.post(f"/officers/{ACCEPT}/roles", {"posts": ["settle"]}).status_code == 303
    assert officer.get("/review").status_code == 403
    assert county.rows("SELECT roles FROM officer_key WHERE operator_no = ?", ACCEPT) == [("settle",)]
    assert admin.post(f"/officers/{ACCEPT}/roles", {"posts": ["settle", "inspect"]}).status_code == 422
    assert county.one("SELECT roles FROM officer WHERE operator_no = ?", ACCEPT) == "settle"
