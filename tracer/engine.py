"""The engine: lots move in ledger order, and only through holdings that carry stolen value.

A heap holds the next event of each such holding; popping the earliest one moves lots. So what is visited follows the
reach of the stolen value, not the size of the ledger. One engine serves every rule, one victim or many, a loss that is
one payment or a whole wallet, and (with every origin as a label) the question where a wallet's money came from.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tracer.ledger import Ledger, Row
from tracer.lots import CLEAN, Between, Content, Lot, Rule, empty

Amounts = dict[int, int]  # label -> units


@dataclass(frozen=True, slots=True)
class Seeds:
    """Where stolen value enters the ledger. Labels count from 1.

    `paid`: ordinal -> (label, units): the first so many clean units that move there are that loss. `unseen`: hid ->
    label: what that holding must have had besides its recorded inflow is that loss. `caps`: label -> the most it can
    be in all. `since`: hid -> the ordinal from which an unseen inflow counts.
    """

    paid: Mapping[int, tuple[Lot, ...]]
    unseen: Mapping[int, int] = field(default_factory=dict)
    caps: Mapping[int, int] = field(default_factory=dict)
    since: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Flow:
    """Stolen lots that moved from one holding to another in one transfer. `source` is -1 where several paid."""

    ordinal: int
    source: int
    target: int
    lots: tuple[Lot, ...]


@dataclass(frozen=True, slots=True)
class Moves:
    """What the engine found under one rule.

    `followed`: the holdings it went through. `rest`: stolen lots still in followed holdings at the end of the
    ledger. `unseen`: hid -> label -> units that left a followed holding without having been seen to arrive. Flows
    into holdings that are not followed are where the trace ends. `lost` is what was marked: per label it equals the
    sum of those flows and the rest.
    """

    rule: Rule
    followed: Mapping[int, int]
    lost: Amounts
    flows: tuple[Flow, ...]
    rest: dict[int, list[Lot]]
    unseen: dict[int, Amounts]


class _Run:
    def __init__(self, ledger: Ledger, seeds: Seeds, followed: Mapping[int, int], rule: Rule, between: Between) -> None:
        self.ledger = ledger
        self.seeds = seeds
        self.followed = followed
        self.rule = rule
        self.between = between
        self.contents: dict[int, Content] = {}
        self.flows: list[Flow] = []
        self.lost: Amounts = {}
        self.unseen: dict[int, Amounts] = {}
        self.left = dict(seeds.caps)
        self.heap = list(seeds.paid)
        for hid in seeds.unseen:
            self.heap.extend(ledger.events(hid)[:1])
        self.heap = sorted(set(self.heap))
        self.queued = set(self.heap)

    def run(self) -> Moves:
        ledger, contents, seeds = self.ledger, self.contents, self.seeds
        while self.heap:
            ordinal = heapq.heappop(self.heap)
            self.queued.discard(ordinal)
            inputs, outputs = ledger.inputs(ordinal), ledger.outputs(ordinal)
            touched = {hid for hid, _ in inputs + outputs}
            if inputs and {hid for hid, _ in inputs} == touched:
                pass  # a payment to oneself moves nothing, under any rule
            else:
                self._move(ordinal, inputs, outputs)
            for hid in touched:
                if hid in contents or hid in seeds.unseen:
                    following = ledger.next_event(hid, ordinal)
                    if following is not None and following not in self.queued:
                        self.queued.add(following)
                        heapq.heappush(self.heap, following)
        rest = {
            hid: [lot for lot in content.lots() if lot[0]]
            for hid, content in sorted(contents.items())
            if content.stolen
        }
        return Moves(self.rule, self.followed, self.lost, tuple(self.flows), rest, self.unseen)

    def _move(self, ordinal: int, inputs: Row, outputs: Row) -> None:
        lots: list[Lot] = []
        for hid, units in inputs:
            lots += self._drawn(hid, units, ordinal)
        for label, units in self.seeds.paid.get(ordinal, ()):
            lots = self._marked(lots, label, units)
        source = inputs[0][0] if len(inputs) == 1 else -1
        if len(outputs) == 1:
            self._given(outputs[0][0], lots, ordinal, source)
            return
        pool = empty(self.rule, self.between)
        pool.put(lots)
        for hid, units in outputs:
            self._given(hid, pool.take(units), ordinal, source)

    def _drawn(self, hid: int, units: int, ordinal: int) -> list[Lot]:
        """The lots that leave `hid`; what it cannot have had by the record is an unseen inflow, reported as one."""
        if ordinal > self.followed.get(hid, -1):
            return [(CLEAN, units)]
        content = self.contents.get(hid)
        if content is None:
            if hid not in self.seeds.unseen:
                return [(CLEAN, units)]
            content = self._content(hid, ordinal)
        short = units - content.total
        if short > 0:
            came: list[Lot] = [(CLEAN, short)]
            label = self.seeds.unseen.get(hid, CLEAN)
            if label and ordinal >= self.seeds.since.get(hid, 0):
                came = self._marked(came, label, short)
            amounts = self.unseen.setdefault(hid, {})
            for label, part in came:
                amounts[label] = amounts.get(label, 0) + part
            content.put(came)
        # A coin is spent whole: its lots keep their order whatever the rule.
        taken = content.lots() if self.ledger.is_coin(hid) else content.take(units)
        if not content.stolen or self.ledger.is_coin(hid):
            del self.contents[hid]
        return taken

    def _given(self, hid: int, lots: list[Lot], ordinal: int, source: int) -> None:
        stolen = tuple(lot for lot in lots if lot[0])
        if hid in self.followed:
            content = self.contents.get(hid)
            if content is None and stolen:
                content = self._content(hid, ordinal)
            if content is not None:
                content.put(lots)
        if stolen:
            self.flows.append(Flow(ordinal, source, hid, stolen))

    def _content(self, hid: int, ordinal: int) -> Content:
        """A holding as it stands when stolen value first comes: all it had by the record is one clean lot."""
        content = self.contents[hid] = empty(self.rule, self.between)
        content.put([(CLEAN, self.ledger.balance_before(hid, ordinal))])
        return content

    def _marked(self, lots: Iterable[Lot], label: int, units: int) -> list[Lot]:
        """`lots` with the first `units` clean ones marked as the loss `label`; what is stolen already stays so."""
        units = min(units, self.left.get(label, units))
        marked: list[Lot] = []
        done = 0
        for lot in lots:
            part = min(lot[1], units - done) if lot[0] == CLEAN else 0
            if part:
                marked.append((label, part))
                done += part
            if part < lot[1]:
                marked.append((lot[0], lot[1] - part))
        self.lost[label] = self.lost.get(label, 0) + done
        if label in self.left:
            self.left[label] -= done
        return marked


def move(
    ledger: Ledger, seeds: Seeds, followed: Mapping[int, int], rule: Rule, between: Between = Between.PARI_PASSU
) -> Moves:
    """Move the lots of `seeds` through the `followed` holdings under `rule`.

    `followed`: hid -> the last ordinal up to which its history is known; what is there then stays there.

    >>> from tracer.values import *
    >>> eth = Chain.named("ethereum"); victim, mule, shop = (Address(eth, name) for name in ("0xv", "0xm", "0xs"))
    >>> def pay(n: int, source: Address, target: Address, units: int) -> Transfer:
    ...     return Transfer(TransferId(eth, f"0x{n}"), Block(n, 1600000000 + n), 0, eth.coin,
    ...         (Leg.slot(source, eth.coin, units),), (Leg.slot(target, eth.coin, units),), ("sha256:0",))
    >>> ledger = Ledger.of([pay(1, victim, mule, 60), pay(2, mule, shop, 50)])
    >>> mules = {ledger.hid(Slot(mule, eth.coin)): 1}
    >>> moves = move(ledger, Seeds({0: ((1, 60),)}), mules, Rule.FIFO)
    >>> [flow.lots for flow in moves.flows], moves.rest
    ([((1, 60),), ((1, 50),)], {1: [(1, 10)]})
    """
    return _Run(ledger, seeds, followed, rule, between).run()


def reach(ledger: Ledger, seeds: Seeds, followed: Mapping[int, int]) -> dict[int, int]:
    """Poison: every holding that stolen value may have come to, hid -> the ordinal at which it first could.

    `followed` as in `move`. Reach only: it ignores amounts and commingling and is no accounting rule, so nothing is
    ever claimed from it.
    """
    reached: dict[int, int] = {}
    heap = sorted({*seeds.paid, *(events[0] for hid in seeds.unseen if (events := ledger.events(hid)))})
    queued = set(heap)
    while heap:
        ordinal = heapq.heappop(heap)
        queued.discard(ordinal)
        inputs, outputs = ledger.inputs(ordinal), ledger.outputs(ordinal)
        marked = ordinal in seeds.paid or any(
            ordinal <= followed.get(hid, -1) and (hid in reached or hid in seeds.unseen)
            for hid, units in inputs
            if units
        )
        for hid, units in outputs:
            if marked and units:
                reached.setdefault(hid, ordinal)
        for hid, _ in inputs + outputs:
            if (hid in reached and hid in followed) or hid in seeds.unseen:
                following = ledger.next_event(hid, ordinal)
                if following is not None and following not in queued:
                    queued.add(following)
                    heapq.heappush(heap, following)
    return reached
