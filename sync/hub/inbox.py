# SPDX-License-Identifier: Apache-2.0
"""Hub: take one pushed frame in. Address, signature and chain first; then all in one transaction; then the receipt.

A frame is known by its address (node, epoch, channel, n). The same frame again gets the stored receipt again: a reply
lost after the commit costs nothing. Another frame at a known address means that two databases call themselves one
station: the station is frozen until a person has looked (an open `refusal` row with code `frozen`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schema import database, events, ids, migrations
from schema.clock import Clock, stamp
from schema.database import Store
from schema.errors import RefusedByPeer, TownshipError
from schema.events import GENESIS, HUB, Fact
from sync.faults import told
from sync.hub import former, inbox_cells, late, publish
from sync.hub.publish import Publication
from sync.merging import merge
from sync.merging.merge import Outcome
from sync.wire import codec, facts, frame, receipt, validator
from sync.wire.facts import Chain
from sync.wire.frame import Frame
from sync.wire.receipt import Refused
from sync.wire.words import words

log = logging.getLogger(__name__)
Intake = Callable[[Publication, Fact], None]


@dataclass(frozen=True)
class Node:
    """What the hub knows of the sender, from `node_record`."""

    id: str
    epoch: bytes
    public_key: bytes
    site_id: bytes
    slices: tuple[str, ...]


@dataclass(frozen=True)
class Known:
    """The last frame of a channel the hub has. n = 0: none."""

    n: int = 0
    hash: bytes = GENESIS
    upto: int = 0


@dataclass(frozen=True)
class Inbox:
    """Where pushed frames go."""

    store: Store
    hub_key: Ed25519PrivateKey
    clock: Clock
    intake: Intake

    def accept(self, node: Node, channel: str, n: int, body: bytes) -> bytes:
        """The signed receipt of this frame.

        Raises BadFrame or BadSignature (nothing was written), or RefusedByPeer with code gap or frozen.
        """
        opened = frame.open_frame(body, node.public_key)
        self._check_address(node, channel, n, opened)
        content = _READERS[channel](opened)
        frozen = ""
        with publish.transaction(self.store, merging=channel == "reg", clock=self.clock) as pub:
            stored = _ledger_entry(pub.db, node, channel, n)
            if stored is not None and bytes(stored["hash"]) == opened.hash:
                return bytes(stored["receipt"])
            last = known(pub.db, node, channel)
            if stored is not None:
                frozen = f"frame {channel} {n} came twice with different content"
            elif n != last.n + 1:
                raise Gap(last)
            elif opened.header.prev != last.hash:
                frozen = f"frame {channel} {n} does not continue frame {last.n}"
            elif not last.upto <= opened.header.upto <= last.upto + validator.MAX_STEP:
                raise codec.bad("header", "upto")
            if frozen:
                self._freeze(pub.db, node, channel, n, frozen)
            else:
                return self._take(pub, node, opened, content)
        raise RefusedByPeer(*words("frozen"), code="frozen")

    def receipt_of(self, node: Node, channel: str, n: int, hash_: bytes) -> bytes | None:
        """The stored receipt of this very frame, None when it was not taken."""
        with self.store.read() as db:
            stored = _ledger_entry(db, node, channel, n)
        return bytes(stored["receipt"]) if stored is not None and bytes(stored["hash"]) == hash_ else None

    def _check_address(self, node: Node, channel: str, n: int, opened: Frame) -> None:
        header = opened.header
        expected = (node.id, HUB, node.epoch, channel, "", frame.PUSH, n)
        if (header.node, header.to, header.epoch, header.chan, header.slice, header.dir, header.n) != expected:
            raise codec.bad("address")
        if header.schema > migrations.SCHEMA_VERSION:
            raise codec.bad("schema")
        if header.more:
            raise codec.bad("header", "more")

    def _take(self, pub: Publication, node: Node, opened: Frame, content: Any) -> bytes:
        header, at = opened.header, stamp(self.clock.now())
        if header.chan == "evt":
            outcome = self._take_facts(pub, node, content, at)
        elif header.chan == "ctl":
            outcome = self._take_copies(pub, node, content, at)
        else:
            outcome = inbox_cells.take(pub, node, content, self.clock)
        for refused, item in outcome.refused:
            if refused.code == late.CODE:
                continue  # it stands before a reviewer with its values
            write_refusal(pub.db, "in", node.id, header.chan, header.n, refused, item, at)
        said = receipt.Receipt(
            node.id, node.epoch, header.chan, header.n, opened.hash, outcome.applied, outcome.lost,
            outcome.conflicts, tuple(refused for refused, _ in outcome.refused), at,
        )  # fmt: skip
        signed = receipt.write(said, self.hub_key)
        database.insert(pub.db, "frame_ledger", {
            "node": node.id, "epoch": node.epoch, "channel": header.chan, "n": header.n, "hash": opened.hash,
            "upto": header.upto, "receipt": signed, "received_at": at,
        })  # fmt: skip
        return signed

    def _take_facts(self, pub: Publication, node: Node, items: list[Any], at: str) -> Outcome:
        outcome, chain = Outcome(), Chain.load(pub.db, node.id, node.epoch)
        for item in items:
            refused = self._take_fact(pub, node, chain, item, at)
            if refused is None:
                outcome.applied += 1
            else:
                outcome.refused.append((refused, item))
        chain.save(pub.db)
        return outcome

    def _take_fact(self, pub: Publication, node: Node, chain: Chain, item: Any, at: str) -> Refused | None:
        try:
            fact = replace(events.from_wire(item), received_at=at)
        except ValueError:
            chain.step_unreadable()
            return Refused.of(_item_name(item), "fact_form")
        name = ids.to_text(fact.id)
        if (fact.origin, fact.epoch) != (node.id, node.epoch):
            if not former.stranger(pub.db, node.id, fact):
                return self._take_former(pub, node, fact, name)
            chain.step_unreadable()
            return Refused.of(name, "origin")
        stored = facts.stored_hash(pub.db, fact.id)
        if stored and (stored != fact.hash or fact.seq <= chain.seq):
            return Refused.of(name, "id_reused")
        code = chain.step(fact) or ("chain" if facts.place_taken(pub.db, fact) else "")
        if not stored:
            code = code or facts.bad_kind(fact, "node") or facts.bad_officer(pub.db, fact, node.id, self.clock.now())
        if code:
            return Refused.of(name, code)
        return None if stored else self._hand_over(pub, fact, name)  # stored: its urgent copy was acted on

    def _take_copies(self, pub: Publication, node: Node, items: list[Any], at: str) -> Outcome:
        """Urgent copies: the chain is read and does not move."""
        outcome, chain = Outcome(), Chain.load(pub.db, node.id, node.epoch)
        for item in items:
            refused = self._take_copy(pub, node, chain, item, at)
            if refused is None:
                outcome.applied += 1
            else:
                outcome.refused.append((refused, item))
        return outcome

    def _take_copy(self, pub: Publication, node: Node, chain: Chain, item: Any, at: str) -> Refused | None:
        try:
            fact = replace(events.from_wire(item), received_at=at)
        except ValueError:
            return Refused.of(_item_name(item), "fact_form")
        name = ids.to_text(fact.id)
        if (fact.origin, fact.epoch) != (node.id, node.epoch):
            return Refused.of(name, "origin")
        if stored := facts.stored_hash(pub.db, fact.id):
            return None if stored == fact.hash else Refused.of(name, "id_reused")
        code = "" if fact.kind in facts.STANDS_ALONE else "kind"
        code = code or facts.bad_kind(fact, "node") or chain.bad_place(fact, pub.db)
        code = code or facts.bad_officer(pub.db, fact, node.id, self.clock.now())
        return Refused.of(name, code) if code else self._hand_over(pub, fact, name)

    def _take_former(self, pub: Publication, node: Node, fact: Fact, name: str) -> Refused | None:
        now = self.clock.now()
        code = former.verdict(pub.db, node.id, fact, now)
        if code:
            return None if code == former.KNOWN else Refused.of(name, code)
        if fact.origin == HUB:  # evidence: what it decided is looked at by people, not done a second time
            events.store(pub.db, fact, fork=former.place(pub.db, node.id, fact, now))
            return None
        return self._hand_over(pub, fact, name, former.place(pub.db, node.id, fact, now))

    def _hand_over(self, pub: Publication, fact: Fact, name: str, fork: int = 0) -> Refused | None:
        """Store the fact and let the business act on it: both or neither, and never the end of the stream."""
        try:
            with database.savepoint(pub.db, "fact"):
                events.store(pub.db, fact, fork=fork)
                self.intake(pub, fact)
        except TownshipError as error:
            return Refused(name, error.code, error.zh, error.en)
        except Exception as error:
            if isinstance(error, database.DatabaseError) and not merge.is_poison(error):
                raise
            # A fault of ours must not stop a township's work: the fact is kept with its content and can be run again.
            log.error("intake failed on fact %s: %s", name, told(error))
            return Refused.of(name, "intake_failed")
        return None

    def _freeze(self, db: Any, node: Node, channel: str, n: int, why: str) -> None:
        if not is_frozen(db, node.id):
            refused = Refused(f"{channel}/{n}", "frozen", words("frozen")[0], why)
            write_refusal(db, "in", node.id, channel, n, refused, None, stamp(self.clock.now()))


class Gap(RefusedByPeer):
    """The frame is not the next one; `known` says which was the last."""

    def __init__(self, last: Known) -> None:
        super().__init__(*words("gap"), code="gap")
        self.known = last


def known(db: Any, node: Node, channel: str) -> Known:
    """The last frame of this channel that the hub has."""
    row = db.execute(
        "SELECT n, hash, upto FROM frame_ledger WHERE node = ? AND epoch = ? AND channel = ? ORDER BY n DESC LIMIT 1",
        (node.id, node.epoch, channel),
    ).fetchone()
    return Known(row["n"], bytes(row["hash"]), row["upto"]) if row else Known()


def is_frozen(db: Any, node: str) -> bool:
    """Whether an incident of this station waits for a person. Handling its `refusal` row thaws the station."""
    sql = "SELECT 1 FROM refusal WHERE peer = ? AND code = 'frozen' AND handled_at IS NULL"
    return db.execute(sql, (node,)).fetchone() is not None


def write_refusal(
    db: Any, direction: str, peer: str, channel: str, n: int, refused: Refused, content: Any, at: str
) -> None:
    """Keep what was refused, why, and the content when this side is the one that refused it."""
    kept = None if content is None else codec.dump(content)[:65536]
    database.insert(db, "refusal", {
        "id": ids.new_id(), "direction": direction, "peer": peer, "channel": channel, "frame_n": n,
        "item": refused.item[:200], "code": refused.code[:40], "reason": refused.zh[:500], "content": kept, "at": at,
    })  # fmt: skip


def _ledger_entry(db: Any, node: Node, channel: str, n: int) -> Any:
    return db.execute(
        "SELECT hash, receipt FROM frame_ledger WHERE node = ? AND epoch = ? AND channel = ? AND n = ?",
        (node.id, node.epoch, channel, n),
    ).fetchone()


def _item_name(item: Any) -> str:
    named = type(item) is list and item and type(item[0]) is bytes and len(item[0]) == 16
    return ids.to_text(item[0]) if named else "?"


def _read_facts(opened: Frame) -> list[Any]:
    content = opened.content
    if type(content) is not dict or set(content) != {"facts"} or type(content["facts"]) is not list:
        raise codec.bad("payload", "form")
    if not len(content["facts"]) == opened.header.items <= receipt.MAX_LISTED:
        raise codec.bad("payload", "items")
    return list(content["facts"])


_READERS: dict[str, Callable[[Frame], Any]] = {"ctl": _read_facts, "evt": _read_facts, "reg": inbox_cells.read}
