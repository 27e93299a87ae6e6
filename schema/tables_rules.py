# SPDX-License-Identifier: Apache-2.0
"""The tables of rule packs (`schema.packs`): what the hub published, and what somebody prepared for publishing."""

from __future__ import annotations

from schema.table import REV, Table, blob_, int_, text_

REFERENCE = (
    Table(
        "rule_pack",
        "reference",
        "both",
        "each rule pack the hub published, signed; kept for ever, because cases name the pack they were taken under",
        ("number",),
        (int_("number"), text_("hash", 64, True), blob_("manifest", 65536), blob_("signature", 64), REV),
        indexes=("hash",),
    ),
    Table(
        "rule_file",
        "reference",
        "both",
        "the files of all packs by the hash of their bytes: of a new pack only what changed travels",
        ("sha256",),
        (text_("sha256", 64, True), blob_("data", 131072), REV),
    ),
)

HUB = (
    Table(
        "pack_draft",
        "local",
        "hub",
        "rule packs that one officer prepared and another one may publish",
        ("hash",),
        (
            text_("hash", 64, True),
            text_("prepared_by", 20, True),
            text_("prepared_at", 24, True),
            text_("note", 200, True),
            blob_("files", 8_388_608),
        ),
    ),
)
