# SPDX-License-Identifier: Apache-2.0
"""What must hold of every page a person meets: nothing refused, nothing cut off, nothing a reader would trip over.

Complaints are collected, so that one run tells all of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from io import BytesIO

from PIL import Image
from playwright.sync_api import Locator, Page, ViewportSize

from tests.sources import ROOT

PICTURES = ROOT / "docs" / "screens"
AXE = ROOT / "tests" / "vendor" / "axe.min.js"
PC: ViewportSize = {"width": 1366, "height": 768}
COLOURS = 128
LOW: ViewportSize = {"width": 1366, "height": 640}  # what is left of an office screen inside a browser's window
CLOSE: ViewportSize = {"width": 683, "height": 384}  # 200 %
# What the browser notes of answers the story asks for, and of a request that a newer one replaced.
ASKED_FOR = re.compile(r"status of (401|403|409|422)|htmx:(afterRequest|sendAbort)")

_BAR_IS_FILLED = """() => { const bar = document.querySelector("#status"); return !bar || bar.textContent.trim(); }"""
_TRIPS_READERS = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations
  .filter(v => ["serious", "critical"].includes(v.impact))
  .map(v => `${v.id}: ${v.nodes.map(n => n.html.slice(0, 160)).join(" | ")}`)"""
# A box that hides what does not fit, or that must be pushed sideways to see it.
_IS_CUT_OFF = """() => [document.documentElement, ...document.querySelectorAll("main *")]
  .filter(el => el.getClientRects().length && !el.closest(".visually-hidden") && !el.matches("input, textarea"))
  .filter(el => el.scrollWidth > el.clientWidth + 1 &&
    (el === document.documentElement || getComputedStyle(el).overflowX !== "visible"))
  .map(el => `cut off: ${el.tagName} ${el.className} ${el.textContent.trim().slice(0, 60)}`)"""
# A panel whose content runs out of it over its neighbour, and a page that goes on below the bar at its bottom.
_SPILLS = """() => [...document.querySelectorAll("main .panel:not(.search)")]
  .filter(el => getComputedStyle(el).overflowY === "visible" && el.scrollHeight > el.clientHeight + 1)
  .map(el => `spills: ${el.textContent.trim().slice(0, 60)}`)
  .concat(document.querySelector("#status") && document.documentElement.scrollHeight > innerHeight + 1
    ? [`spills: the page goes on to ${document.documentElement.scrollHeight} px`] : [])"""
_IS_TOO_WIDE = """() => { const wide = document.documentElement.clientWidth;
  return document.documentElement.scrollWidth <= wide ? [] : [...document.querySelectorAll("body *")]
    .filter(el => el.getClientRects().length && el.getBoundingClientRect().right > wide + 1)
    .slice(0, 3).map(el => `too wide: ${el.tagName} ${el.className} ${el.textContent.trim().slice(0, 60)}`); }"""
_IS_IN_SIGHT = """el => { const box = el.getBoundingClientRect(); return box.top >= 0 && box.bottom <= innerHeight; }"""


@cache
def axe() -> str:
    """The checker itself; evaluated and not loaded, since the pages' policy rightly refuses foreign scripts."""
    return AXE.read_text(encoding="utf-8")


def _keep(picture: bytes, name: str) -> None:
    """Into the documents' folder, with no more colours than an office screen has: a third of the bytes."""
    with Image.open(BytesIO(picture)) as seen:
        seen.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(PICTURES / f"{name}.png", optimize=True)


@dataclass
class Eyes:
    """Looks at pages. With `keep`, pictures for the documents are written."""

    keep: bool
    complaints: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        """Note what the browser itself complains about, from now on."""

        def said(kind: str, text: str) -> None:
            if kind in ("error", "warning") and not ASKED_FOR.search(text):
                self.complaints.append(f"{page.url}: {text}")

        page.on("console", lambda message: said(message.type, message.text))
        page.on("pageerror", lambda error: said("error", str(error)))

    def look(self, page: Page, name: str, primary: Locator | None = None, *, picture: bool = False) -> None:
        """Look at a page as it stands. `primary`: what must be in sight without scrolling on a low screen."""
        page.wait_for_function(_BAR_IS_FILLED)
        if picture and self.keep:
            _keep(page.screenshot(animations="disabled", caret="initial", full_page=True), name)
        page.evaluate(axe())
        found = [*page.evaluate(_TRIPS_READERS), *page.evaluate(_IS_CUT_OFF), *page.evaluate(_SPILLS)]
        if primary:
            page.set_viewport_size(LOW)
            found += [] if primary.evaluate(_IS_IN_SIGHT) else ["its primary action is out of sight on a low screen"]
            page.set_viewport_size(PC)
        self.complaints += [f"{name}: {one}" for one in found]

    def look_close(self, page: Page, name: str) -> None:
        """The same page at 200 %: nothing is cut off, nothing must be pushed sideways but a table in its own box."""
        page.set_viewport_size(CLOSE)
        found = page.evaluate(_IS_TOO_WIDE)
        page.set_viewport_size(PC)
        self.complaints += [f"{name} at 200 %: {one}" for one in found]
