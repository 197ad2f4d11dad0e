"""The pinned amounts stand whole in case files, answers and exports."""

from __future__ import annotations

import csv
import json
import sqlite3
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from cases.case_file import Case
from cases.exporting.contents import contents_of
from cases.exports import export
from cases.tracing import Question, latest, retraced, trace
from commands import bitcoin, coins
from connectors.transfer_file import TransferFile
from connectors.transfer_writing import write_transfers
from made_up import Clock
from notation import ETHEREUM, address
from pinned_amounts import NUMBERS, PINNED, RULES, left_by, outs, read_whole, story, tx, units_in
from tracer.trace import StopCode
from tracer.values import MAX_UNITS, Chain

BITCOIN = Chain.named("bitcoin")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> TransferFile:
    """The story as a source that read everybody whole."""
    at = tmp_path_factory.mktemp("source")
    write_transfers(story(), list(read_whole(story())), at)
    return TransferFile(at, name="file:story")


def asked(case: Case, source: TransferFile, number: int) -> dict[str, Any]:
    return trace(case, Question(f"{tx(number, 1)}:log:0", ETHEREUM), [source], now=Clock())


def expected(number: int) -> dict[str, dict[str, int]]:
    """Name -> rule -> units."""
    units = PINNED[number]
    found: dict[str, dict[str, int]] = {"shop": {}, "bank": {}, "mule": {}}
    for rule in RULES:
        first, second, third = left_by(rule, units)
        found["shop"][rule], found["bank"][rule] = first + third, second
        found["mule"][rule] = units - first - second - third
    return {name: by_rule for name, by_rule in found.items() if any(by_rule.values())}


def listed(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text().splitlines()))


def told_by(answer: dict[str, Any]) -> dict[str, dict[str, int]]:
    names = {address(name).text: name for name in ("shop", "bank", "mule")}
    found = {}
    for end in answer["ends"]:
        assert all(type(units) is str for units in end["amounts"].values())
        assert end["amounts"] == end["basis_amounts"]
        found[names[end["address"]]] = {rule: int(units) for rule, units in end["amounts"].items()}
    return found


def numbers_in(text: str) -> list[int]:
    """The bare numbers of a JSON document: any program may read them through a float."""
    found: list[int] = []

    def no_float(written: str) -> None:
        raise AssertionError(f"{written} is a floating point number")

    json.loads(text, parse_int=lambda written: found.append(int(written)), parse_float=no_float)
    return found


@pytest.mark.parametrize("number", [n for n in NUMBERS if PINNED[n]], ids=lambda number: str(PINNED[number]))
def test_case_file_answer_and_exports_hold_each_amount(number: int, source: TransferFile, tmp_path: Path) -> None:
    path = tmp_path / "a.fundtrail"
    with Case.create(path, at=1) as case:
        answer = asked(case, source, number)
    assert told_by(answer) == expected(number)
    assert {int(units) for units in answer["losses"][0]["lost"].values()} == {PINNED[number]}
    with Case.open(path) as case:
        assert not case.verify()
        kept = {one.id: one.units for one in case.ledger().transfers}
        again = retraced(case, latest(case))
        files = {
            form: export(contents_of(case, answer, again), tmp_path / form, form)
            for form in ("csv", "json", "graphml")
        }  # fmt: skip
    assert kept.items() <= units_in(story()).items()
    assert {tx(number, part) for part in range(1, 6)} <= {id.tx for id in kept}
    for rule in RULES:
        books = again.traces()[rule].books
        assert books.lost == PINNED[number] == books.ends + books.held + books.fees + books.not_followed

    ends = listed(tmp_path / "csv" / "ends.csv")
    shop = next(end for end in ends if end["address"] == address("shop").text) if "shop" in expected(number) else None
    for named_rule, units in expected(number).get("shop", {}).items():
        assert shop is not None
        assert shop[named_rule] == str(units)
    hops = {row["transfer"] for row in listed(tmp_path / "csv" / "hops.csv")}
    moved = [row for row in listed(tmp_path / "csv" / "transfers.csv") if row["transfer"] in hops]
    assert {row["units"] for row in moved} <= {str(PINNED[number]), *map(str, outs(PINNED[number]))}
    assert str(PINNED[number]) in {row["units"] for row in moved}

    (document,) = files["json"]
    body = document.read_text()
    assert all(one < 2**53 - 1 for one in numbers_in(body))
    assert told_by(json.loads(body)["answer"]) == expected(number)
    assert all(one < 2**53 - 1 for one in numbers_in(json.dumps(answer)))

    (drawing_,) = files["graphml"]
    tree = ET.fromstring(drawing_.read_bytes())  # noqa: S314 - our own bytes
    kinds = {key.get("id"): key.get("attr.type") for key in tree.iterfind(".//{*}key")}
    texts = [(kinds[data.get("key")], data.text or "") for data in tree.iterfind(".//{*}data")]
    assert not {"float", "double"} & set(kinds.values())
    assert all(int(text) < 2**53 - 1 for kind, text in texts if kind in ("int", "long"))
    amounts = {text for kind, text in texts if kind == "string"}
    for name, by_rule in expected(number).items():
        assert {str(units) for units in by_rule.values()} <= amounts, name


def test_an_amount_of_nothing_is_kept_as_a_fact_though_there_is_nothing_to_follow(
    source: TransferFile, tmp_path: Path
) -> None:
    (number,) = [n for n in NUMBERS if not PINNED[n]]
    with Case.create(tmp_path / "a.fundtrail", at=1) as case:
        for page in source.history(address("mule")):
            case.store_page("file:story", address("mule"), page, at=1)
        assert units_in(list(case.ledger().transfers)) == units_in(story())
        assert [one.units for one in case.transaction(ETHEREUM, tx(number, 1))] == [0]


def test_a_case_file_holds_no_amount_as_a_number_of_sqlite(source: TransferFile, tmp_path: Path) -> None:
    """SQLite's integers have 64 bits and its reals 53: an amount may be in neither."""
    path = tmp_path / "a.fundtrail"
    for number in (n for n in NUMBERS if PINNED[n]):
        path.unlink(missing_ok=True)
        with Case.create(path, at=1) as case:
            asked(case, source, number)
        store = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        try:
            for (table,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                for row in store.execute(f'SELECT * FROM "{table}"'):  # noqa: S608 - the file's own names
                    assert not [value for value in row if isinstance(value, float)]
                    assert not {value for value in row if isinstance(value, int)} & set(PINNED[2:])
        finally:
            store.close()


def test_a_coin_of_all_there_can_be_is_traced_in_a_case(tmp_path: Path) -> None:
    half = MAX_UNITS // 2
    facts = coins(
        tmp_path / "facts",
        {
            1: ({(900, 0): ("victim", MAX_UNITS)}, [("thief", MAX_UNITS - 1)]),
            2: ({(1, 0): ("thief", MAX_UNITS - 1)}, [("shop", half), ("change", MAX_UNITS - 1 - half - 2)]),
        },
    )
    with Case.create(tmp_path / "a.fundtrail", at=1) as case:
        answer = trace(case, Question(f"{1:064x}:0", BITCOIN), [TransferFile(facts)], now=Clock())
    by_name = {end["address"]: set(end["amounts"].values()) for end in answer["ends"]}
    assert by_name == {
        bitcoin("shop"): {str(half)},
        bitcoin("change"): {str(MAX_UNITS - 1 - half - 2)},
        None: {"2"},
    }
    assert {end["stop"] for end in answer["ends"] if end["address"] is None} == {str(StopCode.FEE)}
