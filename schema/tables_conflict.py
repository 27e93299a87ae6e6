# SPDX-License-Identifier: Apache-2.0
"""Local tables around edits that did not know of each other: who wrote a cell, what was decided, what was seen.

The conflicts themselves travel (`tables_travelling`); what the hub knows beside them does not.
"""

from __future__ import annotations

from schema.table import Table, id_, int_, text_
from schema.tables_travelling import WIDEST_VALUE

AT_HUB = (
    Table(
        "cell_edit",
        "local",
        "hub",
        "which officer wrote the value that a registry cell holds, and when: a conflict must be able to name both",
        ("tbl", "row_id", "col"),
        (
            text_("tbl", 40, True),
            id_("row_id"),
            text_("col", 40, True),
            int_("col_version"),
            text_("station", 40, True),
            text_("officer", 20, True),
            text_("written_at", 24, True),
            text_("received_at", 24, True),
        ),
    ),
    Table(
        "parallel_edit",
        "local",
        "hub",
        "two people changed different cells of one row without knowing of each other: both stand, a person may look",
        ("id",),
        (
            id_("id"),
            text_("kind", 8, True),
            text_("tbl", 40, True),
            id_("row_id"),
            text_("col", 40, True),
            text_("value", WIDEST_VALUE),
            int_("version"),
            text_("station", 40, True),
            text_("officer", 20),
            text_("written_at", 24),
            text_("other_col", 40, True),
            text_("other_value", WIDEST_VALUE),
            int_("other_version"),
            text_("other_station", 40, True),
            text_("other_officer", 20),
            text_("other_written_at", 24),
            text_("found_at", 24, True),
        ),
        indexes=("row_id", "found_at"),
    ),
    Table(
        "conflict_decision",
        "local",
        "hub",
        "who chose which value for a conflict, when and why; taking it back is a further decision",
        ("id",),
        (
            id_("id"),
            id_("batch"),
            id_("about"),
            text_("tbl", 40, True),
            id_("row_id"),
            text_("col", 40, True),
            text_("choice", 8, True),
            text_("before", WIDEST_VALUE),
            text_("value", WIDEST_VALUE),
            text_("reason", 200),
            text_("officer", 20, True),
            text_("at", 24, True),
            id_("undoes", False),
        ),
        indexes=("about", "row_id", "batch"),
        unique=("about, undoes",),
    ),
)

AT_NODE = (
    Table(
        "lost_seen",
        "local",
        "node",
        "own edits that did not stand and that somebody here has looked at",
        ("conflict_id",),
        (id_("conflict_id"), text_("operator_no", 20, True), text_("seen_at", 24, True)),
    ),
)
