# SPDX-License-Identifier: Apache-2.0
"""A social security card made of software, for training without cards and for the tests of everything else.

It speaks as cards do: long answers are announced with 61xx and fetched, a wrong length is answered 6Cxx, text is
filled up with 00 and digits with F. `Habits` says which of the ways of asking it understands, because real cards of
three generations differ there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from node.card.commands import APPLICATION, FILES, TAGS
from node.card.reading import LENGTHS

ATR = bytes.fromhex("3B6D000080318065B08302047E83009000")


@dataclass(frozen=True)
class Holder:
    """Who a simulated card belongs to, and what else it says."""

    id_number: str
    name: str
    card_no: str
    identification: str = "330683D15600000599110145"
    version: str = "2.00"
    ethnic: str = "01"
    issued_on: date = date(2018, 6, 1)
    valid_to: date | None = date(2028, 6, 1)


@dataclass(frozen=True)
class Habits:
    """What a card understands. `select`: P1 of SELECT; `forms`: ways of reading; `chunk`: bytes before 61xx, 0 never;
    `exact_length`: 6Cxx unless Le is right; `lacks`, `protects`: tags it does not have or keeps to itself.
    """

    select: tuple[int, ...] = (0x02, 0x00)
    forms: tuple[str, ...] = ("number", "tag", "identifier")
    chunk: int = 0
    exact_length: bool = True
    lacks: tuple[int, ...] = ()
    protects: tuple[int, ...] = ()


def records(holder: Holder) -> dict[int, bytes]:
    """Values by tag as a personalisation writes them."""
    name = holder.name.encode("gb18030")
    on_card = holder.id_number
    return {
        0x01: bytes.fromhex(holder.identification.ljust(32, "F")),
        0x02: b"1",
        0x03: holder.version.encode(),
        0x04: bytes.fromhex("D15600000599110145".ljust(24, "F")),
        0x05: _cn_day(holder.issued_on),
        0x06: _cn_day(holder.valid_to),
        0x07: holder.card_no.encode().ljust(LENGTHS[0x07], b"\x00"),
        0x08: on_card.encode().ljust(LENGTHS[0x08], b"\x00"),
        0x09: name[:30].ljust(LENGTHS[0x09], b"\x00"),
        0x4E: name[30:].ljust(LENGTHS[0x4E], b"\x00"),
        0x0A: (b"1" if int(on_card[16]) % 2 else b"2") if len(on_card) == 18 and on_card[16].isdigit() else b"9",
        0x0B: bytes.fromhex(holder.ethnic),
        0x0C: bytes.fromhex(on_card[:6]) if on_card[:6].isdecimal() else b"\xff\xff\xff",
        0x0D: bytes.fromhex(on_card[6:14]) if on_card[6:14].isdecimal() else b"\xff" * 4,
    }


def _cn_day(day: date | None) -> bytes:
    return bytes.fromhex(f"{day:%Y%m%d}") if day else b"\xff" * 4


@dataclass
class SimulatedCard:
    """The chip: `answer(command)` is data and status word."""

    values: dict[int, bytes]
    habits: Habits = field(default_factory=Habits)
    _selected: bool = False
    _file: int = 0
    _rest: bytes = b""

    def reset(self) -> None:
        """Power off and on: nothing is selected."""
        self._selected, self._file, self._rest = False, 0, b""

    def answer(self, command: bytes) -> bytes:
        """One command; everything but the free reading commands is refused as a real chip refuses it."""
        if len(command) < 4 or command[0] != 0:
            return b"\x6e\x00"
        handler = {0xA4: self._select, 0xB2: self._read, 0xC0: self._get_rest}.get(command[1])
        return handler(command) if handler else b"\x6d\x00"

    def _select(self, command: bytes) -> bytes:
        p1, wanted = command[2], command[5:]
        if p1 == 0x04:
            if wanted != APPLICATION:
                return b"\x6a\x82"
            self._selected, self._file = True, 0
            return self._given(b"\x6f\x00") if self.habits.chunk else b"\x90\x00"
        if p1 not in self.habits.select:
            return b"\x6a\x86"
        file = int.from_bytes(wanted, "big")
        if not self._selected or file not in FILES:
            return b"\x6a\x82"
        self._file = file
        return b"\x90\x00"

    def _read(self, command: bytes) -> bytes:
        p1, p2, length = command[2], command[3], command[4]
        form = {0x04: "number", 0x00: "tag"}.get(p2, "identifier")
        if form not in self.habits.forms:
            return b"\x6a\x86"
        by_short = {short: file for file, short in FILES.items()}
        file = by_short.get(p2 >> 3, 0) if form == "identifier" else self._file
        if not self._selected or file not in FILES:
            return b"\x69\x86"
        tag = p1 if form == "tag" else (0, *TAGS[file])[p1] if p1 <= len(TAGS[file]) else 0
        if tag not in TAGS[file] or tag in self.habits.lacks:
            return b"\x6a\x83"
        if tag in self.habits.protects:
            return b"\x69\x82"
        record = bytes([tag, len(self.values[tag])]) + self.values[tag]
        if self.habits.exact_length and length != len(record):
            return bytes([0x6C, len(record)])
        return self._given(record)

    def _given(self, data: bytes) -> bytes:
        if self.habits.chunk and len(data) >= self.habits.chunk:
            self._rest = data
            return bytes([0x61, min(len(data), self.habits.chunk)])
        return data + b"\x90\x00"

    def _get_rest(self, command: bytes) -> bytes:
        part, self._rest = self._rest[: command[4]], self._rest[command[4] :]
        more = bytes([0x61, min(len(self._rest), self.habits.chunk)]) if self._rest else b"\x90\x00"
        return part + more
