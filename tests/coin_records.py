"""Transactions as bitcoin-etl writes them, odd ones too, in its file formats; and what its reader tells the storage."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st

from connectors.bulk.batch import CoinBatch
from connectors.bulk.ingest import ingest
from connectors.bulk.ledger import BulkLedger
from connectors.bulk.readers_coins import BitcoinEtl
from tracer.values import Chain, Outpoint, Sink, SinkKind, Transfer

BITCOIN, LITECOIN, CASH, DOGE = (Chain.named(name) for name in ("bitcoin", "litecoin", "bitcoin-cash", "dogecoin"))
T = [f"{number:064x}" for number in range(1, 20)]
TIME = 1648042149
A, B = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "12cbQLTFMXRnSzktFkuoG3eHoMeFtpTu3S"
SEGWIT, TAPROOT = (
    "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
)
PINNED = [0, 1, 2**53 - 1, 2**53, 2**53 + 1, 2**63 - 1, 2**63, 2**63 + 1, 2**64 - 1, 2**64, 10**21, 2**127, 2**128 - 1]
PINNED += [2**128, 2**256 - 1]
WHOLE = ("block_number", "block_timestamp", "index", "input_count", "output_count", "fee")  # numbers
IN_LEGS = ("index", "spent_output_index", "value")
Row = dict[str, Any]


OWN = {BITCOIN: A, CASH: A, LITECOIN: "LM2WMpR1Rp6j3Sa59cMXMs1SPzj9eXpGc1", DOGE: "DH5yaieqoZN36fDVciNyRueRGvGLR3mr7L"}


def on(chain: Chain, rows: list[Row]) -> list[Row]:
    """The rows with an address of that chain for A and B."""
    there = json.loads(json.dumps(rows).replace(A, OWN[chain]).replace(B, OWN[chain]))
    assert isinstance(there, list)
    return there


class ByRow(BitcoinEtl):
    """The way that has the last word, alone."""

    def _columns(self, chunk: Any, live: Any) -> None:
        return None


class Columns(BitcoinEtl):
    """Counts the rows that columns were sure of."""

    sure = 0

    def _columns(self, chunk: Any, live: Any) -> Any:
        found = super()._columns(chunk, live)
        self.sure += int(found[1].sum()) if found else 0
        return found


def paid(value: Any = 2**53 + 1, **more: Any) -> Row:
    base = {"index": 0, "spent_transaction_hash": T[5], "spent_output_index": 3, "type": "x", "addresses": [A]}
    return base | {"value": value, "script_hex": "00"} | more


def got(value: Any = 2**53 - 5, **more: Any) -> Row:
    return {"index": 0, "script_hex": "76a9", "type": "pubkeyhash", "addresses": [B], "value": value} | more


def record(**more: Any) -> Row:
    outputs = [got(), got(2, index=1, script_hex="6a0461", type="nulldata", addresses=["nonstandard12"])]
    base = {"hash": T[0], "block_number": 7, "block_timestamp": TIME, "is_coinbase": False, "index": 4}
    base |= {"inputs": [paid()], "outputs": outputs, "input_count": 1, "output_count": 2, "fee": 4}
    return base | more


def coinbase(*values: Any, height: int = 7, **more: Any) -> Row:
    outputs = [got(value, index=at) for at, value in enumerate(values)]
    base = record(is_coinbase=True, inputs=[], input_count=0, outputs=outputs, output_count=len(outputs), fee=0)
    return base | {"block_number": height, "hash": T[1]} | more


def parquet(path: Path, rows: list[Row], kinds: dict[str, pa.DataType] | None = None) -> Path:
    """The rows with columns of these types, by name wherever they stand; text, whole numbers and lists else."""
    kinds = kinds or {}
    leg = [
        pa.field(name, kinds.get(f"leg.{name}", pa.string()))
        for name in ("spent_transaction_hash", "type", "script_hex")
    ]
    leg += [pa.field(name, kinds.get(f"leg.{name}", pa.int64())) for name in ("index", "spent_output_index", "value")]
    leg.append(pa.field("addresses", kinds.get("leg.addresses", pa.list_(pa.string()))))
    leg += [pa.field(name.removeprefix("more."), kind) for name, kind in kinds.items() if name.startswith("more.")]
    legs = kinds.get("lists", pa.list_)(pa.struct(leg))
    names = {
        name: pa.int64() for name in ("block_number", "block_timestamp", "index", "input_count", "output_count", "fee")
    }
    names |= {"hash": pa.string(), "is_coinbase": pa.bool_(), "inputs": legs, "outputs": legs}
    schema = pa.schema([(name, kinds.get(name, kind)) for name, kind in names.items()])
    path = path / "transactions.parquet"
    pq.write_table(pa.Table.from_pylist(rows, schema), path, row_group_size=5)
    return path


def lines(path: Path, rows: list[Row | str]) -> Path:
    path = path / "transactions.jsonl"
    text = "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows)
    path.write_text(text)
    return path


def told(reader: BitcoinEtl, path: Path, skip: int = 0) -> tuple[list[Any], dict[int, str], tuple[str, ...]]:
    """Everything that the storage is told, the transactions and the refusals, and the caveats."""
    found: list[Any] = []
    bad: dict[int, str] = {}
    for batch in reader.batches(path, skip):
        assert isinstance(batch, CoinBatch)
        assert batch.tx.type == batch.coin_tx.type == pa.binary(32)
        assert (batch.rows[1:] > batch.rows[:-1]).all()
        assert (batch.leg_of[1:] >= batch.leg_of[:-1]).all()
        legs: list[list[Any]] = [[] for _ in batch.rows]
        columns = zip(
            batch.leg_of.tolist(), batch.output.tolist(), batch.sink.tolist(), batch.coin_tx.to_pylist(),
            batch.coin_index.tolist(), batch.address.to_pylist(), batch.low.tolist(), batch.high.tolist(), strict=True,
        )  # fmt: skip
        for of, output, sink, tx, index, owner, low, high in columns:
            place = (sink,) if sink else (tx, index)
            legs[of].append((output, place, owner, high * 2**64 + low))
        heads = zip(batch.rows.tolist(), batch.block.tolist(), batch.time.tolist(), batch.index.tolist(), strict=True)
        found += [(*head, tx, mine) for head, tx, mine in zip(heads, batch.tx.to_pylist(), legs, strict=True)]
        bad |= {one.row: one.why for one in batch.rejected}
    return found, bad, reader.caveats


def alike(path: Path, chain: Chain = BITCOIN, skip: int = 0) -> tuple[list[Any], dict[int, str]]:
    """What the file says, the same by both ways."""
    by_columns = told(BitcoinEtl(chain), path, skip)
    assert by_columns == told(ByRow(chain), path, skip)
    return by_columns[0], by_columns[1]


NUMBERS = [
    0,
    1,
    3,
    4,
    -1,
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**32,
    2**53 + 1,
    2**63 - 1,
    None,
    "",
    "4",
    "04",
    "x",
    "-1",
    "1" * 19,
]
HASHES = [T[3], "0x" + T[3], "0X" + T[3].upper(), "ab" * 32, "AB" * 32, " " + T[3], T[3][1:], "g" * 64, "", None]
TIMES = [TIME, 0, TIME * 1000, None, 4102444800, str(TIME), "2022-03-23T13:29:09Z", "2022-03-23 13:29:09+00:00", ""]
TIMES += ["2022-03-23 13:29:09 UTC", "2022-03-23T13:29:09.000Z", "2022-03-23T13:29:09.0000Z", "2022-03-23T13:29:09"]
OWNERS = [
    [A], [B], [SEGWIT], [TAPROOT], [SEGWIT.upper()], [A + " "], [A[:-1] + "b"], [SEGWIT[:-1] + "5"], ["nonstandard12"],
    [], [A, B], [A, None], [None], None, [""], ["nonstandar"], *([text] for text in OWN.values()), ["é"], [A, B, A],
    ["3EktnHQD7RiAE6uzMj2ZifT9YgRrkSgzQX"], ["bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a"],
]  # fmt: skip
#: Of each field, by where it stands: values that are fine and such as are not.
ODD: dict[str, dict[str, list[Any]]] = {
    "": {
        "hash": HASHES, "block_number": NUMBERS, "block_timestamp": TIMES, "index": NUMBERS, "fee": [*PINNED, *NUMBERS],
        "input_count": NUMBERS, "output_count": NUMBERS, "is_coinbase": [True, False, None],
        "inputs": [[], None, [None], [paid(), None]],
        "outputs": [[], None, [None], [got(), None]],
    },
    "inputs": {
        "spent_transaction_hash": HASHES, "spent_output_index": NUMBERS, "addresses": OWNERS,
        "value": [*PINNED, *NUMBERS],
    },
    "outputs": {
        "index": NUMBERS, "addresses": OWNERS,
        "value": [*PINNED, *NUMBERS],
        "script_hex": ["6a", "6a00", "6A00", "76a9", "6", "", None],
        "type": ["nulldata", "nulldata ", "pubkeyhash", "", None],
    },
}  # fmt: skip


def drawn(side: str) -> dict[str, st.SearchStrategy[Any]]:
    """Any of those values for any of a side's fields."""
    return {name: st.sampled_from(values) for name, values in ODD[side].items()}


