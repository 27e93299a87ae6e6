# SPDX-License-Identifier: Apache-2.0
"""One read of one card, over every way real cards answer; and nothing is ever sent that is not on the list."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as some

from node.card import commands, problems, reading, tlv
from node.card.commands import Forbidden
from node.card.problems import CardProblem
from node.card.simulator import Habits, Holder, SimulatedCard, records

ZHANG = Holder("33068319650812001X", "张建国", "A12345678")
CHEN = Holder("330683198111030421", "陈桂英", "B87654321", "330683D15600000599220146")


def card_of(holder: Holder = ZHANG, **habits: object) -> SimulatedCard:
    return SimulatedCard(records(holder), Habits(**habits))  # type: ignore[arg-type]


def test_a_card_is_read_whole() -> None:
    card = reading.read(card_of().answer)
    assert (card.id_number, card.name, card.card_no) == ("33068319650812001X", "张建国", "A12345678")
    assert (card.region, card.version, card.sex, card.ethnic) == ("330683", "2.00", "1", "01")
    assert (card.issued_on, card.valid_to, card.birth_on) == (date(2018, 6, 1), date(2028, 6, 1), date(1965, 8, 12))
    assert card.protected == ()


@pytest.mark.parametrize("select", [(0x02,), (0x00,), ()], ids=["P1 02", "P1 00", "no select"])
@pytest.mark.parametrize("form", ["number", "tag", "identifier"])
@pytest.mark.parametrize("chunk", [0, 8], ids=["at once", "in parts"])
@pytest.mark.parametrize("exact_length", [True, False], ids=["6Cxx", "any length"])
def test_every_generation_of_cards_says_the_same(
    select: tuple[int, ...], form: str, chunk: int, exact_length: bool
) -> None:
    forms = (form,) if select else ("identifier",)
    card = card_of(select=select, forms=forms, chunk=chunk, exact_length=exact_length)
    assert reading.read(card.answer) == reading.read(card_of().answer)


def test_a_long_name_goes_on_in_the_next_record_even_inside_a_character() -> None:
    name = "A" + "阿依古丽买买提江阿卜杜热合曼" + "·" + "卡德尔"  # byte 30 falls into a character
    assert reading.read(card_of(replace(ZHANG, name=name)).answer).name == name


def test_a_first_generation_card_has_no_second_part_of_the_name() -> None:
    assert reading.read(card_of(lacks=(0x4E,)).answer).name == "张建国"


def test_a_rare_character_beyond_gbk_is_read() -> None:
    assert reading.read(card_of(replace(ZHANG, name="张\U00020164")).answer).name == "张\U00020164"


def test_a_protected_item_is_named_and_the_rest_is_read() -> None:
    card = reading.read(card_of(protects=(0x09, 0x4E)).answer)
    assert (card.name, card.protected, card.id_number) == ("", (0x09, 0x4E), ZHANG.id_number)


@pytest.mark.parametrize(
    ("code", "card"),
    [
        ("protected", card_of(protects=(0x08,))),
        ("unreadable", card_of(lacks=(0x08,))),
        ("unreadable", card_of(lacks=(0x01, 0x07))),
        ("unreadable", SimulatedCard(records(ZHANG) | {0x08: b"\xd5\xc5" * 9})),
    ],
)
def test_a_card_without_a_free_id_number_gives_nothing(code: str, card: SimulatedCard) -> None:
    with pytest.raises(CardProblem) as problem:
        reading.read(card.answer)
    assert problem.value.code == code


@pytest.mark.parametrize(
    ("status", "code"),
    [("6a82", "not_ssc"), ("6d00", "not_ssc"), ("6e00", "not_ssc"), ("6283", "blocked"), ("", "disturbed")],
)
def test_what_a_card_answers_to_the_first_question_tells_what_it_is(status: str, code: str) -> None:
    with pytest.raises(CardProblem) as problem:
        reading.read(lambda command: bytes.fromhex(status))
    assert problem.value.code == code


def test_a_card_that_never_ends_its_answer_is_left() -> None:
    with pytest.raises(CardProblem):
        reading.read(lambda command: b"\x00\x61\x01")


class Swapped:
    """A second card takes the first one's place before the n-th command, and the handle does not notice."""

    def __init__(self, first: SimulatedCard, second: SimulatedCard, before: int, *, blind: bool = False) -> None:
        self.cards, self.before, self.sent = (first, second), before, 0
        if blind:  # worst of all: the second answers as if everything had been selected on it
            second.answer(commands.select_application())

    def __call__(self, command: bytes) -> bytes:
        self.sent += 1
        if self.sent == self.before:
            self.cards[1]._file = self.cards[0]._file
        return self.cards[self.sent >= self.before].answer(command)


def commands_of_a_read() -> int:
    count = Swapped(card_of(), card_of(), 10**6)
    reading.read(count)
    return count.sent


@pytest.mark.parametrize("blind", [True, False])
@pytest.mark.parametrize(
    "second", [CHEN, replace(ZHANG, card_no="C00000001", identification="330683D15600000599330147")]
)
def test_a_card_swapped_before_any_command_is_never_mixed_with_the_next(second: Holder, blind: bool) -> None:
    whole = [reading.read(card_of(holder).answer) for holder in (ZHANG, second)]
    refused = 0
    for before in range(2, commands_of_a_read() + 1):
        try:
            card = reading.read(Swapped(card_of(), card_of(second), before, blind=blind))
        except CardProblem:
            refused += 1
        else:
            assert card in whole  # swapped before the first word or after the last: all of it is one card's
    assert refused >= commands_of_a_read() - 8


