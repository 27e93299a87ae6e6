# SPDX-License-Identifier: Apache-2.0
"""Every form of a station, filled by somebody who means harm: an answer in words, nothing written, nothing shown."""

from __future__ import annotations

import re
from collections.abc import Callable

import cbor2
import pytest
from flask import Flask

from node.cases import Submitted
from node.station import Station
from schema import ids
from schema.web.frame import safe_next
from tests.hostile.evil import MARKUP, TEXTS, Fields, post, require_words, rows, uncovered
from tests.node.conftest import ENROLMENT, PAPERS, Counter

Person = Callable[[str], bytes]
Enrol = Callable[..., Submitted]
ITEMS = ("resident_pension_enrolment", "personal_data_change", "resident_pension_claim")
NOBODY = "00" * 16
VILLAGE = "330683100200"
# What a form that was kept or a login that failed rightly leaves behind.
DRAFTS, TRIES = "case_file", "login_attempt"


@pytest.fixture(autouse=True)
def as_in_service(app: Flask) -> None:
    """Errors become pages, as they do outside tests."""
    app.testing = False


def field_names(station: Station, service: str) -> list[str]:
    return [f.name for f in station.desk.service(service).fields]


def test_every_action_answers_hostile_fields_in_words_and_writes_nothing(
    app: Flask, counter: Counter, station: Station, person: Person, enrol: Enrol
) -> None:
    case, zhang = enrol().case_id.hex(), person("张建国").hex()
    counter.get("/")
    before = rows(station.store, TRIES)
    for kind, evil in TEXTS.items():
        actions: dict[str, Fields] = {
            "/search": {"q": evil},
            f"/persons/{zhang}/contact": {"phone": evil, "address_village": evil},
            f"/persons/{NOBODY}/contact": {"phone": "", "address": evil},
            f"/cases/{NOBODY}/withdraw": {"reason": evil},
            f"/cases/{NOBODY}/slip": {"copy": evil},
            f"/cases/{NOBODY}/renumber": {"x": evil},
            f"/cases/{case}/renumber": {"x": evil},
            f"/drafts/{NOBODY}": {"service": evil, "person": "", "do": evil},
            f"/drafts/{ids.new_id().hex()}": {"service": ITEMS[0], "person": evil, "do": "submit"},
            f"/drafts/{NOBODY}/auto": {"service": evil, "person": evil},
            f"/drafts/{NOBODY}/discard": {"x": evil},
            f"/unsent/refusals/{NOBODY}/handled": {"x": evil},
            "/usb/import": {"file": evil},
            "/estimates/employee_pension": {"born_on": evil, "kind": evil},
            "/items": {"q": evil},
            "/search/units": {"q": evil},
            "/card/take": {"x": evil},
            "/card/99/begin": {"x": evil},
            "/card/window": {"window": evil, "reader": evil},
            f"/community/jobs/refer/{NOBODY}": {"vacancy": evil},
            f"/community/jobs/vacancies/{NOBODY}/close": {"x": evil},
            "/queue/anything": {"x": evil},
            f"/queue/back/{NOBODY}": {"x": evil},
            f"/queue/requests/{NOBODY}": {"do": evil},
            f"/drafts/{NOBODY}/scans/id_card": {"scan": evil},
            f"/drafts/{NOBODY}/scans/id_card/{NOBODY * 2}/remove": {"x": evil},
            "/rosters": {"item": evil, "unit": evil, "file": evil},
            f"/rosters/{NOBODY}/take": {"x": evil},
            f"/rosters/{NOBODY}/discard": {"x": evil},
            f"/rosters/{NOBODY}/withdraw": {"x": evil},
            f"/survival/{VILLAGE}/mark": {"person": evil, "found": evil, "photo": evil, "method": evil},
            f"/survival/{VILLAGE}/undo": {"person": evil},
            f"/survival/{VILLAGE}/sign": {"x": evil},
            f"/survival/{VILLAGE}/propose": {"person": evil},
            "/survival/matching": {"person": evil},
            f"/prints/new/nothing/{NOBODY}": {"purpose": evil},
            "/password": {"old": "counter window 3012", "new": evil, "again": evil + b"x"},
        }
        for path, fields in actions.items():
            require_words(post(counter.client, path, fields, counter.token), (path, kind))
    assert rows(station.store, TRIES) == before
    # What takes no words, and the door itself, which has tests of its own.
    without_words = ("auth.", "station.copy", "unsent.send", "usb.export", "lost.seen", "survival.print")
    assert not uncovered(app, actions, *without_words)
    assert counter.get(f"/cases/{case}").status_code == 200


