# SPDX-License-Identifier: Apache-2.0
"""What the county works on besides contacts: cases, decisions, published rows, places."""

from __future__ import annotations

from typing import Any

from schema import events, ids
from sync import publish
from tests.simulation.edits import one_of
from tests.simulation.model import Stated
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
    person, township = one_of(world, world.people), world.rng.choice(TOWNSHIPS)
    world.note(f"hub places {world.name_of(person)} in {township} too")
    with publish.transaction(world.hub) as pub:
        pub.place(person, [township])
    world.fired["enters a slice"] += township not in world.register.members[person]
    world.register.members[person].add(township)


