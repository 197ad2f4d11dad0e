"""bitcoin-etl's transactions in Parquet as columns, where their types are ones that can be read so."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from connectors.bulk.readers_coins_columns import LEG, Legs, Side
from connectors.bulk.readers_columns import Cells, Column, column_of
from connectors.bulk.readers_tables import Chunk
from tracer.errors import InputError

Flags = NDArray[np.bool_]


def legs_in_parquet(chunk: Chunk) -> Legs | None:
    """The rows of a chunk of Parquet; None where a type is not one that is read by columns."""
    paid, got = _side_of(chunk.columns["inputs"]), _side_of(chunk.columns["outputs"])
    return Legs(chunk.columns, paid, got, empty_is_nothing=False) if paid and got else None


def _side_of(array: Column) -> Side | None:
    if isinstance(array, Cells):
        return None
    kind = array.type
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind)) or not _plain(kind):
        return None
    if not pa.types.is_struct(kind.value_type):
        return None
    try:
        array.validate(full=True)  # text that is not UTF-8, for one
    except pa.ArrowInvalid:
        return None
    start = array.offsets.to_numpy(zero_copy_only=False).astype(np.int64)
    legs = array.values.slice(int(start[0]), int(start[-1] - start[0]))
    names = [field.name for field in kind.value_type]
    if len(set(names)) != len(names):
        return None
    columns: dict[str, Column] = {}
    for name in names:
        if name in LEG and name != "addresses":
            try:
                columns[name] = column_of(legs.field(name), name)
            except InputError:
                return None
    good = _valid(legs)
    owners, owned, told = _one_address(legs.field("addresses") if "addresses" in names else None, len(legs))
    return Side(start - start[0], _valid(array), good & told, columns, owners, owned & good)


def _plain(kind: pa.DataType) -> bool:
    """Whether every value of this type comes to the slow way as text, whole number, list, record or nothing."""
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_dictionary(kind):
        return _plain(kind.value_type)
    if pa.types.is_struct(kind):
        return all(_plain(field.type) for field in kind)
    text = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    number = pa.types.is_integer(kind) or pa.types.is_decimal(kind) or pa.types.is_boolean(kind)
    return bool(text or number or pa.types.is_null(kind))


def _one_address(lists: pa.Array | None, legs: int) -> tuple[Cells, Flags, Flags]:
    """The first address of each leg; where it is the only one; and where there is a list of texts, or nothing."""
    nothing = np.zeros(legs, np.int64)
    cells = Cells(np.zeros(0, np.uint8), nothing, nothing)
    if lists is None or pa.types.is_null(lists.type):
        return cells, np.zeros(legs, np.bool_), np.ones(legs, np.bool_)
    if not (pa.types.is_list(lists.type) or pa.types.is_large_list(lists.type)):
        return cells, np.zeros(legs, np.bool_), np.zeros(legs, np.bool_)
    start = lists.offsets.to_numpy(zero_copy_only=False).astype(np.int64)
    texts = lists.values.slice(int(start[0]), int(start[-1] - start[0]))
    if pa.types.is_dictionary(texts.type):
        texts = texts.dictionary_decode()
    start -= start[0]
    there = _valid(lists)
    try:
        found = column_of(texts, "addresses")
    except InputError:
        found = None
    if not isinstance(found, Cells) or pa.types.is_null(texts.type):
        return cells, np.zeros(legs, np.bool_), ~there | (np.diff(start) == 0)
    absent = np.concatenate(([0], np.cumsum(~_valid(texts))))
    told = ~there | (absent[start[1:]] == absent[start[:-1]])
    one = there & told & (np.diff(start) == 1)
    first = np.where(one, start[:-1], 0)
    if not len(found):
        return cells, one, told
    return Cells(found.data, found.starts[first], np.where(one, found.ends[first], found.starts[first])), one, told


def _valid(array: pa.Array) -> Flags:
    if not array.null_count:
        return np.ones(len(array), np.bool_)
    return np.asarray(array.is_valid().to_numpy(zero_copy_only=False), np.bool_)
