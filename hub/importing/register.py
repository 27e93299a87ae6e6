# SPDX-License-Identifier: Apache-2.0
"""A register file from preview to effect.

    summary = preview(store, path, limits, clock)                       # writes nothing
    summary = apply(store, path, limits, officer, key, clock)           # the good lines, in one transaction

The file is read twice as a stream: once to find who stands in it on several lines, once to judge and compare. Memory
grows with the number of refused lines only.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub import officers, pack
from hub.importing import comparing, headings, rows
from hub.importing.comparing import Ground, Kind, Outcome
from hub.importing.headings import Mapping
from hub.importing.remarks import block
from hub.importing.rows import Parsed, Setting
from hub.settlement import month as months
from schema import database, events, ids, period, tables
from schema.clock import Clock, stamp
from schema.database import Store
from schema.findings import Finding
from schema.sheets import MIB, Limits, Line, Source, file_of, open_sheet
from sync.hub import publish
from sync.hub.publish import Publication

CHUNK = 1000
SHOWN_EACH = 50
LEVELS = ("township", "village")
ROLE = "import"
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class RefusedLine:
    """A line that did not go in, with everything that is wrong with it."""

    line: Line
    findings: list[Finding]


@dataclass
class Summary:
    """What a file is, or was, for the register. `samples`: the first outcomes of each kind, for looking at."""

    header: tuple[str, ...] = ()
    columns: Mapping | None = None
    rows: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    samples: dict[str, list[Outcome]] = field(default_factory=dict)
    refused: list[RefusedLine] = field(default_factory=list)
    file_hash: bytes = b""
    run_id: bytes | None = None

    def take(self, outcome: Outcome) -> None:
        """Count one line."""
        self.rows += 1
        self.counts[outcome.kind] += 1
        self.codes.update(f.code for f in outcome.findings)
        kept = self.samples.setdefault(outcome.kind, [])
        if len(kept) < SHOWN_EACH:
            kept.append(outcome)
        if outcome.kind == "refused":
            self.refused.append(RefusedLine(outcome.parsed.line, outcome.findings))

    def count(self, kind: Kind) -> int:
        """How many lines came out like that."""
        return self.counts[kind]

    def to_json(self) -> dict[str, Any]:
        """The summary for a script: counts and codes, no personal data."""
        columns = self.columns
        return {
            "rows": self.rows, "new": self.count("new"), "changed": self.count("changed"),
            "unchanged": self.count("unchanged"), "refused": self.count("refused"),
            "findings": dict(self.codes), "unknown_columns": list(columns.unknown) if columns else [],
            "repeated_columns": list(columns.repeated) if columns else [], "file_hash": self.file_hash.hex(),
            "import_run": ids.to_text(self.run_id) if self.run_id else None,
            "refused_lines": [{"line": r.line.number, "codes": [f.code for f in r.findings]} for r in self.refused],
        }  # fmt: skip


def preview(store: Store, source: Source, limits: Limits, clock: Clock, progress: Progress | None = None) -> Summary:
    """What the file would do. Raises Refusal when it cannot be read."""
    with store.read() as db:
        return _go_through(db, source, limits, clock, progress, write=None)


def apply(
    store: Store, source: Source, limits: Limits, officer: str, key: Ed25519PrivateKey, clock: Clock, *,
    file_name: str = "", progress: Progress | None = None,
) -> Summary:  # fmt: skip
    """Take the good lines in, all in one transaction, signed. Raises Refusal, NotAllowed: nothing is written then.

    `file_name`: what the record calls it; by default the name of the file.
    """
    with publish.transaction(store, clock=clock) as pub:
        officers.require(pub.db, officer, ROLE, clock.today())
        summary = _go_through(pub.db, source, limits, clock, progress, write=lambda outcome: _write(pub, outcome))
        summary.run_id = ids.new_id()
        run = {
            "file_name": name_of(source, file_name), "file_hash": summary.file_hash, "rows": summary.rows,
            "added": summary.count("new"), "changed": summary.count("changed"),
            "unchanged": summary.count("unchanged"), "refused": summary.count("refused"),
        }  # fmt: skip
        now = stamp(clock.now())
        database.insert(pub.db, "import_run", {"id": summary.run_id, "officer": officer, "at": now, **run})
        events.state(
            pub.db, "register_imported", summary.file_hash[:16], {"run": summary.run_id, **run},
            officer=officer, key=key, clock=clock, received_at=now,
        )  # fmt: skip
    return summary


def _go_through(
    db: Any, source: Source, limits: Limits, clock: Clock, progress: Progress | None,
    write: Callable[[Outcome], None] | None,
) -> Summary:  # fmt: skip
    setting, ground = _setting(db, clock), _ground(db, clock)
    summary = Summary(file_hash=_hash(source))
    total, repeated = _people(source, limits)
    with open_sheet(source, limits, headings.register().is_header) as sheet:
        summary.header, summary.columns = sheet.header, headings.register().match(sheet.header)
        while lines := list(islice(sheet.lines, CHUNK)):
            for outcome in _judge(db, lines, summary.columns, setting, ground, repeated):
                summary.take(outcome)
                if write and outcome.writes:
                    write(outcome)
            if progress:
                progress(summary.rows, total)
    return summary


def _people(source: Source, limits: Limits) -> tuple[int, dict[str, list[int]]]:
    """How many lines there are, and who stands on more than one: 15 and 18 digits are the same person."""
    seen: dict[str, list[int]] = {}
    total = 0
    with open_sheet(source, limits, headings.register().is_header) as sheet:
        at = headings.register().match(sheet.header).fields.index("id_number")
        for line in sheet.lines:
            total += 1
            if at < len(line.cells) and line.cells[at]:
                seen.setdefault(rows.key_of(line.cells[at]), []).append(line.number)
    return total, {key: numbers for key, numbers in seen.items() if len(numbers) > 1}


def _judge(
    db: Any, lines: list[Line], columns: Mapping, setting: Setting, ground: Ground, repeated: dict[str, list[int]]
) -> Iterator[Outcome]:
    """The outcomes of some lines, in their order."""
    parsed = [_parse(line, columns, setting, repeated) for line in lines]
    good = iter(comparing.compare(db, [p for p in parsed if not p.refused], ground))
    for one in parsed:
        yield comparing.refused(one) if one.refused else next(good)


def _parse(line: Line, columns: Mapping, setting: Setting, repeated: dict[str, list[int]]) -> Parsed:
    cells = columns.values(line.cells)
    parsed = rows.parse(line, cells, setting)
    also = repeated.get(rows.key_of(cells.get("id_number", "")), [])
    if also:
        parsed.findings.append(block("id_twice_in_file", "id_number", **listed(also)))
    return parsed


def listed(numbers: list[int]) -> dict[str, str]:
    """The first line numbers of a list, as each language separates them."""
    shown = [str(number) for number in numbers[:10]]
    return {"lines": "、".join(shown), "lines_en": ", ".join(shown)}


def _write(pub: Publication, outcome: Outcome) -> None:
    for table, row in outcome.writes:
        if tables.TABLES[table].kind == "registry":
            pub.cells(table, row["id"], {c: v for c, v in row.items() if c != "id"})
        else:
            pub.put(table, row)


def _setting(db: Any, clock: Clock) -> Setting:
    """Divisions in force by their code; former codes lead to their successors."""
    today = clock.today()
    divisions = {row["code"]: row for row in db.execute("SELECT * FROM division")}
    now = {code: _successor(divisions, row) for code, row in divisions.items()}
    in_force = {
        code: row["code"]
        for code, row in now.items()
        if row["level"] in LEVELS and (row["valid_to"] or "9") >= today.isoformat()
    }
    return Setting(today, pack.parameters(), in_force)


def _successor(divisions: dict[str, Any], row: Any) -> Any:
    for _ in divisions:
        following = divisions.get(row["succeeded_by"])
        if following is None:
            break
        row = following
    return row


def _ground(db: Any, clock: Clock) -> Ground:
    this_month = period.month_of(clock.today())
    opened = months.open_month(db)
    row = months.find(db, opened) if opened else None
    waiting = opened if row is not None and row["state"] == "approved" else None
    return Ground(period.add_months(opened or this_month, -1), this_month, waiting or "")


def _hash(source: Source) -> bytes:
    digest = hashlib.sha256()
    with file_of(source) as file:
        while chunk := file.read(MIB):
            digest.update(chunk)
    return digest.digest()


def name_of(source: Source, given: str, limit: int = 200) -> str:
    """The name a file is remembered by: without its folder, and not longer than its column."""
    return Path(given or (source.name if isinstance(source, Path) else "")).name[-limit:]
