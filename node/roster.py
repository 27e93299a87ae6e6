# SPDX-License-Identifier: Apache-2.0
"""A unit's roster: read, looked at line by line, then taken as ordinary cases; without pages.

    roster_id = preview(desk, source, new, progress)       # nothing is taken; findings beside each line
    take(desk, roster_id, officer, key, progress)          # each good line a signed case with its own number
    withdraw(desk, roster_id, reason, officer, key)        # all of them, while none has been sent

Each line is examined by the item's own checks, as on the form. A line is known by unit, person, change and month: fed
again it changes nothing. Lines are taken some hundred at a time, so other windows never wait long; what a power cut
interrupts goes on where it stopped.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from node import case_state, cases, forms, receipts, roster_sheet
from node.cases import Desk
from node.roster_sheet import ID_NUMBER, NAME, Column
from schema import checks, database, findings, ids, resident_id, view, view_unit
from schema.checks import Examined
from schema.clock import local, stamp
from schema.errors import OutOfNumbers, Refusal, UnknownSubject, WrongState
from schema.findings import Finding
from schema.service_parts import Choice, Service
from schema.sheets import Line, Source, open_sheet
from schema.view import PersonView
from schema.view_unit import UnitView
from schema.web.door import Officer
from sync.station.hello import NUMBERS_WANTED

CHUNK = 200
NOTHING_TO_DO = "id_former_division"  # on every second line of a roster it would hide what must be done
GOOD, BAD, KNOWN, TAKEN = "good", "bad", "known", "taken"
Progress = Callable[[int, int], None]
_FROM_REGISTER = ("person.", "contact.")


@dataclass(frozen=True)
class NewRoster:
    """What the clerk says of a file: which change, of which unit, which papers were handed in for all of it."""

    service: str
    unit_id: bytes
    materials: list[str]
    file_name: str
    officer: Officer


@dataclass(frozen=True)
class Judged:
    """One line: its answers, whom it is about, and what was found."""

    answers: dict[str, str]
    person: PersonView
    examined: Examined | None
    found: list[Finding]
    identity: bytes | None
    state: str


class Judge:
    """Examines lines of one roster in one open transaction; the unit is looked up once."""

    def __init__(self, db: Any, desk: Desk, item: Service, unit_id: bytes, materials: list[str]) -> None:
        self.db, self.desk, self.item, self.materials = db, desk, item, materials
        unit = view_unit.unit_view(db, unit_id, desk.clock.today())
        if unit is None or unit.unit_id is None:
            raise UnknownSubject("名册里没有这个单位", "the register has no such unit")
        self.unit: UnitView = unit
        self._lines: dict[bytes, int] = {}
        self._strangers = view.strangers_cases(db, desk.clock.today())

    def judge(self, number: int, answers: dict[str, str]) -> Judged:
        """All findings of a line at once."""
        today, item = self.desk.clock.today(), self.item
        read, wrong = resident_id.read(answers.get(ID_NUMBER, ""), today, ID_NUMBER)
        person_id = view.find_by_id_number(self.db, read.number) if read else None
        seen = view.person_view(self.db, person_id, today) if person_id else None
        seen = replace(seen or self._stranger(read.number if read else ""), unit=self.unit)
        full = self._full(seen, answers)
        identity = self._identity(read.number, full) if read else None
        known = self._known(identity) if identity else None
        if known is not None:
            return self._judged_known(known, full, seen, identity)
        examined = checks.examine(item, full, self.materials, seen, today, self.desk.parameters)
        # On this sheet the number is a column even where the item has no such field.
        found = [*(wrong if item.field(ID_NUMBER) is None else ()), *self._about_person(seen, answers)]
        found += [*self._twice(number, identity), *examined.findings]
        found = [f for f in found if f.code != NOTHING_TO_DO]
        return Judged(full, seen, examined, found, identity, BAD if checks.has_block(found) else GOOD)

    def note(self, judged: Judged, case: dict[str, Any]) -> None:
        """A line was taken: lines after it must see its case, whoever it is about."""
        if judged.person.known:
            return
        read, _ = resident_id.read(judged.answers.get(ID_NUMBER, ""), self.desk.clock.today())
        self._strangers.setdefault(read.number if read else "", []).append(case)

    def _stranger(self, number: str) -> PersonView:
        """Somebody not in the register. Their open cases have no index: read once, or 5,000 lines read them 5,000
        times."""
        unknown = view.unknown_person_view(self.db, self.desk.clock.today())
        return replace(unknown, open_cases=self._strangers.get(number, []))

    def _full(self, seen: PersonView, answers: dict[str, str]) -> dict[str, str]:
        """What the register knows of the person fills what the file leaves empty; nothing else is assumed."""
        opening = forms.opening(self.desk, self.item, seen) if seen.known else {}
        known = {f.name for f in self.item.fields if f.prefill.startswith(_FROM_REGISTER)}
        merged = {name: text for name, text in opening.items() if name in known} | answers
        field = roster_sheet.unit_field(self.item)
        assert field is not None and self.unit.unit_id is not None
        asked = cases.trim(self.item, merged | {field.name: ids.to_text(self.unit.unit_id)}, []).answers
        # The number stays with the line where the item has no field for it.
        return {ID_NUMBER: answers.get(ID_NUMBER, "")} | asked

    def _about_person(self, seen: PersonView, answers: dict[str, str]) -> list[Finding]:
        """Who is meant, where the item itself does not ask for number and name."""
        if not seen.known:
            if self.item.new_person or any(use.rule == "in_register" for use in self.item.checks):
                return []
            zh = "本站名册里没有这个身份证号的人"
            return [Finding("unknown_person", "block", ID_NUMBER, zh, "Nobody of this ID number in the register here")]
        typed = answers.get(NAME, "").replace(" ", "")
        if self.item.field(NAME) is None and typed and typed != seen.person["name"]:
            zh, en = "姓名与名册不同，请核对身份证号", "Another name than in the register: check the ID number"
            return [Finding("other_name", "block", NAME, zh, en)]
        return []

    def _identity(self, number: str, answers: dict[str, str]) -> bytes:
        field = roster_sheet.month_field(self.item)
        month = answers.get(field.name, "") if field else ""
        return sha256("|".join((self.item.id, str(self.unit.unit_id), number, month)).encode()).digest()

    def _known(self, identity: bytes) -> Any:
        sql = (
            "SELECT r.answers, c.submitted_at, c.receipt_no FROM roster_row r JOIN case_file c ON c.id = r.case_id "
            "WHERE r.identity = ? AND c.state NOT IN ('withdrawn', 'rejected') LIMIT 1"
        )
        return self.db.execute(sql, (identity,)).fetchone()

    def _judged_known(self, known: Any, full: dict[str, str], seen: PersonView, identity: bytes | None) -> Judged:
        day, number = local(known["submitted_at"]).date(), known["receipt_no"]
        if json.loads(known["answers"]) == full:
            zh, en = f"{day} 已经办过，回执号 {number}", f"Already taken in on {day}, slip {number}"
            return Judged(full, seen, None, [Finding("known", "hint", "", zh, en)], identity, KNOWN)
        zh = f"{day} 已按别的内容办过，回执号 {number}。要改请先撤回那一件"
        en = f"Taken in on {day} with other values, slip {number}: withdraw that case first"
        return Judged(full, seen, None, [Finding("known_other", "block", "", zh, en)], identity, BAD)

    def _twice(self, number: int, identity: bytes | None) -> list[Finding]:
        first = self._lines.setdefault(identity, number) if identity else number
        if first == number:
            return []
        zh, en = f"第 {first} 行已有同一人同一个月", f"Line {first} has the same person and month"
        return [Finding("twice", "block", ID_NUMBER, zh, en)]


def villages(db: Any, township: str) -> tuple[Choice, ...]:
    """The villages and communities that a roster may name by their words."""
    sql = "SELECT code, name, coalesce(name_en, name) AS name_en FROM division WHERE parent = ? ORDER BY code"
    return tuple(Choice(r["code"], {"zh": r["name"], "en": r["name_en"]}) for r in db.execute(sql, (township,)))


def columns(db: Any, desk: Desk, item: Service) -> list[Column]:
    """The columns of an item's roster at this station."""
    return roster_sheet.columns(item, villages(db, desk.township))


