"""No amount passes through a float or one 64-bit column: the pinned amounts survive every way from file to answer."""

from __future__ import annotations

import ast
import csv
import gzip
import importlib
import json
import re
import sqlite3
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bulk_batches import write
from cases.case_file import Case
from cases.exporting.contents import contents_of
from cases.exports import export
from cases.tracing import Question, latest, retraced, trace
from commands import bitcoin, coins
from connectors.bulk.ingest import ingest
from connectors.bulk.ledger import BulkLedger
from connectors.bulk.readers import open_reader
from connectors.transfer_file import TransferFile
from connectors.transfer_rows import COLUMNS, row_of
from connectors.transfer_writing import write_transfers
from drawn_exchanges import asset as named
from drawn_exchanges import drawn, labels
from graphs.follow import follow
from made_up import Clock
from notation import ETHEREUM, START, address
from tracer.coverage import Coverage, CoverageBook, Kind, State
from tracer.engine import move
from tracer.envelope import envelope
from tracer.labels import Role
from tracer.ledger import Ledger
from tracer.losses import Loss
from tracer.lots import Rule
from tracer.moves import Seeds
from tracer.trace import Place, StopCode
from tracer.values import MAX_UNITS, Asset, Block, Chain, Leg, Slot, Transfer, TransferId
from utxo import Drawn, drawing

ROOT = Path(__file__).parents[2]
PINNED = (
    0, 1, 2**53 - 1, 2**53, 2**53 + 1, 2**63 - 1, 2**63, 2**63 + 1, 2**64, 10**21, 2**127, 2**128 - 1, 2**128,
    MAX_UNITS,
)  # fmt: skip
NUMBERS = range(len(PINNED))
RULES = Rule.of(ETHEREUM.family)
BITCOIN = Chain.named("bitcoin")


def token(number: int) -> Asset:
    """A token of its own for each amount, so that each balance is of that amount alone."""
    return Asset(ETHEREUM, address(f"token {number}").text, f"T{number}", 18)


def tx(number: int, part: int) -> str:
    return f"0x{100 * number + part:064x}"


def paid(number: int, part: int, payer: str, payee: str, units: int) -> Transfer:
    """The payment `part` of the story of one amount."""
    block = 10 * number + part
    legs = (Leg.slot(address(who), token(number), units) for who in (payer, payee))
    id = TransferId(ETHEREUM, tx(number, part), "log:0")
    source, target = ((leg,) for leg in legs)
    return Transfer(id, Block(block, START + 12 * block), 0, token(number), source, target, ("drawn",))


def outs(units: int) -> tuple[int, int, int]:
    """What the mule pays on of `units`."""
    return units // 2, units - units // 2, units // 3


def story() -> list[Transfer]:
    """Of each amount as much stolen as clean comes to the mule, who pays shop, bank and shop."""
    found = []
    for number, units in enumerate(PINNED):
        found += [paid(number, 1, "victim", "mule", units), paid(number, 2, "friend", "mule", units)]
        found += [paid(number, 3 + at, "mule", ("shop", "bank")[at % 2], out) for at, out in enumerate(outs(units))]
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> BulkLedger:
    """The story, ingested."""
    at = tmp_path_factory.mktemp("story")
    path = write(at / "story.jsonl", story())
    done = ingest([path], at / "ledger", reader=open_reader(path), whole=True)
    assert (done.transfers, done.rejected) == (len(story()), 0)
    return BulkLedger(at / "ledger")


@pytest.fixture(params=["memory", "folder"])
def ledger(request: pytest.FixtureRequest) -> Ledger:
    """The story as a ledger of either kind."""
    return Ledger.of(story()) if request.param == "memory" else request.getfixturevalue("folder")


# Transfer files


def units_in(transfers: Iterator[Transfer] | list[Transfer]) -> dict[TransferId, int]:
    return {one.id: one.units for one in transfers}


def read_back(path: Path) -> dict[TransferId, int]:
    source = TransferFile(path)
    found: dict[TransferId, int] = {}
    for who in ("victim", "friend", "mule"):
        for page in source.history(address(who)):
            assert page.problems == ()
            found |= units_in(list(page.transfers))
    return found


