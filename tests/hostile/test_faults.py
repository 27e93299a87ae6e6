# SPDX-License-Identifier: Apache-2.0
"""Every verb that writes is cut at each of its writes and begun again: all of it or nothing, and never twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub import review
from hub.importing import register
from hub.settlement import receipts
from node import cases
from node.station import Station
from schema import ids
from schema.clock import FixedClock
from schema.errors import Refusal
from schema.sheets import WEB
from schema.web.door import Officer
from sync.hub import publish
from tests.hostile.evil import rows
from tests.hostile.faults import fail_everywhere, plant
from tests.hub.county import ACCEPT, AGREE, ENROLMENT, Browser, County, Desk, id_number, newcomer
from tests.hub.deciding import decide, state, walk
from tests.hub.settlement.conftest import OFFICERS
from tests.hub.settlement.conftest import County as Money
from tests.node.conftest import ENROLMENT as ANSWERS
from tests.node.conftest import PAPERS, Counter

RECEIPTS = "票据号,身份证号,金额,缴费年度,到账日期\nT1,{0},300,2026,2026-11-05\nT2,330683,200,2026,2026-11-06\n"
REGISTER = "身份证号,姓名,村社区编码,移动电话\n{0},张建国,330683100200,13857582046\n"


@pytest.fixture(autouse=True)
def failing_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)


@pytest.fixture
def money(make_money: Callable[[str], Money]) -> Money:
    county = make_money("money")
    for _ in range(3):
        county.pensioner()
    payer = county.person(balance_fen=100_00)
    county.receipt(payer, 500_00)
    county.benefit(county.person())  # without a bank account: held back
    return county


def paid_twice(county: Money) -> list[Any]:
    return county.rows(
        "SELECT person_id FROM payment WHERE state = 'paid' GROUP BY person_id, month HAVING count(*) > 1"
    )


def test_a_month_cut_at_any_write_of_any_step_pays_everybody_once(money: Money) -> None:
    before = {person: money.balance(person) for person in money.people}
    for act in (money.run, money.approve, money.pay, money.close):
        writes, _ = fail_everywhere(money.store, act)
        assert writes >= 3, act
    assert not paid_twice(money)
    paid = money.rows("SELECT person_id, amount_fen FROM payment WHERE state = 'paid'")
    assert [row["amount_fen"] for row in paid] == [480_94] * 3
    spent = money.rows("SELECT sum(amount_fen) AS fen FROM journal_entry WHERE event = 'benefits_paid'")
    assert spent[0]["fen"] == 3 * 480_94
    for row in paid:
        assert before[bytes(row["person_id"])] - money.balance(bytes(row["person_id"])) == 130_94


def test_no_step_of_a_month_happens_twice(money: Money) -> None:
    for act in (money.run, money.approve, money.pay, money.close):
        act()
        if act == money.run:
            continue  # a month may be computed again until it is approved
        before = rows(money.store)
        with pytest.raises(Refusal):
            act()
        assert rows(money.store) == before
    for act in (money.run, money.approve, money.pay, money.close):
        with pytest.raises(Refusal):
            act()
    assert not paid_twice(money)


def test_a_month_computed_again_plans_nothing_twice(money: Money) -> None:
    first = money.run()
    planned = money.rows("SELECT person_id, amount_fen FROM payment")
    assert money.run().run_id == first.run_id
    assert money.rows("SELECT person_id, amount_fen FROM payment") == planned


def test_a_receipts_file_cut_at_any_write_is_booked_once(money: Money, clock: FixedClock) -> None:
    file = RECEIPTS.format(money.number_of(money.people[0])).encode()
    officer = OFFICERS["settle"]
    _, done = fail_everywhere(
        money.store, lambda: receipts.take_in(money.store, file, WEB, officer, money.keys[officer], clock)
    )
    assert (done.counts["matched"], done.counts["suspense"]) == (1, 1)
    before = rows(money.store)
    assert receipts.take_in(money.store, file, WEB, officer, money.keys[officer], clock).counts["known"] == 2
    assert rows(money.store) == before


def test_a_register_file_cut_at_any_write_is_taken_in_whole(county: County, clock: FixedClock) -> None:
    key = Ed25519PrivateKey.generate()
    row = {"operator_no": "2301", "name": "史", "roles": "import", "wrapped_key": b"", "must_change": 0}
    with publish.transaction(county.store) as pub:
        pub.put("officer", row | {"public_key": key.public_key().public_bytes_raw()})
    file = REGISTER.format(id_number("19700515")).encode()
    writes, done = fail_everywhere(county.store, lambda: register.apply(county.store, file, WEB, "2301", key, clock))
    assert writes > 5 and done.count("new") == 1
    assert county.one("SELECT count(*) FROM person") == 1


@pytest.mark.parametrize("step", ["accept", "calculate", "review", "approve"])
def test_a_decision_cut_at_any_write_is_signed_once(county: County, claim: bytes, step: str) -> None:
    order = ["accept", "calculate", "review", "approve"]
    walk(county, claim, *order[: order.index(step)])
    fail_everywhere(county.store, lambda: walk(county, claim, step))
    assert county.one("SELECT count(*) FROM case_step WHERE step = ?", step) == 1
    assert county.one("SELECT count(*) FROM fact WHERE origin = 'hub'") == order.index(step) + 1
    assert county.one("SELECT count(*) FROM benefit") == (step == "approve")


def test_a_pending_decision_whose_signing_is_cut_stays_pending_until_it_is_signed_once(
    county: County, claim: bytes, clock: FixedClock
) -> None:
    decide(county, claim, ACCEPT, undo_s=20)
    clock.advance(seconds=21)
    key = county.keys[ACCEPT]
    fail_everywhere(county.store, lambda: review.sign_pending(county.store, ACCEPT, key, clock))
    assert county.one("SELECT count(*) FROM pending_decision") == 0
    assert state(county, claim) == ("accepted", "calculate")
    assert review.sign_pending(county.store, ACCEPT, key, clock) == []


def test_the_same_decision_posted_twice_writes_once(
    county: County, claim: bytes, browse: Callable[..., Browser]
) -> None:
    browser = browse(county.hub, ACCEPT)
    assert browser.post(f"/cases/{claim.hex()}/decide", AGREE).status_code == 303
    before = rows(county.store)
    assert browser.post(f"/cases/{claim.hex()}/decide", AGREE).status_code in (403, 409)
    assert rows(county.store) == before


def test_a_fact_whose_intake_is_cut_at_any_write_makes_one_case(county: County, desk: Desk) -> None:
    body = desk.body(ENROLMENT, None, given=newcomer())
    fact = desk.fact("case_submitted", body["case_id"], body)
    fail_everywhere(county.store, lambda: desk.deliver(fact))
    assert county.one("SELECT count(*) FROM hub_case") == 1
    assert county.one("SELECT count(*) FROM fact") == 1


def test_a_case_cut_at_any_write_costs_one_number_and_makes_one_fact(
    station: Station, clerk: tuple[Officer, Ed25519PrivateKey], person: Callable[[str], bytes]
) -> None:
    desk, case_id = station.desk, ids.new_id()
    item = desk.service("resident_pension_enrolment")
    given = cases.trim(item, ANSWERS | {"phone": "13900000001"}, PAPERS)
    fail_everywhere(station.store, lambda: cases.save(desk, case_id, item, given, clerk[0], person("陈桂英")))
    writes, done = fail_everywhere(station.store, lambda: cases.submit(desk, case_id, *clerk))
    assert writes >= 5 and done.receipt_no == "0100-1-26-000401-" + done.receipt_no[-1]
    fail_everywhere(station.store, lambda: cases.withdraw(desk, case_id, "本人撤回", *clerk))
    with station.store.read() as db:
        kinds = [row[0] for row in db.execute("SELECT kind FROM fact ORDER BY seq")]
        assert kinds == ["case_submitted", "case_withdrawn"]
        assert db.execute("SELECT next FROM receipt_used").fetchone()[0] == 402


def test_a_page_whose_database_fails_says_so_without_inner_workings(
    station: Station, counter: Counter, person: Callable[[str], bytes]
) -> None:
    from tests.hostile.faults import Disk

    counter.client.application.testing = False
    chen = person("陈桂英").hex()
    counter.get("/")
    before = rows(station.store)
    form = ANSWERS | {"service": "resident_pension_enrolment", "person": chen, "materials": PAPERS}
    Disk.left = 0
    answer = counter.post(f"/drafts/{ids.new_id().hex()}", form)
    Disk.left = None
    assert answer.status_code == 500
    assert "Traceback" not in answer.text and "disk I/O" not in answer.text and "没有" in answer.text
    assert rows(station.store) == before
