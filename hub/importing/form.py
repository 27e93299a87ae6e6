# SPDX-License-Identifier: Apache-2.0
"""The form that every page with a file to preview has: large files are let in, a good one is kept, others are told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from flask import request

from hub.context import current
from hub.importing import uploads
from schema.errors import Refusal
from schema.findings import Finding
from schema.sheets import MIB, WEB, check
from schema.web.auth import current_officer


def take_large_files(endpoint: str | None, values: dict[str, Any] | None) -> None:
    """A page's `url_value_preprocessor`: before the form is read; such a file is larger than other pages take."""
    request.max_content_length = WEB.bytes_max + MIB


def kept(is_header: Callable[[Sequence[Any]], bool]) -> bytes:
    """Keep the file of this request for its preview; its id. Raises Refusal for none, and for one that is no sheet."""
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        raise Refusal("请先选一个文件", "Choose a file first", code="file")
    with sent.stream:
        content = sent.read()
    check(content, WEB, is_header)
    return uploads.keep(current(), current_officer().operator_no, Path(sent.filename).name, content)


def beside(refusal: Refusal) -> list[Finding]:
    """What is told beside the field."""
    return [Finding(refusal.code, "block", "file", refusal.zh, refusal.en)]
