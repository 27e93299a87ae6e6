# SPDX-License-Identifier: Apache-2.0
"""When the other side says to come back, in either form HTTP has for it."""

from __future__ import annotations

import pytest

from sync.station.report import LONGEST_WAIT_S, retry_after_s

DATE = "Mon, 23 Nov 2026 01:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"retry-after": "30"}, 30),
        ({"retry-after": "Mon, 23 Nov 2026 01:02:00 GMT", "date": DATE}, 120),
        ({"retry-after": "Mon, 23 Nov 2026 00:59:00 GMT", "date": DATE}, 0),
        ({"retry-after": "Mon, 23 Nov 2099 01:02:00 GMT", "date": DATE}, LONGEST_WAIT_S),
        ({"retry-after": "9" * 400}, LONGEST_WAIT_S),
        ({"retry-after": "Mon, 23 Nov 2026 01:02:00 GMT"}, None),
        ({"retry-after": "Mon, 23 Nov 2026 01:02:00", "date": DATE}, None),
        ({"retry-after": "soon", "date": DATE}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "３０"}, None),
        ({"retry-after": ""}, None),
        ({}, None),
    ],
)
def test_retry_after(headers: dict[str, str], expected: int | None) -> None:
    assert retry_after_s(headers) == expected
