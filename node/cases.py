# SPDX-License-Identifier: Apache-2.0
"""The verbs of a case at the station: keep a draft, submit, correct, withdraw, hear from the hub.

Each verb is one write transaction: number, row, signed fact and registry cells stand together or not at all. A case's
id is made when the form is opened, so that a form sent twice is one case with one receipt.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from node import came_back, case_state, contacts, receipts, scans
from schema import checks, database, effects, events, findings
from schema import subject as subjects
from schema.checks import Examined
from schema.clock import Clock, stamp
from schema.database import Store
from schema.errors import NotAllowed, UnknownSubject, WrongState
from schema.events import Fact
from schema.findings import Finding
from schema.parameter import Parameters
from schema.readable import readable
from schema.rulebook import RuleBook
from schema.service_parts import Service
from schema.subject import Subject
from schema.toml_reader import Text
from schema.view import PersonView
from schema.web.door import Officer

REASON_MAX_CHARS = 200

# What the hub's word on a case makes of it here. The state shown is `case_state`'s; this is what we do next with it.
_HEARD = {
    "case_accepted": "accepted",
    "case_forwarded": "forwarded",
    "case_answered": "answered",
    "case_calculated": "calculated",
    "case_reviewed": "reviewed",
    "case_approved": "approved",
    "case_returned": "returned",
    "case_rejected": "rejected",
}


@dataclass(frozen=True)
class Given:
    """What stands in the form: raw answers by field name, ids of the materials at hand."""

    answers: dict[str, str]
    materials: list[str]


@dataclass(frozen=True)
class Submitted:
    """Outcome of submitting: the receipt number, or the findings that stand in the way."""

    case_id: bytes
    receipt_no: str | None = None
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True)
class Desk:
    """What a verb needs: where, when, which rules."""

    store: Store
    station: str
    township: str
    clock: Clock
    services: dict[str, Service]
    parameters: Parameters
    pack: str
    rules: RuleBook

    def item_of(self, db: Any, row: Any) -> Service:
        """The item as a case has it: a draft as it is today, a submitted one as in the pack it was taken under."""
        older = self.rules.of(row["pack"]) if case_state.shown(db, row) != "draft" else None
        return (older and older.services.get(row["service"])) or self.service(row["service"])

    def service(self, name: str) -> Service:
        """Raises UnknownSubject for an item that is not in the rule pack."""
        try:
            return self.services[name]
        except KeyError:
            raise UnknownSubject(f"没有「{name}」这个事项", f"there is no service item {name!r}") from None


def file(db: Any, case_id: bytes) -> Any:
    """The row of a case taken here. Raises UnknownSubject."""
    row = db.execute("SELECT * FROM case_file WHERE id = ?", (case_id,)).fetchone()
    if row is None:
        raise UnknownSubject("本站没有这一件", "this station has no such case")
    return row


def may_edit(db: Any, case_id: bytes, officer: Officer) -> Any:
    """The row of a draft or returned case that this officer may change; None when it is submitted.

    Raises UnknownSubject, and NotAllowed for another officer's draft.
    """
    row = file(db, case_id)
    state = case_state.shown(db, row)
    if state == "draft":
        _check_owner(row, officer)
    return row if state in ("draft", "returned") else None


def given(row: Any) -> Given:
    """Answers and materials as stored."""
    return Given(json.loads(row["answers"]), json.loads(row["materials"]))


def trim(item: Service, raw: dict[str, str], materials: list[str]) -> Given:
    """Only what the item asks for. Text far beyond a field's limit is cut; enough stays for the finding to say so."""
    answers = {f.name: readable(raw.get(f.name, ""))[: 2 * f.limit] for f in item.fields if not f.derived}
    return Given({k: v for k, v in answers.items() if v}, [m.id for m in item.materials if m.id in materials])


def asked(item: Service, row: Any) -> Given:
    """What is stored of what the item asks for; a draft may hold more, from the rules it was begun under."""
    stored = given(row)
    return trim(item, stored.answers, stored.materials)


def left_over(desk: Desk, item: Service, row: Any) -> list[tuple[Text, str]]:
    """What a draft holds that the rules of today do not ask for any more, with the label it had: kept and shown."""
    older = desk.rules.of(row["pack"])
    begun = older.services.get(row["service"]) if older else None
    fields = {f.name: f.label for f in begun.fields} if begun else {}
    extra = _extra(item, row)
    return [(fields.get(name, {"zh": name, "en": name}), value) for name, value in extra.items()]


def _extra(item: Service, row: Any) -> dict[str, str]:
    known = {f.name for f in item.fields}
    return {name: value for name, value in given(row).answers.items() if name not in known}


