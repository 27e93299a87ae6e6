# SPDX-License-Identifier: Apache-2.0
"""The truth: who wrote what, what the writer had before his eyes, what must have come of it.

Written from the specification, with dicts, and without a line of sync/. A write knows its causal past: every write that
was ever shown at the writer's replica in that cell (a value that lost a merge unseen is not part of it). Two writes are
concurrent when neither is in the other's past. The model is told of deliveries only: which cells reached the hub in a
frame it signed for, which page a station applied. Everything else it works out.

Merge rule: the higher col_version wins; of equal ones the larger value (NULL below text, text by its bytes); of equal
values the larger author id.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.simulation.wire import SeenCell

HUB = "hub"
COLUMNS = ("phone", "address", "address_village", "education", "note")
# table -> (key column, columns that the model follows)
PUBLISHED = {
    "person": ("id", ("name", "village")),
    "account": ("person_id", ("balance_fen",)),
    "division": ("code", ("name",)),
    "case_state": ("case_id", ("station", "state")),
}
Cell = tuple[bytes, str]
Pair = tuple[Cell, frozenset[str | None]]


class Broken(AssertionError):
    """A promise was not kept: the name of the checker and what it saw."""

    def __init__(self, checker: str, what: str) -> None:
        super().__init__(f"{checker}: {what}")
        self.checker = checker


@dataclass(frozen=True, eq=False)
class Write:
    """One edit of one cell. `blurred`: made at a station of several townships while it had read their feeds to
    different points. Its base is the lower one, so the hub may record a conflict with a value that the clerk did see:
    one row too many for the reviewer, the only imprecision the protocol has."""

    number: int
    author: str
    cell: Cell
    value: str | None
    past: frozenset[int]
    blurred: bool = False


@dataclass(frozen=True)
class Version:
    """What a replica holds in a cell. `write` is None for the NULL that an INSERT left: nobody's edit."""

    write: Write | None
    value: str | None
    col_version: int
    author: str


@dataclass
class Replica:
    """The registry cells of one database."""

    cells: dict[Cell, Version] = field(default_factory=dict)
    seen: dict[Cell, set[int]] = field(default_factory=dict)

    def holds(self, person: bytes) -> bool:
        """Whether there is a row of this person."""
        return any((person, column) in self.cells for column in COLUMNS)

    def value(self, cell: Cell) -> str | None:
        """What plain SQL must find."""
        return self.cells[cell].value if cell in self.cells else None

    def show(self, cell: Cell, version: Version) -> None:
        """The cell now holds this, and whoever works here sees it."""
        self.cells[cell] = version
        self.note(cell, version.write)

    def note(self, cell: Cell, write: Write | None) -> None:
        """This value was before the eyes of whoever works here."""
        if write is not None:
            self.seen.setdefault(cell, set()).update(write.past, (write.number,))


