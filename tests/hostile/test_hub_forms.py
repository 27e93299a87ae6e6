# SPDX-License-Identifier: Apache-2.0
"""Every form of the hub, filled by somebody who means harm: an answer in words, nothing written, nothing shown."""

from __future__ import annotations

import io
import re

import pytest

from hub import conflict_row, officers
from hub.officers import NewOfficer
from schema import ids
from sync.equality import incidents
from sync.hub import publish
from tests.hostile.evil import MARKUP, TEXTS, Fields, encoded, post, require_words, rows, uncovered
from tests.hub.county import (
    ACCEPT,
    ADMIN,
    ALL_FOUR,
    APPROVE,
    CHEAP,
    CLERK,
    INSPECT,
    PASSWORD,
    STATION,
    Browse,
    Browser,
    County,
    Desk,
)
from tests.hub.deciding import put_conflict, put_late, put_refusal, state

NOBODY = "00" * 16
TRIES = "login_attempt"
IMPORTER, SETTLER = "2301", "2201"


@pytest.fixture(autouse=True)
def more_officers(county: County) -> None:
    for number, role in ((IMPORTER, "import"), (SETTLER, "settle")):
        officers.add(
            county.store, NewOfficer(number, "某", (role,)), PASSWORD, county.hub.clock, must_change=False, cost=CHEAP
        )


def at(browse: Browse, county: County, number: str) -> Browser:
    browser = browse(county.hub, number)
    browser.client.application.testing = False
    return browser


def actions(county: County, case: bytes, evil: bytes) -> dict[str, dict[str, Fields]]:
    """By officer: where what is sent. Everything in it is wrong in some way, so nothing may be written."""
    person, conflict = county.persons["周建根"].hex(), county.one("SELECT id FROM conflict").hex()
    with county.store.read() as db:
        desk = conflict_row.read(db, county.persons["周建根"])
    assert desk is not None
    decide = f"/cases/{case.hex()}/decide"
    return {
        ALL_FOUR: {
            decide: {"decision": evil, "reason": evil, "missing": evil},
            f"{decide}?": {"decision": "return", "reason": b"", "missing": [evil] * 3},
            f"/cases/{NOBODY}/decide": {"decision": "agree", "reason": evil},
            f"/cases/{case.hex()}/take-back": {"x": evil},
            "/search": {"q": evil},
            f"/conflicts/{NOBODY}": {f"use-{conflict}": evil},
            f"/conflicts/{person}": {"stand": evil, "use-phone": evil, "other-phone": evil, "reason": evil},
            f"/conflicts/{person}?": {
                "stand": desk.stand, "use-phone": "other", "other-phone": evil + b"x", "reason": evil,
            },
            f"/conflicts/{person}/take-back/{conflict}": {"x": evil},
            f"/refusals/{NOBODY}/handled": {"x": evil},
            f"/late/{NOBODY}/accepted": {"x": evil},
            f"/late/{NOBODY}/undo": {"x": evil},
            "/password": {"old": PASSWORD, "new": evil, "again": evil + b"x"},
        },
        ADMIN: {
            "/officers": {"operator_no": evil, "name": evil, "roles": [evil], "station": evil},
            "/officers?": {"operator_no": "2555", "name": b"", "roles": b"accept", "station": evil},
            f"/officers/{ACCEPT}/disable": {"again": evil},
            f"/stations/{NOBODY}/permit": {"x": evil},
            f"/officers/{ACCEPT}/roles": {"posts": [b"accept", evil]},
            f"/officers/{ACCEPT}/roles?": {"posts": [b"approve", b"inspect"], "x": evil},
            f"/officers/{CLERK}/roles": {"posts": [b"clerk", b"approve"], "station": evil},
            f"/incidents/{NOBODY}/closed": {"x": evil},
            "/officers/9999/reset": {"end_old_key": evil},
            "/officers/9999/disable": {"again": b"9999"},
            "/usb": {"file": evil},
            "/usb/0999-9/answer": {"x": evil},
        },
        SETTLER: {
            "/settlement/run": {"month": evil},
            "/settlement/2026-11/approve": {"typed": evil},
            "/settlement/county/run": {"month": evil},
            "/settlement/money": {"file": evil},
            f"/settlement/money/{NOBODY}/take": {"month": evil},
            "/settlement/county/2026-11/verify": {"engine": evil},
            "/settlement/county/2026-11/approve": {"typed": evil},
            "/receipts/give": {"no": evil, "id_number": evil},
            f"/receipts/{NOBODY}/take": {"x": evil},
            "/receipts": {"file": evil},
        },
        IMPORTER: {"/import": {"file": evil}, f"/import/{NOBODY}/apply": {"x": evil}},
    }


