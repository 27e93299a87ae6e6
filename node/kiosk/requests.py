# SPDX-License-Identifier: Apache-2.0
"""What a person filled in at the self-service page. It is no case: an officer looks at it with the person, signs it.

Only items that need no papers are offered there. Answers are deleted here as soon as they have become a draft or were
dropped; what was done, when and by whom stays.
"""

from __future__ import annotations

import json
from typing import Any

from node import cases, forms
from node.cases import Desk, Given
from schema import checks, database, ids
from schema.clock import stamp
from schema.errors import WrongState
from schema.findings import Finding
from schema.service_parts import Service
from schema.toml_reader import Text
from schema.view import PersonView
from schema.web.door import Officer

WAITING, TAKEN, DROPPED = "waiting", "taken", "dropped"
MOST_WAITING = 5  # of one person: a screen in a public room must not fill the officers' list
TYPES = ("text", "phone", "choice", "village", "county_village", "month", "date", "name", "resident_id", "textarea")
OFFERED = ("personal_data_change", "card_replacement", "card_activation")  # the rest is urgent, or an officer's own
AT_WINDOW = ("id_card",)  # the officer asks for it when the case is made


def offered(desk: Desk, person: PersonView) -> list[Service]:
    """Items that this person can fill in alone: plain fields, no papers but the ID card, and nothing against it."""
    items = [desk.services[name] for name in OFFERED if name in desk.services]
    return [item for item in items if _is_simple(item) and _may(desk, item, person)]


def _is_simple(item: Service) -> bool:
    plain = all(field.type in TYPES for field in item.fields)
    return item.subject == "person" and not item.new_person and plain


def asks(item: Service, name: str) -> bool:
    """Whether the screen asks for that field: not for one whose answer needs a paper, nor for a reason nobody needs."""
    field = next(f for f in item.fields if f.name == name)
    return field.required or not (field.type == "textarea" or papers(item, {name: "1"}))


def _may(desk: Desk, item: Service, person: PersonView) -> bool:
    return not papers(item, forms.opening(desk, item, person)) and not forms.obstacles(desk, item, person)


def papers(item: Service, answers: dict[str, str]) -> list[Text]:
    """Papers that these answers ask for: such a change is for a window."""
    return [material.label for material in item.materials_for(answers) if material.id not in AT_WINDOW]


def keep(db: Any, desk: Desk, person_id: bytes, item: Service, answers: dict[str, str]) -> None:
    """Put it on the officers' list, in the caller's write transaction. Raises WrongState when too many wait."""
    waiting = "SELECT count(*) FROM kiosk_request WHERE person_id = ? AND state = 'waiting'"
    if db.execute(waiting, (person_id,)).fetchone()[0] >= MOST_WAITING:
        raise WrongState("您已有几件在等窗口处理，请到窗口", "several of yours wait already: please go to a window")
    kept = {"id": ids.new_id(), "person_id": person_id, "service": item.id, "state": WAITING}
    text = json.dumps(answers, ensure_ascii=False)
    database.insert(db, "kiosk_request", kept | {"answers": text, "at": stamp(desk.clock.now())})


def findings(desk: Desk, item: Service, answers: dict[str, str], person: PersonView) -> list[Finding]:
    """What is wrong with the answers, as at the counter, and which papers would be needed."""
    held = [material.id for material in item.materials]
    found = checks.examine(item, answers, held, person, desk.clock.today(), desk.parameters).findings
    wanted = papers(item, answers)
    if wanted:
        zh, en = "、".join(paper["zh"] for paper in wanted), ", ".join(paper["en"] for paper in wanted)
        text = {"zh": f"这样改要带：{zh}。请到窗口办理", "en": f"This needs papers: {en}. Please go to a window"}
        found = [*found, Finding("kiosk_paper", "block", "", **text)]
    return [one for one in found if one.severity == "block"]


def waiting(db: Any) -> list[Any]:
    """The officers' list, oldest first."""
    return list(
        db.execute(
            "SELECT r.id, r.service, r.at, r.person_id, p.name FROM kiosk_request r "
            "LEFT JOIN person p ON p.id = r.person_id WHERE r.state = 'waiting' ORDER BY r.at"
        )
    )


def count(db: Any) -> int:
    """How many wait."""
    return int(db.execute("SELECT count(*) FROM kiosk_request WHERE state = 'waiting'").fetchone()[0])


def make_draft(desk: Desk, request_id: bytes, officer: Officer) -> bytes:
    """A draft of this officer's with those answers; its case id. Raises WrongState when somebody was faster."""
    with desk.store.read() as db:
        row = db.execute("SELECT * FROM kiosk_request WHERE id = ?", (request_id,)).fetchone()
    _end(desk, request_id, TAKEN, officer)
    case_id = ids.new_id()
    item = desk.service(row["service"])
    given = cases.trim(item, json.loads(row["answers"]), [])
    cases.save(desk, case_id, item, Given(given.answers, []), officer, bytes(row["person_id"]))
    return case_id


def drop(desk: Desk, request_id: bytes, officer: Officer) -> None:
    """Take it off the list without a case. Raises WrongState when it is no longer there."""
    _end(desk, request_id, DROPPED, officer)


def _end(desk: Desk, request_id: bytes, state: str, officer: Officer) -> None:
    ended = {"state": state, "answers": "{}", "ended_at": stamp(desk.clock.now()), "operator_no": officer.operator_no}
    with desk.store.write() as db:
        if not database.update(db, "kiosk_request", {"id": request_id, "state": WAITING}, ended):
            raise WrongState("这一件已经有人处理了", "somebody has dealt with this one already")