def preview(desk: Desk, source: Source, new: NewRoster, progress: Progress = lambda done, total: None) -> bytes:
    """Read the file and keep its lines with what was found; the roster's id. Raises Refusal, UnknownSubject."""
    item = desk.service(new.service)
    if not roster_sheet.is_roster_item(item):
        raise Refusal("这个事项不能用名册办", "this item is not taken by roster", code="item")
    desk.store.widen()
    with desk.store.read() as db:
        wanted = columns(db, desk, item)
    with open_sheet(source, roster_sheet.LIMITS, lambda cells: roster_sheet.is_header(cells, wanted)) as sheet:
        header, lines = sheet.header, list(sheet.lines)
    roster_id = ids.new_id()
    with desk.store.read() as db:
        judge = Judge(db, desk, item, new.unit_id, new.materials)
        rows = []
        places = roster_sheet.mapping(header, wanted)
        for done, line in enumerate(lines, 1):
            rows.append(_row(roster_id, line, judge.judge(line.number, _answers(wanted, places.cells(line)))))
            if done % CHUNK == 0:
                progress(done, len(lines))
        name = str(judge.unit.unit["name"])
    with desk.store.write() as db:
        head = {
            "id": roster_id, "service": item.id, "unit_id": new.unit_id, "unit_name": name,
            "file_name": new.file_name[:200], "header": _json(header), "materials": _json(new.materials),
            "operator_no": new.officer.operator_no, "at": stamp(desk.clock.now()), "state": "preview",
        }  # fmt: skip
        database.insert(db, "roster", head)
        for row in rows:
            database.insert(db, "roster_row", row)
        _want_numbers(db, desk, roster_id)
    progress(len(lines), len(lines))
    return roster_id


