# SPDX-License-Identifier: Apache-2.0
"""Field types: what a person typed -> a value and findings, the entries to choose from, and how a value is shown.

The vocabulary is closed; a form builder maps each type's `widget` to an input. An empty field is None here: whether
that is allowed is asked in `checks`. Every parser takes any text at all and never raises.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from typing import Any

from schema import money, period, resident_id
from schema.field_base import Context, FieldType, Parsed, block
from schema.field_types_more import MORE, YES_NO
from schema.findings import Finding
from schema.service_parts import Choice, Field, is_ticked
from schema.toml_reader import Text

__all__ = [
    "CHOOSING", "TYPES", "Context", "FieldType", "joined", "options", "parse", "plain_name", "raw_text", "shown",
    "widget",
]  # fmt: skip

# Types whose entries stand in the item's file or in choices.toml.
CHOOSING = ("choice", "choices")

RAW_LIMIT = 2000
_DATE = re.compile(r"([0-9]{4})[-/.年]?([0-9]{1,2})[-/.月]?([0-9]{1,2})日?")
_MONTH = re.compile(r"([0-9]{4})[-/.年]?([0-9]{1,2})月?")
_FEW = {1: "一", 2: "两", 3: "三"}


def parse(field: Field, raw: object, context: Context) -> Parsed:
    """The value of one field and what is wrong with it. Empty gives None (a checkbox: False)."""
    text = raw if isinstance(raw, str) else ""
    if len(text) > RAW_LIMIT:
        return None, [block("too_long", field, f"太长，最多 {field.limit} 个字", f"too long: at most {field.limit}")]
    if not text.isprintable():
        text = "".join(c for c in text if c in "\r\n\t" or unicodedata.category(c) not in ("Cc", "Cs"))
    text = text.strip()
    if not text and field.type != "checkbox":
        return None, []
    return TYPES[field.type].parse(field, text, context)


def options(field: Field, context: Context) -> tuple[Choice, ...]:
    """The entries to choose from: the field's own, or amounts of its parameter as in force today."""
    if not field.options:
        return YES_NO if field.type == "yes_no" else field.choices
    text = field.option_text or {"zh": "{yuan} 元", "en": "{yuan} yuan"}
    amounts = context.parameters.at(field.options, context.today).numbers
    return tuple(Choice(_plain_yuan(fen), _with_amount(text, fen)) for fen in amounts)


def widget(field: Field) -> str:
    """The name of the input for a field: its type's, or `choice` where a parameter lists the amounts."""
    return "choice" if field.options else TYPES[field.type].widget


def shown(field: Field, value: Any, context: Context) -> Text:
    """A parsed value as people read it, in both languages; '--' when there is none."""
    if value is None or value == "":
        return {"zh": "--", "en": "--"}
    if isinstance(value, bool):
        return {"zh": "是", "en": "yes"} if value else {"zh": "否", "en": "no"}
    if field.type == "money" and isinstance(value, int):
        text = field.option_text or {"zh": "{yuan} 元", "en": "{yuan} yuan"}
        return _with_amount(text, value)
    show = TYPES[field.type].shown
    if show:
        return show(field, value)
    chosen = next((c.text for c in field.choices if c.value == value), None)
    return chosen or {"zh": str(value), "en": str(value)}


def raw_text(field: Field, value: Any) -> str:
    """A stored value as it would be typed into the field: for forms that open filled."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "on" if value else ""
    return TYPES[field.type].raw(value)


def joined(field: Field | None, values: list[str]) -> str:
    """What a form posted under one name, as the one text that is kept: all of a list's entries, else the first."""
    is_list = field is not None and TYPES[field.type].is_list
    return " ".join(values) if is_list else next(iter(values), "")


def _text(field: Field, text: str, context: Context) -> Parsed:
    one_line = re.sub(r"\s+", " ", text)
    return _within(field, one_line)


def _textarea(field: Field, text: str, context: Context) -> Parsed:
    return _within(field, text.replace("\r\n", "\n"))


def _within(field: Field, text: str) -> Parsed:
    if len(text) <= field.limit:
        return text, []
    zh, en = f"太长，最多 {field.limit} 个字，这里有 {len(text)} 个", f"Too long: {len(text)} of at most {field.limit}"
    return None, [block("too_long", field, zh, en)]


def plain_name(text: str) -> str:
    """A name without what differs between papers though the name is the same: spaces, kinds of middle dot."""
    # No NFKC here: it would silently replace rare characters that stand in people's papers.
    name = re.sub(r"\s+", " ", re.sub("[•・‧．.]", "·", text)).strip()
    return name.replace(" ", "") if re.search("[\u3400-\u9fff\U00020000-\U0003ffff]", name) else name


def _name(field: Field, text: str, context: Context) -> Parsed:
    name = plain_name(text)
    if not all(unicodedata.category(c)[0] == "L" or unicodedata.category(c) == "Co" or c in "· " for c in name):
        zh, en = "姓名里有数字或符号。请照证件上的字填写", "The name has digits or signs. Write it as in the papers"
        return None, [block("name_characters", field, zh, en)]
    if len(name) < 2:
        return None, [block("name_short", field, "姓名至少两个字", "A name has at least two characters")]
    return _within(field, name)


