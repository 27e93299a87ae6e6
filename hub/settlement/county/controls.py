# SPDX-License-Identifier: Apache-2.0
"""What must hold of a month before it counts. Each is computed from both sides; one that fails stops the run by name.

The seven invariants of the settlement (domain: 4): (a) a bill is the sum of its lines; (b) opening arrears + assessed
- paid = closing arrears; (c) opening account + credits = closing account; (d) what arrived is allocated, fee or
suspense; (e) what is paid is what the books say; (f) collected, booked and posted amounts agree; (g) the same inputs
give the same root (`month_file`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hub.settlement.county import booking
from hub.settlement.county.columns import AMOUNTS, Inputs, Lines, Outcome, Table
from schema.errors import WrongState


@dataclass(frozen=True)
class Control:
    """One equality: its name, and both sides in fen or persons."""

    name: str
    zh: str
    en: str
    left: int
    right: int

    @property
    def holds(self) -> bool:
        return self.left == self.right


def of_month(inputs: Inputs, outcome: Outcome) -> list[Control]:
    """All of them."""
    o, ledger = outcome, outcome.ledger
    assessed, arrears, unpaid = _due(o.assessed), _due(inputs.arrears), _due(o.unpaid)
    paid, money = int(o.bills.paid.sum()), int((inputs.units.carried + inputs.units.received).sum())
    fees, suspense = int(o.payers.late_fee.sum()), int(o.payers.suspense.sum())
    payments = int((o.payments.pool + o.payments.account).sum())
    more, cancelled, returned = (int(getattr(o.adjusted, n).sum()) for n in ("more", "cancelled", "returned"))
    recovered = {n: int(getattr(o.recoveries, n).sum()) for n in ("carried", "added", "deducted", "open")}
    less = (inputs.corrections.pool, inputs.corrections.account)
    overpaid = sum(int(np.maximum(-column, 0).sum()) for column in less)

    def booked(*events: int) -> int:
        return sum(int(ledger.amount[ledger.event == event].sum()) for event in events)

    suspense_booked = booked(booking.TO_SUSPENSE) - booked(booking.FROM_SUSPENSE)
    return [
        Control("bills", "账单 = 应缴明细合计", "bills = sum of their lines", int(o.bills.due.sum()),
                assessed + arrears + more - cancelled),
        Control("arrears", "期初欠费 + 核定 + 调增 − 冲减 − 到账 = 期末欠费",
                "opening arrears + assessed + adjusted - cancelled - paid = closing arrears",
                arrears + assessed + more - cancelled - paid, unpaid),
        Control("money", "到账 + 退回 = 分配 + 滞纳金 + 暂收", "money + returned = allocated + late fees + suspense",
                money + returned, paid + fees + suspense),
        Control("adjusted", "往月差额 = 调增 − 冲减 − 退回", "late work = more - cancelled - returned",
                _due(inputs.adjustments), more - cancelled - returned),
        Control("returned_booked", "退回入账 = 退回", "returned booked = returned", booked(booking.RETURNED), returned),
        Control("recoveries", "期初待追回 + 新增 − 抵扣 = 期末待追回", "claims + overpaid - deducted = open claims",
                int(inputs.claims.amount.sum()) + overpaid - int(o.payments.deducted.sum()), recovered["open"]),
        Control("deducted", "抵扣 = 发放时扣下", "claims paid off = kept from payments", recovered["deducted"],
                int(o.payments.deducted.sum())),
        Control("allocated", "单位分配合计 = 账单已缴合计", "allocated to units = paid of bills",
                int(o.payers.allocated.sum()), paid),
        Control("pension_credits", "个人账户记账 = 记账明细", "credits posted = change of the accounts",
                int(o.postings.credit_pension.sum()), _change(inputs, outcome, "pension")),
        Control("medical_credits", "医保个人账户记账 = 记账明细", "medical credits posted = change of the accounts",
                int(o.postings.credit_medical.sum()), _change(inputs, outcome, "medical")),
        Control("contributions_booked", "缴费收入入账 = 分配", "contribution income booked = allocated",
                booked(booking.CONTRIBUTION), paid),
        Control("fees_booked", "滞纳金入账 = 收取", "late fees booked = taken", booked(booking.LATE_FEE), fees),
        Control("suspense_booked", "暂收款变动入账 = 变动", "change of suspense booked = change", suspense_booked,
                suspense - int(inputs.units.carried.sum())),
        Control("benefits_booked", "待遇支出入账 = 发放计划", "benefits booked = payment plan", booked(booking.BENEFIT),
                payments),
        Control("payees", "每个领取人一行", "one line per payee", len(o.payments), len(inputs.payees)),
    ]  # fmt: skip


def require(controls: list[Control]) -> list[Control]:
    """The same, when all hold. Raises WrongState (code `controls`) naming those that do not."""
    broken = [control for control in controls if not control.holds]
    if broken:
        zh = "；".join(f"{c.zh}（{c.left} ≠ {c.right}）" for c in broken)
        en = "; ".join(f"{c.en} ({c.left} != {c.right})" for c in broken)
        raise WrongState(
            f"月结核对不平，没有写入任何结果：{zh}", f"it does not balance, nothing was written: {en}", code="controls"
        )
    return controls


def _due(lines: Lines | Table) -> int:
    return sum(int(getattr(lines, name).sum()) for name in AMOUNTS)


def _change(inputs: Inputs, outcome: Outcome, account: str) -> int:
    """By how much the accounts of those posted to have grown, from the accounts as they came in."""
    before, posted = inputs.accounts, outcome.postings
    held = getattr(before, account)[np.isin(before.person, posted.person)].sum()
    return int(getattr(posted, account).sum() - held)
