"""Judgements: "these two addresses are one owner", with the rule and the transactions that say so. Never facts."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from tracer.errors import InputError
from tracer.values import Address, TransferId


@dataclass(frozen=True, slots=True, order=True)
class Judgement:
    """An inference that `left` and `right` have one owner. Clusters are derived from these and can be taken apart.

    The two may be on different chains. `rule` is a rule's name, or a person's reason in words; `evidence` the transfers
    it rests on; `confidence` is 0 to 100; `author` the rule's version or a person; `at` the newest block of the
    evidence, 0 without any. Raises `InputError` where the two are one address, or nobody can be so sure.
    """

    left: Address
    right: Address
    rule: str
    evidence: tuple[TransferId, ...]
    confidence: int
    author: str
    at: int

    def __post_init__(self) -> None:
        if not 0 <= self.confidence <= 100:
            raise InputError(f"confidence {self.confidence} is not between 0 and 100", "100 is proven, 0 a mere guess")
        if self.left == self.right:
            raise InputError(f"{self.left} is one address", "a judgement is about two")


@dataclass(frozen=True, slots=True, order=True)
class Withdrawal:
    """A decision that a judgement no longer counts: `by` whom, and `why`. The judgement stays on record."""

    judgement: Judgement
    by: str
    why: str


def doubt_of(one: Judgement, withdrawn: Collection[Judgement], holds: Callable[[TransferId], bool]) -> str:
    """Why a judgement does not count, "" if it does.

    What rests on a transfer that is not there, or that a reorganisation took away, rests on nothing until it is back.
    """
    if one in withdrawn:
        return "withdrawn"
    return "" if all(map(holds, one.evidence)) else "evidence not held"
