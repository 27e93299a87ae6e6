# SPDX-License-Identifier: Apache-2.0
"""The kit: the folder that turns a bare PC into one station, carried on a stick.

It holds no key: keys are made at the station. Its one secret is the enrolment code, good once and for some days.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from string import Template

from provisioning import extension, tls
from schema.errors import ConfigError
from schema.home import StationConfig, StationHome, write_toml

README = Template("""\
$name（$id）安装包
====================

1. 把这个文件夹整个放到新电脑上。文件夹里的注册码只能用一次，$code_until 前有效，不要外传。
2. 想好一句口令（至少 10 个字符），只告诉本站负责人；每次开机启动时要用。
3. 运行：township-provision install 这个文件夹 --dir 站点文件夹
4. 如果连不上中心：把这个文件夹带到县中心，运行 township-provision certify 中心文件夹 这个文件夹，
   再带回来重做第 3 步。
5. 运行：township-node run --dir 站点文件夹
6. 用浏览器打开 http://127.0.0.1:$port ，用工号和密码登录。

Kit of station $id, $name_en
====================

1. Put this whole folder on the new PC. The enrolment code in it works once, until $code_until; keep it private.
2. Think of a passphrase (10 characters or more) for whoever is in charge of the station; each start asks for it.
3. Run: township-provision install THIS_FOLDER --dir STATION_FOLDER
4. If the hub cannot be reached: take this folder to the county hub, run township-provision certify HUB_FOLDER
   THIS_FOLDER there, bring it back and do step 3 again.
5. Run: township-node run --dir STATION_FOLDER
6. Open http://127.0.0.1:$port in a browser and log in with your officer number and password.
""")


@dataclass(frozen=True)
class Kit:
    """A kit's folder and the files in it."""

    path: Path

    @property
    def config_file(self) -> Path:
        return StationHome(self.path).config_file

    @property
    def ca_file(self) -> Path:
        return StationHome(self.path).ca_file

    @property
    def code_file(self) -> Path:
        return self.path / "enrolment-code.txt"

    @property
    def checksums(self) -> Path:
        return self.path / "checksums.sha256"

    @property
    def request_file(self) -> Path:
        """What the station asks the hub for, when it cannot ask over the line."""
        return self.path / "request.s1q"

    @property
    def certificate_file(self) -> Path:
        """The hub's answer to it."""
        return self.path / "certificate.s1"

    def config(self) -> StationConfig:
        """Raises ConfigError."""
        return StationHome(self.path).config()

    def code(self) -> str:
        """The enrolment code. Raises ConfigError."""
        if not self.code_file.is_file():
            raise ConfigError(f"安装包里没有注册码 {self.code_file}", f"the kit has no enrolment code {self.code_file}")
        return self.code_file.read_text(encoding="utf-8").strip()

    def station_files(self) -> list[Path]:
        """What the station keeps: everything that was checked, but for the code and the words about the kit."""
        stays = {self.code_file.name, "README.txt"}
        return [self.path / name for name in self._listed() if name not in stays]

    def write(self, config: StationConfig, ca_file: Path, code: str, code_until: str) -> None:
        """Fill a new folder. Raises ConfigError when it exists, ExtensionError when there is no extension here."""
        if self.path.exists():
            raise ConfigError(
                f"{self.path} 已经存在，不会覆盖。请用 --out 换一个文件夹",
                f"{self.path} exists: name another folder with --out",
            )
        self.path.mkdir(parents=True, mode=0o700)
        write_toml(self.config_file, config)
        self.ca_file.write_bytes(ca_file.read_bytes())
        tls.write_private(self.code_file, f"{code}\n".encode())
        words = {"id": config.id, "name": config.name, "name_en": config.name_en, "port": config.port}
        readme = README.substitute(words, code_until=code_until)
        (self.path / "README.txt").write_text(readme, encoding="utf-8")
        extension.install_into(self.path)
        names = sorted(p.name for p in self.path.iterdir())
        lines = [f"{_sha256(self.path / name)}  {name}" for name in names]
        self.checksums.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def verify(self) -> None:
        """Raises ConfigError naming every file that is missing or not as it was made."""
        wrong = [name for name, digest in self._listed().items() if not self._holds(name, digest)]
        if wrong:
            raise ConfigError(
                f"安装包不完整或被改过：{'、'.join(wrong)}。请重新拷贝",
                f"the kit is incomplete or was changed: {', '.join(wrong)}. Copy it again",
            )

    def _listed(self) -> dict[str, str]:
        if not self.checksums.is_file():
            name = self.checksums.name
            raise ConfigError(f"{self.path} 不是安装包：没有 {name}", f"{self.path} is not a kit: no {name}")
        listed = {}
        for line in self.checksums.read_text(encoding="utf-8", errors="replace").splitlines():
            digest, _, name = line.partition("  ")
            if name != Path(name).name or not name:
                raise ConfigError(f"{self.checksums} 的内容不对", f"{self.checksums} is malformed")
            listed[name] = digest
        needed = {self.config_file.name, self.ca_file.name, self.code_file.name}
        if not needed <= set(listed):
            raise ConfigError(f"{self.checksums} 的内容不全", f"{self.checksums} is incomplete")
        return listed

    def _holds(self, name: str, digest: str) -> bool:
        path = self.path / name
        return path.is_file() and _sha256(path) == digest


def _sha256(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()
