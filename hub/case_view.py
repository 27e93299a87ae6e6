# SPDX-License-Identifier: Apache-2.0
"""A case as a page shows it: application against register, steps, findings, papers, calculation, what happened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from hub import calculation, cases, decision, pack, queue, steps
from hub.cases import HubCase
from schema import field_types, ids, period, prefill, subject
from schema.case import STEPS
from schema.clock import parse_stamp
from schema.errors import TownshipError
from schema.field_types import Context
from schema.findings import Finding
from schema.service_parts import Field
from schema.toml_reader import Text
from schema.view import PersonView

SEEN_AT_ONCE = 6
NOTHING_SAID = 3


@dataclass(frozen=True)
class Row:
    """One field: what was asked for, what the register has, what was found. `differs`: the two are not the same;
    `on_slip`: it is what the applicant came for, and stands on the slip.
    """

    name: str
    label: Text
    asked: Text
    register: Text | None
    differs: bool
    findings: list[Finding]
    type: str
    on_slip: bool


@dataclass(frozen=True)
class CaseView:
    """All parts of the page. `rows`: the telling ones, unless all were asked for; `rows_in_all` counts them all."""

    case: HubCase
    seen: PersonView
    person: dict[str, Any]
    age: int | None
    village: str
    rows: list[Row]
    rows_in_all: int
    marks: list[dict[str, str]]
    findings: list[Finding]
    passed: int
    papers: list[dict[str, Any]]
    calculation: dict[str, Any] | None
    events: list[dict[str, Any]]
    pending: decision.Decision | None
    offline: bool
    next_step: str | None


def build(db: Any, case: HubCase, today: date, *, me: str, everything: bool = False) -> CaseView:
    """Gather a case for the page. Findings are those of now, so that the reader sees what the register says today."""
    view = cases.view_of(db, case)
    examined = cases.examine(db, case)
    kept = [f for f in case.findings if f.code not in {g.code for g in examined.findings} and not f.field]
    findings = [*examined.findings, *kept]
    rows = _rows(db, case, view, examined.values, findings)
    said = [r for r in rows if _weight(r) < NOTHING_SAID]
    at_once = max(SEEN_AT_ONCE, sum(_weight(r) == 0 for r in rows))
    telling = sorted(said, key=lambda r: (_weight(r), not r.on_slip))[:at_once]
    done = steps.of_case(db, case.id)
    return CaseView(
        case=case,
        seen=view,
        person=view.person,
        age=period.age_on(view.birth_on, today) if view.birth_on else None,
        village=place_name(db, view.person.get("village") or case.answers.get("village") or case.township),
        rows=rows if everything else [r for r in rows if r in telling],
        rows_in_all=len(rows),
        marks=_marks(case, done, me),
        findings=findings,
        passed=len(case.item.checks) - len({f.code for f in findings} & {c.rule for c in case.item.checks}),
        papers=_papers(db, case),
        calculation=_calculation(db, case, today),
        events=_events(db, case, done),
        pending=decision.pending_on(db, case.id),
        offline=parse_stamp(case.received_at) - parse_stamp(case.stated_at) > queue.OFFLINE_AFTER,
        next_step=_next(case),
    )


def _next(case: HubCase) -> str | None:
    """The step after the one that is open."""
    if case.step not in case.steps:
        return None
    return next(iter(case.steps[case.steps.index(case.step) + 1 :]), None)


def place_name(db: Any, code: str) -> str:
    """A village with its township, in words; the code itself when the register of places has no such one."""
    names = [
        row["name"]
        for row in db.execute(
            "SELECT name FROM division WHERE code IN (?, ?) ORDER BY length(code)", (code[:9], code)
        ).fetchall()
    ]
    return " ".join(names) or code


def _rows(db: Any, case: HubCase, view: PersonView, values: dict[str, Any], findings: list[Finding]) -> list[Row]:
    known = _register(case, view)
    out = []
    for field in case.item.fields:
        raw, value = case.answers.get(field.name, ""), values.get(field.name)
        asked = _in_words(db, case, field, value) if value is not None else {"zh": raw or "--", "en": raw or "--"}
        register = _in_words(db, case, field, known[field.name]) if field.name in known else None
        differs = bool(raw or field.derived) and register is not None and value != known[field.name]
        mine = [f for f in findings if f.field == field.name]
        out.append(Row(field.name, field.label, asked, register, differs, mine, field.type, field.on_slip))
    return out


def _in_words(db: Any, case: HubCase, field: Field, value: Any) -> Text:
    if field_types.widget(field) == "village" and value:
        name = place_name(db, value)
        return {"zh": name, "en": name}
    if field.type in ("unit", "person", "members") and value:
        names = dict.fromkeys(("zh", "en"), "、".join(_named(db, field, one) for one in _listed(value)))
        return names
    return field_types.shown(field, value, Context(case.received_on, pack.parameters()))


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def _named(db: Any, field: Field, hex_id: str) -> str:
    """The unit or person of an id, in words."""
    table, number = ("unit", "uscc") if field.type == "unit" else ("person", "id_number")
    row = db.execute(f"SELECT name, {number} AS number FROM {table} WHERE id = ?", (ids.from_text(hex_id),)).fetchone()
    return f"{row['name']} {row['number']}" if row else "--"


def _register(case: HubCase, view: PersonView) -> dict[str, Any]:
    """The register's value of each field that has one; a month that a form is only prefilled with is not one."""
    if not subject.known(case.item, view):
        return {}
    derived = {f.name: view.person[f.name] for f in case.item.fields if f.derived and f.name in view.person}
    sources = {f.name: f.current or f.prefill for f in case.item.fields}
    known = prefill.current(case.item, view, case.received_on, pack.parameters())
    return derived | {name: value for name, value in known.items() if not sources[name].startswith("month.")}


