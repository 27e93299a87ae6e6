# SPDX-License-Identifier: Apache-2.0
"""The station's pages, one module per area, each with its folder in `templates/`. A new one is added to PAGES."""

from __future__ import annotations

from node.pages import cases, counter, items, persons, slips, station, unsent

PAGES = (counter.page, items.page, persons.page, cases.page, slips.page, unsent.page, station.page)
"""Blueprints in the order of the navigation; those with a text `section.<name>` stand in it."""
