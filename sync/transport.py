# SPDX-License-Identifier: Apache-2.0
"""How a session speaks to the hub: one request, one answer. In one process for tests and tools, or over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Request:
    """`path` without query; header names in lower case."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Response:
    """Header names in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class Handler(Protocol):
    """What answers requests: `server.SyncServer`."""

    def handle(self, request: Request) -> Response:
        """The answer; never raises."""
        ...


class Transport(Protocol):
    """What carries requests."""

    def request(
        self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> Response:
        """The answer. Raises Unreachable when there is none."""
        ...


class InProcess:
    """Straight into a handler of the same process."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler

    def request(
        self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> Response:
        lower = {name.lower(): value for name, value in headers.items()}
        return self._handler.handle(Request(method, path, query, lower, body))
