# SPDX-License-Identifier: Apache-2.0
"""Employers' payments as the tax office's file says. Money is never refused for not knowing whose it is.

A payer that is in no register waits (暂收) and can be matched later; refused are lines that cannot be true and receipt
numbers that were used with other content. The same file again changes nothing.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub import pack
from hub.importing import headings
from hub.importing.headings import Headings
from hub.importing.register import RefusedLine, name_of
from hub.settlement import hands
from hub.settlement import month as month_of
from hub.settlement.county.ranges import UNIT_FEN
from hub.settlement.receipt_file import refusal
from schema import database, field_types, resident_id
from schema.clock import Clock
from schema.database import Store
from schema.errors import WrongState
from schema.field_types import Context
from schema.findings import Finding
from schema.service_parts import Field
from schema.sheets import Limits, Line, Source, open_sheet

FILE = Path(__file__).with_name("money_in.toml")
NEEDED = ("no", "payer_no", "amount", "received_on")
ROLE = "settle"
SOURCE_LIMIT = 120


@dataclass
class Summary:
    """What a file holds: lines and fen by kind (`matched`, `waiting`, `known`), and what cannot be true."""

    header: tuple[str, ...] = ()
    counts: Counter[str] = field(default_factory=Counter)
    fen: Counter[str] = field(default_factory=Counter)
    refused: list[RefusedLine] = field(default_factory=list)

    def take(self, kind: str, amount_fen: int) -> None:
        """Count a line."""
        self.counts[kind] += 1
        self.fen[kind] += amount_fen

    def to_json(self) -> dict[str, Any]:
        """Without personal data."""
        kinds = ("matched", "waiting", "known")
        return {k: self.counts[k] for k in kinds} | {f"{k}_fen": self.fen[k] for k in kinds} | {
            "refused": len(self.refused)}  # fmt: skip


@cache
def known_headings() -> Headings:
    """The headings of such a file."""
    return headings.load(FILE, NEEDED)


def preview(store: Store, source: Source, limits: Limits, month: str, clock: Clock) -> Summary:
    """What the file would do; nothing is written. Raises Refusal when it cannot be read."""
    with store.read() as db:
        return _examine(db, source, limits, month, clock)[0]


def take_in(
    store: Store, source: Source, limits: Limits, month: str, officer: str, key: Ed25519PrivateKey, clock: Clock, *,
    file_name: str = "",
) -> Summary:  # fmt: skip
    """Take in the good lines as money for that month and sign for them, all or nothing. Raises Refusal, NotAllowed."""
    named = name_of(source, file_name, SOURCE_LIMIT)
    with store.write() as db:
        hands.require(db, officer, ROLE, key, clock)
        _require_open(db, month)
        summary, rows = _examine(db, source, limits, month, clock)
        for row in rows:
            database.insert(db, "unit_receipt", row | {"source": named})
        if rows:
            hands.sign(db, "receipts_taken_in", month, summary.to_json() | {"file": named}, officer, key, clock)
    return summary


def sums(db: Any) -> list[dict[str, Any]]:
    """What was taken in, month by month, the newest first: receipts and fen, and of them those without a payer."""
    rows = db.execute(
        """SELECT month, count(*) AS receipts, sum(amount_fen) AS fen, max(received_on) AS last_on,
                  count(*) FILTER (WHERE payer_id IS NULL) AS waiting,
                  coalesce(sum(amount_fen) FILTER (WHERE payer_id IS NULL), 0) AS waiting_fen
           FROM unit_receipt GROUP BY month ORDER BY month DESC LIMIT 24"""
    )
    return [dict(row) for row in rows]


def _require_open(db: Any, settled: str) -> None:
    """Money for a month that was approved would never be counted. Raises WrongState."""
    row = month_of.find(db, settled, month_of.COUNTY)
    if row is not None and row["state"] != "computed":
        raise WrongState(
            f"{settled} 已审批，到账归入后面的月份：请改月份",
            f"{settled} is approved: take the money in with a later month",
            code="month_state",
        )


def match_again(db: Any, settled: str) -> int:
    """Give waiting money its payer where the register has one by now; how many. It counts in the month that is settled
    now: in an earlier one nobody would see it any more."""
    waiting = db.execute("SELECT no, payer_no, month FROM unit_receipt WHERE payer_id IS NULL").fetchall()
    found = _payers(db, [row["payer_no"] for row in waiting])
    matched = [row for row in waiting if row["payer_no"] in found]
    for row in matched:
        changes = {"payer_id": found[row["payer_no"]], "month": max(row["month"], settled)}
        database.update(db, "unit_receipt", {"no": row["no"]}, changes)
    return len(matched)


def _examine(db: Any, source: Source, limits: Limits, month: str, clock: Clock) -> tuple[Summary, list[dict[str, Any]]]:
    with open_sheet(source, limits, known_headings().is_header) as sheet:
        columns = known_headings().match(sheet.header)
        summary = Summary(sheet.header)
        read = [(line, *_row(columns.values(line.cells), clock)) for line in sheet.lines]
    seen = Counter(row["no"] for _, row, found in read if not found)
    taken = _taken(db, list(seen))
    payers = _payers(db, (row["payer_no"] for _, row, found in read if not found))
    good = []
    for line, row, found in read:
        if found or seen[row["no"]] > 1:
            _refuse(summary, line, found or [refusal("no_twice_in_file", "no", lines="", lines_en="")])
        elif (known := taken.get(row["no"])) is None:
            payer = payers.get(row["payer_no"])
            summary.take("matched" if payer else "waiting", row["amount_fen"])
            good.append(row | {"payer_id": payer, "month": month})
        elif all(known[name] == value for name, value in row.items()):
            summary.take("known", row["amount_fen"])
        else:
            used = refusal("no_used", "no", amount=f"{known['amount_fen'] / 100:.2f}", source=known["source"])
            _refuse(summary, line, [used])
    return summary, good


def _refuse(summary: Summary, line: Line, found: list[Finding]) -> None:
    summary.refused.append(RefusedLine(line, found))


def _row(cells: dict[str, str], clock: Clock) -> tuple[dict[str, Any], list[Finding]]:
    """A line as a row, and why it cannot be true."""
    row: dict[str, Any] = {}
    findings: list[Finding] = []
    for name in NEEDED:
        column = known_headings().columns[name]
        text = resident_id.compact(cells.get(name, "")) if name in ("no", "payer_no") else cells.get(name, "")
        if not text:
            findings.append(refusal("required", name, **column.label))
            continue
        form = Field(column.id, column.type, column.label, "", limit=column.limit)
        value, found = field_types.parse(form, text, Context(clock.today(), pack.parameters()))
        findings += [f for f in found if f.severity == "block"]
        row["amount_fen" if name == "amount" else name] = value
    if not findings and not 0 < row["amount_fen"] <= UNIT_FEN:
        findings.append(refusal("amount_range", "amount"))
    if not findings and row["received_on"] > clock.today().isoformat():
        findings.append(refusal("received_future", "received_on"))
    return row, findings


def _taken(db: Any, numbers: list[str]) -> dict[str, Any]:
    sql = "SELECT * FROM unit_receipt WHERE no IN (SELECT value FROM json_each(?))"
    return {row["no"]: row for row in db.execute(sql, (json.dumps(numbers),))}


def _payers(db: Any, numbers: Any) -> dict[str, bytes]:
    """Employers by their unified code, flexible workers by their ID number."""
    wanted = json.dumps(sorted(set(numbers)))
    sql = (
        "SELECT uscc, id FROM unit WHERE uscc IN (SELECT value FROM json_each(?1)) "
        "UNION ALL SELECT id_number, id FROM person WHERE id_number IN (SELECT value FROM json_each(?1))"
    )
    return {row[0]: bytes(row[1]) for row in db.execute(sql, (wanted,))}
