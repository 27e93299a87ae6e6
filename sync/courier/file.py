# SPDX-License-Identifier: Apache-2.0
"""Bundles on a stick: written whole or not at all, because sticks are pulled and fill up; nothing is overwritten."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeVar

from schema import ids
from schema.errors import ConfigError
from sync.courier.bundle import SUFFIX

# What an empty bundle and a short answer need; the rest is known by the caller or told by the stick.
LEAST_BYTES = 256 * 1024
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_T = TypeVar("_T")


def name(sender: str, recipient: str) -> str:
    """A file's name, for people. Nobody reads it back."""
    return f"{sender}-to-{recipient}-{ids.to_text(ids.new_id())[:8]}{SUFFIX}"


def write(target: Path, file_name: str, needed_bytes: int, fill: Callable[[BinaryIO], _T]) -> tuple[Path, _T]:
    """Write a new file: into `target` when that is a folder, else at `target`. Returns its path and what `fill` says.

    The file appears under its name when every byte is on the stick. Raises ConfigError when it exists, when there is no
    such folder, or when the stick is too full.
    """
    path = target / file_name if target.is_dir() else target
    if path.exists():
        raise ConfigError(
            f"{path} 已经存在，不会覆盖。请换一个名字，或只写文件夹", f"{path} exists: name another, or a folder"
        )
    if not path.parent.is_dir():
        raise ConfigError(
            f"没有这个文件夹：{path.parent}。U 盘插好了吗？", f"no folder {path.parent}: is the stick in?"
        )
    free = shutil.disk_usage(path.parent).free
    if free < needed_bytes + LEAST_BYTES:
        raise _full(path, f"{free // 1024} KiB")
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("xb") as sink:
            said = fill(sink)
            sink.flush()
            os.fsync(sink.fileno())
        part.rename(path)
        _settle(path.parent)
    except OSError as error:
        if error.errno in _FULL:
            raise _full(path, "0") from error
        raise
    finally:
        part.unlink(missing_ok=True)
    return path, said


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """A bundle to read. Raises ConfigError when it cannot be."""
    try:
        source = path.open("rb")
    except OSError as error:
        raise ConfigError(f"读不了 {path}：{error.strerror}", f"cannot read {path}: {error.strerror}") from error
    with source:
        yield source


def _settle(folder: Path) -> None:
    """The name itself must be on the stick too, where the system lets a folder be opened."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _full(path: Path, free: str) -> ConfigError:
    return ConfigError(
        f"U 盘放不下（剩 {free}），没有写入。请腾出地方，或换一个 U 盘",
        f"the stick is too full ({free} left) for {path.name}: make room or take another; nothing was written",
    )
