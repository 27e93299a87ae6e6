# SPDX-License-Identifier: Apache-2.0
"""A person's month as it is told: every amount is that of the month file, and the dated rules come to the same."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hub.settlement.county import contributing, explaining
from hub.settlement.county.columns import FUNDS, Adjustments, Corrections
from hub.settlement.county.reckoning import Explanation, Part
from hub.settlement.county.runs import County as Months
from schema import database
from schema.errors import UnknownSubject
from schema.ids import new_id
from tests.hub.settlement.conftest import County, report
from tests.hub.settlement.county.working import (
    DECEMBER,
    FULL_FEN,
    NOVEMBER,
    employer,
    later,
    of_person,
    pay_in,
    run,
    settle,
    sign,
)


def part(found: Explanation, title: str) -> Part:
    return next(part for part in found.parts if title in part.title["zh"])


def lines(found: Part) -> dict[str, tuple[str, int | None]]:
    return {line.what["zh"]: (line.how["zh"], line.fen) for line in found.lines}


def flexible(county: County, base_fen: int) -> bytes:
    """Somebody who pays alone, for pension and medical."""
    person = county.person(enrolled=False)
    for insurance in ("employee_pension", "employee_medical"):
        county.put(("enrolment", {"id": new_id(), "person_id": person, "insurance": insurance, "state": "active",
                                  "began_month": "2020-01", "grade_fen": base_fen}))  # fmt: skip
    return person


def test_each_part_is_told_with_base_rate_amount_law_parameter_and_document(county: County, months: Months) -> None:
    (person,) = employer(county, 6_000_00)
    pay_in(county, FULL_FEN, "T1")
    run(county, months)
    found = explaining.explain(months, NOVEMBER, person)
    due = part(found, "应缴：剡溪纺织")
    told = lines(due)
    assert told["缴费基数"] == ("申报 6,000.00，在下限 4,986.00 和上限 24,930.00 之间", 6_000_00)
    assert told["职工养老，个人"] == ("6,000.00 × 8%", 480_00)
    assert told["工伤，单位"] == ("6,000.00 × 0.7%", 42_00)
    assert told["合计应缴"][1] == FULL_FEN
    assert due.note is None
    values = [value for rule in due.rules for value in rule["parameters"]]
    assert {"contribution/base_floor_fen", "contribution/pension_employee_rate"} <= {v["name"] for v in values}
    assert all(value["source"] and value["from"] for value in values)
    assert found.unverified == len({(v["name"], v["from"]) for v in values if not v["verified"]}) > 0
    assert lines(part(found, "到账"))["2026-11 应缴 1,992.00"] == ("已付清", FULL_FEN)
    assert lines(part(found, "个人账户"))["养老个人账户"] == ("上月末 0.00 + 本月记账 480.00", 480_00)


@pytest.mark.parametrize(
    ("wage", "said", "base"),
    [(3_000_00, "低于下限，按下限 4,986.00", 4_986_00), (30_000_00, "高于上限，按上限 24,930.00", 24_930_00)],
)
def test_a_wage_beyond_the_limits_is_told_as_clamped(
    county: County, months: Months, wage: int, said: str, base: int
) -> None:
    (person,) = employer(county, wage)
    run(county, months)
    how, fen = lines(part(explaining.explain(months, NOVEMBER, person), "应缴"))["缴费基数"]
    assert said in how and fen == base


def test_rounding_is_told_where_there_was_any(county: County, months: Months) -> None:
    (person,) = employer(county, 6_543_21)
    run(county, months)
    told = lines(part(explaining.explain(months, NOVEMBER, person), "应缴"))
    assert told["职工养老，个人"] == ("6,543.21 × 8%，四舍五入到分", 523_46)


def test_the_rules_come_to_what_the_month_file_says_for_everybody(county: County, months: Months) -> None:
    people = employer(county, 1_00, 4_985_99, 4_986_01, 6_543_21, 24_930_01, 99_999_99)
    people += [flexible(county, 5_555_55), flexible(county, 1_00)]
    run(county, months)
    for person in people:
        found = explaining.explain(months, NOVEMBER, person)
        due = part(found, "应缴")
        assert due.note is None
        assert sum(line.fen or 0 for line in due.lines[1:-1]) == due.lines[-1].fen == found.due_fen


def test_a_rule_that_comes_to_something_else_is_said_so(
    county: County, months: Months, monkeypatch: pytest.MonkeyPatch
) -> None:
    (person,) = employer(county, 6_000_00)
    run(county, months)
    whole = contributing._shares
    monkeypatch.setattr(contributing, "_shares", lambda i, base, *rest: whole(i, base + 100_00, *rest))
    note = part(explaining.explain(months, NOVEMBER, person), "应缴").note
    assert note is not None and "不一致" in note["zh"]


def test_money_that_does_not_suffice_and_a_month_paid_late_are_told_with_the_late_fee(
    county: County, months: Months
) -> None:
    person = flexible(county, 6_000_00)
    number = county.number_of(person)
    pay_in(county, 1_000_00, "T1", payer=number)
    settle(county, months)
    told = lines(part(explaining.explain(months, NOVEMBER, person), "到账"))
    assert told["2026-11 应缴 1,650.00"] == ("付了一部分，还欠 650.00", 1_000_00)
    later(county, 12)
    pay_in(county, 650_00 + 1_650_00 + 10_00, "T2", DECEMBER, payer=number)
    run(county, months, DECEMBER)
    found = explaining.explain(months, DECEMBER, person)
    assert lines(part(found, "到账"))["2026-11 应缴 650.00"] == ("已付清", 650_00)
    fee = part(found, "滞纳金")
    assert lines(fee)["2026-11 补缴 650.00"] == ("2026-12-11 起欠，2026-12-15 到账，4 天", 1_30)
    assert fee.rules[0]["law"].startswith("社会保险法 八十六")
    assert of_person(months, DECEMBER, "postings", person)["months"] == 2


def test_what_nobody_declared_is_told_as_a_tenth_more_than_last_month(
    county: County, months: Months, monkeypatch: pytest.MonkeyPatch
) -> None:
    (person,) = employer(county, 6_000_00)
    settle(county, months)
    later(county, 12)
    whole = months.freeze

    def silent(*given: Any) -> Any:
        frozen, rates = whole(*given)
        frozen.inputs.units.declared[:] = 0
        return frozen, rates

    monkeypatch.setattr(months, "freeze", silent)
    run(county, months, DECEMBER)
    told = part(explaining.explain(months, DECEMBER, person), "应缴")
    assert lines(told)["职工养老，个人"] == ("单位没有申报，按上月 480.00 × 110%", 528_00)
    assert told.rules[0]["law"].startswith("社会保险法 六十二")


def test_late_work_is_told_as_differences_of_the_closed_months_and_what_is_kept_of_a_payment(
    county: County, months: Months, monkeypatch: pytest.MonkeyPatch
) -> None:
    (person,), pensioner = employer(county, 6_000_00), county.pensioner()
    pay_in(county, FULL_FEN, "T1")
    settle(county, months)
    later(county, 12)
    whole = months.freeze

    def late(*given: Any) -> Any:
        frozen, rates = whole(*given)
        at, drawing = (frozen.who.persons.index(one) for one in (person, pensioner))
        closed = frozen.inputs.month - 1
        parts = {"pension_employee": 8_00, "pension_employer": -16_00}
        one = dict.fromkeys(Adjustments.names(), 0) | {"person": at, "month": closed, "billed": closed}
        fund = FUNDS.index("resident_pension")
        drawn = {"person": [drawing] * 2, "kind": [fund] * 2, "month": [closed - 1, closed], "pool": [-10_00, 20_00],
                 "account": [0, 0]}  # fmt: skip
        changed = replace(
            frozen.inputs, corrections=table(Corrections, drawn),
            adjustments=table(Adjustments, {name: [value] for name, value in (one | parts).items()}),
        )  # fmt: skip
        return replace(frozen, inputs=changed), rates

    monkeypatch.setattr(months, "freeze", late)
    run(county, months, DECEMBER)
    told = [line.how["zh"] for line in part(explaining.explain(months, DECEMBER, person), "以前月份的差额").lines]
    assert told == ["补收，列入应缴", "多收的，退回缴费人的余额"]
    drawn = lines(part(explaining.explain(months, DECEMBER, pensioner), "待遇"))
    assert drawn["本月发放"] == ("2026-12，1 个月", 480_94)
    assert [drawn[what][1] for what in ("以前月份的差额", "抵扣", "合计")] == [20_00, -10_00, 490_94]


def table(form: Any, values: dict[str, list[int]]) -> Any:
    return form(**{name: np.array(column, np.int64) for name, column in values.items()})


def test_a_benefit_is_told_with_the_formula_and_law_of_its_claim(county: County, months: Months) -> None:
    person = county.person()
    county.bank(person)
    rule = {"rule": "x", "since": "2020-01-01", "law": "浙江省某条例 九", "formula": {"zh": "甲 + 乙", "en": "a + b"},
            "inputs": {}, "result": 1, "parameters": []}  # fmt: skip
    case = report(county, person, "resident_pension_claim", {}, "effective")
    with county.store.write() as db:
        database.update(db, "hub_case", {"id": case}, {"calculation": json.dumps({"trace": [rule]})})
    county.benefit(person, case_id=case, paid_through="2026-09")
    run(county, months)
    told = part(explaining.explain(months, NOVEMBER, person), "居民养老待遇")
    assert lines(told)["本月发放"] == ("2026-10 – 2026-11，2 个月", 961_88)
    assert [r["law"] for r in told.rules] == ["浙江省某条例 九"] and told.note is None


def test_who_is_not_paid_is_told_why_also_when_it_was_found_out_on_the_day(county: County, months: Months) -> None:
    waiting, person = county.person(), county.pensioner()
    county.benefit(waiting)
    run(county, months)
    assert "没有发放账户" in lines(part(explaining.explain(months, NOVEMBER, waiting), "待遇"))["没有发放"][0]
    sign(county, months, "approve")
    county.bank(person, account_no="6228580699999999")
    sign(county, months, "pay")
    told = part(explaining.explain(months, NOVEMBER, person), "待遇")
    assert "账户变了" in lines(told)["没有发放"][0] and told.note is not None


def test_whom_the_month_did_nothing_to_is_told_so(county: County, months: Months) -> None:
    person = county.person()
    run(county, months)
    for asked in (person, new_id()):
        with pytest.raises(UnknownSubject):
            explaining.explain(months, NOVEMBER, asked)
