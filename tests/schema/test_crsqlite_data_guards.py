# SPDX-License-Identifier: Apache-2.0
"""The guards that concern what is written and how it is read: P6 to P8, P12, P14 to P17, P20 to P22.

As in `test_crsqlite_guards`: a scenario answers whether its promise held, and a test asserts that it holds with the
guard and does not without it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from sqlcipher3 import dbapi2 as sqlcipher

from schema import crsqlite, database, tables
from schema.crsqlite import ROW_SENTINEL, Cell
from schema.errors import BadFrame
from schema.table import Column, Table, id_, int_, text_
from sync.wire import codec, validator
from sync.wire.codec import WireCell

ROW, OTHER = b"r" * 16, b"o" * 16
PEER = b"p" * 16
OpenDb = Callable[[], database.Connection]


@pytest.fixture
def open_db(tmp_path: Path) -> Iterator[OpenDb]:
    opened = []

    def make() -> database.Connection:
        db = database.connect(tmp_path / f"{len(opened)}.db", bytes(32))
        opened.append(db)
        db.execute("CREATE TABLE probe (id BLOB NOT NULL PRIMARY KEY, v TEXT, w TEXT) STRICT")
        crsqlite.make_crr(db, "probe")
        return db

    yield make
    for db in opened:
        crsqlite.close(db)


def send(source: database.Connection, target: database.Connection, after: int) -> None:
    """What a station would push, merged at another database."""
    crsqlite.apply(target, list(crsqlite.changed_since(source, "probe", after, own_only=True)), PEER)


def values(db: database.Connection) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in db.execute("SELECT v, w FROM probe ORDER BY id")]


# --- P6 -----------------------------------------------------------------------------------------------------------


def peer_sees_no_row_of_nulls(db: database.Connection, peer: database.Connection) -> bool:
    db.execute("INSERT INTO probe (id, v, w) VALUES (?, '甲', '乙')", (ROW,))
    send(db, peer, 0)
    seen = crsqlite.max_version(db, ["probe"])
    with suppress(sqlcipher.IntegrityError):
        db.execute("UPDATE probe SET id = ?", (OTHER,))
    send(db, peer, seen)
    return values(peer) == [("甲", "乙")]


def test_p6_a_row_id_never_changes_or_peers_get_a_row_of_nulls(
    open_db: OpenDb, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert peer_sees_no_row_of_nulls(open_db(), open_db())
    monkeypatch.setattr(crsqlite.Guards, "fixed_keys", False)
    assert not peer_sees_no_row_of_nulls(open_db(), open_db())


# --- P7 -----------------------------------------------------------------------------------------------------------


def others_newer_value_survives_a_save(db: database.Connection, peer: database.Connection, save: Any) -> bool:
    """Here only `v` is changed, twice; meanwhile the peer changed `w`, once."""
    db.execute("INSERT INTO probe (id, v, w) VALUES (?, '甲', '旧')", (ROW,))
    send(db, peer, 0)
    seen = crsqlite.max_version(db, ["probe"]), crsqlite.max_version(peer, ["probe"])
    save(db, {"v": "丙", "w": "旧"})
    save(db, {"v": "丁", "w": "旧"})
    database.update(peer, "probe", {"id": ROW}, {"w": "新"})
    send(db, peer, seen[0])
    return values(peer) == [("丁", "新")]


def replace_row(db: database.Connection, row: dict[str, str]) -> None:
    """What an ORM does."""
    db.execute("INSERT OR REPLACE INTO probe (id, v, w) VALUES (?, ?, ?)", (ROW, row["v"], row["w"]))


def test_p7_saving_a_form_never_overwrites_a_cell_that_somebody_else_changed(open_db: OpenDb) -> None:
    def update(db: database.Connection, row: dict[str, str]) -> None:
        database.update(db, "probe", {"id": ROW}, dict(row))

    assert others_newer_value_survives_a_save(open_db(), open_db(), update)
    assert not others_newer_value_survives_a_save(open_db(), open_db(), replace_row)


# --- P8 -----------------------------------------------------------------------------------------------------------


def edits_survive_a_station_that_deletes(db: database.Connection, judge: Callable[[WireCell], str]) -> bool:
    """The hub has many edits of the row; a station pushes one delete."""
    db.execute("INSERT INTO probe (id, v) VALUES (?, '甲')", (ROW,))
    for n in range(5):
        db.execute("UPDATE probe SET v = ? WHERE id = ?", (f"乙{n}", ROW))
    deletion = WireCell("contact", ROW, ROW_SENTINEL, None, 2, 2, 0)
    if not judge(deletion):
        crsqlite.apply(db, [Cell("probe", ROW, ROW_SENTINEL, None, 2, 1, 2, None)], PEER)
    return values(db) == [("乙4", None)]


def test_p8_a_station_deletes_no_row_however_it_asks(open_db: OpenDb) -> None:
    assert edits_survive_a_station_that_deletes(open_db(), lambda cell: validator.bad_cell(cell, from_node=True))
    assert not edits_survive_a_station_that_deletes(open_db(), lambda cell: "")


@pytest.mark.parametrize(("column", "length"), [("phone", 2), ("phone", 4), (ROW_SENTINEL, 3)])
def test_p8_every_spelling_of_a_delete_is_refused(column: str, length: int) -> None:
    assert validator.bad_cell(WireCell("contact", ROW, column, None, length, length, 0), from_node=True)


# --- P12 ----------------------------------------------------------------------------------------------------------


def table_works_after_a_new_column(db: database.Connection) -> bool:
    db.execute("INSERT INTO probe (id, v) VALUES (?, '甲')", (ROW,))
    before = crsqlite.max_version(db, ["probe"])
    db.execute("BEGIN IMMEDIATE")
    with crsqlite.altering(db, "probe"):
        db.execute("ALTER TABLE probe ADD COLUMN x TEXT")
    db.execute("COMMIT")
    try:
        db.execute("UPDATE probe SET v = '乙', x = '丙' WHERE id = ?", (ROW,))
    except sqlcipher.Error:
        return False
    found = crsqlite.changed_since(db, "probe", before, own_only=True)
    return {(c.column, c.value) for c in found} == {("v", "乙"), ("x", "丙")}


def test_p12_a_crdt_table_is_altered_with_notice_or_its_edits_fail(
    open_db: OpenDb, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert table_works_after_a_new_column(open_db())
    monkeypatch.setattr(crsqlite.Guards, "announced_alter", False)
    assert not table_works_after_a_new_column(open_db())


def new_column_reaches_peers(db: database.Connection, *, filled_inside: bool) -> bool:
    db.execute("INSERT INTO probe (id, v) VALUES (?, '甲')", (ROW,))
    before = crsqlite.max_version(db, ["probe"])
    db.execute("BEGIN IMMEDIATE")
    with crsqlite.altering(db, "probe"):
        db.execute("ALTER TABLE probe ADD COLUMN x TEXT")
        if filled_inside:
            db.execute("UPDATE probe SET x = '丙'")
    db.execute("COMMIT")
    if not filled_inside:
        db.execute("UPDATE probe SET x = '丙'")
    return [c.value for c in crsqlite.changed_since(db, "probe", before, own_only=True)] == ["丙"]


def test_p12_a_new_column_is_filled_after_the_alteration_or_peers_never_get_it(open_db: OpenDb) -> None:
    assert new_column_reaches_peers(open_db(), filled_inside=False)
    assert not new_column_reaches_peers(open_db(), filled_inside=True)


# --- P14 ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [0, 127, 128, 255, 256, 32768, -1, -129, 2**62, b"k" * 127, b"k" * 128, b"k" * 256])
def test_p14_the_built_extension_packs_keys_without_changing_their_sign(open_db: OpenDb, key: int | bytes) -> None:
    sql = "SELECT cell FROM crsql_unpack_columns WHERE package = crsql_pack_columns(?)"
    assert open_db().execute(sql, (key,)).fetchone()[0] == key


def test_p14_the_only_key_form_in_use_has_one_length_byte_below_128(open_db: OpenDb) -> None:
    high = bytes(range(240, 256))
    assert bytes(open_db().execute("SELECT crsql_pack_columns(?)", (high,)).fetchone()[0]) == crsqlite.pack_id(high)
    for length in (15, 17, 128):
        with pytest.raises(ValueError, match="16 bytes"):
            crsqlite.pack_id(b"k" * length)


# --- P15 ----------------------------------------------------------------------------------------------------------


def does_not_belong_in_a_crdt(table: Table) -> list[str]:
    """Columns that cost a clock row per cell for nothing, or that no merge may decide."""
    wrong = [c.name for c in table.columns if c.name not in table.key and not c.nodes_write]
    return wrong + [c.name for c in table.columns if c.name.endswith("_fen") or c.name in NEVER_MERGED]


NEVER_MERGED = {"id_number", "name", "birth_on", "life_status", "account_no", "state", "balance_fen"}


@pytest.mark.parametrize("table", [t.name for t in tables.REGISTRY])
def test_p15_a_registry_table_holds_only_what_many_may_write_and_a_merge_may_decide(table: str) -> None:
    assert does_not_belong_in_a_crdt(tables.TABLES[table]) == []


@pytest.mark.parametrize("column", [int_("wage_fen"), text_("name"), Column("score", "int")])
def test_p15_money_names_and_the_hubs_own_columns_would_be_noticed(column: Column) -> None:
    assert does_not_belong_in_a_crdt(Table("t", "registry", "both", "", ("id",), (id_("id"), column)))


# --- P16 ----------------------------------------------------------------------------------------------------------


def a_frame_of_too_many_cells_is_refused() -> bool:
    cells = [
        WireCell("contact", n.to_bytes(16, "big"), column, "1", 1, 1, 0)
        for n in range(codec.MAX_ITEMS // 40)
        for column in ("phone", "address", "education", "note")
    ]
    try:
        codec.unpack_cells(codec.pack_cells(cells))
    except BadFrame:
        return True
    return False


def test_p16_no_frame_holds_more_cells_than_one_transaction_should_merge(monkeypatch: pytest.MonkeyPatch) -> None:
    assert a_frame_of_too_many_cells_is_refused()
    monkeypatch.setattr(codec, "MAX_CELLS", 10**6)
    assert not a_frame_of_too_many_cells_is_refused()


# --- P17 ----------------------------------------------------------------------------------------------------------


def a_text_is_not_taken_for_a_number(db: database.Connection, ddl: str) -> bool:
    """A peer's text in a whole-number column: it stays a text, and no comparison with a number is right again."""
    db.execute(ddl)
    try:
        db.execute("INSERT INTO counted (id, n) VALUES (?, 'seven')", (ROW,))
    except sqlcipher.IntegrityError:
        return True
    return False


