"""Stolen ether exchanged for a token: told in the token and in what it stands for; and what is not believed."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from cases.visible import cells
from commands import facts, labelled, row, run, told, tx
from notation import address

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "docs" / "answer.schema.json").read_text())
VICTIM, FRIEND, MULE, ROUTER, ACME, STRANGER, USDT, FAKE = (
    address(name).text for name in ("victim", "friend", "mule", "router", "acme", "stranger", "usdt", "fake")
)
ETHER, TETHER = 10**18, 10**6


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """10 stolen and 5 other ether; 12 are exchanged for 36,000 USDT, of which 30,000 go to an exchange."""
    return facts(
        tmp_path / "facts",
        row(1, VICTIM, MULE, 10 * ETHER),
        row(2, FRIEND, MULE, 5 * ETHER),
        row(3, MULE, ROUTER, 12 * ETHER),
        row(3, ROUTER, MULE, 36_000 * TETHER, position="log:4", token=USDT, symbol="USDT"),
        row(4, MULE, ACME, 30_000 * TETHER, position="log:1", token=USDT, symbol="USDT"),
        row(5, MULE, STRANGER, 1 * ETHER),
        row(5, STRANGER, MULE, 500 * TETHER, position="log:9", token=FAKE, symbol="USDT"),
        row(6, MULE, ACME, 1 * ETHER),
        read=(VICTIM, MULE, STRANGER),
    )


@pytest.fixture
def case(source: Path, tmp_path: Path) -> Path:
    """The case of that, traced, with the router and the exchange labelled."""
    made, labels = tmp_path / "a.fundtrail", labelled(tmp_path / "labels.csv", router="protocol", acme="exchange")
    result = run("trace", tx(1), "--source", f"file:{source}", "--case", made, "--labels", labels, "--json")
    assert result.exit_code == 0, (result.stderr, result.exception)
    return made


def given(case: Path) -> Any:
    """Its answer, which the schema allows."""
    told = json.loads(run("case", "show", case, "--json").stdout)
    Draft202012Validator(SCHEMA).validate(told)
    return told


def end_of(told: Any, at: str, symbol: str) -> Any:
    (end,) = (end for end in told["ends"] if (end["address"], end["symbol"]) == (at, symbol))
    return end


def test_an_end_is_told_in_its_own_asset_and_in_what_it_stands_for(case: Path) -> None:
    """Under pro_rata 8 of the 12 ether are stolen, so 24,000 of 36,000 USDT stand for them, and 20,000 of 30,000."""
    told = given(case)
    acme = end_of(told, ACME, "USDT")
    assert (acme["asset"], acme["decimals"]) == (f"ethereum/{USDT}", 6)
    assert acme["amounts"] == {
        "fifo": str(30_000 * TETHER),
        "lifo": str(21_000 * TETHER),
        "pro_rata": str(20_000 * TETHER),
        "taint_first": str(30_000 * TETHER),
        "clean_first": str(15_000 * TETHER),
    }
    for rule, units in acme["amounts"].items():
        # 3,000 USDT an ether; what a part of a lot stands for is rounded to the wei
        assert abs(int(acme["basis_amounts"][rule]) - int(units) * ETHER // (3_000 * TETHER)) <= 1
        assert sum(int(part) for part in acme["by_loss"][rule].values()) == int(acme["basis_amounts"][rule])
        assert int(acme["least"]) <= int(units) <= int(acme["most"])
        assert int(acme["basis_least"]) <= int(acme["basis_amounts"][rule]) <= int(acme["basis_most"])


def test_the_books_close_in_the_stolen_asset_across_the_exchange(case: Path) -> None:
    told = given(case)
    for rule, books in told["books"].items():
        assert int(books["lost"]) == 10 * ETHER == sum(int(end["basis_amounts"][rule]) for end in told["ends"])


def test_what_is_believed_and_what_is_not_are_both_told_with_why(case: Path) -> None:
    swap, doubt = given(case)["exchanges"]
    assert (swap["kind"], swap["trusted"], swap["transaction"]) == ("swap", True, f"ethereum:{tx(3)}")
    assert "'ROUTER' (protocol) by us" in swap["why"]
    ((gave,), (got,)) = (swap["conversions"][0][side] for side in ("gave", "got"))
    assert (gave["address"], gave["symbol"], gave["units"]) == (MULE, "ETH", str(12 * ETHER))
    assert (got["address"], got["asset"], got["units"]) == (MULE, f"ethereum/{USDT}", str(36_000 * TETHER))
    assert (doubt["trusted"], doubt["transaction"]) == (False, f"ethereum:{tx(5)}")
    stranger = end_of(given(case), STRANGER, "ETH")
    assert stranger["amounts"]["clean_first"] == str(1 * ETHER), "the money is followed to whoever was paid"


def test_text_has_every_figure_with_its_symbol_and_tells_two_of_one_name_apart(case: Path) -> None:
    text = run("case", "show", case).stdout
    lines = text.splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith(ACME))
    assert "20000.0000 USDT" in lines[at]
    assert lines[at + 1].startswith("  stands for ")
    assert "6.6666 ETH" in lines[at + 1]
    assert "1 carried out: what was got stands for what was given" in text
    assert "1 NOT carried out: the money is followed to whoever was paid" in text
    assert f"USDT is ethereum/{USDT}" in " ".join(text.split())
    assert "500.0000 USDT#2" in text
    assert f"USDT#2 is ethereum/{FAKE}" in " ".join(text.split())


def test_a_place_where_the_rules_part_says_how_much_each_let_go(case: Path) -> None:
    ether, tether = given(case)["commingling"]
    first = ether["choices"][0]
    assert (ether["address"], ether["symbol"], ether["pooled"]) == (MULE, "ETH", False)
    assert (first["units"], first["mixture"]) == (str(12 * ETHER), str(15 * ETHER))
    assert first["stolen_in_it"] == dict.fromkeys(given(case)["rules"], str(10 * ETHER))
    assert first["stolen_taken"] == {
        "fifo": str(10 * ETHER), "lifo": str(7 * ETHER), "pro_rata": str(8 * ETHER), "taint_first": str(10 * ETHER),
        "clean_first": str(7 * ETHER),
    }  # fmt: skip
    assert (tether["symbol"], tether["choices"][0]["mixture"]) == ("USDT", str(36_000 * TETHER))
    text = run("case", "compare", case).stdout
    assert "3 payments from it" in text
    assert "21000.0000 .. 30000.0000 USDT" in text


def test_an_exchange_wallet_that_got_two_assets_is_told_once_for_each(case: Path) -> None:
    tether, ether = given(case)["venues"]
    assert [(one["address"], one["symbol"], one["swept"]) for one in (tether, ether)] == [
        (ACME, "USDT", "0"), (ACME, "ETH", "0"),
    ]  # fmt: skip
    for venue in (tether, ether):
        end = end_of(given(case), ACME, venue["symbol"])
        assert venue["asset"] == end["asset"]
        assert venue["direct"] == end["basis_amounts"], "in the stolen asset, as all that is inferred"


def test_what_buys_less_than_one_unit_of_something_is_not_lost_from_the_books(tmp_path: Path) -> None:
    """3 stolen wei of 10 were given for the one unit that came back: no unit is stolen, and the 3 are still told."""
    rows = (row(1, VICTIM, MULE, 3), row(2, FRIEND, MULE, 7), row(3, MULE, ROUTER, 10))
    got = row(3, ROUTER, MULE, 1, position="log:4", token=USDT, symbol="USDT")
    source = facts(tmp_path / "few", *rows, got, read=(VICTIM, MULE))
    labels = labelled(tmp_path / "labels.csv", router="protocol")
    asked = ("trace", tx(1), "--source", f"file:{source}", "--labels", labels, "--case", tmp_path / "b.fundtrail")
    told = json.loads(run(*asked, "--json").stdout)
    Draft202012Validator(SCHEMA).validate(told)
    (end,) = told["ends"]
    assert (end["stop"], end["part"], end["basis"]) == ("indivisible", "not_followed", "record")
    assert "less than one unit" in end["why"]
    assert end["amounts"] == dict.fromkeys(told["rules"], "0")
    assert end["basis_amounts"] == dict.fromkeys(told["rules"], "3")
    assert {books["not_followed"] for books in told["books"].values()} == {"3"}


def test_hops_and_exports_have_the_amount_in_its_asset_and_its_basis(case: Path, tmp_path: Path) -> None:
    hops = {hop["transfer"]: hop for hop in json.loads(run("case", "hops", case, "--json").stdout)}
    swap = hops[f"ethereum:{tx(3)}:log:4"]
    assert (swap["source"], swap["target"], swap["symbol"], swap["decimals"]) == (MULE, MULE, "USDT", 6)
    assert (swap["amounts"]["lifo"], swap["basis_amounts"]["lifo"]) == (str(21_000 * TETHER), str(7 * ETHER))
    assert swap["gave"]["ethereum"]["lifo"] == str(7 * ETHER)
    assert "21000.0000 USDT" in run("case", "hops", case).stdout
    assert run("export", case, "--format", "csv", "--out", tmp_path / "out").exit_code == 0
    with (tmp_path / "out" / "ends.csv").open(newline="") as file:
        (acme,) = (row for row in csv.DictReader(file) if (row["address"], row["symbol"]) == (ACME, "USDT"))
    end = end_of(given(case), ACME, "USDT")
    assert (acme["asset"], acme["decimals"]) == (end["asset"], "6")
    assert (acme["lifo"], acme["basis_lifo"]) == (end["amounts"]["lifo"], end["basis_amounts"]["lifo"])
    assert (acme["basis_least"], acme["basis_most"]) == (end["basis_least"], end["basis_most"])
    with (tmp_path / "out" / "commingling.csv").open(newline="") as file:
        first = next(csv.DictReader(file))
    assert (first["address"], first["stolen_taken_lifo"], first["units"]) == (MULE, str(7 * ETHER), str(12 * ETHER))


def test_where_the_source_gives_an_order_it_can_be_followed_exactly(source: Path, tmp_path: Path) -> None:
    asked = ("trace", tx(1), "--source", f"file:{source}", "--json", "--order", "exact")
    exact = json.loads(run(*asked, "--case", tmp_path / "b.fundtrail").stdout)
    Draft202012Validator(SCHEMA).validate(exact)
    assert exact["order"] == "exact"
    for books in exact["books"].values():
        assert int(books["lost"]) == sum(int(books[part]) for part in ("ends", "held", "fees", "not_followed"))


def test_a_rule_that_says_nothing_of_its_own_on_this_chain_is_refused(source: Path, tmp_path: Path) -> None:
    asked = ("trace", tx(1), "--source", f"file:{source}", "--case", tmp_path / "b.fundtrail")
    told(run(*asked, "--rule", "highest_out"), 2, "highest_out", "fifo, lifo, pro_rata, taint_first, clean_first")


@pytest.mark.parametrize(
    ("words", "said"),
    [(("--fees", "fee_first"), "fee_last"), (("--order", "random"), "atomic"), (("--rule", "poison"), "clean_first")],
)
def test_an_unknown_convention_names_those_that_are_known(words: tuple[str, str], said: str, source: Path) -> None:
    result = run("trace", tx(1), "--source", f"file:{source}", "--case", "x.fundtrail", *words)
    assert result.exit_code == 2
    assert said in result.stderr


@pytest.mark.parametrize("width", [80, 120])
def test_a_narrow_terminal_gets_cards_that_keep_addresses_whole(width: int, case: Path) -> None:
    from cases.show import show

    text = show(given(case), width=width)
    assert any(line.startswith(ACME) for line in text.splitlines())
    assert "stands for" in text
    assert not [line for line in text.splitlines() if cells(line) > width and len(line.split()) > 1]
