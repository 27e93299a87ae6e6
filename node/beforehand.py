# SPDX-License-Identifier: Apache-2.0
"""What a draft or an unsent case will meet at the hub, as far as this station can know: said before it is sent.

Hints, never a bar: the law lets the item be taken, and the hub decides. Three sources: the county's digest (registered
elsewhere), rows of the hub that are newer than the draft, and other clerks' open cases about the same person.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from node import cases, elsewhere
from node.cases import Desk
from schema import checks, subject
from schema.case import OPEN_STATES
from schema.findings import Finding, from_json
from schema.service_parts import Service

_OPEN = ", ".join(f"'{state}'" for state in OPEN_STATES)


def findings(
    db: Any, person_id: bytes | None, answers: Mapping[str, str], service: str, since: str, today: date,
    case_id: bytes | None = None,
) -> list[Finding]:  # fmt: skip
    """Everything known against it. `since`: when the draft was begun; what the hub decided later is news to it."""
    if person_id is None:
        return _registered_elsewhere(db, answers.get("id_number", ""), today)
    return _decided_since(db, person_id, since) + _taken_by_others(db, person_id, service, case_id)


def of_case(db: Any, desk: Desk, case_id: bytes) -> list[Finding]:
    """The same of a case that waits to be sent, and what its checks find now that they did not find when it was taken:
    the register moved on since."""
    row = db.execute("SELECT * FROM case_file WHERE id = ?", (case_id,)).fetchone()
    item, about, today = desk.item_of(db, row), subject.of_row(row), desk.clock.today()
    given = cases.given(row)
    news = _news(db, desk, row, item, today)
    if item.subject != "person":
        return news
    return news + findings(db, about.person_id, given.answers, item.id, row["created_at"], today, case_id)


def _news(db: Any, desk: Desk, row: Any, item: Service, today: date) -> list[Finding]:
    """What the checks find now and did not find when the case was taken."""
    if row["legal"] == "final":
        return []  # done on the spot: what it changed is in the register, and it would find nothing left to change
    given = cases.given(row)
    seen = cases.subject(db, desk, item, subject.of_row(row), given.answers, bytes(row["id"]))
    now = checks.examine(item, given.answers, given.materials, seen, today, desk.parameters).findings
    before = {(one.code, one.field) for one in from_json(row["findings"])}
    return [one for one in now if one.severity != "hint" and (one.code, one.field) not in before]


def _registered_elsewhere(db: Any, number: str, today: date) -> list[Finding]:
    known = elsewhere.known(db, number, today) if number else None
    if known is None:
        return []
    zh, en = (f"在{known.name}", f" in {known.name_en}") if known.township else ("", " in another township")
    return [
        _hint(
            "known_elsewhere",
            f"这个身份证号可能{zh or '在别的乡镇'}已有登记。照常办理，中心会核对、合并；急的话先打电话问那里的站",
            f"This ID number may already be registered{en}. Take the item: the hub compares and merges. "
            "If it is urgent, phone the station there first",
        )
    ]


def _decided_since(db: Any, person_id: bytes, since: str) -> list[Finding]:
    """Cases of the person that the hub moved after this one was begun."""
    rows = db.execute(
        "SELECT receipt_no, station, coalesce(decided_at, received_at) AS at FROM case_state "
        "WHERE person_id = ? AND coalesce(decided_at, received_at) > ? ORDER BY at DESC LIMIT 3",
        (person_id, since),
    )
    return [
        _hint(
            "decided_since",
            f"开始填写以后，中心又处理了此人的一件事（{row['station']} 站，回执 {row['receipt_no']}）。"
            "请再看一眼现在的情况",
            f"Since this was begun the hub has handled another case of the person (station {row['station']}, slip "
            f"{row['receipt_no']}). Please look at the present state again",
        )
        for row in rows
    ]


def _taken_by_others(db: Any, person_id: bytes, service: str, case_id: bytes | None) -> list[Finding]:
    """The same item, open elsewhere or with another clerk here."""
    rows = db.execute(
        f"SELECT id, receipt_no, operator_no AS by_whom FROM case_file WHERE person_id = ? AND service = ? "
        f"AND id IS NOT ? AND (state IN ({_OPEN}) OR state = 'draft') UNION "
        "SELECT case_id, receipt_no, station FROM case_state WHERE person_id = ? AND service = ? "
        f"AND state IN ({_OPEN}) AND case_id IS NOT ? AND case_id NOT IN (SELECT id FROM case_file)",
        (person_id, service, case_id, person_id, service, case_id),
    )
    return [
        _hint(
            "open_elsewhere",
            f"同一个人的同一事项，{row['by_whom']} 也在办（{row['receipt_no'] or '草稿'}）。请先问一声，免得办两次",
            f"The same item for the same person is also with {row['by_whom']} ({row['receipt_no'] or 'a draft'}). "
            "Ask first, or it is done twice",
        )
        for row in rows
    ]


def _hint(code: str, zh: str, en: str) -> Finding:
    return Finding(code, "hint", "", zh, en)
