# SPDX-License-Identifier: Apache-2.0
"""Unexpected errors are told without what they quote."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from sync.faults import told


def test_kind_and_place_without_the_message() -> None:
    try:
        {}["张三 330683195501010011"]
    except KeyError as error:
        text = told(error)

    assert text.startswith("KeyError at test_faults.py:")
    assert "张三" not in text


def test_an_error_that_was_never_raised_has_no_place() -> None:
    assert told(ValueError("x")) == "ValueError"


def test_a_fact_that_fails_leaves_no_personal_data_in_the_log(world: Any, caplog: pytest.LogCaptureFixture) -> None:
    def intake(pub: Any, fact: Any) -> None:
        raise KeyError(fact.body["name"])

    world.intake = intake
    station = world.station()
    fact = station.state(name="张三")

    with caplog.at_level(logging.DEBUG):
        station.sync()

    assert fact.id.hex() in caplog.text
    assert "张三" not in caplog.text
