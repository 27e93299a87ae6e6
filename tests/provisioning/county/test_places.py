# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from provisioning.county import places


def test_there_are_fifteen_townships_whose_weights_make_a_whole() -> None:
    townships = places.townships()
    assert len(townships) == 15
    assert sum(t.weight for t in townships) == 1000
    assert all(t.code.startswith("330683") and len(t.code) == 9 for t in townships)


def test_every_township_has_communities_and_villages_with_names_and_codes_of_their_own() -> None:
    for township in places.townships():
        villages = township.villages()
        assert 15 <= len(villages) <= 30
        assert len({v.name for v in villages}) == len({v.code for v in villages}) == len(villages)
        assert all(v.code.startswith(township.code) and len(v.code) == 12 for v in villages)
        assert {v.urban for v in villages} == {True, False}


def test_former_units_are_dated_and_point_on_where_that_is_known() -> None:
    rows = {row["code"]: row for row in places.divisions()}
    former = [r for r in rows.values() if r["valid_to"]]
    assert {"330623", "330683004", "330683109"} <= {r["code"] for r in former}
    assert all(r["succeeded_by"] in (None, *rows) for r in former)
    assert rows["330623"]["succeeded_by"] == "330683"


def test_division_rows_have_names_in_both_languages() -> None:
    rows = [*places.divisions(), *places.village_divisions()]
    assert all(row["name"] and row["name_en"].isascii() for row in rows)
    assert len({row["code"] for row in rows}) == len(rows)
