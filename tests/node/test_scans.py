# SPDX-License-Identifier: Apache-2.0
"""Pictures of papers: kept with the draft, signed with the case, sent after it, gone with a draft thrown away."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest

from node import cases, scans
from node.cases import Given
from node.station import Station
from schema import events, ids
from schema.errors import Refusal, UnknownSubject
from sync.station import blob
from tests.node.conftest import ENROLMENT, PAPERS

ITEM = "resident_pension_enrolment"
JPEG = b"\xff\xd8\xff" + b"a page of the household book" * 20
PDF = b"%PDF-1.7 a letter"


@pytest.fixture
def draft(station: Station, clerk: Any, person: Callable[[str], bytes]) -> bytes:
    case_id = ids.new_id()
    item = station.desk.service(ITEM)
    cases.save(station.desk, case_id, item, cases.trim(item, ENROLMENT, PAPERS), clerk[0], person("陈桂英"))
    return case_id


def keep(station: Station, case_id: bytes, data: bytes = JPEG, paper: str = "id_card") -> bytes:
    with station.store.write() as db:
        return scans.keep(db, case_id, paper, data, scans.sniffed(data), clock=station.clock)


def rows(station: Station, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    with station.store.read() as db:
        return [tuple(row) for row in db.execute(sql, values)]


def test_the_hashes_of_the_scans_are_part_of_what_the_officer_signs(station: Station, clerk: Any, draft: bytes) -> None:
    hash_ = keep(station, draft)
    keep(station, draft, PDF, "bank_book")
    assert cases.submit(station.desk, draft, *clerk).receipt_no
    with station.store.read() as db:
        body = events.of_subject(db, draft)[0].body
    assert body["scans"] == {"id_card": [hash_.hex()], "bank_book": [sha256(PDF).hexdigest()]}
    with station.store.read() as db:
        assert scans.read(db, draft, hash_) == ("image/jpeg", JPEG)
        assert scans.of_case(db, draft)["id_card"][0]["state"] == "queued"


def test_the_same_picture_twice_is_one_and_may_show_two_papers(station: Station, draft: bytes) -> None:
    hash_ = keep(station, draft)
    assert keep(station, draft) == keep(station, draft, paper="bank_book") == hash_
    with station.store.write() as db:
        scans.remove(db, draft, "id_card", hash_)
        assert scans.read(db, draft, hash_)[1] == JPEG
        scans.remove(db, draft, "bank_book", hash_)
        scans.remove(db, draft, "bank_book", hash_)
    assert rows(station, "SELECT 1 FROM blob") == rows(station, "SELECT 1 FROM blob_part") == []


def test_a_draft_thrown_away_takes_its_scans_with_it(station: Station, clerk: Any, draft: bytes) -> None:
    hash_ = keep(station, draft)
    cases.discard(station.desk, draft, clerk[0])
    with station.store.read() as db, pytest.raises(UnknownSubject):
        scans.read(db, draft, hash_)
    assert rows(station, "SELECT 1 FROM scan") == rows(station, "SELECT 1 FROM blob_part") == []


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"<html><script>alert(1)</script>", "blob_type"),
        (b"MZ\x90\x00 a program called scan.jpg", "blob_type"),
        (b"", "size"),
        (b"\xff\xd8\xff" + bytes(blob.MAX_BYTES), "size"),
    ],
)
def test_what_is_no_picture_or_too_large_is_refused_with_nothing_kept(
    station: Station, draft: bytes, data: bytes, code: str
) -> None:
    with pytest.raises(Refusal) as refused:
        keep(station, draft, data)
    assert refused.value.code == code
    assert rows(station, "SELECT 1 FROM scan") == rows(station, "SELECT 1 FROM blob") == []


def test_bytes_are_judged_by_themselves_whatever_somebody_calls_them(station: Station, draft: bytes) -> None:
    with station.store.write() as db, pytest.raises(Refusal):
        scans.keep(db, draft, "id_card", PDF, "image/jpeg", clock=station.clock)


def test_a_paper_has_a_limit_and_a_case_that_is_not_here_has_no_scans(station: Station, draft: bytes) -> None:
    for number in range(scans.PER_PAPER):
        keep(station, draft, JPEG + bytes([number]))
    with pytest.raises(Refusal) as refused:
        keep(station, draft, JPEG)
    assert refused.value.code == "scans_many"
    with pytest.raises(UnknownSubject):
        keep(station, ids.new_id())


def test_scans_of_a_draft_do_not_use_the_line_those_of_a_case_do(station: Station, clerk: Any, draft: bytes) -> None:
    keep(station, draft)
    with station.store.read() as db:
        assert blob.waiting(db) == []
    cases.submit(station.desk, draft, *clerk)
    with station.store.read() as db:
        assert [bytes(row["about"]) for row in blob.waiting(db)] == [draft]


def test_what_does_not_belong_to_a_case_is_not_read_through_it(station: Station, clerk: Any, draft: bytes) -> None:
    hash_, other = keep(station, draft), ids.new_id()
    item = station.desk.service(ITEM)
    cases.save(station.desk, other, item, Given({}, []), clerk[0], None)
    with station.store.read() as db, pytest.raises(UnknownSubject):
        scans.read(db, other, hash_)
