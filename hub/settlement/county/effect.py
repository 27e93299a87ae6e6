# SPDX-License-Identifier: Apache-2.0
"""What late work does in a month, person by person, for whoever approves it: money, accounts, benefits, and why."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import asdict, dataclass
from typing import Any

from hub import pack
from hub.settlement.county import listing
from hub.settlement.county.columns import FUNDS
from hub.settlement.county.runs import County
from hub.settlement.inputs import month_named, number_of
from hub.settlement.month import COUNTY

Text = dict[str, str]
_REGISTER: Text = {"zh": "名册更正", "en": "register corrected"}


@dataclass(frozen=True)
class Contribution:
    """One person's closed month at one payer. `credit_fen` and `months`: what the account gains once it is paid, or
    loses now.
    """

    person_id: bytes
    name: str
    id_number: str
    payer: str
    month: str
    why: list[Text]
    more_fen: int
    cancelled_fen: int
    returned_fen: int
    credit_fen: int
    months: int


@dataclass(frozen=True)
class Benefit:
    """One closed month of a benefit: paid with this month (above 0), or claimed back (below)."""

    person_id: bytes
    name: str
    id_number: str
    fund: str
    month: str
    why: list[Text]
    fen: int


@dataclass(frozen=True)
class Effect:
    """All of a month, the biggest first. `open_claims_fen`: of benefits paid too much, after the month."""

    month: str
    contributions: list[Contribution]
    benefits: list[Benefit]
    open_claims_fen: int

    def totals(self) -> dict[str, int]:
        """In fen, and persons."""
        names = ("more_fen", "cancelled_fen", "returned_fen", "credit_fen", "months")
        sums = {name: sum(getattr(row, name) for row in self.contributions) for name in names}
        sums["paid_fen"] = sum(row.fen for row in self.benefits if row.fen > 0)
        sums["claimed_fen"] = sum(-row.fen for row in self.benefits if row.fen < 0)
        sums["persons"] = len({r.person_id for r in self.contributions} | {r.person_id for r in self.benefits})
        return sums | {"open_claims_fen": self.open_claims_fen}

    def to_json(self) -> dict[str, Any]:
        """For scripts."""
        def plain(row: Any) -> dict[str, Any]:
            return asdict(row) | {"person_id": row.person_id.hex()}

        return {
            "month": self.month, "totals": self.totals(), "contributions": [plain(r) for r in self.contributions],
            "benefits": [plain(r) for r in self.benefits],
        }  # fmt: skip


def of(county: County, settled: str) -> Effect:
    """Of the run that counts. Raises UnknownSubject, StoreError."""
    with county.open(settled) as file:
        who, late, adjusted = file.who(), file.table("adjustments"), file.table("adjusted")
        corrected, recoveries = file.table("corrections"), file.table("recoveries")
    rows = [dict(zip(adjusted.names(), values, strict=True)) for values in _rows(adjusted)]
    gains = [dict(zip(late.names(), values, strict=True)) for values in _rows(late)]
    benefits = [dict(zip(corrected.names(), values, strict=True)) for values in _rows(corrected)]
    persons = sorted({who.persons[row["person"]] for row in (*rows, *benefits)})
    with county.store.read() as db:
        said = listing.persons(db, persons)
        payers = listing.payers(db, sorted({who.units[row["unit"]] for row in rows}))
        why = _reasons(db, settled, persons)

    def about(row: dict[str, int]) -> dict[str, Any]:
        id_ = who.persons[row["person"]]
        words = said.get(id_, {})
        return {
            "person_id": id_, "name": words.get("name", ""), "id_number": words.get("id_number", ""),
            "month": month_named(row["month"]), "why": why.get(id_, [_REGISTER]),
        }  # fmt: skip

    contributions = [
        Contribution(
            **about(row), payer=payers.get(who.units[row["unit"]], {}).get("name", ""), more_fen=row["more"],
            cancelled_fen=row["cancelled"], returned_fen=row["returned"],
            credit_fen=gain["credit_pension"] + gain["credit_medical"], months=gain["months"],
        )
        for row, gain in zip(rows, gains, strict=True)
    ]  # fmt: skip
    found = [Benefit(**about(row), fund=FUNDS[row["kind"]], fen=row["pool"] + row["account"]) for row in benefits]
    contributions.sort(key=lambda row: -(row.more_fen + row.cancelled_fen + row.returned_fen))
    found.sort(key=lambda row: -abs(row.fen))
    return Effect(settled, contributions, found, int(recoveries.open.sum()))


def _rows(table: Any) -> Any:
    return zip(*(values.tolist() for _, values in table.columns()), strict=True)


def _reasons(db: Any, settled: str, persons: list[bytes]) -> dict[bytes, list[Text]]:
    """The cases about each person that took effect since the month before was computed."""
    before = month_named(number_of(settled) - 1)
    row = db.execute("SELECT computed_at FROM period WHERE scheme = ? AND month = ?", (COUNTY, before)).fetchone()
    rows = db.execute(
        "SELECT person_id, service, receipt_no FROM hub_case WHERE closed_at >= ? AND state IN ('effective', 'paid') "
        "AND person_id IN (SELECT unhex(value) FROM json_each(?)) ORDER BY closed_at",
        (row[0] if row else "", json.dumps([id_.hex() for id_ in persons])),
    )
    services, out = pack.services(), defaultdict(list)
    for person, service, receipt_no in rows:
        title = services[service].title if service in services else {"zh": service, "en": service}
        out[bytes(person)].append({lang: f"{words} {receipt_no}" for lang, words in title.items()})
    return dict(out)
