# SPDX-License-Identifier: Apache-2.0
"""Whom a station's case is about, and whether that station may bring it: persons, units and families of its slice."""

from __future__ import annotations

from typing import Any

from hub import pack
from schema import subject, view
from schema.errors import NotAllowed, UnknownSubject
from schema.findings import Finding
from schema.subject import Subject
from sync import slices
from sync.hub import late
from sync.hub.publish import Publication

EXISTS_ELSEWHERE = "exists_elsewhere"


def taken(pub: Publication, station: str, body: dict[str, Any]) -> tuple[Subject, list[Finding]]:
    """The subject of a case just brought, and what there is to say about it.

    Raises NotAllowed for what is not in the station's slice, UnknownSubject for what the hub does not know.
    """
    item, about = pack.service_named(body["service"]), subject.of_row(body)
    mine = _slices(pub.db, station)
    if body["township"] not in mine:
        raise NotAllowed("这个乡镇不归本站", "the township is not in this station's slice", code="slice")
    named = {name for name, value in about.row.items() if value}
    if named - {f"{item.subject}_id"}:
        raise UnknownSubject("这个事项不是给这样的对象办的", "this service item is not about such a subject")
    if about.person_id:
        _require_person(pub, about.person_id, mine)
    if about.unit_id:
        _require_home(pub.db, "unit", about.unit_id, mine)
    if about.household_id:
        _require_home(pub.db, "household", about.household_id, mine)
    return (about, []) if about.given or item.subject != "person" else _who(pub.db, mine, body)


def require_person(pub: Publication, station: str, person_id: bytes) -> None:
    """Raises NotAllowed for a person outside the station's slice, UnknownSubject for one the hub does not know."""
    _require_person(pub, person_id, _slices(pub.db, station))


def _who(db: Any, mine: list[str], body: dict[str, Any]) -> tuple[Subject, list[Finding]]:
    """Whose case it is. Somebody new at the station may be long known elsewhere: then no second person is made."""
    known = view.find_by_id_number(db, body["answers"].get("id_number", ""))
    if known is None:
        return subject.NOBODY, []
    if _in_slices(db, known, mine):
        return Subject(person_id=known), []
    note = Finding(
        EXISTS_ELSEWHERE,
        "review",
        "id_number",
        "县里别处已有此人。请核对是不是同一人，不会另建一条登记",
        "This person already exists elsewhere in the county. Check identity; no second record is made",
    )
    return Subject(person_id=known), [note]


def _require_person(pub: Publication, person_id: bytes, mine: list[str]) -> None:
    if _in_slices(pub.db, person_id, mine):
        return
    if late.was_member(pub.db, person_id, tuple(mine), pub.clock.now()):
        return  # taken at the counter before the station could know of the move
    if pub.db.execute("SELECT 1 FROM person WHERE id = ?", (person_id,)).fetchone() is None:
        raise UnknownSubject("中心没有这个人", "the hub does not know this person")
    raise NotAllowed("此人不在本站名册里", "the person is not in this station's slice", code="slice")


def _require_home(db: Any, table: str, row_id: bytes, mine: list[str]) -> None:
    """A unit or a household lies in the slice of its township."""
    row = db.execute(f"SELECT * FROM {table} WHERE id = ?", (row_id,)).fetchone()
    if row is None:
        raise UnknownSubject("中心没有这个单位或家庭", "the hub does not know this unit or household")
    if not set(slices.slices_of(db, table, dict(row))) & set(mine):
        raise NotAllowed("不在本站名册里", "not in this station's slice", code="slice")


def _slices(db: Any, station: str) -> list[str]:
    row = db.execute("SELECT slices FROM node_record WHERE id = ?", (station,)).fetchone()
    if row is None:
        raise UnknownSubject(f"中心没有站点 {station}", f"the hub knows no station {station}")
    return str(row["slices"]).split()


def _in_slices(db: Any, person_id: bytes, slices: list[str]) -> bool:
    marks = ", ".join("?" * len(slices))
    sql = f"SELECT 1 FROM slice_member WHERE person_id = ? AND slice IN ({marks})"
    return db.execute(sql, (person_id, *slices)).fetchone() is not None
