# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from schema.web.keyring import IDLE_S
from tests.schema.web.conftest import PASSWORD, MemoryStore, Seconds, token_of

LogIn = Callable[..., TestResponse]
Post = Callable[..., TestResponse]
NEW = "rain in Ganlin"


def is_in(client: FlaskClient) -> bool:
    return client.get("/").status_code == 200


# Coming in


def test_without_a_login_a_page_leads_to_the_login_and_back(client: FlaskClient, log_in: LogIn) -> None:
    sent = client.get("/review?case=0a1b")
    assert (sent.status_code, sent.location) == (302, "/login?next=/review?case%3D0a1b")
    assert log_in("2107", next="/review?case=0a1b").location == "/review?case=0a1b"


def test_number_and_password_open_the_pages(client: FlaskClient, log_in: LogIn) -> None:
    assert log_in().location == "/"
    page = client.get("/").get_data(as_text=True)
    assert "王丽萍 3012" in page


def test_the_number_may_be_typed_in_full_width_and_with_spaces(client: FlaskClient, log_in: LogIn) -> None:
    log_in(" ３０１２ ")
    assert is_in(client)


def test_a_wrong_password_stays_at_the_login_with_the_tries_left(client: FlaskClient, log_in: LogIn) -> None:
    answer = log_in(password="wrong")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "还可以试 4 次" in page and 'value="3012"' in page and "wrong" not in page
    assert not is_in(client)


def test_after_five_failures_even_the_right_password_waits(client: FlaskClient, log_in: LogIn) -> None:
    for _ in range(5):
        log_in(password="wrong")
    assert "到 09:15 才能再登录" in log_in().get_data(as_text=True)
    assert not is_in(client)


def test_the_lock_outlives_the_program(make_app: Callable[..., Flask], log_in: LogIn) -> None:
    for _ in range(5):
        log_in(password="wrong")
    again = make_app().test_client()
    token = token_of(again.get("/login").get_data(as_text=True))
    answer = again.post("/login", data={"operator_no": "3012", "password": PASSWORD, "csrf_token": token})
    assert answer.status_code == 422


def test_a_disabled_officer_is_told_that_unsent_work_is_safe(log_in: LogIn, store: MemoryStore) -> None:
    store.change("3012", disabled_on=date(2026, 11, 20))
    assert "此工号已停用（2026-11-20）。未上报的件都在" in log_in().get_data(as_text=True)


def test_an_officer_disabled_while_working_is_out_at_the_next_click(
    client: FlaskClient, log_in: LogIn, store: MemoryStore
) -> None:
    log_in()
    store.change("3012", disabled_on=date(2026, 11, 23))
    assert client.get("/").location.startswith("/login")


def test_the_login_makes_a_new_session(client: FlaskClient, log_in: LogIn) -> None:
    client.get("/login")
    with client.session_transaction() as session:
        session["planted"] = "by somebody"
    log_in()
    with client.session_transaction() as session:
        assert "planted" not in session


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example/", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)",
     "http:evil.example", "/\tevil", "evil", "", "/ok\r\nSet-Cookie: a=b"],
)  # fmt: skip
def test_the_login_leads_nowhere_else(log_in: LogIn, target: str) -> None:
    assert log_in(next=target).location == "/"


def test_who_is_logged_in_already_is_not_asked_again(client: FlaskClient, log_in: LogIn) -> None:
    log_in()
    assert client.get("/login?next=/review").location == "/review"


# Keys and sessions


def test_the_unlocked_key_signs_for_the_officer(client: FlaskClient, log_in: LogIn) -> None:
    log_in()
    assert len(bytes.fromhex(client.get("/sign").get_data(as_text=True))) == 64


def test_the_cookie_holds_neither_key_nor_name(client: FlaskClient, log_in: LogIn) -> None:
    log_in()
    with client.session_transaction() as session:
        assert set(session) <= {"_user_id", "_id", "_fresh", "csrf_token", "operator_no"}
        assert len(session["_user_id"]) == 32


def test_a_restart_ends_every_session(client: FlaskClient, log_in: LogIn, make_app: Callable[..., Flask]) -> None:
    log_in()
    cookie = client.get_cookie(client.application.config["SESSION_COOKIE_NAME"])
    again = make_app().test_client()
    assert cookie
    again.set_cookie(cookie.key, cookie.value)
    assert not is_in(again)


def test_five_idle_minutes_lock_the_screen_and_keep_the_number(
    client: FlaskClient, log_in: LogIn, seconds: Seconds
) -> None:
    log_in()
    seconds.now_s += IDLE_S
    assert client.get("/review").location == "/login?next=/review"
    page = client.get("/login").get_data(as_text=True)
    assert "已锁屏" in page and 'value="3012"' in page


def test_a_bar_that_polls_does_not_keep_the_screen_open(client: FlaskClient, log_in: LogIn, seconds: Seconds) -> None:
    log_in()
    for _ in range(4):
        seconds.now_s += IDLE_S / 4
        client.get("/bar")
    assert not is_in(client)


def test_work_keeps_the_screen_open(client: FlaskClient, log_in: LogIn, seconds: Seconds) -> None:
    log_in()
    for _ in range(8):
        seconds.now_s += IDLE_S / 2
        assert is_in(client)


def test_a_locked_page_that_asks_by_itself_is_sent_to_the_login(
    client: FlaskClient, log_in: LogIn, seconds: Seconds
) -> None:
    log_in()
    seconds.now_s += IDLE_S
    asked = {"HX-Request": "true", "HX-Current-URL": "http://localhost/review?case=0a"}
    answer = client.get("/bar", headers=asked)
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/login?next=/review?case%3D0a")


