# SPDX-License-Identifier: Apache-2.0
"""Station: the stage of a session that greets, and leads back what cannot go on as it is (`sync.station.rebase`).

Nothing here needs a person unless the hub says so: a machine that must wait asks again with the next session.
"""

from __future__ import annotations

from typing import Any

from schema import crsqlite, ids
from schema.errors import RefusedByPeer
from sync.hub.grant import GRANT
from sync.station import outbox, rebase
from sync.station.conversation import Conversation
from sync.station.hello import known_fits
from sync.station.rebase import Pending
from sync.station.report import Answered
from sync.wire import certificate as certificates
from sync.wire import codec, signed

ATTEMPTS = 4
"""A new certificate, then a new life, then the welcome; more than that goes in circles."""


class RebaseStage:
    """Greets the hub as whoever this database is allowed to be."""

    def __init__(self, talk: Conversation) -> None:
        self._talk = talk

    def hello(self) -> dict[str, Any]:
        """The welcome, after whatever had to be mended before it. Raises what a person must decide, or the line."""
        why = ""
        for attempts_left in reversed(range(ATTEMPTS)):
            try:
                self._prepare(why)
                self._ask_if_wanted()
                return self._talk.hello()
            except RefusedByPeer as error:
                why = self._why(error)
                if not why or not attempts_left:
                    raise
        raise AssertionError("the last attempt returned or raised")

    def _why(self, error: RefusedByPeer) -> str:
        """What to ask the hub for after this refusal; '' when asking changes nothing."""
        with self._talk.store.read() as db:
            state = rebase.pending(db)
        if not isinstance(error, Answered):
            return rebase.REASON_OF.get(error.code, "")
        if state is not None and state.phase == rebase.ASKING:
            return ""  # this was the answer to the question itself
        return "told" if error.code == "rebase" else rebase.REASON_OF.get(error.code, "")

    def _prepare(self, why: str) -> None:
        if not why:
            return
        if why == "renew":
            with self._talk.store.read() as db:
                _, epoch = outbox.identity(db)
                site = crsqlite.site_id(db)
            self._ask(Pending(rebase.ASKING, why, epoch, site))
            return
        with self._talk.store.write() as db:
            rebase.want(db, why)

    def _ask_if_wanted(self) -> None:
        with self._talk.store.read() as db:
            state = rebase.pending(db)
        if state is not None and state.phase == rebase.ASKING:
            self._ask(state)

    def _ask(self, wanted: Pending) -> None:
        talk, nonce = self._talk, ids.new_id()
        with talk.store.read() as db:
            asked = rebase.question(db, wanted, talk.file, nonce)
        try:
            answer = talk.ask("POST", "/s1/rebase", {}, signed.seal(signed.REBASE, asked, talk.key))
        except Answered as error:
            if error.code == "header" and wanted.why != "renew":
                # A copy of this disk took the life that was chosen here, and it is over: choose another next time.
                with talk.store.write() as db:
                    rebase.forget(db)
            raise
        grant = signed.fields(signed.open_(signed.GRANT, answer, talk.hub_public), GRANT, "header")
        given = certificates.read(grant["certificate"])
        key = talk.key.public_key().public_bytes_raw()
        expected = (nonce, talk.certificate.node, key, wanted.epoch, wanted.site)
        if (grant["nonce"], given.node, given.public_key, given.epoch, given.site_id) != expected:
            raise codec.bad("header", "grant")
        _require_form(grant)
        if wanted.why == "renew":
            with talk.store.write() as db:
                rebase.note(db, grant)
        else:
            with talk.store.merging() as db:
                rebase.begin(db, wanted, grant, talk.clock)
        talk.adopt(grant["certificate"])

    def finish(self, welcome: dict[str, Any]) -> bool:
        """After a full load: write again what was kept; whether there is something to send for it."""
        with self._talk.store.read() as db:
            state = rebase.pending(db)
        if state is None or state.phase != rebase.LOADING:
            return False
        with self._talk.store.write() as db:
            return rebase.finish(db, self._talk.certificate, self._talk.key, self._talk.clock, welcome["head"])


def _require_form(grant: dict[str, Any]) -> None:
    facts_fit = all(type(f) is list and [type(x) for x in f] == [bytes, int] for f in grant["facts"])
    if not facts_fit or not known_fits(grant["known"]) or len(grant["life"]) != 16:
        raise codec.bad("header", "grant")
