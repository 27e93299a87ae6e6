# SPDX-License-Identifier: Apache-2.0
"""A print page as a PDF file: the same HTML and the same style sheet as on the screen, no second layout.

The work is done in a process of its own that ends with it: fonts for Chinese take 250 MB while a page is laid out, and
a station has 2 GB for everything. The page comes through standard input and the file through standard output, so
nothing of a person lies on the disk. Nothing is fetched: a page that names anything but our style sheets gets nothing.

    python -m schema.web.pdf < page.html > page.pdf
"""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

from schema.errors import TownshipError

STATIC = Path(__file__).parent / "static"
SHEETS = ("tokens.css", "paper.css")
TIME_LIMIT_S = 60
_ONE_AT_A_TIME = threading.Lock()


class NoPdf(TownshipError):
    """This machine cannot make the file; the paper can be printed all the same."""

    def __init__(self) -> None:
        super().__init__(
            "这台电脑做不出 PDF（缺 Pango 或中文字体，见自检）。请直接打印，或在打印窗口选「另存为 PDF」",
            "This machine cannot make a PDF (Pango or a Chinese font is missing). Print the page, "
            "or choose “save as PDF” in the print window",
            code="no_pdf",
        )


def pdf(html: str) -> bytes:
    """The file. Raises NoPdf."""
    command = [sys.executable, "-m", "schema.web.pdf"]
    try:
        with _ONE_AT_A_TIME:
            done = subprocess.run(command, input=html.encode(), capture_output=True, timeout=TIME_LIMIT_S, check=True)
    except (OSError, subprocess.SubprocessError):
        raise NoPdf from None  # what the process said may hold a name
    return done.stdout


def render(html: str) -> bytes:
    """Lay the page out in this process. Raises OSError without Pango."""
    import weasyprint  # only here: it takes half a second and 40 MB that no other work needs
    from weasyprint.urls import URLFetcher, URLFetcherResponse

    class OurSheets(URLFetcher):  # type: ignore[misc]  # the library has no types
        """Gives the two style sheets of paper and nothing else."""

        def fetch(self, url: str, headers: object = None) -> URLFetcherResponse:
            path = STATIC / Path(urlsplit(url).path).name
            content = path.read_bytes() if path.name in SHEETS else b""
            return URLFetcherResponse(url, content, {"Content-Type": "text/css"})

    page = weasyprint.HTML(string=html, base_url="http://station.invalid/", url_fetcher=OurSheets())
    return bytes(page.write_pdf())


if __name__ == "__main__":
    sys.stdout.buffer.write(render(sys.stdin.buffer.read().decode()))
