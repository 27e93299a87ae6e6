# SPDX-License-Identifier: Apache-2.0
"""Tables about looking for persons: who opened whose page, and the county's digest of who is registered elsewhere."""

from __future__ import annotations

from schema.table import REV, Table, blob_, id_, int_, text_

REFERENCE = (
    Table(
        "elsewhere",
        "reference",
        "both",
        "which ID numbers the county knows and in which township, as short keyed hashes: nobody's data, see "
        "docs/decisions; the bucket -1 holds the key",
        ("bucket",),
        (int_("bucket"), blob_("entries", 8192), REV),
    ),
)

LOCAL = (
    Table(
        "person_opened",
        "local",
        "node",
        "who opened whose page, when and coming from where: looking people up without a case is an offence",
        ("id",),
        (id_("id"), id_("person_id"), text_("operator_no", 20, True), text_("at", 24, True), text_("via", 12, True)),
        indexes=("operator_no, at", "person_id, at"),
    ),
    Table(
        "elsewhere_entry",
        "local",
        "hub",
        "each person's entry in the digest of who is registered where, so that a change rewrites one bucket",
        ("person_id",),
        (id_("person_id"), int_("bucket"), int_("rest"), int_("township")),
        indexes=("bucket",),
    ),
    Table(
        "elsewhere_due",
        "local",
        "hub",
        "persons whose entry in that digest is to be made again; written by triggers",
        ("person_id",),
        (id_("person_id"),),
    ),
)

# A note made by each writer would be forgotten by the next writer somebody adds.
DUE_TRIGGERS = tuple(
    f"CREATE TRIGGER elsewhere_due_{name} AFTER {event} ON person {when} BEGIN "
    f"INSERT INTO elsewhere_due (person_id) SELECT {row}.id "
    f"WHERE NOT EXISTS (SELECT 1 FROM elsewhere_due WHERE person_id = {row}.id); END"
    for name, event, row, when in (
        ("insert", "INSERT", "NEW", ""),
        ("delete", "DELETE", "OLD", ""),
        (
            "update",
            "UPDATE OF id_number, village",
            "NEW",
            "WHEN OLD.id_number <> NEW.id_number OR OLD.village <> NEW.village",
        ),
    )
)
