# SPDX-License-Identifier: Apache-2.0
"""Records of the chip as values: one byte of tag, one of length, then the value with its padding.

Source: LB 002-2000 and 人社信息函〔2012〕37号. `an` is text filled up with 00, `cn` is digits two to a byte filled up
with F. Cards in use carry more than the papers say (spaces, FF in text, zeros for "no date"), so all of it is cut off.
"""

from __future__ import annotations

from datetime import date

FILLING = b"\x00\xff "
UNREADABLE = "\ufffd"


class BadRecord(ValueError):
    """These bytes are no record with this tag."""


def value_of(record: bytes, tag: int) -> bytes:
    """The value of the one record in these bytes; what follows it is filling. Raises BadRecord."""
    if len(record) < 2 or record[0] != tag:
        raise BadRecord("another tag")
    length = record[1]
    if len(record) < 2 + length:
        raise BadRecord("shorter than it says")
    if record[2 + length :].strip(FILLING):
        raise BadRecord("longer than it says")
    return record[2 : 2 + length]


def text(value: bytes) -> str:
    """Letters and figures: what stands before the filling, '' for none. Raises BadRecord for anything else."""
    kept = value.split(b"\x00", 1)[0].strip(FILLING)
    if not (kept.isascii() and kept.decode("ascii", "replace").isprintable()):
        raise BadRecord("not letters and figures")
    return kept.decode("ascii")


def chinese(*values: bytes) -> str:
    """A name in GBK whose bytes may go on in the next record. Characters that are none become `UNREADABLE`.

    GB 18030 reads all of GBK and the rare characters beyond it. The parts are joined before they are read, because a
    long name is cut after a number of bytes and not between two characters.
    """
    joined = b"".join(value.split(b"\x00", 1)[0].rstrip(FILLING) for value in values)
    name = joined.decode("gb18030", "replace").strip()
    return "".join(c if c.isprintable() else UNREADABLE for c in name)


def digits(value: bytes) -> str:
    """Figures two to a byte: the hex digits before the filling with F. May hold A to E, as card numbers do."""
    return value.hex().upper().rstrip("F")


def day(value: bytes) -> date | None:
    """YYYYMMDD two digits to a byte; None where no such day stands, as on cards without an end."""
    figures = digits(value)
    if len(figures) != 8 or not figures.isdecimal():
        return None
    try:
        return date(int(figures[:4]), int(figures[4:6]), int(figures[6:]))
    except ValueError:
        return None
