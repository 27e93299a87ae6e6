# SPDX-License-Identifier: Apache-2.0
"""Self-test of the hub: what must be right before the doors open, each with what to do when it is not."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from cryptography import x509

from hub import pack, stations
from hub.context import Hub
from hub.officers import CASE_ROLES, MONEY_ROLES
from schema import backup, database, self_test
from schema.self_test import Check, Level

TLS_WARNING = timedelta(days=30)


def examine(hub: Hub) -> list[Check]:
    """Everything, in an order in which the first failure explains the later ones."""
    looks = (self_test.extension, _database, _identity, _rules, _tls, _posts, _fleet, _disk, _backup)
    return self_test.examine(hub, looks)


def _database(hub: Hub) -> Iterator[Check]:
    with hub.store.read() as db:
        said = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    sealed = database.is_encrypted(hub.home.database)
    level: Level = "ok" if said == "ok" and sealed else "fail"
    yield Check("database", level, f"数据库{'已加密' if sealed else '没有加密'}，检查：{said}",
                f"database {'encrypted' if sealed else 'NOT encrypted'}, check: {said}")  # fmt: skip


def _identity(hub: Hub) -> Iterator[Check]:
    with hub.store.read() as db:
        named = database.setting(db, "node_id") == b"hub" and len(database.setting(db, "epoch") or b"") == 16
    if named:
        yield Check("identity", "ok", "数据库知道自己是中心", "the database knows that it is the hub")
    else:
        yield Check("identity", "fail", "数据库没有身份（node_id、epoch）。请用 init-hub 建中心",
                    "the database has no identity (node_id, epoch): make the hub with init-hub")  # fmt: skip


def _rules(hub: Hub) -> Iterator[Check]:
    items = pack.services()
    unverified = sum(not value.verified for value in _values())
    level: Level = "warn" if unverified else "ok"
    name = pack.pack_hash()[:12]
    zh = f"{len(items)} 个事项，规则包 {name}，{unverified} 个参数没有核对原文"
    yield Check("rules", level, zh, f"{len(items)} items, pack {name}, {unverified} parameter values not checked")


def _values() -> list[Any]:
    return [value for parameter in pack.parameters() for value in parameter.values]


def _tls(hub: Hub) -> Iterator[Check]:
    try:
        certificate = x509.load_pem_x509_certificate(hub.home.server_certificate.read_bytes())
        ssl.create_default_context(cafile=str(hub.home.ca_file))
    except (OSError, ValueError, ssl.SSLError):
        yield Check("tls", "fail", "TLS 证书打不开。请用 township-provision 重发", "the TLS certificate cannot be read")
        return
    ends = certificate.not_valid_after_utc.date()
    level: Level = "fail" if ends < hub.clock.today() else "warn" if ends < hub.clock.today() + TLS_WARNING else "ok"
    yield Check("tls", level, f"TLS 证书 {ends} 到期", f"TLS certificate runs out on {ends}")


def _posts(hub: Hub) -> Iterator[Check]:
    """Four eyes need four pairs of them: an officer of his own for every step."""
    with hub.store.read() as db:
        rows = db.execute(
            "SELECT roles FROM officer WHERE coalesce(station, '') = '' AND (disabled_on IS NULL OR disabled_on > ?)",
            (hub.clock.today().isoformat(),),
        ).fetchall()
    held = {role for row in rows for role in row["roles"].split()}
    vacant = [role for role in (*CASE_ROLES, *MONEY_ROLES) if role not in held]
    few = len(rows) < len(CASE_ROLES)
    if vacant or few:
        names = " ".join(vacant) or "-"
        yield Check("posts", "warn", f"没有人的岗位：{names}；中心工号 {len(rows)} 个，四步要四个人",
                    f"vacant posts: {names}; {len(rows)} hub officers, four steps need four people")  # fmt: skip
    else:
        yield Check(
            "posts", "ok", f"每个岗位都有人，中心工号 {len(rows)} 个", f"every post is held; {len(rows)} hub officers"
        )


def _fleet(hub: Hub) -> Iterator[Check]:
    with hub.store.read() as db:
        fleet = stations.summary(db, hub.clock.now())
    level: Level = "warn" if fleet.overdue or fleet.quarantined else "ok"
    zh = f"{fleet.stations} 个站点，{fleet.overdue} 个超过 7 天无消息，拒收待处理 {fleet.quarantined}"
    en = f"{fleet.stations} stations, {fleet.overdue} silent for over 7 days, {fleet.quarantined} refused to handle"
    yield Check("stations", level, zh, en)


def _disk(hub: Hub) -> list[Check]:
    return self_test.disk(hub.home.path)


def _backup(hub: Hub) -> list[Check]:
    return backup.look(hub.home.backups, hub.clock)
