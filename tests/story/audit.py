# SPDX-License-Identifier: Apache-2.0
"""What is really in the databases of both sides, compared row by row with plain SQL.

Nothing here asks the program under test for its opinion: no counters of its own, no digest of its own.
"""

from __future__ import annotations

from typing import Any

import cbor2

from schema import tables
from schema.database import Store

DECIDED = ("effective", "paid", "rejected", "withdrawn")


def submitted(station: Store) -> dict[bytes, dict[str, Any]]:
    """case id -> body of every case a station took, from its signed facts."""
    with station.read() as db:
        rows = db.execute("SELECT subject, body FROM fact WHERE kind = 'case_submitted'").fetchall()
    return {bytes(r[0]): cbor2.loads(r[1]) for r in rows}


def hub_cases(hub: Store) -> dict[bytes, dict[str, Any]]:
    """case id -> row at the hub."""
    with hub.read() as db:
        return {bytes(r["id"]): dict(r) for r in db.execute("SELECT * FROM hub_case")}


def lost_facts(hub: Store, station: Store) -> list[str]:
    """Facts of a station that the hub neither holds nor refused with a reason."""
    with station.read() as db:
        origin = db.execute("SELECT value FROM setting WHERE name = 'node_id'").fetchone()[0]
        own = {bytes(r[0]) for r in db.execute("SELECT id FROM fact WHERE origin = ?", (bytes(origin).decode(),))}
    with hub.read() as db:
        held = {bytes(r[0]) for r in db.execute("SELECT id FROM fact")}
        refused = {r[0] for r in db.execute("SELECT item FROM refusal")}
    return [i.hex() for i in own - held if i.hex() not in refused]


def duplicated(hub: Store) -> int:
    """Cases that exist twice: by submission, by receipt number, or by effect."""
    queries = (
        "SELECT count(*) - count(DISTINCT subject) FROM fact WHERE kind = 'case_submitted'",
        "SELECT count(*) - count(DISTINCT receipt_no) FROM hub_case",
        "SELECT count(*) - count(DISTINCT person_id) FROM enrolment WHERE insurance = 'resident_pension' "
        "AND state = 'active' AND case_id IS NOT NULL",
        "SELECT count(*) - count(DISTINCT case_id) FROM benefit WHERE case_id IS NOT NULL",
        "SELECT count(*) - count(DISTINCT scheme || month || hex(person_id)) FROM payment WHERE state = 'paid'",
    )
    with hub.read() as db:
        return sum(int(db.execute(q).fetchone()[0]) for q in queries)


def differing_rows(hub: Store, station: Store, slices: list[str]) -> list[str]:
    """Rows of the station's slices that are not the same on both sides, either way."""
    out: list[str] = []
    with hub.read() as hub_db, station.read() as station_db:
        members = {
            bytes(r[0])
            for r in hub_db.execute(
                f"SELECT DISTINCT person_id FROM slice_member WHERE slice IN ({', '.join('?' * len(slices))})", slices
            )
        }
        for table in (*tables.REGISTRY, *tables.REFERENCE):
            if table.name == "elsewhere":
                continue  # the hub makes it anew at times of its own; the exchange compares it
            theirs = _rows(station_db, table)
            ours = {k: v for k, v in _rows(hub_db, table).items() if _belongs(table, v, members, slices)}
            for key in ours.keys() | theirs.keys():
                if ours.get(key) != theirs.get(key):
                    out.append(f"{table.name} {key!r}: hub {ours.get(key)} station {theirs.get(key)}")
    return out


def _rows(db: Any, table: tables.Table) -> dict[tuple[Any, ...], dict[str, Any]]:
    found = [dict(r) for r in db.execute(f"SELECT * FROM {table.name}")]
    return {tuple(r[c] for c in table.key): r for r in found}


def _belongs(table: tables.Table, row: dict[str, Any], members: set[bytes], slices: list[str]) -> bool:
    """Whether the station should hold this row, told from the row alone."""
    own = {s.removeprefix("node:") for s in slices if s.startswith("node:")}
    if table.name in ("division", "station", "officer_key", "rule_pack", "rule_file", "training_class"):
        return True
    if table.name in ("officer", "receipt_block", "case_state", "late_edit"):
        return row["station"] in own
    if table.name == "household":
        return row["village"][:9] in slices
    if table.name == "unit":
        return row["township"] in slices
    of_its_own = table.kind == "registry" or table.name == "person"
    owner = "id" if of_its_own else {"conflict": "row_id"}.get(table.name) or table.person_column
    return bytes(row[owner]) in members


def books(hub: Store) -> tuple[int, int]:
    """(debits, credits) in fen over all accounts: each account's balance is built from its own side of the entries."""
    with hub.read() as db:
        debits: dict[str, int] = {}
        credits: dict[str, int] = {}
        for debit, credit, amount in db.execute("SELECT debit, credit, amount_fen FROM journal_entry"):
            debits[debit] = debits.get(debit, 0) + amount
            credits[credit] = credits.get(credit, 0) + amount
    balances = {a: debits.get(a, 0) - credits.get(a, 0) for a in debits.keys() | credits.keys()}
    if sum(balances.values()) != 0:
        raise AssertionError(f"the books do not balance: {balances}")
    return sum(debits.values()), sum(credits.values())


def paid(hub: Store) -> dict[bytes, int]:
    """person -> fen really paid."""
    with hub.read() as db:
        rows = db.execute("SELECT person_id, sum(amount_fen) FROM payment WHERE state = 'paid' GROUP BY person_id")
        return {bytes(r[0]): int(r[1]) for r in rows}


def spent_on_benefits(hub: Store) -> int:
    """What the journal says was spent on benefits (account 5001, debit side less reversals)."""
    with hub.read() as db:
        return int(
            db.execute(
                "SELECT coalesce(sum(CASE WHEN debit LIKE '5001%' THEN amount_fen ELSE -amount_fen END), 0) "
                "FROM journal_entry WHERE debit LIKE '5001%' OR credit LIKE '5001%'"
            ).fetchone()[0]
        )


def states(at_hub: dict[bytes, dict[str, Any]], cases: list[bytes]) -> dict[str, str]:
    """case -> state at the hub."""
    return {c.hex(): at_hub[c]["state"] for c in cases}


def shown_states(station: Store, cases: list[bytes]) -> dict[str, str]:
    """case -> the hub's word on it that the station holds."""
    with station.read() as db:
        found = {bytes(r[0]): r[1] for r in db.execute("SELECT case_id, state FROM case_state")}
    return {c.hex(): found.get(c, "unknown") for c in cases}


def count(store: Store, sql: str) -> int:
    """One number."""
    with store.read() as db:
        return int(db.execute(sql).fetchone()[0])
