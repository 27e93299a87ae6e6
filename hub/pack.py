# SPDX-License-Identifier: Apache-2.0
"""The rules in force at the hub, and those that a case was taken under.

A case keeps the form, checks and steps of the pack it was taken under, for as long as the hub has that pack: a clerk
who took it rightly must not hear of a field that did not exist that day. Parameters are always those in force now,
read by their own dates: a value that was corrected since counts for a case of last month as well.
"""

from __future__ import annotations

from schema import packs
from schema.database import Store
from schema.errors import UnknownSubject
from schema.packs import RulePack
from schema.parameter import Parameters
from schema.rulebook import RuleBook
from schema.service import Service

# One hub per process: the pages, the intake and the settlement all ask the same book.
_books: list[tuple[Store, RuleBook]] = []


def use(store: Store) -> None:
    """From now on the rules are those of this hub's database."""
    if all(known is not store for known, _ in _books):
        _books.append((store, RuleBook(store)))


def leave(store: Store) -> None:
    """The database is closed."""
    _books[:] = [(known, book) for known, book in _books if known is not store]


def current() -> RulePack:
    """The pack in force; the program's own before the first that was published. Raises BadPack."""
    return _books[-1][1].current() if _books else packs.built_in()


def services() -> dict[str, Service]:
    """All service items by id."""
    return current().services


def parameters() -> Parameters:
    """All dated parameters."""
    return current().parameters


def pack_hash() -> str:
    """The name of the pack in force: which rules a station used when it took a case."""
    return current().hash


def knows(hash_: str) -> bool:
    """Whether the hub has the pack of that hash."""
    return _of(hash_) is not None


def service_named(service_id: str, hash_: str = "") -> Service:
    """The service item of that id, as the pack of that hash has it, else as the one in force. Raises UnknownSubject."""
    older = _of(hash_) if hash_ else None
    found = (older and older.services.get(service_id)) or services().get(service_id)
    if found is None:
        raise UnknownSubject(f"中心没有这个事项：{service_id}", f"no such service item at the hub: {service_id}")
    return found


def _of(hash_: str) -> RulePack | None:
    if _books:
        return _books[-1][1].of(hash_)
    return packs.built_in() if hash_ == packs.built_in().hash else None
