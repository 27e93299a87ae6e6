# SPDX-License-Identifier: Apache-2.0
"""One read of one card: select, read the free records, prove at the end that it is still the same card.

Two people must never be mixed. A card can be swapped faster than the reader service looks (every 0.4 s); the handle of
the first card then talks to the second. So who the card says it is is read first, and again from the very beginning
after everything else; only when both agree byte by byte does anything leave this function. There is no partial result.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from node.card import tlv
from node.card.commands import (
    OK,
    TAGS,
    Exchange,
    by_identifier,
    read_record,
    select_application,
    select_file,
    transmit,
)
from node.card.problems import CardProblem

PROTECTED = (0x6982, 0x6985)
BLOCKED = (0x6283, 0x6A81)  # asked for the application: it is locked

LOST = ("removed", "disturbed", "mute", "no_service", "no_reader")  # the line to the card, not its answer
CUT_AT_END = 0x6282  # the record is shorter than asked for; its data came along

IDENTIFICATION, VERSION, ISSUED, VALID_TO, CARD_NO = 0x01, 0x03, 0x05, 0x06, 0x07
ID_NUMBER, NAME, NAME_GOES_ON, SEX, ETHNIC, BIRTH = 0x08, 0x09, 0x4E, 0x0A, 0x0B, 0x0D

# What is read, and the longest value of each. Class, organisation and birthplace serve nothing here and stay unread.
LENGTHS = {
    IDENTIFICATION: 16, CARD_NO: 9, VERSION: 4, ISSUED: 4, VALID_TO: 4,
    ID_NUMBER: 18, NAME: 30, NAME_GOES_ON: 20, SEX: 1, ETHNIC: 1, BIRTH: 4,
}  # fmt: skip
WHO = (IDENTIFICATION, CARD_NO, ID_NUMBER)


@dataclass(frozen=True)
class Card:
    """What one card says. Empty texts and None: the card does not say. `protected`: tags it keeps to itself.

    `id_number` as written on the chip, not judged. `sex` '1' or '2', `ethnic` two digits of GB/T 3304, `region` the six
    digits of where the card was issued.
    """

    identification: str
    card_no: str
    id_number: str
    name: str
    version: str = ""
    sex: str = ""
    ethnic: str = ""
    issued_on: date | None = None
    valid_to: date | None = None
    birth_on: date | None = None
    protected: tuple[int, ...] = ()

    @property
    def region(self) -> str:
        return self.identification[:6]

    def as_json(self) -> dict[str, Any]:
        """For the way from the reading process to the station."""
        return {name: value.isoformat() if isinstance(value, date) else value for name, value in asdict(self).items()}


def from_json(data: dict[str, Any]) -> Card:
    """The card of `Card.as_json`. Raises TypeError, ValueError for anything else."""
    days = {name: date.fromisoformat(data[name]) if data[name] else None for name in _DAYS}
    return Card(**{**data, **days, "protected": tuple(data["protected"])})


_DAYS = ("issued_on", "valid_to", "birth_on")


def read(exchange: Exchange) -> Card:
    """Everything free that the card holds. Raises CardProblem; then nothing of the card remains.

    `exchange` brings commands to the card and raises CardProblem("removed") and the like by itself.
    """
    talk = _Talk(exchange)
    values = talk.records(LENGTHS)
    card = _card(values, talk.protected)
    again = _Talk(exchange, form=talk.form)
    try:
        same = again.records(WHO) == {tag: values[tag] for tag in WHO}
    except CardProblem as problem:
        # Another card may well be no social security card: what matters is that it is another one.
        raise problem if problem.code in LOST else CardProblem("changed") from problem
    if not same:
        raise CardProblem("changed")
    return card


class _Talk:
    """One way through the application. `form`: the way of reading records that this card understood."""

    def __init__(self, exchange: Exchange, form: str = "") -> None:
        self._exchange = exchange
        self.form = form
        self.protected: list[int] = []

    def records(self, wanted: Any) -> dict[int, bytes]:
        """The raw values of these tags; b'' for those the card does not have or keeps to itself."""
        self._select_application()
        values = {}
        for file, tags in TAGS.items():
            forms = self._select_file(file)
            for tag in (t for t in LENGTHS if t in tags and t in wanted):
                values[tag] = self._record(file, tag, forms)
        return values

    def _select_application(self) -> None:
        _, status = transmit(self._exchange, select_application())
        if status in BLOCKED:
            raise CardProblem("blocked")
        if status != OK:
            raise CardProblem("not_ssc")

    def _select_file(self, file: int) -> tuple[str, ...]:
        """Ways of reading its records that may be tried; when it cannot be selected, only that by identifier."""
        for p1 in (0x02, 0x00):
            _, status = transmit(self._exchange, select_file(file, p1))
            if status == OK:
                return ("number", "tag", "identifier")
            if status == BLOCKED[0]:
                raise CardProblem("blocked")
        return ("identifier",)

    def _record(self, file: int, tag: int, forms: tuple[str, ...]) -> bytes:
        for form in (self.form,) if self.form in forms else forms:
            p1 = tag if form == "tag" else TAGS[file].index(tag) + 1
            p2 = {"number": 0x04, "tag": 0x00, "identifier": by_identifier(file)}[form]
            data, status = transmit(self._exchange, read_record(p1, p2, LENGTHS[tag] + 2))
            if status in PROTECTED:
                self.protected.append(tag)
                return b""
            if status in (OK, CUT_AT_END):
                try:
                    value = tlv.value_of(data, tag)
                except tlv.BadRecord:
                    continue  # this card means something else by that way of asking
                self.form = form
                return value
        return b""


def _card(values: dict[int, bytes], protected: list[int]) -> Card:
    if ID_NUMBER in protected:
        raise CardProblem("protected")
    try:
        card = Card(
            identification=tlv.digits(values[IDENTIFICATION]),
            card_no=tlv.text(values[CARD_NO]),
            id_number=tlv.text(values[ID_NUMBER]).upper(),
            name=tlv.chinese(values[NAME], values[NAME_GOES_ON]),
            version=tlv.text(values[VERSION]),
            sex=tlv.text(values[SEX]),
            ethnic=tlv.digits(values[ETHNIC]),
            issued_on=tlv.day(values[ISSUED]),
            valid_to=tlv.day(values[VALID_TO]),
            birth_on=tlv.day(values[BIRTH]),
            protected=tuple(protected),
        )
    except tlv.BadRecord as error:
        raise CardProblem("unreadable") from error
    if not card.id_number or not (card.identification or card.card_no):
        raise CardProblem("unreadable")
    return card
