# SPDX-License-Identifier: Apache-2.0
"""The self-service page: only its own routes, only the person who stands there, and nothing of the one before."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from node.app import create_app
from node.kiosk import visit as visits
from node.kiosk.visit import TRIES
from node.station import Station
from schema import database, ids
from schema.clock import FixedClock
from tests.node.conftest import CHEAP, Counter
from tests.node.kiosk.conftest import CHEN, NO_PHONE, READER, ZHANG_WEI

Lay = Callable[..., None]
RIGHT = {"张伟": "0016", "陈桂英": "1162"}
PERSONAL = ["/question", "/me", "/me/personal_data_change"]


def identify(citizen: Counter, lay: Lay, holder: Any = ZHANG_WEI) -> Any:
    """Card on the reader, question answered; the answer to it."""
    lay(holder)
    citizen.get("/")
    assert citizen.post("/begin").status_code == 302
    citizen.get("/question")
    return citizen.post("/question", {"digits": RIGHT[holder.name]})


def test_nothing_of_the_counter_can_be_reached(kiosk: Flask, station: Station, citizen: Counter, lay: Lay) -> None:
    counters = {rule.rule for rule in create_app(station, cost=CHEAP).url_map.iter_rules()}
    own = {rule.rule for rule in kiosk.url_map.iter_rules()}
    assert counters & own == {"/", "/web/static/<path:filename>", "/lang/<code>"} & own
    identify(citizen, lay)
    for path in counters - own:
        asked = re.sub(r"<id:\w+>", "0" * 32, re.sub(r"<int:\w+>", "1", re.sub(r"<(?:path:)?\w+>", "x", path)))
        for method in ("GET", "POST"):
            answer = citizen.client.open(asked, method=method, data={"csrf_token": citizen.token})
            assert answer.status_code in (400, 404, 405) or answer.location == "/", (method, path)


def test_a_session_of_one_app_is_none_of_the_other(
    app: Flask, kiosk: Flask, counter: Counter, citizen: Counter, lay: Lay
) -> None:
    assert app.config["SECRET_KEY"] != kiosk.config["SECRET_KEY"]
    assert app.config["SESSION_COOKIE_NAME"] != kiosk.config["SESSION_COOKIE_NAME"]
    kiosk_name = kiosk.config["SESSION_COOKIE_NAME"]
    clerks = counter.client.get_cookie(app.config["SESSION_COOKIE_NAME"])
    assert clerks is not None
    lay(ZHANG_WEI)
    citizen.client.set_cookie(kiosk_name, clerks.value)
    assert citizen.get("/me").location == "/"


def test_own_records_are_shown_for_card_and_phone(citizen: Counter, lay: Lay) -> None:
    assert identify(citizen, lay).location == "/me"
    page = citizen.get("/me").text
    assert "参保" in page and "张伟" not in page  # bystanders read along


@pytest.mark.parametrize("path", PERSONAL)
def test_before_the_card_nobodys_page_is_shown(citizen: Counter, path: str) -> None:
    assert citizen.get(path).location == "/"


@pytest.mark.parametrize("path", PERSONAL[1:])
def test_before_the_answer_nobodys_records_are_shown(citizen: Counter, lay: Lay, path: str) -> None:
    lay(ZHANG_WEI)
    citizen.post("/begin")
    assert citizen.get("/question").status_code == 200
    assert citizen.get(path).location == "/"


@pytest.mark.parametrize("how", ["card off", "next card", "silence", "finish", "home"])
def test_when_a_visit_ends_nothing_of_it_is_left(
    citizen: Counter, lay: Lay, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    identify(citizen, lay)
    assert citizen.get("/me").status_code == 200
    if how == "card off":
        lay(None)
    elif how == "next card":
        lay(CHEN)
    elif how == "silence":
        monkeypatch.setattr(visits, "IDLE_S", -1.0)
        assert citizen.get("/me").location == "/"
    elif how == "finish":
        answer = citizen.post("/end")
        assert answer.headers["Clear-Site-Data"]
    else:
        citizen.get("/")
    monkeypatch.setattr(visits, "IDLE_S", 60.0)
    for path in PERSONAL:
        assert citizen.get(path).location == "/"
    assert "张" not in citizen.get("/").text


def test_no_page_of_a_person_may_be_kept_by_the_browser(citizen: Counter, lay: Lay) -> None:
    identify(citizen, lay)
    for path in ("/", "/me", "/number", "/display"):
        answer = citizen.get(path)
        assert "no-store" in answer.headers["Cache-Control"], path
        lay(ZHANG_WEI)
        identify(citizen, lay)


def test_the_cookie_names_nobody(citizen: Counter, lay: Lay, kiosk: Flask) -> None:
    identify(citizen, lay)
    with citizen.client.session_transaction() as kept:
        text = str(dict(kept))
    assert ZHANG_WEI.id_number not in text and "张伟" not in text


def test_wrong_answers_lock_the_person_for_half_an_hour_and_not_others(
    citizen: Counter, lay: Lay, clock: FixedClock
) -> None:
    lay(ZHANG_WEI)
    citizen.post("/begin")
    for n in range(TRIES):
        citizen.get("/question")
        assert citizen.post("/question", {"digits": "9999"}).status_code == (422 if n < TRIES - 1 else 403)
    assert citizen.get("/me").location == "/"
    assert identify(citizen, lay).status_code == 403  # even the right answer
    assert identify(citizen, lay, CHEN).location == "/me"
    clock.advance(minutes=31)
    assert identify(citizen, lay).location == "/me"


def test_somebody_without_a_phone_in_the_register_is_sent_to_a_window(citizen: Counter, lay: Lay) -> None:
    lay(NO_PHONE)
    answer = citizen.post("/begin")
    assert answer.status_code == 403 and "请到窗口" in answer.text


def test_a_lost_card_opens_nothing(
    citizen: Counter, lay: Lay, station: Station, person: Callable[[str], bytes]
) -> None:
    lost = {"id": ids.new_id(), "person_id": person("张伟"), "card_no": ZHANG_WEI.card_no, "state": "lost"}
    with station.store.write() as db:
        database.insert(db, "card", lost | {"since": "2026-11-20", "rev": 1})
    lay(ZHANG_WEI)
    answer = citizen.post("/begin")
    assert answer.status_code == 403 and "请到窗口" in answer.text


def test_a_card_on_the_clerks_reader_is_no_card_here_and_this_one_none_of_the_clerks(
    citizen: Counter, counter: Counter, lay: Lay
) -> None:
    lay(ZHANG_WEI, "Clerk's reader")
    assert citizen.post("/begin").status_code == 403
    lay(CHEN)
    told = counter.get("/card/listen", headers={"Accept": "application/json"}).json
    assert told is not None
    assert counter.post("/card/take", {"n": told["n"]}).status_code == 204


def test_what_was_shown_and_printed_is_written_down(
    citizen: Counter, lay: Lay, station: Station, person: Callable[[str], bytes]
) -> None:
    identify(citizen, lay)
    citizen.get("/me")
    sheet = citizen.post("/me/print").text
    assert "没有盖章" in sheet and ZHANG_WEI.id_number not in sheet
    with station.store.read() as db:
        rows = [(r["what"], bytes(r["person_id"])) for r in db.execute("SELECT * FROM kiosk_log ORDER BY at, rowid")]
    assert rows == [("shown", person("张伟")), ("printed", person("张伟"))]


def test_an_application_waits_for_an_officer_who_makes_it_a_draft_of_his_own(
    citizen: Counter, counter: Counter, lay: Lay, station: Station
) -> None:
    identify(citizen, lay)
    assert "/me/personal_data_change" in citizen.get("/me").text
    form = citizen.get("/me/personal_data_change").text
    assert 'name="phone"' in form and 'name="new_name"' not in form  # a new name needs a paper
    answer = citizen.post("/me/personal_data_change", {"phone": "13957589999"})
    assert answer.status_code == 200, answer.text
    assert "还没有办理" in answer.text
    listed = counter.get("/queue/requests").text
    assert "张伟" in listed
    path = re.search(r"/queue/requests/[0-9a-f]{32}", listed)
    assert path is not None
    draft = counter.post(path[0], {"do": "take"})
    assert "13957589999" in counter.get(draft.location).text.replace(" ", "")
    assert counter.post(path[0], {"do": "take"}).status_code == 409
    with station.store.read() as db:
        assert db.execute("SELECT answers FROM kiosk_request").fetchone()[0] == "{}"
        assert db.execute("SELECT count(*) FROM fact").fetchone()[0] == 0


def test_a_change_that_needs_papers_is_sent_to_a_window(citizen: Counter, lay: Lay, station: Station) -> None:
    identify(citizen, lay)
    citizen.get("/me/personal_data_change")
    answer = citizen.post("/me/personal_data_change", {"new_name": "张炜"})
    assert answer.status_code == 422 and "请到窗口办理" in answer.text
    with station.store.read() as db:
        assert db.execute("SELECT count(*) FROM kiosk_request").fetchone()[0] == 0


def test_an_item_that_is_not_offered_cannot_be_asked_for(citizen: Counter, lay: Lay) -> None:
    identify(citizen, lay)
    assert citizen.get("/me/resident_pension_enrolment").status_code == 404


def test_a_number_is_taken_called_and_done(citizen: Counter, counter: Counter) -> None:
    citizen.get("/number")
    citizen.post("/number", {"topic": "B"})
    assert "B001" in citizen.get("/ticket").text
    assert citizen.get("/ticket").location == "/"
    counter.get("/")
    called = counter.post("/queue/next", headers={"HX-Request": "true"})
    assert "B001" in called.text and "HX-Redirect" not in called.headers
    assert "B001" in citizen.get("/display").text and "B001" in citizen.get("/display/room").text
    assert "B001" not in counter.post("/queue/done", headers={"HX-Request": "true"}).text
    assert "B001" not in citizen.get("/display/room").text


def test_whose_number_is_known_opens_at_the_window(
    citizen: Counter, counter: Counter, lay: Lay, person: Callable[[str], bytes]
) -> None:
    identify(citizen, lay)
    citizen.get("/number")
    citizen.post("/number", {"topic": "A"})
    assert citizen.get("/me").location == "/"
    called = counter.post("/queue/next", headers={"HX-Request": "true"})
    assert called.headers["HX-Redirect"] == f"/persons/{person('张伟').hex()}"


def test_who_did_not_come_is_called_back(citizen: Counter, counter: Counter) -> None:
    citizen.get("/number")
    citizen.post("/number", {"topic": "A"})
    counter.post("/queue/next")
    counter.post("/queue/away")
    panel = counter.get("/queue").text
    assert "过号 A001" in panel
    path = re.search(r"/queue/back/[0-9a-f]{32}", panel)
    assert path is not None
    counter.post(path[0])
    assert 'queue-number">A001' in counter.get("/queue").text


def test_the_rooms_screen_names_nobody(citizen: Counter, counter: Counter, lay: Lay) -> None:
    identify(citizen, lay)
    citizen.get("/number")
    citizen.post("/number", {"topic": "A"})
    counter.post("/queue/next", headers={"HX-Request": "true"})
    screen = citizen.get("/display").text
    assert "A001" in screen and "张" not in screen and READER not in screen


@pytest.mark.parametrize("path", ["/", "/number", "/display", "/me", "/me/personal_data_change"])
def test_every_page_speaks_english_too(citizen: Counter, lay: Lay, path: str) -> None:
    identify(citizen, lay)
    citizen.client.set_cookie("lang", "en")
    assert 'lang="en"' in citizen.get(path).text


def test_a_form_without_its_token_changes_nothing(kiosk: Flask, citizen: Counter, lay: Lay) -> None:
    identify(citizen, lay)
    for rule in kiosk.url_map.iter_rules():
        if "POST" in (rule.methods or ()):
            assert citizen.client.post(re.sub(r"<\w+>", "x", rule.rule), data={"topic": "A"}).status_code == 400
