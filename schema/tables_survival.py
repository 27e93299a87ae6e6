# SPDX-License-Identifier: Apache-2.0
"""Survival checks (资格认证): the checks the hub knows of, and a day's marks at a village before they are signed."""

from __future__ import annotations

from schema.table import REV, Table, blob_, id_, int_, text_

REFERENCE = (
    Table(
        "eligibility_check",
        "reference",
        "both",
        "who was seen alive, when, how, by whom: a fact states it, the hub writes it, the person's stations read it",
        ("id",),
        (
            id_("id"),
            id_("person_id"),
            text_("checked_on", 10, True),
            text_("method", 12, True),
            int_("found"),
            text_("note", 200),
            blob_("photo", 32, False),
            text_("station", 20, True),
            text_("officer", 20, True),
            text_("seen_at", 24, True),
            text_("flags", 40),
            REV,
        ),
        indexes=("person_id, checked_on", "officer, seen_at", "photo"),
        person_column="person_id",
    ),
)

AT_NODE = (
    Table(
        "survival_mark",
        "local",
        "node",
        "what was seen at a village, with the photo: can be undone until the officer signs it, then it is a fact",
        ("id",),
        (
            id_("id"),
            id_("person_id"),
            text_("village", 12, True),
            int_("found"),
            text_("method", 12, True),
            text_("note", 200),
            blob_("photo", 10 * 1024 * 1024, False),
            text_("media_type", 40),
            blob_("photo_sha256", 32, False),
            text_("operator_no", 20, True),
            text_("at", 24, True),
            id_("fact_id", False),
        ),
        indexes=("person_id", "village, at", "photo_sha256"),
    ),
)
