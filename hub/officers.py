# SPDX-License-Identifier: Apache-2.0
"""Officers (工号): one living person each, never reused; made, disabled and given new keys at the hub only.

An officer's signing key is wrapped by the password, so nobody can set a new password for the old key: a forgotten
password means a new key. What the old one signed and the hub took in stays valid.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

from schema import database, ids, keys
from schema.clock import Clock, stamp
from schema.errors import NotAllowed, Refusal, UnknownSubject
from schema.web.attempts import Attempts
from schema.web.door import Officer as SignedOn
from sync.hub import publish

STATION_ROLES = ("clerk", "head")
CASE_ROLES = ("accept", "calculate", "review", "approve")
MONEY_ROLES = ("settle", "approve_month", "pay", "close")
# Supervision and administration process nothing, whatever other role somebody wrote beside them.
WATCHING_ROLES = ("inspect", "admin")
# Labour inspection: with posts of a case beside it, it also sees confidential ones (`confidential`).
HUB_ROLES = (*CASE_ROLES, *MONEY_ROLES, *WATCHING_ROLES, "import", "rules", "labour")

_ALPHABET = "23456789abcdefghijkmnpqrstuvwxyz"
NAME_MAX_CHARS = 40
_OPERATOR_NO = re.compile(r"[0-9]{4}")


@dataclass(frozen=True)
class NewOfficer:
    """What is needed to make an officer. `station` is empty for the hub's own."""

    operator_no: str
    name: str
    roles: tuple[str, ...]
    station: str = ""


def add(
    store: database.Store, new: NewOfficer, password: str, clock: Clock, *, must_change: bool = True,
    cost: keys.Cost = keys.STANDARD,
) -> None:  # fmt: skip
    """Make an officer with a key of his own. Raises Refusal: number taken or wrong, roles that exclude each other."""
    _check(new)
    public, wrapped = keys.new_officer_key(password, cost)
    with publish.transaction(store) as pub:
        if pub.db.execute("SELECT 1 FROM officer WHERE operator_no = ?", (new.operator_no,)).fetchone():
            raise Refusal(f"工号 {new.operator_no} 已有人用，工号不重用", f"officer number {new.operator_no} is taken",
                          code="taken")  # fmt: skip
        if new.station and not pub.db.execute("SELECT 1 FROM station WHERE id = ?", (new.station,)).fetchone():
            raise UnknownSubject(f"没有站点 {new.station}", f"no such station: {new.station}")
        pub.put(
            "officer",
            {
                "operator_no": new.operator_no, "name": new.name, "roles": " ".join(new.roles),
                "station": new.station or None, "public_key": public, "wrapped_key": wrapped,
                "must_change": int(must_change), "disabled_on": None,
            },
        )  # fmt: skip
        _publish_key(pub, new.operator_no, new.name, " ".join(new.roles), public, stamp(clock.now()))


def disable(store: database.Store, operator_no: str, clock: Clock) -> None:
    """Take a number out of use, from now and for good. Raises UnknownSubject."""
    with publish.transaction(store) as pub:
        row = _row(pub.db, operator_no)
        on = row["disabled_on"] or clock.today().isoformat()
        pub.put("officer", {"operator_no": operator_no, "disabled_on": on})
        _end_keys(pub, operator_no, stamp(clock.now()))


def reset_password(
    store: database.Store, operator_no: str, password: str, clock: Clock, *, must_change: bool = True,
    end_old_key: bool = True, cost: keys.Cost = keys.STANDARD,
) -> None:  # fmt: skip
    """A new key under a new password. Raises UnknownSubject, NotAllowed.

    `end_old_key`: the old key signs nothing from now on. Not for a station's officer who only forgot the password:
    what he signed and the station has not sent yet would be refused.
    """
    public, wrapped = keys.new_officer_key(password, cost)
    now = stamp(clock.now())
    with publish.transaction(store) as pub:
        row = _row(pub.db, operator_no)
        if row["disabled_on"]:
            raise NotAllowed(f"工号 {operator_no} 已停用", f"officer number {operator_no} is disabled", code="disabled")
        if end_old_key:
            _end_keys(pub, operator_no, now)
        fresh = {"public_key": public, "wrapped_key": wrapped, "must_change": int(must_change)}
        pub.put("officer", {"operator_no": operator_no} | fresh)
        _publish_key(pub, operator_no, row["name"], row["roles"], public, now)
        pub.db.execute("DELETE FROM login_attempt WHERE operator_no = ?", (operator_no,))


def set_roles(store: database.Store, operator_no: str, roles: tuple[str, ...]) -> None:
    """Change an officer's posts. Raises UnknownSubject, Refusal."""
    with publish.transaction(store) as pub:
        row = _row(pub.db, operator_no)
        _check(NewOfficer(operator_no, row["name"], roles, row["station"] or ""))
        pub.put("officer", {"operator_no": operator_no, "roles": " ".join(roles)})
        for key in _keys_in_force(pub.db, operator_no):
            pub.put("officer_key", key | {"roles": " ".join(roles)})


