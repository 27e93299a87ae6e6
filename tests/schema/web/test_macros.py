# SPDX-License-Identifier: Apache-2.0
"""What the macros write, read from the page they are all on."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

import pytest
from flask import Flask, render_template_string

from schema.case import STATES
from schema.findings import Finding

MACROS = '{% import "web/macros.html" as m %}'


@pytest.fixture
def show(app: Flask) -> Callable[..., str]:
    """Render a piece of template with the macros as `m`."""

    def rendered(template: str, lang: str = "zh", **values: object) -> str:
        with app.test_request_context(headers={"Cookie": f"lang={lang}"}):
            app.preprocess_request()
            return render_template_string(MACROS + template, **values)

    return rendered


def plain(html: str) -> str:
    """The text as it is copied from the page."""
    return unescape(re.sub(r"<[^>]+>", "", html)).strip()


@pytest.mark.parametrize(
    ("template", "shown"),
    [
        ("{{ m.money(123456) }}", "1,234.56"),
        ("{{ m.money(-123456) }}", "\u22121,234.56"),
        ("{{ m.gain(420) }}", "+4.20"),
        ("{{ m.money(none) }}", "--"),
        ("{{ m.idno('33068319650812001X') }}", "33068319650812001X"),
        ("{{ m.idno('330623650812001') }}", "330623650812001"),
        ("{{ m.idno_masked('33068319650812001X') }}", "330683********001X"),
        ("{{ m.phone('13857582046') }}", "138 5758 2046"),
        ("{{ m.phone_masked('13857582046') }}", "138****2046"),
        ("{{ m.name_masked('张建国') }}", "张*国"),
        ("{{ m.account('6228580399007731') }}", "7731"),
        ("{{ m.asof('2026-11-22T22:40:00.000Z') }}", "截至 06:40"),
        ("{{ m.asof('2026-11-20T22:40:00.000Z', 'hub') }}", "中心数据截至 11-21 06:40"),
        ("{{ m.legal('provisional') }}", "暂定，待中心确认"),
        ("{{ m.sent('acknowledged', '2026-11-19T00:02:00.000Z') }}", "中心已签收 11-19 08:02"),
        ("{{ m.risk('high') }}", "高风险"),
        ("{{ m.th('账户', '元', true) }}", "账户（元）"),
        ("{{ m.tag('done', '<b>') }}", "<b>"),
    ],
)
def test_each_macro_writes_its_one_form(show: Callable[..., str], template: str, shown: str) -> None:
    assert plain(show(template)) == shown


@pytest.mark.parametrize(
    ("template", "shown"),
    [("{{ m.asof('2026-11-22T22:40:00.000Z') }}", "As of 06:40"), ("{{ m.legal('final') }}", "Final"),
     ("{{ m.sent('unsent') }}", "Unsent"), ("{{ m.th('Account', 'yuan') }}", "Account (yuan)")],
)  # fmt: skip
def test_the_same_in_english(show: Callable[..., str], template: str, shown: str) -> None:
    assert plain(show(template, "en")) == shown


@pytest.mark.parametrize(
    "template",
    ["{{ m.idno('33068319650812001X') }}", "{{ m.phone('13857582046') }}", "{{ m.account('6228580399007731') }}",
     "{{ m.money(100) }}", "{{ m.gain(100) }}"],
)  # fmt: skip
def test_what_a_bystander_must_not_read_can_be_veiled(show: Callable[..., str], template: str) -> None:
    assert re.search(r'class="[^"]*\bprivate\b', show(template))


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_case_state_has_a_tag_with_its_word(show: Callable[..., str], lang: str) -> None:
    for name, words in STATES.items():
        html = show("{{ m.state(name) }}", lang, name=name)
        assert plain(html) == words[lang]
        assert re.search(r'class="tag (draft|rest|go|done|turn|stop|undo)"', html), name


def test_four_marks_say_in_words_how_many_are_done(show: Callable[..., str]) -> None:
    html = show("{{ m.steps(2) }}")
    assert html.count('class="y"') == 2 and html.count('class="x"') == 1 and html.count("<i") == 4
    assert 'aria-label="四步已完成 2 步"' in html


FINDINGS = [
    Finding("a", "block", "phone", "手机号少一位。没有手机可留空。", "One digit short. Leave empty if there is none."),
    Finding("b", "review", "month", "10 月还在缴费。中心会核对。", "Still paying. The hub will check."),
    Finding("c", "hint", "phone", "上次登记的是 138。", "Last time it was 138."),
    Finding("d", "block", "", "这个人已经在领取。", "This person already draws it."),
]


def test_the_summary_counts_links_and_opens_like_the_field(show: Callable[..., str]) -> None:
    html = show("{{ m.summary(findings) }}", findings=FINDINGS)
    assert "有 2 处要改，改完才能提交；另有 1 处请留意" in html
    assert '<a href="#l-phone">手机号少一位</a>' in html
    assert "请留意：" in html and '<a href="#l-month">10 月还在缴费</a>' in html
    assert "<li>这个人已经在领取。</li>" in html and "138" not in html
    assert 'role="alert"' in html and "autofocus" in html


@pytest.mark.parametrize(("count", "words"), [(1, "Error: 1 to fix"), (0, "")])
def test_the_title_says_that_something_is_to_be_mended(show: Callable[..., str], count: int, words: str) -> None:
    assert show("{{ m.title_prefix(findings) }}", "en", findings=FINDINGS[:count]).startswith(words)


def test_without_findings_there_is_no_summary(show: Callable[..., str]) -> None:
    assert show("{{ m.summary([]) }}{{ m.summary(findings) }}", findings=[FINDINGS[2]]) == ""


def test_notes_alone_do_not_forbid(show: Callable[..., str]) -> None:
    assert "有 1 处请留意，可以提交" in show("{{ m.summary(findings) }}", findings=[FINDINGS[1]])


def test_a_field_carries_its_label_hint_and_findings_for_screen_readers(show: Callable[..., str]) -> None:
    html = show("{{ m.field('phone', 'phone', '手机', '138', findings, '11 位', required=true) }}", findings=FINDINGS)
    assert '<label for="f-phone" id="l-phone">手机<span class="req">必填</span></label>' in html
    assert 'aria-invalid="true"' in html and 'aria-required="true"' in html
    assert 'aria-describedby="h-phone e-phone"' in html and 'id="h-phone"' in html and 'id="e-phone"' in html
    assert "手机号少一位。没有手机可留空。" in html and "上次登记的是 138。" in html and "10 月" not in html


@pytest.mark.parametrize(
    ("call", "part"),
    [
        ("'text', 'a', 'A', 'v'", 'type="text" value="v"'),
        ("'resident_id', 'a', 'A', 'v'", 'data-kind="resident_id"'),
        ("'phone', 'a', 'A'", 'type="tel"'),
        ("'date', 'a', 'A', '2026-11-03'", 'inputmode="numeric"'),
        ("'month', 'a', 'A', '2026-11'", 'data-kind="month"'),
        ("'money', 'a', 'A', '1000'", '<span class="unit">元</span>'),
        ("'bank_account', 'a', 'A'", 'data-kind="bank_account"'),
        ("'textarea', 'a', 'A', 'v'", ">v</textarea>"),
        ("'checkbox', 'a', 'A', 'on'", 'type="checkbox" value="on"'),
        ("'checkbox', 'a', 'A', 'on'", "checked"),
        ("'choice', 'a', 'A', 2, choices=[(1, 'x'), (2, 'y')]", '<option value="2" selected>y</option>'),
        ("'village', 'a', 'A', required=true", '<option value="">请选择</option>'),
        ("'choice', 'a', 'A'", '<option value="">不填</option>'),
        ("'person', 'a', 'A', '7', url='/people', shown='张建国'", 'type="hidden" name="a" value="7"'),
        ("'person', 'a', 'A', '7', url='/people', shown='张建国'", 'hx-post="/people"'),
        ("'text', 'a', 'A', '<\"'", 'value="&lt;&#34;"'),
        ("'text', 'a', 'A', readonly=true", " readonly"),
    ],
)
def test_each_kind_of_field_has_its_control(show: Callable[..., str], call: str, part: str) -> None:
    html = show("{{ m.field(" + call + ") }}")
    assert part in html and 'id="l-a"' in html


def test_a_password_is_never_sent_back(show: Callable[..., str]) -> None:
    assert "secret" not in show("{{ m.field('password', 'a', 'A', 'secret') }}")


def test_a_search_box_posts_so_that_no_number_stands_in_an_address(show: Callable[..., str]) -> None:
    for html in (show("{{ m.search_box('/find', '找人') }}"), show("{{ m.search_small('/find') }}")):
        assert 'method="post"' in html and 'hx-post="/find"' in html and "hx-get" not in html
        assert 'role="combobox"' in html and 'name="csrf_token"' in html


@pytest.mark.parametrize(
    ("page", "links"), [(1, ["/3"]), (2, ["/1", "/3"]), (3, ["/1"])],
)  # fmt: skip
def test_the_pager_leads_both_ways_and_not_beyond(show: Callable[..., str], page: int, links: list[str]) -> None:
    html = show("{{ m.pager(page, 3, '/1', '/3') }}", page=page)
    assert re.findall(r'href="([^"]+)"', html) == links and f"第 {page} 页，共 3 页" in html


def test_one_page_needs_no_pager(show: Callable[..., str]) -> None:
    assert show("{{ m.pager(1, 1, '', '') }}") == ""


def test_an_empty_list_says_what_is_empty_and_what_next(show: Callable[..., str]) -> None:
    assert (
        plain(show("{{ m.empty('没有待审的案件。截至 09:42', '合并了 58 项，可查看。') }}"))
        == "没有待审的案件。截至 09:42合并了 58 项，可查看。"
    )
