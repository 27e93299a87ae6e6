# SPDX-License-Identifier: Apache-2.0
"""Cases that are nobody else's business: at the station only who took one opens it, whatever page is asked for.

One guard before every page with an id in its address: a page added later cannot forget it.
"""

from __future__ import annotations

from flask import request

from node.station import current
from schema.errors import NotAllowed
from schema.web.auth import officer_or_none


def guard() -> None:
    """Raises NotAllowed for another officer's confidential case."""
    named, officer = [v for v in (request.view_args or {}).values() if isinstance(v, bytes)], officer_or_none()
    if not named or officer is None:
        return
    station = current()
    marks = ", ".join("?" * len(named))
    others = f"SELECT service FROM case_file WHERE id IN ({marks}) AND operator_no <> ?"
    with station.store.read() as db:
        found = [row["service"] for row in db.execute(others, (*named, officer.operator_no))]
    items = [station.desk.services.get(service) for service in found]
    if any(item is not None and item.confidential for item in items):
        raise NotAllowed(
            "这一件保密，只有收件人能打开。查进展请看事项清单里的状态",
            "This case is confidential: only who took it opens it. Its state stands in the list of cases",
            code="confidential",
        )
