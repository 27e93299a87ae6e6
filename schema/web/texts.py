# SPDX-License-Identifier: Apache-2.0
"""The words on the pages: TOML files with both languages side by side, checked when they are loaded.

    [login]
    title = { zh = "登录", en = "Log in" }
    tries = { zh = "还可以试 {n} 次", en = "{n} tries left", en1 = "{n} try left" }

`t("login.title")` is the text in the reader's language. `en1` is the English form for `n == 1`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from string import Formatter
from typing import Any

from markupsafe import Markup, escape

from schema.errors import ConfigError

LANGS = ("zh", "en")
_FORMS = {"zh", "en", "en1"}


class MissingText(LookupError):
    """A page asked for a text that no catalogue has: a programmer's slip, seen in tests."""


class Catalogue:
    """All texts of one program, by dotted key."""

    def __init__(self, paths: Iterable[Path]) -> None:
        """Raises ConfigError naming file and key for a text without one of its languages, or given twice."""
        self._texts: dict[str, Mapping[str, str]] = {}
        for path in paths:
            for key, forms in entries(path):
                if key in self._texts:
                    raise ConfigError(f"{path.name}：文字 {key} 给了两次", f"{path.name}: text {key} is given twice")
                self._texts[key] = forms

    def with_words(self, words: Mapping[str, Mapping[str, str]]) -> Catalogue:
        """The same with these words in place of its own, where they have the same blanks: a page fills in no others."""
        made = Catalogue(())
        fit = {key: forms for key, forms in words.items() if _blanks(forms["zh"]) == self._blanks_of(key)}
        made._texts = {**self._texts, **fit}
        return made

    def _blanks_of(self, key: str) -> set[str] | None:
        return _blanks(self._texts[key]["zh"]) if key in self._texts else None

    def keys(self) -> frozenset[str]:
        """Every key, for the tests that compare pages with the catalogue."""
        return frozenset(self._texts)

    def __contains__(self, key: str) -> bool:
        return key in self._texts

    def text(self, key: str, lang: str, **values: Any) -> str:
        """The text of that key with its blanks filled. Raises MissingText."""
        return self._form(key, lang, values).format(**values)

    def marked(self, key: str, lang: str, **values: Any) -> Markup:
        """The same for a page, with every value escaped and in bold: the figure is what the eye looks for."""
        bold = {name: Markup("<b>{}</b>").format(value) for name, value in values.items()}
        return escape(self._form(key, lang, values)).format(**bold)

    def both(self, key: str, **values: Any) -> dict[str, str]:
        """The text in both languages, as {zh, en}; for errors that are raised before anyone knows the reader."""
        return {lang: self.text(key, lang, **values) for lang in LANGS}

    def _form(self, key: str, lang: str, values: Mapping[str, Any]) -> str:
        try:
            forms = self._texts[key]
        except KeyError:
            raise MissingText(key) from None
        return forms["en1"] if lang == "en" and values.get("n") == 1 and "en1" in forms else forms[lang]


def pick(value: Any, lang: str) -> str:
    """A bilingual value ({zh, en} mapping, or an object with those attributes) in the reader's language."""
    if value is None or isinstance(value, str):
        return value or ""
    forms = value if isinstance(value, Mapping) else {code: getattr(value, code, None) for code in LANGS}
    return str(forms.get(lang) or forms.get("zh") or "")


def entries(path: Path) -> Iterator[tuple[str, Mapping[str, str]]]:
    """(key, forms) of a file. Raises ConfigError naming file and key."""
    try:
        tree = tomllib.loads(path.read_text("utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path.name}：读不了文字表（{error}）", f"{path.name}: cannot read ({error})") from error
    yield from _walk(path.name, "", tree)


def _walk(file: str, prefix: str, node: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, str]]]:
    for name, value in node.items():
        key = f"{prefix}{name}"
        if not isinstance(value, dict):
            raise ConfigError(f"{file}：{key} 要写成 {{ zh, en }}", f"{file}: {key} must be {{ zh, en }}")
        if set(value) & _FORMS:
            _check(file, key, value)
            yield key, value
        else:
            yield from _walk(file, f"{key}.", value)


def _check(file: str, key: str, forms: Mapping[str, Any]) -> None:
    whole = set(LANGS) <= set(forms) <= _FORMS and all(isinstance(text, str) and text for text in forms.values())
    if not whole:
        raise ConfigError(f"{file}：{key} 缺一种语言", f"{file}: {key} lacks one of its languages")
    blanks = {name: _blanks(text) for name, text in forms.items()}
    # "First line" needs no figure: the form for one may leave blanks out, never ask for others.
    if blanks["zh"] != blanks["en"] or not blanks.get("en1", set()) <= blanks["en"]:
        raise ConfigError(f"{file}：{key} 两种语言的空位不同", f"{file}: {key} has different blanks in its languages")


def _blanks(text: str) -> set[str]:
    return {field for _, field, _, _ in Formatter().parse(text) if field}
