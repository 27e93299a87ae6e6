# SPDX-License-Identifier: Apache-2.0
"""What the county works on besides contacts: cases, decisions, published rows, places."""

from __future__ import annotations

from typing import Any

import cbor2

from hub import late
from schema import events, ids
from sync.hub import publish
from sync.hub.late import ACCEPTED, REFUSED
from tests.simulation.edits import HOT, one_of
from tests.simulation.looking import rows
from tests.simulation.model import HUB, Stated
from tests.simulation.world import TOWNSHIPS, World, derived_key, person_row, state_fact


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
        "name": f"新{world.edits}", "phone": f"1370000{world.edits:04d}", "urgent": rng.random() < 0.3,
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
    with publish.transaction(world.hub, clock=world.clock) as pub:
        stated = events.state(
            pub.db, "case_accepted", ids.new_id(), {}, officer="2001", key=derived_key("2001"), clock=world.clock,
            received_at="2026-11-23T01:00:00.000Z",
        )  # fmt: skip
        pub.fact(stated, station.name)
    world.register.to_station[stated.id] = station.name


def publish_rows(world: World) -> None:
    """The hub changes its own tables: a name, an account, a community, sometimes a new person."""
    rng, published = world.rng, world.register.rows
    world.edits += 1
    text = f"第{world.edits}版"
    with publish.transaction(world.hub, clock=world.clock) as pub:
        for _ in range(rng.randint(1, 4)):
            person, what = rng.choice(_living(world)), rng.choice(("person", "account", "division", "new"))
            world.note(f"hub publishes {what} {world.name_of(person)}")
            if what == "person":
                village = published["person"][person][1]
                pub.put("person", person_row(person, village, text))
                published["person"][person] = (text, village)
            elif what == "account":
                amount = {"balance_fen": world.edits, "paid_months": 1, "as_of_month": "2026-10"}
                pub.put("account", {"person_id": person, "insurance": "resident_pension"} | amount)
                published["account"][person] = (world.edits,)
            elif what == "division":
                code = f"330683100{rng.randrange(200, 210)}"
                pub.put("division", {"code": code, "name": text, "level": "village"})
                published["division"][code] = (text,)
            else:
                _new_person(world, pub, text)


def _new_person(world: World, pub: publish.Publication, name: str) -> None:
    person, village = ids.new_id(), world.rng.choice(TOWNSHIPS) + "201"
    pub.put("person", person_row(person, village, name))
    world.register.rows["person"][person] = (name, village)
    world.register.enter(person, {village[:9]})
    world.people.append(person)


def move(world: World) -> None:
    """A person moves: the village changes, or an office says outright in which townships the person is."""
    rng, register = world.rng, world.register
    person, township = one_of(world, _living(world)), rng.choice(TOWNSHIPS)
    before = set(register.members[person])
    if rng.random() < 0.5:
        name, village = register.rows["person"][person]
        world.note(f"{world.name_of(person)} moves to {township}")
        with publish.transaction(world.hub, clock=world.clock) as pub:
            pub.put("person", person_row(person, township + "201", name))
        register.rows["person"][person] = (name, township + "201")
        if village[:9] != township:
            if village[:9] not in register.granted.get(person, ()):
                register.leave(person, {village[:9]})
            register.enter(person, {township})
    else:
        wanted = set(rng.sample(TOWNSHIPS, rng.choice((1, 1, 2))))
        world.note(f"{world.name_of(person)} is now in {sorted(wanted)}")
        with publish.transaction(world.hub, clock=world.clock) as pub:
            pub.move(person, wanted)
        register.leave(person, before - wanted)
        home = register.rows["person"][person][1][:9]
        register.enter(person, wanted - before - {home}, granted=True)
        register.enter(person, wanted)
    world.fired["leaves a slice"] += bool(before - register.members[person])
    world.fired["enters a slice"] += bool(register.members[person] - before)


def _living(world: World) -> list[bytes]:
    return [person for person in world.people if person not in world.cells.erased]


def erase(world: World) -> None:
    """Somebody asks to be erased, while stations may have edits of the row."""
    person = world.rng.choice(_living(world)[HOT:])
    world.note(f"hub erases {world.name_of(person)}")
    with publish.transaction(world.hub, clock=world.clock) as pub:
        pub.erase(person)
    world.cells.erase(person)
    world.register.erase(person)
    world.fired["person erased"] += 1


def decide_late(world: World) -> None:
    """A reviewer looks at an edit that came after its person had left the station."""
    sql = (
        "SELECT e.id, e.row_id, v.col, v.value FROM late_edit e JOIN late_value v ON v.late_id = e.id "
        "WHERE e.state = 'waiting' ORDER BY e.rev, e.id, v.col"
    )
    waiting: dict[bytes, tuple[bytes, dict[str, str | None]]] = {}
    for late_id, person, column, value in rows(world.hub, sql):
        waiting.setdefault(late_id, (person, {}))[1][column] = cbor2.loads(value)
    if not waiting:
        return
    late_id, (person, changes) = next(iter(waiting.items()))
    taken = world.rng.random() < 0.5
    world.note(f"hub {'takes' if taken else 'refuses'} a late edit of {world.name_of(person)}: {changes}")
    late.decide(world.hub, late_id, ACCEPTED if taken else REFUSED, "2001", world.clock)
    if taken:
        world.cells.write(HUB, person, changes)
    world.fired["late edit decided"] += 1


def place(world: World) -> None:
    """A person lives in one township and is insured in another: a member of both from now on."""
    person, township = one_of(world, _living(world)), world.rng.choice(TOWNSHIPS)
    world.note(f"hub places {world.name_of(person)} in {township} too")
    with publish.transaction(world.hub, clock=world.clock) as pub:
        pub.place(person, [township])
    world.fired["enters a slice"] += township not in world.register.members[person]
    world.register.enter(person, {township}, granted=True)


