"""Our own CSV of account transfers by columns: the rows that are plainly fine, the others for the slow way."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from connectors.bulk.batch import SINK_CODES
from connectors.bulk.readers_batches import Part, Texts, encoded
from connectors.bulk.readers_columns import (
    EMPTY,
    OK,
    Cells,
    addresses,
    codes,
    hashes,
    moments,
    numbers,
    units,
    well,
)
from connectors.bulk.readers_kernels import plain_lines
from connectors.bulk.readers_tables import Chunk
from connectors.transfer_rows import BURN, asset_of
from tracer.errors import FundtrailError, InputError
from tracer.values import UNKNOWN_INDEX, Asset, Chain, SinkKind, TransferId

Flags = NDArray[np.bool_]
_NAMES = ("asset", "symbol", "decimals")
_NONE = -1  # of a row's position or asset: to be looked at by the slow way


def transfers_of(chunk: Chunk, live: Flags, chain: Chain) -> tuple[Part, Flags, list[Asset]] | None:
    """The `live` rows that are plainly fine, which these are, and what assets they are of.

    None where text cannot be told from other text: a byte of it is not UTF-8.
    """
    columns, rows = chunk.columns, chunk.rows
    assert chunk.raw is not None  # noqa: S101  CSV has lines
    text, lines = chunk.raw
    plain = np.zeros(rows, np.bool_)
    plain_lines(np.frombuffer(text, np.uint8), lines, plain)
    try:
        text[int(lines[0]) : int(lines[-1])].decode()
        position, whole, fee = _positions(columns.get("position"), rows, chain)
        asset, assets = _assets([columns.get(name) for name in _NAMES], rows, chain)
    except (InputError, UnicodeDecodeError):
        return None
    block, block_state = numbers(columns["block"], rows)
    time, time_state = moments(columns["time"])
    index, index_state = numbers(columns.get("index"), rows)
    untold = (index_state == EMPTY) | (codes(columns.get("index"), [str(UNKNOWN_INDEX)], rows) == 0)
    tx, tx_state = hashes(columns["tx"])
    payer, payer_state = addresses(columns["from"])
    payee, payee_state = addresses(columns["to"])
    low, high, state = units(columns["units"])
    burnt = codes(columns["to"], [BURN], rows) == 0
    issued, nobody = payer_state == EMPTY, payee_state == EMPTY
    good = live & plain & (codes(columns["chain"], [chain.name], rows) == 0) & well(tx_state)
    good &= (
        (block_state == OK) & (time_state == OK) & (state == OK) & (untold | ((index_state == OK) & (index < 2**31)))
    )
    good &= (position != _NONE) & (asset != _NONE)
    good &= np.where(issued, well(payee_state), well(payer_state) & (well(payee_state) | burnt | nobody))
    good &= issued | (nobody == fee)
    at = np.flatnonzero(good)
    payee_sink = np.where(burnt, SINK_CODES[SinkKind.BURN], np.where(nobody, SINK_CODES[SinkKind.FEE], 0))
    found = Part(
        chunk.first + at,
        block[at],
        time[at],
        np.where(untold, UNKNOWN_INDEX, index)[at].astype(np.int32),
        tx[at],
        (position[at], whole),
        (asset[at], [one.contract for one in assets]),
        payer[at],
        payee[at],
        np.where(issued, SINK_CODES[SinkKind.ISSUE], 0)[at].astype(np.uint8),
        payee_sink[at].astype(np.uint8),
        low[at],
        high[at],
    )
    met = [assets[number] for number in np.unique(asset[at]).tolist()]
    return found, good, met


def _texts(column: object, rows: int) -> Texts:
    """The numbers of a column's different texts, and the texts; one that is not there is all empty."""
    return encoded(column.texts()) if isinstance(column, Cells) else (np.zeros(rows, np.int32), [""])


def _positions(column: object, rows: int, chain: Chain) -> tuple[NDArray[np.int32], list[str], Flags]:
    """Positions as numbers, what they are, and which are that of the fee."""
    which, texts = _texts(column, rows)
    texts = [text or "tx" for text in texts]
    known = [_is_place(text, chain) for text in texts]
    numbers = np.array([number if good else _NONE for number, good in enumerate(known)] or [0], np.int32)[which]
    fee = np.array([text == "fee" for text in texts] or [False], np.bool_)[which]
    return numbers, texts, fee


def _is_place(text: str, chain: Chain) -> bool:
    try:
        return bool(TransferId(chain, "", text).place)
    except FundtrailError:
        return False


def _assets(columns: list[object], rows: int, chain: Chain) -> tuple[NDArray[np.int32], list[Asset]]:
    """Each row's asset as a number; what is said of one is read once for all rows that say the same."""
    told = [_texts(column, rows) for column in columns]
    key = np.zeros(rows, np.int64)
    for which, texts in told:
        key = key * len(texts) + which
    different, number = np.unique(key, return_inverse=True)
    assets: list[Asset] = []
    numbers = np.full(len(different), _NONE, np.int32)
    for at, rest in enumerate(different.tolist()):
        row: dict[str, object] = {}
        for name, (_, texts) in zip(reversed(_NAMES), reversed(told), strict=True):
            rest, place = divmod(rest, len(texts))  # noqa: PLW2901  digit by digit
            row[name] = texts[place]
        try:
            asset = asset_of(row, chain)
        except FundtrailError:
            continue
        if not any('"' in str(text) for text in row.values()):  # doubled quotes are still doubled here
            numbers[at] = len(assets)
            assets.append(asset)
    return numbers[number].astype(np.int32), assets
