"""The peers of the bulk ledger, as simple as people write them, and the fresh process in which memory is measured.

`fifo`: the usual script, a deque of lots per address. `encode`: pyarrow's dictionary encoding of the addresses.
`Sqlite`: one table with a unique id and an index each on payer and payee. Where a choice had to be made it favours the
peer: the script gets numbers instead of addresses and merges lots, SQLite gets a large cache and its rows ready made.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
MIB = 2**20
CHILD = "import sys; sys.path.insert(0, sys.argv[1]); from benchmarks.bulk_peers import child; child(*sys.argv[2:])"

Row = tuple[bytes, int, int, int, int, bytes, bytes, str]  # tx, log, block, place in it, time, payer, payee, amount


@dataclass(frozen=True, slots=True)
class Report:
    """What one call in a process of its own took: seconds, and MB above what its imports left. `value` it returned."""

    wall: float
    process: float
    megabytes: float
    value: Any


def fresh(call: str, *given: Any, imports: Collection[str] = ()) -> Report:
    """Run `module:function` on `given` in a new process. Time and memory count from after `imports`."""
    command = [sys.executable, "-c", CHILD, str(ROOT), call, json.dumps(given), json.dumps(list(imports))]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{call} failed in its own process:\n{done.stderr[-3000:]}")
    return Report(**json.loads(done.stdout.splitlines()[-1]))


def child(call: str, given: str, imports: str) -> None:
    """The other side of `fresh`."""
    from importlib import import_module

    for name in json.loads(imports):
        import_module(name)
    base, wall, process = _memory("VmRSS"), time.perf_counter(), time.process_time()
    module, _, function = call.partition(":")
    value = getattr(import_module(module), function)(*json.loads(given))
    took = time.perf_counter() - wall, time.process_time() - process
    print(json.dumps({"wall": took[0], "process": took[1], "megabytes": _memory("VmHWM") - base, "value": value}))


def _memory(name: str) -> float:
    """MB of this process. Not by getrusage: on Linux its peak counts what the parent had before it started this one."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(name + ":"))
    except (OSError, StopIteration):
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / MIB if sys.platform == "darwin" else peak / 1024


def drop_caches(paths: Iterable[Path]) -> None:
    """Ask the kernel to forget these files (the host below a virtual machine may remember them still)."""
    os.sync()  # only clean pages can be dropped
    for path in paths:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file():
                handle = os.open(file, os.O_RDONLY)
                try:
                    os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
                finally:
                    os.close(handle)


# --- pyarrow ------------------------------------------------------------------------------------------------------


def encode(path: str, columns: Collection[str] | None) -> int:
    """Read `columns` (None: all) of a Parquet file and give every address one number, in both columns."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(path, columns=columns)
    both = pa.chunked_array([*table["from_address"].chunks, *table["to_address"].chunks])
    encoded = both.dictionary_encode()
    table = table.drop_columns(["from_address", "to_address"])
    del both
    return len(encoded.chunk(0).dictionary)


# --- the usual script ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Numbered:
    """The ledger for the script: per row group (payer, payee, amount) as Python lists, made while it waits."""

    path: Path
    addresses: list[str]
    groups: list[tuple[Any, Any]]

    @classmethod
    def of(cls, path: Path) -> Numbered:
        """Number the addresses of a ledger."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = pq.read_table(path, columns=["from_address", "to_address"])
        payers, payees = table["from_address"].chunks, table["to_address"].chunks
        encoded = pa.chunked_array([*payers, *payees]).dictionary_encode().chunks
        pairs = zip(encoded[: len(payers)], encoded[len(payers) :], strict=True)
        groups = [(one.indices.to_numpy(), other.indices.to_numpy()) for one, other in pairs]
        return cls(path, encoded[0].dictionary.to_pylist(), groups)

    def lists(self) -> Iterator[tuple[list[int], list[int], list[int]]]:
        """Payers, payees and amounts, a group at a time."""
        from pyarrow.parquet import ParquetFile

        values: deque[int] = deque()
        with ParquetFile(self.path) as file:
            batches = file.iter_batches(columns=["value"])
            for payers, payees in self.groups:
                while len(values) < len(payers):
                    values.extend(amounts(next(batches).column(0)))
                yield payers.tolist(), payees.tolist(), [values.popleft() for _ in range(len(payers))]


