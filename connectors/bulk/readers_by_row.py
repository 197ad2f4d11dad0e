"""What the formats share that are read row by row: Etherscan's exports, our own transfer files, bitcoin-etl."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping

import numpy as np

from connectors.bulk.batch import Batch, CoinBatch, Rejected
from connectors.bulk.readers_batches import Numbered, batch_of, coin_batch_of, fits, rejected
from connectors.bulk.readers_tables import Chunk, Table, chunks
from tracer.errors import FundtrailError, InputError
from tracer.values import Asset, Chain, Family, Transfer

ROWS = 1 << 14  # rows in a batch: each is a Python object here
RowReader = Callable[[dict[str, object]], tuple[Transfer, ...]]
Assets = dict[str, tuple[str, int]]


def batches_of(
    table: Table,
    read_row: RowReader,
    chain: Chain,
    skip_rows: int,
    *,
    wanted: Collection[str] = (),
    from_start: bool = False,
) -> Iterator[Batch | CoinBatch]:
    """The table's rows after the first `skip_rows`, each read by `read_row`.

    `wanted`: the columns that it looks at, of a table that may have others; all, if empty.
    `from_start`: the rows before are read too, and dropped, because what `read_row` says depends on them.
    """
    for chunk in chunks(table, wanted or table.columns, 0 if from_start else skip_rows):
        bad = [
            rejected(chunk.first + at, InputError(why))
            for at, why in chunk.broken.items()
            if chunk.first + at > skip_rows
        ]
        read: list[Numbered] = []
        places = np.flatnonzero(chunk.usable()).tolist()
        for count, place in enumerate(places, 1):
            if chunk.first + place > skip_rows or from_start:
                _read(chunk, place, read_row, skip_rows, read, bad)
            if count % ROWS == 0:
                yield from _made(read, bad, chain, chunk.first + place)
                read = []
                bad = [one for one in bad if one.row > chunk.first + place]
        yield from _made(read, bad, chain, chunk.first + chunk.rows)


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
            if transfer.id.chain.family is not Family.BITCOIN:
                fits(transfer)
    except FundtrailError as error:
        if number > skip_rows:
            bad.append(rejected(number, error))
        return
    if number > skip_rows:
        read += [(number, transfer) for transfer in found]


def _made(read: list[Numbered], bad: list[Rejected], chain: Chain, upto: int) -> Iterator[Batch | CoinBatch]:
    now = [one for one in bad if one.row <= upto]
    batch: Batch | CoinBatch | None
    batch = coin_batch_of(read, now) if chain.family is Family.BITCOIN else batch_of([], read, now, chain)
    if batch is not None:
        yield batch


def same_chain(row: Mapping[str, object], chain: Chain) -> None:
    """Raise `InputError` for a row that says it is about another chain."""
    said = row.get("chain")
    if said not in (None, "", chain.name) and Chain.named(str(said)) != chain:
        raise InputError(f"the row is about {said}, the ledger about {chain}", "make one ledger for each chain")
