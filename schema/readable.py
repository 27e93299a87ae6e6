# SPDX-License-Identifier: Apache-2.0
"""Free text as it came from outside, without what nobody can see.

A NUL in a reason would make a station refuse the hub's whole page; a mark that turns the writing direction round shows
a reader other words than were signed.
"""

from __future__ import annotations


def readable(text: str) -> str:
    """The text without control and format characters and lone surrogates. Line breaks stay, as `\\n`."""
    if text.isprintable():
        return text
    plain = text.replace("\r\n", "\n").replace("\t", " ")
    return "".join(c for c in plain if c == "\n" or c.isprintable())
