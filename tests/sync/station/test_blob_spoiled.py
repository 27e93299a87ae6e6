# SPDX-License-Identifier: Apache-2.0
"""Scans that something damaged: the line's doing is made good, the disk's is told."""

from __future__ import annotations

from typing import Any

import pytest

from schema import ids
from sync.hub import publish
from sync.station import blob, session
from sync.wire.transport import Response

JPEG = b"\xff\xd8\xff" + bytes(i * 7 % 251 for i in range(9_000))
AT = "2026-11-20T01:00:00.000Z"


@pytest.fixture
def scanned(world: Any, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, bytes, bytes]:
    """(station, case, hash) of a scan of several ranges that waits for the line; the hub knows the case."""
    monkeypatch.setattr(session, "PAGE_BYTES", 2048)
    station, case = world.station(), ids.new_id()
    state = {"case_id": case, "station": station.name, "service": "x", "receipt_no": "1", "state": "received"}
    with publish.transaction(world.hub) as pub:
        pub.put("case_state", state | {"received_at": AT})
    with station.store.write() as db:
        return station, case, blob.keep(db, JPEG, "image/jpeg", case, AT)


class Flips:
    """A line that changes one byte of the first range that holds any of a scan."""

    def __init__(self, inner: Any, place: int) -> None:
        self.inner, self.place, self.done = inner, place, False

    def request(self, method: str, path: str, query: Any, headers: Any, body: bytes) -> Response:
        if path.startswith("/s1/blob/") and body and not self.done:
            body, self.done = body[: self.place] + bytes([body[self.place] ^ 1]) + body[self.place + 1 :], True
        return self.inner.request(method, path, query, headers, body)  # type: ignore[no-any-return]


@pytest.mark.parametrize("place", [0, 1000])
def test_a_scan_that_the_line_spoiled_is_sent_again(world: Any, scanned: Any, place: int) -> None:
    station, case, hash_ = scanned
    station.sync(Flips(world.transport(), place))
    for _ in range(6):
        station.sync()
    with world.hub.read() as db:
        assert blob.read(db, case, hash_) == ("image/jpeg", JPEG)
    assert station.rows("SELECT code FROM refusal") == []


def test_a_scan_that_is_spoiled_here_is_refused_once_and_told(scanned: Any) -> None:
    station, _case, _hash = scanned
    with station.store.write() as db:
        db.execute("UPDATE blob_part SET data = zeroblob(length(data))")
    for _ in range(6):
        station.sync()
    assert station.rows("SELECT code FROM refusal") == [("blob_type",)]
