# SPDX-License-Identifier: Apache-2.0
"""The door: who tries it, how often, and with whose number."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from hub import officers
from hub.signer import open_signer
from node.app import create_app as station_app
from node.station import Station
from schema import database
from schema.errors import NotAllowed, WrongPassword
from tests.hostile.evil import require_words, rows
from tests.hub.county import ACCEPT, CLERK, Browse, Browser, County
from tests.node.conftest import CHEAP, PASSWORD, Counter

RIGHT, WRONG = PASSWORD, "not the password 9"
LOCKED, UNKNOWN_OR_WRONG = "才能再登录", "工号或密码不对"


def words(text: str) -> str:
    """What the login page says beside the form, without the number typed."""
    found = re.search(r'role="alert"[^>]*>(.*?)</', text, re.DOTALL)
    assert found, text[:2000]
    return " ".join(re.sub("<[^>]+>", " ", found[1]).split())


def try_(door: Counter | Browser, number: str, password: str) -> tuple[int, str]:
    door.get("/login")
    answer = door.post("/login", {"operator_no": number, "password": password})
    require_words(answer)
    return answer.status_code, "" if answer.status_code == 302 else words(answer.text)


def test_the_lock_survives_a_restart_and_holds_against_the_right_password(visitor: Counter, station: Station) -> None:
    for _ in range(5):
        status, said = try_(visitor, "3012", WRONG)
    assert status == 422 and LOCKED in said
    again = Counter(station_app(station, cost=CHEAP).test_client())
    status, said = try_(again, "3012", RIGHT)
    assert status == 422 and LOCKED in said
    assert try_(again, "3007", RIGHT)[0] == 302


def test_a_number_nobody_has_is_answered_word_for_word_like_a_wrong_password(visitor: Counter) -> None:
    for _ in range(6):
        assert try_(visitor, "3999", WRONG) == try_(visitor, "3012", WRONG)


def test_a_disabled_officer_is_told_so_only_with_the_right_password(visitor: Counter, station: Station) -> None:
    with station.store.write() as db:
        db.execute("UPDATE officer SET disabled_on = '2026-11-22' WHERE operator_no = '3012'")
    assert try_(visitor, "3012", WRONG) == try_(visitor, "3999", WRONG)
    status, said = try_(visitor, "3012", RIGHT)
    assert status == 422 and "停用" in said


def test_an_officer_disabled_meanwhile_is_out_at_the_next_click(counter: Counter, station: Station) -> None:
    with station.store.write() as db:
        db.execute("UPDATE officer SET disabled_on = '2026-11-23' WHERE operator_no = '3012'")
    before = rows(station.store)
    for answer in (counter.get("/"), counter.post("/station/backup"), counter.post("/search", {"q": "zjg"})):
        assert answer.status_code == 302 and "/login" in answer.headers["Location"]
    assert rows(station.store) == before


@pytest.mark.parametrize("post_at", ["0101-1", None], ids=["another station", "the hub"])
def test_officers_of_other_places_do_not_exist_at_a_station(
    visitor: Counter, station: Station, post_at: str | None
) -> None:
    with station.store.write() as db:
        row = dict(db.execute("SELECT * FROM officer WHERE operator_no = '3012'").fetchone())
        database.insert(db, "officer", row | {"operator_no": "3777", "station": post_at})
    assert try_(visitor, "3777", RIGHT) == try_(visitor, "3999", RIGHT)


def test_a_clerk_does_not_exist_at_the_hub(county: County, browse: Browse) -> None:
    door = browse(county.hub)
    assert try_(door, CLERK, "清水 runs downhill 7") == try_(door, "9999", "清水 runs downhill 7")


def test_numbers_that_are_none_are_never_kept(visitor: Counter, station: Station) -> None:
    before = rows(station.store)
    for number in ("", " ", "3012' OR 1=1 --", "30\x0012", "3" * 5000, "<b>", "../3012", "三零一二"):
        status, said = try_(visitor, number, RIGHT)
        assert status == 422 and UNKNOWN_OR_WRONG in said
    assert rows(station.store) == before


def test_a_key_that_is_not_the_officers_lets_nobody_in(visitor: Counter, station: Station) -> None:
    """A wrapped key put into another officer's row: the password opens it, but it signs as nobody."""
    with station.store.write() as db:
        db.execute(
            "UPDATE officer SET wrapped_key = (SELECT wrapped_key FROM officer WHERE operator_no = '3007') "
            "WHERE operator_no = '3012'"
        )
    status, said = try_(visitor, "3012", RIGHT)
    assert status == 422 and said


def test_a_damaged_key_is_answered_in_words(visitor: Counter, station: Station) -> None:
    for blob in (b"", b"\xff" * 100, b"\xa0", bytes(4096)):
        with station.store.write() as db:
            db.execute("UPDATE officer SET wrapped_key = ? WHERE operator_no = '3012'", (blob,))
        status, said = try_(visitor, "3012", RIGHT)
        assert status == 422 and said


def test_a_cookie_is_worth_nothing_after_logout_lock_or_restart(counter: Counter, station: Station) -> None:
    cookie = counter.client.get_cookie(counter.client.application.config["SESSION_COOKIE_NAME"])
    assert cookie is not None

    def opens(client: FlaskClient) -> bool:
        client.set_cookie(cookie.key, cookie.value)
        return client.get("/cases").status_code == 200

    assert opens(counter.client.application.test_client())
    assert not opens(station_app(station, cost=CHEAP).test_client())
    counter.post("/lock")
    assert not opens(counter.client.application.test_client())


def test_a_cookie_of_the_station_opens_nothing_at_the_hub(counter: Counter, county: County, browse: Browse) -> None:
    cookie = counter.client.get_cookie(counter.client.application.config["SESSION_COOKIE_NAME"])
    assert cookie is not None
    door = browse(county.hub)
    for name in (cookie.key, door.client.application.config["SESSION_COOKIE_NAME"]):
        door.client.set_cookie(name, cookie.value)
        assert door.get("/review").status_code == 302


def test_an_officer_with_a_password_somebody_else_set_does_nothing_before_the_own_one(
    county: County, browse: Browse, claim: bytes
) -> None:
    officers.reset_password(county.store, ACCEPT, "清水 runs downhill 7", county.hub.clock, cost=CHEAP)
    browser = browse(county.hub)
    assert try_(browser, ACCEPT, "清水 runs downhill 7")[0] == 302
    before = rows(county.store)
    for answer in (browser.get("/review"), browser.post(f"/cases/{claim.hex()}/decide", {"decision": "agree"})):
        assert answer.status_code in (302, 400)
        assert answer.status_code == 400 or answer.headers["Location"] == "/password"
    assert rows(county.store) == before


def test_the_command_line_signs_nothing_with_a_password_somebody_else_set(county: County) -> None:
    """The administrator knows it: four one-time passwords would be four pairs of hands in one."""
    officers.reset_password(county.store, ACCEPT, "清水 runs downhill 7", county.hub.clock, cost=CHEAP)
    with pytest.raises(NotAllowed, match="choose your own"):
        open_signer(county.hub, ACCEPT, "清水 runs downhill 7")
    with pytest.raises(WrongPassword):
        open_signer(county.hub, ACCEPT, "something else 5")
    with pytest.raises(WrongPassword):
        open_signer(county.hub, CLERK, "清水 runs downhill 7")
