# SPDX-License-Identifier: Apache-2.0
"""Employers of the synthetic county: few big ones, many small ones, in the trades of the place."""

from __future__ import annotations

import random
from dataclasses import dataclass

from provisioning.county import numbers
from provisioning.county.draw import Choice
from provisioning.county.places import Township, county, townships

PERSONS_PER_UNIT = 100
SPREAD_OF_SIZE = 1.25  # sigma of the log-normal number of heads
IN_OWN_TOWNSHIP = 0.8

_FIRST = "锦恒天新金盛嘉越剡华东永鼎瑞宏亿百润德通海中顺诺凯雅丰正星元"
_SECOND = "华达丰源泰宇隆兴诚盛鑫邦创昌辉洋程祥腾峰羽美信利龙航立晟和川"
# (GB/T 4754 division, words, prefix of the unit code, ending, weight)
_TRADES = (
    ("C17", "纺织", "91", "有限公司", 12),
    ("C18", "领带服饰", "91", "有限公司", 16),
    ("C38", "电机", "91", "有限公司", 12),
    ("C33", "厨具", "91", "有限公司", 10),
    ("C38", "电器", "91", "股份有限公司", 4),
    ("C15", "茶业", "91", "有限公司", 6),
    ("C35", "机械", "91", "有限公司", 9),
    ("E47", "建筑工程", "91", "有限公司", 5),
    ("F52", "商贸", "91", "有限公司", 8),
    ("G54", "运输", "91", "有限公司", 4),
    ("H62", "小吃店", "92", "", 6),
    ("O80", "家政服务部", "92", "", 3),
    ("A01", "果蔬专业合作社", "93", "", 5),
    ("P83", "幼儿园", "52", "", 3),
    ("S91", "", "12", "社会事务服务中心", 1),
)


@dataclass(frozen=True)
class Unit:
    """An employer. `wage_factor`: how it pays against the county's middle, in thousandths."""

    id: bytes
    uscc: str
    name: str
    kind: str
    industry: str
    township: str
    phone: str
    wage_factor: int

    def row(self) -> tuple[object, ...]:
        """Columns of table `unit` up to `rev`."""
        return (self.id, self.uscc, self.name, self.kind, self.industry, self.township, self.phone)


class Employers:
    """All units, and who hires in which township."""

    def __init__(self, rng: random.Random, persons: int) -> None:
        trades = Choice([t[:4] for t in _TRADES], [t[4] for t in _TRADES])
        places = Choice(townships(), [t.weight for t in townships()])
        count = max(len(townships()), persons // PERSONS_PER_UNIT)
        self.units: list[Unit] = []
        names: set[str] = set()
        while len(self.units) < count:
            # Every township has at least one employer.
            home = townships()[len(self.units)] if len(self.units) < len(townships()) else places.draw(rng)
            unit = _unit(rng, len(self.units), trades.draw(rng), home)
            if unit.name not in names:
                names.add(unit.name)
                self.units.append(unit)
        heads = [rng.lognormvariate(2.2, SPREAD_OF_SIZE) for _ in self.units]
        self._anywhere = Choice(self.units, heads)
        self._in: dict[str, Choice[Unit]] = {}
        for t in townships():
            at_home = [i for i, u in enumerate(self.units) if u.township == t.code]
            self._in[t.code] = Choice([self.units[i] for i in at_home], [heads[i] for i in at_home])

    def hire(self, rng: random.Random, township: Township) -> Unit:
        """The unit someone of that township works for: mostly a near one, bigger ones more often."""
        if rng.random() < IN_OWN_TOWNSHIP:
            return self._in[township.code].draw(rng)
        return self._anywhere.draw(rng)


def _unit(rng: random.Random, serial: int, trade: tuple[str, str, str, str], home: Township) -> Unit:
    industry, words, prefix, ending = trade
    brand = rng.choice(_FIRST) + rng.choice(_SECOND)
    place = county()["name"] + (home.name.removesuffix("镇").removesuffix("乡") if rng.random() < 0.35 else "")
    return Unit(
        rng.randbytes(16), numbers.unit_code(rng, prefix, serial), f"{place}{brand}{words}{ending}", prefix, industry,
        home.code, numbers.landline(rng), round(1000 * rng.lognormvariate(0, 0.16)),
    )  # fmt: skip
