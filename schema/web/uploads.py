# SPDX-License-Identifier: Apache-2.0
"""Files that a page is sent, one by one: what came of each, or why it was not taken. A bad one stops no other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from flask import request

from schema.errors import TownshipError
from schema.web.frame import lang


@dataclass(frozen=True)
class Taken:
    """One file. `why`: '' when it was taken, else the reason in the reader's language."""

    name: str
    came: Any
    why: str


def each(take: Callable[[Any], Any], *, none: str) -> list[Taken]:
    """Give each file of the field `file` to `take`, which may raise TownshipError. `none`: the words for no file."""
    out = []
    for file in request.files.getlist("file"):
        if not file.filename:
            continue
        came, why = None, ""
        try:
            came = take(file.stream)
        except TownshipError as error:
            why = error.text(lang())
        finally:
            file.close()
        out.append(Taken(PurePath(file.filename).name[:80], came, why))
    return out or [Taken("", None, none)]
