# SPDX-License-Identifier: Apache-2.0
"""Sessions over HTTPS: the county's own TLS authority, explicit time-outs, bounded answers, no proxy, no redirect."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path

import httpx

from schema.errors import ConfigError, Unreachable
from sync.bundle import CARRIED_MAX_BYTES
from sync.transport import Response
from sync.words import words

# A frame of 256 KiB needs over two minutes at 16 kbit/s; only silence ends the wait, never slowness.
TIMEOUT = httpx.Timeout(60.0, connect=20.0)
LIMITS = httpx.Limits(max_connections=2, max_keepalive_connections=1, keepalive_expiry=60.0)


class Http:
    """A transport to `base_url`; `ca_file` names the authority whose servers are trusted, and no other."""

    def __init__(self, base_url: str, ca_file: Path | str | None, *, timeout: httpx.Timeout = TIMEOUT) -> None:
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

    def request(
        self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> Response:
        """Raises Unreachable with code unreachable, timeout or tls."""
        try:
            with self._client.stream(method, path, params=dict(query), headers=dict(headers), content=body) as answer:
                data = bytearray()
                for chunk in answer.iter_raw():
                    data += chunk
                    if len(data) > CARRIED_MAX_BYTES:
                        raise Unreachable("回答太大", "the answer is too large", code="size")
                lower = {name.lower(): value for name, value in answer.headers.items()}
                return Response(answer.status_code, lower, bytes(data))
        except httpx.TimeoutException as error:
            raise _unreachable("timeout") from error
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, OSError) as error:
            raise _unreachable("tls" if "CERTIFICATE_VERIFY_FAILED" in str(error) else "unreachable") from error

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _unreachable(code: str) -> Unreachable:
    return Unreachable(*words(code), code=code)
