# SPDX-License-Identifier: Apache-2.0
"""Checks about a whole household."""

from __future__ import annotations

from collections.abc import Iterator

from schema import ids
from schema.examination import Examination, Words, check


@check("members")
def members_of_household(e: Examination) -> Iterator[Words]:
    """Only living members of this household are insured with it."""
    home = e.household
    if home and any(not home.member(ids.from_text(one)) for one in e.values["members"] or []):
        yield ("有人不是这一户的成员，请重新勾选", "Somebody is no member of this household: tick again")


@check("exempt_members", "members", "exempt_class")
def exempt_are_members(e: Examination) -> Iterator[Words]:
    """Who is exempt is insured, and of a class that is exempt."""
    exempt, members = set(e.values["exempt_members"] or []), set(e.values["members"] or [])
    if exempt - members:
        yield ("免缴的人也要在参保成员里勾选", "Those exempt must be ticked among the members insured")
    if exempt and (e.values["exempt_class"] or "none") == "none":
        yield ("有人免缴，请选困难类别", "Somebody is exempt: choose the hardship class")


@check("members")
def members_not_employees(e: Examination) -> Iterator[Words]:
    """Whoever is insured as an employee is not insured as a resident for the same months."""
    home = e.household
    if home is None:
        return
    for hex_id in e.values["members"] or []:
        member = home.member(ids.from_text(hex_id))
        if member and any(r["state"] == "active" for r in home.enrolled(member["id"], "employee_medical")):
            name = member["name"]
            yield (
                f"{name}在名册里有职工医保，中心会核对是否重复",
                f"{name} is insured as an employee by the register; the hub will check",
            )


@check("year", "members")
def insured_for_a_coming_year(e: Examination) -> Iterator[Words]:
    """浙江省医疗保障条例 §23: paid before the year's end for the next year; within the year only by exception."""
    year = e.values["year"]
    if year and not e.today.year <= int(year) <= e.today.year + 1:
        yield (f"只能参保今年或明年，这里是 {year}", f"For this year or the next only; this is {year}")


@check("year", "members")
def insured_late(e: Examination) -> Iterator[Words]:
    """Somebody who comes within the year: the newborn and those with a reason."""
    if e.values["year"] == f"{e.today.year}":
        yield (
            "当年中途参保，只限新生儿和有正当原因的人，中心会核对",
            "Within the year only for the newborn and with a reason; the hub will check",
        )
