# SPDX-License-Identifier: Apache-2.0
"""County, townships, communities and villages, read from places.toml; and the division rows they make."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from provisioning.county.names import spelled

FILE = Path(__file__).with_name("places.toml")
IN_FORCE_SINCE = "2020-06-01"  # the present fifteen townships
FIRST_COMMUNITY = 1
FIRST_VILLAGE = 200


@dataclass(frozen=True)
class Village:
    """A community or village; `code` has 12 digits, `stale_name` is its township's older name."""

    code: str
    name: str
    township: Township
    urban: bool

    @property
    def address(self) -> str:
        return f"{self.township.name}{self.name}"


@dataclass(frozen=True)
class Township:
    """A township; `code` has 9 digits, `weight` is persons per thousand of the county."""

    code: str
    name: str
    name_en: str
    weight: int
    stale: str
    communities: tuple[str, ...]
    hamlets: tuple[str, ...]

    def villages(self) -> list[Village]:
        """Communities first, then villages, in the order of their codes."""
        communities = [
            Village(f"{self.code}{i:03d}", f"{name}社区", self, True)
            for i, name in enumerate(self.communities, FIRST_COMMUNITY)
        ]
        return communities + [
            Village(f"{self.code}{i:03d}", f"{name}村", self, False)
            for i, name in enumerate(self.hamlets, FIRST_VILLAGE)
        ]


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


def county() -> dict[str, str]:
    """`code`, `name`, `name_en`, `since` of the county."""
    return dict(_data()["county"])


@cache
def townships() -> tuple[Township, ...]:
    """The fifteen townships in force."""
    return tuple(
        Township(
            t["code"], t["name"], t["name_en"], t["weight"], t["stale"],
            tuple(t["communities"].split()), tuple(t["villages"].split()),
        )
        for t in _data()["townships"]
    )  # fmt: skip


def township(code: str) -> Township | None:
    """The township with that 9-digit code, or None."""
    return next((t for t in townships() if t.code == code), None)


def divisions() -> list[dict[str, Any]]:
    """Rows of table `division` for the county, its townships, and the units they came from."""
    place = county()
    rows = [_row(place["code"], place["name"], place["name_en"], "county", None, since=place["since"])]
    rows += [_row(t.code, t.name, t.name_en, "township", place["code"], since=IN_FORCE_SINCE) for t in townships()]
    for old in _data()["former"]:
        level = old.get("level", "former")
        parent = place["code"] if level == "former" else None
        row = _row(old["code"], old["name"], old["name_en"], level, parent, since=old.get("from"))
        rows.append({**row, "valid_to": old["to"], "succeeded_by": old.get("successor")})
    return rows


def village_divisions() -> list[dict[str, Any]]:
    """Rows of table `division` for every community and village."""
    return [
        _row(v.code, v.name, _english(v), "village", t.code, since=IN_FORCE_SINCE)
        for t in townships()
        for v in t.villages()
    ]


def _english(village: Village) -> str:
    kind = "Community" if village.urban else "Village"
    return f"{spelled(village.name.removesuffix('社区').removesuffix('村'))[0].capitalize()} {kind}"


def _row(code: str, name: str, name_en: str, level: str, parent: str | None, *, since: str | None) -> dict[str, Any]:
    return {
        "code": code, "name": name, "name_en": name_en, "level": level, "parent": parent,
        "valid_from": since, "valid_to": None, "succeeded_by": None,
    }  # fmt: skip
