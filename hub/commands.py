# SPDX-License-Identifier: Apache-2.0
"""What every `township-hub` command shares: the folder, the unlock file, errors in words instead of stack traces."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from hub.context import open_hub
from schema.errors import TownshipError


class Commands(click.Group):
    """A group whose project errors are shown as two sentences and exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a TownshipError becomes its own words."""
        try:
            return super().invoke(ctx)
        except TownshipError as error:
            raise click.ClickException(both(error.zh, error.en)) from error


def both(zh: str, en: str) -> str:
    """Both languages, Chinese first, once when they are the same."""
    return zh if zh == en else f"{zh}\n{en}"


def with_hub(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `--dir` and `--unlock-file`, and pass it the opened hub as its first argument."""

    @click.option(
        "--dir", "folder", required=True, type=click.Path(file_okay=False), help="中心文件夹 / the hub's folder"
    )
    @click.option(
        "--unlock-file",
        type=click.Path(dir_okay=False),
        help="口令文件，也可用环境变量 TOWNSHIP_UNLOCK_FILE；都没有就当场询问 / "
        "file with the passphrase; else TOWNSHIP_UNLOCK_FILE, else a prompt",
    )
    @wraps(command)
    def opened(folder: str, unlock_file: str | None, **options: Any) -> Any:
        hub = open_hub(folder, unlock_file, ask=_ask)
        try:
            return command(hub, **options)
        finally:
            hub.close()

    return opened


def as_json(value: Any) -> None:
    """Print one JSON document, Chinese left readable."""
    click.echo(json.dumps(value, ensure_ascii=False))


def _ask() -> str:
    answer: str = click.prompt("口令 / passphrase", hide_input=True)
    return answer
