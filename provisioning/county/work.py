# SPDX-License-Identifier: Apache-2.0
"""The township's own work in the synthetic county: who looks for work, what is on offer, classes, cards, visit notes.

Few rows, because a first load over a thin line carries them all: a card in use has no row, nobody's wish is guessed.
Each village draws from a stream of its own, so the people are those they would be without this module.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from datetime import date, timedelta

from provisioning.county import numbers
from provisioning.county.draw import Choice
from provisioning.county.people import Person, iso
from provisioning.county.places import Township
from provisioning.county.units import Unit
from schema.ids import derived_id

Emit = Callable[[str, tuple[object, ...]], None]

SEEKS, JOBLESS_OF_SEEKERS, AIDED_OF_SEEKERS = 0.006, 0.6, 0.2
CARD_NOT_IN_USE, VISIT_AGREED = 0.003, 0.02
VACANCIES_PER_UNIT = 0.35
CLASSES_PER_TOWNSHIP = 2

_JOBS = Choice.of({
    "motor_assembly": 16, "kitchen_assembly": 14, "tie_weaving": 10, "sewing": 12, "machining": 8, "packing": 8,
    "quality": 5, "welding": 4, "electrician": 4, "warehouse": 5, "driver": 5, "cook": 5, "waiter": 6, "shop": 5,
    "cleaning": 6, "security": 4, "housekeeping": 4, "elderly_care": 4, "clerk": 5, "accountant": 3, "ecommerce": 5,
    "tea": 3, "building": 3,
})  # fmt: skip
_TITLES = {
    "motor_assembly": "电机装配工", "kitchen_assembly": "厨具装配工", "tie_weaving": "领带织造工", "sewing": "缝纫工",
    "machining": "车床操作工", "packing": "包装工", "quality": "质检员", "welding": "焊工", "electrician": "电工",
    "warehouse": "仓库管理员", "driver": "货车司机", "cook": "厨师", "waiter": "服务员", "shop": "店员",
    "cleaning": "保洁员", "security": "保安", "housekeeping": "家政服务员", "elderly_care": "养老护理员",
    "clerk": "文员", "accountant": "会计", "ecommerce": "电商客服", "tea": "茶叶加工工", "building": "建筑小工",
}  # fmt: skip
_SKILLS = {"electrician": "电工证", "welding": "焊工证", "driver": "驾驶证 B2", "accountant": "会计证",
           "cook": "厨师证", "elderly_care": "护理证", "warehouse": "叉车"}  # fmt: skip
_COURSES = (
    ("养老护理员（初级）", "elderly_care", 80), ("电工（初级）", "electrician", 120), ("中式烹调师", "cook", 100),
    ("电子商务师", "ecommerce", 60), ("焊工（初级）", "welding", 120), ("家政服务员", "housekeeping", 60),
    ("缝纫工", "sewing", 80), ("叉车司机", "forklift", 90),
)  # fmt: skip
_REASONS = Choice.of({"contract_end": 40, "agreed": 20, "dismissed": 15, "closed": 10, "business_ended": 15})
_AID = Choice.of({"older": 50, "disabled": 20, "long_jobless": 20, "low_income": 10})
_NEEDS = Choice.of({"想装扶手": 3, "需要代买药": 4, "想要送餐": 3, "看病没人陪": 4, "助听器坏了": 1, "想多走动": 2})
_CARD = Choice.of({"lost": 6, "applied": 3, "making": 1})


def person(rng: random.Random, p: Person, today: int, emit: Emit) -> None:
    """The rows that follow from this person's wishes and needs."""
    if not p.alive:
        return
    working_age = 18 <= p.age < 60
    if working_age and rng.random() < SEEKS:
        _seeker(rng, p, today, emit)
    if p.age >= 75 and rng.random() < VISIT_AGREED:
        lives = "alone" if rng.random() < 0.5 else "spouse"
        emit("visit_note", (
            p.id, _NEEDS.draw(rng), "frail" if p.age >= 85 else "fair", lives, None, None,
            iso(today + rng.randrange(-30, 60)),
        ))  # fmt: skip
    if p.age >= 16 and rng.random() < CARD_NOT_IN_USE:
        state = _CARD.draw(rng)
        number = f"A{rng.randrange(10**8):08d}" if state == "lost" else None
        emit("card", (
            derived_id(p.id, "card"), p.id, number, state, iso(today - rng.randrange(5, 90)), "农商银行", None, None,
            "lost" if state == "lost" else None, None,
        ))  # fmt: skip


def _seeker(rng: random.Random, p: Person, today: int, emit: Emit) -> None:
    first, second = _JOBS.draw(rng), _JOBS.draw(rng)
    wage = rng.randrange(36, 76) * 100
    emit("job_seeker", (
        p.id, "yes", first, second if second != first else None, _SKILLS.get(first) if rng.random() < 0.5 else None,
        str(wage), p.village.township.code if rng.random() < 0.5 else None, "full" if rng.random() < 0.9 else "part",
        "yes" if rng.random() < 0.4 else "no", iso(today + rng.randrange(60, 180)), None,
    ))  # fmt: skip
    if rng.random() >= JOBLESS_OF_SEEKERS:
        return
    registered = today - rng.randrange(10, 400)
    emit("unemployment_spell", (
        derived_id(p.id, "unemployment_spell"), p.id, None, _REASONS.draw(rng), iso(registered - rng.randrange(1, 30)),
        iso(registered), None, None, derived_id(p.id, "unemployment case"),
    ))  # fmt: skip
    if rng.random() < AIDED_OF_SEEKERS:
        emit("aid_finding", (
            derived_id(p.id, "aid_finding"), p.id, _AID.draw(rng), iso(today - 60), iso(today + 1000),
            derived_id(p.id, "aid case"),
        ))  # fmt: skip


def offers(rng: random.Random, units: Iterable[Unit], today: int, emit: Emit) -> None:
    """Jobs on offer at some employers."""
    for unit in units:
        if rng.random() >= VACANCIES_PER_UNIT:
            continue
        job, low = _JOBS.draw(rng), rng.randrange(36, 66) * 100
        young = rng.random() < 0.6
        emit("vacancy", (
            rng.randbytes(16), "yes", unit.uscc, unit.name, job, _TITLES[job], str(rng.choice((1, 1, 2, 3, 5, 10))),
            str(low), str(low + rng.randrange(5, 20) * 100), unit.township, None,
            rng.choice(("70", "70", "60", "30", None)), "18" if young else None, str(rng.choice((45, 50, 55))) if young
            else None, "full", "yes" if rng.random() < 0.25 else "no", _SKILLS.get(job), "人事", numbers.landline(rng),
            iso(today + rng.randrange(20, 120)), None,
        ))  # fmt: skip


def classes(rng: random.Random, places: Iterable[Township], today: int, emit: Emit) -> None:
    """Classes of vocational training to come, some of them full."""
    for place in places:
        for course, job, hours in rng.sample(_COURSES, CLASSES_PER_TOWNSHIP):
            begins = date.fromordinal(today) + timedelta(days=rng.randrange(10, 80))
            seats = rng.choice((30, 40, 50))
            taken = seats if rng.random() < 0.15 else rng.randrange(seats)
            emit("training_class", (
                rng.randbytes(16), course, job, f"{place.name}成人学校", place.code, begins.isoformat(),
                (begins + timedelta(days=hours // 6)).isoformat(), (begins - timedelta(days=5)).isoformat(), hours,
                seats, taken, "open",
            ))  # fmt: skip
