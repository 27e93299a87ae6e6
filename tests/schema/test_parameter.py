# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from schema import parameter
from schema.errors import BadParameterFile, ParameterNotFound
from tests.schema.domain import parameters, services

ROOT = Path(__file__).parents[2]
VALUE = """
[[values]]
from      = {from_}
published = {published}
value     = {value}
verified  = false
source    = {{ title = "示例文件", article = "一" }}
"""
HEAD = 'title = { zh = "示例", en = "Example" }\nunit = "fen"\n'


def value(from_: str = "2024-01-01", published: str = "2023-12-01", value: object = 100, extra: str = "") -> str:
    return VALUE.format(from_=from_, published=published, value=value) + extra


def write(folder: Path, text: str, name: str = "pension/basic") -> None:
    path = folder / f"{name}.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")


def faults(folder: Path, text: str) -> str:
    write(folder, text)
    with pytest.raises(BadParameterFile) as caught:
        parameter.load(folder)
    assert caught.value.zh.count("\n") == caught.value.en.count("\n")
    return caught.value.en


def test_a_raise_announced_late_counts_from_the_day_it_was_known(tmp_path: Path) -> None:
    write(tmp_path, HEAD + value(value=10_300) + value("2024-07-01", "2024-09-20", 12_300))
    found = parameter.load(tmp_path)
    assert found.at("pension/basic", date(2024, 8, 1), date(2024, 8, 31)).value == 10_300
    assert found.at("pension/basic", date(2024, 8, 1), date(2024, 10, 1)).value == 12_300
    assert found.at("pension/basic", date(2024, 8, 1)).value == 12_300
    assert found.at("pension/basic", date(2024, 6, 30)).value == 10_300


def test_a_correction_of_the_same_day_replaces_the_first_once_published(tmp_path: Path) -> None:
    write(tmp_path, HEAD + value(value=100) + value(published="2024-05-01", value=120))
    found = parameter.load(tmp_path)
    assert found.at("pension/basic", date(2024, 2, 1), date(2024, 4, 30)).value == 100
    assert found.at("pension/basic", date(2024, 2, 1), date(2024, 5, 1)).value == 120


@pytest.mark.parametrize("on", [date(2023, 12, 31), date(2025, 1, 1)])
def test_outside_its_time_a_parameter_has_no_value(tmp_path: Path, on: date) -> None:
    write(tmp_path, HEAD + value(extra="until = 2024-12-31\n"))
    with pytest.raises(ParameterNotFound, match="no value"):
        parameter.load(tmp_path).at("pension/basic", on)
    assert parameter.load(tmp_path).at("pension/basic", date(2024, 12, 31)).value == 100


def test_an_unknown_parameter_is_named() -> None:
    with pytest.raises(ParameterNotFound, match="pension/nothing"):
        parameters().at("pension/nothing", date(2026, 1, 1))


