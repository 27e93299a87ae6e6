# SPDX-License-Identifier: Apache-2.0
"""The bytes of a snapshot: all rows of one family of slices, table by table, each table column by column.

    snapshot := section...
    section  := u32 length | CBOR [table, rows, [column...]]
    column   := a column of `snapshot_columns`
              | [6, column of whole numbers, except]    ids: each one's place in its table, minus the place before it
              | [7, except]                             what follows by rule from the other columns (`snapshot_rules`)
    except   := [n, column of n steps, column of n values]: at these places stand these values; n may be 0

Households come first, then persons, household by household, so that who lives together stands together; the rows of
everybody else follow in the order of their persons. A registry table has, behind the values, one column each for
col_version and author of every value, the causal length, and who deleted or restored the row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any

from schema import crsqlite_rows, ids, tables
from schema.crsqlite_rows import InstalledRow
from schema.table import Table
from sync import slices
from sync.snapshot.columns import Budget, pack, require, unpack
from sync.snapshot.rules import LISTED, RULES, Columns, Known, referred
from sync.wire import codec, validator

REFERENCE, RULE = 6, 7
MAX_SECTION = 8 * 1024 * 1024
ROWS_IN_A_SECTION = 20_000
_ORDER = {"household": "t.village, t.id", "person": "t.village, t.household_id, t.id"}
_LENGTH, _DELETER = "\0length", "\0deleter"


def tables_of(family: str) -> list[Table]:
    """The tables of a family in the order of a snapshot."""
    found = [t for t in (*tables.REGISTRY, *tables.REFERENCE) if slices.family_of_table(t.name) == family]
    return sorted(found, key=lambda t: (LISTED.index(t.name) if t.name in LISTED else len(LISTED), t.name))


# --- hub ----------------------------------------------------------------------------------------------------------


def write(db: Any, wanted: tuple[str, ...]) -> tuple[bytes, dict[str, int]]:
    """(bytes, rows by table) of what a station of these slices of one family should hold; `db` is in a transaction."""
    out: list[bytes] = []
    counts: dict[str, int] = {}
    known = Known()
    db.execute("DROP TABLE IF EXISTS temp.placed")
    db.execute("CREATE TEMP TABLE placed (place INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE)")
    for table in tables_of(slices.family(wanted[0])):
        for columns in _columns(db, table, wanted):
            if table.name == "person":
                db.executemany("INSERT INTO temp.placed (id) VALUES (?)", ((row_id,) for row_id in columns["id"]))
            known.add(table.name, columns)
            out.append(section(table, columns, known))
            counts[table.name] = counts.get(table.name, 0) + len(columns[table.key[0]])
        if table.name == "person":
            _place_the_rest(db, wanted)
    db.execute("DROP TABLE temp.placed")
    return b"".join(out), counts


def _place_the_rest(db: Any, wanted: tuple[str, ...]) -> None:
    """Members that are no persons (a vacancy) come behind them."""
    marks = ", ".join("?" * len(wanted))
    db.execute(
        "INSERT OR IGNORE INTO temp.placed (id) SELECT person_id FROM slice_member "
        f"WHERE slice IN ({marks}) ORDER BY person_id",
        wanted,
    )


def section(table: Table, columns: Columns, known: Known) -> bytes:
    """Rows of one table; those of listed tables are in `known` already."""
    body = codec.dump([table.name, len(columns[table.key[0]]), _pack_section(table, columns, known)])
    return len(body).to_bytes(4, "big") + body


def _columns(db: Any, table: Table, wanted: tuple[str, ...]) -> Iterator[Columns]:
    """The table's rows in blocks, as columns."""
    if table.kind == "registry":
        # Every person's, asked by id: of a row that was deleted for good only its clock is left.
        found = db.execute("SELECT id FROM temp.placed ORDER BY place")
        while block := found.fetchmany(ROWS_IN_A_SECTION):
            if (columns := _with_clocks(db, table, [bytes(row[0]) for row in block]))["id"]:
                yield columns
        return
    found = db.execute(*_selection(table, wanted))
    while rows := found.fetchmany(ROWS_IN_A_SECTION):
        yield dict(zip(table.names, map(list, zip(*rows, strict=True)), strict=True))


