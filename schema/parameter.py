# SPDX-License-Identifier: Apache-2.0
"""Dated parameters: every amount, rate, age and limit of the law, with the day it takes effect, the day it became
known, and the document it comes from.

Two dates, because raises are often announced months after they take effect: a calculation says both the day it is
for (`on`) and the day it was made (`known_on`), so that it can be repeated years later and back-pay is the difference
of two calculations. A parameter is named by its path: `resident_pension/basic_monthly_fen`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from schema.errors import BadParameterFile, ParameterNotFound
from schema.toml_reader import Faults, Reader, Text, open_file

FOLDER = Path(__file__).parent / "parameters"
_LARGEST = 10**15

Content = int | tuple[int, ...] | Mapping[int, int]
# unit -> form of the value. In a file the keys of a table are text; here they are the whole numbers they spell.
UNITS: dict[str, str] = {
    "fen": "number", "years": "number", "months": "number", "days": "number", "digits": "number",
    "count": "number", "percent": "number", "basis points": "number", "switch": "number",
    "list of fen": "list", "list of percent": "list", "fen by grade in fen": "table", "fen by level": "table",
    "months by age": "table", "months by years": "table", "months by grade": "table", "years by sex": "table",
    "days by child": "table", "basis points by grade": "table", "basis points by class": "table",
    "basis points by fen": "table",
}  # fmt: skip


@dataclass(frozen=True)
class Value:
    """A value in force. `source` names document and article; `verified` says that someone read it there."""

    name: str
    value: Content
    unit: str
    from_: date
    published: date
    source: str
    verified: bool
    until: date | None = None

    @property
    def number(self) -> int:
        """The value of a parameter that is one whole number."""
        assert isinstance(self.value, int)
        return self.value

    @property
    def numbers(self) -> tuple[int, ...]:
        """The value of a parameter that is a list."""
        assert isinstance(self.value, tuple)
        return self.value

    @property
    def table(self) -> Mapping[int, int]:
        """The value of a parameter that is a table."""
        assert isinstance(self.value, Mapping)
        return self.value


@dataclass(frozen=True)
class Parameter:
    """All values of one parameter, ascending by (from, published)."""

    name: str
    title: Text
    unit: str
    values: tuple[Value, ...]


class Parameters:
    """Every parameter there is."""

    def __init__(self, all_of_them: Mapping[str, Parameter]) -> None:
        self._all = dict(all_of_them)

    def __iter__(self) -> Iterator[Parameter]:
        return iter(self._all.values())

    def __contains__(self, name: str) -> bool:
        return name in self._all

    def at(self, name: str, on: date, known_on: date | None = None) -> Value:
        """The value in force on a day, as known on another (None: as known by these files).

        Raises ParameterNotFound when there is no such parameter, or no value then.
        """
        parameter = self._all.get(name)
        if parameter is None:
            raise ParameterNotFound(f"没有参数「{name}」", f"there is no parameter '{name}'")
        known = (v for v in parameter.values if v.from_ <= on and (known_on is None or v.published <= known_on))
        last = None
        for value in known:
            last = value
        if last is None or (last.until is not None and last.until < on):
            seen = f"（按 {known_on} 所知）" if known_on else ""
            as_known = f", as known on {known_on}" if known_on else ""
            raise ParameterNotFound(
                f"参数「{name}」在 {on}{seen}没有值。请在参数文件里补上这段时间",
                f"parameter '{name}' has no value on {on}{as_known}. Add that time to its file",
            )
        return last


def load(folder: Path | None = None) -> Parameters:
    """Read every file below the folder. Raises BadParameterFile naming all faults of all files."""
    root = folder or FOLDER
    faults = Faults()
    found = {}
    for path in sorted(root.rglob("*.toml")):
        name = path.relative_to(root).with_suffix("").as_posix()
        reader = open_file(path, f"{name}.toml", faults)
        if reader is not None:
            found[name] = _parameter(name, reader)
    if faults:
        raise BadParameterFile(faults.text("zh"), faults.text("en"))
    return Parameters(found)


def _parameter(name: str, reader: Reader) -> Parameter:
    if not re.fullmatch(r"[a-z0-9_]+/[a-z0-9_]+", name):
        reader.fault("", "文件名应是小写英文，放在险种文件夹里", "name it in lower case, in a scheme's folder")
    title = reader.text("title")
    unit = reader.one_of("unit", UNITS)
    values = [_value(name, unit, r) for r in reader.tables("values")]
    if reader.has("values") and not values:
        reader.fault("values", "至少要有一个 [[values]]", "at least one [[values]] is needed")
    _check_order(values, reader)
    reader.done()
    return Parameter(name, title, unit, tuple(values))


def _value(name: str, unit: str, reader: Reader) -> Value:
    from_ = reader.take("from", date, date.min)
    published = reader.take("published", date, date.min)
    until = reader.take("until", date, required=False)
    if until is not None and until < from_:
        reader.fault("until", "终止日早于起始日", "ends before it begins")
    verified = reader.take("verified", bool, False)
    content = _content(unit, reader)
    reader.take("note", str, required=False)
    source = reader.table("source")
    text = ""
    if source is not None:
        parts = [source.take("title", str, ""), source.take("article", str, "", required=False)]
        if source.has("title") and not parts[0].strip():
            source.fault("title", "文件名称是空的，请写明依据", "the document is empty: name it")
        source.done()
        text = " ".join(p for p in parts if p)
    reader.done()
    return Value(name, content, unit, from_, published, text, verified, until)


def _content(unit: str, reader: Reader) -> Content:
    if not reader.has("value"):
        reader.fault("value", "缺少「value」，请补上", "'value' is missing: add it")
        return 0
    raw = reader.raw("value")
    form = UNITS.get(unit)
    if form == "number":
        return _number(raw, "value", reader)
    if form == "list":
        if type(raw) is list and raw:
            return tuple(_number(v, f"value[{i + 1}]", reader) for i, v in enumerate(raw))
        reader.fault("value", "应为整数列表，如 [100, 200]", "must be a list of whole numbers")
        return ()
    if form == "table":
        if type(raw) is dict and raw and all(re.fullmatch(r"[0-9]{1,12}", key) for key in raw):
            return {int(key): _number(v, f"value.{key}", reader) for key, v in raw.items()}
        reader.fault("value", "应为表，如 { 60 = 139 }", "must be a table such as { 60 = 139 }")
        return {}
    return 0


def _number(raw: Any, place: str, reader: Reader) -> int:
    if type(raw) is int and 0 <= raw <= _LARGEST:
        return raw
    zh, en = "应为不小于 0 的整数", "must be a whole number, not below 0"
    if type(raw) is float:
        zh, en = f"{zh}。金额写成分，不用小数", f"{en}. Write amounts in fen, without a point"
    reader.fault(place, f"{zh}，这里是 {raw!r}", f"{en}; this is {raw!r}")
    return 0


def _check_order(values: list[Value], reader: Reader) -> None:
    for i, (before, after) in enumerate(pairwise(values), 2):
        place = f"values[{i}]"
        if (after.from_, after.published) <= (before.from_, before.published):
            zh, en = "没有按日期从早到晚排列", "is not in order of its dates"
            reader.fault(place, f"{zh}（先看 from，再看 published）", f"{en} (first from, then published)")
        elif before.until is not None and after.from_ != before.from_:
            expected = before.until + timedelta(days=1)
            if after.from_ < expected:
                reader.fault(place, f"与上一段重叠，应从 {expected} 起", f"overlaps the one before: begin {expected}")
            elif after.from_ > expected:
                reader.fault(place, f"与上一段之间有空缺，应从 {expected} 起", f"leaves a gap: begin on {expected}")
