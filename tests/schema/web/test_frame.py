# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import logging
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from schema.errors import ConfigError
from schema.web.frame import BODY_MAX_BYTES, FIELD_MAX_BYTES, HEADERS
from schema.web.texts import MissingText
from tests.schema.web.conftest import token_of

LogIn = Callable[..., TestResponse]
MakeApp = Callable[..., Flask]

MULTIPART = "multipart/form-data; boundary=x"

# The secret and the cookie


@pytest.mark.parametrize("secret", [None, "", "short", b"x" * 31])
def test_the_app_refuses_to_start_without_a_proper_secret(make_app: MakeApp, secret: object) -> None:
    with pytest.raises(ConfigError, match="SECRET_KEY"):
        make_app(SECRET_KEY=secret)


def test_the_session_cookie_is_closed_to_scripts_and_to_other_sites(client: FlaskClient) -> None:
    cookie = client.get("/login").headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Secure" not in cookie


def test_over_tls_the_cookie_stays_on_tls(client: FlaskClient) -> None:
    answer = client.get("/login", base_url="https://hub.example")
    assert "Secure" in answer.headers["Set-Cookie"]
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=")


def test_two_programs_on_one_machine_do_not_share_a_cookie(make_app: MakeApp) -> None:
    names = {
        make_app(place, SECRET_KEY=secret).config["SESSION_COOKIE_NAME"]
        for place, secret in (("station", b"a" * 32), ("station", b"b" * 32), ("hub", b"a" * 32))
    }
    assert len(names) == 3


# Headers


@pytest.mark.parametrize("path", ["/login", "/check", "/", "/none", "/web/static/app.css"])
def test_every_answer_carries_the_security_headers(client: FlaskClient, path: str) -> None:
    with client.get(path) as answer:
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS


def test_the_policy_allows_nothing_from_elsewhere_and_no_inline_script_or_style() -> None:
    policy = HEADERS["Content-Security-Policy"]
    assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy and "http" not in policy and "*" not in policy


def test_pages_are_not_stored_and_static_files_are(client: FlaskClient, log_in: LogIn) -> None:
    def kept(path: str) -> str:
        with client.get(path) as answer:
            return answer.headers["Cache-Control"]

    log_in()
    assert kept("/") == kept("/web/static/none.css?v=1") == "no-store"
    assert "immutable" in kept("/web/static/app.css?v=1")
    assert kept("/web/static/app.css") == "no-cache"


# CSRF


def test_every_form_is_refused_without_a_token(app: Flask, client: FlaskClient, log_in: LogIn) -> None:
    log_in()
    rules = [rule for rule in app.url_map.iter_rules() if "POST" in (rule.methods or ())]
    assert {rule.endpoint for rule in rules} >= {
        "auth.login",
        "auth.password",
        "auth.lock",
        "auth.logout",
        "pages.home",
    }
    for rule in rules:
        answer = client.post(rule.rule, data={"operator_no": "3012"})
        assert answer.status_code == 400, rule.endpoint
        assert "这张页面放得太久" in answer.get_data(as_text=True)


def test_a_token_of_another_session_is_refused(app: Flask, client: FlaskClient, log_in: LogIn) -> None:
    log_in()
    stolen = token_of(app.test_client().get("/login").get_data(as_text=True))
    assert client.post("/", data={"csrf_token": stolen}).status_code == 400


def test_a_token_in_the_header_is_enough_for_htmx(client: FlaskClient, log_in: LogIn) -> None:
    log_in()
    token = token_of(client.get("/").get_data(as_text=True))
    assert client.post("/only-post", headers={"X-CSRFToken": token}).get_data() == b"taken"


def test_what_was_typed_is_escaped_on_the_page(client: FlaskClient, log_in: LogIn) -> None:
    log_in()
    token = token_of(client.get("/").get_data(as_text=True))
    page = client.post("/", data={"said": "<script>alert(1)</script>", "csrf_token": token}).get_data(as_text=True)
    assert "&lt;script&gt;alert(1)" in page and "<script>alert" not in page


# Language


def test_chinese_comes_first_and_the_switch_is_kept(client: FlaskClient) -> None:
    assert '<html lang="zh-CN">' in client.get("/login").get_data(as_text=True)
    assert client.get("/lang/en?next=/login").location == "/login"
    page = client.get("/login").get_data(as_text=True)
    assert '<html lang="en">' in page and "Log in" in page and "登录" not in page
    client.get("/lang/zh")
    assert "登录" in client.get("/login").get_data(as_text=True)


