"""`fundtrail neo4j`: what a user types, what is printed, and that no password is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cases.case_file import Case
from cases.graph.access import Access
from commands import run, told
from made_up import MadeUp
from notation import address

CANARY = "canary-5511-never-shown"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "mine.fundtrail"
    with Case.create(path, at=1, tool="0") as case:
        after, source = "", MadeUp()
        for at, page in enumerate(source.history(address("mule")), start=10):
            case.store_page(source.name, address("mule"), page, at=at, after=after)
            after = page.cursor
    return path


@pytest.fixture(autouse=True)
def no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NEO4J_URI", "NEO4J_USERNAME", "NEO4J_PASSWORD", "NEO4J_DATABASE"):
        monkeypatch.delenv(name, raising=False)


def test_without_a_server_or_a_password_it_says_what_to_set(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told(run("neo4j", "push", path), 2, "no Neo4j server is named", "NEO4J_URI")
    monkeypatch.setenv("NEO4J_URI", "bolt://127.0.0.1:9")
    monkeypatch.setattr("cases.graph.access._in_keyring", lambda _: "")
    told(run("neo4j", "status", path), 2, "no password", "NEO4J_PASSWORD")
    monkeypatch.setenv("NEO4J_PASSWORD", "neo4j")
    told(run("neo4j", "push", path), 2, "anybody tries first")


def test_a_server_that_is_not_there_is_told_without_the_password(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEO4J_URI", "bolt://127.0.0.1:9")
    monkeypatch.setenv("NEO4J_PASSWORD", CANARY)
    monkeypatch.setattr("cases.graph.neo4j_session.CONNECTING", 0.1)
    result = run("neo4j", "push", path)
    told(result, 1, "does not answer")
    assert CANARY not in result.output + result.stderr


def test_the_tables_are_written_and_the_command_is_told(path: Path, tmp_path: Path) -> None:
    result = run("neo4j", "csv", path, "--out", tmp_path / "tables")
    assert result.exit_code == 0, result.output
    assert "database\nimport\nfull" in result.stdout
    assert (tmp_path / "tables" / "sent.csv").read_text().count("\n") == 1 + len(Case.open(path).ledger())


@pytest.mark.slow
def test_a_case_goes_there_and_back_and_is_asked(
    path: Path, tmp_path: Path, access: Access, case_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEO4J_URI", access.uri)
    monkeypatch.setenv("NEO4J_USERNAME", access.username)
    monkeypatch.setenv("NEO4J_PASSWORD", access.password)
    named = "--name", case_name
    assert run("neo4j", "status", path, *named).exit_code == 3
    pushed = run("neo4j", "push", path, *named)
    assert (pushed.exit_code, pushed.stdout) == (0, "all of it is there\n"), pushed.stderr
    assert run("neo4j", "push", path, *named).stdout == "all of it was there already\n"
    status = json.loads(run("neo4j", "status", path, *named, "--json").stdout)
    with Case.open(path) as case:
        assert (status["same"], status["head"], status["transfers"]) == (True, case.head, len(case.ledger()))
        assert (status["judgements"], status["clusters"]) == (0, 0)
    pulled = run("neo4j", "pull", tmp_path / "again.fundtrail", *named)
    assert "verified" in pulled.stdout, pulled.stderr
    mule = f"place=ethereum:{address('mule').text}"
    rows = json.loads(run("neo4j", "query", "neighbours", path, *named, "--set", mule, "--json").stdout)
    assert any(row["direction"] == "paid by" and row["units"] == ["600"] for row in rows)
    assert address("thief").text in run("neo4j", "query", "neighbours", path, *named, "--set", mule).stdout
    told(run("neo4j", "query", "neighbors", path, *named), 2, "did you mean 'neighbours'")
    for result in (pushed, pulled):
        assert access.password not in result.output + result.stderr
