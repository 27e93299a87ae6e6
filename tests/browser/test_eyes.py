# SPDX-License-Identifier: Apache-2.0
"""The checks of the story do see what they are there to see."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.browser.eyes import Eyes

pytestmark = pytest.mark.xdist_group("processes")
GOOD = "<html lang='zh'><title>t</title><main><h1>柜台</h1>{}</main>"


@pytest.mark.parametrize(
    ("part", "complaint"),
    [
        ("<button></button>", "button-name"),
        ("<p style='color:#aaa'>看不清</p>", "color-contrast"),
        ("<div style='width:40px;overflow:hidden;white-space:nowrap'>一行写不下的字</div>", "cut off: DIV"),
        ("<div style='width:3000px'>太宽</div>", "cut off: HTML"),
        ("<div class='panel' style='height:20px'>一行<br>二行<br>三行</div>", "spills: 一行"),
        ("<script>throw new Error('broken')</script>", "broken"),
    ],
)
def test_what_is_wrong_with_a_page_is_seen(
    sit_down: Callable[[str], Page], eyes: Eyes, part: str, complaint: str
) -> None:
    page = sit_down("about:blank")
    page.set_content(GOOD.format(part))
    eyes.look(page, "page")
    assert [complaint in one for one in eyes.complaints] == [True]


def test_a_primary_action_below_the_fold_is_seen(sit_down: Callable[[str], Page], eyes: Eyes) -> None:
    page = sit_down("about:blank")
    page.set_content(GOOD.format("<p style='height:620px'>长</p><button>提交</button>"))
    eyes.look(page, "page", page.locator("button"))
    assert eyes.complaints == ["page: its primary action is out of sight on a low screen"]


def test_a_good_page_has_nothing_to_complain_about(sit_down: Callable[[str], Page], eyes: Eyes) -> None:
    page = sit_down("about:blank")
    page.set_content(GOOD.format("<button>提交</button>"))
    eyes.look(page, "page", page.locator("button"))
    assert eyes.complaints == []
