# SPDX-License-Identifier: Apache-2.0
"""Triggers that notice which travelling rows changed, whoever changed them, in the transaction that changes them.

Digests are kept and only what changed is computed again (`sync.equality.buckets`). A note made by each writer would be
forgotten by the next writer somebody adds; a trigger also sees the write that went past the program, which is what
digests are for. Nothing is noted while no digest is kept: a first load pays nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from schema.table import Table

PREFIX_BYTES = 2


def triggers(side: str, travelling: Iterable[Table]) -> list[str]:
    """The triggers of one side ('node' or 'hub')."""
    make = _at_node if side == "node" else _at_hub
    return [statement for table in travelling for statement in make(table)]


def _at_node(table: Table) -> list[str]:
    """Every change, by the first bytes of its owner; of a table without ids, that something changed."""

    def note(row: str) -> str:
        prefix = f"substr({row}.{table.owner_column}, 1, {PREFIX_BYTES})" if table.owner_column else "x''"
        # Not OR IGNORE: inside an upsert the outer statement's way with conflicts would count.
        known = f"SELECT 1 FROM digest_changed WHERE tbl = '{table.name}' AND prefix = {prefix}"
        return f"INSERT INTO digest_changed (tbl, prefix) SELECT '{table.name}', {prefix} WHERE NOT EXISTS ({known});"

    rows = {"insert": ("NEW",), "update": ("OLD", "NEW"), "delete": ("OLD",)}
    return [
        f"CREATE TRIGGER {table.name}_noticed_{event} AFTER {event.upper()} ON {table.name} "
        f"WHEN EXISTS (SELECT 1 FROM digest_kept) BEGIN {' '.join(map(note, seen))} END"
        for event, seen in rows.items()
    ]


def _at_hub(table: Table) -> list[str]:
    """The feed says what changed. Only whose a row was that is deleted, or goes over to another owner, its entry cannot
    say."""
    owner = table.owner_column
    if not owner or owner in table.key:
        return []
    note = (
        f"BEGIN INSERT INTO digest_moved (prefix, seq) VALUES (substr(OLD.{owner}, 1, {PREFIX_BYTES}), "
        "coalesce((SELECT seq FROM feed_head), 0)) ON CONFLICT (prefix) DO UPDATE SET seq = excluded.seq; END"
    )
    return [
        f"CREATE TRIGGER {table.name}_noticed_moved AFTER UPDATE OF {owner} ON {table.name} "
        f"WHEN OLD.{owner} IS NOT NEW.{owner} {note}",
        f"CREATE TRIGGER {table.name}_noticed_delete AFTER DELETE ON {table.name} {note}",
    ]
