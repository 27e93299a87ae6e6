# SPDX-License-Identifier: Apache-2.0
"""The worked example of docs/protocol.md, section 10, step by step."""

from __future__ import annotations

from typing import Any


def test_the_worked_example_of_the_conflict_rules_holds(world: Any) -> None:
    first, second, person = world.station("0100-1"), world.station("0100-2"), world.person(phone="13800000000")
    for station in (first, second):
        station.sync()
    first.edit(person, phone="13900000001")
    second.edit(person, phone="13900000002")
    for station in (first, second, first):
        station.sync()
    by_rule_h = ("13900000002", "13900000001", "0100-2", "0100-1")
    assert conflicts(world) == {by_rule_h}

    class ClerkAtWork:
        """Writes after the push of this session and before its pull."""

        def request(self, method: str, path: str, query: Any, headers: Any, body: bytes) -> Any:
            if query.get("chan") == "reg":
                second.edit(person, phone="13900000005")
            return world.transport().request(method, path, query, headers, body)

    for phone in ("13900000003", "13900000004"):
        first.edit(person, phone=phone)
    first.sync()
    second.sync(ClerkAtWork())
    for station in (second, first):
        assert station.sync().equal is True

    assert conflicts(world) == {by_rule_h, ("13900000004", "13900000005", "0100-1", "0100-2")}
    assert {side.phone(person) for side in (first, second, world)} == {"13900000004"}


def conflicts(world: Any) -> set[tuple[Any, ...]]:
    return set(world.rows("SELECT kept, lost, kept_by, lost_by FROM conflict"))
