# SPDX-License-Identifier: Apache-2.0
"""Money is a whole number of fen. One rounding has a name; nothing here or elsewhere uses floating point."""

from __future__ import annotations

import re
import unicodedata

MINUS = "\u2212"
LIMIT_FEN = 10**15
_AMOUNT = re.compile(r"([+-]?)([0-9]{1,13})(?:\.([0-9]{1,2}))?")
_GROUPED = re.compile(r"[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]{1,2})?")
_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ("", "拾", "佰", "仟")
_GROUPS = ("", "万", "亿", "兆")


def half_up(numerator: int, denominator: int) -> int:
    """numerator / denominator to the nearest whole number, halves away from zero.

    Negatives mirror positives, so that reversing an amount gives exactly its opposite. Raises ZeroDivisionError.
    """
    if denominator < 0:
        numerator, denominator = -numerator, -denominator
    size = (2 * abs(numerator) + denominator) // (2 * denominator)
    return size if numerator >= 0 else -size


def yuan(fen: int) -> str:
    """123456 -> '1,234.56'; minus is U+2212, which print and screen readers keep."""
    whole, rest = divmod(abs(fen), 100)
    return f"{MINUS if fen < 0 else ''}{whole:,}.{rest:02d}"


def parse_yuan(text: str) -> int:
    """What a person types for an amount in yuan, as fen: '1,000', '１２.５', '-3.40元'.

    Raises ValueError when it is not an amount, has more than two decimals or misplaced commas.
    """
    plain = unicodedata.normalize("NFKC", text).replace(MINUS, "-").strip().removesuffix("元").strip()
    plain = plain.removeprefix("¥").strip()
    if "," in plain:
        if not _GROUPED.fullmatch(plain):
            raise ValueError("not an amount")
        plain = plain.replace(",", "")
    found = _AMOUNT.fullmatch(plain)
    if not found:
        raise ValueError("not an amount")
    sign, whole, rest = found.groups()
    fen = int(whole) * 100 + int((rest or "").ljust(2, "0"))
    return -fen if sign == "-" else fen


def in_words(fen: int) -> str:
    """The amount in capital characters (大写) as payment notices carry it: 48094 -> 肆佰捌拾元零玖分 … 肆分.

    Raises ValueError at 10^13 yuan and above.
    """
    if abs(fen) >= LIMIT_FEN:
        raise ValueError("too large to write out")
    whole, rest = divmod(abs(fen), 100)
    jiao, cents = divmod(rest, 10)
    out = _whole_in_words(whole) + "元" if whole else ""
    if not rest:
        return ("负" if fen < 0 else "") + (out or "零元") + "整"
    if jiao:
        out += _DIGITS[jiao] + "角"
    elif whole:
        out += "零"
    out += _DIGITS[cents] + "分" if cents else "整"
    return ("负" if fen < 0 else "") + out


def _whole_in_words(number: int) -> str:
    groups = []
    while number:
        number, group = divmod(number, 10_000)
        groups.append(group)
    out = ""
    gap = False
    for power in range(len(groups) - 1, -1, -1):
        group = groups[power]
        if not group:
            gap = bool(out)
            continue
        if out and (gap or group < 1000):
            out += "零"
        out += _group_in_words(group) + _GROUPS[power]
        gap = False
    return out


def _group_in_words(group: int) -> str:
    out = ""
    for place in range(3, -1, -1):
        digit = group // 10**place % 10
        if digit:
            out += _DIGITS[digit] + _PLACES[place]
        elif out and not out.endswith("零") and group % 10**place:
            out += "零"
    return out
