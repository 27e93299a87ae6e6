# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from schema import case


def test_every_move_leads_between_states_that_exist() -> None:
    assert set(case.MOVES) == set(case.STATES)
    assert {after for moves in case.MOVES.values() for after in moves} <= set(case.STATES)


def test_every_state_step_and_mode_has_both_languages() -> None:
    for words in (*case.STATES.values(), *case.STEPS.values(), *case.MODES.values(), *case.LEGAL.values()):
        assert words["zh"] and words["en"]


def test_the_four_steps_in_turn_lead_to_approval() -> None:
    steps = ("accept", "calculate", "review", "approve")
    done: list[str] = []
    state = "submitted"
    while (step := case.next_step(steps, done)) is not None:
        assert case.may_move(state, case.state_after(step))
        state = case.state_after(step)
        done.append(step)
    assert (tuple(done), state) == (steps, "approved")
    assert case.may_move(state, "effective")


def test_a_shorter_path_skips_what_it_does_not_have() -> None:
    assert case.next_step(("accept", "review"), ["accept"]) == "review"
    assert case.may_move("accepted", "reviewed")
    assert case.may_move("reviewed", "effective")


@pytest.mark.parametrize(
    ("before", "after"),
    [("effective", "returned"), ("paid", "effective"), ("rejected", "submitted"), ("draft", "accepted"),
     ("withdrawn", "submitted"), ("submitted", "paid"), ("no such state", "draft")],
)  # fmt: skip
def test_a_decided_case_does_not_go_back(before: str, after: str) -> None:
    assert not case.may_move(before, after)


def test_open_states_are_those_in_which_something_is_still_to_come() -> None:
    assert set(case.OPEN_STATES) == {s for s in case.STATES if "withdrawn" in case.MOVES[s]} - {"draft"}


def test_a_word_that_is_no_step_is_an_error() -> None:
    with pytest.raises(KeyError):
        case.state_after("pay")
