"""Extracts into a ledger folder: formats found, bad rows listed, nothing added twice, damage seen."""

from __future__ import annotations

import builtins
import errno
import json
import os
import resource
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cli.commands.ledger import BULK_FORMATS
from commands import HEAD, coins, facts, run, told, tx
from commands import row as own_row
from notation import address

ROOT = Path(__file__).resolve().parents[2]
A, B, C = (address(name).text for name in ("a", "b", "c"))
TOKEN = address("token").text
ETHEREUM_ETL = (
    "hash,nonce,block_hash,block_number,transaction_index,from_address,to_address,value,gas,gas_price,input,"
    "block_timestamp\n"
)


def own(file: Path, *rows: str) -> Path:
    file.write_text(HEAD + "".join(rows))
    return file


def etl(file: Path, *paid: tuple[int, str, str, int]) -> Path:
    """ethereum-etl's transactions."""
    rows = (
        f"{tx(n)},0,{tx(n)},{n},0,{source},{target},{units},21000,1,0x,{1_600_000_000 + 12 * n}\n"
        for n, source, target, units in paid
    )
    file.write_text(ETHEREUM_ETL + "".join(rows))
    return file


def ingested(*words: object, code: int = 0) -> Any:
    result = run("ingest", *words, "--json")
    assert result.exit_code == code, (result.stderr, result.exception)
    return json.loads(result.stdout)


def held(folder: Path) -> Any:
    return json.loads(run("ledger", "show", folder, "--json").stdout)


def test_a_file_becomes_a_ledger_and_again_adds_nothing(tmp_path: Path) -> None:
    file, out = own(tmp_path / "t.csv", own_row(1, A, B, 100), own_row(2, B, C, 2**256 - 1)), tmp_path / "ledger"
    first = ingested(file, "--out", out)
    assert (first["formats"], first["rows"], first["added"], first["transfers"]) == (["own"], 2, 2, 2)
    before = (out / "manifest.json").read_bytes()
    again = ingested(file, "--out", out)
    assert (again["added"], again["transfers"], again["unchanged"]) == (0, 2, [str(file)])
    assert (out / "manifest.json").read_bytes() == before
    assert (held(out)["chain"], held(out)["transfers"], held(out)["first_block"], held(out)["last_block"]) == (
        "ethereum", 2, 1, 2,
    )  # fmt: skip


def test_the_format_is_found_by_the_columns_and_several_can_come_at_once(tmp_path: Path) -> None:
    folder, out = tmp_path / "extracts", tmp_path / "ledger"
    folder.mkdir()
    etl(folder / "transactions.csv", (1, A, B, 7), (2, B, C, 5))
    own(folder / "transfers.csv", own_row(3, C, A, 9))
    (folder / "coverage.csv").write_text("chain,address,state\n")
    made = ingested(folder, "--out", out)
    assert sorted(made["formats"]) == ["ethereum-etl", "own"]
    assert (made["added"], held(out)["transfers"]) == (3, 3)
    assert {source["file"] for source in held(out)["sources"]} == {"transactions.csv", "transfers.csv"}


def test_bitcoin_transactions_too(tmp_path: Path) -> None:
    source = coins(tmp_path / "facts", {1: ({(9, 0): ("anna", 100)}, [("berta", 60), ("anna", 39)])})
    made = ingested(source, "--out", tmp_path / "ledger")
    assert (made["added"], held(tmp_path / "ledger")["chain"]) == (1, "bitcoin")


def test_bad_rows_are_refused_counted_and_listed_and_the_others_kept(tmp_path: Path) -> None:
    file, out = (
        own(tmp_path / "t.csv", own_row(1, A, B, 100), own_row(2, B, C, -1), own_row(3, B, C, "1e18")),
        tmp_path / "l",
    )
    result = run("ingest", file, "--out", out)
    assert result.exit_code == 3
    assert "2 rows refused, with reasons in rejected.jsonl" in result.stdout
    listed = [json.loads(line) for line in (out / "rejected.jsonl").read_text().splitlines()]
    assert [(one["file"], one["row"]) for one in listed] == [("t.csv", 2), ("t.csv", 3)]
    assert held(out)["transfers"] == 1


def test_a_row_that_contradicts_the_ledger_is_left_out_and_said(tmp_path: Path) -> None:
    out = tmp_path / "ledger"
    ingested(own(tmp_path / "one.csv", own_row(1, A, B, 100)), "--out", out)
    made = ingested(own(tmp_path / "two.csv", own_row(1, A, B, 101), own_row(2, A, B, 5)), "--out", out, code=3)
    assert (made["contradictions"], made["added"], made["transfers"]) == (1, 1, 2)


