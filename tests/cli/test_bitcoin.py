"""A Bitcoin theft from the command to the answer: outputs as starts, splits and change, fees, CoinJoins and leads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from commands import bitcoin, coins, run, told

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "docs" / "answer.schema.json").read_text())
THEFT = f"{1:064x}"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """The thief gets 60 of 100, puts 40 of his own beside them, pays 55 to a shop and spends the change of 43."""
    return coins(
        tmp_path / "facts",
        {
            1: ({(900, 0): ("victim", 100)}, [("thief", 60), ("victim", 39)]),
            2: ({(1, 0): ("thief", 60), (901, 0): ("thief", 40)}, [("shop", 55), ("change", 43)]),
            3: ({(2, 1): ("change", 43)}, [("shop", 20), ("thief", 22)]),
        },
    )


def traced(source: Path, case: Path, *more: object, start: str = f"{THEFT}:0") -> Any:
    """The answer to a trace that is whole, which the schema allows."""
    result = run("trace", start, "--source", f"file:{source}", "--case", case, "--json", *more)
    assert result.exit_code == 0, (result.stderr, result.exception)
    given = json.loads(result.stdout)
    Draft202012Validator(SCHEMA).validate(given)
    return given


def amounts(given: Any, name: str | None) -> dict[str, str]:
    """By rule what rests at a drawn name, or with the miners."""
    at = bitcoin(name) if name else None
    (end,) = (end for end in given["ends"] if end["address"] == at)
    assert end["amounts"] == end["basis_amounts"]
    return dict(end["amounts"])


def test_a_split_with_change_is_followed_under_all_six_rules(source: Path, tmp_path: Path) -> None:
    """Of 100 with 60 stolen come shop 55, change 43, fee 2; of the change shop 20, thief 22, fee 1."""
    given = traced(source, tmp_path / "a.fundtrail")
    assert given["rules"] == ["fifo", "lifo", "pro_rata", "taint_first", "clean_first", "highest_out"]
    assert given["losses"][0]["start"] == f"bitcoin:{THEFT}:0"
    assert given["losses"][0]["lost"] == dict.fromkeys(given["rules"], "60")
    shop, thief, fee = amounts(given, "shop"), amounts(given, "thief"), amounts(given, None)
    for rule in given["rules"]:
        assert int(shop[rule]) + int(thief[rule]) + int(fee[rule]) == 60
    # fifo: the stolen input comes first. 55 to the shop, 5 to the change, and of that the first output gets all.
    assert (shop["fifo"], thief["fifo"], fee["fifo"]) == ("60", "0", "0")
    # lifo: the last input first. 40 clean and 15 stolen to the shop, 43 stolen to the change, 2 stolen to the miner.
    assert (shop["lifo"], thief["lifo"], fee["lifo"]) == ("35", "22", "3")
    # highest_out: the larger output gets the stolen first, so 55 and 5; then the larger of 20 and 22.
    assert (shop["highest_out"], thief["highest_out"], fee["highest_out"]) == ("55", "5", "0")


@pytest.mark.parametrize("fees", ["fee_prorata", "fee_in_ratio"])
def test_the_fee_convention_changes_what_the_miner_has_and_is_named(fees: str, source: Path, tmp_path: Path) -> None:
    given = traced(source, tmp_path / "a.fundtrail", "--fees", fees)
    assert given["fees"] == fees
    assert amounts(given, None)["fifo"] != amounts(traced(source, tmp_path / "b.fundtrail"), None)["fifo"] == "0"
    assert f"fees: {fees}, " in run("case", "show", tmp_path / "a.fundtrail").stdout


def test_the_answer_is_traced_again_from_the_case_under_the_convention_it_was_given_with(
    source: Path, tmp_path: Path
) -> None:
    case = tmp_path / "a.fundtrail"
    given = traced(source, case, "--fees", "fee_prorata", "--rule", "fifo")
    hops = json.loads(run("case", "hops", case, "--json").stdout)
    to_miner = sum(int(hop["amounts"]["fifo"]) for hop in hops if hop["target"] is None)
    assert str(to_miner) == amounts(given, None)["fifo"] != "0"


def test_a_transaction_of_several_outputs_does_not_say_which_is_the_loss(source: Path, tmp_path: Path) -> None:
    asked = ("--source", f"file:{source}", "--case", tmp_path / "a.fundtrail")
    told(run("trace", THEFT, *asked), 2, "2 outputs, and some may be change", f"{THEFT}:0 (0.0000006 BTC to ")
    told(run("trace", f"{THEFT}:5", *asked), 2, "no spendable output 5", f"{THEFT}:1")
    told(run("trace", f"{THEFT}:0", *asked, "--amount", "1"), 2, "more than")
    told(run("trace", f"{99:064x}:0", *asked), 2, "no source knows the transaction")
    told(run("trace", bitcoin("thief")[:-1] + "1", *asked), 2, "checksum")


def test_all_rules_are_compared_whatever_rule_was_asked_for(source: Path, tmp_path: Path) -> None:
    case = tmp_path / "a.fundtrail"
    every = traced(source, tmp_path / "all.fundtrail")
    traced(source, case, "--rule", "fifo")
    result = run("case", "compare", case, "--json")
    assert result.exit_code == 0, result.stderr
    compared = json.loads(result.stdout)
    assert compared["format"] == "fundtrail-comparison/1"
    assert compared["rules"] == every["rules"]
    assert compared["commingling"] == every["commingling"] != []
    for end, same in zip(compared["ends"], every["ends"], strict=True):
        assert {key: same[key] for key in end} == end
        by_rule = [int(units) for units in end["basis_amounts"].values()]
        assert end["over_rules"] == {"least": str(min(by_rule)), "most": str(max(by_rule))}
        assert int(end["basis_least"]) <= min(by_rule) <= max(by_rule) <= int(end["basis_most"])
    text = run("case", "compare", case).stdout
    assert text.startswith("What hangs on the rule (inferred)")
    assert "Where the rules part (commingling; inferred)" in text
    assert bitcoin("shop") in text
    assert json.loads(run("case", "show", case, "--json").stdout)["rules"] == ["fifo"], "nothing is kept of it"


def test_a_case_without_an_answer_cannot_be_compared(tmp_path: Path) -> None:
    told(run("case", "compare", tmp_path / "none.fundtrail"), 1, "none.fundtrail")


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """Five owners, the thief among them, put coins together and get five equal ones and five changes back."""
    owners = ("thief", "anna", "berta", "carl", "dora")
    inputs = {(1, 0): ("thief", 1_500_000)} | {
        (900 + n, 0): (name, 1_400_000 + n) for n, name in enumerate(owners[1:], start=1)
    }
    equal = [(f"{name}2", 1_000_000) for name in owners]
    changes = [(f"{name}3", 300_000 + n) for n, name in enumerate(owners)]
    return coins(
        tmp_path / "facts",
        {
            1: ({(899, 0): ("victim", 1_600_000)}, [("thief", 1_500_000)]),
            2: (inputs, [*equal, *changes]),
        },
    )


def test_a_coinjoin_ends_the_trace_and_what_lies_beyond_is_odds_and_no_amount(mixed: Path, tmp_path: Path) -> None:
    case, labels = tmp_path / "a.fundtrail", tmp_path / "labels.csv"
    labels.write_text(
        "chain,address,entity,name,role,source,seen,confidence,note\n"
        f"bitcoin,{bitcoin('anna2')},Acme,Acme 1,exchange,us,,50,\n"
    )
    plain = traced(mixed, tmp_path / "b.fundtrail", "--labels", labels, start=THEFT)
    given = traced(mixed, case, "--leads", "--labels", labels, start=THEFT)
    assert plain["leads"] is None
    assert {key: value for key, value in given.items() if key not in ("leads", "requests")} == {
        key: value for key, value in plain.items() if key not in ("leads", "requests")
    }, "the odds change nothing else"
    (end,) = (end for end in given["ends"] if end["stop"] == "coinjoin")
    assert (end["address"], end["holding"], end["basis"]) == (None, f"bitcoin:{2:064x}", "behaviour")
    assert end["amounts"] == dict.fromkeys(given["rules"], "1500000")
    found = given["leads"]["found"]
    assert {(lead["address"], lead["one_in"]) for lead in found} == {
        (bitcoin(f"{name}2"), 5) for name in ("thief", "anna", "berta", "carl", "dora")
    }
    assert [lead["address"] for lead in found if lead["labelled"]] == [bitcoin("anna2")]
    text = run("case", "show", case).stdout
    assert "Leads beyond CoinJoins (odds, not amounts)" in text
    assert "1 in 5" in text
    assert "Leads beyond" not in run("case", "show", tmp_path / "b.fundtrail").stdout
