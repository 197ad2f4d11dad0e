"""Judgements: "these two addresses are one owner", with the rule and the transactions that say so. Never facts."""

from __future__ import annotations

from dataclasses import dataclass

from tracer.values import Address, TransferId


@dataclass(frozen=True, slots=True, order=True)
class Judgement:
    """An inference that `left` and `right` have one owner. Clusters are derived from these and can be taken apart.

    `confidence` is 0 to 100; `author` is the rule's version or a person; `at` is the block it was made at.
    """

    left: Address
    right: Address
    rule: str
    evidence: tuple[TransferId, ...]
    confidence: int
    author: str
    at: int
