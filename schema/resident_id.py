# SPDX-License-Identifier: Apache-2.0
"""The citizen ID number 公民身份号码 (GB 11643-1999), which is also the social security number.

Only the check digit comes from python-stdnum. Its `ric.validate` refuses people born before 1983 who carry 330623
(Sheng County), because it ties each division to the years of a list; a number once issued stays good for life.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import date

from stdnum.cn import ric

from schema import period
from schema.findings import Finding

OLDEST_YEARS = 130
FORMER_DIVISIONS = {"330623": ("原嵊县", "the former Sheng County"), "332323": ("原嵊县", "the former Sheng County")}


@dataclass(frozen=True)
class ResidentId:
    """A number that holds. `number` has 18 characters and is the canonical form.

    `number_15` is the form of before 1999 (old papers and registers still carry it); None for births from 2000 on.
    `sex` is '1' male or '2' female; `division` the six digits of where the number was first issued.
    """

    number: str
    number_15: str | None
    birth_on: date
    sex: str
    division: str


def compact(text: str) -> str:
    """What was typed without width, spaces, invisible marks and case: ' ３３０683…１２３x' -> '330683…123X'."""
    if text.isascii():
        return "".join(text.upper().split())
    folded = unicodedata.normalize("NFKC", text).upper()
    return "".join(c for c in folded if not c.isspace() and unicodedata.category(c) != "Cf")


def upgrade(number_15: str) -> str:
    """The 18-digit form of a 15-digit number: the century 19 and the check digit added."""
    body = f"{number_15[:6]}19{number_15[6:]}"
    return body + _check_digit(body)


def read(text: str, today: date, field: str = "id_number") -> tuple[ResidentId | None, list[Finding]]:
    """The number that was typed, or None, and everything there is to say about it, all at once.

    15-digit numbers become 18-digit ones. A wrong check digit does not tell which digit is wrong, so none is proposed.
    """
    number = compact(text)
    findings = _shape_findings(number, field)
    if findings:
        return None, findings
    if len(number) == 15:
        number = upgrade(number)
    elif _check_digit(number[:17]) != number[17]:
        findings.append(
            _block(
                "id_check_digit",
                field,
                "身份证号至少有一位不对。请对照证件逐位看，或放卡读取",
                "At least one digit of the ID number is wrong. Compare digit by digit, or read the card",
            )
        )
    birth_on = _birth(number)
    findings += _birth_findings(number, birth_on, today, field)
    if findings or birth_on is None:
        return None, findings
    number_15 = number[:6] + number[8:17] if number[6:8] == "19" else None
    sex = "1" if int(number[16]) % 2 else "2"
    return ResidentId(number, number_15, birth_on, sex, number[:6]), _division_hint(number[:6], field)


def _shape_findings(number: str, field: str) -> list[Finding]:
    if not number:
        return [_block("id_empty", field, "身份证号没有填", "The ID number is empty")]
    out = []
    body = number[:-1] if len(number) == 18 and number.endswith("X") else number
    if not (body.isascii() and body.isdigit()):
        out.append(
            _block(
                "id_characters",
                field,
                "身份证号只能是数字，第 18 位可以是 X。请去掉别的字",
                "An ID number has digits only; its 18th place may be X. Remove the rest",
            )
        )
    if len(number) not in (15, 18):
        out.append(
            _block(
                "id_length",
                field,
                f"身份证号应是 18 位（老证 15 位），这里是 {len(number)} 位",
                f"An ID number has 18 places (15 on old cards); this has {len(number)}",
            )
        )
    return out


def _check_digit(body: str) -> str:
    # The library drops the last character it is given, so it is given one to drop.
    return str(ric.calc_check_digit(body + "0"))


def _birth(number: str) -> date | None:
    try:
        return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None


def _birth_findings(number: str, birth_on: date | None, today: date, field: str) -> list[Finding]:
    written = f"{number[6:10]}-{number[10:12]}-{number[12:14]}"
    if birth_on is None:
        return [
            _block(
                "id_date",
                field,
                f"身份证号里的出生日期 {written} 不存在。请对照证件看第 7 到 14 位",
                f"The birth date {written} in the ID number does not exist. Check places 7 to 14",
            )
        ]
    if birth_on > today:
        return [
            _block(
                "id_future",
                field,
                f"身份证号里的出生日期 {written} 还没有到。请对照证件看第 7 到 14 位",
                f"The birth date {written} in the ID number is in the future. Check places 7 to 14",
            )
        ]
    if period.age_on(birth_on, today) > OLDEST_YEARS:
        return [
            _block(
                "id_too_old",
                field,
                f"按身份证号算已超过 {OLDEST_YEARS} 岁。请对照证件看第 7 到 10 位",
                f"By this ID number the person is over {OLDEST_YEARS}. Check places 7 to 10",
            )
        ]
    return []


def _division_hint(division: str, field: str) -> list[Finding]:
    if division not in FORMER_DIVISIONS:
        return []
    zh, en = FORMER_DIVISIONS[division]
    text_zh, text_en = f"旧证号前六位 {division} 是{zh}，可以用", f"{division} is {en}: accepted"
    return [Finding("id_former_division", "hint", field, text_zh, text_en)]


def _block(code: str, field: str, zh: str, en: str) -> Finding:
    return Finding(code, "block", field, zh, en)