def test_a_program_without_login_gets_json(client: FlaskClient) -> None:
    answer = client.get("/", headers={"Accept": "application/json"})
    assert answer.status_code == 401
    assert answer.get_json()["error"] == "401" and set(answer.get_json()) == {"error", "zh", "en"}


def test_lock_drops_the_key_and_comes_back_to_the_page(client: FlaskClient, log_in: LogIn, post: Post) -> None:
    log_in()
    assert post("/lock", {"next": "/review"}, page="/").location == "/login?next=/review"
    assert not is_in(client)
    assert 'value="3012"' in client.get("/login").get_data(as_text=True)
    assert client.application.extensions["auth"].ring._held == {}


def test_logout_forgets_the_number_too(client: FlaskClient, log_in: LogIn, post: Post) -> None:
    log_in()
    post("/logout", {}, page="/")
    assert 'value="3012"' not in client.get("/login").get_data(as_text=True)


def test_a_cookie_kept_from_before_the_lock_is_worth_nothing(client: FlaskClient, log_in: LogIn, post: Post) -> None:
    log_in()
    name = client.application.config["SESSION_COOKIE_NAME"]
    kept = client.get_cookie(name)
    post("/lock", {}, page="/")
    assert kept
    client.set_cookie(name, kept.value)
    assert not is_in(client)


# What a page needs


def test_every_page_of_the_app_needs_a_login_unless_it_is_on_the_list(app: Flask, client: FlaskClient) -> None:
    public = app.extensions["auth"].public
    closed = [
        rule for rule in app.url_map.iter_rules() if rule.endpoint not in public and "GET" in (rule.methods or ())
    ]
    assert len(closed) > 5
    for rule in closed:
        if not rule.arguments:
            assert client.get(rule.rule).status_code == 302, rule.endpoint


def test_what_is_on_the_public_list_needs_none(client: FlaskClient) -> None:
    assert client.get("/check").status_code == 200


def test_a_machine_is_checked_by_its_own_door(client: FlaskClient) -> None:
    assert client.put("/s1/chunk", data=b"frame").get_data() == b"frame taken"


def test_a_role_opens_its_pages_and_no_others(client: FlaskClient, log_in: LogIn) -> None:
    log_in("2107")
    assert client.get("/review").status_code == 200


def test_without_the_role_the_page_names_the_post_it_needs(client: FlaskClient, log_in: LogIn) -> None:
    log_in("3012")
    answer = client.get("/review")
    assert answer.status_code == 403
    assert "这一页由复核岗、审批岗办理" in answer.get_data(as_text=True)


# The password


def test_a_password_set_by_another_must_be_changed_before_anything_else(
    client: FlaskClient, log_in: LogIn, post: Post, store: MemoryStore
) -> None:
    store.change("3012", must_change=True)
    log_in()
    assert client.get("/").location == "/password"
    assert (
        client.post("/", data={"csrf_token": token_of(client.get("/password").get_data(as_text=True))}).location
        == "/password"
    )
    assert post("/password", {"old": PASSWORD, "new": NEW, "again": NEW}, page="/password").location == "/"
    assert is_in(client)


def test_after_the_change_only_the_new_password_opens(client: FlaskClient, log_in: LogIn, post: Post) -> None:
    log_in()
    post("/password", {"old": PASSWORD, "new": NEW, "again": NEW}, page="/password")
    post("/lock", {}, page="/")
    assert log_in(password=PASSWORD).status_code == 422
    assert log_in(password=NEW).status_code == 302


def test_the_change_ends_the_officers_other_sessions(
    app: Flask, client: FlaskClient, log_in: LogIn, post: Post
) -> None:
    elsewhere = app.test_client()
    token = token_of(elsewhere.get("/login").get_data(as_text=True))
    elsewhere.post("/login", data={"operator_no": "3012", "password": PASSWORD, "csrf_token": token})
    assert is_in(elsewhere)
    log_in()
    post("/password", {"old": PASSWORD, "new": NEW, "again": NEW}, page="/password")
    assert is_in(client) and not is_in(elsewhere)


def test_everything_wrong_with_a_new_password_is_said_at_once_and_nothing_is_sent_back(
    log_in: LogIn, post: Post, store: MemoryStore
) -> None:
    log_in()
    before = store.officers["3012"].wrapped_key
    answer = post("/password", {"old": PASSWORD, "new": "3012", "again": "3021"}, page="/password")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422 and page.count('class="err"') == 5
    assert "<title>有 5 处要改" in page and "两遍不一样" in page and "不能有工号" in page
    assert PASSWORD not in page and "3021" not in page
    assert store.officers["3012"].wrapped_key == before


def test_the_old_password_is_asked_for(log_in: LogIn, post: Post, store: MemoryStore) -> None:
    log_in()
    before = store.officers["3012"].wrapped_key
    answer = post("/password", {"old": "wrong", "new": NEW, "again": NEW}, page="/password")
    assert answer.status_code == 422 and "还可以试 4 次" in answer.get_data(as_text=True)
    assert store.officers["3012"].wrapped_key == before


def test_the_present_password_is_no_new_one(log_in: LogIn, post: Post) -> None:
    log_in()
    answer = post("/password", {"old": PASSWORD, "new": PASSWORD, "again": PASSWORD}, page="/password")
    assert "新密码和现在的一样" in answer.get_data(as_text=True)
