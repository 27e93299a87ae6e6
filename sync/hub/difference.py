# SPDX-License-Identifier: Apache-2.0
"""Hub: is what a station holds what it should hold, and where not, in which buckets, and what belongs there.

Three questions, each about slices the station holds and only while nothing newer lies in their feeds: are these digests
yours; which hashes have your groups, or the buckets of some; the whole rows of some buckets. A station that differs is
an incident here too, whatever comes of it: a hub that is told nothing could not tell one bad disk from a bad program.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schema import crsqlite, migrations
from schema.clock import Clock, stamp
from schema.crsqlite import Cell
from schema.database import Store
from schema.errors import RefusedByPeer
from schema.events import GENESIS, HUB
from sync import slices
from sync.equality import digest, incidents
from sync.equality.buckets import AtHub
from sync.equality.digest import Scope
from sync.hub import feed
from sync.hub.inbox import Node
from sync.wire import codec, frame
from sync.wire.words import words

GROUPS_ASKED = 16
BUCKETS_ASKED = 256
SLICE_PREFIX = "digest:"
_NUMBERS = re.compile(r"[0-9]{1,4}(?:,[0-9]{1,4})*", re.ASCII)


class Differences:
    """Answers stations about their digests."""

    def __init__(self, store: Store, hub_key: Ed25519PrivateKey, clock: Clock) -> None:
        self._store, self._hub_key, self._clock = store, hub_key, clock
        self._kept = AtHub(store)

    def verdict(self, node: Node, wanted: list[str], query: Mapping[str, str]) -> dict[str, Any]:
        """Whether the digests `mine` (one per family, joined by dots) of a station that stands at `at` are right.

        Raises RefusedByPeer.
        """
        if sorted(wanted) != sorted(node.slices) or not _is_number(query.get("at", "")):
            raise _refused("not_in_slice")
        now, at = self._clock.now(), int(query["at"])
        found = {family: self._kept.of(held, now) for family, held in digest.families(wanted).items()}
        if any(one.last > at for one in found.values()):
            return {"comparable": False, "differs": []}
        mine = query.get("mine", "").split(".")
        given = dict(zip(found, mine, strict=False)) if len(mine) == len(found) else {}
        differs = [family for family, one in found.items() if given.get(family) != one.root.hex()]
        self._note(node, differs, now)
        return {"comparable": True, "differs": differs}

    def _note(self, node: Node, differs: list[str], now: datetime) -> None:
        at = stamp(now)
        with self._store.write() as db:
            if differs:
                incidents.record(db, "digest", node.id, " ".join(differs), at)
                return
            for kind in ("digest", "rebase"):
                incidents.repaired(db, kind, node.id, at)
            db.execute("UPDATE node_record SET last_equal_at = ? WHERE id = ?", (at, node.id))

    def hashes(self, node: Node, wanted: list[str], query: Mapping[str, str]) -> bytes:
        """Hashes of all groups, or of the buckets of the groups asked for, joined. Raises RefusedByPeer, BadFrame."""
        _, groups = self._groups(node, wanted, query)
        if "groups" not in query:
            return digest.group_hashes(groups)
        return b"".join(groups[n] for n in _numbers(query["groups"], digest.GROUPS, GROUPS_ASKED))

    def rows(self, node: Node, wanted: list[str], query: Mapping[str, str]) -> bytes:
        """A signed frame with all that belongs into these buckets, or into as many as fit, from the first on.

        Raises RefusedByPeer, BadFrame.
        """
        at, _ = self._groups(node, wanted, query)
        asked = _numbers(query.get("buckets", ""), digest.BUCKETS, BUCKETS_ASKED)
        with self._store.read() as db:
            content, items = _page(db, Scope.at_hub(tuple(sorted(wanted))), asked)
        name = SLICE_PREFIX + slices.family(wanted[0])
        header = frame.Header(
            HUB, node.id, node.epoch, "ref", name, frame.PULL, 0, GENESIS, at, at, False,
            migrations.SCHEMA_VERSION, items, stamp(self._clock.now()),
        )  # fmt: skip
        return frame.build(header, content, self._hub_key)

    def _groups(self, node: Node, wanted: list[str], query: Mapping[str, str]) -> tuple[int, tuple[bytes, ...]]:
        """(the asker's position, hashes of the groups' buckets), when it may ask and nothing has moved on."""
        held = tuple(sorted(wanted))
        if held not in digest.families(node.slices).values():
            raise _refused("not_in_slice")
        if not _is_number(query.get("at", "")):
            raise codec.bad("address")
        last, kept = self._kept.kept(held, self._clock.now())
        if last > int(query["at"]):
            raise _refused("moved")
        return int(query["at"]), kept.groups


def _page(db: Any, scope: Scope, asked: list[int]) -> tuple[dict[str, Any], int]:
    """Content of a page and the number of its rows: whole buckets, as many as fit, at least one."""
    taken: list[int] = []
    rows: dict[str, list[dict[str, Any]]] = {}
    cells: list[Cell] = []
    weight = items = 0
    for bucket, part in _contents(db, scope, asked).items():
        heavy = codec.weight(v for row in part.rows for v in row[1].values())
        heavy += codec.weight(c.value for c in part.cells) + 48 * len(part.cells)
        if taken and (weight + heavy > frame.RAW_BUDGET or len(cells) + len(part.cells) > codec.MAX_CELLS):
            break
        taken.append(bucket)
        weight, items = weight + heavy, items + len(part.rows) + len({c.row_id for c in part.cells})
        cells += part.cells
        for name, row in part.rows:
            rows.setdefault(name, []).append(row)
    own = crsqlite.site_id(db)
    return {"buckets": taken, "rows": codec.pack_rows(rows), **feed.packed(cells, own)}, items


@dataclass(frozen=True)
class _Contents:
    """What lies in a bucket."""

    rows: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    cells: list[Cell] = field(default_factory=list)


def _contents(db: Any, scope: Scope, asked: list[int]) -> dict[int, _Contents]:
    found = {bucket: _Contents() for bucket in asked}
    for table in scope.tables:
        listed = list(digest.rows(db, scope, table, asked))
        if table.kind == "reference":
            for row in listed:
                found[row.bucket].rows.append((table.name, dict(zip(table.names, row.values, strict=True))))
        else:
            cells = crsqlite.cells_of_rows(db, table.name, [row.values[0] for row in listed])
            for row in listed:
                found[row.bucket].cells.extend(cells[row.values[0]])
    return found


def _numbers(text: str, below: int, most: int) -> list[int]:
    """Ascending numbers below a bound, not too many. Raises BadFrame."""
    listed = [int(n) for n in text.split(",")] if _NUMBERS.fullmatch(text[: 5 * most]) and len(text) <= 5 * most else []
    if not 0 < len(listed) <= most or listed != sorted(set(listed)) or listed[-1] >= below:
        raise codec.bad("address")
    return listed


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 15


def _refused(code: str) -> RefusedByPeer:
    return RefusedByPeer(*words(code), code=code)
