"""A made-up account ledger of a million transfers and more, as ethereum-etl would have exported it; always the same.

`python benchmarks/bulk_ledger.py --size 10M 10M.parquet` writes the file and, beside it, `10M.labels.csv` (the services
that stop a trace) and `10M.facts.json` (what it is like, and which losses and addresses a benchmark asks about).

**Like a real one.** A few addresses are hubs and most are hardly used: who pays and who is paid is mostly copied from
an earlier transfer, so degrees follow a power law; 0.29 addresses a transfer, 43 % of them seen once, one label to
20,000 addresses, all of them hubs, and as many hubs without one. Amounts are wei up to 10^24 with all their digits,
Pareto where money is new, one payment in ten. The others pay a share of what was paid to them, often all. Blocks of 150
come every 12 seconds.

**Unlike one.** Its hubs are 10 to 1,000 times smaller than those of a real chain, nobody has habits, friends or
opening hours, there are no fees, and money waits for as long as it happens to. It says nothing about how well a
trace finds anything; it is for time and memory only.

Memory: 8 bytes a transfer and 28 an address, and one row group. The draws are numpy's PCG64, the same on every machine.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

sys.path.append(str(Path(__file__).resolve().parents[1]))

from connectors.labels.own import write_labels
from tracer.addresses import parse
from tracer.labels import Label, Role
from tracer.values import Chain

SIZES = {"1M": 1_000_000, "10M": 10_000_000, "50M": 50_000_000}
TABLES = ("transactions", "token_transfers")
AMOUNTS = ("decimal", "text")
TOKEN = "0x" + "70ce" * 10

ROW_GROUP = 131_072
STEP = 4_096  # transfers that are drawn together; they know what was before them, not each other
START = 1_000  # the first such step; the fewer start, the bigger the hubs
TRIES = 3  # how often a payer is drawn again because its wallet is empty
BLOCK_OF, SECONDS, FIRST_BLOCK, FIRST_TIME = 150, 12, 18_000_000, 1_693_000_000
GWEI = 10**9
LARGEST = 10**15  # gwei: 10^24 wei
ASKED = 200  # losses and addresses that the facts name

# Of payers and payees: how many are new, and how many are anybody; the rest are copied from an earlier row.
NEW_PAYERS, ANY_PAYERS = 0.09, 0.02
NEW_PAYEES, ANY_PAYEES = 0.20, 0.06

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Facts:
    """What was made. `losses`: hashes of payments, half way, to the unlabelled. `asked`: addresses, by activity."""

    rows: int
    addresses: int
    seen_once: int
    busiest: int
    from_nowhere: int
    above_64_bits: int
    labels: int
    table: str
    amounts: str
    losses: tuple[str, ...]
    asked: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rows:
    """Transfers `first` and following: ids of payer and payee, and the amount as gwei and wei below one gwei."""

    first: int
    payer: Ints
    payee: Ints
    gwei: Ints
    wei: Ints
    from_nowhere: int


def make(path: Path, size: int, *, table: str = "transactions", amounts: str = "decimal", seed: int = 4) -> Facts:
    """Write the ledger to `path` (.parquet or .csv), labels and facts beside it. The same arguments, the same rows."""
    payers, payees = np.empty(size, np.int32), np.empty(size, np.int32)
    from_nowhere = above = 0
    digits = amounts if path.suffix == ".parquet" else "text"
    with _writer(path, schema(table, digits)) as writer:
        for rows in _row_groups(_steps(size, seed, payers, payees)):
            writer.write_batch(columns(rows, table, digits, seed))
            from_nowhere += rows.from_nowhere
            above += int(np.count_nonzero(_two_words(rows)[1]))
    degree = np.bincount(payers)
    more = np.bincount(payees, minlength=len(degree))
    more[: len(degree)] += degree
    return _beside(path, more, payers, payees, from_nowhere, above, table, amounts, seed)


def facts_of(path: Path) -> Facts:
    """The facts beside `path`, as `make` returned them."""
    told = json.loads(path.with_suffix(".facts.json").read_text())
    return Facts(**(told | {name: tuple(told[name]) for name in ("losses", "asked")}))


def part_of(path: Path, first: int, last: int, out: Path) -> None:
    """Write rows `first` to `last` (from 0, `last` not included) of a Parquet file to `out`, in row groups as here."""
    from pyarrow.parquet import ParquetFile

    at = 0
    with ParquetFile(path) as whole, _writer(out, whole.schema_arrow) as writer:
        for batch in whole.iter_batches(ROW_GROUP):
            begin, end = max(first - at, 0), min(last - at, len(batch))
            if begin < end:
                writer.write_batch(batch.slice(begin, end - begin))
            at += len(batch)


def schema(table: str, amounts: str) -> pa.Schema:
    """The columns of ethereum-etl that a ledger needs; the order and the names are its own."""
    value = pa.decimal128(38, 0) if amounts == "decimal" else pa.string()
    if table == "transactions":
        fields = [("hash", pa.string()), ("block_number", pa.int64()), ("transaction_index", pa.int64()),
                  ("from_address", pa.string()), ("to_address", pa.string()), ("value", value),
                  ("block_timestamp", pa.int64())]  # fmt: skip
    else:
        fields = [("token_address", pa.string()), ("from_address", pa.string()), ("to_address", pa.string()),
                  ("value", value), ("transaction_hash", pa.string()), ("log_index", pa.int64()),
                  ("block_number", pa.int64()), ("block_timestamp", pa.int64())]  # fmt: skip
    return pa.schema(fields)


def columns(rows: Rows, table: str, amounts: str, seed: int) -> pa.RecordBatch:
    """`rows` as ethereum-etl writes them. As token transfers every eighth row is the second of its transaction."""
    number = np.arange(rows.first, rows.first + len(rows.payer), dtype=np.int64)
    transaction = number if table == "transactions" else number - (number % 8 == 7)
    block = FIRST_BLOCK + number // BLOCK_OF
    low, high = _two_words(rows)
    value = pa.Array.from_buffers(
        pa.decimal128(38, 0), len(low), [None, pa.py_buffer(np.stack([low, high], axis=1).tobytes())]
    )
    found: dict[str, Any] = {
        "hash": _hex(transaction, 32, seed + 1),
        "block_number": block,
        "transaction_index": number % BLOCK_OF,
        "log_index": number % BLOCK_OF,
        "from_address": addresses(rows.payer, seed),
        "to_address": addresses(rows.payee, seed),
        "value": value if amounts == "decimal" else value.cast(pa.string()),
        "block_timestamp": FIRST_TIME + SECONDS * (block - FIRST_BLOCK),
    }
    if table == "token_transfers":
        found |= {"transaction_hash": found["hash"], "token_address": pa.repeat(TOKEN, len(number))}
    named = schema(table, amounts)
    return pa.record_batch([pa.array(found[name]) for name in named.names], schema=named)


def addresses(ids: Ints, seed: int) -> pa.Array:
    """The addresses behind the generator's own numbers, as text."""
    return _hex(ids, 20, seed)


