# SPDX-License-Identifier: Apache-2.0
"""The journey: cases from two offline counters to a payment and back, between real processes.

    .venv/bin/python -m tests.journey        (or: make journey)

A hub and two stations of one township. The hub is down while each station takes at least 30 cases and both change the
phone of the same person. The hub comes up; everything is sent, reviewed by four officers, settled, paid and sent back.
The last line is `journey: ok {json}`, with figures computed from the databases of both sides; a broken promise ends
with `journey: broken` and the reason, and a non-zero exit code.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from schema.database import Store
from tests.story import audit, month, people
from tests.story.clerk import Clerk
from tests.story.counters import Day, morning
from tests.story.office import AGREE, Decision, Reviewer
from tests.story.world import World

FOLDER = Path(__file__).parents[1] / ".journey"
TOWNSHIP = "330683100"
STATIONS = {"0100-1": ("甘霖镇劳动保障所", "3011"), "0100-2": ("甘霖镇苍岩社区", "3021")}
REVIEWERS = {"accept": "2101", "calculate": "2102", "review": "2103", "approve": "2104"}
MONTH_HANDS = {"settle": "2201", "approve_month": "2202", "pay": "2203", "close": "2204"}
CASES_EACH = 32


class Broken(AssertionError):
    """A promise was not kept."""


def promise(kept: bool, reason: str) -> None:
    """Go on only if it was kept."""
    if not kept:
        raise Broken(reason)


def build(world: World, persons: int = 6000, seed: int = 7) -> None:
    """A hub with a county, its officers, two installed stations that hold their slice, and the hub down again."""
    world.make_hub(persons, seed)
    for role, number in {**REVIEWERS, **MONTH_HANDS}.items():
        world.add_officer(number, f"中心{number}", role)
    for station, (name, clerk) in STATIONS.items():
        world.new_station(station, name, TOWNSHIP)
        world.add_officer(clerk, f"站点{clerk}", "clerk", station)
    world.start_hub()
    for station in STATIONS:
        world.install_station(station)
        first = world.sync(station)
        promise(first["ok"] and first["equal"] is True, f"first sync of {station}: {first}")
    world.stop("hub")


def offline_work(world: World) -> list[Day]:
    """Both counters work while the hub is down."""
    hub = world.open_hub()
    who = people.residents(hub, TOWNSHIP, world.today())
    hub.close()
    days = []
    for part, (station, (_, number)) in enumerate(STATIONS.items()):
        world.start_station(station)
        clerk = Clerk(station, world.station_url(station), number, world.passwords[number])
        days.append(morning(clerk, who, part, len(STATIONS), CASES_EACH))
        report = world.sync(station)
        promise(not report["ok"] and report["error_code"] == "unreachable", f"the hub is down, yet {report}")
    return days


def review_all(world: World, returned: bytes | None, rejected: bytes) -> dict[bytes, str]:
    """The four officers work until no queue holds anything."""
    last: dict[bytes, str] = {}

    def decide(step: str, case_id: bytes) -> Decision:
        if step == "accept" and case_id == returned:
            return Decision("return", "银行卡复印件看不清，请重新提供", ("bank_book",))
        if step == "approve" and case_id == rejected:
            return Decision("reject", "派出所证明与申请不符")
        return AGREE

    for _ in range(4):
        for step, number in REVIEWERS.items():
            reviewer = Reviewer(world.hub_url, str(world.hub.ca_file), number, world.passwords[number])
            last.update(reviewer.work_queue(lambda case_id, step=step: decide(step, case_id)))
            reviewer.visitor.close()
    return last


def tell(text: str) -> None:
    print(f"journey: {text}", flush=True)


def main() -> int:
    began = time.monotonic()
    world = World(FOLDER)
    try:
        figures = story(world)
    except Broken as reason:
        print(f"journey: broken: {reason}", flush=True)
        return 1
    finally:
        world.stop_all()
    figures["seconds"] = round(time.monotonic() - began, 1)
    print(f"journey: ok {json.dumps(figures)}", flush=True)
    return 0


def story(world: World) -> dict[str, int | bool | float]:
    """From two empty machines to figures. Raises Broken."""
    tell("making a hub, a county and two stations")
    build(world)
    tell("the hub is down; both counters work")
    first, second = offline_work(world)
    tell(f"{len(first.cases) + len(second.cases)} cases taken; the hub comes up")
    world.start_hub()
    sync_until_equal(world)
    tell("four officers review")
    review_all(world, first.to_be_returned, second.to_be_rejected)
    sync_until_equal(world)
    first.correct_returned()
    sync_until_equal(world)
    review_all(world, None, second.to_be_rejected)
    tell("the month is settled by four others")
    month.settle(world, MONTH_HANDS)
    sync_until_equal(world)
    return figures_of(world, [first, second])


def sync_until_equal(world: World) -> None:
    """Each station exchanges twice: what one sent, the other must get, and both must be proven equal."""
    for final in (False, True):
        for station in STATIONS:
            report = world.sync(station)
            promise(report["ok"], f"{station} could not sync: {report}")
            promise(not final or report["equal"] is True, f"{station} is not proven equal: {report}")


@dataclass(frozen=True)
class Seen:
    """Both sides' databases, opened after every process has stopped."""

    hub: Store
    stations: dict[str, Store]

    def close(self) -> None:
        for store in (self.hub, *self.stations.values()):
            store.close()


