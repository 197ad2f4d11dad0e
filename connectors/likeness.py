"""Rows that nothing but their place tells apart, and the positions that are made of what rows show."""

from __future__ import annotations

import hashlib
from collections import Counter


class Twins:
    """Counts rows that nothing but their place tells apart, so that each gets a position of its own."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()

    def next(self, likeness: str) -> int:
        """How many such rows came before."""
        self._seen[likeness] += 1
        return self._seen[likeness] - 1


def position_of(kind: str, tx: str, likeness: str, twins: Twins) -> str:
    """A position (`log` or `trace`) made of what a row shows, for lists that name none: the payer's list and the
    payee's give the same one. It names the movement and says nothing of its order.

    >>> position_of("log", "0x1", "token payer payee 5", Twins())
    'log:18923141619550_0'
    """
    number = int.from_bytes(hashlib.sha256(likeness.encode()).digest()[:6])
    return f"{kind}:{number}_{twins.next(f'{tx} {number}')}"


__all__ = ["Twins", "position_of"]
