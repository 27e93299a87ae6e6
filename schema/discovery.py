# SPDX-License-Identifier: Apache-2.0
"""Finds the modules beside a vocabulary that register what they add to it: one file more, and no list to keep."""

from __future__ import annotations

import importlib
from pathlib import Path


def load_beside(file: str, prefix: str) -> None:
    """Import every module of this package whose name begins with the prefix, in the order of their names."""
    for path in sorted(Path(file).parent.glob(f"{prefix}*.py")):
        importlib.import_module(f"schema.{path.stem}")
