"""Finds the reader for a file: by the name of its format, or by the names of its columns."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from connectors.bulk.batch import Reader
from connectors.bulk.readers_coins import NEEDED as BITCOIN_ETL
from connectors.bulk.readers_coins import BitcoinEtl
from connectors.bulk.readers_ethereum import EthereumEtl, table_of
from connectors.bulk.readers_etherscan import EtherscanFiles, is_export
from connectors.bulk.readers_own import OwnFiles
from connectors.bulk.readers_tables import Kind, Table, chunks, look_at
from connectors.transfer_rows import REQUIRED
from tracer.errors import InputError, UnknownName
from tracer.values import Chain

AUTO = "auto"
FORMATS: Mapping[str, str] = {
    "ethereum-etl": "transactions, token_transfers or traces of ethereum-etl: CSV, Parquet, JSON lines",
    "bitcoin-etl": "transactions of bitcoin-etl, inputs enriched: JSON lines, Parquet",
    "etherscan-csv": "lists downloaded from Etherscan: transactions, internal transactions, ERC-20 transfers",
    "own": "our own transfer files: docs/transfer-files.md",
}


def open_reader(
    path: Path | str,
    format: str = AUTO,
    chain: Chain | None = None,
    *,
    blocks: Path | str | None = None,
    decimals: Mapping[str, int] | None = None,
) -> Reader:
    """A reader for `path` and for further files of the same format and chain.

    Without `chain`, ethereum-etl and Etherscan's lists are taken to be about Ethereum, bitcoin-etl about Bitcoin, and
    our own files say it themselves. `blocks`: ethereum-etl's table of blocks, for its exports without block_timestamp.
    `decimals`: token contract -> decimals, for Etherscan's lists of tokens. Raises `InputError`.
    """
    if format != AUTO and format not in FORMATS:
        raise UnknownName.among("format", format, [AUTO, *FORMATS])
    path = Path(path)
    table = look_at(path)
    name = format_of(table) if format == AUTO else format
    if not name:
        raise InputError(
            f"{path}: no format that we know has the columns {', '.join(table.columns)[:200] or '(none)'}",
            f"name the format: {', '.join(FORMATS)}",
        )
    if blocks is not None and name != "ethereum-etl":
        raise InputError("a table of blocks goes with ethereum-etl's tables only", "leave it out")
    if name == "ethereum-etl":
        return EthereumEtl(chain or Chain.named("ethereum"), Path(blocks) if blocks is not None else None)
    if name == "bitcoin-etl":
        return BitcoinEtl(chain or Chain.named("bitcoin"))
    if name == "etherscan-csv":
        return EtherscanFiles(chain or Chain.named("ethereum"), decimals)
    return OwnFiles(chain or _chain_in(table))


def format_of(table: Table) -> str:
    """The format whose columns these are, "" for none."""
    columns = set(table.columns)
    if table.kind is not Kind.CSV and set(BITCOIN_ETL) <= columns:
        return "bitcoin-etl"
    if table_of(table.columns):
        return "ethereum-etl"
    legs = table.kind is Kind.JSON and {"chain", "tx", "inputs", "outputs"} <= columns
    if set(REQUIRED) <= columns or legs or (table.kind is Kind.JSON and columns == {"coverage"}):
        return "own"
    return "etherscan-csv" if is_export(table.columns) else ""


def _chain_in(table: Table) -> Chain:
    """The chain that the first row names."""
    for chunk in chunks(table, table.columns):
        for place in chunk.usable().nonzero()[0].tolist():
            said = chunk.row(place).get("chain")
            if isinstance(said, str) and said:
                return Chain.named(said)
    raise InputError(f"{table.path} does not say which chain it is about", "name the chain")
