"""What a reader of a format hands to the storage: some rows at a time, as columns, checked and canonical.

A reader knows a format and nothing of storage; the storage knows columns and nothing of formats. Between them stand
these two shapes. Amounts are two unsigned 64-bit columns, `high * 2**64 + low`; the rare amount of 2**128 and above
is in `overflow`, as a Python integer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from connectors.bulk.folder import SINK_CODES, SINKS
from tracer.values import Chain

__all__ = ["SINKS", "SINK_CODES", "Batch", "CoinBatch", "Reader", "Rejected"]

Int64s = NDArray[np.int64]
Uint64s = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that cannot be taken: its number in the file, from 1, and why in plain words."""

    row: int
    why: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Account transfers, one payer and one payee each, as columns of one length.

    Every text is canonical for its chain already. One row of a file may make several transfers (its value and its
    fee); they carry the same row number.
    """

    rows: Int64s  # the row's number in the file, from 1: evidence is `sha256:<of the file>#<row>`
    block: Int64s
    time: Int64s  # UTC seconds
    index: NDArray[np.int32]  # the transaction's place in its block, -1 where the source does not tell it
    tx: pa.Array  # fixed_size_binary(32) where ids are 32 bytes in hex, else large_string or string
    position: pa.Array  # dictionary or string: "tx", "log:7", "trace:0_1", "step:4", "fee"
    asset: pa.Array  # dictionary of string: the contract's canonical text, "" for the chain's coin
    payer: pa.Array  # EVM: fixed_size_binary(20); other chains: string. Where payer_sink is not 0, null or anything
    payee: pa.Array
    payer_sink: NDArray[np.uint8]  # 0 an address, else a key of SINKS
    payee_sink: NDArray[np.uint8]
    low: Uint64s  # units = high * 2**64 + low
    high: Uint64s
    overflow: Mapping[int, int] = field(default_factory=dict)  # place in the batch -> units of 2**128 and above
    rejected: tuple[Rejected, ...] = ()


@dataclass(frozen=True, slots=True)
class CoinBatch:
    """Whole UTXO transactions, each with all its legs, as columns.

    The first five columns and `index` have one entry a transaction, the rest one a leg. `leg_of` ascends.
    """

    rows: Int64s
    block: Int64s
    time: Int64s
    index: NDArray[np.int32]
    tx: pa.Array  # fixed_size_binary(32), in the byte order in which the id is written
    leg_of: Int64s  # leg -> the place of its transaction in this batch
    output: NDArray[np.bool_]  # False: an input
    coin_tx: pa.Array  # fixed_size_binary(32): the outpoint spent or made; null or anything where sink is not 0
    coin_index: Int64s
    sink: NDArray[np.uint8]  # 0 a coin, else a key of SINKS
    address: pa.Array  # string, "" or null where the leg has none
    low: Uint64s
    high: Uint64s
    rejected: tuple[Rejected, ...] = ()


class Reader(Protocol):
    """Reads files of one format about one chain."""

    @property
    def name(self) -> str:
        """The format, as `--format` names it."""

    @property
    def chain(self) -> Chain:
        """The chain that the rows are about."""

    @property
    def assets(self) -> Mapping[str, tuple[str, int]]:
        """contract -> (symbol, decimals), of every asset met so far; complete once all batches are read."""

    def batches(self, path: Path, skip_rows: int = 0) -> Iterator[Batch | CoinBatch]:
        """The file's rows after the first `skip_rows`, in order. Raises `InputError` where the file is unusable."""
