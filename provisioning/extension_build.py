# SPDX-License-Identifier: Apache-2.0
"""Build the cr-sqlite library from the source inside its npm package: pinned source, few edits, one file.

The package was made with a Rust nightly of 2023 and a code generator (bindgen, 100 MB with libclang).
The edits below let it build with any Rust since 1.70 and the three crates Debian carries, and repair
three faults. Each edit says how often it must match: a source that is not the known one stops the build
instead of yielding a library nobody has tested.

Needs on the PATH: npm, cargo, rustc, cc. Takes about ten seconds on two cores.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from schema.crsqlite import VERSION
from schema.errors import ConfigError

SOURCE_PACKAGE = f"@vlcn.io/crsqlite@{VERSION}"
SOURCE_SHA256 = "e16e462763ebe38c30a466e53b979dc2464de1e2ebc0e2255c04266ca232a012"
SOURCE_FILE = f"vlcn.io-crsqlite-{VERSION}.tgz"

DEBIAN_CRATES = Path("/usr/share/cargo/registry")
FETCH_TIMEOUT_S = 180
BUILD_TIMEOUT_S = 900

_EMBEDDED = "rs/sqlite-rs-embedded"
_GENERATED_BINDINGS = "rs/bundle_static/target/release/build/sqlite3_capi-*/out/bindings.rs"
_COPY_BINDINGS = """\
fn main() {
    println!("cargo:rerun-if-changed=bindings.rs");
    let out = std::path::PathBuf::from(std::env::var("OUT_DIR").unwrap());
    std::fs::copy("bindings.rs", out.join("bindings.rs")).expect("bindings.rs is missing");
}
"""


class ExtensionError(ConfigError):
    """The cr-sqlite library cannot be found, trusted or built on this machine."""

    code = "extension"


@dataclass(frozen=True)
class Edit:
    """Replace `old` by `new` in the file at `path`; it must occur exactly `times` times."""

    path: str
    old: str
    new: str
    times: int = 1


EDITS = (
    # Debian 12 has bytes 1.2.1; from 1.7 its get_int() sign-extends and packed keys would decode wrongly.
    Edit("rs/core/Cargo.toml", 'bytes = { version = "1.5"', 'bytes = { version = ">=1.2, <1.7"'),
    Edit("rs/core/Cargo.toml", 'version = "0.2.17"', 'version = "0.2.15"'),
    Edit("rs/core/Cargo.toml", 'num-derive = "0.4.1"', 'num-derive = ">=0.3, <0.5"'),
    Edit(f"{_EMBEDDED}/sqlite_nostd/Cargo.toml", 'version = "0.2.17"', 'version = "0.2.15"'),
    Edit(f"{_EMBEDDED}/sqlite_nostd/Cargo.toml", 'num-derive = "0.4.1"', 'num-derive = ">=0.3, <0.5"'),
    # Only upstream's own tests use it, and cargo would want to resolve it.
    Edit("rs/fractindex-core/Cargo.toml", 'rand = "0.8.5"\n', ""),
    # The package ships the generated bindings, so the generator is not needed.
    Edit(f"{_EMBEDDED}/sqlite3_capi/Cargo.toml", 'bindgen = "0.68.1"\n', ""),
    # Removed from Rust, and unused here.
    Edit(f"{_EMBEDDED}/sqlite3_capi/src/lib.rs", "#![feature(concat_idents)]\n", ""),
    # A Rust string has no final NUL, but C reads this one up to a NUL: one-argument calls read past it.
    Edit("rs/core/src/lib.rs", '("main", args[0].text())', '("main\\0", args[0].text())', times=3),
    # After a failing merge the reset repeats the failure, and `?` left with the sync bit still set: every
    # later local write on that connection went untracked. The failure itself is returned further down.
    Edit(
        "rs/core/src/changes_vtab_write.rs",
        "\n    reset_cached_stmt(delete_stmt.stmt)?;\n",
        "\n    let _ = reset_cached_stmt(delete_stmt.stmt);\n",
    ),
    Edit(
        "rs/core/src/changes_vtab_write.rs",
        "\n    reset_cached_stmt(merge_stmt.stmt)?;\n",
        "\n    let _ = reset_cached_stmt(merge_stmt.stmt);\n",
    ),
    # The statement that breaks the tie of equal values was forgotten by crsql_finalize: every connection that had
    # used it stayed half open, and a hub ran out of file descriptors in weeks.
    Edit(
        "rs/core/src/tableinfo.rs",
        "        let mut stmt = self.col_version_stmt.try_borrow_mut()?;\n        stmt.take();\n",
        "        let mut stmt = self.col_version_stmt.try_borrow_mut()?;\n        stmt.take();\n"
        "        let mut stmt = self.col_site_id_stmt.try_borrow_mut()?;\n        stmt.take();\n",
    ),
)


def recipe() -> str:
    """40 hex digits that name source and edits together; the library answers them as its build identity.

    A cached library with another recipe was built before the edits changed and is built again.
    """
    parts = [SOURCE_SHA256, _COPY_BINDINGS, *(repr(edit) for edit in EDITS)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:40]


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def require_hash(path: Path, expected: str) -> None:
    """Refuse a file that is not the pinned one.

    Raises: ExtensionError, naming both hashes. The file is left for inspection.
    """
    found = sha256_of(path)
    if found != expected:
        raise ExtensionError(
            f"{path.name} 的 SHA-256 与登记的不符（应为 {expected}，实为 {found}），不予使用。",
            f"{path.name} is not the pinned file (expected SHA-256 {expected}, found {found}); not used.",
        )


def build(work: Path) -> Path:
    """Fetch the source package into `work`, edit it and compile it; returns the path of the library.

    Raises: ExtensionError with the tool's last lines when a tool is missing or fails.
    """
    missing = [tool for tool in ("npm", "tar", "cargo", "rustc", "cc") if shutil.which(tool) is None]
    if missing:
        names = " ".join(missing)
        raise ExtensionError(f"缺少编译工具：{names}。请先运行 make setup。", f"no {names}; run make setup.")
    source = fetch_source(work)
    apply_edits(source)
    return compile_library(source)


def fetch_source(work: Path) -> Path:
    """The unpacked source of the pinned npm package, in a new folder under `work`."""
    run(["npm", "pack", "--silent", SOURCE_PACKAGE], cwd=work, timeout_s=FETCH_TIMEOUT_S)
    tarball = work / SOURCE_FILE
    require_hash(tarball, SOURCE_SHA256)
    run(["tar", "--no-same-owner", "-xzf", SOURCE_FILE], cwd=work, timeout_s=FETCH_TIMEOUT_S)
    return work / "package"


def apply_edits(source: Path, edits: Sequence[Edit] = EDITS) -> None:
    """Make the source buildable and mend it. Raises: ExtensionError if it is not the source we know."""
    for edit in edits:
        path = source / edit.path
        text = path.read_text(encoding="utf-8")
        if text.count(edit.old) != edit.times:
            raise ExtensionError(
                f"cr-sqlite 源码 {edit.path} 与已知版本不同，停止编译。",
                f"{edit.path} is not the source we know: {edit.old!r} occurs {text.count(edit.old)} times.",
            )
        path.write_text(text.replace(edit.old, edit.new), encoding="utf-8")

    bindings = next(source.glob(_GENERATED_BINDINGS))
    shutil.copy(bindings, source / _EMBEDDED / "sqlite3_capi" / "bindings.rs")
    (source / _EMBEDDED / "sqlite3_capi" / "build.rs").write_text(_COPY_BINDINGS, encoding="utf-8")

    for pin in [*source.glob("rs/**/Cargo.lock"), *source.glob("rs/**/rust-toolchain.toml")]:
        pin.unlink()


def compile_library(source: Path) -> Path:
    """cargo for the Rust part, then cc for the C part and the link."""
    environment = {
        "CRSQLITE_COMMIT_SHA": recipe(),
        "RUSTC_BOOTSTRAP": "1",  # the source uses nightly features that stable Rust knows but hides
        "RUSTFLAGS": f"--remap-path-prefix={source}=crsqlite",
    }
    bundle = source / "rs" / "bundle_static"
    target = source / "target"
    features = ["--release", "--features", "loadable_extension", "--target-dir", str(target)]
    run(
        ["cargo", "build", *features, *_crate_source()],
        cwd=bundle,
        timeout_s=BUILD_TIMEOUT_S,
        environment=environment,
    )
    library = source / "crsqlite.so"
    c_files = [f"src/{name}.c" for name in ("crsqlite", "changes-vtab", "ext-data")]
    c_flags = ["-O2", "-std=c99", "-fPIC", "-shared", "-s", "-Isrc", "-Isrc/sqlite"]
    archive = target / "release" / "libcrsql_bundle_static.a"
    run(["cc", *c_flags, *c_files, str(archive), "-o", str(library)], cwd=source, timeout_s=BUILD_TIMEOUT_S)
    return library


def _crate_source() -> list[str]:
    """Cargo options: crates from Debian's packages when they are installed, else from its own registry."""
    if not list(DEBIAN_CRATES.glob("bytes-*")):
        return []
    directory = json.dumps(str(DEBIAN_CRATES))
    return [
        "--offline",
        "--config",
        'source.crates-io.replace-with="debian"',
        "--config",
        f"source.debian.directory={directory}",
    ]


def run(
    command: list[str], *, cwd: Path, timeout_s: float, environment: dict[str, str] | None = None
) -> str:
    """Run a tool quietly and return what it printed; what it said before failing is in the error.

    Raises: ExtensionError when it is missing, fails or takes longer than `timeout_s`.
    """
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=True,
        )
    except subprocess.CalledProcessError as error:
        tail = "\n".join((error.stderr or error.stdout).splitlines()[-15:])
        raise ExtensionError(
            f"{command[0]} 执行失败：\n{tail}", f"{' '.join(command[:2])} failed:\n{tail}"
        ) from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ExtensionError(f"{command[0]} 无法执行：{error}", f"{command[0]}: {error}") from error
    return done.stdout
