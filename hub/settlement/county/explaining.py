# SPDX-License-Identifier: Apache-2.0
"""One person's month of the county, as it could be shown to that person: what was due and why, what arrived and what
it paid, what the account got, what is paid out; each with formula, law, parameters and their documents.

The amounts are those of the month file. The formulas are computed once more by the dated rules (`schema.rules`), apart
from the code that settled the month; where the two differ the page says so.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from hub import pack
from hub.settlement.county import contributing, naming
from hub.settlement.county.columns import FUND_OF_KIND, FUNDS
from hub.settlement.county.month_file import MonthFile
from hub.settlement.county.paying import HELD
from hub.settlement.county.reckoning import Explanation, Line, Part, Text
from hub.settlement.county.runs import County
from hub.settlement.county.summary import due_of, waiting_months
from hub.settlement.inputs import month_named
from hub.settlement.month import COUNTY, find
from schema import money
from schema.errors import UnknownSubject


def explain(county: County, settled: str, person_id: bytes) -> Explanation:
    """Raises UnknownSubject when there is no such month, or it did nothing to this person."""
    with county.store.read() as db, county.open(settled) as file:
        run, signed = county.get(db, settled), find(db, settled, COUNTY)
        person = db.execute("SELECT * FROM person WHERE id = ?", (person_id,)).fetchone()
        who = file.who()
        if person is None or person_id not in who.persons:
            raise UnknownSubject(f"{settled} 没有涉及此人", f"{settled} did nothing to this person")
        number = who.persons.index(person_id)
        assessed = file.rows_of("assessed", number)
        paid = file.rows_of("payments", number)
        parts = [
            *contributing.parts(db, file, who, number, county.known_on(settled)),
            *_arrived(file, number), *_account(file, number), *_benefits(db, file, person_id, number),
        ]  # fmt: skip
    if not parts:
        raise UnknownSubject(f"{settled} 没有涉及此人", f"{settled} did nothing to this person")
    return Explanation(
        settled, run["run_id"], run["root"], run["computed_at"], signed["state"], dict(person), parts,
        int(due_of(assessed).sum()), int((paid.pool + paid.account).sum()),
    )  # fmt: skip


def _arrived(file: MonthFile, number: int) -> list[Part]:
    """Which months the money that arrived paid, and which are owed; first what late work changed of earlier ones."""
    owed, left = Counter[int](), Counter[int]()
    names = ("arrears", "assessed", "unpaid", "adjusted")
    arrears, assessed, unpaid, adjusted = (file.rows_of(name, number) for name in names)
    for month, fen in zip(arrears.month.tolist(), due_of(arrears).tolist(), strict=True):
        owed[month] += fen
    for month, fen in zip(adjusted.month.tolist(), (adjusted.more - adjusted.cancelled).tolist(), strict=True):
        owed[month] += fen
    if len(assessed):
        owed[file.about()["month"]] += int(due_of(assessed).sum())
    for month, fen in zip(unpaid.month.tolist(), due_of(unpaid).tolist(), strict=True):
        left[month] += fen
    lines = [_month_line(month, owed[month], left[month]) for month in sorted(owed) if owed[month] or left[month]]
    title = {"zh": "到账，付了哪几个月", "en": "What arrived, and which months it paid"}
    arrived = [Part(title, lines, note=_ORDER)] if lines else []
    return [*_adjusted(adjusted), *arrived]


_ORDER = {
    "zh": "单位的钱先付最早的月份；不够一个月的，按各人应缴比例分，先个人部分。没有付清的月份不算年限、不记账户。",
    "en": "A payer's money pays the oldest month first; what does not fill a month is divided by what each owes, "
    "the person's own share first. A month not paid in full gives neither months nor credit.",
}
_CHANGES = {
    "more": {"zh": "补收，列入应缴", "en": "more is due"},
    "cancelled": {"zh": "少收，还没有到账，冲减欠费", "en": "less is due; it was not paid yet"},
    "returned": {"zh": "多收的，退回缴费人的余额", "en": "paid too much: back to the payer's money"},
}


def _adjusted(adjusted: Any) -> list[Part]:
    """What became known late of months that were closed."""
    lines = [
        Line({"zh": month_named(month), "en": month_named(month)}, how, int(getattr(adjusted, name)[n]))
        for n, month in enumerate(adjusted.month.tolist())
        for name, how in _CHANGES.items() if getattr(adjusted, name)[n]
    ]  # fmt: skip
    title = {"zh": "以前月份的差额", "en": "Differences of earlier months"}
    note = {
        "zh": "结账以后才收到的业务。结过账的月份不改，差额列入本月。",
        "en": "Work that arrived after its month was closed. A closed month stays; the difference is in this one.",
    }
    return [Part(title, lines, note=note)] if lines else []


def _month_line(month: int, due: int, left: int) -> Line:
    what = {"zh": f"{month_named(month)} 应缴 {money.yuan(due)}", "en": f"{month_named(month)}: due {money.yuan(due)}"}
    if not left:
        how = {"zh": "已付清", "en": "paid in full"}
    elif left == due:
        how = {"zh": "还没有到账", "en": "nothing arrived yet"}
    else:
        how = {"zh": f"付了一部分，还欠 {money.yuan(left)}", "en": f"paid in part, {money.yuan(left)} owed"}
    return Line(what, how, due - left)


_ACCOUNTS = (("pension", "养老个人账户", "pension account"), ("medical", "医保个人账户", "medical account"))


def _account(file: MonthFile, number: int) -> list[Part]:
    """What the individual accounts got."""
    posted, before = file.rows_of("postings", number), file.rows_of("accounts", number)
    if not len(posted):
        return []
    lines = []
    for name, zh, en in (
        ("pension", "养老个人账户", "pension account"),
        ("medical", "医保个人账户", "medical account"),
    ):
        opening = int(getattr(before, name).sum())
        credit, closing = (int(getattr(posted, column)[0]) for column in (f"credit_{name}", name))
        if opening or credit:
            sums = [money.yuan(fen) for fen in (opening, credit)]
            lines.append(Line({"zh": zh, "en": en}, {
                "zh": f"上月末 {sums[0]} + 本月记账 {sums[1]}", "en": f"{sums[0]} before + {sums[1]} credited now",
            }, closing))  # fmt: skip
    months, total = int(posted.months[0]), int(posted.pension_months[0])
    lines.append(Line(
        {"zh": "养老缴费月数", "en": "months of pension paid"},
        {"zh": f"本月增加 {months} 个月，累计 {total} 个月", "en": f"{months} more, {total} altogether"},
    ))  # fmt: skip
    return [Part({"zh": "个人账户和年限", "en": "Accounts and months"}, lines)]


def _benefits(db: Any, file: MonthFile, person_id: bytes, number: int) -> list[Part]:
    """What is paid out of each fund, or why it waits."""
    payees, payments = file.rows_of("payees", number), file.rows_of("payments", number)
    month = file.about()["month"]
    late = {
        row["fund"]: row["reason"] for row in db.execute(
            "SELECT fund, reason FROM month_held WHERE month = ? AND person_id = ?", (month_named(month), person_id))
    }  # fmt: skip
    out = []
    for n, place in enumerate(payments.kind.tolist()):
        fund = FUNDS[place]
        pool, account = int(payees.pool[n]), int(payees.account[n])
        held = HELD[int(payments.held[n])]
        lines = [Line(
            {"zh": "每月", "en": "each month"},
            {"zh": f"统筹 {money.yuan(pool)} + 个人账户 {money.yuan(account)}",
             "en": f"{money.yuan(pool)} from the pool + {money.yuan(account)} from the account"}, pool + account,
        )]  # fmt: skip
        months = int(waiting_months(payees, month)[n])
        lines += _paid_lines(late.get(fund, ""), held, int(payees.paid_through[n]), months, pool + account,
                             {name: int(values[n]) for name, values in payments.columns()})  # fmt: skip
        title = {"zh": f"{naming.FUND[fund]['zh']}待遇", "en": f"{naming.FUND[fund]['en']}: benefit"}
        rules = _rules(db, person_id, fund)
        out.append(Part(title, lines, rules, None if rules else _EARLIER))
    return out


_EARLIER = {
    "zh": "待遇是以前核定的，公式和依据在原案卷里。",
    "en": "The benefit was determined earlier; formula and basis are in the old file.",
}


def _paid_lines(late: str, held: str, paid_through: int, months: int, monthly: int, paid: dict[str, int]) -> list[Line]:
    """The months paid now, what late work adds to earlier ones, what is kept for what was paid too much, and the sum;
    or why nothing is paid. `late`: why the payment was taken out on the day of payment.
    """
    total = paid["pool"] + paid["account"]
    if late:
        return [Line({"zh": "没有发放", "en": "not paid"}, naming.HELD[late], 0)]
    if held:
        lines = [Line({"zh": "没有发放", "en": "not paid"}, naming.HELD[held], 0)]
    elif not months:
        lines = [Line({"zh": "本月", "en": "this month"}, {"zh": "已经发过", "en": "paid before"}, 0)]
    else:
        first, last = month_named(paid_through + 1), month_named(paid_through + months)
        of = last if months == 1 else f"{first} – {last}"
        how = {"zh": f"{of}，{months} 个月", "en": f"{of}: {months} month{'s' if months > 1 else ''}"}
        lines = [Line({"zh": "本月发放", "en": "paid with this month"}, how, months * monthly)]
    more = [
        Line({"zh": "以前月份的差额", "en": "differences of earlier months"},
             {"zh": "结账以后才知道的，补发", "en": "known after the close; paid now"}, paid["corrected"]),
        Line({"zh": "抵扣", "en": "kept"},
             {"zh": "以前多发的，从本月扣回", "en": "for what was paid too much before"}, -paid["deducted"]),
    ]  # fmt: skip
    more = [line for line in more if line.fen]
    return [*lines, *more, Line({"zh": "合计", "en": "altogether"}, {"zh": "", "en": ""}, total)] if more else lines


def _rules(db: Any, person_id: bytes, fund: str) -> list[dict[str, Any]]:
    """Formula and documents as they were fixed when the claims were approved; none for benefits from before."""
    rows = db.execute(
        "SELECT b.kind, c.calculation FROM benefit b JOIN hub_case c ON c.id = b.case_id "
        "WHERE b.person_id = ? AND b.state <> 'ended' ORDER BY b.kind, b.id", (person_id,),
    )  # fmt: skip
    found = [json.loads(row["calculation"] or "{}") for row in rows if FUND_OF_KIND.get(row["kind"]) == fund]
    return [rule for calculation in found for rule in calculation.get("trace", [])]


def titles() -> dict[str, Text]:
    """Names of parameters for people."""
    return {parameter.name: dict(parameter.title) for parameter in pack.parameters()}