# The list of commands


def sent_by(card: SimulatedCard) -> list[bytes]:
    """Every command a read sends to a card."""
    sent: list[bytes] = []

    def exchange(command: bytes) -> bytes:
        sent.append(command)
        return card.answer(command)

    reading.read(exchange)
    return sent


FORBIDDEN = {
    "verify a PIN": "0020000003123456",
    "change a PIN": "0024000006123456123456",
    "select the bank's environment": "00A404000E315041592E5359532E4444463031",
    "select the bank's application": "00A4040007A0000003330101",
    "select the master file": "00A40000023F00",
    "select another file": "00A4020002EF07",
    "external authentication": "008200041000112233445566778899AABBCCDDEEFF",
    "internal authentication": "00880000081122334455667788",
    "get a challenge": "0084000008",
    "write a record": "00DC010405AABBCCDDEE",
    "append a record": "00E2000003AABBCC",
    "update binary": "00D6000003AABBCC",
    "read binary": "00B0000010",
    "block the card": "8416000000",
    "read a record of another file": "00B2013C10",
    "a secured read": "04B2080014",
    "a read with something behind it": "00B208001400",
    "the application by half its name": "00A40400087378312E73682EC9",
    "nothing": "",
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_nothing_else_leaves_for_the_card(what: str) -> None:
    sent: list[bytes] = []
    with pytest.raises(Forbidden):
        commands.transmit(lambda command: sent.append(command) or b"\x90\x00", bytes.fromhex(FORBIDDEN[what]))
    assert sent == []


@given(some.binary(max_size=24))
def test_bytes_at_random_are_refused_unless_they_read_one_of_the_two_free_files(command: bytes) -> None:
    if commands.allowed(command):
        assert command[:2] in (b"\x00\xb2", b"\x00\xc0")
        assert len(command) == 5


def test_what_a_read_sends_is_on_the_list_and_shorter_than_a_second_of_line() -> None:
    for card in (card_of(), card_of(forms=("identifier",), select=(), chunk=8)):
        sent = sent_by(card)
        assert all(commands.allowed(command) for command in sent)
        assert len(sent) <= 120


def test_every_status_a_card_may_give_ends_in_a_reading_or_a_known_word() -> None:
    for status in range(0x6000, 0x6FFF, 7):
        answer: Callable[[bytes], bytes] = lambda command, s=status: s.to_bytes(2, "big")  # type: ignore[misc]  # noqa: E731
        with pytest.raises(CardProblem) as problem:
            reading.read(answer)
        assert problem.value.code in problems.WORDS


# What fuzz finds


@given(some.binary(max_size=64), some.integers(0, 255))
def test_any_bytes_are_a_record_or_said_to_be_none(record: bytes, tag: int) -> None:
    try:
        value = tlv.value_of(record, tag)
    except tlv.BadRecord:
        return
    assert record[:2] == bytes([tag, len(value)]) and record[2 : 2 + len(value)] == value


@given(some.binary(max_size=40), some.binary(max_size=40))
def test_any_bytes_are_a_name_fit_to_be_shown(first: bytes, second: bytes) -> None:
    name = tlv.chinese(first, second)
    assert name.isprintable() and name == name.strip()


@given(some.text(some.characters(codec="gb18030", categories=("L", "Nd")), max_size=15))
def test_a_name_comes_back_as_it_was_written(name: str) -> None:
    raw = name.encode("gb18030")
    assert tlv.chinese(raw[:30].ljust(30, b"\x00"), raw[30:].ljust(30, b"\x00")) == name


@given(some.binary(max_size=20))
def test_any_bytes_are_digits_a_day_and_a_text_or_said_to_be_none(value: bytes) -> None:
    assert set(tlv.digits(value)) <= set("0123456789ABCDEF")
    day = tlv.day(value)
    assert day is None or f"{day:%Y%m%d}" == tlv.digits(value)
    try:
        assert tlv.text(value).isprintable()
    except tlv.BadRecord:
        assert not value.isalnum()


@given(some.dictionaries(some.sampled_from(sorted(records(ZHANG))), some.binary(max_size=60), max_size=6))
def test_a_chip_full_of_anything_is_read_or_refused_in_words(changed: dict[int, bytes]) -> None:
    try:
        card = reading.read(SimulatedCard(records(ZHANG) | changed, Habits(exact_length=False)).answer)
    except CardProblem as problem:
        assert problem.code in problems.WORDS
    else:
        assert reading.from_json(card.as_json()) == card


@given(some.lists(some.binary(max_size=40), min_size=1, max_size=40))
def test_a_card_that_answers_anything_ends_the_read(answers: list[bytes]) -> None:
    count = 0

    def exchange(command: bytes) -> bytes:
        nonlocal count
        count += 1
        return answers[count % len(answers)]

    try:
        reading.read(exchange)
    except CardProblem as problem:
        assert problem.code in problems.WORDS
    assert count <= 3000
