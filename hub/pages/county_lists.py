# SPDX-License-Identifier: Apache-2.0
"""The lists behind a month of the county: fund, payer, township, held back, arrears; each as a page or an Excel file,
and each down to one person's month.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, current_app, make_response, render_template, request, url_for
from werkzeug.wrappers import Response

from hub.context import current
from hub.officers import MONEY_ROLES
from hub.pages.county import county_of
from hub.settlement.county import comparing, explaining, listing, lists, naming, sheets
from hub.settlement.county.columns import FUNDS
from hub.settlement.county.listing import Listing
from hub.settlement.county.month_file import MonthFile
from hub.settlement.inputs import month_named
from hub.settlement.month import STATES
from schema import ids, period
from schema.errors import UnknownSubject
from schema.sheets_out import XLSX
from schema.web.auth import current_officer, require_role
from schema.web.frame import lang, t

page = Blueprint("county_lists", __name__, url_prefix="/settlement/county/<settled>")
READERS = (*MONEY_ROLES, "inspect")
Make = Callable[[Any, MonthFile], Listing]


@page.get("/fund/<fund>")
@require_role(*READERS)
def fund(settled: str, fund: str) -> Response:
    """Who pays into a fund."""
    return _show(settled, "fund", _known(fund), lambda db, file: lists.payers_of(file, fund), fund=fund)


@page.get("/payees/<fund>")
@require_role(*READERS)
def payees(settled: str, fund: str) -> Response:
    """Who draws from a fund."""
    return _show(settled, "payees", _known(fund), lambda db, file: lists.payees_of(file, fund), fund=fund)


@page.get("/payer/<id:payer_id>")
@require_role(*READERS)
def payer(settled: str, payer_id: bytes) -> Response:
    """Everybody whom a unit pays for."""
    with current().store.read() as db:
        name = listing.payers(db, [payer_id]).get(payer_id, {}).get("name", "")
    return _show(settled, "payer", name, lambda db, file: lists.people_of(file, payer_id), payer_id=payer_id)


@page.get("/township/<code>")
@require_role(*READERS)
def township(settled: str, code: str) -> Response:
    """Everybody of a township; `-` for who lives nowhere known."""
    with current().store.read() as db:
        row = db.execute("SELECT name FROM division WHERE code = ?", (code,)).fetchone()
    place, name = "" if code == "-" else code, row["name"] if row else t("county.nowhere")
    return _show(settled, "township", name, lambda db, file: lists.people_in(db, file, place), code=code)


@page.get("/held")
@require_role(*READERS)
def held(settled: str) -> Response:
    """Who is not paid, and why."""
    return _show(settled, "held", "", lists.held_back)


@page.get("/arrears")
@require_role(*READERS)
def arrears(settled: str) -> Response:
    """Who owes, since when, how much."""
    return _show(settled, "arrears", "", lambda db, file: lists.arrears_of(file))


@page.get("/bills")
@require_role(*READERS)
def bills(settled: str) -> Response:
    """What each payer owes for this month, amount by amount: what the tax office is told (step 5)."""
    return _show(settled, "bills", "", lambda db, file: lists.bills_of(file))


@page.get("/compare")
@require_role(*READERS)
def compare(settled: str) -> Response:
    """This month beside the one before, by fund and by township."""
    tables = comparing.tables(county_of(current()), settled)
    if _as_sheet():
        return _file(sheets.of_comparison(tables, lang(), t), "compare", settled)
    return make_response(render_template("county/compare.html", settled=settled, tables=tables, naming=naming))


@page.get("/person/<id:person_id>")
@require_role(*READERS)
def person(settled: str, person_id: bytes) -> str:
    """One person's month, as it could be shown to that person."""
    found = explaining.explain(county_of(current()), settled, person_id)
    _log("month %s of person %s opened by %s", settled, ids.to_text(person_id))
    return render_template(
        "county/person.html", found=found, titles=explaining.titles(), states=STATES, percent=naming.percent
    )


def _log(words: str, *what: str) -> None:
    """Who looked at whom, who took a file along; nothing about anybody."""
    current_app.logger.info(words, *what, current_officer().operator_no)


def _as_sheet() -> bool:
    """Whether the list is wanted as an Excel file."""
    return request.args.get("form") == "xlsx"


def _known(fund: str) -> str:
    """The fund's name. Raises UnknownSubject."""
    if fund not in FUNDS:
        raise UnknownSubject("没有这个基金", "there is no such fund")
    return naming.FUND[fund][lang()]


def _show(settled: str, kind: str, name: str, make: Make, **at: Any) -> Response:
    with county_of(current()).open(settled) as file, current().store.read() as db:
        found = make(db, file)
        if _as_sheet():
            return _file(sheets.of_listing(db, found, lang(), t), kind, settled)
        asked = request.args
        down = {"up": False, "down": True}.get(asked.get("order", ""))
        shown = listing.page(db, found, asked.get("sort", ""), down, asked.get("page", 1, type=int))
    here = {"endpoint": f"county_lists.{kind}", "settled": settled, **at}
    return make_response(
        render_template("county/list.html", shown=shown, kind=kind, name=name, settled=settled, fund=at.get("fund", ""),
                        held=[naming.HELD.get(reason) for reason in lists.REASONS], funds=FUNDS, naming=naming,
                        month_named=month_named, url=lambda **more: url_for(**here, **more))
    )  # fmt: skip


def _file(content: bytes, kind: str, settled: str) -> Response:
    _log("month %s: list %s taken out by %s", settled, kind)
    answer = make_response(content)
    answer.headers["Content-Type"] = XLSX
    answer.headers["Content-Disposition"] = f'attachment; filename="{settled}-{kind}.xlsx"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


@page.url_value_preprocessor
def _check_month(endpoint: str | None, values: dict[str, Any] | None) -> None:
    """A month that is none is no page."""
    if not period.is_month((values or {}).get("settled", "")):
        raise UnknownSubject("没有这个月份", "there is no such month")
