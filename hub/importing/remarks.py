# SPDX-License-Identifier: Apache-2.0
"""What is said about a line of a register file, in both languages, by code."""

from __future__ import annotations

from typing import Any

from schema.findings import Finding

REMARKS: dict[str, tuple[str, str]] = {
    "required": ("「{zh}」没有填", "'{en}' is not filled in"),
    "id_lost_digits": (
        "身份证号被表格软件当成数字，末几位已丢失。请把这一列设为文本，重新填写",
        "The spreadsheet took the ID number for a number and lost its last digits: format the column as text",
    ),
    "id_twice_in_file": (
        "同一人在文件里有几行：第 {lines} 行。请留一行",
        "The same person stands on several lines: {lines_en}. Keep one",
    ),
    "id_twice_in_register": (
        "名册里有 {count} 个人用这个身份证号，要先合并",
        "{count} persons of the register bear this ID number: merge them first",
    ),
    "village_missing": (
        "名册里没有此人，新登记要有村社区编码",
        "Not in the register yet: a new person needs a village code",
    ),
    "village_unknown": ("没有编码为「{text}」的乡镇或村社区", "No township or village has the code {text}"),
    "village_unlisted": (
        "村社区 {text} 还没有登记名称，按乡镇 {township} 照录",
        "Village {text} has no name here yet; taken as given, in township {township}",
    ),
    "village_former": ("{text} 已并入 {now}", "{text} is now part of {now}"),
    "code_unknown": ("不认识「{text}」这个写法", "'{text}' is no known value"),
    "count_form": ("「{text}」不是 0 到 {most} 的整数", "'{text}' is no whole number from 0 to {most}"),
    "amount_range": ("金额大得不合情理，要小于 {most}", "The amount is beyond reason: it must be below {most}"),
    "birth_differs": (
        "出生日期和身份证号不一致，证号里是 {birth_on}",
        "The birth date differs from the one in the ID number, {birth_on}",
    ),
    "sex_differs": ("性别和身份证号不一致", "The sex differs from the one in the ID number"),
    "died_alive": ("有死亡日期，生存状态却是正常", "There is a death date, but the person is stated alive"),
    "died_future": ("死亡日期还没有到", "The death date is in the future"),
    "bank_incomplete": (
        "开户银行、银行账号、开户人要么都填，要么都不填",
        "Bank, account and holder: give all three or none",
    ),
    "holder_differs": (
        "开户人要和参保人是同一人，这里是「{holder}」",
        "The account holder must be the insured person; this says {holder}",
    ),
    "insurance_missing": (
        "有参保或待遇内容，但没有写参保险种",
        "Enrolment, account or benefit is given, but not of which insurance",
    ),
    "benefit_parts": (
        "待遇金额 {total} 小于它的组成部分之和",
        "The benefit {total} is less than the sum of its parts",
    ),
    "account_settled": (
        "账户由月结记账，文件里的余额和月数没有导入",
        "The account is kept by the monthly settlement: balance and months of the file are left out",
    ),
    "benefit_settled": (
        "待遇由月结发放，文件里的已发至年月没有导入",
        "The benefit is paid by the monthly settlement: the file's paid-through month is left out",
    ),
    "month_waits": (
        "{month} 月结已审批、还没有发放，账户和待遇这时不能改。发放后再导入",
        "{month} is approved and waits for payment: accounts and benefits cannot change now. Import after it is paid",
    ),
}


def block(code: str, column: str, **values: Any) -> Finding:
    """A finding that refuses the line."""
    zh, en = REMARKS[code]
    return Finding(code, "block", column, zh.format(**values), en.format(**values))


def hint(code: str, column: str, **values: Any) -> Finding:
    """A finding that lets the line in."""
    zh, en = REMARKS[code]
    return Finding(code, "hint", column, zh.format(**values), en.format(**values))


def left_out(found: Finding) -> Finding:
    """The same finding for a cell that is not worth refusing the line: the cell stays out."""
    return Finding(found.code, "hint", found.field, f"{found.zh}。这一格没有导入", f"{found.en}. This cell is left out")