LEGS = st.one_of(
    st.none(),
    st.lists(
        st.one_of(
            st.builds(paid), st.builds(got), st.just(None), st.builds(paid, st.integers(0, 2**64)),
            st.fixed_dictionaries({}, optional=drawn("inputs")).map(lambda odd: paid() | odd),
            st.fixed_dictionaries({}, optional=drawn("outputs")).map(lambda odd: got() | odd),
        ),
        max_size=4,
    ),
)  # fmt: skip
CHANGES = st.fixed_dictionaries({}, optional={**drawn(""), "inputs": LEGS, "outputs": LEGS})


@st.composite
def odd_rows(draw: st.DrawFn) -> list[Row]:
    """Rows that are fine and rows with a few things changed, so that quick and slow ones stand side by side."""
    rows = []
    for _ in range(draw(st.integers(1, 8))):
        base = draw(st.sampled_from([record(), coinbase(50 * 10**8), coinbase(5, 7, height=210_000 * 70)]))
        base = base | draw(st.one_of(st.just({}), CHANGES))
        if draw(st.booleans()) and isinstance(base["outputs"], list) and isinstance(base["inputs"], list):
            base = base | {"input_count": len(base["inputs"]), "output_count": len(base["outputs"])}
            sides = [[leg["value"] if leg else None for leg in base[side]] for side in ("inputs", "outputs")]
            if all(isinstance(value, int) for side in sides for value in side):
                base["fee"] = sum(value or 0 for value in sides[0]) - sum(value or 0 for value in sides[1])
        rows.append(base)
    return rows


