# SPDX-License-Identifier: Apache-2.0
"""The result of a computation as rows: one line per person with what it rests on, one payment per payee."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from hub.settlement import inputs
from hub.settlement.credits import Credit
from hub.settlement.inputs import Frozen
from hub.settlement.kernel import HELD, Lines
from hub.settlement.month import SCHEME
from schema import tables

PLANNED = "planned"


def write(db: Any, frozen: Frozen, lines: Lines) -> None:
    """Put the month's lines and payments in the place of those of an earlier computation."""
    month = frozen.month
    for table in ("settlement_line", "payment"):
        db.execute(f"DELETE FROM {table} WHERE scheme = ? AND month = ?", (SCHEME, month))
    for table, rows in (("settlement_line", _lines(frozen, lines)), ("payment", _payments(frozen, lines))):
        names = tables.TABLES[table].names
        marks = ", ".join("?" * len(names))
        db.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})", rows)


def batch_name(month: str, number: int) -> str:
    """A bank's batch of a month, e.g. 2026-11-02."""
    return f"{month}-{number:02d}"


def _lines(frozen: Frozen, lines: Lines) -> Iterator[tuple[Any, ...]]:
    c = frozen.columns
    amounts = zip(
        *(column.tolist() for column in (
            c.opening, c.contribution, c.subsidy, lines.basic, lines.account, lines.extra, lines.arrears,
            lines.from_account, lines.closing,
        )),
        strict=True,
    )  # fmt: skip
    details = zip(*(d.tolist() for d in (lines.months, lines.first_month, lines.held, lines.due)), strict=True)
    receipts: dict[bytes, list[Credit]] = {}
    for credit in frozen.credits:
        receipts.setdefault(credit.person_id, []).append(credit)
    touched = (c.contribution > 0) | (lines.months > 0) | (lines.held > 0)
    for person, row, detail, touch in zip(frozen.persons, amounts, details, touched.tolist(), strict=True):
        if touch:
            yield (SCHEME, frozen.month, person, *row, _trace(receipts.get(person, []), *detail))


def _trace(receipts: list[Credit], months: int, first: int, held: int, due_fen: int) -> str:
    """What the line rests on, short: it is kept for every person and month."""
    trace: dict[str, Any] = {}
    if receipts:
        trace["receipts"] = [[r.no, r.year, r.amount_fen, r.subsidy_fen, r.months, r.total_fen] for r in receipts]
    if months:
        trace |= {"months": months, "first": inputs.month_named(first)}
    if held:
        trace |= {"held": HELD[held], "due_fen": due_fen}
    return json.dumps(trace, ensure_ascii=False, separators=(",", ":"))


def _payments(frozen: Frozen, lines: Lines) -> Iterator[tuple[Any, ...]]:
    paid = np.flatnonzero(lines.payable > 0).tolist()
    amounts = lines.payable.tolist()
    names = sorted({frozen.banks[i].bank for i in paid})
    batches = {name: batch_name(frozen.month, n) for n, name in enumerate(names, 1)}
    for i in paid:
        bank, account_no, holder = frozen.banks[i]
        payment_id = hashlib.sha256(f"{frozen.run_id} {frozen.persons[i].hex()}".encode()).digest()[:16]
        yield (
            payment_id, SCHEME, frozen.month, batches[bank], frozen.persons[i], bank, account_no, holder, amounts[i],
            PLANNED, None,
        )  # fmt: skip
