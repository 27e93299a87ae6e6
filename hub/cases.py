# SPDX-License-Identifier: Apache-2.0
"""A case as the hub holds it: read from `hub_case`, written back together with the word its station is told.

`save` is the only writer of `hub_case`: whatever changes a case also changes what the station shows.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any

from hub import pack
from schema import checks, clock, database, findings, subject, view
from schema.case import LOOKED_AT
from schema.checks import Examined
from schema.effects import CaseInput
from schema.errors import UnknownSubject
from schema.findings import Finding
from schema.service import Service
from schema.subject import Subject
from schema.view import PersonView
from schema.view_rows import Row
from sync.hub.publish import Publication

CLOSED = ("effective", "paid", "rejected", "withdrawn", "reversed")


@dataclass(frozen=True)
class HubCase:
    """One row of `hub_case`, its JSON read. `round` counts submissions; `step` is what must happen next."""

    id: bytes
    service: str
    service_version: int
    pack: str
    station: str
    township: str
    about: Subject
    person_name: str | None
    receipt_no: str
    state: str
    step: str | None
    round: int
    submitted_by: str
    stated_at: str
    received_at: str
    due_on: str | None
    answers: dict[str, str]
    materials: list[str]
    findings: list[Finding]
    scans: dict[str, list[str]] | None = None
    calculation: dict[str, Any] | None = None
    outcome: dict[str, Any] | None = None
    reason: str | None = None
    closed_at: str | None = None

    @property
    def person_id(self) -> bytes | None:
        """The person it is about, if it is about one that was named."""
        return self.about.person_id

    @property
    def item(self) -> Service:
        """The service item, as in the pack the case was taken under. Raises UnknownSubject."""
        return pack.service_named(self.service, self.pack)

    @property
    def steps(self) -> tuple[str, ...]:
        """The steps this case must go through at the hub."""
        return self.item.steps_for(self.answers) or self.item.steps or self._steps_of_today() or LOOKED_AT

    def _steps_of_today(self) -> tuple[str, ...]:
        """Decided on the spot when it was taken, reviewed now."""
        item = pack.services().get(self.service, self.item)
        return item.steps_for(self.answers) or item.steps

    @property
    def received_on(self) -> date:
        """The civil day on which the hub received it."""
        return clock.local(self.received_at).date()


def load(db: Any, case_id: bytes) -> HubCase:
    """Raises UnknownSubject."""
    row = db.execute("SELECT * FROM hub_case WHERE id = ?", (case_id,)).fetchone()
    if row is None:
        raise UnknownSubject("中心没有这个案件", "the hub has no such case")
    return from_row(row)


def from_row(row: Any) -> HubCase:
    """A case from a row of `hub_case`."""
    values = {f.name: row[f.name] for f in fields(HubCase) if f.name != "about"}
    values["id"] = bytes(row["id"])
    values["about"] = subject.of_row(row)
    values["answers"] = json.loads(row["answers"])
    values["materials"] = json.loads(row["materials"])
    values["findings"] = findings.from_json(row["findings"])
    for name in ("scans", "calculation", "outcome"):
        values[name] = json.loads(row[name]) if row[name] else None
    return HubCase(**values)


def save(pub: Publication, case: HubCase, *, decided_at: str | None = None, missing: Iterable[str] = ()) -> None:
    """Write the case, and the row that tells its station: in one transaction, so that they cannot disagree."""
    row = {f.name: getattr(case, f.name) for f in fields(HubCase) if f.name != "about"} | case.about.row
    row["answers"] = _json(case.answers)
    row["materials"] = _json(case.materials)
    row["findings"] = findings.to_json(case.findings)
    for name in ("scans", "calculation", "outcome"):
        row[name] = _json(row[name]) if row[name] else None
    database.upsert(pub.db, "hub_case", row)
    pub.put(
        "case_state",
        {
            "case_id": case.id,
            **case.about.row,
            "station": case.station,
            "service": case.service,
            "receipt_no": case.receipt_no,
            "state": case.state,
            "received_at": case.received_at,
            "due_on": case.due_on,
            "decided_at": decided_at or case.closed_at,
            "reason": case.reason,
            "result": _result(case, list(missing)),
        },
    )


def person_of(db: Any, case: HubCase) -> bytes | None:
    """The person in the register, looked up anew while the case names none: two stations may bring the same new one."""
    if case.item.subject != "person":
        return None
    return case.person_id or view.find_by_id_number(db, case.answers.get("id_number", ""))


def view_of(db: Any, case: HubCase) -> PersonView:
    """What the register says of the person; of somebody not in it, what the application says.

    Of the others' open cases only those that arrived before: two that came in at once must not block each other.
    """
    found = subject.view_for(db, case.item, case.about, case.answers, case.received_on, except_case=case.id)

    def before(cases: list[Row]) -> list[Row]:
        return [c for c in cases if _came_before(db, c["id"], case.id)]

    unit = found.unit and replace(found.unit, open_cases=before(found.unit.open_cases))
    home = found.household and replace(found.household, open_cases=before(found.household.open_cases))
    return replace(found, open_cases=before(found.open_cases), unit=unit, household=home)


def _came_before(db: Any, other: bytes, case_id: bytes) -> bool:
    rows = db.execute("SELECT id, rowid FROM hub_case WHERE id IN (?, ?)", (other, case_id))
    numbers = {bytes(row[0]): row[1] for row in rows}
    return case_id not in numbers or numbers[other] < numbers[case_id]


def examine(db: Any, case: HubCase) -> Examined:
    """All checks of the item with the register as it is, as of the day the hub received the case.

    Not as of the day of looking: a case that waited its turn has not become back-dated by that.
    """
    person = view_of(db, case)
    return checks.examine(case.item, case.answers, case.materials, person, case.received_on, pack.parameters())


def case_input(case: HubCase, values: dict[str, Any]) -> CaseInput:
    """What effects are computed from."""
    return CaseInput(id=case.id, person_id=case.person_id, values=values, station=case.station, township=case.township)


def _result(case: HubCase, missing: list[str]) -> str | None:
    told: dict[str, Any] = {"missing": missing} if missing else {}
    if case.calculation and case.state in ("effective", "paid"):
        told["lines"] = case.calculation["lines"]
    if case.outcome:
        told["outcome"] = case.outcome
    return _json(told) if told else None


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