def save(
    desk: Desk, case_id: bytes, item: Service, what: Given, officer: Officer, about: Subject | bytes | None
) -> None:
    """Keep a draft, or the corrections of a returned case. `about`: its subject, or just a person's id.

    Raises NotAllowed, WrongState, UnknownSubject.
    """
    about = about if isinstance(about, Subject) else Subject(person_id=about)
    with desk.store.write() as db:
        row = db.execute("SELECT * FROM case_file WHERE id = ?", (case_id,)).fetchone()
        seen = subjects.view_for(db, item, about, {}, desk.clock.today())
        lost = about.given and not subjects.of(item, seen).given
        kept = {
            "answers": _json(what.answers),
            "materials": _json(what.materials),
            "person_name": subjects.name_of(item, seen, what.answers),
        }
        if row:
            if lost:  # moved away meanwhile: the clerk must still see whose case it was
                kept["person_name"] = row["person_name"]
            _check_open(db, row, officer, item)
            kept["answers"] = _json(what.answers | _extra(item, row))
            database.update(db, "case_file", {"id": case_id}, kept)
            return
        if lost:
            raise UnknownSubject("名册里没有这个申请人", "the applicant is not in the register")
        new = {
            "id": case_id,
            "service": item.id,
            "service_version": item.version,
            "pack": desk.pack,
            **about.row,
            "state": "draft",
            "legal": item.legal_for(what.answers),
            "operator_no": officer.operator_no,
            "created_at": stamp(desk.clock.now()),
            "findings": "[]",
        }
        database.insert(db, "case_file", {**new, **kept})


def submit(desk: Desk, case_id: bytes, officer: Officer, key: Ed25519PrivateKey) -> Submitted:
    """Submit a saved draft or correction; again, it answers with the receipt it already has.

    Raises OutOfNumbers, NotAllowed, WrongState, UnknownSubject. Findings that block leave everything as it was.
    """
    with desk.store.write() as db:
        row = file(db, case_id)
        state = case_state.shown(db, row)
        if row["receipt_no"] and state != "returned":
            return Submitted(case_id, row["receipt_no"])
        item = desk.item_of(db, row)
        _check_open(db, row, officer, item)
        what = asked(item, row)
        person = subject(db, desk, item, subjects.of_row(row), what.answers, case_id)
        examined = checks.examine(item, what.answers, what.materials, person, desk.clock.today(), desk.parameters)
        found = examined.findings
        if checks.has_block(found):
            return Submitted(case_id, None, found)
        if state == "returned":
            stated = [json.loads(findings.to_json([f]))[0] for f in found]
            _write_cells(db, desk, item, case_id, person, _corrected(db, row, what, examined.values, person), officer)
            _state_correction(db, desk, row, what, stated, officer, key)
            return Submitted(case_id, row["receipt_no"], found)
        changes = state_new(db, desk, item, case_id, what, person, examined, officer, key)
        database.update(db, "case_file", {"id": case_id}, changes)
        return Submitted(case_id, changes["receipt_no"], found)


def state_new(
    db: Any, desk: Desk, item: Service, case_id: bytes, what: Given, person: PersonView, examined: Examined,
    officer: Officer, key: Ed25519PrivateKey,
) -> dict[str, Any]:  # fmt: skip
    """Number, signed fact and registry cells of a case that was examined without a blocking finding, in the caller's
    transaction; what its row in `case_file` then says. Raises OutOfNumbers."""
    number = receipts.take(db, desk.station, desk.clock.today().year)
    stated = [json.loads(findings.to_json([f]))[0] for f in examined.findings]
    shared = {
        "service_version": item.version,
        "pack": desk.pack,
        "legal": item.legal_for(examined.values),
        **subjects.of(item, person).row,
        "person_name": subjects.name_of(item, person, what.answers),
        "receipt_no": number,
    }
    body = shared | {
        "case_id": case_id,
        "service": item.id,
        "mode": item.mode_for(examined.values),
        "township": desk.township,
        "answers": what.answers,
        "materials": what.materials,
        "scans": scans.hashes(db, case_id),
        "findings": stated,
        "new_person": None if subjects.known(item, person) else what.answers,
    }
    _write_cells(db, desk, item, case_id, person, examined.values, officer)
    fact = events.state(db, "case_submitted", case_id, body, officer=officer.operator_no, key=key, clock=desk.clock)
    said = {"state": "submitted", "findings": _json(stated), "submitted_at": fact.stated_at, "fact_id": fact.id}
    return shared | said


def is_submitted_so(desk: Desk, case_id: bytes, what: Given, officer: Officer) -> bool:
    """Whether this officer has submitted the case exactly like this: then the same form came twice."""
    with desk.store.read() as db:
        row = db.execute("SELECT * FROM case_file WHERE id = ?", (case_id,)).fetchone()
        if row is None or not row["receipt_no"] or row["operator_no"] != officer.operator_no:
            return False
        return asked(desk.item_of(db, row), row) == what


def is_submitted_by(desk: Desk, case_id: bytes, officer: Officer) -> bool:
    """Whether this officer has submitted the case, however it was filled."""
    with desk.store.read() as db:
        row = db.execute("SELECT receipt_no, operator_no FROM case_file WHERE id = ?", (case_id,)).fetchone()
    return bool(row and row["receipt_no"]) and bool(row["operator_no"] == officer.operator_no)