def test_every_action_answers_hostile_fields_in_words_and_writes_nothing(
    county: County, browse: Browse, claim: bytes
) -> None:
    put_conflict(county)
    put_refusal(county, "receipt_block")
    at_desk = {number: at(browse, county, number) for number in (ALL_FOUR, ADMIN, SETTLER, IMPORTER)}
    before = rows(county.store, TRIES)
    for kind, evil in TEXTS.items():
        for number, sent in actions(county, claim, evil).items():
            for path, fields in sent.items():
                answer = post(at_desk[number].client, path, fields, at_desk[number].token)
                require_words(answer, (path, kind))
                assert answer.status_code >= 300 or path in ("/search", "/receipts"), (path, kind)
    assert rows(county.store, TRIES) == before
    every = [path for sent in actions(county, claim, b"").values() for path in sent]
    # What takes no words, and the door itself, which has tests of its own.
    assert not uncovered(at_desk[ADMIN].client.application, every, "auth.", "sync_api.", "receipts.match")


@pytest.mark.parametrize("name", ["林" * 200, "林\x00", MARKUP * 5, "\u202e", "林\u200b小满"])
def test_an_officer_whose_name_no_station_would_take_is_not_made(county: County, browse: Browse, name: str) -> None:
    """Officers' names go to every station: one that a station refuses would stop the sync of the whole county."""
    browser = at(browse, county, ADMIN)
    browser.get("/officers")
    before = rows(county.store)
    fields: Fields = {"operator_no": "3555", "name": name.encode(), "roles": b"clerk", "station": STATION}
    answer = post(browser.client, "/officers", fields, browser.token)
    assert answer.status_code == 422 and "姓名" in answer.text
    require_words(answer)
    assert rows(county.store) == before


def test_a_reason_goes_to_the_station_without_what_it_would_refuse(
    county: County, browse: Browse, claim: bytes
) -> None:
    """A NUL in a reason would make the station refuse the hub's whole page, for ever."""
    browser = at(browse, county, ACCEPT)
    browser.get(f"/review/{claim.hex()}")
    reason = "银行卡\x00看不清\u202e\r\n请重拍".encode()
    fields: Fields = {"decision": "return", "reason": reason, "missing": b"bank_book"}
    assert post(browser.client, f"/cases/{claim.hex()}/decide", fields, browser.token).status_code == 303
    assert county.one("SELECT reason FROM case_state WHERE case_id = ?", claim) == "银行卡看不清\n请重拍"


@pytest.mark.parametrize("reason", ["\x00", "\u200b\u202e", " \x00 \r\n"])
def test_a_reason_of_nothing_visible_is_no_reason(county: County, browse: Browse, claim: bytes, reason: str) -> None:
    browser = at(browse, county, ACCEPT)
    browser.get(f"/review/{claim.hex()}")
    before = rows(county.store)
    fields: Fields = {"decision": "reject", "reason": reason.encode()}
    assert post(browser.client, f"/cases/{claim.hex()}/decide", fields, browser.token).status_code == 422
    assert rows(county.store) == before


def test_the_publication_refuses_what_no_station_would_take(county: County) -> None:
    """The last gate before the feed, whoever is careless before it: the transaction ends and nothing is written."""
    person = county.add_person("周建根", "19661105")
    before = rows(county.store)
    for table, row in (
        ("person", {"id": person, "name": "长" * 500}),
        ("person", {"id": person, "name": "甲\x00"}),
        ("person", {"id": person, "birth_on": 5}),
        ("station", {"id": STATION, "name": None}),
    ):
        with pytest.raises(Exception, match=r"name|birth_on"), publish.transaction(county.store) as pub:
            pub.put(table, row)
    for cells in ({"phone": "1" * 500}, {"address": "甲\x00"}, {"nothing": "x"}):
        with pytest.raises(Exception, match=r"phone|address|nothing"), publish.transaction(county.store) as pub:
            pub.cells("contact", person, cells)
    assert rows(county.store) == before


