# SPDX-License-Identifier: Apache-2.0
"""Decoder, validator and merge under hostile input, in a process of its own: what kills it kills nothing else.

    python -m tests.fuzz --examples 500            hypothesis chooses and shrinks; the same inputs every time
    python -m tests.fuzz --seconds 60 --atheris    guided by coverage (needs the `fuzz` extra)
    python -m tests.fuzz --input FILE              one saved input again

Ends with one line of JSON; any broken promise, or the death of the process, is a failure.
"""

from __future__ import annotations

import argparse
import json
import logging
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

MIB = 1024 * 1024
# More than an honest day needs; an input that wants more gets a MemoryError, which is a failure.
MEMORY = 1536 * MIB


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="tests.fuzz", description=__doc__)
    parser.add_argument("--examples", type=int, default=500, help="inputs that hypothesis makes")
    parser.add_argument("--seconds", type=int, default=60, help="how long atheris runs")
    parser.add_argument("--atheris", action="store_true", help="coverage-guided")
    parser.add_argument("--input", type=Path, help="a saved input")
    parser.add_argument("--unguarded", action="store_true", help="without the validator: must fail")
    chosen = parser.parse_args(arguments)
    logging.disable(logging.CRITICAL)
    if chosen.atheris:
        _guided(chosen.seconds)
        return
    from tests.fuzz.target import Target

    with tempfile.TemporaryDirectory() as folder:
        target = Target(Path(folder))
        # The limit comes after the start: what the libraries themselves map is not the input's doing.
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        before, slowest = _peak(), [0.0]

        def one(data: bytes) -> None:
            began = time.monotonic()
            target.one(data)
            slowest[0] = max(slowest[0], time.monotonic() - began)

        if chosen.unguarded:
            patch("sync.wire.validator.bad_cell", lambda cell, *, from_node: "").start()
        if chosen.input:
            one(chosen.input.read_bytes())
        else:
            _chosen_by_hypothesis(one, chosen.examples)
        target.close()
        grown = (_peak() - before) // MIB
        counts = dict(sorted(target.counts.items()))
        print(json.dumps({"grown_mib": grown, "slowest_ms": round(slowest[0] * 1000), "counts": counts}))


def _chosen_by_hypothesis(one: Callable[[bytes], None], examples: int) -> None:
    @settings(
        max_examples=examples, derandomize=True, database=None, deadline=None, phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.binary(min_size=1, max_size=400))
    def run(data: bytes) -> None:
        one(data)

    run()


def _guided(seconds: int) -> None:
    """atheris sees which branches an input reaches and keeps those that reach new ones."""
    import atheris

    with atheris.instrument_imports(include=["sync", "schema", "tests.fuzz"]):
        from tests.fuzz.target import Target
    folder = tempfile.mkdtemp()
    target = Target(Path(folder))
    limits = [f"-max_total_time={seconds}", f"-rss_limit_mb={MEMORY // MIB}", "-max_len=2000", "-len_control=0"]
    atheris.Setup(["fuzz", *limits], target.one)
    atheris.Fuzz()


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


main(sys.argv[1:])
