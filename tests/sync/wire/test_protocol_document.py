# SPDX-License-Identifier: Apache-2.0
"""docs/protocol.md says what the code does: its bytes are made again here, its codes, routes, fields, tables and limits
are looked up in the code."""

from __future__ import annotations

import re
from hashlib import blake2b
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from schema import events, migrations, tables
from schema.database import Store
from schema.table import Table
from sync import slices
from sync.courier import box, bundle, relay
from sync.equality import buckets, digest
from sync.hub import difference, grant, greeting, life, publish, server
from sync.station import backoff, budget, pace, proof, push_stage, repair, report
from sync.wire import certificate, codec, enrolment, frame, receipt, signed, tokens, transport_http, validator, words
from sync.wire.codec import WireCell

DOCUMENT = Path(__file__).parents[3] / "docs" / "protocol.md"
TEXT = DOCUMENT.read_text(encoding="utf-8")

AUTHORITY, HUB, STATION, OFFICER = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2, 3, 4))
NODE, EPOCH, SITE = "0100-1", bytes([0xE0]) * 16, bytes([0x51]) * 16
PERSON, FACT, CASE = (bytes(range(first, first + 16)) for first in (0xA0, 0xB0, 0xC0))
AT = "2026-11-20T01:00:00.000Z"
DIVISION = {"code": "330683100", "name": "甘霖镇", "level": "township", "parent": "330683"}


def public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


def line(data: bytes, said: str) -> str:
    return f"{data.hex()}  # {said}"


def map_lines(content: dict[str, Any]) -> list[str]:
    """A CBOR map, one line per entry."""
    ordered = sorted(content.items(), key=lambda entry: (len(codec.dump(entry[0])), codec.dump(entry[0])))
    out = [line(codec.dump(content)[:1], f"map of {len(content)}")]
    return out + [line(codec.dump(name) + codec.dump(value), f"{name}: {shown(value)}") for name, value in ordered]


def shown(value: Any) -> str:
    if isinstance(value, bytes):
        return f"{len(value)} bytes" if len(set(value)) != 1 else f"{len(value)} x {value[0]:02x}"
    return repr(value) if isinstance(value, str) else "..." if isinstance(value, dict) else str(value).lower()


def example_certificate() -> list[str]:
    made = certificate.Certificate(
        NODE, public(STATION), SITE, EPOCH, ("county", "330683100", f"node:{NODE}"), "station", "2026-11-19",
        "2027-12-31", 1,
    )  # fmt: skip
    data = certificate.issue(made, AUTHORITY)
    lines = [line(data[:3], "magic S1C"), *map_lines(vars(made) | {"slices": list(made.slices)})]
    return [*lines, line(data[-64:], "signature by the authority")]


def example_fact() -> list[str]:
    fact = events.Fact(
        FACT, NODE, EPOCH, 1, events.GENESIS, "case_withdrawn", 1, CASE, "3001", AT, {"case_id": CASE, "reason": "x"}
    ).signed(OFFICER)
    names = ("id", "origin", "epoch", "seq", "prev", "kind", "version", "subject", "officer", "stated_at", "body")
    values = fact.to_wire()
    parts = [line(codec.dump(v), f"{n}: {shown(v)}") for n, v in zip(names, values, strict=False)]
    assert bytes.fromhex("8b" + "".join(p.split("#")[0] for p in parts)) == fact.content
    return [
        line(b"\x8b", "content: list of 11"), *parts, line(fact.hash, "hash = SHA-256 of the content"),
        line(fact.signature, "signature by the officer over the hash"),
    ]  # fmt: skip


def edit() -> bytes:
    """A telephone number changed at the station, on hub state 40."""
    cell = WireCell("contact", PERSON, "phone", "13900000001", 2, 1, 40)
    header = frame.Header(
        NODE, "hub", EPOCH, "reg", "", frame.PUSH, 1, events.GENESIS, 0, 7, False, migrations.SCHEMA_VERSION, 1, AT
    )
    return frame.build(header, {"cells": codec.pack_cells([cell]), "conflicts": []}, STATION)


