# SPDX-License-Identifier: Apache-2.0
"""The hub's pages: one module per page, each with `page` (a Blueprint) and, for the navigation, `SECTION`.

To add one: write the module, name it in PAGES, give its texts file in TEXTS. The order here is the order on screen.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

from hub.pages import (
    case,
    check,
    conflicts,
    county,
    county_late,
    county_lists,
    county_money,
    home,
    importing,
    incidents,
    late,
    officers,
    prints,
    receipts,
    refusals,
    registry,
    review,
    settlement,
    stations,
    survival,
    usb,
    workload,
)
from hub.sections import Section

_HUB = Path(__file__).parent.parent

PAGES: tuple[ModuleType, ...] = (
    home, review, case, conflicts, late, county, county_late, county_lists, county_money, settlement, receipts,
    stations, registry, importing, refusals, incidents, workload, prints, survival, officers, check, usb,
)  # fmt: skip
TEXTS: tuple[Path, ...] = tuple(
    _HUB / f"{name}texts.toml"
    for name in ("", "courier_", "community_", "settlement/", "settlement/county/", "settlement/county/late_",
                 "importing/")
)  # fmt: skip
SECTIONS: tuple[Section, ...] = tuple(module.SECTION for module in PAGES if hasattr(module, "SECTION"))