def test_our_csv_file_gives_back_each_amount(tmp_path: Path) -> None:
    (path,) = write_transfers(story(), (), tmp_path)
    rows = csv.DictReader(gzip.decompress(path.read_bytes()).decode().splitlines())
    assert sorted(int(row["units"]) for row in rows) == sorted(one.units for one in story())
    assert read_back(tmp_path) == units_in(story())


def test_our_json_lines_give_back_each_amount(tmp_path: Path) -> None:
    path = write(tmp_path / "transfers.jsonl", story())
    for line in path.read_text().splitlines():
        assert all(type(leg["units"]) is str for side in ("inputs", "outputs") for leg in json.loads(line)[side])
    assert read_back(path) == units_in(story())


# Ingest


def etl_rows(table: str) -> list[dict[str, Any]]:
    """A table of ethereum-etl with a row of each amount, as text."""
    a, b = address("payer").text, address("payee").text
    found: list[dict[str, Any]] = []
    for number, units in enumerate(PINNED):
        row = {"from_address": a, "to_address": b, "value": str(units), "block_number": str(number + 1)}
        row |= {"block_timestamp": str(START + number)}
        if table == "token_transfers":
            row |= {"token_address": token(0).contract, "transaction_hash": tx(number, 1), "log_index": "7"}
        elif table == "transactions":
            row |= {"hash": tx(number, 1), "transaction_index": "0", "gas_price": "0", "receipt_gas_used": "0"}
            row |= {"input": "0x", "receipt_status": "1"}
        else:
            row |= {"transaction_hash": tx(number, 1), "transaction_index": "0", "trace_type": "call"}
            row |= {"call_type": "call", "trace_address": "0,1", "status": "1"}
        found.append(row)
    return found


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize("table", ["token_transfers", "transactions", "traces"])
def test_a_table_of_ethereum_etl_gives_each_amount(table: str, ending: str, tmp_path: Path) -> None:
    rows = etl_rows(table)
    rows.append({**rows[-1], "value": str(2**256), rows_key(table): tx(99, 1)})  # beyond what any chain holds
    path = tmp_path / f"table.{ending}"
    tabled(path, rows)
    done = ingest([path], tmp_path / "ledger", reader=open_reader(path))
    assert done.rejected == 1
    (refused,) = (tmp_path / "ledger" / "rejected.jsonl").read_text().splitlines()
    assert json.loads(refused)["row"] == len(rows)
    by_tx = {one.id.tx: one.units for one in BulkLedger(tmp_path / "ledger").transfers if one.id.position != "fee"}
    # an internal call of nothing moves nothing and is left out
    told = {tx(number, 1): units for number, units in enumerate(PINNED) if units or table != "traces"}
    assert by_tx == told


def rows_key(table: str) -> str:
    return "hash" if table == "transactions" else "transaction_hash"


