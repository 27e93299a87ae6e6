# SPDX-License-Identifier: Apache-2.0
"""The faults by name: what happens, how it is made here, what counts it. docs/faults.md tells the same to a reader.

A counter counts effects, not draws: a request that was to be cut but had no body does not count. A run of many seeds in
which one of them stays at 0 has not shown what it says, and fails.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """`counters`: of this simulation; `elsewhere`: test files that make the fault by other means."""

    what: str
    counters: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()


FAULTS = {
    "F1": Fault(
        "a request is lost, doubled, delayed, overtaken",
        ("drop request", "duplicate", "delay", "late request arrives"),
    ),
    "F2": Fault("the reply is lost after the commit", ("drop reply",), ("tests/sync/test_session_cuts.py",)),
    "F3": Fault("cut in the middle of a body", ("cut request", "cut reply"), ("tests/hostile/test_peer.py",)),
    "F4": Fault(
        "a bit flips on the line or in a kept frame", ("flip request", "flip reply", "flipped frame"),
        ("tests/hostile/test_peer.py",),
    ),
    "F5": Fault(
        "power lost: between requests, at any SQL statement, right after a commit",
        (
            "station crashes before", "station crashes after", "hub crashes before", "hub crashes after",
            "hub dies at a statement", "station dies at a statement", "hub dies after a commit",
            "station dies after a commit", "hub restarts", "station restarts",
        ),
        ("tests/hostile/test_killed.py",),
    ),
    "F6": Fault("the disk is full in the middle of a write", ("hub full", "station full")),
    "F7": Fault(
        "the file is locked by another program", ("hub busy", "station busy"), ("tests/hostile/test_races.py",)
    ),
    "F8": Fault("a clock jumps by up to ten years, at the station or at the hub", ("clock",)),
    "F9": Fault("a station is restored from a backup", ("station restored",), ("tests/sync/station/test_rebase.py",)),
    "F10": Fault(
        "a station's disk is copied and both copies live", ("clone", "disk copied"),
        ("tests/sync/station/test_rebase_clone.py",),
    ),
    "F11": Fault(
        "the hub is restored from a backup older than what it signed for", ("hub restored",),
        ("tests/sync/station/test_rebase_hub.py",),
    ),
    "F12": Fault("a station is away for 200 days", ("200 days away",)),
    "F13": Fault(
        "programs of two releases: older frames taken, a station newer than its hub told to wait",
        ("frame of the release before", "station newer than its hub"),
    ),
    "F14": Fault(
        "a person enters and leaves slices while work goes on; an edit comes after its row has left",
        ("enters a slice", "leaves a slice", "row leaves a station", "late edit decided"),
        ("tests/sync/test_session_moves.py", "tests/sync/test_session_late.py"),
    ),
    "F15": Fault(
        "whatever a station's key can sign: the attack table, replays, wrong numbers",
        ("replay", "wrong number", "hostile row", "hostile fact", "hostile frame"),
        ("tests/hostile/test_peer.py", "tests/sync/wire/test_validator.py"),
    ),
    "F16": Fault("a row that the database refuses, a fact that the business refuses", ("poison row", "poison fact")),
    "F17": Fault(
        "a person is erased while others edit the row", ("person erased",), ("tests/sync/merging/test_conflicts.py",)
    ),
    "F18": Fault(
        "a certificate that ran out, was replaced, was revoked, names other slices",
        ("certificate ran out", "certificate replaced", "certificate revoked", "certificate of other slices"),
        ("tests/hostile/test_peer.py", "tests/sync/wire/test_certificate.py"),
    ),
    "F19": Fault(
        "a stick: old, twice, truncated, for somebody else; a bundle by a neighbour; all mixed with the line",
        (
            "stick to the hub", "stick to a station", "stick read twice", "stick truncated", "stick of somebody else",
            "bundle to a neighbour", "bundle carried on", "answer by a neighbour",
        ),
        (
            "tests/sync/courier/test_courier.py",
            "tests/sync/courier/test_courier_refusals.py",
            "tests/sync/courier/test_courier_kills.py",
        ),
    ),
    "F20": Fault("two sessions of one station at once", ("two sessions of one station", "work during a session")),
    "F21": Fault("16 kbit/s, 2 s round trip, a fifth of everything lost"),
    "F22": Fault("hundreds of stations call at once", (), ("tests/bench/herd.py",)),
    "F23": Fault(
        "transactions that change nothing, rolled-back savepoints, other commits, reconnects",
        ("no-op", "savepoint rolled back", "commit beside the registry", "reconnect"),
    ),
    "F24": Fault(
        "somebody tries to change a row's id, or saves every column", ("id change refused", "all columns saved"),
        ("tests/schema/test_crsqlite_guards.py", "tests/test_architecture.py"),
    ),
    "F25": Fault("compression bombs, values too large", ("bomb",), ("tests/sync/wire/test_frame.py",)),
    "F26": Fault("a first load is cut and goes on", ("first load cut", "first load by snapshot")),
}  # fmt: skip

# What happens without being a fault.
EVENTS = (
    "new person", "record too many of a blurred base", "urgent fact in its place", "scan",
)


def silent(fired: Counter[str]) -> list[str]:
    """Counters that should have counted and did not."""
    return [f"{name} {counter}" for name, fault in FAULTS.items() for counter in fault.counters if not fired[counter]]


def unnamed(fired: Counter[str]) -> list[str]:
    """Counters that belong to no fault."""
    known = {counter for fault in FAULTS.values() for counter in fault.counters} | set(EVENTS)
    return sorted(fired.keys() - known)


def table(fired: Counter[str]) -> list[tuple[str, str, int, str]]:
    """(name, what, times, 'counter 12, ...') of each fault."""
    return [
        (name, fault.what, sum(fired[c] for c in fault.counters), ", ".join(f"{c} {fired[c]}" for c in fault.counters))
        for name, fault in FAULTS.items()
    ]
