# SPDX-License-Identifier: Apache-2.0
"""Folders of a station and of the hub with something wrong in them: told in words with file and remedy, never a crash.

Run through the programs' own commands; what is not an exit in words is an error here.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from hub.cli import main as hub_program
from node.cli import main as node_program
from node.station import Station
from provisioning import hub_folder
from provisioning.cli import main as provision_program
from provisioning.kit import Kit
from schema import crsqlite, keys
from schema.clock import FixedClock, SystemClock
from schema.database import Store
from schema.home import HubHome, StationHome, write_toml
from tests.hostile.evil import rows

PASSPHRASE = b"seven brass kettles 41"
WRONG_VALUES = (
    '""', '"x"', "-1", "0", "99999999", '"\\u0000"', "true", "[]", "{}", "1.5", '"../../etc"', '"http://["',
    '"zz\\u202e"', "", "9999-99-99", '"' + "x" * 5000 + '"', '"' + "f" * 63 + '"',
)  # fmt: skip


def run(program: click.Command, *words: str | Path) -> Result:
    """Run a command to its end; anything but an exit in words is raised."""
    done = CliRunner().invoke(program, [str(word) for word in words])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise AssertionError(f"{words} crashed: {done.output}") from done.exception
    assert "Traceback" not in done.output
    return done


def require_words(done: Result, *parts: str) -> None:
    """A failure told in both languages, naming these parts."""
    assert done.exit_code in (1, 2), done.output
    assert re.search("[\u4e00-\u9fff]{2}", done.output) and re.search("[a-z]{4}", done.output), done.output
    for part in parts:
        assert part in done.output, (part, done.output)


@pytest.fixture
def at_station(home: StationHome, station: Station) -> Callable[..., Result]:
    """`at_station("status")` in an installed folder that nobody else has open."""
    station.close()
    return lambda command: run(node_program, command, "--dir", home.path, "--unlock-file", home.path / "unlock")


@pytest.fixture(scope="module")
def made_hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hub as the programs make it, cheap to open."""
    base = tmp_path_factory.mktemp("hub")
    config = hub_folder.config_for("嵊州市劳动保障中心", "Shengzhou", "127.0.0.1", 8443, None)
    hub_folder.init_hub(base / "hub", config, PASSPHRASE, SystemClock())
    home = HubHome(base / "hub")
    sealed = keys.open_sealed(home.secrets_file.read_bytes(), PASSPHRASE)
    home.secrets_file.write_bytes(keys.seal(sealed, PASSPHRASE, keys.Cost(64, 1, 1)))
    (base / "unlock").write_bytes(PASSPHRASE)
    return base


@pytest.fixture
def hub_home(made_hub: Path, tmp_path: Path) -> HubHome:
    shutil.copytree(made_hub, tmp_path / "place")
    return HubHome(tmp_path / "place" / "hub")


def at_hub(home: HubHome, *words: str) -> Result:
    return run(hub_program, *words, "--dir", home.path, "--unlock-file", home.path.parent / "unlock")


def wrong_lines(good: str) -> list[tuple[str, str]]:
    """(setting, file) for each line left out, and for each wrong value in it."""
    lines = good.splitlines()
    out = []
    for at, line in enumerate(lines):
        name = line.split(" = ")[0]
        changed = ["", *(f"{name} = {value}" for value in WRONG_VALUES)]
        out += [(name, "\n".join([*lines[:at], new, *lines[at + 1 :]])) for new in changed]
    return out


def test_each_line_of_station_toml_broken_is_named_with_the_remedy(
    home: StationHome, at_station: Callable[..., Result]
) -> None:
    good = home.config_file.read_text("utf-8")
    refused = set()
    for name, text in wrong_lines(good):
        home.config_file.write_text(text, "utf-8")
        done = at_station("status")
        if done.exit_code:
            require_words(done, "station.toml" if "数据库是站点" not in done.output else name)
            refused.add(name)
    optional = {"phone", "name_en"}
    assert refused >= {line.split(" = ")[0] for line in good.splitlines()} - optional
    home.config_file.write_text(good, "utf-8")
    assert at_station("status").exit_code == 0


def test_each_line_of_hub_toml_broken_is_named_with_the_remedy(hub_home: HubHome) -> None:
    good = hub_home.config_file.read_text("utf-8")
    refused = set()
    for name, text in wrong_lines(good):
        hub_home.config_file.write_text(text, "utf-8")
        done = at_hub(hub_home, "status")
        if done.exit_code:
            require_words(done, "hub.toml")
            refused.add(name)
    assert refused >= {line.split(" = ")[0] for line in good.splitlines()} - {"name_en"}
    hub_home.config_file.write_text(good, "utf-8")
    assert at_hub(hub_home, "status").exit_code == 0


