# SPDX-License-Identifier: Apache-2.0
"""docs/items.md out of the item files: what a county has to agree to before a station opens, on one page.

    python -m provisioning.items_page          # write it again after an item file was changed
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from schema import case, field_types, service
from schema.checks import CHECKS
from schema.effects import EFFECTS
from schema.service_parts import GROUPS, CheckUse, Choice, Condition, Field, Material, Mode, Service

PAGE = Path(__file__).parents[1] / "docs" / "items.md"
COMMAND = "python -m provisioning.items_page"
CHOICES_SHOWN = 12
_SUBJECTS = {"person": "a person", "unit": "an employer", "household": "a household", "nobody": "nobody by name"}
_SEVERITY = {"block": "stops", "review": "noted, a reviewer looks", "hint": "hint"}
_HEAD = f"""# Business items · 业务事项

Made from `schema/services/*.toml` by `{COMMAND}`; a test keeps it true. What the keys of such a file mean stands in
[item files](item_files.md). Numbers are those of the county's catalogue; a few of its items are several files.

| mode | 方式 | what the slip says | what follows |
|---|---|---|---|
| S | 当场办结 | final | the station's act takes effect; the hub looks only if it finds something to say |
| P | 先办后核 | provisional | in effect once the hub has confirmed it in the steps named |
| H | 县里审批 | received | decided at the hub in the steps named, each by another officer |
| F | 代收转送 | received | sent on to the body named; its outcome is written down, then the further steps |

