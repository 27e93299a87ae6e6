# SPDX-License-Identifier: Apache-2.0
"""Effects of the items about cards, injuries and visits."""

from __future__ import annotations

from typing import Any

from schema.decided import Change, Decided, effect
from schema.ids import derived_id

APPLIED, MAKING, HANDED_OVER, ACTIVE, LOST, REPLACED = "applied", "making", "handed_over", "active", "lost", "replaced"
_NOTES = ("health", "lives_with", "carer", "carer_phone", "next_visit_on")


def card_of(d: Decided, card_no: str | None, *, new: bool = False) -> dict[str, Any]:
    """The person's row of that card, made when the register has none: most cards are known from the chip alone.

    Without a number: the one in use. `new`: the card just came, and one asked for here had no number before.
    """
    cards = d.view.rows_of("card")
    wanted = (ACTIVE, HANDED_OVER) if card_no is None else ()
    known = next((row for row in cards if row["state"] in wanted or (card_no and row["card_no"] == card_no)), None)
    if known is None and new:
        known = next((row for row in cards if row["card_no"] is None and row["state"] in (APPLIED, MAKING)), None)
    made = {
        "id": derived_id(d.case.id, "card"), "person_id": d.person_id, "card_no": None, "state": ACTIVE,
        "since": d.today.isoformat(), "bank": None, "issued_on": None, "valid_to": None, "reason": None,
        "case_id": d.case.id,
    }  # fmt: skip
    return {**(known or made), "card_no": card_no or (known or made)["card_no"]}


def _card(d: Decided, state: str, *, new: bool = False, **more: Any) -> list[Change]:
    row = card_of(d, d.value("card_no"), new=new)
    return [Change("card", row | {"state": state, "since": d.today.isoformat(), "case_id": d.case.id} | more)]


@effect("bank")
def card_applied(d: Decided) -> list[Change]:
    """A card is asked for; its number comes with the card."""
    return [Change("card", _asked_for(d, "card"))]


@effect("card_no", "activate")
def card_handed_over(d: Decided) -> list[Change]:
    """The holder has the card in hand, in use at once where the holder asked for it."""
    return _card(d, ACTIVE if d.value("activate") == "yes" else HANDED_OVER, new=True, issued_on=d.today.isoformat())


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
    held = d.value("card_no") or any(row["state"] in (ACTIVE, HANDED_OVER) for row in d.view.rows_of("card"))
    old = _card(d, REPLACED) if held else []
    return [*old, Change("card", _asked_for(d, "new card") | {"reason": "replacement"})]


def _asked_for(d: Decided, label: str) -> dict[str, Any]:
    return {
        "id": derived_id(d.case.id, label), "person_id": d.person_id, "card_no": None, "state": APPLIED,
        "since": d.today.isoformat(), "bank": d.value("bank"), "issued_on": None, "valid_to": None, "reason": None,
        "case_id": d.case.id,
    }  # fmt: skip


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


@effect("method", "done_on", "note")
def eligibility_seen(d: Decided) -> list[Change]:
    """Seen alive at the counter: counts from the day stated (社会保险经办条例 26)."""
    return [Change("eligibility_check", {
        "id": derived_id(d.case.id, "eligibility_check"), "person_id": d.person_id, "checked_on": d.value("done_on"),
        "method": d.value("method"), "found": 1, "note": d.value("note"), "photo": None, "station": d.case.station,
        "officer": d.case.station, "seen_at": f"{d.value('done_on')}T04:00:00.000Z", "flags": None,
    })]  # fmt: skip
