# SPDX-License-Identifier: Apache-2.0
"""What a person's life has been so far in the eyes of the insurances: school, work, contributions, pension.

Employee pensions themselves are paid by the province; this register knows that the relation ended and no amount.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date

from provisioning.county import dirt, numbers
from provisioning.county.draw import Choice
from provisioning.county.families import MALE, READY
from provisioning.county.pension import SCHEME_FROM_YEAR, Accounts, History, index, text
from provisioning.county.people import Person, iso
from provisioning.county.units import Employers
from schema import ids

Emit = Callable[[str, tuple[object, ...]], None]

EMPLOYEE, RESIDENT, EMPLOYEE_MEDICAL, MEDICAL = (
    "employee_pension", "resident_pension", "employee_medical", "resident_medical",
)  # fmt: skip
ACTIVE, SUSPENDED, ENDED = "active", "suspended", "ended"
EMPLOYEE_ACCOUNT_PERCENT = 8
MIDDLE_WAGE_FEN = 520_000
LEAST_WAGE_FEN = 226_000
RETIRES_AT = {"1": 60, "2": 50}
WORK_UNTIL = 59

# (name, card issuer prefix, weight). The names are kinds of bank, the prefixes belong to none of them.
BANKS = Choice.of({("农商银行", "620800"): 64, ("邮政储蓄银行", "620801"): 14, ("农业银行", "620802"): 9,
                   ("工商银行", "620803"): 6, ("建设银行", "620804"): 4, ("村镇银行", "620805"): 3})  # fmt: skip
_STUDENT = {16: 0.97, 17: 0.95, 18: 0.85, 19: 0.6, 20: 0.55, 21: 0.5, 22: 0.3, 23: 0.12}
_RESIDENT_STATE = Choice.of({ACTIVE: 70, SUSPENDED: 8, "": 22})
_GRADE_RANK = (22, 20, 24, 18, 9, 4, 3)
HARDSHIP = Choice.of(
    {"none": 930, "low_income": 30, "minimum_living": 18, "severe_disability": 20, "extreme_poverty": 2}
)


class Economy:
    """Gives persons their work, insurance relations, accounts, benefits and bank accounts."""

    def __init__(self, accounts: Accounts, employers: Employers, spoils: dirt.Dirt) -> None:
        self.accounts = accounts
        self.employers = employers
        self.dirt = spoils
        self.grades = Choice(accounts.grades, _GRADE_RANK[: len(accounts.grades)])

    def live(self, person: Person, rng: random.Random, emit: Emit) -> None:
        """Emit the rows (without `rev`) that follow from this person's life; sets `work_began`."""
        life = _Life(self, person, rng, emit)
        if life.is_resident():
            life.resident()
        elif life.works():
            life.employee()
        else:
            life.medical(MEDICAL)


