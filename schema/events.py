# SPDX-License-Identifier: Apache-2.0
"""Facts: what an officer did, signed by that officer, chained per origin, accepted once.

A fact's bytes are deterministic CBOR of `[id, origin, epoch, seq, prev, kind, version, subject, officer, stated_at,
body]`. `hash` is SHA-256 of them; `signature` is the officer's Ed25519 signature of the hash. `seq` runs 1, 2, 3 ...
per (origin, epoch) and `prev` is the hash before, so a removed or reordered fact is seen.

`stated_at` is the officer's clock: a statement. `received_at` is the hub's: the legal instant.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from schema import database, ids
from schema.clock import Clock, parse_stamp, stamp
from schema.errors import BadSignature, Refusal

GENESIS = bytes(32)
HUB = "hub"
BODY_LIMIT = 65536

# kind -> (version, who may state it, meaning). Closed: an unknown kind is refused by the side that gets it.
KINDS: dict[str, tuple[int, str, str]] = {
    "case_submitted": (1, "node", "a clerk took a case: service, person, answers, materials, receipt number"),
    "case_resubmitted": (1, "node", "a returned case was corrected: new answers and materials"),
    "case_withdrawn": (1, "node", "the applicant took the case back"),
    "case_accepted": (1, "hub", "受理: the papers are complete; the legal limit runs from the receive time"),
    "case_forwarded": (1, "hub", "转送: sent to the body that decides it, with the letter's number"),
    "case_answered": (1, "hub", "受转机构的结果: what that body decided"),
    "case_calculated": (1, "hub", "核算: amounts computed, with formula and parameters"),
    "case_reviewed": (1, "hub", "复核: checked by another officer"),
    "case_approved": (1, "hub", "审批: in effect; the registry changes that follow are in the body"),
    "case_returned": (1, "hub", "退回补正: what is missing, told once and completely"),
    "case_rejected": (1, "hub", "不予受理 or 不予批准, with the reason"),
    "month_computed": (1, "hub", "a settlement month was computed: run id and control totals"),
    "month_approved": (1, "hub", "another officer approved the month"),
    "month_paid": (1, "hub", "the payment batch went to the bank"),
    "month_closed": (1, "hub", "the month is closed"),
    "receipts_taken_in": (1, "hub", "a file of contributions was taken in and booked: counts and sums by kind"),
    "receipts_matched": (1, "hub", "money in suspense was given to persons: how many receipts, how much"),
    "register_imported": (1, "hub", "a register file was taken in: its hash and counts"),
    "pack_prepared": (1, "hub", "a rule pack was prepared: its hash and why"),
    "pack_published": (1, "hub", "another officer published it: its number and hash"),
    "eligibility_checked": (1, "node", "资格认证: a person who draws a benefit was seen or not found, how, photo hash"),
    "document_printed": (1, "node", "an officer printed a paper: which, the how-manieth time, about whom, for what"),
    "officer_key_changed": (1, "node", "an officer changed the password: the key wrapped anew"),
}


@dataclass(frozen=True)
class Fact:
    """One fact. `body` is a dict of CBOR-able values; `subject` is the case (or month, or run) it is about."""

    id: bytes
    origin: str
    epoch: bytes
    seq: int
    prev: bytes
    kind: str
    version: int
    subject: bytes
    officer: str
    stated_at: str
    body: dict[str, Any]
    signature: bytes = b""
    received_at: str | None = None

    @property
    def content(self) -> bytes:
        """The bytes that are hashed and signed."""
        return self._around(canonical(self.body))

    def _around(self, body: bytes) -> bytes:
        return canonical(
            [
                self.id, self.origin, self.epoch, self.seq, self.prev, self.kind, self.version, self.subject,
                self.officer, self.stated_at, body,
            ]
        )  # fmt: skip

    @property
    def hash(self) -> bytes:
        return sha256(self.content).digest()

    def signed(self, key: Ed25519PrivateKey) -> Fact:
        """The same fact with the officer's signature."""
        return replace(self, signature=key.sign(self.hash))

    def verify(self, public_key: bytes) -> None:
        """Raises BadSignature unless that officer's key signed exactly this fact."""
        try:
            Ed25519PublicKey.from_public_bytes(public_key).verify(self.signature, self.hash)
        except (InvalidSignature, ValueError) as error:
            raise BadSignature(
                "经办人签名不对", "the officer's signature does not hold", code="officer_signature"
            ) from error

    def to_wire(self) -> list[Any]:
        """The form that travels in a frame."""
        return [
            self.id, self.origin, self.epoch, self.seq, self.prev, self.kind, self.version, self.subject,
            self.officer, self.stated_at, canonical(self.body), self.signature, self.received_at,
        ]  # fmt: skip


def canonical(value: Any) -> bytes:
    """Deterministic CBOR: one value has one form, so hashes agree everywhere."""
    return cbor2.dumps(value, canonical=True)


