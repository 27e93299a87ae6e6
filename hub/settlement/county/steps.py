# SPDX-License-Identifier: Apache-2.0
"""The 18 steps of a month: number, name, what a step counted, the control totals that belong to it, where it stands.

Names and order: the county's procedure (业务受理, 待遇核算, 财务稽查), domain knowledge of `hub.settlement`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hub.settlement.county.controls import Control

STATES = ("computed", "approved", "paid", "closed")


@dataclass(frozen=True)
class Step:
    """`done_from`: the state of the month from which on it is done. `counts`: names in `Summary.counts` that tell what
    it did; `controls`: names of the control totals that belong to it; `leads`: the list behind it.
    """

    number: int
    zh: str
    en: str
    done_from: str
    counts: tuple[str, ...] = ()
    controls: tuple[str, ...] = ()
    leads: str = ""


STEPS = (
    Step(0, "开账", "Open the month", "computed"),
    Step(1, "增减员汇总", "Joins and leaves", "computed", ("contributors",)),
    Step(2, "缴费基数核定", "Bases", "computed", ("raised", "lowered")),
    Step(3, "应缴核定", "Assessment", "computed", ("assessed_fen",), ("bills", "adjusted")),
    Step(4, "未申报按 110%", "Undeclared: 110 %", "computed", ("silent_units",)),
    Step(5, "传税务", "Bills to the tax office", "computed", ("bills",), leads="bills"),
    Step(6, "到账导入", "Receipts", "computed", ("received_fen",), ("money",)),
    Step(7, "分配", "Allocation", "computed", ("allocated_fen",), ("allocated",)),
    Step(8, "欠费与滞纳金", "Arrears, late fees", "computed", ("unpaid_fen",), ("arrears",), "arrears"),
    Step(9, "个人账户记账", "Account posting", "computed", ("credited",), ("pension_credits", "medical_credits")),
    Step(10, "资格核验", "Eligibility", "computed", ("held",), ("payees",), "held"),
    Step(11, "待遇核定", "Benefits", "computed", ("paid_fen",), ("recoveries", "deducted")),
    Step(12, "复核、审批", "Approval", "approved"),
    Step(13, "发放", "Disbursement", "paid", ("payees",)),
    Step(14, "银行回盘", "Bank results", "closed"),
    Step(15, "财务记账", "Journals", "paid", ("booked_fen",),
         ("contributions_booked", "returned_booked", "fees_booked", "suspense_booked", "benefits_booked")),
    Step(16, "对账", "Reconciliation", "closed"),
    Step(17, "结账", "Close", "closed"),
)  # fmt: skip


def of_control(name: str) -> int | str:
    """The number of the step that a control total belongs to."""
    return next((step.number for step in STEPS if name in step.controls), "")


@dataclass(frozen=True)
class Mark:
    """A step of one month: done, now or todo; since when (an instant) when done; its figures and totals."""

    step: Step
    state: str
    at: str | None
    counts: dict[str, int]
    controls: tuple[Control, ...]


def marks(row: dict[str, Any], counts: dict[str, int], controls: list[Control]) -> list[Mark]:
    """All steps. `row`: the month's row of `period`, empty before the first run."""
    reached = STATES.index(row["state"]) if row else -1
    out: list[Mark] = []
    for step in STEPS:
        done = STATES.index(step.done_from) <= reached
        first = not done and all(mark.state == "done" for mark in out)
        out.append(Mark(
            step, "done" if done else "now" if first else "todo", row[f"{step.done_from}_at"] if done else None,
            {name: counts[name] for name in step.counts if name in counts} if row else {},
            tuple(control for control in controls if control.name in step.controls),
        ))  # fmt: skip
    return out
