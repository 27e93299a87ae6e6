#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The county's month: how long, how much memory, how far from the disk's own limit, and does another engine agree.

    .venv/bin/python tests/bench/bench_settlement.py [--persons 500000] [--large] [--register 500000] [--kills 200]

Each figure comes from a process of its own, so that memory is its own. The last line is JSON. `wall_s` is one run from
frozen inputs to a synced, checked and named file; `end_to_end_s` is the same out of a register of a synthetic county,
reading included. `loop_...` is a loop over persons with an ORM (peewee), Decimal and a commit each, on a sample,
extrapolated: what assessing alone costs when it is written the way it is spoken.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import nullcontext
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import peewee

from hub.settlement.county import controls, engines, kernel, merkle, month_file, verify
from hub.settlement.county.columns import AMOUNTS, Who
from hub.settlement.county.month_file import MonthFile
from tests.hub.settlement.county.months import county, rates
from tests.postgres import postgres

KEY = bytes(range(32))
SAMPLE = 2_000
REPEATS = 3


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--persons", type=int, default=500_000)
    parser.add_argument("--large", action="store_true", help="ten times as many as well")
    parser.add_argument(
        "--register", type=int, default=100_000, help="persons of a register read end to end; 0: none"
    )
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        print(json.dumps(PARTS[options.part](options.persons)))
        return 0
    small = part("run", max(options.persons // 10, 1000))
    found = part("run", options.persons)
    figures: dict[str, Any] = {"persons": options.persons, **found}
    figures["scaling"] = {str(small["insured"]): small["wall_s"], str(found["insured"]): found["wall_s"]}
    if options.large:
        large = part("run", options.persons * 10)
        figures["scaling"][str(large["insured"])] = large["wall_s"]
    for engine in ("sqlite", "postgres", "duckdb"):
        figures |= part(engine, options.persons)
    figures["roots_equal"] = all(figures.pop(f"{engine}_agrees") for engine in ("sqlite", "postgres", "duckdb"))
    figures |= part("loop", options.persons)
    if options.register:
        figures |= part("register", options.register)
    if options.kills:
        figures |= part("kills", options.kills)
    for name, value in figures.items():
        print(f"{name:24} {value}")
    print(json.dumps(figures))
    return 0 if figures["roots_equal"] else 1


def part(name: str, persons: int) -> dict[str, Any]:
    """One figure, measured in its own process."""
    words = [sys.executable, __file__, "--part", name, "--persons", str(persons)]
    done = subprocess.run(words, check=True, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)})
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(f"{name} {persons}: {said}", file=sys.stderr)
    return said


ROOT = Path(__file__).parents[2]


