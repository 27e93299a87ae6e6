# SPDX-License-Identifier: Apache-2.0
"""The time in which a decision can be taken back: until it is signed, nothing of it has happened."""

from __future__ import annotations

from typing import Any

import pytest

from hub import cases, decision, review
from schema.clock import FixedClock
from schema.errors import WrongState
from sync.hub import publish
from tests.hub.county import (
    ACCEPT,
    ALL_FOUR,
    CLAIM,
    County,
    Desk,
)
from tests.hub.deciding import decide, state


def test_a_decision_waits_and_has_not_happened_yet(county: County, claim: bytes) -> None:
    decide(county, claim, ACCEPT, undo_s=20)
    assert state(county, claim) == ("submitted", "accept")
    assert county.one("SELECT count(*) FROM fact WHERE origin = 'hub'") == 0
    assert county.rows("SELECT officer, decision, sign_after FROM pending_decision") == [
        (ACCEPT, "agree", "2026-11-23T01:00:20.000Z")
    ]


def sign(county: County, officer: str, **which: Any) -> list[review.Signed]:
    return review.sign_pending(county.store, officer, county.keys[officer], county.hub.clock, **which)


def test_it_is_signed_when_its_time_is_over_and_not_before(county: County, claim: bytes, clock: FixedClock) -> None:
    decide(county, claim, ACCEPT, undo_s=20)
    clock.advance(seconds=19)
    assert sign(county, ACCEPT) == []
    clock.advance(seconds=1)
    assert [s.refused for s in sign(county, ACCEPT)] == [None]
    assert state(county, claim) == ("accepted", "calculate")
    assert sign(county, ACCEPT) == []


def test_a_decision_taken_back_never_happened(county: County, claim: bytes, clock: FixedClock) -> None:
    decide(county, claim, ACCEPT, "reject", "看错了", undo_s=20)
    review.take_back(county.store, claim, ACCEPT)
    clock.advance(minutes=1)
    assert sign(county, ACCEPT) == []
    assert state(county, claim) == ("submitted", "accept")


def test_a_signed_decision_cannot_be_taken_back(county: County, claim: bytes) -> None:
    decide(county, claim, ACCEPT, undo_s=20)
    sign(county, ACCEPT, all_of_them=True)
    with pytest.raises(WrongState, match="reversed"):
        review.take_back(county.store, claim, ACCEPT)


def test_nobody_takes_back_the_decision_of_another(county: County, claim: bytes) -> None:
    decide(county, claim, ACCEPT, undo_s=20)
    with pytest.raises(WrongState):
        review.take_back(county.store, claim, ALL_FOUR)
    assert county.one("SELECT count(*) FROM pending_decision") == 1


def test_going_to_the_next_case_signs_all_but_the_one_still_shown(county: County, desk: Desk) -> None:
    county.add_pensioner_to_be()
    county.add_pensioner_to_be("周二根", "19661106")
    first, second = desk.submit(CLAIM, "周建根"), desk.submit(CLAIM, "周二根")
    decide(county, first, ACCEPT, undo_s=20)
    decide(county, second, ACCEPT, undo_s=20)
    sign(county, ACCEPT, all_of_them=True, but_not=second)
    assert state(county, first) == ("accepted", "calculate")
    assert state(county, second) == ("submitted", "accept")


def test_while_one_officers_decision_waits_another_cannot_decide(county: County, claim: bytes) -> None:
    decide(county, claim, ACCEPT, undo_s=20)
    with pytest.raises(WrongState, match="2001"):
        decide(county, claim, ALL_FOUR, undo_s=20)


def test_an_officer_may_change_the_decision_while_it_waits(county: County, claim: bytes) -> None:
    decide(county, claim, ACCEPT, undo_s=20)
    decide(county, claim, ACCEPT, "reject", "不在册", undo_s=20)
    sign(county, ACCEPT, all_of_them=True)
    assert state(county, claim) == ("rejected", None)


def test_a_withdrawal_that_arrives_first_wins(county: County, desk: Desk, claim: bytes, clock: FixedClock) -> None:
    decide(county, claim, ACCEPT, undo_s=20)
    desk.deliver(desk.fact("case_withdrawn", claim, {"case_id": claim, "reason": "本人改主意"}))
    clock.advance(minutes=1)
    assert sign(county, ACCEPT) == []
    assert state(county, claim) == ("withdrawn", None)


def test_a_decision_that_can_no_longer_be_signed_is_dropped_and_reported(
    county: County, claim: bytes, clock: FixedClock
) -> None:
    decide(county, claim, ACCEPT, undo_s=20)
    with publish.transaction(county.store) as pub:
        pub.put("person", {"id": county.persons["周建根"], "life_status": "2", "died_on": "2026-11-22"})
    clock.advance(minutes=1)
    refused = sign(county, ACCEPT)[0].refused
    assert refused is not None and refused.code == "findings"
    with county.store.read() as db:
        assert decision.pending_on(db, claim) is None
        assert cases.load(db, claim).step == "accept"


def test_a_crash_leaves_it_pending_and_the_next_request_signs_it(
    county: County, claim: bytes, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide(county, claim, ACCEPT, undo_s=20)
    clock.advance(seconds=20)

    def power_cut(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(cases, "save", power_cut)
        with pytest.raises(KeyboardInterrupt):
            sign(county, ACCEPT)
    assert state(county, claim) == ("submitted", "accept")
    assert county.one("SELECT count(*) FROM pending_decision") == 1
    assert county.one("SELECT count(*) FROM fact WHERE origin = 'hub'") == 0
    sign(county, ACCEPT)
    assert state(county, claim) == ("accepted", "calculate")
