# SPDX-License-Identifier: Apache-2.0
"""Survival checks: what is due by village, matching first, and the day at a village with its photos."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from node import status, survival
from node.pages import prints
from node.station import current
from schema import ids
from schema import survival as checks
from schema.errors import Refusal, UnknownSubject
from schema.survival import Due
from schema.web.auth import current_key, current_officer
from schema.web.frame import lang, t

page = Blueprint("survival", __name__, url_prefix="/survival")
SHOWS = ("open", "overdue", "all")
VILLAGE = "<string(minlength=9, maxlength=12):village>"
# What the buttons of the day say: found, and how.
ACTS = {"face": (True, checks.FACE), "id_card": (True, checks.ID_CARD), "not_found": (False, checks.VISIT)}


@page.get("")
def index() -> str:
    """Villages with what is due, the most overdue first."""
    desk = current().desk
    with desk.store.read() as db:
        return render_template(
            "survival/index.html",
            villages=survival.villages(db, desk),
            matches=len(survival.traces(db, desk)),
            names=_village_names(db),
            as_of=status.as_of(db),
        )


@page.get(f"/{VILLAGE}")
def village(village: str) -> str:
    """Everybody of a village who draws a benefit, those whose check is due first."""
    desk = current().desk
    show = request.args.get("show", "open")
    show = show if show in SHOWS else "open"
    with desk.store.read() as db:
        people = survival.due(db, desk, village)
        return render_template(
            "survival/village.html",
            village=village, name=_name(db, village), as_of=status.as_of(db), marks=survival.marks(db, village),
            people=[p for p in people if _shown(p, show)], today=desk.clock.today(),
            may_propose=show == "overdue" and survival.may_propose(desk),
            chips=[{"label": t(f"survival.show_{name}"), "count": sum(_shown(p, name) for p in people),
                    "url": url_for(".village", village=village, show=name), "on": name == show} for name in SHOWS],
        )  # fmt: skip


@page.get(f"/{VILLAGE}/day")
def day(village: str) -> str:
    """One person after the other: seen or not, with a photo; the next one by itself."""
    return _day(village)


@page.post(f"/{VILLAGE}/mark")
def mark(village: str) -> Response | tuple[str, int]:
    """What was seen of one person; then the next one."""
    desk, act = current().desk, request.form.get("act", "")
    person_id = _person_id()
    sent = request.files.get("photo")
    photo, media_type = (sent.read(), sent.mimetype) if sent and sent.filename else (b"", "")
    found, method = ACTS.get(act, (False, ""))
    note = request.form.get("note", "") if not found else ""
    try:
        with desk.store.write() as db:
            person = survival.person(db, desk, person_id)
            seen = survival.Seen(found, method, note, photo, media_type)
            survival.mark(db, desk, person, seen, current_officer())
    except Refusal as error:
        return _day(village, person_id, error.text(lang())), 422
    return redirect(url_for(".day", village=village, after=ids.to_text(person_id)))


@page.post(f"/{VILLAGE}/undo")
def undo(village: str) -> Response:
    """Take the newest mark back and stand at that person again."""
    with current().store.write() as db:
        person_id = survival.undo(db, village, current_officer())
    return redirect(url_for(".day", village=village, person=ids.to_text(person_id) if person_id else None))


@page.post(f"/{VILLAGE}/sign")
def sign(village: str) -> Response:
    """Sign the day: from now on the checks are facts."""
    desk = current().desk
    with desk.store.write() as db:
        n = survival.sign(db, desk, village, current_officer(), current_key())
    flash(t("survival.signed", n=n), "done")
    return redirect(url_for(".village", village=village))


@page.post(f"/{VILLAGE}/propose")
def propose(village: str) -> Response:
    """Drafts of a pause for the persons ticked; a clerk looks at each and submits it, or not."""
    chosen = [ids.from_text(text) for text in request.form.getlist("person") if ids.is_text(text)]
    n = survival.propose(current().desk, chosen, current_officer())
    flash(t("survival.proposed", n=n), "done" if n else "turn")
    return redirect(url_for("cases.index", show="draft") if n else url_for(".village", village=village, show="overdue"))


@page.get("/matching")
def matching() -> str:
    """Who shows a sign of life in the data already: checked without a visit."""
    desk = current().desk
    with desk.store.read() as db:
        return render_template(
            "survival/matching.html", traces=survival.traces(db, desk), as_of=status.as_of(db),
            names=_village_names(db),
        )  # fmt: skip


@page.post("/matching")
def accept() -> Response:
    """Sign checks by matching for the persons ticked."""
    desk = current().desk
    chosen = [ids.from_text(text) for text in request.form.getlist("person") if ids.is_text(text)]
    with desk.store.write() as db:
        n = survival.accept(db, desk, chosen, current_officer(), current_key())
    flash(t("survival.accepted", n=n), "done" if n else "turn")
    return redirect(url_for(".matching"))


@page.post(f"/{VILLAGE}/print")
def print_list(village: str) -> Response:
    """The village's list on paper; a list of many persons is logged like every print."""
    made = prints.issue("due_list", ids.derived_id(bytes(16), village))
    return redirect(url_for("prints.show", print_id=made))


def _day(village: str, at: bytes | None = None, why: str = "") -> str:
    desk, officer = current().desk, current_officer()
    with desk.store.read() as db:
        everybody = [p for p in survival.due(db, desk, village) if p.state != "seen"]
        marks = survival.marks(db, village)
        who = _now(everybody, marks, at)
        mine = sum(row["operator_no"] == officer.operator_no for row in marks.values())
        return render_template(
            "survival/day.html",
            village=village, name=_name(db, village), people=everybody, marks=marks, who=who, why=why, mine=mine,
            done=sum(p.person_id in marks for p in everybody), notes=checks.NOTES, today=desk.clock.today(),
        )  # fmt: skip


def _now(people: list[Due], marks: dict[bytes, Any], at: bytes | None) -> Due | None:
    """Before whom the officer stands: the one asked for, else the next without a mark, going round once."""
    asked = at or _asked("person")
    chosen = next((p for p in people if p.person_id == asked), None)
    if chosen:
        return chosen
    after = next((n + 1 for n, p in enumerate(people) if p.person_id == _asked("after")), 0)
    return next((p for p in people[after:] + people[:after] if p.person_id not in marks), None)


def _asked(name: str) -> bytes | None:
    text = request.args.get(name, "")
    return ids.from_text(text) if ids.is_text(text) else None


def _person_id() -> bytes:
    text = request.form.get("person", "")
    if not ids.is_text(text):
        raise UnknownSubject("没有这个人", "there is no such person")
    return ids.from_text(text)


def _shown(person: Due, show: str) -> bool:
    return show == "all" or person.state == "overdue" or (show == "open" and person.state == "due")


def _village_names(db: Any) -> dict[str, str]:
    rows = db.execute("SELECT code, name, name_en FROM division WHERE level = 'village'")
    return {r["code"]: r["name"] if lang() == "zh" else r["name_en"] or r["name"] for r in rows}


def _name(db: Any, village: str) -> str:
    return _village_names(db).get(village, village)
