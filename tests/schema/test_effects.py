# SPDX-License-Identifier: Apache-2.0
"""Effects: what a decided case changes, that it fits the tables, and that applying it twice is applying it once."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema import effects, ids
from schema.effects import EFFECTS, CaseInput, Change
from schema.tables import TABLES
from schema.view import PersonView
from tests.schema import domain
from tests.schema.domain import CASE_ID, PERSON_ID

ENROLMENT, CHANGE, CLAIM = "resident_pension_enrolment", "personal_data_change", "resident_pension_claim"


def decided(data: dict[str, Any], view: PersonView | None = None, *, known_on: date | None = None) -> list[Change]:
    item = domain.services()[data["service"]]
    person = view or domain.view_of(data)
    case = CaseInput(CASE_ID, person.person_id, domain.examined(data).values, "0100-1", "330683100", known_on)
    return effects.changes(item, case, person, data["today"], domain.parameters())


def fits(change: Change) -> None:
    """The row can be written as it is: known columns, right types, nothing required left out (but `rev`)."""
    table = TABLES[change.table]
    for name, value in change.row.items():
        column = table.column(name)
        assert column is not None, f"{change.table} has no column {name}"
        assert column.accepts(value) == "", f"{change.table}.{name}: {column.accepts(value)}"
    if table.kind == "reference":
        assert {c.name for c in table.columns} - {"rev"} == set(change.row)
    else:
        assert table.kind == "registry" and "id" in change.row


def applied(view: PersonView, changes: list[Change]) -> PersonView:
    """The view after the changes were written."""
    singles = {"person": "person", "contact": "contact", "account": "account", "bank_account": "bank_account"}
    lists = {"enrolment": "enrolments", "benefit": "benefits", "employment": "employments"}
    state: dict[str, Any] = {name: getattr(view, name) for name in (*singles.values(), *lists.values())}
    for change in changes:
        if change.table in singles:
            name = singles[change.table]
            state[name] = {**state[name], **change.row}
        elif change.table in lists:
            name = lists[change.table]
            rows = {r["id"]: r for r in state[name]}
            rows[change.row["id"]] = {**rows.get(change.row["id"], {}), **change.row}
            state[name] = list(rows.values())
    others = rows_of_others(view, {c.table for c in changes} - {*singles, *lists})
    for change in changes:
        if change.table in others:
            rows = others[change.table]
            rows[change.row["id"]] = {**rows.get(change.row["id"], {}), **change.row}
    return replace(
        view, **state, known=bool(state["person"]),
        rows_of=lambda table: list(others[table].values()) if table in others else view.rows_of(table),
        row=lambda table, row_id: others.get(table, {}).get(row_id) or view.row(table, row_id),
    )  # fmt: skip


def rows_of_others(view: PersonView, tables: set[str]) -> dict[str, dict[bytes, dict[str, Any]]]:
    """The person's rows of tables that the view has no column for."""
    return {table: {row["id"]: row for row in view.rows_of(table)} for table in tables}


@pytest.mark.parametrize("way", domain.WAYS, ids=domain.way_name)
def test_the_good_case_of_every_item_changes_what_its_file_says(way: tuple[str, int]) -> None:
    data = domain.ways(way[0])[way[1]]
    changes = decided(data)
    about = {PERSON_ID} | {domain.member_id(place) for place, _ in enumerate(data.get("members", []))}
    assert [c.table for c in changes] == [c["table"] for c in data["expected"]["changes"]]
    for change, expected in zip(changes, data["expected"]["changes"], strict=True):
        fits(change)
        assert {k: change.row[k] for k in expected["row"]} == expected["row"]
        assert change.row.get("person_id", PERSON_ID) in about


@pytest.mark.parametrize("way", domain.WAYS, ids=domain.way_name)
def test_the_mode_and_steps_of_the_good_case_are_those_of_its_file(way: tuple[str, int]) -> None:
    data = domain.ways(way[0])[way[1]]
    item, values = domain.services()[data["service"]], domain.examined(data).values
    found = (item.mode_for(values), list(item.steps_for(values)), item.legal_for(values))
    assert found == (data["expected"]["mode"], data["expected"]["steps"], data["expected"]["legal"])


