"""Ingest of bitcoin-etl's transactions, beside pyarrow reading the same file: `python benchmarks/bench_coins.py`.

The transactions are made up and always the same: they spend what earlier ones made, of addresses in three forms, with
scripts of the usual length. What is measured, and the results: docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[1]))

from benchmarks.bulk_figures import Line, middle
from benchmarks.bulk_peers import Report, fresh
from benchmarks.measuring import machine
from cases.table import table

BLOCK, GROUP = 2_000, 50_000  # transactions in a block, and in a row group of Parquet
TIME = 1_400_000_000
COINS = 50 * 10**8
AGAIN = 0.4  # of the outputs go to an address that was paid before
NUMBERS = ("numpy", "pyarrow", "pyarrow.parquet", "numba")
Row = dict[str, Any]
Coin = tuple[str, int, int, str]  # transaction, number of the output, value, address


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    asked.add_argument("--size", type=int, default=200_000, help="transactions")
    asked.add_argument("--times", type=int, default=3)
    asked.add_argument("--endings", default="parquet", help="of parquet, jsonl, csv (our own account transfers)")
    asked.add_argument("--folder", type=Path, help="where to keep the made files for another time")
    given = asked.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory(dir=given.folder) as work:
        lines: list[Line] = []
        for ending in given.endings.split(","):
            path = (given.folder or Path(work)) / f"coins-{given.size}.{ending}"
            if not path.is_file():
                make(path, given.size)
            lines += _lines(path, given.size, given.times, Path(work) / "ledger")
    headings = ["what", "unit", "ours", "peer", "theirs", "ours / theirs", "bar"]
    print(table(headings, [one.cells for one in lines], 5, None, colour=False))


def _lines(path: Path, size: int, times: int, out: Path) -> Iterator[Line]:
    ours: list[Report] = []
    peers: list[Report] = []
    for _ in range(times + 1):
        shutil.rmtree(out, ignore_errors=True)
        ours.append(fresh("benchmarks.bench_coins:ingest", str(path), str(out), imports=NUMBERS))
        if ours[-1].value != [size, size]:
            raise SystemExit(f"rows read and added: {ours[-1].value}, and both should be {size:,}")
        peers.append(fresh("benchmarks.bench_coins:encode", str(path), imports=NUMBERS))
    ours, peers = ours[1:] or ours, peers[1:] or peers  # the first finds nothing compiled and nothing cached
    wall = middle(one.wall for one in ours)
    what = f"{size:,} of {path.suffix[1:]}"
    yield Line(f"ingest, {what}", "s", wall, "pyarrow", middle(one.wall for one in peers))
    yield Line(
        f"processor, {what}", "s", middle(one.process for one in ours), "pyarrow", middle(p.process for p in peers)
    )
    yield Line(
        f"memory, {what}", "MB", middle(p.megabytes for p in ours), "pyarrow", middle(p.megabytes for p in peers)
    )
    yield Line(f"rows a second, {what}", "", size / wall if wall else None)


def ingest(path: str, out: str) -> list[int]:
    """Take the file into a new folder; rows read and transfers added."""
    from connectors.bulk.ingest import ingest as take
    from connectors.bulk.readers import open_reader

    done = take([Path(path)], Path(out), reader=open_reader(path), whole=True)
    return [done.rows, done.added]


def encode(path: str) -> int:
    """The peer: pyarrow reads the file and gives every address one number; how many there are."""
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.json
    import pyarrow.parquet as pq

    if path.endswith(".csv"):
        found = pa.csv.read_csv(path)
        sides = [*found["from"].chunks, *found["to"].chunks]
    else:
        found = pq.read_table(path) if path.endswith(".parquet") else pa.json.read_json(path)
        legs = [chunk for side in ("inputs", "outputs") for chunk in found[side].chunks]
        sides = [leg.flatten().field("addresses").flatten() for leg in legs]
    return len(pa.chunked_array(sides).dictionary_encode().chunk(0).dictionary)


def make(path: Path, size: int) -> None:
    """Write so many transactions: JSON lines or Parquet as bitcoin-etl does, or account transfers of our own format."""
    if path.suffix == ".csv":
        _make_own(path, size)
        return
    rows = transactions(size)
    if path.suffix == ".parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        writer = None
        while group := [row for _, row in zip(range(GROUP), rows, strict=False)]:
            found = pa.Table.from_pylist(group) if writer is None else pa.Table.from_pylist(group, writer.schema)
            writer = writer or pq.ParquetWriter(path, found.schema)
            writer.write_table(found)
        if writer:
            writer.close()
        return
    with path.open("w") as stream:
        stream.writelines(json.dumps(row) + "\n" for row in rows)


def transactions(size: int) -> Iterator[Row]:
    """So many transactions, the first of each block a coinbase, in the order of the chain."""
    lots = random.Random(7)
    coins: list[Coin] = []
    known = [_address(lots)]
    for number in range(size):
        block, place = divmod(number, BLOCK)
        tx = lots.randbytes(32).hex()
        spent = (
            [] if place == 0 else [_drawn(coins, lots) for _ in range(min(len(coins), lots.choice((1, 1, 1, 2, 3))))]
        )
        held, fee = sum(coin[2] for coin in spent) if spent else COINS, lots.randrange(20_000) if spent else 0
        fee = min(fee, held)
        made = _split(held - fee, lots.choice((1, 2, 2, 2, 3)), lots)
        paid = [(tx, at, value, _payee(known, lots)) for at, value in enumerate(made)]
        coins += paid
        yield _row(tx, block, place, spent, paid, fee, lots)


def _row(tx: str, block: int, place: int, spent: list[Coin], paid: list[Coin], fee: int, lots: random.Random) -> Row:
    inputs = [
        {"index": at, "spent_transaction_hash": of, "spent_output_index": n, "script_asm": "", "required_signatures": 1,
         "script_hex": lots.randbytes(107).hex(), "sequence": 2**32 - 1, "type": "pubkeyhash", "addresses": [owner],
         "value": value}
        for at, (of, n, value, owner) in enumerate(spent)
    ]  # fmt: skip
    outputs = [
        {"index": at, "script_asm": "", "script_hex": "76a914" + lots.randbytes(20).hex() + "88ac",
         "required_signatures": 1, "type": "pubkeyhash", "addresses": [owner], "value": value}
        for _, at, value, owner in paid
    ]  # fmt: skip
    held = sum(coin[2] for coin in spent)
    return {
        "type": "transaction", "hash": tx, "size": 250, "virtual_size": 250, "version": 1, "lock_time": 0,
        "block_number": block, "block_hash": f"{block:064x}", "block_timestamp": TIME + 600 * block,
        "is_coinbase": not spent, "index": place, "inputs": inputs, "outputs": outputs, "input_count": len(inputs),
        "output_count": len(outputs), "input_value": held, "output_value": held - fee, "fee": fee,
    }  # fmt: skip


def _drawn(coins: list[Coin], lots: random.Random) -> Coin:
    """A coin, mostly a late one, which is then spent."""
    at = max(0, len(coins) - 1 - int(lots.expovariate(1 / 5_000)))
    coins[at], coins[-1] = coins[-1], coins[at]
    return coins.pop()


def _split(units: int, parts: int, lots: random.Random) -> list[int]:
    cuts = sorted(lots.randrange(units + 1) for _ in range(parts - 1))
    return [end - start for start, end in zip([0, *cuts], [*cuts, units], strict=True)]


def _payee(known: list[str], lots: random.Random) -> str:
    if lots.random() < AGAIN:
        return known[int(len(known) * lots.random() ** 3)]
    known.append(_address(lots))
    return known[-1]


def _address(lots: random.Random) -> str:
    from tracer.addresses import base58, segwit

    digest, form = lots.randbytes(20), lots.random()
    if form < 0.6:
        return base58.write(0 if form < 0.4 else 5, digest)
    return segwit.write("bc", 0, digest) if form < 0.9 else segwit.write("bc", 1, sha256(digest).digest())


def _make_own(path: Path, size: int) -> None:
    lots = random.Random(7)
    owners = [f"0x{lots.randbytes(20).hex()}" for _ in range(size // 4 + 2)]
    contract = f"0x{lots.randbytes(20).hex()}"
    with path.open("w") as stream:
        stream.write("chain,tx,position,block,time,index,asset,symbol,decimals,from,to,units,method,source\n")
        for number in range(size):
            payer, payee = (owners[int(len(owners) * lots.random() ** 3)] for _ in range(2))
            block, place = divmod(number, 200)
            token = f"{contract},USDT,6" if number % 2 else ",ETH,18"
            position = f"log:{place}" if number % 2 else "tx"
            moment = (
                f"2020-09-{1 + block // 7200 % 28:02}T{block // 300 % 24:02}:{block // 5 % 60:02}:{block % 5 * 12:02}Z"
            )
            stream.write(
                f"ethereum,0x{lots.randbytes(32).hex()},{position},{block},{moment},{place},{token},{payer},{payee},"
                f"{lots.randrange(10**21)},,somewhere\n"
            )


if __name__ == "__main__":
    main()
