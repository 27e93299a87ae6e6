# SPDX-License-Identifier: Apache-2.0
"""Reimbursement of one hospital bill: deductible, slices, yearly ceiling, serious illness, assistance.

The law leaves the numbers to the pooling city; they are parameters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from schema.money import half_up
from schema.parameter import Parameters
from schema.rules.trace import Trace, rule


@dataclass(frozen=True)
class Bill:
    """A bill in fen. `self_paid_fen`: items outside the catalogue; `first_part_fen`: the own share of class B items.

    `level`: of the hospital, 1 to 3. `admission`: which stay of the year. Of this year's earlier bills: `used_fen` the
    pooled fund paid, `own_share_fen` eligible costs were left to the person.
    """

    total_fen: int
    self_paid_fen: int = 0
    first_part_fen: int = 0
    level: int = 3
    admission: int = 1
    retired: bool = False
    unfiled_elsewhere: bool = False
    assisted: bool = False
    used_fen: int = 0
    own_share_fen: int = 0


@dataclass(frozen=True)
class Reimbursement:
    """Who pays what of a bill, in fen; the parts add up to the total."""

    deductible_fen: int
    pooled_fen: int
    serious_fen: int
    assistance_fen: int
    own_fen: int

    @property
    def paid_fen(self) -> int:
        """What the insured person gets back."""
        return self.pooled_fen + self.serious_fen + self.assistance_fen


@rule("medical.reimbursement", since=date(2021, 7, 1), law="浙江省医疗保障条例 三十二、三十四")
def reimbursement(
    bill: Bill, on: date, known_on: date | None, parameters: Parameters, trace: Trace | None = None
) -> Reimbursement:
    """Eligible = total - self-paid - first part; above the deductible each slice has its share, within the
    ceiling of the year; of the eligible costs left to the person in the year, serious-illness cover shares what lies
    above its line; then assistance for whom it is due.

    Each slice is rounded half up. Raises ValueError when the parts exceed the total.
    """
    eligible = bill.total_fen - bill.self_paid_fen - bill.first_part_fen
    if eligible < 0:
        raise ValueError("self-paid parts above the total")
    names = (
        "deductible_fen", "deductible_again", "tier_share", "yearly_ceiling_fen", "retiree_bonus", "elsewhere_cut",
        "serious_line_fen", "serious_share", "assistance_share",
    )  # fmt: skip
    p = {name: parameters.at(f"medical/{name}", on, known_on) for name in names}
    deductible = p["deductible_fen"].table[bill.level]
    if bill.admission > 1:
        deductible = half_up(deductible * p["deductible_again"].number, 10_000)
    deductible = min(deductible, eligible)
    change = p["retiree_bonus"].number * bill.retired - p["elsewhere_cut"].number * bill.unfiled_elsewhere
    pooled = min(
        _slices(eligible - deductible, p["tier_share"].table, change),
        max(0, p["yearly_ceiling_fen"].number - bill.used_fen),
    )
    left = eligible - pooled
    line = p["serious_line_fen"].number
    above = _above(bill.own_share_fen + left, line) - _above(bill.own_share_fen, line)
    serious = half_up(above * p["serious_share"].number, 10_000)
    assistance = half_up((left - serious) * p["assistance_share"].number, 10_000) if bill.assisted else 0
    out = Reimbursement(deductible, pooled, serious, assistance, bill.total_fen - pooled - serious - assistance)
    if trace is not None:
        inputs = {
            "total_fen": bill.total_fen, "eligible_fen": eligible, "deductible_fen": deductible, "pooled_fen": pooled,
            "serious_fen": serious, "assistance_fen": assistance,
        }  # fmt: skip
        zh = "（总额 − 自费 − 先行自付 − 起付标准）分段 × 比例，不超过封顶线；再大病保险；再医疗救助"
        en = "(total - own items - deductible) by slices, capped; then serious illness; then assistance"
        trace.record(zh, en, inputs, out.paid_fen, tuple(p.values()))
    return out


def _slices(amount_fen: int, shares: Mapping[int, int], change: int) -> int:
    """The sum over slices of slice * share, each rounded; a share stays within 0 and 100 %."""
    paid = 0
    for start, end in pairwise([*sorted(shares), amount_fen]):
        part = max(0, min(end, amount_fen) - start)
        paid += half_up(part * min(10_000, max(0, shares[start] + change)), 10_000)
    return paid


def _above(amount_fen: int, line_fen: int) -> int:
    return max(0, amount_fen - line_fen)
