"""Reads our own transfer files (docs/transfer-files.md): CSV, JSON lines, and Parquet with the same columns."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from connectors.bulk.batch import Batch, CoinBatch
from connectors.bulk.readers_by_row import batches_of, met, same_chain
from connectors.bulk.readers_tables import Kind, look_at
from connectors.transfer_rows import COLUMNS, REQUIRED, transfer_of
from tracer.errors import InputError
from tracer.values import Chain, Transfer


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
        yield from batches_of(table, self._transfers, self.chain, skip_rows)

    def _transfers(self, row: dict[str, object]) -> tuple[Transfer, ...]:
        if "coverage" in row:  # about addresses; a ledger is about blocks, and is stated to be whole or is not
            return ()
        same_chain(row, self.chain)
        transfer = transfer_of(row, "row")
        met(self.assets, transfer.asset)
        return (transfer,)
