# SPDX-License-Identifier: Apache-2.0
"""Receipt numbers: each station is leased blocks of serials, so that no two stations ever print the same one.

Topped up when a station says hello and again with each case it delivers, so the session that brings in 800 slips of a
month without a line also carries back the next block; a station with a roster of thousands in hand says how many that
needs. In December next year's first block goes out as well: a station
may be offline over New Year.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from sync.hub.publish import Publication

BLOCK = 1000
LOW = 300
AHEAD_MAX = 20_000  # as many lines as a roster may have; a station that asks without end gets no more
SERIAL_MAX = 999_999
DECEMBER = 12


def top_up(pub: Publication, station: str, today: date, wanted: int = 0) -> None:
    """Lease blocks until at least 300 serials have not come back yet, and of this year's as many as the station wants:
    asked again before they are used, it leases nothing more."""
    for year in _years(today):
        needed = max(LOW, min(wanted, AHEAD_MAX) if year == today.year else 0)
        leased, seen = _last_leased(pub.db, station, year), last_seen(pub.db, station, year)
        while leased - seen < needed and leased < SERIAL_MAX:
            leased = _lease(pub, station, year, leased)


def _years(today: date) -> tuple[int, ...]:
    return (today.year, today.year + 1) if today.month == DECEMBER else (today.year,)


def _lease(pub: Publication, station: str, year: int, leased: int) -> int:
    """The next block, always of one size: a hub that forgot one leases the very same again. Its last serial."""
    last = min(leased + BLOCK, SERIAL_MAX)
    if leased < SERIAL_MAX:
        pub.put("receipt_block", {"station": station, "year": year, "first": leased + 1, "last": last})
    return last


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
    """After this hub came back from a copy: the blocks it may have leased since, the same serials as then, or the slips
    printed from them would be refused."""
    for year in _years(today):
        leased = _last_leased(pub.db, station, year)
        for _ in range(AHEAD_MAX // BLOCK):
            leased = _lease(pub, station, year, leased)


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
