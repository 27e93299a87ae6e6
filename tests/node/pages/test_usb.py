# SPDX-License-Identifier: Apache-2.0
"""The clerk's page about sticks, with a real hub at the other end."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from node import case_state, unsent
from node.station import Station
from schema.database import Store
from tests.node.conftest import STATION, Counter
from tests.node.test_exchange import Hub


@pytest.fixture
def hub(station: Station, make_store: Callable[..., Store], hub_key: Ed25519PrivateKey) -> Hub:
    return Hub(station, make_store("hub"), hub_key)


def written(counter: Counter) -> bytes:
    counter.get("/usb")
    answer = counter.client.post("/usb/export", data={"csrf_token": counter.token}, buffered=True)
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=0100-1-to-hub-")
    return answer.data


def sent_back(counter: Counter, *files: bytes) -> Any:
    counter.get("/usb")
    fields: dict[str, Any] = {"file": [(BytesIO(data), f"a{n}.s1b") for n, data in enumerate(files)]}
    return counter.post("/usb/import", fields, content_type="multipart/form-data")


def at_the_hub(hub: Hub, data: bytes) -> bytes:
    hub.server.courier.take(BytesIO(data))
    sink = BytesIO()
    hub.server.courier.answer(STATION, sink)
    return sink.getvalue()


def test_a_case_goes_to_the_hub_and_its_answer_comes_back(
    counter: Counter, station: Station, hub: Hub, enrol: Any
) -> None:
    done = enrol()
    assert "未上报的" in counter.get("/usb").text

    answer = sent_back(counter, at_the_hub(hub, written(counter)))

    assert answer.status_code == 200 and "回执 2 个" in answer.text
    assert "带去中心" in answer.text and "从中心带回" in answer.text
    with station.store.read() as db:
        assert unsent.count(db) == 0
        assert case_state.one(db, done.case_id)["state"] == "returned"


def test_several_files_each_have_their_word(counter: Counter, hub: Hub, enrol: Any) -> None:
    enrol()
    mine = written(counter)
    good = at_the_hub(hub, mine)

    answer = sent_back(counter, mine, good, b"shopping list", good)

    assert answer.status_code == 422
    assert "这个文件不是给这里的" in answer.text
    assert "回执 2 个" in answer.text
    assert "文件损坏" in answer.text
    assert "里面的数据本站都有了" in answer.text


def test_no_file_is_said_beside_the_form(counter: Counter) -> None:
    counter.get("/usb")
    answer = counter.post("/usb/import", {}, content_type="multipart/form-data")
    assert answer.status_code == 422 and "请先选文件" in answer.text


@pytest.mark.parametrize("path", ["/usb/export", "/usb/import"])
def test_without_the_forms_token_nothing_is_written_or_taken(counter: Counter, path: str) -> None:
    assert counter.client.post(path, data={}).status_code == 400


def test_a_file_larger_than_allowed_is_refused(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node.pages.usb.ANSWER_MAX_BYTES", 1000)
    assert sent_back(counter, bytes(5000)).status_code == 413