def _answers(wanted: list[Column], cells: dict[str, str]) -> dict[str, str]:
    return {c.name: c.answer(cells[c.name]) for c in wanted if c.name in cells}


def _row(roster_id: bytes, line: Line, judged: Judged) -> dict[str, Any]:
    return {
        "roster_id": roster_id, "line": line.number, "cells": _json(line.cells), "answers": _json(judged.answers),
        "person_id": judged.person.person_id, "person_name": _name(judged, line), "identity": judged.identity,
        "state": judged.state, "findings": findings.to_json(judged.found), "case_id": None,
    }  # fmt: skip


def _name(judged: Judged, line: Line) -> str:
    return str(judged.person.person.get("name") or judged.answers.get(NAME, ""))[:120]


def take(
    desk: Desk, roster_id: bytes, officer: Officer, key: Ed25519PrivateKey,
    progress: Progress = lambda done, total: None,
) -> int:  # fmt: skip
    """Take every good line as a case; how many. Called again after an interruption it takes the rest.

    Each line is examined once more: what changed since the preview makes it a bad one. Raises OutOfNumbers before the
    first line when the numbers do not suffice, WrongState for a roster that was withdrawn.
    """
    desk.store.widen()
    with desk.store.read() as db:
        head = find(db, roster_id)
        if head["state"] == "withdrawn":
            raise WrongState("这份名册已撤回", "this roster was withdrawn")
        waiting = [r[0] for r in db.execute(
            "SELECT line FROM roster_row WHERE roster_id = ? AND state = ? ORDER BY line", (roster_id, GOOD)
        )]  # fmt: skip
        _require_numbers(db, desk, len(waiting))
    taken = 0
    for first in range(0, len(waiting), CHUNK):
        part = waiting[first : first + CHUNK]
        with desk.store.write() as db:
            taken += _take_lines(db, desk, head, part, officer, key)
        progress(min(first + CHUNK, len(waiting)), len(waiting))
    with desk.store.write() as db:
        database.update(db, "roster", {"id": roster_id}, {"state": TAKEN})
        _want_numbers(db, desk, roster_id)
    return taken


def _take_lines(
    db: Any, desk: Desk, head: Any, lines: list[int], officer: Officer, key: Ed25519PrivateKey
) -> int:  # fmt: skip
    database.update(db, "roster", {"id": head["id"]}, {"state": "taking"})
    item, materials = desk.service(head["service"]), json.loads(head["materials"])
    judge, taken = Judge(db, desk, item, bytes(head["unit_id"]), materials), 0
    marks = ", ".join("?" * len(lines))
    sql = f"SELECT line, answers FROM roster_row WHERE roster_id = ? AND state = ? AND line IN ({marks}) ORDER BY line"
    for row in db.execute(sql, (head["id"], GOOD, *lines)).fetchall():
        changes = _take_line(judge, row, officer, key)
        database.update(db, "roster_row", {"roster_id": head["id"], "line": row["line"]}, changes)
        taken += changes["state"] == TAKEN
    return taken


