# SPDX-License-Identifier: Apache-2.0
"""The import page: send, look, apply, download what was refused; only for its post, only one's own file."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from hub import officers
from hub.context import Hub
from hub.importing import uploads
from hub.officers import NewOfficer
from schema.errors import UnknownSubject
from schema.sheets import MIB
from tests.hub.county import ADMIN, CHEAP, PASSWORD, VILLAGE, Browser
from tests.hub.importing.conftest import HEADER, person

Browse = Callable[..., Browser]
IMPORTER, OTHER = "2007", "2008"


@pytest.fixture
def importer(hub: Hub, browse: Browse) -> Browser:
    for operator_no in (IMPORTER, OTHER):
        new = NewOfficer(operator_no, "史月琴", ("import",))
        officers.add(hub.store, new, PASSWORD, hub.clock, must_change=False, cost=CHEAP)
    return browse(hub, IMPORTER)


def register_file(*lines: dict[str, str]) -> tuple[io.BytesIO, str]:
    book = openpyxl.Workbook()
    for row in (HEADER, *([line.get(h, "") for h in HEADER] for line in lines)):
        book.active.append(list(row))
    content = io.BytesIO()
    book.save(content)
    return io.BytesIO(content.getvalue()), "名册.xlsx"


def send(browser: Browser, *lines: dict[str, str]) -> str:
    browser.get("/import")
    answer = browser.post("/import", {"file": register_file(*lines)})
    assert answer.status_code == 303, answer.text
    return answer.location


def test_a_file_is_looked_at_and_then_taken_in(hub: Hub, importer: Browser) -> None:
    at = send(importer, person(村社区编码=VILLAGE), person(serial=2, name="李四", 村社区编码="999"))
    preview = importer.get(at).text
    assert "还没有写入名册" in preview and "写入名册 1 人" in preview and "没有编码为「999」" in preview
    with hub.store.read() as db:
        assert db.execute("SELECT count(*) FROM person").fetchone()[0] == 0
    applied = importer.post(f"{at}/apply")
    assert applied.status_code == 200 and "已写入名册" in applied.text
    with hub.store.read() as db:
        assert [r[0] for r in db.execute("SELECT name FROM person")] == ["张建国"]
        run = db.execute("SELECT file_name, officer, added, refused FROM import_run").fetchone()
    assert tuple(run) == ("名册.xlsx", IMPORTER, 1, 1)
    assert "名册.xlsx" in importer.get("/import").text


def test_applying_twice_changes_nothing_more(hub: Hub, importer: Browser) -> None:
    at = send(importer, person(村社区编码=VILLAGE))
    importer.get(at)
    importer.post(f"{at}/apply")
    assert "没有要写入的" in importer.get(at).text


def test_refused_lines_are_downloaded_with_their_reasons(hub: Hub, importer: Browser, tmp_path: Path) -> None:
    at = send(importer, person(姓名="=1+1", 村社区编码="999"))
    answer = importer.client.get(f"{at}/refused.xlsx")
    book = openpyxl.load_workbook(io.BytesIO(answer.data))
    rows = list(book.active.iter_rows(values_only=True))
    assert rows[0][:4] == ("拒收原因", "行号", "身份证号", "姓名")
    assert "没有编码为「999」" in str(rows[1][0])
    assert answer.headers["Content-Disposition"].startswith("attachment")


def test_changes_show_before_and_after(hub: Hub, importer: Browser) -> None:
    at = send(importer, person(村社区编码=VILLAGE))
    importer.post(f"{at}/apply")
    preview = importer.get(send(importer, person(村社区编码=VILLAGE, 移动电话="13900001111"))).text
    assert "13857582046" in preview and "13900001111" in preview


@pytest.mark.parametrize(("content", "words"), [
    (b"", "文件是空的"), (b"\x00\x01\x02\xff", "文字编码不认识"), ("甲,乙\n1,2\n".encode(), "没有找到认识的列名"),
    (bytes.fromhex("D0CF11E0A1B11AE1") + bytes(99), "旧的 .xls"), (b"PK\x03\x04 broken", "文件已损坏"),
])  # fmt: skip
def test_a_file_that_cannot_be_read_is_told_beside_the_form(importer: Browser, content: bytes, words: str) -> None:
    importer.get("/import")
    answer = importer.post("/import", {"file": (io.BytesIO(content), "x.xlsx")})
    assert answer.status_code == 422
    assert words in answer.text


def test_no_file_at_all_is_told_too(importer: Browser) -> None:
    importer.get("/import")
    assert "请先选一个文件" in importer.post("/import", {}).text


def send_large(browser: Browser, content: bytes) -> Any:
    """As a browser sends it; the test client would leave a temporary file of its own open."""
    browser.get("/import")
    parts = [
        b'--x\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n' + browser.token.encode(),
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="x.csv"\r\n\r\n' + content,
        b"--x--\r\n",
    ]
    return browser.client.post("/import", data=b"\r\n".join(parts), content_type="multipart/form-data; boundary=x")


def test_a_file_over_the_limit_is_refused_before_it_is_read(importer: Browser) -> None:
    assert send_large(importer, bytes(22 * MIB)).status_code == 413


def test_a_file_larger_than_a_page_may_be_is_taken(importer: Browser) -> None:
    content = "身份证号,姓名\n".encode() + "330683,王\n".encode() * 1_600_000
    sent = send_large(importer, content[: 18 * MIB])
    assert sent.status_code == 303
    answer = importer.get(sent.location)
    assert answer.status_code == 422
    assert "超过 100,000 行" in answer.text


def test_only_the_import_post_gets_in(hub: Hub, importer: Browser, browse: Browse) -> None:
    at = send(importer, person(村社区编码=VILLAGE))
    for operator_no in (ADMIN, "2001"):
        browser = browse(hub, operator_no)
        assert [browser.client.get(p).status_code for p in ("/import", at, f"{at}/refused.xlsx")] == [403] * 3


def test_a_file_is_its_uploaders_alone_and_for_a_day(hub: Hub, importer: Browser, browse: Browse) -> None:
    at = send(importer, person(村社区编码=VILLAGE))
    assert browse(hub, OTHER).get(at).status_code == 404
    upload_id = bytes.fromhex(at.rsplit("/", 1)[1])
    hub.clock.advance(hours=25)  # type: ignore[attr-defined]
    with pytest.raises(UnknownSubject):
        uploads.find(hub, IMPORTER, upload_id)


def test_an_upload_does_not_lie_in_the_open(hub: Hub, importer: Browser) -> None:
    at = send(importer, person(村社区编码=VILLAGE))
    path = hub.home.path / uploads.FOLDER / at.rsplit("/", 1)[1]
    assert path.stat().st_mode & 0o077 == 0
    assert b"PK\x03\x04" not in path.read_bytes()
    assert "张建国" not in at and person()["身份证号"] not in at


def test_old_uploads_go_when_a_new_one_comes(hub: Hub) -> None:
    old = uploads.keep(hub, IMPORTER, "a.csv", b"x")
    hub.clock.at += timedelta(days=40_000)  # type: ignore[attr-defined]
    new = uploads.keep(hub, IMPORTER, "b.csv", b"y")
    assert {path.name for path in (hub.home.path / uploads.FOLDER).iterdir()} == {new.hex()}
    assert old != new


def test_the_pages_are_there_in_english(importer: Browser) -> None:
    at = send(importer, person(村社区编码=VILLAGE), person(serial=2, 姓名=""))
    importer.get("/lang/en?next=/import")
    assert "Nothing is written yet" in importer.get(at).text
    assert "Import of a register" in importer.get("/import").text
