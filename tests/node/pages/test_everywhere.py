# SPDX-License-Identifier: Apache-2.0
"""What holds for every page: a login, both languages, no foreign text as markup, errors as answers."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

import node
from node.app import TEXTS
from node.cases import Submitted
from node.station import Station
from schema import database, ids, service
from tests.node.conftest import ENROLMENT, PAPERS, Counter
from tests.sources import ROOT

HAN = re.compile("[\u4e00-\u9fff]")
UNKNOWN_ID = "00" * 16
UNIT = b"u" * 16
HOSTILE = """<script>alert(1)</script>'"; DROP TABLE person; -- {{ 7*7 }} \x00 \ud800"""
EVIL_IDS = ["x", "0", "00" * 15, "00" * 17, "zz" * 16, "..%2f..%2fetc%2fpasswd", "%00" * 8, "张" * 32, "' OR 1=1 --"]

Person = Callable[[str], bytes]


@pytest.fixture
def paths(station: Station, person: Person, enrol: Callable[..., Submitted]) -> list[str]:
    """Every page there is to look at, with something on it."""
    case = enrol(phone="15857501162", address="陈家路 4 号").case_id.hex()
    zhang, gang = person("张建国").hex(), person("郑俊刚").hex()
    with station.store.write() as db:
        clash = {
            "tbl": "contact",
            "row_id": person("张建国"),
            "col": "phone",
            "kept": "13857582064",
            "lost": "13800000000",
        }
        more = {"kept_by": "0101-1", "lost_by": "0100-1", "found_at": "2026-11-20T02:00:00.000Z", "rev": 1}
        more |= {"kind": "cell", "rule": "H", "base": 0, "kept_version": 2, "lost_version": 2}
        database.insert(db, "conflict", {"id": ids.new_id(), **clash, **more})
        refused = {
            "direction": "out",
            "peer": "hub",
            "channel": "evt",
            "frame_n": 1,
            "item": "ab" * 16,
            "reason": "工号已停用",
        }
        at = {"code": "officer_disabled", "at": "2026-11-20T02:00:00.000Z"}
        database.insert(db, "refusal", {"id": ids.new_id(), **refused, **at})
        unit = {"uscc": "91330683MA2XXXXX09", "name": "甘霖镇", "township": "330683100", "rev": 1}
        database.insert(db, "unit", {"id": UNIT} | unit)
        job = {"id": ids.new_id(), "person_id": person("张建国"), "unit_id": UNIT, "wage_fen": 1, "rev": 1}
        database.insert(db, "employment", job | {"began_month": "2020-01"})
    return [
        "/", "/?show=unsent", "/?show=mine", "/?show=nonsense", "/items", f"/units/{UNIT.hex()}",
        "/items/resident_pension_enrolment",
        "/items/resident_pension_enrolment?new=1", f"/items/resident_pension_enrolment?person={person('章金国').hex()}",
        f"/items/resident_pension_claim?person={zhang}", f"/items/personal_data_change?person={zhang}",
        f"/persons/{zhang}", f"/persons/{gang}", f"/persons/{zhang}?edit=contact", "/cases", "/cases?show=returned",
        "/cases?show=draft", "/cases?show=open&mine=1", "/cases?show=nonsense&page=x", "/cases?page=999999999",
        f"/cases/{case}", "/unsent", "/unsent/progress", "/lost", "/usb", "/station", "/bar",
        "/rosters", "/community/jobs", "/community/jobs/vacancies", "/community/training",
        "/community/visits", "/community/complaints", "/community/library",
    ]  # fmt: skip


# What may stand there in any language: names to choose, the switch of language, what a search looks through.
EITHER = '<option.*?</option>|<a[^>]*data-lang.*?</a>|data-words="[^"]*"'


def test_every_page_answers_in_both_languages_and_speaks_only_one(counter: Counter, paths: list[str]) -> None:
    for lang in ("zh", "en"):
        counter.get(f"/lang/{lang}")
        for path in paths:
            page = counter.get(path)
            assert page.status_code == 200, path
            if lang == "en":
                said = set(re.findall("[\u4e00-\u9fff]{2,}", re.sub(EITHER, "", page.text)))
                assert not said - NAMES, (path, said - NAMES)