def tabled(path: Path, rows: list[dict[str, Any]]) -> None:
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
        return
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.mark.parametrize("kind", [pa.decimal128(38, 0), pa.decimal256(76, 0), pa.uint64(), pa.int64()], ids=str)
def test_a_parquet_column_of_numbers_gives_each_amount_that_fits_it(kind: pa.DataType, tmp_path: Path) -> None:
    most = {"uint64": 2**64 - 1, "int64": 2**63 - 1}.get(str(kind), 10 ** getattr(kind, "precision", 0) - 1)
    rows = [row for row in etl_rows("token_transfers") if int(row["value"]) <= most]
    values = pa.array([int(row["value"]) for row in rows], kind)
    table = pa.Table.from_pylist(rows)
    table = table.set_column(table.column_names.index("value"), "value", values)
    pq.write_table(table, tmp_path / "table.parquet")
    ingest([tmp_path / "table.parquet"], tmp_path / "ledger", reader=open_reader(tmp_path / "table.parquet"))
    got = sorted(one.units for one in BulkLedger(tmp_path / "ledger").transfers)
    assert got == [units for units in PINNED if units <= most]


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_our_own_format_gives_each_amount_to_a_folder(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"transfers.{ending}"
    if ending == "jsonl":
        write(path, story())
    else:
        rows = [row_of(one) for one in story()]
        tabled(path, [{name: row[name] for name in COLUMNS} for row in rows if row])
    done = ingest([path], tmp_path / "ledger", reader=open_reader(path, "own", ETHEREUM))
    assert done.rejected == 0
    assert units_in(iter(BulkLedger(tmp_path / "ledger").transfers)) == units_in(story())


@pytest.mark.parametrize("units", [units for units in PINNED if units < 2**128], ids=str)
def test_coins_of_each_amount_survive_in_a_folder(units: int, tmp_path: Path) -> None:
    fee = min(7, MAX_UNITS - units)
    facts = coins(tmp_path / "facts", {1: ({(9, 0): ("thief", units), (8, 0): ("thief", fee)}, [("shop", units)])})
    path = facts / "transfers.jsonl"
    done = ingest([path], tmp_path / "ledger", reader=open_reader(path))
    assert done.rejected == 0
    of = BulkLedger(tmp_path / "ledger")
    (found,) = of.transfers
    assert [leg.units for leg in found.inputs] == [units, fee]
    assert [leg.units for leg in found.outputs] == [units, fee]
    hid = of.hid(found.outputs[0].holding)
    assert hid is not None
    assert sum(got for to, got in of.outputs(0) if to == hid) == units
    assert of.balance_before(hid, 1) == units


@pytest.mark.parametrize("units", [units for units in PINNED if units >= 2**127], ids=str)
def test_a_coin_is_either_kept_exactly_or_refused_and_never_made_nothing(units: int, tmp_path: Path) -> None:
    path = coins(tmp_path / "facts", {1: ({(9, 0): ("thief", units)}, [("shop", units)])}) / "transfers.jsonl"
    done = ingest([path], tmp_path / "ledger", reader=open_reader(path))
    kept = [one.units for one in BulkLedger(tmp_path / "ledger").transfers]
    assert (kept, done.rejected) in (([units], 0), ([], 1))


# Ledgers and lots


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: str(PINNED[number]))
def test_a_ledger_s_balances_and_movements_are_exact(number: int, ledger: Ledger) -> None:
    units = PINNED[number]
    hid = ledger.hid(Slot(address("mule"), token(number)))
    assert hid is not None
    came = [units, units, *(-out for out in outs(units))]
    steps = [ledger.step_of(ordinal_of(ledger, number, part)) for part in range(1, 6)]
    assert [ledger.balance_before(hid, step) for step in steps] == [sum(came[:at]) for at in range(5)]
    assert ledger.balance_before(hid, len(ledger)) == sum(came)
    assert [entry.units for entry in ledger.entries(hid)] == [abs(one) for one in came]
    assert [sum(got for _, got in ledger.outputs(step)) for step in steps] == [abs(one) for one in came]


def ordinal_of(ledger: Ledger, number: int, part: int) -> int:
    found = ledger.ordinal(TransferId(ETHEREUM, tx(number, part), "log:0"))
    assert found is not None
    return found


def nearest(part: int, whole: int) -> int:
    """The nearest integer; of two equally near, the lower: in doubt a unit is clean."""
    return ceil(Fraction(part, whole) - Fraction(1, 2))


def left_by(rule: Rule, units: int) -> list[int]:
    """What of each payment is stolen, where first `units` stolen and then as much clean came: plain arithmetic."""
    stolen, clean, found = units, units, []
    for out in outs(units):
        whole = stolen + clean
        part = {
            Rule.FIFO: min(out, stolen),
            Rule.LIFO: max(0, out - clean),
            Rule.PRO_RATA: nearest(out * stolen, whole) if whole else 0,
            Rule.TAINT_FIRST: min(out, stolen),
            Rule.CLEAN_FIRST: max(0, out - clean),
        }[rule]
        stolen, clean = stolen - part, clean - (out - part)
        found.append(part)
    return found


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("number", [n for n in NUMBERS if PINNED[n]], ids=lambda number: str(PINNED[number]))
def test_lots_of_each_amount_are_split_exactly_under_every_rule(number: int, rule: Rule, ledger: Ledger) -> None:
    units = PINNED[number]
    hid = ledger.hid(Slot(address("mule"), token(number)))
    assert hid is not None
    seeds = Seeds({ordinal_of(ledger, number, 1): ((1, units),)})
    moves = move(ledger, seeds, {hid: len(ledger)}, rule)
    by_step = {flow.ordinal: sum(lot for _, lot in flow.lots) for flow in moves.flows if flow.source == hid}
    told = [by_step.get(ordinal_of(ledger, number, part), 0) for part in range(3, 6)]
    assert told == left_by(rule, units)
    assert sum(told) + sum(lot for _, lot in moves.rest.get(hid, ())) == units == moves.lost[1]