def from_wire(item: Any) -> Fact:
    """A fact from a frame. Raises ValueError with the reason word when the form is wrong."""
    if type(item) is not list or len(item) != 13:
        raise ValueError("arity")
    types = (bytes, str, bytes, int, bytes, str, int, bytes, str, str, bytes, bytes)
    for value, expected in zip(item, types, strict=False):
        if type(value) is not expected:
            raise ValueError("type")
    if item[12] is not None and type(item[12]) is not str:
        raise ValueError("type")
    sizes = {0: 16, 2: 16, 4: 32, 7: 16, 11: 64}
    if any(len(item[i]) != n for i, n in sizes.items()) or len(item[10]) > BODY_LIMIT or not 0 < item[3] < 2**53:
        raise ValueError("size")
    if max(len(item[i]) for i in (1, 5, 8, 9)) > 40:
        raise ValueError("size")
    # Pages sort and show by these instants: one that is none would break every list the fact stands in.
    for instant in (item[9], item[12]):
        if instant is not None and stamp(parse_stamp(instant)) != instant:
            raise ValueError("instant")
    try:
        body = cbor2.loads(item[10])
        if type(body) is not dict or canonical(body) != item[10]:
            raise ValueError("body")
    except (cbor2.CBORError, TypeError, UnicodeError, OverflowError, RecursionError, MemoryError) as error:
        raise ValueError("body") from error
    names = ("id", "origin", "epoch", "seq", "prev", "kind", "version", "subject", "officer", "stated_at")
    head = dict(zip(names, item, strict=False))
    return Fact(**head, body=body, signature=item[11], received_at=item[12])


def from_row(row: Any) -> Fact:
    """A fact from the `fact` table."""
    return Fact(
        bytes(row["id"]), row["origin"], bytes(row["epoch"]), row["seq"], bytes(row["prev"]), row["kind"],
        row["version"], bytes(row["subject"]), row["officer"], row["stated_at"], cbor2.loads(row["body"]),
        bytes(row["signature"]), row["received_at"],
    )  # fmt: skip


def state(
    db: Any, kind: str, subject: bytes, body: dict[str, Any], *, officer: str, key: Ed25519PrivateKey, clock: Clock,
    received_at: str | None = None,
) -> Fact:  # fmt: skip
    """Append one fact of this database's own, in the caller's transaction, and return it.

    Origin and epoch come from the `setting` table ('node_id', 'epoch'); the hub passes `received_at` (its own clock is
    the legal one). Raises Refusal for a body that the other side would not take.
    """
    origin = (database.setting(db, "node_id") or b"").decode()
    epoch = database.setting(db, "epoch") or bytes(16)
    seq, prev = chain_head(db, origin, epoch)
    packed = canonical(body)
    if len(packed) > BODY_LIMIT:
        raise Refusal("内容太长，不能签发", "the content is too long to be signed and sent", code="size")
    fact = Fact(
        ids.new_id(), origin, epoch, seq + 1, prev, kind, KINDS[kind][0], subject, officer, stamp(clock.now()), body
    )
    hash_ = sha256(fact._around(packed)).digest()  # a roster states thousands: the body is packed once
    fact = replace(fact, signature=key.sign(hash_))
    _insert(db, replace(fact, received_at=received_at), hash_, packed, 0)
    return fact


def chain_head(db: Any, origin: str, epoch: bytes) -> tuple[int, bytes]:
    """(seq, hash) of the last fact of that origin, (0, GENESIS) when there is none."""
    found = db.execute(
        "SELECT seq, hash FROM fact WHERE origin = ? AND epoch = ? ORDER BY seq DESC LIMIT 1", (origin, epoch)
    ).fetchone()
    return (found[0], bytes(found[1])) if found else (0, GENESIS)


def store(db: Any, fact: Fact, *, fork: int = 0) -> None:
    """Insert a fact as it is; the primary key makes a second insert an error.

    `fork`: 0, or the place beside facts of the same origin, epoch and number (see `free_fork`).
    """
    packed = canonical(fact.body)
    _insert(db, fact, sha256(fact._around(packed)).digest(), packed, fork)


def _insert(db: Any, fact: Fact, hash_: bytes, body: bytes, fork: int) -> None:
    database.insert(
        db,
        "fact",
        {
            "id": fact.id, "origin": fact.origin, "epoch": fact.epoch, "seq": fact.seq, "prev": fact.prev,
            "hash": hash_, "kind": fact.kind, "version": fact.version, "subject": fact.subject,
            "officer": fact.officer, "stated_at": fact.stated_at, "body": body,
            "signature": fact.signature, "received_at": fact.received_at, "fork": fork,
        },
    )  # fmt: skip


def free_fork(db: Any, fact: Fact) -> int:
    """The first free place for a fact whose number may be taken: a restored or copied disk gives numbers twice, and
    what was signed is never numbered anew."""
    sql = "SELECT coalesce(max(fork) + 1, 0) FROM fact WHERE origin = ? AND epoch = ? AND seq = ?"
    return int(db.execute(sql, (fact.origin, fact.epoch, fact.seq)).fetchone()[0])


def of_subject(db: Any, subject: bytes) -> list[Fact]:
    """All facts about one case, oldest first: the timeline."""
    rows = db.execute("SELECT * FROM fact WHERE subject = ? ORDER BY coalesce(received_at, stated_at), seq", (subject,))
    return [from_row(r) for r in rows]