def test_a_value_carries_its_document_and_whether_someone_read_it(tmp_path: Path) -> None:
    write(tmp_path, HEAD + value())
    found = parameter.load(tmp_path).at("pension/basic", date(2024, 2, 1))
    assert (found.source, found.verified, found.unit) == ("示例文件 一", False, "fen")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HEAD.replace("unit", "unti") + value(), "unti: 'unti' is not known; did you mean 'unit'"),
        (HEAD + value().replace("published", "publisht"), "values[1].published: 'published' is missing"),
        (HEAD + re.sub("source.*", "", value()), "values[1].source: 'source' is missing"),
        (HEAD + value().replace("示例文件", " "), "values[1].source.title: the document is empty"),
        (HEAD + value(value=103.0), "Write amounts in fen, without a point"),
        (HEAD + value(value='"103"'), "values[1].value: must be a whole number"),
        (HEAD + value(value="true"), "values[1].value: must be a whole number"),
        (HEAD + value(value=-1), "not below 0"),
        (HEAD + value(value="[100]"), "values[1].value: must be a whole number"),
        (HEAD + value(from_='"2024-01-01"'), "values[1].from: must be a date"),
        (HEAD + value("2024-01-01") + value("2023-01-01", "2023-01-01"), "values[2]: is not in order"),
        (HEAD + value() + value(), "values[2]: is not in order"),
        (
            HEAD + value(extra="until = 2024-12-31\n") + value("2025-02-01"),
            "values[2]: leaves a gap: begin on 2025-01-01",
        ),
        (HEAD + value(extra="until = 2024-12-31\n") + value("2024-12-31"), "values[2]: overlaps the one before"),
        (HEAD + value(extra="until = 2023-12-31\n"), "values[1].until: ends before it begins"),
        (HEAD.replace("fen", "yuan") + value(), "unit: 'yuan' is not known"),
        (HEAD.replace('en = "Example"', 'en = " "') + value(), "title.en: the text is empty"),
        (HEAD, "values: 'values' is missing"),
        (HEAD + "values = []\n", "at least one [[values]]"),
        (HEAD + "values = [1]\n", "values[1]: must be written as [[values]]"),
        (HEAD.replace("fen", "list of fen") + value(value="[]"), "must be a list of whole numbers"),
        (HEAD.replace("fen", "list of fen") + value(value="[100, 1.5]"), "values[1].value[2]"),
        (HEAD.replace("fen", "months by age") + value(value="{ sixty = 139 }"), "must be a table such as"),
        ("title = ", "is not TOML"),
    ],
)
def test_a_bad_file_is_refused_with_place_and_remedy(tmp_path: Path, text: str, expected: str) -> None:
    said = faults(tmp_path, text)
    assert expected in said
    assert said.startswith("pension/basic.toml: ")


def test_all_faults_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    write(tmp_path, HEAD + value(value=1.5), "pension/other")
    said = faults(tmp_path, HEAD.replace("fen", "yuan") + re.sub("source.*", "", value()))
    assert [line.split(": ")[0] for line in said.splitlines()] == ["pension/basic.toml"] * 2 + ["pension/other.toml"]


def test_a_file_must_stand_in_a_folder_of_its_scheme(tmp_path: Path) -> None:
    (tmp_path / "loose.toml").write_text(HEAD + value(), encoding="utf-8")
    with pytest.raises(BadParameterFile, match="scheme's folder"):
        parameter.load(tmp_path)


def test_every_parameter_is_used_and_every_used_one_exists() -> None:
    places = [p for folder in ("schema", "node", "hub") for p in (ROOT / folder).rglob("*.py")]
    code = {p: p.read_text(encoding="utf-8") for p in places}
    names = {p.name for p in parameters()}
    asked = {field.options for item in services().values() for field in item.fields if field.options}
    for text in code.values():
        asked |= set(re.findall(r"""(?:\.at|parameter)\(\s*"([a-z_]+/[a-z_]+)\"""", text))
    assert asked <= names
    assert [n for n in sorted(names - asked) if not any(_is_named(n, text) for text in code.values())] == []


def _is_named(name: str, text: str) -> bool:
    """In full, or by its last part in a module that puts the folder before it."""
    folder, last = name.split("/")
    folder_first = re.search(rf'"{folder}/{{|SCHEME = "{folder}"', text)
    return f'"{name}"' in text or (folder_first is not None and re.search(rf'["/]{last}"', text) is not None)


def test_values_that_nobody_verified_say_so_and_the_grades_and_subsidies_cover_each_other() -> None:
    assert parameters().at("resident_pension/basic_monthly_fen", date(2026, 1, 1)).verified is False
    for year in (2010, 2015, 2026):
        grades = parameters().at("resident_pension/grades_fen", date(year, 1, 1)).numbers
        assert set(grades) == set(parameters().at("resident_pension/subsidy_fen", date(year, 1, 1)).table)
