# SPDX-License-Identifier: Apache-2.0
"""One person, one month: formula, parameters with their documents, numbers. What a citizen may ask for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from hub import pack
from hub.settlement import credits, month
from hub.settlement.month import SCHEME
from schema import money
from schema.errors import UnknownSubject

Text = dict[str, str]

REASONS: dict[str, Text] = {
    "several": {
        "zh": "有两份以上未终止的待遇，要先查清",
        "en": "more than one benefit that has not ended: find out which",
    },
    "ended": {"zh": "待遇已终止", "en": "the benefit has ended"},
    "suspended": {"zh": "待遇暂停，恢复后补发", "en": "suspended; paid as arrears when resumed"},
    "reported": {
        "zh": "已收到死亡或暂停的申报，核对以前先停发",
        "en": "a death or a pause was reported; held back until that case is decided",
    },
    "dead": {
        "zh": "已死亡，从次月起停发；未领月份由继承人申领",
        "en": "deceased; unpaid months are for the heirs to claim",
    },
    "no_amount": {"zh": "待遇金额是 0，要先核定", "en": "the benefit amount is zero: it must be determined first"},
    "no_bank_account": {
        "zh": "没有发放账户，登记后下月补发",
        "en": "no bank account; paid as arrears once there is one",
    },
    "bank_changed": {
        "zh": "计算之后发放账户变了，下月补发",
        "en": "the bank account changed since; paid as arrears next month",
    },
}


@dataclass(frozen=True)
class Part:
    """One step of the reckoning: what, how, how much, and the rule lines (formula, law, parameters) behind it."""

    title: Text
    words: Text
    amount_fen: int
    rules: list[dict[str, Any]]


@dataclass(frozen=True)
class Explanation:
    """All parts of one person's month."""

    month: str
    run_id: str
    person: dict[str, Any]
    line: dict[str, Any]
    parts: list[Part]
    held: Text | None
    due_fen: int
    payment: dict[str, Any] | None

    @property
    def total_fen(self) -> int:
        """What the month pays the person."""
        return sum(int(self.line[part]) for part in ("basic_fen", "account_fen", "extra_fen", "arrears_fen"))


def explain(db: Any, settled: str, person_id: bytes) -> Explanation:
    """Raises UnknownSubject when the month did nothing to this person."""
    row = month.get(db, settled)
    line = db.execute(
        "SELECT * FROM settlement_line WHERE scheme = ? AND month = ? AND person_id = ?", (SCHEME, settled, person_id)
    ).fetchone()
    person = db.execute("SELECT * FROM person WHERE id = ?", (person_id,)).fetchone()
    if line is None or person is None:
        raise UnknownSubject(f"{settled} 没有涉及此人", f"{settled} did nothing to this person")
    trace = json.loads(line["trace"])
    payment = db.execute(
        "SELECT * FROM payment WHERE scheme = ? AND month = ? AND person_id = ?", (SCHEME, settled, person_id)
    ).fetchone()
    parts = [*_credits(trace.get("receipts", []), settled), *_benefit(db, line, trace), _account(line)]
    return Explanation(
        settled, row["run_id"], dict(person), dict(line), parts, REASONS.get(trace.get("held", "")),
        trace.get("due_fen", 0), dict(payment) if payment else None,
    )  # fmt: skip


def _credits(receipts: list[list[Any]], settled: str) -> list[Part]:
    out = []
    for no, year, amount_fen, subsidy_fen, _, total_fen in receipts:
        what = {"zh": f"{year} 年度缴费，票据 {no}", "en": f"contribution for {year}, receipt {no}"}
        out.append(Part({"zh": "个人缴费", "en": "Contribution"}, what, amount_fen, []))
        rule = credits.explained(year, total_fen, settled, pack.parameters())
        words = {
            "zh": f"{year} 年度累计缴费 {money.yuan(total_fen)}，应补减去已补",
            "en": f"{money.yuan(total_fen)} paid for {year} altogether; subsidy of that, less what was added before",
        }
        out.append(Part({"zh": "政府补贴", "en": "Subsidy"}, words, subsidy_fen, [x.as_dict() for x in rule.lines]))
    return out


def _benefit(db: Any, line: Any, trace: dict[str, Any]) -> list[Part]:
    if "months" not in trace:
        return []
    rules = _claim_rules(db, line["person_id"])
    monthly_fen = line["basic_fen"] + line["account_fen"] + line["extra_fen"]
    sums = [money.yuan(line[part]) for part in ("basic_fen", "account_fen", "extra_fen")]
    words = {
        "zh": f"基础养老金 {sums[0]} + 个人账户养老金 {sums[1]} + 加发 {sums[2]}",
        "en": f"basic pension {sums[0]} + account part {sums[1]} + add-on {sums[2]}",
    }
    out = [Part({"zh": "本月待遇", "en": "This month's pension"}, words, monthly_fen, rules)]
    if trace["months"] > 1:
        behind = trace["months"] - 1
        words = {
            "zh": f"从 {trace['first']} 起 {behind} 个月没有发过，{behind} × {money.yuan(monthly_fen)}",
            "en": f"{behind} months since {trace['first']} were not paid: {behind} × {money.yuan(monthly_fen)}",
        }
        out.append(Part({"zh": "补发", "en": "Arrears"}, words, line["arrears_fen"], []))
    return out


def _claim_rules(db: Any, person_id: bytes) -> list[dict[str, Any]]:
    """Formula and documents as they were fixed when the claim was approved; empty for benefits from before."""
    row = db.execute(
        "SELECT c.calculation FROM benefit b JOIN hub_case c ON c.id = b.case_id "
        "WHERE b.person_id = ? AND b.kind = ? AND b.state = 'active'",
        (person_id, SCHEME),
    ).fetchone()
    return list(json.loads(row["calculation"]).get("trace", [])) if row and row["calculation"] else []


def _account(line: Any) -> Part:
    sums = [money.yuan(line[c]) for c in ("opening_fen", "contribution_fen", "subsidy_fen", "from_account_fen")]
    words = {
        "zh": f"期初 {sums[0]} + 缴费 {sums[1]} + 补贴 {sums[2]} − 账户支付 {sums[3]}",
        "en": f"opening {sums[0]} + contributions {sums[1]} + subsidy {sums[2]} − paid from the account {sums[3]}",
    }
    return Part({"zh": "个人账户期末", "en": "Account at the end"}, words, line["closing_fen"], [])
