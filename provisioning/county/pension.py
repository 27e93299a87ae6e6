# SPDX-License-Identifier: Apache-2.0
"""Resident pension accounts and benefits of the synthetic county, by the rules and parameters the real ones follow.

Months are counted as whole numbers (year * 12 + month - 1) while a life is drawn, and written as `YYYY-MM`.
Histories repeat (same first year, same grade), so each distinct one is computed once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache

from schema import period
from schema.money import half_up
from schema.parameter import Parameters
from schema.rules import pension as rules

SCHEME_FROM_YEAR = 2010  # first year of payment here under the scheme of 2009
PRICE = "resident_pension/"
# Yearly interest credited to accounts, in hundredths of a percent. Invented: the real rate is announced each year.
INTEREST_BP = 275


@dataclass(frozen=True)
class History:
    """Years paid in a row up to and including `last_year`, at the grade chosen (fen per year)."""

    first_year: int
    last_year: int
    grade_fen: int

    @property
    def paid_months(self) -> int:
        return 12 * max(0, self.last_year - self.first_year + 1)


@dataclass(frozen=True)
class Drawn:
    """What a pensioner draws each month, and what is left of the account after `months` of drawing."""

    basic_fen: int
    account_fen: int
    extra_fen: int
    balance_fen: int


class Accounts:
    """Balances and benefits as of the end of one month, as known then."""

    def __init__(self, parameters: Parameters, month: str) -> None:
        self.parameters = parameters
        self.on = period.last_day(month)
        self.now = index(month)
        self.claim_months = 12 * self._number("claim_age_years")
        self.min_age_months = 12 * self._number("enrolment_min_age_years")
        self.grades = parameters.at(f"{PRICE}grades_fen", self.on, self.on).numbers
        self.balance = cache(self._balance)
        self.drawn = cache(self._drawn)

    def _number(self, name: str) -> int:
        return self.parameters.at(PRICE + name, self.on, self.on).number

    def _balance(self, history: History) -> int:
        """Contributions and subsidies of the years paid, with interest on what stood at the year's begin; in fen."""
        balance = 0
        for year in range(history.first_year, history.last_year + 1):
            grade = self._grade_then(history.grade_fen, year)
            paid_on = date(year, 12, 31)
            subsidy = rules.resident_subsidy(grade, paid_on, paid_on, self.parameters)
            balance += half_up(balance * INTEREST_BP, 10_000) + grade + subsidy
        return balance

    def _grade_then(self, grade_fen: int, year: int) -> int:
        """The nearest grade not above the chosen one that could be chosen in that year."""
        day = date(year, 12, 31)
        offered = self.parameters.at(f"{PRICE}grades_fen", day, day).numbers
        return max((g for g in offered if g <= grade_fen), default=min(offered))

    def _drawn(self, history: History, months: int) -> Drawn:
        """Benefit of someone who claimed at claim age with this history and has drawn for `months` months."""
        opening = self.balance(history)
        age = self.claim_months // 12
        benefit = rules.resident_monthly_benefit(
            opening, age, self.on, self.on, self.parameters, paid_months=history.paid_months
        )
        left = max(0, opening - months * benefit.account_fen)
        return Drawn(benefit.basic_fen, benefit.account_fen, benefit.extra_fen, left)


def index(month: str) -> int:
    """'2026-10' as a whole number of months."""
    return int(month[:4]) * 12 + int(month[5:7]) - 1


@cache
def text(month_index: int) -> str:
    """A whole number of months as 'YYYY-MM'."""
    return f"{month_index // 12:04d}-{month_index % 12 + 1:02d}"
