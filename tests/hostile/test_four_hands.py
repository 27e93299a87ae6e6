# SPDX-License-Identifier: Apache-2.0
"""A case passes through four hands after the counter's, whatever anybody tries at the pages or in the tables."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from itertools import product

import pytest

from hub import officers, review
from hub.officers import NewOfficer
from schema import database, ids, keys
from schema.clock import FixedClock
from schema.database import IntegrityError, Store
from schema.errors import NotAllowed, Refusal
from sync.hub import publish
from tests.hostile.evil import require_words, rows
from tests.hub.county import (
    ACCEPT,
    ADMIN,
    AGREE,
    ALL_FOUR,
    CHEAP,
    CLERK,
    INSPECT,
    PASSWORD,
    Browse,
    County,
)
from tests.hub.deciding import decide, state, walk

STEPS = ("accept", "calculate", "review", "approve")
PAIRS = [(first, second) for first in STEPS for second in STEPS if STEPS.index(first) < STEPS.index(second)]


def all_rounders(county: County, numbers: tuple[str, ...]) -> None:
    for number in numbers:
        new = NewOfficer(number, f"全能{number}", STEPS)
        officers.add(county.store, new, PASSWORD, county.hub.clock, must_change=False, cost=CHEAP)


def step_row(case_id: bytes, step: str, officer: str, round_no: int = 1) -> dict[str, object]:
    at = "2026-11-23T01:00:00.000Z"
    return {"id": ids.new_id(), "case_id": case_id, "round": round_no, "step": step, "decision": "agree",
            "officer": officer, "at": at}  # fmt: skip


def test_no_order_of_fewer_than_four_hands_gets_into_the_table(county: County, claim: bytes) -> None:
    """All ways in which three officers and the clerk could do four steps: the data layer refuses each of them."""
    accepted = []
    for hands in product((CLERK, "2001", "2002", "2003"), repeat=4):
        try:
            with county.store.write() as db:
                for step, officer in zip(STEPS, hands, strict=True):
                    database.insert(db, "case_step", step_row(claim, step, officer))
                accepted.append(hands)
                raise IntegrityError("four_eyes")  # leave the table as it was
        except IntegrityError as error:
            assert "four_eyes" in str(error)
    assert accepted == []


def test_the_table_refuses_the_same_hands_in_a_later_round_and_changes_of_what_is_written(
    county: County, claim: bytes
) -> None:
    walk(county, claim, "accept")
    for sql, values in (
        ("UPDATE case_step SET officer = '2004'", ()),
        ("DELETE FROM case_step", ()),
        ("UPDATE fact SET officer = '2004'", ()),
        ("DELETE FROM fact", ()),
    ):
        with pytest.raises(IntegrityError), county.store.write() as db:
            db.execute(sql, values)
    with pytest.raises(IntegrityError, match="four_eyes"), county.store.write() as db:
        database.insert(db, "case_step", step_row(claim, "approve", ACCEPT, round_no=2))


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_at_the_pages_nobody_does_two_steps_of_one_case(
    county: County, browse: Browse, claim: bytes, first: str, second: str
) -> None:
    """One officer who holds all four posts does one step; the other steps are done by others up to the second."""
    all_rounders(county, ("2011", "2012", "2013"))
    others = iter(("2011", "2012", "2013"))
    browsers = {}
    for step in STEPS[: STEPS.index(second)]:
        number = ALL_FOUR if step == first else next(others)
        browsers[number] = browse(county.hub, number)
        assert browsers[number].post(f"/cases/{claim.hex()}/decide", AGREE).status_code == 303
    assert state(county, claim)[1] == second
    before = rows(county.store)
    answer = browsers[ALL_FOUR].post(f"/cases/{claim.hex()}/decide", AGREE)
    assert answer.status_code == 403 and "不能再" in answer.text
    require_words(answer)
    assert rows(county.store) == before


def test_three_officers_with_every_post_cannot_finish_a_case(county: County, claim: bytes) -> None:
    hands = ("2011", "2012", "2013")
    all_rounders(county, hands)
    with county.store.read() as db:
        found = db.execute("SELECT operator_no, wrapped_key FROM officer").fetchall()
    county.keys |= {row["operator_no"]: keys.unwrap(row["wrapped_key"], PASSWORD) for row in found}
    for number in hands:
        decide(county, claim, number)
    for number in hands:
        with pytest.raises(NotAllowed, match="cannot"):
            decide(county, claim, number)
    assert state(county, claim) == ("reviewed", "approve")


def test_the_clerk_who_took_the_case_does_nothing_at_the_hub_even_after_moving_there(
    county: County, claim: bytes
) -> None:
    before = rows(county.store)
    with pytest.raises(NotAllowed):
        decide(county, claim, CLERK)
    assert rows(county.store) == before
    with publish.transaction(county.store) as pub:
        pub.put("officer", {"operator_no": CLERK, "station": None, "roles": " ".join(STEPS)})
    before = rows(county.store)
    with pytest.raises(NotAllowed, match="took in"):
        decide(county, claim, CLERK)
    assert rows(county.store) == before


@pytest.mark.parametrize("number", [INSPECT, ADMIN])
@pytest.mark.parametrize("word", ["agree", "return", "reject"])
def test_supervision_and_administration_process_nothing_even_with_the_posts_written_beside(
    county: County, browse: Browse, claim: bytes, number: str, word: str
) -> None:
    with publish.transaction(county.store) as pub:
        held = county.one("SELECT roles FROM officer WHERE operator_no = ?", number)
        pub.put("officer", {"operator_no": number, "roles": f"{held} {' '.join(STEPS)} settle pay"})
    browser = browse(county.hub, number)
    before = rows(county.store)
    sent = {"decision": word, "reason": "试一试", "missing": "bank_book"}
    assert browser.post(f"/cases/{claim.hex()}/decide", sent).status_code == 403
    assert browser.post("/settlement/run", {"month": "2026-11"}).status_code == 403
    assert rows(county.store) == before


def test_a_relatives_case_is_refused_at_the_page_and_in_the_table(
    county: County, browse: Browse, claim: bytes
) -> None:
    with county.store.write() as db:
        database.insert(db, "relative", {"operator_no": ACCEPT, "person_id": county.persons["周建根"]})
    browser = browse(county.hub, ACCEPT)
    before = rows(county.store)
    assert "近亲属" in browser.post(f"/cases/{claim.hex()}/decide", AGREE).text
    with pytest.raises(IntegrityError, match="relative"), county.store.write() as db:
        database.insert(db, "case_step", step_row(claim, "accept", ACCEPT))
    assert rows(county.store) == before


def test_a_decision_on_a_case_that_moved_on_is_refused_in_words_and_writes_nothing(
    county: County, browse: Browse, claim: bytes
) -> None:
    all_rounders(county, ("2011",))
    first, second = browse(county.hub, ACCEPT), browse(county.hub, "2011")
    second.get(f"/review/{claim.hex()}")
    assert first.post(f"/cases/{claim.hex()}/decide", {"decision": "reject", "reason": "不符合"}).status_code == 303
    before = rows(county.store)
    answer = second.post(f"/cases/{claim.hex()}/decide", AGREE)
    assert answer.status_code == 409 and "没有要办的步骤" in answer.text
    assert rows(county.store) == before


def test_deciding_a_step_that_has_moved_to_another_post_is_refused(
    county: County, browse: Browse, claim: bytes
) -> None:
    """The officer saw the case before acceptance; meanwhile it was accepted and now waits for the calculation."""
    new = NewOfficer("2011", "另一受理", ("accept",))
    officers.add(county.store, new, PASSWORD, county.hub.clock, must_change=False, cost=CHEAP)
    late = browse(county.hub, "2011")
    late.get(f"/review/{claim.hex()}")
    walk(county, claim, "accept")
    before = rows(county.store)
    assert late.post(f"/cases/{claim.hex()}/decide", AGREE).status_code == 403
    assert rows(county.store) == before


_DECIDE_AND_DIE = """
import os, signal, sys
from datetime import UTC, datetime
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hub import review
from schema.clock import FixedClock
from schema.database import Store
path, key, case, officer, signing = sys.argv[1:]
store = Store(path, bytes.fromhex(key), side="hub")
clock = FixedClock(datetime(2026, 11, 23, 1, 0, tzinfo=UTC))
review.decide(store, bytes.fromhex(case), officer, Ed25519PrivateKey.from_private_bytes(bytes.fromhex(signing)),
              "agree", "", clock, undo_s=20)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_decision_is_still_pending_after_the_process_was_killed(
    county: County, claim: bytes, clock: FixedClock
) -> None:
    key = county.keys[ACCEPT]
    words = [str(county.hub.home.database), county.hub.secrets.db_key.hex(), claim.hex(), ACCEPT]
    done = subprocess.run(
        [sys.executable, "-c", _DECIDE_AND_DIE, *words, key.private_bytes_raw().hex()], check=False,
        capture_output=True, env=os.environ | {"PYTHONPATH": os.getcwd()},
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    again = Store(county.hub.home.database, county.hub.secrets.db_key, side="hub")
    with again.read() as db:
        pending = db.execute("SELECT officer, decision FROM pending_decision WHERE case_id = ?", (claim,)).fetchall()
        assert [tuple(row) for row in pending] == [(ACCEPT, "agree")]
        assert db.execute("SELECT count(*) FROM case_step WHERE step = 'accept'").fetchone()[0] == 0
    assert state(county, claim) == ("submitted", "accept")
    clock.advance(seconds=21)
    assert [s.refused for s in review.sign_pending(again, ACCEPT, key, clock)] == [None]
    again.close()
    assert state(county, claim) == ("accepted", "calculate")


def test_a_pending_decision_of_an_officer_disabled_meanwhile_is_not_signed(
    county: County, claim: bytes, clock: FixedClock
) -> None:
    decide(county, claim, ACCEPT, undo_s=20)
    officers.disable(county.store, ACCEPT, clock)
    clock.advance(seconds=21)
    made = review.sign_pending(county.store, ACCEPT, county.keys[ACCEPT], clock)
    assert [isinstance(s.refused, Refusal) for s in made] == [True]
    assert state(county, claim) == ("submitted", "accept")
