# SPDX-License-Identifier: Apache-2.0
"""The bytes of a snapshot hold every row of the slices and nothing else, and are refused whole when anything is off."""

from __future__ import annotations

import contextlib
import functools
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema import crsqlite, tables
from schema.errors import BadFrame
from sync.hub import publish
from sync.snapshot import file as snapshot_file
from sync.wire import codec
from sync.wire.transport import InProcess
from tests.sync.county import TOWNSHIP, World
from tests.sync.rich import settle

OTHER = "330683101"


def content(data: bytes) -> dict[str, list[tuple[Any, ...]]]:
    """table -> its rows, registry rows with all their clocks."""
    out: dict[str, list[tuple[Any, ...]]] = {}
    for table, columns in snapshot_file.read(data, "township"):
        kind = snapshot_file.installed_rows if table.kind == "registry" else snapshot_file.rows_of
        out.setdefault(table.name, []).extend(tuple(row) for row in kind(table, columns))
    return out


def written(world: Any, *wanted: str) -> bytes:
    with world.hub.read() as db:
        return snapshot_file.write(db, wanted or (TOWNSHIP,))[0]


def test_every_reference_row_of_the_slices_comes_back_as_it_was(world: Any) -> None:
    settle(world)
    settle(world, 4)
    stranger = world.person(village=OTHER + "201", household_id=None)
    found = content(written(world))
    for table in snapshot_file.tables_of("township"):
        if table.kind == "reference":
            stored = world.rows(f"SELECT * FROM {table.name}")
            expected = [row for row in stored if stranger not in row]
            assert sorted(found.get(table.name, []), key=repr) == sorted(expected, key=repr), table.name


def test_registry_rows_come_with_every_clock(world: Any) -> None:
    persons = settle(world)
    with world.hub.read() as db:
        hub = crsqlite.site_id(db)
        cells = crsqlite.cells_of_rows(db, "contact", persons)
    found = {row[0]: row for row in content(written(world))["contact"]}
    assert set(found) == {row_id for row_id, stored in cells.items() if stored}
    names = tables.TABLES["contact"].names[1:]
    for row_id, (_, values, versions, sites, length, deleter) in found.items():
        stored = {c.column: c for c in cells[row_id]}
        sentinel = stored.pop(crsqlite.ROW_SENTINEL, None)
        assert length == (sentinel.causal_length if sentinel else 1)
        assert deleter == ((sentinel.site or hub) if sentinel and length > 1 else None)
        for name, *got in zip(names, values, versions, sites, strict=True):
            cell = stored.get(name)
            assert tuple(got) == ((cell.value, cell.col_version, cell.site or hub) if cell else (None, None, None))


def test_a_person_of_two_slices_counts_once_and_one_of_another_not_at_all(world: Any) -> None:
    here, both, there = world.person(), world.person(), world.person(village=OTHER + "201")
    with publish.transaction(world.hub) as pub:
        pub.place(both, [OTHER])
    assert {row[0] for row in content(written(world))["person"]} == {here, both}
    assert len(content(written(world, TOWNSHIP, OTHER))["person"]) == 3
    assert {row[0] for row in content(written(world, OTHER))["person"]} == {both, there}


