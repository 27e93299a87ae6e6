# SPDX-License-Identifier: Apache-2.0
"""The month from the command line: the same hands, passwords from files, one JSON document a script can read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import Result

from tests.hub.settlement.conftest import NOVEMBER, OFFICERS, County, Township


def answer(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    return dict(json.loads(result.output))


def test_a_month_is_settled_by_four_officers(money: County, township: Township, tmp_path: Path) -> None:
    money.pensioner()
    contributor = money.person()
    file = tmp_path / "receipts.csv"
    file.write_text(f"票据号,身份证号,金额,年度,日期\nR1,{money.number_of(contributor)},500,2026,2026-11-05\n", "utf-8")
    settler = OFFICERS["settle"]
    assert answer(township("receipts", str(file), "--json", officer=settler))["matched_fen"] == 500_00
    assert answer(township("match", "--json", officer=settler)) == {"matched": 0, "matched_fen": 0}
    run = answer(township("settle", "run", NOVEMBER, "--json", officer=settler))
    assert (run["state"], run["totals"]["payees"], run["next"]) == ("computed", 1, "approve")
    assert all(c["left"] == c["right"] for c in run["controls"])
    answer(township("settle", "approve", NOVEMBER, "--json", officer=OFFICERS["approve_month"]))
    paid = answer(township("settle", "pay", NOVEMBER, "--json", officer=OFFICERS["pay"]))
    assert paid["paid"] == {"payments": 1, "amount_fen": 480_94, "held": 0, "claims": 0}
    closed = township("settle", "close", NOVEMBER, "--json", "--typed", f"结账 {NOVEMBER}", officer=OFFICERS["close"])
    assert answer(closed)["state"] == "closed"
    assert answer(township("settle", "show", NOVEMBER, "--json"))["run_id"] == run["run_id"]


def test_a_refusal_is_two_sentences_and_no_stack_trace(money: County, township: Township) -> None:
    money.pensioner()
    result = township("settle", "run", "2026-12", officer=OFFICERS["settle"])
    assert result.exit_code == 1
    assert "现在该结的是 2026-11" in result.output and "Traceback" not in result.output


def test_the_closing_word_is_asked_for_when_it_is_not_given(money: County, township: Township) -> None:
    money.pensioner()
    money.run()
    money.approve()
    money.pay()
    assert township("settle", "close", NOVEMBER, officer=OFFICERS["close"], stdin="好\n").exit_code == 1
    assert money.state() == "paid"
    closed = township("settle", "close", NOVEMBER, officer=OFFICERS["close"], stdin=f"结账 {NOVEMBER}\n")
    assert closed.exit_code == 0, closed.output
    assert money.state() == "closed"


def test_a_wrong_password_signs_nothing(money: County, township: Township, tmp_path: Path) -> None:
    money.pensioner()
    (tmp_path / "password").write_text("wrong", "utf-8")
    result = township("settle", "run", NOVEMBER, officer=OFFICERS["settle"])
    assert result.exit_code == 1 and "密码不对" in result.output
    (tmp_path / "password").write_text("", "utf-8")
    assert "密码文件" in township("settle", "run", NOVEMBER, officer=OFFICERS["settle"]).output
    assert money.rows("SELECT * FROM period") == []


def test_one_person_is_explained_without_the_number_on_the_command_line(money: County, township: Township) -> None:
    who = money.pensioner()
    money.receipt(who, 500_00)
    money.run()
    asked = township("settle", "explain", NOVEMBER, stdin=money.number_of(who) + "\n")
    assert asked.exit_code == 0, asked.output
    assert "个人账户养老金 130.94" in asked.output and "按缴费档次查补贴表" in asked.output
    assert "480.94" in township("settle", "explain", NOVEMBER, "--person", who.hex()).output
    assert township("settle", "explain", NOVEMBER, "--person", "xyz").exit_code == 1
    assert township("settle", "explain", NOVEMBER, stdin="330683\n").exit_code == 1


def test_a_month_is_shown_for_people_too(money: County, township: Township) -> None:
    money.pensioner()
    money.benefit(money.person())
    assert "未计算" in township("settle", "show").output
    money.run()
    shown = township("settle", "show").output
    assert "待审批" in shown and "480.94" in shown and "没有发放账户" in shown


def test_refused_receipts_are_written_to_a_file(money: County, township: Township, tmp_path: Path) -> None:
    file, out = tmp_path / "receipts.csv", tmp_path / "refused.csv"
    file.write_text("票据号,身份证号,金额,年度,日期\nR1,x,-1,2026,2026-11-05\n", "utf-8")
    result = township("receipts", str(file), "--refused", str(out), officer=OFFICERS["settle"])
    assert result.exit_code == 0 and "拒收 / refused: 1" in result.output
    assert "金额不能是负数" in out.read_text("utf-8-sig")
    assert answer(township("receipts", str(file), "--preview", "--json", officer=OFFICERS["settle"]))["refused"] == 1