@pytest.mark.parametrize("service", ITEMS)
def test_a_form_full_of_hostile_text_is_no_case_and_writes_no_cell(
    counter: Counter, station: Station, person: Person, service: str
) -> None:
    counter.get("/")
    # A list of what is missing may be printed for any draft, and whoever prints says so.
    before = rows(station.store, DRAFTS, "print_log", "fact")
    for kind, evil in TEXTS.items():
        fields: Fields = dict.fromkeys(field_names(station, service), evil)
        fields |= {"service": service, "person": person("张建国").hex(), "materials": [evil] * 3, "do": "submit"}
        for path in ("", "/auto"):
            case = ids.new_id().hex()
            require_words(post(counter.client, f"/drafts/{case}{path}", fields, counter.token), kind)
            require_words(counter.get(f"/drafts/{case}"), kind)
            require_words(post(counter.client, f"/prints/new/missing/{case}", {}, counter.token), kind)
    require_words(counter.get("/cases?show=draft"))
    assert rows(station.store, DRAFTS, "print_log", "fact") == before


def test_one_hostile_field_in_a_good_form_never_crashes_and_what_is_signed_can_be_read(
    counter: Counter, station: Station, person: Person
) -> None:
    """What is accepted of it goes to the hub and comes back: it must hold no NUL and nothing invisible."""
    chen = person("陈桂英").hex()
    counter.get("/")
    for kind in ("markup", "nul", "lone surrogate", "right to left", "newlines", "huge number", "no date"):
        for name in field_names(station, ITEMS[0]):
            fields: Fields = {**ENROLMENT, name: TEXTS[kind], "service": ITEMS[0], "person": chen}
            fields["materials"] = [p.encode() for p in PAPERS]
            require_words(post(counter.client, f"/drafts/{ids.new_id().hex()}", fields, counter.token), (name, kind))
    with station.store.read() as db:
        bodies = [cbor2.loads(row[0]) for row in db.execute("SELECT body FROM fact")]
    said = [text for body in bodies for text in body["answers"].values()]
    assert said and all(text.isprintable() for text in said)


def test_a_reason_with_nul_and_invisible_characters_is_signed_without_them(
    counter: Counter, station: Station, enrol: Enrol
) -> None:
    case = enrol().case_id.hex()
    counter.get(f"/cases/{case}")
    evil = "本人\x00撤回\u202e" + "长" * 40_000
    assert post(counter.client, f"/cases/{case}/withdraw", {"reason": evil.encode()}, counter.token).status_code == 302
    with station.store.read() as db:
        body = bytes(db.execute("SELECT body FROM fact WHERE kind = 'case_withdrawn'").fetchone()[0])
    assert "本人撤回长".encode() in body and len(body) < 1000


def test_a_reason_of_nothing_visible_is_no_reason(counter: Counter, station: Station, enrol: Enrol) -> None:
    case = enrol().case_id.hex()
    counter.get(f"/cases/{case}")
    before = rows(station.store)
    answer = post(counter.client, f"/cases/{case}/withdraw", {"reason": "\x00\u200b ".encode()}, counter.token)
    assert answer.status_code == 422
    assert rows(station.store) == before


def test_an_address_made_up_is_answered_in_words(counter: Counter) -> None:
    paths = [
        "/?show=%00", f"/cases?page={'9' * 40}", "/cases?page=-1", "/cases?page=%C2%B2", "/items/%3Cscript%3Ealert(1)",
        "/cases?show=%3Cscript%3Ealert(1)", f"/cases/{NOBODY}/slip/{'9' * 40}", f"/cases/{NOBODY}/slip/0", "/items/%00",
        f"/items/{ITEMS[0]}?person={'f' * 33}", f"/items/{ITEMS[0]}?person=%00", "/persons/" + "%00" * 16,
        "/lang/zz?next=http://[", "/lang/zh?next=//evil.example/", "/login?next=http://[", "/" + "x/" * 3000,
    ]  # fmt: skip
    for path in paths:
        answer = counter.client.get(path)
        require_words(answer, path)
        assert "evil.example" not in answer.headers.get("Location", "")


def test_a_copy_of_a_slip_with_an_impossible_number_is_no_such_copy(counter: Counter, enrol: Enrol) -> None:
    case = enrol().case_id.hex()
    for number in ("0", "9" * 18, "9" * 40):
        assert counter.get(f"/cases/{case}/slip/{number}").status_code == 404


def test_a_login_leads_nowhere_but_into_this_app(visitor: Counter) -> None:
    for target in ("http://[", "//evil.example", "https://evil.example/", "/\\evil.example", "\t//x"):
        visitor.get("/login")
        fields: Fields = {"operator_no": "3012", "password": "counter window 3012", "next": target}
        answer = post(visitor.client, "/login", fields, visitor.token)
        assert (answer.status_code, answer.headers["Location"]) == (302, "/")
        assert safe_next(target) == "/"
        visitor.get("/")
        visitor.post("/logout")


