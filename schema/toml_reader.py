# SPDX-License-Identifier: Apache-2.0
"""Strict reading of the TOML that policy officers edit: every fault of every file at once, with file, place, remedy.

A silently ignored, misspelt key would leave a rule out without anyone noticing, so a key nobody asked for is a fault.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Any

_KIND_WORDS = {
    str: ("文字", "text"), int: ("整数", "a whole number"), bool: ("true 或 false", "true or false"),
    date: ("日期，如 2026-01-01", "a date such as 2026-01-01"), list: ("列表", "a list"), dict: ("一组键值", "a table"),
}  # fmt: skip
Text = dict[str, str]


@dataclass(frozen=True)
class Fault:
    """One thing to mend. `place` is the path inside the file, e.g. `fields[2].type`."""

    file: str
    place: str
    zh: str
    en: str


class Faults(list[Fault]):
    """All faults found so far."""

    def text(self, lang: str) -> str:
        """One line per fault, as an operator reads them."""
        return "\n".join(f"{f.file}: {f.place}: {f.zh if lang == 'zh' else f.en}" for f in self)


class Reader:
    """One table of a file. Asking for a key makes it known; `done()` reports the others."""

    def __init__(self, table: dict[str, Any], file: str, place: str, faults: Faults) -> None:
        self._table, self._file, self._place, self._faults = table, file, place, faults
        self._asked: set[str] = set()

    def fault(self, key: str, zh: str, en: str) -> None:
        """Record a fault at a key of this table."""
        place = ".".join(p for p in (self._place, key) if p) or "-"
        self._faults.append(Fault(self._file, place, zh, en))

    def has(self, key: str) -> bool:
        """Whether the table has the key (and make it known)."""
        self._asked.add(key)
        return key in self._table

    def take(self, key: str, kind: type, default: Any = None, *, required: bool = True) -> Any:
        """The value, of exactly that type; the default when it is absent or wrong (a fault then)."""
        if not self.has(key):
            if required:
                self.fault(key, f"缺少「{key}」，请补上", f"'{key}' is missing: add it")
            return default
        value = self._table[key]
        if type(value) is not kind:
            zh, en = _KIND_WORDS[kind]
            self.fault(key, f"应为{zh}，这里是 {value!r}", f"must be {en}, not {value!r}")
            return default
        return value

    def raw(self, key: str) -> Any:
        """The value of whatever type, None when absent."""
        self._asked.add(key)
        return self._table.get(key)

    def words(self, key: str, *, required: bool = True) -> tuple[str, ...]:
        """A list of texts."""
        values = self.take(key, list, [], required=required)
        if any(type(v) is not str or not v for v in values):
            self.fault(key, '应为文字列表，如 ["甲", "乙"]', "must be a list of texts")
            return ()
        return tuple(values)

    def text(self, key: str, *, required: bool = True) -> Text:
        """A bilingual text {zh, en}; both languages are needed."""
        inner = self.table(key, required=required)
        if inner is None:
            return {"zh": "", "en": ""}
        out = {lang: inner.take(lang, str, "") for lang in ("zh", "en")}
        for lang in ("zh", "en"):
            if inner.has(lang) and not out[lang].strip():
                inner.fault(lang, "文字是空的，请写上", "the text is empty: write it")
        inner.done()
        return out

    def one_of(self, key: str, known: Iterable[str], default: str = "", *, required: bool = True) -> str:
        """A word from a closed vocabulary, with a proposal when it is nearly one."""
        value = self.take(key, str, default, required=required)
        if self.has(key) and value and not self.known(key, value, known):
            return default
        return str(value)

    def known(self, key: str, value: str, known: Iterable[str]) -> bool:
        """Whether a word is in the vocabulary; a fault with a proposal when not."""
        words = sorted(known)
        if value in words:
            return True
        zh, en = _proposal(value, words)
        self.fault(key, f"不认识「{value}」{zh}", f"'{value}' is not known{en}")
        return False

    def table(self, key: str, *, required: bool = True) -> Reader | None:
        """A table inside this one."""
        value = self.take(key, dict, None, required=required)
        return None if value is None else self._inner(value, key)

    def tables(self, key: str, *, required: bool = True) -> list[Reader]:
        """A list of tables, `[[key]]` in the file."""
        values = self.take(key, list, [], required=required)
        out = []
        for i, value in enumerate(values):
            if type(value) is dict:
                out.append(self._inner(value, f"{key}[{i + 1}]"))
            else:
                self.fault(f"{key}[{i + 1}]", f"应写成 [[{key}]]", f"must be written as [[{key}]]")
        return out

    def done(self) -> None:
        """Report every key that nobody asked for."""
        for key in self._table:
            if key not in self._asked:
                zh, en = _proposal(key, sorted(self._asked))
                self.fault(key, f"不认识「{key}」{zh}", f"'{key}' is not known{en}")

    def _inner(self, table: dict[str, Any], key: str) -> Reader:
        place = f"{self._place}.{key}" if self._place else key
        return Reader(table, self._file, place, self._faults)


def open_file(path: Path, name: str, faults: Faults) -> Reader | None:
    """The file as a Reader; None (and a fault) when it is no TOML at all."""
    try:
        return Reader(tomllib.loads(path.read_text(encoding="utf-8")), name, "", faults)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        faults.append(Fault(name, "-", f"不是正确的 TOML：{error}", f"is not TOML: {error}"))
        return None


def _proposal(value: str, words: list[str]) -> tuple[str, str]:
    close = get_close_matches(value, words, n=1, cutoff=0.6)
    if close:
        return f"，是不是「{close[0]}」", f"; did you mean '{close[0]}'"
    return f"，可用的有：{'、'.join(words)}", f"; known are: {', '.join(words)}"
