# SPDX-License-Identifier: Apache-2.0
"""Every test that the documents name as proof exists, and every guard has a row."""

from __future__ import annotations

import ast
import re
from fnmatch import fnmatch

import pytest

from tests.sources import ROOT

NAMED = re.compile(r"`(test_[a-z0-9_]+\*?)`")
FILES = re.compile(r"`((?:tests|sync|schema|hub|node)/[a-z0-9_/]+\.py)`")
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
def test_every_test_and_file_a_document_names_exists(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    wanted, files, known = set(NAMED.findall(text)), set(FILES.findall(text)), existing()
    assert wanted or files
    assert [name for name in sorted(files) if not (ROOT / name).is_file()] == []
    assert [name for name in sorted(wanted) if not any(fnmatch(test, name) for test in known)] == []


def test_every_guard_has_a_row_with_a_test() -> None:
    text = (ROOT / "docs/guards.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| P(\d+) \|.*\|([^|]*)\|$", text, re.MULTILINE)
    assert [int(number) for number, _ in rows] == list(range(1, GUARDS + 1))
    assert all(NAMED.search(test) for _, test in rows)