class Cells:
    """Registry cells of all replicas."""

    def __init__(self, sites: dict[str, bytes]) -> None:
        self.sites = sites
        self.at = {name: Replica() for name in sites}
        self.writes: list[Write] = []
        self.by_version: dict[tuple[str, Cell, int, str | None], Write | None] = {}
        self.history: dict[tuple[Cell, int, str | None], Version] = {}
        self.late: set[int] = set()
        self.erased: set[bytes] = set()
        self.ahead: set[tuple[str, bytes]] = set()
        self.at_hub: set[int] = set()
        self.met: dict[tuple[int, int], Pair] = {}
        self.displaced: list[tuple[Write, Write]] = []
        self.agreed: set[int] = set()
        self.given: list[tuple[str, Cell, int, str | None]] = []

    def write(self, author: str, person: bytes, changes: dict[str, str | None], *, blurred: bool = False) -> None:
        """Someone saves these values; unchanged ones are no edit."""
        here = self.at[author]
        if not here.holds(person):
            for column in COLUMNS:
                self._put(author, (person, column), changes.get(column), 1, blurred)
            return
        changed = {c: v for c, v in changes.items() if here.value((person, c)) != v}
        for column, value in changed.items():
            cell = (person, column)
            before = here.cells[cell].col_version if cell in here.cells else 0
            self._put(author, cell, value, before + 1, blurred)

    def _put(self, author: str, cell: Cell, value: str | None, col_version: int, blurred: bool) -> None:
        write = None
        if value is not None or col_version > 1:
            past = frozenset(self.at[author].seen.get(cell, ()))
            write = Write(len(self.writes), author, cell, value, past, blurred)
            self.writes.append(write)
            if author == HUB:
                self.at_hub.add(write.number)
        if author == HUB:
            self.given.append((HUB, cell, col_version, value))
        self.by_version[author, cell, col_version, value] = write
        self._show(self.at[author], cell, Version(write, value, col_version, author))

    def _show(self, replica: Replica, cell: Cell, version: Version) -> None:
        replica.show(cell, version)
        if replica is self.at[HUB]:
            self.history[cell, version.col_version, version.value] = version

    def pushed(self, station: str, seen: list[SeenCell], mine: Callable[[bytes], bool]) -> None:
        """The hub has signed for a frame of this station with these cells. `mine`: whether a person is in its slices
        now; an edit of any other was made too late, and is put aside."""
        hub = self.at[HUB]
        for item in seen:
            cell = (item.person, item.column)
            key = (station, cell, item.col_version, item.value)
            write = self.by_version.get(key)
            if key not in self.by_version:
                raise Broken("anytime_only_real_edits_travel", f"{station} pushed {item} which nobody wrote there")
            if not mine(item.person):
                self._put_aside(cell, write)
                continue
            incoming = Version(write, item.value, item.col_version, station)
            self.given.append((station, cell, item.col_version, item.value))
            known = hub.cells.get(cell)
            if write is not None:
                self.at_hub.add(write.number)
                if known is not None and known.write is not None and known.write.number not in write.past:
                    self._meet(write, known.write)
            self._merge(hub, cell, incoming)

    def _put_aside(self, cell: Cell, write: Write | None) -> None:
        if write is None:
            return
        self.late.add(write.number)
        if self.at[HUB].value(cell) == write.value:
            self.agreed.add(write.number)

    def gone(self, station: str, table: str, person: bytes, *, shown: bool) -> None:
        """A page took this row away. What is written about somebody whose cells went first goes with the person."""
        if table == "contact" or (station, person) in self.ahead:
            self.forget(station, person)
        if table == "contact" and shown:
            self.ahead.add((station, person))
        elif table == "person":
            self.ahead.discard((station, person))

    def forget(self, station: str, person: bytes) -> None:
        """The person's row has left this replica: who writes one anew has nothing before his eyes."""
        here = self.at[station]
        here.cells = {cell: version for cell, version in here.cells.items() if cell[0] != person}
        here.seen = {cell: seen for cell, seen in here.seen.items() if cell[0] != person}

    def erase(self, person: bytes) -> None:
        """The person is erased at the hub: nothing about it counts any more."""
        self.erased.add(person)
        self.forget(HUB, person)
        self.given = [one for one in self.given if one[1][0] != person]

    def _meet(self, one: Write, other: Write) -> None:
        if one.number != other.number and one.value != other.value:
            pair = (min(one.number, other.number), max(one.number, other.number))
            self.met[pair] = (one.cell, frozenset((one.value, other.value)))

    def _merge(self, into: Replica, cell: Cell, incoming: Version) -> bool:
        known = into.cells.get(cell)
        won = known is None or self._beats(incoming, known)
        if won:
            self._show(into, cell, incoming)
        if known is not None and known.value == incoming.value and known.write is not incoming.write:
            # Two people said the same: the one of them that stands speaks for both.
            into.note(cell, incoming.write)
            beaten = known.write if won else incoming.write
            self.agreed.update((beaten.number,) if beaten else ())
        return won

    def _beats(self, one: Version, other: Version) -> bool:
        def rank(v: Version) -> tuple[int, bool, bytes, bytes]:
            return v.col_version, v.value is not None, (v.value or "").encode(), self.sites[v.author]

        return rank(one) > rank(other)

    def page(self, seen: list[SeenCell]) -> dict[Cell, Version]:
        """What a page built at the hub just now says, checked against what the hub must hold."""
        out = {}
        for item in seen:
            cell = (item.person, item.column)
            version = self.at[HUB].cells.get(cell)
            if version is None or (version.value, version.col_version) != (item.value, item.col_version):
                raise Broken("anytime_values_follow_the_model", f"the hub sent {item}, it should hold {version}")
            out[cell] = version
        return out

    def recalled(self, seen: list[SeenCell]) -> dict[Cell, Version]:
        """The same of a page that was made some time ago."""
        return {(i.person, i.column): self.history[(i.person, i.column), i.col_version, i.value] for i in seen}

    def pulled(self, station: str, page: dict[Cell, Version]) -> None:
        """The station has applied this page."""
        here = self.at[station]
        for cell, incoming in page.items():
            known = here.cells.get(cell)
            if known is not None and self._was_put_aside(station, known):
                self._show(here, cell, incoming)
                continue
            won = self._merge(here, cell, incoming)
            if not (won and known and known.write and incoming.write) or known.value == incoming.value:
                continue
            if known.write.number not in incoming.write.past and known.write.number not in self.at_hub:
                self.displaced.append((known.write, incoming.write))

    def _was_put_aside(self, station: str, version: Version) -> bool:
        """Whether a reviewer has it, and not the hub's register: then the hub's value stands, whatever its version."""
        write = version.write
        return write is not None and write.author == station and write.number in self.late - self.at_hub

    def concurrent(self, one: Write, other: Write) -> bool:
        """Whether neither author had the other's value before his eyes."""
        return one is not other and one.number not in other.past and other.number not in one.past

    def required(self) -> Counter[Pair]:
        """The conflicts that must be on record: versions that met at the hub, and edits that lost at their own station
        to a value they never saw and so never reached the hub."""
        found = Counter(pair for pair in self.met.values() if pair[0][0] not in self.erased)
        lost = {(mine.number, theirs.number): (mine, theirs) for mine, theirs in self.displaced}
        for mine, theirs in lost.values():
            if mine.number not in self.at_hub | self.late and mine.cell[0] not in self.erased:
                found[mine.cell, frozenset((mine.value, theirs.value))] += 1
        return found

    def may_be_missing(self, has_left: Callable[[str, bytes], bool]) -> Counter[Pair]:
        """Those that only the author's station knew, of persons who left it: told too late, they may be refused."""
        lost = {(mine.number, theirs.number): (mine, theirs) for mine, theirs in self.displaced}
        return Counter(
            (mine.cell, frozenset((mine.value, theirs.value)))
            for mine, theirs in lost.values()
            if mine.number not in self.at_hub and has_left(mine.author, mine.cell[0])
        )

    def are_concurrent(self, pair: Pair) -> bool:
        """Whether some concurrent writes of this cell have these two values."""
        cell, values = pair
        there = [w for w in self.writes if w.cell == cell and w.value in values]
        return any(self.concurrent(a, b) and {a.value, b.value} == values for a in there for b in there)

    def is_blurred(self, pair: Pair) -> bool:
        """Whether one of these values was written over the other by a station whose base was too low."""
        cell, values = pair
        there = [w for w in self.writes if w.cell == cell and w.value in values]
        return any(b.blurred and a.number in b.past and {a.value, b.value} == values for a in there for b in there)

    def last_words(self) -> list[Write]:
        """Writes that nobody who saw them replaced, and nobody said as well: each must be somewhere."""
        replaced = {number for w in self.writes for number in w.past} | self.agreed
        return [w for w in self.writes if w.number not in replaced and w.cell[0] not in self.erased]


