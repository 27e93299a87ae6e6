# SPDX-License-Identifier: Apache-2.0
"""`township-hub officer`: make, list, disable officers, and give a new password."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from hub import officers
from hub.context import Hub, with_hub
from hub.officers import HUB_ROLES, STATION_ROLES, NewOfficer
from schema import keys
from schema.errors import ConfigError, Refusal
from schema.programs import Commands, as_json

_out = Console(highlight=False)

_NUMBER = click.option("--number", required=True, help="工号，4 位数字 / officer number, 4 digits")
_PASSWORD_FILE = click.option(
    "--password-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="密码在这个文件里；不给就随机生成，只显示一次 / file with the password; else a random one is shown once",
)
_NO_CHANGE = click.option(
    "--no-change-needed",
    is_flag=True,
    help="第一次登录不必换密码（要和 --password-file 一起用） / need not be changed at the first login",
)


@click.group(cls=Commands)
def officer() -> None:
    """工号：新增、列表、停用、重设密码。 / Officers: add, list, disable, reset a password."""


@officer.command()
@_NUMBER
@click.option("--name", required=True, help="姓名 / name")
@click.option(
    "--roles",
    required=True,
    help=f"岗位，空格分开。中心 hub：{' '.join(HUB_ROLES)}；站点 station：{' '.join(STATION_ROLES)}",
)
@click.option("--station", default="", help="站点工号才给，如 0100-1 / only for an officer of a station")
@_PASSWORD_FILE
@_NO_CHANGE
@with_hub
def add(
    hub: Hub, number: str, name: str, roles: str, station: str, password_file: Path | None, no_change_needed: bool
) -> None:
    """新增一个工号，同时生成他的签名钥匙。 / A new officer with a signing key of his own.

    \b
    township-hub officer add --dir HUB --number 2001 --name 林小满 --roles accept
    township-hub officer add --dir HUB --number 3001 --name 王丽萍 --roles clerk --station 0100-1
    """
    password = _password(password_file, no_change_needed, (number, name))
    new = NewOfficer(number, name, tuple(roles.replace(",", " ").split()), station)
    officers.add(hub.store, new, password, hub.clock, must_change=not no_change_needed)
    _tell(number, password, password_file)


@officer.command("set-roles")
@_NUMBER
@click.option("--roles", required=True, help="全部岗位，空格分开 / all posts, separated by spaces")
@with_hub
def set_roles(hub: Hub, number: str, roles: str) -> None:
    """换岗位：从现在起按新的岗位办，办过的不变。 / Change the posts of an officer, from now on."""
    officers.set_roles(hub.store, number, tuple(roles.replace(",", " ").split()))
    _out.print(f"{number}: {roles}")


@officer.command("reset-password")
@_NUMBER
@_PASSWORD_FILE
@_NO_CHANGE
@click.option(
    "--end-old-key",
    is_flag=True,
    help="旧密码可能被人知道：旧签名立即作废，站点没上报的件会被拒收 / "
    "others may know the old password: its key ends at once, unsent work signed with it is refused",
)
@with_hub
def reset_password(
    hub: Hub, number: str, password_file: Path | None, no_change_needed: bool, end_old_key: bool
) -> None:
    """忘记密码：换一把签名钥匙和一个新密码。 / A forgotten password: a new signing key under a new password.

    旧密码打不开的钥匙谁也打不开，所以换新的；以前签过的仍有效。
    Nobody can open the old key without the old password, so there is a new one; what was signed before stays valid.
    """
    password = _password(password_file, no_change_needed, (number,))
    officers.reset_password(
        hub.store, number, password, hub.clock, must_change=not no_change_needed, end_old_key=end_old_key
    )
    _tell(number, password, password_file)


@officer.command()
@_NUMBER
@click.option("--yes", is_flag=True, help="不再询问 / do not ask")
@with_hub
def disable(hub: Hub, number: str, yes: bool) -> None:
    """停用一个工号，不能撤销；已办的件仍有效。 / Take a number out of use for good; what it did stays valid."""
    if not yes:
        click.confirm(f"停用 {number}，不能撤销 / disable {number}, for good", abort=True)
    officers.disable(hub.store, number, hub.clock)
    _out.print(f"{number} 已停用 disabled")


@officer.command("list")
@click.option("--json", "json_", is_flag=True, help="结果写成一行 JSON / one line of JSON")
@with_hub
def list_officers(hub: Hub, json_: bool) -> None:
    """所有工号：岗位、站点、是否停用。 / All officers: posts, station, disabled or not."""
    with hub.store.read() as db:
        rows = [dict(row) for row in officers.everyone(db)]
    if json_:
        as_json(rows)
        return
    table = Table("工号 number", "姓名 name", "岗位 roles", "站点 station", "停用 disabled")
    for row in rows:
        table.add_row(row["operator_no"], row["name"], row["roles"], row["station"] or "--", row["disabled_on"] or "--")
    _out.print(table)


def _password(file: Path | None, no_change_needed: bool, names: tuple[str, ...]) -> str:
    """The password in the file, or a random one. Raises ConfigError, Refusal for one that is too weak."""
    if file is None:
        if no_change_needed:
            raise ConfigError(
                "--no-change-needed 要和 --password-file 一起用：显示过的密码必须换",
                "--no-change-needed goes with --password-file: a password that was shown must be changed",
            )
        return officers.one_time_password()
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    if not lines or not lines[0]:
        raise ConfigError(f"密码文件不存在或是空的：{file}", f"the password file is missing or empty: {file}")
    weak = keys.password_findings(lines[0], names=names)
    if weak:
        raise Refusal("；".join(f.zh for f in weak), "; ".join(f.en for f in weak), code="password")
    return lines[0]


def _tell(number: str, password: str, file: Path | None) -> None:
    if file is None:
        _out.print(f"工号 {number} 的一次性密码，只显示这一次 / one-time password of {number}, shown only once:")
        click.echo(password)
    else:
        _out.print(f"{number} 可以登录了 can log in")
