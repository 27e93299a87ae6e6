# SPDX-License-Identifier: Apache-2.0
"""What differs between two rule packs, as a policy officer reads it: items, fields, papers, steps, words, parameters.

Each pack is spread out into places and values; what differs is then one comparison, and nothing can be forgotten in it.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from schema.packs import RulePack
from schema.service_parts import Service

Kind = Literal["added", "removed", "changed"]
# What a place is called, in the order in which changes are told.
WHAT = {
    "item": {"zh": "事项", "en": "item"},
    "field": {"zh": "字段", "en": "field"},
    "material": {"zh": "材料", "en": "paper"},
    "check": {"zh": "检查", "en": "check"},
    "mode": {"zh": "办理方式", "en": "way"},
    "text": {"zh": "用语", "en": "words"},
    "parameter": {"zh": "参数", "en": "parameter"},
    "list": {"zh": "选择项", "en": "choice"},
}
_Place = tuple[str, str, str]
_IN_PLACES = ("id", "sections", "fields", "materials", "checks", "modes", "title", "short", "slip", "next_steps")


@dataclass(frozen=True)
class Change:
    """One difference. `owner`: the item, parameter or list; `part`: what of it; `effective_on`: from which day."""

    what: str
    owner: str
    part: str
    kind: Kind
    before: str
    after: str
    effective_on: str


def between(before: RulePack, after: RulePack) -> list[Change]:
    """Every difference, items first."""
    old, new = dict(_spread(before)), dict(_spread(after))
    changes = [_change(place, old.get(place), new.get(place), after) for place in {*old, *new}]
    order = list(WHAT)
    return sorted((c for c in changes if c), key=lambda c: (order.index(c.what), c.owner, c.part))


def _change(place: _Place, before: str | None, after: str | None, pack: RulePack) -> Change | None:
    if before == after:
        return None
    kind: Kind = "added" if before is None else "removed" if after is None else "changed"
    return Change(*place, kind, before or "", after or "", _effective_on(place, pack))


def _effective_on(place: _Place, pack: RulePack) -> str:
    what, owner, part = place
    if what == "parameter":
        return part.partition(" ")[0]
    item = pack.services.get(owner)
    return item.effective_from.isoformat() if item else ""


def _spread(pack: RulePack) -> Iterator[tuple[_Place, str]]:
    for item in pack.services.values():
        yield from _spread_item(item)
    for parameter in pack.parameters:
        for value in parameter.values:
            read = "verified" if value.verified else "not verified"
            shown = f"{_plain(value.value)} {value.unit}; {value.source}; {read}"
            yield ("parameter", parameter.name, f"{value.from_} ({value.published})"), shown
    for name, entries in tomllib.loads(pack.files["choices.toml"].decode()).items():
        for entry in entries:
            yield ("list", name, str(entry.get("value"))), _plain(entry.get("text"))
    for key, forms in pack.words.items():
        yield ("text", key, ""), _plain(forms)


def _spread_item(item: Service) -> Iterator[tuple[_Place, str]]:
    # Whatever is not told below in places of its own is told here: a key added later cannot be forgotten.
    whole = {f.name: getattr(item, f.name) for f in fields(Service) if f.name not in _IN_PLACES}
    yield ("item", item.id, ""), _plain({name: value for name, value in whole.items() if value})
    for section in item.sections:
        yield ("text", item.id, f"section {section.id}"), _plain(section.title)
    for field in item.fields:
        yield ("field", item.id, field.name), _plain({k: v for k, v in asdict(field).items() if v and k != "name"})
    for material in item.materials:
        yield ("material", item.id, material.id), _plain({k: v for k, v in asdict(material).items() if v and k != "id"})
    for use in item.checks:
        yield ("check", item.id, f"{use.rule} {use.field}".strip()), use.severity
    for place, mode in enumerate(item.modes, 1):
        yield ("mode", item.id, str(place)), _plain({k: v for k, v in asdict(mode).items() if v})
    for name in ("title", "short"):
        yield ("text", item.id, name), _plain(getattr(item, name))
    for legal, text in item.slip.items():
        yield ("text", item.id, f"slip {legal}"), _plain(text)
    for place, text in enumerate(item.next_steps, 1):
        yield ("text", item.id, f"next {place}"), _plain(text)


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