@pytest.mark.parametrize("number", [n for n in NUMBERS if PINNED[n]], ids=lambda number: str(PINNED[number]))
def test_the_envelope_of_each_amount_is_exact(number: int, ledger: Ledger) -> None:
    """At an end can rest what was paid there and not more than was stolen; at least what clean units cannot make up."""
    units = PINNED[number]
    hid = ledger.hid(Slot(address("mule"), token(number)))
    assert hid is not None
    found = envelope(ledger, Seeds({ordinal_of(ledger, number, 1): ((1, units),)}), {hid: len(ledger)})
    first, second, third = outs(units)
    for name, there in (("shop", first + third), ("bank", second), ("mule", 2 * units - first - second - third)):
        bounds = found.get(Place(token(number), address(name)))
        least, most = max(0, there - units), min(units, there)
        assert (bounds.least, bounds.most) == (least, most) if bounds else most == 0


@pytest.mark.parametrize("rule", Rule)
@pytest.mark.parametrize("stolen", [2**53 + 1, 2**128, 2**255, MAX_UNITS - 1])
def test_coins_of_all_there_can_be_are_split_exactly_under_every_rule(stolen: int, rule: Rule) -> None:
    """A stolen and another coin, 2**256 - 1 in all, are spent into two, the larger one first."""
    clean, larger = MAX_UNITS - stolen, 2**255 + 1
    of = Drawn(drawing(f"1 t: old:{stolen} old:{clean} -> a:{larger} b:{MAX_UNITS - larger}"), unseen={"t<0": 1})
    got = of.stolen(rule)
    first, second = got.get("t.0", 0), got.get("t.1", 0)
    assert first + second == stolen
    if rule is Rule.PRO_RATA:
        assert abs(first * MAX_UNITS - larger * stolen) < MAX_UNITS
    elif rule in (Rule.FIFO, Rule.TAINT_FIRST, Rule.HIGHEST_OUT):
        assert first == min(stolen, larger)
    else:
        assert first == max(0, larger - clean)


# Exchanges


def read_whole(transfers: list[Transfer]) -> CoverageBook:
    everybody = {leg.address for one in transfers for leg in one.inputs + one.outputs if leg.address}
    last = max(one.block.number for one in transfers)
    return CoverageBook(
        Coverage(one, State.READ, frozenset(Kind), "drawn", "drawn", 0, last) for one in sorted(everybody)
    )


@pytest.mark.parametrize("in_folder", [False, True])
@pytest.mark.parametrize(
    ("gave", "got"),
    [(2**128, 2**255), (2**255, 2**128), (MAX_UNITS, MAX_UNITS), (2**53 + 1, 2**63 + 1), (2**64, 2**53 - 1), (1, 1)],
)
def test_an_exchange_keeps_its_basis_to_the_unit(gave: int, got: int, in_folder: bool, tmp_path: Path) -> None:
    """As much stolen as clean came; half of that is exchanged; all that was got goes to a shop."""
    transfers = drawn(
        f"1 victim -> w {gave} A\n2 friend -> w {gave} A\n3 w -> router {gave} A\n3 router -> w {got} B\n"
        f"4 w -> shop {got} B"
    )
    book = labels(router=Role.PROTOCOL)
    of: Ledger = Ledger.of(transfers, read_whole(transfers), keep=book.custodians())
    if in_folder:
        path = write(tmp_path / "swap.jsonl", transfers)
        ingest([path], tmp_path / "ledger", reader=open_reader(path), whole=True)
        of = BulkLedger(tmp_path / "ledger", keep=book.custodians())
    found = follow(of, book, (Loss("theft", named("A"), paid=transfers[0].id),))
    given = {
        Rule.FIFO: gave, Rule.LIFO: 0, Rule.PRO_RATA: nearest(gave, 2), Rule.TAINT_FIRST: gave, Rule.CLEAN_FIRST: 0,
    }  # fmt: skip
    for rule, trace_ in found.traces().items():
        (stolen,) = [end.units for end in trace_.ends if end.place == Place(named("B"), address("shop"))] or [0]
        assert stolen == nearest(got * given[rule], gave)
        at = {end.place: end.stolen for end in trace_.ends}
        basis = at.pop(Place(named("B"), address("shop")), 0)
        # what comes to less than one unit of what was got stays with the exchange: its basis is not lost
        assert basis + sum(at.values()) == gave
        if stolen:
            assert basis + at.get(Place(named("B"), address("w")), 0) == given[rule]
        assert trace_.books.lost == gave
    bounds = found.bounds()[Place(named("B"), address("shop"))]
    assert (bounds.least, bounds.most, bounds.stolen) == (0, got, (0, gave))


