# SPDX-License-Identifier: Apache-2.0
"""What the synthetic county claims to be, checked on 3,000 persons in a real database."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date
from typing import Any

import pytest
from stdnum import luhn

from provisioning.county import dirt
from provisioning.county.register import OF_EACH_LOT, Register
from schema import checks, parameter, period, resident_id, service, unit_code
from schema.clock import FixedClock
from schema.errors import ConfigError
from schema.findings import Finding
from schema.money import half_up
from schema.tables import TABLES
from schema.view import person_view

FILLED = ("division", "household", "person", "unit", "employment", "enrolment", "account", "benefit", "bank_account")


def test_there_are_exactly_as_many_persons_as_asked_for(county: Any) -> None:
    assert county.one("SELECT count(*) FROM person") == county.one("SELECT count(*) FROM contact") == 3000


@pytest.mark.parametrize("table", [*FILLED, "contact"])
def test_every_value_is_one_that_may_travel(table: str, county: Any) -> None:
    declared = TABLES[table]
    refused = [
        (column.name, value, reason)
        for row in county.rows(f"SELECT {', '.join(declared.names)} FROM {table}")
        for column, value in zip(declared.columns, row, strict=True)
        if (reason := column.accepts(value))
    ]
    assert refused == []


def test_every_id_number_holds_and_tells_sex_and_birth_date(county: Any, last_day: FixedClock) -> None:
    differing = 0
    for number, sex, birth_on in county.rows("SELECT id_number, sex, birth_on FROM person"):
        read, findings = resident_id.read(number, last_day.today())
        assert read is not None, (number, findings)
        assert read.sex == sex
        differing += read.birth_on.isoformat() != birth_on
    assert differing == county.loaded.dirt["birth_differs"] > 0


def test_numbers_are_unique_but_for_the_planted_pairs(county: Any, last_day: FixedClock) -> None:
    seen = Counter(
        resident_id.read(number, last_day.today())[0].number  # type: ignore[union-attr]
        for (number,) in county.rows("SELECT id_number FROM person")
    )
    assert sum(n - 1 for n in seen.values()) == county.loaded.dirt["same_number_pair"] > 0


def test_the_county_code_of_a_number_is_that_of_its_time(county: Any) -> None:
    codes = Counter(
        ("before" if birth < "1995" else "after", number[:6])
        for number, birth in county.rows("SELECT id_number, birth_on FROM person WHERE length(id_number) = 18")
    )
    before = {code: n for (time, code), n in codes.items() if time == "before"}
    after = {code: n for (time, code), n in codes.items() if time == "after"}
    assert before["330623"] > 0.85 * sum(before.values()) and before["332323"] > 0
    assert after["330683"] > 0.9 * sum(after.values()) and "332323" not in after
    assert len(before) > 8


def test_a_duplicate_has_the_name_and_birth_date_of_another_person(county: Any) -> None:
    doubles = county.rows(
        "SELECT count(*) FROM person p JOIN person q ON p.name = q.name AND p.birth_on = q.birth_on "
        "AND p.id < q.id AND p.household_id = q.household_id"
    )
    planted = county.loaded.dirt["duplicate_person"] + county.loaded.dirt["same_number_pair"]
    assert doubles[0][0] == planted > 1


def test_a_number_of_fifteen_digits_is_the_old_form_of_the_same_number(county: Any) -> None:
    pairs = county.rows("SELECT id_number, id_number_15 FROM person WHERE id_number_15 IS NOT NULL")
    assert len(pairs) > 20
    for number, old in pairs:
        assert old == (number if len(number) == 15 else number[:6] + number[8:17])


def test_a_household_lives_in_one_village_and_its_head_is_one_of_it(county: Any) -> None:
    assert county.one(
        "SELECT count(*) FROM person p LEFT JOIN household h ON h.id = p.household_id "
        "WHERE h.id IS NULL OR h.village <> p.village"
    ) == 0
    assert county.one(
        "SELECT count(*) FROM household h WHERE NOT EXISTS "
        "(SELECT 1 FROM person p WHERE p.household_id = h.id AND p.name = h.head_name)"
    ) == 0


def test_a_minor_bears_the_surname_of_an_adult_at_home(county: Any) -> None:
    homes: dict[bytes, list[tuple[str, str]]] = defaultdict(list)
    for home, name, birth_on in county.rows("SELECT household_id, name, birth_on FROM person"):
        homes[home].append((name, birth_on))
    minors = 0
    for family in homes.values():
        adults = {name[0] for name, birth_on in family if birth_on < "2006"}
        for name, birth_on in family:
            if birth_on > "2009":
                minors += 1
                assert name[0] in adults, family
    assert minors > 200


@pytest.mark.parametrize(
    ("table", "column", "parent", "key"),
    [
        ("contact", "id", "person", "id"), ("employment", "person_id", "person", "id"),
        ("employment", "unit_id", "unit", "id"), ("enrolment", "person_id", "person", "id"),
        ("account", "person_id", "person", "id"), ("benefit", "person_id", "person", "id"),
        ("bank_account", "person_id", "person", "id"), ("person", "village", "division", "code"),
        ("household", "village", "division", "code"), ("unit", "township", "division", "code"),
        ("contact", "address_village", "division", "code"),
    ],
)  # fmt: skip
def test_every_row_points_at_a_row_that_exists(table: str, column: str, parent: str, key: str, county: Any) -> None:
    orphans = county.one(
        f"SELECT count(*) FROM {table} t WHERE NOT EXISTS (SELECT 1 FROM {parent} p WHERE p.{key} = t.{column})"
    )
    assert orphans == 0 < county.one(f"SELECT count(*) FROM {table}")


def test_the_age_pyramid_is_that_of_an_ageing_county(county: Any, last_day: FixedClock) -> None:
    births = [date.fromisoformat(b) for (b,) in county.rows("SELECT birth_on FROM person WHERE life_status = '1'")]
    ages = [period.age_on(b, last_day.today()) for b in births]
    assert min(ages) >= 0 and 88 <= max(ages) <= 115
    share = {name: sum(test(a) for a in ages) / len(ages) for name, test in {
        "young": lambda a: a < 16, "old": lambda a: a >= 60, "very old": lambda a: a >= 80,
    }.items()}  # fmt: skip
    assert 0.08 < share["young"] < 0.17
    assert 0.22 < share["old"] < 0.36
    assert 0.02 < share["very old"] < 0.08


def test_there_is_a_unit_per_hundred_persons_with_a_right_code_in_every_township(county: Any) -> None:
    codes = [c for (c,) in county.rows("SELECT uscc FROM unit")]
    assert len(codes) == len(set(codes)) == 30
    assert [unit_code.read(c)[1] for c in codes] == [[]] * 30
    assert county.one("SELECT count(DISTINCT township) FROM unit") == 15
    assert county.one("SELECT count(DISTINCT name) FROM unit") == 30


def test_wages_are_whole_yuan_spread_around_a_middle(county: Any) -> None:
    wages = sorted(w for (w,) in county.rows("SELECT wage_fen FROM employment WHERE ended_month IS NULL"))
    assert all(w % 100 == 0 and w >= 226_000 for w in wages)
    assert 400_000 < wages[len(wages) // 2] < 700_000
    assert wages[-1] > 2 * wages[len(wages) // 2]


def test_nobody_alive_has_two_active_pension_relations(county: Any) -> None:
    assert county.one(
        "SELECT count(*) FROM (SELECT person_id FROM enrolment WHERE state = 'active' AND insurance LIKE '%pension' "
        "GROUP BY person_id HAVING count(*) > 1)"
    ) == 0


def test_the_dead_have_ended_relations_and_no_running_benefit(county: Any) -> None:
    dead = county.one("SELECT count(*) FROM person WHERE life_status = '2' AND died_on IS NOT NULL")
    assert dead > 20
    for table in ("enrolment", "benefit"):
        running = f"SELECT count(*) FROM {table} t JOIN person p ON p.id = t.person_id WHERE p.life_status = '2' AND "
        assert county.one(running + "t.state <> 'ended'") == 0
    assert county.one("SELECT count(*) FROM person WHERE (life_status = '2') <> (died_on IS NOT NULL)") == 0


def test_a_balance_is_what_the_paid_years_and_the_grade_make(county: Any) -> None:
    parameters = parameter.load()
    grades = parameters.at("resident_pension/grades_fen", date(2026, 10, 31)).numbers
    rows = county.rows(
        "SELECT a.balance_fen, a.paid_months, e.grade_fen FROM account a JOIN enrolment e ON e.person_id = a.person_id "
        "AND e.insurance = a.insurance WHERE a.insurance = 'resident_pension' "
        "AND NOT EXISTS (SELECT 1 FROM benefit b WHERE b.person_id = a.person_id)"
    )
    assert len(rows) > 300
    for balance_fen, paid_months, grade_fen in rows:
        assert grade_fen in grades and paid_months % 12 == 0
        years = paid_months // 12
        # Grades rose in 2014 and 2021, so earlier years were paid at no more than today's grade; interest adds to it.
        assert years * min(grades) <= balance_fen <= years * (grade_fen + 60_000) * 1.5


def test_a_benefit_follows_from_the_rules(county: Any) -> None:
    parameters = parameter.load()
    on = date(2026, 10, 31)
    basic = parameters.at("resident_pension/basic_monthly_fen", on).number
    divisor = parameters.at("resident_pension/account_months", on).number
    rows = county.rows(
        "SELECT b.basic_fen, b.account_fen, b.from_month, a.balance_fen, a.paid_months, p.birth_on, b.paid_through, "
        "b.state FROM benefit b JOIN account a ON a.person_id = b.person_id AND a.insurance = b.kind "
        "JOIN person p ON p.id = b.person_id"
    )
    assert len(rows) > 200
    for basic_fen, account_fen, from_month, balance_fen, paid_months, birth_on, paid_through, state in rows:
        assert basic_fen == basic
        if paid_months == 0:
            assert account_fen == balance_fen == 0
        elif balance_fen:
            drawn = period.months_between(from_month, paid_through) + 1
            assert account_fen == half_up(balance_fen + drawn * account_fen, divisor)
        assert from_month >= "2010-01" and birth_on[:4] <= "1967"
        assert (paid_through == "2026-10") == (state == "active") or state == "ended"


def test_pensioners_are_paid_into_accounts_with_right_numbers(county: Any) -> None:
    numbers = [n for (n,) in county.rows("SELECT account_no FROM bank_account")]
    assert all(luhn.is_valid(n) for n in numbers) and len(numbers) == len(set(numbers))
    covered = county.one(
        "SELECT avg(EXISTS (SELECT 1 FROM bank_account a WHERE a.person_id = b.person_id)) FROM benefit b"
    )
    assert 0.95 < covered < 1


def test_holders_that_differ_from_the_name_are_counted(county: Any) -> None:
    sql = "SELECT count(*) FROM bank_account a JOIN person p ON p.id = a.person_id WHERE p.name <> a.holder"
    differing = county.one(sql)
    assert differing == county.loaded.dirt["holder_variant"] > 0


def test_about_one_adult_in_eight_has_no_phone_and_the_old_more_often(county: Any) -> None:
    sql = (
        "SELECT avg(c.phone IS NULL) FROM person p JOIN contact c ON c.id = p.id "
        "WHERE substr(p.id_number, 7, 4) BETWEEN ? AND ?"
    )
    assert 0.09 < county.one(sql, "1920", "2007") < 0.17
    assert county.one(sql, "1920", "1951") > 2 * county.one(sql, "1967", "2007")


def test_every_kind_of_dirt_is_there_and_counted(county: Any) -> None:
    assert set(county.loaded.dirt) == set(dirt.KINDS)
    assert all(county.loaded.dirt.values()), county.loaded.dirt
    assert county.one("SELECT count(*) FROM contact WHERE phone LIKE '% %' OR phone LIKE '1__-%'") == (
        county.loaded.dirt["phone_with_spaces"]
    )
    stale = county.one(
        "SELECT count(DISTINCT p.household_id) FROM contact c JOIN person p ON p.id = c.id "
        "JOIN division d ON d.code = substr(c.address_village, 1, 9) WHERE c.address NOT LIKE d.name || '%'"
    )
    assert stale == county.loaded.dirt["old_township_address"]


def test_people_are_found_by_pinyin_and_initials(county: Any) -> None:
    assert county.one("SELECT count(*) FROM person WHERE pinyin IS NULL OR length(initials) NOT BETWEEN 2 AND 5") == 0


def _examine(county: Any, item: str, person_id: bytes, answers: dict[str, str], today: date) -> list[Finding]:
    chosen = service.load_all()[item]
    with county.store.read() as db:
        view = person_view(db, person_id, today)
    assert view is not None
    given = {name: view.person[name] for name in ("name", "id_number", "village")} | answers
    materials = [m.id for m in chosen.materials]
    found = checks.examine(chosen, given, materials, view, today, parameter.load())
    return [f for f in found.findings if f.severity == "block"]


def test_every_township_has_persons_ready_to_claim_whom_the_checks_let_through(county: Any) -> None:
    ready = county.rows(
        "SELECT substr(p.village, 1, 9), p.id, p.id_number, b.bank, b.account_no, b.holder FROM person p "
        "JOIN enrolment e ON e.person_id = p.id AND e.insurance = 'resident_pension' AND e.state = 'active' "
        "JOIN account a ON a.person_id = p.id AND a.insurance = e.insurance AND a.paid_months >= 180 "
        "JOIN bank_account b ON b.person_id = p.id AND b.holder = p.name "
        "WHERE p.birth_on BETWEEN '1966-05-01' AND '1966-10-31' AND p.life_status = '1' "
        "AND NOT EXISTS (SELECT 1 FROM benefit x WHERE x.person_id = p.id)"
    )
    per_township = Counter(row[0] for row in ready)
    assert len(per_township) == 15 and min(per_township.values()) >= OF_EACH_LOT
    by_township = {row[0]: row for row in ready}
    for _, person_id, number, bank, account_no, holder in by_township.values():
        reached = f"2026-{number[10:12]}"
        answers = {"from_month": reached, "bank": bank, "account_no": account_no, "holder": holder}
        assert _examine(county, "resident_pension_claim", person_id, answers, date(2026, 11, 2)) == []


def test_every_township_has_adults_without_a_pension_whom_the_checks_let_enrol(county: Any) -> None:
    free = county.rows(
        "SELECT substr(p.village, 1, 9), p.id, p.name FROM person p WHERE p.life_status = '1' "
        "AND p.birth_on BETWEEN '1977-01-01' AND '2002-12-31' AND length(p.id_number) = 18 AND NOT EXISTS "
        "(SELECT 1 FROM enrolment e WHERE e.person_id = p.id AND e.insurance LIKE '%pension')"
    )
    per_township = Counter(row[0] for row in free)
    assert len(per_township) == 15 and min(per_township.values()) >= OF_EACH_LOT
    for _, person_id, name in {row[0]: row for row in free}.values():
        answers = {"grade": "1000", "start_month": "2026-11", "bank": "农商银行", "account_no": "6208004070009216545",
                   "holder": name}  # fmt: skip
        assert _examine(county, "resident_pension_enrolment", person_id, answers, date(2026, 11, 2)) == []


@pytest.mark.parametrize(
    ("persons", "month"), [(299, "2026-10"), (3_000_000, "2026-10"), (3000, "2026-13"), (3000, "2009-01")]
)
def test_a_county_that_cannot_be_is_refused_in_words(persons: int, month: str) -> None:
    with pytest.raises(ConfigError):
        Register(persons, 1, month, parameter.load())
