"""What was read of each address and what was not: "none seen" and "not read" are different answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum

from tracer.balances import Balance
from tracer.values import Address, Family


class State(IntEnum):
    """What a source answered about an address, best to worst."""

    READ = 0  # every row in the stated blocks
    EMPTY = 1  # read, and there is nothing
    UNSTATED = 2  # rows, from a file that does not say whether they are all
    CUT = 3  # the answer ended at a cap: complete up to the last block but one, unknown after
    FAILED = 4  # the source answered with an error
    NOT_RECORDED = 5  # the source has no answer for this address
    NOT_ASKED = 6  # nobody asked

    @property
    def word(self) -> str:
        """As printed and stored: `not recorded`."""
        return self.name.lower().replace("_", " ")


class Kind(StrEnum):
    """Kinds of movement a source can show. What it cannot show is a gap in every conclusion from it."""

    NATIVE = "native"  # the transaction's own value, and its fee
    INTERNAL = "internal"  # value moved by contract calls
    TOKEN = "token"  # token events


@dataclass(frozen=True, slots=True)
class Coverage:
    """What one answer says about one address.

    `first`..`last` are the blocks read completely, both included; `last` is None where the answer does not state it:
    all there were `as_of` then for READ and EMPTY, none for the other states. `as_of` is when
    the answer was taken (UTC seconds), 0 where the source does not say. `kinds` are the movements it can show.
    `reason` says in words why it is not complete, "" when it is. `final` is the last of the blocks read that the
    chain's finality rule calls final, None where the source does not tell; later ones are provisional, and `tip`,
    the hash of `last`, is how they are recognised again. `balances` are the balance assertions, met or not.
    """

    address: Address
    state: State
    kinds: frozenset[Kind]
    source: str
    evidence: str = ""
    first: int = 0
    last: int | None = None
    as_of: int = 0
    rows: int = 0
    reason: str = ""
    final: int | None = None
    tip: str = ""
    balances: tuple[Balance, ...] = ()

    @property
    def complete(self) -> bool:
        """True where every row of the stated kinds from the first block on was read."""
        return self.state in (State.READ, State.EMPTY) and self.first == 0

    @property
    def unexplained(self) -> tuple[Balance, ...]:
        """The balance assertions that do not hold."""
        return tuple(balance for balance in self.balances if balance.residue)

    @property
    def cited(self) -> tuple[str, ...]:
        """The evidence behind this answer, if there was an answer."""
        return (self.evidence,) if self.evidence else ()

    @property
    def missing(self) -> tuple[Kind, ...]:
        """The kinds of movement that this answer cannot show."""
        there = (Kind.NATIVE,) if self.address.chain.family is Family.BITCOIN else tuple(Kind)
        return tuple(kind for kind in there if kind not in self.kinds)


class CoverageBook:
    """The best coverage known per address; an address nobody asked about has one too, `NOT_ASKED`."""

    def __init__(self, answers: Iterable[Coverage] = ()) -> None:
        self._by_address: dict[Address, Coverage] = {}
        for answer in answers:
            self.add(answer)

    def add(self, answer: Coverage) -> None:
        """Keep `answer` if it says more than what is known; ties go to the one with more blocks, then by evidence.

        One that goes on where a known one of the same source ends makes one answer with it.
        """
        known = self._by_address.get(answer.address)
        if known is not None and (joined := _joined(known, answer)):
            self._by_address[answer.address] = joined
        elif known is None or _rank(answer) < _rank(known):
            self._by_address[answer.address] = answer

    def of(self, address: Address) -> Coverage:
        """What is known about `address`."""
        known = self._by_address.get(address)
        return known or Coverage(address, State.NOT_ASKED, frozenset(), "", reason="nobody asked about this address")

    def __iter__(self) -> Iterator[Coverage]:
        return iter(sorted(self._by_address.values(), key=lambda answer: answer.address))

    def __len__(self) -> int:
        return len(self._by_address)


def _rank(answer: Coverage) -> tuple[int, int, int, str]:
    return answer.state, -len(answer.kinds), -(answer.last if answer.last is not None else -1), answer.evidence


def _joined(known: Coverage, answer: Coverage) -> Coverage | None:
    """Both as one, if `answer` reads on from within `known`, or from the block after it."""
    whole = {State.READ, State.EMPTY}
    if not ({known.state, answer.state} <= whole and known.source == answer.source and known.kinds == answer.kinds):
        return None
    if known.last is None or answer.last is None or answer.last < known.last:
        return None
    if not known.first < answer.first <= known.last + 1:
        return None
    state = State.READ if State.READ in (known.state, answer.state) else State.EMPTY
    return replace(answer, state=state, first=known.first, rows=known.rows + answer.rows)
