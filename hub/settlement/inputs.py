# SPDX-License-Identifier: Apache-2.0
"""The register frozen for a month: what the run saw, as columns, with a hash over all of it.

The same inputs, parameters and code give the same `run_id`; an approval checks that nothing moved in between.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hub import pack
from hub.settlement import credits, kernel, stops
from hub.settlement.credits import Credit
from hub.settlement.kernel import Columns
from hub.settlement.month import SCHEME
from schema import events, period, rules
from schema.view_rows import Row

_STATES = {"active": kernel.ACTIVE, "suspended": kernel.SUSPENDED, "ended": kernel.ENDED}
_NEVER = -1


class Bank(NamedTuple):
    """Where somebody is paid; all empty when nobody said."""

    bank: str
    account_no: str
    holder: str


@dataclass(frozen=True)
class Frozen:
    """The inputs of one month. Lists and columns are parallel: entry i is about `persons[i]`."""

    month: str
    persons: list[bytes]
    columns: Columns
    credits: list[Credit]
    paid_months: list[int]
    banks: list[Bank]
    run_id: str


def number_of(month: str) -> int:
    """A month as the kernel counts: year x 12 + month - 1."""
    return int(month[:4]) * 12 + int(month[5:]) - 1


def month_named(number: int) -> str:
    """The kernel's number as a month."""
    return f"{number // 12:04d}-{number % 12 + 1:02d}"


def freeze(db: Any, month: str) -> Frozen:
    """Read everything the month depends on. Receipts must have been set aside (`credits.reserve`)."""
    found = credits.of_month(db, month, credits.subsidy_rule(month, pack.parameters()))
    benefits = _benefits(db, month)
    persons = sorted({credit.person_id for credit in found} | set(benefits))
    contribution, subsidy = Counter[bytes](), Counter[bytes]()
    for credit in found:
        contribution[credit.person_id] += credit.amount_fen
        subsidy[credit.person_id] += credit.subsidy_fen
    accounts = _accounts(db, month)
    of = [benefits.get(person, {}) for person in persons]
    columns = Columns(
        opening=_ints(accounts.get(person, (0, 0))[0] for person in persons),
        contribution=_ints(contribution[person] for person in persons),
        subsidy=_ints(subsidy[person] for person in persons),
        benefit=_ints(b.get("code", kernel.NONE) for b in of),
        alive=np.array([b.get("life_status", "1") == "1" for b in of], dtype=bool),
        bank=np.array([bool(b.get("account_no")) for b in of], dtype=bool),
        from_month=_ints(number_of(b["from_month"]) if b else 0 for b in of),
        paid_through=_ints(number_of(b["paid_through"]) if b.get("paid_through") else _NEVER for b in of),
        basic=_ints(b.get("basic_fen", 0) for b in of),
        account=_ints(b.get("account_fen", 0) for b in of),
        extra=_ints(b.get("extra_fen", 0) for b in of),
    )
    banks = [Bank(b["bank"], b["account_no"], b["holder"]) if b.get("account_no") else Bank("", "", "") for b in of]
    paid_months = [accounts.get(person, (0, 0))[1] for person in persons]
    run_id = _run_id(month, [persons, _plain(columns), [vars(c) for c in found], paid_months, banks])
    return Frozen(month, persons, columns, found, paid_months, banks, run_id)


def _benefits(db: Any, month: str) -> dict[bytes, Row]:
    """Per person the benefit in force, or the one that ended after last month's payment; `code` as the kernel wants."""
    rows = db.execute(
        """SELECT b.person_id, b.state, b.from_month, b.paid_through, b.basic_fen, b.account_fen, b.extra_fen,
                  p.life_status, k.bank, k.account_no, k.holder
           FROM benefit b JOIN person p ON p.id = b.person_id LEFT JOIN bank_account k ON k.person_id = b.person_id
           WHERE b.kind = ? AND (b.state IN ('active', 'suspended') OR b.state = 'ended' AND b.paid_through = ?)
           ORDER BY b.person_id, b.state = 'ended', b.id""",
        (SCHEME, period.add_months(month, -1)),
    )
    found: dict[bytes, Row] = {}
    stopped = stops.reported(db)
    for row in rows:
        person_id = bytes(row["person_id"])
        known = found.get(person_id)
        if known is None:
            state = "suspended" if row["state"] == "active" and person_id in stopped else row["state"]
            found[person_id] = {**dict(row), "code": _STATES[state]}
        elif row["state"] != "ended":
            known["code"] = kernel.SEVERAL
    return found


def _accounts(db: Any, month: str) -> dict[bytes, tuple[int, int]]:
    """(balance, paid months) of everybody the month may touch."""
    rows = db.execute(
        """SELECT person_id, balance_fen, paid_months FROM account WHERE insurance = ?1 AND (
             person_id IN (SELECT person_id FROM receipt WHERE scheme = ?1 AND posted_month = ?2 AND state = 'matched')
             OR person_id IN (SELECT person_id FROM benefit WHERE kind = ?1))""",
        (SCHEME, month),
    )
    return {bytes(person_id): (balance_fen, paid_months) for person_id, balance_fen, paid_months in rows}


def _ints(values: Iterable[int]) -> kernel.Ints:
    return np.fromiter(values, dtype=np.int64)


def _plain(columns: Columns) -> list[bytes]:
    """The columns as bytes that are the same on every machine."""
    return [np.ascontiguousarray(column, dtype="<i8").tobytes() for column in vars(columns).values()]


def _run_id(month: str, inputs: list[Any]) -> str:
    known = [SCHEME, month, hashlib.sha256(events.canonical(inputs)).hexdigest(), pack.pack_hash(), code_version()]
    return hashlib.sha256(events.canonical(known)).hexdigest()


@cache
def code_version() -> str:
    """A hash over the sources that decide amounts: another version of them is another run."""
    digest = hashlib.sha256()
    folders = (Path(__file__).parent, Path(rules.__file__).parent)
    for path in sorted(path for folder in folders for ending in ("py", "sql") for path in folder.rglob(f"*.{ending}")):
        content = path.read_bytes().replace(b"\r\n", b"\n")
        digest.update(path.name.encode() + hashlib.sha256(content).digest())
    return digest.hexdigest()
