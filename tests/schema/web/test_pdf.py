# SPDX-License-Identifier: Apache-2.0
"""The PDF of a print page: Chinese glyphs, sizes, sheets; nothing fetched, one clear word when it cannot be made."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from schema.web import pdf
from tests.documents import boxes, plain

HEAD = '<html lang="zh-CN"><head><link rel="stylesheet" href="/web/static/paper.css?v=1"></head><body class="paper">'


def test_a_slip_is_one_sheet_of_a5_with_chinese_glyphs_in_it() -> None:
    data = pdf.pdf(f'{HEAD}<main><article class="sheet a5"><h1>业务受理回执</h1></article></main>')
    assert data.startswith(b"%PDF-") and boxes(data) == [(148, 210)]
    assert b"CJK" in plain(data), "the font that has the characters is embedded, not a box for each of them"


def test_a_long_table_breaks_over_sheets_of_a4_and_each_is_numbered() -> None:
    rows = "".join(f"<tr><td>2026-{n:03}</td><td>缴费</td></tr>" for n in range(90))
    data = pdf.pdf(
        f'{HEAD}<main><article class="sheet a4"><table><thead><tr><th>月份</th><th>缴费</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></article></main>"
    )
    assert boxes(data) == [(210, 297)] * len(boxes(data)) and 2 <= len(boxes(data)) <= 4


def test_a_page_that_names_a_file_of_this_machine_gets_nothing_of_it(tmp_path: Path) -> None:
    secret = tmp_path / "secret.css"
    secret.write_text("@page { size: A3 }")
    data = pdf.pdf(f'<html><head><link rel="stylesheet" href="file://{secret}"></head><body>甲</body></html>')
    assert boxes(data) == [(210, 297)]


def test_a_machine_that_cannot_make_it_says_what_to_do_and_nothing_of_the_page(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(pdf.NoPdf) as refused:
        pdf.pdf("<p>张建国</p>")
    assert "另存为 PDF" in refused.value.zh and "张建国" not in repr(refused.value.__cause__)