def withdraw(desk: Desk, case_id: bytes, reason: str, officer: Officer, key: Ed25519PrivateKey) -> None:
    """The applicant takes the case back, while the hub has not decided. Raises WrongState."""
    with desk.store.write() as db:
        row = file(db, case_id)
        state = case_state.shown(db, row)
        if state == "withdrawn":
            return
        if state not in case_state.UNDECIDED or row["legal"] == "final":
            raise WrongState("已经作出决定的件不能撤回", "a case that was decided cannot be withdrawn")
        body = {"case_id": case_id, "reason": readable(reason).strip()[:REASON_MAX_CHARS]}
        fact = events.state(db, "case_withdrawn", case_id, body, officer=officer.operator_no, key=key, clock=desk.clock)
        database.update(db, "case_file", {"id": case_id}, {"state": "withdrawn", "fact_id": fact.id})


def discard(desk: Desk, case_id: bytes, officer: Officer) -> None:
    """Throw away a draft that was never submitted. Raises NotAllowed, WrongState."""
    with desk.store.write() as db:
        row = file(db, case_id)
        _check_owner(row, officer)
        if row["state"] != "draft":
            raise WrongState("提交过的件不能放弃，可以撤回", "a submitted case is not discarded but withdrawn")
        scans.discard(db, case_id)
        db.execute("DELETE FROM case_file WHERE id = ?", (case_id,))


def is_urgent(desk: Desk, fact: Fact) -> bool:
    """Whether a case just submitted must reach the hub before everything else that waits: its item says so."""
    item = desk.services.get(fact.body.get("service", ""))
    return item is not None and item.urgent


def receive(db: Any, fact: Fact) -> None:
    """A fact of the hub about a case of ours, or one of our own that comes back, in the transaction that brought it.

    Others are of no concern here.
    """
    if came_back.is_own(db, fact):
        came_back.take(db, fact)
        return
    state = _HEARD.get(fact.kind)
    if state:
        database.update(db, "case_file", {"id": fact.subject}, {"state": state})


def subject(
    db: Any, desk: Desk, item: Service, about: Subject, answers: dict[str, str], except_case: bytes | None = None
) -> PersonView:
    """Whom the case is about: the one named, else the person with the ID number given, else somebody new or nobody."""
    return subjects.view_for(db, item, about, answers, desk.clock.today(), except_case=except_case)


def _state_correction(
    db: Any, desk: Desk, row: Any, what: Given, stated: list[Any], officer: Officer, key: Ed25519PrivateKey
) -> None:
    case_id = bytes(row["id"])
    body = {
        "case_id": case_id, "answers": what.answers, "materials": what.materials, "findings": stated,
        "scans": scans.hashes(db, case_id),
    }  # fmt: skip
    fact = events.state(db, "case_resubmitted", case_id, body, officer=officer.operator_no, key=key, clock=desk.clock)
    changes = {"state": "submitted", "findings": _json(stated), "fact_id": fact.id}
    database.update(db, "case_file", {"id": case_id}, changes)


def _corrected(db: Any, row: Any, what: Given, values: dict[str, Any], person: PersonView) -> dict[str, Any]:
    """The values, with contact cells only where this correction changes the answer.

    The phone on a form of last week must not undo the one that somebody wrote since.
    """
    before = next(f for f in reversed(events.of_subject(db, bytes(row["id"]))) if "answers" in f.body).body["answers"]
    same = [n for n in effects.CONTACT_FIELDS if n in values and what.answers.get(n, "") == before.get(n, "")]
    return values | {name: person.contact.get(name) for name in same}


def _write_cells(
    db: Any, desk: Desk, item: Service, case_id: bytes, person: PersonView, values: dict[str, Any], officer: Officer
) -> None:
    """Registry cells as the clerk changed them on the form: ours to write at once; contact cells in any mode."""
    case = effects.CaseInput(case_id, person.person_id, values, desk.station, desk.township)
    for change in effects.at_counter(item, case, person, desk.clock.today(), desk.parameters):
        cells = {column: value for column, value in change.row.items() if column != "id"}
        contacts.change(db, bytes(change.row["id"]), cells, officer.operator_no, desk.clock, change.table)


def _check_open(db: Any, row: Any, officer: Officer, item: Service) -> None:
    """A draft belongs to whoever began it; a returned case may be corrected by any clerk of the station."""
    if row["service"] != item.id:
        raise WrongState("这份草稿是另一个事项的", "this draft is of another service item")
    if may_edit(db, bytes(row["id"]), officer) is None:
        raise WrongState("这一件已经提交，不能再改", "this case was submitted and can no longer be changed")


def _check_owner(row: Any, officer: Officer) -> None:
    if row["operator_no"] != officer.operator_no:
        raise NotAllowed("这份草稿是另一位经办人的", "this draft is another officer's")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
