# SPDX-License-Identifier: Apache-2.0
"""Pages of the township's own work: jobs with matching, training, visits, complaints, the policy library."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from node import cases, contacts, slips
from node.community import jobs, rounds
from node.community.library import Library
from node.station import current
from schema import ids, period, service
from schema.errors import UnknownSubject
from schema.web.auth import current_key, current_officer
from schema.web.frame import lang, t

page = Blueprint("community", __name__, url_prefix="/community")
TABS = ("jobs", "training", "visits", "complaints", "library")
_library: dict[str, Library] = {}


@page.context_processor
def _tabs() -> dict[str, Any]:
    tabs = [
        {"label": t(f"community.{name}"), "url": url_for(f".{name}"), "on": request.endpoint == f"community.{name}"}
        for name in TABS
    ]
    return {"tabs": tabs, "word": _word}


@page.get("/jobs", endpoint="jobs")
@page.get("/jobs/<show>", endpoint="jobs")
@page.get("/jobs/<show>/<id:chosen>", endpoint="jobs")
def jobs_page(show: str = "seekers", chosen: bytes | None = None) -> str:
    """Who looks for work or what is on offer, and for the one chosen everything that fits, with the reasons."""
    show = show if show in ("seekers", "vacancies") else "seekers"
    station = current()
    today = station.clock.today()
    with station.store.read() as db:
        listed = jobs.seekers(db, today) if show == "seekers" else jobs.vacancies(db, today)
        counts = {"seekers": len(jobs.seekers(db, today)), "vacancies": len(jobs.vacancies(db, today))}
        chosen = chosen or (bytes(listed[0]["id"]) if listed else None)
        row = next((one for one in listed if bytes(one["id"]) == chosen), None)
        fits: list[jobs.Fit] = []
        if row is not None and chosen is not None:
            fits = jobs.for_seeker(db, chosen, today) if show == "seekers" else jobs.for_vacancy(db, chosen, today)
    return render_template(
        "community/jobs.html", show=show, listed=listed, counts=counts, chosen=chosen, row=row, fits=fits,
        new_id_bytes=ids.new_id,
    )  # fmt: skip


@page.post("/jobs/refer/<id:case_id>")
def refer(case_id: bytes) -> Response:
    """Send a person to a job and show the letter."""
    person_id, vacancy_id = _asked("person"), _asked("vacancy")
    desk = current().desk
    done = jobs.refer(desk, case_id, person_id, vacancy_id, current_officer(), current_key())
    if done.receipt_no is None:
        for finding in done.findings:
            flash(finding.zh if lang() == "zh" else finding.en, "stop")
        cases.discard(desk, case_id, current_officer())
        return redirect(url_for(".jobs", show="seekers", chosen=person_id), 303)
    with desk.store.write() as db:
        if not slips.issued(db, case_id):
            slips.issue(db, desk, case_id, current_officer(), current_key())
    return redirect(url_for("slips.show", case_id=case_id, copy=1), 303)


@page.post("/jobs/vacancies/<id:vacancy_id>/close")
def close(vacancy_id: bytes) -> Response:
    """The job is filled or withdrawn: nobody is sent there any more."""
    station = current()
    with station.store.write() as db:
        if db.execute("SELECT 1 FROM vacancy WHERE id = ?", (vacancy_id,)).fetchone() is None:
            raise UnknownSubject("本站没有这个岗位", "this station has no such job")
        contacts.change(
            db, vacancy_id, {"vacancy_open": "no"}, current_officer().operator_no, station.clock, "vacancy"
        )
    flash(t("community.closed"), "done")
    return redirect(url_for(".jobs", show="vacancies"), 303)


@page.get("/training")
def training() -> str:
    """Classes with the seats left as the hub counted them, and who of this township has one."""
    station = current()
    with station.store.read() as db:
        return render_template(
            "community/training.html", classes=rounds.classes(db, station.clock.today()), seats=rounds.seats(db)
        )


@page.get("/visits")
def visits() -> str:
    """Retired persons whose visit is due, the longest unvisited first."""
    station = current()
    with station.store.read() as db:
        return render_template("community/visits.html", due=rounds.visits_due(db, station.clock.today()), age=_age)


@page.get("/complaints")
def complaints() -> str:
    """Complaints this officer took; those of others stay closed."""
    station, officer = current(), current_officer()
    hidden = [item.id for item in station.desk.services.values() if item.confidential]
    with station.store.read() as db:
        return render_template("community/complaints.html", taken=rounds.taken_by(db, officer.operator_no, hidden))


@page.get("/library")
@page.get("/library/<article>")
def library(article: str = "") -> str:
    """The policy library: search as one types, offline; an article with its law, and the items that follow from it."""
    pack = current().rules.current()
    if pack.hash not in _library:
        _library.clear()
        _library[pack.hash] = Library.of(pack.files)
    books, typed = _library[pack.hash], request.args.get("q", "").strip()[:60]
    topic = request.args.get("topic", "")
    hits = books.find(typed, topic)
    shown = books.get(article) if article else None
    if article and shown is None:
        raise UnknownSubject("政策库里没有这一篇", "the library has no such article")
    items = current().desk.services
    return render_template(
        "community/library.html", hits=hits, typed=typed, topic=topic, shown=shown,
        topics=service.choices()["policy_topic"],
        items=[items[one] for one in (shown.items if shown else ()) if one in items],
    )  # fmt: skip


def _age(birth_on: str) -> int:
    return period.age_on(date.fromisoformat(birth_on), current().clock.today())


def _asked(name: str) -> bytes:
    text = request.form.get(name, "")
    if not ids.is_text(text):
        raise UnknownSubject("没有选", "nothing was chosen")
    return ids.from_text(text)


def _word(list_name: str, value: str | None) -> str:
    """An entry of a list of choices in the reader's language; the value itself when the list has it no more."""
    found = next((c.text for c in service.choices().get(list_name, ()) if c.value == value), None)
    return found["zh" if lang() == "zh" else "en"] if found else value or ""
