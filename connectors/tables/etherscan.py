"""The source `etherscan-csv:PATH`: what Etherscan's website and its sisters offer for download on an address's page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from connectors.etherscan_lists import EtherscanLists
from connectors.likeness import Twins
from connectors.tables.table_file import Form, Row, TableFile
from connectors.tables.telling import Telling
from tracer.coverage import Kind
from tracer.values import CHAINS, Chain, Transfer

ENDS_AT = (5000,)
_COINS = {"MATIC": "POL"}  # what a chain's coin was called


class EtherscanForm(Form):
    """Lists of transactions, internal transactions and ERC-20 transfers, of every generation of their columns."""

    ends_at = ENDS_AT

    def __init__(self, path: Path, columns: Sequence[str], telling: Telling) -> None:
        self.chain = telling.chain or _chain_of(columns)
        self._lists = EtherscanLists(self.chain, telling.decimals)
        self._columns, self._twins = self._lists.columns(path, columns), Twins()
        names = set(self._columns.values())
        self.kind = Kind.TOKEN if "tokenvalue" in names else Kind.INTERNAL if "type" in names else Kind.NATIVE
        if telling.chain is None:
            told = f"the file does not name its chain; it was read as one of {self.chain}"
            self.notes = (f'{told} (if that is wrong, write chain = "..." into {telling.path.name})',)

    def read(self, row: Row) -> tuple[Transfer, ...]:
        """See `Form`."""
        return self._lists.read(row, self._columns, self._twins)


class EtherscanCsv(TableFile):
    """Downloads from Etherscan. Decimals of tokens, and a chain other than Ethereum, are told in `FILE.map.toml`."""

    kind_name = "etherscan-csv"

    def form_of(self, path: Path, columns: Sequence[str], telling: Telling) -> Form:
        """See `TableFile`."""
        return EtherscanForm(path, [column.strip() for column in columns], telling)


def _chain_of(columns: Sequence[str]) -> Chain:
    """The chain whose coin the columns name, if it has it alone, else Ethereum: Etherscan itself is about that."""
    for column in columns:
        if "(" in column:
            coin = column.rpartition("(")[2].rstrip(") ").upper()
            coin = _COINS.get(coin, coin)
            found = [chain for chain in CHAINS.values() if chain.symbol.upper() == coin]
            if len(found) == 1:
                return found[0]
    return CHAINS["ethereum"]


__all__ = ["EtherscanCsv"]
