# SPDX-License-Identifier: Apache-2.0
"""A settlement month: which one is open, where it stands, its named steps.

A month exists from its first computation (`computed`), and goes forward only: approved, paid, closed. The rules of
the data layer (schema/tables.py) keep the four signatures in four different hands.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any

from schema import period
from schema.errors import Refusal, UnknownSubject, WrongState

SCHEME = "resident_pension"
COUNTY = "county"  # all schemes in one run (hub.settlement.county)
STATES: dict[str, dict[str, str]] = {
    "computed": {"zh": "待审批", "en": "To be approved"},
    "approved": {"zh": "待发放", "en": "To be paid"},
    "paid": {"zh": "待结账", "en": "To be closed"},
    "closed": {"zh": "已结账", "en": "Closed"},
}


@dataclass(frozen=True)
class Step:
    """A step of the month. `done_from`: the state from which on it is done. Numbers as in the full list of 18."""

    number: int
    zh: str
    en: str
    done_from: str


STEPS = (
    Step(0, "开账", "Open the month", "computed"),
    Step(6, "到账导入", "Receipts", "computed"),
    Step(7, "分配到人", "Match to persons", "computed"),
    Step(9, "个人账户记账", "Account posting", "computed"),
    Step(10, "资格核验", "Eligibility", "computed"),
    Step(11, "待遇核定", "Benefit calculation", "computed"),
    Step(12, "复核、审批", "Approval", "approved"),
    Step(13, "发放", "Disbursement", "paid"),
    Step(15, "财务记账", "Journals", "paid"),
    Step(16, "对账", "Reconciliation", "paid"),
    Step(17, "结账", "Close", "closed"),
)


def subject(month: str, scheme: str = SCHEME) -> bytes:
    """What the facts about a month are about."""
    return sha256((scheme + month).encode()).digest()[:16]


def find(db: Any, month: str, scheme: str = SCHEME) -> Any:
    """The month's row, or None when it was never computed."""
    return db.execute("SELECT * FROM period WHERE scheme = ? AND month = ?", (scheme, month)).fetchone()


def get(db: Any, month: str, scheme: str = SCHEME) -> Any:
    """The month's row. Raises UnknownSubject."""
    row = find(db, month, scheme)
    if row is None:
        raise UnknownSubject(f"{month} 还没有计算过", f"{month} was never computed")
    return row


def settled(db: Any, scheme: str = SCHEME) -> list[str]:
    """The months that were computed at least once, the newest first."""
    return [row[0] for row in db.execute("SELECT month FROM period WHERE scheme = ? ORDER BY 1 DESC", (scheme,))]


def open_month(db: Any, scheme: str = SCHEME) -> str | None:
    """The month to settle next: the one not closed yet, else the one after the last closed.

    Before the first settlement it is the one after the month at which most accounts stand; None when there is no
    account either: then any month may be the first.
    """
    unfinished = db.execute(
        "SELECT min(month) FROM period WHERE scheme = ? AND state <> 'closed'", (scheme,)
    ).fetchone()[0]
    if unfinished:
        return str(unfinished)
    last = db.execute("SELECT max(month) FROM period WHERE scheme = ?", (scheme,)).fetchone()[0]
    return period.add_months(last, 1) if last else _first_month(db, scheme)


def _first_month(db: Any, scheme: str) -> str | None:
    """Accounts opened or imported late stand at other months than the rest; they do not move the county's."""
    row = db.execute(
        "SELECT as_of_month FROM account WHERE insurance = ? GROUP BY 1 ORDER BY count(*) DESC, 1 DESC LIMIT 1",
        (scheme,),
    ).fetchone()
    return period.add_months(row[0], 1) if row else None


def booking_month(day: date, opened: str | None) -> str:
    """In which month money of that day is booked: its own, or the open one when its own is closed."""
    return max(period.month_of(day), opened or "")


def require_next(db: Any, month: str, today: date, scheme: str = SCHEME) -> None:
    """Raises Refusal for a month that is not one, WrongState unless it is the open one and has begun."""
    if not period.is_month(month):
        raise Refusal(f"月份要写成 2026-11 这样：{month}", f"a month is written like 2026-11: {month}", code="month")
    opened = open_month(db, scheme)
    if opened is not None and month != opened:
        raise WrongState(
            f"现在该结的是 {opened}，不是 {month}", f"the month to settle now is {opened}, not {month}", code="not_next"
        )
    if month > period.month_of(today):
        raise WrongState(f"{month} 还没有到", f"{month} has not begun", code="not_begun")
    row = find(db, month, scheme)
    if row is not None and row["state"] != "computed":
        raise WrongState(
            f"{month} 已审批，不能重算", f"{month} is approved and cannot be computed again", code="month_state"
        )


def require_state(db: Any, month: str, state: str, scheme: str = SCHEME) -> Any:
    """The month's row, in that state. Raises UnknownSubject, WrongState."""
    row = get(db, month, scheme)
    if row["state"] != state:
        now, wanted = STATES[row["state"]], STATES[state]
        raise WrongState(
            f"{month} 现在是「{now['zh']}」，不是「{wanted['zh']}」",
            f"{month} is now: {now['en']}; expected: {wanted['en']}",
            code="month_state",
        )
    return row
