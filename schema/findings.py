# SPDX-License-Identifier: Apache-2.0
"""Findings: what is wrong or noteworthy in what a person typed. Not an error: all are shown at once, beside the fields.

Three grades only. `block` must be mended before submitting; `review` may be submitted and goes to the hub with the
case; `hint` is information for the clerk.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal

Severity = Literal["block", "review", "hint"]
SEVERITIES: tuple[Severity, ...] = ("block", "review", "hint")


@dataclass(frozen=True)
class Finding:
    """One finding. `code` is stable; `field` names the field (or `material:<id>`), '' for the whole form."""

    code: str
    severity: Severity
    field: str
    zh: str
    en: str

    def text(self, lang: str = "zh") -> str:
        """The message in the reader's language."""
        return self.zh if lang.startswith("zh") else self.en


def to_json(findings: Iterable[Finding]) -> str:
    """Findings as stored with a case."""
    return json.dumps([asdict(f) for f in findings], ensure_ascii=False, separators=(",", ":"))


def from_json(text: str) -> list[Finding]:
    """Stored findings back. Raises ValueError for anything that `to_json` cannot have written."""
    items = json.loads(text)
    try:
        found = [Finding(**item) for item in items]
    except TypeError as error:
        raise ValueError(f"not a list of findings: {error}") from error
    if any(f.severity not in SEVERITIES for f in found):
        raise ValueError("not a severity")
    return found
