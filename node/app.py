# SPDX-License-Identifier: Apache-2.0
"""The station's web app: the frame of every page, the login over this station's officers, the pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Flask, request, url_for
from werkzeug.routing import BaseConverter, ValidationError

import node.pages.card as card_page
from node import confidential, unsent
from node.card import desk as card_desk
from node.exchange import Exchange
from node.officers import StationOfficers
from node.pages import PAGES
from node.station import EXTENSION, Station
from schema import ids, keys, packs
from schema.web.auth import current_key, init_auth, officer_or_none
from schema.web.frame import init_app, lang, t
from schema.web.keyring import KeyRing

_TEXTS = (
    "", "estimate_", "person_", "survival_", "courier_", "roster_", "card/", "kiosk/", "community/",
)  # fmt: skip
TEXTS = (packs.WORDS, *(Path(__file__).parent / f"{name}texts.toml" for name in _TEXTS))
SECTIONS = (
    ("counter", "home"), ("items", "index"), ("cases", "index"), ("survival", "index"), ("community", "jobs"),
    ("unsent", "index"), ("station", "index"),
)  # fmt: skip

PASSIVE = ("station.bar", "unsent.progress", "card.listen", "queue.panel", "rosters.progress")


class HexId(BaseConverter):
    """A 16-byte id in an address: 32 hex digits, anything else is no such page."""

    def to_python(self, value: str) -> bytes:
        try:
            return ids.from_text(value)
        except ValueError as error:
            raise ValidationError from error

    def to_url(self, value: bytes) -> str:
        return ids.to_text(bytes(value))


def create_app(
    station: Station,
    exchange: Exchange | None = None,
    *,
    ring: KeyRing | None = None,
    cost: keys.Cost = keys.STANDARD,
) -> Flask:
    """The app over an opened station. `exchange`: the one the process's tasks use too, so that pages see it run."""
    app = Flask(__name__, static_folder=None)
    app.config["SECRET_KEY"] = station.secrets.web_secret
    app.url_map.converters["id"] = HexId
    app.extensions[EXTENSION] = station
    app.extensions["exchange"] = exchange or Exchange(station)
    app.extensions[card_desk.EXTENSION] = card_desk.Cards(station)
    init_app(app, place="station", texts=TEXTS, clock=station.clock, words=lambda: station.rules.current().words)
    officers = StationOfficers(station.store, station.config.id, station.clock, current_key)
    init_auth(app, officers, station.clock, passive=PASSIVE, ring=ring, cost=cost)
    app.before_request(confidential.guard)
    for page in PAGES:
        app.register_blueprint(page)
    app.context_processor(lambda: _about(station))
    return app


def _about(station: Station) -> dict[str, Any]:
    """What the frame shows on every page: where am I, what is there, how many wait to be sent."""
    config = station.config
    name = config.name if lang() == "zh" else config.name_en or config.name
    about: dict[str, Any] = {
        "brand_title": t("brand.title"),
        "brand_place": t("brand.place", name=name, station=config.id),
    }
    if officer_or_none() is None:
        return about
    with station.store.read() as db:
        waiting = unsent.count(db)
    about["sections"] = [
        {
            "url": url_for(f"{name}.{view}"),
            "label": t(f"section.{name}"),
            "count": waiting if name == "unsent" else 0,
            "current": request.blueprint == name or (request.blueprint, name) in _WITHIN,
        }
        for name, view in SECTIONS
    ]
    about["cards"] = card_page.urls()
    about["search_url"] = url_for("counter.search")
    about["status_url"] = url_for("station.bar")
    return about


_WITHIN = {
    ("slips", "cases"), ("prints", "cases"), ("persons", "counter"), ("units", "counter"), ("rosters", "items"),
    ("usb", "unsent"),
}  # fmt: skip
