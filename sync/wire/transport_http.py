# SPDX-License-Identifier: Apache-2.0
"""Sessions over HTTPS: the county's own TLS authority, explicit time-outs, bounded answers, no proxy, no redirect."""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping
from pathlib import Path

import httpx

from schema.errors import ConfigError, Unreachable
from sync.courier.bundle import CARRIED_MAX_BYTES
from sync.station import pace
from sync.wire.transport import Broken, Response
from sync.wire.words import words

# Only silence ends the wait, never slowness; how much silence is too much is told with `allow` before each request.
CONNECT_S = 30.0
TIMEOUT = httpx.Timeout(pace.SILENCE_S, connect=CONNECT_S)
# An answer that drips on and on is given up all the same: a session must end one day.
LONGEST_S = 3600.0
LIMITS = httpx.Limits(max_connections=2, max_keepalive_connections=1, keepalive_expiry=60.0)


class Http:
    """A transport to `base_url`; `ca_file` names the authority whose servers are trusted, and no other."""

    def __init__(
        self, base_url: str, ca_file: Path | str | None, *, timeout: httpx.Timeout = TIMEOUT, speed: float = 1.0
    ) -> None:
        """`speed`: how many times faster than real the line runs (a model of a slow one); all waits are divided by it.

        Raises ConfigError.
        """
        self.speed = speed
        verify: ssl.SSLContext | bool = True
        if ca_file is not None:
            try:
                verify = ssl.create_default_context(cafile=str(ca_file))
            except (OSError, ssl.SSLError) as error:
                raise ConfigError(f"读不了 {ca_file}：{error}", f"cannot read {ca_file}: {error}") from error
        self._client = httpx.Client(
            base_url=base_url, verify=verify, timeout=timeout, limits=LIMITS, trust_env=False, follow_redirects=False,
            headers={"accept-encoding": "identity", "user-agent": "township-node"},
        )  # fmt: skip

    def allow(self, silence_s: float) -> None:
        """How long the hub may be silent in the requests that follow, in seconds of the line."""
        self._client.timeout = httpx.Timeout(silence_s / self.speed, connect=CONNECT_S / self.speed)

    def request(
        self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> Response:
        """Raises Unreachable with code unreachable, tls or size, Broken with code unreachable or timeout."""
        data = bytearray()
        until = time.monotonic() + LONGEST_S / self.speed
        try:
            with self._client.stream(method, path, params=dict(query), headers=dict(headers), content=body) as answer:
                for chunk in answer.iter_raw():
                    data += chunk
                    if len(data) > CARRIED_MAX_BYTES:
                        raise Unreachable("回答太大", "the answer is too large", code="size")
                    if time.monotonic() > until:
                        raise _broken("timeout", len(data))
                lower = {name.lower(): value for name, value in answer.headers.items()}
                return Response(answer.status_code, lower, bytes(data))
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.InvalidURL) as error:
            raise _unreachable("tls" if "CERTIFICATE_VERIFY_FAILED" in str(error) else "unreachable") from error
        except httpx.TimeoutException as error:
            raise _broken("timeout", len(data)) from error
        except (httpx.HTTPError, ssl.SSLError, OSError) as error:
            raise _broken("unreachable", len(data)) from error

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _broken(code: str, received: int) -> Broken:
    error = Broken(*words(code), code=code)
    error.received = received
    return error


def _unreachable(code: str) -> Unreachable:
    return Unreachable(*words(code), code=code)
