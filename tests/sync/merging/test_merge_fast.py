# SPDX-License-Identifier: Apache-2.0
"""Edits that are plainly newer are merged without asking the extension, and come out as it has them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schema import crsqlite, database
from schema.database import Store
from sync.merging import merge
from sync.wire.codec import WireCell

KEY = bytes(32)
ROWS = [bytes([n]) * 16 for n in range(1, 7)]
COLUMNS = ("phone", "address", "note")


def all_seen(row: list[WireCell]) -> int:
    return 10**9

SITES = [bytes([n]) * 16 for n in (0x31, 0x32)]


@pytest.fixture(scope="module")
def beginning(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hub with rows of three authors, one of them deleted and one deleted and made anew."""
    path = tmp_path_factory.mktemp("merge") / "hub.db"
    store = Store(path, KEY, side="hub")
    with store.write() as db:
        for n, row_id in enumerate(ROWS[:5]):
            database.insert(db, "contact", {"id": row_id, "phone": f"0575-8300000{n}", "note": "甲"})
        for n in range(3):
            database.update(db, "contact", {"id": ROWS[0]}, {"phone": f"0575-8311111{n}"})
        db.execute("DELETE FROM contact WHERE id IN (?, ?)", (ROWS[3], ROWS[4]))
        database.insert(db, "contact", {"id": ROWS[4], "phone": "0575-83333333"})
    with store.merging() as db:
        crsqlite.apply(db, [merge.as_cell(WireCell("contact", ROWS[1], "note", "乙", 4, 1, 0))], SITES[1])
    store.close()
    return path


cells = st.builds(
    WireCell, st.just("contact"), st.sampled_from(ROWS), st.sampled_from(COLUMNS),
    st.sampled_from([None, "", "甲", "乙", "13900000001", "'; --", "长" * 40]), st.integers(1, 6),
    st.sampled_from([1, 1, 1, 3]), st.just(0),
)  # fmt: skip
frames = st.lists(cells, min_size=1, max_size=12, unique_by=lambda c: (c.row_id, c.column))


def merged(beginning: Path, folder: Path, found: list[WireCell], site: bytes, *, fast: bool) -> list[Any]:
    """Every cell as it stands afterwards, and how many won."""
    path = folder / f"{fast}.db"
    shutil.copy(beginning, path)
    store = Store(path, KEY, side="hub")
    rows = [[c for c in found if c.row_id == row_id] for row_id in ROWS]
    rows = [row for row in rows if row]
    with store.merging() as db:
        before = crsqlite.max_version(db, ["contact"])
        won = 0
        if fast:
            done = merge.overwrite(db, [r for r in rows if {c.causal_length for c in r} == {1}], all_seen, site)
            won = sum(len(row) for row in rows if ("contact", row[0].row_id) in done)
            rows = [row for row in rows if ("contact", row[0].row_id) not in done]
        won += merge.merge_rows(db, rows, site, lambda row: pytest.fail("no row here is poison"))
        changed = crsqlite.rows_changed_since(db, "contact", before)
    with store.write() as db:  # what is written here next is tracked, above all that came
        database.update(db, "contact", {"id": ROWS[2]}, {"note": "后来"})
        last = crsqlite.cells_of(db, "contact", ROWS[2])
        assert max(c.db_version for c in last if c.column == "note") == crsqlite.max_version(db, ["contact"])
        stands = [
            (c.row_id, c.column, c.value, c.col_version, c.causal_length, c.site)
            for row_id in ROWS
            for c in crsqlite.cells_of(db, "contact", row_id)
        ]
    store.close()
    return [won, changed, stands]


@settings(max_examples=40, deadline=None)
@given(found=frames, site=st.sampled_from(SITES))
def test_the_short_way_gives_what_the_extension_gives(
    beginning: Path, tmp_path_factory: pytest.TempPathFactory, found: list[WireCell], site: bytes
) -> None:
    folder = tmp_path_factory.mktemp("both")
    ways = [merged(beginning, folder, found, site, fast=fast) for fast in (True, False)]
    shutil.rmtree(folder)
    assert ways[0] == ways[1]


def test_plain_edits_do_go_the_short_way(
    beginning: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    apply = crsqlite.apply
    monkeypatch.setattr(crsqlite, "apply", lambda db, cells, site: apply(db, asked.extend(c := list(cells)) or c, site))
    plain = WireCell("contact", ROWS[0], "phone", "13900000001", 9, 1, 0)
    tie = WireCell("contact", ROWS[1], "phone", "13900000001", 1, 1, 0)
    merged(beginning, tmp_path, [plain, tie], SITES[0], fast=True)
    assert [c.row_id for c in asked] == [ROWS[1]]


def test_an_edit_of_somebody_else_that_the_author_had_not_seen_is_left_to_the_careful_way(beginning: Path) -> None:
    store = Store(beginning, KEY, side="hub")
    row = [WireCell("contact", ROWS[1], "phone", "13900000001", 9, 1, 0)]
    with store.read() as db:
        theirs = max(c.db_version for c in crsqlite.cells_of(db, "contact", ROWS[1]))
    with pytest.raises(ZeroDivisionError), store.merging() as db:
        assert merge.overwrite(db, [row], lambda row: theirs - 1, SITES[0]) == set()
        assert db.execute("SELECT 1 FROM crsql_site_id WHERE site_id = ?", (SITES[0],)).fetchone() is None
        assert merge.overwrite(db, [row], lambda row: theirs, SITES[0]) == {("contact", ROWS[1])}
        raise ZeroDivisionError  # the next test begins as this one did
    store.close()


@pytest.mark.parametrize("poison", [set(), {0}, {4}, {1, 2}, set(range(5))], ids=str)
def test_a_value_that_the_database_refuses_is_set_aside_on_the_short_way_too(make_store: Any, poison: set[int]) -> None:
    store = make_store("hub")
    ids_ = [bytes([0x40 + n]) * 16 for n in range(5)]
    with store.write() as db:
        for row_id in ids_:
            database.insert(db, "contact", {"id": row_id, "phone": "1"})
        marks = ", ".join(f"'bad {n}'" for n in poison) or "''"
        db.execute(
            f"CREATE TRIGGER poison BEFORE UPDATE ON contact WHEN NEW.phone IN ({marks}) "
            "BEGIN SELECT RAISE(ABORT, 'poison'); END"
        )
    rows = [[WireCell("contact", row_id, "phone", f"bad {n}", 2, 1, 0)] for n, row_id in enumerate(ids_)]
    named: list[Any] = []
    with store.merging() as db:
        done = merge.overwrite(db, rows, all_seen, SITES[0])
        assert len(done) == (0 if poison else 5)
        rest = [row for row in rows if ("contact", row[0].row_id) not in done]
        assert len(done) + merge.merge_rows(db, rest, SITES[0], named.append) == 5 - len(poison)
    assert {row[0].value for row in named} == {f"bad {n}" for n in poison}
    with store.read() as db:
        found = crsqlite.cells_of_rows(db, "contact", ids_)
    for n, row_id in enumerate(ids_):
        phone = next(c for c in found[row_id] if c.column == "phone")
        assert (phone.value, phone.col_version) == (("1", 1) if n in poison else (f"bad {n}", 2))