def test_p17_tables_are_strict_or_they_keep_any_type(open_db: OpenDb) -> None:
    columns = (id_("id"), Column("n", "int", nodes_write=True))
    ddl = Table("counted", "registry", "both", "", ("id",), columns).ddl()[0]
    assert a_text_is_not_taken_for_a_number(open_db(), ddl)
    assert not a_text_is_not_taken_for_a_number(open_db(), ddl.removesuffix(" STRICT"))


@pytest.mark.parametrize("value", [7, 7.0, True, b"7", ["7"]])
def test_p17_a_value_of_another_type_never_reaches_a_text_cell(value: object) -> None:
    assert validator.bad_cell(WireCell("contact", ROW, "phone", value, 1, 1, 0), from_node=True) == "type"
    assert validator.bad_cell(WireCell("contact", ROW, "phone", value, 1, 1, 0), from_node=False) == "type"


@pytest.mark.parametrize("raw", [b"\xfb\x3f\xf0\x00\x00\x00\x00\x00\x00", b"\xf9\x3c\x00", b"\xc2\x41\x07"])
def test_p17_the_codec_reads_neither_floats_nor_tagged_numbers(raw: bytes) -> None:
    with pytest.raises(BadFrame):
        codec.load(raw)


# --- P21, P22 -----------------------------------------------------------------------------------------------------


