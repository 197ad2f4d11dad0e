"""Arrow columns of hashes, addresses and names, as the keys and numbers that the storage works with."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from connectors.bulk.kernels import U32
from connectors.bulk.sha256 import digests
from tracer.errors import InputError

_HASH = re.compile(r"(?:0x)?([0-9a-f]{64})")


def words_in(column: pa.Array, size: int) -> U32:
    """A column of `fixed_size_binary(size)` as rows of 32-bit words; what stands where it is null means nothing."""
    column = _whole(column)
    if column.type != pa.binary(size):
        raise InputError(
            f"a column of {column.type}, not of {size} bytes", "this is a defect in the reader of the format"
        )
    data = column.buffers()[1]
    if len(column) == 0 or data is None:
        return np.zeros((len(column), size // 4), np.uint32)
    raw = np.frombuffer(data, np.uint8, len(column) * size, column.offset * size)
    return raw.reshape(-1, size).copy().view(np.uint32)  # a copy: machine code is compiled for writable arrays


def transactions_in(column: pa.Array, odd: dict[str, str]) -> U32:
    """Transaction ids as 32 bytes each. An id that is not 32 bytes in hex gets the hash of its text, noted in `odd`."""
    column = _whole(column)
    if column.type == pa.binary(32):
        return words_in(column, 32)

    def key(text: str) -> bytes:
        if found := _HASH.fullmatch(text):
            return bytes.fromhex(found[1])
        digest = hashlib.sha256(text.encode()).digest()
        odd[digest.hex()] = text
        return digest

    return _mapped(column, key)


def digests_in(column: pa.Array) -> U32:
    """The SHA-256 of each text, that of "" where there is none."""
    column = _whole(column)
    if not isinstance(column, pa.DictionaryArray):
        column = column.dictionary_encode()
    kind = pa.large_string()
    texts = pa.concat_arrays([column.dictionary.cast(kind).fill_null(""), pa.array([""], kind)])
    _, offsets, data = texts.buffers()
    at = np.frombuffer(offsets, np.int64, len(texts) + 1)
    keys = np.empty((len(texts), 32), np.uint8)
    digests(np.frombuffer(data or b"", np.uint8), at[:-1], at[1:], keys)
    codes = column.indices.fill_null(len(texts) - 1).to_numpy(zero_copy_only=False)
    found: U32 = keys.view(np.uint32)[codes]
    return found


def numbers_in(column: pa.Array, number: Callable[[str], int]) -> NDArray[np.int64]:
    """Each text's `number`, asked once for each that is different."""
    codes, texts = _coded(column)
    return np.array([number(text) for text in texts] or [0], np.int64)[codes]


def nulls_in(column: pa.Array) -> NDArray[np.bool_]:
    """Where the column holds nothing."""
    column = _whole(column)
    if not column.null_count:
        return np.zeros(len(column), np.bool_)
    return np.asarray(column.is_null().to_numpy(zero_copy_only=False), np.bool_)


def _mapped(column: pa.Array, key: Callable[[str], bytes]) -> U32:
    codes, texts = _coded(column)
    keys = np.frombuffer(b"".join(map(key, texts)) or bytes(32), np.uint32).reshape(-1, 8)
    return np.ascontiguousarray(keys[codes])


def _coded(column: pa.Array) -> tuple[NDArray[np.int64], list[str]]:
    column = _whole(column)
    if not isinstance(column, pa.DictionaryArray):
        column = column.dictionary_encode()
    codes = column.indices.fill_null(len(column.dictionary)).to_numpy(zero_copy_only=False).astype(np.int64)
    return codes, [text or "" for text in column.dictionary.to_pylist()] + [""] * bool(column.indices.null_count)


def _whole(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
