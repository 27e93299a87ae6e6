# SPDX-License-Identifier: Apache-2.0
"""What people do to registry cells, and what they try that must come to nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from schema import database, ids
from sync.hub import publish
from tests.simulation import sessions
from tests.simulation.model import COLUMNS, HUB
from tests.simulation.world import Station, World

HOT = 4  # persons that everybody works on, so that edits meet
EDITED = ("phone", "address", "education", "note")


def edit(world: World) -> None:
    """A clerk corrects a contact."""
    edit_at(world, world.rng.choice(world.stations))


def edit_at(world: World, station: Station) -> None:
    """The same, at this station."""
    people = world.persons_at(station)
    if not people:
        return
    person = one_of(world, people)
    columns = _columns(world)
    for _ in range(world.rng.choice((1, 1, 1, 2, 3))):  # a clerk who corrects himself
        _save(world, station, person, _changes(world, station.name, person, columns))


def edit_hub(world: World) -> None:
    """Somebody at the county corrects a contact."""
    person = one_of(world, [p for p in world.people if p not in world.cells.erased])
    changes = _changes(world, HUB, person, _columns(world))
    world.note(f"hub edits {world.name_of(person)}: {changes}")
    with publish.transaction(world.hub, clock=world.clock) as pub:
        pub.cells("contact", person, changes)
    world.cells.write(HUB, person, changes)


def no_op(world: World) -> None:
    """P2: transactions that change nothing, or take their change back, leave phantoms in the extension's counter."""
    rng = world.rng
    name, store = rng.choice([(HUB, world.hub), *((s.name, s.store) for s in world.stations)])
    for _ in range(rng.randint(1, 4)):
        counter, nothing = rng.choice(NOTHINGS)
        world.note(f"{name}: {counter}")
        world.fired[counter] += 1
        if counter == "reconnect":
            store.close()
            continue
        with store.write() as db:
            nothing(db)


def _save_unchanged(db: Any) -> None:
    db.execute("UPDATE contact SET phone = phone WHERE id = (SELECT min(id) FROM contact)")


def _roll_back(db: Any) -> None:
    db.execute("SAVEPOINT tried")
    db.execute("UPDATE contact SET note = 'tried' WHERE id = (SELECT min(id) FROM contact)")
    db.execute("ROLLBACK TO tried")
    db.execute("RELEASE tried")


def _write_elsewhere(db: Any) -> None:
    database.set_setting(db, "beside", ids.new_id())


NOTHINGS: tuple[tuple[str, Callable[[Any], None]], ...] = (
    ("no-op", _save_unchanged), ("savepoint rolled back", _roll_back), ("commit beside the registry", _write_elsewhere),
    ("reconnect", lambda db: None),
)  # fmt: skip


def forbidden(world: World) -> None:
    """P6, P7: a program that changes a row's id is stopped; one that saves every column changes what differs only."""
    rng, station = world.rng, world.rng.choice(world.stations)
    people = [p for p in world.persons_at(station) if world.cells.at[station.name].holds(p)]
    if not people:
        return
    person = rng.choice(people)
    if rng.random() < 0.5:
        world.note(f"{station.name} changes the id of {world.name_of(person)}")
        try:
            with station.store.write() as db:
                db.execute("UPDATE contact SET id = ? WHERE id = ?", (ids.new_id(), person))
        except database.IntegrityError:
            world.fired["id change refused"] += 1
        return
    changes = _changes(world, station.name, person, [_columns(world)[0]])
    shown = {column: world.cells.at[station.name].value((person, column)) for column in COLUMNS}
    _save(world, station, person, shown | changes)
    world.fired["all columns saved"] += 1


def one_of(world: World, people: list[bytes]) -> bytes:
    """Mostly one of those whom everybody works on."""
    hot = world.rng.random() < 0.8
    return world.rng.choice(people[:HOT] if hot else people)


def _columns(world: World) -> list[str]:
    return world.rng.sample(EDITED, world.rng.choice((1, 1, 1, 2)))


def _changes(world: World, author: str, person: bytes, columns: list[str]) -> dict[str, str | None]:
    return {column: _value(world, author, person, column) for column in columns}


def _value(world: World, author: str, person: bytes, column: str) -> str | None:
    """Mostly new; sometimes what somebody else has (agreement); sometimes nothing. Ties must go either way."""
    rng, here = world.rng, world.cells.at[author].value((person, column))
    world.edits += 1
    chance = rng.random()
    if chance < 0.1 and here is not None:
        return None
    if chance < 0.2:
        others = [replica.value((person, column)) for replica in world.cells.at.values()]
        if other := rng.choice(others):
            return other
    first = rng.randrange(10)
    return {
        "phone": f"1{first}{world.edits:05d}", "address": f"{first}街{world.edits}号",
        "education": f"{rng.randrange(100):02d}", "note": f"{first}备注{world.edits}",
    }[column]  # fmt: skip


def save_much(world: World, station: Station) -> None:
    """A clerk notes something long about everybody."""
    for person in world.persons_at(station):
        world.edits += 1
        _save(world, station, person, {"note": f"{world.rng.randrange(10)}长{world.edits}" + "注" * 150})


def _save(world: World, station: Station, person: bytes, changes: dict[str, str | None]) -> None:
    """As the pages do: insert, or update what differs. A full or locked file refuses, and the clerk sees it."""
    world.note(f"{station.name} edits {world.name_of(person)}: {changes}")
    try:
        with station.store.write() as db:
            if db.execute("SELECT 1 FROM contact WHERE id = ?", (person,)).fetchone() is None:
                database.insert(db, "contact", {"id": person, **changes})
            else:
                database.update(db, "contact", {"id": person}, changes)
    except database.OperationalError as error:
        if error.sqlite_errorcode & 0xFF not in sessions.EXPECTED:
            raise
        world.note(f"  not saved: {error}")
        return
    world.cells.write(station.name, person, changes, blurred=_reads_unevenly(station))


def _reads_unevenly(station: Station) -> bool:
    """Whether some feed was read further than the point up to which all are complete."""
    with station.store.read() as db:
        read = dict(db.execute("SELECT slice, \"after\" FROM cursor WHERE channel = 'reg'").fetchall())
        cut = dict(db.execute("SELECT substr(name, 5), value FROM link WHERE name LIKE 'cut:%'").fetchall())
    whole = [int(cut.get(township) or read.get(township, 0)) for township in station.townships]
    return bool(min(whole) < max(read.get(township, 0) for township in station.townships))
