# SPDX-License-Identifier: Apache-2.0
"""What one session came to, and the hub's refusals as they reach a station."""

from __future__ import annotations

import json
from dataclasses import dataclass

from schema.errors import RefusedByPeer
from sync.transport import Response
from sync.words import words


@dataclass(frozen=True)
class Report:
    """What one session did. `equal`: True proven, False digests differ, None not compared."""

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
        self.content = content
        after = response.headers.get("retry-after", "")
        self.retry_after_s = int(after) if after.isdigit() else None
