# SPDX-License-Identifier: Apache-2.0
"""Is this station well? Each check says what it found and, when something is wrong, what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta

from node import receipts, status
from node.station import Station, certificate_of
from schema import backup, database, rulebook, self_test
from schema.clock import local
from schema.errors import BadSignature
from schema.self_test import Check

RENEW_BEFORE = timedelta(days=60)


def examine(station: Station) -> list[Check]:
    """All checks; one that breaks is itself a finding and does not stop the others."""
    return self_test.examine(station, _CHECKS)


def _database(station: Station) -> Iterator[Check]:
    if not database.is_encrypted(station.home.database):
        yield Check("database", "fail", "数据库没有加密", "the database is not encrypted")
        return
    with station.store.read() as db:
        whole = db.execute("PRAGMA quick_check").fetchone()[0]
        persons = db.execute("SELECT count(*) FROM person").fetchone()[0]
        cases = db.execute("SELECT count(*) FROM case_file").fetchone()[0]
    if whole != "ok":
        yield Check("database", "fail", "数据库有损坏，请从备份恢复", "the database is damaged: restore a backup")
    else:
        zh, en = f"已加密，名册 {persons} 人，经办 {cases} 件", f"encrypted; {persons} persons, {cases} cases"
        yield Check("database", "ok", zh, en)


def _rules(station: Station) -> Iterator[Check]:
    now = station.rules.current()
    with station.store.read() as db:
        why = rulebook.waiting(db)
    zh = f"{len(now.services)} 个事项，规则包第 {now.number} 号 {now.hash[:12]}"
    en = f"{len(now.services)} items, rule pack {now.number} {now.hash[:12]}"
    if why:
        zh += f"。第 {why['number']} 号用不了，请升级程序：{why['zh']}"
        en += f". Pack {why['number']} needs a newer program: {why['en']}"
    yield Check("rules", "warn" if why else "ok", zh, en)


def _certificate(station: Station) -> Iterator[Check]:
    try:
        certificate = certificate_of(station)
    except BadSignature as error:
        yield Check("certificate", "fail", f"{error.zh}。请让技术员续发", f"{error.en}: have it renewed")
        return
    until, today = date.fromisoformat(certificate.not_after), station.clock.today()
    left = until - today
    if left < RENEW_BEFORE:
        zh, en = f"到 {until} 为止，只剩 {left.days} 天，请续发", f"until {until}, {left.days} days left: renew it"
        yield Check("certificate", "warn", zh, en)
    else:
        yield Check("certificate", "ok", f"有效到 {until}", f"valid until {until}")


def _line(station: Station) -> Iterator[Check]:
    if not station.home.ca_file.is_file():
        zh, en = f"没有找到 {station.home.ca_file.name}，连不了中心", f"{station.home.ca_file.name} is missing"
        yield Check("line", "fail", zh, en)
        return
    with station.store.read() as db:
        known = status.link(db)
    state, at = known.get("state") or "never", known.get("since")
    since = f"{local(at):%m-%d %H:%M}" if at else "--"
    zh = {"up": "正常", "down": "断开，照常办理", "refused": "中心拒绝连接", "never": "还没有连过"}.get(state, state)
    yield Check("line", "warn" if state == "refused" else "ok", f"{zh}，自 {since}", f"{state} since {since}")


def _numbers(station: Station) -> Iterator[Check]:
    with station.store.read() as db:
        left = receipts.left(db, station.config.id)
    if left < receipts.FEW_LEFT:
        zh, en = f"只剩 {left} 个，请连一次线路", f"{left} left: connect once to get more"
        yield Check("numbers", "fail" if left == 0 else "warn", zh, en)
    else:
        yield Check("numbers", "ok", f"还有 {left} 个", f"{left} left")


def _disk(station: Station) -> list[Check]:
    return self_test.disk(station.home.path)


def _clock(station: Station) -> Iterator[Check]:
    with station.store.read() as db:
        skew_s = float(status.link(db).get("clock_skew_s") or 0)
    minutes = round(abs(skew_s) / 60)
    if abs(skew_s) > status.CLOCK_OFF_S:
        zh, en = ("快", "ahead of") if skew_s > 0 else ("慢", "behind")
        yield Check("clock", "warn", f"比中心{zh} {minutes} 分钟，请校时", f"{minutes} min {en} the hub: set it")
    else:
        yield Check("clock", "ok", "与中心相差不到 10 分钟", "within 10 minutes of the hub")


def _backup(station: Station) -> list[Check]:
    return backup.look(station.home.backups, station.clock)


_CHECKS: tuple[Callable[[Station], Iterable[Check]], ...] = (
    self_test.extension, _database, _rules, _certificate, _line, _numbers, _disk, _clock, _backup,
)  # fmt: skip
