# SPDX-License-Identifier: Apache-2.0
"""A hub with three villages and an officer who may import; register files written as offices write them."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from stdnum.cn import ric

from schema import database
from schema.clock import FixedClock
from schema.database import Store

HEADER = (
    "身份证号", "姓名", "性别", "民族", "出生日期", "常住地址", "移动电话", "村社区编码", "参保险种", "参保状态",
    "参保年月", "缴费档次", "账户余额", "缴费月数", "待遇金额", "开户银行", "银行账号", "开户人",
)  # fmt: skip
VILLAGE = "330683100201"


def number(birth: str, serial: int, division: str = "330683") -> str:
    """A right ID number."""
    body = f"{division}{birth}{serial:03d}"
    return body + ric.calc_check_digit(body + "0")


def person(birth: str = "19700515", serial: int = 1, name: str = "张建国", **cells: str) -> dict[str, str]:
    """A line of the register by heading; keyword arguments replace cells."""
    line = {
        "身份证号": number(birth, serial), "姓名": name, "村社区编码": VILLAGE, "移动电话": "13857582046",
        "常住地址": "甘霖镇施家岙村 8 号", "参保险种": "城乡居民养老", "参保状态": "正常参保", "参保年月": "201203",
        "缴费档次": "500", "账户余额": "18,200.00", "缴费月数": "156",
    }  # fmt: skip
    return line | cells


@pytest.fixture
def key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


@pytest.fixture
def store(hub_store: Store, key: Ed25519PrivateKey) -> Store:
    """Divisions, a former village with its successor, and officer 2007 with the role `import`."""
    divisions = [
        ("330683", "嵊州市", "county", None, None, None),
        ("330683100", "甘霖镇", "township", "330683", None, None),
        (VILLAGE, "施家岙村", "village", "330683100", None, None),
        ("330683100202", "白泥坎村", "village", "330683100", None, None),
        ("330683100299", "旧村", "village", "330683100", "2019-12-31", "330683100202"),
    ]
    with hub_store.write() as db:
        database.set_setting(db, "node_id", b"hub")
        for code, name, level, parent, valid_to, after in divisions:
            row = {"code": code, "name": name, "level": level, "parent": parent, "valid_to": valid_to}
            database.insert(db, "division", row | {"succeeded_by": after, "rev": 0})
        database.insert(
            db, "officer",
            {"operator_no": "2007", "name": "史月琴", "roles": "import", "wrapped_key": b"", "must_change": 0,
             "public_key": key.public_key().public_bytes_raw(), "rev": 0},
        )  # fmt: skip
    return hub_store


Lines = list[dict[str, str]]


@pytest.fixture
def write_file(tmp_path: Path) -> Callable[..., Path]:
    """`write_file(lines)`, `write_file(lines, "a.csv", encoding="gb18030")`, `header=` for other headings."""

    def write(
        lines: Lines, name: str = "register.xlsx", *, header: tuple[str, ...] = HEADER, encoding: str = "utf-8-sig"
    ) -> Path:
        path = tmp_path / name
        table: list[list[Any]] = [list(header), *([line.get(h, "") for h in header] for line in lines)]
        if path.suffix == ".csv":
            with path.open("w", encoding=encoding, newline="") as file:
                csv.writer(file).writerows(table)
        else:
            book = openpyxl.Workbook()
            for row in table:
                book.active.append(row)
            book.save(path)
        return path

    return write


@pytest.fixture
def take_in(store: Store, key: Ed25519PrivateKey, clock: FixedClock) -> Callable[[Path], Any]:
    """Apply a file as officer 2007."""
    from hub.importing import register
    from schema.sheets import WEB

    return lambda path: register.apply(store, path, WEB, "2007", key, clock)
