# SPDX-License-Identifier: Apache-2.0
"""Helpers: a small item that is taken by roster, put in force at a station, and files of lines for it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import openpyxl
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from node.station import Station
from schema import database, ids, packs, rulebook
from schema.packs import Manifest

ITEM = "roster_change"
HEADER = ("身份证号", "姓名", "月工资", "类型", "从哪个月起")
_ITEM = """
id = "roster_change"
no = 6
group = "unit"
version = 1
effective_from = 2026-01-01
title = { zh = "工资变动", en = "Change of wage" }
short = { zh = "工资变动", en = "Wage" }
subject = "person"
law = []
limit_working_days = 10
[[modes]]
mode = "P"
steps = ["accept"]
[[sections]]
id = "work"
title = { zh = "单位", en = "Unit" }
[[fields]]
name = "unit"
type = "unit"
section = "work"
label = { zh = "用人单位", en = "Employer" }
required = true
[[fields]]
name = "wage"
type = "money"
section = "work"
label = { zh = "月工资", en = "Monthly wage" }
required = true
[[fields]]
name = "kind"
type = "choice"
section = "work"
label = { zh = "类型", en = "Kind" }
required = true
choices = [
  { value = "raise", text = { zh = "调整", en = "Raise" } },
  { value = "yearly", text = { zh = "年度", en = "Yearly" } },
]
[[fields]]
name = "from_month"
type = "month"
section = "work"
label = { zh = "从哪个月起", en = "From month" }
required = true
[[materials]]
id = "sheet"
label = { zh = "工资表", en = "Wage sheet" }
required = true
[[checks]]
rule = "alive"
severity = "block"
[[slip]]
legal = "provisional"
text = { zh = "已登记，不是最后结果", en = "Registered, not final" }
"""


def put_in_force(station: Station) -> None:
    """The program's rules with the small item beside the others."""
    files = dict(packs.built_in().files) | {f"services/{ITEM}.toml": _ITEM.encode()}
    packs.load(files)  # says what is wrong, where the book of rules would only stay with the old ones
    named = {path: sha256(data).hexdigest() for path, data in files.items()}
    at = "2026-11-20T00:00:00.000Z"
    manifest = Manifest(1, packs.hash_of(files), "", at, "2031", "2032", "test", named)
    content, signature = packs.sign(manifest, Ed25519PrivateKey.generate())
    with station.store.write() as db:
        for sha, data in {sha256(data).hexdigest(): data for data in files.values()}.items():
            database.insert(db, "rule_file", {"sha256": sha, "data": data, "rev": 1})
        row = {"number": 1, "hash": manifest.hash, "manifest": content, "signature": signature, "rev": 1}
        database.insert(db, "rule_pack", row)
        rulebook.put_in_force(db, manifest.hash)


def add_unit(db: Any) -> bytes:
    """A unit of the township; its id."""
    unit_id = ids.new_id()
    row = {"id": unit_id, "uscc": "91330683MA2XXXXX0A", "name": "嵊州市甘霖领带厂", "township": "330683100", "rev": 1}
    database.insert(db, "unit", row)
    return unit_id


def sheet(rows: Sequence[Sequence[object]], header: Sequence[str] = HEADER) -> bytes:
    """An .xlsx file of these lines."""
    book = openpyxl.Workbook()
    book.active.append(list(header))
    for row in rows:
        book.active.append(list(row))
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()
