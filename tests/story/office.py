# SPDX-License-Identifier: Apache-2.0
"""What the hub's officers do, through the hub's own pages."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from tests.story.visitor import Page, Visitor


@dataclass(frozen=True)
class Decision:
    """What an officer decides on a case."""

    word: str = "agree"
    reason: str = ""
    missing: tuple[str, ...] = ()


AGREE = Decision()


class Reviewer:
    """One officer of the hub at the review desk."""

    def __init__(self, url: str, ca_file: str, number: str, password: str) -> None:
        self.number = number
        self.visitor = Visitor(url, ca_file)
        self.visitor.log_in(number, password)

    def work_queue(self, decide: Callable[[bytes], Decision], limit: int = 500) -> dict[bytes, str]:
        """Decide the most urgent case of the own queue until the queue is empty. Returns case -> word."""
        done: dict[bytes, str] = {}
        for _ in range(limit):
            desk = self.visitor.get("/review")
            case_id = case_on(desk)
            if case_id is None:
                return done
            if case_id in done:
                raise RuntimeError(f"{self.number}: {case_id.hex()} is still in the queue: {desk.text[-600:]}")
            answer = self.decide(desk, case_id, decide(case_id))
            if answer.status != 200:
                raise RuntimeError(f"{self.number}: {case_id.hex()} not decided ({answer.status}): {answer.text[:600]}")
            done[case_id] = decide(case_id).word
        raise RuntimeError(f"{self.number}: the queue does not end")

    def decide(self, desk: Page, case_id: bytes, decision: Decision) -> Page:
        """Send the decision form of that page."""
        fill: dict[str, str | list[str]] = {}
        if decision.reason:
            fill["reason"] = decision.reason
        if decision.missing:
            fill["missing"] = list(decision.missing)
        return self.visitor.send(desk, f"/cases/{case_id.hex()}/decide", fill, press=f"decision={decision.word}")


def case_on(desk: Page) -> bytes | None:
    """The case that the desk shows with a decision form, None when there is nothing to decide."""
    for form in desk.forms:
        found = re.search(r"/cases/([0-9a-f]{32})/decide", form.action)
        if found:
            return bytes.fromhex(found[1])
    return None
