# SPDX-License-Identifier: Apache-2.0
"""What can happen in a county between two moments. The seed draws; each step writes a line of the trace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from schema import database, events, ids
from sync import publish
from tests.simulation import sessions
from tests.simulation.hostile import attack
from tests.simulation.limits import fill_disk
from tests.simulation.line import YEARS_10_S
from tests.simulation.model import HUB, Stated
from tests.simulation.world import TOWNSHIPS, Station, World, derived_key, person_row, state_fact

HOT = 4  # persons that everybody works on, so that edits meet


def edit(world: World) -> None:
    """A clerk corrects a contact."""
    edit_at(world, world.rng.choice(world.stations))


def edit_at(world: World, station: Station) -> None:
    """The same, at this station."""
    people = world.persons_at(station)
    if not people:
        return
    person = _one_of(world, people)
    columns = _columns(world)
    for _ in range(world.rng.choice((1, 1, 1, 2, 3))):  # a clerk who corrects himself
        _save(world, station, person, _changes(world, station.name, person, columns))


def edit_hub(world: World) -> None:
    """Somebody at the county corrects a contact."""
    person = _one_of(world, world.people)
    changes = _changes(world, HUB, person, _columns(world))
    world.note(f"hub edits {world.name_of(person)}: {changes}")
    with publish.transaction(world.hub) as pub:
        pub.cells("contact", person, changes)
    world.cells.write(HUB, person, changes)


def no_op(world: World) -> None:
    """P2: transactions that change nothing, or take their change back, leave phantoms in the extension's counter."""
    rng = world.rng
    name, store = rng.choice([(HUB, world.hub), *((s.name, s.store) for s in world.stations)])
    for _ in range(rng.randint(1, 4)):
        back = rng.random() < 0.5
        world.note(f"{name} {'rolls a savepoint back' if back else 'saves without a change'}")
        with store.write() as db:
            _nothing(db, back=back)
    world.fired["no-op"] += 1


def _nothing(db: Any, *, back: bool) -> None:
    if not back:
        db.execute("UPDATE contact SET phone = phone WHERE id = (SELECT min(id) FROM contact)")
        return
    db.execute("SAVEPOINT tried")
    db.execute("UPDATE contact SET note = 'tried' WHERE id = (SELECT min(id) FROM contact)")
    db.execute("ROLLBACK TO tried")
    db.execute("RELEASE tried")


def fact(world: World) -> None:
    """A clerk submits a case; now and then one that the hub must refuse, or one that makes a new person."""
    rng, station = world.rng, world.rng.choice(world.stations)
    bad = rng.choice(("", "", "", "officer", "key", "refused by the business", "breaks the business"))
    case, person = ids.new_id(), b""
    if not bad and rng.random() < 0.3:
        person = ids.new_id()
        world.fired["new person"] += 1
    world.edits += 1
    body = {
        "case": case, "bad": bad, "person": person, "village": rng.choice(station.townships) + "201",
        "name": f"新{world.edits}", "phone": f"1370000{world.edits:04d}",
    }  # fmt: skip
    wrongs: dict[str, dict[str, Any]] = {"officer": {"officer": "9999"}, "key": {"key": derived_key("nobody")}}
    stated = state_fact(station, case, body, **wrongs.get(bad, {}))
    world.register.facts[stated.id] = Stated(station.name, bad, body)
    world.fired["poison fact"] += bool(bad)
    world.note(f"{station.name} states a case{f', bad: {bad}' if bad else ''}{', new person' if person else ''}")


def hub_fact(world: World) -> None:
    """The hub decides something about a case of a station."""
    station = world.rng.choice(world.stations)
    world.note(f"hub states a fact for {station.name}")
    with publish.transaction(world.hub) as pub:
        stated = events.state(
            pub.db, "case_accepted", ids.new_id(), {}, officer="2001", key=derived_key("2001"), clock=world.clock,
            received_at="2026-11-23T01:00:00.000Z",
        )  # fmt: skip
        pub.fact(stated, station.name)
    world.register.to_station[stated.id] = station.name


def publish_rows(world: World) -> None:
    """The hub changes its own tables: a name, an account, a community, sometimes a new person."""
    rng, rows = world.rng, world.register.rows
    world.edits += 1
    text = f"第{world.edits}版"
    with publish.transaction(world.hub) as pub:
        for _ in range(rng.randint(1, 4)):
            person, what = rng.choice(world.people), rng.choice(("person", "account", "division", "new"))
            world.note(f"hub publishes {what} {world.name_of(person)}")
            if what == "person":
                village = rows["person"][person][1]
                pub.put("person", person_row(person, village, text))
                rows["person"][person] = (text, village)
            elif what == "account":
                amount = {"balance_fen": world.edits, "paid_months": 1, "as_of_month": "2026-10"}
                pub.put("account", {"person_id": person, "insurance": "resident_pension"} | amount)
                rows["account"][person] = (world.edits,)
            elif what == "division":
                code = f"330683100{rng.randrange(200, 210)}"
                pub.put("division", {"code": code, "name": text, "level": "village"})
                rows["division"][code] = (text,)
            else:
                _new_person(world, pub, text)


