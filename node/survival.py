# SPDX-License-Identifier: Apache-2.0
"""A survival day at a village: marks that can be undone, then one signature for all of them; and matching first.

A mark is stored at once, with its photo, so that neither a crash nor a flat battery loses a morning. It becomes a
signed fact when the officer signs the day; until then it is nobody's statement and can be taken back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from node import cases
from node.cases import Desk, Given
from schema import database, events, ids, period, survival
from schema.clock import local, stamp
from schema.errors import Refusal, UnknownSubject
from schema.readable import readable
from schema.subject import Subject
from schema.survival import Due
from schema.web.door import Officer
from sync.station import blob


@dataclass(frozen=True)
class Seen:
    """What the officer says of one person: found or not, how, a word beside it, a photo or none."""

    found: bool
    method: str
    note: str = ""
    photo: bytes = b""
    media_type: str = "image/jpeg"


@dataclass(frozen=True)
class Village:
    """How far a village is. `marked`: seen today and not signed yet."""

    code: str
    name: str
    drawing: int
    overdue: int
    due: int
    marked: int


@dataclass(frozen=True)
class Trace:
    """A sign of life that stands in the data already. `what`: word of the catalogue; `at`: an instant."""

    person: Due
    what: str
    at: str
    number: str


def due(db: Any, desk: Desk, village: str = "") -> list[Due]:
    """Who draws a benefit here, with what is due when."""
    return survival.due(db, desk.clock.today(), desk.parameters, village=village)


def villages(db: Any, desk: Desk) -> list[Village]:
    """Villages with somebody who draws a benefit, the most overdue first."""
    names = {r["code"]: r["name"] for r in db.execute("SELECT code, name FROM division WHERE parent = ?",
                                                       (desk.township,))}  # fmt: skip
    unsigned = {
        r["village"]: r["n"]
        for r in db.execute("SELECT village, count(*) AS n FROM survival_mark WHERE fact_id IS NULL GROUP BY village")
    }
    found: dict[str, list[Due]] = {}
    for person in due(db, desk):
        found.setdefault(person.village, []).append(person)
    out = [
        Village(
            code, names.get(code, code), len(people), sum(p.state == "overdue" for p in people),
            sum(p.state == "due" for p in people), unsigned.get(code, 0),
        )
        for code, people in found.items()
    ]  # fmt: skip
    return sorted(out, key=lambda v: (-v.overdue, -v.due, v.code))


def marks(db: Any, village: str) -> dict[bytes, Any]:
    """The unsigned marks of a village by person, without their photos."""
    rows = db.execute(
        "SELECT id, person_id, found, method, note, photo_sha256, operator_no, at FROM survival_mark "
        "WHERE village = ? AND fact_id IS NULL ORDER BY at",
        (village,),
    )
    return {bytes(row["person_id"]): row for row in rows}


def mark(db: Any, desk: Desk, person: Due, seen: Seen, officer: Officer) -> bytes:
    """Keep what was seen, in the caller's write transaction; a mark of before, not yet signed, is replaced.

    Raises Refusal: a photo that is none or too large, or that was taken of somebody else (R31).
    """
    _check(seen)
    hash_ = sha256(seen.photo).digest() if seen.photo else None
    if hash_:
        _check_photo_is_new(db, person.person_id, hash_)
    db.execute("DELETE FROM survival_mark WHERE person_id = ? AND fact_id IS NULL", (person.person_id,))
    return _keep(db, person, seen, hash_, officer, stamp(desk.clock.now()))


def undo(db: Any, village: str, officer: Officer) -> bytes | None:
    """Take back this officer's newest unsigned mark at a village; whose it was, None when there is none."""
    row = db.execute(
        "SELECT id, person_id FROM survival_mark WHERE village = ? AND operator_no = ? AND fact_id IS NULL "
        "ORDER BY at DESC, rowid DESC LIMIT 1",
        (village, officer.operator_no),
    ).fetchone()
    if row is None:
        return None
    db.execute("DELETE FROM survival_mark WHERE id = ?", (row["id"],))
    return bytes(row["person_id"])


def sign(db: Any, desk: Desk, village: str, officer: Officer, key: Ed25519PrivateKey) -> int:
    """Make facts of this officer's marks at a village, photos queued beside them; returns how many."""
    rows = db.execute(
        "SELECT * FROM survival_mark WHERE village = ? AND operator_no = ? AND fact_id IS NULL ORDER BY at, rowid",
        (village, officer.operator_no),
    ).fetchall()
    for row in rows:
        _sign(db, desk, row, officer, key)
    return len(rows)


def traces(db: Any, desk: Desk, village: str = "") -> list[Trace]:
    """Who was at a counter or was visited in the last twelve months, of those whose check is due: matching comes first.

    A sign of life counts from its own day, so one that is older than the last check helps nobody.
    """
    today = desk.clock.today()
    months = desk.parameters.at(survival.MONTHS, today).number
    since = period.add_months(period.month_of(today), -months) + today.isoformat()[7:]
    out = []
    for person in due(db, desk, village):
        if person.state == "seen":
            continue
        found = db.execute(_TRACES, {"person": person.person_id, "since": since}).fetchone()
        if found and (person.last_on is None or local(found["at"]).date() > person.last_on):
            out.append(Trace(person, found["what"], found["at"], found["number"]))
    return out