@pytest.mark.parametrize("content", [b"", os.urandom(300), "甲".encode("gb18030"), b"id = 1\nid = 2\n", b"\x00" * 50])
def test_settings_that_are_no_settings_are_refused(
    home: StationHome, at_station: Callable[..., Result], content: bytes
) -> None:
    home.config_file.write_bytes(content)
    require_words(at_station("status"), "station.toml")


def damaged(good: bytes) -> dict[str, bytes]:
    """Ways in which a file ends up after a bad day."""
    middle = len(good) // 2
    return {
        "empty": b"",
        "cut": good[:-5],
        "cut in the middle": good[:middle],
        "one bit": good[:middle] + bytes([good[middle] ^ 1]) + good[middle + 1 :],
        "rubbish": os.urandom(len(good)),
        "long": good + bytes(100_000),
    }


def test_secrets_and_certificate_damaged_in_any_way_are_told(
    home: StationHome, at_station: Callable[..., Result]
) -> None:
    for path in (home.secrets_file, home.certificate_file):
        good = path.read_bytes()
        for content in damaged(good).values():
            path.write_bytes(content)
            for command in ("status", "sync", "doctor"):
                require_words(at_station(command), path.name)
        path.unlink()
        require_words(at_station("sync"), path.name)
        path.write_bytes(good)
    assert at_station("status").exit_code == 0


@pytest.mark.parametrize("passphrase", [b"something else", b"", b"\xff\xfe", b"a" * 100_000])
def test_a_wrong_passphrase_opens_nothing(
    home: StationHome, at_station: Callable[..., Result], hub_home: HubHome, passphrase: bytes
) -> None:
    (home.path / "unlock").write_bytes(passphrase)
    (hub_home.path.parent / "unlock").write_bytes(passphrase)
    require_words(at_station("status"))
    require_words(at_hub(hub_home, "status"))


def test_a_database_that_is_gone_damaged_or_not_ours_is_told_and_no_new_one_is_made(
    home: StationHome, at_station: Callable[..., Result], hub_home: HubHome, tmp_path: Path
) -> None:
    other = Store(tmp_path / "other.db", os.urandom(32), side="hub")
    other.close()
    acts = {home.database: lambda: at_station("status"), hub_home.database: lambda: at_hub(hub_home, "status")}
    for place, act in acts.items():
        good = place.read_bytes()
        contents = damaged(good) | {"another key": (tmp_path / "other.db").read_bytes()}
        for how in ("cut in the middle", "rubbish", "another key"):
            for beside in place.parent.glob(f"{place.name}-*"):
                beside.unlink()
            place.write_bytes(contents[how])
            require_words(act(), "备份", place.name)
        place.unlink()
        require_words(act(), "备份")
        assert not place.exists()
        place.write_bytes(good)
        assert act().exit_code == 0


_OPEN_EACH = """
import sys
from schema.database import Store
from schema.errors import StoreError
for path in sys.argv[1:]:
    try:
        Store(path, bytes(range(32)), side="node").close()
        print("opened")
    except StoreError as error:
        print("备份" in error.zh and path in error.zh and path in error.en)
"""


