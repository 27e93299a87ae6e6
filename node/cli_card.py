# SPDX-License-Identifier: Apache-2.0
"""`township-node card`: lay a card on the simulated reader, and take it off. For training, without plastic."""

from __future__ import annotations

from pathlib import Path

import click

from node.card import simulator_driver
from node.card.simulator import Holder
from schema.clock import SystemClock
from schema.errors import ConfigError
from schema.home import StationHome
from schema.resident_id import read

_folder = click.option(
    "--dir", "folder", required=True, type=click.Path(file_okay=False), help="站点文件夹 / station's folder"
)


@click.group()
def card() -> None:
    """培训用的模拟卡：放上、拿走。

    A simulated card for training: put it on the reader, take it off. Needs card_driver = "simulator" in station.toml.

    \b
      township-node card put 330683199011240016 张伟 --dir STATION
      township-node card take --dir STATION
    """


@card.command()
@click.argument("id_number")
@click.argument("name")
@click.option("--card-no", default="A00000001", help="社保卡号，最多 9 位 / card number, up to 9 places")
@_folder
def put(id_number: str, name: str, card_no: str, folder: str) -> None:
    """把一张模拟卡放上读卡器。 / Lay a simulated card on the reader."""
    home = _home(folder)
    number, findings = read(id_number, SystemClock().today())
    if number is None:
        raise ConfigError(findings[0].zh, findings[0].en)
    if not (1 <= len(name.encode("gb18030")) <= 50 and len(card_no) <= 9 and card_no.isascii()):
        raise ConfigError("姓名最多 25 个字，卡号最多 9 位", "a name has up to 25 characters, a card number up to 9")
    simulator_driver.put(home, Holder(number.number, name, card_no))


@card.command()
@_folder
def take(folder: str) -> None:
    """把模拟卡拿走。 / Take the simulated card off."""
    simulator_driver.take(_home(folder))


def _home(folder: str) -> Path:
    home = StationHome(folder)
    if home.config().card_driver != "simulator":
        raise ConfigError(
            "本站不用模拟读卡器：station.toml 里 card_driver 要写 simulator",
            'no simulated reader here: card_driver must be "simulator" in station.toml',
        )
    return home.path