A limit in working days counts from the day after the hub receives the case, by the State Council's holidays and make-up
days. Checks: *stops* must be mended before the case can be submitted; *noted* goes along to the reviewer; a *hint* is
for the clerk alone.
"""


def page(items: Iterable[Service]) -> str:
    """The whole page."""
    ordered = sorted(items, key=lambda item: (list(GROUPS).index(item.group), item.no, item.id))
    parts = [_HEAD, _table(ordered)]
    for group, title in GROUPS.items():
        parts.append(f"## {title['zh']} · {title['en']}\n")
        parts += [_item(item) for item in ordered if item.group == group]
    parts.append("## What the checks look for\n")
    parts.append(_glossary({use.rule: CHECKS[use.rule].function for item in ordered for use in item.checks}))
    parts.append("## What the effects change\n")
    parts.append(_glossary({name: EFFECTS[name].function for item in ordered for name in item.effects}))
    return "\n".join(parts)


def _table(items: Iterable[Service]) -> str:
    rows = ["| no. | 事项 | item | about | modes | limit |", "|---|---|---|---|---|---|"]
    for item in sorted(items, key=lambda item: (item.no, item.id)):
        modes = " ".join(mode.mode for mode in item.modes)
        rows.append(
            f"| {item.no} | [{item.title['zh']}](#{item.id}) | {item.title['en']} | {_SUBJECTS[item.subject]} "
            f"| {modes} | {_limit(item)} |"
        )
    return "\n".join(rows) + "\n"


def _item(item: Service) -> str:
    about = _SUBJECTS[item.subject]
    about += ", also somebody not in the register" if item.new_person else ""
    about += ", also one not in the register" if item.new_unit else ""
    lines = [
        f'<a id="{item.id}"></a>',
        f"### {item.no} {item.title['zh']} · {item.title['en']}\n",
        f"[`{item.id}`](../schema/services/{item.id}.toml), version {item.version}, in force from "
        f"{item.effective_from}. About {about}. In lists: {item.short['zh']}, {item.short['en']}.\n",
        *(f"- {line}" for line in _ways(item)),
        f"- Limit: {_limit(item, ' after the hub receives it')}.",
        f"- Law: {'; '.join(item.law) or '--'}.",
        f"- Papers: {'; '.join(_paper(item, m) for m in item.materials) or 'none'}.",
        f"- Checks: {'; '.join(_check(use) for use in item.checks) or 'none'}.",
        f"- Effects: {', '.join(f'`{name}`' for name in item.effects) or 'none, the case itself is the record'}.\n",
        "| field | 字段 | type | needed | |",
        "|---|---|---|---|---|",
        *(_field(item, f) for f in item.fields),
    ]
    return "\n".join(lines) + "\n"


def _ways(item: Service) -> Iterator[str]:
    for mode in item.modes:
        steps = " → ".join(f"{case.STEPS[s]['zh']} {case.STEPS[s]['en'].lower()}" for s in mode.steps)
        yield f"**{mode.mode}** {case.MODES[mode.mode]['zh']}{_when(item, mode)}: {steps or 'no step at the hub'}."
    if item.forward_to:
        yield f"Goes to: {item.forward_to['zh']} · {item.forward_to['en']}."
    if item.urgent:
        yield "Urgent: overtakes the station's queue on its way to the hub."
    if item.confidential:
        yield "Confidential: at the station only who took it sees it, at the hub only labour inspection."


def _when(item: Service, mode: Mode) -> str:
    if mode.when:
        return f", when {_condition(item, mode.when)}"
    return ", otherwise" if len(item.modes) > 1 else ""


def _condition(item: Service, when: Condition) -> str:
    if when.any_filled:
        return f"{_labels(item, when.any_filled, 'or')} is filled"
    if when.none_filled:
        return f"{_labels(item, when.none_filled, 'and')} are empty"
    field = item.field(when.field)
    assert field is not None, "the loader refuses a condition on an unknown field"
    words = {c.value: c.text["en"] for c in field.choices} | {True: "ticked", False: "not ticked"}
    said = [words.get(value, str(value)) for value in when.one_of]
    return f"{_labels(item, (when.field,), '')} is {' or '.join(f'“{word}”' for word in said)}"


def _labels(item: Service, names: tuple[str, ...], joint: str) -> str:
    found = [f.label["en"] for name in names if (f := item.field(name))]
    return ", ".join(found[:-1]) + (f" {joint} " if found[:-1] else "") + found[-1]


def _limit(item: Service, more: str = "") -> str:
    unit = "calendar days" if item.calendar_limit else "working days"
    return f"{item.limit_working_days} {unit}{more}" if item.limit_working_days else "none"


def _paper(item: Service, paper: Material) -> str:
    text = f"{paper.label['zh']} {paper.label['en']}"
    if paper.required_when:
        return f"{text} (when {_condition(item, paper.required_when)})"
    return text if paper.required else f"{text} (if there is any)"


def _check(use: CheckUse) -> str:
    at = f" at {use.field}" if use.field else ""
    return f"`{use.rule}`{at} ({_SEVERITY[use.severity]})"


def _field(item: Service, field: Field) -> str:
    needed = "yes" if field.required else ""
    if field.required_when:
        needed = f"when {_condition(item, field.required_when)}"
    more = [field.hint["en"]] if field.hint else []
    more += [f"one of {_listed(field.choices)}"] if field.type in field_types.CHOOSING else []
    more += [f"amounts of `{field.options}`"] if field.options else []
    more += [f"read off {field.derived}"] if field.derived else []
    cells = (field.label["en"], field.label["zh"], field.type, needed, "; ".join(more))
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _listed(choices: tuple[Choice, ...]) -> str:
    shown = ", ".join(c.text["en"] for c in choices[:CHOICES_SHOWN])
    return f"{shown}, … ({len(choices)})" if len(choices) > CHOICES_SHOWN else shown


def _glossary(functions: dict[str, object]) -> str:
    lines = ["| name | |", "|---|---|"]
    for name, function in sorted(functions.items()):
        said = " ".join((inspect.getdoc(function) or "").split()).replace("|", "\\|")
        lines.append(f"| `{name}` | {said} |")
    return "\n".join(lines) + "\n"


@click.command(help="Write docs/items.md again from schema/services/*.toml.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default=PAGE, help="Another file to write.")
def main(out: Path) -> None:
    """Write the page."""
    items = service.load_all()
    out.write_text(page(items.values()), encoding="utf-8")
    click.echo(f"{len(items)} 个事项文件 / item files → {out}")


if __name__ == "__main__":
    main()
