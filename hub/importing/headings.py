# SPDX-License-Identifier: Apache-2.0
"""Which column means what, and which written value means which code: headings.toml, read once."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from schema.errors import ConfigError

FILE = Path(__file__).with_name("headings.toml")
NEEDED = ("id_number", "name")
_CODE = re.compile(r"[A-Z]{3}[0-9]{3}")
_MORE = ("type", "limit", "soft")
_UNIT = re.compile(r"\([^)]*\)$")


@dataclass(frozen=True)
class Column:
    """A column we understand: its words, how its values are read, and whether a wrong one only costs itself."""

    id: str
    label: dict[str, str]
    type: str
    limit: int = 200
    soft: bool = False
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class Mapping:
    """What the headings of one file mean: field by column, the columns nobody understands, the ones that repeat."""

    fields: tuple[str | None, ...]
    unknown: tuple[str, ...]
    repeated: tuple[str, ...]

    def values(self, cells: tuple[str, ...]) -> dict[str, str]:
        """The cells of a line by field; columns without a meaning are left out."""
        return {field: cell for field, cell in zip(self.fields, cells, strict=False) if field}


@dataclass(frozen=True)
class Headings:
    """A table of headings: the register's, or that of a receipts file."""

    columns: dict[str, Column]
    words: dict[str, str]
    left_out: frozenset[str]
    codes: dict[str, dict[str, str]]
    needed: tuple[str, ...]

    def is_header(self, cells: Iterable[str]) -> bool:
        """Whether a line is the line of headings: it names everything that no line can do without."""
        return set(self.needed) <= set(self.match(tuple(cells)).fields)

    def match(self, header: tuple[str, ...]) -> Mapping:
        """The meaning of each column. The first of two columns with one meaning counts."""
        fields: list[str | None] = []
        unknown, repeated = [], []
        for heading in header:
            field = self._field(heading)
            if field in fields and field is not None:
                repeated.append(heading)
                field = None
            elif field is None and heading and plain(heading) not in self.left_out:
                unknown.append(heading)
            fields.append(field)
        return Mapping(tuple(fields), tuple(unknown), tuple(repeated))

    def _field(self, heading: str) -> str | None:
        """By the whole heading, by the heading without its unit, or by the field name it carries, as `AAC003 姓名`."""
        whole = plain(heading)
        code = _CODE.search(whole)
        for word in (whole, _UNIT.sub("", whole), code.group() if code else ""):
            if word in self.words:
                return self.words[word]
        return None

    def code(self, field: str, text: str) -> str | None:
        """The code that a written value stands for, None when nobody knows it."""
        word = plain(text)
        codes = self.codes[field]
        if field == "ethnic":
            word = word.removesuffix("族")
            return word if word in codes.values() else codes.get(word)
        return codes.get(word)


def plain(text: str) -> str:
    """A heading or value without width, case, blanks and the star of a required column."""
    return "".join(unicodedata.normalize("NFKC", text).upper().split()).strip("*:")


def load(path: Path, needed: tuple[str, ...]) -> Headings:
    """Read a table of headings. Raises ConfigError for a word with two meanings."""
    data = tomllib.loads(path.read_text("utf-8"))
    columns = {
        name: Column(
            name,
            {lang: entry[lang] for lang in ("zh", "en")},
            also=tuple(entry.get("also", ())),
            **{given: entry[given] for given in _MORE if given in entry},
        )
        for name, entry in data["fields"].items()
    }
    words: dict[str, str] = {}
    for name, entry in data["fields"].items():
        _put(words, path, name, [entry["zh"], *entry.get("also", [])])
    codes: dict[str, dict[str, str]] = {}
    for field, table in data.get("values", {}).items():
        codes[field] = {}
        for code, written in table.items():
            _put(codes[field], path, code, written)
    left_out = frozenset(plain(h) for h in data.get("left_out", {}).get("headings", []))
    return Headings(columns, words, left_out, codes, needed)


def _put(words: dict[str, str], path: Path, meaning: str, written: list[Any]) -> None:
    for word in written:
        if words.setdefault(plain(word), meaning) != meaning:
            raise ConfigError(
                f"{path.name}：「{word}」有两个意思，请留一个", f"{path.name}: {word} has two meanings: keep one"
            )


@cache
def register() -> Headings:
    """The headings of a register file."""
    return load(FILE, NEEDED)
