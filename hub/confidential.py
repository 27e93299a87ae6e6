# SPDX-License-Identifier: Apache-2.0
"""Cases that only labour inspection sees: complaints and reports (社会保险法 82). Others neither open nor find them."""

from __future__ import annotations

from collections.abc import Iterable

from flask import request

from hub import pack
from hub.context import current
from schema.errors import NotAllowed
from schema.web.auth import officer_or_none

LABOUR = "labour"


def services() -> tuple[str, ...]:
    """The ids of the confidential items."""
    return tuple(sorted(item.id for item in pack.services().values() if item.confidential))


def may_see(roles: Iterable[str]) -> bool:
    """Whether an officer of these posts sees confidential cases."""
    return LABOUR in roles


def guard() -> None:
    """Before every page with an id in its address. Raises NotAllowed."""
    named, officer = [v for v in (request.view_args or {}).values() if isinstance(v, bytes)], officer_or_none()
    if not named or officer is None or may_see(officer.roles):
        return
    with current().store.read() as db:
        found = db.execute(f"SELECT service FROM hub_case WHERE id IN ({', '.join('?' * len(named))})", named)
        hidden = {row["service"] for row in found} & set(services())
    if hidden:
        raise NotAllowed(
            "这一件保密，只由劳动监察办理", "This case is confidential: labour inspection alone handles it",
            code="confidential",
        )  # fmt: skip
