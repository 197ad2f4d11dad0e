"""Wallets of exchanges as one table: blockchain, address, cex_name, distinct_name (Dune's list in this form)."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.labels.rows import Claim, Document, Format, Outcome, Skipped, day, table
from tracer.labels import Role
from tracer.values import CHAINS, Chain, Family

REPORTED = 50  # by the exchange or a known analyst, as TagPacks grade it

_NEEDED = ("blockchain", "address", "cex_name", "distinct_name")
_OTHER_NAMES = {"bnb": "bsc", "avalanche_c": "avalanche", "bitcoin_cash": "bitcoin-cash"}
#: "evms" is the list's own word for every EVM chain at once. Ethereum Classic is left out: it is none of Dune's.
EVMS = tuple(chain for chain in CHAINS.values() if chain.family is Family.EVM and chain.name != "ethereum-classic")


def _fits(document: Document) -> bool:
    return set(_NEEDED) <= set(document.header)


def _read(document: Document) -> Iterator[Outcome]:
    evms = (document.chain,) if document.chain in EVMS else EVMS

    def read(row: int, cells: dict[str, str]) -> Outcome:
        blockchain = cells["blockchain"]
        chains = evms if blockchain == "evms" else _chain(blockchain)
        if not chains:
            return Skipped(row, f"{blockchain!r:.60} is no chain we carry")
        who = {"added by": cells.get("added_by"), "from": cells.get("source_path")}
        return Claim(
            row, cells["address"], chains, cells["cex_name"], cells["distinct_name"],
            (Role.EXCHANGE,), document.source or "Dune exchange wallets",
            day(cells.get("added_date", "")) or document.seen, REPORTED,
            "; ".join(f"{word} {text}" for word, text in who.items() if text),
        )  # fmt: skip

    return table(document, _NEEDED, read)


def _chain(name: str) -> tuple[Chain, ...]:
    chain = CHAINS.get(_OTHER_NAMES.get(name, name))
    return (chain,) if chain else ()


FORMAT = Format("exchange-wallets", "row", _fits, _read)
