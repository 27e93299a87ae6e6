# SPDX-License-Identifier: Apache-2.0
"""Control totals: each says one sum in two ways that do not share their work, and the two must not differ by a fen.

One side is asked from the rows as they stand in the database, the other from the inputs or the books. A difference
stops the month before anything is written.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from hub import ledger
from hub.settlement.credits import Subsidy
from hub.settlement.inputs import Frozen
from hub.settlement.kernel import NONE, Lines
from hub.settlement.month import SCHEME
from schema import money, period
from schema.errors import WrongState


@dataclass(frozen=True)
class Control:
    """One control total. `unit` is `fen` or `persons`; `step` the step of the month it belongs to."""

    id: str
    step: int
    zh: str
    en: str
    left: int
    right: int
    unit: str = "fen"

    @property
    def difference(self) -> int:
        return self.left - self.right

    def to_json(self) -> dict[str, Any]:
        """As kept with the month."""
        return asdict(self)


def require_equal(controls: Iterable[Control]) -> list[Control]:
    """All of them. Raises WrongState (code `control_<id>`) at the first that differs: the caller's transaction ends."""
    out = list(controls)
    for control in out:
        if control.difference:
            sides = [money.yuan(n) if control.unit == "fen" else str(n) for n in (control.left, control.right)]
            raise WrongState(
                f"控制数不平：{control.zh}，{sides[0]} 对 {sides[1]}。已停下，什么也没有写入",
                f"control totals differ: {control.en}, {sides[0]} against {sides[1]}. Stopped, nothing was written",
                code=f"control_{control.id}",
            )
    return out


def of_computation(db: Any, frozen: Frozen, lines: Lines, subsidy: Subsidy) -> list[Control]:
    """What must agree when a month has been computed."""
    return [*of_receipts(db, frozen.month), *_of_accounts(db, frozen, subsidy), *_of_benefits(db, frozen, lines)]


def of_receipts(db: Any, month: str) -> list[Control]:
    """Receipts against the books, and where each fen of them stands."""
    total, suspense, unposted, now, later = db.execute(
        """SELECT coalesce(sum(amount_fen), 0),
             coalesce(sum(amount_fen) FILTER (WHERE state = 'suspense'), 0),
             coalesce(sum(amount_fen) FILTER (WHERE state <> 'posted'), 0),
             coalesce(sum(amount_fen) FILTER (WHERE state = 'matched' AND posted_month = ?2), 0),
             coalesce(sum(amount_fen) FILTER (WHERE state = 'matched' AND posted_month IS NULL), 0)
           FROM receipt WHERE scheme = ?1""",
        (SCHEME, month),
    ).fetchone()
    treasury, held = ledger.balance(db, SCHEME, "1005"), ledger.balance(db, SCHEME, "2001")
    return [
        _fen("treasury", 6, total, treasury, "到账登记 = 国库入账", "receipts = treasury entries"),
        _fen("suspense", 7, suspense, held, "未认领到账 = 暂收款余额", "unmatched receipts = suspense account"),
        _fen("split", 7, unposted, now + later + suspense, "未记账 = 本月 + 以后月份 + 未认领",
             "not posted = this month + later + unmatched"),
    ]  # fmt: skip


def _of_accounts(db: Any, frozen: Frozen, subsidy: Subsidy) -> list[Control]:
    opening, contribution, added, paid, closing = _sums(
        db, frozen.month, "opening_fen", "contribution_fen", "subsidy_fen", "from_account_fen", "closing_fen"
    )
    received = _number(
        db,
        "SELECT sum(amount_fen) FROM receipt WHERE scheme = ? AND posted_month = ? AND state = 'matched'",
        frozen.month,
    )
    by_totals = sum(
        persons * (subsidy(year, after_fen) - subsidy(year, before_fen))
        for year, before_fen, after_fen, persons in _yearly_totals(db, frozen.month)
    )
    return [
        _fen("contributions", 9, contribution, received, "账户记入 = 本月到账", "credited = receipts of the month"),
        _fen("subsidies", 9, added, by_totals, "账户补贴 = 按年合计应补", "subsidy = subsidy of yearly totals"),
        _fen("accounts", 9, opening + contribution + added - paid, closing, "期初 + 记入 + 补贴 − 支付 = 期末",
             "opening + credits + subsidy − paid = closing"),
    ]  # fmt: skip


_OF_MONTH = "scheme = ? AND posted_month = ? AND state = 'matched'"


