# SPDX-License-Identifier: Apache-2.0
"""Cases that only labour inspection sees: complaints and reports (社会保险法 82). Others neither open nor find them."""

from __future__ import annotations

from collections.abc import Iterable

from flask import request

from hub import cases, pack
from hub.context import current
from schema.errors import NotAllowed, UnknownSubject
from schema.web.auth import officer_or_none

LABOUR = "labour"


def services() -> tuple[str, ...]:
    """The ids of the confidential items."""
    return tuple(sorted(item.id for item in pack.services().values() if item.confidential))


def may_see(roles: Iterable[str]) -> bool:
    """Whether an officer of these posts sees confidential cases."""
    return LABOUR in roles


def guard() -> None:
    """Before every page with a case in its address. Raises NotAllowed."""
    case_id, officer = (request.view_args or {}).get("case_id"), officer_or_none()
    if not isinstance(case_id, bytes) or officer is None or may_see(officer.roles):
        return
    with current().store.read() as db:
        try:
            case = cases.load(db, case_id)
        except UnknownSubject:
            return
    if case.service in services():
        raise NotAllowed(
            "这一件保密，只由劳动监察办理", "This case is confidential: labour inspection alone handles it",
            code="confidential",
        )  # fmt: skip
