# SPDX-License-Identifier: Apache-2.0
"""The station, the hub and the county of the other tests, for those who mean them harm."""

from __future__ import annotations

from tests.hub.conftest import browse, claim, county, desk, hub, made, other_desk, patient_hub
from tests.hub.settlement.conftest import make_county as make_money
from tests.node.conftest import (
    app,
    authority,
    clerk,
    colleague,
    counter,
    enrol,
    exchange,
    home,
    hub_key,
    officer_keys,
    person,
    station,
    visitor,
)

__all__ = [
    "app", "authority", "browse", "claim", "clerk", "colleague", "counter", "county", "desk", "enrol", "exchange",
    "home", "hub", "hub_key", "made", "make_money", "officer_keys", "other_desk", "patient_hub", "person", "station",
    "visitor",
]  # fmt: skip
