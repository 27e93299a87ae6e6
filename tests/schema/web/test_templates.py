# SPDX-License-Identifier: Apache-2.0
"""Every template of every program: its words are in a catalogue, its look in the style sheets, its script in app.js."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from schema import packs
from schema.web.texts import Catalogue
from tests.sources import ROOT

FRAME = ROOT / "schema" / "web"
PLACES = ("schema", "node", "hub")
HAN = re.compile(r"[\u3400-\u9fff]")
ASKED = re.compile(r"\btb?\(\s*[\"']([\w.]+)[\"']\s*[,)]")
ASKED_IN_PYTHON = re.compile(r"(?:\bt|\btb|\.text|\.both|\.marked)\(\s*\"([a-z_]\w*\.[\w.]+)\"")
BEGINNING = re.compile(r"[\"']([a-z_]+\.(?:[a-z_.]*[._])?)[\"']\s*~")
INLINE = re.compile(
    r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son(?:click|change|submit|input|load|error|focus|blur|key\w+|mouse\w+)=|javascript:",
    re.IGNORECASE,
)


@cache
def templates(place: str) -> dict[str, str]:
    """Path and text without comments of each template below that folder."""
    return {
        path.relative_to(ROOT).as_posix(): re.sub(r"\{#.*?#\}", "", path.read_text("utf-8"), flags=re.DOTALL)
        for path in sorted((ROOT / place).rglob("templates/**/*.html"))
    }


@cache
def catalogue(place: str) -> Catalogue:
    """The frame's words and those of that program, as the program loads them."""
    own = [path for path in sorted((ROOT / place).rglob("*texts.toml")) if FRAME not in path.parents]
    return Catalogue([FRAME / "texts.toml", *own, *([packs.WORDS] if place == "node" else [])])


@pytest.mark.parametrize("place", PLACES)
def test_no_template_has_chinese_words_of_its_own(place: str) -> None:
    assert {path: HAN.findall(text)[:20] for path, text in templates(place).items() if HAN.search(text)} == {}


@pytest.mark.parametrize("place", PLACES)
def test_every_text_a_template_asks_for_is_in_the_catalogue(place: str) -> None:
    known = catalogue(place)
    asked = {(path, key) for path, text in templates(place).items() for key in ASKED.findall(text)}
    assert [entry for entry in sorted(asked) if entry[1] not in known] == []


@pytest.mark.parametrize("place", PLACES)
def test_every_text_a_module_asks_for_is_in_the_catalogue(place: str) -> None:
    folder = FRAME if place == "schema" else ROOT / place
    known = catalogue(place)
    asked = {
        (path.name, key)
        for path in folder.rglob("*.py")
        for key in ASKED_IN_PYTHON.findall(re.sub(r'""".*?"""', "", path.read_text("utf-8"), flags=re.DOTALL))
    }
    assert [entry for entry in sorted(asked) if entry[1] not in known] == []


@pytest.mark.parametrize("place", PLACES)
def test_no_template_has_script_or_style_of_its_own(place: str) -> None:
    """The policy in the headers would refuse it, silently."""
    found = {path: INLINE.findall(text) for path, text in templates(place).items()}
    assert {path: marks for path, marks in found.items() if marks} == {}


@pytest.mark.parametrize("place", PLACES)
def test_every_form_that_posts_carries_a_token(place: str) -> None:
    bare = []
    for path, text in templates(place).items():
        for form in re.findall(r"<form\b[^>]*method=\"post\".*?</form>", text, flags=re.DOTALL | re.IGNORECASE):
            if "csrf" not in form:
                bare.append((path, form[:80]))
    assert bare == []


def test_the_frame_keeps_no_words_that_nobody_uses() -> None:
    """Words asked for by a beginning (`role.` and what follows) count as used."""
    sources = [*templates("schema").values(), *(path.read_text("utf-8") for path in FRAME.rglob("*.py"))]
    text = "\n".join(sources)
    beginnings = {*BEGINNING.findall(text), "role.", "error."}
    pages = [page for place in PLACES[1:] for page in templates(place).values()]
    others = {key for page in pages for key in ASKED.findall(page)}
    beginnings |= {beginning for page in pages for beginning in BEGINNING.findall(page)}
    code = "\n".join(path.read_text("utf-8") for place in PLACES[1:] for path in (ROOT / place).rglob("*.py"))
    others |= set(re.findall(r"\"([a-z_]+(?:\.\w+)+)\"", code))
    beginnings |= set(re.findall(r"f\"([a-z_]+\.[a-z_.]*){", code))
    known = sorted(catalogue("schema").keys())
    used = {*ASKED.findall(text), *re.findall(r"\"([a-z_]+(?:\.\w+)+)\"", text), *others}
    unused = [key for key in known if key not in used and not key.startswith(tuple(beginnings))]
    assert unused == []


def test_every_role_has_a_name_for_the_page_that_refuses() -> None:
    roles = ("clerk", "accept", "calculate", "review", "approve", "settle", "approve_month", "pay", "close", "inspect",
             "admin", "import")  # fmt: skip
    assert [role for role in roles if f"role.{role}" not in catalogue("schema")] == []


@pytest.mark.parametrize(
    ("text", "check"),
    [
        ("<p>登录</p>", HAN.findall),
        ("<p style=x>", INLINE.findall),
        ("<script>a()</script>", INLINE.findall),
        ("<a onclick=x>", INLINE.findall),
    ],
)
def test_canary_templates(text: str, check: object) -> None:
    assert callable(check) and check(text)


def test_canary_ordinary_templates() -> None:
    assert INLINE.findall('<script src="{{ asset("app.js") }}" defer></script><p class="style">') == []


def test_each_place_has_its_templates() -> None:
    assert "schema/web/templates/web/base.html" in templates("schema")
    assert Path(ROOT / "schema/web/texts.toml").is_file()