def test_that_files_are_whole_is_stated_and_shown(tmp_path: Path) -> None:
    file, out = own(tmp_path / "t.csv", own_row(1, A, B, 100)), tmp_path / "ledger"
    ingested(file, "--out", out)
    assert held(out)["whole"] is False
    assert "nobody states that they are all there are" in run("ledger", "show", out).stdout
    ingested(file, "--out", out, "--whole")
    assert held(out)["whole"] is True
    assert "stated to be all there are" in run("ledger", "show", out).stdout


def test_a_trace_from_the_ledger_is_the_trace_from_the_file(tmp_path: Path) -> None:
    rows = (own_row(1, A, B, 100), own_row(2, C, B, 50), own_row(3, B, C, 120))
    source, out = facts(tmp_path / "facts", *rows, read=(A, B, C)), tmp_path / "ledger"
    ingested(source, "--out", out, "--whole")
    answers = []
    for name, where in (("one", f"file:{source}"), ("two", f"ledger:{out}")):
        result = run("trace", tx(1), "--source", where, "--case", tmp_path / name, "--json")
        assert result.exit_code in (0, 3), (result.stderr, result.exception)
        answers.append(json.loads(result.stdout))
    one, two = answers
    assert one["books"] == two["books"]
    assert one["commingling"] == two["commingling"]
    for key in ("address", "amounts", "least", "most", "transfers"):
        assert [end[key] for end in one["ends"]] == [end[key] for end in two["ends"]]


def test_decimals_of_a_token_are_given_by_hand(tmp_path: Path) -> None:
    file = tmp_path / "export.csv"
    file.write_text(
        '"Transaction Hash","Blockno","UnixTimestamp","DateTime (UTC)","From","To","TokenValue","USDValueDayOfTx",'
        '"ContractAddress","TokenName","TokenSymbol"\n'
        f'"{tx(1)}","1","1600000000","2020-09-13 12:26:40","{A}","{B}","1,234.5","","{TOKEN}","Tether","USDT"\n'
    )
    assert ingested(file, "--out", tmp_path / "without", code=3)["rejected"] == 1
    made = ingested(file, "--out", tmp_path / "with", "--decimals", f"{TOKEN}=6")
    assert (made["formats"], made["added"]) == (["etherscan-csv"], 1)
    told(run("ingest", file, "--out", tmp_path / "bad", "--decimals", f"{TOKEN}=six"), 2, "six")


@pytest.mark.parametrize("room", [100, 9_000, 50_000, 100_000, 200_000])
def test_a_full_disk_is_said_and_the_ingest_goes_on_when_there_is_room(room: int, tmp_path: Path) -> None:
    first = own(tmp_path / "a.csv", own_row(1, A, B, 100))
    more = own(tmp_path / "b.csv", *(own_row(n, address(f"{n}").text, B, n) for n in range(2, 5_000)))
    out, whole = tmp_path / "ledger", tmp_path / "whole"
    ingested(first, "--out", out)
    before = held(out)
    words = [sys.executable, "-m", "cli", "ingest", str(more), "--out", str(out)]
    full = subprocess.run(
        words, capture_output=True, text=True, check=False, cwd=ROOT,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room)),
    )  # fmt: skip
    assert full.returncode == 1, full.stderr
    assert f"{out} cannot be written: File too large" in full.stderr
    assert "free space, then give the same command again" in full.stderr
    assert "Traceback" not in full.stderr
    assert held(out) == before, "what was committed stands"
    assert run("ledger", "verify", out).exit_code == 0
    ingested(more, "--out", out)
    ingested(first, more, "--out", whole)
    assert held(out)["transfers"] == held(whole)["transfers"] == 4_999
    assert run("ledger", "verify", out).exit_code == 0


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_no_space_left_is_said_wherever_it_comes(code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "pwrite", full)
    done = run("ingest", own(tmp_path / "a.csv", own_row(1, A, B, 100)), "--out", tmp_path / "ledger")
    told(done, 1, f"cannot be written: {os.strerror(code)}", "free space")


def test_damage_is_found(tmp_path: Path) -> None:
    out = tmp_path / "ledger"
    ingested(own(tmp_path / "t.csv", own_row(1, A, B, 100)), "--out", out)
    assert (run("ledger", "verify", out).stdout, run("ledger", "verify", out).exit_code) == ("0 problems\n", 0)
    damaged = max(out.glob("rows*.bin"))
    damaged.write_bytes(bytes([damaged.read_bytes()[0] ^ 1]) + damaged.read_bytes()[1:])
    result = run("ledger", "verify", out, "--json")
    assert result.exit_code == 1
    (problem,) = json.loads(result.stdout)["problems"]
    assert damaged.name in problem
    assert run("ledger", "verify", out).stdout.endswith("\n1 problem\n")


