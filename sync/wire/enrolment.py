# SPDX-License-Identifier: Apache-2.0
"""A new station's certificate: asked for with a one-time code, given once, by wire or by stick.

The keys are made at the station and never leave it. What leaves is a request `S1E`: the code, the station's id, its
public key, site id and epoch, signed by that key, so that nobody can enrol a key that is not theirs. The hub keeps only
the code's hash. The same request again gets the same answer: a lost reply costs nothing. Another key under a used code
is refused: a copied kit cannot become a second station.

The code begins with the day it runs out, `261207-ABCDE-...`, and the hash covers it.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from datetime import date, timedelta
from hashlib import sha256
from hmac import compare_digest
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schema import database, ids
from schema.clock import Clock
from schema.errors import BadFrame, BadSignature, Refusal, UnknownSubject
from sync.wire import certificate, signed

MAGIC = b"S1E"
LIMIT = 4096
RENEW_BEFORE, RENEWED_FOR = timedelta(days=60), timedelta(days=730)
ROLE = "station"
_SHAPE: dict[str, type | tuple[type, ...]] = {
    "code": str, "node": str, "public_key": bytes, "site_id": bytes, "epoch": bytes,
}  # fmt: skip
_CODE = re.compile(r"([0-9]{6})-?[A-Z2-7]{5}(?:-?[A-Z2-7]{5}){3}")


def new_code(valid_through: date) -> str:
    """A one-time code of 100 random bits that says its last day: '261207-ABCDE-FGHJK-LMNPQ-RSTUV'."""
    letters = base64.b32encode(ids.new_id()).decode()
    groups = (letters[i : i + 5] for i in range(0, 20, 5))
    return "-".join((valid_through.strftime("%y%m%d"), *groups))


def hash_code(code: str) -> str:
    """What the hub stores of a code."""
    return sha256(_plain(code).encode()).hexdigest()


def make_request(node_key: Ed25519PrivateKey, *, node: str, code: str, site_id: bytes, epoch: bytes) -> bytes:
    """The request as it travels, by POST or as a file."""
    public = node_key.public_key().public_bytes_raw()
    content = {"code": code, "node": node, "public_key": public, "site_id": site_id, "epoch": epoch}
    return signed.seal(MAGIC, content, node_key)


def read_request(data: bytes) -> dict[str, Any]:
    """The request's content, signed by the key it names. Raises Refusal(enrol_malformed)."""
    try:
        if len(data) > LIMIT:
            raise ValueError("size")
        content = signed.fields(signed.peek(MAGIC, data, "header"), _SHAPE, "header")
        if (len(content["public_key"]), len(content["site_id"]), len(content["epoch"])) != (32, 16, 16):
            raise ValueError("length")
        signed.check(data, content["public_key"])
    except (BadFrame, BadSignature, ValueError) as error:
        raise Refusal(
            "注册请求的内容不对。请在站点重新运行安装",
            "the enrolment request is malformed: run the installation again at the station", code="enrol_malformed",
        ) from error  # fmt: skip
    return content


def enrol(store: database.Store, authority_key: Ed25519PrivateKey, request: dict[str, Any], clock: Clock) -> bytes:
    """Check the code, bind key, site id and epoch to the station, and sign its certificate.

    Raises Refusal with code enrol_unknown, enrol_code, enrol_expired, enrol_used or revoked; nothing is written then.
    """
    with store.write() as db:
        record = db.execute("SELECT * FROM node_record WHERE id = ?", (request["node"],)).fetchone()
        _permit(record, request, clock.today())
        binding = {name: request[name] for name in ("public_key", "site_id", "epoch")}
        database.update(db, "node_record", {"id": record["id"]}, binding)
        return certificate_for({**dict(record), **binding}, authority_key, clock.today())


def certificate_for(record: Mapping[str, Any], authority_key: Ed25519PrivateKey, today: date) -> bytes:
    """The signed certificate of a row of `node_record`."""
    return certificate.issue(
        certificate.Certificate(
            node=record["id"], public_key=record["public_key"], site_id=record["site_id"], epoch=record["epoch"],
            slices=tuple(record["slices"].split()), role=ROLE,
            # A station whose clock is some hours slow must not find its own certificate not yet in force.
            not_before=(today - timedelta(days=1)).isoformat(),
            not_after=record["not_after"], serial=record["serial"],
        ),
        authority_key,
    )  # fmt: skip


def is_old(not_after: str | None, today: date) -> bool:
    """Whether a certificate that ends on that day should be renewed now."""
    return (not_after or "") < (today + RENEW_BEFORE).isoformat()


def renew(db: Any, station: str, today: date) -> dict[str, Any]:
    """The station's record, good for another two years when it is about to end. The serial stays: nothing else of the
    certificate changes, and the old one holds as long as it says."""
    record = dict(db.execute("SELECT * FROM node_record WHERE id = ?", (station,)).fetchone())
    if is_old(record["not_after"], today):
        record["not_after"] = (today + RENEWED_FOR).isoformat()
        database.update(db, "node_record", {"id": station}, {"not_after": record["not_after"]})
    return record


def _permit(record: Any, request: dict[str, Any], today: date) -> None:
    if record is None:
        raise UnknownSubject(
            f"中心没有登记站点 {request['node']}", f"the hub knows no station {request['node']}", code="enrol_unknown"
        )
    if record["revoked_at"] is not None:
        raise Refusal("本站已被中心注销，不能注册", "this station was revoked and cannot enrol", code="revoked")
    if not compare_digest(record["enrol_code_hash"] or "", hash_code(request["code"])):
        raise Refusal("注册码不对。请用最新的安装包", "the code is wrong: use the newest kit", code="enrol_code")
    if record["public_key"] is not None:
        known = tuple(bytes(record[name]) for name in ("public_key", "site_id", "epoch"))
        if known != (request["public_key"], request["site_id"], request["epoch"]):
            raise Refusal(
                "这个注册码已经在另一台电脑上用过。请向县中心要新的安装包",
                "this code was used on another machine: ask the county hub for a new kit", code="enrol_used",
            )  # fmt: skip
    elif today > _last_day(request["code"]):
        raise Refusal(
            "注册码已过期。请向县中心要新的安装包", "the code has run out: ask the county hub for a new kit",
            code="enrol_expired",
        )  # fmt: skip


def _last_day(code: str) -> date:
    found = _CODE.fullmatch(_plain(code))
    if found is None:
        return date.min
    day = found[1]
    return date(2000 + int(day[:2]), int(day[2:4]), int(day[4:]))


def _plain(code: str) -> str:
    return re.sub(r"[\s-]", "", code).upper()
