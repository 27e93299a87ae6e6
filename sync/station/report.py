# SPDX-License-Identifier: Apache-2.0
"""What one session came to, and the hub's refusals as they reach a station."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from schema.errors import RefusedByPeer
from sync.wire.transport import Response
from sync.wire.words import words

LONGEST_WAIT_S = 86_400


@dataclass(frozen=True)
class Report:
    """What one session did. `equal`: True proven, False digests differ, None not compared. `parts`: pieces of frames
    that arrived. `waits`: channels left for the next hour's budget.
    """

    ok: bool = False
    error_code: str = ""
    error_zh: str = ""
    error_en: str = ""
    pushed_frames: int = 0
    pulled_frames: int = 0
    pushed_items: int = 0
    pulled_items: int = 0
    refused: int = 0
    caught_up: bool = False
    equal: bool | None = None
    bytes_out: int = 0
    bytes_in: int = 0
    seconds: float = 0.0
    retry_after_s: int | None = None
    parts: int = 0
    waits: tuple[str, ...] = ()

    @property
    def moved(self) -> bool:
        """Whether anything went through, so that trying again soon is worth it."""
        return bool(self.pushed_frames or self.pulled_frames or self.parts)


class Answered(RefusedByPeer):
    """The hub answered with an error status."""

    def __init__(self, response: Response) -> None:
        try:
            content = json.loads(response.body)
        except ValueError:
            content = {}
        content = content if type(content) is dict else {}
        code = str(content.get("code") or f"http_{response.status}")[:40]
        super().__init__(*words(code), code=code)
        self.status = response.status
        self.content, self.body = content, response.body
        self.retry_after_s = retry_after_s(response.headers)


def retry_after_s(headers: Mapping[str, str]) -> int | None:
    """Seconds of a Retry-After in either of its forms (RFC 9110, 10.2.3); None when there is none that can be read.

    A date is counted from the answer's own Date: no machine's clock need be right. Never over a day.
    """
    said = headers.get("retry-after", "").strip()
    if said.isascii() and said.isdigit():
        return min(int(said[:9]), LONGEST_WAIT_S)
    try:
        wait = parsedate_to_datetime(said) - parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, TypeError):
        return None
    return min(max(0, round(wait.total_seconds())), LONGEST_WAIT_S)
