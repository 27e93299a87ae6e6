# SPDX-License-Identifier: Apache-2.0
"""A case of any service item from the counter to its end, made out of the item's file and its case file alone."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from html import unescape
from typing import Any

from hub import cases, review
from hub.decision import AGREE
from node import case_state
from schema import case as case_states
from schema import field_types, ids
from schema.errors import Refusal
from schema.service_parts import Service
from tests.items.county import CLERK, Town, settle
from tests.schema import domain


@dataclass(frozen=True)
class Walk:
    """A case on its way."""

    town: Town
    item: Service
    data: dict[str, Any]
    case_id: bytes


def begin(town: Town, data: dict[str, Any]) -> Walk:
    """The register of the case file at hub and station, nothing taken yet."""
    item = town.station.desk.services[data["service"]]
    view = domain.view_of(data)
    settle(town.hub, view, {table: view.rows_of(table) for table in data.get("rows", {})})
    town.sync()
    return Walk(town, item, data, ids.new_id())


def walk(town: Town, data: dict[str, Any]) -> Walk:
    """From the empty form to the end: draft, slip, session, every step, effect, session, what the counter shows."""
    made = begin(town, data)
    before = _registers(made)
    take(made)
    town.sync()
    decide(made)
    town.sync()
    require_effect(made, before)
    require_end(made)
    return made


def take(made: Walk) -> None:
    """Open the form for whom it is about, keep it as a draft, submit it, read the slip in both languages."""
    clerk, item, data = made.town.clerk, made.item, made.data
    about = _about(made)
    query = "?" + "&".join(f"{k}={v}" for k, v in about.items()) if about else _newcomer(item)
    form = clerk.get(f"/items/{item.id}{query}")
    assert form.status_code == 200, form.text
    missing = [f.name for f in item.fields if f'id="f-{f.name}' not in form.text]
    assert not missing, f"the form does not show {missing}"
    sent: dict[str, Any] = _typed(item, data["answers"])
    sent |= about | {"service": item.id, "materials": data["materials"]}
    kept = clerk.post(f"/drafts/{made.case_id.hex()}", sent | {"do": "keep"})
    assert kept.status_code == 302 and state_at_station(made) == "draft"
    answer = clerk.post(f"/drafts/{made.case_id.hex()}", sent | {"do": "submit"})
    assert answer.status_code == 302, _said(answer.text)
    assert state_at_station(made) == "submitted"
    for lang in ("en", "zh"):
        clerk.get(f"/lang/{lang}")
        _require_slip(made, unescape(clerk.get(answer.headers["Location"]).text), lang)


def decide(made: Walk) -> None:
    """Every step of its mode at the hub, each by an officer of the right post whose hands are free, and no other."""
    town, steps, hands = made.town, list(made.data["expected"]["steps"]), {CLERK}
    posts = {r["operator_no"]: set(r["roles"].split()) for r in town.hub_rows("SELECT operator_no, roles FROM officer")}
    for at, step in enumerate(steps):
        assert state_at_hub(made) == (_reached(steps[:at]), step)
        needed = {case_states.STEPS[step]["role"], *(["labour"] if made.item.confidential else [])}
        wanted = {number for number, roles in posts.items() if needed <= roles} - hands
        assert {number for number in posts if _why_not(made, number) is None} == wanted, step
        officer = min(wanted, key=lambda number: (len(posts[number]), number))
        review.decide(town.hub.store, made.case_id, officer, town.keys[officer], AGREE, "材料齐全", town.clock)
        hands.add(officer)
    assert state_at_hub(made) == ("effective", None), "the last step puts it into effect"


def require_effect(made: Walk, before: dict[str, list[Any]]) -> None:
    """What the case file expects stands in the hub's register and in the station's, and was not there before."""
    expected = wanted_changes(made.data)
    assert bool(expected) == bool(made.item.effects), f"{made.item.effects}: the case file expects {expected}"
    after = _registers(made)
    for change in expected:
        table, row = change["table"], change["row"]
        for rows in (made.town.hub_rows, made.town.station_rows):
            found = [dict(r) for r in rows(f"SELECT * FROM {table}")]
            assert any(row.items() <= r.items() for r in found), f"{table} {row} is not in {found}"
        assert after[table] != before[table], f"{table} did not change"


def wanted_changes(data: dict[str, Any]) -> list[dict[str, Any]]:
    """What a case file expects of the item, and what of it only the hub writes."""
    return [*data["expected"].get("changes", []), *data["expected"].get("at_hub", [])]


def require_end(made: Walk) -> None:
    """Signed facts of every step, and the counter shows the end and no word of what is still to come."""
    kinds = [
        r["kind"] for r in made.town.hub_rows("SELECT kind FROM fact WHERE subject = ? ORDER BY rowid", made.case_id)
    ]
    assert kinds == ["case_submitted", *(FACTS[step] for step in made.data["expected"]["steps"])]
    assert state_at_station(made) == "effective"
    for lang in ("en", "zh"):
        made.town.clerk.get(f"/lang/{lang}")
        page = made.town.clerk.get(f"/cases/{made.case_id.hex()}")
        assert page.status_code == 200 and case_states.STATES["effective"][lang] in page.text
        for zh, en, _ in _shown_lines(made):
            assert {"zh": zh, "en": en}[lang] in page.text


FACTS = {
    "accept": "case_accepted", "forward": "case_forwarded", "outcome": "case_answered",
    "calculate": "case_calculated", "review": "case_reviewed", "approve": "case_approved",
}  # fmt: skip


def state_at_hub(made: Walk) -> tuple[str, str | None]:
    row = made.town.hub_rows("SELECT state, step FROM hub_case WHERE id = ?", made.case_id)[0]
    return row["state"], row["step"]


def state_at_station(made: Walk) -> str:
    with made.town.station.store.read() as db:
        return str(case_state.one(db, made.case_id)["state"])


def _reached(done: list[str]) -> str:
    return case_states.state_after(done[-1]) if done else "submitted"


def _why_not(made: Walk, operator_no: str) -> Refusal | None:
    with made.town.hub.store.read() as db:
        case = cases.load(db, made.case_id)
        return review.why_not(db, case, operator_no, made.town.clock.today())


def _about(made: Walk) -> dict[str, str]:
    view = domain.view_of(made.data)
    if made.item.subject == "person" and view.known:
        return {"person": view.person["id"].hex()}
    if made.item.subject == "unit" and view.unit and view.unit.known:
        return {"unit": view.unit.unit["id"].hex()}
    if made.item.subject == "household" and view.household:
        return {"household": view.household.household["id"].hex()}
    return {}


def _newcomer(item: Service) -> str:
    return "?new=1" if item.new_person or item.new_unit else ""


def _typed(item: Service, answers: dict[str, str]) -> dict[str, Any]:
    """As a browser sends it: several ticked boxes are several values of one name."""
    several = {f.name for f in item.fields if field_types.widget(f) == "ticks"}
    return {name: text.split() if name in several else text for name, text in answers.items()}


def _require_slip(made: Walk, page: str, lang: str) -> None:
    expected, item = made.data["expected"], made.item
    receipt = made.town.station_rows("SELECT receipt_no FROM case_file WHERE id = ?", made.case_id)[0][0]
    assert item.title[lang] in page and receipt in page
    assert f'class="legal-box {expected["legal"]}"' in page
    assert item.slip_text(expected["legal"], lang) in page
    names = [m.label[lang] for m in item.materials if m.id in made.data["materials"]]
    assert [n for n in names if n not in page] == []
    assert "{" not in re.sub(r"<(style|script).*?</\1>", "", page, flags=re.S)


def _said(page: str) -> str:
    """What a refused form says, without the markup."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())[:3000]


def _shown_lines(made: Walk) -> list[Any]:
    row = made.town.hub_rows("SELECT calculation FROM hub_case WHERE id = ?", made.case_id)[0]
    return json.loads(row["calculation"])["lines"] if row["calculation"] else []


def _registers(made: Walk) -> dict[str, list[Any]]:
    named = {c["table"] for c in wanted_changes(made.data)}
    return {t: sorted(map(repr, map(tuple, made.town.hub_rows(f"SELECT * FROM {t}")))) for t in named}
