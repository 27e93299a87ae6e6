# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from schema import findings
from schema.findings import Finding

ONE = Finding("required", "block", "name", "「姓名」没有填", "'Name' is not filled in")


def test_findings_survive_storing() -> None:
    two = Finding("hint", "hint", "", "旧证号", "old number")
    assert findings.from_json(findings.to_json([ONE, two])) == [ONE, two]


def test_a_finding_speaks_the_readers_language() -> None:
    assert (ONE.text("zh_CN"), ONE.text("en")) == ("「姓名」没有填", "'Name' is not filled in")


@pytest.mark.parametrize(
    "text", ["nonsense", '[{"code": "a"}]', '[{"code":"a","severity":"fatal","field":"","zh":"","en":""}]']
)
def test_what_was_not_stored_here_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        findings.from_json(text)