def test_the_switch_comes_back_to_the_page_with_its_query(client: FlaskClient, log_in: LogIn) -> None:
    log_in()
    assert 'href="/lang/en?next=/?page%3D2"' in client.get("/?page=2").get_data(as_text=True)


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil.example", "evil"])
def test_the_switch_leads_nowhere_else(client: FlaskClient, target: str) -> None:
    assert client.get("/lang/en", query_string={"next": target}).location == "/"


def test_an_unknown_language_changes_nothing(client: FlaskClient) -> None:
    assert "Set-Cookie" not in client.get("/lang/xx?next=/login").headers
    client.set_cookie("lang", "../../x")
    assert '<html lang="zh-CN">' in client.get("/login").get_data(as_text=True)


def test_a_missing_text_stops_a_test_and_shows_its_key_in_production(app: Flask) -> None:
    from schema.web.frame import t

    with app.test_request_context():
        assert t("none.such") == "none.such"
        app.testing = True
        with pytest.raises(MissingText):
            t("none.such")


# Errors


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [("/none", 404, "没有这一页"), ("/broken", 500, "这一步没有办成"), ("/closed", 503, "数据库打不开"),
     ("/gone", 404, "这一件已不在本站"), ("/only-post", 405, "只接收提交的表单")],
)  # fmt: skip
def test_an_error_page_says_what_is_and_what_to_do(
    client: FlaskClient, log_in: LogIn, path: str, status: int, said: str
) -> None:
    log_in()
    answer = client.get(path)
    page = answer.get_data(as_text=True)
    assert answer.status_code == status and said in page
    assert "Traceback" not in page and "张建国" not in page and "3306831965" not in page and "ValueError" not in page
    assert "回到首页" in page


def test_an_error_page_has_a_number_that_is_in_the_log_and_the_log_has_no_personal_data(
    client: FlaskClient, log_in: LogIn, caplog: pytest.LogCaptureFixture
) -> None:
    log_in()
    with caplog.at_level(logging.INFO):
        page = client.get("/broken").get_data(as_text=True)
    written = "\n".join(caplog.handler.format(record) for record in caplog.records)
    number = page.split("记录号 ")[1][:8]
    assert number in written and "broken" in written and "ValueError" in written
    assert "张建国" not in written and "3306831965" not in written


def test_an_error_without_the_apps_own_variables_still_has_a_page(client: FlaskClient, log_in: LogIn) -> None:
    log_in()
    answer = client.get("/no-variables")
    assert answer.status_code == 500
    assert "这一步没有办成" in answer.get_data(as_text=True)


def test_a_body_that_is_too_big_is_refused_with_the_limit(client: FlaskClient, log_in: LogIn) -> None:
    log_in()
    says = {"CONTENT_LENGTH": str(BODY_MAX_BYTES + 1)}
    answer = client.post("/only-post", data=b"--x", content_type=MULTIPART, environ_overrides=says)
    assert answer.status_code == 413
    assert "最多 16 MB" in answer.get_data(as_text=True)


def test_a_text_field_may_not_fill_the_memory(client: FlaskClient, log_in: LogIn) -> None:
    log_in()
    note = b'--x\r\nContent-Disposition: form-data; name="note"\r\n\r\n' + bytes(FIELD_MAX_BYTES + 1) + b"\r\n--x--\r\n"
    assert client.post("/only-post", data=note, content_type=MULTIPART).status_code == 413


def test_a_part_of_a_page_gets_its_error_as_a_line(client: FlaskClient, log_in: LogIn) -> None:
    log_in()
    answer = client.get("/gone", headers={"HX-Request": "true"})
    page = answer.get_data(as_text=True)
    assert answer.headers["HX-Retarget"] == "#notice"
    assert 'class="notice stop"' in page and "<html" not in page


def test_a_program_gets_its_error_as_json_in_both_languages(client: FlaskClient, log_in: LogIn) -> None:
    log_in()
    answer = client.get("/gone", headers={"Accept": "application/json"})
    assert answer.get_json() == {"error": "404", "zh": "这一件已不在本站", "en": "this case is no longer here"}
    assert client.get("/none", headers={"Accept": "application/json"}).get_json()["error"] == "404"


def test_error_pages_speak_english_too(client: FlaskClient) -> None:
    client.get("/lang/en")
    page = client.get("/none").get_data(as_text=True)
    assert "No such page" in page and "没有" not in page
