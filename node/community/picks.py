# SPDX-License-Identifier: Apache-2.0
"""What a form offers to choose from where the entries are rows: jobs on offer, classes, a person's open referrals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from schema import ids
from schema.toml_reader import Text
from schema.view import PersonView

Entries = tuple[tuple[str, Text], ...]


def _vacancies(db: Any, person: PersonView) -> Entries:
    """Open ones, the newest last day first."""
    rows = db.execute(
        "SELECT id, job_title, employer, open_until_on FROM vacancy WHERE vacancy_open = 'yes' "
        "AND coalesce(open_until_on, '9999') >= ? ORDER BY job_title, employer, id",
        (person.as_of.isoformat(),),
    )
    return tuple(_entry(row["id"], f"{row['job_title'] or '--'}　{row['employer'] or '--'}") for row in rows)


def _classes(db: Any, person: PersonView) -> Entries:
    """Classes that still take people, the next one first, with the seats left as this station knows them."""
    rows = db.execute(
        "SELECT id, course, place, begins_on, seats - seats_taken AS left_over FROM training_class "
        "WHERE state = 'open' AND sign_up_until >= ? ORDER BY begins_on, course, id",
        (person.as_of.isoformat(),),
    )
    out = []
    for row in rows:
        left = max(0, row["left_over"])
        zh = f"{row['course']}　{row['begins_on']} 开班　{row['place']}　余 {left} 名"
        en = f"{row['course']}, from {row['begins_on']}, {row['place']}, {left} seats left"
        out.append((ids.to_text(bytes(row["id"])), {"zh": zh, "en": en}))
    return tuple(out)


def _referrals(db: Any, person: PersonView) -> Entries:
    """The person's referrals, those without an outcome first."""
    rows = sorted(person.rows_of("referral"), key=lambda row: (row["outcome"] is not None, row["referred_on"]))
    return tuple(_entry(r["id"], f"{r['referred_on']}　{r['job_title']}　{r['employer']}") for r in rows)


def _entry(row_id: Any, text: str) -> tuple[str, Text]:
    return ids.to_text(bytes(row_id)), {"zh": text, "en": text.replace("　", ", ")}


PICKS: dict[str, Callable[[Any, PersonView], Entries]] = {
    "vacancy": _vacancies, "training_class": _classes, "referral": _referrals,
}  # fmt: skip


_NAMES = {
    "vacancy": "SELECT job_title || '　' || employer FROM vacancy WHERE id = ?",
    "training_class": "SELECT course || '　' || begins_on FROM training_class WHERE id = ?",
    "referral": "SELECT job_title || '　' || employer FROM referral WHERE id = ?",
}


def name(db: Any, kind: str, value: str) -> Text:
    """What was chosen, for reading; -- when it is not here (any more)."""
    found = db.execute(_NAMES[kind], (ids.from_text(value),)).fetchone() if ids.is_text(value) else None
    text = (found[0] if found else None) or "--"
    return {"zh": text, "en": text.replace("　", ", ")}
