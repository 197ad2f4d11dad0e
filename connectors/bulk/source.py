"""The source `ledger:FOLDER`: histories out of a ledger that was ingested."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from connectors.bulk.ledger import BulkLedger
from connectors.cursors import pages_after
from connectors.protocol import Evidence, Page
from connectors.transfer_rows import record_of
from tracer.values import Address, Chain, Transfer

PER_PAGE = 1_000


class LedgerFolder:
    """Reads histories from a ledger folder, at most a thousand transfers to a page.

    A page's evidence is its transfers in our own format, each with the sources and rows it was ingested from, so a
    case that keeps the page can be read without the folder. Whoever has the folder at hand uses `ledger`, which
    answers the same without copies.
    """

    def __init__(self, where: Path | str, name: str = "") -> None:
        self._name = name or f"ledger:{where}"
        self.ledger = BulkLedger(where)

    @property
    def name(self) -> str:
        """`ledger:FOLDER` as given."""
        return self._name

    @property
    def chains(self) -> frozenset[Chain]:
        """The chain of the folder."""
        return frozenset((self.ledger.files.chain,))

    def history(self, address: Address, after: str = "") -> Iterator[Page]:
        """The transfers of `address` in order; a cursor is the ordinal of a page's last transfer."""
        ordinals = sorted({entry.ordinal for entry in self.ledger.history(address)})
        pages = [ordinals[at : at + PER_PAGE] for at in range(0, len(ordinals), PER_PAGE)] or [[]]
        cursors = [str(page[-1]) for page in pages[:-1]]
        for number in pages_after(range(len(pages)), cursors, after, self.name):
            evidence, transfers = self._page(pages[number], f"{address.chain} {address}, page {number + 1}")
            coverage = None
            if number == len(pages) - 1:
                cited = evidence.id if evidence else ""
                coverage = replace(
                    self.ledger.coverage.of(address), source=self.name, evidence=cited, rows=len(ordinals)
                )
            yield Page(transfers, cursors[number] if coverage is None else "", evidence, coverage)

    def transaction(self, chain: Chain, tx: str) -> tuple[Transfer, ...]:
        """The transfers of `tx`, () where there are none."""
        ordinals = [at for one in self.ledger.of_tx(chain, tx) if (at := self.ledger.ordinal(one.id)) is not None]
        return self._page(ordinals, f"{chain} {tx}")[1]

    def _page(self, ordinals: Sequence[int], request: str) -> tuple[Evidence | None, tuple[Transfer, ...]]:
        transfers = [self.ledger.transfer(at) for at in ordinals]
        if not transfers:
            return None, ()
        lines = [json.dumps(record_of(one), ensure_ascii=False) + "\n" for one in transfers]
        evidence = Evidence("".join(lines).encode(), self.name, request)
        cited = evidence.id
        return evidence, tuple(replace(one, evidence=(f"{cited}#{number}",)) for number, one in enumerate(transfers, 1))