def example_frame() -> list[str]:
    data = edit()
    end = 8 + int.from_bytes(data[4:8], "big")
    opened = frame.open_frame(data, public(STATION))
    assert data[3] == frame.PLAIN, "small enough that compression gains nothing, so no library's zlib shows here"
    block = opened.content["cells"]["contact"]
    name, *columns = block["c"][0]
    said = ("row steps", "values", "col_version", "causal length", "base")
    return [
        line(data[:2], "magic"), line(data[2:3], "version 1"), line(data[3:4], "compression 0: none"),
        line(data[4:8], f"header length {end - 8}"), *map_lines(codec.load(data[8:end])),
        line(data[end : end + 1], "payload: map of 2"), line(codec.dump("cells"), "cells"),
        line(b"\xa1", "map of 1"), line(codec.dump("contact"), "table"), line(b"\xa2", "map of 2"),
        line(codec.dump("c") + b"\x81\x86", "c: list of one column, which is a list of 6"),
        line(codec.dump(name), name),
        *(line(codec.dump(c), f"{what} {c}") for c, what in zip(columns, said, strict=True)),
        line(codec.dump("id") + codec.dump(block["id"]), "id: the ids joined, here one"),
        line(codec.dump("conflicts") + b"\x80", "conflicts: none"), line(data[-64:], "signature by the station"),
    ]  # fmt: skip


def example_receipt() -> list[str]:
    refused = (receipt.Refused.of(f"contact/{PERSON.hex()}", "not_in_slice"),)
    said = receipt.Receipt(NODE, EPOCH, "reg", 1, frame.hash_of(edit()), 0, 0, 0, refused, AT)
    data = receipt.write(said, HUB)
    content = codec.load(data[3:-64])
    return [line(data[:3], "magic S1R"), *map_lines(content), line(data[-64:], "signature by the hub")]


def example_digest() -> list[str]:
    row = [{**DIVISION, "rev": 1}.get(name) for name in tables.TABLES["division"].names]
    bucket = digest.bucket_of_key(["330683100"])
    content = codec.dump(["division", [row]])
    place, number = bucket % 64, bucket // 64
    group = bytes(16 * place) + hashed(content) + bytes(16 * (63 - place))
    empty = hashed(bytes(1024))
    groups = [hashed(group) if n == number else empty for n in range(64)]
    return [
        line(codec.dump(["330683100"]), "key"), line(hashed(codec.dump(["330683100"])), f"its hash: bucket {bucket:,}"),
        line(content, "the bucket's only table with its only row"), line(hashed(content), f"hash of bucket {bucket:,}"),
        line(groups[number], f"hash of group {number}: {place} x 16 zero bytes, it, {63 - place} x 16 zero bytes"),
        line(empty, "hash of each other group: 1,024 zero bytes"),
        line(hashed(b"".join(groups)), "digest: of the 64 groups"),
    ]  # fmt: skip


def hashed(data: bytes) -> bytes:
    return blake2b(data, digest_size=digest.DIGEST_BYTES).digest()


def example_bundle() -> list[str]:
    sink = BytesIO()
    one_time = X25519PrivateKey.from_private_bytes(bytes([5]) * 32)
    to = {"recipient": "hub", "recipient_public": public(HUB)}
    sealer = box.Sealer(sink, sender=NODE, key=STATION, one_time=one_time, **to)  # type: ignore[arg-type]
    state: dict[str, Any] = {"acked": {}, "furthest": 0, "after": {}, "complete": {}, "digests": {}}
    writer = bundle.Writer(sealer, bundle.Header(FACT, NODE, "hub", EPOCH, AT, b"", state, ""))
    writer.add(bundle.HELLO, b"")
    writer.close(frames={})
    data, stated = sink.getvalue(), box.address(sink)
    (head, _), (hello, _), (end, _) = members = list(bundle.members(sink, stated, HUB))
    assert (head, hello, end) == (bundle.HEADER, bundle.HELLO, bundle.END)
    first, last = codec.load(members[0][1]), codec.load(members[2][1])
    return [
        line(data[:3], "magic"), line(data[3:4], "version 1"), line(data[4:6], f"header length {stated.start - 6}"),
        *map_lines(codec.load(data[6 : stated.start])),
        line(data[stated.start : stated.end], f"segment 0, the last; nonce {'00' * 11}01"),
        line(data[-64:], "signature by the station"),
        "# in the segment:",
        line(b"\x01" + len(members[0][1]).to_bytes(4, "big"), "HEADER"), *map_lines(first),
        line(b"\x02" + bytes(4), "HELLO, here empty"),
        line(b"\x06" + len(members[2][1]).to_bytes(4, "big"), "END"), *map_lines(last),
    ]  # fmt: skip


