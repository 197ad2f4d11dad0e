"""One Neo4j server for all tests of graphs, and a case of its own for each."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator

import pytest

from cases.graph.access import Access
from cases.graph.neo4j_session import Database
from neo4j_server import PASSWORD, Server, serving

NAMED = os.environ.get("NEO4J_TEST_URI", "")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server | None]:
    """A real server; None where `NEO4J_TEST_URI` names a running one."""
    if NAMED:
        yield None
        return
    with serving(tmp_path_factory.mktemp("neo4j")) as started:
        yield started


@pytest.fixture(scope="session")
def access(server: Server | None) -> Access:
    """How to reach it."""
    if server is None:
        password = os.environ.get("NEO4J_TEST_PASSWORD", PASSWORD)
        return Access(NAMED, os.environ.get("NEO4J_TEST_USERNAME", "neo4j"), password)
    return Access(server.uri, "neo4j", PASSWORD)


@pytest.fixture(scope="session")
def database(access: Access) -> Iterator[Database]:
    """A connection to it."""
    with Database(access) as opened:
        yield opened


@pytest.fixture
def case_name() -> str:
    """A name that no other test has: a case sees nothing of another, so the database is never emptied."""
    return f"t-{uuid.uuid4().hex}"
