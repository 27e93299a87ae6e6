# SPDX-License-Identifier: Apache-2.0
"""The house in order: programs start, pins fit, documents name what exists, no trace of anyone's machine."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.sources import MAY_IMPORT, ROOT, sources

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
TEXT = {".css", ".html", ".js", ".json", ".md", ".po", ".py", ".sql", ".svg", ".toml", ".txt", ".csv", ""}
NOT_OURS = {".git", "__pycache__", "vendor", "build", "dist", "node_modules"}

# A home, a workspace or a scratch folder: paths that exist on one machine only.
MACHINE_PATH = re.compile(r"(?<![\w.:/}-])/(?:work|farm|tmp|root|home|Users)/[\w.]")
LEFTOVER = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b")
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)|\bsrc=\"([^\"]+)\"")


@cache
def text_files() -> dict[str, str]:
    """Path and text of every file a commit would carry, except other people's scripts and styles."""
    top = [ROOT / name for name in (*MAY_IMPORT, "docs", ".ci")]
    files = [path for folder in top for path in folder.rglob("*")]
    files += [path for path in ROOT.iterdir() if path.name != "constraints.txt"]
    return {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8", errors="replace")
        for path in files
        if path.is_file() and path.suffix in TEXT and not NOT_OURS & set(path.relative_to(ROOT).parts)
    }


def found(pattern: re.Pattern[str], files: dict[str, str]) -> list[str]:
    """Where a pattern stands, as path:line: text."""
    return [
        f"{path}:{number}: {line.strip()[:100]}"
        for path, text in files.items()
        for number, line in enumerate(text.splitlines(), start=1)
        if pattern.search(line)
    ]


def pins() -> dict[str, Version]:
    """The exact versions of constraints.txt by normalised name."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): Version(version) for name, version in pairs}


def requirements() -> list[Requirement]:
    """Everything the default set-up installs."""
    return [Requirement(text) for text in [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]]


def broken_links(path: str, text: str) -> Iterator[str]:
    """Targets of links and pictures in this document that are neither there nor on the web."""
    for match in LINK.finditer(text):
        target = match[1] or match[2]
        if "://" not in target and not (ROOT / path).parent.joinpath(target).exists():
            yield f"{path}: {target}"


# Programs


@pytest.mark.parametrize("program", PROJECT["scripts"])
def test_every_program_answers_help(program: str) -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / program, "--help"],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert program in done.stdout and "--help" in done.stdout


def test_help_names_every_target_of_the_makefile() -> None:
    targets = re.findall(r"^([a-z]+(?:-%)?):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    shown = subprocess.run(["make", "-C", ROOT], capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout
    assert targets
    assert [name for name in targets if f"make {name.replace('%', 'NAME')} " not in shown] == []


def test_ci_runs_the_tests_and_stops_at_the_first_failure() -> None:
    script = ROOT / ".ci" / "run"
    text = script.read_text()
    assert "set -euo pipefail" in text and "make test" in text
    assert os.access(script, os.X_OK)


# Versions


def test_every_dependency_is_pinned_within_its_range_and_has_an_upper_bound() -> None:
    for need in requirements():
        assert pins()[canonicalize_name(need.name)] in need.specifier, need.name
        assert any(bound.operator == "<" for bound in need.specifier), need.name


def test_what_is_installed_is_what_is_pinned() -> None:
    installed = {name: Version(metadata.version(name)) for name in pins()}
    assert installed == pins()


def test_the_change_log_begins_with_the_version_of_the_package() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    heading = re.search(r"^## \[?v?(\d+\.\d+\.\d+)", text, flags=re.MULTILINE)
    assert heading and heading[1] == PROJECT["version"]


# Documents and texts


def test_every_document_and_picture_that_a_document_links_exists() -> None:
    documents = {path: text for path, text in text_files().items() if path.endswith(".md")}
    assert "README.md" in documents
    assert [link for path, text in documents.items() for link in broken_links(path, text)] == []


def test_nothing_knows_the_machine_it_was_written_on() -> None:
    assert found(MACHINE_PATH, text_files()) == []


def test_nothing_is_left_to_be_done() -> None:
    assert found(LEFTOVER, text_files()) == []


def test_every_python_file_states_its_licence_first() -> None:
    first = "# SPDX-License-Identifier: Apache-2.0"
    bare = [source.path for source in sources() if first not in source.text.split("\n", 2)[:2]]
    assert bare == []


# The canaries


@pytest.mark.parametrize("line", ["see /home" + "/li/x", "'/tm" + "p/a'", "dir=/roo" + "t/b", "(/Use" + "rs/c)"])
def test_canary_machine_paths(line: str) -> None:
    assert found(MACHINE_PATH, {"a.py": line})


@pytest.mark.parametrize("line", ["https://host/home/a", "/var/lib/township", "cases/work/x", "{dir}/tmp/x"])
def test_canary_ordinary_paths(line: str) -> None:
    assert found(MACHINE_PATH, {"a.py": line}) == []


def test_canary_leftovers() -> None:
    assert found(LEFTOVER, {"a.html": "<!-- TO" + "DO: the slip -->"})
    assert found(LEFTOVER, {"a.html": "<!-- all done -->"}) == []


def test_canary_links() -> None:
    text = '[a](docs/no-such.md#x) <img src="docs/none.png"> [b](https://example.invalid/c) [c](pyproject.toml)'
    assert list(broken_links("README.md", text)) == ["README.md: docs/no-such.md", "README.md: docs/none.png"]
