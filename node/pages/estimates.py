# SPDX-License-Identifier: Apache-2.0
"""What would it come to: trial calculations at the counter, for a person or for nobody in particular.

The figures come from the rules that the hub decides and settles by; the page says that they are provisional, which
documents stand behind them and which of those nobody has verified yet. The sheet names no one.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from node import status
from node.station import current
from schema import field_types, ids, view, what_if
from schema.field_types import Context
from schema.service_parts import Field
from schema.view import PersonView
from schema.web.frame import lang
from schema.what_if import TOPICS, Topic

page = Blueprint("estimates", __name__, url_prefix="/estimates")


@page.get("/")
def index() -> Response:
    """The first topic."""
    return redirect(url_for(".show", topic=next(iter(TOPICS)), person=_named().get("person")))


@page.get("/<topic>")
def show(topic: str) -> str:
    """The form, opened with what is known of the person; a person's table stands there at once where it can."""
    chosen = _topic(topic)
    with current().store.read() as db:
        person = _person(db)
        answers = what_if.opening(chosen, person, current().clock.today())
        return _page(db, chosen, answers, person, asked=False)


@page.post("/<topic>")
def work_out(topic: str) -> Response:
    """The table, or what must be mended first."""
    chosen = _topic(topic)
    answers = {f.name: request.form.get(f.name, "") for f in chosen.fields}
    with current().store.read() as db:
        return make_response(_page(db, chosen, answers, _person(db), asked=True))


def _page(db: Any, topic: Topic, answers: dict[str, str], person: PersonView | None, *, asked: bool) -> str:
    desk, today = current().desk, current().clock.today()
    outcome, findings = what_if.work_out(topic, answers, today, desk.parameters)
    context = Context(today, desk.parameters)
    return render_template(
        "estimates/show.html",
        topics=TOPICS.values(),
        topic=topic,
        named=_named(),
        person=person.person if person else None,
        answers=answers,
        findings=findings if asked else [],
        fields=[(f, field_types.widget(f), _entries(f, context)) for f in topic.fields],
        outcome=outcome,
        how={(x.rule, x.law, x.formula["zh"]): x for x in outcome.trace.lines}.values() if outcome else (),
        documents=what_if.documents(outcome.trace, desk.parameters) if outcome else [],
        as_of=status.as_of(db),
        pack=desk.pack,
    )


def _entries(field: Field, context: Context) -> list[tuple[str, str]]:
    return [(c.value, c.text["zh" if lang() == "zh" else "en"]) for c in field_types.options(field, context)]


def _topic(name: str) -> Topic:
    if name not in TOPICS:
        abort(404)
    return TOPICS[name]


def _named() -> dict[str, str]:
    given = request.args.get("person", "")
    return {"person": given} if ids.is_text(given) else {}


def _person(db: Any) -> PersonView | None:
    given = _named().get("person")
    return view.person_view(db, ids.from_text(given), current().clock.today()) if given else None
