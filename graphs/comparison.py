"""Where the rules part: per end the least and the most over the rules, and the holdings whose mixture made them differ.

A court that prefers another rule needs to see what hangs on the choice, and at which payment it was made.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from tracer.ledger import Ledger
from tracer.lots import Rule
from tracer.moves import Draw, Moves
from tracer.trace import Place, Trace, place_of
from tracer.values import TransferId


@dataclass(frozen=True, slots=True)
class Choice:
    """One payment at which the rules part: `units` left a mixture, and `taken` of them are stolen by each rule.

    `held`: how much of the mixture was stolen before, by rule, of `total` units in all.
    """

    transfer: TransferId
    units: int
    total: int
    held: Mapping[Rule, int]
    taken: Mapping[Rule, int]


@dataclass(frozen=True, slots=True)
class Commingling:
    """A place where stolen and other value lie mixed and the rules choose differently, payment by payment.

    `pooled`: what several inputs of one transaction brought together; the place is the output that got some of it.
    """

    place: Place
    pooled: bool
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """An end over all rules, in the stolen asset."""

    place: Place
    by_rule: Mapping[Rule, int]

    @property
    def least(self) -> int:
        """The least that any of these rules leaves here."""
        return min(self.by_rule.values())

    @property
    def most(self) -> int:
        """The most."""
        return max(self.by_rule.values())


def compared(traces: Mapping[Rule, Trace]) -> tuple[Compared, ...]:
    """Every place where some rule leaves stolen value, with what each leaves there."""
    places = dict.fromkeys(end.place for trace in traces.values() for end in trace.ends)
    amounts = {rule: {end.place: end.stolen for end in trace.ends} for rule, trace in traces.items()}
    return tuple(Compared(place, {rule: mine.get(place, 0) for rule, mine in amounts.items()}) for place in places)


def commingling(ledger: Ledger, moves: Mapping[Rule, Moves], rules: Sequence[Rule]) -> tuple[Commingling, ...]:
    """Where `rules` part, in the order of the first payment at which they do."""
    draws: dict[tuple[int, int, bool], dict[Rule, Draw]] = {}
    for rule in rules:
        for draw in moves[rule].draws:
            draws.setdefault((draw.ordinal, draw.hid, draw.pooled), {})[rule] = draw
    drawn = {ordinal for ordinal, _, _ in draws}
    left = {rule: _moved(moves[rule], drawn) for rule in rules}
    found: dict[tuple[Place, bool], list[Choice]] = {}
    for (ordinal, hid, pooled), by_rule in sorted(draws.items()):
        one = next(iter(by_rule.values()))
        taken = {
            rule: by_rule[rule].taken if rule in by_rule else left[rule].get((ordinal, hid, pooled), 0)
            for rule in rules
        }
        if len(set(taken.values())) == 1:
            continue
        # A rule that made no choice here had nothing stolen in the mixture, or nothing else.
        held = {rule: by_rule[rule].stolen if rule in by_rule else (one.total if taken[rule] else 0) for rule in rules}
        choice = Choice(ledger.transfer(ordinal).id, one.units, one.total, held, taken)
        found.setdefault((place_of(ledger, hid), pooled), []).append(choice)
    return tuple(Commingling(place, pooled, tuple(choices)) for (place, pooled), choices in found.items())


def _moved(moves: Moves, ordinals: Collection[int]) -> dict[tuple[int, int, bool], int]:
    """(ordinal, holding, whether it received) -> stolen units that moved, of the payments at `ordinals`."""
    found: dict[tuple[int, int, bool], int] = {}
    for flow in moves.flows:
        if flow.ordinal not in ordinals:
            continue
        units = sum(part for _, part in flow.lots)
        for key in ((flow.ordinal, flow.source, False), (flow.ordinal, flow.target, True)):
            found[key] = found.get(key, 0) + units
    return found
