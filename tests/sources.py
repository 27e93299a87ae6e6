# SPDX-License-Identifier: Apache-2.0
"""Our own Python files as the house tests read them: what each imports and names. Standard library only."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# A package may import itself, the standard library, its libraries, and of ours only these.
MAY_IMPORT: dict[str, set[str]] = {
    "schema": set(),
    "sync": {"schema"},
    "node": {"schema", "sync"},
    "hub": {"schema", "sync"},
    "provisioning": {"schema", "sync"},
    "tests": {"schema", "sync", "node", "hub", "provisioning"},
}


# Reads of the machine's time, which only schema.clock makes.
CLOCK_READS = (
    *("datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today", "datetime.date.today"),
    *("time.time", "time.time_ns", "time.localtime", "time.gmtime"),
)


@dataclass(frozen=True)
class Source:
    """One Python file: its path from the project's root, with slashes, and its text."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def module(self) -> str:
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    @property
    def package(self) -> str:
        return self.path.split("/")[0]


Check = Callable[[Source], Iterator[str]]


@cache
def sources(*packages: str) -> tuple[Source, ...]:
    """Every Python file of these top-level folders; all of them when none is named."""
    return tuple(
        Source(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
        for package in packages or MAY_IMPORT
        for path in sorted((ROOT / package).rglob("*.py"))
    )


def imports(source: Source) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of all that is imported, also relatively, inside functions, or by name."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(source, node)
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and _last_name(node.func) in ("import_module", "__import__"):
            yield from (
                (node.lineno, arg.value)
                for arg in node.args
                if isinstance(arg, ast.Constant) and isinstance(arg.value, str)
            )


def names(source: Source) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of all that is imported or used, written in full whatever alias the file gives it."""
    tree = source.tree
    full = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            full.update({alias.asname: alias.name for alias in node.names if alias.asname})
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(source, node)
            full.update({alias.asname or alias.name: f"{base}.{alias.name}" for alias in node.names})
    yield from imports(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name) and (dotted := _dotted(node)):
            first, _, rest = dotted.partition(".")
            yield node.lineno, ".".join(filter(None, (full.get(first, first), rest)))


def _absolute(source: Source, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    inside = source.path.split("/")[: -node.level]
    return ".".join([*inside, *filter(None, [node.module])])


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (base := _dotted(node.value)):
        return f"{base}.{node.attr}"
    return ""


def _last_name(node: ast.expr) -> str:
    return _dotted(node).rpartition(".")[2]


def is_within(name: str, outer: str) -> bool:
    return name == outer or name.startswith(f"{outer}.")


def complaints(check: Check, *packages: str) -> list[str]:
    """What a check has to say about the project, or about these top-level folders of it."""
    return [complaint for source in sources(*packages) for complaint in check(source)]