def test_somebody_new_enters_the_register_with_household_and_pinyin() -> None:
    data = domain.merged(domain.good(ENROLMENT), {"known": False, "answers": {"address": "甘霖镇"}})
    changes = decided(data)
    assert [c.table for c in changes] == ["household", "person", "contact", "enrolment", "account", "bank_account"]
    for change in changes:
        fits(change)
    household, person, contact, enrolment = (c.row for c in changes[:4])
    assert person["household_id"] == household["id"]
    assert (person["pinyin"], person["initials"]) == ("chenguiying", "cgy")
    assert (person["sex"], person["birth_on"], person["id_number_15"]) == ("2", "1981-11-03", "330683811103042")
    assert person["id"] == contact["id"] == enrolment["person_id"] == ids.derived_id(CASE_ID, "person")
    assert (contact["phone"], contact["address"]) == ("13857582046", "甘霖镇")


def test_the_hub_fills_empty_contact_cells_and_never_overrides_one() -> None:
    data = domain.merged(domain.good(ENROLMENT), {"answers": {"phone": "15857501162", "address": "甘霖镇"}})
    contact = next(c for c in decided(data) if c.table == "contact")
    assert contact.row == {"id": PERSON_ID, "address": "甘霖镇"}


def test_the_station_writes_the_contact_cells_that_the_clerk_changed_in_any_mode() -> None:
    data = domain.merged(domain.good(ENROLMENT), {"answers": {"phone": "15857501162"}})
    item, view = domain.services()[ENROLMENT], domain.view_of(data)
    values = domain.examined(data).values
    case = CaseInput(CASE_ID, PERSON_ID, values, "0100-1", "330683100")

    def written(case: CaseInput, view: PersonView) -> list[Change]:
        return effects.at_counter(item, case, view, data["today"], domain.parameters())

    assert written(case, view) == [Change("contact", {"id": PERSON_ID, "phone": "15857501162"})]
    assert written(replace(case, values={"grade": 1}), view) == []
    assert written(case, replace(view, person={}, known=False)) == []


def test_an_emptied_phone_is_cleared() -> None:
    data = domain.merged(domain.good(CHANGE), {"answers": {"phone": ""}})
    assert decided(data) == [Change("contact", {"id": PERSON_ID, "phone": None})]


def test_an_item_decided_on_the_spot_changes_nothing_again_at_the_hub() -> None:
    data = domain.merged(domain.good(CHANGE), {"at_hub": True})
    assert decided(data) == []


def test_a_new_name_brings_its_pinyin_and_leaves_the_rest() -> None:
    data = domain.merged(domain.good(CHANGE), {"answers": {"new_name": "俞国萍"}})
    (change,) = decided(data)
    fits(change)
    before = domain.view_of(data).person
    assert {k: v for k, v in change.row.items() if v != before[k]} == {
        "name": "俞国萍",
        "pinyin": "yuguoping",
        "initials": "ygp",
    }


def test_a_new_id_number_brings_birth_date_sex_and_old_form() -> None:
    data = domain.merged(domain.good(CHANGE), {"answers": {"new_id_number": "330683196603200042"}})
    (change,) = decided(data)
    fits(change)
    row = change.row
    assert (row["id_number"], row["id_number_15"], row["sex"], row["birth_on"]) == (
        "330683196603200042", "330683660320004", "2", "1966-03-20",
    )  # fmt: skip


def test_dates_alone_can_be_corrected() -> None:
    data = domain.merged(
        domain.good(CHANGE), {"answers": {"new_work_began_on": "2010-07-01", "new_birth_on": "1990-05-21"}}
    )
    (change,) = decided(data)
    assert (change.row["work_began_on"], change.row["birth_on"]) == ("2010-07-01", "1990-05-21")


def test_a_new_village_moves_the_person_and_nothing_else() -> None:
    data = domain.merged(domain.good(CHANGE), {"answers": {"new_village": "330683100200"}})
    (change,) = decided(data)
    assert (change.table, change.row["village"]) == ("person", "330683100200")


