# SPDX-License-Identifier: Apache-2.0
"""The self-service page's few pages: a number, one's own records, a printed record, a simple application, the screen
of the waiting room. Every page that shows somebody asks first whether that person still stands there."""

from __future__ import annotations

from typing import Any

from flask import (
    Blueprint,
    current_app,
    g,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from werkzeug.wrappers import Response

from node import cases, forms, status, windows
from node.card.board import EMPTY
from node.card.desk import cards
from node.card.problems import CardProblem
from node.kiosk import queue, requests
from node.kiosk.visit import DIGITS, IDLE_S, Visit, Visits
from node.station import current
from schema import ids
from schema.errors import Locked, NotAllowed, TownshipError, UnknownSubject, WrongPassword
from schema.findings import Finding
from schema.view import PersonView, person_view
from schema.web.frame import LANG_COOKIE, lang

EXTENSION = "kiosk_visits"
MONTHS_SHOWN = 12
WAIT_S = 20.0
_NEEDS_NOBODY = ("home", "number", "take", "ticket", "display", "room", "listen", "begin", "end")

page = Blueprint("kiosk", __name__)


@page.before_request
def _who() -> Response | None:
    """Who stands there; pages of a person lead home when nobody does."""
    g.visit = _visits().current(session.get("visit", ""))
    name = (request.endpoint or "").removeprefix("kiosk.")
    if g.visit and name != "listen":
        _visits().touch(g.visit)
    if name in _NEEDS_NOBODY:
        return None
    if g.visit is None or (not g.visit.proven and name != "question"):
        return redirect(url_for(".home"))
    return None


@page.get("/")
def home() -> str:
    """What can be done here. Coming home ends the visit of whoever was there."""
    _forget()
    return _page("home", ready=cards().name != "manual")


@page.get("/number")
def number() -> str:
    """What for?"""
    with current().store.read() as db:
        return _page("number", topics=queue.TOPICS, room=queue.room(db, current().clock))


@page.post("/number")
def take() -> Response:
    """A number of that topic; with a card on the reader and its question answered, the window will know who comes."""
    station, visit = current(), g.visit
    with station.store.write() as db:
        person_id = visit.person_id if visit and visit.proven else None
        ticket = queue.take(db, station.clock, request.form.get("topic", ""), person_id)
    _forget()
    session["ticket"] = ids.to_text(ticket.id)
    return redirect(url_for(".ticket"))


@page.get("/ticket")
def ticket() -> str | Response:
    """The number just taken, to be read or printed; once."""
    named = session.pop("ticket", "")
    if not ids.is_text(named):
        return redirect(url_for(".home"))
    with current().store.read() as db:
        return _page("ticket", ticket=queue.one(db, ids.from_text(named)), room=queue.room(db, current().clock))


@page.get("/display")
def display() -> str:
    """The screen of the waiting room: numbers and windows, nobody's name."""
    return _display("display")


@page.get("/display/room")
def room() -> str:
    """Its changing part."""
    return _display("room")


@page.get("/listen")
def listen() -> Response:
    """What happens on this screen's reader: a card laid down begins a visit, one taken off ends it."""
    board, after = cards().board, request.args.get("after", "")
    with current().store.read() as db:
        mine = windows.mine(db, windows.KIOSK)
    if not (after.isascii() and after.isdigit() and len(after) < 16):
        return jsonify(n=board.latest(), state="")
    found = board.wait(int(after), mine, WAIT_S)
    if found is None or not found.fresh:
        return jsonify(n=found.n if found else int(after), state="")
    if found.state == EMPTY:
        _visits().end()
    said = CardProblem(found.problem).text(lang()) if found.problem else ""
    return jsonify(n=found.n, state=found.state, said=said)


@page.post("/begin")
def begin() -> Response:
    """The card on the reader: whose is it? Then the question."""
    _forget()
    try:
        visit = _visits().begin()
    except NotAllowed as refused:
        return make_response(_page("home", ready=True, said=refused), 403)
    session["visit"] = visit.token
    return redirect(url_for(".question"))


@page.route("/question", methods=["GET", "POST"])
def question() -> Response:
    """The last four digits of the phone number in the register."""
    visit: Visit = g.visit
    if request.method == "GET":
        return make_response(_page("question", digits=DIGITS))
    try:
        _visits().answer(visit, request.form.get("digits", "").strip())
    except WrongPassword as wrong:
        return make_response(_page("question", digits=DIGITS, said=wrong), 422)
    except Locked as locked:
        _forget()
        return make_response(_page("home", ready=True, said=locked), 403)
    return redirect(url_for(".records"))


@page.get("/me")
def records() -> str:
    """What the register says of the person who stands there."""
    _visits().log(g.visit, "shown")
    return _page("records", **_records(g.visit), offered=requests.offered(current().desk, _view(g.visit)))


@page.post("/me/print")
def print_out() -> str:
    """The same on a sheet of paper, for one's own information: the stamped one is given at a window."""
    _visits().log(g.visit, "printed")
    return _page("sheet", **_records(g.visit))


@page.get("/me/<service>")
def form(service: str) -> str:
    """A simple application, filled with what the register knows."""
    return _form(service, None, [])


@page.post("/me/<service>")
def ask(service: str) -> Response:
    """Put it on the officers' list, or say what is wrong."""
    desk, view = current().desk, _view(g.visit)
    item = _item(service, view)
    given = cases.trim(item, request.form.to_dict(), [])
    found = requests.findings(desk, item, given.answers, view)
    if not found:
        try:
            with desk.store.write() as db:
                requests.keep(db, desk, g.visit.person_id, item, given.answers)
        except TownshipError as refused:
            found = [Finding(refused.code, "block", "", refused.zh, refused.en)]
    if found:
        return make_response(_form(service, given.answers, found), 422)
    _visits().log(g.visit, "asked")
    return make_response(_page("asked", item=item))


@page.post("/end")
def end() -> Response:
    """Finished: nothing of the visit stays, the language goes back to Chinese."""
    _forget()
    answer = redirect(url_for(".home"))
    answer.delete_cookie(LANG_COOKIE)
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


def _form(service: str, answers: dict[str, str] | None, found: list[Finding]) -> str:
    desk, view = current().desk, _view(g.visit)
    item = _item(service, view)
    filled = forms.opening(desk, item, view) if answers is None else answers
    with current().store.read() as db:
        headings = forms.sections(desk, db, item, filled, {}, view)
    fields = [(f, [(value, text[lang()]) for value, text in f.choices]) for _, inside in headings for f in inside]
    fields = [(f, choices) for f, choices in fields if requests.asks(item, f.name)]
    return _page("form", item=item, fields=fields, findings=found)


def _item(service: str, view: PersonView) -> Any:
    found = next((item for item in requests.offered(current().desk, view) if item.id == service), None)
    if found is None:
        raise UnknownSubject("这一项请到窗口办理", "please have this done at a window")
    return found


def _records(visit: Visit) -> dict[str, Any]:
    with current().store.read() as db:
        statements = db.execute(
            "SELECT * FROM statement WHERE person_id = ? ORDER BY month DESC, insurance LIMIT ?",
            (visit.person_id, MONTHS_SHOWN),
        ).fetchall()
        return {"view": _view(visit), "statements": statements, "as_of": status.as_of(db)}


def _view(visit: Visit) -> PersonView:
    with current().store.read() as db:
        seen = person_view(db, visit.person_id, current().clock.today())
    if seen is None:
        raise UnknownSubject("名册里没有您的记录，请到窗口", "you are not in the register here: go to a window")
    return seen


def _display(name: str) -> str:
    with current().store.read() as db:
        return _page(name, room=queue.room(db, current().clock), topics=queue.TOPICS)


def _page(name: str, **values: Any) -> str:
    return render_template(f"kiosk/{name}.html", visit=g.visit, idle_s=round(IDLE_S), **values)


def _forget() -> None:
    if g.visit:
        _visits().end()
    g.visit = None
    session.clear()


def _visits() -> Visits:
    kept: Visits = current_app.extensions[EXTENSION]
    return kept
