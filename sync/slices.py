# SPDX-License-Identifier: Apache-2.0
"""Which slices a row belongs to: one table of SQL expressions, used row by row and set by set, so they cannot disagree.

Four families that share no table: `county` (rows common to all), `node:<station>` (rows of one station alone),
township codes (persons and all that is theirs, units, households), and `elsewhere` (who is known in the county).
A person may be in several townships' slices; every row of the person follows `slice_member`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from schema import tables
from schema.table import Table
from sync.wire import codec

COUNTY = "county"
NODE_PREFIX = "node:"
TOWNSHIP_DIGITS = 9
ELSEWHERE = "elsewhere"
# In the order a station fetches them: keys of the officers, then its own cases and logins, then the register, which on
# a slow line takes its time; what only helps a search comes last.
FAMILIES = ("county", "node", "township", "elsewhere")
_BY_NAME = {COUNTY: "county", ELSEWHERE: "elsewhere"}

# Expressions over a row's columns; NULL means that the row leaves the hub for no one.
_EXPRESSIONS = {
    "division": f"'{COUNTY}'",
    "station": f"'{COUNTY}'",
    "officer_key": f"'{COUNTY}'",
    "rule_pack": f"'{COUNTY}'",
    "rule_file": f"'{COUNTY}'",
    "officer": f"'{NODE_PREFIX}' || nullif({{station}}, '')",
    "receipt_block": f"'{NODE_PREFIX}' || {{station}}",
    "case_state": f"'{NODE_PREFIX}' || {{station}}",
    "late_edit": f"'{NODE_PREFIX}' || {{station}}",
    "elsewhere": f"'{ELSEWHERE}'",
    "household": f"substr({{village}}, 1, {TOWNSHIP_DIGITS})",
    "unit": "{township}",
    "training_class": f"'{COUNTY}'",
}
_PERSON_COLUMNS = {"person": "id", "contact": "id"}

_NAMED = re.compile(r"{(\w+)}")
HOME_OF_PERSON = f"substr({{village}}, 1, {TOWNSHIP_DIGITS})"


def family(slice_: str) -> str:
    """'county', 'node', 'township' or 'elsewhere'."""
    return _BY_NAME.get(slice_) or ("node" if slice_.startswith(NODE_PREFIX) else "township")


def family_of_table(table: str) -> str:
    """The family whose digest a table's rows count in."""
    expression = _EXPRESSIONS.get(table, "")
    if expression.strip("'") in _BY_NAME:
        return _BY_NAME[expression.strip("'")]
    return "node" if expression.startswith(f"'{NODE_PREFIX}'") else "township"


def person_column(table: Table) -> str:
    """The column that says whose row this is; '' for rows of no person."""
    return _PERSON_COLUMNS.get(table.name) or table.person_column


def expression(table: str, prefix: str) -> str:
    """The slice expression over columns written as prefix + name, e.g. `t.village` or `:village`."""
    return _prefixed(_EXPRESSIONS[table], table, prefix)


def deciding(table: Table) -> tuple[str, ...]:
    """The columns that decide which slices a row belongs to."""
    return (person_column(table),) if person_column(table) else tuple(_NAMED.findall(_EXPRESSIONS[table.name]))


def home_expression(prefix: str) -> str:
    """The township a person's row itself puts the person in."""
    return _prefixed(HOME_OF_PERSON, "person", prefix)


def _prefixed(template: str, table: str, prefix: str) -> str:
    return template.format(**{c.name: prefix + c.name for c in tables.TABLES[table].columns})


def slices_of(db: Any, table: str, row: Mapping[str, Any]) -> list[str]:
    """The slices a row belongs to, as the hub knows it now."""
    declared = tables.TABLES[table]
    owner = person_column(declared)
    if owner:
        found = db.execute("SELECT slice FROM slice_member WHERE person_id = ? ORDER BY slice", (row[owner],))
        return [r[0] for r in found]
    found = db.execute(f"SELECT {expression(table, ':')}", {c.name: row.get(c.name) for c in declared.columns})
    return [r[0] for r in found if r[0]]


def now_in(db: Any, table: Table, key: bytes) -> list[str]:
    """The slices that the row with this key belongs to now, [] when it is gone."""
    values = key_values(table, key)
    where = " AND ".join(f"t.{c} = ?" for c in table.key)
    owner = person_column(table)
    if not owner:
        sql = f"SELECT {expression(table.name, 't.')} FROM {table.name} t WHERE {where}"
    elif (owner,) == table.key:  # known by the key alone: a registry row may be at a station and not at the hub
        sql = "SELECT slice FROM slice_member WHERE person_id = ?"
    else:
        sql = f"SELECT m.slice FROM {table.name} t JOIN slice_member m ON m.person_id = t.{owner} WHERE {where}"
    return [row[0] for row in db.execute(sql, values) if row[0]]


def home_of_person(db: Any, row: Mapping[str, Any]) -> str:
    """The slice in which a person is placed when nobody said otherwise."""
    return str(db.execute(f"SELECT {home_expression(':')}", {"village": row["village"]}).fetchone()[0])


def has_plain_key(table: Table) -> bool:
    """Whether the key is one 16-byte id: then the feed holds the id itself."""
    column = table.column(table.key[0])
    return len(table.key) == 1 and column is not None and column.type == "id"


def feed_key(table: Table, row: Mapping[str, Any]) -> bytes:
    """A row's key as the feed stores it."""
    if has_plain_key(table):
        return bytes(row[table.key[0]])
    return codec.dump([row[c] for c in table.key])


def teach(db: Any) -> None:
    """Give a connection the function that `key_expression` calls."""
    db.create_function("feed_key", -1, lambda *parts: codec.dump(list(parts)), deterministic=True)


def key_expression(table: Table, prefix: str) -> str:
    """SQL for a row's key as the feed stores it, over columns written as prefix + name."""
    parts = ", ".join(prefix + c for c in table.key)
    return parts if has_plain_key(table) else f"feed_key({parts})"


def key_values(table: Table, key: bytes) -> list[Any]:
    """The key's columns back from the feed's form."""
    return [key] if has_plain_key(table) else list(codec.load(key))
