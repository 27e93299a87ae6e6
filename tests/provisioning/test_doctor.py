# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from provisioning import doctor, install
from provisioning.hub_folder import OpenHub
from provisioning.kit import Kit
from schema.clock import FixedClock

HUB_PASSPHRASE = "剡溪九曲胜景 one".encode()
STATION_PASSPHRASE = b"Zhishan Lu 17, qunian"


def _failing(folder: Path, passphrase: bytes, clock: FixedClock) -> set[str]:
    return {f.name for f in doctor.examine(folder, passphrase, clock) if not f.ok}


def test_a_fresh_hub_and_a_fresh_station_are_well(
    hub: OpenHub, make_kit: Callable[..., Kit], tmp_path: Path, line: Any, clock: FixedClock
) -> None:
    install.install(make_kit(), tmp_path / "station", STATION_PASSPHRASE, clock, line)
    assert _failing(hub.home.path, HUB_PASSPHRASE, clock) == set()
    assert _failing(tmp_path / "station", STATION_PASSPHRASE, clock) == set()


def test_every_fault_is_told_at_once(hub: OpenHub, clock: FixedClock) -> None:
    hub.home.server_key.chmod(0o644)
    clock.advance(days=780)
    assert _failing(hub.home.path, b"not this sentence", clock) == {"private", "tls", "database"}


def test_a_station_that_waits_for_its_certificate_is_told_what_to_do(
    make_kit: Callable[..., Kit], tmp_path: Path, line: Any, clock: FixedClock
) -> None:
    line.down = True
    install.install(make_kit(), tmp_path / "station", STATION_PASSPHRASE, clock, line)
    found = {f.name: f for f in doctor.examine(tmp_path / "station", STATION_PASSPHRASE, clock)}
    assert not found["certificate"].ok and "install" in found["certificate"].zh
    assert found["database"].ok


def test_any_other_folder_is_called_neither(tmp_path: Path, clock: FixedClock) -> None:
    assert _failing(tmp_path, b"", clock) == {"folder"}


def test_without_a_folder_only_the_machine_is_examined(clock: FixedClock) -> None:
    assert [(f.name, f.ok) for f in doctor.examine(None, b"", clock)] == [("extension", True)]
