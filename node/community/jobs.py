# SPDX-License-Identifier: Apache-2.0
"""Who looks for work here, which jobs are on offer, how they fit each other, and sending a person to a job."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from node import cases
from node.cases import Desk, Submitted
from node.community import matching
from node.community.matching import Match, Offer, Wish
from schema import ids, period
from schema.errors import UnknownSubject
from schema.web.door import Officer

REFERRAL = "job_referral"
SHOWN = 100
MATCHES = 20

_SEEKERS = (
    "SELECT s.*, p.name, p.sex, p.birth_on, p.village, c.education, c.phone, "
    "EXISTS (SELECT 1 FROM aid_finding a WHERE a.person_id = s.id AND a.valid_to >= :today) AS aided "
    "FROM job_seeker s JOIN person p ON p.id = s.id LEFT JOIN contact c ON c.id = s.id "
    "WHERE s.looking = 'yes' AND p.life_status <> '2' AND coalesce(s.wish_until_on, '9999') >= :today"
)
_VACANCIES = (
    "SELECT v.*, d.name AS township_name, d.name_en AS township_en FROM vacancy v "
    "LEFT JOIN division d ON d.code = v.job_township "
    "WHERE v.vacancy_open = 'yes' AND coalesce(v.open_until_on, '9999') >= :today"
)


@dataclass(frozen=True)
class Fit:
    """A match with the two rows it is about. `referred`: the newest referral of this person to this job, or None."""

    match: Match
    seeker: Any
    vacancy: Any
    referred: Any


def seekers(db: Any, today: date) -> list[Any]:
    """Persons who look for work; those found hard to employ come first."""
    sql = f"{_SEEKERS} ORDER BY aided DESC, p.pinyin, s.id LIMIT {SHOWN}"
    return list(db.execute(sql, {"today": today.isoformat()}).fetchall())


def vacancies(db: Any, today: date) -> list[Any]:
    """Jobs on offer, those that end first in front."""
    sql = f"{_VACANCIES} ORDER BY coalesce(v.open_until_on, '9999'), v.job_title, v.id LIMIT {SHOWN}"
    return list(db.execute(sql, {"today": today.isoformat()}).fetchall())


def for_seeker(db: Any, person_id: bytes, today: date) -> list[Fit]:
    """The jobs on offer that fit a person, best first. [] when the person looks for none."""
    seeker = db.execute(f"{_SEEKERS} AND s.id = :id", {"today": today.isoformat(), "id": person_id}).fetchone()
    if seeker is None:
        return []
    wish = wish_of(seeker, today)
    offers = {offer.vacancy_id: (offer, row) for row in _all(db, _VACANCIES, today) for offer in [offer_of(row)]}
    ranked = matching.rank((wish, offer) for offer, _ in offers.values())[:MATCHES]
    return [Fit(m, seeker, offers[m.offer.vacancy_id][1], _referred(db, m)) for m in ranked]


def for_vacancy(db: Any, vacancy_id: bytes, today: date) -> list[Fit]:
    """The persons who fit a job, best first. [] when it is not on offer."""
    vacancy = db.execute(f"{_VACANCIES} AND v.id = :id", {"today": today.isoformat(), "id": vacancy_id}).fetchone()
    if vacancy is None:
        return []
    offer = offer_of(vacancy)
    wishes = {wish.person_id: (wish, row) for row in _all(db, _SEEKERS, today) for wish in [wish_of(row, today)]}
    ranked = matching.rank((wish, offer) for wish, _ in wishes.values())[:MATCHES]
    return [Fit(m, wishes[m.wish.person_id][1], vacancy, _referred(db, m)) for m in ranked]


def wish_of(seeker: Any, today: date) -> Wish:
    """A row of `seekers` as the matching reads it."""
    age = period.age_on(date.fromisoformat(seeker["birth_on"]), today)
    return matching.wish_of(seeker, seeker, seeker["education"], age)


def offer_of(vacancy: Any) -> Offer:
    """A row of `vacancies` as the matching reads it."""
    return matching.offer_of(vacancy)


def refer(
    desk: Desk, case_id: bytes, person_id: bytes, vacancy_id: bytes, officer: Officer, key: Ed25519PrivateKey
) -> Submitted:
    """Send a person to a job: a case like any other, with its slip as the letter. Raises UnknownSubject.

    `case_id` is made with the page, so that a form sent twice is one referral.
    """
    with desk.store.read() as db:
        job = db.execute("SELECT * FROM vacancy WHERE id = ?", (vacancy_id,)).fetchone()
    if job is None:
        raise UnknownSubject("本站没有这个岗位", "this station has no such job")
    answers = {
        "vacancy": ids.to_text(vacancy_id), "employer": job["employer"] or "--", "job_title": job["job_title"] or "--",
        "employer_phone": job["employer_phone"] or "", "job_address": job["job_address"] or "",
    }  # fmt: skip
    item = desk.service(REFERRAL)
    with desk.store.read() as db:
        known = db.execute("SELECT 1 FROM case_file WHERE id = ? AND receipt_no IS NOT NULL", (case_id,)).fetchone()
    if not known:
        cases.save(desk, case_id, item, cases.trim(item, answers, []), officer, person_id)
    return cases.submit(desk, case_id, officer, key)


def _all(db: Any, sql: str, today: date) -> list[Any]:
    return list(db.execute(sql, {"today": today.isoformat()}).fetchall())


def _referred(db: Any, match: Match) -> Any:
    """The hub's newest referral; taken here and not yet at the hub, the case itself."""
    found = db.execute(
        "SELECT referred_on, outcome, NULL AS receipt_no FROM referral WHERE person_id = ?1 AND vacancy_id = ?2 "
        "UNION ALL SELECT substr(submitted_at, 1, 10), NULL, receipt_no FROM case_file WHERE person_id = ?1 "
        "AND service = ?3 AND receipt_no IS NOT NULL AND answers LIKE ?4 ORDER BY 1 DESC LIMIT 1",
        (match.wish.person_id, match.offer.vacancy_id, REFERRAL, f"%{ids.to_text(match.offer.vacancy_id)}%"),
    )
    return found.fetchone()
