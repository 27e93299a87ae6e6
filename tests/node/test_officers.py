# SPDX-License-Identifier: Apache-2.0
"""Officers log in offline; a password changed here holds at once, until the hub says otherwise."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Flask

from node.officers import StationOfficers, names, subject_of
from node.station import Station
from schema import database, events, keys
from tests.node.conftest import CHEAP, PASSWORD, STATION, Counter

NEW = "a brand new sentence 7"


@pytest.fixture
def officers(station: Station, officer_keys: dict[str, tuple[bytes, bytes]]) -> Callable[[str], StationOfficers]:
    """The store as it is when that officer is logged in."""

    def of(operator_no: str) -> StationOfficers:
        key = keys.unwrap(officer_keys[operator_no][1], PASSWORD)
        return StationOfficers(station.store, STATION, station.clock, lambda: key)

    return of


Officers = Callable[[str], StationOfficers]


def rewrapped(officers: StationOfficers, operator_no: str, old: str, new: str) -> bytes:
    """Change the password as the page does; returns the new blob."""
    officer = officers.find(operator_no)
    assert officer
    blob = keys.rewrap(officer.wrapped_key, old, new, CHEAP)
    officers.rewrap(operator_no, blob)
    return blob


def opens(officers: StationOfficers, operator_no: str, password: str) -> bool:
    officer = officers.find(operator_no)
    assert officer
    try:
        return isinstance(keys.unwrap(officer.wrapped_key, password), Ed25519PrivateKey)
    except keys.WrongPassword:
        return False


def publish(here: Station, operator_no: str, /, **columns: object) -> None:
    """What a pull brings."""
    with here.store.write() as db:
        database.update(db, "officer", {"operator_no": operator_no}, columns)


def test_the_first_password_must_be_changed_and_the_new_one_opens_at_once_offline(app: Flask) -> None:
    at = Counter(app.test_client())
    at.get("/login")
    at.post("/login", {"operator_no": "3019", "password": PASSWORD})
    assert at.get("/").headers["Location"] == "/password"
    at.get("/password")
    assert at.post("/password", {"old": PASSWORD, "new": NEW, "again": NEW}).status_code == 302
    assert at.get("/").status_code == 200
    later = Counter(app.test_client())
    assert later.log_in("3019").status_code == 422
    assert later.log_in("3019", NEW).status_code == 302
    assert later.get("/").status_code == 200


def test_a_change_of_password_is_a_fact_the_officer_signed(station: Station, officers: Officers) -> None:
    blob = rewrapped(officers("3012"), "3012", PASSWORD, NEW)
    with station.store.read() as db:
        (fact,) = events.of_subject(db, subject_of("3012"))
        public = db.execute("SELECT public_key FROM officer WHERE operator_no = '3012'").fetchone()[0]
    fact.verify(bytes(public))
    assert (fact.kind, fact.officer) == ("officer_key_changed", "3012")
    assert fact.body == {"operator_no": "3012", "wrapped_key": blob}


def test_the_hubs_row_is_not_touched_so_that_both_sides_stay_equal(station: Station, officers: Officers) -> None:
    with station.store.read() as db:
        before = tuple(db.execute("SELECT * FROM officer WHERE operator_no = '3012'").fetchone())
    rewrapped(officers("3012"), "3012", PASSWORD, NEW)
    with station.store.read() as db:
        assert tuple(db.execute("SELECT * FROM officer WHERE operator_no = '3012'").fetchone()) == before


def test_two_changes_before_the_hub_knows_hold_even_when_it_publishes_the_first(
    station: Station, officers: Officers
) -> None:
    first = rewrapped(officers("3012"), "3012", PASSWORD, NEW)
    rewrapped(officers("3012"), "3012", NEW, NEW + " again")
    assert opens(officers("3012"), "3012", NEW + " again")
    publish(station, "3012", wrapped_key=first)
    assert opens(officers("3012"), "3012", NEW + " again") and not opens(officers("3012"), "3012", NEW)


def test_a_reset_by_an_administrator_wins_over_a_change_made_here(
    station: Station, officers: Officers, officer_keys: dict[str, tuple[bytes, bytes]]
) -> None:
    rewrapped(officers("3012"), "3012", PASSWORD, NEW)
    reset = keys.rewrap(officer_keys["3012"][1], PASSWORD, "set by somebody else 1", CHEAP)
    publish(station, "3012", wrapped_key=reset, must_change=1)
    assert opens(officers("3012"), "3012", "set by somebody else 1") and not opens(officers("3012"), "3012", NEW)
    found = officers("3012").find("3012")
    assert found and found.must_change


def test_a_disabled_officer_is_out_at_the_next_click(station: Station, counter: Counter) -> None:
    publish(station, "3012", disabled_on="2026-11-23")
    assert counter.get("/").headers["Location"].startswith("/login")
    assert "已停用" in counter.log_in().text


def test_an_officer_of_another_station_does_not_exist_here(station: Station, visitor: Counter) -> None:
    publish(station, "3007", station="0100-2")
    answer = visitor.log_in("3007")
    assert answer.status_code == 422 and "工号或密码不对" in answer.text


def test_five_wrong_passwords_lock_the_number_even_after_a_restart(
    station: Station, app: Flask, visitor: Counter
) -> None:
    for _ in range(5):
        last = visitor.log_in("3012", "wrong")
    assert "到 09:15 才能再登录" in last.text
    with station.store.read() as db:
        assert db.execute("SELECT failures FROM login_attempt WHERE operator_no = '3012'").fetchone()[0] == 5
    assert Counter(app.test_client()).log_in().status_code == 422


def test_lists_know_the_name_of_everybody(station: Station) -> None:
    with station.store.read() as db:
        assert names(db)["3012"] == "王丽萍"
