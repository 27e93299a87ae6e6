# SPDX-License-Identifier: Apache-2.0
"""Effects of the items about cards, injuries and visits."""

from __future__ import annotations

from typing import Any

from schema.decided import Change, Decided, effect
from schema.ids import derived_id

APPLIED, MAKING, HANDED_OVER, ACTIVE, LOST, REPLACED = "applied", "making", "handed_over", "active", "lost", "replaced"
_NOTES = ("health", "lives_with", "carer", "carer_phone", "next_visit_on")


def card_of(d: Decided, card_no: str | None) -> dict[str, Any]:
    """The person's row of that card, made when the register has none: most cards are known from the chip alone."""
    cards = d.view.rows_of("card")
    known = next((row for row in cards if card_no and row["card_no"] == card_no), None)
    if known is None:  # one that was asked for here has no number until it is handed over
        known = next((row for row in cards if row["card_no"] is None and row["state"] in (APPLIED, MAKING)), None)
    made = {
        "id": derived_id(d.case.id, "card"), "person_id": d.person_id, "card_no": None, "state": ACTIVE,
        "since": d.today.isoformat(), "bank": None, "issued_on": None, "valid_to": None, "reason": None,
        "case_id": d.case.id,
    }  # fmt: skip
    return {**(known or made), "card_no": card_no or (known or made)["card_no"]}


def _card(d: Decided, state: str, **more: Any) -> list[Change]:
    row = card_of(d, d.value("card_no"))
    return [Change("card", row | {"state": state, "since": d.today.isoformat(), "case_id": d.case.id} | more)]


@effect("bank")
def card_applied(d: Decided) -> list[Change]:
    """A card is asked for; its number comes with the card."""
    row = card_of(d, None) | {"id": derived_id(d.case.id, "card"), "state": APPLIED, "bank": d.value("bank")}
    return [Change("card", row)]


@effect("card_no", "activate")
def card_handed_over(d: Decided) -> list[Change]:
    """The holder has the card in hand, in use at once where the holder asked for it."""
    return _card(d, ACTIVE if d.value("activate") == "yes" else HANDED_OVER, issued_on=d.today.isoformat())


@effect("card_no")
def card_activated(d: Decided) -> list[Change]:
    """The social insurance part of the card is in use. The bank part is the bank's."""
    return _card(d, ACTIVE)


@effect("card_no", "reason")
def card_lost(d: Decided) -> list[Change]:
    """The card must not be taken any more."""
    return _card(d, LOST, reason=d.value("reason"))


@effect("card_no")
def card_found(d: Decided) -> list[Change]:
    """The card reported lost is in use again."""
    return _card(d, ACTIVE, reason=None)


@effect("card_no", "bank")
def card_replaced(d: Decided) -> list[Change]:
    """The old card is out of use for good, a new one is asked for."""
    new = {
        "id": derived_id(d.case.id, "new card"), "person_id": d.person_id, "card_no": None, "state": APPLIED,
        "since": d.today.isoformat(), "bank": d.value("bank"), "issued_on": None, "valid_to": None,
        "reason": "replacement", "case_id": d.case.id,
    }  # fmt: skip
    old = _card(d, REPLACED) if d.value("card_no") else []
    return [*old, Change("card", new)]


@effect("happened_on", "place", "cause", "body_part")
def injury_recognised(d: Decided) -> list[Change]:
    """The competent body found that it was an injury at work."""
    return [Change("injury", {
        "id": derived_id(d.case.id, "injury"), "person_id": d.person_id,
        "unit_id": d.view.unit.unit_id if d.view.unit else None, "happened_on": d.value("happened_on"),
        "place": d.value("place"), "cause": d.value("cause"), "body_part": d.value("body_part"),
        "noticed_on": d.today.isoformat(), "finding": "recognised", "found_on": d.today.isoformat(), "grade": None,
        "graded_on": None, "case_id": d.case.id,
    })]  # fmt: skip


@effect("done_on", "way", "found")
def visit_made(d: Decided) -> list[Change]:
    """A visit and how the person was found."""
    return [Change("visit", {
        "id": derived_id(d.case.id, "visit"), "person_id": d.person_id, "visited_on": d.value("done_on"),
        "way": d.value("way"), "found": d.value("found"), "note": d.value("note"), "station": d.case.station,
        "case_id": d.case.id,
    })]  # fmt: skip


@effect("needs", "next_visit_on")
def visit_needs(d: Decided) -> list[Change]:
    """What was seen at the visit: how the person lives, what help is wanted, when to come again."""
    cells = {name: d.value(name) or None for name in _NOTES if name in d.case.values}
    return [Change("visit_note", {"id": d.person_id, "visit_needs": d.value("needs") or None, **cells})]