@dataclass
class Stated:
    """A fact of a station. `bad`: why the hub must refuse it, '' when it must take it."""

    station: str
    bad: str
    effects: dict[str, Any]
    arrived: bool = False


@dataclass
class Register:
    """Facts and published rows: what must be where."""

    facts: dict[bytes, Stated] = field(default_factory=dict)
    to_station: dict[bytes, str] = field(default_factory=dict)
    rows: dict[str, dict[Any, tuple[Any, ...]]] = field(default_factory=lambda: {t: {} for t in PUBLISHED})
    members: dict[bytes, set[str]] = field(default_factory=dict)
    granted: dict[bytes, set[str]] = field(default_factory=dict)
    ever: dict[bytes, set[str]] = field(default_factory=dict)
    left: dict[bytes, set[str]] = field(default_factory=dict)

    def enter(self, person: bytes, slices: set[str], *, granted: bool = False) -> None:
        """The person is a member of these too."""
        new = slices - self.members.setdefault(person, set())
        self.members[person] |= slices
        self.ever.setdefault(person, set()).update(slices)
        if granted:
            self.granted.setdefault(person, set()).update(slices)
        else:
            self.granted.setdefault(person, set()).difference_update(new)

    def leave(self, person: bytes, slices: set[str]) -> None:
        """The person is no member of these any more."""
        self.left.setdefault(person, set()).update(self.members[person] & slices)
        self.members[person] -= slices
        self.granted.setdefault(person, set()).difference_update(slices)

    def erase(self, person: bytes) -> None:
        """Nothing of the person is left."""
        self.members[person] = set()
        for table in ("person", "account"):
            self.rows[table].pop(person, None)

    def who_was_in(self, held: tuple[str, ...]) -> set[bytes]:
        """Persons that are or were in one of these slices."""
        return {person for person, slices in self.ever.items() if slices & set(held)}

    def of_slices(self, table: str, held: tuple[str, ...]) -> dict[Any, tuple[Any, ...]]:
        """The rows of a table that a station of these slices must hold when it has fetched everything."""
        return {k: row for k, row in self.rows[table].items() if self._inside(table, k, row, held)}

    def _inside(self, table: str, key: Any, row: tuple[Any, ...], held: tuple[str, ...]) -> bool:
        if table == "division":
            return "county" in held
        if table == "case_state":
            return f"node:{row[0]}" in held
        return bool(self.members[key] & set(held))
