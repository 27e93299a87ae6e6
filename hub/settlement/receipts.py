# SPDX-License-Identifier: Apache-2.0
"""Receipts taken in: money that arrived, as the tax office's or the bank's file says.

Money in the treasury is never refused for not knowing whose it is: a line whose ID number finds nobody enrolled is
taken in as `suspense` (暂收款) and matched later. Refused are lines that cannot be true, and used receipt numbers.
Each file leaves balanced entries in the books.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub import ledger
from hub.importing.register import RefusedLine, listed, name_of
from hub.settlement import hands, matching, month, receipt_file
from hub.settlement.month import SCHEME
from hub.settlement.receipt_file import Entry, Receipt, refusal
from schema import database, money
from schema.clock import Clock
from schema.database import Store
from schema.sheets import Limits, Source

ROLE = "settle"
SOURCE_LIMIT = 120
KINDS = ("matched", "suspense", "known")


@dataclass
class Summary:
    """What a receipts file holds, by kind. `known`: taken in before, exactly like this; nothing happens to it."""

    header: tuple[str, ...] = ()
    rows: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    fen: Counter[str] = field(default_factory=Counter)
    refused: list[RefusedLine] = field(default_factory=list)

    def take(self, kind: str, receipt: Receipt) -> None:
        """Count one good line."""
        self.counts[kind] += 1
        self.fen[kind] += receipt.amount_fen

    def to_json(self) -> dict[str, Any]:
        """Counts, sums and codes for a script; no personal data."""
        return {
            "rows": self.rows,
            **{kind: self.counts[kind] for kind in KINDS},
            **{f"{kind}_fen": self.fen[kind] for kind in KINDS},
            "refused": len(self.refused),
            "refused_lines": [{"line": r.line.number, "codes": [f.code for f in r.findings]} for r in self.refused],
        }


def preview(store: Store, source: Source, limits: Limits, clock: Clock) -> Summary:
    """What the file would do; nothing is written. Raises Refusal when it cannot be read."""
    with store.read() as db:
        return _examine(db, source, limits, clock)[0]


def take_in(
    store: Store, source: Source, limits: Limits, officer: str, key: Ed25519PrivateKey, clock: Clock, *,
    file_name: str = "",
) -> Summary:  # fmt: skip
    """Take in the good lines, book them and sign for them, all or nothing. Raises Refusal, NotAllowed."""
    named = name_of(source, file_name, SOURCE_LIMIT)
    with store.write() as db:
        hands.require(db, officer, ROLE, key, clock)
        summary, good = _examine(db, source, limits, clock)
        opened = month.open_month(db)
        sums: Counter[tuple[str, str]] = Counter()
        for receipt, person_id in good:
            state = "matched" if person_id else "suspense"
            row = {"scheme": SCHEME, "source": named, "state": state, "person_id": person_id, **vars(receipt)}
            database.insert(db, "receipt", row)
            day = date.fromisoformat(receipt.received_on)
            sums[month.booking_month(day, opened), f"receipt_{state}"] += receipt.amount_fen
        for (booked_in, event), amount_fen in sorted(sums.items()):
            ledger.post(db, SCHEME, booked_in, event, amount_fen, clock, memo=f"{named} {officer}")
        if good:
            body = {k: v for k, v in summary.to_json().items() if k != "refused_lines"} | {"file": named}
            booked_in = month.booking_month(clock.today(), opened)
            hands.sign(db, "receipts_taken_in", booked_in, body, officer, key, clock)
    return summary


def _examine(
    db: Any, source: Source, limits: Limits, clock: Clock
) -> tuple[Summary, list[tuple[Receipt, bytes | None]]]:
    """The summary, and the receipts to take in with their persons."""
    header, entries = receipt_file.read(source, limits, clock.today())
    summary = Summary(header, len(entries))
    new = _new(db, entries, summary)
    whose = matching.enrolled(db, [receipt.id_number for receipt in new])
    for receipt in new:
        summary.take("matched" if receipt.id_number in whose else "suspense", receipt)
    summary.refused.sort(key=lambda refused: refused.line.number)
    return summary, [(receipt, whose.get(receipt.id_number)) for receipt in new]


def _new(db: Any, entries: list[Entry], summary: Summary) -> list[Receipt]:
    """The receipts whose number stands once in the file and nowhere here; the others are counted or refused."""
    groups = dict(receipt_file.by_number(entries))
    numbers = json.dumps(list(groups))
    taken = db.execute("SELECT * FROM receipt WHERE no IN (SELECT value FROM json_each(?))", (numbers,))
    known = {row["no"]: row for row in taken}
    new = []
    for entry in entries:
        receipt = entry.receipt
        if receipt is None:
            summary.refused.append(RefusedLine(entry.line, list(entry.findings)))
        elif len(groups[receipt.no]) > 1:
            lines = listed([other.line.number for other in groups[receipt.no]])
            summary.refused.append(RefusedLine(entry.line, [refusal("no_twice_in_file", "no", **lines)]))
        elif receipt.no not in known:
            new.append(receipt)
        elif all(known[receipt.no][name] == value for name, value in vars(receipt).items()):
            summary.take("known", receipt)
        else:
            row = known[receipt.no]
            used = refusal("no_used", "no", amount=money.yuan(row["amount_fen"]), source=row["source"])
            summary.refused.append(RefusedLine(entry.line, [used]))
    return new
