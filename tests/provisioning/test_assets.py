# SPDX-License-Identifier: Apache-2.0
"""Scripts and styles from npm: only the pinned bytes ever lie in the vendor folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from provisioning import assets
from provisioning.assets import Asset, AssetError

HTMX = next(asset for asset in assets.listed() if asset.path.name == "htmx.min.js")


def test_every_listed_file_is_in_place_after_set_up() -> None:
    assert assets.missing(assets.listed()) == []


def test_two_files_never_share_a_name() -> None:
    paths = [asset.path for asset in assets.listed()]
    assert len(paths) == len(set(paths))


def test_what_only_tests_need_does_not_travel_with_the_pages() -> None:
    places = {asset.package.split("@")[0]: asset.path.parts[:2] for asset in assets.listed()}
    assert places == {"bootstrap": ("schema", "web"), "htmx.org": ("schema", "web"), "axe-core": ("tests", "vendor")}


def test_a_missing_file_is_fetched_and_only_then_counts_as_there(tmp_path: Path) -> None:
    assert assets.missing([HTMX], tmp_path) == [HTMX]
    assets.install([HTMX], tmp_path)
    assert assets.missing([HTMX], tmp_path) == []
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / HTMX.path]


def test_a_damaged_file_is_missing(tmp_path: Path) -> None:
    (tmp_path / HTMX.path).parent.mkdir(parents=True)
    (tmp_path / HTMX.path).write_text("alert(1)")
    assert assets.missing([HTMX], tmp_path) == [HTMX]


@pytest.mark.parametrize(
    ("asset", "reason"),
    [
        (replace(HTMX, sha256="0" * 64), "expected SHA-256 0000"),
        (replace(HTMX, source="dist/no-such-file.js"), "has no file dist/no-such-file.js"),
        (replace(HTMX, package="htmx.org@0.0.0-none"), "npm pack"),
    ],
)
def test_what_is_not_the_pinned_file_is_refused_and_nothing_is_written(
    asset: Asset, reason: str, tmp_path: Path
) -> None:
    with pytest.raises(AssetError, match=reason):
        assets.install([asset], tmp_path)
    assert list(tmp_path.iterdir()) == []