def _new_person(world: World, pub: publish.Publication, name: str) -> None:
    person, village = ids.new_id(), world.rng.choice(TOWNSHIPS) + "201"
    pub.put("person", person_row(person, village, name))
    world.register.rows["person"][person] = (name, village)
    world.register.members[person] = {village[:9]}
    world.people.append(person)


def place(world: World) -> None:
    """A person lives in one township and is insured in another: a member of both from now on."""
    person, township = _one_of(world, world.people), world.rng.choice(TOWNSHIPS)
    world.note(f"hub places {world.name_of(person)} in {township} too")
    with publish.transaction(world.hub) as pub:
        pub.place(person, [township])
    world.register.members[person].add(township)


def session(world: World) -> None:
    """A station calls the hub over a line that is good or bad today."""
    station = world.rng.choice(world.stations)
    sessions.run(world, station, world.rng.choice((0.0, 0.0, 0.08, 0.3)), meanwhile)


def full(world: World) -> None:
    """Much has to be fetched, and the station's disk has no room for it: in the middle of a merge, or before."""
    rng, station = world.rng, world.rng.choice(world.stations)
    world.note(f"hub writes much, {station.name} has no room")
    with publish.transaction(world.hub) as pub:
        for person in rng.sample(world.people, 15):
            world.edits += 1
            changes: dict[str, str | None] = {"note": f"{rng.randrange(10)}长{world.edits}" + "注" * 150}
            pub.cells("contact", person, changes)
            world.cells.write(HUB, person, changes)
        for n in range(rng.choice((0, 30))):
            row = {"code": f"3306831{n:02d}000", "name": f"第{world.edits}版" + "村" * 50, "level": "village"}
            pub.put("division", row)
            world.register.rows["division"][row["code"]] = (row["name"],)
    fill_disk(world, station.store)
    sessions.run(world, station, 0.0, quiet)


def late(world: World) -> None:
    """A request that got stuck somewhere arrives after all; its sender is long gone."""
    if world.late:
        sessions.deliver_late(world, world.late.pop(world.rng.randrange(len(world.late))))


def clock(world: World) -> None:
    """A station's clock is set wrong, or right again."""
    station = world.rng.choice(world.stations)
    world.set_station_clock(station, world.rng.choice((0.0, world.rng.uniform(-YEARS_10_S, YEARS_10_S))))
    world.note(f"{station.name} clock is off by {station.skew}")
    world.fired["clock"] += 1


def crash(world: World) -> None:
    """A power cut with nothing going on."""
    if world.rng.random() < 0.3:
        world.note("hub restarts")
        world.crash_hub()
        world.fired["hub restarts"] += 1
    else:
        station = world.rng.choice(world.stations)
        world.note(f"{station.name} restarts")
        world.crash_station(station)
        world.fired["station restarts"] += 1


def meanwhile(line: Any) -> None:
    """Between two requests of a session people go on working, and other sessions run."""
    world, rng, station = line.world, line.world.rng, line.station
    if rng.random() > 0.2 or len(world.calling) > 1:
        return
    what = rng.choice(("edit", "edit", "edit", "hub", "rows", "other", "same"))
    world.fired["work during a session"] += 1
    if what == "edit":
        edit_at(world, station)
    elif what == "hub":
        edit_hub(world)
    elif what == "rows":
        publish_rows(world)
    elif what == "other":
        others = [s for s in world.stations if s is not station]
        sessions.run(world, rng.choice(others), line.badness, quiet)
    else:
        world.fired["two sessions of one station"] += 1
        sessions.run(world, station, 0.0, quiet)


def quiet(line: Any) -> None:
    """Nothing else goes on."""


# weight, step
STEPS: tuple[tuple[int, Callable[[World], None]], ...] = (
    (30, edit), (8, edit_hub), (6, no_op), (8, fact), (3, hub_fact), (5, publish_rows), (2, place), (24, session),
    (4, late), (1, full), (2, clock), (2, crash), (3, attack),
)  # fmt: skip


def step(world: World) -> None:
    """One step, drawn by the seed."""
    world.advance(world.rng.uniform(1, 3600))
    weights = [weight for weight, _ in STEPS]
    world.rng.choices([what for _, what in STEPS], weights)[0](world)


# --- edits ----------------------------------------------------------------------------------------------------


def _one_of(world: World, people: list[bytes]) -> bytes:
    hot = world.rng.random() < 0.8
    return world.rng.choice(people[:HOT] if hot else people)


def _columns(world: World) -> list[str]:
    return world.rng.sample(("phone", "address", "education", "note"), world.rng.choice((1, 1, 1, 2)))


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
