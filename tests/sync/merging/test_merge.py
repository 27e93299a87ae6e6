# SPDX-License-Identifier: Apache-2.0
"""Random histories of several stations against a model of who knew what: no edit vanishes, no conflict is invented."""

from __future__ import annotations

import random
import zlib
from typing import Any

import pytest

from schema import crsqlite, database, ids
from schema.errors import Unreachable
from sync.hub import publish
from sync.merging import merge
from sync.wire import codec
from sync.wire.codec import WireCell
from sync.wire.transport import Response

Cell = tuple[bytes, str]
COLUMNS = ("note", "address")


class Knowledge:
    """Which writes stand behind each cell at one place; a write's past is what its place knew when it was made."""

    def __init__(self) -> None:
        self.known: dict[Cell, frozenset[str]] = {}

    def of(self, cell: Cell) -> frozenset[str]:
        return self.known.get(cell, frozenset())

    def learn(self, other: dict[Cell, frozenset[str]]) -> None:
        for cell, writes in other.items():
            self.known[cell] = self.of(cell) | writes


class History:
    """Writes with their pasts, and what each place knows."""

    def __init__(self) -> None:
        self.pasts: dict[str, tuple[Cell, frozenset[str]]] = {}
        self.around: dict[str, frozenset[str]] = {}
        self.hub = Knowledge()

    def write(self, place: Knowledge, cell: Cell) -> str:
        value = f"w{len(self.pasts):04d}"
        self.around[value] = frozenset().union(*(place.of((cell[0], column)) for column in COLUMNS))
        self.pasts[value] = (cell, place.of(cell))
        place.known[cell] = place.of(cell) | {value}
        return value

    def concurrent(self, a: str, b: str) -> bool:
        return a not in self.pasts[b][1] and b not in self.pasts[a][1]


    def unseen(self, a: str | None, b: str | None) -> bool:
        """Whether these are writes of two columns of one row, and neither author had the other's before his eyes."""
        if a not in self.pasts or b not in self.pasts or self.pasts[a][0][0] != self.pasts[b][0][0]:
            return False
        return a not in self.around[b] and b not in self.around[a]


class Line:
    """A line that breaks at random, lets the clerk type between push and pull, and keeps the model up to date."""

    def __init__(self, inner: Any, history: History, own: Knowledge, rng: random.Random, edit: Any) -> None:
        self.inner, self.history, self.own, self.rng, self.edit = inner, history, own, rng, edit
        self.framed: dict[str, dict[Cell, frozenset[str]]] = {}
        self.at_hello: dict[Cell, frozenset[str]] = {}

    def request(self, method: str, path: str, *rest: Any) -> Response:
        if path == "/s1/hello":
            self.at_hello = dict(self.own.known)
        if "/reg/" in path:
            self.framed.setdefault(path, self.at_hello)
        if "/feed/" in path and self.rng.random() < 0.3:
            self.edit()
        if self.rng.random() < 0.04:
            raise Unreachable("线断了", "the line is cut before delivery")
        answer = self.inner.request(method, path, *rest)
        if "/reg/" in path and _cells_of(rest[2]):
            self.history.hub.learn(self.framed[path])
        if self.rng.random() < 0.04:
            raise Unreachable("线断了", "the answer is lost")
        if "/feed/330683100" in path and rest[0]["chan"] == "reg":
            self.own.learn(self.history.hub.known)
        return answer


def _cells_of(frame_bytes: bytes) -> bool:
    """Whether the frame carries cells: one that only tells of conflicts teaches the hub no edit."""
    length = int.from_bytes(frame_bytes[4:8], "big")
    payload = frame_bytes[8 + length : -64]
    return bool(codec.load(zlib.decompress(payload) if frame_bytes[3] else payload)["cells"])


