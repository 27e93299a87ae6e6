# SPDX-License-Identifier: Apache-2.0
"""A station's database comes back from a copy: its cases, drafts and edits are there again, and no number twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from node import case_state, cases, contacts, receipts, renumber, unsent
from node.cli import main
from node.exchange import Exchange
from node.station import Station
from schema import backup, events, ids
from schema.database import Store
from schema.errors import OutOfNumbers, WrongState
from sync.station import rebase
from sync.wire import certificate
from sync.wire.transport import InProcess
from tests.node.conftest import STATION, Counter
from tests.node.test_exchange import Hub

Clerk = tuple[Any, Ed25519PrivateKey]


@pytest.fixture
def hub(
    station: Station, make_store: Callable[..., Store], hub_key: Ed25519PrivateKey, authority: Ed25519PrivateKey
) -> Hub:
    return Hub(station, make_store("hub"), hub_key, authority)


@pytest.fixture
def online(station: Station, hub: Hub) -> Exchange:
    return Exchange(station, lambda: InProcess(hub.server))


def copy(station: Station) -> backup.Copy:
    return backup.make(station.store, station.secrets.db_key, station.home.backups, station.clock)


def put_back(station: Station, made: backup.Copy) -> None:
    """As the restore command does it."""
    station.store.close()
    backup.put_back(made, station.home.database, station.secrets.db_key, station.clock)
    with station.store.write() as db:
        rebase.want(db, "restored")


def cases_of(station: Station) -> list[tuple[Any, ...]]:
    with station.store.read() as db:
        found = db.execute("SELECT id FROM case_file ORDER BY created_at, id").fetchall()
        return [tuple(case_state.one(db, bytes(r[0]))[c] for c in ("receipt_no", "state", "sent")) for r in found]


def test_a_case_that_the_copy_does_not_know_is_in_the_list_again(
    station: Station, online: Exchange, enrol: Callable[..., Any]
) -> None:
    made = copy(station)
    done = enrol()
    assert online.run().ok
    before = cases_of(station)
    put_back(station, made)
    assert cases_of(station) == []

    report = online.run()

    assert (report.ok, report.equal) == (True, True)
    assert cases_of(station) == before == [(done.receipt_no, "returned", "acknowledged")]
    with station.store.read() as db:
        file = cases.file(db, done.case_id)
        assert cases.given(file).answers["name"] == "陈桂英"
        assert file["operator_no"] == "3012"
        assert {f.kind for f in events.of_subject(db, done.case_id)} == {"case_submitted", "case_returned"}


def test_a_draft_of_the_copy_is_still_a_draft(
    station: Station, online: Exchange, clerk: Clerk, person: Callable[[str], bytes]
) -> None:
    item, case_id = station.desk.service("resident_pension_enrolment"), ids.new_id()
    cases.save(station.desk, case_id, item, cases.trim(item, {"phone": "15857501162"}, []), clerk[0], person("陈桂英"))
    made = copy(station)
    put_back(station, made)

    assert online.run().ok
    with station.store.read() as db:
        assert cases.file(db, case_id)["state"] == "draft"


def test_a_draft_that_became_a_case_in_the_lost_life_is_that_case(
    station: Station, online: Exchange, clerk: Clerk, enrol: Callable[..., Any], person: Callable[[str], bytes]
) -> None:
    item, case_id = station.desk.service("resident_pension_enrolment"), ids.new_id()
    cases.save(station.desk, case_id, item, cases.trim(item, {"phone": "15857501162"}, []), clerk[0], person("陈桂英"))
    made = copy(station)
    done = enrol(case_id)
    online.run()
    put_back(station, made)

    online.run()

    assert cases_of(station) == [(done.receipt_no, "returned", "acknowledged")]


def test_no_serial_is_printed_again(
    station: Station, online: Exchange, enrol: Callable[..., Any], clerk: Clerk
) -> None:
    made = copy(station)
    online.run()
    lost = enrol().receipt_no
    put_back(station, made)
    online.run()

    new = enrol().receipt_no

    with station.store.read() as db:
        blocks = db.execute("SELECT first, ended_at IS NULL FROM receipt_block ORDER BY first").fetchall()
    assert [row[1] for row in blocks] == [0, 1]
    assert lost < new
    assert int(new.split("-")[3]) == blocks[1][0]


def test_until_the_hub_has_leased_new_numbers_none_is_printed(
    station: Station, hub: Hub, counter: Counter
) -> None:
    put_back(station, copy(station))

    class BreaksAfterTheGrant:
        def request(self, method: str, path: str, *rest: Any) -> Any:
            if path == "/s1/hello":
                raise OSError
            return InProcess(hub.server).request(method, path, *rest)

    with pytest.raises(OSError):
        Exchange(station, BreaksAfterTheGrant).run()

    with station.store.write() as db, pytest.raises(OutOfNumbers):
        receipts.take(db, STATION, 2026)
    assert counter.get("/station").status_code == 200, "officers are known and can log in"


def test_a_number_printed_twice_is_noticed_and_changed(
    station: Station, online: Exchange, counter: Counter, enrol: Callable[..., Any], clerk: Clerk
) -> None:
    made = copy(station)
    first = enrol()
    online.run()
    station.store.close()
    backup.put_back(made, station.home.database, station.secrets.db_key, station.clock)  # nobody used the command
    second = enrol()
    assert second.receipt_no == first.receipt_no

    online.run()

    listed = {(row[0], row[2]) for row in cases_of(station)}
    assert listed == {(first.receipt_no, "acknowledged"), (first.receipt_no, "returned")}
    page = f"/cases/{second.case_id.hex()}"
    assert "换号重新提交" in counter.get(page).text
    assert "换号重新提交" not in counter.get(f"/cases/{first.case_id.hex()}").text
    assert counter.post(f"{page}/renumber").status_code == 302
    assert "换号重新提交" not in counter.get(page).text
    with station.store.read() as db:
        number = cases.file(db, second.case_id)["receipt_no"]
    assert number != first.receipt_no
    assert online.run().equal is True
    assert (number, "returned", "acknowledged") in cases_of(station)
    with pytest.raises(WrongState):
        renumber.submit_again(station.desk, second.case_id, *clerk)


def test_what_waits_on_the_way_back_is_counted_and_listed(
    station: Station, hub: Hub, enrol: Callable[..., Any], person: Callable[[str], bytes]
) -> None:
    online = Exchange(station, lambda: InProcess(hub.server))
    online.run()
    done = enrol()
    with station.store.write() as db:
        contacts.change(db, person("章金国"), {"phone": "13811112222"}, "3012", station.clock)
        count = unsent.count(db)
        rebase.want(db, "restored")

    class BreaksAfterTheGrant:
        def request(self, method: str, path: str, *rest: Any) -> Any:
            if path == "/s1/hello":
                raise OSError
            return InProcess(hub.server).request(method, path, *rest)

    with pytest.raises(OSError):
        Exchange(station, BreaksAfterTheGrant).run()

    with station.store.read() as db:
        assert unsent.count(db) == count
        assert unsent.oldest_at(db) is not None
        listed = unsent.items(db)
    assert "13811112222" in {item.value for item in listed}
    assert done.case_id in {item.case_id for item in listed}
    assert {item.state for item in listed} == {"unsent"}
    assert cases_of(station)[0][2] == "unsent"
    assert online.run().ok
    with station.store.read() as db:
        assert unsent.count(db) == 0


def test_the_new_certificate_is_where_other_programs_look(station: Station, online: Exchange) -> None:
    with station.store.write() as db:
        rebase.want(db, "restored")
    online.run()

    installed = certificate.read(station.home.certificate_file.read_bytes())
    with station.store.read() as db:
        assert installed.epoch == db.execute("SELECT value FROM setting WHERE name = 'epoch'").fetchone()[0]
    assert station.certificate == station.home.certificate_file.read_bytes()


class TestCommand:
    def run(self, station: Station, *words: str) -> Any:
        place = ["--dir", str(station.home.path), "--unlock-file", str(station.home.path / "unlock")]
        return CliRunner().invoke(main, ["restore", *words, *place])

    def test_the_newest_copy_is_put_back_and_the_former_database_kept(
        self, station: Station, enrol: Callable[..., Any]
    ) -> None:
        made = copy(station)
        enrol()
        station.store.close()

        answer = self.run(station, "--json")

        assert answer.exit_code == 0, answer.output
        told = json.loads(answer.output)
        assert told["restored"] == made.path.name
        assert cases_of(station) == []
        with station.store.read() as db:
            assert rebase.pending(db).why == "restored"
        kept = Store(station.home.path / told["kept"], station.secrets.db_key, side="node")
        with kept.read() as db:
            assert db.execute("SELECT count(*) FROM case_file").fetchone()[0] == 1
        kept.close()

    def test_a_copy_that_is_not_there_or_damaged_changes_nothing(
        self, station: Station, enrol: Callable[..., Any]
    ) -> None:
        made = copy(station)
        enrol()
        assert "没有这份备份" in self.run(station, "backup-x.db").output
        damaged = bytearray(made.path.read_bytes())
        damaged[5000:5200] = bytes(200)
        made.path.write_bytes(damaged)

        answer = self.run(station)

        assert answer.exit_code == 1 and "Traceback" not in answer.output
        assert len(cases_of(station)) == 1
        assert [p.name for p in station.home.path.glob("*restored*")] == []
