# SPDX-License-Identifier: Apache-2.0
"""Every command of the three programs, used wrongly: words in both languages, an exit code, never a stack trace."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from hub.cli import main as hub_program
from node.cli import main as node_program
from provisioning.cli import main as provision_program

PROGRAMS = {"township-node": node_program, "township-hub": hub_program, "township-provision": provision_program}


def commands(words: tuple[str, ...], command: click.Command) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command below this one, with the words that lead to it."""
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from commands((*words, name), inner)
    else:
        yield words, command


ALL = [(name, words, command) for name, main in PROGRAMS.items() for words, command in commands((), main)]
NAMES = [" ".join((name, *words)) for name, words, _ in ALL]
each_command = pytest.mark.parametrize(("program", "words", "command"), ALL, ids=NAMES)


def run(program: str, *words: str | Path) -> Result:
    done = CliRunner().invoke(PROGRAMS[program], [str(word) for word in words], input="")
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise AssertionError(f"{program} {words} crashed: {done.output}") from done.exception
    return done


def require_words(done: Result, about: object) -> None:
    assert done.exit_code in (1, 2), (about, done.output)
    assert "Traceback" not in done.output, about
    assert re.search("[\u4e00-\u9fff]{2}", done.output), (about, done.output)
    assert re.search("[a-z]{2,} [a-z]{2,}", done.output), (about, done.output)
    assert len(done.output) < 1500, (about, done.output)


def good_words(command: click.Command, folder: Path) -> list[str]:
    """A value for everything the command needs; the folder holds nothing."""
    out: list[str] = []
    empty = folder / "empty.csv"
    empty.write_text("")
    for parameter in command.params:
        opened = parameter.name in ("unlock_file", "password_file")
        if not parameter.required and not opened:
            continue
        value = "2" if isinstance(parameter.type, click.types.IntParamType | click.IntRange) else "x"
        if isinstance(parameter.type, click.Path):
            value = str(empty if parameter.type.exists or opened else folder / "no")
        out += [parameter.opts[0], value] if isinstance(parameter, click.Option) else [value]
    return out


@each_command
def test_a_command_line_that_cannot_be_is_told_in_one_line(
    program: str, words: tuple[str, ...], command: click.Command, tmp_path: Path
) -> None:
    good = good_words(command, tmp_path)
    lines = [["--no-such-option"], ["--dir"], ["--unlock-file"], ["-z"]]
    if all(parameter.nargs != -1 for parameter in command.params):
        lines.append([*good, "one", "two", "three", "four"])
    if any(parameter.required for parameter in command.params):
        lines.append([])
    for line in lines:
        done = run(program, *words, *line)
        require_words(done, line)
        assert len(done.output.strip().splitlines()) == 1, done.output
        assert done.exit_code == 2


@each_command
def test_folders_and_files_that_are_not_there_are_told(
    program: str, words: tuple[str, ...], command: click.Command, tmp_path: Path
) -> None:
    before = sorted(tmp_path.rglob("*"))
    good = good_words(command, tmp_path)
    if any(isinstance(p.type, click.Path) and p.required for p in command.params):
        require_words(run(program, *words, *good), good)
        a_file = [str(tmp_path / "empty.csv") if word == str(tmp_path / "no") else word for word in good]
        require_words(run(program, *words, *a_file), a_file)
    assert [p for p in sorted(tmp_path.rglob("*")) if p.name != "empty.csv"] == before


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_command_that_does_not_exist_is_told(program: str) -> None:
    for words in (("fly",), ("--fly",), ("run", "run"), ("\udcff",), ("-",), ("",)):
        require_words(run(program, *words), words)


@pytest.mark.parametrize("words", [
    ("township-hub", "officer", "add", "--number", "2001", "--roles", "accept", "--name", b"\xff\xfe"),
    ("township-hub", "officer", "list", "--dir", b"/tmp/\xff"),
    ("township-provision", "new-station", b"\xff", "0100-1", "--name", b"\xff", "--township", "330683100"),
    ("township-provision", "county", "--persons", "5", "--csv", "/dev/null/x"),
    ("township-provision", "county", "--persons", "-5", "--csv", "/dev/null"),
])  # fmt: skip
def test_words_in_no_encoding_and_impossible_numbers_end_in_words(
    words: tuple[str | bytes, ...], tmp_path: Path
) -> None:
    program = Path(sys.executable).with_name(str(words[0]))
    unlock = tmp_path / "unlock"
    unlock.write_text("seven brass kettles 41")
    done = subprocess.run(
        [program, *words[1:]], capture_output=True, check=False, stdin=subprocess.DEVNULL,
        env=os.environ | {"TOWNSHIP_UNLOCK_FILE": str(unlock)},
    )  # fmt: skip
    said = (done.stdout + done.stderr).decode("utf-8", "replace")
    assert done.returncode in (1, 2) and "Traceback" not in said, said
    assert re.search("[\u4e00-\u9fff]{2}", said), said
