"""What the formats share in which a row can be read by itself: Etherscan's exports, our own files, bitcoin-etl.

Reading row by row has the last word on every row. Some formats are read by columns first, and only what is not
plainly fine there is read by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from connectors.bulk.batch import Batch, CoinBatch, Rejected
from connectors.bulk.readers_batches import Numbered, Part, batch_of, coin_batch_of, fits, rejected
from connectors.bulk.readers_tables import Chunk, Table, chunks
from tracer.errors import FundtrailError, InputError
from tracer.values import Asset, Chain, Family, Transfer

ROWS = 1 << 14  # rows in a batch: each may be a Python object here
RowReader = Callable[[dict[str, object]], tuple[Transfer, ...]]
#: Of rows that are wanted: those it is sure of as columns, and which these are; None where it is sure of none.
ColumnReader = Callable[[Chunk, NDArray[np.bool_]], tuple[Part | CoinBatch, NDArray[np.bool_]] | None]
Assets = dict[str, tuple[str, int]]


def batches_of(
    table: Table,
    read_row: RowReader,
    chain: Chain,
    skip_rows: int,
    *,
    wanted: Collection[str] = (),
    inner: Collection[str] = (),
    from_start: bool = False,
    by_columns: ColumnReader | None = None,
) -> Iterator[Batch | CoinBatch]:
    """The table's rows after the first `skip_rows`, each read by `read_row`.

    `wanted`, `inner`: the columns that it looks at, of a table that may have others; all, if empty.
    `from_start`: the rows before are read too, and dropped, because what `read_row` says depends on them.
    `by_columns` is asked first, and takes the rows that it is sure of.
    """
    for chunk in chunks(table, wanted or table.columns, 0 if from_start else skip_rows, inner=inner):
        for start in range(0, chunk.rows, ROWS):
            part = chunk.part(start, min(chunk.rows, start + ROWS))
            live = part.usable() & (from_start | (np.arange(part.first, part.first + part.rows) > skip_rows))
            bad = [rejected(part.first + at, InputError(why)) for at, why in part.broken.items()]
            bad = [one for one in bad if one.row > skip_rows]
            read: list[Numbered] = []
            found, sure = (by_columns and by_columns(part, live)) or (None, np.zeros(part.rows, np.bool_))
            for place in np.flatnonzero(live & ~sure).tolist():
                _read(part, place, read_row, skip_rows, read, bad)
            yield from _made(read, bad, chain, found)


def met(assets: Assets, asset: Asset) -> None:
    """Note an asset's symbol and decimals; of several, the same one wins that a ledger in memory would show."""
    if asset.contract:
        shown = (asset.symbol, asset.decimals)
        assets[asset.contract] = max(shown, assets.get(asset.contract, shown))


def _read(
    chunk: Chunk, place: int, read_row: RowReader, skip_rows: int, read: list[Numbered], bad: list[Rejected]
) -> None:
    number = chunk.first + place
    try:
        found = read_row(chunk.row(place))
        for transfer in found:
            fits(transfer)
    except FundtrailError as error:
        if number > skip_rows:
            bad.append(rejected(number, error))
        return
    if number > skip_rows:
        read += [(number, transfer) for transfer in found]


def _made(
    read: list[Numbered], bad: list[Rejected], chain: Chain, found: Part | CoinBatch | None
) -> Iterator[Batch | CoinBatch]:
    batch: Batch | CoinBatch | None
    if chain.family is Family.BITCOIN:
        batch = coin_batch_of(read, bad, found if isinstance(found, CoinBatch) else None)
    else:
        batch = batch_of([found] if isinstance(found, Part) else [], read, bad, chain)
    if batch is not None:
        yield batch


def same_chain(row: Mapping[str, object], chain: Chain) -> None:
    """Raise `InputError` for a row that says it is about another chain."""
    said = row.get("chain")
    if said not in (None, "", chain.name) and Chain.named(str(said)) != chain:
        raise InputError(f"the row is about {said}, the ledger about {chain}", "make one ledger for each chain")
