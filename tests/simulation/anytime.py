# SPDX-License-Identifier: Apache-2.0
"""What must hold at every moment: one function for each promise, whose first word is its number.

`STEP` runs after every step, `OFTEN` after every tenth, `RARELY` costs most. Promises about single events (a
replay, a refused frame, an answer of the hub) are kept where the event happens: `hostile`, `attacker`, `observer`.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import cbor2
from cryptography.exceptions import InvalidSignature

from tests.simulation.looking import conflicts, need, one, rows, shown, station_of, stores
from tests.simulation.model import COLUMNS, HUB, PUBLISHED, Write
from tests.simulation.world import World, derived_key

LIMIT = 2**40
MEMORY_BYTES = 300 * 1024 * 1024
PAGE = 4096
# A clerk's own file keeps what it stated; only others must not take it.
UNSIGNED = ("officer", "key")


def anytime_no_edit_vanishes(world: World) -> None:
    """I1: an edit that nobody who saw it replaced is on its author's screen (at the hub if its row left there), on
    its way, in a conflict, or before a reviewer."""
    kept = {name: conflicts(store) for name, store in stores(world)}
    for write in world.cells.last_words():
        author = world.cells.at[write.author]
        here = (author if author.holds(write.cell[0]) else world.cells.at[HUB]).cells.get(write.cell)
        stands = here is not None and here.write is write
        under_way = write.author != HUB and write.number not in world.cells.at_hub and _frames_wait(world, write)
        listed = any(
            cell == write.cell and write.value in values for name in (HUB, write.author) for cell, values in kept[name]
        )
        told = f"{write.author}'s {world.name_of(write.cell[0])}.{write.cell[1]} = {write.value!r}"
        aside = (write.number in world.cells.late and _put_aside(world, write)) or _told_too_late(world, write)
        need(stands or under_way or listed or aside, anytime_no_edit_vanishes, told)


def _put_aside(world: World, write: Write) -> bool:
    """Whether a reviewer has it, or both sides list that it came months too late."""
    sql = (
        "SELECT 1 FROM late_value v JOIN late_edit e ON e.id = v.late_id "
        "WHERE e.row_id = ? AND v.col = ? AND v.value = ? AND e.station = ?"
    )
    value = cbor2.dumps(write.value, canonical=True)
    refused = "SELECT 1 FROM refusal WHERE item = ? AND code = 'not_in_slice'"
    item = f"contact/{write.cell[0].hex()}"
    return bool(rows(world.hub, sql, *write.cell, value, write.author) or rows(world.hub, refused, item))


def _told_too_late(world: World, write: Write) -> bool:
    """Whether it lost at its own station, and the hub lists that it was told of that months after the person left."""
    sql = (
        "SELECT content FROM refusal WHERE direction = 'in' AND peer = ? AND code = 'not_in_slice' "
        "AND item LIKE 'conflict/%'"
    )
    found = (cbor2.loads(content) for (content,) in rows(world.hub, sql, write.author))
    return any((row_id, col, lost) == (*write.cell, write.value) for _, _, row_id, col, _, lost, *_ in found)


def _frames_wait(world: World, write: Write) -> bool:
    sql = "SELECT count(*) FROM outbox_frame WHERE channel = 'reg' AND acked_at IS NULL"
    return bool(one(station_of(world, write.author).store, sql))


def anytime_what_is_shown_is_what_was_merged(world: World) -> None:
    """I2: every replica shows in every cell what the merge rule makes of what it was given, and tracks local writes."""
    for name, store in stores(world):
        replica = world.cells.at[name]
        found = shown(store, COLUMNS)
        wanted = {cell: version.value for cell, version in replica.cells.items()}
        if found != wanted:
            cell = min(c for c in found.keys() | wanted.keys() if found.get(c, "") != wanted.get(c, ""))
            where = f"{name} {world.name_of(cell[0])}.{cell[1]}"
            told = f"{where}: {found.get(cell, 'no row')!r} instead of {wanted.get(cell, 'no row')!r}"
            need(False, anytime_what_is_shown_is_what_was_merged, told)
        bit = store.connection().execute("SELECT crsql_internal_sync_bit()").fetchone()[0]
        need(bit == 0, anytime_what_is_shown_is_what_was_merged, f"{name}: local writes are not tracked")


def anytime_cursors_are_never_ahead(world: World) -> None:
    """I3: what the hub's feed lists up to a station's cursor is at the station, as new; cursors never go back."""
    me = anytime_cursors_are_never_ahead
    head = one(world.hub, "SELECT seq FROM feed_head")
    for station in world.stations:
        for slice_, channel, after in rows(station.store, 'SELECT slice, channel, "after" FROM cursor'):
            place = (station.name, slice_, channel)
            need(after <= head, me, f"{station.name}: {slice_} {after} > {head}")
            need(after >= world.cursors.get(place, 0), me, f"{station.name}: {slice_} went back to {after}")
            world.cursors[place] = after
            sql = "SELECT tbl, pk, op FROM slice_feed WHERE slice = ? AND channel = ? AND seq <= ?"
            for table, key, op in rows(world.hub, sql, slice_, channel, after):
                if op != 1:
                    # Of two townships held the other one may still show the row, or tell of its going later.
                    looked_at = table in ("person", "contact") and len(station.townships) == 1
                    back = looked_at and world.register.members[key] & set(station.slices)
                    # Cells of someone who is still shown were written after theirs had gone: they go with the person.
                    shown_yet = table == "contact" and rows(station.store, "SELECT 1 FROM person WHERE id = ?", key)
                    may_stand = not looked_at or back or shown_yet
                    gone = may_stand or not rows(station.store, f"SELECT 1 FROM {table} WHERE id = ?", key)
                    need(gone, me, f"{station.name} is at {after} of {slice_} and still has {table} {key.hex()}")
                    continue
                if table in ("person", "case_state", "conflict", "fact"):
                    column = PUBLISHED.get(table, ("id", ()))[0]
                    what = "hash" if table == "fact" else "rev"
                    asked = f"SELECT {what} FROM {table} WHERE {column} = ?"
                    here, there = rows(station.store, asked, key), rows(world.hub, asked, key)
                    need(here == there, me, f"{station.name} is at {after} of {slice_} without {table} {key.hex()}")


def anytime_a_station_holds_only_its_slices(world: World) -> None:
    """I4: no person, account, contact, case or fact of who never was in its slices. What travels is looked at by
    `observer`, and that rows go when they should by I3 and I13."""
    me = anytime_a_station_holds_only_its_slices
    for station in world.stations:
        known = world.register.who_was_in(station.slices)
        for table, (key, _) in (*PUBLISHED.items(), ("contact", ("id", ()))):
            of_persons = table in ("person", "contact", "account")
            held = known if of_persons else world.register.of_slices(table, station.slices)
            strangers = [k for (k,) in rows(station.store, f"SELECT {key} FROM {table}") if k not in held]
            need(not strangers, me, f"{station.name}: {table} {strangers}")
        for fact_id, origin in rows(station.store, "SELECT id, origin FROM fact"):
            mine = origin == station.name or world.register.to_station.get(fact_id) == station.name
            need(mine, me, f"{station.name}: fact of {origin}")


def anytime_numbers_only_grow(world: World) -> None:
    """I5: the hub's feed number and cell version never go back, and nothing a peer sends can make them leap."""
    found = {
        "feed": one(world.hub, "SELECT seq FROM feed_head"),
        "version": one(world.hub, "SELECT max(db_version) FROM contact__crsql_clock"),
    }
    for name, number in found.items():
        told = f"{name} {world.numbers.get(name, 0)} -> {number}"
        need(world.numbers.get(name, 0) <= number < LIMIT, anytime_numbers_only_grow, told)
    world.numbers |= found


