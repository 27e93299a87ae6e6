# SPDX-License-Identifier: Apache-2.0
"""Where a person gets a paper that an item asks for: told on the one-time notice, so that nobody comes twice.

The texts are data (`paper_sources.toml`), by the material's id; a paper without one gets the general advice.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from schema.toml_reader import Text

FILE = Path(__file__).parent / "paper_sources.toml"
GENERAL = "general"


@cache
def _texts() -> dict[str, Text]:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


def where(material: str) -> Text:
    """Where that material is got."""
    return _texts().get(material) or _texts()[GENERAL]
