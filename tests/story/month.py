# SPDX-License-Identifier: Apache-2.0
"""The month at the hub: contributions arrive in a file, four officers compute, approve, pay and close."""

from __future__ import annotations

import csv
from typing import Any

from tests.story.world import World

SCHEME = "resident_pension"


def settle(world: World, hands: dict[str, str]) -> None:
    """Take in the month's receipts, then the four signatures. `hands`: role -> officer number."""
    month = world.today().strftime("%Y-%m")
    file = world.folder / "receipts.csv"
    write_receipts(world, file)
    as_officer(world, hands["settle"], "receipts", file)
    as_officer(world, hands["settle"], "settle", "run", month)
    as_officer(world, hands["approve_month"], "settle", "approve", month)
    as_officer(world, hands["pay"], "settle", "pay", month)
    as_officer(world, hands["close"], "settle", "close", month, "--typed", f"结账 {month}")


def as_officer(world: World, number: str, *words: Any) -> None:
    """One command of the hub, by one officer with the own password."""
    signed = ("--officer", number, "--password-file", world.password_file(number))
    world.run("township-hub", *words, "--dir", world.hub.path, *signed)


def write_receipts(world: World, file: Any) -> None:
    """Everybody enrolled by a case of these days pays this year's contribution of the chosen grade."""
    hub = world.open_hub()
    with hub.read() as db:
        rows = db.execute(
            "SELECT p.id_number, e.grade_fen FROM enrolment e JOIN person p ON p.id = e.person_id "
            "WHERE e.insurance = ? AND e.case_id IS NOT NULL AND e.state = 'active' ORDER BY p.id_number",
            (SCHEME,),
        ).fetchall()
    hub.close()
    today = world.today()
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["票据号", "身份证号", "金额", "缴费年度", "到账日期"])
        for serial, (number, grade_fen) in enumerate(rows, 1):
            writer.writerow([f"SW{serial:08d}", number, f"{grade_fen / 100:.2f}", today.year, today.isoformat()])