def fitted(rows: list[Row], kinds: dict[str, pa.DataType]) -> list[Row]:
    """The rows, with what a column of its type cannot hold left out."""

    def fit(value: Any, kind: pa.DataType | None) -> Any:
        if kind is None or value is None or isinstance(value, bool | list):
            return value
        if pa.types.is_string(kind) or pa.types.is_large_string(kind):
            return str(value)
        if not isinstance(value, int):
            return value if kind is None else None
        if pa.types.is_decimal(kind):
            return Decimal(value) if len(str(abs(value))) <= kind.precision - kind.scale else None
        least, most = (0, 2**64) if pa.types.is_unsigned_integer(kind) else (-(2**63), 2**63)
        return value if least <= value < most else None

    found = []
    for row in rows:
        fit_row = {
            name: fit(value, kinds.get(name, pa.int64() if name in WHOLE else None)) for name, value in row.items()
        }
        for side in ("inputs", "outputs"):
            fit_row[side] = row[side] and [
                leg and {
                    name: fit(value, kinds.get(f"leg.{name}", pa.int64() if name in IN_LEGS else None))
                    for name, value in leg.items()
                }
                for leg in row[side]
            ]  # fmt: skip
        found.append(fit_row)
    return found


def ledgers(path: Path, at: Path) -> Iterator[tuple[list[Transfer], str]]:
    for reader in (BitcoinEtl(BITCOIN), ByRow(BITCOIN)):
        out = at / type(reader).__name__
        ingest([path], out, reader=reader, whole=True)
        yield list(BulkLedger(out).transfers), (out / "rejected.jsonl").read_text()


def rows_of(transfers: list[Transfer]) -> list[Row]:
    """Transactions as bitcoin-etl would have written them."""
    found = []
    for one in transfers:
        sides: dict[str, list[Row]] = {"inputs": [], "outputs": []}
        fee = 0
        for side, legs in (("inputs", one.inputs), ("outputs", one.outputs)):
            for leg in legs:
                told = {"value": leg.units, "addresses": [leg.address.text] if leg.address else None, "type": "x"}
                if isinstance(leg.holding, Outpoint):
                    spent = {"spent_transaction_hash": leg.holding.tx, "spent_output_index": leg.holding.index}
                    sides[side].append(told | (spent if side == "inputs" else {"index": leg.holding.index}))
                elif isinstance(leg.holding, Sink) and leg.holding.kind is SinkKind.UNSPENDABLE:
                    sides[side].append(told | {"type": "nulldata", "index": len(sides[side])})
                elif side == "outputs":
                    fee += leg.units
        row = {"hash": one.id.tx, "block_number": one.block.number, "block_timestamp": one.block.time, "fee": fee}
        row |= {"index": one.index, "is_coinbase": not sides["inputs"], **sides}
        found.append(row | {"input_count": len(sides["inputs"]), "output_count": len(sides["outputs"])})
    return found
