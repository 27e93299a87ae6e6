# SPDX-License-Identifier: Apache-2.0
"""The county's month from the command line: run, recomputed, signed, explained."""

from __future__ import annotations

from hub.settlement.county import signing
from hub.settlement.signing import word
from tests.hub.settlement.conftest import County, Township
from tests.hub.settlement.county.working import FULL_FEN, HANDS, NOVEMBER, OFFICER, employer, pay_in
from tests.hub.settlement.test_cli import answer


def test_a_month_is_run_recomputed_and_signed_by_four_officers(money: County, township: Township) -> None:
    employer(money, 6_000_00)
    money.pensioner()
    pay_in(money, FULL_FEN, "T1")
    done = answer(township("settle", "all", NOVEMBER, "--json", officer=OFFICER))
    assert answer(township("settle", "verify", NOVEMBER, "--json"))["agrees"] is True
    assert [r["engine"] for r in money.rows("SELECT engine FROM month_verified")] == ["sqlite"]
    states = {}
    for action in signing.ACTS:
        typed = word(action, NOVEMBER)
        signed = township("settle", "sign", action, NOVEMBER, "--json", "--typed", typed, officer=HANDS[action])
        states[action] = answer(signed)
    assert [states[action]["state"] for action in signing.ACTS] == ["approved", "paid", "closed"]
    assert states["pay"]["amount_fen"] == 480_94
    assert done["run_id"] == money.rows("SELECT run_id FROM period WHERE scheme = 'county'")[0]["run_id"]


def test_a_signature_asks_for_its_word_and_takes_no_other_one(money: County, township: Township) -> None:
    answer(township("settle", "all", NOVEMBER, "--json", officer=OFFICER))
    wrong = township("settle", "sign", "approve", NOVEMBER, officer=HANDS["approve"], stdin="好\n")
    assert wrong.exit_code == 1 and "请输入「审批 2026-11」" in wrong.output
    right = township("settle", "sign", "approve", NOVEMBER, officer=HANDS["approve"], stdin="审批 2026-11\n")
    assert right.exit_code == 0 and "待发放" in right.output


def test_a_persons_month_is_told_in_both_languages_and_as_json(money: County, township: Township) -> None:
    (person,) = employer(money, 6_000_00)
    answer(township("settle", "all", NOVEMBER, "--json", officer=OFFICER))
    asked = township("explain", "-", NOVEMBER, stdin=money.number_of(person) + "\n").output
    for said in ("应缴：剡溪纺织", "6,000.00 × 8% = 480.00", "社会保险法", "[待核实]", "本月应缴: 1,992.00"):
        assert said in asked, said
    told = township("explain", person.hex(), NOVEMBER, "--lang", "en").output
    assert "6,000.00 × 8% = 480.00" in told and "[not verified]" in told
    assert answer(township("explain", person.hex(), NOVEMBER, "--json"))["due_fen"] == FULL_FEN
    assert "32 位十六进制" in township("explain", "张三", NOVEMBER).output
    assert "没有这个身份证号" in township("explain", "-", NOVEMBER, stdin="330683\n").output
