# SPDX-License-Identifier: Apache-2.0
"""What a test reads off a PDF file: its sheets, and what stands in it uncompressed."""

from __future__ import annotations

import re
import zlib

MM = 72 / 25.4


def boxes(data: bytes) -> list[tuple[int, int]]:
    """Width and height in mm of each sheet."""
    found = re.findall(rb"/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]", plain(data))
    return [(round(float(w) / MM), round(float(h) / MM)) for w, h in found]


def plain(data: bytes) -> bytes:
    """The file with its compressed object streams opened."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", data, re.S)
    return data + b"".join(_inflated(s) for s in streams)


def _inflated(stream: bytes) -> bytes:
    try:
        return zlib.decompress(stream)
    except zlib.error:
        return b""
