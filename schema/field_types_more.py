# SPDX-License-Identifier: Apache-2.0
"""Field types beyond the plain ones: numbers, yes or no, several choices, units, persons, members of a household,
lists of people given by name and number."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from schema import ids, resident_id, unit_code
from schema.field_base import Context, FieldType, Parsed, block
from schema.findings import Finding
from schema.service_parts import Choice, Field
from schema.toml_reader import Text

YES_NO = (Choice("yes", {"zh": "是", "en": "Yes"}), Choice("no", {"zh": "否", "en": "No"}))
PEOPLE_AT_MOST = 30
_BETWEEN = re.compile(r"[\s,，、;；|]+")


def _number(field: Field, text: str, context: Context) -> Parsed:
    plain = re.sub(r"[\s,]", "", unicodedata.normalize("NFKC", text))
    if not re.fullmatch("[0-9]{1,12}", plain):
        zh, en = f"「{text[:20]}」不是整数", f"'{text[:20]}' is not a whole number"
        return None, [block("number_form", field, zh, en)]
    value = int(plain)
    if value < field.at_least or (field.at_most and value > field.at_most):
        return None, [_out_of_bounds("number_bounds", field)]
    return value, []


def _out_of_bounds(code: str, field: Field) -> Finding:
    if field.at_most:
        zh, en = f"应在 {field.at_least} 到 {field.at_most} 之间", f"Must be {field.at_least} to {field.at_most}"
    else:
        zh, en = f"至少是 {field.at_least}", f"At least {field.at_least}"
    return block(code, field, zh, en)


def _year(field: Field, text: str, context: Context) -> Parsed:
    plain = unicodedata.normalize("NFKC", text).replace("年", "").strip()
    if re.fullmatch("(19|20|21)[0-9]{2}", plain):
        return plain, []
    zh, en = f"「{text[:20]}」不是年份。写成 2026", f"'{text[:20]}' is not a year. Write 2026"
    return None, [block("year_form", field, zh, en)]


def _time(field: Field, text: str, context: Context) -> Parsed:
    plain = unicodedata.normalize("NFKC", text).replace(" ", "").removesuffix("分")
    found = re.fullmatch("([0-9]{1,2})[:点时.]?([0-9]{2})?", plain)
    if found and int(found[1]) < 24 and int(found[2] or 0) < 60:
        return f"{int(found[1]):02d}:{found[2] or '00'}", []
    zh, en = f"「{text[:20]}」不是时间。写成 14:30", f"'{text[:20]}' is not a time. Write 14:30"
    return None, [block("time_form", field, zh, en)]


def _yes_no(field: Field, text: str, context: Context) -> Parsed:
    word = {"yes": "yes", "no": "no", "是": "yes", "否": "no"}.get(text.strip().lower())
    if word:
        return word, []
    return None, [block("yes_no_form", field, "请选是或否", "Choose yes or no")]


def _shown_yes_no(field: Field, value: Any) -> Text:
    return next(c.text for c in YES_NO if c.value == value)


def _choices(field: Field, text: str, context: Context) -> Parsed:
    wanted = dict.fromkeys(text.split())
    strange = [word for word in wanted if all(c.value != word for c in field.choices)]
    if strange:
        word = strange[0][:20]
        zh, en = f"没有「{word}」这一项，请从列表里选", f"There is no '{word}': choose from the list"
        return None, [block("choice_unknown", field, zh, en)]
    chosen = [c.value for c in field.choices if c.value in wanted]
    if len(chosen) < field.at_least or (field.at_most and len(chosen) > field.at_most):
        return None, [_out_of_bounds("choices_bounds", field)]
    return chosen, []


def _shown_choices(field: Field, value: Any) -> Text:
    texts = [c.text for c in field.choices if c.value in value]
    return {"zh": "、".join(t["zh"] for t in texts), "en": ", ".join(t["en"] for t in texts)}


def _uscc(field: Field, text: str, context: Context) -> Parsed:
    return unit_code.read(text, field.name)


def _id(field: Field, text: str, context: Context) -> Parsed:
    if ids.is_text(text):
        return text, []
    zh, en = "请从查找结果里选一个", "Choose one of the hits"
    return None, [block("not_chosen", field, zh, en)]


def _members(field: Field, text: str, context: Context) -> Parsed:
    given = list(dict.fromkeys(text.split()))
    if not all(ids.is_text(one) for one in given) or len(given) > PEOPLE_AT_MOST:
        return None, [block("not_chosen", field, "请从家庭成员里勾选", "Tick members of the household")]
    return given, []


def _shown_members(field: Field, value: Any) -> Text:
    return {"zh": f"{len(value)} 人", "en": f"{len(value)} persons"}


def _people(field: Field, text: str, context: Context) -> Parsed:
    """One person per line: ID number, name and, where the field has choices, how related."""
    people: list[dict[str, str]] = []
    findings: list[Finding] = []
    for number, line in enumerate([line for line in text.splitlines() if line.strip()], 1):
        person, found = _one_of_people(field, line, number, context)
        findings += found
        people += [person] if person else []
    numbers = [person["id_number"] for person in people]
    if len(set(numbers)) < len(numbers):
        zh, en = "同一个证号写了两次", "The same ID number stands there twice"
        findings.append(block("people_twice", field, zh, en))
    if len(people) > (field.at_most or PEOPLE_AT_MOST):
        zh, en = f"最多 {field.at_most or PEOPLE_AT_MOST} 人", f"At most {field.at_most or PEOPLE_AT_MOST} persons"
        findings.append(block("people_many", field, zh, en))
    return (None, findings) if findings else (people, [])


def _one_of_people(
    field: Field, line: str, number: int, context: Context
) -> tuple[dict[str, str] | None, list[Finding]]:
    words = [word for word in _BETWEEN.split(line.strip()) if word]
    read, findings = resident_id.read(words[0], context.today, field.name) if words else (None, [])
    if read is None or len(words) < 2:
        said = findings[0] if findings else None
        zh = f"第 {number} 人：{said.zh if said else '还缺姓名'}"
        en = f"Person {number}: {said.en if said else 'the name is missing'}"
        return None, [block("people_form", field, zh, en)]
    known = {c.text["zh"]: c.value for c in field.choices} | {c.value: c.value for c in field.choices}
    related = known.get(words[2], "") if len(words) > 2 else ""
    if field.choices and not related:
        listed = "、".join(c.text["zh"] for c in field.choices)
        zh, en = f"第 {number} 人：关系请写 {listed} 之一", f"Person {number}: how related? One of the list"
        return None, [block("people_relation", field, zh, en)]
    return {"id_number": read.number, "name": words[1][:60], "relation": related}, []


def _shown_people(field: Field, value: Any) -> Text:
    def one(person: dict[str, str], lang: str) -> str:
        related = next((c.text[lang] for c in field.choices if c.value == person["relation"]), "")
        inside = f"（{related}）" if lang == "zh" else f" ({related})"
        return person["name"] + (inside if related else "")

    return {
        "zh": "、".join(one(p, "zh") for p in value), "en": ", ".join(one(p, "en") for p in value),
    }  # fmt: skip


def _raw_people(value: Any) -> str:
    return "\n".join(" ".join(word for word in person.values() if word) for person in value)


MORE: dict[str, FieldType] = {
    "number": FieldType(_number, "number"),
    "year": FieldType(_year, "year"),
    "time": FieldType(_time, "time"),
    "yes_no": FieldType(_yes_no, "choice", _shown_yes_no),
    "choices": FieldType(_choices, "ticks", _shown_choices, " ".join, is_list=True),
    "uscc": FieldType(_uscc, "uscc"),
    "unit": FieldType(_id, "unit"),
    "person": FieldType(_id, "person"),
    "members": FieldType(_members, "ticks", _shown_members, " ".join, is_list=True),
    **{name: FieldType(_id, "choice") for name in ("vacancy", "training_class", "referral")},
    "people": FieldType(_people, "people", _shown_people, _raw_people),
}
