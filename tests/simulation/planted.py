# SPDX-License-Identifier: Apache-2.0
"""Faults that this simulation must find. Each context takes one guard out of sync/ and puts it back at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from schema import crsqlite, database
from schema.crsqlite import Guards
from schema.database import Store
from sync.hub import inbox, inbox_cells
from sync.merging import merge
from sync.station import pull
from sync.wire import validator


@contextmanager
def stuck_sync_bit() -> Iterator[None]:
    """K1: merges on the connection of the pages, the bit neither cleared nor looked at. The built library clears it by
    itself, so a failed merge here leaves what the released one leaves."""

    @contextmanager
    def merging(store: Store) -> Iterator[Any]:
        db = store.connection()
        db.execute("BEGIN IMMEDIATE")
        try:
            yield db
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            db.execute("SELECT crsql_internal_sync_bit(1)").fetchone()
            raise

    with ExitStack() as guards:
        guards.enter_context(patch.object(Store, "merging", merging))
        guards.enter_context(patch.object(Guards, "clear_sync_bit", False))
        guards.enter_context(patch.object(Guards, "assert_sync_bit", False))
        yield


def cursor_from_the_extension() -> AbstractContextManager[Any]:
    """K2: what a frame, a mark or the feed stands at is the extension's own counter, which a no-op leaves too high."""
    return patch.object(
        crsqlite, "max_version", lambda db, tables: db.execute("SELECT crsql_db_version()").fetchone()[0]
    )


@contextmanager
def cursor_before_the_data() -> Iterator[None]:
    """The pull cursor moves in a transaction of its own, before that of the page."""
    apply, cursor = pull.apply, pull.cursor

    def early(store: Store, opened: Any, *more: Any) -> int:
        header = opened.header
        with store.write() as db:
            pull.move_cursor(db, header.slice, header.chan, header.upto)
        asked: list[Any] = []

        def first_then_real(*place: Any) -> int:
            """The page's own check must find its beginning, or the page would not be applied at all."""
            asked.append(place)
            return cursor(*place) if len(asked) > 1 else header.first

        with patch.object(pull, "cursor", first_then_real):
            return apply(store, opened, *more)

    with patch.object(pull, "apply", early):
        yield


def no_ledger() -> AbstractContextManager[Any]:
    """A frame whose reply was lost is not recognised when it comes again."""
    return patch.object(inbox, "_ledger_entry", lambda *address: None)


def no_rule_h() -> AbstractContextManager[Any]:
    """The hub does not look for edits made without knowing of each other."""
    return patch.object(merge, "find_clashes", lambda *row: [])


def no_rule_n() -> AbstractContextManager[Any]:
    """The station does not look whether a pulled cell meets an edit that is in no frame."""
    return patch.object(pull, "_unframed", lambda *cells: [])


def no_frame_for_a_winner() -> AbstractContextManager[Any]:
    """An edit that beats an unseen value is not framed before the mark moves."""
    keep = pull._keep_loser
    return patch.object(pull, "_keep_loser", lambda *edit: keep(*edit) or True)


def no_memory_of_the_first_page() -> AbstractContextManager[Any]:
    """In the middle of a fetch of several pages the cursor passes for what the station has."""
    return patch.object(pull, "complete", lambda db, slice_: pull.cursor(db, slice_, "reg"))


def no_finalize() -> AbstractContextManager[Any]:
    """P19: connections are closed without the extension's own statements."""
    return patch.object(Guards, "finalize", False)


def no_marks() -> AbstractContextManager[Any]:
    """Edits do not say on which state of the hub they were made."""
    return patch.object(pull, "mark", lambda *where: None)


@contextmanager
def old_savepoint() -> Iterator[None]:
    """A full disk ends the transaction; the savepoint goes back to nothing, and that error passes for a bad row."""

    @contextmanager
    def savepoint(db: Any, name: str = "part") -> Iterator[None]:
        db.execute(f"SAVEPOINT {name}")
        try:
            yield
        except BaseException:
            db.execute(f"ROLLBACK TO {name}")
            db.execute(f"RELEASE {name}")
            raise
        db.execute(f"RELEASE {name}")

    with patch.object(database, "savepoint", savepoint):
        yield


def no_bounds() -> AbstractContextManager[Any]:
    """P4: a peer's version numbers are taken as they are."""
    return patch.multiple(validator, MAX_COL_VERSION=2**63, MAX_CAUSAL_LENGTH=2**63, MAX_VERSION_JUMP=2**63)


@contextmanager
def changeable_ids() -> Iterator[None]:
    """P6: nothing stops a program from changing a row's id."""
    opened = Store.connection

    def connection(store: Store) -> Any:
        db = opened(store)
        if not db.in_transaction:
            db.execute("DROP TRIGGER IF EXISTS contact_key_is_fixed")
        return db

    with patch.object(Store, "connection", connection):
        yield


def no_floor() -> AbstractContextManager[Any]:
    """P9: the row with the highest version leaves a station, and the number is given to the next edit there."""
    return patch.object(Guards, "floor", False)


def rows_of_strangers() -> AbstractContextManager[Any]:
    """P10: the hub takes rows of persons that are not the sender's, new ones included."""
    return patch.object(inbox_cells, "_members", lambda db, rows, wanted: dict.fromkeys((r[0].row_id for r in rows), 0))


PLANTED: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "K1": stuck_sync_bit,
    "K2": cursor_from_the_extension,
    "P4": no_bounds,
    "P6": changeable_ids,
    "P9": no_floor,
    "P10": rows_of_strangers,
    "P19": no_finalize,
    "cursor": cursor_before_the_data,
    "reply": no_ledger,
    "H": no_rule_h,
    "N": no_rule_n,
    "winner": no_frame_for_a_winner,
    "pages": no_memory_of_the_first_page,
    "mark": no_marks,
    "full": old_savepoint,
}
# Those that only an attack shows, and those that only people who move show.
ATTACKED = ("P4", "P10")
MOVED = ("P9",)
