# SPDX-License-Identifier: Apache-2.0
"""What a decided case does to the register, written so that every station of the slice hears of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Any

from hub import cases, pack
from hub.cases import HubCase
from schema import effects, effects_work, ids, tables
from schema.checks import has_block
from schema.effects import Change
from schema.errors import WrongState
from sync.hub.publish import Publication


def apply(pub: Publication, changes: Iterable[Change]) -> None:
    """Write changes of the register: reference rows, and registry tables cell by cell. A new person enters a slice."""
    for change in changes:
        row = dict(change.row)
        if tables.TABLES[change.table].kind == "registry":
            pub.cells(change.table, row.pop("id"), row)
        else:
            pub.put(change.table, row)


def place_rows(pub: Publication, case: HubCase) -> None:
    """A vacancy that this case brings is placed in its township before its cells arrive: unplaced, they are refused."""
    if effects_work.OFFERS & set(case.item.effects):
        pub.place(effects_work.vacancy_id(case.id), [case.township], "vacancy")


def changes_of(db: Any, case: HubCase, on: date) -> list[Change]:
    """What the hub changes for this case, computed as of that day. Raises WrongState when its answers cannot be used.

    Nothing for a case decided on the spot: its station wrote the cells, and they travel by themselves.
    """
    examined = cases.examine(db, case)
    if has_block(examined.findings):
        raise WrongState(
            "还有必须改正的问题，不能同意。请退回补正",
            "There are findings that must be mended first: return the case",
            code="findings",
        )
    asked = cases.case_input(case, examined.values)
    changes = effects.changes(case.item, asked, cases.view_of(db, case), on, pack.parameters())
    _require_places(db, changes)
    return changes


def _require_places(db: Any, changes: Iterable[Change]) -> None:
    """Nobody moves to a village that no station would show."""
    for village in {c.row["village"] for c in changes if "village" in c.row}:
        if db.execute("SELECT 1 FROM division WHERE code = ? AND valid_to IS NULL", (village,)).fetchone() is None:
            raise WrongState(
                f"没有代码为 {village} 的村、社区。请退回补正",
                f"There is no village or community with code {village}: return the case",
                code="village",
            )


def put_into_effect(pub: Publication, case: HubCase, changes: Iterable[Change], *, at: str) -> None:
    """Apply the case's changes and close it as effective."""
    apply(pub, changes)
    about = replace(case.about, person_id=cases.person_of(pub.db, case))
    cases.save(pub, replace(case, about=about, state="effective", step=None, closed_at=at))


def plain(changes: Iterable[Change]) -> list[list[Any]]:
    """Changes in the form that facts and calculations keep: `[table, row]`, ids as hex."""
    return [
        [c.table, {k: ids.to_text(v) if isinstance(v, bytes) else v for k, v in sorted(c.row.items())}] for c in changes
    ]
