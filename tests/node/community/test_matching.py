# SPDX-License-Identifier: Apache-2.0
"""Jobs and persons: every point has a reason, the order follows from the points and from nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.community import matching
from node.community.matching import EDUCATION, KIN, Offer, Wish

HOME, TOWN = "330683101", "330683001"
WISH = Wish(b"p" * 16, ("motor_assembly", "machining"), 5000, TOWN, HOME, "full", "no", "电工证 叉车", "60", 36)
OFFER = Offer(
    b"v" * 16, "motor_assembly", 5000, 6500, TOWN, "full", "no", "电工证", "70", 18, 45
)


def said(wish: Wish, offer: Offer, bears: str) -> str:
    return " ".join(r.text["zh"] for r in matching.match(wish, offer).reasons if r.bears == bears)


def test_a_job_that_is_all_that_was_wanted_reaches_the_most_points() -> None:
    found = matching.match(WISH, OFFER)
    assert found.score == 100
    assert {r.bears for r in found.reasons} == {"fits"}


@pytest.mark.parametrize(
    ("change", "bears", "words"),
    [
        ({"job": "machining"}, "fits", "第二志愿"),
        ({"job": "packing"}, "near", "相近"),
        ({"job": "cook"}, "against", "不是想做的"),
        ({"wage_from_yuan": 4000, "wage_to_yuan": 5000}, "fits", "可以达到"),
        ({"wage_from_yuan": 4000, "wage_to_yuan": 4500}, "near", "差 500 元"),
        ({"wage_from_yuan": 3000, "wage_to_yuan": 4499}, "against", "期望 5000 元"),
        ({"wage_from_yuan": None, "wage_to_yuan": None}, "near", "面议"),
        ({"township": HOME}, "fits", "离家近"),
        ({"township": "330683200"}, "against", "不在想去的乡镇"),
        ({"education": "30"}, "against", "学历低于要求"),
        ({"age_to": 35}, "against", "36 岁，单位要求 18–35 岁"),
        ({"age_from": 37, "age_to": None}, "against", "36 岁，单位要求 37– 岁"),
        ({"nights": "yes"}, "against", "夜班"),
        ({"form": "part"}, "against", "工作方式不同"),
        ({"skills": "焊工证"}, "near", "焊工证"),
    ],
    ids=str,
)
def test_what_differs_costs_points_and_is_said(change: dict[str, object], bears: str, words: str) -> None:
    other = replace(OFFER, **change)  # type: ignore[arg-type]
    assert words in said(WISH, other, bears)
    assert matching.match(WISH, other).score < 100


def test_the_order_is_that_of_the_points_and_what_hardly_fits_is_left_out() -> None:
    second, kin, other = (replace(OFFER, vacancy_id=bytes([n]) * 16, job=job)
                          for n, job in enumerate(("machining", "packing", "nursing")))  # fmt: skip
    poor = replace(other, wage_from_yuan=2000, wage_to_yuan=2100)
    found = matching.rank([(WISH, offer) for offer in (poor, kin, second, OFFER)])
    assert [m.offer for m in found] == [OFFER, second, kin]


def test_a_tie_is_broken_by_the_id_so_that_a_list_does_not_jump() -> None:
    twin = replace(OFFER, vacancy_id=b"a" * 16)
    assert [m.offer for m in matching.rank([(WISH, OFFER), (WISH, twin)])] == [twin, OFFER]


def test_rows_of_the_register_are_read_as_they_stand() -> None:
    seeker = {"id": b"p" * 16, "wish_job": "sewing", "wish_job_2": None, "wish_wage_yuan": "4500", "wish_township": "",
              "wish_form": None, "wish_nights": None, "wish_skills": None}  # fmt: skip
    wish = matching.wish_of(seeker, {"village": HOME + "201"}, None, None)
    assert (wish.jobs, wish.wage_yuan, wish.home, wish.township) == (("sewing",), 4500, HOME, "")
    row: dict[str, object] = dict.fromkeys(
        ("wage_from_yuan", "wage_to_yuan", "job_township", "job_form", "job_nights", "job_skills", "least_education",
         "age_from", "age_to")
    )  # fmt: skip
    assert matching.offer_of(row | {"id": b"v" * 16, "job": "sewing", "age_to": "50"}).age_to == 50


OFFERS = st.builds(
    Offer, st.binary(min_size=16, max_size=16), st.sampled_from(sorted(frozenset().union(*KIN))),
    st.none() | st.integers(0, 20_000), st.none() | st.integers(0, 20_000), st.sampled_from(["", HOME, TOWN]),
    st.sampled_from(["", "full", "part"]), st.sampled_from(["", "yes", "no"]), st.text(max_size=20),
    st.sampled_from(["", "90", *EDUCATION]), st.none() | st.integers(16, 80), st.none() | st.integers(16, 80),
)  # fmt: skip


@given(offer=OFFERS)
def test_the_score_is_the_sum_of_its_reasons_and_each_is_told_in_both_languages(offer: Offer) -> None:
    found = matching.match(WISH, offer)
    assert found.score == max(0, min(100, sum(r.points for r in found.reasons)))
    assert all(r.text["zh"] and r.text["en"] and r.points for r in found.reasons)
    assert all((r.points < 0) == (r.bears == "against") for r in found.reasons if r.bears != "near")
