# SPDX-License-Identifier: Apache-2.0
"""Two at once: the same act from two windows, two threads, two processes happens once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from node import cases
from node.station import Station
from schema import ids
from schema.database import OperationalError
from schema.errors import Refusal
from schema.web.door import Officer
from sync.wire.transport import InProcess
from tests.hostile.faults import Disk, plant
from tests.hub.county import ACCEPT, County
from tests.hub.deciding import decide
from tests.hub.settlement.conftest import County as Money
from tests.node.conftest import ENROLMENT, PAPERS
from tests.story import audit
from tests.sync.county import TOWNSHIP, World

AT_ONCE = 4


def together(act: Callable[[], Any]) -> list[Any]:
    """The same act from several threads begun at the same moment; what each came to."""
    came: list[Any] = []
    ready = threading.Barrier(AT_ONCE)

    def one() -> None:
        ready.wait()
        try:
            came.append(act())
        except Refusal as error:
            came.append(error)

    threads = [threading.Thread(target=one) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(came) == AT_ONCE
    return came


def good(came: list[Any]) -> list[Any]:
    return [one for one in came if not isinstance(one, Refusal)]


def test_a_month_paid_from_several_windows_at_once_is_paid_once(make_money: Callable[[str], Money]) -> None:
    money = make_money("money")
    for _ in range(3):
        money.pensioner()
    money.run()
    money.approve()
    assert len(good(together(money.pay))) == 1
    assert money.rows("SELECT count(*) AS n, sum(amount_fen) AS fen FROM payment") == [{"n": 3, "fen": 3 * 480_94}]
    booked = money.rows("SELECT sum(amount_fen) AS fen FROM journal_entry WHERE event = 'benefits_paid'")
    assert booked == [{"fen": 3 * 480_94}]


def test_a_case_submitted_from_several_windows_at_once_gets_one_number(
    station: Station, clerk: tuple[Officer, Ed25519PrivateKey], person: Callable[[str], bytes]
) -> None:
    desk, case_id = station.desk, ids.new_id()
    item = desk.service("resident_pension_enrolment")
    cases.save(desk, case_id, item, cases.trim(item, ENROLMENT, PAPERS), clerk[0], person("陈桂英"))
    came = together(lambda: cases.submit(desk, case_id, *clerk).receipt_no)
    assert len(set(came)) == 1
    with station.store.read() as db:
        assert db.execute("SELECT count(*) FROM fact").fetchone()[0] == 1
        assert db.execute("SELECT next FROM receipt_used").fetchone()[0] == 402


def test_cases_submitted_at_once_get_numbers_and_links_of_their_own(
    station: Station, clerk: tuple[Officer, Ed25519PrivateKey], person: Callable[[str], bytes]
) -> None:
    desk = station.desk
    item = desk.service("personal_data_change")
    ready = []
    for name in ("张建国", "吕秀珍", "张伟", "章金国"):
        ready.append(ids.new_id())
        given = cases.trim(item, {"address": f"{name}路 5 号"}, ["id_card"])
        cases.save(desk, ready[-1], item, given, clerk[0], person(name))
    waiting = iter(ready)
    lock = threading.Lock()

    def take() -> Any:
        with lock:
            case_id = next(waiting)
        return cases.submit(desk, case_id, *clerk).receipt_no

    assert len(set(together(take))) == AT_ONCE
    with station.store.read() as db:
        facts = db.execute("SELECT seq, prev, hash FROM fact ORDER BY seq").fetchall()
    assert [row["seq"] for row in facts] == [1, 2, 3, 4]
    assert [bytes(row["prev"]) for row in facts[1:]] == [bytes(row["hash"]) for row in facts[:-1]]


def test_a_decision_sent_several_times_at_once_is_one_step(county: County, claim: bytes) -> None:
    assert len(good(together(lambda: decide(county, claim, ACCEPT)))) == 1
    assert county.one("SELECT count(*) FROM case_step WHERE step = 'accept'") == 1
    assert county.one("SELECT count(*) FROM fact WHERE origin = 'hub'") == 1


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    plant(monkeypatch)
    made = World(tmp_path, InProcess)
    yield made
    made.close()


def test_a_session_whose_disks_fail_at_any_write_of_either_side_loses_and_doubles_nothing(world: World) -> None:
    station = world.station()
    persons = [world.person() for _ in range(3)]
    assert station.sync().equal
    for at, person in enumerate(persons):
        station.edit(person, phone=f"1390000000{at}")
        station.state(case=at)
    stated = [row[0] for row in station.rows("SELECT id FROM fact ORDER BY seq")]
    cuts = 0
    for n in range(400):
        Disk.left = n
        try:
            report = station.sync()
        except OperationalError:
            report = None
        finally:
            Disk.left = None
        if report is not None and report.ok:
            break
        cuts += 1
    assert cuts > 15 and station.sync().equal
    assert [row[0] for row in world.rows("SELECT id FROM fact ORDER BY seq")] == stated
    assert [world.phone(p) for p in persons] == [f"1390000000{at}" for at in range(3)]
    slices = ["county", TOWNSHIP, f"node:{station.name}"]
    assert audit.differing_rows(world.hub, station.store, slices) == []
    assert world.rows("SELECT count(*) FROM refusal") == [(0,)] == station.rows("SELECT count(*) FROM refusal")
