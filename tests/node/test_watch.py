# SPDX-License-Identifier: Apache-2.0
"""What `township-node sync --watch` shows: every channel with what is left, the speed, the time, the reason."""

from __future__ import annotations

import json
from collections.abc import Callable

from rich.console import Console

from node import status, watch
from node.station import Station
from sync.station import left
from sync.station.left import Left, Outlook
from sync.station.link import Link
from sync.wire.words import words
from tests.node.conftest import Counter
from tests.node.test_cli import run


def shown(outlook: Outlook, now: status.Status) -> str:
    console = Console(width=100, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(watch.picture(outlook, now))
    console.file.close()
    return console.export_text()


def now(station: Station) -> status.Status:
    with station.store.read() as db:
        return status.read(db, station.config.id, station.home.path, station.clock)


def test_what_is_left_is_told_by_channel_with_the_time_it_takes(station: Station) -> None:
    outlook = Outlook("push", 3, (Left("evt", "up", 12, 6_000), Left("ref", "down", 900, 90_000)), 1500.0, 2000.0, 49.0)
    text = shown(outlook, now(station))
    assert "业务 cases" in text and "12" in text and "5.9 KB" in text
    assert "名册 register" in text and "900" in text and "87.9 KB" in text
    assert "↑ 1.5 KB/s" in text and "↓ 2.0 KB/s" in text
    assert "49 秒" in text


def test_nothing_left_and_a_line_not_measured_yet_are_said_in_words(station: Station) -> None:
    assert "都办完了" in shown(Outlook("", 0, (), 0.0, 0.0, 0), now(station))
    unknown = shown(Outlook("", 0, (Left("reg", "up", 1, 60),), 0.0, 0.0, None), now(station))
    assert "还没量过线路" in unknown


def test_the_last_error_is_shown_in_words(station: Station) -> None:
    Link(station.store, station.clock).after_session("refused", "revoked", answered=True, equal=False)
    text = shown(Outlook("", 0, (), 0.0, 0.0, 0), now(station))
    assert "被拒" in text and words("revoked")[0][:8] in text


def test_a_script_gets_one_line_with_the_same(station: Station, counter: Counter, enrol: Callable[..., object]) -> None:
    enrol()
    with station.store.read() as db:
        waiting = left.read(db, station.clock.now())
    answer = run(station.home, "sync", "--watch", "--json")
    said = json.loads(answer.output)
    assert answer.exit_code == 0
    assert {"channel": "evt", "direction": "up", "items": 1, "bytes": waiting.left[0].bytes} in said["left"]
    assert said["link"] == now(station).link