def figures_of(world: World, days: list[Day]) -> dict[str, int | bool | float]:
    """Everything the last line says, from the databases of both sides. Raises Broken."""
    world.stop_all()
    seen = Seen(world.open_hub(), {s: world.open_station(s) for s in STATIONS})
    try:
        return checked(seen, days)
    finally:
        seen.close()


def checked(seen: Seen, days: list[Day]) -> dict[str, int | bool | float]:
    """The figures, and every promise held against them, one line each."""
    at_hub = audit.hub_cases(seen.hub)
    taken = [case for store in seen.stations.values() for case in audit.submitted(store)]
    lost = [c.hex() for c in taken if c not in at_hub]
    lost += [f for store in seen.stations.values() for f in audit.lost_facts(seen.hub, store)]
    differing = [
        row for s, store in seen.stations.items()
        for row in audit.differing_rows(seen.hub, store, ["county", TOWNSHIP, f"node:{s}"])
    ]  # fmt: skip
    paid, (debit, credit) = audit.paid(seen.hub), audit.books(seen.hub)
    everything = [seen.hub, *seen.stations.values()]
    figures: dict[str, int | bool | float] = {
        "stations": len(seen.stations),
        "cases_submitted": len(taken),
        "cases_at_hub": len(at_hub),
        "lost": len(lost),
        "duplicated": audit.duplicated(seen.hub) + len(taken) - len(set(taken)),
        "decided": sum(row["state"] in audit.DECIDED for row in at_hub.values()),
        "paid": len(paid),
        "paid_fen": sum(paid.values()),
        "ledger_debit_fen": debit,
        "ledger_credit_fen": credit,
        "stations_equal_hub": not differing,
        "conflicts_recorded": audit.count(seen.hub, "SELECT count(*) FROM conflict"),
        "refused_frames": sum(audit.count(store, "SELECT count(*) FROM refusal") for store in everything),
    }
    promise(len(taken) >= 30 * len(STATIONS) and all(len(d.cases) >= 30 for d in days), f"too few cases: {figures}")
    promise(not lost and figures["duplicated"] == 0, f"lost or duplicated: {lost[:5]} {figures}")
    promise(figures["decided"] == len(at_hub) == len(taken), f"not everything was decided: {figures}")
    promise(not differing, f"rows differ: {differing[:5]}")
    promise(debit == credit > 0, f"the books do not balance: {figures}")
    promise(figures["paid_fen"] == audit.spent_on_benefits(seen.hub), f"paid and booked differ: {figures}")
    promise(figures["conflicts_recorded"] == 1, f"one concurrent edit, {figures['conflicts_recorded']} conflicts")
    promise(figures["refused_frames"] == 0, f"frames were refused: {figures}")
    claims = [at_hub[c] for day in days for c in day.claims]
    promise(all(c["state"] == "paid" and c["person_id"] in paid for c in claims), "a claim was not paid")
    promise(at_hub[days[0].to_be_returned]["round"] == 2, "the returned case did not go round twice")
    promise(at_hub[days[1].to_be_rejected]["state"] == "rejected", "the wrong case was not rejected")
    for day in days:
        shown = audit.shown_states(seen.stations[day.station], day.cases)
        promise(shown == audit.states(at_hub, day.cases), f"{day.station} shows other states than the hub")
    return figures


if __name__ == "__main__":
    sys.exit(main())
