"""The commands as a user types them: what they print, what they end with, and what bad input gets."""

from __future__ import annotations

import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import Result
from jsonschema import Draft202012Validator

import cli
import commands
from commands import row, run, told, tx
from notation import address

ROOT = Path(__file__).resolve().parents[2]
VICTIM, MULE, SHOP, OTHER = (address(name).text for name in ("victim", "mule", "shop", "other"))
ALL = (VICTIM, MULE, SHOP, OTHER)


def facts(folder: Path, *rows: str, read: tuple[str, ...] = ALL) -> Path:
    return commands.facts(folder, *rows, read=read)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return facts(tmp_path / "facts", row(1, VICTIM, MULE, 100), row(2, OTHER, MULE, 50), row(3, MULE, SHOP, 120))


def traced(source: Path, case: Path, *more: object, start: str = tx(1)) -> Result:
    return run("trace", start, "--source", f"file:{source}", "--case", case, *more)


def test_a_whole_answer_ends_with_0_and_its_json_is_the_schema(source: Path, tmp_path: Path) -> None:
    result = traced(source, tmp_path / "a.fundtrail", "--json")
    assert result.exit_code == 0, result.stderr
    given = json.loads(result.stdout)
    Draft202012Validator(json.loads((ROOT / "docs" / "answer.schema.json").read_text())).validate(given)
    (shop,) = (end for end in given["ends"] if end["address"] == SHOP)
    assert shop["amounts"] == {
        "fifo": "100", "lifo": "70", "pro_rata": "80", "taint_first": "100", "clean_first": "70",
    }  # fmt: skip
    assert (shop["least"], shop["most"]) == ("70", "100")


def test_the_same_question_again_prints_the_same_bytes_and_asks_nobody(source: Path, tmp_path: Path) -> None:
    case = tmp_path / "a.fundtrail"
    first, again = traced(source, case, "--json"), traced(source, case, "--json")
    assert first.stdout == again.stdout
    (source / "transfers.csv").unlink()
    shown = run("case", "show", case, "--json")
    assert (shown.exit_code, shown.stdout) == (0, first.stdout)


def test_a_partial_answer_ends_with_3_and_says_so_first(tmp_path: Path) -> None:
    source = facts(tmp_path / "facts", row(1, VICTIM, MULE, 100), row(2, MULE, SHOP, 60), read=(VICTIM, MULE))
    result = traced(source, tmp_path / "a.fundtrail")
    assert result.exit_code == 3
    assert result.stdout.startswith("PARTIAL")
    assert run("case", "show", tmp_path / "a.fundtrail").exit_code == 3
    assert run("case", "ends", tmp_path / "a.fundtrail", "--json").exit_code == 3


def test_one_rule_gives_the_column_that_all_rules_give(source: Path, tmp_path: Path) -> None:
    every = json.loads(traced(source, tmp_path / "a.fundtrail", "--json").stdout)
    one = json.loads(traced(source, tmp_path / "b.fundtrail", "--json", "--rule", "lifo").stdout)
    assert one["rules"] == ["lifo"]
    assert [end["amounts"]["lifo"] for end in one["ends"]] == [end["amounts"]["lifo"] for end in every["ends"]]
    assert one["books"] == {"lifo": every["books"]["lifo"]}


def test_a_wallet_is_a_loss_and_amount_takes_only_so_much_of_it(source: Path, tmp_path: Path) -> None:
    whole = json.loads(traced(source, tmp_path / "a.fundtrail", "--json", start=MULE).stdout)
    assert whole["books"]["fifo"]["lost"] == "150"
    some = json.loads(
        traced(source, tmp_path / "b.fundtrail", "--json", "--amount", "0.00000000000000011", start=MULE).stdout
    )
    assert some["books"]["fifo"]["lost"] == "110"
    late = json.loads(traced(source, tmp_path / "c.fundtrail", "--json", "--since", 2, start=MULE).stdout)
    assert late["books"]["fifo"]["lost"] == "50"


