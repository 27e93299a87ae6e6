# SPDX-License-Identifier: Apache-2.0
"""The WSGI side: what a web server hands over becomes a request, and nothing larger than a frame is read."""

from __future__ import annotations

import io
from typing import Any

import pytest

from sync import frame, wsgi
from sync.transport import Request, Response


class Handler:
    """Remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Request] = []

    def handle(self, request: Request) -> Response:
        self.asked.append(request)
        return Response(423, {"content-type": "application/json"}, b"{}")


def call(handler: Handler, **environ: Any) -> tuple[str, dict[str, str], bytes]:
    answered: list[Any] = []
    base = {
        "REQUEST_METHOD": "PUT",
        "PATH_INFO": "/s1/x",
        "QUERY_STRING": "chan=ref&after=0",
        "wsgi.input": io.BytesIO(b"abc"),
    }
    body = b"".join(
        wsgi.application(handler)(base | environ, lambda status, headers: answered.extend((status, headers)))
    )
    return answered[0], dict(answered[1]), body


def test_request_and_answer_pass_through() -> None:
    handler = Handler()

    status, headers, body = call(handler, CONTENT_LENGTH="3", HTTP_AUTHORIZATION="Bearer x")

    assert handler.asked == [
        Request("PUT", "/s1/x", {"chan": "ref", "after": "0"}, {"authorization": "Bearer x"}, b"abc")
    ]
    assert (status, body) == ("423 Locked", b"{}")
    assert headers == {"content-type": "application/json", "content-length": "2"}


def test_a_missing_length_is_an_empty_body() -> None:
    handler = Handler()

    call(handler)

    assert handler.asked[0].body == b""


@pytest.mark.parametrize("length", [str(frame.MAX_FRAME + 1), "-1", "ten", "1e9"])
def test_a_body_past_the_limit_or_of_no_length_is_not_read(length: str) -> None:
    handler, source = Handler(), io.BytesIO(b"abc")

    status, _, _ = call(handler, CONTENT_LENGTH=length, **{"wsgi.input": source})

    assert status.startswith("413") and handler.asked == [] and source.tell() == 0


def test_a_query_of_many_fields_is_refused() -> None:
    handler = Handler()

    status, _, _ = call(handler, QUERY_STRING="&".join(f"a{n}=1" for n in range(50)))

    assert status.startswith("400") and handler.asked == []
