# SPDX-License-Identifier: Apache-2.0
"""Phone and address changed at the counter: only what changed is written, and what the hub has stays known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from node import contacts
from node.station import Station
from schema import crsqlite, database, ids
from schema.errors import Refusal, UnknownSubject
from tests.node.conftest import LONG_AGO

Person = Callable[[str], bytes]


def change(station: Station, person_id: bytes, **wanted: str | None) -> list[str]:
    with station.store.write() as db:
        return contacts.change(db, person_id, wanted, "3012", station.clock)


def versions(station: Station, person_id: bytes) -> dict[str, int]:
    with station.store.read() as db:
        return {c.column: c.col_version for c in crsqlite.cells_of(db, "contact", person_id)}


def acknowledge(station: Station) -> None:
    """As if the hub had signed for everything written so far."""
    with station.store.write() as db:
        upto = crsqlite.max_version(db, ["contact"])
        row = {"channel": "reg", "n": 2, "hash": bytes(32), "upto": upto, "items": 1, "built_at": LONG_AGO}
        database.insert(db, "outbox_frame", row | {"acked_at": LONG_AGO})


def test_only_the_cell_that_changed_gets_a_new_version(station: Station, person: Person) -> None:
    before = versions(station, person("张建国"))
    assert change(station, person("张建国"), phone="13857582046", address="张家路 4 号") == ["phone"]
    after = versions(station, person("张建国"))
    assert after["phone"] == before["phone"] + 1
    assert {k: v for k, v in after.items() if k != "phone"} == {k: v for k, v in before.items() if k != "phone"}


def test_a_person_without_contacts_gets_a_row_under_their_own_id(station: Station, person: Person) -> None:
    assert change(station, person("吕秀珍"), phone="13900000001", address="", address_village=None) == ["phone"]
    with station.store.read() as db:
        assert contacts.of(db, person("吕秀珍"))["phone"] == "13900000001"


def test_the_same_value_again_is_no_change(station: Station, person: Person) -> None:
    assert change(station, person("张建国"), phone="13857582064") == []
    with station.store.read() as db:
        assert contacts.unsent(db) == []


def test_an_unsent_change_shows_what_the_hub_has_even_after_a_second_one(station: Station, person: Person) -> None:
    change(station, person("张建国"), phone="13857582046")
    change(station, person("张建国"), phone="13857582047")
    with station.store.read() as db:
        edit = contacts.unsent_columns(db, person("张建国"))["phone"]
    assert (edit["before"], edit["operator_no"]) == ("13857582064", "3012")


def test_once_the_hub_has_signed_nothing_is_marked_and_the_next_change_starts_from_there(
    station: Station, person: Person
) -> None:
    change(station, person("张建国"), phone="13857582046")
    acknowledge(station)
    with station.store.read() as db:
        assert contacts.unsent_columns(db, person("张建国")) == {}
    change(station, person("张建国"), phone="13857582047")
    with station.store.read() as db:
        assert contacts.unsent_columns(db, person("张建国"))["phone"]["before"] == "13857582046"


def test_the_empty_cells_beside_a_new_row_are_nobodys_edit(station: Station, person: Person) -> None:
    change(station, person("吕秀珍"), phone="13900000001")
    with station.store.read() as db:
        waiting = contacts.unsent(db)
    assert [(edit["name"], edit["column"], edit["value"]) for edit in waiting] == [("吕秀珍", "phone", "13900000001")]


def test_clearing_a_cell_is_an_edit_and_is_shown(station: Station, person: Person) -> None:
    assert change(station, person("张建国"), phone="") == ["phone"]
    with station.store.read() as db:
        assert [(e["column"], e["value"], e["before"]) for e in contacts.unsent(db)] == [("phone", None, "13857582064")]


@pytest.mark.parametrize(
    "wanted",
    [{"phone": "not a number"}, {"phone": "1" * 21}, {"address": "甲" * 121}, {"address_village": "x"}, {"id": "x"},
     {"nope": "x"}],
)  # fmt: skip
def test_what_the_hubs_validator_would_refuse_is_refused_here_and_nothing_is_written(
    station: Station, person: Person, wanted: dict[str, Any]
) -> None:
    with pytest.raises(Refusal):
        change(station, person("张建国"), **wanted, note="also")
    with station.store.read() as db:
        assert contacts.unsent(db) == []


def test_somebody_not_in_the_register_is_refused(station: Station) -> None:
    with pytest.raises(UnknownSubject):
        change(station, ids.new_id(), phone="13900000001")
