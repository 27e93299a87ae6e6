# SPDX-License-Identifier: Apache-2.0
"""An officer at the command line: number and password, because what is done there is signed like on a page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub.context import Hub
from hub.officers import HubOfficers
from schema import keys
from schema.errors import ConfigError, NotAllowed, WrongPassword


@dataclass(frozen=True)
class Signer:
    """Who acts, with the key that the password opened."""

    operator_no: str
    key: Ed25519PrivateKey


def with_signer(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `--officer` and `--password-file`, and pass it the Signer after the hub. Use below `with_hub`."""

    @click.option("--officer", "operator_no", required=True, help="工号 / officer number")
    @click.option(
        "--password-file",
        type=click.Path(dir_okay=False),
        help="密码文件；没有就当场询问 / file with the officer's password; else a prompt",
    )
    @wraps(command)
    def signed(hub: Hub, *, operator_no: str, password_file: str | None, **options: Any) -> Any:
        return command(hub, open_signer(hub, operator_no, _password(password_file)), **options)

    return signed


def open_signer(hub: Hub, operator_no: str, password: str) -> Signer:
    """The officer's key. Raises WrongPassword, also for a number nobody has; NotAllowed before the first own one."""
    officer = HubOfficers(hub.store).find(operator_no)
    if officer is None:
        raise WrongPassword("工号或密码不对", "wrong number or password")
    key = keys.unwrap(officer.wrapped_key, password)
    if officer.must_change:
        # Somebody else knows this password: what is signed with it could be anybody's.
        raise NotAllowed(
            "密码是别人设的，请先在网页登录，换成自己的",
            "this password was set by somebody else: log in at the pages and choose your own", code="must_change",
        )  # fmt: skip
    return Signer(operator_no, key)


def _password(password_file: str | None) -> str:
    if password_file is None:
        asked: str = click.prompt("密码 / password", hide_input=True)
        return asked
    path = Path(password_file)
    text = path.read_text("utf-8").strip() if path.is_file() else ""
    if not text:
        raise ConfigError(f"密码文件不存在或是空的：{path}", f"the password file is missing or empty: {path}")
    return text