# What is Chinese in any language: names of people and places, values, and documents.
NAMES = set(re.findall(
    "[\u4e00-\u9fff]{2,}",
    "张建国 吕秀珍 张伟 陈桂英 章金国 郑俊刚 张俊格 王丽萍 俞国平 蒋伟 张家路 陈家路 郑家路 农商银行 中文 "
    "苍岩村 甘霖镇 东王村 施家岙村 甘霖镇劳动保障所 "
    + " ".join(law for item in service.load_all().values() for law in item.law),
))  # fmt: skip


def test_no_page_but_the_login_is_shown_without_one(app: Flask, visitor: Counter) -> None:
    rules = [
        r for r in app.url_map.iter_rules() if r.endpoint.split(".")[0] not in ("web", "auth", "static", "bootstrap")
    ]
    assert len(rules) > 20
    for rule in rules:
        path = re.sub(r"<string[^>]*>", "330683100", re.sub(r"<id:\w+>", UNKNOWN_ID, rule.rule))
        path = re.sub(r"<int[^>]*>", "1", re.sub(r"<\w+>", "x", path))
        answer = visitor.client.open(path, method="GET" if "GET" in (rule.methods or ()) else "POST")
        refused = answer.status_code == 302 and answer.headers["Location"].startswith("/login")
        assert refused or answer.status_code == 400, rule.rule


def test_a_form_without_its_token_changes_nothing(counter: Counter, app: Flask, person: Person) -> None:
    rules = [r for r in app.url_map.iter_rules() if "POST" in (r.methods or ()) and not r.endpoint.startswith("auth")]
    for rule in rules:
        path = re.sub(
            r"<\w+>",
            "x",
            re.sub(
                r"<int:\w+>", "1", re.sub(r"<string[^>]*>", "330683100", re.sub(r"<id:\w+>", UNKNOWN_ID, rule.rule))
            ),
        )
        assert counter.client.post(path, data={"q": "zjg"}).status_code == 400, rule.rule


@pytest.mark.parametrize("evil", EVIL_IDS)
def test_an_address_that_is_no_id_is_no_such_page(counter: Counter, evil: str) -> None:
    for path in ("/persons/", "/cases/", "/drafts/", "/items/"):
        answer = counter.get(path + evil)
        assert answer.status_code == 404, path
        assert "没有" in answer.text and "Traceback" not in answer.text
    assert counter.get(f"/items/personal_data_change?person={evil}").status_code == 404


ID_PATHS = ("persons/{}", "cases/{}", "drafts/{}", "prints/{}", "prints/{}/pdf", "cases/{}/slip/1")


@pytest.mark.parametrize("path", ID_PATHS)
def test_an_id_that_nobody_has_is_no_such_page(counter: Counter, path: str) -> None:
    assert counter.get("/" + path.format(UNKNOWN_ID)).status_code == 404


def test_hostile_text_in_every_field_is_text_and_harms_nothing(
    counter: Counter, station: Station, person: Person
) -> None:
    zhang = person("张建国").hex()
    counter.get(f"/items/personal_data_change?person={zhang}")
    case_id = ids.new_id().hex()
    item = station.desk.service("personal_data_change")
    answers = {f.name: HOSTILE.replace("\ud800", "") for f in item.fields}
    sent = answers | {"service": item.id, "person": zhang, "materials": ["id_card", HOSTILE[:20]], "do": "submit"}
    form = counter.post(f"/drafts/{case_id}", sent)
    assert form.status_code == 422
    contact = counter.post(
        f"/persons/{zhang}/contact", {name: HOSTILE[:60] for name in ("phone", "address", "address_village")}
    )
    found = counter.post("/search", {"q": HOSTILE[:60]}, headers={"HX-Request": "true"})
    for page in (form, contact, found, counter.get(f"/drafts/{case_id}"), counter.get("/cases?show=draft")):
        assert "<script>alert" not in page.text and '"49' not in page.text
    with station.store.read() as db:
        assert db.execute("SELECT count(*) FROM person").fetchone()[0] == 7


