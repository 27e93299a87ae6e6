# SPDX-License-Identifier: Apache-2.0
"""Rule packs at the hub: two pairs of hands, one signature, only what changed travels; cases keep their rules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hub import cases, pack, pack_publish
from hub.context import Hub
from schema import packs, rulebook
from schema.errors import BadPack, NotAllowed, Refusal, UnknownSubject, WrongState
from sync.hub import publish as feed
from tests.hub.county import ACCEPT, County, Desk
from tests.hub.county import CHANGE as CHANGE_ITEM
from tests.packing import AGE, CHANGE, PREPARER, PUBLISHER, edited, employ, folder_of, published

NEW_FIELD = """
[[fields]]
name = "nickname"
type = "text"
section = "contact"
label = { zh = "曾用名", en = "Former name" }
required = true
"""


@pytest.fixture
def rules(hub: Hub) -> Hub:
    employ(hub.store)
    return hub


def publish(hub: Hub, files: packs.Files, folder: Path) -> Any:
    return published(hub.store, files, folder, hub.secrets.signing, hub.clock)


def test_a_published_pack_is_in_force_at_once_and_signed_by_two_officers_and_the_hub(
    rules: Hub, county: County, tmp_path: Path
) -> None:
    before = pack.pack_hash()
    manifest = publish(rules, edited(AGE, "= 60", "= 61"), tmp_path / "a")
    assert (manifest.number, manifest.before) == (1, before)
    assert pack.pack_hash() == manifest.hash != before and pack.current().number == 1
    assert county.rows("SELECT kind, officer FROM fact ORDER BY seq") == [
        ("pack_prepared", PREPARER), ("pack_published", PUBLISHER),
    ]  # fmt: skip
    row = county.rows("SELECT manifest, signature FROM rule_pack")[0]
    public = rules.secrets.signing.public_key().public_bytes_raw()
    assert packs.open_manifest(*row, public) == manifest
    assert county.one("SELECT count(*) FROM pack_draft") == 0


def test_whoever_prepared_a_pack_cannot_publish_it(rules: Hub, county: County, tmp_path: Path) -> None:
    key = county.keys[ACCEPT]
    folder = folder_of(edited(AGE, "= 60", "= 61"), tmp_path)
    draft = pack_publish.prepare(rules.store, folder, PREPARER, key, "why", rules.clock)
    with pytest.raises(NotAllowed) as refused:
        pack_publish.publish(rules.store, draft.pack.hash, PREPARER, key, rules.secrets.signing, rules.clock)
    assert refused.value.code == "same_hands" and pack.current().number == 0
    with pytest.raises(NotAllowed):  # nor does somebody without the post
        pack_publish.publish(rules.store, draft.pack.hash, ACCEPT, key, rules.secrets.signing, rules.clock)
    with pytest.raises(NotAllowed):
        pack_publish.prepare(rules.store, folder, ACCEPT, key, "why", rules.clock)
    with pytest.raises(UnknownSubject):
        pack_publish.publish(rules.store, "", PUBLISHER, key, rules.secrets.signing, rules.clock)
    with pytest.raises(Refusal):
        pack_publish.prepare(rules.store, folder, PREPARER, key, "  ", rules.clock)


def test_what_cannot_be_loaded_or_changes_nothing_is_not_prepared(rules: Hub, county: County, tmp_path: Path) -> None:
    key = county.keys[ACCEPT]
    same = folder_of(packs.built_in().files, tmp_path / "same")
    with pytest.raises(WrongState):
        pack_publish.prepare(rules.store, same, PREPARER, key, "why", rules.clock)
    bad = folder_of(edited(AGE, "= 60", "= 60.5"), tmp_path / "bad")
    with pytest.raises(BadPack):
        pack_publish.prepare(rules.store, bad, PREPARER, key, "why", rules.clock)
    assert county.one("SELECT count(*) FROM pack_draft") == 0


def test_of_a_second_pack_only_the_changed_file_travels(rules: Hub, county: County, tmp_path: Path) -> None:
    first = edited(AGE, "= 60", "= 61")
    publish(rules, first, tmp_path / "a")
    seq = county.one("SELECT seq FROM feed_head")
    publish(rules, edited(AGE, "= 61", "= 62", first), tmp_path / "b")
    fed = county.rows("SELECT tbl, count(*) FROM slice_feed WHERE seq > ? GROUP BY tbl", seq)
    assert sorted(fed) == [("rule_file", 1), ("rule_pack", 1)]
    again = publish(rules, first, tmp_path / "c")  # and back: a new number for rules that were there before
    assert again.number == 3 and pack.current().hash == again.hash
    assert county.one("SELECT count(*) FROM rule_file") == len(first) + 1
    with feed.transaction(rules.store) as pub:
        assert rulebook.newest(pub.db)["number"] == 3


def test_a_case_keeps_the_form_and_checks_of_the_pack_it_was_taken_under(
    rules: Hub, county: County, desk: Desk, tmp_path: Path
) -> None:
    county.add_pensioner_to_be()
    first = publish(rules, edited(AGE, "= 60", "= 61"), tmp_path / "a")
    body = desk.body(CHANGE_ITEM, "周建根", given={"phone": "13857580001"})
    stricter = edited(CHANGE, "[[materials]]", NEW_FIELD + "\n[[materials]]", edited(AGE, "= 60", "= 61"))
    publish(rules, stricter, tmp_path / "b")
    assert body["pack"] == first.hash != pack.pack_hash()
    desk.deliver(desk.fact("case_submitted", body["case_id"], body))
    case = _load(rules, body["case_id"])
    assert case.item.field("nickname") is None and pack.service_named(CHANGE_ITEM).field("nickname")
    assert not [f for f in case.findings if f.field == "nickname"]
    assert ["较早" in f.zh for f in case.findings if f.code == "pack"] == [True]


def test_a_pack_the_hub_never_had_gives_way_to_its_own(county: County, desk: Desk, rules: Hub) -> None:
    county.add_pensioner_to_be()
    case_id = desk.submit(CHANGE_ITEM, "周建根", given={"phone": "13857580001"}, pack="f" * 64)
    case = _load(rules, case_id)
    assert case.item == pack.service_named(CHANGE_ITEM)
    assert any(f.code == "pack" and "没有" in f.zh for f in case.findings)


def test_an_older_pack_is_no_way_around_a_review_that_was_introduced_since(
    rules: Hub, county: County, desk: Desk, tmp_path: Path
) -> None:
    county.add_pensioner_to_be()
    body = desk.body(CHANGE_ITEM, "周建根", given={"phone": "13857580001"})
    assert body["mode"] == "S"
    text = packs.built_in().files[CHANGE].decode()
    start = text.index("[[modes]]")
    last = text.rindex("[[modes]]")
    publish(rules, dict(packs.built_in().files) | {CHANGE: (text[:start] + text[last:]).encode()}, tmp_path / "a")
    desk.deliver(desk.fact("case_submitted", body["case_id"], body))
    case = _load(rules, body["case_id"])
    assert case.state == "submitted" and case.step == "accept" and case.steps[0] == "accept"


def _load(hub: Hub, case_id: bytes) -> cases.HubCase:
    with hub.store.read() as db:
        return cases.load(db, case_id)