class _Life:
    def __init__(self, economy: Economy, person: Person, rng: random.Random, emit: Emit) -> None:
        self.e = economy
        self.p = person
        self.rng = rng
        self.emit = emit
        born = date.fromordinal(person.birth)
        self.born = born.year * 12 + born.month - 1
        self.now = economy.accounts.now
        self.until = index(iso(person.died)) if person.died is not None else None
        self.kind = self._kind()

    def _kind(self) -> str:
        p, rng = self.p, self.rng
        if p.lot:
            return RESIDENT if p.lot == READY else ""
        if p.age < 16 or rng.random() < _STUDENT.get(p.age, 0.0):
            return ""
        if rng.random() < self._chance_of_work():
            return EMPLOYEE
        return RESIDENT

    def _chance_of_work(self) -> float:
        age, male = self.p.age, self.p.sex == MALE
        if age >= RETIRES_AT[self.p.sex]:
            return 0.34 if age < 70 else 0.26 if age < 80 else 0.15
        return (0.56 if male else 0.52) if age < 45 else (0.44 if male else 0.38)

    def is_resident(self) -> bool:
        return self.kind == RESIDENT

    def works(self) -> bool:
        return self.kind == EMPLOYEE

    # --- employees ------------------------------------------------------------------------------------------------
    def employee(self) -> None:
        """Someone who works, has worked, or has retired from work."""
        p, rng = self.p, self.rng
        begins_at = min(p.age, 17 + int(rng.triangular(0, 12, 4)))
        began = max(self.born + 12 * begins_at + rng.randrange(12), index("1986-10"))
        began = min(began, self.now)
        p.work_began = date(began // 12, began % 12 + 1, rng.randrange(1, 28)).toordinal()
        if p.died is not None and p.work_began >= p.died:
            p.work_began = None
            self.medical(MEDICAL)
            return
        retires = self.born + 12 * RETIRES_AT[p.sex]
        if retires <= self.now or self.until is not None:
            end = min(m for m in (retires, self.until, self.now) if m is not None)
            self._enrol(EMPLOYEE, ENDED, began, max(began, end))
            self.medical(EMPLOYEE_MEDICAL if self.until is None else MEDICAL)
            self._bank(0.6)
            return
        working = rng.random() < 0.93
        self._enrol(EMPLOYEE, ACTIVE if working else SUSPENDED, began, None)
        wage = self._employment(began, working)
        months = max(1, int((self.now - began) * rng.uniform(0.6, 1.0)))
        self._account(EMPLOYEE, months * (wage * EMPLOYEE_ACCOUNT_PERCENT // 100) * 2 // 3, months)
        self.medical(EMPLOYEE_MEDICAL if working else MEDICAL)
        self._bank(0.85)

    def _employment(self, began: int, working: bool) -> int:
        p, rng = self.p, self.rng
        unit = self.e.employers.hire(rng, p.village.township)
        schooling = 1.35 if (p.education or "90") <= "30" else 1.0
        raw = MIDDLE_WAGE_FEN * schooling * unit.wage_factor / 1000 * rng.lognormvariate(0, 0.34)
        wage = max(LEAST_WAGE_FEN, round(raw / 10_000) * 10_000)
        here = max(began, self.now - int(rng.expovariate(1 / 60)))
        ended = None if working else text(max(here, self.now - rng.randrange(1, 24)))
        self.emit("employment", (
            ids.owned_id("employment", p.id, text(here)), p.id, unit.id, wage, text(here), ended,
        ))  # fmt: skip
        return wage

    # --- residents ------------------------------------------------------------------------------------------------
    def resident(self) -> None:
        """Someone whom only the residents' scheme covers, or could cover."""
        self.medical(MEDICAL)
        claims_in = self.born + self.e.accounts.claim_months
        if self.p.lot == READY:
            self._ready_to_claim()
        elif claims_in <= self.now:
            self._pensioner(claims_in)
        else:
            state = _RESIDENT_STATE.draw(self.rng)
            if state:
                self._contributor(state)

    def _ready_to_claim(self) -> None:
        history = History(SCHEME_FROM_YEAR, self.now // 12 - 1, self.e.grades.draw(self.rng))
        self._enrol(RESIDENT, ACTIVE, SCHEME_FROM_YEAR * 12, None, history.grade_fen)
        self._account(RESIDENT, self.e.accounts.balance(history), history.paid_months)
        self._bank(1.0)

    def _contributor(self, state: str) -> None:
        rng, now_year = self.rng, self.now // 12
        first = max(SCHEME_FROM_YEAR, self._year_of(16 + int(rng.triangular(0, 14, 3))))
        if rng.random() < 0.35:
            first += rng.randrange(6)
        last = now_year - (0 if state == ACTIVE and rng.random() < 0.62 else 1)
        if state == SUSPENDED:
            last -= rng.randrange(1, 5)
        if first > now_year:
            return
        history = History(first, max(first - 1, last), self.e.grades.draw(rng))
        begun = max(first * 12, self.born + self.e.accounts.min_age_months)
        self._enrol(RESIDENT, state, begun, None, history.grade_fen)
        self._account(RESIDENT, self.e.accounts.balance(history), history.paid_months)
        self._bank(0.7)

    def _pensioner(self, claims_in: int) -> None:
        rng = self.rng
        first_month = max(claims_in, SCHEME_FROM_YEAR * 12)
        if self.until is not None and self.until < first_month:
            self._ready_to_claim()
            return
        # Whoever was near the age when the scheme began paid what years were left; the old pay nothing.
        history = History(SCHEME_FROM_YEAR, claims_in // 12 - 1, self.e.grades.draw(rng))
        if first_month > self.now - 7 and rng.random() < 0.25:
            self._ready_to_claim()  # has reached the age and not come to the counter yet
            return
        last = self.now if self.until is None else self.until
        drawn = self.e.accounts.drawn(history, last - first_month + 1)
        grade = history.grade_fen if history.paid_months else 0
        self._enrol(RESIDENT, ENDED, SCHEME_FROM_YEAR * 12, first_month - (history.paid_months > 0), grade)
        self._account(RESIDENT, drawn.balance_fen, history.paid_months)
        state = ACTIVE if self.until is None else ENDED
        self.emit("benefit", (
            ids.owned_id("benefit", self.p.id, RESIDENT), self.p.id, RESIDENT, state, text(first_month),
            drawn.basic_fen, drawn.account_fen, drawn.extra_fen, text(last), None,
        ))  # fmt: skip
        self._bank(0.985)

    def _year_of(self, age: int) -> int:
        return (self.born + 12 * age) // 12

    # --- rows -----------------------------------------------------------------------------------------------------
    def medical(self, insurance: str) -> None:
        """Nearly everybody has medical insurance."""
        if self.rng.random() > 0.965:
            return
        began = max(self.born, index("2004-01" if insurance == MEDICAL else "2001-01"))
        self._enrol(insurance, ACTIVE, min(began, self.now), None)

    def _enrol(self, insurance: str, state: str, began: int, ended: int | None, grade_fen: int = 0) -> None:
        if self.until is not None and state != ENDED:
            state, ended = ENDED, max(began, self.until)
        hardship = HARDSHIP.draw(self.rng) if insurance == RESIDENT else None
        self.emit("enrolment", (
            ids.owned_id("enrolment", self.p.id, insurance), self.p.id, insurance, state, text(began),
            None if ended is None else text(ended), grade_fen, hardship, None,
        ))  # fmt: skip

    def _account(self, insurance: str, balance_fen: int, paid_months: int) -> None:
        self.emit("account", (self.p.id, insurance, balance_fen, paid_months, text(self.now)))

    def _bank(self, share: float) -> None:
        p, rng = self.p, self.rng
        if rng.random() > share:
            return
        bank, issuer = BANKS.draw(rng)
        varied = not p.lot and self.e.dirt.falls("holder_variant", rng)
        holder = dirt.other_spelling(p.name, rng) if varied else p.name
        self.emit("bank_account", (p.id, bank, numbers.bank_card(rng, issuer), holder))
