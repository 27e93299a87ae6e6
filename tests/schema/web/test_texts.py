# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest
from markupsafe import Markup

from schema.errors import ConfigError
from schema.web.texts import Catalogue, MissingText, pick


def written(tmp_path: Path, text: str, name: str = "texts.toml") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def texts(tmp_path: Path) -> Catalogue:
    return Catalogue([written(tmp_path, """
        [bar]
        unsent = { zh = "未上报 {n} 件，最早 {oldest}", en = "{n} unsent, oldest {oldest}" }
        items = { zh = "{n} 件", en = "{n} items", en1 = "{n} item" }
        first = { zh = "前 {n} 件", en = "First {n} items", en1 = "First item" }
        angle = { zh = "<件>", en = "<item>" }
        [bar.deep]
        er = { zh = "深", en = "deep" }
    """)])  # fmt: skip


def test_a_text_is_given_in_the_language_asked_for(texts: Catalogue) -> None:
    assert texts.text("bar.unsent", "zh", n=37, oldest="11-23") == "未上报 37 件，最早 11-23"
    assert texts.text("bar.unsent", "en", n=37, oldest="11-23") == "37 unsent, oldest 11-23"
    assert texts.text("bar.deep.er", "en") == "deep"


@pytest.mark.parametrize(("n", "shown"), [(0, "0 items"), (1, "1 item"), (2, "2 items")])
def test_english_has_a_form_for_one(texts: Catalogue, n: int, shown: str) -> None:
    assert texts.text("bar.items", "en", n=n) == shown
    assert texts.text("bar.items", "zh", n=n) == f"{n} 件"


def test_the_form_for_one_may_leave_the_figure_out(texts: Catalogue) -> None:
    assert texts.text("bar.first", "en", n=1) == "First item"


def test_marked_values_are_bold_and_escaped_and_so_is_the_text(texts: Catalogue) -> None:
    shown = texts.marked("bar.unsent", "en", n=1, oldest="<script>")
    assert shown == Markup("<b>1</b> unsent, oldest <b>&lt;script&gt;</b>")
    assert texts.marked("bar.items", "en", n=1) == "<b>1</b> item"
    assert texts.marked("bar.angle", "en") == "&lt;item&gt;"


def test_both_languages_at_once_for_an_error(texts: Catalogue) -> None:
    assert texts.both("bar.items", n=1) == {"zh": "1 件", "en": "1 item"}


def test_an_unknown_key_is_an_error(texts: Catalogue) -> None:
    with pytest.raises(MissingText, match=r"bar\.none"):
        texts.text("bar.none", "zh")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('a = { zh = "甲" }', "lacks"),
        ('a = { en = "a" }', "lacks"),
        ('a = { zh = "", en = "a" }', "lacks"),
        ('a = { zh = "甲", en = "a", fr = "a" }', "lacks"),
        ('a = { zh = "甲 {n}", en = "a" }', "blanks"),
        ('a = { zh = "甲 {n}", en = "{n} a", en1 = "{m} a" }', "blanks"),
        ('a = "甲"', "must be"),
        ("a = {", "cannot read"),
    ],
)
def test_a_catalogue_with_a_gap_is_refused_with_file_and_key(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as refused:
        Catalogue([written(tmp_path, text)])
    assert "texts.toml" in refused.value.zh


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml"):
        Catalogue([tmp_path / "none.toml"])


def test_a_key_given_in_two_files_is_refused(tmp_path: Path) -> None:
    first = written(tmp_path, 'a = { zh = "甲", en = "a" }', "one.toml")
    second = written(tmp_path, 'a = { zh = "乙", en = "b" }', "two.toml")
    with pytest.raises(ConfigError, match=r"two\.toml"):
        Catalogue([first, second])


class Both:
    zh = "甲"
    en = "a"


@pytest.mark.parametrize(
    ("value", "lang", "shown"),
    [
        ({"zh": "甲", "en": "a"}, "en", "a"),
        ({"zh": "甲"}, "en", "甲"),
        (Both(), "zh", "甲"),
        ("plain", "en", "plain"),
        (None, "zh", ""),
    ],
)
def test_a_bilingual_value_is_shown_in_the_readers_language(value: object, lang: str, shown: str) -> None:
    assert pick(value, lang) == shown


def test_words_of_the_rules_go_before_the_programs_own_where_they_have_the_same_blanks(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(
        'a = { zh = "共 {n} 份", en = "{n} in all" }\nb = { zh = "收", en = "In" }\n', "utf-8"
    )
    own = Catalogue([tmp_path / "own.toml"])
    said = own.with_words({
        "a": {"zh": "一共 {n} 份", "en": "{n} altogether"}, "b": {"zh": "{x}", "en": "{x}"},
        "nowhere": {"zh": "无", "en": "none"},
    })  # fmt: skip
    assert [said.text("a", "zh", n=2), said.text("b", "zh")] == ["一共 2 份", "收"]
    assert own.text("a", "en", n=2) == "2 in all"
    assert "nowhere" not in said
