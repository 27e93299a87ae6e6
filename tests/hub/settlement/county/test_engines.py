# SPDX-License-Identifier: Apache-2.0
"""The same steps on three databases give the same root; nothing of a month stays behind in any of them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import psycopg
import pytest

from hub.settlement.county import engines, kernel, merkle, verify
from hub.settlement.county.columns import Inputs
from schema.errors import ConfigError
from tests.hub.settlement.county.months import county, rates
from tests.postgres import postgres


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres() as address:
        yield address


@pytest.fixture(scope="module")
def inputs() -> Inputs:
    return county(8_000, seed=11)


@pytest.mark.parametrize("name", ["sqlite", "duckdb", "postgres"])
def test_each_engine_gives_the_root_of_the_columns(name: str, server: str, inputs: Inputs) -> None:
    outcome = kernel.settle(inputs, rates())
    root = merkle.root(outcome.tables())
    with engines.opened(server if name == "postgres" else name) as engine:
        found = verify.compare(outcome, root, verify.recompute(inputs, rates(), engine))
    assert (found.root, found.differing) == (root, ())


@pytest.mark.parametrize("name", ["sqlite", "duckdb", "postgres"])
def test_a_fen_that_differs_is_found_and_its_table_named(name: str, server: str, inputs: Inputs) -> None:
    outcome = kernel.settle(inputs, rates())
    outcome.unpaid.work_injury[0] += 1
    with engines.opened(server if name == "postgres" else name) as engine:
        found = verify.compare(outcome, merkle.root(outcome.tables()), verify.recompute(inputs, rates(), engine))
    assert (found.agrees, found.differing) == (False, ("unpaid",))


def test_a_number_is_never_rounded_on_its_way_through_a_database(server: str) -> None:
    large = np.array([2**62 - 1, 2**53 + 1, -1, 0], np.int64)
    for address in ("sqlite", "duckdb", server):
        with engines.opened(address) as engine:
            engine.load("given", {"a": large, "b": large[::-1].copy()})
            engine.run("CREATE TABLE halves AS SELECT a, (a + 1) DIV 2 AS half FROM given;")
            found = engine.fetch("SELECT a, half FROM halves ORDER BY a")
        assert [int(v) for v in found[0]] == sorted(large.tolist())
        assert int(found[1][-1]) == 2**61


def test_postgres_keeps_nothing_of_a_verification(server: str, inputs: Inputs) -> None:
    with engines.opened(server) as engine:
        verify.recompute(inputs, rates(), engine)
    with psycopg.connect(server) as db:
        names = "('contributors', 'assessed', 'line')"
        left = db.execute(f"SELECT relname FROM pg_class WHERE relname IN {names}").fetchall()
    assert left == []


@pytest.mark.parametrize("address", ["oracle://x", "", "postgres://nobody@/none?host=/nowhere"])
def test_an_engine_that_is_not_there_is_said_in_words(address: str) -> None:
    with pytest.raises(ConfigError) as refused, engines.opened(address):
        pass
    assert refused.value.zh
