"""Hash tables from keys to record numbers, on disk and in memory the same: open addressing, linear probing.

A slot is 64 bits, `tag << 32 | number + 1`, 0 where it is empty; the tag is the upper half of a salted hash of the
key, and its upper bits are the slot's place, so a table can grow without its keys. That a tag fits proves nothing:
the key is compared with the record's every time.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Collection, Iterable, Sequence

MIX = 0x9E3779B97F4A7C15  # 2**64 divided by the golden ratio: spreads neighbouring keys over the table
_WORD = 2**64 - 1


def tag_of(words: Sequence[int], salt: int) -> int:
    """The 32-bit tag of a key of 32-bit words; `connectors.bulk.kernels` has the same in machine code.

    >>> tag_of((1, 2), 7) == tag_of((2, 1), 7)
    False
    """
    mixed = salt
    for word in words:
        mixed = ((mixed ^ word) * MIX) & _WORD
        mixed ^= mixed >> 32
    return ((mixed * MIX) & _WORD) >> 32


def words_of(key: bytes) -> tuple[int, ...]:
    """A key as 32-bit words."""
    return struct.unpack(f"<{len(key) // 4}I", key)


def layers_of(name: str, files: Collection[str]) -> list[str]:
    """The files of a table, the newest first: `name-2`, `name-1`, `name`; none where there is no such table.

    >>> layers_of("by_tx", {"by_tx", "by_tx-1", "by_text"})
    ['by_tx-1', 'by_tx']
    """
    layers = [name] if name in files else []
    while layers and (layer := f"{name}-{len(layers)}") in files:
        layers.append(layer)
    return layers[::-1]


def find_newest(
    layers: Iterable[Sequence[int]], words: Sequence[int], salt: int, is_key: Callable[[int], bool]
) -> int | None:  # fmt: skip
    """As `find`, in several tables one after the other."""
    found = (find(slots, words, salt, is_key) for slots in layers)
    return next((number for number in found if number is not None), None)


def find(slots: Sequence[int], words: Sequence[int], salt: int, is_key: Callable[[int], bool]) -> int | None:
    """The number of the record with that key, None where there is none. `is_key` compares a candidate's key."""
    if not slots:
        return None
    tag = tag_of(words, salt)
    at = (tag * len(slots)) >> 32  # as many upper bits of the tag as the table has
    for _ in range(len(slots)):
        slot = slots[at]
        if not slot:
            return None
        if slot >> 32 == tag and is_key((slot & 0xFFFFFFFF) - 1):
            return (slot & 0xFFFFFFFF) - 1
        at = (at + 1) & (len(slots) - 1)
    return None