def _yearly_totals(db: Any, month: str) -> Any:
    """(year, total before, total after, persons) of everybody with a receipt in the month."""
    return db.execute(
        """SELECT year, before_fen, before_fen + now_fen, count(*) FROM (
             SELECT year, coalesce(sum(amount_fen) FILTER (WHERE state = 'posted'), 0) AS before_fen,
                    coalesce(sum(amount_fen) FILTER (WHERE state = 'matched' AND posted_month = ?2), 0) AS now_fen
             FROM receipt WHERE scheme = ?1 AND person_id IS NOT NULL GROUP BY person_id, year)
           WHERE now_fen > 0 GROUP BY 1, 2, 3""",
        (SCHEME, month),
    )


def _of_benefits(db: Any, frozen: Frozen, lines: Lines) -> list[Control]:
    month, before = frozen.month, period.add_months(frozen.month, -1)
    planned = _number(db, "SELECT sum(amount_fen) FROM payment WHERE scheme = ? AND month = ?", month)
    drawn = _number(db, f"SELECT count(*) FROM ({_PAYEES})", month)
    last = _number(db, f"SELECT count(*) FROM ({_PAYEES})", before)
    new, stopped = (_number(db, _ONLY_IN_FIRST, *months) for months in ((month, before), (before, month)))
    with_benefit = frozen.columns.benefit != NONE
    not_due = with_benefit & (lines.held == 0) & (lines.months == 0)
    accounted = drawn + int((lines.held > 0).sum()) + int(not_due.sum())
    return [
        _persons("eligible", 10, int(with_benefit.sum()), accounted, "有待遇 = 发放 + 拦下 + 未到期",
                 "with a benefit = paid + held back + not due"),
        _persons("payees", 11, last + new - stopped, drawn, "上月人数 + 新增 − 停发 = 本月",
                 "last month + new − stopped = this month"),
        _fen("plan", 11, int(lines.payable.sum()), planned, "逐人待遇合计 = 发放计划", "sum of persons = payment plan"),
    ]  # fmt: skip


_PAYEES = "SELECT person_id FROM payment WHERE scheme = ?1 AND month = ?2 AND state <> 'held'"
_ONLY_IN_FIRST = f"SELECT count(*) FROM ({_PAYEES} EXCEPT {_PAYEES.replace('?2', '?3')})"


def of_payment(db: Any, month: str) -> list[Control]:
    """What must agree when a month has been paid: the bank's batches, the books, the accounts, the statements."""
    sums = dict(
        db.execute(
            "SELECT state, sum(amount_fen) FROM payment WHERE scheme = ? AND month = ? GROUP BY state", (SCHEME, month)
        ).fetchall()
    )
    paid = sums.get("paid", 0)
    basic, account, extra, arrears, added = _sums(
        db, month, "basic_fen", "account_fen", "extra_fen", "arrears_fen", "subsidy_fen"
    )
    books = ledger.trial_balance(db, SCHEME)
    spent = ledger.balance(db, SCHEME, "5001-01", month)
    subsidies = ledger.balance(db, SCHEME, "4002", month)
    stated, closing, balances = db.execute(
        "SELECT coalesce(sum(s.benefit_fen), 0), coalesce(sum(s.balance_fen), 0), "
        "coalesce(sum(a.balance_fen), 0) FROM statement s "
        "LEFT JOIN account a ON a.person_id = s.person_id AND a.insurance = s.insurance "
        "WHERE s.insurance = ? AND s.month = ?",
        (SCHEME, month),
    ).fetchone()
    return [
        _fen("paid", 13, paid, basic + account + extra + arrears, "已发放 = 逐人待遇合计", "paid = sum of persons"),
        _fen("stated", 13, stated, paid, "个人结算单待遇 = 已发放", "benefits on statements = paid"),
        _fen("spending", 15, spent, paid, "待遇支出科目 = 已发放", "benefit spending account = paid"),
        _fen("income", 15, subsidies, added, "补贴收入科目 = 账户补贴", "subsidy account = subsidy credited"),
        _fen("books", 15, books.debit_fen, books.credit_fen, "借方合计 = 贷方合计", "debits = credits"),
        _fen("balances", 16, balances, closing, "个人账户余额 = 结算单期末", "account balances = statements"),
    ]  # fmt: skip


def _fen(id_: str, step: int, left: int, right: int, zh: str, en: str) -> Control:
    return Control(id_, step, zh, en, left, right)


def _persons(id_: str, step: int, left: int, right: int, zh: str, en: str) -> Control:
    return Control(id_, step, zh, en, left, right, "persons")


def _sums(db: Any, month: str, *columns: str) -> tuple[int, ...]:
    asked = ", ".join(f"coalesce(sum({column}), 0)" for column in columns)
    row = db.execute(f"SELECT {asked} FROM settlement_line WHERE scheme = ? AND month = ?", (SCHEME, month)).fetchone()
    return tuple(row)


def _number(db: Any, query: str, *months: str) -> int:
    return int(db.execute(query, (SCHEME, *months)).fetchone()[0] or 0)