def _steps(size: int, seed: int, payers: NDArray[np.int32], payees: NDArray[np.int32]) -> Iterator[Rows]:
    """Draw `size` transfers, STEP at a time; fills `payers` and `payees`, which later steps copy from."""
    chance = np.random.Generator(np.random.PCG64(seed))
    most = int(size * (NEW_PAYERS + NEW_PAYEES) * 1.01) + 2 * STEP
    gwei, wei = np.zeros(most, np.int64), np.zeros(most, np.int64)  # what each address has
    known = first = 0
    while first < size:
        count = min(max(START, first // 4), STEP, size - first)  # small at first: who is early becomes a hub
        payee, known = _payees(chance, count, first, known, payers, payees)
        payer, known = _payers(chance, count, first, known, payees, gwei)
        paid_gwei, paid_wei, short = _amounts(chance, payer, gwei, wei)
        has = ~short
        np.subtract.at(gwei, payer[has], paid_gwei[has])
        np.subtract.at(wei, payer[has], paid_wei[has])
        np.add.at(gwei, payee, paid_gwei)
        np.add.at(wei, payee, paid_wei)
        for side in (payer, payee):  # whole gwei out of the wei, or a borrowed one back
            carry = wei[side] // GWEI
            wei[side] -= carry * GWEI
            gwei[side] += carry
        payers[first : first + count], payees[first : first + count] = payer, payee
        yield Rows(first, payer, payee, paid_gwei, paid_wei, int(short.sum()))
        first += count


def _payees(
    chance: np.random.Generator, count: int, first: int, known: int, payers: NDArray[np.int32],
    payees: NDArray[np.int32],
) -> tuple[Ints, int]:  # fmt: skip
    if not first:
        return np.arange(known, known + count), known + count
    row, kind = chance.integers(0, first, count), chance.random(count)
    found = np.where(chance.random(count) < 0.5, payees[row], payers[row]).astype(np.int64)
    anybody = kind < NEW_PAYEES + ANY_PAYEES
    found[anybody] = chance.integers(0, known, int(anybody.sum()))
    new = kind < NEW_PAYEES
    fresh = int(new.sum())
    found[new] = np.arange(known, known + fresh)
    return found, known + fresh


def _payers(
    chance: np.random.Generator, count: int, first: int, known: int, payees: NDArray[np.int32], gwei: Ints
) -> tuple[Ints, int]:
    if not first:
        return np.arange(known, known + count), known + count
    kind = chance.random(count)
    found = payees[chance.integers(0, first, count)].astype(np.int64)
    for _ in range(TRIES):
        empty = gwei[found] < 2
        found[empty] = payees[chance.integers(0, first, int(empty.sum()))]
    anybody = kind < NEW_PAYERS + ANY_PAYERS
    found[anybody] = chance.integers(0, known, int(anybody.sum()))
    new = kind < NEW_PAYERS
    fresh = int(new.sum())
    found[new] = np.arange(known, known + fresh)
    return found, known + fresh


def _amounts(chance: np.random.Generator, payer: Ints, gwei: Ints, wei: Ints) -> tuple[Ints, Ints, NDArray[np.bool_]]:
    """(gwei, wei) of each payment, and where the payer had nothing, so that it is new money.

    Two payments in five are all there is. Who pays several times in this step pays from an equal part each time.
    """
    count = len(payer)
    _, place, times = np.unique(payer, return_inverse=True, return_counts=True)
    often = times[place]
    has = gwei[payer] // often
    short = has < 2
    paid = np.minimum((has * np.sqrt(chance.random(count))).astype(np.int64), has - 1)
    below = chance.integers(0, GWEI, count)
    everything = (chance.random(count) < 0.4) & (often == 1)
    paid, below = np.where(everything, has, paid), np.where(everything, wei[payer], below)
    new = np.minimum(2 * GWEI / (1 - chance.random(count)), LARGEST).astype(np.int64)
    return np.where(short, new, paid), np.where(short & (new == LARGEST), 0, below), short


def _row_groups(steps: Iterator[Rows]) -> Iterator[Rows]:
    held: list[Rows] = []
    for rows in steps:
        held.append(rows)
        if sum(len(one.payer) for one in held) >= ROW_GROUP:
            yield _joined(held)
            held = []
    if held:
        yield _joined(held)


def _joined(held: list[Rows]) -> Rows:
    payer, payee, gwei, wei = (
        np.concatenate([getattr(one, name) for one in held]) for name in ("payer", "payee", "gwei", "wei")
    )
    return Rows(held[0].first, payer, payee, gwei, wei, sum(one.from_nowhere for one in held))


def _two_words(rows: Rows) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """gwei x 10^9 + wei in 128 bits, as (low, high), by hand: no 64-bit column holds an amount."""
    half, mask = np.uint64(32), np.uint64(0xFFFFFFFF)
    gwei = rows.gwei.astype(np.uint64)
    upper, lower = (gwei >> half) * np.uint64(GWEI), (gwei & mask) * np.uint64(GWEI) + rows.wei.astype(np.uint64)
    low = (upper << half) + lower
    return low, (upper >> half) + (low < lower)


def _hex(ids: Ints, size: int, seed: int) -> pa.Array:
    """`size` bytes that look like chance for each id, as 0x and hex (splitmix64, a word at a time)."""
    words = np.empty((len(ids), -(-size // 8)), np.uint64)
    for word in range(words.shape[1]):
        mixed = ids.astype(np.uint64) * np.uint64(4) + np.uint64(word + ((seed * 0x9E3779B97F4A7C15) % 2**62))
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        words[:, word] = mixed ^ (mixed >> np.uint64(31))
    width = 2 + 2 * size
    text = np.empty((len(ids), width), np.uint8)
    text[:, :2] = np.frombuffer(b"0x", np.uint8)
    text[:, 2:] = _PAIRS[words.view(np.uint8)[:, :size]].view(np.uint8).reshape(len(ids), 2 * size)
    offsets = np.arange(len(ids) + 1, dtype=np.int32) * width
    return pa.StringArray.from_buffers(len(ids), pa.py_buffer(offsets), pa.py_buffer(text))


_PAIRS = np.frombuffer("".join(f"{byte:02x}" for byte in range(256)).encode(), np.uint16)


def _beside(
    path: Path, degree: Ints, payers: NDArray[np.int32], payees: NDArray[np.int32], from_nowhere: int, above: int,
    table: str, amounts: str, seed: int,
) -> Facts:  # fmt: skip
    """Choose labels, losses and addresses to ask about, and write them."""
    chance = np.random.Generator(np.random.PCG64(seed + 1))
    size, count = len(payers), max(20, len(degree) // 20_000)
    hubs = np.argsort(-degree, kind="stable")[: 2 * count]
    labelled = np.sort(chance.choice(hubs, min(count, len(hubs)), replace=False))
    window = np.arange(size // 2, min(size, size // 2 + max(size // 100, ASKED)))
    fit = window[~np.isin(payees[window], labelled) & (payees[window] != payers[window])]
    losses = np.sort(chance.choice(fit, min(ASKED, len(fit)), replace=False))
    if table == "token_transfers":
        losses = losses[losses % 8 < 6]  # alone in their transactions
    row = chance.integers(0, size, ASKED)
    asked = np.where(chance.random(ASKED) < 0.5, payers[row], payees[row]).astype(np.int64)
    facts = Facts(
        size, len(degree), int((degree == 1).sum()), int(degree.max()), from_nowhere, above, len(labelled), table,
        amounts, tuple(_hex(losses, 32, seed + 1).to_pylist()), tuple(addresses(asked, seed).to_pylist()),
    )  # fmt: skip
    ethereum = Chain.named("ethereum")
    write_labels(
        (
            Label(parse(text, ethereum), f"service {number}", "", Role.EXCHANGE, "made up", None, 90, path.name)
            for number, text in enumerate(addresses(labelled, seed).to_pylist(), start=1)
        ),
        path.with_suffix(".labels.csv"),
    )
    path.with_suffix(".facts.json").write_text(json.dumps(asdict(facts), indent=1))
    return facts


def _writer(path: Path, named: pa.Schema) -> Any:
    """A batch becomes a row group, or lines."""
    if path.suffix == ".parquet":
        from pyarrow.parquet import ParquetWriter

        return ParquetWriter(path, named, compression="zstd")
    from pyarrow.csv import CSVWriter, WriteOptions

    return CSVWriter(path, named, write_options=WriteOptions(quoting_style="none"))


def main() -> None:
    """Make one ledger and say what it is like."""
    asked = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    asked.add_argument("path", type=Path, help="ends in .parquet or .csv")
    asked.add_argument("--size", default="1M", help="1M, 10M, 50M or a number of transfers")
    asked.add_argument("--table", choices=TABLES, default=TABLES[0])
    asked.add_argument("--amounts", choices=AMOUNTS, default=AMOUNTS[0])
    given = asked.parse_args()
    size = SIZES.get(given.size) or int(given.size)
    made = asdict(make(given.path, size, table=given.table, amounts=given.amounts))
    for name in ("losses", "asked"):
        made[name] = len(made[name])
    print(json.dumps(made, indent=1))


if __name__ == "__main__":
    main()