def _weight(row: Row) -> int:
    """0 what differs or was found, 1 what is new here, 2 what the register says too, 3 what was not asked for."""
    if row.differs or row.findings:
        return 0
    if row.asked["zh"] in ("--", "否"):
        return NOTHING_SAID
    return 1 if row.register is None else 2


def _marks(case: HubCase, done: list[Any], me: str) -> list[dict[str, str]]:
    agreed = {s["step"]: s for s in done if s["round"] == case.round and s["decision"] == decision.AGREE}
    marks = []
    for step in case.steps:
        by = agreed.get(step)
        state = "done" if by else "now" if step == case.step else "todo"
        who = _who(by) if by else ""
        marks.append({"step": step, "state": state, "who": who, "mine": "1" if by and by["officer"] == me else ""})
    return marks


def _who(step: Any) -> str:
    return f"{step['name'] or ''} {step['officer']}".strip()


def _papers(db: Any, case: HubCase) -> list[dict[str, Any]]:
    needed = {m.id for m in case.item.materials_for(case.answers)}
    arrived = "SELECT lower(hex(sha256)), media_type FROM blob WHERE about = ? AND done_at IS NOT NULL"
    here = {row[0]: row[1] for row in db.execute(arrived, (case.id,))}

    def scans(paper: str) -> list[dict[str, Any]]:
        return [{"sha256": one, "media_type": here.get(one)} for one in (case.scans or {}).get(paper, [])]

    return [
        {"id": m.id, "label": m.label, "given": m.id in case.materials, "needed": m.id in needed, "scans": scans(m.id)}
        for m in case.item.materials
        if m.id in needed or m.id in case.materials
    ]


def _calculation(db: Any, case: HubCase, today: date) -> dict[str, Any] | None:
    """The stored calculation; before it is made, what it would be today (marked as a preview)."""
    if case.calculation:
        return case.calculation | {"preview": False}
    if "calculate" not in case.steps or case.step not in ("accept", "calculate"):
        return None
    try:
        made = calculation.calculate(db, case, today)
    except TownshipError:
        return None
    return made | {"preview": True} if made["lines"] else None


def _events(db: Any, case: HubCase, done: list[Any]) -> list[dict[str, Any]]:
    """The timeline, newest first."""
    events = []
    for step in done:
        name = STEPS.get(step["step"])
        events.append(
            {
                "at": step["at"],
                "step": name,
                "decision": step["decision"],
                "who": _who(step),
                "reason": step["reason"] or "",
            }
        )
        if step["decision"] in ("submit", "resubmit"):
            events.append({"at": _received(db, step), "step": None, "decision": "received", "who": "", "reason": ""})
    return sorted((e for e in reversed(events) if e["at"]), key=lambda e: str(e["at"]), reverse=True)


def _received(db: Any, step: Any) -> str | None:
    row = db.execute("SELECT received_at FROM fact WHERE id = ?", (step["fact_id"],)).fetchone()
    return row["received_at"] if row else None
