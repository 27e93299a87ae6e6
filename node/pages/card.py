# SPDX-License-Identifier: Apache-2.0
"""A card put on the reader opens its person's page: what the page listens to, and what it shows when nobody is known.

Nothing of a card stands in an address: pages name what happened by a number, and the reading is kept in memory.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, jsonify, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from node import cases, search, status, windows
from node.card import judge
from node.card.board import EMPTY, PROBLEM, READ, Happening
from node.card.desk import cards
from node.card.problems import CardProblem
from node.card.reading import Card
from node.cases import Given
from node.pages import common
from node.station import current
from schema import ids
from schema.errors import UnknownSubject
from schema.findings import Finding
from schema.service_parts import Service
from schema.web.auth import current_officer
from schema.web.frame import lang, t

page = Blueprint("card", __name__, url_prefix="/card")

WAIT_S = 20.0
_NOTICE = {"block": "stop", "review": "turn", "hint": "done"}


@page.get("/listen")
def listen() -> Response:
    """What happened on this window's reader after number `after`, waiting for it; without one, where things stand."""
    board, after = cards().board, request.args.get("after", "")
    with current().store.read() as db:
        mine = windows.mine(db, windows.here())
    if not (after.isascii() and after.isdigit() and len(after) < 16):
        # A reader that was plugged in, or a card taken off it, since the page was made: it would never hear of that.
        there = any(mine(h.reader) for h in board.readers())
        return jsonify(n=board.latest(), state=EMPTY if there else "")
    found = board.wait(int(after), mine, WAIT_S)
    return jsonify(_told(found) if found and found.fresh else {"n": found.n if found else int(after), "state": ""})


def _told(happening: Happening) -> dict[str, Any]:
    said = CardProblem(happening.problem).text(lang()) if happening.state == PROBLEM else ""
    return {"n": happening.n, "state": happening.state, "said": said}


@page.post("/take")
def take() -> Response:
    """The page that asks first gets the card: where it leads. Another window's card, or one taken: nothing."""
    number = request.form.get("n", "")
    with current().store.read() as db:
        mine = windows.mine(db, windows.here())
        happening = cards().board.take(int(number), mine) if number.isascii() and number.isdigit() else None
        if happening is None or happening.state != READ or happening.card is None:
            return make_response("", 204)
        found, person = _judged(db, happening.card)
    if person is None or any(f.severity == "block" for f in found):
        return jsonify(url=url_for(".show", n=happening.n))
    for one in found:
        flash(one.text(lang()), _NOTICE[one.severity])
    return jsonify(url=url_for("persons.show", person_id=bytes(person["id"]), via="card"))


@page.get("/<int:n>")
def show(n: int) -> str:
    """A card whose holder is not in the register here: what it says, and what can be begun with it."""
    card = _card(n)
    with current().store.read() as db:
        found, person = _judged(db, card)
        return render_template(
            "card/show.html",
            n=n, card=card, findings=found, person=person, items=[] if _blocked(found) else _for_new(),
            size=search.register_size(db), as_of=status.as_of(db),
        )  # fmt: skip


@page.post("/<int:n>/begin")
def begin(n: int) -> Response:
    """A draft about somebody new, filled with what the card says."""
    card, officer, desk = _card(n), current_officer(), current().desk
    item = desk.service(request.form.get("service", ""))
    with current().store.read() as db:
        found, person = _judged(db, card)
    if item not in _for_new() or person is not None or _blocked(found):
        abort(409)
    values = judge.prefilled(card, current().clock.today())
    answers = {f.name: values[f.prefill] for f in item.fields if f.prefill in values}
    case_id = ids.new_id()
    cases.save(desk, case_id, item, Given(answers, []), officer, None)
    return redirect(url_for("items.edit", case_id=case_id))


@page.post("/window")
def window() -> Response:
    """Which window this browser stands at, and which reader is that window's."""
    number, reader = request.form.get("window", ""), request.form.get("reader", "")
    known = {happening.reader for happening in cards().board.readers()}
    if number not in (*windows.WINDOWS, windows.KIOSK) or (reader and reader not in known):
        abort(400)
    with current().store.write() as db:
        windows.choose(db, number, reader)
    response = redirect(url_for("station.index"))
    if number == windows.KIOSK:
        flash(t("card.kiosk_set"), "done")
        return response
    flash(t("card.window_set", n=number), "done")
    windows.remember(response, number)
    return response


def urls() -> dict[str, Any]:
    """What a page listens to; nothing where no reader is used."""
    kept = cards()
    if kept.name == "manual":
        return {}
    with current().store.read() as db:
        mine = windows.mine(db, windows.here())
    lying = [h.state for h in kept.board.readers() if mine(h.reader)]
    words = {"empty": t("card.ready"), "reading": t("card.reading"), "read": t("card.read"), "open": t("card.open")}
    where = {"listen": url_for("card.listen"), "take": url_for("card.take")}
    return {**where, "words": words, "state": lying[0] if lying else "off"}


def at_counter() -> dict[str, Any]:
    """For the station's page: the driver, the readers, whose they are."""
    kept, number = cards(), windows.here()
    with current().store.read() as db:
        return {
            "driver": kept.name,
            "problem": CardProblem(kept.board.service_problem) if kept.board.service_problem else None,
            "gone": bool(kept.board.service_problem) and kept.board.seen_reader,
            "readers": kept.board.readers(),
            "window": number,
            "windows": windows.WINDOWS,
            "kiosk": windows.KIOSK if current().config.kiosk_port else "",
            "reader": windows.reader_of(db, number),
        }


def _card(n: int) -> Card:
    with current().store.read() as db:
        card = cards().board.card(n, windows.mine(db, windows.here()))
    if card is None:
        raise UnknownSubject("这张卡的内容已经清除。请再放一次卡", "what this card said is gone: put it on again")
    return card


def _judged(db: Any, card: Card) -> tuple[list[Finding], Any]:
    today = current().clock.today()
    person = judge.person_of(db, card, today)
    return judge.judge(card, today, judge.card_state(db, card.card_no), person), person


def _blocked(found: list[Finding]) -> bool:
    return any(one.severity == "block" for one in found)


def _for_new() -> list[Service]:
    return [item for item in common.in_key_order(current().desk.services.values()) if item.new_person]
