# SPDX-License-Identifier: Apache-2.0
"""A month beside the one before, by fund and by township."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from hub.settlement.county import summary
from hub.settlement.county.runs import County
from schema import period
from schema.errors import UnknownSubject


@dataclass(frozen=True)
class Figure:
    """One figure of both months. Amounts end in `_fen`."""

    name: str
    last: int
    this: int

    @property
    def difference(self) -> int:
        return self.this - self.last


@dataclass(frozen=True)
class Row:
    """A fund or a township. `key`: what its own page goes by."""

    key: str
    name: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class Comparison:
    """`kind`: fund or township."""

    kind: str
    rows: tuple[Row, ...]


def tables(county: County, settled: str) -> list[Comparison]:
    """Both. A month without one before is beside zeros. Raises UnknownSubject."""
    this = summary.of(county, settled)
    try:
        last = summary.of(county, period.add_months(settled, -1))
    except UnknownSubject:
        last = None
    with county.store.read() as db:
        names = {row["code"]: row["name"] for row in db.execute("SELECT code, name FROM division")}
    funds = _rows(this.funds, last.funds if last else (), "name", lambda key: key)
    places = _rows(this.townships, last.townships if last else (), "code", lambda key: names.get(key, key))
    return [Comparison("fund", funds), Comparison("township", places)]


def _rows(this: Iterable[Any], last: Iterable[Any], key: str, name: Any) -> tuple[Row, ...]:
    now, then = ({row[key]: row for row in map(asdict, rows)} for rows in (this, last))
    return tuple(_row(k, name(k), now.get(k, {}), then.get(k, {}), key) for k in now | then)


def _row(key: str, name: str, now: dict[str, Any], then: dict[str, Any], column: str) -> Row:
    figures = [figure for figure in now or then if figure != column]
    return Row(key, name, tuple(Figure(figure, then.get(figure, 0), now.get(figure, 0)) for figure in figures))