def test_hostile_headers_are_answered_and_nobody_is_let_in(app: Flask) -> None:
    for headers in (
        {"HX-Request": "true", "HX-Current-URL": "http://["}, {"Cookie": "lang=%00; x=" + "y" * 3000},
        {"Range": "bytes=-1"}, {"Accept": "\x7f,;q="},
        {"Host": "evil.example"}, {"Referer": "http://["}, {"If-Modified-Since": "never"},
    ):  # fmt: skip
        answer = app.test_client().get("/", headers=headers)
        assert answer.status_code in (302, 400, 401), headers
        assert "evil.example" not in answer.headers.get("Location", "")


def test_a_body_that_is_no_form_does_nothing(counter: Counter, station: Station, enrol: Enrol) -> None:
    case = enrol().case_id.hex()
    before = rows(station.store)
    for kind in ("application/json", "text/plain", "multipart/form-data", "multipart/form-data; boundary=", ""):
        for body in (b"{}", b"[" * 5000, b"--\r\n\x00", f"csrf_token={counter.token}&reason=x".encode()):
            for path in (f"/cases/{case}/withdraw", f"/drafts/{case}", "/station/backup", "/lock"):
                answer = counter.client.post(path, data=body, content_type=kind)
                assert answer.status_code == 400, (path, kind)
                require_words(answer, (path, kind))
    assert rows(station.store) == before


def test_repeated_fields_count_once(counter: Counter, station: Station, person: Person) -> None:
    counter.get("/")
    case = ids.new_id().hex()
    fields: Fields = {**ENROLMENT, "service": ITEMS[0], "person": person("陈桂英").hex(), "do": [b"submit", b"keep"]}
    fields |= {"materials": [p.encode() for p in PAPERS] * 50, "phone": [b"15857501162", b"<b>"]}
    answer = post(counter.client, f"/drafts/{case}", fields, counter.token)
    assert answer.status_code == 302 and answer.headers["Location"].endswith("/slip/1")
    with station.store.read() as db:
        kept = db.execute("SELECT materials, answers FROM case_file WHERE id = ?", (bytes.fromhex(case),)).fetchone()
    assert kept["materials"].count("id_card") == 1 and "<b>" not in kept["answers"]


def test_ids_of_other_cases_open_nothing_and_change_nothing(
    counter: Counter, colleague: Counter, station: Station, person: Person, enrol: Enrol
) -> None:
    """Another clerk's draft on every road, also with a good form of one's own under its id."""
    counter.get("/")
    draft, zhang = ids.new_id().hex(), person("张建国").hex()
    post(counter.client, f"/drafts/{draft}", {"service": ITEMS[1], "person": zhang, "do": "keep"}, counter.token)
    taken = enrol().case_id.hex()
    colleague.get("/")
    before = rows(station.store)
    own: Fields = {**ENROLMENT, "service": ITEMS[1], "person": zhang, "do": "submit"}
    for path, fields in {
        f"/drafts/{draft}": own,
        f"/drafts/{draft}/auto": own,
        f"/drafts/{draft}/discard": {},
        f"/drafts/{taken}": own,
        f"/drafts/{taken}/auto": own,
        f"/drafts/{taken}/discard": {},
        f"/cases/{draft}/withdraw": {"reason": "x"},
        f"/cases/{draft}/slip": {},
        f"/cases/{zhang}/withdraw": {"reason": "x"},
        f"/drafts/{ids.new_id().hex()}": own | {"person": taken},
    }.items():
        answer = post(colleague.client, path, fields, colleague.token)
        assert answer.status_code in (403, 404, 409), (path, answer.status_code)
        require_words(answer)
    assert rows(station.store) == before


def test_every_page_shows_what_the_register_holds_as_text(
    counter: Counter, station: Station, person: Person, enrol: Enrol
) -> None:
    """Whatever came down with the register (a name, an address, an officer) is never markup."""
    case, zhang = enrol().case_id.hex(), person("陈桂英").hex()
    counter.get("/")
    counter.post(f"/cases/{case}/slip")
    with station.store.write() as db:
        db.execute("UPDATE person SET name = ?", (MARKUP,))
        db.execute("UPDATE case_file SET person_name = ?", (MARKUP,))
        db.execute("UPDATE officer SET name = ?", (MARKUP,))
        db.execute("UPDATE division SET name = ?", (MARKUP,))
        db.execute("UPDATE bank_account SET bank = ?, holder = ?", (MARKUP, MARKUP))
        db.execute("UPDATE station SET name = ?", (MARKUP,))
    with station.store.merging() as db:
        db.execute("UPDATE contact SET address = ?", (MARKUP[:80],))
    own = (f"/cases/{case}", f"/persons/{zhang}", f"/persons/{zhang}?edit=contact", f"/cases/{case}/slip/1")
    for path in ("/", "/cases", "/items", "/unsent", "/station", "/bar", f"/items/{ITEMS[1]}?person={zhang}", *own):
        answer = counter.client.get(path)
        require_words(answer, path)
        assert answer.status_code == 200
    found = post(counter.client, "/search", {"q": "3306"}, counter.token)
    require_words(found)
    assert re.search("&lt;script&gt;", found.text)
