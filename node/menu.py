# SPDX-License-Identifier: Apache-2.0
"""The menu of items: by group in the order of the county's catalogue, found by name, pinyin, initials or number."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from schema import names
from schema.readable import readable
from schema.service_parts import GROUPS, Service
from schema.toml_reader import Text


@dataclass(frozen=True)
class Entry:
    """One line of the menu. `words`: all that finds it, one text without spaces (the page looks through the same)."""

    item: Service
    words: str

    def fits(self, typed: str) -> bool:
        """Whether what was typed (see `plain`) finds it; digits are the beginning of its number, nothing else."""
        return str(self.item.no).startswith(typed) if typed.isdigit() else typed in self.words


def plain(typed: str) -> str:
    """As typed, without what an input method leaves between syllables."""
    text = unicodedata.normalize("NFKC", readable(typed)).lower()
    return "".join(c for c in text if not c.isspace() and c not in "'’")[:40]


def entry(item: Service) -> Entry:
    """The line of an item."""
    parts = [text[lang] for lang in ("zh", "en") for text in (item.title, item.short)]
    for text in (item.title, item.short):
        parts += names.spelled(text["zh"])
    return Entry(item, "|".join(plain(part) for part in parts))


def grouped(items: Iterable[Service], typed: str = "") -> list[tuple[Text, list[Entry]]]:
    """The groups with the lines that fit, in the catalogue's order; a group without any is left out."""
    wanted = plain(typed)
    lines = sorted((entry(item) for item in items), key=lambda e: (e.item.no, e.item.id))
    found = {group: [e for e in lines if e.item.group == group and e.fits(wanted)] for group in GROUPS}
    return [(title, found[group]) for group, title in GROUPS.items() if found[group]]