def test_backward_says_where_the_money_came_from(source: Path, tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text(
        "chain,address,entity,name,role,source,seen,confidence,note\n"
        f"ethereum,{VICTIM},Acme,Acme 1,exchange,somebody,2024-01-01,50,\n"
    )
    result = traced(source, tmp_path / "a.fundtrail", "--backward", "--json", "--labels", labels, start=SHOP)
    given = json.loads(result.stdout)
    Draft202012Validator(json.loads((ROOT / "docs" / "answer.schema.json").read_text())).validate(given)
    (acme,) = (end for end in given["ends"] if end["address"] == VICTIM)
    assert (acme["stop"], acme["amounts"]) == ("exchange", {"fifo": "100", "lifo": "70", "pro_rata": "80"})
    assert (acme["least"], acme["most"]) == ("70", "100")
    assert given["books"]["fifo"]["lost"] == "120"
    compared = json.loads(run("case", "compare", tmp_path / "a.fundtrail", "--json").stdout)
    assert (compared["direction"], compared["rules"]) == ("backward", ["fifo", "lifo", "pro_rata"])
    assert [end["amounts"] for end in compared["ends"]] == [end["amounts"] for end in given["ends"]]
    told(traced(source, tmp_path / "a.fundtrail", "--backward"), 2, "backward starts from a wallet")


def test_an_answer_of_an_earlier_version_is_named_and_the_question_can_be_asked_again(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = tmp_path / "a.fundtrail"
    with monkeypatch.context() as earlier:
        earlier.setattr("cases.answer.FORMAT", "fundtrail-answer/1")
        assert json.loads(traced(source, case, "--json").stdout)["format"] == "fundtrail-answer/1"
    for words in (["show"], ["compare"], ["hops"]):
        told(run("case", *words, case), 1, "fundtrail-answer/1")
    assert traced(source, case).exit_code == run("case", "show", case).exit_code == 0


def test_a_small_budget_asks_for_the_largest_first_and_says_what_it_left(tmp_path: Path) -> None:
    rows = [row(1, VICTIM, MULE, 100), row(2, MULE, SHOP, 70), row(3, MULE, OTHER, 30)]
    source = facts(tmp_path / "facts", *rows)
    result = traced(source, tmp_path / "a.fundtrail", "--json", "--max-requests", 2)
    given = json.loads(result.stdout)
    assert result.exit_code == 3
    stops = {end["address"]: end["stop"] for end in given["ends"]}
    assert stops == {SHOP: "unspent", OTHER: "budget"} or stops == {SHOP: "dormant", OTHER: "budget"}
    whole = traced(source, tmp_path / "a.fundtrail", "--json")
    assert whole.exit_code == 0
    assert {end["stop"] for end in json.loads(whole.stdout)["ends"]} <= {"unspent", "dormant"}


BAD = {
    "a checksum that is wrong": (
        ["0x098B716B8Aaf21512996dC57EB0615e2383E2f95"], 2, ["checksum"]),
    "an address of another chain": (
        ["TL24LCps5FKwp3PoU1MvrYrwhi5LU1tHre", "--chain", "ethereum"], 2, ["tron"]),
    "a chain that does not exist": ([tx(1), "--chain", "etherum"], 2, ["did you mean 'ethereum'"]),
    "neither an address nor a hash": (["hello", "--chain", "ethereum"], 2, []),
    "a hash that nobody knows": ([tx(99)], 2, ["no source knows the transaction"]),
    "an amount that is none": ([MULE, "--amount", "NaN"], 2, ["not an amount"]),
    "a negative amount": ([MULE, "--amount=-5"], 2, ["not an amount that can be lost"]),
    "an amount of 10 to the 80": ([MULE, "--amount", "1e80"], 2, ["2**256"]),
    "more than was paid": ([tx(1), "--amount", "1"], 2, ["more than"]),
    "a setting that does not exist": ([tx(1), "--set", "hop=3"], 2, ["did you mean 'hops'"]),
    "a setting that is no number": ([tx(1), "--set", "hops=many"], 2, ["whole number"]),
    "a wallet that received nothing": ([VICTIM.replace(VICTIM[2:6], "dead")], 2, ["nothing is recorded"]),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_bad_input_says_what_is_wrong_and_what_to_do(what: str, source: Path, tmp_path: Path) -> None:
    words, code, said = BAD[what]
    told(run("trace", *words, "--source", f"file:{source}", "--case", tmp_path / "a.fundtrail"), code, *said)
    if (tmp_path / "a.fundtrail").exists():  # only for what was read on the way: no empty case is left behind
        kinds = [entry["kind"] for entry in json.loads(run("case", "log", tmp_path / "a.fundtrail", "--json").stdout)]
        assert "page" in kinds


def test_an_unknown_source_is_named_and_the_nearest_suggested(source: Path, tmp_path: Path) -> None:
    told(run("trace", tx(1), "--source", f"fil:{source}", "--case", tmp_path / "a.fundtrail"), 2, "did you mean 'file'")
    told(run("trace", tx(1), "--source", "file:nowhere", "--case", tmp_path / "a.fundtrail"), 2, "nowhere")
    assert not (tmp_path / "a.fundtrail").exists(), "no case is left behind by a command that could not begin"


@pytest.mark.parametrize("units", ["-1", "NaN", "1e18", "1.5", str(10**80), "", "١٢"])
def test_an_amount_in_a_file_that_is_none_is_named_with_its_row_and_the_rest_is_kept(
    units: str, tmp_path: Path
) -> None:
    source = facts(tmp_path / "facts", row(1, VICTIM, MULE, 100), row(2, MULE, SHOP, units), row(3, MULE, OTHER, 40))
    result = traced(source, tmp_path / "a.fundtrail", "--json")
    assert result.exit_code == 3
    given = json.loads(result.stdout)
    assert any("line 3" in problem["where"] for problem in given["problems"]), given["problems"]
    assert given["books"]["fifo"]["lost"] == "100"


def test_truncated_json_and_duplicate_keys_are_named(tmp_path: Path) -> None:
    folder = tmp_path / "answers"
    folder.mkdir()
    asked = {"module": "account", "action": "txlist", "address": MULE}
    good = {"request": asked, "body": {"status": "0", "message": "No transactions found", "result": []}}
    (folder / "answers.jsonl").write_text(
        json.dumps(good) + "\n" + json.dumps(good).replace(MULE, SHOP)[:-30] + '\n{"request": {}, "request": {}}\n'
    )
    result = run("trace", MULE, "--source", f"etherscan-recorded:{folder}", "--case", tmp_path / "a.fundtrail")
    assert result.exit_code == 2
    assert "line 2" in result.stderr
    assert "line 3" in result.stderr


def test_a_row_that_contradicts_another_names_both_and_loses_nothing(source: Path, tmp_path: Path) -> None:
    case = tmp_path / "a.fundtrail"
    assert traced(source, case).exit_code == 0
    other = facts(tmp_path / "other", row(2, OTHER, MULE, 51), row(4, SHOP, OTHER, 5))
    more = run("trace", tx(4), "--source", f"file:{other}", "--case", case)
    told(more, 1, "two sources disagree", "sha256:", " and sha256:")
    assert run("case", "verify", case).exit_code == 0
    assert run("case", "show", case).exit_code == 0


def test_a_case_of_a_later_version_is_not_touched(source: Path, tmp_path: Path) -> None:
    case = tmp_path / "a.fundtrail"
    assert traced(source, case).exit_code == 0
    with sqlite3.connect(case) as file:
        file.execute("PRAGMA user_version = 99")
    file.close()
    before = case.read_bytes()
    told(run("case", "show", case), 1, "format 99", "newer fundtrail")
    told(traced(source, case), 1, "format 99")
    assert case.read_bytes() == before


def test_what_is_no_case_is_said_to_be_none(tmp_path: Path) -> None:
    told(run("case", "show", tmp_path / "none.fundtrail"), 1, "none.fundtrail")
    (tmp_path / "text.fundtrail").write_text("not a case")
    told(run("case", "show", tmp_path / "text.fundtrail"), 1, "text.fundtrail")


def test_verify_finds_what_was_changed(source: Path, tmp_path: Path) -> None:
    case = tmp_path / "a.fundtrail"
    assert traced(source, case).exit_code == 0
    clean = run("case", "verify", case)
    assert clean.exit_code == 0
    assert "not anchored" in clean.stdout
    head = json.loads(run("case", "verify", case, "--json").stdout)["head"]
    assert run("case", "verify", case, "--anchor", head).exit_code == 0
    assert run("case", "verify", case, "--anchor", "0" * 64).exit_code == 1


def test_an_answer_that_was_changed_is_not_shown(source: Path, tmp_path: Path) -> None:
    case = tmp_path / "a.fundtrail"
    assert traced(source, case).exit_code == 0
    with sqlite3.connect(case) as file:
        guards = file.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'answers'"
        ).fetchall()
        for name, _ in guards:
            file.execute(f"DROP TRIGGER {name}")
        file.execute("UPDATE answers SET body = replace(body, '\"100\"', '\"900\"')")
        for _, made in guards:
            file.execute(made)
    file.close()
    for words in (["show"], ["ends"], ["hops"]):
        told(run("case", *words, case), 1, "changed after it was given", "case verify")
    assert run("case", "verify", case).exit_code == 1


def test_two_claims_that_differ_in_how_sure_they_are_are_both_kept(tmp_path: Path) -> None:
    head = "chain,address,entity,name,role,source,seen,confidence,note\n"
    for first, second in ((50, 10), (10, 50)):
        listed = tmp_path / f"{first}.csv"
        listed.write_text(head + "".join(f"ethereum,{SHOP},Acme,Acme,exchange,us,,{n},\n" for n in (first, second)))
        found = json.loads(run("labels", "show", SHOP, "--labels", listed, "--json").stdout)
        assert [claim["confidence"] for claim in found if claim["chain"] == "ethereum"] == [50, 10]


def test_log_hops_labels_and_exports_speak_json(source: Path, tmp_path: Path) -> None:
    case = tmp_path / "a.fundtrail"
    assert traced(source, case).exit_code == 0
    kinds = [entry["kind"] for entry in json.loads(run("case", "log", case, "--json").stdout)]
    assert kinds[0] == "opened"
    assert kinds[-1] == "trace"
    hops = json.loads(run("case", "hops", case, "--json").stdout)
    assert {hop["target"] for hop in hops} == {MULE, SHOP}
    for form, out in (("csv", "csv"), ("json", "a.json"), ("graphml", "a.graphml")):
        written = run("export", case, "--format", form, "--out", tmp_path / out, "--json")
        assert all(Path(path).stat().st_mode & 0o777 == 0o600 for path in json.loads(written.stdout))
        told(run("export", case, "--format", form, "--out", tmp_path / out), 1, "--force")
        assert run("export", case, "--format", form, "--out", tmp_path / out, "--force").exit_code == 0


def test_labels_are_imported_shown_and_searched_and_bad_ones_are_counted(tmp_path: Path) -> None:
    listed = tmp_path / "labels.csv"
    listed.write_text(
        "chain,address,entity,name,role,source,seen,confidence,note\n"
        f"ethereum,{SHOP},Acme,Acme \x1b[31m1,exchange,somebody,2024-01-01,50,\n"
        "ethereum,0x098B716B8Aaf21512996dC57EB0615e2383E2f95,Bad,Bad,exchange,somebody,,50,\n"
    )
    result = run(
        "labels", "import", listed, "--case", tmp_path / "a.fundtrail", "--out", tmp_path / "own.csv.gz", "--json"
    )
    assert result.exit_code == 3
    (read,) = json.loads(result.stdout)
    assert (read["rows"], read["labels"], len(read["rejected"])) == (2, 1, 1)
    assert "line 3" in result.stderr or "row 2" in result.stderr or "row 3" in result.stderr
    shown = run("labels", "show", SHOP, "--case", tmp_path / "a.fundtrail")
    assert "Acme" in shown.stdout
    assert "\x1b" not in shown.stdout
    (found,) = json.loads(run("labels", "search", "acme", "--labels", tmp_path / "own.csv.gz", "--json").stdout)
    assert found["entity"] == "Acme"
    told(run("labels", "show", SHOP), 2, "no place to look in")


def test_every_command_that_prints_data_has_json() -> None:
    def leaves(command: click.Command, name: str) -> list[tuple[str, click.Command]]:
        if not isinstance(command, click.Group):
            return [(name, command)]
        return [leaf for word, one in command.commands.items() for leaf in leaves(one, f"{name} {word}")]

    without = [n for n, one in leaves(cli.main, "fundtrail") if not any("--json" in p.opts for p in one.params)]
    assert without == ["fundtrail completion"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(shell: str) -> None:
    result = run("completion", shell)
    assert result.exit_code == 0
    assert "_FUNDTRAIL_COMPLETE" in result.stdout


def fresh(*words: str, **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "cli", *words], capture_output=True, text=True, check=False, **more)


def test_help_imports_nothing_heavy() -> None:
    heavy = {"pandas", "networkx", "web3", "neo4j", "numpy", "rich", "yaml", "Crypto", "sqlite3"}
    code = "import sys, cli\ntry: cli.main(['--help'])\nexcept SystemExit: pass\nprint(*sys.modules, file=sys.stderr)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert "Usage" in ran.stdout
    assert not heavy & set(ran.stderr.split())


def chain_of_mules(folder: Path) -> Path:
    """Forty wallets that pass a loss on, each of which also had ten payments from elsewhere."""
    names = [address(f"mule {n}").text for n in range(40)]
    rows = [row(1, VICTIM, names[0], 1000)]
    for n, (mule, then) in enumerate(pairwise(names)):
        rows += [row(20 * n + at, OTHER, mule, 7) for at in range(2, 12)] + [row(20 * n + 12, mule, then, 1000)]
    return facts(folder, *rows, read=(VICTIM, *names))


@pytest.mark.parametrize(("drawn", "room"), [(True, 250_000), pytest.param(False, 700_000, marks=pytest.mark.slow)])
def test_a_full_disk_is_said_and_the_case_goes_on_when_there_is_room(drawn: bool, room: int, tmp_path: Path) -> None:
    start = tx(1) if drawn else "0x098b716b8aaf21512996dc57eb0615e2383e2f96"
    source = chain_of_mules(tmp_path / "facts") if drawn else ROOT / "cases" / "ronin2022"
    case = str(tmp_path / "a.fundtrail")
    words = ("trace", start, "--source", f"file:{source}", "--case", case, "--json")

    def small() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    full = fresh(*words, cwd=ROOT, preexec_fn=small)
    assert full.returncode == 1, full.stderr
    assert "fundtrail: " in full.stderr
    assert "try: " in full.stderr
    assert "Traceback" not in full.stderr
    assert _pages(Path(case)) > 0, "it was full in the middle"
    assert run("case", "verify", case).exit_code == 0
    again = run(*words)
    assert again.exit_code == (0 if drawn else 3), again.stderr
    whole = run(*(word.replace("a.fundtrail", "b.fundtrail") for word in words))
    assert again.stdout == whole.stdout


@pytest.mark.slow
def test_ctrl_c_in_the_middle_loses_nothing(tmp_path: Path) -> None:
    case = tmp_path / "a.fundtrail"
    words = [sys.executable, "-m", "cli", "trace", "0x098b716b8aaf21512996dc57eb0615e2383e2f96",
             "--source", "file:cases/ronin2022", "--case", str(case), "--json"]  # fmt: skip
    interrupted, printed = 0, tmp_path / "printed"
    for _ in range(40):
        pages = _pages(case)
        with printed.open("w") as stdout:  # a pipe that nobody reads would hold the program up
            running = subprocess.Popen(words, cwd=ROOT, stdout=stdout, stderr=subprocess.PIPE, text=True)
            while running.poll() is None and _pages(case) < pages + 5:
                time.sleep(0.01)
            running.send_signal(signal.SIGINT)
            _, err = running.communicate(timeout=60)
        out = printed.read_text()
        if running.returncode == 3:
            break
        assert (running.returncode, out) == (130, ""), err
        assert "goes on from there" in err
        assert "Traceback" not in err
        interrupted += 1
    assert interrupted >= 3
    assert running.returncode == 3, err
    whole = fresh(*(word.replace("a.fundtrail", "b.fundtrail") for word in words[3:]), cwd=ROOT)
    assert json.loads(out)["ends"] == json.loads(whole.stdout)["ends"]
    assert json.loads(out)["requests"] == json.loads(whole.stdout)["requests"], "nothing is asked twice"


def _pages(case: Path) -> int:
    if not case.exists():
        return 0
    try:
        file = sqlite3.connect(f"file:{case}?mode=ro", uri=True, timeout=0.1)
        try:
            return int(file.execute("SELECT count(*) FROM pages").fetchone()[0])
        finally:
            file.close()
    except sqlite3.Error:
        return 0


def test_a_reader_who_leaves_is_no_error(source: Path, tmp_path: Path) -> None:
    assert traced(source, tmp_path / "a.fundtrail").exit_code == 0
    show = [sys.executable, "-m", "cli", "case", "show", str(tmp_path / "a.fundtrail")]
    reader, writer = os.pipe()
    os.close(reader)
    ran = subprocess.run(show, stdout=writer, stderr=subprocess.PIPE, text=True, check=False, cwd=ROOT)
    os.close(writer)
    assert "Traceback" not in ran.stderr
    assert "Exception ignored" not in ran.stderr
