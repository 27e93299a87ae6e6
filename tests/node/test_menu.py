# SPDX-License-Identifier: Apache-2.0
"""The menu of items: groups in order, found by name, pinyin, initials and number."""

from __future__ import annotations

import pytest

from node import menu
from schema.service_parts import GROUPS
from tests.schema.domain import services


def found(typed: str) -> list[str]:
    return [entry.item.id for _, entries in menu.grouped(services().values(), typed) for entry in entries]


def test_every_item_stands_once_in_its_group_in_the_catalogues_order() -> None:
    groups = menu.grouped(services().values())
    assert [title for title, _ in groups] == list(GROUPS.values())
    assert sorted(found("")) == sorted(services())
    for title, entries in groups:
        assert [e.item.no for e in entries] == sorted(e.item.no for e in entries)
        assert all(GROUPS[e.item.group] == title for e in entries)


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("挂失", "card_loss"),
        ("sbkgs", "card_loss"),
        ("SBK GS", "card_loss"),
        ("gua'shi", "card_loss"),
        ("ｇｕａｓｈｉ", "card_loss"),
        ("danweicanbao", "unit_registration"),  # 单 is dan in a word, shan as a surname
        ("card loss", "card_loss"),
        ("Refund", "refund"),
        ("41", "complaint_report"),
    ],
)
def test_an_item_is_found_as_a_clerk_types_it(typed: str, first: str) -> None:
    assert found(typed)[:1] == [first]


def test_digits_are_the_beginning_of_a_number_and_nothing_else() -> None:
    numbers = {services()[item].no for item in found("3")}
    assert numbers == {3, *range(30, 40)}


def test_what_fits_nothing_leaves_no_group() -> None:
    assert menu.grouped(services().values(), "没有这样的事") == []
