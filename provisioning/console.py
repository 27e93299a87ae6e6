# SPDX-License-Identifier: Apache-2.0
"""What every `township-provision` command shares: errors in words, the passphrase, results for people or scripts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from provisioning import authority
from schema.home import passphrase_from

folder_argument = click.Path(path_type=Path, file_okay=False, resolve_path=True)


def json_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--json`: the result as one JSON line."""
    return click.option("--json", "as_json", is_flag=True, help="输出一行 JSON。 Print one JSON line.")(command)


def new_passphrase(unlock_file: str | None) -> bytes:
    """The passphrase for a folder about to be made, typed twice when it is typed. Raises ConfigError when weak."""
    found = passphrase_from(unlock_file)
    if found is None:
        words = "新口令，至少 10 个字符 / new passphrase, 10 characters or more"
        found = str(click.prompt(words, hide_input=True, confirmation_prompt="再输一次 / again")).encode()
    authority.require_strong(found)
    return found


def report(as_json: bool, values: dict[str, Any], text: str) -> None:
    """Say what came of it: one JSON line, or words."""
    click.echo(json.dumps(values, ensure_ascii=False) if as_json else text)


@contextmanager
def persons_bar(total: int, shown: bool) -> Iterator[Callable[[int], object]]:
    """A progress bar that counts persons, on standard error; silent when not `shown`."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not shown) as progress:
        task = progress.add_task("人员 persons", total=total)
        yield lambda count: progress.advance(task, count)
