# SPDX-License-Identifier: Apache-2.0
"""Cases that are nobody else's business: at the station only who took one opens it, whatever page is asked for.

One guard before every page with a case in its address: a page added later cannot forget it.
"""

from __future__ import annotations

from flask import request

from node.station import current
from schema.errors import NotAllowed
from schema.web.auth import officer_or_none


def guard() -> None:
    """Raises NotAllowed for another officer's confidential case."""
    case_id, officer = (request.view_args or {}).get("case_id"), officer_or_none()
    if not isinstance(case_id, bytes) or officer is None:
        return
    station = current()
    with station.store.read() as db:
        row = db.execute("SELECT service, operator_no FROM case_file WHERE id = ?", (case_id,)).fetchone()
    if row is None or row["operator_no"] == officer.operator_no:
        return
    item = station.desk.services.get(row["service"])
    if item is not None and item.confidential:
        raise NotAllowed(
            "这一件保密，只有收件人能打开。查进展请看事项清单里的状态",
            "This case is confidential: only who took it opens it. Its state stands in the list of cases",
            code="confidential",
        )