def test_a_claim_takes_effect_with_the_amounts_known_on_the_day_of_calculation() -> None:
    over = {"today": date(2024, 7, 25), "person": {"birth_on": "1964-03-08"}, "answers": {"from_month": "2024-03"}}
    data = domain.merged(domain.good(CLAIM), over)
    early = next(c for c in decided(data, known_on=date(2024, 5, 31)) if c.table == "benefit")
    late = next(c for c in decided(data) if c.table == "benefit")
    assert (early.row["basic_fen"], late.row["basic_fen"]) == (10_300, 12_300)
    assert early.row["id"] == late.row["id"]


def test_a_birthday_late_in_the_month_draws_from_that_month() -> None:
    data = domain.merged(domain.good(CLAIM), {"person": {"birth_on": "1966-11-30"}})
    assert decided(data)[0].row["from_month"] == "2026-11"


def test_a_claim_ends_every_running_relation_and_touches_no_ended_one() -> None:
    data = domain.good(CLAIM)
    ended = {"insurance": "resident_pension", "state": "ended", "began_month": "2009-09", "ended_month": "2010-01"}
    other = {"insurance": "resident_medical", "state": "active", "began_month": "2010-01"}
    view = domain.view_of(data | {"enrolments": [*data["enrolments"], ended, other]})
    touched = [c.row for c in decided(data, view) if c.table == "enrolment"]
    assert [(r["insurance"], r["began_month"], r["ended_month"]) for r in touched] == [
        ("resident_pension", "2010-11", "2026-10")
    ]


def test_ids_come_from_the_case_and_differ_by_what_they_name() -> None:
    assert ids.derived_id(CASE_ID, "person") == ids.derived_id(CASE_ID, "person")
    labels = ("person", "household", "enrolment", "benefit")
    assert len({ids.derived_id(c, label) for c in (CASE_ID, PERSON_ID) for label in labels}) == 8
    assert len(ids.derived_id(CASE_ID, "person")) == 16


def test_every_effect_is_used_by_an_item() -> None:
    assert {name for item in domain.services().values() for name in item.effects} == set(EFFECTS)


PHONES = st.sampled_from(["", "13857582046", "15857501162"])
EXTRA = {
    ENROLMENT: st.fixed_dictionaries(
        {"phone": PHONES, "grade": st.sampled_from(["100", "1000"]), "address": st.text(max_size=10)}
    ),
    CHANGE: st.fixed_dictionaries(
        {
            "phone": PHONES,
            "new_name": st.sampled_from(["", "俞国萍"]),
            "new_work_began_on": st.sampled_from(["", "2011-01-01"]),
        }
    ),
    CLAIM: st.fixed_dictionaries({"from_month": st.sampled_from(["2026-11", "2026-12"]), "phone": PHONES}),
}


@pytest.mark.parametrize("service_id", domain.services())
@pytest.mark.parametrize("known", [True, False])
@given(drawn=st.data())
def test_applying_a_case_twice_is_applying_it_once(service_id: str, known: bool, drawn: st.DataObject) -> None:
    good = domain.good(service_id)
    known = known or service_id != ENROLMENT
    answers = drawn.draw(EXTRA.get(service_id, st.just({})))
    data = domain.merged(good, {"answers": answers, "known": known, "at_hub": drawn.draw(st.booleans())})
    before = domain.view_of(data)
    item, values = domain.services()[service_id], domain.examined(data).values
    case = CaseInput(CASE_ID, before.person_id, values, "0100-1", "330683100")
    first = effects.changes(item, case, before, data["today"], domain.parameters())
    for change in first:
        fits(change)
    once = applied(before, first)
    twice = applied(once, effects.changes(item, case, once, data["today"], domain.parameters()))
    assert twice == once
    touched = {c.table for c in first}
    assert rows_of_others(twice, touched) == rows_of_others(once, touched)
    assert effects.changes(item, case, before, data["today"], domain.parameters()) == first
