# SPDX-License-Identifier: Apache-2.0
"""Documents that leave the counter on paper, and the log of who printed which for whom.

A print is a fact (`document_printed`): an act of an officer that nobody may take back, which supervision must see
wherever it happened. The one exception is the first copy of an acceptance slip: it belongs to the case's own fact,
and a second one for every case would double what a slow line carries.
Law: 社会保险经办条例 §32 (records of rights are free and given to the person), §38 (all processing is recorded).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from schema import database
from schema.events import Fact

KIND = "document_printed"
SLIP = "slip"
PURPOSE_MAX_CHARS = 100


@dataclass(frozen=True)
class Document:
    """A kind of paper. `about`: what its subject is; `paper`: a5 or a4; `asks_purpose`: personal data leaves the
    office without a case of its own, so the officer says for what."""

    name: str
    about: str
    paper: str
    asks_purpose: bool = False


DOCUMENTS: dict[str, Document] = {
    d.name: d
    for d in (
        Document(SLIP, "case", "a5"),
        Document("missing", "case", "a4"),
        Document("decision", "case", "a4"),
        Document("referral", "case", "a5"),
        Document("rights", "person", "a4", asks_purpose=True),
        Document("unit_rights", "unit", "a4", asks_purpose=True),
        Document("due_list", "village", "a4"),
    )
}


def body(document: str, copy: int, number: str | None, persons: int, purpose: str | None) -> dict[str, Any]:
    """What the fact of a print says. `persons`: of how many persons it shows data."""
    return {"document": document, "copy": copy, "number": number, "persons": persons, "purpose": purpose}


def row(fact: Fact) -> dict[str, Any]:
    """The log's row of such a fact. Raises KeyError for a document that does not exist."""
    return log_row(fact.id, fact.subject, fact.body, fact.origin, fact.officer, fact.stated_at)


def log_row(
    id_: bytes, subject: bytes, said: Mapping[str, Any], station: str, operator_no: str, at: str
) -> dict[str, Any]:
    """A row of the log, also of the first slip that has no fact of its own."""
    return {
        "id": id_,
        "document": said["document"],
        "about": DOCUMENTS[said["document"]].about,
        "subject": subject,
        "copy": said["copy"],
        "number": said["number"],
        "persons": said["persons"],
        "purpose": said["purpose"],
        "station": station,
        "operator_no": operator_no,
        "at": at,
    }


def log_first_slip(db: Any, fact: Fact) -> None:
    """Log the first slip of the case that this fact took, once: its id is the fact's own."""
    said = body(SLIP, 1, fact.body["receipt_no"], 1, None)
    row_ = log_row(fact.id, fact.subject, said, fact.origin, fact.officer, fact.stated_at)
    database.upsert(db, "print_log", row_)


def listing(
    db: Any, *, cases: str, since: str, until: str = "~", document: str = "", operator_no: str = "", limit: int,
    offset: int = 0,
) -> tuple[list[Any], int]:  # fmt: skip
    """Prints in a time, newest first, with the name of whom or what each was about; and how many there are in all.

    `cases`: the table in which this side keeps its cases.
    """
    where, values = ["at >= ?", "at < ?"], [since, until]
    for column, wanted in (("document", document), ("operator_no", operator_no)):
        if wanted:
            where.append(f"{column} = ?")
            values.append(wanted)
    sql = f"FROM print_log l WHERE {' AND '.join(where)}"
    total = int(db.execute(f"SELECT count(*) {sql}", values).fetchone()[0])
    rows = db.execute(
        "SELECT l.*, coalesce(p.name, u.name, c.person_name) AS name FROM (SELECT * "
        f"{sql} ORDER BY at DESC, id LIMIT ? OFFSET ?) l "
        "LEFT JOIN person p ON p.id = l.subject LEFT JOIN unit u ON u.id = l.subject "
        f"LEFT JOIN {cases} c ON c.id = l.subject ORDER BY l.at DESC, l.id",
        (*values, limit, offset),
    ).fetchall()
    return list(rows), total


def by_officer(db: Any, since: str, until: str = "~") -> list[Any]:
    """Per officer: how many prints, how many persons stood on them without a case; most persons first."""
    return list(
        db.execute(
            "SELECT operator_no, station, count(*) AS prints, sum(copy > 1) AS again, "
            "sum(CASE WHEN about = 'case' THEN 0 ELSE persons END) AS persons_without_case FROM print_log "
            "WHERE at >= ? AND at < ? GROUP BY operator_no, station ORDER BY persons_without_case DESC, prints DESC",
            (since, until),
        )
    )
