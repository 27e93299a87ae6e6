# SPDX-License-Identifier: Apache-2.0
"""Every named check by its case file (tests/cases/checks), and what `examine` promises about all of them together."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema import checks
from schema.examination import CHECKS
from tests.schema import domain

FILES = {path.stem: domain.read(path) for path in sorted((domain.CASES / "checks").glob("*.toml"))}
SETTINGS = ("name", "fires", "says")
MOCK = "resident_pension_enrolment"


def cases() -> list[Any]:
    return [pytest.param(rule, c, id=f"{rule}-{c['name']}") for rule, file in FILES.items() for c in file["cases"]]


@pytest.mark.parametrize(("rule", "case"), cases())
def test_check(rule: str, case: dict[str, Any]) -> None:
    over = {k: v for k, v in case.items() if k not in SETTINGS}
    data = domain.merged(domain.good(case["service"]), over)
    found = [f for f in domain.examined(data).findings if f.code == rule]
    assert bool(found) is case["fires"]
    assert case.get("says", "") in "\n".join(f.zh for f in found)
    use = next(u for u in domain.services()[case["service"]].checks if u.rule == rule)
    assert all((f.severity, f.field) == (use.severity, use.field) and f.en for f in found)


def test_every_check_has_a_case_that_fires_and_one_that_must_not_and_is_used() -> None:
    assert set(FILES) == set(CHECKS)
    for rule, file in FILES.items():
        assert {c["fires"] for c in file["cases"]} == {True, False}, rule
    assert {use.rule for item in domain.services().values() for use in item.checks} == set(CHECKS)


@pytest.mark.parametrize("service_id", domain.services())
def test_the_good_case_of_every_item_has_nothing_to_mend(service_id: str) -> None:
    data = domain.good(service_id)
    found = domain.examined(data).findings
    assert [f.code for f in found] == data["expected"].get("hints", [])
    assert not checks.has_block(found)


def test_all_faults_of_a_form_are_told_at_once_with_the_agreed_words() -> None:
    over = {
        "answers": {"id_number": "330683 19811103 0421", "phone": "1585 7501 62", "holder": "陈贵英"},
        "materials": ["id_card", "bank_book"],
        "enrolments": [{"insurance": "employee_pension", "state": "active", "began_month": "2019-03"}],
    }
    found = domain.examined(domain.merged(domain.good(MOCK), over)).findings
    assert [(f.severity, f.field, f.zh) for f in found] == [
        ("block", "id_number", "身份证号至少有一位不对。请对照证件逐位看，或放卡读取"),
        ("block", "phone", "手机号少一位，应是 11 位。没有手机可留空"),
        ("block", "holder", "开户人要和参保人是同一人，这里是「陈贵英」。请核对存折"),
        ("block", "material:household_book", "还缺：户口簿本人页。可以先存草稿，或打印一次性告知单"),
        ("review", "start_month", "名册里 2026-10 还在职工养老缴费。两边不能同月参保，中心会核对"),
    ]


def test_an_empty_form_asks_for_every_required_field_and_material() -> None:
    data = domain.merged(domain.good(MOCK), {"materials": []}) | {"answers": {}}
    item = domain.services()[MOCK]
    found = domain.examined(data).findings
    required = [f.name for f in item.fields if f.required]
    assert [f.field for f in found if f.code == "required"] == required
    assert [f.field for f in found if f.code == "material_missing"] == [
        f"material:{m.id}" for m in item.materials if m.required
    ]


def test_a_field_that_cannot_be_read_is_not_also_called_empty() -> None:
    found = domain.examined(domain.merged(domain.good(MOCK), {"answers": {"grade": "千元"}})).findings
    assert [f.code for f in found if f.field == "grade"] == ["money_form"]


def test_a_grade_of_nothing_is_an_answer_and_a_wrong_one() -> None:
    found = domain.examined(domain.merged(domain.good(MOCK), {"answers": {"grade": "0"}})).findings
    assert [f.code for f in found] == ["grade_allowed"]


def test_hardship_needs_its_proof_and_none_does_not() -> None:
    poor = domain.merged(domain.good(MOCK), {"answers": {"hardship": "severe_disability"}})
    assert [f.field for f in domain.examined(poor).findings] == ["material:hardship_proof"]
    assert domain.examined(poor | {"materials": [*poor["materials"], "hardship_proof"]}).findings == []


def test_identity_changes_need_a_reason_and_their_papers() -> None:
    data = domain.merged(domain.good("personal_data_change"), {"answers": {"new_name": "俞国萍"}})
    assert [f.field for f in domain.examined(data).findings] == ["reason", "material:police_proof"]


def test_what_is_read_off_the_id_number_cannot_be_typed() -> None:
    data = domain.merged(domain.good(MOCK), {"answers": {"birth_on": "1950-01-01"}})
    assert domain.examined(data).values["birth_on"] == "1981-11-03"


def test_somebody_new_can_be_enrolled() -> None:
    data = domain.merged(domain.good(MOCK), {"known": False})
    assert domain.examined(data).findings == []


def test_obstacles_are_what_no_answer_can_mend() -> None:
    item = domain.services()["resident_pension_claim"]
    data = domain.merged(domain.good(item.id), {"person": {"life_status": "2"}, "account": {"paid_months": 3}})
    found = checks.obstacles(item, domain.view_of(data), data["today"], domain.parameters())
    assert [f.code for f in found] == ["alive"]
    for service_id, service in domain.services().items():
        good = domain.good(service_id)
        assert checks.obstacles(service, domain.view_of(good), good["today"], domain.parameters()) == []


JUNK = st.dictionaries(
    st.sampled_from(sorted({f.name for s in domain.services().values() for f in s.fields} | {"unknown"})),
    st.one_of(
        st.text(max_size=30), st.sampled_from(["2026-11", "2099-01", "1000", "on", "330683198111030429", "1966-11-08"])
    ),
)


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("service_id", domain.services())
@given(answers=JUNK, materials=st.lists(st.text(max_size=10), max_size=4))
def test_whatever_is_typed_gets_findings_and_never_an_exception(
    service_id: str, known: bool, answers: dict[str, str], materials: list[str]
) -> None:
    good = domain.good(service_id)
    data = good | {"answers": answers, "materials": materials, "known": known}
    found = domain.examined(data)
    fields = {f.name for f in domain.services()[service_id].fields}
    assert set(found.values) == fields
    assert all(f.field in fields or f.field == "" or f.field.startswith("material:") for f in found.findings)
    assert all(f.zh and f.en for f in found.findings)
