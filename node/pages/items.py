# SPDX-License-Identifier: Apache-2.0
"""Taking an item: choose it and the person, fill the form with everything beside it, submit, or print what misses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, abort, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from node import alike, beforehand, case_state, cases, forms, menu, scans, slips, status
from node.cases import Given
from node.pages import common, prints
from node.station import current
from schema import checks, estimate, field_types, ids, subject
from schema.case import LEGAL_OF_MODE
from schema.errors import OutOfNumbers, WrongState
from schema.findings import Finding
from schema.service_parts import Service
from schema.subject import NOBODY, Subject
from schema.toml_reader import Text
from schema.view import PersonView
from schema.web.auth import current_key, current_officer
from schema.web.frame import t

page = Blueprint("items", __name__)


@dataclass(frozen=True)
class Filled:
    """A form as far as it is filled: what the page and its side panels are made of."""

    case_id: bytes
    item: Service
    given: Given
    person: PersonView
    about: Subject
    values: dict[str, Any]
    case: Any = None

    @property
    def known(self) -> bool:
        """Whether the register here has whom it is about; nobody is always known."""
        return subject.known(self.item, self.person)

    @property
    def kept(self) -> bool:
        """Whether it is stored yet."""
        return self.case is not None

    @property
    def returned(self) -> bool:
        """Whether it is the correction of a returned case, and not a draft."""
        return self.kept and self.case["state"] == "returned"

    @property
    def left_over(self) -> list[tuple[Text, str]]:
        """What the draft holds that today's rules do not ask for."""
        if not self.kept or self.returned:
            return []
        with current().store.read() as db:
            return cases.left_over(current().desk, self.item, cases.file(db, self.case_id))

    @property
    def missing(self) -> list[Text]:
        """The papers that the hub asked for when it returned the case."""
        asked = json.loads(self.case["result"] or "{}").get("missing", []) if self.returned else []
        return [m.label for m in self.item.materials if m.id in asked]


@page.get("/items")
def index() -> str:
    """All items by group. The page itself narrows them while the clerk types."""
    return _menu("")


@page.post("/items")
def narrowed() -> str:
    """The items that fit what was typed, for a browser without script. Not in the address: it may be an ID number."""
    return _menu(request.form.get("q", ""))


def _menu(typed: str) -> str:
    services = current().desk.services
    groups = menu.grouped(services.values(), typed)
    return render_template(
        "items/index.html", groups=groups, count=len(services), typed=typed, legal_of_mode=LEGAL_OF_MODE
    )


@page.get("/items/<service>")
def new(service: str) -> str:
    """An empty form for the one named; without one, the question for whom. An item about nobody asks no one."""
    desk = current().desk
    item = desk.service(service)
    about = _about(item, request.args)
    may_be_new = item.new_person or item.new_unit
    if item.subject != "nobody" and not about.given and not (may_be_new and request.args.get("new") == "1"):
        search_url = url_for("unit_search.search" if item.subject == "unit" else "counter.search", item=item.id)
        return render_template("items/whom.html", item=item, search_url=search_url, may_be_new=may_be_new)
    with desk.store.read() as db:
        seen = cases.subject(db, desk, item, about, {})
        if about.given and not subject.known(item, seen):
            abort(404)
        given = Given(forms.opening(desk, item, seen), [])
        return _form(db, _filled(db, ids.new_id(), item, given, about))


@page.get("/drafts/<id:case_id>")
def edit(case_id: bytes) -> str | Response:
    """A draft, or a returned case to correct, as it was left."""
    desk = current().desk
    with desk.store.read() as db:
        row = cases.may_edit(db, case_id, current_officer())
        if row is None:
            return redirect(url_for("cases.show", case_id=case_id))
        item = desk.item_of(db, row)
        return _form(db, _filled(db, case_id, item, cases.asked(item, row), subject.of_row(row)))


@page.post("/drafts/<id:case_id>")
def send(case_id: bytes) -> Response:
    """The form came: keep it, then submit it, print what is missing, or stay."""
    desk, officer = current().desk, current_officer()
    wish = request.form.get("do", "submit")
    try:
        item, given, about = keep(case_id)
    except WrongState:
        # The key was pressed twice: the second form finds the first one submitted, and gets the same receipt. A form
        # that says something else would be lost without a word that way.
        if wish == "submit" and cases.is_submitted_so(desk, case_id, _sent(_item(case_id)), officer):
            return _to_slip(case_id)
        raise
    if wish == "notice":
        return redirect(url_for("prints.show", print_id=prints.issue("missing", case_id)))
    if wish == "keep":
        flash(t("draft.kept"), "done")
        return redirect(url_for(".edit", case_id=case_id))
    try:
        done = cases.submit(desk, case_id, officer, current_key())
    except OutOfNumbers as error:
        return _again(case_id, item, given, about, [Finding(error.code, "block", "", error.zh, error.en)], 409)
    if not done.receipt_no or checks.has_block(done.findings):
        return _again(case_id, item, given, about, done.findings, 422)
    return _to_slip(case_id)


@page.post("/drafts/<id:case_id>/auto")
def auto(case_id: bytes) -> str | tuple[str, int]:
    """Called by the form while it is filled: keeps it and answers with the parts beside it.

    One that was under way when its officer submitted the form keeps nothing and says nothing: the clerk did no wrong.
    """
    try:
        item, given, about = keep(case_id)
    except WrongState:
        if cases.is_submitted_by(current().desk, case_id, current_officer()):
            return "", 204
        raise
    with current().store.read() as db:
        side = _side(db, _filled(db, case_id, item, given, about))
        return render_template("items/beside.html", **side | {"alone": True, "saved_at": common.now_stamp()})


