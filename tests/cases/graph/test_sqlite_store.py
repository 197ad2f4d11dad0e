"""The embedded graph store keeps the contract, in memory and in a file that only its owner can read."""

from __future__ import annotations

import random
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from cases.graph.contract import GraphStoreContract, dump, fill, paid, who
from cases.graph.protocol import GraphStore
from cases.graph.sqlite_store import SqliteGraph
from hostile_strings import CORPUS
from tracer.errors import CaseDamaged
from tracer.values import MAX_UNITS


class TestSqliteGraph(GraphStoreContract):
    """In a file, and beside it in memory."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[GraphStore]:
        graph = SqliteGraph(tmp_path / "one.graph")
        yield graph
        graph.close()

    @pytest.fixture
    def other(self) -> Iterator[GraphStore]:
        graph = SqliteGraph()
        yield graph
        graph.close()

    def test_the_whole_corpus_survives(self, store: GraphStore) -> None:
        self.survives(store, CORPUS)


def test_ten_thousand_integers_of_256_bits_survive() -> None:
    chance = random.Random(256)
    units = [chance.randint(0, MAX_UNITS) for _ in range(10_000)]
    graph = SqliteGraph()
    graph.write_transfers(paid(n, who("a"), who("b"), one) for n, one in enumerate(units))
    assert [one.units for one in graph.transfers()] == units
    graph.close()


def test_it_is_for_its_owner_only_and_is_there_again(tmp_path: Path) -> None:
    path = tmp_path / "one.graph"
    graph = SqliteGraph(path)
    fill(graph)
    before = dump(graph)
    graph.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = SqliteGraph(path)
    assert dump(again) == before
    again.close()


def test_another_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"not a database, and long enough to be looked at" * 100)
    with pytest.raises(CaseDamaged):
        SqliteGraph(path)


def test_what_is_written_in_a_transaction_that_fails_is_not_there() -> None:
    graph = SqliteGraph()

    def broken() -> Iterator[object]:
        yield paid(1, who("a"), who("b"), 1)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        graph.write_transfers(broken())  # type: ignore[arg-type]
    assert not list(graph.transfers())
    graph.close()