def test_a_damaged_page_never_ends_the_process(tmp_path: Path) -> None:
    """The extension reads its own tables when it is loaded; a fault there ended the process without a word."""
    path = tmp_path / "a.db"
    Store(path, bytes(range(32)), side="node").close()
    good, files = path.read_bytes(), [tmp_path / f"{page}.db" for page in range(12)]
    for page, file in enumerate(files):
        file.write_bytes(good[: page * 4096 + 100] + os.urandom(100) + good[page * 4096 + 200 :])
    done = subprocess.run([sys.executable, "-c", _OPEN_EACH, *files], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said = done.stdout.split()
    assert said.count("True") >= 8 and set(said) <= {"True", "opened"}


def test_a_library_that_is_missing_or_another_file_is_not_loaded(
    home: StationHome, at_station: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    crsqlite._check_hash.cache_clear()
    real = crsqlite.library_path()
    fake = tmp_path / "crsqlite.so"
    shutil.copyfile(real.with_suffix(".json"), fake.with_suffix(".json"))
    monkeypatch.setenv("CRSQLITE_LIB", str(fake))
    require_words(at_station("status"), str(fake))
    fake.write_bytes(real.read_bytes() + b"\0")
    require_words(at_station("status"), str(fake))
    monkeypatch.undo()
    crsqlite._check_hash.cache_clear()


@pytest.fixture
def kit(hub_home: HubHome, tmp_path: Path) -> Kit:
    done = run(
        provision_program, "new-station", hub_home.path, "0100-1", "--name", "甘霖镇站点", "--township", "330683100",
        "--out", tmp_path / "kit", "--unlock-file", hub_home.path.parent / "unlock",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    return Kit(tmp_path / "kit")


def test_a_kit_changed_in_any_file_installs_nothing(kit: Kit, hub_home: HubHome, tmp_path: Path) -> None:
    words = ("--dir", tmp_path / "new", "--unlock-file", hub_home.path.parent / "unlock")
    for path in sorted(kit.path.iterdir()):
        good = path.read_bytes()
        for content in (good + b"x", b"", bytes([good[0] ^ 1]) + good[1:]):
            path.write_bytes(content)
            require_words(run(provision_program, "install", kit.path, *words))
            assert not (tmp_path / "new").exists()
        path.unlink()
        require_words(run(provision_program, "install", kit.path, *words))
        path.write_bytes(good)
    (kit.path / "checksums.sha256").write_text("00  ../../etc/passwd\n")
    require_words(run(provision_program, "install", kit.path, *words), "checksums")
    assert not (tmp_path / "new").exists()


def test_a_kit_is_not_installed_over_something_else_nor_twice(kit: Kit, hub_home: HubHome, tmp_path: Path) -> None:
    place = tmp_path / "occupied"
    place.mkdir()
    (place / "diary.txt").write_text("keep me")
    words = ("--dir", place, "--unlock-file", hub_home.path.parent / "unlock")
    require_words(run(provision_program, "install", kit.path, *words))
    assert [p.name for p in place.iterdir()] == ["diary.txt"]


def test_secret_files_are_their_owners_alone(kit: Kit, hub_home: HubHome, home: StationHome, clock: FixedClock) -> None:
    for path in (hub_home.secrets_file, hub_home.server_key, kit.code_file):
        assert path.stat().st_mode & 0o077 == 0, path
    secrets = home.unlock((home.path / "unlock").read_bytes())
    for path in home.path.iterdir():
        if path.name != "unlock" and path.is_file():
            content = path.read_bytes()
            assert all(secret not in content for secret in (secrets.db_key, secrets.node_key, secrets.web_secret)), path


def test_settings_that_would_break_their_own_file_are_not_written(home: StationHome) -> None:
    good = home.config()
    before = home.config_file.read_bytes()
    for changes in ({"name": 'a"\nport = 1'}, {"name": "甲\x00"}, {"phone": "\u202e"}, {"port": 0}, {"hub_url": "x"}):
        with pytest.raises(Exception, match=next(iter(changes))):
            write_toml(home.config_file, replace(good, **changes))
    assert home.config_file.read_bytes() == before


def test_words_that_no_file_and_no_station_can_hold_are_refused_and_write_nothing(
    hub_home: HubHome, tmp_path: Path
) -> None:
    store = Store(hub_home.database, hub_home.unlock(PASSPHRASE).db_key, side="hub")
    before = rows(store)
    unlock = ("--unlock-file", hub_home.path.parent / "unlock")
    station = ("new-station", hub_home.path, "0100-1", "--township", "330683100", "--out", tmp_path / "kit", *unlock)
    evil = ("\udcff", "甲\x00", "甲\nport = 1", "长" * 200, "\u202e")
    for text in evil:
        officer = ("officer", "add", "--number", "2001", "--roles", "accept", "--name", text)
        require_words(at_hub(hub_home, *officer))
        require_words(run(provision_program, *station, "--name", text))
        require_words(run(provision_program, *station, "--name", "甘霖", "--phone", text))
        require_words(run(provision_program, "revoke", hub_home.path, text, "--reason", "x", *unlock))
        require_words(run(provision_program, "init-hub", tmp_path / "other", "--name", text, "--port", "8443", *unlock))
        require_words(at_hub(hub_home, "settle", "show", text))
        require_words(at_hub(hub_home, "officer", "disable", "--number", text, "--yes"))
    for more in (
        ("--name", "甘霖", "--township", "330683"), ("--name", "甘霖", "--port", "0"),
        ("--name", "甘霖", "--days", "0"),
        ("--name", "甘霖", "--code-days", "99999999999"), ("--name", "甘霖", "--more-slices", "county"),
    ):  # fmt: skip
        require_words(run(provision_program, *station, *more))
    assert rows(store) == before
    store.close()
    assert not (tmp_path / "kit").exists() and not (tmp_path / "other").exists()
