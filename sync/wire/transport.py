# SPDX-License-Identifier: Apache-2.0
"""How a session speaks to the hub: one request, one answer. In one process for tests and tools, or over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from schema.errors import Unreachable


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


@runtime_checkable
class Patient(Protocol):
    """A transport that can be told how long to wait. `speed`: how many times faster than real its line runs."""

    speed: float

    def allow(self, silence_s: float) -> None:
        """How long the other side may be silent from now on, in seconds of the line."""
        ...


class Broken(Unreachable):
    """The line broke, or stayed silent too long, in the middle of a request; `received` bytes of the answer were here.

    Unlike an Unreachable of another kind it says something about the line: there is one.
    """

    received = 0


class InProcess:
    """Straight into a handler of the same process."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler

    def request(
        self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> Response:
        lower = {name.lower(): value for name, value in headers.items()}
        return self._handler.handle(Request(method, path, query, lower, body))
