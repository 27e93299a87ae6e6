# SPDX-License-Identifier: Apache-2.0
"""Funds, amounts, reasons and stops of the county's month in the words of its pages, sheets and letters."""

from __future__ import annotations

from hub.settlement.explain import REASONS

Text = dict[str, str]

FUND: dict[str, Text] = {
    "pension": {"zh": "职工养老", "en": "Employee pension"},
    "medical": {"zh": "职工医保、生育", "en": "Medical"},
    "unemployment": {"zh": "失业", "en": "Unemployment"},
    "injury": {"zh": "工伤", "en": "Work injury"},
    "resident_pension": {"zh": "居民养老", "en": "Resident pension"},
}
AMOUNT: dict[str, Text] = {
    "pension_employee": {"zh": "职工养老，个人", "en": "employee pension, own share"},
    "pension_employer": {"zh": "职工养老，单位", "en": "employee pension, employer's share"},
    "medical_employee": {"zh": "职工医保，个人", "en": "medical, own share"},
    "medical_employer": {"zh": "职工医保，单位", "en": "medical, employer's share"},
    "unemployment_employee": {"zh": "失业，个人", "en": "unemployment, own share"},
    "unemployment_employer": {"zh": "失业，单位", "en": "unemployment, employer's share"},
    "work_injury": {"zh": "工伤，单位", "en": "work injury, employer's share"},
    "maternity": {"zh": "生育，单位", "en": "maternity, employer's share"},
}
KIND: dict[str, Text] = {
    "employee_pension": {"zh": "职工养老金", "en": "employee pension"},
    "resident_pension": {"zh": "居民养老金", "en": "resident pension"},
    "unemployment": {"zh": "失业保险金", "en": "unemployment benefit"},
    "work_injury": {"zh": "工伤津贴", "en": "injury allowance"},
    "maternity": {"zh": "生育津贴", "en": "maternity allowance"},
    "employee_medical": {"zh": "医保待遇", "en": "medical benefit"},
}
HELD: dict[str, Text] = REASONS | {
    "changed": {
        "zh": "计算之后待遇有变动，下月按新的补发",
        "en": "the benefit changed since the run; paid as arrears by the new figures",
    },
}
# What whoever runs the month does about a run that stopped, by the code of the error.
STOP: dict[str, Text] = {
    "controls": {
        "zh": "什么也没有写入，上次的结果还在。先查这一项两边各从哪里来：到账、上月结转、名册；改正后重算。"
        "改不动的交系统管理员，附上这段话。",
        "en": "Nothing was written, the last result stands. Look where both sides of the total named here come from: "
        "receipts, the month before, the register; mend it and run again. If you cannot, give these words to the "
        "administrator.",
    },
    "out_of_range": {
        "zh": "名册或到账里有一个数大得不可能。按写明的表和列找出来，更正后重算。",
        "en": "A number in the register or the receipts is impossibly large. Find it by the table and column named, "
        "correct it, run again.",
    },
    "parameter_not_found": {
        "zh": "这个月缺一个参数。请参数岗按文件补上、发布，再重算。",
        "en": "The month lacks a parameter. Have it entered with its document and published, then run again.",
    },
    "store": {
        "zh": "月结文件写不下去或读不出来。看磁盘空间和备份，再重算。",
        "en": "A month file could not be written or read. Look at disk space and backups, then run again.",
    },
    "config": {
        "zh": "这个数据库引擎用不了。换 sqlite，或请系统管理员安装。",
        "en": "This engine cannot be used. Choose sqlite, or have it installed.",
    },
}
STOP_ELSE: Text = {
    "zh": "什么也没有写入。照下面的话处理后重算；看不懂的交系统管理员。",
    "en": "Nothing was written. Do as the words below say and run again; if in doubt, give them to the administrator.",
}


def stop_words(code: str) -> Text:
    """What to do about a run that stopped with that error."""
    return STOP.get(code, STOP_ELSE)


def percent(per_million: int) -> str:
    """160000 -> 16%, 7000 -> 0.7%."""
    whole, rest = divmod(per_million, 10_000)
    return f"{whole}.{rest:04d}".rstrip("0").rstrip(".") + "%"
