# SPDX-License-Identifier: Apache-2.0
"""Where a form's first values come from, so that it opens filled with what the register knows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from schema import field_types, ids, period
from schema.parameter import Parameters
from schema.rules import pension
from schema.service_parts import Service
from schema.tables import TABLES
from schema.view import PersonView

Source = Callable[[PersonView, date, Parameters], Any]


def _from_row(table: str, column: str) -> Source:
    return lambda view, today, parameters: getattr(view, table).get(column)


def _of_unit(column: str) -> Source:
    return lambda view, today, parameters: view.unit.unit.get(column) if view.unit else None


def _of_household(column: str) -> Source:
    return lambda view, today, parameters: view.household.household.get(column) if view.household else None


def _this_year(view: PersonView, today: date, parameters: Parameters) -> str:
    return f"{today.year}"


def _next_year(view: PersonView, today: date, parameters: Parameters) -> str:
    return f"{today.year + 1}"


def _today(view: PersonView, today: date, parameters: Parameters) -> str:
    return today.isoformat()


def _employer(view: PersonView, today: date, parameters: Parameters) -> str | None:
    """The unit where the person works by the register; of several the newest."""
    working = [job for job in view.employments if not job["ended_month"]]
    return ids.to_text(working[-1]["unit_id"]) if working else None


def _this_month(view: PersonView, today: date, parameters: Parameters) -> str:
    return period.month_of(today)


def _claim_month(view: PersonView, today: date, parameters: Parameters) -> str:
    """The month of reaching the claim age, or this month when that has passed."""
    this = period.month_of(today)
    if view.birth_on is None:
        return this
    return max(this, pension.claim_month(view.birth_on, today, today, parameters))


def _holder(view: PersonView, today: date, parameters: Parameters) -> Any:
    return view.bank_account.get("holder") or view.person.get("name")


def _of_person(table: str, column: str) -> Source:
    """The newest of the person's rows that says something."""

    def look(view: PersonView, today: date, parameters: Parameters) -> Any:
        return next((row[column] for row in reversed(view.rows_of(table)) if row[column]), None)

    return look


_TABLES = ("person", "contact", "bank_account")
_OWN_TABLES = ("job_seeker", "visit_note", "card")
SOURCES: dict[str, Source] = {
    "month.this": _this_month,
    "month.claim": _claim_month,
    "month.next": lambda view, today, parameters: period.add_months(period.month_of(today), 1),
    "year.this": _this_year,
    "year.next": _next_year,
    "today": _today,
    "employer": _employer,
    "holder": _holder,
    **{f"unit.{name}": _of_unit(name) for name in TABLES["unit"].names},
    **{f"household.{name}": _of_household(name) for name in TABLES["household"].names},
    **{f"{table}.{name}": _of_person(table, name) for table in _OWN_TABLES for name in TABLES[table].names},
    **{f"{table}.{name}": _from_row(table, name) for table in _TABLES for name in TABLES[table].names},
}


def answers(service: Service, view: PersonView, today: date, parameters: Parameters) -> dict[str, str]:
    """The raw answers a new form opens with; fields without a source are ''."""
    return {
        f.name: field_types.raw_text(f, SOURCES[f.prefill](view, today, parameters)) if f.prefill else ""
        for f in service.fields
    }


def current(service: Service, view: PersonView, today: date, parameters: Parameters) -> dict[str, Any]:
    """What the register says today for the fields that show it, by field name."""
    sources = {f.name: f.current or f.prefill for f in service.fields}
    return {name: SOURCES[source](view, today, parameters) for name, source in sources.items() if source}