def test_addresses_made_up_are_answered_in_words(county: County, browse: Browse, claim: bytes) -> None:
    browser, settler = at(browse, county, ALL_FOUR), at(browse, county, SETTLER)
    for path in (
        "/review/zz", "/review?decided=http://[", "/review?township=%00&service=%3Cscript%3Ealert(1)&only=x", "/review",
        "/workload?month=9999-99", "/workload?month=%00", "/stations?show=%3Cscript%3Ealert(1)",
        "/stations?township=%00", "/refusals?show=%00", f"/conflicts/{NOBODY}", f"/persons/{NOBODY}",
        f"/cases/{claim.hex()}?all=%00",
        "/lang/zh?next=http://[",
    ):  # fmt: skip
        require_words(browser.client.get(path), path)
    for path in (
        "/settlement?month=%00", "/settlement?month=9999-99", "/settlement/9999-99/approve", "/settlement/2026-13/pay",
        "/settlement/%C2%B2%C2%B2%C2%B2%C2%B2-11/pay", f"/settlement/2026-11/people/paid?page={'9' * 40}",
        "/settlement/county?month=%00", "/settlement/county?month=9999-99", "/settlement/county/9999-99/approve",
        "/settlement/county/2026-11/held?sort=%00&order=%00&page=-1", "/settlement/county/2026-11/fund/%3Cscript%3E",
        f"/settlement/county/2026-11/payer/{NOBODY}?form=xlsx", "/settlement/county/%C2%B2%C2%B2%C2%B2-11/arrears",
        f"/settlement/county/2026-11/person/{NOBODY}", "/settlement/county/2026-11/township/%00",
        "/settlement/2026-11/people/paid?page=-1", f"/settlement/2026-11/person/{NOBODY}", f"/receipts/{NOBODY}",
    ):  # fmt: skip
        require_words(settler.client.get(path), path)


def test_a_file_name_made_to_harm_is_only_a_name(county: County, browse: Browse) -> None:
    browser = at(browse, county, IMPORTER)
    browser.get("/import")
    sheet = "身份证号,姓名\n330683196611050013,张某\n".encode()
    for name in ("../../etc/passwd", MARKUP, "长" * 3000 + ".csv", "a\x00b.csv", "\u202egpj.csv", "", "."):
        form = {"csrf_token": browser.token, "file": (io.BytesIO(sheet), name)}
        answer = browser.client.post("/import", data=form, content_type="multipart/form-data")
        require_words(answer, name)
        if answer.status_code == 303:
            require_words(browser.client.get(answer.headers["Location"]), name)
    assert not list(county.hub.home.path.parent.rglob("passwd"))


def test_every_page_shows_what_stations_sent_as_text(county: County, browse: Browse, desk: Desk, claim: bytes) -> None:
    """Names, answers, reasons, file names, findings: whatever a peer said is never markup."""
    put_conflict(county, kept=MARKUP, lost=MARKUP, kept_by=MARKUP[:30])
    put_refusal(county, "receipt_block")
    put_late(county, address=MARKUP)
    with county.store.write() as db:
        db.execute("UPDATE hub_case SET person_name = ?, reason = ?", (MARKUP, MARKUP))
        db.execute("UPDATE hub_case SET answers = json_set(answers, '$.phone', ?)", (MARKUP,))
        db.execute("UPDATE person SET name = ?", (MARKUP,))
        db.execute("UPDATE refusal SET reason = ?, item = ?", (MARKUP, MARKUP))
        db.execute("UPDATE station SET name = ?", (MARKUP,))
        db.execute("UPDATE node_record SET name = ?", (MARKUP,))
        db.execute("UPDATE officer SET name = ?", (MARKUP,))
        db.execute("UPDATE division SET name = ?", (MARKUP,))
    case, person = claim.hex(), county.persons["周建根"].hex()
    pages = {
        ALL_FOUR: ["/", "/review", f"/review/{case}", f"/cases/{case}?all=1", "/conflicts", f"/persons/{person}",
                   "/stations", "/stations?show=all", "/refusals", "/late", "/workload", "/status"],
        ADMIN: ["/officers"],
        INSPECT: ["/officers", f"/cases/{case}"],
    }  # fmt: skip
    for number, paths in pages.items():
        browser = at(browse, county, number)
        for path in paths:
            answer = browser.get(path)
            assert answer.status_code == 200, path
            require_words(answer, path)
    assert re.search("&lt;script&gt;", at(browse, county, ALL_FOUR).get(f"/cases/{case}").text)


