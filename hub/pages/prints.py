# SPDX-License-Identifier: Apache-2.0
"""打印记录: who printed what for whom at any station, most persons without a case first. For supervision."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

from flask import Blueprint, render_template, request, url_for

from hub.context import current
from hub.sections import Section
from schema import period, prints
from schema.clock import CHINA, stamp
from schema.web.auth import require_role
from schema.web.frame import t

page = Blueprint("prints", __name__)
READERS = ("inspect",)
SECTION = Section("prints.index", READERS)
PER_PAGE = 50


@page.get("/prints")
@require_role(*READERS)
def index() -> str:
    """One month; the present one when none or a wrong one is asked for."""
    hub = current()
    this = period.month_of(hub.clock.today())
    asked, document = request.args.get("month", ""), request.args.get("document", "")
    month = asked if period.is_month(asked) else this
    officer_no = request.args.get("officer", "")[:20]
    number = int(text) if (text := request.args.get("page", "1")).isascii() and text.isdigit() and len(text) < 6 else 1
    since, until = (_begins(m) for m in (month, period.add_months(month, 1)))
    with hub.store.read() as db:
        rows, total = prints.listing(
            db, cases="hub_case", since=since, until=until, operator_no=officer_no, limit=PER_PAGE,
            document=document if document in prints.DOCUMENTS else "", offset=(max(1, number) - 1) * PER_PAGE,
        )  # fmt: skip
        totals = prints.by_officer(db, since, until)
        names = {row["operator_no"]: row["name"] for row in db.execute("SELECT operator_no, name FROM officer")}
    here: dict[str, Any] = {"month": month, "document": document or None, "officer": officer_no or None}
    return render_template(
        "hub/prints.html", rows=rows, total=total, totals=totals, names=names, month=month, officer_no=officer_no,
        chips=[_chip(name, here) for name in ("", *prints.DOCUMENTS)],
        months=[{"label": one, "url": url_for(".index", month=one), "on": one == month}
                for one in (period.add_months(this, -back) for back in range(6))],
        page=max(1, number), pages=max(1, -(-total // PER_PAGE)),
        previous_url=url_for(".index", **here, page=number - 1), next_url=url_for(".index", **here, page=number + 1),
    )  # fmt: skip


def _begins(month: str) -> str:
    """The instant at which a month begins in China."""
    return stamp(datetime.combine(period.first_day(month), time(), CHINA))


def _chip(name: str, here: dict[str, Any]) -> dict[str, Any]:
    label = t(f"document.{name}") if name else t("prints.all")
    on = name == (here["document"] or "")
    return {"label": label, "url": url_for(".index", **here | {"document": name or None}), "on": on}
