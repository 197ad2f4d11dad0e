"""One Neo4j server for all tests of graphs, and a case of its own for each."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from cases.case_file import Case
from cases.graph.access import Access
from cases.graph.neo4j_session import Database
from cases.tracing import Question, trace
from commands import labelled
from connectors.labels import read_labels
from made_up import Clock, MadeUp
from neo4j_server import PASSWORD, Server, serving
from notation import ETHEREUM, address, payment
from tracer.judgements import Judgement
from tracer.values import Address, Chain

#: Two that count, with an address that no transfer names; one that is withdrawn; one whose evidence the case has not.
JUDGED = (
    Judgement(address("mule"), address("aunt"), "deposit reuse", (payment(4), payment(4, 1)), 50, "deposit-reuse/1", 4),
    Judgement(address("aunt"), Address(Chain.named("bsc"), address("aunt").text), "one key", (), 80, "A. Person", 0),
    Judgement(address("till"), address("aunt"), "a guess", (), 10, "A. Person", 0),
    Judgement(address("cave"), address("aunt"), "seen", (payment(77),), 90, "A. Person", 77),
)
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


@pytest.fixture(scope="session")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small case file with pages, labels, a loss, an answer and judgements; to be read, not changed."""
    folder = tmp_path_factory.mktemp("answered")
    path = folder / "answered.fundtrail"
    with Case.create(path, at=1, tool="0") as case:
        case.pin_labels(read_labels(labelled(folder / "labels.csv", till="exchange", aunt="other")), at=2)
        trace(case, Question(address("thief").text, ETHEREUM, victim="A. Victim"), [MadeUp()], now=Clock())
        case.add_judgements(JUDGED, at=1_900_000_000)
        case.withdraw(JUDGED[2], "B. Person", "not so", at=1_900_000_001)
    return path


@pytest.fixture
def case_name() -> str:
    """A name that no other test has: a case sees nothing of another, so the database is never emptied."""
    return f"t-{uuid.uuid4().hex}"
