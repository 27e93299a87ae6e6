# SPDX-License-Identifier: Apache-2.0
"""What a community office goes round with: classes and seats, visits that are due, complaints one took oneself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

SHOWN = 100
# Nobody named a day: a visit is due when the last one is this long ago.
VISIT_AFTER = timedelta(days=180)
VISIT_FROM_AGE = 70


def classes(db: Any, today: date) -> list[Any]:
    """Classes that have not ended: those that still `take` people first, the next one first."""
    sql = (
        "SELECT c.*, c.state = 'open' AND c.sign_up_until >= :today AS takes FROM training_class c "
        "WHERE c.ends_on >= :today ORDER BY takes DESC, c.begins_on, c.course, c.id LIMIT :shown"
    )
    return list(db.execute(sql, {"today": today.isoformat(), "shown": SHOWN}).fetchall())


def seats(db: Any) -> list[Any]:
    """Persons of this station with a seat or waiting for one, newest class first."""
    sql = (
        "SELECT s.*, p.name, c.course, c.begins_on, k.phone FROM training_seat s JOIN person p ON p.id = s.person_id "
        "LEFT JOIN training_class c ON c.id = s.class_id LEFT JOIN contact k ON k.id = s.person_id "
        "ORDER BY c.begins_on DESC, s.state, p.name, s.id LIMIT ?"
    )
    return list(db.execute(sql, (SHOWN,)).fetchall())


def visits_due(db: Any, today: date) -> list[Any]:
    """Who draws a pension and whose visit is due: a day that was agreed, or old and not seen for half a year.

    Visits made here and not yet at the hub count: `last_on` looks at both.
    """
    sql = """
        WITH seen AS (
            SELECT person_id, max(visited_on) AS last_on FROM (
                SELECT person_id, visited_on FROM visit
                UNION ALL
                SELECT person_id, answers ->> 'done_on' FROM case_file
                WHERE service = 'retiree_visit' AND receipt_no IS NOT NULL AND person_id IS NOT NULL
            ) GROUP BY person_id
        )
        SELECT p.id, p.name, p.sex, p.birth_on, d.name AS village_name, d.name_en AS village_en, c.phone, n.visit_needs,
            n.lives_with, n.next_visit_on, seen.last_on
        FROM person p
        JOIN (SELECT DISTINCT person_id FROM benefit WHERE state = 'active') b ON b.person_id = p.id
        LEFT JOIN visit_note n ON n.id = p.id
        LEFT JOIN seen ON seen.person_id = p.id
        LEFT JOIN contact c ON c.id = p.id
        LEFT JOIN division d ON d.code = p.village
        WHERE p.life_status = '1' AND (
            (n.next_visit_on IS NOT NULL AND n.next_visit_on <= :today AND coalesce(seen.last_on, '') < n.next_visit_on)
            OR (n.next_visit_on IS NULL AND p.birth_on <= :born AND coalesce(seen.last_on, '') < :since)
        )
        ORDER BY n.next_visit_on IS NULL, n.next_visit_on, coalesce(seen.last_on, ''), p.birth_on, p.id LIMIT :shown
    """
    born = f"{today.year - VISIT_FROM_AGE}{today.isoformat()[4:]}"
    since = (today - VISIT_AFTER).isoformat()
    values = {"today": today.isoformat(), "born": born, "since": since, "shown": SHOWN}
    return list(db.execute(sql, values).fetchall())


def taken_by(db: Any, operator_no: str, services: Sequence[str]) -> list[Any]:
    """Cases of these items that this officer took, newest first, with the state the hub tells."""
    marks = ", ".join("?" * len(services)) or "NULL"
    sql = (
        "SELECT c.id, c.receipt_no, c.service, c.submitted_at, coalesce(s.state, c.state) AS state, s.due_on "
        f"FROM case_file c LEFT JOIN case_state s ON s.case_id = c.id WHERE c.service IN ({marks}) "
        "AND c.operator_no = ? AND c.receipt_no IS NOT NULL ORDER BY c.submitted_at DESC, c.id LIMIT ?"
    )
    return list(db.execute(sql, (*services, operator_no, SHOWN)).fetchall())
