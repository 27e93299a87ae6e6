# SPDX-License-Identifier: Apache-2.0
"""The main navigation: one entry per page module, shown to the roles that have work there.

A page module in `hub/pages/` has `page` (its Blueprint) and, when it belongs in the navigation, `SECTION`. Its label
is the text `section.<name of the blueprint>`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import request, url_for

from hub.context import current
from schema.web.auth import officer_or_none
from schema.web.door import Officer
from schema.web.frame import t


@dataclass(frozen=True)
class Section:
    """Where an entry leads, for which roles (none named: everybody), and how many items wait there. `under`: other
    blueprints whose pages stand under it.
    """

    endpoint: str
    roles: tuple[str, ...] = ()
    count: Callable[[Any, Officer], int] | None = None
    under: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.endpoint.partition(".")[0]


def sections(declared: tuple[Section, ...]) -> list[dict[str, Any]]:
    """The entries this officer sees, with their counts."""
    officer = officer_or_none()
    if officer is None:
        return []
    shown = [s for s in declared if not s.roles or set(s.roles) & set(officer.roles)]
    with current().store.read() as db:
        return [
            {
                "url": url_for(section.endpoint),
                "label": t(f"section.{section.name}"),
                "count": section.count(db, officer) if section.count else 0,
                "current": request.blueprint in (section.name, *section.under),
            }
            for section in shown
        ]
