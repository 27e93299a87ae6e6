# SPDX-License-Identifier: Apache-2.0
"""The tables that travel and are about employers: the unit, who works there, from what amount they pay."""

from __future__ import annotations

from schema.table import REV, Table, id_, int_, text_

EMPLOYERS = (
    Table(
        "unit",
        "reference",
        "both",
        "an employer",
        ("id",),
        (
            id_("id"),
            text_("uscc", 18, True),
            text_("name", 120, True),
            text_("type", 4),
            text_("industry", 4),
            text_("township", 9, True),
            text_("phone", 20),
            text_("address", 120),
            # The class of the industry by its danger (工伤保险费率), 1 to 8.
            text_("injury_class", 1),
            text_("legal_person", 60),
            text_("contact_name", 60),
            text_("bank", 40),
            text_("account_no", 30),
            text_("registered_on", 10),
            text_("ended_on", 10),
            REV,
        ),
        indexes=("uscc", "township"),
    ),
    Table(
        "employment",
        "reference",
        "both",
        "who works where at which declared wage",
        ("id",),
        (
            id_("id"),
            id_("person_id"),
            id_("unit_id"),
            int_("wage_fen"),
            text_("began_month", 7, True),
            text_("ended_month", 7),
            text_("hired_on", 10),
            text_("left_on", 10),
            text_("leave_reason", 20),
            # Work injury is covered from the day after the hub received the join (浙江省工伤保险条例 §11).
            text_("injury_from", 10),
            REV,
        ),
        indexes=("person_id", "unit_id"),
        person_column="person_id",
    ),
    Table(
        "contribution_base",
        "reference",
        "both",
        "the declared amount contributions are computed from, from a month on; changed only by an approved case",
        ("id",),
        (
            id_("id"),
            id_("person_id"),
            # NULL: declared by the person, a flexible worker.
            id_("unit_id", False),
            int_("base_fen"),
            text_("from_month", 7, True),
            id_("case_id", False),
            REV,
        ),
        indexes=("person_id", "unit_id"),
        person_column="person_id",
    ),
)
