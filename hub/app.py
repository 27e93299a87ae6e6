# SPDX-License-Identifier: Apache-2.0
"""The hub's web app: the frame, the pages, the stations' API, in one process."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Flask, url_for
from werkzeug.routing import BaseConverter, ValidationError

from hub import confidential, pack, pages, signing, stations, sync_api
from hub.context import EXTENSION, Hub, current
from hub.officers import HubOfficers
from hub.pages import check, registry
from hub.sections import sections
from schema import ids, keys, period
from schema.clock import parse_stamp
from schema.web import formats
from schema.web.auth import has_role, init_auth, officer_or_none
from schema.web.frame import init_app, lang, t

STATUS = "home.status"


class HexId(BaseConverter):
    """A 16-byte id in an address: 32 hex digits; anything else is no such page."""

    def to_python(self, value: str) -> bytes:
        """The id. Raises ValidationError."""
        try:
            return ids.from_text(value)
        except ValueError as error:
            raise ValidationError from error

    def to_url(self, value: bytes) -> str:
        """The id as hex."""
        return ids.to_text(bytes(value))


def create_app(hub: Hub, *, cost: keys.Cost = keys.STANDARD) -> Flask:
    """The app over an opened hub. `cost`: what unlocking a password takes (tests lower it)."""
    app = Flask(__name__)
    app.config["SECRET_KEY"] = hub.secrets.web_secret
    app.url_map.converters["id"] = HexId
    app.extensions[EXTENSION] = hub
    init_app(app, place="hub", texts=pages.TEXTS, clock=hub.clock)
    init_auth(app, HubOfficers(hub.store), hub.clock, public=(check.PUBLIC,), passive=(STATUS,),
              machine=(sync_api.api,), cost=cost)  # fmt: skip
    sync_api.init_api(app, hub)
    for module in pages.PAGES:
        app.register_blueprint(module.page)
    app.before_request(signing.sign_what_is_due)
    app.before_request(confidential.guard)
    app.context_processor(_page_variables)
    app.jinja_env.globals.update(
        service_short=_service_short,
        days_left=lambda today, due_on: period.working_days_left(today, date.fromisoformat(due_on)),
        announced=lambda due_on: period.is_announced(date.fromisoformat(due_on)),
        ago=lambda at: formats.duration(hub.clock.now() - parse_stamp(at), lang()),
        has_text=lambda key: key in app.extensions["web"].texts.keys(),  # noqa: SIM118  (a catalogue, not a dict)
        undo_s=hub.config.undo_s,
    )
    return app


def _service_short(service_id: str) -> dict[str, str]:
    """The short name of an item; its id when the hub has the item no more."""
    item = pack.services().get(service_id)
    return item.short if item else {"zh": service_id, "en": service_id}


def _fleet() -> stations.Summary:
    """What the bar says before its first poll: a bar that fills a moment later makes the page jump."""
    hub = current()
    with hub.store.read() as db:
        return stations.summary(db, hub.clock.now())


def _page_variables() -> dict[str, Any]:
    config = current().config
    name = config.name if lang() == "zh" else config.name_en or config.name
    about: dict[str, Any] = {"brand_title": name, "brand_place": t("hub.place")}
    if officer_or_none() is None:
        return about
    return about | {
        "sections": sections(pages.SECTIONS),
        "search_url": url_for("registry.search_hits") if has_role(*registry.READERS) else None,
        "status_url": url_for(STATUS),
        "fleet": _fleet(),
    }