def run(persons: int) -> dict[str, Any]:
    """From frozen inputs to a named file; the best of some runs, as the disk of a shared machine goes up and down."""
    inputs, fixed = county(persons), rates()
    walls, cpus = [], []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        for n in range(REPEATS):
            began, cpu = time.perf_counter(), time.process_time()
            outcome = kernel.settle(inputs, fixed)
            controls.require(controls.of_month(inputs, outcome))
            written = month_file.write(Path(folder), KEY, f"{n}.month", inputs, Who([], []), outcome, {})
            walls.append(time.perf_counter() - began)
            cpus.append(time.process_time() - cpu)
        limit_s = min(disk_limit(Path(folder), written.size_bytes) for _ in range(REPEATS))
    wall_s = min(walls)
    return {
        "insured": persons, "wall_s": round(wall_s, 3), "wall_median_s": round(sorted(walls)[len(walls) // 2], 3),
        "cpu_s": round(min(cpus), 3), "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "bytes_written": written.size_bytes, "disk_limit_s": round(limit_s, 3),
        "ratio_to_limit": round(wall_s / limit_s, 1), "persons_per_s": round(persons / wall_s),
    }  # fmt: skip


def disk_limit(folder: Path, size: int) -> float:
    """Seconds to write and sync that many bytes, and nothing else."""
    data = os.urandom(1 << 20)
    began = time.perf_counter()
    with (folder / "limit").open("wb") as file:
        for _ in range(max(1, size >> 20)):
            file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return time.perf_counter() - began


def verified(engine: str, persons: int) -> dict[str, Any]:
    """The month by SQL on that engine."""
    inputs, fixed = county(persons), rates()
    outcome = kernel.settle(inputs, fixed)
    root = merkle.root(outcome.tables())
    with postgres() if engine == "postgres" else nullcontext(engine) as address:
        began = time.perf_counter()
        with engines.opened(address) as opened:
            again = verify.recompute(inputs, fixed, opened)
        seconds = time.perf_counter() - began
    return {f"verify_{engine}_s": round(seconds, 2), f"{engine}_agrees": verify.compare(outcome, root, again).agrees}


def loop(persons: int) -> dict[str, Any]:
    """Assessing a sample the way it is spoken: for each person a query and an insert by an ORM, Decimal, a commit."""
    inputs, fixed = county(SAMPLE), rates()
    people = inputs.contributors
    with tempfile.TemporaryDirectory() as folder:
        db = peewee.SqliteDatabase(Path(folder) / "loop.db", pragmas={"journal_mode": "wal", "synchronous": "full"})
        fields = {name: peewee.DecimalField(12, 2) for name in AMOUNTS}
        meta = type("Meta", (), {"database": db})
        person_model: Any = type("Person", (peewee.Model,), {"Meta": meta, "wage": peewee.DecimalField(12, 2)})
        due_model: Any = type("Due", (peewee.Model,), {"Meta": meta, **fields})
        db.create_tables([person_model, due_model])
        with db.atomic():
            person_model.insert_many([{"wage": Decimal(wage) / 100} for wage in people.wage.tolist()]).execute()
        began = time.perf_counter()
        for n in range(len(people)):
            person = person_model.get_by_id(n + 1)
            base = min(max(person.wage, Decimal(fixed.floor) / 100), Decimal(fixed.cap) / 100)
            due = [(base * rate / 10_000).quantize(Decimal("0.01"), ROUND_HALF_UP) for rate in fixed.employee]
            due_model.create(**dict(zip(AMOUNTS, due, strict=True)))
        seconds = time.perf_counter() - began
        db.close()
    return {"loop_sample": len(people), "loop_extrapolated_s": round(seconds / len(people) * persons * 0.828, 1)}


def register(persons: int) -> dict[str, Any]:
    """Out of the register of a synthetic county, reading, numbering and committing included."""
    from tests.bench.register import settled_register

    return settled_register(persons)


def kills(count: int) -> dict[str, Any]:
    """Processes killed at random moments of writing a month; what is left is whole or does not count."""
    inputs, fixed = county(20_000), rates()
    outcome = kernel.settle(inputs, fixed)
    root, rng = merkle.root(outcome.tables()), random.Random(1)
    died = whole = partial = 0
    with tempfile.TemporaryDirectory(prefix="kills-") as name:
        folder = Path(name)
        for _ in range(count):
            child = os.fork()
            if child == 0:
                month_file.write(folder, KEY, "a.month", inputs, Who([], []), outcome, {})
                os._exit(0)
            time.sleep(rng.uniform(0.0, 0.12))
            os.kill(child, 9)
            _, status = os.waitpid(child, 0)
            died += os.WIFSIGNALED(status)
            path = folder / "a.month"
            if path.exists():
                with MonthFile(path, KEY) as file:
                    whole += file.root() == root
                    partial += file.root() != root
                path.unlink()
    return {"kills": count, "killed": died, "whole_files": whole, "partial_files": partial}


PARTS: dict[str, Any] = {
    "run": run, "loop": loop, "register": register, "kills": kills,
    "sqlite": lambda n: verified("sqlite", n), "postgres": lambda n: verified("postgres", n),
    "duckdb": lambda n: verified("duckdb", n),
}  # fmt: skip

if __name__ == "__main__":
    sys.exit(main())
