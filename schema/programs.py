# SPDX-License-Identifier: Apache-2.0
"""What the commands of all three programs share: errors in words, the folder, its passphrase, answers for scripts."""

from __future__ import annotations

import gc
import json
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from typing import Any

import click
from click.exceptions import NoArgsIsHelpError
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from schema import database
from schema.errors import ConfigError, TownshipError
from schema.home import passphrase_from

UNLOCK_HELP = (
    "口令文件，也可用环境变量 TOWNSHIP_UNLOCK_FILE；都没有就当场询问 / "
    "file with the passphrase; else TOWNSHIP_UNLOCK_FILE, else a prompt"
)


def calm_collector() -> None:
    """For programs that run for weeks: what start-up built is looked through no more, and the rest less often.

    A frame makes tens of thousands of small objects that free themselves; with the usual thresholds the search for
    cycles among everything the program holds took a third of a merge's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


def said(zh: str, en: str) -> str:
    """Both languages, Chinese first, once when they are the same."""
    return zh if zh == en else f"{zh}\n{en}"


@contextmanager
def in_words() -> Iterator[None]:
    """Errors on purpose are shown as two sentences, with exit code 1 and no stack trace."""
    try:
        yield
    except TownshipError as error:
        raise click.ClickException(said(error.zh, error.en)) from error
    except database.DatabaseError as error:
        zh, en = f"数据库出错：{error}。如已损坏，请从备份恢复", f"the database failed: {error}. If damaged, restore it"
        raise click.ClickException(said(zh, en)) from error
    except click.UsageError as error:
        raise _in_both(error) from error
    except UnicodeError as error:
        raise WrongUse("命令里有不能用的字符 / the command holds bytes that are no text") from error
    except OSError as error:
        raise click.ClickException(said(f"文件操作失败：{error}", f"a file could not be used: {error}")) from error


class WrongUse(click.ClickException):
    """A command line that cannot be, told in one line."""

    exit_code = 2


def _in_both(error: click.UsageError) -> click.ClickException:
    """The library speaks English alone, and takes three lines."""
    if isinstance(error, NoArgsIsHelpError):
        return error
    kinds = (
        (click.MissingParameter, "缺少参数"),
        (click.NoSuchOption, "没有这个选项"),
        (click.BadParameter, "参数不对"),
        (click.UsageError, "命令写得不对"),
    )
    zh = next(words for kind, words in kinds if isinstance(error, kind))
    place = error.ctx.command_path if error.ctx else ""
    text = " ".join(error.format_message().split())
    return WrongUse(f"{zh} / {text} 用法 / usage: {place} --help")


class Commands(click.Group):
    """A group of commands that fail in words."""

    def make_context(self, *args: Any, **more: Any) -> click.Context:
        """Read the group's own words."""
        with in_words():
            return super().make_context(*args, **more)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        with in_words():
            return super().invoke(ctx)


def unlock_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--unlock-file`: where the passphrase stands. Never the passphrase itself, which a process list would show."""
    return click.option("--unlock-file", type=click.Path(dir_okay=False), help=UNLOCK_HELP)(command)


def ask() -> str:
    """The passphrase, typed unseen."""
    return str(click.prompt("口令 / passphrase", hide_input=True))


def passphrase(unlock_file: str | None) -> bytes:
    """The passphrase of a folder that exists: from the file, the environment, or typed."""
    found = passphrase_from(unlock_file)
    return found if found is not None else ask().encode()


def with_folder(open_folder: Callable[..., Any], what: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command `--dir` and `--unlock-file`, and pass it the opened folder as its first argument.

    `open_folder(path, unlock_file, ask=...)` returns something with `close()`.
    """

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @click.option("--dir", "folder", required=True, type=click.Path(file_okay=False), help=what)
        @unlock_option
        @wraps(command)
        def opened(folder: str, unlock_file: str | None, **options: Any) -> Any:
            place = open_folder(folder, unlock_file, ask=ask)
            try:
                return command(place, **options)
            finally:
                place.close()

        return opened

    return decorate


@contextmanager
def stages(names: Mapping[str, str], *, silent: bool) -> Iterator[Callable[[str, int], None] | None]:
    """How far a long piece of work is, on the screen: call with a stage and the number done. None for a script."""
    if silent:
        yield None
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(highlight=False), transient=True) as bar:
        task = bar.add_task("…", total=None)
        yield lambda stage, done: bar.update(task, description=f"{names.get(stage, stage)} {done or ''}")


def require_stopped(host: str, port: int) -> None:
    """Raises ConfigError while something answers there: a database must not be changed under a running program."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(2)
        running = probe.connect_ex((host, port)) == 0
    if running:
        raise ConfigError(
            f"程序还在 {host}:{port} 上运行。请先停下（Ctrl-C）再恢复",
            f"the program is still running at {host}:{port}: stop it (Ctrl-C) before restoring",
        )


def as_json(value: Any) -> None:
    """Print one JSON document, Chinese left readable."""
    click.echo(json.dumps(value, ensure_ascii=False))
