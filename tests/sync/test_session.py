# SPDX-License-Identifier: Apache-2.0
"""What a session brings about, over each transport."""

from __future__ import annotations

from typing import Any

from schema import ids
from sync import publish


class TestOverEveryTransport:
    def test_first_session_brings_the_slice_and_proves_equality(self, carried_world: Any) -> None:
        station = carried_world.station()
        person = carried_world.person()
        carried_world.person(village="330683101201")

        report = station.sync()

        assert (report.ok, report.error_code, report.caught_up, report.equal) == (True, "", True, True)
        assert station.rows("SELECT id FROM person") == [(person,)]
        assert station.phone(person) == "13800000000"
        assert carried_world.rows("SELECT last_equal_at IS NOT NULL FROM node_record") == [(1,)]