def _take_line(judge: Judge, row: Any, officer: Officer, key: Ed25519PrivateKey) -> dict[str, Any]:
    judged, desk, item = judge.judge(row["line"], json.loads(row["answers"])), judge.desk, judge.item
    if judged.state != GOOD or judged.examined is None:
        return {"state": judged.state, "findings": findings.to_json(judged.found)}
    case_id, what = ids.new_id(), cases.trim(item, judged.answers, judge.materials)
    said = cases.state_new(judge.db, desk, item, case_id, what, judged.person, judged.examined, officer, key)
    given = {"answers": _json(what.answers), "materials": _json(what.materials)}
    who = {"operator_no": officer.operator_no, "created_at": said["submitted_at"]}
    database.insert(judge.db, "case_file", {"id": case_id, "service": item.id, **said, **given, **who})
    judge.note(judged, {"id": case_id, "service": item.id, "officer": officer.name, **said})
    return {"state": TAKEN, "case_id": case_id, "findings": findings.to_json(judged.found)}


def find(db: Any, roster_id: bytes) -> Any:
    """The roster. Raises UnknownSubject."""
    row = db.execute("SELECT * FROM roster WHERE id = ?", (roster_id,)).fetchone()
    if row is None:
        raise UnknownSubject("本站没有这份名册", "this station has no such roster")
    return row


def counts(db: Any, roster_id: bytes) -> dict[str, int]:
    """How many lines stand in each state."""
    sql = "SELECT state, count(*) FROM roster_row WHERE roster_id = ? GROUP BY state"
    return dict.fromkeys((GOOD, BAD, KNOWN, TAKEN), 0) | {r[0]: r[1] for r in db.execute(sql, (roster_id,))}


def bad_rows(db: Any, roster_id: bytes, lang: str = "zh") -> bytes:
    """The bad lines as a file, to be mended and fed again."""
    head = find(db, roster_id)
    sql = "SELECT cells, findings FROM roster_row WHERE roster_id = ? AND state = ? ORDER BY line"
    rows = [(json.loads(r["cells"]), _reasons(r["findings"], lang)) for r in db.execute(sql, (roster_id, BAD))]
    return roster_sheet.bad_rows(json.loads(head["header"]), rows)


def _reasons(text: str, lang: str) -> str:
    return "；".join(f.text(lang) for f in findings.from_json(text) if f.severity == "block")


def discard(desk: Desk, roster_id: bytes) -> None:
    """Throw a preview away. Raises WrongState once cases were made of it."""
    with desk.store.write() as db:
        if find(db, roster_id)["state"] != "preview":
            raise WrongState("已经办了件，不能放弃，可以撤回", "cases were made of it: withdraw instead")
        db.execute("DELETE FROM roster_row WHERE roster_id = ?", (roster_id,))
        db.execute("DELETE FROM roster WHERE id = ?", (roster_id,))
        database.set_setting(db, NUMBERS_WANTED, b"0")


def withdraw(desk: Desk, roster_id: bytes, reason: str, officer: Officer, key: Ed25519PrivateKey) -> int:
    """Take all cases of a roster back, while none of them has been sent; how many. Raises WrongState."""
    with desk.store.write() as db:
        find(db, roster_id)
        made = [bytes(r[0]) for r in db.execute(
            "SELECT case_id FROM roster_row WHERE roster_id = ? AND case_id IS NOT NULL ORDER BY line", (roster_id,)
        )]  # fmt: skip
        rows = [case_state.one(db, case_id) for case_id in made]
        if any(row["sent"] != "unsent" for row in rows if row["state"] == "submitted"):
            raise WrongState(
                "名册已经上报，不能整份撤回。请在「经办」里逐件撤回",
                "the roster was sent already: withdraw its cases one by one",
            )
        for case_id in made:
            cases.withdraw(desk, case_id, reason, officer, key)
        database.update(db, "roster", {"id": roster_id}, {"state": "withdrawn"})
        return len(made)


def _require_numbers(db: Any, desk: Desk, needed: int) -> None:
    left = receipts.left(db, desk.station)
    if left < needed:
        raise OutOfNumbers(
            f"需要 {needed} 个回执号，还有 {left} 个。已向中心申请；请连一次线路再办，名册留着",
            f"{needed} receipt numbers are needed, {left} are left. The hub is asked for more: connect once, then take "
            "the roster; it is kept",
        )


def numbers_short(db: Any, desk: Desk, roster_id: bytes) -> int:
    """How many receipt numbers its good lines need beyond those that are left here; 0 when there are enough."""
    return max(0, counts(db, roster_id)[GOOD] - receipts.left(db, desk.station))


def _want_numbers(db: Any, desk: Desk, roster_id: bytes) -> None:
    """What the next greeting asks the hub for: enough free numbers for what waits in previews."""
    needed = counts(db, roster_id)[GOOD] if numbers_short(db, desk, roster_id) else 0
    database.set_setting(db, NUMBERS_WANTED, str(needed).encode())


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
