# SPDX-License-Identifier: Apache-2.0
"""One box: whatever a clerk types finds the person, on an index, and nothing a stranger types does harm."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from node import search
from node.cases import Submitted
from node.station import Station
from schema import database, resident_id
from tests.node.conftest import add_person, number_of

ZHANG = number_of("33068319650812001")


def found(station: Station, typed: str) -> list[str]:
    with station.store.read() as db:
        return [row["name"] for row in search.find(db, typed).persons]


@pytest.mark.parametrize(
    "typed",
    [ZHANG, ZHANG.lower(), "330683 19650812 001X", "３３０６８３１９６５０８１２００１", "33068319650812", "张建国",
     "zhangjianguo", "Zhangjianguo", "13857582064", "138 5758 2064", "1385758"],
)  # fmt: skip
def test_a_person_is_found_by_number_name_pinyin_and_phone(station: Station, typed: str) -> None:
    assert "张建国" in found(station, typed)


def test_initials_find_everybody_who_has_them(station: Station) -> None:
    assert sorted(found(station, "zjg")) == sorted(["张建国", "章金国", "郑俊刚", "张俊格"])


def test_what_an_input_method_puts_between_letters_does_not_matter(station: Station) -> None:
    assert found(station, "z'j'g") == found(station, "z j g") == found(station, "ｚｊｇ") == found(station, "ZJG")


def test_a_15_digit_number_finds_who_had_it(station: Station) -> None:
    old = ZHANG[:6] + ZHANG[8:17]
    with station.store.write() as db:
        db.execute("UPDATE person SET id_number_15 = ? WHERE id_number = ?", (old, ZHANG))
    assert resident_id.upgrade(old) == ZHANG
    assert found(station, old) == ["张建国"]


def test_a_15_digit_number_finds_who_is_known_by_the_new_one_only(station: Station) -> None:
    assert found(station, ZHANG[:6] + ZHANG[8:17]) == found(station, ZHANG[:6] + ZHANG[8:12]) == ["张建国"]


@pytest.mark.parametrize("typed", ["A12345678", "a1234567", "Ａ12345678"])
def test_the_number_of_a_card_on_record_finds_its_holder(
    station: Station, person: Callable[[str], bytes], typed: str
) -> None:
    card = {"id": b"c" * 16, "person_id": person("张建国"), "card_no": "A12345678", "state": "lost", "rev": 1}
    with station.store.write() as db:
        database.insert(db, "card", card | {"since": "2026-11-20"})
    assert found(station, typed) == ["张建国"]


@pytest.mark.parametrize("typed", ["zhangjg", "zjianguo", "zhjg", "zhangjiang", "zjianguo "])
def test_pinyin_and_initials_may_be_mixed(station: Station, typed: str) -> None:
    assert "张建国" in found(station, typed) and "吕秀珍" not in found(station, typed)


def test_a_mixed_search_keeps_to_the_syllables(station: Station) -> None:
    assert found(station, "zhangjung") == ["张俊格"] and found(station, "zhengjg") == ["郑俊刚"]


def test_whole_names_come_first_then_our_own_people_then_the_living(station: Station) -> None:
    with station.store.write() as db:
        add_person(db, "33068319600101001", "吴小明", "330683101201")
        add_person(db, "33068319610101001", "吴小明", "330683100201")
        dead = add_person(db, "33068319590101001", "吴小明", "330683100201")
        db.execute("UPDATE person SET life_status = '2' WHERE id = ?", (dead,))
        add_person(db, "33068319500101001", "吴小明明", "330683100201")
        years = [row["birth_on"][:4] for row in search.find(db, "wxm", "330683100").persons]
    assert years == ["1961", "1959", "1960", "1950"]


@pytest.fixture
def unit(station: Station) -> bytes:
    row = {"uscc": "91330683MA2XXXXX09", "name": "嵊州市兴达领带厂", "township": "330683100", "rev": 1}
    with station.store.write() as db:
        database.insert(db, "unit", {"id": b"u" * 16} | row)
        for n in range(search.SHOWN + 1):
            more = {"id": bytes([n] * 16), "uscc": f"91330683MA3XXXX{n:03d}", "name": f"嵊州市丝织{n}厂"}
            database.insert(db, "unit", row | more)
    return b"u" * 16


@pytest.mark.parametrize("typed", ["兴达", "嵊州市兴达领带厂", "91330683MA2", "91330683ma2xxxxx09"])
def test_a_unit_is_found_by_any_part_of_its_name_and_by_its_code(station: Station, unit: bytes, typed: str) -> None:
    with station.store.read() as db:
        hits = search.find(db, typed)
    assert [row["id"] for row in hits.units] == [unit] and not hits.empty


def test_a_whole_code_of_digits_is_a_unit_too_and_no_more_are_shown_than_fit(station: Station, unit: bytes) -> None:
    with station.store.read() as db:
        assert len(search.find(db, "9133").units) == search.SHOWN
        assert len(search.find(db, "厂厂").units) == 0


def test_a_landline_is_a_phone_too(station: Station) -> None:
    assert found(station, "0575-8327") == ["郑俊刚"]


def test_a_receipt_number_finds_the_case(station: Station, enrol: Callable[..., Submitted]) -> None:
    number = enrol().receipt_no
    with station.store.read() as db:
        for typed in (number, number[:13], "26-000401"):
            assert [row["receipt_no"] for row in search.find(db, typed).cases] == [number]


@pytest.mark.parametrize(
    "typed",
    ["", "   ", "'", "z", "%", "_", "zj%", "' OR 1=1 --", '"; DROP TABLE person; --', "<script>", "\x00", "张\x00",
     "-", "--", "9" * 100_000, "z" * 100_000, "张" * 100_000, "\ud800"],
)  # fmt: skip
def test_nonsense_finds_nobody_and_breaks_nothing(station: Station, typed: str) -> None:
    assert found(station, typed) == []


def test_more_than_fit_are_counted_and_very_many_are_called_many(station: Station) -> None:
    with station.store.write() as db:
        for n in range(search.SHOWN + 4):
            add_person(db, f"33068319700101{n:03d}", "吴小明", "330683100201")
        hits = search.find(db, "wxm")
        assert (len(hits.persons), hits.more, hits.many) == (search.SHOWN, 4, False)
        for n in range(search.SEEN_AT_MOST):
            add_person(db, f"33068319710101{n:03d}", "吴小明", "330683100201")
        assert search.find(db, "wxm").many


@pytest.mark.parametrize("typed", [ZHANG, "330683", "13857582064", "0575-8327", "张建国", "zjg", "zhangjg",
     "zhangjianguo"])  # fmt: skip
def test_no_search_walks_through_the_whole_register(station: Station, typed: str) -> None:
    asked: list[str] = []
    with station.store.read() as db:
        db.set_trace_callback(asked.append)
        search.find(db, typed)
        db.set_trace_callback(None)
        plans = [row[3] for sql in asked for row in db.execute(f"EXPLAIN QUERY PLAN {sql}")]
    assert plans and not [plan for plan in plans if plan.startswith(("SCAN p", "SCAN contact"))]


def test_the_list_says_what_a_person_is_insured_in_and_drawing_comes_first(
    station: Station, person: Callable[[str], bytes]
) -> None:
    with station.store.read() as db:
        seen = search.insured_as(db, [person(name) for name in ("张建国", "郑俊刚", "章金国")])
    assert seen[person("张建国")] == ("resident_pension", "active")
    assert seen[person("郑俊刚")] == ("resident_pension", "drawing_active")
    assert person("章金国") not in seen


def test_of_two_insurances_the_pension_is_told(station: Station, person: Callable[[str], bytes]) -> None:
    one = person("张建国")
    medical = {"person_id": one, "insurance": "resident_medical", "state": "active", "began_month": "2004-01"}
    with station.store.write() as db:
        for first in (0, 255):  # before and behind the pension, in whatever order rows come
            database.insert(db, "enrolment", {"id": bytes([first] * 16), "grade_fen": 0, "rev": 1} | medical)
        assert search.insured_as(db, [one])[one] == ("resident_pension", "active")


def test_the_size_of_the_register_is_told(station: Station) -> None:
    with station.store.read() as db:
        assert search.register_size(db) == 7


def test_a_case_is_known_by_its_whole_number_only(station: Station, enrol: Any) -> None:
    number = enrol().receipt_no
    with station.store.read() as db:
        assert search.case_by_receipt(db, number) is not None
        assert search.case_by_receipt(db, number[:-1] + str((int(number[-1]) + 1) % 10)) is None