EXAMPLES = {
    "certificate": example_certificate, "fact": example_fact, "frame": example_frame, "receipt": example_receipt,
    "digest": example_digest, "bundle": example_bundle,
}  # fmt: skip


def shown_in_document(name: str) -> list[str]:
    found = re.search(rf"```text {name}\n(.*?)\n```", TEXT, re.DOTALL)
    return found[1].splitlines() if found else []


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_what_the_code_makes(name: str) -> None:
    assert shown_in_document(name) == EXAMPLES[name]()


def test_the_frame_and_the_receipt_of_the_document_can_be_opened() -> None:
    def data(name: str) -> bytes:
        return bytes.fromhex("".join(shown.split("#")[0].strip() for shown in shown_in_document(name)))

    opened = frame.open_frame(data("frame"), public(STATION))
    got = receipt.read(data("receipt"), public(HUB))

    assert got.hash == opened.hash
    assert [c.value for c in codec.unpack_cells(opened.content["cells"])] == ["13900000001"]


def test_the_hub_computes_the_digest_of_the_document(hub_store: Store) -> None:
    with publish.transaction(hub_store) as pub:
        pub.put("division", DIVISION)
    with hub_store.read() as db:
        assert digest.of_hub(db, ("county",)).hex() == shown_in_document("digest")[-1].split()[0]


def test_the_digest_of_cells_is_as_the_document_says(hub_store: Store) -> None:
    """The recipe of the document for a registry table, written here a second time."""
    person = {"id": PERSON, "id_number": "330683195501010011", "name": "甲", "sex": "1", "birth_on": "1955-01-01",
              "village": "330683100201", "life_status": "1"}  # fmt: skip
    with publish.transaction(hub_store) as pub:
        pub.put("person", person)
        pub.cells("contact", PERSON, {"phone": "13900000001"})
    with publish.transaction(hub_store) as pub:
        pub.cells("contact", PERSON, {"phone": "13900000002"})
    with hub_store.read() as db:
        rev = db.execute("SELECT rev FROM person").fetchone()[0]
    contact: list[Any] = [PERSON, "13900000002", None, None, None, None, "1:1 2:1 3:1 4:1 0:2"]
    row = [{**person, "rev": rev}.get(c) for c in tables.TABLES["person"].names]
    bucket = hashed(codec.dump(["contact", [contact]]) + codec.dump(["person", [row]]))
    place = int.from_bytes(PERSON[:2], "big") // 16
    hashes = [bucket if n == place else bytes(16) for n in range(4096)]
    groups = [hashed(b"".join(hashes[n : n + 64])) for n in range(0, 4096, 64)]
    with hub_store.read() as db:
        assert digest.of_hub(db, ("330683100",)) == hashed(b"".join(groups))


# --- words ------------------------------------------------------------------------------------------------------

ENROLMENT_CODES = {"enrol_malformed", "enrol_unknown", "enrol_code", "enrol_expired", "enrol_used"}


CODES = TEXT.partition("## 12.")[2].partition("\n## ")[0]


def table_row(*first: str, part: str = TEXT) -> str:
    """A line of a table of the document that begins with these cells; '' when there is none."""
    start = "| " + " | ".join(first) + " |"
    return next((found for found in part.splitlines() if found.startswith(start)), "")


