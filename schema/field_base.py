# SPDX-License-Identifier: Apache-2.0
"""What every field type is made of; the types themselves are in `field_types` and `field_types_more`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from schema.findings import Finding
from schema.parameter import Parameters
from schema.service_parts import Field
from schema.toml_reader import Text


@dataclass(frozen=True)
class Context:
    """What parsing may look at besides the text."""

    today: date
    parameters: Parameters


Parsed = tuple[Any, list[Finding]]


@dataclass(frozen=True)
class FieldType:
    """How texts of one type are read, which input shows them, how a value is shown and typed again.

    `is_list`: a form posts several inputs of that name, kept as one text with a space between.
    """

    parse: Callable[[Field, str, Context], Parsed]
    widget: str
    shown: Callable[[Field, Any], Text] | None = None
    raw: Callable[[Any], str] = str
    is_list: bool = False


def block(code: str, field: Field, zh: str, en: str) -> Finding:
    """A finding beside the field that must be mended."""
    return Finding(code, "block", field.name, zh, en)
