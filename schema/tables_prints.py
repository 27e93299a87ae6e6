# SPDX-License-Identifier: Apache-2.0
"""The log of what was printed for whom. Each side fills its own from the facts, so that the page and the rule that
look for prints without a case (R41) read rows and not signed bytes."""

from __future__ import annotations

from schema.table import Table, id_, int_, text_

PRINTS = (
    Table(
        "print_log",
        "local",
        "both",
        "who printed what for whom, why, and the how-manieth time: from the facts, ready to be listed and searched",
        ("id",),
        (
            id_("id"),
            text_("document", 20, True),
            text_("about", 8, True),
            id_("subject"),
            int_("copy"),
            text_("number", 40),
            int_("persons"),
            text_("purpose", 100),
            text_("station", 20, True),
            text_("operator_no", 20, True),
            text_("at", 24, True),
        ),
        indexes=("subject, document", "at", "number"),
    ),
)
