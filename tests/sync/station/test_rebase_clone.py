# SPDX-License-Identifier: Apache-2.0
"""P11: one disk in two machines. One goes on, the other waits for a person; both keep and deliver their work."""

from __future__ import annotations

from typing import Any

from sync.hub import grant
from sync.station import outbox, rebase
from tests.sync.disks import conflicts, facts, settled, twin

AT = "2026-11-20T02:00:00.000Z"


def permit(world: Any, station: Any) -> None:
    with world.hub.write() as db:
        grant.permit(db, station.name, AT)


def site_of(station: Any) -> Any:
    return station.rows("SELECT site_id FROM crsql_site_id WHERE ordinal = 0")


def test_the_name_does_not_go_back_and_forth_between_two_machines(world: Any) -> None:
    first = world.station()
    first.sync()
    second = twin(world, first)
    first.state(case="first")
    assert first.sync().ok
    second.state(case="second")

    assert second.sync().ok, "nothing tells it from a restored disk"
    lives = len(world.granted)
    codes = [station.sync().error_code for _ in range(4) for station in (first, second)]

    assert codes == ["clone", ""] * 4
    assert len(world.granted) == lives
    assert world.rows("SELECT kind, times, repaired_at FROM incident WHERE kind = 'clone'") == [("clone", 4, None)]


def test_whoever_a_person_permits_goes_on_and_brings_everything(world: Any) -> None:
    first, one, two = world.station(), world.person(), world.person()
    first.sync()
    second = twin(world, first)
    first.state(case="first")
    first.sync()
    second.state(case="second")
    second.sync()
    said = [first.state(case="after"), second.state(case="after, too")]
    first.edit(one, phone="13900000001")
    second.edit(two, phone="13900000002")
    assert first.sync().error_code == "clone"

    permit(world, first)
    settled(world, first)
    assert second.sync().error_code == "clone"
    permit(world, second)
    settled(world, second)
    permit(world, first)
    settled(world, first)

    assert {f.body["case"] for f in world.taken} == {"first", "second", "after", "after, too"}
    assert len(world.taken) == len(facts(world)) == 4
    assert {f.id for f in said} <= set(facts(first))
    assert facts(first) == facts(world)
    assert (world.phone(one), world.phone(two)) == ("13900000001", "13900000002")
    assert conflicts(world) == set()


def test_frames_that_collide_freeze_both_until_a_person_permits_one(world: Any) -> None:
    first, person = world.station(), world.person()
    first.sync()
    second = twin(world, first)
    first.edit(person, phone="13900000001")
    second.edit(person, phone="13900000002")

    class MeetsTheOther:
        """Between the second machine's hello and its push, the first one pushes its frame of that number."""

        def request(self, method: str, *rest: Any) -> Any:
            if method == "PUT" and not met:
                met.append(first.sync())
            return inner.request(method, *rest)

    met: list[Any] = []
    inner = world.transport()
    assert second.sync(MeetsTheOther()).error_code == "frozen"
    assert met[0].ok
    assert [s.sync().error_code for s in (first, second)] == ["frozen", "frozen"]

    permit(world, first)
    settled(world, second)
    assert first.sync().error_code == "clone", "the first that asks takes the permit"
    permit(world, first)
    settled(world, first)

    values = {"13900000001", "13900000002"}
    kept = world.phone(person)
    assert kept in values
    assert ("phone", kept, *(values - {kept}), first.name, first.name) in conflicts(world)


def test_a_permit_makes_the_holder_ask_too(world: Any) -> None:
    """The person cannot know which machine holds the present life: the next that comes is the one switched on."""
    station = world.station()
    station.sync()
    site = site_of(station)
    permit(world, station)

    settled(world, station)

    assert site_of(station) != site
    assert world.rows("SELECT permit_at FROM node_record") == [(None,)]


def test_the_machine_that_waits_goes_on_taking_work(world: Any) -> None:
    first, person = world.station(), world.person()
    first.sync()
    second = twin(world, first)
    first.state(case="x")
    first.sync()
    second.sync()
    assert first.sync().error_code == "clone"

    first.edit(person, phone="13900000001")
    first.state(case="y")

    with first.store.read() as db:
        assert (outbox.unsent(db).count, rebase.pending(db).phase) == (2, rebase.ASKING)
    assert first.rows("SELECT value FROM link WHERE name = 'last_error'") == [("clone",)]


def test_a_copy_made_while_a_new_life_was_asked_for_does_not_ask_for_a_used_one_for_ever(world: Any) -> None:
    station = world.station()
    station.sync()
    with station.store.write() as db:
        rebase.want(db, "restored")
    other = twin(world, station)
    station.sync()
    with station.store.write() as db:
        rebase.want(db, "restored")
    station.sync()

    assert other.sync().error_code == "header"
    assert other.sync().error_code == "clone"
