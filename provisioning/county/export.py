# SPDX-License-Identifier: Apache-2.0
"""A synthetic register as one CSV file, a person per line, under the headings a register from elsewhere would have."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from provisioning.county.economy import RESIDENT
from provisioning.county.register import Part, Register, Row
from schema.tables import TABLES

HEADINGS = (
    "身份证号", "姓名", "性别", "民族", "出生日期", "参加工作日期", "生存状态", "死亡日期", "村社区编码", "户号",
    "户主姓名", "常住地址", "移动电话", "参保险种", "参保状态", "参保年月", "缴费档次", "账户余额", "缴费月数",
    "基础养老金", "个人账户养老金", "待遇状态", "待遇开始年月", "已发至年月", "开户银行", "银行账号", "开户人",
)  # fmt: skip
STATES = {"active": "正常", "suspended": "暂停", "ended": "终止"}


def write(path: Path, register: Register, progress: Callable[[int], object] = lambda persons: None) -> int:
    """Write the register; returns the number of persons. UTF-8 with the mark that Excel wants."""
    count = 0
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(HEADINGS)
        for part in register.parts():
            writer.writerows(_lines(part))
            count += len(part.persons)
            progress(len(part.persons))
    return count


def _lines(part: Part) -> Iterator[tuple[Any, ...]]:
    heads = {row[0]: row[1] for row in part.rows.get("household", ())}
    enrolments = _of_resident_pension(part, "enrolment")
    accounts = _of_resident_pension(part, "account")
    benefits = {row[1]: _named("benefit", row) for row in part.rows.get("benefit", ())}
    banks = {row[0]: _named("bank_account", row) for row in part.rows.get("bank_account", ())}
    for person in part.persons:
        row = _named("person", person.row())
        contact = _named("contact", person.contact())
        enrolment, account = enrolments.get(person.id, {}), accounts.get(person.id, {})
        benefit, bank = benefits.get(person.id, {}), banks.get(person.id, {})
        yield (
            row["id_number"], row["name"], "男" if row["sex"] == "1" else "女", row["ethnic"], row["birth_on"],
            row["work_began_on"], "正常" if row["life_status"] == "1" else "死亡", row["died_on"], row["village"],
            person.household.hex(), heads.get(person.household), contact["address"], contact["phone"],
            "城乡居民基本养老保险" if enrolment else None, STATES.get(enrolment.get("state", "")),
            enrolment.get("began_month"), _yuan(enrolment.get("grade_fen")), _yuan(account.get("balance_fen")),
            account.get("paid_months"), _yuan(benefit.get("basic_fen")), _yuan(benefit.get("account_fen")),
            STATES.get(benefit.get("state", "")), benefit.get("from_month"), benefit.get("paid_through"),
            bank.get("bank"), bank.get("account_no"), bank.get("holder"),
        )  # fmt: skip


def _of_resident_pension(part: Part, table: str) -> dict[Any, dict[str, Any]]:
    rows = (_named(table, row) for row in part.rows.get(table, ()))
    return {row["person_id"]: row for row in rows if row["insurance"] == RESIDENT}


def _named(table: str, row: Row) -> dict[str, Any]:
    return dict(zip(TABLES[table].names, row, strict=False))


def _yuan(fen: int | None) -> str | None:
    return None if fen is None else f"{fen // 100}.{fen % 100:02d}"
