# SPDX-License-Identifier: Apache-2.0
"""A unit's roster of `ROSTER` lines, as the page takes it: uploaded, looked at line by line, taken as signed cases."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Iterable
from typing import Any, Protocol

import httpx
import openpyxl

from schema import period
from schema.clock import SystemClock

ITEM, PAPERS = "base_declaration", ["wage_sheet"]
HEADINGS = ("身份证号", "姓名", "新基数（月工资）", "从哪个月起", "申报类型")
POLL_S = 0.1
_COUNTS = re.compile(r"<b[^>]*>([0-9,]+)</b>(?:可以办|要退回改|以前办过|已办)")


class Clerk(Protocol):
    """The part of a clerk's browser that is needed here."""

    http: httpx.Client
    token: str

    def get(self, path: str, **params: str) -> httpx.Response: ...

    def post(self, path: str, data: dict[str, Any], *, part: bool = False) -> httpx.Response: ...


def sheet(lines: Iterable[tuple[str, str]]) -> bytes:
    """The .xlsx file: a new base for each (ID number, name)."""
    book = openpyxl.Workbook(write_only=True)
    table = book.create_sheet()
    table.append(HEADINGS)
    month = period.month_of(SystemClock().today())
    for n, (number, name) in enumerate(lines):
        table.append((number, name, 5000 + n % 2000, month, "工资调整"))
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def measure(clerk: Clerk, uscc: str, content: bytes) -> dict[str, Any]:
    """Seconds for looking at the lines, for taking them, and both; lines taken and bad. Raises SystemExit."""
    clerk.get("/rosters")
    began = time.perf_counter()
    form = {"csrf_token": clerk.token, "service": ITEM, "uscc": uscc, "materials": PAPERS}
    sent = clerk.http.post("/rosters", data=form, files={"file": ("bases.xlsx", content)})
    shown = _worked(clerk, sent)
    looked = time.perf_counter()
    clerk.get(shown)
    again = time.perf_counter()
    _worked(clerk, clerk.post(f"{shown}/take", {}))
    ended = time.perf_counter()
    good, bad, known, taken = (int(text.replace(",", "")) for text in _COUNTS.findall(clerk.get(shown).text))
    if good or known:
        raise SystemExit(f"of the roster {good} lines wait and {known} were known before")
    return {
        "roster_preview_s": round(looked - began, 2), "roster_take_s": round(ended - again, 2),
        "roster_5000_s": round(looked - began + ended - again, 2), "roster_taken": taken, "roster_bad": bad,
    }  # fmt: skip


def _worked(clerk: Clerk, answer: httpx.Response) -> str:
    """Where the page leads when the work in the background is over; asked for as the page itself asks."""
    if answer.status_code != 303:
        raise SystemExit(f"the roster was not begun: {answer.status_code}")
    job = answer.headers["Location"]
    while True:
        told = clerk.get(f"{job}/progress")
        if "HX-Redirect" in told.headers:
            return told.headers["HX-Redirect"]
        if told.status_code != 200 or 'role="alert"' in told.text:
            raise SystemExit(f"the roster stopped: {told.status_code}")
        time.sleep(POLL_S)
