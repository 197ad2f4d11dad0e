"""fetch, sources and doctor at the front door: what they print, what they keep, and how they end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cases.show_fetch import show_fetch
from commands import run
from connectors.http.live import SystemClock

A, B, C = "0x" + "a" * 40, "0x" + "b" * 40, "0x" + "c" * 40
TX = "0x" + "1" * 64
HEAD = "chain,tx,position,block,time,from,to,units\n"
ROW = f"ethereum,{TX},tx,7,2022-03-23T13:29:09Z,{A},{B},5\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    there = tmp_path / "facts"
    there.mkdir()
    (there / "transfers.csv").write_text(HEAD + ROW)
    (there / "coverage.csv").write_text(
        f"chain,address,state,kinds,last\nethereum,{A},read,native internal token,9\nethereum,{B},read,native,9\n"
    )
    return there


def test_fetch_reads_a_history_into_a_case_and_says_how_far_it_reaches(folder: Path, tmp_path: Path) -> None:
    case = tmp_path / "a.fundtrail"
    done = run("fetch", A, "--source", f"file:{folder}", "--case", case, "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["address"], told["transfers"], told["complete"]) == (A, 1, True)
    assert [(one["state"], one["rows"], one["missing"]) for one in told["sources"]] == [("read", 1, [])]
    assert run("case", "verify", case).exit_code == 0
    again = run("fetch", A, "--source", f"file:{folder}", "--case", case, "--json")
    assert json.loads(again.stdout)["requests"] == 0


def test_fetch_ends_with_3_where_a_kind_of_movement_cannot_be_seen(folder: Path, tmp_path: Path) -> None:
    done = run("fetch", B, "--source", f"file:{folder}", "--case", tmp_path / "b.fundtrail")
    assert done.exit_code == 3
    assert "internal, token" in done.stdout


def test_a_file_is_read_into_a_case_once_and_fetch_says_so(folder: Path, tmp_path: Path) -> None:
    words = "fetch", B, "--source", f"file:{folder}", "--case", tmp_path / "b.fundtrail"
    assert "before" not in run(*words).stdout
    assert "into a new case" in run(*words).stdout


def test_what_could_not_be_reached_is_told_once_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(SystemClock, "sleep", lambda *_: None)
    words = "rpc:http://127.0.0.1:1", "--chain", "ethereum"
    done = run("doctor", "--source", *words)
    assert done.exit_code == 1
    assert "check its address" in done.stdout
    done = run("trace", TX, "--source", *words, "--case", tmp_path / "a.fundtrail")
    assert done.exit_code == 1
    assert done.stderr.count("did not answer") == 1
    assert "\n  try: check its address" in done.stderr


def test_a_reason_that_is_the_problem_too_is_shown_once(folder: Path, tmp_path: Path) -> None:
    done = run("fetch", B, "--source", f"file:{folder}", "--case", tmp_path / "b.fundtrail", "--json")
    told = json.loads(done.stdout)
    told["sources"][0] |= {"reason": "it broke off", "problems": [{"text": "it broke off", "where": "there"}]}
    assert show_fetch(told).count("it broke off") == 1


def told_by(folder: Path, kinds: str, *rows: str) -> Path:
    folder.mkdir()
    (folder / "transfers.csv").write_text(HEAD + "".join(rows))
    said = "".join(f"ethereum,{one},read,{kinds},9\n" for one in (A, B, C))
    (folder / "coverage.csv").write_text("chain,address,state,kinds,last\n" + said)
    return folder


def test_a_trace_asks_the_next_source_for_the_kinds_of_movement_that_the_first_cannot_show(tmp_path: Path) -> None:
    inner = f"ethereum,0x{'2' * 64},trace:0,8,2022-03-23T13:29:21Z,{B},{C},5\n"
    one = told_by(tmp_path / "one", "native", ROW)
    two = told_by(tmp_path / "two", "native internal token", ROW, inner)
    named = ("--source", f"file:{one}", "--source", f"file:{two}")
    done = run("trace", TX, *named, "--case", tmp_path / "a.fundtrail", "--json")
    told = json.loads(done.stdout)
    assert [(end["address"], end["amounts"]["fifo"]) for end in told["ends"]] == [(C, "5")]
    assert (done.exit_code, told["partial"], told["coverage"]["missing_kinds"]) == (0, False, [])


def test_a_trace_of_coins_through_a_source_that_shows_tokens_only_is_partial(tmp_path: Path) -> None:
    only = told_by(tmp_path / "tokens", "internal token", ROW)
    done = run("trace", TX, "--source", f"file:{only}", "--case", tmp_path / "a.fundtrail", "--json")
    told = json.loads(done.stdout)
    assert (done.exit_code, told["partial"]) == (3, True)
    assert told["partial_because"] == ["native payments, which the source cannot show, were not read: 1 wallet"]


def test_a_preview_asks_nobody_and_makes_no_case(folder: Path, tmp_path: Path) -> None:
    done = run("fetch", A, "--source", f"file:{folder}", "--preview")
    assert done.exit_code == 0
    assert "read on this machine" in done.stdout
    case = tmp_path / "none.fundtrail"
    done = run("trace", TX, "--source", f"file:{folder}", "--case", case, "--preview")
    assert done.exit_code == 0
    assert not case.exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((A,), "no source to read from"),
        ((A, "--source", "file:."), "nowhere to keep it"),
        ((A, "--source", "fil:x", "--case", "x.fundtrail"), "did you mean 'file'"),
        (("0xabc", "--source", "FOLDER", "--case", "x.fundtrail"), "not an address"),
    ],
)
def test_bad_words_get_a_clear_error_and_no_case(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run("fetch", *(word.replace("FOLDER", f"file:{folder}") for word in words))
    assert done.exit_code == 2
    assert said in done.stderr
    assert not list(tmp_path.glob("*.fundtrail"))


def test_sources_lists_each_kind_and_shows_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETHERSCAN_API_KEY", "CANARY-KEY-7")
    for words in (("sources",), ("sources", "--json"), ("doctor",), ("doctor", "--json")):
        done = run(*words)
        assert done.exit_code == 0, done.output
        assert "CANARY" not in done.output
    kinds = {one["kind"] for one in json.loads(run("sources", "--json").stdout)}
    assert {"file", "ledger", "etherscan-recorded"} <= kinds
    assert "with a map of its columns" in run("sources").stdout, "each says what it reads"


def test_the_doctor_ends_with_1_where_a_source_fails_and_says_what_to_do(tmp_path: Path) -> None:
    done = run("doctor", "--source", f"file:{tmp_path / 'nowhere'}")
    assert done.exit_code == 1
    assert "there is no file or folder" in done.stdout


def test_what_is_answered_from_a_record_is_learned_by_nobody(tmp_path: Path) -> None:
    record = tmp_path / "record.jsonl"
    record.write_text("")
    words = (TX, "--source", "rpc:http://127.0.0.1:1", "--chain", "ethereum", "--case", tmp_path / "a.fundtrail")
    assert json.loads(run("trace", *words, "--preview", "--json").stdout)[0]["hosts"] == ["127.0.0.1:1"]
    assert json.loads(run("trace", *words, "--preview", "--json", "--replay", record).stdout)[0]["hosts"] == []
    assert "who learns" not in run("trace", *words, "--replay", record).stderr
