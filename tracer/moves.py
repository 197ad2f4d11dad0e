"""What the engine is told and what it tells: seeds and course in, moves out."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tracer.conversions import Conversion, Strain
from tracer.ledger import Ledger, Movement
from tracer.lots import Fees, Lot, Rule

Amounts = dict[int, int]  # label -> units


@dataclass(frozen=True, slots=True)
class Seeds:
    """Where stolen value enters the ledger. Labels count from 1.

    `paid`: ordinal -> (label, units): the first so many clean units that move there are that loss; `legs`: step ->
    (hid, label, units): the first so many clean units that leave that holding there, or come to it, are. `unseen`:
    hid -> label: what that holding must have had besides its recorded inflow is that loss. `caps`: label -> the most
    it can be in all. `since`: hid -> the ordinal from which an unseen inflow counts.
    """

    paid: Mapping[int, tuple[Lot, ...]]
    unseen: Mapping[int, int] = field(default_factory=dict)
    caps: Mapping[int, int] = field(default_factory=dict)
    since: Mapping[int, int] = field(default_factory=dict)
    legs: Mapping[int, tuple[tuple[int, int, int], ...]] = field(default_factory=dict)

    def start(self, ledger: Ledger) -> list[int]:
        """The steps at which something enters, ascending."""
        steps = {ledger.step_of(at) for at in self.paid} | set(self.legs)
        for hid in self.unseen:
            steps.update(ledger.events(hid)[:1])
        return sorted(steps)

    def most(self, ledger: Ledger) -> int:
        """The most units that all losses together can be, whatever the rule and whoever is followed."""
        entering = [lot for lots in self.paid.values() for lot in lots]
        entering += [(label, units) for legs in self.legs.values() for _, label, units in legs]
        for hid, label in self.unseen.items():
            for step in ledger.events(hid):
                if step >= self.since.get(hid, 0):
                    moving = (one for one in ledger.movements(step) if not one.own)
                    paid = sum(units for one in moving for at, units in one.inputs if at == hid)
                    entering.append((label, max(0, paid - ledger.balance_before(hid, step))))
        total: Amounts = {}
        for label, units in entering:
            total[label] = total.get(label, 0) + units
        return sum(min(units, self.caps.get(label, units)) for label, units in total.items())

    def labels(self) -> int:
        """The highest label."""
        claimed = [label for lots in self.paid.values() for label, _ in lots]
        claimed += [label for legs in self.legs.values() for _, label, _ in legs]
        return max((*claimed, *self.unseen.values(), *self.caps), default=0)


@dataclass(frozen=True, slots=True)
class Course:
    """How the engine is to treat what lies on the way; what graphs decided, the engine carries out.

    `fees`: who bears a UTXO transaction's fee. `conversions`: step -> what was exchanged there. `barriers`: steps that
    nothing is followed through, as CoinJoins.
    """

    fees: Fees = Fees.LAST
    conversions: Mapping[int, tuple[Conversion, ...]] = field(default_factory=dict)
    barriers: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Flow:
    """Stolen lots that moved from one holding to another in one movement, `ordinal` its transfer.

    `source` is -1 where several paid. `target` below -1 is the transaction itself: see `barrier`.
    """

    ordinal: int
    source: int
    target: int
    lots: tuple[Lot, ...]


class Growth(Protocol):
    """Decides while lots move who else is followed: asked where stolen value comes to a holding that is not."""

    def let_in(self, hid: int, step: int, by: Sequence[Flow], worth: int) -> Mapping[int, int]:
        """The holdings to follow from this step on, as in `followed`; {} for none.

        `by`: the flows of the step to `hid`, in all `worth` in the stolen asset.
        """

    def course(self) -> Course:
        """The course, with what lies on their way."""


def barrier(ordinal: int) -> int:
    """The target of what is not followed through the step at `ordinal`; its own inverse."""
    return -2 - ordinal


def comes_for(one: Movement, exchanges: Iterable[Conversion]) -> bool:
    """Whether a movement pays out what somebody gets in an exchange, and is nothing that is given in one itself."""
    paid, to = {hid for hid, _ in one.inputs}, {hid for hid, _ in one.outputs}
    gave = {leg.hid for exchange in exchanges for leg in exchange.gave}
    got = (leg for exchange in exchanges for leg in exchange.got)
    return not paid & gave and any(leg.hid in to and (not leg.to or leg.to & paid) for leg in got)


def set_aside(
    late: Iterable[Movement], came: Container[int], claims: Sequence[list[int]], seeds: Seeds
) -> tuple[dict[int, list[list[int]]], dict[int, int]]:
    """Of movements that may pay out what stolen value was exchanged for, those that do: there claims come after it.

    (transfer -> the claims to what it pays, [hid, label, units]: those of its step on who pays, and those on itself;
    hid -> what such movements pay it). `came`: the holdings that something exchanged came to.
    """
    waiting: dict[int, list[list[int]]] = {}
    paid: dict[int, int] = {}
    for one in late:
        if any(hid in came for hid, _ in one.outputs):
            on_payers = [claim for claim in claims if any(claim[0] == hid for hid, _ in one.inputs)]
            on_itself = [[-1, label, units] for label, units in seeds.paid.get(one.ordinal, ())]
            waiting[one.ordinal] = on_payers + on_itself
            for hid, units in one.outputs:
                paid[hid] = paid.get(hid, 0) + units
    return waiting, paid


@dataclass(frozen=True, slots=True)
class Draw:
    """A choice that the rule made: `units` of the `total` in `hid`, of which `stolen` are stolen, `taken` of them.

    `pooled`: not a holding's content, but what a transaction's inputs brought together; `hid` got `units` of it.
    """

    ordinal: int
    hid: int
    units: int
    total: int
    stolen: int
    taken: int
    pooled: bool = False


@dataclass(frozen=True, slots=True)
class Moves:
    """What the engine found under one rule.

    `followed`: the holdings it went through. `rest`: stolen lots still in followed holdings at the end of the
    ledger. `unseen`: hid -> label -> units that left a followed holding without having been seen to arrive. Flows
    into holdings that are not followed are where the trace ends. `lost` is what was marked: per label it equals the
    sum of those flows, the rest and what was converted. `strains`: label -> what conversions made. `draws`: every
    time that the rule had a choice.
    """

    rule: Rule
    followed: Mapping[int, int]
    lost: Amounts
    flows: tuple[Flow, ...]
    rest: dict[int, list[Lot]]
    unseen: dict[int, Amounts]
    strains: Mapping[int, Strain] = field(default_factory=dict)
    draws: tuple[Draw, ...] = ()

    def loss(self, label: int) -> int:
        """The loss that lots of `label` stem from."""
        return self.strains[label].loss if label in self.strains else label

    def worth(self, lots: Iterable[Lot]) -> int:
        """What lots stand for in the stolen asset, each lot rounded down."""
        strains = self.strains
        if not strains:
            return sum(units for label, units in lots if label)
        return sum(
            units * strains[label].basis // strains[label].units if label in strains else units
            for label, units in lots
            if label
        )