def test_sections_follow_each_other_without_losing_a_row(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settle(world)
    whole = content(written(world))
    monkeypatch.setattr(snapshot_file, "ROWS_IN_A_SECTION", 7)
    assert content(written(world)) == whole


def test_what_follows_by_rule_costs_nothing_per_row(world: Any) -> None:
    """Birth date, sex, holder, ids of rows that the hub makes for a person: only dirt costs."""
    clean = [world.person(id_number=f"33068319550101{n:03d}X", sex="1" if n % 2 else "2") for n in range(200)]
    with publish.transaction(world.hub) as pub:
        for person in clean:
            pub.put("bank_account", {"person_id": person, "bank": "农商银行", "account_no": "1", "holder": "测试甲"})
    before = len(written(world))
    with publish.transaction(world.hub) as pub:
        for person in clean[1:]:
            pub.put(
                "bank_account", {"person_id": person, "bank": "农商银行", "account_no": "1", "holder": person.hex()}
            )
    assert len(written(world)) > before + 16 * len(clean)


@functools.cache
def example(folder: Path) -> bytes:
    world = World(folder, InProcess)
    try:
        settle(world, 12)
        return written(world)
    finally:
        world.close()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return example(tmp_path_factory.mktemp("snapshot"))


def read_or_refused(data: bytes) -> None:
    with contextlib.suppress(BadFrame):
        content(data)


@given(draw=st.data())
def test_a_changed_byte_is_read_or_refused_and_nothing_else(data: bytes, draw: st.DataObject) -> None:
    changed = bytearray(data)
    changed[draw.draw(st.integers(0, len(data) - 1))] ^= draw.draw(st.integers(1, 255))
    read_or_refused(bytes(changed))


@given(draw=st.data())
def test_a_section_with_one_piece_replaced_is_read_or_refused(data: bytes, draw: st.DataObject) -> None:
    """Behind the signature of a hub gone wrong: well-formed CBOR, any content."""
    sections = split(data)
    section = draw.draw(st.sampled_from(sections))
    column = draw.draw(st.integers(0, len(section[2]) - 1))
    value = st.one_of(
        st.none(), st.integers(-(2**40), 2**40), st.binary(max_size=20), st.lists(st.integers(-9, 9), max_size=4)
    )
    where = draw.draw(st.sampled_from(["column", "part", "rows", "table"]))
    if where == "column":
        section[2][column] = draw.draw(value)
    elif where == "part":
        section[2][column][draw.draw(st.integers(0, len(section[2][column]) - 1))] = draw.draw(value)
    else:
        section[where == "rows"] = draw.draw(
            st.one_of(value, st.sampled_from(["contact", "person", "fact", "setting"]))
        )
    read_or_refused(join(sections))


def split(data: bytes) -> list[Any]:
    out, position = [], 0
    while position < len(data):
        end = position + 4 + int.from_bytes(data[position : position + 4], "big")
        out.append(codec.load(data[position + 4 : end]))
        position = end
    return out


def join(sections: list[Any]) -> bytes:
    packed = [codec.dump(section) for section in sections]
    return b"".join(len(p).to_bytes(4, "big") + p for p in packed)


@pytest.mark.parametrize(
    ("table", "column", "value", "code"),
    [
        ("person", "rev", [0, -1], "range"), ("person", "rev", [0, None], "range"), ("person", "name", [0, 7], "type"),
        ("person", "name", [0, None], "null"), ("person", "id", [0, None], "null"),
        ("person", "id", [0, b"x"], "length"), ("contact", "\0length", [0, 2000], "range"),
        ("contact", "phone\0version", [0, -1], "range"), ("contact", "phone\0version", [0, 10**7], "range"),
        ("contact", "phone\0author", [0, b"x"], "payload"), ("contact", "phone\0author", [0, None], "payload"),
        ("contact", "\0length", [0, 0], "range"), ("contact", "\0length", [0, "1"], "payload"),
        ("contact", "\0deleter", [0, b"x" * 16], "payload"),
    ],
)  # fmt: skip
def test_what_no_station_takes_in_a_page_it_does_not_take_here(
    data: bytes, table: str, column: str, value: Any, code: str
) -> None:
    sections = split(data)
    declared = tables.TABLES[table]
    names = list(snapshot_file.column_names(declared))
    next(s for s in sections if s[0] == table)[2][names.index(column)] = value
    with pytest.raises(BadFrame) as caught:
        content(join(sections))
    assert caught.value.code == code


@pytest.mark.parametrize("cut", [1, 3, 5, 100])
def test_a_cut_file_is_refused(data: bytes, cut: int) -> None:
    with pytest.raises(BadFrame):
        content(data[:-cut])


@pytest.mark.parametrize("table", ["fact", "setting", "division", "no_such_table"])
def test_a_table_of_another_family_is_refused(data: bytes, table: str) -> None:
    with pytest.raises(BadFrame):
        content(data + join([[table, 1, [[0, None]]]]))
