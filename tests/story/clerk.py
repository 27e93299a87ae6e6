# SPDX-License-Identifier: Apache-2.0
"""What a clerk does at the counter, through the station's own pages."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.story.visitor import Page, Visitor


@dataclass(frozen=True)
class Taken:
    """A case as the slip shows it."""

    case_id: bytes
    receipt_no: str


class Clerk:
    """One clerk logged in at one station."""

    def __init__(self, station: str, url: str, number: str, password: str) -> None:
        self.station = station
        self.number = number
        self.visitor = Visitor(url)
        self.visitor.log_in(number, password)

    def find(self, typed: str) -> list[str]:
        """Addresses of what the search box offers for these keystrokes."""
        home = self.visitor.get("/")
        return [href for href in self.visitor.send(home, "/search", {"q": typed}).links if "/persons/" in href]

    def open_item(self, service: str, person_id: bytes | None) -> Page:
        """The form of an item for a person of the register, or for somebody new."""
        who = f"?person={person_id.hex()}" if person_id else "?new=1"
        return self.visitor.get(f"/items/{service}{who}")

    def submit(self, form: Page, answers: dict[str, str], materials: list[str]) -> Page:
        """Fill the form and submit it; the page that comes back is the slip, or the form with its findings."""
        action = f"/drafts/{draft_of(form)}"
        filled: dict[str, str | list[str]] = {**answers, "materials": materials}
        return self.visitor.send(form, action, filled, press="do=submit")

    def take(self, service: str, person_id: bytes | None, answers: dict[str, str], materials: list[str]) -> Taken:
        """Take a case from the empty form to the slip. Raises with what the form found when it is not accepted."""
        slip = self.submit(self.open_item(service, person_id), answers, materials)
        return taken(slip)

    def correct(self, case_id: bytes, answers: dict[str, str], materials: list[str]) -> Taken:
        """Open a returned case, correct it and submit it again."""
        slip = self.submit(self.visitor.get(f"/drafts/{case_id.hex()}"), answers, materials)
        return taken(slip)

    def change_contact(self, person_id: bytes, **cells: str) -> None:
        """Change phone or address on the person's page."""
        page = self.visitor.get(f"/persons/{person_id.hex()}?edit=contact")
        done = self.visitor.send(page, "/contact", dict(cells))
        if done.status != 200:
            raise ValueError(f"contact not changed: {done.text[:400]}")


def draft_of(form: Page) -> str:
    """The draft that a form page fills, as it stands in addresses."""
    return next(f.action for f in form.forms if f.id == "item").rsplit("/", 1)[1]


def taken(slip: Page) -> Taken:
    """Case and receipt number of a slip page."""
    case = re.search(r"/cases/([0-9a-f]{32})/slip/", slip.url)
    number = re.search(r"\b\d{4}-\d-\d{2}-\d{6}-\d\b", slip.text)
    if slip.status != 200 or not case or not number:
        raise ValueError(f"no slip at {slip.url} ({slip.status}): {slip.text[:700]}")
    return Taken(bytes.fromhex(case[1]), number[0])
