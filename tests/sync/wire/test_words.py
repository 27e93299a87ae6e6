# SPDX-License-Identifier: Apache-2.0
"""Every code that can reach a person has words in both languages."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import sync
from sync.wire.words import WORDS, words

_SAYERS = {"bad", "_require", "words", "_refusal", "refused", "_refused", "problem"}


def _codes_in_source() -> set[str]:
    found: set[str] = set()
    for file in Path(sync.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            place = 1 if name in ("problem", "of") else 0
            if name in _SAYERS | {"of"} and len(node.args) > place and isinstance(node.args[place], ast.Constant):
                found.add(str(node.args[place].value))
    return found


def test_the_search_finds_codes() -> None:
    assert {"payload", "frozen", "overload", "fact_form", "rebase"} <= _codes_in_source()


@pytest.mark.parametrize("code", sorted(_codes_in_source()))
def test_a_code_of_the_source_has_words(code: str) -> None:
    assert code in WORDS


@pytest.mark.parametrize("code", sorted(WORDS))
def test_words_are_chinese_and_english(code: str) -> None:
    zh, en = words(code)

    assert any("\u4e00" <= c <= "\u9fff" for c in zh)
    assert en.isascii() and en[0].isupper()


def test_an_unknown_code_is_shown_and_not_hidden() -> None:
    assert "http_502" in words("http_502")[0]
