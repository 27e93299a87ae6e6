# SPDX-License-Identifier: Apache-2.0
"""How an unexpected error is logged: its kind and place. Its message may quote a person's data, so it is left out."""

from __future__ import annotations

import traceback
from pathlib import PurePath


def told(error: BaseException) -> str:
    """`KeyError at intake.py:57`."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return type(error).__name__ + place
