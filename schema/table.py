# SPDX-License-Identifier: Apache-2.0
"""What a declared table and column are: the DDL, and what a value must be to stand in a column."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Kind = Literal["fact", "registry", "reference", "local"]
Side = Literal["both", "node", "hub"]
Type = Literal["id", "text", "int", "blob"]

# NUL ends a text early in C, half a surrogate pair has no UTF-8.
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")
_SQL_TYPE = {"id": "BLOB", "text": "TEXT", "int": "INTEGER", "blob": "BLOB"}


@dataclass(frozen=True)
class Column:
    """One column. `limit` bounds text length in characters or blob length in bytes.

    `nodes_write`: whether a station may send this cell (registry tables only). `pattern`: what a text must match.
    """

    name: str
    type: Type = "text"
    required: bool = False
    limit: int = 200
    nodes_write: bool = False
    pattern: str = ""
    group: str = ""

    def accepts(self, value: object) -> str:
        """'' when the value may stand in this column, else the reason word."""
        if value is None:
            return "null" if self.required else ""
        if self.type == "int":
            return "" if type(value) is int and -(2**63) <= value < 2**63 else "type"
        if self.type == "text":
            return self._accepts_text(value)
        if type(value) is not bytes:
            return "type"
        if self.type == "id":
            return "" if len(value) == 16 else "length"
        return "" if len(value) <= self.limit else "length"

    def accepts_all(self, values: Iterable[object]) -> bool:
        """Whether all of these may stand in this column; `accepts` says of one value why not."""
        distinct = set(values)
        if self.type != "text" or self.pattern or self.required:
            return not any(map(self.accepts, distinct))
        texts = [value for value in distinct if value is not None]
        if not all(type(text) is str for text in texts):
            return False
        longest = max(map(len, texts), default=0)  # type: ignore[arg-type]
        return longest <= self.limit and not self.accepts_characters("".join(texts))  # type: ignore[arg-type]

    def accepts_characters(self, text: str) -> str:
        """'characters' when the text contains what no column takes."""
        return "characters" if _NO_TEXT.search(text) else ""

    def _accepts_text(self, value: object) -> str:
        if type(value) is not str:
            return "type"
        if len(value) > self.limit:
            return "length"
        if reason := self.accepts_characters(value):
            return reason
        if self.pattern and value and not re.fullmatch(self.pattern, value):
            return "format"
        return ""


@dataclass(frozen=True)
class Table:
    """A table, who writes it, why it travels the way it does."""

    name: str
    kind: Kind
    side: Side
    why: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    indexes: tuple[str, ...] = ()
    unique: tuple[str, ...] = ()
    person_column: str = ""

    def column(self, name: str) -> Column | None:
        """The column of that name, or None."""
        return next((c for c in self.columns if c.name == name), None)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.columns)

    @property
    def owner_column(self) -> str:
        """The column with the id that decides in which bucket of a digest a row lies; '' for a table without ids."""
        first = self.column(self.key[0])
        return self.person_column or (self.key[0] if first and first.type == "id" else "")

    def ddl(self) -> list[str]:
        """CREATE statements: STRICT, so that a wrong type is an error and not a silent conversion."""
        lines = [self._column_sql(c) for c in self.columns]
        lines.append(f"PRIMARY KEY ({', '.join(self.key)})")
        lines += [f"UNIQUE ({columns})" for columns in self.unique]
        without = " WITHOUT ROWID" if self.kind == "reference" and len(self.key) > 1 else ""
        out = [f"CREATE TABLE {self.name} ({', '.join(lines)}) STRICT{',' + without if without else ''}"]
        for i, columns in enumerate(self.indexes, 1):
            out.append(f"CREATE INDEX {self.name}_i{i} ON {self.name} ({columns})")
        return out

    def _column_sql(self, c: Column) -> str:
        sql = f"{c.name} {_SQL_TYPE[c.type]}"
        if c.name in self.key:
            return sql + " NOT NULL"
        if c.required:
            # A CRR column must carry a default: cells of one row arrive one by one.
            default = {"int": "0", "text": "''", "id": "x''", "blob": "x''"}[c.type]
            sql += " NOT NULL" + (f" DEFAULT {default}" if self.kind == "registry" else "")
        return sql


def id_(name: str, required: bool = True) -> Column:
    return Column(name, "id", required)


def text_(name: str, limit: int = 200, required: bool = False) -> Column:
    return Column(name, "text", required, limit)


def int_(name: str, required: bool = True) -> Column:
    return Column(name, "int", required)


def blob_(name: str, limit: int = 65536, required: bool = True) -> Column:
    return Column(name, "blob", required, limit)


REV = int_("rev")
# Whom a case is about: one of the three, or nobody.
ABOUT = (id_("person_id", False), id_("unit_id", False), id_("household_id", False))