@page.post("/drafts/<id:case_id>/discard")
def discard(case_id: bytes) -> Response:
    """Throw a draft away."""
    with current().store.read() as db:
        kept = db.execute("SELECT 1 FROM case_file WHERE id = ?", (case_id,)).fetchone()
    if kept:
        cases.discard(current().desk, case_id, current_officer())
        flash(t("draft.discarded"), "done")
    return redirect(url_for("counter.home"))


def _to_slip(case_id: bytes) -> Response:
    """The first copy of the slip, logged when it is first asked for."""
    desk = current().desk
    with desk.store.write() as db:
        if not slips.issued(db, case_id):
            slips.issue(db, desk, case_id, current_officer(), current_key())
    return redirect(url_for("slips.show", case_id=case_id, copy=1))


def keep(case_id: bytes) -> tuple[Service, Given, Subject]:
    """What the form holds, kept as a draft."""
    item = _item(case_id)
    given = _sent(item)
    about = _about(item, request.form)
    cases.save(current().desk, case_id, item, given, current_officer(), about)
    return item, given, about


def _item(case_id: bytes) -> Service:
    """The item of the form: a returned case keeps the form of the pack it was taken under."""
    desk, name = current().desk, request.form.get("service", "")
    with desk.store.read() as db:
        row = db.execute("SELECT * FROM case_file WHERE id = ?", (case_id,)).fetchone()
        return desk.item_of(db, row) if row and row["service"] == name else desk.service(name)


def _sent(item: Service) -> Given:
    raw = {name: field_types.joined(item.field(name), values) for name, values in request.form.lists()}
    return cases.trim(item, raw, request.form.getlist("materials"))


def _about(item: Service, named: Mapping[str, str]) -> Subject:
    """Whom the address or the form names; anything that is no id is no such page. A household by one of its members."""
    person, unit, household = (_id_asked(named.get(word, "")) for word in ("person", "unit", "household"))
    if item.subject == "household" and person and not household:
        with current().store.read() as db:
            row = db.execute("SELECT household_id FROM person WHERE id = ?", (person,)).fetchone()
        if row is None or row["household_id"] is None:
            abort(404)
        household = bytes(row["household_id"])
    wanted = {"person": Subject(person_id=person), "unit": Subject(unit_id=unit)}
    return wanted.get(item.subject, Subject(household_id=household) if item.subject == "household" else NOBODY)


def _id_asked(text: str) -> bytes | None:
    if not text:
        return None
    try:
        return ids.from_text(text)
    except ValueError:
        abort(404)


def _filled(db: Any, case_id: bytes, item: Service, given: Given, about: Subject) -> Filled:
    desk = current().desk
    row = case_state.one(db, case_id)
    person = cases.subject(db, desk, item, about, given.answers, case_id)
    seen = checks.examine(item, given.answers, given.materials, person, desk.clock.today(), desk.parameters)
    return Filled(case_id, item, given, person, about, seen.values, row)


def _again(case_id: bytes, item: Service, given: Given, about: Subject, found: list[Finding], code: int) -> Response:
    """The whole form once more, with everything that was found."""
    with current().store.read() as db:
        filled = _filled(db, case_id, item, given, about)
        return make_response(_form(db, filled, found), code)


def _form(db: Any, filled: Filled, found: list[Finding] | None = None) -> str:
    desk = current().desk
    sections = forms.sections(desk, db, filled.item, filled.given.answers, filled.values, filled.person)
    side = _side(db, filled, found)
    return render_template("items/form.html", headings=sections, as_of=status.as_of(db), pack=desk.pack, **side)


def _side(db: Any, filled: Filled, found: list[Finding] | None = None) -> dict[str, Any]:
    """What stands beside the form: papers, trial calculation, what the slip will say."""
    desk, answers = current().desk, filled.given.answers
    item = filled.item
    kept = scans.of_case(db, filled.case_id)
    needed, held = {m.id for m in item.materials_for(answers)}, set(filled.given.materials)
    trial = estimate.estimate(item, filled.values, filled.person, desk.clock.today(), desk.parameters)
    return {
        "filled": filled,
        "item": item,
        "findings": found or [],
        "papers": [
            {"paper": m, "needed": m.id in needed, "held": m.id in held, "scans": kept.get(m.id, [])}
            for m in item.materials
        ],
        "needed": len(needed),
        "held": len(needed & held),
        "trial": trial,
        "legal": item.legal_for(answers),
        "beforehand": _beforehand(db, filled),
        "alike": alike.find(db, answers) if item.subject == "person" and not filled.about.person_id else [],
        "linked": status.link(db).get("state") == "up",
        "alone": False,
        "saved_at": None,
    }


def _beforehand(db: Any, filled: Filled) -> list[Finding]:
    """What this form would meet at the hub: hints, seen before it is sent."""
    if filled.item.subject != "person":
        return []
    since = filled.case["created_at"] if filled.kept else common.now_stamp()
    today, answers = current().clock.today(), filled.given.answers
    return beforehand.findings(db, filled.about.person_id, answers, filled.item.id, since, today, filled.case_id)
