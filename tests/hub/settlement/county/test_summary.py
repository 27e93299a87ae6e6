# SPDX-License-Identifier: Apache-2.0
"""The figures of a run agree with each other and with its control totals, whichever way they are cut."""

from __future__ import annotations

import numpy as np

from hub.settlement.county import controls, steps, summary
from hub.settlement.county.kernel import settle
from tests.hub.settlement.county.months import county, rates


def test_funds_and_townships_come_to_the_same_sums_and_those_of_the_controls() -> None:
    inputs = county(3_000)
    outcome = settle(inputs, rates())
    rng = np.random.default_rng(1)
    places = [str(code) for code in rng.choice(["330683100", "330683101", ""], 3_000)]
    made = summary.make(inputs, outcome, rates(), places)
    assert sum(fund.due_fen for fund in made.funds) == sum(place.due_fen for place in made.townships)
    assert made.income_fen == sum(place.income_fen for place in made.townships)
    assert made.paid_fen == sum(place.paid_fen for place in made.townships)
    assert sum(place.insured for place in made.townships) == len(np.unique(inputs.contributors.person))
    both = {control.name: control.left for control in controls.of_month(inputs, outcome)}
    assert made.income_fen == both["allocated"] and made.paid_fen == both["benefits_booked"]
    assert sum(fund.unpaid_fen for fund in made.funds) == both["arrears"] == made.counts["unpaid_fen"]
    assert sum(one.payments for one in made.held) == made.counts["held"]
    assert made.counts["held"] + made.counts["payees"] <= both["payees"]
    assert summary.from_json(made.to_json()) == made


def test_every_control_total_belongs_to_a_step() -> None:
    inputs = county(300)
    names = [control.name for control in controls.of_month(inputs, settle(inputs, rates()))]
    assert [name for name in names if steps.of_control(name) == ""] == []
    assert [step.number for step in steps.STEPS] == list(range(18))