def amounts(column: Any) -> list[int]:
    """A decimal128 or a text column as Python integers."""
    import numpy as np
    import pyarrow as pa

    if pa.types.is_decimal(column.type):
        words = np.frombuffer(column.buffers()[1], np.uint64)[2 * column.offset :][: 2 * len(column)].reshape(-1, 2)
        low, high = words[:, 0].tolist(), words[:, 1].tolist()
        return [one + (two << 64) for one, two in zip(low, high, strict=True)]
    return [int(text) for text in column.to_pylist()]


def fifo(ledger: Numbered, labelled: Collection[int], stolen_row: int) -> tuple[dict[int, int], float]:
    """First in, first out over the whole ledger, from one stolen payment: (stolen units by address, seconds).

    What reaches a label stays there. Neighbouring lots of one kind become one, which makes the script faster. The
    seconds leave out reading.
    """
    lots: dict[int, deque[tuple[int, bool]]] = {}
    absorbed: dict[int, int] = {}
    row, seconds = 0, 0.0
    for payers, payees, units in ledger.lists():
        began = time.perf_counter()
        for payer, payee, amount in zip(payers, payees, units, strict=True):
            if payer != payee:
                moved = [(amount, False)] if payer not in lots else _taken(lots[payer], amount)
                if row == stolen_row:
                    moved = [(amount, True)]
                if payee in labelled:
                    bad = sum(part for part, stolen in moved if stolen)
                    if bad:
                        absorbed[payee] = absorbed.get(payee, 0) + bad
                        moved = [(amount, False)]
                queue = lots.get(payee)
                if queue is None:
                    lots[payee] = queue = deque()
                for part, stolen in moved:
                    if queue and queue[-1][1] == stolen:
                        queue[-1] = (queue[-1][0] + part, stolen)
                    else:
                        queue.append((part, stolen))
            row += 1
        seconds += time.perf_counter() - began
    for address, queue in lots.items():
        rests = sum(part for part, stolen in queue if stolen)
        if rests:
            absorbed[address] = absorbed.get(address, 0) + rests
    return absorbed, seconds


def _taken(queue: deque[tuple[int, bool]], amount: int) -> list[tuple[int, bool]]:
    """`amount` from the front of the queue; what is not there is new money, and clean."""
    moved = []
    while amount and queue:
        has, stolen = queue[0]
        if has > amount:
            queue[0] = (has - amount, stolen)
            moved.append((amount, stolen))
            return moved
        queue.popleft()
        moved.append((has, stolen))
        amount -= has
    if amount:
        moved.append((amount, False))
    return moved


# --- SQLite -------------------------------------------------------------------------------------------------------

_TABLE = """CREATE TABLE transfers (tx BLOB, log INTEGER, block INTEGER, place INTEGER, time INTEGER,
    payer BLOB, payee BLOB, amount TEXT, UNIQUE (tx, log))"""