def _selection(table: Table, wanted: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """SQL and its values for the reference rows of the slices, in the order of the file."""
    marks, owner = ", ".join("?" * len(wanted)), slices.person_column(table)
    columns = ", ".join(f"t.{name}" for name in table.names)
    key = ", ".join(f"t.{name}" for name in table.key)
    if owner and table.name != "person":  # CROSS JOIN: one walk through the persons instead of a sort
        joined = f"temp.placed p CROSS JOIN {table.name} t ON t.{owner} = p.id"
        return f"SELECT {columns} FROM {joined} ORDER BY p.place, {key}", ()
    of_slices = f"{slices.expression(table.name, 't.')} IN ({marks})" if not owner else (
        f"t.id IN (SELECT person_id FROM slice_member WHERE slice IN ({marks}))"
    )  # fmt: skip
    return f"SELECT {columns} FROM {table.name} t WHERE {of_slices} ORDER BY {_ORDER.get(table.name, key)}", wanted


def _with_clocks(db: Any, table: Table, row_ids: list[bytes]) -> Columns:
    """Of rows of which nothing is known there is nothing."""
    rows = crsqlite_rows.stored(db, table.name, table.names[1:], row_ids)
    return dict(zip(column_names(table), map(list, zip(*rows, strict=True)), strict=True)) if rows else {"id": []}


def _version(name: str) -> str:
    return f"{name}\0version"


def _author(name: str) -> str:
    return f"{name}\0author"


def column_names(table: Table) -> tuple[str, ...]:
    """The columns of a section in their order: those declared, then the clocks of a registry table."""
    if table.kind != "registry":
        return table.names
    of_cells = (form(name) for form in (_version, _author) for name in table.names[1:])
    return (*table.names, *of_cells, _LENGTH, _DELETER)


def _pack_section(table: Table, columns: Columns, known: Known) -> list[Any]:
    rules, references = RULES.get(table.name, {}), referred(table)
    out = []
    for name in column_names(table):
        values = columns[name]
        if name in rules:
            followed = rules[name]({c: v for c, v in columns.items() if c not in rules}, known)
            wrong = [(i, v) for i, (v, f) in enumerate(zip(values, followed, strict=True)) if v != f]
            out.append([RULE, _pack_except(wrong)])
        elif name in references:
            out.append(_pack_reference(values, known.places[references[name]]))
        else:
            out.append(pack(values))
    return out


def _pack_reference(values: Sequence[Any], places: dict[bytes, int]) -> list[Any]:
    last, steps, unknown = 0, [], []
    for i, value in enumerate(values):
        place = places.get(value)
        if place is None:
            unknown.append((i, value))
        steps.append(0 if place is None else place - last)
        last = last if place is None else place
    return [REFERENCE, pack(steps), _pack_except(unknown)]


def _pack_except(pairs: list[tuple[int, Any]]) -> list[Any]:
    if not pairs:
        return [0, None, None]
    places = [place for place, _ in pairs]
    steps = [b - a for a, b in zip([0, *places], places, strict=False)]
    return [len(pairs), pack(steps), pack([value for _, value in pairs])]


# --- station ------------------------------------------------------------------------------------------------------


def read(data: bytes, family: str) -> Iterator[tuple[Table, Columns]]:
    """The rows of a snapshot, section by section, each checked as pulled rows are. Raises BadFrame."""
    allowed = {table.name: table for table in tables_of(family)}
    known, position = Known(), 0
    while position < len(data):
        end = position + 4 + int.from_bytes(data[position : position + 4], "big")
        require(position + 4 < end <= min(len(data), position + 4 + MAX_SECTION))
        content = codec.load(data[position + 4 : end])
        require(type(content) is list and len(content) == 3 and type(content[0]) is str)
        name, rows, packed = content
        require(name in allowed and type(rows) is int and 0 < rows <= ROWS_IN_A_SECTION and type(packed) is list)
        columns = _unpack_section(allowed[name], packed, rows, known)
        _check(allowed[name], columns)
        known.add(name, columns)
        yield allowed[name], columns
        position = end


def rows_of(table: Table, columns: Columns) -> Iterable[tuple[Any, ...]]:
    """Reference rows, values in declared order."""
    return zip(*(columns[name] for name in table.names), strict=True)


def installed_rows(table: Table, columns: Columns) -> Iterator[InstalledRow]:
    """Registry rows with their clocks."""
    parts = [zip(*(columns[form(name)] for name in table.names[1:]), strict=True) for form in (str, _version, _author)]
    for row in zip(columns["id"], *parts, columns[_LENGTH], columns[_DELETER], strict=True):
        yield InstalledRow(*row)


def _unpack_section(table: Table, packed: list[Any], rows: int, known: Known) -> Columns:
    names = column_names(table)
    require(len(packed) == len(names))
    rules, references, budget = RULES.get(table.name, {}), referred(table), Budget()
    columns: Columns = {}
    for name, column in zip(names, packed, strict=True):
        if name in references:
            columns[name] = _unpack_reference(column, rows, budget, known.ids[references[name]])
        elif name not in rules:
            columns[name] = unpack(column, rows, budget)
    plain = dict(columns)
    for name, rule in rules.items():
        column = packed[names.index(name)]
        require(type(column) is list and len(column) == 2 and column[0] == RULE)
        try:
            values = list(rule(plain, known))
        except (TypeError, AttributeError, ValueError) as error:  # a rule asked of values of the wrong type
            raise codec.bad("payload", "rule") from error
        columns[name] = _replace(values, column[1], budget)
    return columns


def _unpack_reference(column: Any, rows: int, budget: Budget, listed: list[bytes]) -> list[Any]:
    require(type(column) is list and len(column) == 3 and column[0] == REFERENCE)
    steps = unpack(column[1], rows, budget)
    require(all(type(step) is int for step in steps))
    places = list(accumulate(steps))
    except_ = column[2]
    require(min(places) >= 0 and (max(places) < len(listed) or not listed))
    return _replace([listed[place] if listed else None for place in places], except_, budget)


def _replace(values: list[Any], except_: Any, budget: Budget) -> list[Any]:
    require(type(except_) is list and len(except_) == 3)
    number, steps, others = except_
    require(type(number) is int and 0 <= number <= len(values))
    if not number:
        return values
    found = unpack(steps, number, budget)
    require(all(type(step) is int and step >= 0 for step in found))
    for place, value in zip(accumulate(found), unpack(others, number, budget), strict=True):
        require(place < len(values))
        values[place] = value
    return values


def _check(table: Table, columns: Columns) -> None:
    """What `validator` asks of pulled rows, asked once of each distinct value."""
    for name in table.names:
        if code := validator.bad_column(table.name, name, columns[name]):
            raise codec.bad(code, table.name)
    if table.kind == "registry":
        _check_clocks(table, columns)


def _check_clocks(table: Table, columns: Columns) -> None:
    pairs = [(columns[_version(name)], columns[_author(name)]) for name in table.names[1:]]
    versions = {v for found, _ in pairs for v in found} - {None}
    lengths = set(columns[_LENGTH])
    authors = {a for _, found in pairs for a in found} | set(columns[_DELETER])
    require(all(type(n) is int for n in versions | lengths))
    fits = all(0 <= v <= validator.MAX_COL_VERSION for v in versions)
    if not fits or not all(1 <= n <= validator.MAX_CAUSAL_LENGTH for n in lengths):
        raise codec.bad("range", table.name)
    require(all(a is None or (type(a) is bytes and len(a) == ids.ID_BYTES) for a in authors))
    require(all((v is None) == (a is None) for found in pairs for v, a in zip(*found, strict=True)))
    require(all((n > 1) == (a is not None) for n, a in zip(columns[_LENGTH], columns[_DELETER], strict=True)))
