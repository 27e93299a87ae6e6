# SPDX-License-Identifier: Apache-2.0
"""Every test that the documents name as proof exists, and every guard has a row."""

from __future__ import annotations

import ast
import re
from fnmatch import fnmatch

import pytest

from tests.sources import ROOT

NAMED = re.compile(r"`(test_[a-z0-9_]+\*?)`")
DOCUMENTS = ("docs/guards.md", "docs/faults.md")
GUARDS = 22


def existing() -> set[str]:
    """Names of all test functions."""
    return {
        node.name
        for path in (ROOT / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


@pytest.mark.parametrize("document", [d for d in DOCUMENTS if (ROOT / d).is_file()])
def test_every_test_a_document_names_exists(document: str) -> None:
    wanted = set(NAMED.findall((ROOT / document).read_text(encoding="utf-8")))
    known = existing()
    assert wanted
    assert [name for name in sorted(wanted) if not any(fnmatch(test, name) for test in known)] == []


def test_every_guard_has_a_row_with_a_test() -> None:
    text = (ROOT / "docs/guards.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| P(\d+) \|.*\|([^|]*)\|$", text, re.MULTILINE)
    assert [int(number) for number, _ in rows] == list(range(1, GUARDS + 1))
    assert all(NAMED.search(test) for _, test in rows)
