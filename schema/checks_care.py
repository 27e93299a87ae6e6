# SPDX-License-Identifier: Apache-2.0
"""Checks of the items about cards, injuries, visits, complaints and what is asked at the counter."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from schema import period
from schema.effects_care import ACTIVE, APPLIED, HANDED_OVER, LOST, MAKING
from schema.examination import Examination, Words, check


@check()
def no_card_under_way(e: Examination) -> Iterator[Words]:
    """One card at a time is made for a person."""
    for row in e.view.rows_of("card"):
        if row["state"] in (APPLIED, MAKING):
            yield f"{row['since']} 已申领，卡还在制作", f"A card was asked for on {row['since']} and is being made"
        if row["state"] in (ACTIVE, HANDED_OVER, LOST):
            yield f"已有社保卡（{row['card_no'] or '--'}），丢失的办补换", "Has a card already; a lost one is replaced"


@check("guardian")
def child_has_guardian(e: Examination) -> Iterator[Words]:
    """For a child somebody else acts."""
    least = e.parameter("card/own_hand_age_years").number
    if e.view.age is not None and e.view.age < least and not e.values["guardian"]:
        yield f"未满 {least} 周岁，由监护人办理，请写监护人", f"Below {least}: name the guardian who acts"


@check("card_no")
def card_number_possible(e: Examination) -> Iterator[Words]:
    """Nine letters and digits, as printed on the card."""
    given = e.values["card_no"]
    if given and not re.fullmatch("[0-9A-Z]{9}", given):
        yield "社保卡号是卡面上的 9 位字母数字", "The card number on the front has nine letters and digits"


@check("card_no")
def card_not_lost(e: Examination) -> Iterator[Words]:
    """A card is reported lost once."""
    for row in e.view.rows_of("card"):
        if row["state"] == LOST and e.values["card_no"] in (None, row["card_no"]):
            yield f"此卡已挂失（{row['since']}）", f"Card reported lost on {row['since']}"


@check("card_no")
def card_is_lost(e: Examination) -> Iterator[Words]:
    """Only a card reported lost can be found again."""
    lost = [row["card_no"] for row in e.view.rows_of("card") if row["state"] == LOST]
    if e.view.known and (not lost or (e.values["card_no"] and e.values["card_no"] not in lost)):
        yield "名册里这张卡没有挂失", "By the register this card was not reported lost"


@check("happened_on", "applicant")
def injury_told_in_time(e: Examination) -> Iterator[Words]:
    """The unit has 30 days, the worker a year (工伤保险条例 17)."""
    happened, who = e.values["happened_on"], e.values["applicant"]
    if not happened or not who:
        return
    days = e.parameter("injury/unit_days" if who == "unit" else "injury/worker_days").number
    if (e.today - date.fromisoformat(happened)).days > days:
        yield (
            f"已超过 {days} 天的申请期限。照常收件，由认定机构决定是否受理",
            f"More than {days} days ago. Take it all the same: the competent body decides whether it is accepted",
        )


@check()
def injury_was_recognised(e: Examination) -> Iterator[Words]:
    """Labour ability is appraised after the injury was recognised."""
    if e.view.known and not any(row["finding"] == "recognised" for row in e.view.rows_of("injury")):
        yield "名册里没有工伤认定，请看认定决定书", "No recognised injury in the register: look at the decision"


@check("from_month", "to_month")
def months_in_order(e: Examination) -> Iterator[Words]:
    """A time has its beginning first, and is not to come."""
    first, last = e.values["from_month"], e.values["to_month"]
    if first and last and first > last:
        yield f"从 {first} 到 {last}，前后写反了", f"{first} to {last}: the wrong way round"
    elif last and last > period.month_of(e.today):
        yield f"{last} 还没有到", f"{last} is in the future"


@check("happened_on")
def wrong_within_two_years(e: Examination) -> Iterator[Words]:
    """Labour inspection looks into wrongs of the last two years."""
    years = e.parameter("complaint/years_back").number
    happened = e.values["happened_on"]
    if happened and date.fromisoformat(happened).replace(day=1) < e.today.replace(day=1, year=e.today.year - years):
        yield (
            f"已过 {years} 年。照常收件，请告诉本人可以走仲裁、诉讼",
            f"More than {years} years ago. Take it all the same; tell them of arbitration and the courts",
        )


@check("anonymous", "complainant", "complainant_phone")
def anonymous_names_nobody(e: Examination) -> Iterator[Words]:
    """Who wants to stay unnamed must stand nowhere, and who wants an answer must be known."""
    named = e.values["complainant"] or e.values["complainant_phone"]
    if e.values["anonymous"] == "yes" and named:
        yield "选了匿名，请把姓名和电话清空", "Anonymous: clear name and phone"
    if e.values["anonymous"] == "no" and not e.values["complainant"]:
        yield "不匿名的要写姓名，才能答复", "Not anonymous: a name is needed for an answer"


@check()
def is_retired(e: Examination) -> Iterator[Words]:
    """Visits are for the retired; anybody else may be visited all the same."""
    if e.view.known and not any(b["state"] != "ended" for b in e.view.benefits):
        yield "名册里没有领取养老待遇", "Draws no pension by the register"


@check("found")
def death_has_its_own_item(e: Examination) -> Iterator[Words]:
    """A death learnt at the door stops the payment by its own case."""
    if e.values["found"] == "dead":
        yield "请接着办「死亡申报」，养老金才会停发", "Go on with the death report: only that stops the pension"


@check()
def draws_something(e: Examination) -> Iterator[Words]:
    """Whoever draws nothing need not prove to be alive."""
    if e.view.known and not any(b["state"] != "ended" for b in e.view.benefits):
        yield "名册里没有在领的待遇，不用认证", "Draws no benefit: no check is needed"


@check("method")
def matching_comes_first(e: Examination) -> Iterator[Words]:
    """The agency first compares data; people are troubled only where that says nothing (社会保险经办条例 26)."""
    if e.values["method"] in ("visit", "id_card"):
        yield "先看有没有就医、乘车等数据能证明，有的不用本人来", "Look at the data first: then nobody need come"
