# SPDX-License-Identifier: Apache-2.0
"""Examine a case: parse every field, ask for what is missing, run the item's checks; all findings at once.

The named checks are in the modules `checks_<subject>.py`, found by name; to add one, write a function with `@check`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from schema import discovery, field_types, resident_id, subject
from schema.examination import CHECKS, Examination
from schema.field_types import Context
from schema.findings import Finding
from schema.parameter import Parameters
from schema.service_parts import Field, Service
from schema.view import PersonView

__all__ = ["CHECKS", "Examined", "examine", "has_block", "obstacles"]

discovery.load_beside(__file__, "checks_")


@dataclass(frozen=True)
class Examined:
    """The values of all fields (None where empty or unreadable) and everything that was found."""

    values: dict[str, Any]
    findings: list[Finding]


def examine(
    service: Service,
    answers: Mapping[str, str],
    materials: Iterable[str],
    view: PersonView,
    today: date,
    parameters: Parameters,
) -> Examined:
    """Everything there is to say about a case, in the order of the form, whatever was typed. Never raises for input."""
    context = Context(today, parameters)
    values: dict[str, Any] = {}
    findings: list[Finding] = []
    for field in service.fields:
        if not field.derived:
            values[field.name], found = field_types.parse(field, answers.get(field.name, ""), context)
            findings += found
    for field in service.fields:
        if field.derived:
            values[field.name] = _birth_by_id(values.get(field.derived), today)
    refused = {f.field for f in findings if f.severity == "block"}
    findings += [_missing(f) for f in service.fields if f.name not in refused and _is_missing(f, values)]
    findings += _missing_materials(service, values, set(materials))
    findings += _not_here(service, values, view)
    examination = Examination(service, values, view, today, parameters)
    for use in service.checks:
        for zh, en in CHECKS[use.rule].function(examination):
            findings.append(Finding(use.rule, use.severity, use.field, zh, en))
    return Examined(values, _in_order(findings, service))


def obstacles(service: Service, view: PersonView, today: date, parameters: Parameters) -> list[Finding]:
    """Why this item is not for this person, whatever is typed: its blocking checks that read no field."""
    examination = Examination(service, {}, view, today, parameters)
    uses = [use for use in service.checks if use.severity == "block" and not CHECKS[use.rule].reads]
    return [
        Finding(use.rule, use.severity, use.field, zh, en)
        for use in uses
        for zh, en in CHECKS[use.rule].function(examination)
    ]


def has_block(findings: Iterable[Finding]) -> bool:
    """Whether anything must be mended before the case can be submitted."""
    return any(f.severity == "block" for f in findings)


def _is_missing(field: Field, values: dict[str, Any]) -> bool:
    needed = field.required or (field.required_when is not None and field.required_when.holds(values))
    value = values.get(field.name)
    # An amount of 0 is an answer, although Python calls it equal to False.
    return needed and not field.derived and (value is None or value is False or value == "")


def _missing(field: Field) -> Finding:
    zh, en = field.label["zh"], field.label["en"]
    return Finding("required", "block", field.name, f"「{zh}」没有填", f"'{en}' is not filled in")


def _missing_materials(service: Service, values: dict[str, Any], given: set[str]) -> list[Finding]:
    return [
        Finding(
            "material_missing",
            "block",
            f"material:{m.id}",
            f"还缺：{m.label['zh']}。可以先存草稿，或打印一次性告知单",
            f"Missing: {m.label['en']}. Keep a draft or print the notice",
        )
        for m in service.materials_for(values)
        if m.id not in given
    ]


def _not_here(service: Service, values: dict[str, Any], view: PersonView) -> list[Finding]:
    """A unit or household that the case needs and the register here does not have."""
    found = []
    if service.subject == "household" and view.household is None:
        zh = "本站名册里没有这一户。请先找到户里的一个人，再从他的页面办理"
        found.append(Finding("household_unknown", "block", "", zh, "No such household here: find one of its members"))
    if service.subject == "unit" and not service.new_unit and not subject.known(service, view):
        zh = "本站名册里没有这个单位。不等于全县没有：先办单位参保登记，或请中心核对"
        en = "Not in this station's register; may exist elsewhere. Register the unit first, or ask the hub"
        found.append(Finding("unit_unknown", "block", "", zh, en))
    named = next((f for f in service.fields if f.type == "unit"), None)
    if named and values.get(named.name) and (view.unit is None or not view.unit.known):
        zh, en = "名册里没有这个单位，请重新查找", "No such unit in the register: search again"
        found.append(Finding("unit_unknown", "block", named.name, zh, en))
    return found


def _birth_by_id(number: Any, today: date) -> str | None:
    read, _ = resident_id.read(number or "", today)
    return read.birth_on.isoformat() if read else None


def _in_order(findings: list[Finding], service: Service) -> list[Finding]:
    places = {f.name: i for i, f in enumerate(service.fields)}
    places |= {f"material:{m.id}": len(places) + i for i, m in enumerate(service.materials)}
    severities = {"block": 0, "review": 1, "hint": 2}
    return sorted(findings, key=lambda f: (severities[f.severity], places.get(f.field, -1)))
