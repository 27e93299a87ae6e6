# SPDX-License-Identifier: Apache-2.0
"""A county to look at: a hub and three stations with invented people, running on this machine.

    python -m provisioning.demo [--persons 20000] [--dir build/demo]

Made once, through the same programs a technician uses; a second run finds it and starts in seconds. Every password is
drawn anew and stands only in `logins.txt`, readable by its owner.
"""

from __future__ import annotations

import json
import secrets
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from types import FrameType

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from provisioning import console, tls
from provisioning.processes import Programs, free_port, is_free
from schema import programs
from schema.errors import ConfigError
from schema.home import HubHome, StationHome

SEED = 1
HUB_PORT = 8443
AT_ONCE = 2
MADE = "demo.json"  # written last: a folder without it is a demo cut short, and is made again
LOGINS = "logins.txt"
OURS = {"hub", ".hub.new", "stations", "logs", "unlock", LOGINS, MADE}
SYLLABLES = [c + v for c in "bdfghjklmnprstwz" for v in "aeiou"]


@dataclass(frozen=True)
class Place:
    """A station of the demo."""

    id: str
    name: str
    name_en: str
    township: str
    port: int


STATIONS = (
    Place("0100-1", "甘霖镇劳动保障所", "Ganlin labour office", "330683100", 8401),
    Place("0100-2", "甘霖镇苍岩社区", "Cangyan community, Ganlin", "330683100", 8402),
    Place("0104-1", "三界镇劳动保障所", "Sanjie labour office", "330683104", 8403),
)

# (number, name, roles, station): four different hands on each case, four on each month.
OFFICERS = (
    ("2001", "裘受理", "accept", ""), ("2002", "竺核算", "calculate", ""), ("2003", "邢复核", "review", ""),
    ("2004", "商审批", "approve", ""), ("2005", "钱结算", "settle", ""), ("2006", "史审月", "approve_month", ""),
    ("2007", "俞支付", "pay", ""), ("2008", "尹结账", "close", ""), ("2009", "吕导入", "import", ""),
    ("2010", "袁管理", "admin", ""), ("2011", "马稽查", "inspect", ""), ("2012", "卢监察", "accept labour", ""),
    ("2013", "丁监察", "review labour", ""),
    ("3001", "过小英", "clerk", "0100-1"), ("3002", "张永江", "clerk", "0100-1"),
    ("3003", "王亚琴", "clerk", "0100-2"), ("3004", "周志强", "clerk", "0100-2"),
    ("3005", "金丽娟", "clerk", "0104-1"), ("3006", "沈海波", "clerk", "0104-1"),
)  # fmt: skip


@dataclass(frozen=True)
class Login:
    """One line of logins.txt."""

    where: str
    url: str
    number: str
    password: str
    name: str
    roles: str


