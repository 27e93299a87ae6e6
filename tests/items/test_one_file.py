# SPDX-License-Identifier: Apache-2.0
"""Adding an item is one file: nothing else is changed, at the hub or at the station. And the walk can fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from schema import packs
from schema.errors import BadPack
from tests.items.county import Town
from tests.items.walking import begin, decide, take, walk
from tests.packing import edited, folder_of, published
from tests.schema import domain

PATH = "services/heating_help.toml"
FILE = """
id = "heating_help"
no = 45
group = "benefit"
version = 1
effective_from = 2026-11-01
title = { zh = "困难家庭冬季取暖登记", en = "Heating help" }
short = { zh = "取暖登记", en = "Heating help" }
subject = "person"
law = []
limit_working_days = 5
effects = ["contact_where_empty"]

[[modes]]
mode = "P"
steps = ["accept", "review"]

[[sections]]
id = "home"
title = { zh = "住处", en = "Home" }

[[fields]]
name = "stove"
type = "choice"
section = "home"
label = { zh = "取暖方式", en = "Heating" }
required = true
choices = [ { value = "coal", text = { zh = "煤炉", en = "Coal stove" } },
            { value = "none", text = { zh = "没有", en = "None" } } ]
on_slip = true

[[fields]]
name = "phone"
type = "phone"
section = "home"
label = { zh = "手机", en = "Phone" }

[[materials]]
id = "id_card"
label = { zh = "居民身份证", en = "ID card" }
required = true

[[checks]]
rule = "in_register"
severity = "block"

[[slip]]
legal = "provisional"
text = { zh = "先登记，{limit_working_days} 个工作日内确认", en = "Confirmed in {limit_working_days} working days" }
"""
CASE = {
    "service": "heating_help",
    "today": domain.good("card_loss")["today"],
    "person": domain.good("card_loss")["person"],
    "materials": ["id_card"],
    "answers": {"stove": "coal", "phone": "13857582046"},
    "expected": {
        "mode": "P", "steps": ["accept", "review"], "legal": "provisional",
        "changes": [{"table": "contact", "row": {"phone": "13857582046"}}],
    },
}  # fmt: skip


def publish(town: Town, files: packs.Files, folder: Path) -> None:
    """The hub's pack, prepared by one officer and published by another; the station has it with its next session."""
    published(town.hub.store, files, folder, town.hub.secrets.signing, town.clock)
    town.sync()


def test_a_new_file_is_a_new_item_in_menu_and_form_and_walks_to_its_end(town: Town, tmp_path: Path) -> None:
    clerk = town.clerk
    assert "困难家庭冬季取暖登记" not in clerk.get("/items").text
    publish(town, {**packs.built_in().files, PATH: FILE.encode()}, tmp_path)
    menu = clerk.get("/items").text
    assert "困难家庭冬季取暖登记" in menu and 'data-no="45"' in menu and "qndj" in menu
    made = walk(town, CASE)
    assert "煤炉" in clerk.get(f"/cases/{made.case_id.hex()}/slip/1").text


def test_the_walk_notices_an_effect_that_is_gone(town: Town, tmp_path: Path) -> None:
    path = "services/resident_pension_enrolment.toml"
    publish(town, edited(path, '"resident_enrolment", ', ""), tmp_path)
    with pytest.raises(AssertionError, match=r"enrolment .* is not in"):
        walk(town, domain.good("resident_pension_enrolment"))


def test_the_walk_notices_a_step_that_is_gone(town: Town, tmp_path: Path) -> None:
    short = FILE.replace('["accept", "review"]', '["accept"]')
    publish(town, {**packs.built_in().files, PATH: short.encode()}, tmp_path)
    made = begin(town, CASE)
    take(made)
    town.sync()
    with pytest.raises(AssertionError):
        decide(made)


def test_a_file_with_an_unknown_effect_never_reaches_a_counter(town: Town, tmp_path: Path) -> None:
    bad = FILE.replace('"contact_where_empty"', '"contact_where_emtpy"')
    folder = folder_of({**packs.built_in().files, PATH: bad.encode()}, tmp_path)
    with pytest.raises(BadPack) as refused:
        packs.load(packs.read_folder(folder))
    assert "heating_help.toml: effects: 'contact_where_emtpy' is not known" in refused.value.en