def machine_steps(db: database.Connection, act: Callable[[], object]) -> int:
    """How many instructions of SQLite's machine the reading took: the same on every computer."""
    count = [0]

    def tick() -> int:
        count[0] += 1
        return 0

    db.set_progress_handler(tick, 1)
    try:
        act()
    finally:
        db.set_progress_handler(None, 1)
    return count[0]


def test_p21_one_rows_cells_cost_the_same_in_a_large_table(open_db: OpenDb) -> None:
    db = open_db()
    db.execute("INSERT INTO probe (id, v) VALUES (?, '甲')", (ROW,))

    def ours() -> object:
        return crsqlite.cells_of(db, "probe", ROW)

    def naive() -> object:
        sql = 'SELECT * FROM crsql_changes WHERE "table" = ? AND pk = ?'
        return db.execute(sql, ("probe", crsqlite.pack_id(ROW))).fetchall()

    alone = machine_steps(db, ours), machine_steps(db, naive)
    db.executemany("INSERT INTO probe (id, v) VALUES (?, '乙')", [(n.to_bytes(16, "big"),) for n in range(300)])
    assert machine_steps(db, ours) < 2 * alone[0]
    assert machine_steps(db, naive) > 10 * alone[1]


def test_p22_own_changes_are_those_of_this_databases_site_and_never_of_a_null_one(open_db: OpenDb) -> None:
    db = open_db()
    db.execute("INSERT INTO probe (id, v) VALUES (?, '甲')", (ROW,))
    crsqlite.apply(db, [Cell("probe", OTHER, "v", "乙", 1, 1, 1, None)], PEER)
    assert {c.row_id for c in crsqlite.changed_since(db, "probe", 0, own_only=True)} == {ROW}
    assert db.execute("SELECT count(*) FROM crsql_changes WHERE site_id IS NULL").fetchone()[0] == 0