def test_an_address_typed_with_markup_is_shown_as_typed(counter: Counter, station: Station, person: Person) -> None:
    zhang = person("张建国").hex()
    counter.get(f"/persons/{zhang}?edit=contact")
    counter.post(f"/persons/{zhang}/contact", {"phone": "", "address": "<b>苍岩村</b> & 4 号", "address_village": ""})
    assert "&lt;b&gt;苍岩村&lt;/b&gt; &amp; 4 号" in counter.get(f"/persons/{zhang}").text


@pytest.mark.parametrize("size", [100_000, 900_000])
def test_very_long_fields_are_answered_with_findings(counter: Counter, person: Person, size: int) -> None:
    zhang = person("张建国").hex()
    counter.get(f"/items/personal_data_change?person={zhang}")
    sent = {"service": "personal_data_change", "person": zhang, "address": "长" * (size // 3), "do": "submit"}
    answer = counter.post(f"/drafts/{ids.new_id().hex()}", sent)
    assert answer.status_code in (413, 422) and len(answer.text) < 200_000


def test_more_than_a_form_may_hold_is_refused_in_words(counter: Counter) -> None:
    answer = counter.post("/search", {"q": "9" * 17_000_000})
    assert answer.status_code == 413 and "没有收下" in answer.text


def test_the_texts_used_and_the_texts_there_are_are_the_same() -> None:
    folder = Path(node.__file__).parent
    catalogue = {key for path in TEXTS for key in _keys(tomllib.loads(path.read_text("utf-8")))}
    frame = set(_keys(tomllib.loads((ROOT / "schema/web/texts.toml").read_text("utf-8"))))
    used, prefixes = set(), set()
    for path in [*folder.rglob("*.html"), *folder.rglob("*.py")]:
        text = path.read_text("utf-8")
        used |= set(re.findall(r"""\btb?\(\s*["']([a-z_]+\.[a-z_.0-9]+)["']""", text))
        prefixes |= set(re.findall(r"""["']([a-z_]+\.(?:[a-z]+_)?)(?:["']\s*~|\{)""", text))
    used |= {"bar.clock_fast", "bar.clock_slow", "unsent.by_hub", "unsent.by_us"}
    assert {key for key in used if not key.endswith((".", "_"))} - catalogue - frame == set()
    assert {key for key in catalogue - used if not key.startswith(tuple(prefixes))} == set()


def _keys(tree: dict, prefix: str = "") -> list[str]:
    out: list[str] = []
    for name, value in tree.items():
        out += [prefix + name] if "zh" in value else _keys(value, f"{prefix}{name}.")
    return out


def test_no_template_holds_words_of_its_own() -> None:
    for path in Path(node.__file__).parent.rglob("*.html"):
        text = re.sub(r"{#.*?#}", "", path.read_text("utf-8"), flags=re.DOTALL)
        assert not HAN.search(re.sub(r'"；" if', "", text)), path.name


def test_another_officers_draft_is_forbidden_on_every_road(
    counter: Counter, colleague: Counter, person: Person
) -> None:
    case_id = ids.new_id().hex()
    counter.get(f"/items/resident_pension_enrolment?person={person('陈桂英').hex()}")
    sent = ENROLMENT | {"service": "resident_pension_enrolment", "person": person("陈桂英").hex(), "materials": PAPERS}
    assert counter.post(f"/drafts/{case_id}", sent | {"do": "keep"}).status_code == 302
    for answer in (
        colleague.get(f"/drafts/{case_id}"),
        colleague.post(f"/prints/new/missing/{case_id}"),
        colleague.post(f"/drafts/{case_id}", sent),
        colleague.post(f"/drafts/{case_id}/auto", sent, headers={"HX-Request": "true"}),
        colleague.post(f"/drafts/{case_id}/discard"),
    ):
        assert answer.status_code == 403 and "另一位经办人" in answer.text
    assert counter.get(f"/drafts/{case_id}").status_code == 200
