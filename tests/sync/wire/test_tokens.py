# SPDX-License-Identifier: Apache-2.0
"""Tokens: an hour, one station, one epoch."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sync.wire import tokens

NOW = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
TOKEN = tokens.issue(b"secret", "0100-1", bytes(16), NOW)


def test_it_names_station_and_epoch_for_one_hour() -> None:
    assert tokens.check(b"secret", TOKEN, NOW + timedelta(hours=1)) == ("0100-1", bytes(16))
    assert tokens.check(b"secret", TOKEN, NOW + timedelta(hours=1, seconds=1)) is None


def test_another_secret_makes_other_tokens() -> None:
    assert tokens.check(b"other", TOKEN, NOW) is None


def test_no_changed_letter_passes() -> None:
    for place, letter in enumerate(TOKEN):
        changed = TOKEN[:place] + ("0" if letter != "0" else "1") + TOKEN[place + 1 :]
        assert tokens.check(b"secret", changed, NOW) is None


@pytest.mark.parametrize("text", ["", ".", "a.b.c.d", "字", TOKEN + "é", "0100-1." + "f" * 64])
def test_rubbish_is_no_token(text: str) -> None:
    assert tokens.check(b"secret", text, NOW) is None