def test_a_case_of_another_officers_step_cannot_be_decided_by_its_address(
    county: County, browse: Browse, claim: bytes
) -> None:
    browser = at(browse, county, APPROVE)
    before = rows(county.store)
    answer = post(browser.client, f"/cases/{claim.hex()}/decide", {"decision": "agree"}, browser.token)
    assert answer.status_code == 403
    require_words(answer)
    assert rows(county.store) == before
    assert state(county, claim) == ("submitted", "accept")


def test_actions_of_other_posts_are_refused_to_everybody_else(county: County, browse: Browse, claim: bytes) -> None:
    put_refusal(county, "receipt_block")
    put_late(county, phone="17706753391")
    with county.store.write() as db:
        incident = incidents.record(db, "clone", STATION, "", "2026-11-20T01:00:00.000Z").hex()
    wanted = {
        f"/cases/{claim.hex()}/decide": (ADMIN, INSPECT, SETTLER, IMPORTER),
        "/officers": (ALL_FOUR, INSPECT, SETTLER, IMPORTER),
        f"/officers/{ACCEPT}/reset": (ALL_FOUR, INSPECT, SETTLER, IMPORTER),
        "/settlement/run": (ALL_FOUR, ADMIN, INSPECT, IMPORTER),
        "/settlement/county/run": (ALL_FOUR, ADMIN, INSPECT, IMPORTER),
        "/settlement/money": (ALL_FOUR, ADMIN, INSPECT, IMPORTER),
        "/settlement/county/2026-11/verify": (ALL_FOUR, ADMIN, IMPORTER),
        "/receipts": (ALL_FOUR, ADMIN, INSPECT, IMPORTER),
        "/receipts/match": (ALL_FOUR, ADMIN, INSPECT, IMPORTER),
        "/import": (ALL_FOUR, ADMIN, INSPECT, SETTLER),
        f"/conflicts/{ids.new_id().hex()}": (ADMIN, INSPECT, SETTLER, IMPORTER),
        f"/late/{county.one('SELECT id FROM late_edit').hex()}/accepted": (ADMIN, INSPECT, SETTLER, IMPORTER),
        f"/late/{county.one('SELECT id FROM late_edit').hex()}/undo": (ADMIN, INSPECT, SETTLER, IMPORTER),
        f"/refusals/{county.one('SELECT id FROM refusal').hex()}/handled": (INSPECT, SETTLER, IMPORTER),
        f"/incidents/{incident}/closed": (ALL_FOUR, INSPECT, SETTLER, IMPORTER),
        "/stations/0100-1/permit": (ALL_FOUR, INSPECT, SETTLER, IMPORTER),
        "/search": (ADMIN,),
    }
    before = rows(county.store)
    browsers = {number: at(browse, county, number) for number in (ADMIN, INSPECT, SETTLER, IMPORTER, ALL_FOUR)}
    for path, others in wanted.items():
        for number in others:
            fields: Fields = {"decision": "agree", "month": "2026-11"}
            answer = post(browsers[number].client, path, fields, browsers[number].token)
            assert answer.status_code == 403, (path, number, answer.status_code)
            require_words(answer)
    assert rows(county.store) == before


def test_the_public_question_about_a_slip_answers_anything_with_its_page_and_tells_nothing(
    county: County, browse: Browse, claim: bytes
) -> None:
    """Without a login, with a number that is true: whatever stands for the code."""
    browser = browse(county.hub)
    browser.client.application.testing = False
    number = county.one("SELECT receipt_no FROM hub_case")
    before = rows(county.store)
    for kind, evil in TEXTS.items():
        for query in ({"no": number, "code": evil}, {"no": evil, "code": evil}, {"no": [number, evil], "code": "张"}):
            answer = browser.client.get("/check?" + encoded(query).decode()[:4000])
            assert answer.status_code == 200, kind
            require_words(answer, kind)
            assert "周建根" not in answer.text and "已收" not in answer.text
    assert browser.client.post("/check", data={"no": number}).status_code in (400, 405)
    assert rows(county.store) == before
