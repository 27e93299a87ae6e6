# SPDX-License-Identifier: Apache-2.0
"""The unified social credit code 统一社会信用代码 of employers (GB 32100-2015).

Only the check character comes from python-stdnum. Its own `validate` wants digits in the first eight places and so
refuses village economic cooperatives, whose codes begin N2.
"""

from __future__ import annotations

import re

from stdnum.cn import uscc

from schema import resident_id
from schema.findings import Finding

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
# Registering authority, kind of body, six digits of the division, nine of the organisation code, check character.
_SHAPE = re.compile(rf"[1-9ANY][{ALPHABET}][0-9]{{6}}[{ALPHABET}]{{10}}")


def read(text: str, field: str = "uscc") -> tuple[str | None, list[Finding]]:
    """The code that was typed, or None, and what is wrong with it."""
    code = resident_id.compact(text).replace("-", "")
    if not code:
        return None, [_block("uscc_empty", field, "统一社会信用代码没有填", "The unified social credit code is empty")]
    findings = []
    strange = sorted({c for c in code if c not in ALPHABET})
    if strange:
        shown = " ".join(strange)
        findings.append(
            _block(
                "uscc_characters",
                field,
                f"统一社会信用代码里没有这些字符：{shown}（不用 I O S V Z）",
                f"A unified social credit code does not contain {shown} (I O S V Z are not used)",
            )
        )
    if len(code) != 18:
        findings.append(
            _block(
                "uscc_length",
                field,
                f"统一社会信用代码应是 18 位，这里是 {len(code)} 位",
                f"A unified social credit code has 18 places; this has {len(code)}",
            )
        )
    if findings:
        return None, findings
    if not _SHAPE.fullmatch(code):
        zh = "统一社会信用代码的第 3 到 8 位应是六位数字的地区码，第 1 位是登记机关代码"
        en = "Places 3 to 8 of a unified social credit code are the division digits, place 1 the registering authority"
        return None, [_block("uscc_prefix", field, zh, en)]
    if uscc.calc_check_digit(code[:17]) != code[17]:
        zh = "统一社会信用代码至少有一位不对。请对照执照逐位看"
        en = "At least one place of the unified social credit code is wrong. Compare it with the licence"
        return None, [_block("uscc_check_digit", field, zh, en)]
    return code, []


def _block(code: str, field: str, zh: str, en: str) -> Finding:
    return Finding(code, "block", field, zh, en)
