# SPDX-License-Identifier: Apache-2.0
"""Channel `ctl`: copies of urgent facts that overtake the queue. A death or a stopped payment must not wait for a week.

A copy is the signed fact itself, sent ahead of its place in the chain. The hub acts on it once; when its place comes
in `evt`, with the same id and hash, the chain moves and nothing else happens. The word that counts on a refusal is the
one in `evt`: a copy refused for want of something sent before it is simply not a copy that helped.

Only facts that stand alone may overtake: a fact that changes what an earlier one began would arrive before it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schema import events, ids
from schema.clock import Clock
from schema.events import Fact
from sync.station import outbox
from sync.station.outbox import Part, Pending
from sync.wire import frame
from sync.wire.certificate import Certificate
from sync.wire.facts import STANDS_ALONE
from sync.wire.receipt import Receipt

CHANNEL = "ctl"

IsUrgent = Callable[[Fact], bool]
"""Whether a fact of this station should overtake; asked only of kinds that stand alone."""


def waiting(db: Any, is_urgent: IsUrgent) -> list[Fact]:
    """Urgent facts that no frame of `ctl` holds and no receipt of `evt` covers, oldest first."""
    origin, epoch = outbox.identity(db)
    kinds = ", ".join("?" * len(STANDS_ALONE))
    rows = db.execute(
        f"SELECT * FROM fact WHERE origin = ? AND epoch = ? AND seq > ? AND kind IN ({kinds}) ORDER BY seq",
        (origin, epoch, max(outbox.framed(db, CHANNEL), outbox.acked(db, "evt")), *sorted(STANDS_ALONE)),
    )
    return [fact for fact in map(events.from_row, rows) if is_urgent(fact)]


def build(
    db: Any, is_urgent: IsUrgent, certificate: Certificate, key: Ed25519PrivateKey, clock: Clock, raw_bytes: int
) -> int:
    """Put them into frames, in the caller's write transaction. Returns the number of frames."""
    parts = outbox.batches(waiting(db, is_urgent), raw_bytes)
    for part in parts:
        content = {"facts": [fact.to_wire() for fact in part]}
        outbox.add(db, CHANNEL, Part(content, len(part), part[-1].seq), certificate, key, clock)
    return len(parts)


def received(db: Any, sent: Pending, got: Receipt, public_key: bytes) -> None:
    """The hub has signed for copies: those it did not refuse are received, wherever they stand in the queue."""
    refused = {r.item for r in got.refused}
    held = frame.open_frame(sent.data, public_key).content["facts"]
    taken = [(got.received_at, item[0]) for item in held if ids.to_text(item[0]) not in refused]
    db.executemany("UPDATE fact SET received_at = ? WHERE id = ? AND received_at IS NULL", taken)
