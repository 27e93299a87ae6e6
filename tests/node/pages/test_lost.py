# SPDX-License-Identifier: Apache-2.0
"""Edits of this station that did not stand: what was typed, what stands, what to do, and that somebody has looked."""

from __future__ import annotations

import re
from typing import Any

import pytest

from node.station import Station
from schema import database, ids
from sync.wire import codec
from tests.node.conftest import Counter

AT = "2026-11-20T02:00:00.000Z"


def plain(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


def put_conflict(station: Station, person: bytes, **change: Any) -> bytes:
    made = ids.new_id()
    row = {
        "id": made, "kind": "cell", "rule": "H", "tbl": "contact", "row_id": person, "col": "phone", "base": 0,
        "kept": "13857582064", "kept_by": "0101-1", "kept_version": 2, "lost": "13800000000", "lost_by": "0100-1",
        "lost_version": 2, "lost_officer": "3012", "lost_at": "2026-11-19T01:00:00.000Z", "found_at": AT, "rev": 1,
    }  # fmt: skip
    with station.store.write() as db:
        database.insert(db, "conflict", row | change)
    return made


def put_refusal(station: Station, person: bytes, code: str, values: Any = None) -> bytes:
    made = ids.new_id()
    with station.store.write() as db:
        database.insert(db, "refusal", {
            "id": made, "direction": "out", "peer": "hub", "channel": "reg", "frame_n": 1, "code": code, "reason": "x",
            "item": f"contact/{person.hex()}", "content": values and codec.dump(values), "at": AT,
        })  # fmt: skip
    return made


def test_it_says_that_every_edit_stands_and_what_would_come_here(counter: Counter) -> None:
    page = plain(counter.get("/lost").text)
    assert "本站的修改都用上了。截至" in page and "会排在这里" in page


def test_a_beaten_edit_shows_both_values_who_typed_it_and_what_to_do(
    counter: Counter, station: Station, person: Any
) -> None:
    put_conflict(station, person("张建国"))
    page = plain(counter.get("/lost").text)
    for said in ("1 条要看", "张建国", "138 0000 0000", "138 5758 2064", "打电话问本人", "再改一次"):
        assert said in page, said
    assert "本站的修改没有用上 1" in plain(counter.get("/").text)


def test_one_click_opens_the_form_with_the_lost_value_and_the_other_fields_as_they_stand(
    counter: Counter, station: Station, person: Any
) -> None:
    put_conflict(station, person("张建国"))
    link = re.search(r'href="([^"]+again=[0-9a-f]{32})"', counter.get("/lost").text)
    assert link is not None
    page = counter.get(link[1].replace("&amp;", "&")).text
    assert 'name="phone"' in page and re.search(r'value="13800000000"[^>]*data-kind="phone"', page)
    address = database_value(station, person("张建国"), "address")
    assert address and f'value="{address}"' in page


def database_value(station: Station, person: bytes, column: str) -> Any:
    with station.store.read() as db:
        return db.execute(f"SELECT {column} FROM contact WHERE id = ?", (person,)).fetchone()[0]


def test_a_field_that_the_form_does_not_have_is_not_offered_there(
    counter: Counter, station: Station, person: Any
) -> None:
    put_conflict(station, person("张建国"), col="note", kept="轮椅", lost="拐杖")
    page = counter.get("/lost").text
    assert "拐杖" in page and "again=" not in page


@pytest.mark.parametrize("again", ["x", "", "00" * 16, "ab" * 15])
def test_a_form_for_no_lost_edit_holds_what_stands(counter: Counter, person: Any, again: str) -> None:
    answer = counter.get(f"/persons/{person('张建国').hex()}?edit=contact&again={again}")
    assert answer.status_code == 200 and 'value="13800000000"' not in answer.text


def test_what_was_looked_at_is_counted_no_longer_and_stays_listed(
    counter: Counter, station: Station, person: Any
) -> None:
    made = (put_conflict(station, person("张建国")), put_refusal(station, person("张建国"), "format"))
    for lost_id in made:
        assert counter.post(f"/lost/{lost_id.hex()}/seen").status_code == 303
        assert counter.post(f"/lost/{lost_id.hex()}/seen").status_code == 303
    page = plain(counter.get("/lost").text)
    assert "0 条要看" in page and page.count("已看") >= 2 and "138 0000 0000" in page
    assert "本站的修改没有用上" not in plain(counter.get("/").text)
    assert counter.post(f"/lost/{'00' * 16}/seen").status_code == 404


def test_a_refused_edit_shows_what_was_typed_and_the_reason(counter: Counter, station: Station, person: Any) -> None:
    put_refusal(station, person("张建国"), "not_in_slice", {"phone": "13900000009", "note": "轮椅"})
    page = plain(counter.get("/lost").text)
    for said in ("139 0000 0009", "轮椅", "此人不在本站范围内"):
        assert said in page
    assert "没有被拒收的" in plain(counter.get("/unsent").text)
    assert "1 条要看" in plain(counter.get("/unsent").text)


@pytest.mark.parametrize(
    ("state", "said"),
    [("", "已转中心审核"), ("waiting", "已转中心审核"), ("accepted", "中心已采用"), ("refused", "中心没有采用")],
)
def test_an_edit_made_after_the_move_says_what_became_of_it(
    counter: Counter, station: Station, person: Any, state: str, said: str
) -> None:
    stranger = ids.new_id()
    put_refusal(station, stranger, "left_slice", {"phone": "13900000009"})
    with station.store.write() as db:
        if state:
            database.insert(db, "late_edit", {
                "id": ids.new_id(), "station": "0100-1", "tbl": "contact", "row_id": stranger, "cols": "phone",
                "state": state, "received_at": AT, "rev": 1,
            })  # fmt: skip
    page = plain(counter.get("/lost").text)
    assert said in page and "139 0000 0009" in page and "再改一次" not in page


def test_an_erased_row_is_listed_once_though_it_was_refused_too(
    counter: Counter, station: Station, person: Any
) -> None:
    put_conflict(station, person("张建国"), kind="row", rule="R", kept=None, kept_by="hub")
    put_refusal(station, person("张建国"), "tombstone", {"phone": "13800000000"})
    page = plain(counter.get("/lost").text)
    assert "1 条要看" in page and "中心已依法删除" in page


def test_edits_of_others_that_gave_way_are_shown_below_and_not_counted(
    counter: Counter, station: Station, person: Any
) -> None:
    put_conflict(station, person("张建国"), kept_by="0100-1", lost_by="0101-1")
    page = plain(counter.get("/lost").text)
    assert "0 条要看" in page and "138 5758 2064 本站的" in page
