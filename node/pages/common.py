# SPDX-License-Identifier: Apache-2.0
"""Small things several pages share: paging, the day's beginning, whether htmx asks, names of items and officers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time
from typing import Any

from flask import request

from node import officers
from node.station import current
from schema.clock import CHINA, stamp
from schema.service_parts import Service
from schema.web.frame import lang

PER_PAGE = 50


def is_htmx() -> bool:
    """Whether a part of a page is asked for, and not a whole one."""
    return request.headers.get("HX-Request") == "true"


def today_begins() -> str:
    """The stamp at which China's civil day began."""
    return stamp(datetime.combine(current().clock.today(), time(), CHINA))


def page_number() -> int:
    """`?page=`, at least 1; nonsense is the first page."""
    asked = request.args.get("page", "1")
    return max(1, int(asked)) if asked.isascii() and asked.isdigit() and len(asked) < 6 else 1


def pages_of(total: int) -> int:
    """How many pages a list has."""
    return max(1, -(-total // PER_PAGE))


def short_title(service: str) -> str:
    """A service item's short name in the reader's language; its id when the rule pack no longer has it."""
    item = current().desk.services.get(service)
    return item.short["zh" if lang() == "zh" else "en"] if item else service


def in_key_order(items: Iterable[Service]) -> list[Service]:
    """The common items in the order of their digits, 1 to 9, then 0, then the others by number."""

    def place(item: Service) -> tuple[int, int, str]:
        return "1234567890".find(item.common_key) if item.common_key else 10, item.no, item.id

    return sorted(items, key=place)


def officer_names(db: Any) -> dict[str, str]:
    """Officer number -> `name number`, as it stands in lists."""
    return {number: f"{name} {number}" for number, name in officers.names(db).items()}


def now_stamp() -> str:
    """This moment as a stamp."""
    return stamp(current().clock.now())
