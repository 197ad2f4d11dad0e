"""The compiled SHA-256 beside Python's."""

from __future__ import annotations

import hashlib

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.bulk.keys import digests_in
from connectors.bulk.sha256 import digests


@given(st.lists(st.binary(max_size=200), max_size=5), st.integers(0, 3))
def test_each_cell_s_hash_is_sha_256(cells: list[bytes], before: int) -> None:
    text = bytes(before) + b"".join(cells)
    ends = before + np.cumsum([0, *(len(cell) for cell in cells)], dtype=np.int64)
    found = np.zeros((len(cells), 32), np.uint8)
    digests(np.frombuffer(text, np.uint8), ends[:-1], ends[1:], found)
    assert [row.tobytes() for row in found] == [hashlib.sha256(cell).digest() for cell in cells]


@pytest.mark.parametrize("length", [0, 1, 54, 55, 56, 57, 62, 63, 64, 65, 119, 120, 128, 1000])
def test_every_length_about_a_block_s_end_is_right(length: int) -> None:
    text = bytes(range(256)) * 4
    found = np.zeros((1, 32), np.uint8)
    digests(np.frombuffer(text, np.uint8), np.zeros(1, np.int64), np.array([length]), found)
    assert found.tobytes() == hashlib.sha256(text[:length]).digest()


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())])
@given(
    texts=st.lists(st.one_of(st.none(), st.sampled_from(["", "a", "é" * 40]), st.text(st.characters(codec="utf-8"))))
)
def test_a_column_s_keys_are_its_texts_hashes(kind: pa.DataType, texts: list[str | None]) -> None:
    column = pa.array(["before", *texts], pa.string()).cast(kind).slice(1)
    assert [row.tobytes() for row in digests_in(column)] == [
        hashlib.sha256((one or "").encode()).digest() for one in texts
    ]
