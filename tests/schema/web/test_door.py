# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from schema import keys
from schema.clock import FixedClock
from schema.errors import Locked, NotAllowed, WrongKey, WrongPassword
from schema.web import door as door_module
from schema.web.door import MAX_FAILURES, Door
from schema.web.texts import Catalogue
from tests.schema.web.conftest import CHEAP, PASSWORD, MemoryStore, make_officer

TEXTS = Catalogue([Path(door_module.__file__).with_name("texts.toml")])


@pytest.fixture
def door(store: MemoryStore, clock: FixedClock) -> Door:
    return Door(store, clock, TEXTS, CHEAP)


def fail(door: Door, times: int, operator_no: str = "3012") -> list[str]:
    """Wrong passwords, and what was said to each."""
    said = []
    for _ in range(times):
        with pytest.raises((WrongPassword, Locked)) as refused:
            door.open(operator_no, "wrong")
        said.append(refused.value.zh)
    return said


def test_the_right_password_gives_the_officer_and_the_unlocked_key(door: Door) -> None:
    officer, key = door.open("3012", PASSWORD)
    assert officer.operator_no == "3012"
    assert key.public_key().public_bytes_raw() == officer.public_key


def test_each_failure_says_how_many_tries_are_left(door: Door) -> None:
    assert [text[:17] for text in fail(door, 4)] == [f"工号或密码不对，还可以试 {n} 次。" for n in (4, 3, 2, 1)]


def test_five_failures_lock_for_a_quarter_of_an_hour(door: Door, clock: FixedClock) -> None:
    assert "09:15" in fail(door, MAX_FAILURES)[-1]
    with pytest.raises(Locked):
        door.open("3012", PASSWORD)
    clock.advance(minutes=14, seconds=59)
    with pytest.raises(Locked):
        door.open("3012", PASSWORD)
    clock.advance(seconds=1)
    assert door.open("3012", PASSWORD)


def test_after_the_lock_there_are_five_tries_again(door: Door, clock: FixedClock) -> None:
    fail(door, MAX_FAILURES)
    clock.advance(minutes=15)
    assert "4" in fail(door, 1)[0]


def test_the_lock_survives_a_restart(door: Door, store: MemoryStore, clock: FixedClock) -> None:
    fail(door, MAX_FAILURES)
    with pytest.raises(Locked):
        Door(store, clock, TEXTS, CHEAP).open("3012", PASSWORD)


def test_a_success_forgets_the_failures(door: Door, store: MemoryStore) -> None:
    fail(door, 4)
    door.open("3012", PASSWORD)
    assert store.failures("3012").count == 0


def test_one_officers_failures_do_not_lock_another(door: Door) -> None:
    fail(door, MAX_FAILURES)
    assert door.open("2107", PASSWORD)


def test_a_clock_set_back_does_not_lengthen_the_lock(door: Door, clock: FixedClock) -> None:
    fail(door, MAX_FAILURES)
    clock.advance(days=-400)
    with pytest.raises(Locked):
        door.open("3012", PASSWORD)
    clock.advance(minutes=15)
    assert door.open("3012", PASSWORD)


def test_an_unknown_number_is_answered_like_a_known_one(door: Door) -> None:
    assert fail(door, 6, "9999") == fail(door, 6, "3012")


def test_an_unknown_number_costs_the_same_work(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    spent: list[tuple[object, ...]] = []
    real = keys.hash_secret_raw

    def counted(secret: bytes, salt: bytes, *cost: object) -> bytes:
        spent.append(cost)
        return real(secret, salt, *cost)

    monkeypatch.setattr(keys, "hash_secret_raw", counted)
    fail(door, 1, "3012")
    fail(door, 1, "9999")
    assert len(spent) == 2 and spent[0] == spent[1]


@pytest.mark.parametrize("operator_no", ["", "30 12", "3012\n", "'; --", "３０１２", "x" * 21])
def test_what_cannot_be_a_number_is_refused_and_not_stored(door: Door, store: MemoryStore, operator_no: str) -> None:
    with pytest.raises(WrongPassword):
        door.open(operator_no, PASSWORD)
    assert store.failed == {}


def test_a_disabled_officer_is_refused_with_the_date(door: Door, store: MemoryStore, clock: FixedClock) -> None:
    store.change("3012", disabled_on=clock.today())
    with pytest.raises(NotAllowed, match="2026-11-23"):
        door.open("3012", PASSWORD)


def test_only_who_knows_the_password_learns_that_a_number_is_disabled(door: Door, store: MemoryStore) -> None:
    store.change("3012", disabled_on=date(2026, 1, 1))
    with pytest.raises(WrongPassword):
        door.open("3012", "wrong")


def test_an_officer_to_be_disabled_tomorrow_still_works_today(
    door: Door, store: MemoryStore, clock: FixedClock
) -> None:
    store.change("3012", disabled_on=clock.today() + timedelta(days=1))
    assert door.open("3012", PASSWORD)


def test_a_key_that_is_not_the_officers_is_refused(door: Door, store: MemoryStore) -> None:
    store.change("3012", public_key=make_officer("3012").public_key)
    with pytest.raises(WrongKey):
        door.open("3012", PASSWORD)


def test_a_damaged_key_is_refused(door: Door, store: MemoryStore) -> None:
    store.change("3012", wrapped_key=b"damaged")
    with pytest.raises(WrongKey):
        door.open("3012", PASSWORD)


def test_a_change_of_password_keeps_the_key_and_takes_back_must_change(door: Door, store: MemoryStore) -> None:
    store.change("3012", must_change=True)
    before = store.officers["3012"]
    door.change(before, PASSWORD, "rain in Ganlin")
    officer, key = door.open("3012", "rain in Ganlin")
    assert not officer.must_change
    assert key.public_key().public_bytes_raw() == before.public_key


def test_guessing_the_old_password_at_the_change_page_locks_too(door: Door, store: MemoryStore) -> None:
    for _ in range(MAX_FAILURES - 1):
        with pytest.raises(WrongPassword):
            door.change(store.officers["3012"], "wrong", "rain in Ganlin")
    with pytest.raises(Locked):
        door.change(store.officers["3012"], "wrong", "rain in Ganlin")
    with pytest.raises(Locked):
        door.open("3012", PASSWORD)
