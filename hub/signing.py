# SPDX-License-Identifier: Apache-2.0
"""When a page signs what its officer decided: in time, at the next case, at the latest when the officer leaves."""

from __future__ import annotations

from flask import flash, request

from hub import review
from hub.context import current
from schema.web.auth import STATIC, current_key, officer_or_none
from schema.web.frame import lang

LEAVING = ("auth.lock", "auth.logout")


def sign_what_is_due() -> None:
    """Before each request: a decision whose time to take back is over is signed by whatever the browser asks for."""
    officer = officer_or_none()
    if officer is None or officer.must_change or request.endpoint in STATIC:
        return
    sign_pending(all_of_them=request.endpoint in LEAVING)


def sign_pending(*, all_of_them: bool = False, but_not: bytes | None = None) -> None:
    """Sign, and tell the officer of decisions that could not be signed any more."""
    hub, officer = current(), officer_or_none()
    if officer is None:
        return
    made = review.sign_pending(
        hub.store, officer.operator_no, current_key(), hub.clock, all_of_them=all_of_them, but_not=but_not
    )
    for signed in made:
        if signed.refused:
            flash(signed.refused.text(lang()), "turn")
