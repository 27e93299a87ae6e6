# SPDX-License-Identifier: Apache-2.0
"""Searching the policy library offline: pairs of neighbouring characters, so that two-character words are found.

Chinese has no spaces, and the words people type are mostly two characters long (工伤, 失业); an index of triples would
find none of them. A few dozen articles are looked through whole in less than a millisecond.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from schema import policy
from schema.policy import Article

_TITLE, _WORDS, _TEXT = 6, 5, 1
_HAN = "\u3400-\u9fff"
_SPLIT = re.compile(f"[{_HAN}]+|[a-z0-9]+")
# What every question has and no answer is known by.
_EMPTY = frozenset({"怎么", "怎样", "什么", "多少", "可以", "我的", "一个", "能不", "不能", "哪里", "要不", "如何"})


@dataclass(frozen=True)
class Library:
    """The articles of a pack with the pieces of their texts."""

    articles: tuple[Article, ...]
    pieces: Mapping[str, tuple[frozenset[str], frozenset[str], frozenset[str]]]

    @classmethod
    def of(cls, files: Mapping[str, bytes]) -> Library:
        """The library in a pack's files. Raises BadServiceFile."""
        found = policy.articles(files)
        pieces = {
            a.id: (
                _pieces(f"{a.title['zh']} {a.title['en']}"), _pieces(" ".join(a.words)),
                _pieces(f"{a.text['zh']} {a.text['en']} {' '.join(a.law)}"),
            )
            for a in found
        }  # fmt: skip
        return cls(found, pieces)

    def get(self, article_id: str) -> Article | None:
        """The article of that id."""
        return next((a for a in self.articles if a.id == article_id), None)

    def find(self, typed: str, topic: str = "") -> list[Article]:
        """What fits best first; everything of the topic when nothing was typed."""
        mine = [a for a in self.articles if topic in ("", a.topic)]
        asked = _pieces(typed) - _EMPTY
        if not asked:
            return [] if typed.strip() else mine
        scored = [(self._score(a, asked), a) for a in mine]
        best = max((score for score, _ in scored), default=0)
        # A long question shares a pair or two with everything: what has less than a third of the best is noise.
        return [a for score, a in sorted(scored, key=lambda s: -s[0]) if score * 3 >= best > 0]

    def _score(self, article: Article, asked: frozenset[str]) -> int:
        return sum(
            weight * len(asked & pieces)
            for weight, pieces in zip((_TITLE, _WORDS, _TEXT), self.pieces[article.id], strict=True)
        )


def _pieces(text: str) -> frozenset[str]:
    """Pairs of neighbouring Han characters, a lone one by itself, and Latin words."""
    out: set[str] = set()
    for run in _SPLIT.findall(unicodedata.normalize("NFKC", text).lower()):
        if re.match(f"[{_HAN}]", run):
            out.update(run[i : i + 2] for i in range(max(1, len(run) - 1)))
        elif len(run) > 1:
            out.add(run)
    return frozenset(out)
