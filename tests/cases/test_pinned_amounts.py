"""No amount passes through a float or one 64-bit column: the pinned amounts survive every way from file to answer."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bulk_batches import write
from commands import coins
from connectors.bulk.ingest import ingest
from connectors.bulk.ledger import BulkLedger
from connectors.bulk.readers import open_reader
from connectors.transfer_file import TransferFile
from connectors.transfer_rows import COLUMNS, row_of
from connectors.transfer_writing import write_transfers
from drawn_exchanges import asset as named
from drawn_exchanges import drawn, labels
from graphs.follow import follow
from notation import ETHEREUM, address
from pinned_amounts import (
    NUMBERS,
    PINNED,
    RULES,
    etl_rows,
    left_by,
    nearest,
    outs,
    read_whole,
    rows_key,
    story,
    tabled,
    token,
    tx,
    units_in,
)
from tracer.engine import move
from tracer.envelope import envelope
from tracer.labels import Role
from tracer.ledger import Ledger
from tracer.losses import Loss
from tracer.lots import Rule
from tracer.moves import Seeds
from tracer.trace import Place
from tracer.values import MAX_UNITS, Slot, TransferId
from utxo import Drawn, drawing


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
