# SPDX-License-Identifier: Apache-2.0
"""A morning at one counter without a link: all three items, a form that is wrong, a case that will be returned."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.story import people
from tests.story.clerk import Clerk, draft_of, taken
from tests.story.people import Residents

SHARED_PHONE = ("13905750001", "13905750002")
ACCOUNT = {"bank": "农商银行", "account_no": "6228580399001234569"}


@dataclass
class Day:
    """What one clerk did."""

    station: str
    clerk: Clerk
    cases: list[bytes] = field(default_factory=list)
    claims: list[bytes] = field(default_factory=list)
    to_be_returned: bytes = b""
    to_be_rejected: bytes = b""

    def correct_returned(self) -> None:
        """The paper that was missing is here now: the same case goes out again."""
        self.clerk.correct(self.to_be_returned, {}, ["id_card", "bank_book"])


def morning(clerk: Clerk, who: Residents, part: int, parts: int, cases: int) -> Day:
    """Work of one clerk; `part` of `parts` clerks, so that no two take the same resident. Raises when refused."""
    day = Day(clerk.station, clerk)
    claimants, unenrolled = who.claimants[part::parts][:5], who.unenrolled[part::parts][:7]
    others = who.others[part::parts]
    refuse_a_wrong_number(clerk, who, unenrolled[0])
    for person in claimants:
        day.claims.append(clerk.take("resident_pension_claim", person, {}, ["id_card", "bank_book"]).case_id)
    day.to_be_returned = day.claims[0]
    for person in unenrolled:
        day.cases.append(enrol(clerk, person, who.names[person]))
    day.cases.append(enrol_stranger(clerk, part))
    day.to_be_rejected = rename(clerk, others[0])
    day.cases.append(day.to_be_rejected)
    day.cases.append(rename(clerk, others[1]))
    day.cases += day.claims
    for person in others[2 : 2 + cases - len(day.cases)]:
        day.cases.append(move_house(clerk, person, len(day.cases)))
    clerk.change_contact(who.others[-1], phone=SHARED_PHONE[part])
    return day


def refuse_a_wrong_number(clerk: Clerk, who: Residents, person: bytes) -> None:
    """One digit is wrong: the form comes back with all findings, and no case exists."""
    number = who.numbers[person]
    wrong = number[:16] + str((int(number[16]) + 1) % 10) + number[17]
    form = clerk.open_item("resident_pension_enrolment", person)
    page = clerk.submit(form, {"id_number": wrong}, [])
    if page.status != 422 or "至少有一位不对" not in page.text:
        raise AssertionError(f"a wrong ID number was not refused ({page.status}): {page.text[:500]}")


def enrol(clerk: Clerk, person: bytes, name: str) -> bytes:
    answers = {**ACCOUNT, "holder": name, "grade": "500"}
    return clerk.take("resident_pension_enrolment", person, answers, ["id_card", "household_book", "bank_book"]).case_id


def enrol_stranger(clerk: Clerk, serial: int) -> bytes:
    """Somebody the station does not know: registered here, checked at the hub."""
    answers = {
        **ACCOUNT, "name": "竺新来", "id_number": people.invented_number(serial), "village": "", "holder": "竺新来",
        "grade": "500", "ethnic": "01",
    }  # fmt: skip
    form = clerk.open_item("resident_pension_enrolment", None)
    answers["village"] = form.form(f"/drafts/{draft_of(form)}").options["village"][-1]
    slip = clerk.submit(form, answers, ["id_card", "household_book", "bank_book"])
    return taken(slip).case_id


def rename(clerk: Clerk, person: bytes) -> bytes:
    answers = {"new_name": "裘更名", "reason": "户口簿已更正"}
    return clerk.take("personal_data_change", person, answers, ["id_card", "police_proof"]).case_id


def move_house(clerk: Clerk, person: bytes, number: int) -> bytes:
    return clerk.take("personal_data_change", person, {"address": f"新迁路 {number} 号"}, ["id_card"]).case_id
