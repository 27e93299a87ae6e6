# SPDX-License-Identifier: Apache-2.0
"""Rule packs: one hash over their files, every fault at once, a signature that nothing else passes for."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schema import pack_diff, packs
from schema.errors import BadPack, BadSignature
from schema.packs import Manifest

AGE = "parameters/resident_pension/claim_age_years.toml"
ITEM = "services/personal_data_change.toml"
MANIFEST = Manifest(3, "a" * 64, "b" * 64, "2026-11-20T00:00:00.000Z", "2031", "2032", "why", {AGE: "c" * 64})


def changed(path: str, before: str, after: str) -> dict[str, bytes]:
    """The program's own files with one of them edited."""
    files = dict(packs.built_in().files)
    assert before.encode() in files[path]
    return files | {path: files[path].replace(before.encode(), after.encode())}


def test_the_hash_changes_with_any_rule_and_not_with_line_ends(tmp_path: Path) -> None:
    files = packs.built_in().files
    for path, content in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content.replace(b"\n", b"\r\n"))
    assert packs.hash_of(packs.read_folder(tmp_path)) == packs.built_in().hash == packs.hash_of(files)
    assert packs.hash_of(changed(AGE, "= 60", "= 61")) != packs.built_in().hash
    moved = {"choices.toml": files[AGE], AGE: files["choices.toml"]}
    assert packs.hash_of(dict(files) | moved) != packs.built_in().hash


def test_a_pack_is_loaded_from_its_files_alone() -> None:
    pack = packs.load(changed(AGE, "= 60", "= 61"), 7)
    name = "resident_pension/claim_age_years"
    assert pack.number == 7 and set(pack.services) == set(packs.built_in().services)
    before, after = ({p.name: p for p in one.parameters}[name].values[-1].value for one in (packs.built_in(), pack))
    assert (before, after) == (60, 61)


def test_faults_of_all_files_are_told_at_once() -> None:
    files = changed(AGE, "= 60", "= 60.5") | {ITEM: b"id = 3", "services/other.toml": b"not toml"}
    with pytest.raises(BadPack) as refused:
        packs.load(files)
    for name in ("claim_age_years", "personal_data_change", "other"):
        assert name in refused.value.zh and name in refused.value.en


@pytest.mark.parametrize(
    "files",
    [
        {"../../etc/passwd": b""},
        {"services/../x.toml": b""},
        {"services/Upper.toml": b""},
        {"choices.toml": b"x" * (packs.FILE_MAX_BYTES + 1)},
        {},
    ],
)
def test_what_is_no_pack_is_refused_before_a_file_is_written(files: dict[str, bytes]) -> None:
    with pytest.raises(BadPack):
        packs.load({"choices.toml": b""} | files if files else {})


def test_only_the_hubs_signature_opens_a_manifest() -> None:
    key, stranger = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    content, signature = packs.sign(MANIFEST, key)
    public = key.public_key().public_bytes_raw()
    assert packs.open_manifest(content, signature, public) == MANIFEST
    other, _ = packs.sign(replace(MANIFEST, number=4), key)
    for wrong in ((other, signature), (content, stranger.sign(b"S1P" + content)), (content, key.sign(content))):
        with pytest.raises(BadSignature):
            packs.open_manifest(*wrong, public)


@pytest.mark.parametrize("content", [b"", b"\xa1", b"\x80", packs.cbor2.dumps({"number": 1})])
def test_a_manifest_that_cannot_be_read_is_refused(content: bytes) -> None:
    with pytest.raises(BadPack):
        packs.read_manifest(content)


def test_the_comparison_names_item_field_and_parameter_with_the_day_they_take_effect() -> None:
    text = packs.built_in().files[ITEM].decode()
    copy = re.sub(r"(?m)^common_key.*$", "", re.sub(r"(?m)^id\b.*$", 'id = "new_one"', text, count=1))
    label = 'label = { zh = "手机", en = "Phone" }'
    assert label in text
    files = changed(AGE, "= 60", "= 61") | {ITEM: text.replace(label, label.replace("手机", "联系电话")).encode()}
    changes = pack_diff.between(packs.built_in(), packs.load(files | {"services/new_one.toml": copy.encode()}))
    found = {(c.what, c.owner, c.part, c.kind) for c in changes}
    assert ("parameter", "resident_pension/claim_age_years", "2009-09-01 (2009-09-01)", "changed") in found
    assert ("field", "personal_data_change", "phone", "changed") in found
    assert ("item", "new_one", "", "added") in found and ("field", "new_one", "phone", "added") in found
    assert all(len(c.effective_on) == 10 for c in changes)
    assert not pack_diff.between(packs.built_in(), packs.load(packs.built_in().files))
    back = pack_diff.between(packs.load(files), packs.built_in())
    assert {(c.what, c.kind) for c in back} == {("parameter", "changed"), ("field", "changed")}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("subject            =", "confidential = true\nsubject ="),
        ("subject            =", "urgent = true\nsubject ="),
        ("no                 = 13", "no = 14"),
        ('group              = "insured"', 'group = "public"'),
        ('common_key         = "2"', 'common_key = "5"'),
        ("联系方式和学历", "联系方式"),
    ],
)
def test_no_key_of_an_item_changes_without_being_told(before: str, after: str) -> None:
    told = pack_diff.between(packs.built_in(), packs.load(changed(ITEM, before, after)))
    assert [(c.owner, c.kind) for c in told] == [("personal_data_change", "changed")]


def test_the_words_of_papers_are_part_of_the_pack_and_a_change_of_them_is_told() -> None:
    pack = packs.load(changed("words.toml", "不予批准决定告知书", "不予批准通知书"))
    assert pack.words["decision.title_rejected"]["zh"] == "不予批准通知书"
    (told,) = pack_diff.between(packs.built_in(), pack)
    assert (told.what, told.owner, told.kind) == ("text", "decision.title_rejected", "changed")
    without = {path: data for path, data in packs.built_in().files.items() if path != "words.toml"}
    assert packs.load(without).words == {}


def test_words_without_one_of_their_languages_are_a_fault_of_the_pack() -> None:
    with pytest.raises(BadPack, match=r"words\.toml"):
        packs.load(packs.built_in().files | {"words.toml": "[decision]\ntitle_granted = { zh = \"决定\" }".encode()})
