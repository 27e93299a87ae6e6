# SPDX-License-Identifier: Apache-2.0
"""Every table, on both sides, with its way to travel and why.

Four ways (docs/architecture.md): a FACT is append-only and signed; a REGISTRY table is a CRDT whose cells any
station of the slice may write; a REFERENCE table is written by the hub alone and replaced by row; LOCAL never leaves
its machine.
DDL, the wire validator and the digests are all derived from these declarations, so they cannot disagree.

Ids are 16 random bytes. Money is INTEGER fen. Instants are UTC text, dates `YYYY-MM-DD`, months `YYYY-MM`.
"""

from __future__ import annotations

from schema import noticing, tables_person, tables_roster, tables_rules
from schema.table import Column, Table
from schema.tables_conflict import AT_HUB, AT_NODE
from schema.tables_hub import HUB
from schema.tables_kiosk import KIOSK
from schema.tables_month import MONTH
from schema.tables_node import BLOBS, BOTH, NODE, SNAPSHOTS
from schema.tables_prints import PRINTS
from schema.tables_survival import AT_NODE as MARKS
from schema.tables_travelling import FACTS, REFERENCE, REGISTRY

__all__ = [
    "CHANNEL",
    "FACTS",
    "LOCAL",
    "OF_NOBODY",
    "REFERENCE",
    "REGISTRY",
    "TABLES",
    "TRAVELLING",
    "Column",
    "Table",
    "on_side",
    "triggers",
]

LOCAL = (
    BOTH + PRINTS + SNAPSHOTS + BLOBS + NODE + MARKS + KIOSK + AT_NODE + tables_person.LOCAL + HUB + MONTH + AT_HUB
    + tables_rules.HUB + tables_roster.NODE
)  # fmt: skip
TABLES: dict[str, Table] = {t.name: t for t in FACTS + REGISTRY + REFERENCE + LOCAL}
TRAVELLING = {t.name: t for t in FACTS + REGISTRY + REFERENCE}
# Registry tables whose id is not a person's: their rows are members of slices by themselves.
OF_NOBODY = frozenset({"vacancy"})
CHANNEL = {"fact": "evt", "registry": "reg", "reference": "ref"}


def on_side(side: str) -> list[Table]:
    """The tables that a database of that side ('node' or 'hub') holds."""
    return [t for t in TABLES.values() if t.side in ("both", side)]


def stays(side: str, table: Table) -> str:
    """P8: when a registry row must not be deleted, over OLD: always at a station; at the hub while its person is there
    (a legal erasure deletes the person first), and always what is no person's."""
    return _PERSON_STAYS.format(owner="id") if side == "hub" and table.name not in OF_NOBODY else "1"


def triggers(side: str) -> list[str]:
    """Rules the data layer enforces itself, whatever the code above does."""
    rules = _BOTH_RULES + (_HUB_RULES if side == "hub" else ())
    refusing = [
        f"CREATE TRIGGER {name} BEFORE {event} {condition} BEGIN SELECT RAISE(ABORT, '{said}'); END"
        for name, event, condition, said in rules
    ]
    due = tables_person.DUE_TRIGGERS if side == "hub" else ()
    return [*refusing, *due, *noticing.triggers(side, REGISTRY + REFERENCE)]


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
# At the hub a person's legal erasure deletes, the person first and then what hangs on it.
_PERSON_STAYS = "EXISTS (SELECT 1 FROM person WHERE id = OLD.{owner})"
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
        "WHEN EXISTS (SELECT 1 FROM hub_case c JOIN relative r ON r.operator_no = NEW.officer "
        "LEFT JOIN person p ON p.id = r.person_id WHERE c.id = NEW.case_id "
        "AND (r.person_id = c.person_id OR p.household_id = c.household_id))",
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
    # A settlement month passes through four different pairs of hands, forward only, and stays as it was signed.
    (
        "month_begins_computed",
        "INSERT ON period",
        "WHEN NEW.state <> 'computed' OR NEW.computed_by IS NULL "
        "OR coalesce(NEW.approved_by, NEW.paid_by, NEW.closed_by) IS NOT NULL "
        "OR EXISTS (SELECT 1 FROM period p WHERE p.scheme = NEW.scheme AND p.month = NEW.month)",
        "month_state",
    ),
    (
        "month_goes_forward",
        "UPDATE ON period",
        "WHEN OLD.state || '>' || NEW.state NOT IN "
        "('computed>computed', 'computed>approved', 'approved>paid', 'paid>closed')",
        "month_state",
    ),
    (
        "month_keeps_its_hands",
        "UPDATE ON period",
        "WHEN OLD.state <> 'computed' AND "
        "(NEW.run_id, NEW.computed_by, NEW.computed_at, NEW.approved_by, NEW.approved_at) IS NOT "
        "(OLD.run_id, OLD.computed_by, OLD.computed_at, OLD.approved_by, OLD.approved_at) "
        "OR OLD.state = 'paid' AND (NEW.paid_by, NEW.paid_at) IS NOT (OLD.paid_by, OLD.paid_at) "
        "OR NEW.state <> 'computed' AND NEW.approved_by IS NULL "
        "OR NEW.state IN ('paid', 'closed') AND NEW.paid_by IS NULL "
        "OR NEW.state = 'closed' AND NEW.closed_by IS NULL",
        "month_state",
    ),
    (
        "month_four_hands",
        "UPDATE ON period",
        "WHEN NEW.approved_by = NEW.computed_by OR NEW.paid_by IN (NEW.computed_by, NEW.approved_by) "
        "OR NEW.closed_by IN (NEW.computed_by, NEW.approved_by, NEW.paid_by)",
        "four_hands",
    ),
    ("month_never_goes", "DELETE ON period", "", "a month is never deleted"),
    ("run_never_changes", "UPDATE ON month_run", "", "a run is never changed"),
    ("run_never_goes", "DELETE ON month_run", "", "a run is never deleted"),
    # Who lost what to whom, and who decided: added to, never rewritten.
    ("conflict_never_changes", "UPDATE ON conflict", "", "a conflict is never changed"),
    ("decision_never_changes", "UPDATE ON conflict_decision", "", "a decision is never changed"),
    ("conflict_never_goes", "DELETE ON conflict", f"WHEN {_PERSON_STAYS.format(owner='row_id')}",
     "a conflict is never deleted"),
    ("decision_never_goes", "DELETE ON conflict_decision", f"WHEN {_PERSON_STAYS.format(owner='row_id')}",
     "a decision is never deleted"),
)  # fmt: skip
