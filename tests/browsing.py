# SPDX-License-Identifier: Apache-2.0
"""What every browser test needs: Chromium, the screens pages must fit, and an app behind the project's own server.

The project's server, because it ends every answer it began: werkzeug's leaves the file of a picture open when the
browser goes away in the middle, and a leak in the test's own server then looks like one of ours.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask
from playwright.sync_api import Browser, sync_playwright

from schema.web.server import Server

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-quic"]  # fmt: skip
# A camera that shows a moving picture, and nobody who must be asked for it.
FAKE_CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
SCREENS = {"office PC": (1366, 768), "125 % scaling": (1093, 640), "200 % zoom": (683, 384), "phone": (320, 640)}
BODY_MAX_BYTES = 16 << 20


@contextmanager
def chromium(*more: str) -> Iterator[Browser]:
    """A browser that asks nothing of the internet. `more`: flags beside the usual ones."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *more])
        yield started
        started.close()


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """The app on a free port of this machine; its address."""
    server = Server(app, "127.0.0.1", 0, None, body_max_bytes=BODY_MAX_BYTES)
    host, port = server.prepare()
    thread = threading.Thread(target=server.serve)
    thread.start()
    yield f"http://{host}:{port}"
    if cards := app.extensions.get("cards"):
        cards.board.close()  # or the end waits for pages that wait for a card
    server.stop()
    thread.join()
