# SPDX-License-Identifier: Apache-2.0
"""The local tables of unit rosters: the file as it was read, and which row became which case."""

from __future__ import annotations

from schema.table import Table, blob_, id_, int_, text_

NODE = (
    Table(
        "roster",
        "local",
        "node",
        "a unit's file of joins, leaves or base changes, from its preview to its cases",
        ("id",),
        (
            id_("id"),
            text_("service", 60, True),
            id_("unit_id"),
            text_("unit_name", 120, True),
            text_("file_name", 200, True),
            text_("header", 8000, True),
            text_("materials", 4000, True),
            text_("operator_no", 20, True),
            text_("at", 24, True),
            text_("state", 12, True),
        ),
        indexes=("at",),
    ),
    Table(
        "roster_row",
        "local",
        "node",
        "a line of a roster, what was found in it and the case it became: the same line again changes nothing",
        ("roster_id", "line"),
        (
            id_("roster_id"),
            int_("line"),
            text_("cells", 20000, True),
            text_("answers", 20000, True),
            id_("person_id", False),
            text_("person_name", 120),
            blob_("identity", 32, False),
            text_("state", 12, True),
            text_("findings", 20000, True),
            id_("case_id", False),
        ),
        indexes=("identity", "case_id"),
    ),
)
