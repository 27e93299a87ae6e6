# SPDX-License-Identifier: Apache-2.0
"""What the chip says against the rules of numbers, the calendar, the county, the lost list and the register.

A chip proves nothing about the person who carries it: nothing here replaces the look at the face and the ID card.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from node.card.reading import BIRTH, ETHNIC, NAME, SEX, Card
from node.card.tlv import UNREADABLE
from schema import resident_id
from schema.findings import Finding, Severity

# Shengzhou, its former code as a county, and the city above it under both ways of writing it.
HERE = ("330683", "330623", "330600")
CITY = "3306"
LOST, ENDED = ("lost",), ("cancelled", "replaced")
_ITEMS = {
    NAME: ("姓名", "name"),
    SEX: ("性别", "sex"),
    ETHNIC: ("民族", "ethnic group"),
    BIRTH: ("出生日期", "birth date"),
}


@dataclass(frozen=True)
class CardState:
    """What the lists here say of a card: a state that is not simply in use, and since when."""

    state: str
    since: str


def card_state(db: Any, card_no: str) -> CardState | None:
    """The newest entry of the card lists for that number; None for a card that is on none."""
    row = db.execute(
        "SELECT state, since FROM card WHERE card_no = ? ORDER BY since DESC LIMIT 1", (card_no,)
    ).fetchone()
    return CardState(row["state"], row["since"]) if row else None


def person_of(db: Any, card: Card, today: date) -> Mapping[str, Any] | None:
    """Whom of this station's register the card names; None for somebody not known here."""
    number, _ = resident_id.read(card.id_number, today)
    if number is None:
        return None
    row = db.execute("SELECT id, name, birth_on, sex FROM person WHERE id_number = ?", (number.number,)).fetchone()
    return dict(row) if row else None


def judge(card: Card, today: date, state: CardState | None, person: Mapping[str, Any] | None) -> list[Finding]:
    """Everything there is to say, gravest first. A `block` means that the card leads nowhere."""
    number, found = resident_id.read(card.id_number, today)
    if number is None:
        return [_said("block", "card_number", "卡上的证号不对，没有采用。请核对身份证，手工输入证号",
                      "The ID number on the card does not hold. Check the ID card and type the number")]  # fmt: skip
    findings = [f for f in found if f.severity != "block"]
    findings += _of_list(state) + _of_calendar(card, today) + _of_number(card, number) + _of_region(card)
    findings += _of_register(card, person) + _of_protected(card)
    return sorted(findings, key=lambda f: ("block", "review", "hint").index(f.severity))


def _of_list(state: CardState | None) -> list[Finding]:
    if state is None:
        return []
    since = state.since[:10]
    if state.state in LOST:
        return [_said("review", "card_lost", f"此卡已挂失（{since}）。请核对本人身份",
                      f"Card reported lost on {since}. Check the holder's identity")]  # fmt: skip
    if state.state in ENDED:
        return [_said("review", "card_ended", f"此卡已注销或换过新卡（{since}）。请收回旧卡，用新卡办理",
                      f"Card cancelled or replaced on {since}. Take it in and use the new one")]  # fmt: skip
    return []


def _of_calendar(card: Card, today: date) -> list[Finding]:
    if card.valid_to and card.valid_to < today:
        return [_said("review", "card_expired", f"此卡 {card.valid_to} 已到期。业务照常办，请告知持卡人换卡",
                      f"Card expired on {card.valid_to}. Go on, and tell the holder to renew it")]  # fmt: skip
    if card.issued_on and card.issued_on > today:
        return [_said("review", "card_future", f"卡上的发卡日期 {card.issued_on} 还没有到。请核对身份证",
                      f"The card's issue date {card.issued_on} is in the future. Check the ID card")]  # fmt: skip
    return []


def _of_number(card: Card, number: resident_id.ResidentId) -> list[Finding]:
    """Birth date and sex of the card against those in its ID number."""
    findings = []
    if card.birth_on and card.birth_on != number.birth_on:
        findings.append(_said("review", "card_birth",
                              f"卡上的出生日期 {card.birth_on} 与证号里的 {number.birth_on} 不同。请看证件",
                              "Birth date on the card differs from the ID number's. Check the ID"))  # fmt: skip
    if card.sex in ("1", "2") and card.sex != number.sex:
        findings.append(_said("review", "card_sex", "卡上的性别与证号不符。请看证件",
                              "Sex on the card does not fit the ID number. Check the ID"))  # fmt: skip
    return findings


def _of_region(card: Card) -> list[Finding]:
    region = card.region
    if not region or region in HERE:
        return []
    if region.startswith(CITY):
        return [_said("hint", "card_city", f"此卡由本市别处（{region}）发行，可以用",
                      f"Issued elsewhere in the city ({region}): accepted")]  # fmt: skip
    return [_said("review", "card_region", f"此卡由外地（{region}）发行。请核对身份证，问清在哪里参保",
                  f"Issued in another region ({region}). Check the ID; ask where the holder is insured")]  # fmt: skip


def _of_register(card: Card, person: Mapping[str, Any] | None) -> list[Finding]:
    if UNREADABLE in card.name:
        return [_said("review", "card_name_unreadable", "卡上姓名有读不出的字。请看证件",
                      "A character of the name on the card cannot be read. Check the ID")]  # fmt: skip
    if person is None or not card.name:
        return []
    if person["name"] != card.name:
        return [_said("review", "card_name", f"卡上姓名与名册不同：{card.name}、{person['name']}。请看证件",
                      "Name on card differs from the register. Check the ID")]  # fmt: skip
    return [_said("hint", "card_agrees", "已读卡，与名册一致", "Card read, agrees with the register")]


def _of_protected(card: Card) -> list[Finding]:
    kept = [_ITEMS[tag] for tag in card.protected if tag in _ITEMS]
    if not kept:
        return []
    zh, en = "、".join(zh for zh, _ in kept), ", ".join(en for _, en in kept)
    return [_said("hint", "card_protected", f"受保护，读不到：{zh}。请手工填写", f"Protected, please type: {en}")]


def _said(severity: Severity, code: str, zh: str, en: str) -> Finding:
    return Finding(code, severity, "", zh, en)


def prefilled(card: Card, today: date) -> dict[str, str]:
    """Answers that a form about somebody new can open with, by where the register keeps them (`person.name` …)."""
    number, _ = resident_id.read(card.id_number, today)
    values = {
        "person.name": card.name if UNREADABLE not in card.name else "",
        "person.id_number": number.number if number else "",
        "person.ethnic": card.ethnic if card.ethnic.isdecimal() else "",
    }
    return {source: value for source, value in values.items() if value}
