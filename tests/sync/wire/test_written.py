# SPDX-License-Identifier: Apache-2.0
"""Who wrote a cell and when: said by the station beside the cells, kept by the hub with the cell that stands."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schema.errors import BadFrame
from sync.wire import codec, written
from sync.wire.codec import WireCell
from sync.wire.written import Written

ROWS = [bytes([n]) * 16 for n in range(4)]
COLUMNS = ("phone", "note")
CELLS = [WireCell("contact", row, column, "1", 2, 1, 0) for row in ROWS for column in COLUMNS]
AT = "2026-11-20T01:00:00.000Z"
notes: Any = st.dictionaries(
    st.sampled_from([written.address(cell) for cell in CELLS]),
    st.builds(
        Written, st.sampled_from(["3001", "3002"]), st.integers(0, 59).map(lambda m: f"2026-11-20T01:{m:02d}:07.000Z")
    ),
)


@settings(max_examples=60, derandomize=True)
@given(notes)
def test_what_a_station_noted_arrives_and_of_other_cells_nothing(noted: dict[Any, Written]) -> None:
    packed = codec.pack_cells(CELLS)

    said = written.pack(packed, noted)

    assert written.unpack(packed, codec.load(codec.dump(said)) if said else None) == noted


def test_a_day_of_one_clerk_costs_a_few_bytes_a_row() -> None:
    cells = [WireCell("contact", n.to_bytes(16, "big"), "phone", "1", 2, 1, 0) for n in range(100)]
    noted = {written.address(c): Written("3001", f"2026-11-20T0{n // 60}:{n % 60:02d}:00.000Z")
             for n, c in enumerate(cells)}  # fmt: skip

    assert len(codec.dump(written.pack(codec.pack_cells(cells), noted))) < 4 * len(cells)


GOOD: dict[str, Any] = {"by": ["3001"], "at": {"contact": {"phone": [[0, 4], [1_700_000_000, 1, 5, 3]]}}}


def phones(*pair: Any) -> dict[str, Any]:
    return {"by": ["3001"], "at": {"contact": {"phone": list(pair)}}}


@pytest.mark.parametrize(
    "said",
    [
        [], {}, {"by": [], "at": {}}, GOOD | {"more": 1}, GOOD | {"by": [3001]}, GOOD | {"by": ["3" * 21]},
        GOOD | {"by": ["30\x0001"]}, GOOD | {"by": [""]}, GOOD | {"by": ["3001"] * 1001},
        GOOD | {"at": {"contact": []}}, GOOD | {"at": {"person": GOOD["at"]["contact"]}},
        GOOD | {"at": {"contact": {"address": [[0, 4], [1, 4]]}}}, phones([0, 4]), phones([1, 4], [1, 4]),
        phones([-2, 4], [1, 4]), phones([0, 3], [1, 4]), phones([0, 4], [-1, 4]), phones([0, 4], [2**40, 4]),
    ],
    ids=repr,
)  # fmt: skip
def test_anything_else_is_no_statement(said: Any) -> None:
    packed = codec.pack_cells(CELLS)
    assert written.unpack(packed, GOOD)

    with pytest.raises(BadFrame):
        written.unpack(packed, said)