def anytime_facts_count_once(world: World) -> None:
    """I6: the hub holds every good fact that arrived, once, acted on it once, and no bad one; so does a station."""
    arrived = {k for k, fact in world.register.facts.items() if fact.arrived and not fact.bad}
    stored = {k for (k,) in rows(world.hub, "SELECT id FROM fact WHERE origin <> 'hub'")}
    need(stored == arrived, anytime_facts_count_once, f"hub: {len(stored)} facts, {len(arrived)} arrived")
    acted = dict(rows(world.hub, "SELECT case_id, state FROM case_state"))
    wanted = {case: row[1] for case, row in world.register.rows["case_state"].items()}
    need(acted == wanted, anytime_facts_count_once, f"hub acted on {acted}, not on {wanted}")
    for station in world.stations:
        got = rows(station.store, "SELECT value FROM setting WHERE name LIKE 'got:%'")
        told = one(station.store, "SELECT count(*) FROM fact WHERE origin = 'hub'")
        once = len(got) == told and all(times == b"x" for (times,) in got)
        need(once, anytime_facts_count_once, f"{station.name}: {told} facts of the hub, acted on {got}")


def anytime_facts_are_signed_and_chained(world: World) -> None:
    """I8: every fact held anywhere is what its officer signed, and follows the one before unless that was refused."""
    me = anytime_facts_are_signed_and_chained
    for name, store in stores(world):
        last: dict[tuple[str, bytes], tuple[int, bytes]] = {}
        sql = (
            "SELECT origin, epoch, seq, prev, hash, signature, officer, id, kind, version, subject, stated_at, body "
            "FROM fact ORDER BY origin, epoch, seq"
        )
        for origin, epoch, seq, prev, stated, signature, officer, *content in rows(store, sql):
            where, known = f"{name}: fact {seq} of {origin}", world.register.facts.get(content[0])
            need(_hash(origin, epoch, seq, prev, officer, *content) == stated, me, where)
            signed = _signed(officer, signature, stated) or (known is not None and known.bad in UNSIGNED)
            need(signed and not (name == HUB and known and known.bad), me, f"{where} is not signed")
            before = last.get((origin, epoch))
            follows = before is None or seq > before[0] + 1 or (seq, prev) == (before[0] + 1, before[1])
            need(follows, me, f"{where} does not follow")
            last[origin, epoch] = seq, stated


