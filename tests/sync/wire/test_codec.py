# SPDX-License-Identifier: Apache-2.0
"""CBOR from a peer, and the columnar forms: what goes in comes out, and nothing hostile gets through."""

from __future__ import annotations

import tracemalloc
from typing import Any

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schema.errors import BadFrame
from sync.wire import codec
from sync.wire.codec import WireCell

ROW_IDS = [bytes([n]) * 16 for n in range(6)]
cells = st.lists(
    st.builds(
        WireCell,
        st.sampled_from(["contact", "visit"]),
        st.sampled_from(ROW_IDS),
        st.sampled_from(["phone", "note", "education"]),
        st.one_of(st.none(), st.text(max_size=8), st.integers(-(2**63), 2**63 - 1)),
        st.integers(0, 10**6),
        st.integers(1, 3),
        st.integers(0, 2**40),
    ),
    max_size=30,
    unique_by=lambda c: (c.table, c.row_id, c.column),
)
plain: Any = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.text(max_size=6), st.binary(max_size=6)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=4), inner, max_size=4)),
    max_leaves=12,
)


@settings(max_examples=200, derandomize=True)
@given(cells)
def test_cells_survive_the_columnar_form(found: list[WireCell]) -> None:
    assert sorted(codec.unpack_cells(codec.load(codec.dump(codec.pack_cells(found)))), key=repr) == sorted(
        found, key=repr
    )


def test_cells_of_one_row_come_out_together() -> None:
    found = [WireCell("contact", i, c, "1", 1, 1, 0) for c in ("note", "phone") for i in ROW_IDS]

    order = [c.row_id for c in codec.unpack_cells(codec.pack_cells(found))]

    assert order == [i for i in ROW_IDS for _ in range(2)]


def test_rows_survive_the_columnar_form() -> None:
    rows = {"unit": [{"id": ROW_IDS[0], "name": "甲", "rev": 1}, {"id": ROW_IDS[1], "name": None, "rev": 2}]}

    assert codec.unpack_rows(codec.load(codec.dump(codec.pack_rows(rows)))) == rows


@settings(max_examples=300, derandomize=True)
@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_bad_frame(data: bytes) -> None:
    try:
        codec.load(data)
    except BadFrame as error:
        assert error.code == "payload"


@settings(max_examples=300, derandomize=True)
@given(plain)
def test_no_content_raises_anything_but_bad_frame(content: Any) -> None:
    for read in (codec.unpack_cells, codec.unpack_rows, lambda data: codec.unrle(data, 3)):
        try:
            read(content)
        except BadFrame as error:
            assert error.code == "payload"


@pytest.mark.parametrize(
    "data",
    [
        b"\x9b\x7f\xff\xff\xff\xff\xff\xff\xff",
        b"\x5b\x7f\xff\xff\xff\xff\xff\xff\xff",
        b"\xbb\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x81" * 500 + b"\x00",
        b"\x9f\xff",
        b"\xc0\x60",
        b"\xd8\x23\x61(",
        b"\xf9\x7e\x00",
        b"\xfb\x7f\xf0\x00\x00\x00\x00\x00\x00",
        b"\xf7",
        b"\x62\xff\xff",
        b"\xa2\x61a\x01\x61a\x02",
        b"\xa1\x80\x01",
        b"\x00\x00",
        b"",
    ],
    ids=[
        "huge list", "huge bytes", "huge map", "deep", "endless list", "date tag", "pattern tag", "nan", "infinity",
        "undefined", "bad text", "doubled key", "list as key", "rest", "empty",
    ],
)  # fmt: skip
def test_what_no_honest_peer_sends_is_refused(data: bytes) -> None:
    with pytest.raises(BadFrame):
        codec.unpack_cells(codec.load(data))


def test_a_bomb_of_tiny_items_costs_no_memory() -> None:
    bomb = b"\x9a" + (4_000_000).to_bytes(4, "big") + b"\x80" * 4_000_000
    tracemalloc.start()

    with pytest.raises(BadFrame):
        codec.load(bomb)

    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


@pytest.mark.parametrize("runs", [[1, 2**40], [1, -1, 1, 4], [1, 0, 1, 3], [1], [1.0, 3], ["1", 3], {}], ids=repr)
def test_run_lengths_that_do_not_add_up_are_refused_before_they_are_expanded(runs: Any) -> None:
    with pytest.raises(BadFrame):
        codec.unrle(runs, 3)


def test_more_cells_than_a_frame_may_hold_are_refused() -> None:
    ids = [n.to_bytes(16, "big") for n in range(codec.MAX_CELLS // 2 + 1)]
    block = codec.pack_cells(WireCell("contact", i, c, None, 1, 1, 0) for c in ("note", "phone") for i in ids)

    with pytest.raises(BadFrame):
        codec.unpack_cells(block)


@settings(max_examples=200, derandomize=True)
@given(st.lists(st.one_of(st.none(), st.text(max_size=30), st.binary(max_size=30), st.integers(-(2**63), 2**63 - 1))))
def test_weight_is_never_less_than_the_encoded_size(values: list[Any]) -> None:
    assert codec.weight(values) >= sum(len(cbor2.dumps(v)) for v in values)
