# SPDX-License-Identifier: Apache-2.0
"""Survival checks of stations become rows for the person's stations; what looks wrong is flagged and never refused."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest

from schema import ids
from schema.clock import FixedClock
from schema.errors import NotAllowed, Refusal, RefusedByPeer
from sync.hub import blob_hub
from sync.hub.inbox import Node
from sync.station.blob import Offered
from tests.hub.county import INSPECT, OTHER_STATION, REVIEW, STATION, TOWNSHIP, Browse, County, Desk

AT = "2026-11-23T01:00:{:02}.000Z"
PHOTO = bytes(range(32))


def check(county: County, desk: Desk, **said: Any) -> bytes:
    """A check of 周建根 delivered; its id."""
    body = {"person_id": county.persons["周建根"], "checked_on": "2026-11-23", "seen_at": AT.format(0),
            "method": "id_card", "found": 1, "note": None, "photo": None}  # fmt: skip
    fact = desk.fact("eligibility_checked", ids.new_id(), body | said)
    desk.deliver(fact)
    return fact.subject


def flags(county: County) -> list[str | None]:
    return [row[0] for row in county.rows("SELECT flags FROM eligibility_check ORDER BY seen_at, rowid")]


def test_a_check_becomes_a_row_and_goes_to_the_persons_stations(county: County, desk: Desk) -> None:
    county.add_pensioner_to_be()
    check_id = check(county, desk)
    row = county.rows("SELECT person_id, checked_on, method, found, station, flags FROM eligibility_check")
    assert row == [(county.persons["周建根"], "2026-11-23", "id_card", 1, STATION, None)]
    fed = county.rows("SELECT slice FROM slice_feed WHERE tbl = 'eligibility_check' AND pk = ?", check_id)
    assert fed == [(TOWNSHIP,)]


@pytest.mark.parametrize(
    "wrong",
    [{"method": "telepathy"}, {"found": 2}, {"found": True}, {"checked_on": "2026-11-31"}, {"seen_at": "today"},
     {"photo": b"short"}, {"note": "长" * 201}],
)  # fmt: skip
def test_a_check_that_says_nonsense_is_refused_and_leaves_nothing(
    county: County, desk: Desk, wrong: dict[str, Any]
) -> None:
    county.add_pensioner_to_be()
    with pytest.raises(Refusal):
        check(county, desk, **wrong)
    assert county.rows("SELECT * FROM eligibility_check") == []


def test_a_station_checks_nobody_outside_its_slice(county: County, other_desk: Desk) -> None:
    county.add_pensioner_to_be()
    with pytest.raises(NotAllowed):
        check(county, other_desk)


def test_the_same_photo_for_another_person_is_flagged_and_kept(county: County, desk: Desk) -> None:
    county.add_pensioner_to_be()
    other = county.add_person("章金国", "19550302")
    check(county, desk, photo=PHOTO)
    check(county, desk, photo=PHOTO, seen_at=AT.format(50), checked_on="2026-11-23")
    assert flags(county) == [None, None], "the same person may be seen twice"
    check(county, desk, photo=PHOTO, seen_at="2026-11-23T03:00:00.000Z", person_id=other)
    assert flags(county)[-1] == "R31"


def test_more_checks_in_a_minute_than_anybody_can_make_are_flagged_but_not_matching(
    county: County, desk: Desk
) -> None:
    county.add_pensioner_to_be()
    for second in range(6):
        check(county, desk, seen_at=AT.format(second))
    check(county, desk, seen_at=AT.format(30), method="matching")
    check(county, desk, seen_at=AT.format(40))
    check(county, desk, seen_at="2026-11-23T01:03:00.000Z")
    assert flags(county) == [None] * 7 + ["R32", None]


def test_the_photo_is_taken_from_the_station_that_made_the_check_and_from_no_other(
    county: County, desk: Desk, clock: FixedClock
) -> None:
    data = b"\xff\xd8\xff a face"
    county.add_pensioner_to_be()
    about = check(county, desk, photo=sha256(data).digest())
    blobs = blob_hub.Blobs(county.hub.store, clock)
    offered = Offered(about, sha256(data).digest(), len(data), "image/jpeg")
    own, other = (Node(name, bytes(16), b"", b"", (place,)) for name, place in
                  ((STATION, TOWNSHIP), (OTHER_STATION, "330683999")))  # fmt: skip
    with pytest.raises(RefusedByPeer, match="slice"):
        blobs.take(other, offered, 0, data)
    assert blobs.take(own, offered, 0, data) == len(data)
    assert [size for _, size, _ in blobs.listed(own, about)] == [len(data)]


def test_supervision_sees_what_was_flagged(county: County, desk: Desk, browse: Browse) -> None:
    county.add_pensioner_to_be()
    for second in range(7):
        check(county, desk, seen_at=AT.format(second))
    page = browse(county.hub, INSPECT).get("/survival").text
    assert page.count("R32") == 1 and "周建根" in page and STATION in page
    assert browse(county.hub, REVIEW).get("/survival").status_code == 403
