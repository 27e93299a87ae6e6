# SPDX-License-Identifier: Apache-2.0
"""The station's pages, one module per area, each with its folder in `templates/`. A new one is added to PAGES."""

from __future__ import annotations

import node.community.pages as community
import node.pages.card as card
import node.pages.cases as cases
import node.pages.counter as counter
import node.pages.estimates as estimates
import node.pages.items as items
import node.pages.lost as lost
import node.pages.persons as persons
import node.pages.prints as prints
import node.pages.queue as queue
import node.pages.roster as roster
import node.pages.scans as scans
import node.pages.slips as slips
import node.pages.station as station
import node.pages.survival as survival
import node.pages.unit_search as unit_search
import node.pages.units as units
import node.pages.unsent as unsent
import node.pages.usb as usb

PAGES = (
    counter.page, items.page, estimates.page, unit_search.page, persons.page, units.page, cases.page, slips.page,
    prints.page, survival.page, unsent.page, lost.page, usb.page, station.page, card.page, community.page,
    queue.page, scans.page, roster.page,
)  # fmt: skip
"""Blueprints in the order of the navigation; those with a text `section.<name>` stand in it."""
