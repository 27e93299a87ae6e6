# SPDX-License-Identifier: Apache-2.0
"""Loads service items: one TOML file each, chosen from a closed vocabulary, without expressions.

A file that is wrong is refused with every fault, its place and the remedy: an item that silently lost a check or a
material would be carried out wrongly at every station before anyone noticed.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from pathlib import Path

from schema import case, field_types, parameter, prefill
from schema.checks import CHECKS
from schema.effects import EFFECTS
from schema.errors import BadServiceFile
from schema.field_types import TYPES
from schema.findings import SEVERITIES, Severity
from schema.parameter import Parameters
from schema.service_parts import GROUPS, CheckUse, Choice, Condition, Field, Material, Mode, Section, Service
from schema.toml_reader import Faults, Reader, Text, open_file

__all__ = ["Service", "choices", "load_all"]

ROOT = Path(__file__).parent
FOLDER = ROOT / "services"
CHOICES_FILE = ROOT / "choices.toml"
SUBJECTS = ("person", "unit", "household", "nobody")
NO_MAX = 999
PLACEHOLDERS = ("limit_working_days",)
_NAME = re.compile(r"[a-z][a-z0-9_]{1,39}")


@lru_cache(maxsize=1)
def choices() -> dict[str, tuple[Choice, ...]]:
    """The program's own lists to choose from that several items share: education, hardship, bank ..."""
    return _read_choices(CHOICES_FILE)


def _read_choices(path: Path) -> dict[str, tuple[Choice, ...]]:
    faults = Faults()
    reader = open_file(path, path.name, faults)
    out = {}
    for name in tomllib.loads(path.read_text(encoding="utf-8")) if reader else ():
        entries = reader.tables(name) if reader else []
        out[name] = tuple(Choice(r.take("value", str, ""), r.text("text")) for r in entries)
        for entry in entries:
            entry.done()
    if faults:
        raise BadServiceFile(faults.text("zh"), faults.text("en"))
    return out


def load_all(
    folder: Path | None = None, parameters: Parameters | None = None, choices_file: Path | None = None
) -> dict[str, Service]:
    """Every item by id, in the order of their menu keys. Raises BadServiceFile naming all faults of all files.

    What is not given is the program's own.
    """
    faults = Faults()
    known = {p.name: p.unit for p in parameters or parameter.load()}
    lists = choices() if choices_file is None else _read_choices(choices_file)
    found: dict[str, Service] = {}
    keys: dict[str, str] = {}
    for path in sorted((folder or FOLDER).glob("*.toml")):
        reader = open_file(path, path.name, faults)
        if reader is None:
            continue
        service = _ServiceFile(reader, known, lists).read()
        if service.id != path.stem:
            reader.fault("id", f"应与文件名相同：{path.stem}", f"must be the file's name: {path.stem}")
        if service.common_key and keys.setdefault(service.common_key, service.id) != service.id:
            other = keys[service.common_key]
            reader.fault("common_key", f"数字键已被 {other} 用了", f"this key is already {other}'s")
        found[path.stem] = service
    if faults:
        raise BadServiceFile(faults.text("zh"), faults.text("en"))
    return dict(sorted(found.items(), key=lambda item: (item[1].common_key or "~", item[1].no, item[0])))


