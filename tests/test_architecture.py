# SPDX-License-Identifier: Apache-2.0
"""Who may import whom, what must stay pure, how long a module may be, where code may lie.

Each check is a function from source text to complaints. One test runs it over the project, another (the
canary) feeds it something it must complain about: a check that cannot fail protects nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator

import pytest

from tests.sources import (
    CLOCK_READS,
    MAY_IMPORT,
    ROOT,
    Source,
    complaints,
    imports,
    is_within,
    names,
    sources,
)

PACKAGES = [name for name in MAY_IMPORT if name != "tests"]

# What the law says depends on its inputs alone: a settled month must come out the same in ten years.
PURE = ("schema/rules/", "schema/risk/")
IMPURE = (
    *("sqlite3", "sqlcipher3", "sqlite_utils", "schema.database", "schema.crsqlite", "schema.crsqlite_rows"),
    *("random", "secrets", "uuid", "numpy.random", "schema.ids.new_id"),
    *("socket", "ssl", "http", "urllib", "httpx", "asyncio", "subprocess", "flask", "huey"),
    *(*CLOCK_READS, "time", "schema.clock.SystemClock", "os", "open"),
)

MAX_LINES = 400
# Modules that were longer when the limit came. The number may only go down; no module is added.
LONGER: dict[str, int] = {}


# The import table


def forbidden_imports(source: Source) -> Iterator[str]:
    """Imports of ours that the table does not allow."""
    allowed = MAY_IMPORT[source.package] | {source.package}
    for line, name in imports(source):
        target = name.split(".")[0]
        if target in MAY_IMPORT and target not in allowed:
            yield f"{source.path}:{line}: {source.package} must not import {target}"


# Purity


def impurities(source: Source) -> Iterator[str]:
    """Uses of a database, the clock, the network, chance or a file in this one module."""
    for line, name in names(source):
        for impure in IMPURE:
            if is_within(name, impure):
                yield f"{source.path}:{line}: {name} in a pure layer; give the value in as an argument"


def reached(start: Iterable[Source], modules: dict[str, Source]) -> dict[str, Source]:
    """All modules of ours that these import, directly or through others."""
    found: dict[str, Source] = {}
    waiting = list(start)
    while waiting:
        source = waiting.pop()
        if source.module not in found:
            found[source.module] = source
            wanted = {part for _, name in imports(source) for part in (name, name.rpartition(".")[0])}
            waiting += [modules[name] for name in wanted if name in modules]
    return found


# Length and docstrings


def overlong(source: Source) -> Iterator[str]:
    """A module over the limit, or a listed one that grew, or that shrank and still claims the old length."""
    lines = len(source.text.splitlines())
    limit = LONGER.get(source.path, MAX_LINES)
    if lines > limit:
        yield f"{source.path}: {lines} lines, limit {limit}; a module holds one idea, split it"
    elif source.path in LONGER and lines < limit:
        yield f"{source.path}: {lines} lines now; lower its entry in LONGER"


def undocumented_packages(paths: Iterable[str], text_of: Callable[[str], str | None]) -> Iterator[str]:
    """Package folders without an __init__.py, or with one that says nothing."""
    for folder in sorted({path.rpartition("/")[0] for path in paths}):
        text = text_of(f"{folder}/__init__.py")
        if text is None or not ast.get_docstring(ast.parse(text)):
            yield f"{folder}/__init__.py: say in a docstring what this package is for"


# The project


def test_every_import_is_in_the_table() -> None:
    assert complaints(forbidden_imports) == []


def test_rules_and_risk_are_pure_with_all_they_reach() -> None:
    modules = {source.module: source for source in sources("schema")}
    start = [source for source in modules.values() if source.path.startswith(PURE)]
    assert start, "schema/rules is where the law is"
    assert [found for source in reached(start, modules).values() for found in impurities(source)] == []


def test_no_module_is_longer_than_one_idea() -> None:
    assert complaints(overlong) == []
    assert [path for path in LONGER if not (ROOT / path).exists()] == []


def test_every_package_says_what_it_is_for() -> None:
    known = {source.path: source.text for source in sources(*PACKAGES)}
    assert {f"{name}/__init__.py" for name in PACKAGES} <= known.keys()
    assert list(undocumented_packages(known, known.get)) == []


def test_code_lives_in_the_known_folders_only() -> None:
    folders = {path.relative_to(ROOT).parts[0] for path in ROOT.glob("[!.]*/**/*.py")}
    assert folders - {"build", "dist"} == set(MAY_IMPORT)


# The canaries


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("schema/a.py", "import sync"),
        ("sync/a.py", "from node.config import Config"),
        ("node/a.py", "def f():\n    import hub.review"),
        ("hub/pages/a.py", "from ...node import app"),
        ("provisioning/a.py", "import importlib\nimportlib.import_module('hub.app')"),
        ("hub/a.py", "from tests import factories"),
    ],
)
def test_canary_imports(path: str, text: str) -> None:
    assert list(forbidden_imports(Source(path, text)))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("node/a.py", "import schema.money, sync"),
        ("sync/a/b.py", "from . import c"),
        ("hub/a.py", "import nodes"),
    ],
)
def test_canary_allowed_imports(path: str, text: str) -> None:
    assert list(forbidden_imports(Source(path, text))) == []


@pytest.mark.parametrize(
    "text",
    [
        "import sqlite3",
        "from schema.database import Store",
        "from datetime import datetime as d\nd.now()",
        "import random as r\nr.random()",
        "import urllib.request",
        "open('rates.toml')",
    ],
)
def test_canary_purity(text: str) -> None:
    assert list(impurities(Source("schema/rules/a.py", text)))


def test_canary_purity_through_another_module() -> None:
    rule = Source("schema/rules/a.py", "from schema.money import half_up")
    money = Source("schema/money.py", "import random")
    reach = reached([rule], {"schema.money": money, "schema.rules.a": rule})
    assert [found for source in reach.values() for found in impurities(source)]


def test_canary_length() -> None:
    assert list(overlong(Source("node/a.py", "x = 1\n" * (MAX_LINES + 1))))
    assert list(overlong(Source("node/a.py", "x = 1\n" * MAX_LINES))) == []


def test_canary_package_docstrings() -> None:
    text = {"node/pages/__init__.py": "x = 1", "node/pages/a.py": '"""A page."""'}
    assert list(undocumented_packages(text, text.get))
    assert list(undocumented_packages(["hub/reports/a.py"], {}.get))
