# SPDX-License-Identifier: Apache-2.0
"""One input against a real hub and a real station: bytes in, an answer out, every promise checked.

The first byte says how deep the input reaches: as bytes off the line, as the content of a properly signed frame, or as
well-formed cells and facts with hostile values in them. So nothing hides behind the signature.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from schema import crsqlite, tables
from schema.events import HUB
from sync.hub import inbox
from sync.station import pull
from sync.station.conversation import Conversation
from sync.station.pull_stage import PullStage
from sync.wire import codec, frame, receipt, signed, tokens
from sync.wire.codec import WireCell
from sync.wire.transport import InProcess, Request, Response
from tests.fuzz.reader import Reader
from tests.sync.county import Station, World
from tests.sync.forging import bytes_of, fact

TOKEN_SECRET = b"token secret of this test"
# Answers of a hub that refused: anything else than these and 200 is a fault of the hub.
REFUSED = (400, 401, 403, 404, 409, 413, 426)
PERSONS = 6
# What a station notes whatever comes: refusals, what the line did, what the hour cost.
NOTES = ("refusal", "link", "traffic")


class Broken(AssertionError):
    """A promise that did not hold."""


class Target:
    """A hub, a station and six persons; every input meets the database as the inputs before it left it."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder, InProcess)
        self.station: Station = self.world.station()
        self.persons = [self.world.person(phone=f"1380000000{n}") for n in range(PERSONS)]
        self.station.sync()
        self.counts: Counter[str] = Counter()
        self._ways: tuple[Callable[[Reader], None], ...] = (
            self._raw_frame, self._raw_content, self._cells, self._cells, self._facts, self._header, self._hello,
            self._page,
        )  # fmt: skip

    def close(self) -> None:
        self.world.close()

    def one(self, data: bytes) -> None:
        """Raises Broken when a promise did not hold."""
        reader = Reader(data)
        self._ways[reader.below(len(self._ways))](reader)
        self.counts["inputs"] += 1

    # --- what a station, or somebody with its key, may send ------------------------------

    def _raw_frame(self, reader: Reader) -> None:
        self._push(reader.pick(("evt", "reg", "ctl")), reader.rest())

    def _raw_content(self, reader: Reader) -> None:
        channel, packed = reader.pick(("evt", "reg", "ctl")), reader.bool()
        self._push(channel, self._frame(channel, reader.rest(), packed=packed))

    def _header(self, reader: Reader) -> None:
        """Honest content; one field of the header is what the input says."""
        content = codec.dump({"facts": []})
        field = reader.pick(sorted(frame.HEADER))
        self._push("evt", self._frame("evt", content, **{"items": 0, field: reader.value()}))

    def _cells(self, reader: Reader) -> None:
        cells = [self._cell(reader) for _ in range(1 + reader.below(6))]
        try:
            content = codec.dump({"cells": codec.pack_cells(cells), "conflicts": self._conflicts(reader)})
        except (TypeError, ValueError, OverflowError, UnicodeError):
            return
        rows = len({(c.table, c.row_id) for c in cells})
        self._push("reg", self._frame("reg", content, items=rows))

    def _cell(self, reader: Reader) -> WireCell:
        declared = tables.REGISTRY[0]
        return WireCell(
            reader.mostly(declared.name),
            reader.mostly(reader.pick(self.persons)),
            reader.mostly(reader.pick(declared.names)),
            reader.mostly("13900000001"),
            reader.mostly(2),
            reader.mostly(1),
            reader.mostly(0),
        )

    def _conflicts(self, reader: Reader) -> list[Any]:
        return [reader.value() for _ in range(reader.below(2))]

    def _facts(self, reader: Reader) -> None:
        made = fact(self.station).to_wire()
        made[reader.below(len(made))] = reader.value()
        content = {"facts": [reader.mostly(made)]}
        self._push("evt", self._frame("evt", codec.dump(content), items=1))

    def _hello(self, reader: Reader) -> None:
        said = {
            "certificate": self.station.certificate, "epoch": self.station.epoch, "site": self.station.site,
            "nonce": bytes(16), "unsent": 0, "at": [0] * 9, "schema": 1, "node_time": "2026-11-20T01:00:00.000Z",
            "rules": "", "rules_waiting": "", "numbers_wanted": 0,
        }  # fmt: skip
        said[reader.pick(sorted(said))] = reader.value()
        body = signed.seal(signed.HELLO, said, self.station.key)
        self._ask(Request("POST", "/s1/hello", {}, {}, reader.mostly_bytes(body)))

    # --- what a hub with a fault may send ------------------------------

    def _page(self, reader: Reader) -> None:
        channel = reader.pick(("evt", "ref", "reg"))
        content = self._page_content(reader, channel)
        slice_ = self.station.slices[1]
        with self.station.store.read() as db:
            after = pull.cursor(db, slice_, channel)
        header = frame.Header(
            HUB, self.station.name, self.station.epoch, channel, slice_, frame.PULL, 0, bytes(32), after, after + 1,
            False, 1, 1, "2026-11-20T01:00:00.000Z",
        )  # fmt: skip
        before = self._station_rows()
        page = _sealed(header, content, False, self.world.hub_key)
        talk = Conversation(
            self.station.store, self.station.key, self.station.certificate, self.world.hub_public, _Says(page),
            self.world.clock, lambda stage, done: None,
        )  # fmt: skip
        PullStage(talk, lambda db, fact: None, lambda: None).run(slice_, channel, frame.RAW_BUDGET)
        self.counts["pages refused" if talk.problem else "pages taken"] += 1
        if talk.problem and self._station_rows() != before:
            raise Broken(f"a refused page ({talk.problem.code}) changed the station")
        self._check_database(self.station.rows)

    def _page_content(self, reader: Reader, channel: str) -> bytes:
        if reader.bool():
            return reader.rest()
        cells = codec.pack_cells(
            [WireCell("contact", reader.pick(self.persons), "phone", reader.value(), reader.mostly(3), 1, 0)]
        ) if channel == "reg" else {}  # fmt: skip
        content = {
            "evt": {"facts": [reader.value()], "gone": []},
            "ref": {"rows": {"division": {"c": ["code", reader.mostly("name")], "v": [["1"], [reader.value()]]}}},
            "reg": {"cells": cells, "sites": [bytes(16)], "gone": reader.mostly([])},
        }[channel]
        try:
            return codec.dump({"gone": []} | content)
        except (TypeError, ValueError, OverflowError, UnicodeError):
            return b""

    # --- delivery and promises ------------------------------

    def _frame(self, channel: str, content: bytes, *, packed: bool = False, **fields: Any) -> bytes:
        last = self._known(channel)
        header = frame.Header(
            self.station.name, HUB, self.station.epoch, channel, "", frame.PUSH, last.n + 1, last.hash, last.upto,
            last.upto, False, 1, fields.pop("items", 1), "2026-11-20T01:00:00.000Z",
        )  # fmt: skip
        return _sealed(header, content, packed, self.station.key, **fields)

    def _known(self, channel: str) -> inbox.Known:
        with self.world.hub.read() as db:
            return inbox.known(db, self._node(), channel)

    def _node(self) -> inbox.Node:
        s = self.station
        return inbox.Node(s.name, s.epoch, s.key.public_key().public_bytes_raw(), s.site, s.slices)

    def _push(self, channel: str, body: bytes) -> None:
        n = self._known(channel).n + 1
        path = f"/s1/chunk/{self.station.name}/{self.station.epoch.hex()}/{channel}/{n}"
        token = tokens.issue(TOKEN_SECRET, self.station.name, self.station.epoch, self.world.clock.now())
        response = self._ask(Request("PUT", path, {}, {"authorization": f"Bearer {token}"}, body))
        if response.status == 200:
            said = receipt.read(response.body, self.world.hub_public)
            self.counts["frames taken"] += 1
            self.counts["items applied"] += said.applied
            for one in said.refused:
                self.counts[f"item {one.code}"] += 1
            self._check_database(self.world.rows)

    def _ask(self, request: Request) -> Response:
        before = bytes_of(self.world)
        response = self.world.server.handle(request)
        if response.status == 200:
            return response
        if response.status not in REFUSED:
            raise Broken(f"{request.path} was answered {response.status}: {response.body[:100]!r}")
        self.counts[f"refused {response.status}"] += 1
        if bytes_of(self.world) != before:
            raise Broken(f"a refused request ({response.status}) changed the hub's file")
        return response

    def _station_rows(self) -> bytes:
        """A hash over every row of the station but its notes of the line and of what was refused."""
        whole = sha256()
        for (name,) in self.station.rows("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"):
            if name not in NOTES:
                whole.update(repr((name, self.station.rows(f"SELECT * FROM {name}"))).encode())
        return whole.digest()

    def _check_database(self, rows: Callable[..., list[tuple[Any, ...]]]) -> None:
        """No bad row, no version that stops a clock, nothing half there."""
        declared = tables.REGISTRY[0]
        for row in rows(f"SELECT {', '.join(declared.names)} FROM {declared.name}"):
            wrong = [c.name for c, value in zip(declared.columns, row, strict=True) if c.accepts(value)]
            if [name for name in wrong if name != "phone"]:
                raise Broken(f"a bad value stands in {wrong}")
        top = rows(
            "SELECT max(col_version), max(db_version), max(length(id)), min(length(id)) "
            "FROM contact__crsql_clock JOIN contact__crsql_pks ON __crsql_key = key"
        )[0]
        if top[0] > 10**6 or top[1] > 2**40 or top[2:] != (16, 16):
            raise Broken(f"versions or ids out of bounds: {top}")
        loose = rows(
            "SELECT count(*) FROM contact c WHERE NOT EXISTS (SELECT 1 FROM contact__crsql_pks p "
            "JOIN contact__crsql_clock k ON k.key = p.__crsql_key WHERE p.id = c.id)"
        )[0][0]
        if loose:
            raise Broken(f"{loose} rows without a clock")
        for store in (self.world.hub, self.station.store):
            crsqlite.assert_tracking(store.connection())


class _Says:
    """A line on which the hub answers everything with one body."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def request(self, *asked: Any) -> Response:
        return Response(200, {}, self._body)


def _sealed(header: frame.Header, content: bytes, packed: bool, key: Any, **fields: Any) -> bytes:
    """A properly signed frame around any content, with any header fields."""
    payload = zlib.compress(content) if packed else content
    head = {("from" if name == "first" else name): value for name, value in vars(header).items()}
    head |= {"raw_len": len(content), "payload_sha256": sha256(payload).digest()} | fields
    try:
        packed_head = codec.dump(head)
    except (TypeError, ValueError, OverflowError, UnicodeError):
        packed_head = b"\xa0"
    body = frame.MAGIC + bytes((frame.VERSION, frame.ZLIB if packed else frame.PLAIN))
    body += len(packed_head).to_bytes(4, "big") + packed_head + payload
    return bytes(body + key.sign(body))
