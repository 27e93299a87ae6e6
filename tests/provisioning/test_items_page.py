# SPDX-License-Identifier: Apache-2.0
"""docs/items.md says what the item files say."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from provisioning import items_page
from schema import service


def test_the_page_is_what_the_files_say() -> None:
    written = items_page.PAGE.read_text(encoding="utf-8")
    assert written == items_page.page(service.load_all().values()), f"run: {items_page.COMMAND}"


def test_the_page_names_every_item_field_paper_check_and_effect_in_both_languages() -> None:
    page = items_page.page(service.load_all().values())
    for item in service.load_all().values():
        part = page.partition(f'<a id="{item.id}"></a>')[2].partition("<a id=")[0]
        for text in (item.title, *(f.label for f in item.fields), *(m.label for m in item.materials)):
            assert text["zh"] in part and text["en"] in part, (item.id, text)
        for word in (*item.law, *item.effects, *(use.rule for use in item.checks), *(m.mode for m in item.modes)):
            assert word in part, (item.id, word)


def test_a_changed_file_changes_the_page(tmp_path: Path) -> None:
    text = (service.FOLDER / "card_loss.toml").read_text(encoding="utf-8")
    (tmp_path / "card_loss.toml").write_text(text.replace("limit_working_days = 1", "limit_working_days = 17"), "utf-8")
    page = items_page.page(service.load_all(tmp_path).values())
    assert "17 working days after the hub receives it" in page


def test_the_command_writes_the_page(tmp_path: Path) -> None:
    out = tmp_path / "items.md"
    done = CliRunner().invoke(items_page.main, ["--out", str(out)])
    assert done.exit_code == 0, done.output
    assert out.read_text(encoding="utf-8") == items_page.PAGE.read_text(encoding="utf-8")
