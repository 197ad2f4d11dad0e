"""What answers of an Esplora instance mean: refusals, and what it says of an address as a whole."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.fields import number_in, plain, units_in
from connectors.http.judging import Again, Skip, Use, Verdict, by_status
from connectors.http.protocol import Response
from tracer.errors import BadRow


@dataclass(frozen=True, slots=True)
class Figures:
    """What the explorer says of an address after the block `tip`: the proof that a listing is whole."""

    hash: str
    tip: int
    at: int
    transactions: int
    funded: int
    spent: int
    unconfirmed: int


def figures_of(told: object, hash: str, height: int, at: int) -> Figures:
    """The figures in the answer about an address, taken `at` when block `height` was the newest. Raises `BadRow`."""
    row = told if isinstance(told, dict) else {}
    chain, waiting = row.get("chain_stats"), row.get("mempool_stats", {})
    if not isinstance(chain, dict) or not isinstance(waiting, dict):
        raise BadRow("it has no chain_stats")
    transactions, unconfirmed = number_in(chain, "tx_count"), number_in(waiting, "tx_count", 0)
    funded, spent = units_in(chain, "funded_txo_sum"), units_in(chain, "spent_txo_sum")
    return Figures(hash, height, at, transactions, funded, spent, unconfirmed)


def judge(response: Response) -> Verdict:
    """Esplora answers errors as plain text: 404 for what it does not have, 400 for what it refuses.

    An address with too many transactions is refused, by some instances with 413: nothing is known of it then.
    """
    told = plain(response.body[:400].decode(errors="replace"))
    if response.status == 404 and "not found" in told.lower():
        return Use()
    if response.status in (400, 413, 422):
        return Skip(f"the explorer refuses (HTTP status {response.status}): {told}")
    verdict = by_status(response)
    if not isinstance(verdict, Use):
        return verdict
    body = response.body.strip()
    if body[:1] + body[-1:] in (b"{}", b"[]") or (len(body) <= 64 and body.isalnum() and body.isascii()):
        return Use()
    return Again(f"an answer that is cut short, or none: {told}")


__all__ = ["Figures", "figures_of", "judge"]
