"""What every source of wallet histories promises. `connectors/contract.py` is this page as tests; add yours there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from tracer.coverage import Coverage
from tracer.values import Address, Asset, Chain, Transfer


@dataclass(frozen=True, slots=True)
class Evidence:
    """Raw bytes as the source gave them, kept before they are parsed. `request` holds no secret."""

    body: bytes
    source: str
    request: str

    @property
    def id(self) -> str:
        """`sha256:` and the hash of the body: the name that transfers, labels and coverage cite."""
        return "sha256:" + hashlib.sha256(self.body).hexdigest()


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in the data that a reader must know of; it travels with the result. `where` names the row."""

    text: str
    where: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """One answer about one address.

    `cursor` resumes after this page, "" on the last one. `coverage` is set on the last page and speaks of all of them.
    `evidence` is the answer itself, `also` what else was read to understand it: receipts, blocks, balances.
    """

    transfers: tuple[Transfer, ...]
    cursor: str
    evidence: Evidence | None
    coverage: Coverage | None
    problems: tuple[Problem, ...] = ()
    also: tuple[Evidence, ...] = ()


class Connector(Protocol):
    """Reads one address's history. It knows no graph, no case and prints nothing.

    Promises: every transfer touches the address (the fee it paid included); reading twice gives the same pages;
    resuming with a page's cursor gives the pages after it and no others; the last page carries the coverage, which
    tells READ, EMPTY, CUT, FAILED and NOT_RECORDED apart; what cannot be read is a `Problem` that names the row or
    a `SourceError`, never silence; transfers cite the evidence they were read from.
    """

    @property
    def name(self) -> str:
        """As the user wrote it, `KIND:WHERE`, without secrets."""
        ...

    @property
    def chains(self) -> frozenset[Chain]:
        """The chains this source can answer for."""
        ...

    def history(self, address: Address, after: str = "") -> Iterator[Page]:
        """The pages about `address` after the one whose cursor was `after`. May raise `SourceError`."""
        ...


@runtime_checkable
class FindsTransactions(Protocol):
    """Optional power: a source that can look a transaction up by its hash."""

    def transaction(self, chain: Chain, tx: str) -> tuple[Transfer, ...]:
        """The transfers of `tx` that the source knows, () where it knows none."""
        ...


@runtime_checkable
class ReadsOn(Protocol):
    """Optional power: a live source, whose answers grow with the chain. Every cursor of it holds its first and last
    block, so that what it gives after a cursor does not change while the chain grows."""  # fmt: skip

    def cursor_from(self, chain: Chain, first: int) -> str:
        """The cursor with which `history` reads from block `first` to the newest block there is now."""
        ...

    def block_hash(self, chain: Chain, number: int) -> str:
        """The hash of that block on the chain as it is now, "" where there is none. May raise `SourceError`."""
        ...


@runtime_checkable
class KnowsBalances(Protocol):
    """Optional power: a source that can tell what an address held after a block."""

    def balances(
        self, address: Address, assets: Sequence[Asset], block: int
    ) -> tuple[dict[Asset, int], tuple[Evidence, ...]]:
        """Base units of each of `assets` that it can tell, and the answers they were read from.

        An asset it cannot tell is left out. May raise `SourceError`.
        """
        ...


class Named(Protocol):
    """Whatever is asked, of histories or of prices."""

    @property
    def name(self) -> str:
        """`KIND:WHERE`, without secrets."""
        ...


@runtime_checkable
class AsksHosts(Protocol):
    """Optional power: a source on the network. `hosts` learn every address that it is asked about."""

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names of the hosts it speaks to, and no others: `HOST` or `HOST:PORT`."""
        ...


__all__ = [
    "AsksHosts", "Connector", "Evidence", "FindsTransactions", "KnowsBalances", "Named", "Page", "Problem", "ReadsOn",
]  # fmt: skip