def everyone(db: Any) -> list[Any]:
    """All officers: the hub's own first, then by station; never with their keys."""
    return list(
        db.execute(
            "SELECT o.operator_no, o.name, o.roles, o.station, o.must_change, o.disabled_on, s.name AS station_name "
            "FROM officer o LEFT JOIN station s ON s.id = o.station "
            "ORDER BY coalesce(o.station, '') <> '', o.station, o.operator_no"
        )
    )


def require(db: Any, operator_no: str, role: str, today: date) -> Any:
    """The hub officer of that number, who has that role now. Raises NotAllowed with the reason."""
    row = db.execute(
        "SELECT * FROM officer WHERE operator_no = ? AND coalesce(station, '') = ''", (operator_no,)
    ).fetchone()
    if row is None:
        raise NotAllowed("中心没有这个工号", "the hub has no such officer", code="officer")
    if row["disabled_on"] and row["disabled_on"] <= today.isoformat():
        raise NotAllowed(f"工号 {operator_no} 已停用", f"officer number {operator_no} is disabled", code="disabled")
    roles = row["roles"].split()
    if role in (*CASE_ROLES, *MONEY_ROLES) and set(roles) & set(WATCHING_ROLES):
        raise NotAllowed(
            "稽查和系统管理人员不办理业务", "Supervision and administration process no business", code="watching"
        )
    if role not in roles:
        raise NotAllowed("您没有这个岗位", "You do not have this post", code="role")
    return row


def one_time_password() -> str:
    """Twelve characters in three groups, 60 random bits, nothing that looks like something else."""
    number = int.from_bytes(ids.new_id(), "big")
    letters = "".join(_ALPHABET[number >> 5 * i & 31] for i in range(12))
    return f"{letters[:4]}-{letters[4:8]}-{letters[8:]}"


class HubOfficers(Attempts):
    """What the login of the hub's pages knows of officers (schema.web.door.OfficerStore)."""

    def find(self, operator_no: str) -> SignedOn | None:
        """The hub's own officer of that number; station officers do not log in here."""
        with self._store.read() as db:
            row = db.execute(
                "SELECT * FROM officer WHERE operator_no = ? AND coalesce(station, '') = ''", (operator_no,)
            ).fetchone()
        if row is None:
            return None
        disabled_on = date.fromisoformat(row["disabled_on"]) if row["disabled_on"] else None
        return SignedOn(
            row["operator_no"], row["name"], tuple(row["roles"].split()), "", bytes(row["wrapped_key"]),
            bytes(row["public_key"]), disabled_on, bool(row["must_change"]),
        )  # fmt: skip

    def rewrap(self, operator_no: str, wrapped_key: bytes) -> None:
        """Keep the blob under the new password."""
        with publish.transaction(self._store) as pub:
            pub.put("officer", {"operator_no": operator_no, "wrapped_key": wrapped_key, "must_change": 0})


def _check(new: NewOfficer) -> None:
    if not _OPERATOR_NO.fullmatch(new.operator_no):
        raise Refusal("工号是 4 位数字", "an officer number has 4 digits", code="operator_no")
    # The name goes to every station of the county: one that a station refuses would stop them all.
    if not new.name.strip() or len(new.name) > NAME_MAX_CHARS or not new.name.isprintable():
        raise Refusal(
            f"姓名要填，最多 {NAME_MAX_CHARS} 个字，不能有看不见的字符",
            f"a name is needed: at most {NAME_MAX_CHARS} characters, no invisible ones", code="name",
        )  # fmt: skip
    known = STATION_ROLES if new.station else HUB_ROLES
    unknown = [role for role in new.roles if role not in known]
    if unknown or not new.roles:
        raise Refusal(
            f"岗位不对：{' '.join(unknown) or '没有给'}。可用：{' '.join(known)}",
            f"unknown roles: {' '.join(unknown) or 'none given'}; known: {' '.join(known)}", code="roles",
        )  # fmt: skip
    if set(new.roles) & set(WATCHING_ROLES) and len(new.roles) > 1:
        raise Refusal(
            "稽查、系统管理不能兼其他岗位", "inspect and admin stand alone: no other role beside them", code="roles"
        )


def _row(db: Any, operator_no: str) -> Any:
    row = db.execute("SELECT * FROM officer WHERE operator_no = ?", (operator_no,)).fetchone()
    if row is None:
        raise UnknownSubject(f"没有工号 {operator_no}", f"no such officer number: {operator_no}")
    return row


def _keys_in_force(db: Any, operator_no: str) -> list[dict[str, Any]]:
    rows = db.execute(
        "SELECT operator_no, valid_from FROM officer_key WHERE operator_no = ? AND disabled_at IS NULL", (operator_no,)
    )
    return [dict(row) for row in rows]


def _publish_key(pub: publish.Publication, operator_no: str, name: str, roles: str, public: bytes, at: str) -> None:
    pub.put(
        "officer_key",
        {"operator_no": operator_no, "valid_from": at, "name": name, "roles": roles, "public_key": public,
         "disabled_at": None},
    )  # fmt: skip


def _end_keys(pub: publish.Publication, operator_no: str, at: str) -> None:
    for key in _keys_in_force(pub.db, operator_no):
        pub.put("officer_key", key | {"disabled_at": at})
