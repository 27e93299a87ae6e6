# SPDX-License-Identifier: Apache-2.0
"""Every table, on both sides, with its way to travel and why.

Four ways (docs/architecture.md): a FACT is append-only and signed; a REGISTRY table is a CRDT whose cells any
station of the slice may write; a REFERENCE table is written by the hub alone and replaced by row; LOCAL never leaves
its machine.
DDL, the wire validator and the digests are all derived from these declarations, so they cannot disagree.

Ids are 16 random bytes. Money is INTEGER fen. Instants are UTC text, dates `YYYY-MM-DD`, months `YYYY-MM`.
"""

from __future__ import annotations

from schema.table import Column, Table
from schema.tables_hub import HUB
from schema.tables_node import BOTH, NODE
from schema.tables_travelling import FACTS, REFERENCE, REGISTRY

__all__ = [
    "CHANNEL",
    "FACTS",
    "LOCAL",
    "REFERENCE",
    "REGISTRY",
    "TABLES",
    "TRAVELLING",
    "Column",
    "Table",
    "on_side",
    "triggers",
]

LOCAL = BOTH + NODE + HUB
TABLES: dict[str, Table] = {t.name: t for t in FACTS + REGISTRY + REFERENCE + LOCAL}
TRAVELLING = {t.name: t for t in FACTS + REGISTRY + REFERENCE}
CHANNEL = {"fact": "evt", "registry": "reg", "reference": "ref"}


def on_side(side: str) -> list[Table]:
    """The tables that a database of that side ('node' or 'hub') holds."""
    return [t for t in TABLES.values() if t.side in ("both", side)]


def triggers(side: str) -> list[str]:
    """Rules the data layer enforces itself, whatever the code above does."""
    rules = _BOTH_RULES + (_HUB_RULES if side == "hub" else ())
    return [
        f"CREATE TRIGGER {name} BEFORE {event} {condition} BEGIN SELECT RAISE(ABORT, '{said}'); END"
        for name, event, condition, said in rules
    ]


_FACT_COLUMNS = ", ".join(c.name for c in FACTS[0].columns if c.name != "received_at")

# (name, event, condition, message): the message is what the layer above turns into words for people.
_BOTH_RULES = (
    ("fact_never_changes", f"UPDATE OF {_FACT_COLUMNS} ON fact", "", "a fact is never changed"),
    (
        "fact_is_received_once",
        "UPDATE OF received_at ON fact",
        "WHEN OLD.received_at IS NOT NULL",
        "a fact is received once",
    ),
    ("fact_never_goes", "DELETE ON fact", "", "a fact is never deleted"),
)
_HUB_RULES = (
    # Four eyes per case, not per role: whoever did one step of a case may not do another one, in any round.
    (
        "four_eyes",
        "INSERT ON case_step",
        "WHEN EXISTS (SELECT 1 FROM case_step s WHERE s.case_id = NEW.case_id AND s.officer = NEW.officer "
        "AND s.step <> NEW.step)",
        "four_eyes",
    ),
    (
        "no_own_relatives",
        "INSERT ON case_step",
        "WHEN EXISTS (SELECT 1 FROM hub_case c JOIN relative r ON r.person_id = c.person_id "
        "WHERE c.id = NEW.case_id AND r.operator_no = NEW.officer)",
        "relative",
    ),
    ("step_never_changes", "UPDATE ON case_step", "", "a step is never changed"),
    ("step_never_goes", "DELETE ON case_step", "", "a step is never deleted"),
    ("journal_never_changes", "UPDATE ON journal_entry", "", "post a reversal instead"),
    ("journal_never_goes", "DELETE ON journal_entry", "", "post a reversal instead"),
    (
        "journal_has_two_sides",
        "INSERT ON journal_entry",
        "WHEN NEW.debit = NEW.credit OR NEW.amount_fen <= 0",
        "an entry moves a positive amount between two accounts",
    ),
)
