# SPDX-License-Identifier: Apache-2.0
"""A rule pack: all service items, lists of choices, dated parameters and the words of papers, as files with one hash.

    files = read_folder(folder)          # path inside the pack -> bytes
    pack = load(files)                   # every fault of every file at once, else ready for use
    manifest, signature = sign(Manifest(...), hub_key)

What travels is a signed manifest and the files, each by the hash of its bytes: of a new pack only the files that
changed go over the line. The name of a pack is its hash, so a case says exactly which rules it was taken under.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from schema import parameter, policy, service
from schema.clock import parse_stamp
from schema.errors import BadPack, BadParameterFile, BadServiceFile, BadSignature, ConfigError
from schema.parameter import Parameters
from schema.service_parts import Service
from schema.web import texts

BUILT_IN = Path(__file__).parent
PARTS = ("services/*.toml", "choices.toml", "words.toml", "policies/*.toml", "parameters/**/*.toml")
WORDS = BUILT_IN / "words.toml"
FILE_MAX_BYTES = 128 * 1024
MANIFEST_MAX_BYTES = 64 * 1024
NOTE_MAX_CHARS = 200
# A path from outside becomes a file for as long as it is read: it must not lead out of its folder.
_NAME = "[a-z0-9_]{1,60}"
_PATH = re.compile(rf"((services|policies)/{_NAME}|choices|words|parameters/{_NAME}/{_NAME})\.toml")
_SIGNED_AS = b"S1P"

Files = Mapping[str, bytes]


@dataclass(frozen=True)
class RulePack:
    """Rules ready for use. `number`: the hub's count of what it published, 0 for the pack that came with the program.

    `words`: texts of printed papers by their key, each in both languages; a pack without them leaves the program's.
    `files`: what the rules were read from, for comparing two packs.
    """

    number: int
    hash: str
    services: dict[str, Service]
    parameters: Parameters
    words: Mapping[str, Mapping[str, str]]
    files: Files


@dataclass(frozen=True)
class Manifest:
    """What the hub signs: which pack it is, what was in force before, who made and who published it, when, why, and
    path -> SHA-256 of each file."""

    number: int
    hash: str
    before: str
    published_at: str
    prepared_by: str
    published_by: str
    note: str
    files: dict[str, str]


def read_folder(folder: Path) -> dict[str, bytes]:
    """The files of a pack below a folder laid out like the program's own. Raises BadPack."""
    found = {}
    for path in sorted({p for part in PARTS for p in folder.glob(part) if p.is_file()}):
        # Line ends differ between systems' checkouts; the rules do not.
        found[path.relative_to(folder).as_posix()] = path.read_bytes().replace(b"\r\n", b"\n")
    _require_fit(found)
    return found


def hash_of(files: Files) -> str:
    """SHA-256 (hex) over all files with their names."""
    digest = sha256()
    for name in sorted(files):
        digest.update(len(name.encode()).to_bytes(4, "big") + name.encode())
        digest.update(len(files[name]).to_bytes(8, "big") + files[name])
    return digest.hexdigest()


def load(files: Files, number: int = 0) -> RulePack:
    """Read the rules. Raises BadPack with every fault of every file: this program cannot use the pack."""
    _require_fit(files)
    with TemporaryDirectory(prefix="rules-") as name:
        root = Path(name)
        for path, content in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(content)
        return _load(root, files, number)


@cache
def built_in() -> RulePack:
    """The pack that came with this program: in force until the hub's first one. Raises BadPack."""
    return _load(BUILT_IN, read_folder(BUILT_IN), 0)


def sign(manifest: Manifest, key: Ed25519PrivateKey) -> tuple[bytes, bytes]:
    """(the manifest as it travels, the hub's signature of it). Raises BadPack when it is too large."""
    content = cbor2.dumps(manifest.__dict__, canonical=True)
    if len(content) > MANIFEST_MAX_BYTES:
        raise BadPack("规则包里文件太多", "the pack holds too many files")
    return content, key.sign(_SIGNED_AS + content)


def open_manifest(content: bytes, signature: bytes, hub_public: bytes) -> Manifest:
    """The manifest, when the hub signed it. Raises BadSignature, BadPack."""
    try:
        Ed25519PublicKey.from_public_bytes(hub_public).verify(signature, _SIGNED_AS + content)
    except (InvalidSignature, ValueError) as error:
        raise BadSignature("规则包的签名不对", "the pack's signature does not hold", code="pack_signature") from error
    return read_manifest(content)


def read_manifest(content: bytes) -> Manifest:
    """The manifest as it lies in this database. Raises BadPack."""
    try:
        manifest = Manifest(**cbor2.loads(content))
        parse_stamp(manifest.published_at)
    except (cbor2.CBORError, TypeError, ValueError) as error:
        raise BadPack("规则包的目录读不懂", "the pack's manifest cannot be read") from error
    texts: tuple[Any, ...] = (manifest.hash, manifest.before, manifest.note, *manifest.files, *manifest.files.values())
    if type(manifest.number) is not int or any(type(text) is not str for text in texts):
        raise BadPack("规则包的目录读不懂", "the pack's manifest cannot be read")
    return manifest


def _load(root: Path, files: Files, number: int) -> RulePack:
    """Parameters first: items refer to them. One fault must not hide those of the other files."""
    faults: list[BadServiceFile | BadParameterFile | ConfigError] = []
    parameters: Parameters | None = None
    services: dict[str, Service] = {}
    words: dict[str, Mapping[str, str]] = {}
    try:
        parameters = parameter.load(root / "parameters")
    except BadParameterFile as error:
        faults.append(error)
    try:
        services = service.load_all(root / "services", parameters, root / "choices.toml")
    except BadServiceFile as error:
        faults.append(error)
    try:
        policy.articles(files)
    except BadServiceFile as error:
        faults.append(error)
    try:
        words = dict(texts.entries(root / WORDS.name)) if WORDS.name in files else {}
    except ConfigError as error:
        faults.append(error)
    if faults or parameters is None:
        raise BadPack("\n".join(f.zh for f in faults), "\n".join(f.en for f in faults))
    if not services:
        raise BadPack("规则包里没有事项（services/*.toml）", "the pack holds no service item (services/*.toml)")
    return RulePack(number, hash_of(files), services, parameters, words, dict(files))


def _require_fit(files: Files) -> None:
    wrong = [name for name in files if not _PATH.fullmatch(name)]
    large = [name for name, content in files.items() if len(content) > FILE_MAX_BYTES]
    if "choices.toml" not in files:
        raise BadPack("规则包里缺少 choices.toml", "choices.toml is missing from the pack")
    if wrong:
        listed = ", ".join(wrong[:5])
        raise BadPack(f"文件名不对，应为小写英文：{listed}", f"name these files in lower case: {listed}")
    if large:
        much, listed = f"{FILE_MAX_BYTES // 1024} KB", ", ".join(large)
        raise BadPack(f"文件超过 {much}，请分成几个：{listed}", f"over {much}, split them up: {listed}")
