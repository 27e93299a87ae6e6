# SPDX-License-Identifier: Apache-2.0
"""What a frame says, read from the description of the format alone: the observer must not share a fault with sync/."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

import cbor2

SIGNATURE_BYTES = 64


@dataclass(frozen=True)
class SeenCell:
    """One cell on the wire."""

    person: bytes
    column: str
    value: str | None
    col_version: int


def content(frame: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """(header, payload) of a frame that the other side accepted."""
    head_end = 8 + int.from_bytes(frame[4:8], "big")
    payload = frame[head_end:-SIGNATURE_BYTES]
    return cbor2.loads(frame[8:head_end]), cbor2.loads(zlib.decompress(payload) if frame[3] else payload)


def cells(payload: dict[str, Any]) -> list[SeenCell]:
    """The cells of a reg payload."""
    out = []
    for block in payload["cells"].values():
        persons = [block["id"][i : i + 16] for i in range(0, len(block["id"]), 16)]
        for name, steps, values, versions, _, _ in block["c"]:
            place = -1
            for step, value, version in zip(_runs(steps), values, _runs(versions), strict=True):
                place += step
                out.append(SeenCell(persons[place], name, value, version))
    return out


def facts(payload: dict[str, Any]) -> list[bytes]:
    """The ids of the facts of an evt payload."""
    return [item[0] for item in payload["facts"]]


def gone(payload: dict[str, Any]) -> list[tuple[str, bytes]]:
    """(table, person): the rows that a pulled page takes away."""
    return [(table, key) for _, table, key in payload["gone"] if table in ("contact", "person")]


def persons(payload: dict[str, Any]) -> set[bytes]:
    """Whose rows a pulled page holds, as far as a row says it in its first column or in `person_id`."""
    found = {cell.person for cell in cells(payload)} if "cells" in payload else set()
    for table, block in payload.get("rows", {}).items():
        owner = "id" if table == "person" else "person_id"
        if owner in block["c"]:
            found.update(p for p in block["v"][block["c"].index(owner)] if p is not None)
    return found


def _runs(data: list[int]) -> list[int]:
    return [value for value, count in zip(data[::2], data[1::2], strict=True) for _ in range(count)]