BAD: Mapping[str, tuple[str, list[str], list[str]]] = {
    "no such file": ("", ["nowhere.csv"], ["nowhere.csv"]),
    "an empty file": ("", ["{file}"], ["empty"]),
    "columns nobody knows": ("a,b\n1,2\n", ["{file}"], ["no format that we know", "ethereum-etl"]),
    "a column twice": ("hash,hash\n1,2\n", ["{file}"], ["two columns named 'hash'"]),
    "another chain than the format's": (
        HEAD, ["{file}", "--format", "bitcoin-etl", "--chain", "ethereum"], ["ethereum"]),
    "a chain that is none": (HEAD, ["{file}", "--chain", "etherum"], ["did you mean 'ethereum'"]),
    "a table of blocks for another format": (
        HEAD, ["{file}", "--chain", "ethereum", "--blocks", "{file}"], ["ethereum-etl"]),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_bad_input_says_what_is_wrong_and_makes_no_ledger(what: str, tmp_path: Path) -> None:
    body, words, said = BAD[what]
    file, out = tmp_path / "file.csv", tmp_path / "ledger"
    file.write_text(body)
    told(run("ingest", *(word.format(file=file) for word in words), "--out", out), 2, *said)
    assert not out.exists()


def test_a_folder_of_one_chain_takes_no_other(tmp_path: Path) -> None:
    out = tmp_path / "ledger"
    ingested(own(tmp_path / "t.csv", own_row(1, A, B, 100)), "--out", out)
    source = coins(tmp_path / "facts", {1: ({(9, 0): ("anna", 100)}, [("berta", 60)])})
    assert run("ingest", source, "--out", out).exit_code == 2
    both = run("ingest", tmp_path / "t.csv", source, "--out", tmp_path / "both")
    assert both.exit_code == 2
    assert "these files are about bitcoin and ethereum" in both.stderr
    assert held(out)["transfers"] == 1


def test_what_is_no_ledger_is_said_to_be_none(tmp_path: Path) -> None:
    for words in (["show"], ["verify"]):
        told(run("ledger", *words, tmp_path), 2, "is not a ledger folder")


def test_without_its_libraries_it_says_how_to_get_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *more: Any, **also: Any) -> Any:
        if name.startswith("connectors.bulk.ingest"):
            raise ModuleNotFoundError("No module named 'numba'", name="numba")
        return real(name, *more, **also)

    monkeypatch.setattr(builtins, "__import__", without)
    told(
        run("ingest", tmp_path / "t.csv", "--out", tmp_path / "l"), 1,
        "bulk ledgers need more libraries: there is no numba", "pip install 'fundtrail[bulk]'",
    )  # fmt: skip


def test_a_missing_module_of_another_kind_stays_loud(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *more: Any, **also: Any) -> Any:
        if name == "cases.demo":
            raise ModuleNotFoundError("No module named 'cases.demo'", name="cases.demo")
        return real(name, *more, **also)

    monkeypatch.setattr(builtins, "__import__", without)
    assert isinstance(run("demo").exception, ModuleNotFoundError)


def test_the_formats_are_those_that_can_be_read() -> None:
    from connectors.bulk.readers import AUTO, FORMATS

    assert (AUTO, *FORMATS) == BULK_FORMATS


def test_showing_a_ledger_and_the_help_import_no_bulk_library(tmp_path: Path) -> None:
    out = tmp_path / "ledger"
    ingested(own(tmp_path / "t.csv", own_row(1, A, B, 100)), "--out", out)
    for words in (["ingest", "--help"], ["ledger", "show", str(out)], ["ledger", "verify", str(out)]):
        code = (
            f"import sys, cli\ntry: cli.main({words!r})\nexcept SystemExit: pass\nprint(*sys.modules, file=sys.stderr)"
        )
        ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
        assert not {"numpy", "pyarrow", "numba", "pandas"} & set(ran.stderr.split())


def test_progress_goes_to_standard_error(tmp_path: Path) -> None:
    result = run("ingest", own(tmp_path / "t.csv", own_row(1, A, B, 100)), "--out", tmp_path / "ledger", "--json")
    assert json.loads(result.stdout)["added"] == 1
    assert "t.csv 1 rows" in result.stderr


@pytest.mark.parametrize("words", [[], ["--json"]])
def test_a_hostile_name_of_a_file_moves_no_cursor(words: list[str], tmp_path: Path) -> None:
    file = own(tmp_path / "[red]\x1b[2J\x9b.csv", own_row(1, A, B, 100), own_row(2, A, B, -1))
    result = run("ingest", file, "--out", tmp_path / "ledger", *words)
    shown = run("ledger", "show", tmp_path / "ledger", *words)
    for text in (result.stdout, result.stderr, shown.stdout):
        assert "\x1b" not in text
        assert "\x9b" not in text
    assert "[red]" in result.stderr
