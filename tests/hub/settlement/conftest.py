# SPDX-License-Identifier: Apache-2.0
"""A small county to settle: persons, accounts, benefits, receipts, and the four officers a month needs."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from stdnum.cn import ric

from hub import ledger, officers, pack
from hub.cli import main
from hub.context import Hub
from hub.officers import NewOfficer
from hub.settlement import computing, month, signing
from hub.settlement.computing import Run
from schema import database, keys
from schema.clock import FixedClock
from schema.database import Store
from schema.home import write_toml
from schema.ids import new_id
from sync.hub import publish
from tests.hub.county import CHEAP, PASSWORD

SCHEME = "resident_pension"
VILLAGE = "330683100201"
NOVEMBER = "2026-11"
Township = Callable[..., Result]
OFFICERS = {"settle": "2011", "approve_month": "2012", "pay": "2013", "close": "2014"}


def number(serial: int) -> str:
    """A right ID number, a different one for each serial below 100,000."""
    day, rest = divmod(serial, 999)
    body = f"3306831960{day // 28 % 12 + 1:02d}{day % 28 + 1:02d}{rest + 1:03d}"
    return body + ric.calc_check_digit(body + "0")


@dataclass
class County:
    """A hub store with helpers that put in what a test needs, as the register would hold it."""

    store: Store
    clock: FixedClock
    keys: dict[str, Ed25519PrivateKey] = field(default_factory=dict)
    people: list[bytes] = field(default_factory=list)

    def put(self, *rows: tuple[str, dict[str, Any]]) -> None:
        with publish.transaction(self.store) as pub:
            for table, row in rows:
                pub.put(table, row)

    def person(self, *, balance_fen: int = 0, life: str = "1", village: str = VILLAGE, enrolled: bool = True) -> bytes:
        person_id = new_id()
        self.people.append(person_id)
        serial = len(self.people)
        owner = {"person_id": person_id, "insurance": SCHEME}
        rows: list[tuple[str, dict[str, Any]]] = [
            ("person", {"id": person_id, "id_number": number(serial), "name": f"王{serial}", "sex": "1",
                        "birth_on": "1960-01-01", "village": village, "life_status": life}),
        ]  # fmt: skip
        if enrolled:
            rows.append(
                ("enrolment", owner | {"id": new_id(), "state": "active", "began_month": "2010-01", "grade_fen": 0})
            )
            rows.append(("account", owner | {"balance_fen": balance_fen, "paid_months": 180, "as_of_month": "2026-10"}))
        self.put(*rows)
        return person_id

    def number_of(self, person_id: bytes) -> str:
        return number(self.people.index(person_id) + 1)

    def bank(self, person_id: bytes, bank: str = "嵊州农商银行", account_no: str = "6228580699123456") -> None:
        self.put(("bank_account", {"person_id": person_id, "bank": bank, "account_no": account_no, "holder": "王"}))

    def benefit(
        self, person_id: bytes, *, basic_fen: int = 350_00, account_fen: int = 130_94, extra_fen: int = 0,
        from_month: str = "2020-01", paid_through: str | None = "2026-10", state: str = "active",
        case_id: bytes | None = None,
    ) -> bytes:  # fmt: skip
        benefit_id = new_id()
        row = {
            "id": benefit_id, "person_id": person_id, "kind": SCHEME, "state": state, "from_month": from_month,
            "basic_fen": basic_fen, "account_fen": account_fen, "extra_fen": extra_fen, "paid_through": paid_through,
            "case_id": case_id,
        }  # fmt: skip
        self.put(("benefit", row))
        return benefit_id

    def pensioner(self, *, balance_fen: int = 18_200_00, **benefit: Any) -> bytes:
        """Somebody who draws 350.00 + 130.94 a month and was paid through October."""
        person_id = self.person(balance_fen=balance_fen)
        self.bank(person_id)
        self.benefit(person_id, **benefit)
        return person_id

    def receipt(
        self, person_id: bytes | None, amount_fen: int, no: str = "", *, year: str = "2026", on: str = "2026-11-05"
    ) -> str:
        with self.store.write() as db:
            no = no or f"R{db.execute('SELECT count(*) FROM receipt').fetchone()[0]:06d}"
            state = "matched" if person_id else "suspense"
            id_number = self.number_of(person_id) if person_id else "330683"
            row = {
                "no": no, "scheme": SCHEME, "id_number": id_number, "person_id": person_id, "amount_fen": amount_fen,
                "year": year, "received_on": on, "source": "test", "state": state,
            }  # fmt: skip
            database.insert(db, "receipt", row)
            ledger.post(db, SCHEME, on[:7], f"receipt_{state}", amount_fen, self.clock)
        return no

    def run(self, settled: str = NOVEMBER, officer: str = OFFICERS["settle"]) -> Run:
        return computing.run(self.store, settled, officer, self.keys[officer], self.clock)

    def approve(self, settled: str = NOVEMBER, officer: str = OFFICERS["approve_month"]) -> None:
        signing.approve(self.store, settled, officer, self.keys[officer], self.clock)

    def pay(self, settled: str = NOVEMBER, officer: str = OFFICERS["pay"]) -> Any:
        return signing.pay(self.store, settled, officer, self.keys[officer], self.clock)

    def close(self, settled: str = NOVEMBER, officer: str = OFFICERS["close"], typed: str | None = None) -> None:
        word = signing.word("close", settled) if typed is None else typed
        signing.close(self.store, settled, officer, self.keys[officer], self.clock, word)

    def settle(self, settled: str = NOVEMBER) -> Run:
        """The whole month through its four hands."""
        done = self.run(settled)
        self.approve(settled)
        self.pay(settled)
        self.close(settled)
        return done

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        with self.store.read() as db:
            return [dict(row) for row in db.execute(query, values)]

    def line(self, person_id: bytes, settled: str = NOVEMBER) -> dict[str, Any]:
        """The person's settlement line; {} when the month did nothing to them."""
        query = "SELECT * FROM settlement_line WHERE person_id = ? AND month = ?"
        return next(iter(self.rows(query, person_id, settled)), {})

    def balance(self, person_id: bytes) -> int:
        return int(self.rows("SELECT balance_fen FROM account WHERE person_id = ?", person_id)[0]["balance_fen"])

    def state(self, settled: str = NOVEMBER) -> str:
        with self.store.read() as db:
            return str(month.get(db, settled)["state"])