# Case file, answer, exports


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


# The code itself

SOURCES = sorted(path for room in ("tracer", "graphs", "connectors/bulk") for path in (ROOT / room).rglob("*.py"))
#: What a `/` may join: names of paths. Everything else it would divide.
PATHS = {"folder", "_folder", "path", "out", "where"}
#: Names under which the libraries have floats, or work in them whatever they are given.
FLOATING = {
    "float16", "float32", "float64", "float128", "float_", "floating", "double", "single", "half", "longdouble", "f4",
    "f8", "complex64", "complex128", "true_divide", "truediv", "divide", "mean", "nanmean", "average", "std", "var",
    "median", "percentile", "quantile", "sqrt", "log", "log2", "log10", "exp", "linspace", "logspace", "interp", "fsum",
}  # fmt: skip
_KIND = re.compile(r"[<>=!@|]?\d*(f2|f4|f8|f|d|e|g|float(16|32|64)?|double|halffloat)")
#: What makes float64 if no kind is said: name -> the arguments before the kind.
_EMPTY = {"zeros": 1, "ones": 1, "empty": 1, "full": 2, "array": 1, "fromfile": 1, "frombuffer": 1}
#: Names of values that measure how long or how full, never how much.
CLOCKS = {"seconds", "timeout", "interval", "progress", "elapsed", "_FULLEST"}


def floats(code: str | bytes) -> Iterator[tuple[int, str]]:
    """(line, what) for each way in `code` by which an amount could come through a float."""
    tree = ast.parse(code)
    refused = {  # a check that something is no float is welcome
        id(node)
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "isinstance"
        for node in ast.walk(call)
    }
    timed = {
        id(node)
        for one in ast.walk(tree)
        if (isinstance(one, ast.keyword) and one.arg in CLOCKS)
        or (isinstance(one, ast.Assign | ast.AnnAssign) and _named(one) & CLOCKS)
        for node in ast.walk(one)
    }
    for node in ast.walk(tree):
        if id(node) in refused or id(node) in timed:
            continue
        match node:
            case ast.Name(id=name) if name == "float" or name in FLOATING - {"log", "half", "single", "var"}:
                yield node.lineno, name
            case ast.Attribute(attr=name, value=ast.Name(id="np" | "pa" | "pc" | "numpy" | "math" | "types")) if (
                name in FLOATING
            ):
                yield node.lineno, f".{name}"
            case ast.Attribute(attr="mean" | "std" | "to_pandas" as name):
                yield node.lineno, f".{name}"
            case ast.Constant(value=float(number)):
                yield node.lineno, f"the float {number}"
            case ast.Constant(value=str(text)) if _KIND.fullmatch(text) and len(text) > 1:
                yield node.lineno, f"the kind {text}"
            case ast.BinOp(left=left, op=ast.Div()) if _first(left) not in PATHS:
                yield node.lineno, "/"
            case ast.AugAssign(op=ast.Div()):
                yield node.lineno, "/="
            case ast.Call(func=ast.Attribute(attr=name, value=ast.Name(id="np")), args=args, keywords=told) if (
                name in _EMPTY and len(args) <= _EMPTY[name] and not any(one.arg == "dtype" for one in told)
            ):
                yield node.lineno, f"np.{name} of a kind that is not said"


def _named(one: ast.Assign | ast.AnnAssign) -> set[str]:
    targets = one.targets if isinstance(one, ast.Assign) else [one.target]
    return {getattr(target, "id", getattr(target, "attr", "")) for target in targets}


def _first(node: ast.expr) -> str:
    """The name at the left end of a chain of `/`."""
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        node = node.left
    if isinstance(node, ast.Call):  # Path(folder) / name
        return "path" if isinstance(node.func, ast.Name) and node.func.id == "Path" else ""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


