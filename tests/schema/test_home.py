# SPDX-License-Identifier: Apache-2.0
"""The folder of a station or hub: settings that teach, secrets that only the passphrase opens."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from schema import home
from schema.errors import ConfigError, WrongPassword
from schema.home import HubHome, HubSecrets, StationConfig, StationHome, StationSecrets

GOOD = StationConfig(
    "0100-1", "甘霖镇劳动保障所", "Ganlin", "330683100", "https://127.0.0.1:8443", 8701, "ab" * 32, "cd" * 32
)


@pytest.fixture
def station(tmp_path: Path) -> StationHome:
    place = StationHome(tmp_path)
    home.write_toml(place.config_file, GOOD)
    return place


def test_settings_survive_the_file(station: StationHome) -> None:
    assert station.config() == GOOD


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id = ", "TOML"),
        ('colour = "red"', "colour"),
        ('port = "many"', "port"),
        ('id = "0100-1"', "missing"),
    ],
)
def test_a_bad_setting_is_refused_with_file_and_place(station: StationHome, text: str, said: str) -> None:
    station.config_file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        station.config()
    assert said in str(refused.value) and "station.toml" in str(refused.value)


def test_a_folder_that_was_never_installed_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="installed"):
        StationHome(tmp_path / "nothing").config()


def test_secrets_open_with_their_passphrase_only(tmp_path: Path) -> None:
    place = StationHome(tmp_path)
    secrets = StationSecrets(os.urandom(32), os.urandom(32), os.urandom(32))
    place.seal(secrets, b"correct horse")
    assert place.unlock(b"correct horse") == secrets
    assert secrets.db_key not in place.secrets_file.read_bytes()
    assert place.secrets_file.stat().st_mode & 0o077 == 0
    with pytest.raises(WrongPassword):
        place.unlock(b"wrong horse")


def test_a_hub_s_secrets_do_not_pass_for_a_station_s(tmp_path: Path) -> None:
    HubHome(tmp_path).seal(HubSecrets(b"1", b"2", b"3", b"4", b"5", b"6"), b"pass phrase")
    with pytest.raises(WrongPassword):
        StationHome(tmp_path).unlock(b"pass phrase")


def test_the_passphrase_comes_from_a_file_and_an_empty_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(home.UNLOCK_ENV, raising=False)
    assert home.passphrase_from(None) is None
    file = tmp_path / "unlock"
    file.write_text("开门\n", encoding="utf-8")
    assert home.passphrase_from(str(file)) == "开门".encode()
    monkeypatch.setenv(home.UNLOCK_ENV, str(file))
    assert home.passphrase_from(None) == "开门".encode()
    file.write_text("\n", encoding="utf-8")
    with pytest.raises(ConfigError):
        home.passphrase_from(str(file))
