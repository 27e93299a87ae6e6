# SPDX-License-Identifier: Apache-2.0
"""Local tables of a station's self-service page and its waiting room. They never leave the machine."""

from __future__ import annotations

from schema.table import Table, id_, int_, text_

KIOSK = (
    Table(
        "queue_ticket",
        "local",
        "node",
        "numbers of the waiting room, day by day; whose number it is only where a card was on the reader",
        ("id",),
        (
            id_("id"),
            text_("day", 10, True),
            text_("number", 8, True),
            text_("topic", 1, True),
            text_("state", 10, True),
            text_("taken_at", 24, True),
            text_("called_at", 24),
            int_("calls"),
            text_("ended_at", 24),
            text_("window", 1),
            text_("operator_no", 20),
            id_("person_id", False),
        ),
        unique=("day, number",),
        indexes=("day, state",),
    ),
    Table(
        "kiosk_request",
        "local",
        "node",
        "what somebody filled in at the self-service page: an officer checks it with the person and makes it a case",
        ("id",),
        (
            id_("id"),
            id_("person_id"),
            text_("service", 60, True),
            text_("answers", 20000, True),
            text_("at", 24, True),
            text_("state", 10, True),
            text_("ended_at", 24),
            text_("operator_no", 20),
        ),
        indexes=("state, at", "person_id"),
    ),
    Table(
        "kiosk_log",
        "local",
        "node",
        "what was shown and printed at the self-service page, of whom and when; wrong answers to its question",
        ("id",),
        (id_("id"), text_("at", 24, True), text_("what", 16, True), id_("person_id")),
        indexes=("person_id, at",),
    ),
)