def _resident_id(field: Field, text: str, context: Context) -> Parsed:
    read, findings = resident_id.read(text, context.today, field.name)
    return (read.number if read else None), findings


def _phone(field: Field, text: str, context: Context) -> Parsed:
    plain = re.sub(r"[\s()\-]", "", unicodedata.normalize("NFKC", text))
    plain = re.sub(r"^(\+86|0086)", "", plain)
    if not re.fullmatch("[0-9]+", plain):
        zh, en = "电话只能是数字。没有手机可留空", "A phone number has digits only. Leave empty if there is none"
        return None, [block("phone_characters", field, zh, en)]
    needed = context.parameters.at("contact/phone_digits", context.today).number
    if plain.startswith("1"):
        return (plain, []) if len(plain) == needed else (None, [_phone_length(field, len(plain), needed)])
    if re.fullmatch("0[0-9]{9,11}|[2-9][0-9]{6,7}", plain):
        return plain, []
    zh = "不像电话号码。手机以 1 开头，固定电话带区号"
    en = "Not a phone number: mobiles begin with 1, others with the area code"
    return None, [block("phone_form", field, zh, en)]


def _phone_length(field: Field, length: int, needed: int) -> Finding:
    by = abs(length - needed)
    zh = f"手机号{'少' if length < needed else '多'}{_FEW.get(by, f' {by} ')}位，应是 {needed} 位。没有手机可留空"
    much = f"{'one digit' if by == 1 else f'{by} digits'} {'short of' if length < needed else 'over'} {needed}"
    return block("phone_length", field, zh, f"Phone number is {much}. Leave empty if there is none")


def _date(field: Field, text: str, context: Context) -> Parsed:
    found = _DATE.fullmatch(unicodedata.normalize("NFKC", text).replace(" ", ""))
    try:
        if found:
            return date(*(int(part) for part in found.groups())).isoformat(), []
    except ValueError:
        pass
    zh, en = f"「{text[:20]}」不是日期。写成 2026-01-31", f"'{text[:20]}' is not a date. Write 2026-01-31"
    return None, [block("date_form", field, zh, en)]


def _month(field: Field, text: str, context: Context) -> Parsed:
    found = _MONTH.fullmatch(unicodedata.normalize("NFKC", text).replace(" ", ""))
    month = f"{found[1]}-{int(found[2]):02d}" if found else ""
    if period.is_month(month):
        return month, []
    zh, en = f"「{text[:20]}」不是月份。写成 2026-01", f"'{text[:20]}' is not a month. Write 2026-01"
    return None, [block("month_form", field, zh, en)]


def _choice(field: Field, text: str, context: Context) -> Parsed:
    if any(c.value == text for c in field.choices):
        return text, []
    zh, en = f"没有「{text[:20]}」这一项，请从列表里选", f"There is no '{text[:20]}': choose from the list"
    return None, [block("choice_unknown", field, zh, en)]


def _money(field: Field, text: str, context: Context) -> Parsed:
    try:
        fen = money.parse_yuan(text)
    except ValueError:
        zh = f"「{text[:20]}」不是金额。写成 1000 或 1,000.50"
        en = f"'{text[:20]}' is not an amount. Write 1000 or 1,000.50"
        return None, [block("money_form", field, zh, en)]
    if fen < 0:
        return None, [block("money_negative", field, "金额不能是负数", "The amount must not be negative")]
    return fen, []


def _village(field: Field, text: str, context: Context) -> Parsed:
    plain = unicodedata.normalize("NFKC", text).replace(" ", "")
    if re.fullmatch("[0-9]{9}|[0-9]{12}", plain):
        return plain, []
    zh, en = "请从列表里选村或社区", "Choose the village or community from the list"
    return None, [block("village_form", field, zh, en)]


def _bank_account(field: Field, text: str, context: Context) -> Parsed:
    plain = re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", text))
    if re.fullmatch("[0-9]{8,30}", plain):
        return plain, []
    zh = "账号应是 8 到 30 位数字。请对照存折或卡逐位看"
    en = "An account number has 8 to 30 digits. Compare with the bank book"
    return None, [block("bank_account_form", field, zh, en)]


def _checkbox(field: Field, text: str, context: Context) -> Parsed:
    return is_ticked(text), []


def _plain_yuan(fen: int) -> str:
    return money.yuan(fen).replace(",", "").removesuffix(".00")


def _with_amount(text: Text, fen: int) -> Text:
    return {lang: words.replace("{yuan}", _short_yuan(fen)) for lang, words in text.items()}


def _short_yuan(fen: int) -> str:
    return money.yuan(fen).removesuffix(".00")


TYPES: dict[str, FieldType] = {
    "text": FieldType(_text, "text"),
    "name": FieldType(_name, "name"),
    "resident_id": FieldType(_resident_id, "resident_id"),
    "phone": FieldType(_phone, "phone"),
    "date": FieldType(_date, "date"),
    "month": FieldType(_month, "month"),
    "choice": FieldType(_choice, "choice"),
    "money": FieldType(_money, "money", raw=lambda fen: _plain_yuan(fen)),
    "village": FieldType(_village, "village"),
    "county_village": FieldType(_village, "village"),
    "bank_account": FieldType(_bank_account, "bank_account"),
    "checkbox": FieldType(_checkbox, "checkbox"),
    "textarea": FieldType(_textarea, "textarea"),
    **MORE,
}
