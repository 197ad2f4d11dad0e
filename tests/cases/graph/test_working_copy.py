"""A case that lives in the database is worked on with the same commands as one in a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cases.case_file import Case
from cases.graph import server as neo4j
from cases.graph.access import Access
from cases.graph.working_copy import working_copy
from commands import run
from tracer.errors import CaseConflict, CaseNotFound

pytestmark = pytest.mark.slow

A, B = "0x" + "a" * 40, "0x" + "b" * 40
TX = "0x" + "1" * 64


@pytest.fixture
def facts(tmp_path: Path) -> str:
    head = "chain,tx,position,block,time,from,to,units\n"
    (tmp_path / "transfers.csv").write_text(head + f"ethereum,{TX},tx,7,2022-03-23T13:29:09Z,{A},{B},5\n")
    (tmp_path / "coverage.csv").write_text(f"chain,address,state,kinds,last\nethereum,{B},read,native,9\n")
    return f"file:{tmp_path}"


@pytest.fixture(autouse=True)
def account(access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEO4J_USERNAME", access.username)
    monkeypatch.setenv("NEO4J_PASSWORD", access.password)


def test_every_command_on_a_case_takes_a_store(access: Access, case_name: str, facts: str, tmp_path: Path) -> None:
    store = ("--store", access.uri)
    done = run("trace", TX, "--source", facts, "--case", case_name, *store, "--json")
    assert done.exit_code in (0, 3), done.output
    assert not list(Path.cwd().glob(f"{case_name}*")), "no file is made where the command runs"
    given = json.loads(done.stdout)
    for words in (("case", "show"), ("case", "ends"), ("case", "hops"), ("case", "log"), ("case", "compare")):
        told = run(*words, case_name, *store, "--json")
        assert told.exit_code in (0, 3), told.output
    assert json.loads(run("case", "show", case_name, *store, "--json").stdout) == given
    assert run("case", "verify", case_name, *store).exit_code == 0
    out = tmp_path / "out.json"
    assert run("export", case_name, *store, "--format", "json", "--out", out).exit_code == 0
    assert json.loads(out.read_text())["answer"] == given
    kinds = [entry["kind"] for entry in json.loads(run("case", "log", case_name, *store, "--json").stdout)]
    assert kinds[-1] == "export", "what a command adds to the case goes back"
    said = "--by", "A. Person", "--why", "he said so"
    done = run("case", "same-owner", case_name, A, B, *said, "--confidence", 60, "--evidence", TX, *store, "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(run("case", "owners", case_name, *store, "--json").stdout)
    assert [one["members"] for one in told["clusters"]] == [
        [{"chain": "ethereum", "address": A}, {"chain": "ethereum", "address": B}]
    ]
    assert run("case", "withdraw", case_name, json.loads(done.stdout)["id"], *said, *store).exit_code == 0
    assert json.loads(run("case", "owners", case_name, *store, "--json").stdout)["clusters"] == []
    assert json.loads(run("case", "show", case_name, *store, "--json").stdout) == given, "no answer changed"
    again = run("fetch", B, "--source", facts, "--case", case_name, *store, "--json")
    assert json.loads(again.stdout)["requests"] == 0


def test_a_case_that_the_database_has_not_is_an_error_with_the_names_it_has(access: Access, case_name: str) -> None:
    done = run("case", "show", case_name, "--store", access.uri)
    assert done.exit_code == 1
    assert "holds no whole case" in done.stderr
    with pytest.raises(CaseNotFound), working_copy(Path(case_name), access, at=1):
        pass


def test_two_who_work_on_one_case_do_not_overwrite_each_other(access: Access, case_name: str) -> None:
    with working_copy(Path(case_name), access, at=1, make=True) as case:
        case.record("note", {"text": "the first"}, at=2)

    def at_once() -> None:
        with working_copy(Path(case_name), access, at=3) as mine:
            with working_copy(Path(case_name), access, at=3) as his:
                his.record("note", {"text": "his"}, at=4)
            mine.record("note", {"text": "mine"}, at=5)

    with pytest.raises(CaseConflict):
        at_once()
    with working_copy(Path(case_name), access, at=6) as case:
        assert [entry.body["text"] for entry in case.log() if entry.kind == "note"] == ["the first", "his"]


def test_work_that_is_interrupted_is_kept(access: Access, case_name: str, tmp_path: Path) -> None:
    def interrupted() -> None:
        with working_copy(Path(case_name), access, at=1, make=True) as case:
            case.record("note", {"text": "kept"}, at=2)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    neo4j.pull(tmp_path / "pulled", access, case_name)
    with Case.open(tmp_path / "pulled") as pulled:
        assert pulled.log()[-1].body["text"] == "kept"
