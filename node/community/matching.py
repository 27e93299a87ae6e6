# SPDX-License-Identifier: Apache-2.0
"""Which jobs fit a person and which persons fit a job: a ranked list in which every point has its reason.

Pure: rows in, list out. Nothing is hidden by a score: what speaks against a job costs points and is said, because the
clerk may know that the employer would take the person all the same. Only the points below rank; who the person is in
other respects (name, ethnic group, sex, household) is not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from schema.toml_reader import Text

Row = Mapping[str, object]
Bears = Literal["fits", "near", "against"]

# Jobs that people change between with a few days' showing.
KIN: tuple[frozenset[str], ...] = (
    frozenset({"sewing", "tie_weaving"}),
    frozenset({"kitchen_assembly", "motor_assembly", "machining", "packing", "quality"}),
    frozenset({"machining", "welding", "electrician"}),
    frozenset({"cook", "bun_maker", "waiter"}),
    frozenset({"cleaning", "housekeeping", "elderly_care", "childcare"}),
    frozenset({"elderly_care", "nursing"}),
    frozenset({"warehouse", "forklift", "packing", "courier"}),
    frozenset({"driver", "courier", "forklift"}),
    frozenset({"shop", "waiter", "ecommerce"}),
    frozenset({"clerk", "accountant", "ecommerce", "warehouse"}),
    frozenset({"tea", "farming"}),
    frozenset({"building", "decoration", "welding", "electrician"}),
)
# From the highest to the lowest (GB/T 4658); 90 says nothing.
EDUCATION = ("10", "20", "30", "40", "60", "70", "80")
NEAR_WAGE_PERCENT = 10
LEAST_SCORE = 20


@dataclass(frozen=True)
class Reason:
    """Why some points were given or taken."""

    points: int
    bears: Bears
    text: Text


@dataclass(frozen=True)
class Wish:
    """What a person wants and has. Codes as in the tables; '' or None where nothing is known."""

    person_id: bytes
    jobs: tuple[str, ...]
    wage_yuan: int | None = None
    township: str = ""
    home: str = ""
    form: str = ""
    nights: str = ""
    skills: str = ""
    education: str = ""
    age: int | None = None


@dataclass(frozen=True)
class Offer:
    """A job on offer."""

    vacancy_id: bytes
    job: str
    wage_from_yuan: int | None = None
    wage_to_yuan: int | None = None
    township: str = ""
    form: str = ""
    nights: str = ""
    skills: str = ""
    education: str = ""
    age_from: int | None = None
    age_to: int | None = None


@dataclass(frozen=True)
class Match:
    """A person and a job, with all reasons, those that weigh most first."""

    wish: Wish
    offer: Offer
    score: int
    reasons: tuple[Reason, ...]


def wish_of(seeker: Row, person: Row, education: object, age: int | None) -> Wish:
    """A row of `job_seeker` with what else matters of the person."""
    jobs = tuple(_text(seeker[name]) for name in ("wish_job", "wish_job_2") if seeker[name])
    return Wish(
        bytes(seeker["id"]), jobs, _number(seeker["wish_wage_yuan"]),  # type: ignore[call-overload]
        _text(seeker["wish_township"]), _text(person["village"])[:9], _text(seeker["wish_form"]),
        _text(seeker["wish_nights"]), _text(seeker["wish_skills"]), _text(education), age,
    )  # fmt: skip


def offer_of(vacancy: Row) -> Offer:
    """A row of `vacancy`."""
    return Offer(
        bytes(vacancy["id"]), _text(vacancy["job"]), _number(vacancy["wage_from_yuan"]),  # type: ignore[call-overload]
        _number(vacancy["wage_to_yuan"]), _text(vacancy["job_township"]), _text(vacancy["job_form"]),
        _text(vacancy["job_nights"]), _text(vacancy["job_skills"]), _text(vacancy["least_education"]),
        _number(vacancy["age_from"]), _number(vacancy["age_to"]),
    )  # fmt: skip


def rank(pairs: Iterable[tuple[Wish, Offer]], least: int = LEAST_SCORE) -> list[Match]:
    """Best first; what reaches fewer points than `least` is left out. Equal scores keep the order of the ids."""
    found = [match(wish, offer) for wish, offer in pairs]
    kept = [one for one in found if one.score >= least]
    return sorted(kept, key=lambda one: (-one.score, one.offer.vacancy_id, one.wish.person_id))


def match(wish: Wish, offer: Offer) -> Match:
    """How well a person and a job fit, 0 to 100."""
    reasons = [reason for look in _LOOKS for reason in look(wish, offer)]
    score = max(0, min(100, sum(reason.points for reason in reasons)))
    return Match(wish, offer, score, tuple(sorted(reasons, key=lambda r: -abs(r.points))))


def _job(w: Wish, o: Offer) -> Iterator[Reason]:
    if w.jobs and o.job == w.jobs[0]:
        yield _said(45, "fits", "就是想做的工作", "The work that was wanted")
    elif o.job in w.jobs:
        yield _said(35, "fits", "第二志愿的工作", "The second choice of work")
    elif any(o.job in kin and not kin.isdisjoint(w.jobs) for kin in KIN):
        yield _said(20, "near", "相近的工作", "Work of a similar kind")
    else:
        yield _said(-30, "against", "不是想做的工作", "Other work than was wanted")


def _wage(w: Wish, o: Offer) -> Iterator[Reason]:
    most = o.wage_to_yuan or o.wage_from_yuan
    if w.wage_yuan is None or most is None:
        yield _said(10, "near", "工资面议", "The wage is to be agreed")
    elif (o.wage_from_yuan or 0) >= w.wage_yuan:
        yield _said(20, "fits", f"起薪 {o.wage_from_yuan} 元，达到期望", f"From {o.wage_from_yuan} yuan: as wanted")
    elif most >= w.wage_yuan:
        yield _said(16, "fits", f"最高 {most} 元，可以达到期望", f"Up to {most} yuan: can be as wanted")
    elif most * 100 >= w.wage_yuan * (100 - NEAR_WAGE_PERCENT):
        yield _said(6, "near", f"最高 {most} 元，差 {w.wage_yuan - most} 元", f"{w.wage_yuan - most} yuan short")
    else:
        yield _said(-10, "against", f"最高 {most} 元，期望 {w.wage_yuan} 元", f"Up to {most}, not {w.wage_yuan} yuan")


def _place(w: Wish, o: Offer) -> Iterator[Reason]:
    if not o.township:
        return
    if w.township and w.township == o.township:
        yield _said(15, "fits", "在想去的乡镇", "In the township wanted")
    elif o.township == w.home:
        yield _said(12, "fits", "在户籍乡镇，离家近", "In the home township")
    elif w.township:
        yield _said(-5, "against", "不在想去的乡镇", "Not in the township wanted")
    else:
        yield _said(5, "near", "在别的乡镇", "In another township")


def _education(w: Wish, o: Offer) -> Iterator[Reason]:
    if o.education not in EDUCATION or w.education not in EDUCATION:
        return
    if EDUCATION.index(w.education) <= EDUCATION.index(o.education):
        yield _said(5, "fits", "学历够", "Education as asked")
    else:
        yield _said(-10, "against", "学历低于要求", "Less education than asked")


def _age(w: Wish, o: Offer) -> Iterator[Reason]:
    if w.age is None or (o.age_from is None and o.age_to is None):
        return
    low, high = o.age_from or 0, o.age_to or 200
    asked = f"{o.age_from or ''}–{o.age_to or ''}"
    if low <= w.age <= high:
        yield _said(5, "fits", f"{w.age} 岁，在 {asked} 岁之间", f"Aged {w.age}, asked {asked}")
    else:
        yield _said(-15, "against", f"{w.age} 岁，单位要求 {asked} 岁", f"Aged {w.age}; the employer asks {asked}")


def _nights(w: Wish, o: Offer) -> Iterator[Reason]:
    if o.nights == "yes" and w.nights == "no":
        yield _said(-25, "against", "要上夜班，本人不能", "Night work, which the person cannot do")
    elif o.nights == "yes" and w.nights == "yes":
        yield _said(5, "fits", "能上夜班", "Can work nights")


def _form(w: Wish, o: Offer) -> Iterator[Reason]:
    if w.form and o.form:
        if w.form == o.form:
            yield _said(5, "fits", "工作方式一致", "Kind of work as wanted")
        else:
            yield _said(-8, "against", "工作方式不同", "Another kind of work than wanted")


def _skills(w: Wish, o: Offer) -> Iterator[Reason]:
    has, asked = _words(w.skills), _words(o.skills)
    both = sorted(one for one in asked if any(one in mine or mine in one for mine in has))
    if both:
        listed = "、".join(both[:3])
        yield _said(min(10, 5 * len(both)), "fits", f"有要求的技能：{listed}", f"Has skills asked for: {listed}")
    elif asked:
        listed = "、".join(sorted(asked)[:3])
        yield _said(-3, "near", f"单位要求：{listed}", f"The employer asks: {listed}")


_LOOKS: tuple[Callable[[Wish, Offer], Iterator[Reason]], ...] = (
    _job, _wage, _place, _education, _age, _nights, _form, _skills,
)  # fmt: skip


def _said(points: int, bears: Bears, zh: str, en: str) -> Reason:
    return Reason(points, bears, {"zh": zh, "en": en})


def _words(text: str) -> set[str]:
    return {word for word in re.split(r"[\s,，、;；/]+", text) if len(word) > 1}


def _text(value: object) -> str:
    return str(value or "")


def _number(value: object) -> int | None:
    text = _text(value)
    return int(text) if text.isdigit() else None