@pytest.mark.parametrize("seed", range(12))
def test_no_edit_vanishes_and_no_conflict_is_invented(world: Any, seed: int) -> None:
    rng = random.Random(seed)
    stations = [world.station(f"0100-{n}") for n in range(1, 4)]
    people = [world.person(phone=None), world.person(phone="13800000000")]
    history = History()
    knows = {s.name: Knowledge() for s in stations}

    def edit(station: Any) -> None:
        cell = (rng.choice(people), rng.choice(COLUMNS))
        if station.rows("SELECT 1 FROM person WHERE id = ?", cell[0]):
            station.edit(cell[0], **{cell[1]: history.write(knows[station.name], cell)})

    def hub_edit() -> None:
        cell = (rng.choice(people), rng.choice(COLUMNS))
        with publish.transaction(world.hub) as pub:
            pub.cells("contact", cell[0], {cell[1]: history.write(history.hub, cell)})

    def typing_at(station: Any) -> Any:
        return lambda: edit(station)

    lines = {
        s.name: Line(world.transport(), history, knows[s.name], random.Random(seed * 7 + n), typing_at(s))
        for n, s in enumerate(stations)
    }
    for _ in range(60):
        station = rng.choice(stations)
        action = rng.random()
        if action < 0.55:
            edit(station)
        elif action < 0.62:
            hub_edit()
        else:
            station.sync(lines[station.name])
    for _ in range(3):
        reports = [station.sync() for station in stations]
    assert [r.equal for r in reports] == [True] * 3

    conflicts = world.rows("SELECT row_id, col, kept, lost FROM conflict")
    spoken_of = {value for conflict in conflicts for value in conflict[2:]}
    final = {(p, c): world.rows(f"SELECT {c} FROM contact WHERE id = ?", p)[0][0] for p in people for c in COLUMNS}
    seen = frozenset().union(*(past for _, past in history.pasts.values()))
    silent = [
        value for value, (cell, _) in history.pasts.items()
        if value != final[cell] and value not in seen and value not in spoken_of
    ]  # fmt: skip
    invented = [c for c in conflicts if not history.concurrent(c[2], c[3])]
    assert silent == []
    assert invented == []
    assert len({c[2:] for c in conflicts}) == len(conflicts), "one conflict is told once"
    for station in stations:
        assert station.rows("SELECT row_id, col, kept, lost FROM conflict ORDER BY id") == world.rows(
            "SELECT row_id, col, kept, lost FROM conflict ORDER BY id"
        )
    pairs = world.rows("SELECT value, other_value FROM parallel_edit")
    parallel = [pair for pair in pairs if history.pasts.keys() >= set(pair)]  # without what stood at the beginning
    listed = [frozenset(history.pasts[v][0] + (v,) for v in pair) for pair in parallel]
    assert [pair for pair in parallel if not history.unseen(*pair)] == []
    assert len(set(listed)) == len(listed), "one meeting is listed once"
    met = {frozenset(history.pasts[v][0] for v in pair) for pair in parallel}
    missing = [
        person for person in people
        if history.unseen(*(final[person, c] for c in COLUMNS)) and frozenset((person, c) for c in COLUMNS) not in met
    ]  # fmt: skip
    assert missing == [], "different columns that stand and were written unseen"
    if seed == 0:
        assert parallel
        assert conflicts, "a history without concurrent edits proves nothing"


class TestPoison:
    """P5 and P1: a row the database refuses is found, set aside, and leaves nothing behind."""

    def rows(self, count: int) -> list[list[WireCell]]:
        return [
            [
                WireCell("contact", ids.new_id(), "phone", f"1390000{n:04d}", 1, 1, 0),
                WireCell("contact", b"", "note", "x", 1, 1, 0),
            ]
            for n in range(count)
        ]

    @pytest.mark.parametrize(
        ("count", "poison"),
        [(8, p) for p in (set(), {0}, {7}, {3, 4}, {0, 5, 7}, set(range(8)))] + [(70, {0, 31, 32, 69})],
        ids=str,
    )
    def test_every_good_row_is_merged_and_every_bad_one_named(
        self, make_store: Any, count: int, poison: set[int]
    ) -> None:
        """70 rows are merged in more than one savepoint."""
        store = make_store("hub")
        rows = [[c._replace(row_id=row[0].row_id) for c in row] for row in self.rows(count)]
        with store.write() as db:
            marks = ", ".join(f"'{rows[n][0].value}'" for n in poison) or "''"
            for event in ("INSERT", "UPDATE"):
                db.execute(
                    f"CREATE TRIGGER poison_{event} BEFORE {event} ON contact WHEN NEW.phone IN ({marks}) "
                    "BEGIN SELECT RAISE(ABORT, 'poison'); END"
                )
        named: list[list[WireCell]] = []
        with store.merging() as db:
            won = merge.merge_rows(db, rows, bytes(range(16)), named.append)

        assert {row[0].value for row in named} == {rows[n][0].value for n in poison}
        assert won == 2 * (count - len(poison))
        with store.read() as db:
            stored = {r[0] for r in db.execute("SELECT phone FROM contact")}
            keys = db.execute("SELECT count(*) FROM contact__crsql_pks").fetchone()[0]
        assert stored == {row[0].value for n, row in enumerate(rows) if n not in poison}
        assert keys == count - len(poison), "a refused row leaves no orphan key"

    def test_the_hub_still_tracks_its_own_writes_afterwards(self, make_store: Any) -> None:
        store = make_store("hub")
        row = [WireCell("contact", ids.new_id(), "phone", "1", 1, 1, 0)]
        with store.write() as db:
            db.execute("CREATE TRIGGER poison BEFORE INSERT ON contact BEGIN SELECT RAISE(ABORT, 'poison'); END")
        with store.merging() as db:
            assert merge.merge_rows(db, [row], bytes(range(16)), lambda bad: None) == 0
        with store.write() as db:
            db.execute("DROP TRIGGER poison")
            database.insert(db, "contact", {"id": row[0].row_id, "phone": "2"})
            assert {c.site for c in crsqlite.cells_of(db, "contact", row[0].row_id)} == {None}

    def test_what_the_database_says_of_itself_is_not_poison(self) -> None:
        def error(code: int) -> Exception:
            made = database.OperationalError("x")
            made.sqlite_errorcode = code
            return made

        assert [merge.is_poison(error(code)) for code in (19, 1299, 1, 13, 10, 5, 11, 7)] == [
            True, True, True, False, False, False, False, False,
        ]  # fmt: skip