@pytest.mark.parametrize("code", sorted(set(words.WORDS) | ENROLMENT_CODES))
def test_every_code_has_a_line_with_its_meaning_and_what_to_do(code: str) -> None:
    cells = table_row(f"`{code}`", part=CODES).split("|")
    assert len(cells) == 6 and all(cell.strip() for cell in cells[1:-1])


def test_no_code_is_explained_that_does_not_exist() -> None:
    assert set(re.findall(r"^\| `([a-z_]+)` \|", CODES, re.MULTILINE)) == set(words.WORDS) | ENROLMENT_CODES


@pytest.mark.parametrize("code", server.STATUS)
def test_statuses_are_the_servers(code: str) -> None:
    assert str(server.STATUS[code]) in table_row(f"`{code}`", part=CODES)


SHAPES = {
    "frame": frame.HEADER, "hello": greeting.HELLO, "welcome": greeting.WELCOME, "receipt": receipt._SHAPE,
    "certificate": certificate._SHAPE, "enrolment": enrolment._SHAPE, "bundle header": bundle.HEADER_SHAPE,
    "bundle end": bundle.END_SHAPE, "rebase": grant.ASK, "grant": grant.GRANT,
}  # fmt: skip
CBOR = {str: "text", bytes: "bytes", int: "int", bool: "bool", list: "list", dict: "map"}


@pytest.mark.parametrize(("shape", "name"), [(s, n) for s, fields in SHAPES.items() for n in fields])
def test_every_field_of_every_signed_map_stands_with_its_type(shape: str, name: str) -> None:
    part = TEXT.split(f"<!-- fields: {shape} -->")[1].split("\n\n")[0]
    kind = SHAPES[shape][name]
    assert isinstance(kind, type)
    assert f"| `{name}` | {CBOR[kind]} |" in part


@pytest.mark.parametrize("shape", SHAPES)
def test_no_field_stands_there_that_the_code_does_not_know(shape: str) -> None:
    part = TEXT.split(f"<!-- fields: {shape} -->")[1].split("\n\n")[0]
    assert set(re.findall(r"^\| `([a-z_0-9]+)` \|", part, re.MULTILINE)) == set(SHAPES[shape])


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/s1/enrol"), ("POST", "/s1/hello"), ("POST", "/s1/rebase"),
        ("PUT", "/s1/chunk/<node>/<epoch hex>/<chan>/<n>"), ("GET", "/s1/feed/<slice>"),
        ("GET", "/s1/digest/<slices>"), ("GET", "/s1/buckets/<slices>"), ("GET", "/s1/rows/<slices>"),
        ("GET", "/s1/snapshot/<slices>"), ("GET", "/s1/snapshot/<slices>/<sha256>"),
    ],
)  # fmt: skip
def test_every_route_has_a_line(method: str, path: str) -> None:
    assert table_row(method, f"`{path}`")


def test_the_server_routes_no_more_than_that(world: Any) -> None:
    gets = ("feed", "digest", "buckets", "rows", "snapshot", "blob")
    posts = ("hello", "rebase", "courier")
    known = {("PUT", "chunk"), ("PUT", "blob"), *(("POST", name) for name in posts), *(("GET", name) for name in gets)}
    answered = {
        (method, name)
        for method in ("GET", "POST", "PUT")
        for name in (*posts, "chunk", *gets, "enrol", "ctl")
        for length in range(7)
        if world.request(method, "/".join(["/s1", name, *"x" * length])).status != 404
    }
    assert answered == known


