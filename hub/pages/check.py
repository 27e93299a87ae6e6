# SPDX-License-Identifier: Apache-2.0
"""公开查询: is this slip true? Number and check code only; no login, no list, nothing about a person."""

from __future__ import annotations

import hmac
from typing import Any

from flask import Blueprint, render_template, request

from hub import prints
from hub.context import current
from schema.clock import stamp
from schema.slip import check_code

page = Blueprint("check", __name__)
PUBLIC = "check.show"
LONGEST = 40


@page.get("/check")
def show() -> str:
    """The question, and the answer when number and code were given (the QR of a slip gives both)."""
    hub = current()
    number, code = (request.args.get(name, "").strip().upper()[:LONGEST] for name in ("no", "code"))
    asked = bool(number and code)
    with hub.store.read() as db:
        state = _state(db, number, code) if asked else None
        paper = prints.genuine(db, number, code) if asked and not state else None
    return render_template("hub/check.html", number=number, code=code, asked=asked, state=state, paper=paper,
                           as_of=stamp(hub.clock.now()))  # fmt: skip


def _state(db: Any, number: str, code: str) -> str | None:
    """The state of the case whose slip this is; None alike for an unknown number and for a wrong code."""
    rows = db.execute(
        "SELECT c.state, f.hash FROM hub_case c JOIN fact f ON f.subject = c.id "
        "WHERE c.receipt_no = ? AND f.kind IN ('case_submitted', 'case_resubmitted')",
        (number,),
    ).fetchall()
    given = code.encode()
    fitting = [row["state"] for row in rows if hmac.compare_digest(check_code(bytes(row["hash"])).encode(), given)]
    return fitting[0] if fitting else None
