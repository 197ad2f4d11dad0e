"""The store in a real Neo4j server keeps the contract, and holds the same as the embedded one."""

from __future__ import annotations

import random

import pytest

from cases.graph import schema
from cases.graph.contract import GraphStoreContract, dump, fill, paid, who
from cases.graph.neo4j_session import Database
from cases.graph.neo4j_store import Neo4jGraph
from cases.graph.protocol import GraphStore
from cases.graph.sqlite_store import SqliteGraph
from hostile_strings import CORPUS
from tracer.values import MAX_UNITS

pytestmark = pytest.mark.slow


class TestNeo4jGraph(GraphStoreContract):
    """Each test in a case of its own, all in one database."""

    @pytest.fixture
    def store(self, database: Database, case_name: str) -> GraphStore:
        return Neo4jGraph(database, case_name)

    @pytest.fixture
    def other(self, database: Database, case_name: str) -> GraphStore:
        return Neo4jGraph(database, f"{case_name}-other")

    def test_the_whole_corpus_survives(self, store: GraphStore) -> None:
        self.survives(store, CORPUS)


def test_it_holds_the_same_as_the_embedded_store(database: Database, case_name: str) -> None:
    one, two = SqliteGraph(), Neo4jGraph(database, case_name)
    fill(one)
    fill(two)
    assert dump(two) == dump(one)
    one.close()


def test_ten_thousand_integers_of_256_bits_survive(database: Database, case_name: str) -> None:
    chance = random.Random(256)
    units = [chance.randint(0, MAX_UNITS) for _ in range(10_000)]
    graph = Neo4jGraph(database, case_name)
    graph.write_transfers(paid(n, who("a"), who("b"), one) for n, one in enumerate(units))
    assert [one.units for one in graph.transfers()] == units


def test_every_constraint_and_index_is_there(database: Database, case_name: str) -> None:
    Neo4jGraph(database, case_name)
    assert schema.missing(database) == []
