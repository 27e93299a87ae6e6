# SPDX-License-Identifier: Apache-2.0
"""The loader of service items: what it refuses, and what a loaded item answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from schema import case, service
from schema.errors import BadServiceFile
from schema.service_parts import GROUPS, Condition
from tests.schema.domain import services

GOOD = (service.FOLDER / "resident_pension_enrolment.toml").read_text(encoding="utf-8")
CHANGE = (service.FOLDER / "personal_data_change.toml").read_text(encoding="utf-8")


def refused(folder: Path, text: str, name: str = "resident_pension_enrolment") -> str:
    (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    with pytest.raises(BadServiceFile) as caught:
        service.load_all(folder)
    assert caught.value.zh.count("\n") == caught.value.en.count("\n")
    return caught.value.en


def without(text: str, start: str) -> str:
    """The file without its first block that contains these words."""
    blocks = text.split("\n\n")
    block = next(b for b in blocks if start in b)
    blocks.remove(block)
    return "\n\n".join(blocks)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            'type     = "resident_id"',
            'type     = "residentid"',
            "fields[2].type: 'residentid' is not known; did you mean 'resident_id'",
        ),
        (
            'rule     = "grade_allowed"',
            'rule     = "grade_alowed"',
            "checks[14].rule: 'grade_alowed' is not known; did you mean 'grade_allowed'",
        ),
        (
            '"resident_enrolment", "bank',
            '"resident_enrollment", "bank',
            "effects: 'resident_enrollment' is not known; did you mean 'resident_enrolment'",
        ),
        ('severity = "hint"', 'severity = "warning"', "severity: 'warning' is not known"),
        (
            'steps = ["accept", "review"]',
            'steps = ["accept", "revue"]',
            "modes[1].steps: 'revue' is not known; did you mean 'review'",
        ),
        ('steps = ["accept", "review"]', 'steps = ["review", "accept"]', "must be in this order: accept, forward"),
        ('steps = ["accept", "review"]', "steps = []", "S has no steps; other modes have at least one"),
        ('mode  = "P"', 'mode  = "Q"', "modes[1].mode: 'Q' is not known"),
        ('mode  = "P"', 'mode  = "P"\nwhen = { field = "student", equals = true }', "the last mode has no 'when'"),
        (
            "required = true\nlimit    = 60",
            "requird = true\nlimit    = 60",
            "fields[1].requird: 'requird' is not known; did you mean 'required'",
        ),
        ('zh = "姓名", en = "Name"', 'zh = "姓名"', "fields[1].label.en: 'en' is missing"),
        ('zh = "姓名", en = "Name"', 'zh = "", en = "Name"', "fields[1].label.zh: the text is empty"),
        (
            'field = "hardship", in',
            'field = "hardships", in',
            "materials[4].required_when.field: 'hardships' is not known; did you mean 'hardship'",
        ),
        ('choices  = "bank"', 'choices  = "banks"', "choices: 'banks' is not known; did you mean 'bank'"),
        (
            'options     = "resident_pension/grades_fen"',
            'options = "resident_pension/grades"',
            "options: 'resident_pension/grades' is not known",
        ),
        (
            'prefill  = "person.name"',
            'prefill  = "person.nmae"',
            "prefill: 'person.nmae' is not known; did you mean 'person.name'",
        ),
        ('derived = "id_number"', 'derived = "id"', "derived: 'id' is not known"),
        ('section  = "self"', 'section  = "elf"', "section: 'elf' is not known; did you mean 'self'"),
        (
            "{limit_working_days} 个工作日",
            "{limit} 个工作日",
            "text: 'limit' is not known; known are: limit_working_days",
        ),
        ('legal = "provisional"', 'legal = "final"', "slip: the slip's words for 'provisional' are missing"),
        ('id                 = "resident_pension_enrolment"', 'id = "pension"', "id: must be the file's name"),
        ('name     = "holder"', 'name     = "bank"', "fields: 'bank' appears twice"),
        ('name     = "holder"', 'name     = "Holder"', "must be lower-case letters"),
        ("version            = 1", "version = 1.0", "version: must be a whole number"),
        ("effective_from     = 2026-01-01", 'effective_from = "2026"', "effective_from: must be a date"),
        ('law                = ["国发', 'law = [1, "国发', "law: must be a list of texts"),
        ('common_key         = "1"', 'common_key = "0"', "common_key: '0' is not known"),
        ("no                 = 9", 'no = "9"', "no: must be a whole number"),
        ("no                 = 9\n", "", "no: 'no' is missing: add it"),
        ("no                 = 9", "no = 0", "no: the catalogue number must be from 1 to 999"),
        ("no                 = 9", "no = 1000", "no: the catalogue number must be from 1 to 999"),
        ('group              = "insured"', 'group = "insure"', "group: 'insure' is not known; did you mean 'insured'"),
        ('group              = "insured"\n', "", "group: 'group' is missing: add it"),
        ("title              = {", "title = {{", "is not TOML"),
    ],
)
def test_a_slip_of_the_pen_is_refused_with_place_and_remedy(tmp_path: Path, old: str, new: str, expected: str) -> None:
    assert old in GOOD
    assert expected in refused(tmp_path, GOOD.replace(old, new, 1))


def test_a_check_or_effect_without_the_fields_it_reads_is_refused(tmp_path: Path) -> None:
    said = refused(tmp_path, without(GOOD, 'name        = "grade"'))
    assert "checks[14].rule: needs the fields grade: add them" in said
    assert "effects: needs the fields grade: add them" in said


def test_all_faults_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "personal_data_change.toml").write_text(CHANGE.replace('"H"', '"X"'), encoding="utf-8")
    bad = GOOD.replace('type     = "resident_id"', 'type = "id"').replace('severity = "hint"', 'severity = "low"')
    said = refused(tmp_path, bad).splitlines()
    assert [line.split(":")[0] for line in said].count("personal_data_change.toml") == 1
    assert len(said) == 3


def test_two_items_may_not_claim_one_menu_key(tmp_path: Path) -> None:
    (tmp_path / "personal_data_change.toml").write_text(CHANGE.replace('"2"', '"1"'), encoding="utf-8")
    assert "common_key: this key is already personal_data_change's" in refused(tmp_path, GOOD)


def test_a_condition_must_say_what_it_compares_with(tmp_path: Path) -> None:
    bad = GOOD.replace('{ field = "hardship", in = [', '{ field = "hardship", equals = 3, inn = [')
    said = refused(tmp_path, bad)
    assert "required_when.equals: must be a text or true/false" in said
    assert "required_when.inn: 'inn' is not known" in said


def test_items_are_in_the_order_of_their_menu_keys_and_then_of_the_catalogue() -> None:
    found = [(s.common_key or "~", s.no, s.id) for s in services().values()]
    assert found == sorted(found)
    assert found[:3] == [
        ("1", 9, "resident_pension_enrolment"),
        ("2", 13, "personal_data_change"),
        ("3", 11, "resident_pension_claim"),
    ]


def test_the_catalogue_is_whole() -> None:
    """The 44 business items of a station; a few of them are several files (a card is applied for, handed over, ...)."""
    assert {item.no for item in services().values()} == set(range(1, 45))
    assert {item.group for item in services().values()} == set(GROUPS)


@pytest.mark.parametrize("item", services().values(), ids=lambda s: s.id)
def test_every_item_can_be_walked_from_counter_to_effect(item: service.Service) -> None:
    for mode in item.modes:
        state, done = "submitted", []
        while step := case.next_step(mode.steps, done):
            assert case.may_move(state, case.state_after(step))
            state = case.state_after(step)
            done.append(step)
        assert case.may_move(state, "effective")


@pytest.mark.parametrize("item", services().values(), ids=lambda s: s.id)
def test_every_slip_fills_in_its_limit_in_both_languages(item: service.Service) -> None:
    for mode in item.modes:
        for lang in ("zh", "en"):
            text = item.slip_text(case.LEGAL_OF_MODE[mode.mode], lang)
            assert "{" not in text
            assert mode.mode == "S" or str(item.limit_working_days) in text


@pytest.mark.parametrize("item", services().values(), ids=lambda s: s.id)
def test_every_section_has_fields_and_every_field_a_section(item: service.Service) -> None:
    placed = [f.name for s in item.sections for f in item.fields_in(s.id)]
    assert sorted(placed) == sorted(f.name for f in item.fields)
    assert all(item.fields_in(s.id) for s in item.sections)


def test_contact_alone_is_changed_on_the_spot_and_identity_by_the_hub() -> None:
    item = services()["personal_data_change"]
    assert item.mode_for({"phone": "15857501162", "new_name": " "}) == "S"
    assert item.steps_for({"phone": "15857501162"}) == ()
    assert item.legal_for({"phone": "15857501162"}) == "final"
    for name in ("new_name", "new_id_number", "new_birth_on", "new_work_began_on", "new_village"):
        answers = {"phone": "15857501162", name: "x"}
        assert (item.mode_for(answers), item.legal_for(answers)) == ("H", "received")
        assert item.steps_for(answers) == ("accept", "review", "approve")


def test_without_answers_an_item_shows_its_strictest_way() -> None:
    assert (services()["personal_data_change"].mode, services()["personal_data_change"].steps[-1]) == ("H", "approve")


def test_a_condition_reads_raw_answers_and_parsed_values_alike() -> None:
    ticked = Condition(field="student", one_of=(True,))
    assert ticked.holds({"student": "on"}) and ticked.holds({"student": True})
    assert not ticked.holds({"student": ""}) and not ticked.holds({})
    poor = Condition(field="hardship", one_of=("low_income",))
    assert poor.holds({"hardship": "low_income"}) and not poor.holds({"hardship": None})


def test_shared_lists_have_no_value_twice() -> None:
    for entries in service.choices().values():
        values = [c.value for c in entries]
        assert len(values) == len(set(values)) and all(c.text["zh"] and c.text["en"] for c in entries)