def accept(
    db: Any, desk: Desk, chosen: Iterable[bytes], officer: Officer, key: Ed25519PrivateKey
) -> int:
    """Sign checks by matching for these persons, as far as a trace still stands; returns how many."""
    wanted = set(chosen)
    accepted = [trace for trace in traces(db, desk) if trace.person.person_id in wanted]
    for trace in accepted:
        seen = Seen(True, survival.MATCHING, f"{trace.what} {trace.number}".strip())
        made = _keep(db, trace.person, seen, None, officer, trace.at)
        _sign(db, desk, db.execute("SELECT * FROM survival_mark WHERE id = ?", (made,)).fetchone(), officer, key)
    return len(accepted)


def may_propose(desk: Desk) -> bool:
    """Whether the rule pack has the item with which a pause is proposed."""
    return PAUSE in desk.services


def propose(desk: Desk, chosen: Iterable[bytes], officer: Officer) -> int:
    """Begin a pause for each of these persons whose check is overdue: a draft, for a clerk to look at and submit.

    Nothing stops by this: what is submitted is decided by the hub's officers. Who has a pause under way is left out.
    """
    item, today = desk.service(PAUSE), desk.clock.today()
    with desk.store.read() as db:
        people = [person(db, desk, person_id) for person_id in chosen]
        ready = [
            (one, db.execute(_DRAWN, (one.person_id,)).fetchone()["kind"])
            for one in people
            if one.state == "overdue" and not db.execute(_PAUSING, (one.person_id, PAUSE)).fetchone()
        ]
    for one, kind in ready:
        last = one.last_on.isoformat() if one.last_on else "无"
        answers = {
            "name": one.name, "id_number": one.id_number, "action": "pause", "kind": kind, "reason": "no_check",
            "from_month": period.add_months(period.month_of(today), 1),
            "note": f"资格认证应在 {one.due_on} 前办理，逾期 {days_over(one, today)} 天；上次认证：{last}",
        }  # fmt: skip
        cases.save(desk, ids.new_id(), item, Given(answers, []), officer, Subject(person_id=one.person_id))
    return len(ready)


def person(db: Any, desk: Desk, person_id: bytes) -> Due:
    """One person who draws a benefit. Raises UnknownSubject."""
    found = survival.due(db, desk.clock.today(), desk.parameters, person_id=person_id)
    if not found:
        raise UnknownSubject("此人没有领取待遇，不用认证", "this person draws no benefit")
    return found[0]


def days_over(person: Due, today: date) -> int:
    """By how many days the check is overdue."""
    return max(0, (today - person.due_on) // timedelta(days=1))


PAUSE = "benefit_pause"
_DRAWN = "SELECT kind FROM benefit WHERE person_id = ? AND state = 'active' ORDER BY from_month LIMIT 1"
_PAUSING = (
    "SELECT 1 FROM case_file WHERE person_id = ? AND service = ? "
    "AND state NOT IN ('withdrawn', 'rejected', 'reversed')"
)

# A case that somebody came for at this counter, and a visit by the township's people.
_TRACES = """
    SELECT 'case' AS what, submitted_at AS at, receipt_no AS number FROM case_file
    WHERE person_id = :person AND receipt_no IS NOT NULL AND submitted_at >= :since
    UNION ALL
    SELECT 'visit', visited_on || 'T04:00:00.000Z', '' FROM visit
    WHERE person_id = :person AND visited_on >= :since AND found NOT IN ('dead', 'absent', 'not_found', 'moved')
    ORDER BY at DESC LIMIT 1
"""


def _keep(db: Any, person: Due, seen: Seen, hash_: bytes | None, officer: Officer, at: str) -> bytes:
    made = ids.new_id()
    database.insert(db, "survival_mark", {
        "id": made, "person_id": person.person_id, "village": person.village, "found": int(seen.found),
        "method": seen.method, "note": readable(seen.note).strip()[: survival.NOTE_MAX_CHARS] or None,
        "photo": seen.photo or None, "media_type": seen.media_type if seen.photo else None, "photo_sha256": hash_,
        "operator_no": officer.operator_no, "at": at,
    })  # fmt: skip
    return made


def _sign(db: Any, desk: Desk, row: Any, officer: Officer, key: Ed25519PrivateKey) -> None:
    about = bytes(row["id"])
    body = survival.body(
        bytes(row["person_id"]), row["at"], row["method"], bool(row["found"]), row["note"],
        bytes(row["photo_sha256"]) if row["photo_sha256"] else None,
    )  # fmt: skip
    fact = events.state(db, survival.KIND, about, body, officer=officer.operator_no, key=key, clock=desk.clock)
    if row["photo"]:
        blob.keep(db, bytes(row["photo"]), row["media_type"], about, stamp(desk.clock.now()))
    database.update(db, "survival_mark", {"id": about}, {"fact_id": fact.id, "photo": None})


def _check(seen: Seen) -> None:
    if seen.method not in survival.METHODS:
        raise Refusal("认证方式不对", "unknown way of checking", code="method")
    if seen.found and seen.method == survival.FACE and not seen.photo:
        raise Refusal("请先拍照，或改用「核对证件」", "Take a photo first, or choose “ID card seen”", code="photo")
    if seen.photo and (code := blob.unfit(len(seen.photo), seen.media_type, seen.photo)):
        raise blob.refused(code)


def _check_photo_is_new(db: Any, person_id: bytes, hash_: bytes) -> None:
    for table, column in (("survival_mark", "photo_sha256"), ("eligibility_check", "photo")):
        sql = f"SELECT 1 FROM {table} WHERE {column} = ? AND person_id <> ?"
        if db.execute(sql, (hash_, person_id)).fetchone():
            en = "This photo was used for somebody else: take a new one"
            raise Refusal("这张照片已经用在别人身上，请重新拍", en, code=survival.SAME_PHOTO)