LIMITS = {
    "frame": frame.MAX_FRAME, "header": frame.MAX_HEADER, "payload, compressed": frame.MAX_PAYLOAD,
    "payload, expanded": frame.MAX_RAW, "what a sender puts into one frame, before compression": frame.RAW_BUDGET,
    "cells in a frame": codec.MAX_CELLS, "CBOR items in one map or payload": codec.MAX_ITEMS,
    "CBOR depth": codec.MAX_DEPTH, "facts in a pushed frame": receipt.MAX_LISTED,
    "refusals listed in a receipt": receipt.MAX_LISTED, "body of a fact": events.BODY_LIMIT,
    "signed map": signed.LIMIT, "enrolment request": enrolment.LIMIT, "col_version": validator.MAX_COL_VERSION,
    "causal length": validator.MAX_CAUSAL_LENGTH, "col_version above the hub's": validator.MAX_VERSION_JUMP,
    "`upto` or fact number above the last": validator.MAX_STEP, "page, smallest `max`": server.MIN_PAGE,
    "page, largest `max`": server.MAX_PAGE, "token, seconds": int(tokens.LIFETIME.total_seconds()),
    "hold of a frame refused as a whole, hours": int(push_stage.HOLD.total_seconds() / 3600),
    "bundle": box.MAX_FILE, "header of a box": box.MAX_HEADER,
    "bundle carried by a neighbour": bundle.CARRIED_MAX_BYTES, "what its sender aims at": bundle.CARRIED_AIM_BYTES,
    "stations a neighbour carries for": relay.MAX_SENDERS,
    "bundles and answers kept by a neighbour, days": relay.KEPT.days, "segment": box.SEGMENT_BYTES,
    "request, smallest aim": pace.MIN_SIZE, "request, first aim": pace.START_SIZE,
    "request, largest aim": pace.MAX_SIZE, "silence allowed, seconds": int(pace.SILENCE_S),
    "slowest rate believed": int(pace.SLOWEST_BYTES_PER_S), "time to connect, seconds": int(transport_http.CONNECT_S),
    "longest answer, seconds": int(transport_http.LONGEST_S),
    "`Retry-After` kept at most, seconds": report.LONGEST_WAIT_S,
    "granted per hour unless configured": budget.GRANTED_BYTES_PER_HOUR,
    "counted around each request": budget.AROUND_BYTES,
    "members of a bundle": bundle.MAX_MEMBERS, "HEADER and END of a bundle": bundle.LIMITS[bundle.END],
    "back-off, longest, seconds": int(backoff.LONGEST_S), "groups of a digest": digest.GROUPS,
    "buckets of a digest": digest.BUCKETS, "groups asked for at once": difference.GROUPS_ASKED,
    "buckets asked for at once": difference.BUCKETS_ASKED, "repairs before a pause": proof.REPAIRS,
    "pages of a repair in one session": repair.PAGES_IN_A_SESSION,
    "pause after repairs that did not help, hours": int(proof.TRIED_AGAIN_AFTER.total_seconds() / 3600),
    "digest from all rows at least every, days": buckets.FULL_EVERY.days,
    "new lives without a person, in 24 hours": grant.MAX_A_DAY, "lives listed in a question": grant.MAX_LIVES,
    "jump of the feed's number after a restore": life.JUMP,
    "renewal before the certificate's end, days": enrolment.RENEW_BEFORE.days,
    "schema": migrations.SCHEMA_VERSION, "oldest schema": greeting.MIN_SCHEMA,
}  # fmt: skip


@pytest.mark.parametrize("name", LIMITS)
def test_every_limit_has_its_value(name: str) -> None:
    assert table_row(name, f"{LIMITS[name]:,}")


@pytest.mark.parametrize("kind", events.KINDS)
def test_every_kind_of_fact_has_its_version_and_side(kind: str) -> None:
    version, side, _ = events.KINDS[kind]
    assert table_row(f"`{kind}`", str(version), side)


def table_line(table: Table) -> str:
    """A travelling table as the document lists it: `!` required, `*` a station may write it."""

    def column(c: Any) -> str:
        size = f"({c.limit})" if c.type in ("text", "blob") else ""
        marks = ("!" if c.required or c.name in table.key else "") + ("*" if c.nodes_write else "")
        return f"{c.name} {c.type}{size}{marks}"

    columns = ", ".join(column(c) for c in table.columns)
    return f"| `{table.name}` | {slices.family_of_table(table.name)} | {', '.join(table.key)} | {columns} |"


@pytest.mark.parametrize("name", [t.name for t in (*tables.REGISTRY, *tables.REFERENCE)])
def test_every_travelling_table_stands_column_by_column(name: str) -> None:
    assert table_line(tables.TABLES[name]) in TEXT.splitlines()
