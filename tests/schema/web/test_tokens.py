# SPDX-License-Identifier: Apache-2.0
"""Every pair of colours can be read, in numbers (WCAG 2.2, 1.4.3 and 1.4.11)."""

from __future__ import annotations

import re

import pytest

from tests.sources import ROOT

STATIC = ROOT / "schema" / "web" / "static"
TOKENS = dict(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{6})", (STATIC / "tokens.css").read_text("utf-8")))


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    high, low = sorted((luminance(TOKENS[first]), luminance(TOKENS[second])), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(
    ("text", "ground", "least"),
    [
        ("ink", "paper", 15), ("ink-2", "paper", 8), ("ink-3", "paper", 5.5), ("ink-3", "page", 5),
        ("ink-3", "selected", 4.5), ("ink-3", "paper-2", 5),
        ("link", "paper", 7), ("link", "page", 6), ("link", "selected", 5),
        *((word, f"{word}-bg", 6) for word in ("go", "done", "turn", "stop", "undo", "rest")),
        *((word, "paper", 6) for word in ("go", "done", "turn", "stop", "undo", "rest")),
        *(("on-place", place, 7) for place in ("place-station", "place-hub", "place-training")),
        ("control", "paper", 3), ("focus", "paper", 3), ("focus", "page", 3), ("focus-on-dark", "place-station", 5),
        ("focus-on-dark", "place-hub", 5), ("focus-on-dark", "place-training", 4),
        *((f"c{n}", "paper", 3) for n in range(1, 7)),
    ],
)  # fmt: skip
def test_each_pair_of_colours_can_be_read(text: str, ground: str, least: float) -> None:
    assert contrast(text, ground) >= least


def test_the_style_sheets_name_no_colour_that_is_not_a_token() -> None:
    """Apart from paper, where black is black, and a few grounds that carry no text of their own."""
    allowed = {"#fff6df", "#8fb4d3", "#5b7f9f"}
    sheets = ("app.css", "forms.css", "layouts.css")
    text = "\n".join((STATIC / name).read_text("utf-8") for name in sheets)
    assert set(re.findall(r"#[0-9a-fA-F]{3,8}\b(?=[;\s])", text)) - allowed == set()


def test_every_custom_property_that_is_used_exists() -> None:
    defined = set(re.findall(r"--([\w-]+)\s*:", "\n".join(path.read_text("utf-8") for path in STATIC.glob("*.css"))))
    used = {
        (path.name, name)
        for path in STATIC.glob("*.css")
        for name in re.findall(r"var\(--([\w-]+)", path.read_text("utf-8"))
        if not name.startswith("bs-")
    }
    assert {entry for entry in used if entry[1] not in defined} == set()


def test_nothing_is_asked_from_another_host() -> None:
    files = [*STATIC.glob("*.css"), *STATIC.glob("*.js"), *(STATIC.parent / "templates").rglob("*.html")]
    assert [path.name for path in files if re.search(r"(?:https?:)?//[\w-]+\.\w+", path.read_text("utf-8"))] == []
