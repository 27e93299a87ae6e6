# SPDX-License-Identifier: Apache-2.0
"""What nobody writes, and what to use instead. Each ban has a canary: a check that cannot fail protects nothing."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.sources import CLOCK_READS, Source, complaints, is_within, names


@dataclass(frozen=True)
class Ban:
    """Something nobody writes, why not or what instead, and the places that may."""

    finds: Callable[[Source], Iterator[tuple[int, str]]]
    instead: str
    allowed: tuple[str, ...] = ()
    only_in: tuple[str, ...] = ()

    def complaints(self, source: Source) -> Iterator[str]:
        if source.path.startswith(self.allowed):
            return
        if self.only_in and not source.path.startswith(self.only_in):
            return
        yield from (f"{source.path}:{line}: {what}: {self.instead}" for line, what in self.finds(source))


def named(*banned: str) -> Callable[[Source], Iterator[tuple[int, str]]]:
    """Finds a module or name, imported or used, whatever it is called in the file."""
    return lambda source: (
        (line, name) for line, name in names(source) if any(is_within(name, ban) for ban in banned)
    )


def written(pattern: str) -> Callable[[Source], Iterator[tuple[int, str]]]:
    """Finds a pattern anywhere in the text, comments and strings included."""
    compiled = re.compile(pattern)
    return lambda source: (
        (number, found[0])
        for number, line in enumerate(source.text.splitlines(), start=1)
        for found in compiled.finditer(line)
    )


def passed(keyword: str, value: object) -> Callable[[Source], Iterator[tuple[int, str]]]:
    """Finds a call that passes this keyword with this very value."""
    return lambda source: (
        (node.value.lineno, f"{keyword}={value}")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.keyword)
        and node.arg == keyword
        and isinstance(node.value, ast.Constant)
        and node.value.value is value
    )


THIS_FILE = "tests/test_banned.py"
BANS = {
    "clock": Ban(
        named(*CLOCK_READS),
        "take a schema.clock.Clock; only it reads the machine's time",
        allowed=("schema/clock.py",),
    ),
    "extension": Ban(
        written(r"(?i)\w*crsql_\w*"),
        "the extension is known to schema.crsqlite and crsqlite_rows alone, with its guards",
        allowed=("schema/crsqlite", "provisioning/extension.py", "provisioning/extension_build.py", "tests/"),
    ),
    "driver": Ban(
        named("sqlcipher3", "sqlite3", "pysqlite3"),
        "open a schema.database.Store: the one door, with key, pragmas and safe SQLite",
        allowed=("schema/database.py", "schema/crsqlite.py", "tests/"),
    ),
    "replace statement": Ban(
        written(r"(?i)\b(insert\s+or\s+replace|replace\s+into)\b"),
        "ON CONFLICT DO UPDATE with the changed columns; REPLACE overwrites what others edited",
        allowed=(THIS_FILE, "tests/schema/test_crsqlite_data_guards.py"),  # proves what it does
    ),
    "replace argument": Ban(passed("replace", True), "upsert the changed columns; REPLACE overwrites others'"),
    "commit hook": Ban(
        written(r"(?i)\b(set_)?(commit|rollback|update)_hook\b"),
        "the extension uses the one hook there is; ours would silently take its place (P20)",
        allowed=(THIS_FILE,),
    ),
    "unverified peer": Ban(passed("verify", False), "verify against the hub's own authority, always"),
    "pickle": Ban(
        named("pickle", "marshal", "shelve", "dill", "cloudpickle"),
        "cbor2 or json: reading a pickle runs what is in it",
    ),
    "flask in schema": Ban(
        named("flask", "flask_wtf", "flask_login", "flask_babel", "flask_bootstrap", "werkzeug", "wtforms"),
        "pages belong to schema/web, node and hub",
        allowed=("schema/web/",),
        only_in=("schema/",),
    ),
}


@pytest.mark.parametrize("ban", BANS)
def test_nothing_on_the_ban_list_is_used(ban: str) -> None:
    assert complaints(BANS[ban].complaints) == []


@pytest.mark.parametrize(
    ("ban", "path", "text"),
    [
        ("clock", "hub/a.py", "import datetime as dt\ndt.datetime.now(dt.UTC)"),
        ("clock", "tests/a.py", "from datetime import date\ndate.today()"),
        ("clock", "node/a.py", "from time import time as now\nnow()"),
        ("extension", "sync/a.py", "db.execute('SELECT crsql_db_version()')"),
        ("extension", "sync/a.py", "db.execute('SELECT * FROM contact__crsql_clock')"),
        ("driver", "hub/a.py", "from sqlcipher3 import dbapi2"),
        ("driver", "node/a.py", "import sqlite3"),
        ("replace statement", "hub/a.py", "db.execute('INSERT or REPLACE INTO t VALUES (1)')"),
        ("replace argument", "tests/a.py", "table.insert({}, replace=True)"),
        ("commit hook", "schema/a.py", "db.set_commit_hook(told)"),
        ("unverified peer", "sync/a.py", "httpx.get(url, verify=False)"),
        ("pickle", "node/a.py", "from pickle import loads"),
        ("flask in schema", "schema/view.py", "from flask import g"),
    ],
)
def test_canary_bans(ban: str, path: str, text: str) -> None:
    assert list(BANS[ban].complaints(Source(path, text)))


@pytest.mark.parametrize(
    ("ban", "path", "text"),
    [
        ("clock", "schema/clock.py", "from datetime import datetime\ndatetime.now()"),
        ("clock", "node/a.py", "self.clock.now()\nimport time\ntime.monotonic()"),
        ("flask in schema", "node/app.py", "import flask"),
        ("replace argument", "node/a.py", "text.replace('a', 'b')"),
    ],
)
def test_canary_bans_leave_the_replacement_alone(ban: str, path: str, text: str) -> None:
    assert list(BANS[ban].complaints(Source(path, text))) == []