def report(county: County, person_id: bytes, service: str, answers: dict[str, str], state: str = "submitted") -> bytes:
    """A case as the hub holds it when a station's report has arrived."""
    case_id = new_id()
    row: dict[str, Any] = {
        "id": case_id, "service": service, "service_version": 1, "pack": pack.pack_hash(), "station": "0100-1",
        "township": "330683100", "person_id": person_id, "receipt_no": f"R{len(county.rows('SELECT 1 FROM hub_case'))}",
        "state": state, "round": 1, "submitted_by": "3012", "stated_at": "2026-11-20T01:00:00.000Z",
        "received_at": "2026-11-20T01:00:05.000Z", "answers": json.dumps(answers), "materials": "[]", "findings": "[]",
    }  # fmt: skip
    with county.store.write() as db:
        database.insert(db, "hub_case", row)
    return case_id


@pytest.fixture
def make_county(make_store: Callable[..., Store], clock: FixedClock) -> Callable[[str], County]:
    """`make_county("a")`: an empty county of that name."""

    def make(name: str = "hub") -> County:
        county = County(make_store("hub", name), clock)
        with publish.transaction(county.store) as pub:
            database.set_setting(pub.db, "node_id", b"hub")
            pub.put("division", {"code": "330683100", "name": "甘霖镇", "level": "township", "parent": "330683"})
            pub.put("division", {"code": VILLAGE, "name": "施家岙村", "level": "village", "parent": "330683100"})
            for role, operator_no in OFFICERS.items():
                county.keys[operator_no] = Ed25519PrivateKey.generate()
                public_key = county.keys[operator_no].public_key().public_bytes_raw()
                row = {"operator_no": operator_no, "name": role, "roles": role, "public_key": public_key}
                pub.put("officer", row | {"wrapped_key": b"", "must_change": 0})
        return county

    return make


@pytest.fixture
def county(make_county: Callable[[str], County]) -> County:
    return make_county("hub")


@pytest.fixture
def money(hub: Hub) -> County:
    """The hub that pages and commands run on, with the four officers of a month and nobody in the register."""
    county = County(hub.store, hub.clock)  # type: ignore[arg-type]
    for role, operator_no in OFFICERS.items():
        new = NewOfficer(operator_no, f"经手{operator_no}", (role,))
        officers.add(hub.store, new, PASSWORD, hub.clock, must_change=False, cost=CHEAP)
        wrapped = county.rows("SELECT wrapped_key FROM officer WHERE operator_no = ?", operator_no)[0]["wrapped_key"]
        county.keys[operator_no] = keys.unwrap(wrapped, PASSWORD)
    return county


@pytest.fixture
def township(hub: Hub, money: County, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Township:
    """`township("settle", "show", "--json")`: that command on this hub; `officer=` adds number and password file."""
    password = tmp_path / "password"
    password.write_text(PASSWORD + "\n", "utf-8")
    unlock = tmp_path / "unlock"
    unlock.write_text("opens the folder", "utf-8")
    write_toml(hub.home.config_file, hub.config)
    hub.home.seal(hub.secrets, b"opens the folder")
    monkeypatch.setattr("hub.context.SystemClock", lambda: hub.clock)

    def run(*arguments: str, officer: str = "", stdin: str = "") -> Result:
        who = ("--officer", officer, "--password-file", str(password)) if officer else ()
        at = ("--dir", str(hub.home.path), "--unlock-file", str(unlock))
        return CliRunner().invoke(main, [*arguments, *at, *who], input=stdin)

    return run
