"""Reads our own transfer files (docs/transfer-files.md): CSV, JSON lines, and Parquet with the same columns."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from connectors.bulk.batch import Batch, CoinBatch
from connectors.bulk.readers_batches import Part
from connectors.bulk.readers_by_row import batches_of, met, same_chain
from connectors.bulk.readers_own_columns import transfers_of
from connectors.bulk.readers_tables import Chunk, Kind, look_at
from connectors.transfer_rows import COLUMNS, REQUIRED, transfer_of
from tracer.errors import InputError
from tracer.values import Chain, Family, Transfer


class OwnFiles:
    """Transfer files about one chain. Rows about another one are refused; what they say of coverage is not read."""

    name = "own"
    caveats: tuple[str, ...] = ()

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.assets: dict[str, tuple[str, int]] = {}

    def batches(self, path: Path, skip_rows: int = 0) -> Iterator[Batch | CoinBatch]:
        """The file's rows after the first `skip_rows`. Raises `InputError` where the file is unusable."""
        table = look_at(path)
        if table.kind is not Kind.JSON:
            unknown = [name for name in table.columns if name not in COLUMNS]
            missing = [name for name in REQUIRED if name not in table.columns]
            if unknown or missing:
                wrong = f"no column is named {unknown[0]!r:.60}" if unknown else f"there is no column {missing[0]}"
                raise InputError(f"{path}: {wrong}", f"the columns are {', '.join(COLUMNS)}")
        by_columns = self._columns if table.kind is Kind.CSV and self.chain.family is Family.EVM else None
        yield from batches_of(table, self._transfers, self.chain, skip_rows, by_columns=by_columns)

    def _columns(self, chunk: Chunk, live: NDArray[np.bool_]) -> tuple[Part, NDArray[np.bool_]] | None:
        read = transfers_of(chunk, live, self.chain)
        if read is None:
            return None
        found, sure, assets = read
        for asset in assets:
            met(self.assets, asset)
        return found, sure

    def _transfers(self, row: dict[str, object]) -> tuple[Transfer, ...]:
        if "coverage" in row:  # about addresses; a ledger is about blocks, and is stated to be whole or is not
            return ()
        same_chain(row, self.chain)
        transfer = transfer_of(row, "row")
        met(self.assets, transfer.asset)
        return (transfer,)
