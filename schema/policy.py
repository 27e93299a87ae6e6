# SPDX-License-Identifier: Apache-2.0
"""The policy library: short answers to what people ask, with the law they rest on. One file per topic, in the rule
pack (`policies/<topic>.toml`), so that an answer changes with the rule and not a month later.

An article whose content nobody has checked against the law's text says so (`verified = false`), and so does the page.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass

from schema.errors import BadServiceFile
from schema.toml_reader import Fault, Faults, Reader, Text

FOLDER = "policies/"


@dataclass(frozen=True)
class Article:
    """One answer. `items`: ids of service items that follow from it; `words`: what people call it, to be found by."""

    id: str
    topic: str
    title: Text
    text: Text
    law: tuple[str, ...]
    verified: bool
    items: tuple[str, ...]
    words: tuple[str, ...]


def articles(files: Mapping[str, bytes]) -> tuple[Article, ...]:
    """All articles of a pack's files, by topic. Raises BadServiceFile naming every fault of every file."""
    faults = Faults()
    found: dict[str, Article] = {}
    for path in sorted(name for name in files if name.startswith(FOLDER)):
        for article in _read(path, files[path], faults):
            if article.id in found:
                faults.append(Fault(path, article.id, "这个编号出现了两次", "this id appears twice"))
            found[article.id] = article
    if faults:
        raise BadServiceFile(faults.text("zh"), faults.text("en"))
    return tuple(found.values())


def _read(path: str, content: bytes, faults: Faults) -> list[Article]:
    topic = path.removeprefix(FOLDER).removesuffix(".toml")
    try:
        table = tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        Reader({}, path, "", faults).fault("", f"读不懂：{error}", f"cannot be read: {error}")
        return []
    reader = Reader(table, path, "", faults)
    out = []
    for one in reader.tables("articles"):
        out.append(Article(
            id=one.take("id", str, ""), topic=topic, title=one.text("title"), text=one.text("text"),
            law=one.words("law"), verified=one.take("verified", bool, False), items=one.words("items", required=False),
            words=one.words("words", required=False),
        ))  # fmt: skip
        one.done()
    reader.done()
    return out

