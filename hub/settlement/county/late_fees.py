# SPDX-License-Identifier: Apache-2.0
"""滞纳金: what was paid late, times the daily rate of each day since it was due (社会保险法 86, 征缴暂行条例 13)."""

from __future__ import annotations

from datetime import date

import numpy as np

from hub.settlement.county.assessing import TEN_THOUSAND, half_up
from hub.settlement.county.columns import Ints, Rates


def due_on(month: int, day: int) -> int:
    """The first day of default of a month: the day after it was due, in the month after it."""
    return date((month + 1) // 12, (month + 1) % 12 + 1, day).toordinal() + 1


def fees(months: Ints, paid: Ints, received_on: Ints, current: int, rates: Rates) -> Ints:
    """The fee on what was paid now of each bill of an earlier month; rounded once, capped where the law caps it."""
    late = months < current
    default = np.array([due_on(int(m), rates.due_day) for m in np.unique(months)] or [0], np.int64)
    begun = default[np.searchsorted(np.unique(months), months)] if len(months) else months
    points = _points(rates, received_on) - _points(rates, begun)
    fee = half_up(paid * np.maximum(points, 0), TEN_THOUSAND)
    fee = np.minimum(fee, half_up(paid * rates.fee_cap_percent, 100))
    return np.where(late, fee, 0)


def _points(rates: Rates, day: Ints) -> Ints:
    """The sum of daily rates up to that day; days outside the table count as its ends."""
    place = np.clip(day - rates.fee_from, 0, len(rates.fee_points) - 1)
    points: Ints = rates.fee_points[place]
    return points