class _ServiceFile:
    """Reads one file; faults are collected by its reader."""

    def __init__(self, reader: Reader, parameters: dict[str, str], lists: dict[str, tuple[Choice, ...]]) -> None:
        self.reader = reader
        self.parameters = parameters
        self.lists = lists
        self.field_names: list[str] = []
        self.unfinished: list[Reader] = [reader]

    def read(self) -> Service:
        r = self.reader
        id_ = r.take("id", str, "")
        sections = tuple(Section(s.take("id", str, ""), s.text("title")) for s in self._each("sections"))
        tables = self._each("fields")
        self.field_names = [name for name in (t.raw("name") for t in tables) if isinstance(name, str)]
        fields = tuple(self._field(t, {s.id for s in sections}) for t in tables)
        materials = tuple(self._material(t) for t in self._each("materials", required=False))
        service = Service(
            id=id_,
            no=self._no(),
            group=r.one_of("group", GROUPS),
            version=r.take("version", int, 1),
            effective_from=r.take("effective_from", date, date.min),
            title=r.text("title"),
            short=r.text("short"),
            subject=r.one_of("subject", SUBJECTS),
            new_person=r.take("new_person", bool, False, required=False),
            new_unit=r.take("new_unit", bool, False, required=False),
            forward_to=r.text("forward_to") if r.has("forward_to") else {},
            confidential=r.take("confidential", bool, False, required=False),
            urgent=r.take("urgent", bool, False, required=False),
            common_key=r.one_of("common_key", "123456789", required=False),
            law=r.words("law"),
            limit_working_days=r.take("limit_working_days", int, 0),
            calendar_limit=r.take("calendar_limit", bool, False, required=False),
            sections=sections,
            fields=fields,
            materials=materials,
            checks=tuple(self._check(t) for t in self._each("checks", required=False)),
            modes=self._modes(),
            effects=self._effects(),
            slip=self._slip(),
            next_steps=tuple(t.text("text") for t in self._each("next_steps", required=False)),
        )
        self._unique("sections", (s.id for s in sections))
        self._unique("fields", (f.name for f in fields))
        self._unique("materials", (m.id for m in materials))
        self._slip_complete(service)
        self._forward_complete(service)
        for table in self.unfinished:
            table.done()
        return service

    def _no(self) -> int:
        no = int(self.reader.take("no", int, 1))
        if not 1 <= no <= NO_MAX:
            zh, en = f"目录编号应在 1 到 {NO_MAX} 之间", f"the catalogue number must be from 1 to {NO_MAX}"
            self.reader.fault("no", zh, en)
        return no

    def _each(self, key: str, *, required: bool = True) -> list[Reader]:
        """The tables of a list; each reports its unknown keys when all of the file has been read."""
        tables = self.reader.tables(key, required=required)
        self.unfinished += tables
        return tables

    def _unique(self, key: str, names: Iterable[str]) -> None:
        seen: set[str] = set()
        for name in names:
            if name in seen:
                self.reader.fault(key, f"「{name}」出现了两次，请改名", f"'{name}' appears twice: rename one")
            seen.add(name)

    def _field(self, t: Reader, sections: set[str]) -> Field:
        name = t.take("name", str, "")
        if name and not _NAME.fullmatch(name):
            t.fault("name", "应为小写英文、数字、下划线", "must be lower-case letters, digits and underscores")
        kind = t.one_of("type", TYPES, "text")
        limit = t.take("limit", int, 200, required=False)
        lists = [name for name, unit in self.parameters.items() if unit == "list of fen"]
        options = t.one_of("options", lists, required=False)
        if kind in field_types.CHOOSING and not t.has("choices"):
            t.fault("choices", "选择项要写 choices", "a choice needs 'choices'")
        return Field(
            name=name,
            type=kind,
            label=t.text("label"),
            section=t.one_of("section", sections),
            required=t.take("required", bool, False, required=False),
            required_when=self._condition(t, "required_when"),
            hint=t.text("hint") if t.has("hint") else None,
            limit=limit,
            choices=self._choices(t),
            at_least=t.take("at_least", int, 0, required=False),
            at_most=t.take("at_most", int, 0, required=False),
            options=options,
            option_text=t.text("option_text") if t.has("option_text") else None,
            prefill=t.one_of("prefill", prefill.SOURCES, required=False),
            current=t.one_of("current", prefill.SOURCES, required=False),
            derived=t.one_of("derived", self.field_names, required=False),
            on_slip=t.take("on_slip", bool, False, required=False),
        )

    def _choices(self, t: Reader) -> tuple[Choice, ...]:
        """The name of a list of choices.toml, or entries of the item's own."""
        if not isinstance(t.raw("choices"), list):
            return self.lists.get(t.one_of("choices", self.lists, required=False), ())
        entries = t.tables("choices")
        self.unfinished += entries
        return tuple(Choice(r.take("value", str, ""), r.text("text")) for r in entries)

    def _material(self, t: Reader) -> Material:
        return Material(
            id=t.take("id", str, ""),
            label=t.text("label"),
            required=t.take("required", bool, False, required=False),
            required_when=self._condition(t, "required_when"),
        )

    def _check(self, t: Reader) -> CheckUse:
        rule = t.one_of("rule", CHECKS)
        severity: Severity = t.one_of("severity", SEVERITIES, "block")  # type: ignore[assignment]
        field = t.one_of("field", self.field_names, required=False)
        self._reads(t, "rule", CHECKS[rule].reads if rule else ())
        return CheckUse(rule, severity, field)

    def _effects(self) -> tuple[str, ...]:
        names = self.reader.words("effects", required=False)
        known = tuple(name for name in names if self.reader.known("effects", name, EFFECTS))
        for name in known:
            self._reads(self.reader, "effects", EFFECTS[name].reads)
        return known

    def _reads(self, t: Reader, key: str, reads: Iterable[str]) -> None:
        lacking = [name for name in reads if name not in self.field_names]
        if lacking:
            listed = "、".join(lacking)
            t.fault(key, f"需要字段：{listed}。请在 fields 里加上", f"needs the fields {', '.join(lacking)}: add them")

    def _modes(self) -> tuple[Mode, ...]:
        modes = []
        for t in self._each("modes"):
            mode = t.one_of("mode", case.MODES)
            steps = t.words("steps", required=False)
            for step in steps:
                t.known("steps", step, case.STEPS)
            if list(steps) != [s for s in case.STEPS if s in steps]:
                order = "、".join(s["zh"] for s in case.STEPS.values())
                t.fault(
                    "steps", f"步骤应按这个顺序：{order}", f"the steps must be in this order: {', '.join(case.STEPS)}"
                )
            if set(steps) & set(case.FORWARDING) != (set(case.FORWARDING) if mode == "F" else set()):
                zh = "代收转送要有 forward 和 outcome 两步，其他方式没有"
                t.fault("steps", zh, "mode F has the steps forward and outcome, other modes do not")
            if (mode == "S") == bool(steps):
                t.fault("steps", "当场办结没有步骤，其他方式至少一步", "S has no steps; other modes have at least one")
            modes.append(Mode(mode, steps, self._condition(t, "when")))
        if modes and (modes[-1].when is not None or any(m.when is None for m in modes[:-1])):
            zh, en = "最后一种方式不写 when，前面的都要写", "the last mode has no 'when', the others have one"
            self.reader.fault("modes", zh, en)
        return tuple(modes)

    def _condition(self, t: Reader, key: str) -> Condition | None:
        c = t.table(key, required=False)
        if c is None:
            return None
        for form in ("any_filled", "none_filled"):
            if c.has(form):
                names = c.words(form)
                for name in names:
                    c.known(form, name, self.field_names)
                c.done()
                return Condition(any_filled=names) if form == "any_filled" else Condition(none_filled=names)
        field = c.one_of("field", self.field_names)
        wanted: tuple[str | bool, ...] = ()
        if c.has("equals"):
            value = c.raw("equals")
            if not isinstance(value, str | bool):
                c.fault("equals", "应为文字或 true/false", "must be a text or true/false")
            else:
                wanted = (value,)
        else:
            wanted = c.words("in")
        c.done()
        return Condition(field=field, one_of=wanted)

    def _slip(self) -> dict[str, Text]:
        out = {}
        for t in self._each("slip"):
            legal = t.one_of("legal", case.LEGAL)
            out[legal] = t.text("text")
            for text in out[legal].values():
                for name in re.findall(r"{([^}]*)}", text):
                    t.known("text", name, PLACEHOLDERS)
        return out

    def _slip_complete(self, service: Service) -> None:
        for mode in service.modes:
            legal = case.LEGAL_OF_MODE.get(mode.mode)
            if legal and legal not in service.slip:
                self.reader.fault("slip", f"缺少「{legal}」的回执用语", f"the slip's words for '{legal}' are missing")

    def _forward_complete(self, service: Service) -> None:
        if any(mode.mode == "F" for mode in service.modes) != bool(service.forward_to):
            zh = "代收转送的事项要写 forward_to（转给哪个机构），其他事项不写"
            self.reader.fault("forward_to", zh, "an item of mode F says which body it goes to, others do not")
