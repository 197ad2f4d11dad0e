"""A folder's columns as numpy arrays, for machine code that walks many events at once.

    arrays = open_arrays(BulkLedger(folder))
    starts, records = arrays.stretches[0]
    mine = records[starts[hid]:starts[hid + 1]]          # one row of six 64-bit words per event, in order

A holding's events are those of each stretch, one after the other. The words are those of `connectors.bulk.events`:
`mine[:, 0]` is ordinal | time << 32, `mine[:, 1]` other | flags << 32, then low and high of the units, low and high of
the balance before. Mind: a record with MULTI is gross, part of a step that is netted (ask the ledger for `movements`);
PASSED records are no event of their own unless the address is kept; where UNSURE is set the last two words are not
stated; where low and high are all ones the amount is in the ledger's `files.large`. Whoever meets one of these leaves
the array and asks the ledger.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectors.bulk.events import Stretch
from connectors.bulk.kernels import U8, U32, U64
from connectors.bulk.ledger import BulkLedger


@dataclass(frozen=True, slots=True)
class Arrays:
    """Mapped from disk, C-contiguous and writable (a write stays private), so that machine code compiles once.

    `rows`, `legs` and `txs`: the records of the files of these names (`connectors.bulk.folder`). `order`: ordinal ->
    row, empty where they are the same. `sink`: per hid, the sink's code, 0 for a slot or a coin. `asset`: per hid.
    """

    stretches: tuple[Stretch, ...]
    rows: U64
    legs: U64
    txs: U32
    order: U32
    sink: U8
    asset: U32


def open_arrays(ledger: BulkLedger) -> Arrays:
    """The arrays of an open ledger."""
    files = ledger.files
    kinds = _mapped(ledger, "holdings", np.uint32, files.width)[:, files.key_words]
    return Arrays(
        tuple(
            Stretch(
                _mapped(ledger, f"starts-{number}", np.uint64, 1).reshape(-1),
                _mapped(ledger, f"events-{number}", np.uint64, 6),
            )
            for number in range(len(files.stretches))
        ),
        _mapped(ledger, "rows", np.uint64, 4 if files.coins else 5),
        _mapped(ledger, "legs", np.uint64, 3),
        _mapped(ledger, "txs", np.uint32, 12),
        _mapped(ledger, "order", np.uint32, 1).reshape(-1),
        (kinds >> np.uint32(24)).astype(np.uint8),
        kinds & np.uint32(0xFFFFFF),
    )


def _mapped(ledger: BulkLedger, name: str, kind: type[np.generic], words: int) -> NDArray[Any]:
    stored = ledger.files.manifest.files.get(name)
    if stored is None or not stored.size:
        return np.empty((0, words), kind)
    width = words * np.dtype(kind).itemsize
    path = ledger.files.folder / stored.file
    return np.asarray(np.memmap(path, kind, "c", shape=(stored.size // width, words)))
