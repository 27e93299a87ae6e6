# SPDX-License-Identifier: Apache-2.0
"""The hub's side of first loads: made once for many, served by ranges, only to those who hold the slices."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from schema.errors import BadFrame, BadSignature
from sync.equality import digest
from sync.hub import publish
from sync.snapshot import making as snapshot
from sync.wire import codec, signed, tokens
from sync.wire.transport import Response
from tests.sync.county import TOWNSHIP, World
from tests.sync.rich import settle

OTHER = "330683101"


@pytest.fixture(autouse=True)
def few_rows_are_worth_a_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "LEAST_ENTRIES", 30)


class Asker:
    """A station's requests with its token."""

    def __init__(self, world: World, station: Any) -> None:
        self.world = world
        token = tokens.issue(b"token secret of this test", station.name, station.epoch, world.clock.now())
        self.headers = {"authorization": f"Bearer {token}"}

    def get(self, path: str, **query: str) -> Response:
        return self.world.request("GET", f"/s1/snapshot/{path}", query, headers=self.headers)

    def manifest(self, path: str = TOWNSHIP) -> snapshot.Manifest:
        return snapshot.read_manifest(self.get(path).body, self.world.hub_public)

    def code(self, path: str, **query: str) -> tuple[int, str]:
        answer = self.get(path, **query)
        return answer.status, json.loads(answer.body)["code"]


@pytest.fixture
def asker(world: World) -> Asker:
    asker = Asker(world, world.station())
    settle(world)
    return asker


def test_the_manifest_says_what_it_is(world: World, asker: Asker) -> None:
    manifest = asker.manifest()
    with world.hub.read() as db:
        assert manifest.digest == digest.of_hub(db, (TOWNSHIP,))
        assert manifest.head == publish.head(db)
    assert manifest.slices == (TOWNSHIP,)
    assert manifest.counts["person"] == world.rows("SELECT count(*) FROM person")[0][0]
    with pytest.raises(BadSignature):
        snapshot.read_manifest(asker.get(TOWNSHIP).body, bytes(32))


def test_ranges_of_any_size_make_up_the_whole(asker: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "PART_BYTES", 1000)
    manifest = asker.manifest()
    path = f"{TOWNSHIP}/{manifest.sha256.hex()}"
    for step in (2048, 2500, 100_000):
        data = b""
        while len(data) < manifest.size:
            got = asker.get(path, **{"from": str(len(data)), "max": str(step)}).body
            assert 0 < len(got) <= step
            data += got
        assert (sha256(data).digest(), len(data)) == (manifest.sha256, manifest.size)


def test_one_is_made_for_all_who_hold_the_same_slices(world: World, asker: Asker) -> None:
    second, both = Asker(world, world.station("0100-2")), Asker(world, world.station("0100-3", (TOWNSHIP, OTHER)))
    assert asker.manifest() == second.manifest()
    assert both.manifest(f"{TOWNSHIP},{OTHER}").slices == (TOWNSHIP, OTHER)
    assert world.rows("SELECT slices FROM snapshot ORDER BY slices") == [(TOWNSHIP,), (f"{TOWNSHIP},{OTHER}",)]


def test_it_survives_a_restart_of_the_hub(world: World, asker: Asker) -> None:
    manifest = asker.manifest()
    again = snapshot.Snapshots(world.hub, world.hub_key, world.clock)
    assert again.manifest((TOWNSHIP,), "0100-1") == asker.get(TOWNSHIP).body
    assert again.part((TOWNSHIP,), manifest.sha256, 0, 10**6)


def test_where_the_feed_is_short_there_is_none(world: World) -> None:
    asker = Asker(world, world.station())
    world.person()
    assert asker.code(TOWNSHIP) == (404, "no_snapshot")
    assert asker.code("county") == (404, "no_snapshot")


def test_few_changes_leave_it_many_make_another(world: World, asker: Asker) -> None:
    first = asker.manifest()
    world.person()
    assert asker.manifest() == first
    settle(world, 20, seed=3)
    second = asker.manifest()
    assert second.head > first.head
    assert asker.get(f"{TOWNSHIP}/{first.sha256.hex()}", **{"from": "0", "max": "9999"}).status == 200


def feed_entry(world: World, op: int) -> None:
    """What the feed says when a row goes."""
    with world.hub.write() as db:
        db.execute("UPDATE feed_head SET seq = seq + 1")
        row = db.execute("SELECT pk FROM slice_feed WHERE tbl = 'account' LIMIT 1").fetchone()
        db.execute(
            "UPDATE slice_feed SET op = ?, seq = (SELECT seq FROM feed_head) WHERE tbl = 'account' AND pk = ?",
            (op, row[0]),
        )


def test_who_left_since_is_in_none_that_is_begun_now(world: World, asker: Asker) -> None:
    first = asker.manifest()
    feed_entry(world, publish.LEAVE)
    assert asker.manifest().head > first.head


