# SPDX-License-Identifier: Apache-2.0
"""A file of contributions as the tax office sends it: most payers known, one not, one line that cannot be."""

from __future__ import annotations

import csv
from pathlib import Path

from tests.story.world import World

PAYERS = 240
_INSURED = """
    SELECT p.id_number, e.grade_fen FROM enrolment e JOIN person p ON p.id = e.person_id
    WHERE e.insurance = 'resident_pension' AND e.state = 'active' AND e.grade_fen > 0 AND p.life_status = '1'
    ORDER BY p.id LIMIT ?"""


def write_receipts(world: World) -> Path:
    """The file, in the world's folder."""
    hub = world.open_hub()
    with hub.read() as db:
        payers = [(row["id_number"], row["grade_fen"]) for row in db.execute(_INSURED, (PAYERS,))]
    hub.close()
    today = world.today()
    path = world.folder / "receipts.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["票据号", "身份证号", "金额", "缴费年度", "到账日期"])
        for serial, (number, grade_fen) in enumerate(payers, 1):
            lines.writerow([f"SW{serial:08d}", number, f"{grade_fen / 100:.2f}", today.year, today.isoformat()])
        lines.writerow(["SW90000001", "330683199001019901", "500.00", today.year, today.isoformat()])
        lines.writerow(["SW90000002", payers[0][0], "五百", today.year, today.isoformat()])
    return path
