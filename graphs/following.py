"""What following found, and what it would have to read next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from graphs.conversions import Exchange
from graphs.known import known_until
from graphs.stops import Stop
from tracer.envelope import Bounds, envelope
from tracer.ledger import Ledger
from tracer.losses import Loss
from tracer.lots import Between, Rule
from tracer.moves import Course, Moves, Seeds
from tracer.reach import reach
from tracer.trace import Place, Spot, StopCode, Trace, issue
from tracer.values import Address


@dataclass(frozen=True, slots=True)
class Expand:
    """Read this wallet's history next: `units` of stolen value came to it from block `since` on."""

    address: Address
    since: int
    units: int


@dataclass(frozen=True, slots=True)
class Following:
    """The trace so far (`moves` by rule) and the next steps: `expand`, largest stolen value first, and `stops`.

    While something is to expand, `moves` has the rule that found it only, and who was followed last is not in it yet:
    then ends and `bounds` are of two sets. `coins`: followed outputs that name no address. `course`: the fee
    convention, the exchanges carried out and the CoinJoins not followed through; `exchanges`: all that were judged,
    also those that are not trusted.
    """

    ledger: Ledger
    losses: tuple[Loss, ...]
    between: Between
    seeds: Seeds
    followed: frozenset[Address]
    coins: frozenset[int]
    course: Course
    exchanges: tuple[Exchange, ...]
    moves: Mapping[Rule, Moves]
    expand: tuple[Expand, ...]
    stops: Mapping[Spot, Stop]
    hops: Mapping[Address, int]
    _issued: dict[Rule, Trace] = field(default_factory=dict, repr=False, compare=False)

    def traces(self) -> dict[Rule, Trace]:
        """The trace under each rule, computed once; what is still to expand counts as BUDGET. `BooksDoNotClose`."""
        codes: dict[Spot, StopCode] = {step.address: StopCode.BUDGET for step in self.expand}
        codes |= {spot: stop.code for spot, stop in self.stops.items()}
        for rule, moves in self.moves.items():
            if rule not in self._issued:
                self._issued[rule] = issue(self.ledger, self.losses, moves, self.between, codes)
        return dict(self._issued)

    def bounds(self) -> dict[Place, Bounds]:
        """The least and the most at each end under any rule."""
        return envelope(self.ledger, self.seeds, self._known(), self.course)

    def reached(self) -> dict[int, int]:
        """Poison, for reach only: hid -> the ordinal at which stolen value may first have come there."""
        return reach(self.ledger, self.seeds, self._known(), self.course)

    def _known(self) -> dict[int, int]:
        return known_until(self.ledger, self.followed, self.coins)
