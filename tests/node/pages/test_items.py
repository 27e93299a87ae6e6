# SPDX-License-Identifier: Apache-2.0
"""Taking an item at the pages: prefilled, kept while it is filled, all findings at once, one receipt."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from node import receipts
from node.station import Station
from schema import database, events, ids
from schema.service_parts import GROUPS
from tests.node.conftest import ENROLMENT, PAPERS, STATION, Counter

HTMX = {"HX-Request": "true"}
ITEM = "resident_pension_enrolment"
Person = Callable[[str], bytes]


@pytest.fixture
def send(counter: Counter, person: Person) -> Callable[..., TestResponse]:
    """`send(case_id, do=..., **answers)`: the enrolment form of 陈桂英, as it stands or changed."""
    counter.get(f"/items/{ITEM}?person={person('陈桂英').hex()}")

    def form(case_id: bytes, do: str = "submit", path: str = "", papers: Any = PAPERS, **answers: str) -> TestResponse:
        sent = ENROLMENT | {"address": "陈家路 4 号"} | answers
        fixed = {"service": ITEM, "person": person("陈桂英").hex(), "materials": papers, "do": do}
        return counter.post(f"/drafts/{case_id.hex()}{path}", sent | fixed, headers=HTMX if path == "/auto" else {})

    return form


Send = Callable[..., TestResponse]


def value_of(page: str, name: str) -> str:
    found = re.search(rf'<input[^>]*?value="([^"]*)"[^>]*?name="{name}"', page)
    return found[1] if found else ""


def test_the_form_opens_with_what_the_register_knows(counter: Counter, person: Person) -> None:
    page = counter.get(f"/items/{ITEM}?person={person('陈桂英').hex()}").text
    assert value_of(page, "name") == "陈桂英" and value_of(page, "phone") == "15857501162"
    assert value_of(page, "birth_on") == "1981-11-03" and "readonly" in page
    assert '<option value="330683100202" selected>施家岙村</option>' in page


def test_the_menu_has_every_item_under_its_group_and_what_finds_it(counter: Counter, station: Station) -> None:
    page = counter.get("/items").text
    at = [page.index(f"<h2>{title['zh']}</h2>") for title in GROUPS.values()]
    assert at == sorted(at)
    for item in station.desk.services.values():
        line = re.search(rf'<a href="/items/{item.id}"[^>]*>.*?</a>', page, re.S)
        assert line and item.title["zh"] in line[0] and f'data-no="{item.no}"' in line[0]
    assert "sbkgs" in page


def test_without_script_the_menu_is_narrowed_by_the_station(counter: Counter) -> None:
    counter.get("/items")
    page = counter.post("/items", {"q": "sbkgs"}).text
    assert re.findall(r'href="/items/(\w+)"', page) == ["card_loss"]
    page = counter.post("/items", {"q": "没有这样的事"}).text
    assert not re.findall(r'href="/items/(\w+)"', page) and "没有这样的事项" in page


def test_without_a_person_it_asks_for_whom_and_offers_to_register_somebody_new(counter: Counter) -> None:
    page = counter.get(f"/items/{ITEM}").text
    assert "给谁办" in page and f"/items/{ITEM}?new=1" in page
    known_only = counter.get("/items/resident_pension_claim").text
    assert "只能给本站名册里的人办" in known_only and "new=1" not in known_only


def test_hits_in_that_search_open_the_form_for_the_person(counter: Counter, person: Person) -> None:
    page = counter.get(f"/items/{ITEM}").text
    url = re.search(r'hx-post="([^"]+)"', page)
    assert url
    hits = counter.post(url[1], {"q": "cgy"}, headers=HTMX)
    assert f"/items/{ITEM}?person={person('陈桂英').hex()}" in hits.text


def test_nothing_is_kept_before_something_is_typed(counter: Counter, station: Station) -> None:
    counter.get(f"/items/{ITEM}?new=1")
    with station.store.read() as db:
        assert db.execute("SELECT count(*) FROM case_file").fetchone()[0] == 0


def test_typing_keeps_a_draft_and_refreshes_what_stands_beside(send: Send, counter: Counter) -> None:
    case_id = ids.new_id()
    beside = send(case_id, path="/auto", papers=["id_card"], grade="500").text
    assert "草稿，09:00 自动保存" in beside and "需要 3 项，已有 1 项" in beside
    assert "500.00" in beside and "暂定，待中心确认" in beside
    assert value_of(counter.get(f"/drafts/{case_id.hex()}").text, "holder") == "陈桂英"


def test_the_legal_state_beside_the_form_follows_what_is_typed(counter: Counter, person: Person) -> None:
    zhang = person("张建国").hex()
    counter.get(f"/items/personal_data_change?person={zhang}")
    path, fixed = f"/drafts/{ids.new_id().hex()}/auto", {"service": "personal_data_change", "person": zhang}
    assert "legal final" in counter.post(path, fixed | {"phone": "13857582046"}, headers=HTMX).text
    beside = counter.post(path, fixed | {"new_name": "张建邦"}, headers=HTMX).text
    assert "legal received" in beside and "公安" not in beside and 'id="state-police_proof"' in beside


def test_who_moves_away_may_move_to_any_village_of_the_county(
    counter: Counter, person: Person, station: Station
) -> None:
    with station.store.write() as db:
        for code, name, level, parent in (
            ("330683101", "长乐镇", "township", "330683"), ("330683101201", "水竹村", "village", "330683101"),
        ):  # fmt: skip
            database.insert(db, "division", {"code": code, "name": name, "level": level, "parent": parent, "rev": 1})
    page = counter.get(f"/items/personal_data_change?person={person('张建国').hex()}").text
    offered = re.compile('<select[^>]*name="(new_village|address_village)".*?</select>', re.DOTALL)
    lives, moves = (found[0] for found in offered.finditer(page))
    assert "长乐镇 水竹村" in moves and "甘霖镇 苍岩村" in moves
    assert "苍岩村" in lives and "水竹村" not in lives


def test_all_findings_come_with_the_whole_form_and_a_summary(send: Send) -> None:
    page = send(ids.new_id(), phone="1585750116", holder="陈贵英", papers=["id_card"])
    assert page.status_code == 422
    summary = re.search(r'<div class="summary".*?</div>', page.text, re.DOTALL)
    assert summary and "有 4 处要改" in summary[0]
    for target in ("l-phone", "l-holder", "l-material:household_book", "l-material:bank_book"):
        assert f'href="#{target}"' in summary[0] and f'id="{target}"' in page.text
    assert value_of(page.text, "holder") == "陈贵英" and value_of(page.text, "account_no") == ENROLMENT["account_no"]
    assert "<title>有 4 处要改" in page.text


def test_submitting_leads_to_the_first_slip_and_again_to_the_same(send: Send, station: Station) -> None:
    case_id = ids.new_id()
    first, again = send(case_id), send(case_id)
    assert first.headers["Location"] == again.headers["Location"] == f"/cases/{case_id.hex()}/slip/1"
    with station.store.read() as db:
        assert receipts.left(db, STATION) == 499
        assert [f.kind for f in events.of_subject(db, case_id)] == ["case_submitted"]
        assert db.execute("SELECT count(*) FROM print_log").fetchone()[0] == 1


def test_when_numbers_are_used_up_the_form_stays_and_says_what_to_do(send: Send, station: Station) -> None:
    with station.store.write() as db:
        db.execute("UPDATE receipt_block SET last = 400")
    case_id = ids.new_id()
    page = send(case_id)
    assert page.status_code == 409 and "回执号用完了" in page.text and value_of(page.text, "holder") == "陈桂英"
    with station.store.write() as db:
        db.execute("UPDATE receipt_block SET last = 900")
    assert send(case_id).status_code == 302


def test_a_draft_can_be_kept_taken_up_again_and_thrown_away(send: Send, counter: Counter) -> None:
    case_id = ids.new_id()
    assert send(case_id, do="keep").headers["Location"] == f"/drafts/{case_id.hex()}"
    assert "草稿已保存" in counter.get(f"/drafts/{case_id.hex()}").text
    assert counter.post(f"/drafts/{case_id.hex()}/discard").status_code == 302
    assert counter.get(f"/drafts/{case_id.hex()}").status_code == 404


def test_discarding_a_form_that_was_never_kept_is_no_error(counter: Counter) -> None:
    counter.get(f"/items/{ITEM}?new=1")
    assert counter.post(f"/drafts/{ids.new_id().hex()}/discard").headers["Location"] == "/"


def test_the_notice_names_everything_missing_once(send: Send, counter: Counter) -> None:
    case_id = ids.new_id()
    answer = send(case_id, do="notice", papers=["id_card"], hardship="minimum_living")
    notice = counter.get(answer.headers["Location"]).text
    assert "还缺 3 份材料" in notice and "陈*英" in notice and "陈桂英" not in notice.replace("<title>", "")
    for paper in ("户口簿本人页", "银行卡或存折", "困难身份证明"):
        assert paper in notice


def test_the_page_of_a_submitted_case_replaces_its_form(send: Send, counter: Counter) -> None:
    case_id = ids.new_id()
    send(case_id)
    assert counter.get(f"/drafts/{case_id.hex()}").headers["Location"] == f"/cases/{case_id.hex()}"


def test_an_autosave_that_comes_after_the_submit_changes_nothing_and_says_nothing(
    send: Send, station: Station
) -> None:
    case_id = ids.new_id()
    send(case_id)
    with station.store.read() as db:
        before = db.execute("SELECT * FROM case_file WHERE id = ?", (case_id,)).fetchone()[:]
    late = send(case_id, path="/auto", grade="100")
    assert (late.status_code, late.text) == (204, "")
    with station.store.read() as db:
        assert db.execute("SELECT * FROM case_file WHERE id = ?", (case_id,)).fetchone()[:] == before


def test_an_item_that_the_rule_pack_does_not_have_is_no_such_page(counter: Counter) -> None:
    assert counter.get("/items/nonsense").status_code == 404
    counter.get(f"/items/{ITEM}?new=1")
    assert counter.post(f"/drafts/{ids.new_id().hex()}", {"service": "nonsense"}).status_code == 404


def test_a_person_nobody_knows_is_no_such_page(counter: Counter) -> None:
    assert counter.get(f"/items/{ITEM}?person={ids.new_id().hex()}").status_code == 404
