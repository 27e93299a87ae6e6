# SPDX-License-Identifier: Apache-2.0
"""What docs/protocol.md says of snapshots and scans: bytes, the manifest's fields, routes, limits."""

from __future__ import annotations

import re
from typing import Any

import pytest

from schema import tables
from sync.hub import blob_hub
from sync.snapshot import columns as snapshot_columns
from sync.snapshot import file as snapshot_file
from sync.snapshot import making as snapshot
from sync.snapshot import rules as snapshot_rules
from sync.station import blob, session
from sync.wire import codec
from tests.sync.wire.test_protocol_document import CASE, CBOR, PERSON, SITE, TEXT, line, shown_in_document, table_row

EXAMPLE_PERSON = {
    "id": PERSON, "id_number": "330683195501010011", "id_number_15": None, "name": "测试", "initials": "cs",
    "pinyin": "ceshi", "sex": "1", "birth_on": "1955-01-02", "ethnic": "01", "village": "330683100201",
    "household_id": CASE, "life_status": "1", "died_on": None, "work_began_on": None, "rev": 7,
}  # fmt: skip


def example() -> list[str]:
    """A person whose book is not among the rows, the telephone number, the bank account."""
    known = snapshot_rules.Known()
    clocks = {name: [SITE] for name in snapshot_file.column_names(tables.TABLES["contact"]) if name.endswith("author")}
    lengths: dict[str, list[Any]] = {"phone\0version": [2], "\0length": [1], "\0deleter": [None]}
    given: dict[str, dict[str, list[Any]]] = {
        "person": {name: [value] for name, value in EXAMPLE_PERSON.items()},
        "bank_account": {
            "person_id": [PERSON],
            "bank": ["农商银行"],
            "account_no": ["6208"],
            "holder": ["测试"],
            "rev": [7],
        },
        "contact": {"id": [PERSON], "phone": ["13900000001"], **clocks, **lengths},
    }
    out = []
    for name, columns in given.items():
        table = tables.TABLES[name]
        empty: list[Any] = [None]
        full = {c: columns.get(c, [1] if c.endswith("version") else empty) for c in snapshot_file.column_names(table)}
        known.add(name, full)
        data = snapshot_file.section(table, full, known)
        out += [line(data[:4], f"length {len(data) - 4}"), line(data[4:5], "list of 3"), line(codec.dump(name), name)]
        out.append(line(b"\x01", "rows"))
        packed = codec.load(data[4:])[2]
        out.append(line(codec.dump(packed)[: 1 + (len(packed) > 23)], f"list of {len(packed)}"))
        out += [line(codec.dump(c), f"{shown_column(n)}") for n, c in zip(full, packed, strict=True)]
    return out


def shown_column(name: str) -> str:
    column, _, clock = name.partition("\0")
    return {"": column, "length": "causal length", "deleter": "who deleted or restored it"}.get(
        clock, f"{column}: {clock}"
    )


LIMITS = {
    "snapshot": snapshot.MAX_BYTES,
    "section of a snapshot": snapshot_file.MAX_SECTION,
    "section, unfolded": snapshot_columns.MAX_RAW,
    "rows in a section": snapshot_file.ROWS_IN_A_SECTION,
    "feed entries worth a snapshot": snapshot.LEAST_ENTRIES,
    "snapshot kept, hours": int(snapshot.KEPT_FOR.total_seconds() / 3600),
    "snapshots kept of a set": snapshot.KEPT_OF_A_SET,
    "scan": blob.MAX_BYTES,
    "scans of a station that wait": blob.WAITING_QUOTA,
    "scans of a station at the hub": blob.HUB_QUOTA,
    "scans sent in one session": session.BLOB_BYTES,
    "scan begun and left, days": blob_hub.ABANDONED_AFTER.days,
}


def test_the_bytes_shown_are_what_the_code_makes() -> None:
    assert shown_in_document("snapshot") == example()


def test_the_bytes_shown_can_be_read() -> None:
    data = bytes.fromhex("".join(shown.split("#")[0].strip() for shown in shown_in_document("snapshot")))
    found = {table.name: columns for table, columns in snapshot_file.read(data, "township")}
    assert {name: values[0] for name, values in found["person"].items()} == EXAMPLE_PERSON
    assert (found["bank_account"]["holder"], found["contact"]["phone"]) == (["测试"], ["13900000001"])
    assert found["contact"]["id"] == found["bank_account"]["person_id"] == [PERSON]


def test_the_manifest_has_the_fields_shown_and_no_others() -> None:
    part = TEXT.split("<!-- fields: manifest -->")[1].split("\n\n")[0]
    shown = dict(re.findall(r"^\| `([a-z_0-9]+)` \| ([a-z]+) \|", part, re.MULTILINE))
    assert shown == {name: CBOR[kind] for name, kind in snapshot.MANIFEST.items() if isinstance(kind, type)}


@pytest.mark.parametrize("name", LIMITS)
def test_every_limit_has_its_value(name: str) -> None:
    assert table_row(name, f"{LIMITS[name]:,}")


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", "<about>/<sha256>"), ("GET", "<about>/<sha256>"), ("GET", "<about>")]
)
def test_every_route_of_scans_has_a_line(method: str, path: str) -> None:
    assert table_row(method, f"`/s1/blob/{path}`")


@pytest.mark.parametrize("media_type", blob.MEDIA)
def test_every_kind_of_scan_stands_with_its_beginning(media_type: str) -> None:
    assert table_row(f"`{media_type}`", f"`{blob.MEDIA[media_type].hex()}`")