def test_what_was_erased_is_not_sent_even_to_those_half_way(world: World, asker: Asker) -> None:
    first = asker.manifest()
    path, whole = f"{TOWNSHIP}/{first.sha256.hex()}", {"from": "0", "max": "9999"}
    assert asker.get(path, **whole).status == 200
    feed_entry(world, publish.DELETED)
    assert asker.code(path, **whole) == (404, "snapshot_gone")


def test_after_two_days_or_with_three_newer_ones_it_is_dropped(world: World, asker: Asker) -> None:
    made = [asker.manifest()]
    for seed in range(3):
        settle(world, 20 * (seed + 1), seed=seed + 5)
        made.append(asker.manifest())
    kept = {row[0] for row in world.rows("SELECT sha256 FROM snapshot")}
    assert kept == {m.sha256 for m in made[1:]}
    assert {row[0] for row in world.rows("SELECT DISTINCT sha256 FROM snapshot_part")} == kept
    world.clock.advance(hours=49)
    asker = Asker(world, world.stations[0])
    newest = asker.manifest()
    assert world.rows("SELECT made_at FROM snapshot") == [(newest.made_at,)]
    assert newest.made_at > made[-1].made_at


def test_a_station_gets_its_own_set_of_slices_and_nothing_else(world: World, asker: Asker) -> None:
    manifest = asker.manifest()
    other = Asker(world, world.station("0101-1", (OTHER,)))
    for path in (TOWNSHIP, f"{TOWNSHIP},{OTHER}", "", "node:0100-1", f"county,{TOWNSHIP}"):
        assert other.code(path)[0] in (403, 404), path
    path = f"{TOWNSHIP}/{manifest.sha256.hex()}"
    assert other.code(path, **{"from": "0", "max": "9999"}) == (403, "not_in_slice")
    own = f"{OTHER}/{manifest.sha256.hex()}"
    assert other.code(own, **{"from": "0", "max": "9999"}) == (404, "snapshot_gone")
    assert world.request("GET", f"/s1/snapshot/{TOWNSHIP}").status == 401


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"from": "-1", "max": "9"}, (400, "address")), ({"from": "0"}, (400, "address")),
        ({"from": "0", "max": "x"}, (400, "address")), ({"from": "99999999", "max": "9"}, (404, "snapshot_gone")),
    ],
)  # fmt: skip
def test_a_bad_range_is_refused(asker: Asker, query: dict[str, str], expected: tuple[int, str]) -> None:
    assert asker.code(f"{TOWNSHIP}/{asker.manifest().sha256.hex()}", **query) == expected


def test_a_hash_that_is_none_is_refused(asker: Asker) -> None:
    for name in ("x" * 64, "00", "AA" * 32):
        assert asker.code(f"{TOWNSHIP}/{name}", **{"from": "0", "max": "9"}) == (400, "address")
    assert asker.code(f"{TOWNSHIP}/{'00' * 32}", **{"from": "0", "max": "9"}) == (404, "snapshot_gone")


def test_who_would_wait_too_long_for_another_one_comes_again_later(
    world: World, asker: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "WAIT_S", 0.01)
    with world.server._snapshots._making:
        answer = asker.get(TOWNSHIP)
    assert (answer.status, answer.headers["retry-after"]) == (503, "30")
    assert asker.get(TOWNSHIP).status == 200


GOOD = {
    "slices": [TOWNSHIP], "head": 1, "size": 9, "sha256": bytes(32), "counts": {"person": 1}, "digest": bytes(16),
    "schema": 1, "made_at": "2026-11-20T01:00:00.000Z",
}  # fmt: skip
ANY = st.one_of(
    st.none(), st.integers(), st.binary(max_size=33), st.text(max_size=3), st.lists(st.integers(), max_size=2)
)


@given(name=st.sampled_from(sorted(GOOD)), value=st.one_of(ANY, st.dictionaries(st.text(max_size=2), ANY, max_size=2)))
def test_a_manifest_of_any_other_form_is_refused_and_nothing_else(name: str, value: Any) -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    public = key.public_key().public_bytes_raw()
    assert snapshot.read_manifest(signed.seal(signed.MANIFEST, GOOD, key), public).size == 9
    try:
        data = signed.seal(signed.MANIFEST, GOOD | {name: value}, key)
    except (UnicodeEncodeError, codec.cbor2.CBOREncodeError):
        return
    try:
        manifest = snapshot.read_manifest(data, public)
    except BadFrame:
        return
    assert type(getattr(manifest, name)) in (type(GOOD[name]), tuple)


def test_one_too_large_for_a_station_is_refused_before_it_is_fetched() -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    data = signed.seal(signed.MANIFEST, GOOD | {"size": snapshot.MAX_BYTES + 1}, key)
    with pytest.raises(BadFrame):
        snapshot.read_manifest(data, key.public_key().public_bytes_raw())