@pytest.mark.parametrize("file", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_code_that_meets_an_amount_knows_floats(file: Path) -> None:
    assert not list(floats(file.read_bytes()))


@pytest.mark.parametrize(
    "planted",
    [
        "float(units)", "units / 2", "units /= 2", "folder / name / 2 + units / 3", "units * 0.5",
        "amounts.astype(float)",
        "np.zeros(3)", "np.full(3, 0)", "np.array(units)", "np.array(units, 'f8')", "np.array(units, dtype='<f8')",
        "np.dtype([('units', 'f8')])", "column.cast(pa.float64())", "pa.array(units, 'double')", "np.mean(units)",
        "units.mean()", "table.to_pandas()", "np.true_divide(a, b)", "math.sqrt(units)", "def f(units: float): ...",
        "units = seconds * 1e9",
    ],
)  # fmt: skip
def test_the_check_sees_a_planted_float(planted: str) -> None:
    assert list(floats(planted))


@pytest.mark.parametrize(
    "harmless",
    ["units // 2", "folder / name", "self.folder / stored.file", "Path(out) / 'x'", "isinstance(units, float)",
     "wait(timeout=0.5)", "interval = 0.1", "np.zeros(3, np.uint64)", "np.full(3, 0, dtype=np.uint8)",
     "'floating point'"],
)  # fmt: skip
def test_the_check_lets_exact_code_pass(harmless: str) -> None:
    assert not list(floats(harmless))


def inferred(dispatcher: Any, signature: Any) -> list[str]:
    """The variables of a compiled function that are floats, or hold some, by the compiler's own reckoning."""
    from numba.core import types
    from numba.core.registry import cpu_target

    # by name: the compiler's own parts say nothing of their types
    compiler: Any = importlib.import_module("numba.core.compiler")
    typed_passes: Any = importlib.import_module("numba.core.typed_passes")
    compiled = compiler.run_frontend(dispatcher.py_func)
    context, target = cpu_target.typing_context, cpu_target.target_context
    context.refresh()
    target.refresh()
    stage = typed_passes.type_inference_stage(context, target, compiled, signature, None)
    wrong = (types.Float, types.Complex)
    return [
        f"{name}: {kind}"
        for name, kind in stage.typemap.items()
        if isinstance(kind, wrong) or isinstance(getattr(kind, "dtype", None), wrong)
    ]


@pytest.mark.slow
def test_no_compiled_function_works_in_floats(tmp_path: Path) -> None:
    """A compiler may make a float of two integers without a word in the source, as of a signed and an unsigned one."""
    import numba

    if getattr(numba.config, "DISABLE_JIT", 0):  # numba sets it at run time
        pytest.skip("nothing is compiled here")
    rows = etl_rows("token_transfers")
    tabled(tmp_path / "table.csv", rows)
    facts = coins(tmp_path / "facts", {1: ({(900, 0): ("a", 9)}, [("b", 8)]), 2: ({(1, 0): ("b", 8)}, [("c", 7)])})
    write(tmp_path / "own.jsonl", story())
    for at, path in enumerate((tmp_path / "table.csv", facts / "transfers.jsonl", tmp_path / "own.jsonl")):
        ingest([path], tmp_path / f"ledger{at}", reader=open_reader(path))
    rooms = [path.stem for path in SOURCES if path.parent.name == "bulk"]
    known: set[Any] = set()
    while new := [
        (f"{room}.{name}", thing, signature)
        for room in rooms
        for name, thing in vars(importlib.import_module(f"connectors.bulk.{room}")).items()
        if isinstance(thing, numba.core.dispatcher.Dispatcher)
        for signature in thing.signatures
        if (thing, signature) not in known
    ]:  # those that others call are known once their callers were looked at
        for name, thing, signature in new:
            known.add((thing, signature))
            assert not inferred(thing, signature), name
    assert len({thing for thing, _ in known}) > 15


@pytest.mark.parametrize("planted", ["a / b", "a * 0.5", "a ** -1 / b"])
def test_the_look_into_a_compiled_function_sees_a_float(planted: str) -> None:
    import numba

    assert inferred(numba.njit(eval(f"lambda a, b: {planted}")), (numba.uint64, numba.uint64))  # noqa: S307 - ours
    assert not inferred(numba.njit(lambda a, b: a * b // 3), (numba.uint64, numba.uint64))
