# SPDX-License-Identifier: Apache-2.0
"""Receipt numbers: each station is leased blocks of serials, so that no two stations ever print the same one.

Topped up when a station says hello and again with each case it delivers, so the session that brings in 800 slips of a
month without a line also carries back the next block. In December next year's first block goes out as well: a station
may be offline over New Year.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from sync.hub.publish import Publication

BLOCK = 1000
LOW = 300
SERIAL_MAX = 999_999
DECEMBER = 12


def top_up(pub: Publication, station: str, today: date) -> None:
    """Lease the next block when fewer than 300 serials have not come back yet."""
    for year in _years(today):
        leased = _last_leased(pub.db, station, year)
        if leased - last_seen(pub.db, station, year) < LOW:
            _lease(pub, station, year, leased)


def _years(today: date) -> tuple[int, ...]:
    return (today.year, today.year + 1) if today.month == DECEMBER else (today.year,)


def _lease(pub: Publication, station: str, year: int, leased: int) -> None:
    if leased < SERIAL_MAX:
        last = min(leased + BLOCK, SERIAL_MAX)
        pub.put("receipt_block", {"station": station, "year": year, "first": leased + 1, "last": last})


def begin_fresh(pub: Publication, station: str, today: date, at: str) -> None:
    """After a station's database came back from a copy: no serial of its blocks may be printed any more, because it may
    have been; the next ones are leased. Slips with the old numbers are still taken."""
    for row in pub.db.execute(
        "SELECT year, first FROM receipt_block WHERE station = ? AND ended_at IS NULL", (station,)
    ).fetchall():
        pub.put("receipt_block", {"station": station, "year": row["year"], "first": row["first"], "ended_at": at})
    for year in _years(today):
        _lease(pub, station, year, _last_leased(pub.db, station, year))


def lease_again(pub: Publication, station: str, today: date) -> None:
    """After this hub came back from a copy: the block it may have leased since, the same serials as then, or the slips
    printed from it would be refused."""
    for year in _years(today):
        _lease(pub, station, year, _last_leased(pub.db, station, year))


def last_seen(db: Any, station: str, year: int) -> int:
    """The highest serial of that station and year that has arrived at the hub; 0 when none has."""
    prefix = f"{station}-{year % 100:02d}-"
    found = db.execute(
        "SELECT max(receipt_no) FROM hub_case WHERE receipt_no >= ? AND receipt_no < ?", (prefix, prefix + ":")
    ).fetchone()[0]
    return int(found[len(prefix) :].partition("-")[0]) if found else 0


def is_leased(db: Any, station: str, receipt_no: str) -> bool:
    """Whether a well-formed receipt number lies in a block of that station."""
    year, serial = receipt_no.removeprefix(f"{station}-").split("-")[:2]
    found = db.execute(
        "SELECT 1 FROM receipt_block WHERE station = ? AND year % 100 = ? AND first <= ? AND last >= ?",
        (station, int(year), int(serial), int(serial)),
    )
    return found.fetchone() is not None


def _last_leased(db: Any, station: str, year: int) -> int:
    sql = "SELECT max(last) FROM receipt_block WHERE station = ? AND year = ?"
    return db.execute(sql, (station, year)).fetchone()[0] or 0
