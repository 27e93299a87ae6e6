# SPDX-License-Identifier: Apache-2.0
"""The self-service page as a web app of its own: nothing of the counter can be reached through it.

Another port of this machine, another cookie, another signing key, and only the routes of `node.kiosk.pages`. The
second screen's browser runs full screen on that address. It listens on this machine alone, as the counter does: what
it shows must not cross a network unencrypted.
"""

from __future__ import annotations

import hashlib
import hmac
import socket
import threading
from pathlib import Path
from typing import Any

from flask import Flask
from waitress import create_server
from werkzeug.wrappers import Response

from node.card import desk as card_desk
from node.card.desk import Cards
from node.kiosk.pages import EXTENSION, page
from node.kiosk.visit import Visits
from node.station import EXTENSION as STATION
from node.station import Station
from schema.web.frame import init_app, lang

COOKIE = "kiosk"
THREADS = 6
NEVER_KEPT = {"Cache-Control": "no-store, max-age=0", "Pragma": "no-cache", "Clear-Site-Data": '"cache"'}


def create_kiosk(station: Station, cards: Cards, texts: tuple[Path, ...]) -> Flask:
    """The app over the counter's station and card reader. `texts`: the station's catalogues."""
    app = Flask(__name__, static_folder=None, template_folder="../templates")
    app.config["SECRET_KEY"] = hmac.new(station.secrets.web_secret, b"self-service page", hashlib.sha256).digest()
    app.extensions[STATION] = station
    app.extensions[card_desk.EXTENSION] = cards
    app.extensions[EXTENSION] = Visits(station, cards.board)
    init_app(app, place="station", texts=texts, clock=station.clock, words=lambda: station.rules.current().words)
    app.config["SESSION_COOKIE_NAME"] = f"{COOKIE}_{app.config['SESSION_COOKIE_NAME'][-8:]}"
    app.config["SESSION_COOKIE_SAMESITE"] = "Strict"
    app.jinja_env.globals.update(officer=lambda: None)
    app.register_blueprint(page)
    app.context_processor(lambda: _about(station))
    app.after_request(_keep_nothing)
    return app


def _about(station: Station) -> dict[str, Any]:
    config = station.config
    name = config.name if lang() == "zh" else config.name_en or config.name
    return {"brand_title": name, "brand_place": name, "kiosk_phone": config.phone}


def _keep_nothing(answer: Response) -> Response:
    """No page of this screen is in any cache: the back button asks again, and by then nobody is there."""
    if answer.mimetype == "text/html" or answer.is_json:
        answer.headers.update(NEVER_KEPT)
    return answer


class KioskServer:
    """The app on its port, in a thread beside the counter's server."""

    def __init__(self, app: Flask, door: socket.socket) -> None:
        self._server = create_server(app, sockets=[door], threads=THREADS, ident=None)
        self._thread = threading.Thread(target=self._server.run, name="kiosk", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Stop answering."""
        self._server.close()
