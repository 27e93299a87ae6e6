# SPDX-License-Identifier: Apache-2.0
"""What a hostile hand types or sends, and how to see that it changed nothing and showed nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from schema.database import Store

MARKUP = """<script>alert(1)</script>"'><img src=x onerror=alert(1)>"""

# As bytes on the wire: some of it is no text in any encoding.
TEXTS: dict[str, bytes] = {
    "a hundred thousand bytes": "长".encode() * 34_000,
    "markup": MARKUP.encode(),
    "sql": b"'; DROP TABLE person; -- \" OR 1=1",
    "nul": "甲\x00乙".encode(),
    "lone surrogate": b"\xed\xa0\x80",
    "not utf-8": b"\xff\xfe\x80",
    "right to left": "\u202eabc\u2066\u200b".encode(),
    "newlines": b"a\r\nSet-Cookie: x=1\r\n\r\nb",
    "negative": b"-5",
    "huge number": b"9" * 400,
    "infinite": b"1e999",
    "no date": b"9999-99-99",
    "not ascii digits": "²٣１".encode(),
    "placeholders": b"{{7*7}}{0}%s%(x)s${x}",
    "no address": b"http://[",
    "an id of nobody": b"00" * 16,
}

Fields = dict[str, str | bytes | list[bytes]]


def encoded(fields: Fields) -> bytes:
    """A form's body, bytes as they are."""
    pairs = [(name, v) for name, value in fields.items() for v in (value if isinstance(value, list) else [value])]
    return "&".join(f"{quote(name)}={quote(value)}" for name, value in pairs).encode()


def post(client: FlaskClient, path: str, fields: Fields, token: str, **more: Any) -> TestResponse:
    """Send a form byte by byte, with the page's token."""
    body = encoded({"csrf_token": token} | fields)
    return client.post(path, data=body, content_type="application/x-www-form-urlencoded", **more)


def require_words(answer: TestResponse, about: object = "") -> None:
    """Whatever it answers, it is no crash, shows no inner workings, and no markup that was sent."""
    assert answer.status_code < 500, (about, answer.status_code)
    text = json.dumps(answer.get_json(), ensure_ascii=False) if answer.is_json else answer.text
    assert "Traceback" not in text and "<script>alert(1)" not in text and "onerror=alert(1)>" not in text, about
    if answer.status_code >= 400:
        assert re.search("[\u4e00-\u9fff]{4}", text), (about, answer.status_code, text[:200])


def uncovered(app: Flask, paths: Iterable[str], *but_not: str) -> set[str]:
    """Actions of the app that none of these addresses reaches: a new form must be attacked too."""
    routes = app.url_map.bind("")
    reached = {routes.match(path.partition("?")[0], method="POST")[0] for path in paths}
    actions = {rule.endpoint for rule in app.url_map.iter_rules() if "POST" in (rule.methods or ())}
    return {name for name in actions - reached if not name.startswith(but_not)}


def rows(store: Store, *but_not: str) -> dict[str, str]:
    """A digest of every table, the extension's own included: equal before and after means nothing was written."""
    out = {}
    with store.read() as db:
        named = "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'"
        for name in [row[0] for row in db.execute(named).fetchall()]:
            if name not in but_not:
                found = sorted(repr(tuple(row)) for row in db.execute(f'SELECT * FROM "{name}"'))
                out[name] = sha256("\n".join(found).encode("utf-8", "backslashreplace")).hexdigest()
    return out