def _hash(
    origin: str, epoch: bytes, seq: int, prev: bytes, officer: str, id_: bytes, kind: str, version: int, subject: bytes,
    stated_at: str, body: bytes,
) -> bytes:  # fmt: skip
    content = [id_, origin, epoch, seq, prev, kind, version, subject, officer, stated_at, body]
    return sha256(cbor2.dumps(content, canonical=True)).digest()


def _signed(officer: str, signature: bytes, content: bytes) -> bool:
    try:
        derived_key(officer).public_key().verify(signature, content)
    except InvalidSignature:
        return False
    return True


def anytime_files_are_whole(world: World) -> None:
    """I11: SQLite finds no fault in any file, no clock row is without its row, no row without its clock."""
    me = anytime_files_are_whole
    for name, store in stores(world):
        need(one(store, "PRAGMA integrity_check") == "ok", me, f"{name}: integrity_check")
        for what, sql in ORPHANS.items():
            need(not rows(store, sql), me, f"{name}: {what}")


ORPHANS = {
    "a row without key": "SELECT 1 FROM contact WHERE id NOT IN (SELECT id FROM contact__crsql_pks)",
    "a row without clock": (
        "SELECT 1 FROM contact t JOIN contact__crsql_pks p ON p.id = t.id "
        "WHERE NOT EXISTS (SELECT 1 FROM contact__crsql_clock c WHERE c.key = p.__crsql_key)"
    ),
    "a clock without row": (
        "SELECT 1 FROM contact__crsql_clock c LEFT JOIN contact__crsql_pks p ON p.__crsql_key = c.key "
        "LEFT JOIN contact t ON t.id = p.id WHERE t.id IS NULL AND NOT EXISTS (SELECT 1 FROM contact__crsql_clock d "
        "WHERE d.key = c.key AND d.col_name = '-1' AND d.col_version % 2 = 0)"
    ),
    "a cell of nobody": (
        "SELECT 1 FROM contact__crsql_clock WHERE site_id NOT IN (SELECT ordinal FROM crsql_site_id)"
    ),
}  # fmt: skip


def anytime_memory_stays_small(world: World) -> None:
    """I12: whatever was sent, the process that holds the hub and all stations has not grown by more than 300 MB."""
    grown = memory_bytes() - world.memory_bytes
    need(grown < MEMORY_BYTES, anytime_memory_stays_small, f"{grown // 1024**2} MB more than at the beginning")


def memory_bytes() -> int:
    """What this process has in memory now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


Checker = Callable[[World], None]
STEP: tuple[Checker, ...] = (anytime_what_is_shown_is_what_was_merged, anytime_facts_count_once)
OFTEN: tuple[Checker, ...] = (
    anytime_no_edit_vanishes, anytime_cursors_are_never_ahead, anytime_a_station_holds_only_its_slices,
    anytime_numbers_only_grow, anytime_memory_stays_small,
)  # fmt: skip
RARELY: tuple[Checker, ...] = (anytime_facts_are_signed_and_chained, anytime_files_are_whole)
