# SPDX-License-Identifier: Apache-2.0
"""Checks about who the person is, whose account it is, and whether the same thing is already under way."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stdnum import luhn

from schema import case, clock, field_types, prefill, resident_id
from schema.examination import Examination, Words, check

IDENTITY_FIELDS = ("new_id_number", "new_name", "new_birth_on", "new_work_began_on", "new_village")
_BIRTH_FIELDS = ("new_id_number", "new_birth_on")


@check()
def in_register(e: Examination) -> Iterator[Words]:
    """The item needs somebody who is in the register."""
    if not e.view.known:
        yield (
            "本站名册里没有此人。不等于全县没有：先办参保登记，或请中心核对",
            "Not in this station's register; may exist elsewhere. Enrol first, or ask the hub",
        )


@check()
def already_registered(e: Examination) -> Iterator[Words]:
    """Registering is for those who are not in the register."""
    if e.view.known:
        yield (
            "名册里已有此人，不用再登记。要改资料请办个人信息变更",
            "Already in the register: no need to register. To change data use that item",
        )


@check("id_number")
def id_matches_person(e: Examination) -> Iterator[Words]:
    """The number typed is the number of the person the form was opened for."""
    given = e.values["id_number"]
    if e.view.known and given and given != _full_number(e.view.person["id_number"]):
        yield (
            "证号和名册里的不同。请看证件：如果选错了人，回到柜台重新找；如果名册有误，先办个人信息变更",
            "The ID number differs from the register. Find the right person, or have the data changed first",
        )


def _full_number(registered: str) -> str:
    """Old registers carry 15-digit numbers where the 18-digit one belongs."""
    return resident_id.upgrade(registered) if len(registered) == 15 and registered.isdigit() else registered


@check("name")
def name_matches_person(e: Examination) -> Iterator[Words]:
    """The name typed is the name in the register."""
    given, registered = e.values["name"], field_types.plain_name(e.view.person.get("name", ""))
    if e.view.known and given and given != registered:
        yield (
            f"姓名和名册不同：{given}、{registered}。请看证件",
            f"The name differs from the register: {given}, {registered}. Check the ID",
        )


@check("id_number")
def number_not_in_register(e: Examination) -> Iterator[Words]:
    """A new person's number is not somebody's already."""
    given = e.values["id_number"]
    if not e.view.known and given and e.view.holder_of(given) is not None:
        yield (
            "名册里已有这个证号。请按证号找到此人，从他的页面办理",
            "This ID number is already in the register. Find the person by it and start from their page",
        )


@check()
def alive(e: Examination) -> Iterator[Words]:
    """The register does not say that the person has died."""
    if e.view.person.get("life_status", "1") == "2":
        died = e.view.person.get("died_on") or ""
        yield (
            f"名册里此人已登记死亡{f'（{died}）' if died else ''}。请核对身份；登记有误的，报县中心更正",
            f"The register says: died{f' on {died}' if died else ''}. Check the identity; ask the hub if wrong",
        )


@check("holder", "name")
def holder_is_person(e: Examination) -> Iterator[Words]:
    """The bank account is the person's own."""
    holder, name = e.values["holder"], e.values["name"]
    if holder and name and holder != name:
        yield (
            f"开户人要和参保人是同一人，这里是「{holder}」。请核对存折",
            f"The account holder must be the insured person; this says {holder}. Check the bank book",
        )


@check("account_no")
def account_number_plausible(e: Examination) -> Iterator[Words]:
    """Card numbers carry a check digit; bank books need not, so this is a hint only."""
    given = e.values["account_no"]
    if given and re.fullmatch("62[0-9]{14,17}", given) and not luhn.is_valid(given):
        yield (
            "像是银行卡号，但校验位不合。请对照卡面逐位看",
            "Looks like a card number, but its check digit does not fit. Compare with the card digit by digit",
        )


@check()
def no_open_case(e: Examination) -> Iterator[Words]:
    """The same item is not already under way for the same person."""
    for other in e.view.open_cases:
        if other["service"] == e.service.id:
            when, receipt, who = _when(other, e), f"…{other['receipt_no'][-5:]}", other.get("officer") or "--"
            state = case.STATES[other["state"]]
            yield (
                f"这张表 {when} 由{who}提交过，回执 {receipt}，{state['zh']}。要打开它吗",
                f"Already submitted at {when} by {who}, slip {receipt}, {state['en'].lower()}. Open it?",
            )


def _when(other: dict[str, str], e: Examination) -> str:
    at = clock.local(other["submitted_at"])
    return at.strftime("%H:%M" if at.date() == e.today else "%m-%d %H:%M" if at.year == e.today.year else "%Y-%m-%d")


@check(*IDENTITY_FIELDS)
def something_changes(e: Examination) -> Iterator[Words]:
    """A change says at least one thing that differs from the register.

    Asked at the counter only: when the hub sees the case, the station's contact cells have often arrived already.
    """
    if e.view.at_hub:
        return
    now = prefill.current(e.service, e.view, e.today, e.parameters)
    if not any(_changes(e, name, value) for name, value in now.items()):
        yield ("没有改动。请至少改一项再提交", "Nothing is changed. Change at least one field before submitting")


def _changes(e: Examination, name: str, before: object) -> bool:
    field, after = e.service.field(name), e.values.get(name)
    if field is not None and field.current and after is None:
        return False
    return (after or None) != (before or None)


@check("new_id_number")
def new_number_free(e: Examination) -> Iterator[Words]:
    """The corrected number belongs to nobody else here."""
    given = e.values["new_id_number"]
    holder = e.view.holder_of(given) if given else None
    if holder is not None and holder != e.view.person_id:
        yield (
            "这个证号在名册里是另一个人的。请对照证件逐位看；同一人登记了两次的，报县中心合并",
            "Somebody else in the register has this ID number. Compare digits; a double entry is the hub's to merge",
        )


@check(*_BIRTH_FIELDS)
def birth_matches_number(e: Examination) -> Iterator[Words]:
    """After the change, birth date and ID number still say the same."""
    if not any(e.values[name] for name in _BIRTH_FIELDS):
        return
    number = e.values["new_id_number"] or e.view.person.get("id_number") or ""
    birth = e.values["new_birth_on"] or e.view.person.get("birth_on")
    read, _ = resident_id.read(number, e.today)
    if read and birth and read.birth_on.isoformat() != birth:
        yield (
            f"出生日期 {birth} 和证号里的 {read.birth_on} 不同。请看公安机关的证明，中心会核对",
            f"Birth date {birth} differs from {read.birth_on} in the ID number; the hub will check the proof",
        )


@check("new_birth_on", "new_work_began_on")
def dates_possible(e: Examination) -> Iterator[Words]:
    """Nobody is born, or started work, tomorrow; nor works before being born."""
    birth = e.values["new_birth_on"] or e.view.person.get("birth_on")
    work = e.values["new_work_began_on"] or e.view.person.get("work_began_on")
    today = e.today.isoformat()
    if (e.values["new_birth_on"] or "") > today:
        yield (f"出生日期 {birth} 还没有到", f"The birth date {birth} is in the future")
    if (e.values["new_work_began_on"] or "") > today:
        yield (f"参加工作日期 {work} 还没有到", f"The date of starting work {work} is in the future")
    elif birth and work and work < birth:
        yield (f"参加工作日期 {work} 早于出生日期 {birth}", f"Started work on {work}, before being born on {birth}")
