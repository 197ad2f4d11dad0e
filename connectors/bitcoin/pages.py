"""A page, from transfers and the answers they were made of: which answer is the main one, and which stand beside it."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.protocol import Evidence, Page, Problem
from tracer.coverage import Coverage
from tracer.values import Address, Transfer


def page_of(
    transfers: Sequence[Transfer], kept: Sequence[Evidence], problems: Sequence[Problem], *, main: str = "",
    cursor: str = "", coverage: Coverage | None = None,
) -> Page:  # fmt: skip
    """The main answer is `main`, else the one that the first transfer cites, else the first one kept."""
    kept = tuple(dict.fromkeys(kept))
    if not main:
        main = transfers[0].evidence[0].partition("#")[0] if transfers else kept[0].id
    chosen = next(one for one in kept if one.id == main)
    also = tuple(one for one in kept if one is not chosen)
    return Page(tuple(transfers), cursor, chosen, coverage, tuple(problems), also)


def touches(transfer: Transfer, address: Address) -> bool:
    """Whether a leg of the transfer is of `address`."""
    return any(leg.address == address for leg in (*transfer.inputs, *transfer.outputs))


__all__ = ["page_of", "touches"]
