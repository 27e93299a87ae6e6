# SPDX-License-Identifier: Apache-2.0
"""Late work about closed months: what more is due becomes a line of that month; what less is due is first taken off
what is still unpaid of it, and only the rest, which had been paid, goes back: the money to the payer, the credit and
the month off the person's account.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hub.settlement.county.columns import AMOUNTS, Adjusted, Adjustments, Ints, Lines
from hub.settlement.county.grouping import found_at, starts_of, sums_at

CREDITS = ("credit_pension", "credit_medical", "months")
_BY_PAYER, _BY_MONTH = 1 << 39, 1 << 24  # numbers of persons stay below 2^24, months below 2^15: `ranges.check`


@dataclass(frozen=True)
class Changed:
    """Arrears with the adjustments in them; `returned`: by column of AMOUNTS, what goes back of each adjustment."""

    arrears: Lines
    adjusted: Adjusted
    unit: Ints
    returned: dict[str, Ints]


def adjust(arrears: Lines, adjustments: Adjustments) -> Changed:
    """Both by (unit, month, person)."""
    none = np.zeros(0, np.int64)
    if not len(adjustments):
        return Changed(arrears, Adjusted.empty(), none, dict.fromkeys(AMOUNTS, none))
    place, there = found_at(_keys(adjustments), _keys(arrears))
    hit = np.flatnonzero(there)
    hit = hit[np.lexsort((arrears.billed[hit], place[hit]))]
    row, first = place[hit], starts_of(place[hit])
    columns, cancelled = dict(arrears.columns()), {}
    for name in (*AMOUNTS, *CREDITS):
        less = np.maximum(-getattr(adjustments, name), 0)
        taken = _oldest_first(columns[name][hit], less[row], first)
        columns[name] = columns[name].copy()
        columns[name][hit] -= taken
        cancelled[name] = np.zeros(len(adjustments), np.int64)
        cancelled[name][row[first]] = sums_at(taken, first)
    back = {n: np.maximum(-getattr(adjustments, n), 0) - cancelled[n] for n in (*AMOUNTS, *CREDITS)}
    more = _more(adjustments)
    zero = np.zeros(len(adjustments), np.int64)
    adjusted = Adjusted(
        unit=adjustments.unit, month=adjustments.month, person=adjustments.person,
        more=sum((getattr(more, n) for n in AMOUNTS), zero), cancelled=sum((cancelled[n] for n in AMOUNTS), zero),
        returned=sum((back[n] for n in AMOUNTS), zero), undone_pension=back["credit_pension"],
        undone_medical=back["credit_medical"], undone_months=back["months"],
    )  # fmt: skip
    merged = _merged(Lines.joined(Lines(**columns), more))
    return Changed(merged, adjusted, adjustments.unit, {name: back[name] for name in AMOUNTS})


def returned_to(changed: Changed, units: int) -> Ints:
    """What goes back to each payer."""
    back = np.zeros(units, np.int64)
    first = starts_of(changed.unit)
    back[changed.unit[first]] = sums_at(changed.adjusted.returned, first)
    return back


def _keys(table: Adjustments | Lines) -> Ints:
    return table.unit * _BY_PAYER + table.month * _BY_MONTH + table.person


def _oldest_first(have: Ints, wanted: Ints, first: Ints) -> Ints:
    """Neighbours of a group share what is wanted: each gives what it has until that is reached."""
    before = np.cumsum(have) - have
    before -= np.repeat(before[first], np.diff(np.append(first, len(have))))
    return np.clip(wanted - before, 0, have)


def _more(adjustments: Adjustments) -> Lines:
    columns = dict(adjustments.columns())
    return Lines(**columns | {name: np.maximum(columns[name], 0) for name in (*AMOUNTS, *CREDITS)})


def _merged(lines: Lines) -> Lines:
    """One line per (unit, month, billed, person), those that came to nothing left out."""
    keys = (lines.unit, lines.month, lines.billed, lines.person)
    lines = lines.take(np.lexsort(keys[::-1]))
    first = starts_of(lines.unit, lines.month, lines.billed, lines.person)
    sums = {name: sums_at(getattr(lines, name), first) for name in (*AMOUNTS, *CREDITS)}
    merged = Lines(**dict(lines.take(first).columns()) | sums)
    return merged.take(sum(sums.values(), np.zeros(len(first), np.int64)) > 0)
