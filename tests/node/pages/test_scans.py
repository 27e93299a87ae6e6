# SPDX-License-Identifier: Apache-2.0
"""Pictures at the form: sent with the draft, shown small, taken out, served as nothing but pictures."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest

from schema import ids
from tests.node.conftest import ENROLMENT, Counter

JPEG = b"\xff\xd8\xff" + b"a page" * 50
ITEM = {"service": "resident_pension_enrolment"}


@pytest.fixture
def case_id() -> str:
    return ids.to_text(ids.new_id())


def send(counter: Counter, case_id: str, data: bytes = JPEG, paper: str = "id_card", **more: Any) -> Any:
    form = ITEM | ENROLMENT | {"file": (BytesIO(data), "../../etc/passwd.jpg")}
    path = f"/drafts/{case_id}/scans/{paper}"
    return counter.post(path, form, content_type="multipart/form-data", headers={"HX-Request": "true"}, **more)


def test_a_picture_is_kept_with_the_draft_and_shown_small(counter: Counter, case_id: str) -> None:
    counter.get("/items/resident_pension_enrolment?new=1")
    answer = send(counter, case_id)
    assert answer.status_code == 200 and f"/cases/{case_id}/scans/" in answer.text and "等待发送" in answer.text
    page = counter.get(f"/drafts/{case_id}").text
    assert f"/cases/{case_id}/scans/" in page and "陈桂英" in page


def test_a_picture_is_served_as_what_it_is_and_nothing_else(counter: Counter, case_id: str) -> None:
    counter.get("/items/resident_pension_enrolment?new=1")
    url = send(counter, case_id).text.split('<a href="')[1].split('"')[0]
    answer, headers = (shown := counter.client.get(url)).data, shown.headers
    assert answer == JPEG and headers["Content-Type"] == "image/jpeg"
    assert headers["X-Content-Type-Options"] == "nosniff" and "sandbox" in headers["Content-Security-Policy"]
    assert counter.get(url[:-2] + "00").status_code == counter.get(f"/cases/{case_id}/scans/zz").status_code == 404


def test_what_is_no_picture_is_refused_beside_the_paper(counter: Counter, case_id: str) -> None:
    counter.get("/items/resident_pension_enrolment?new=1")
    answer = send(counter, case_id, b"<svg onload=alert(1)>")
    assert answer.status_code == 200 and 'role="alert"' in answer.text and "<svg onload" not in answer.text
    assert send(counter, case_id, paper="no_such_paper").status_code == 404


def test_a_picture_is_taken_out_again_and_by_nobody_else(counter: Counter, colleague: Counter, case_id: str) -> None:
    counter.get("/items/resident_pension_enrolment?new=1")
    url = send(counter, case_id).text.split('<a href="')[1].split('"')[0]
    remove = f"/drafts/{case_id}/scans/id_card/{url.rsplit('/', 1)[1]}/remove"
    assert colleague.post(remove, headers={"HX-Request": "true"}).status_code == 403
    assert counter.post(remove, headers={"HX-Request": "true"}).status_code == 200
    assert counter.get(url).status_code == 404
