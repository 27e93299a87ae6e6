# SPDX-License-Identifier: Apache-2.0
"""A unit's page: who it is, its roster page by page, what it has under way, what can be done for it."""

from __future__ import annotations

from flask import Blueprint, render_template, url_for

from node import roster_sheet, status, units
from node.pages import common
from node.station import current
from schema.service_parts import Service

page = Blueprint("units", __name__, url_prefix="/units")


def _actions() -> list[Service]:
    """Items for a unit that the register knows, under their usual digits."""
    items = current().desk.services.values()
    return [item for item in common.in_key_order(items) if item.subject == "unit" and not item.new_unit]


@page.get("/<id:unit_id>")
def show(unit_id: bytes) -> str:
    """The whole page; `?page=` turns the roster."""
    number = common.page_number()
    with current().store.read() as db:
        seen = units.read(db, unit_id, number)
        return render_template(
            "units/show.html",
            seen=seen,
            unit=seen.unit,
            page=number,
            pages=-(-seen.known // units.ROSTER_PAGE),
            previous_url=url_for(".show", unit_id=unit_id, page=number - 1),
            next_url=url_for(".show", unit_id=unit_id, page=number + 1),
            actions=_actions(),
            by_roster=any(roster_sheet.is_roster_item(i) for i in current().desk.services.values()),
            as_of=status.as_of(db),
            short_title=common.short_title,
        )