class Demo:
    """The demo's folder and its processes."""

    def __init__(self, folder: Path, out: Console) -> None:
        self.folder = folder
        self.out = out
        self.hub = HubHome(folder / "hub")
        self.programs = Programs(folder / "unlock", folder / "logs")

    def is_made(self) -> bool:
        """Whether the folder holds a complete demo."""
        return (self.folder / MADE).is_file()

    def persons(self) -> int:
        """How many persons the complete demo was made with."""
        return int(json.loads((self.folder / MADE).read_text(encoding="utf-8"))["persons"])

    def station(self, place: Place) -> StationHome:
        """A station's folder."""
        return StationHome(self.folder / "stations" / place.id)

    def make(self, persons: int) -> None:
        """Make everything. Raises ConfigError for a folder that is not a demo's, ProgramFailed."""
        self._clear()
        (self.folder / "stations").mkdir(parents=True)
        tls.write_private(self.programs.unlock_file, secrets.token_urlsafe(24).encode())
        self._step("中心 hub")
        self.programs.run(
            "township-provision", "init-hub", self.hub.path, "--name", "嵊州市劳动保障中心", "--name-en",
            "Shengzhou labour and social security centre", "--port", free_port(HUB_PORT),
        )  # fmt: skip
        self._step(f"虚构的县，{persons:,} 人 synthetic county")
        words = ("county", self.hub.path, "--persons", persons, "--seed", SEED)
        self.programs.run("township-provision", *words, quiet=False)
        self._step("站点登记 stations registered")
        for place in STATIONS:
            self._register(place)
        self._step("人员工号 officers")
        with ThreadPoolExecutor(AT_ONCE) as pool:
            passwords = dict(pool.map(self._add_officer, OFFICERS))
        self.start_hub()
        self._step("站点安装并取回名册 stations installed, register fetched")
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(self._install, STATIONS))
        self._write_logins(passwords)
        (self.folder / MADE).write_text(json.dumps({"persons": persons}), encoding="utf-8")

    def start(self) -> None:
        """Start the hub unless it runs, then the stations. Raises ProgramFailed, ConfigError for ports in use."""
        if "hub" not in self.programs.running:
            self._require_ports()
            self.start_hub()
        for place in STATIONS:
            self.programs.start(place.id, "township-node", "run", "--dir", self.station(place).path)
        for place in STATIONS:
            self.programs.wait_for(place.id, f"{self._url(place)}login")

    def start_hub(self) -> None:
        """Start the hub and wait until it answers."""
        self.programs.start("hub", "township-hub", "run", "--dir", self.hub.path)
        self.programs.wait_for("hub", f"{self.hub.config().url}/login", self.hub.ca_file)

    def logins(self) -> list[Login]:
        """Who may log in where."""
        lines = (self.folder / LOGINS).read_text(encoding="utf-8").splitlines()
        return [Login(*line.split("\t")) for line in lines[1:]]

    def _step(self, words: str) -> None:
        self.out.print(f"[dim]… {words}[/]", soft_wrap=True)

    def _url(self, place: Place) -> str:
        return f"http://127.0.0.1:{self.station(place).config().port}/"

    def _clear(self) -> None:
        """Remove a demo that was cut short, and nothing else."""
        if not self.folder.exists():
            return
        foreign = {p.name for p in self.folder.iterdir()} - OURS
        if foreign:
            raise ConfigError(
                f"{self.folder} 里有别的东西：{'、'.join(sorted(foreign))}。请换一个文件夹",
                f"{self.folder} holds other things ({', '.join(sorted(foreign))}): name another folder",
            )
        shutil.rmtree(self.folder)

    def _add_officer(self, officer: tuple[str, str, str, str]) -> tuple[str, str]:
        """Returns number and password."""
        number, name, roles, station = officer
        password = _new_password()
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=self.folder / "stations") as file:
            file.write(password)
            file.flush()
            where = ["--station", station] if station else []
            self.programs.run(
                "township-hub", "officer", "add", "--dir", self.hub.path, "--number", number, "--name", name,
                "--roles", roles, *where, "--password-file", file.name, "--no-change-needed",
            )  # fmt: skip
        return number, password

    def _register(self, place: Place) -> None:
        self.programs.run(
            "township-provision", "new-station", self.hub.path, place.id, "--name", place.name, "--name-en",
            place.name_en, "--township", place.township, "--port", free_port(place.port),
        )  # fmt: skip

    def _install(self, place: Place) -> None:
        kit, folder = self.hub.kits / place.id, self.station(place).path
        self.programs.run("township-provision", "install", kit, "--dir", folder)
        self.programs.run("township-node", "sync", "--dir", folder, "--json")

    def _write_logins(self, passwords: dict[str, str]) -> None:
        urls = {place.id: (place.name, self._url(place)) for place in STATIONS}
        urls[""] = (self.hub.config().name, f"{self.hub.config().url}/")
        logins = [Login(*urls[o[3]], o[0], passwords[o[0]], o[1], o[2]) for o in OFFICERS]
        lines = ["\t".join(asdict(login).values()) for login in logins]
        header = "\t".join(Login.__dataclass_fields__)
        tls.write_private(self.folder / LOGINS, "\n".join([header, *lines, ""]).encode())

    def _require_ports(self) -> None:
        ports = [self.hub.config().port, *(self.station(place).config().port for place in STATIONS)]
        taken = [str(port) for port in ports if not is_free(port)]
        if taken:
            raise ConfigError(
                f"端口 {'、'.join(taken)} 已被占用：演示是不是已经在运行？也可以用 --dir 另做一个",
                f"ports {', '.join(taken)} are taken: is the demo running already? Or make another with --dir",
            )


def _new_password() -> str:
    """47 random bits that can be read aloud: 'bako-limu-tesa-73'."""
    words = ["".join(secrets.choice(SYLLABLES) for _ in range(2)) for _ in range(3)]
    return "-".join([*words, f"{secrets.randbelow(90) + 10}"])


@contextmanager
def _stopping(programs: Programs) -> Iterator[None]:
    """Whatever happens, the children are stopped; SIGTERM counts as Ctrl-C, and Ctrl-C counts in the background too."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not leave children behind
        programs.stop()


def _show(demo: Demo, out: Console) -> None:
    for where, group in groupby(demo.logins(), key=lambda login: (login.where, login.url)):
        out.print(f"\n[bold]{where[0]}[/]  {where[1]}", soft_wrap=True)
        table = Table("工号 no.", "密码 password", "姓名 name", "职责 roles", box=SIMPLE_HEAD)
        for login in group:
            table.add_row(login.number, login.password, login.name, login.roles)
        out.print(table)
    out.print(f"登录名单 logins: {demo.folder / LOGINS}", soft_wrap=True)
    out.print(f"中心的证书由它自己签发，可导入浏览器 hub's own TLS authority: {demo.hub.ca_file}", soft_wrap=True)


@click.command()
@click.option("--persons", type=int, default=20_000, show_default=True, help="人数。 How many persons.")
@click.option("--dir", "folder", type=console.folder_argument, default="build/demo", help="文件夹。 Folder.")
@click.option("--fresh", is_flag=True, help="丢掉旧的，重新做。 Throw the old one away and make it anew.")
@click.option("--check", is_flag=True, help="都应答了就停下。 Stop as soon as everything answers.")
def main(persons: int, folder: Path, fresh: bool, check: bool) -> None:
    """演示：一个中心、三个站点、一个虚构的县。Ctrl-C 全部停下。

    A hub, three stations and a synthetic county on this machine; Ctrl-C stops all.
    """
    out = Console(highlight=False)
    demo = Demo(folder, out)
    began = time.monotonic()
    try:
        with programs.in_words(), _stopping(demo.programs):
            if fresh or not demo.is_made():
                demo.make(persons)
            elif demo.persons() != persons:
                out.print(f"用已有的演示县（{demo.persons():,} 人）；要重做请加 --fresh  using the one that is there")
            demo.start()
            _show(demo, out)
            out.print(f"[green]已就绪 ready[/]，{time.monotonic() - began:.0f} s。Ctrl-C 停下 stops all")
            if not check:
                demo.programs.watch()
    except KeyboardInterrupt:
        out.print("已停下 stopped")


if __name__ == "__main__":
    main()
