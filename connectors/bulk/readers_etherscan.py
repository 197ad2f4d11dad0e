"""Reads the CSV files that Etherscan and its sister sites offer for download; what a row says: `etherscan_lists`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from connectors.bulk.batch import Batch, CoinBatch
from connectors.bulk.readers_by_row import batches_of, met
from connectors.bulk.readers_tables import look_at
from connectors.etherscan_lists import EtherscanLists, is_export
from connectors.likeness import Twins
from tracer.values import Chain, Transfer


class EtherscanFiles:
    """Lists downloaded from Etherscan. `decimals`: token contract -> decimals, for lists of ERC-20 transfers."""

    name = "etherscan-csv"

    def __init__(self, chain: Chain, decimals: Mapping[str, int] | None = None) -> None:
        self._lists = EtherscanLists(chain, decimals)
        self.chain = chain
        self.assets: dict[str, tuple[str, int]] = {}

    @property
    def caveats(self) -> tuple[str, ...]:
        """What such lists cannot tell."""
        return ("Etherscan's lists end at 5000 rows without saying so, and are about one address only",)

    def batches(self, path: Path, skip_rows: int = 0) -> Iterator[Batch | CoinBatch]:
        """The file's rows after the first `skip_rows`. Raises `InputError` where the file is unusable."""
        table = look_at(path)
        columns = self._lists.columns(path, table.columns)
        twins = Twins()

        def read(row: dict[str, object]) -> tuple[Transfer, ...]:
            found = self._lists.read(row, columns, twins)
            for transfer in found:
                met(self.assets, transfer.asset)
            return found

        yield from batches_of(table, read, self.chain, skip_rows, from_start=True)


__all__ = ["EtherscanFiles", "is_export"]
