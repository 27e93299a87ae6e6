# SPDX-License-Identifier: Apache-2.0
"""Everything that is ever sent to a card, and the one function that sends it.

A chip carries a bank's application beside the social security one, and counts wrong PINs until it dies. So a command is
sent only when it stands on the list: find the application, find its two free files, read their records, fetch the rest
of an answer. Anything else is a fault of this program and stops before it reaches the reader.
"""

from __future__ import annotations

from collections.abc import Callable

from node.card.problems import CardProblem

APPLICATION = bytes.fromhex("7378312E73682EC9E7BBE1B1A3D5CF")  # "sx1.sh." and 社会保障 in GBK
FILES = {0xEF05: 0x05, 0xEF06: 0x06}  # file: its short identifier
TAGS = {0xEF05: (0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07), 0xEF06: (0x08, 0x09, 0x4E, 0x0A, 0x0B, 0x0C, 0x0D)}

OK = 0x9000
MORE = 0x61
WRONG_LENGTH = 0x6C
MAX_ANSWERS = 8  # parts of one answer; a card that never ends must not hold the reader

Exchange = Callable[[bytes], bytes]


class Forbidden(RuntimeError):
    """This program tried to send something that is not on the list."""


def select_application() -> bytes:
    """Find the social security application by its name."""
    return b"\x00\xa4\x04\x00" + bytes([len(APPLICATION)]) + APPLICATION


def select_file(file: int, p1: int) -> bytes:
    """Find EF05 or EF06. `p1`: 02 under the application, 00 anywhere; cards know one or the other."""
    return bytes([0x00, 0xA4, p1, 0x00, 0x02]) + file.to_bytes(2, "big")


def read_record(p1: int, p2: int, length: int) -> bytes:
    """Read one record: by its number (p2 04), by its tag (00), or by number in a file not selected (its identifier)."""
    return bytes([0x00, 0xB2, p1, p2, length])


def by_identifier(file: int) -> int:
    """P2 for reading by number in a file that was not selected."""
    return FILES[file] << 3 | 0x04


_NUMBERS = range(1, max(len(tags) for tags in TAGS.values()) + 1)
_EVERY_TAG = sorted({tag for tags in TAGS.values() for tag in tags})
_SELECTS = {select_application()} | {select_file(file, p1) for file in FILES for p1 in (0x02, 0x00)}
_READS = (
    {bytes([0x00, 0xB2, number, 0x04]) for number in _NUMBERS}
    | {bytes([0x00, 0xB2, tag, 0x00]) for tag in _EVERY_TAG}
    | {bytes([0x00, 0xB2, number, by_identifier(file)]) for file in FILES for number in _NUMBERS}
)
_REST = b"\x00\xc0\x00\x00"


def allowed(command: bytes) -> bool:
    """Whether these bytes are one of the commands above, nothing before, between or after."""
    return command in _SELECTS or (len(command) == 5 and (command[:4] in _READS or command[:4] == _REST))


def transmit(exchange: Exchange, command: bytes) -> tuple[bytes, int]:
    """Send one command; its data and status word, with a long answer fetched whole and a wrong length mended once.

    `exchange` gives bytes to the reader and brings the answer; it raises CardProblem. Raises Forbidden before anything
    is sent, CardProblem for an answer that is none.
    """
    data, status = _one(exchange, command)
    if status >> 8 == WRONG_LENGTH and len(command) == 5:
        data, status = _one(exchange, command[:4] + bytes([status & 0xFF]))
    whole = data
    for _ in range(MAX_ANSWERS):
        if status >> 8 != MORE:
            return whole, status
        data, status = _one(exchange, _REST + bytes([status & 0xFF]))
        if status >> 8 == WRONG_LENGTH:
            data, status = _one(exchange, _REST + bytes([status & 0xFF]))
        whole += data
    raise CardProblem("unreadable")


def _one(exchange: Exchange, command: bytes) -> tuple[bytes, int]:
    if not allowed(command):
        raise Forbidden(f"command class {command[:2].hex()} is not on the list")
    answer = exchange(command)
    if len(answer) < 2:
        raise CardProblem("disturbed")
    return answer[:-2], int.from_bytes(answer[-2:], "big")