_INDEXES = ("CREATE INDEX by_payer ON transfers (payer)", "CREATE INDEX by_payee ON transfers (payee)")
_PUT = "INSERT OR IGNORE INTO transfers VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_HISTORY = """SELECT * FROM transfers WHERE payer = ?1
    UNION ALL SELECT * FROM transfers WHERE payee = ?1 AND payer <> ?1 ORDER BY block, place, log"""


@dataclass(frozen=True, slots=True)
class Sqlite:
    """One file. Times are of SQLite alone: the rows are ready before the clock starts."""

    path: Path

    @property
    def files(self) -> list[Path]:
        """All files that SQLite keeps for it."""
        return sorted(self.path.parent.glob(self.path.name + "*"))

    def load(self, parquet: Path) -> tuple[float, float]:
        """Seconds to insert into a new table with its unique index, and to make the other two."""
        for file in self.files:
            file.unlink()
        with _connected(self.path) as connection:
            connection.execute(_TABLE)
            inserted = self._insert(connection, parquet)
            began = time.perf_counter()
            for index in _INDEXES:
                connection.execute(index)
            connection.commit()
            return inserted, time.perf_counter() - began

    def load_again(self, parquet: Path) -> tuple[float, int]:
        """Seconds to insert or ignore all rows of another file, and how many were new."""
        with _connected(self.path) as connection:
            before = connection.total_changes
            return self._insert(connection, parquet), connection.total_changes - before

    def _insert(self, connection: sqlite3.Connection, parquet: Path) -> float:
        seconds = 0.0
        for rows in sqlite_rows(parquet):
            began = time.perf_counter()
            with connection:
                connection.executemany(_PUT, rows)
            seconds += time.perf_counter() - began
        began = time.perf_counter()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return seconds + time.perf_counter() - began


def histories(path: str, asked: list[str], complete: bool = False) -> tuple[list[float], int]:
    """Seconds that each address' transfers in order of time take, amounts as integers; and how many there are in all.

    The first figure has the opening of the file in it. `complete`: each row as the Transfer that ours makes of it.
    """
    made: Callable[[Row], object] = _transfers() if complete else lambda row: (*row[:7], int(row[7]))
    seconds, found = [], 0
    began = time.perf_counter()
    connection = sqlite3.connect(path)
    for address in asked:
        rows = [made(row) for row in connection.execute(_HISTORY, (bytes.fromhex(address[2:]),))]
        seconds.append(time.perf_counter() - began)
        found += len(rows)
        began = time.perf_counter()
    connection.close()
    return seconds, found


def _transfers() -> Callable[[Row], object]:
    """What makes a Transfer of a row, as cheaply as it can be done: addresses are not checked."""
    from tracer.values import Address, Block, Chain, Leg, Slot, Transfer, TransferId

    chain = Chain.named("ethereum")
    coin = chain.coin

    def transfer(row: Row) -> Transfer:
        tx, log, block, place, time_, payer, payee, amount = row
        units = int(amount)
        one, other = Address(chain, "0x" + payer.hex()), Address(chain, "0x" + payee.hex())
        paid, got = Leg(Slot(one, coin), units, one), Leg(Slot(other, coin), units, other)
        id = TransferId(chain, "0x" + tx.hex(), f"log:{log}" if log else "tx")
        return Transfer(id, Block(block, time_), place, coin, (paid,), (got,), ("sha256:0#0",))

    return transfer


def sqlite_rows(parquet: Path) -> Iterator[list[Row]]:
    """The rows of a ledger as SQLite takes them, 100,000 at a time."""
    from pyarrow.parquet import ParquetFile

    with ParquetFile(parquet) as file:
        tokens = "log_index" in file.schema_arrow.names
        tx, place = ("transaction_hash", "log_index") if tokens else ("hash", "transaction_index")
        for batch in file.iter_batches(100_000):
            places = batch[place].to_pylist()
            yield list(
                zip(
                    _bytes(batch[tx]), places if tokens else [0] * len(places), batch["block_number"].to_pylist(),
                    places, batch["block_timestamp"].to_pylist(), _bytes(batch["from_address"]),
                    _bytes(batch["to_address"]), map(str, amounts(batch["value"])), strict=True,
                )
            )  # fmt: skip


def _bytes(column: Any) -> list[bytes]:
    return [bytes.fromhex(text[2:]) for text in column.to_pylist()]


class _connected:  # noqa: N801 - read as a word
    """A connection as a careful user sets it up, closed afterwards; a cache as large as what our ingest may use."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path)
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "cache_size = -524288"):
            self._connection.execute(f"PRAGMA {pragma}")

    def __enter__(self) -> sqlite3.Connection:
        return self._connection

    def __exit__(self, *_: object) -> None:
        self._connection.close()
