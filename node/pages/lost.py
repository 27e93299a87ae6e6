# SPDX-License-Identifier: Apache-2.0
"""修改未被采用: edits of this station that did not stand, what stands instead, and the way to set it right."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, redirect, render_template, url_for
from werkzeug.wrappers import Response

from node import conflicts, lost, status
from node.pages import common
from node.pages.persons import EDITED
from node.station import current
from schema.web.auth import current_officer
from schema.web.frame import lang
from sync.wire.words import words

page = Blueprint("lost", __name__, url_prefix="/lost")


@page.get("")
def index() -> str:
    """What nobody has looked at first."""
    station = current()
    own = station.config.id
    with station.store.read() as db:
        return render_template(
            "lost/index.html",
            lost=lost.listing(db, own),
            waiting=lost.count(db, own),
            stood=[row for row in conflicts.listing(db) if row["lost_by"] != own],
            own=own,
            editable=EDITED,
            as_of=status.as_of(db),
            names=common.officer_names(db),
            words=_words,
        )


@page.post("/<id:lost_id>/seen")
def seen(lost_id: bytes) -> Response:
    """Somebody has looked."""
    station = current()
    with station.store.write() as db:
        if not lost.seen(db, station.config.id, lost_id, current_officer().operator_no, station.clock):
            abort(404)
    return redirect(url_for(".index"), 303)


def _words(code: str) -> Any:
    """What a code of the hub's receipt means, in the reader's language."""
    zh, en = words(code)
    return zh if lang() == "zh" else en
