"""Backward: where did this wallet's money come from? The same engine, with every origin as a label of its own.

Money is followed back through the wallets that paid in, until a labelled service, a wallet that nobody read, or inflow
that the data do not show. Then lots move forward from all of those origins at once, and what arrives in the wallet
says whose it was. taint_first and clean_first need one loss against all else, so the rules here are the other three.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from graphs.following import Expand
from graphs.known import known_until, unread
from graphs.seeds import asset_of
from graphs.stops import Stop, StopRules, labelled, suspected_service
from tracer.coverage import State
from tracer.engine import move
from tracer.envelope import Bounds, envelope
from tracer.errors import BooksDoNotClose, InputError
from tracer.labels import LabelBook
from tracer.ledger import Ledger, Movement
from tracer.losses import Loss
from tracer.lots import Between, Rule
from tracer.moves import Course, Moves, Seeds
from tracer.reach import reach
from tracer.trace import End, Hop, Place, Spot, StopCode, Trace, Unseen
from tracer.values import Address, Asset

_NOT_SHOWN = "where it came from is not in the data: inflow not shown, issued, or the wallet's own money come back"
WALLET = 1  # the label of what cannot be shown to come from anywhere else
BACKWARD_RULES = (Rule.PRO_RATA, Rule.FIFO, Rule.LIFO)


@dataclass(frozen=True, slots=True)
class Origins:
    """Where the money of one wallet came from; the same questions as a `Following` answers, asked backward.

    Ends are origins: `amounts` at one is what of it arrived in the wallet. `unseen` inflow of a wallet followed back
    through is an origin too, NOT_SHOWN.
    """

    wallet: Address
    ledger: Ledger
    losses: tuple[Loss, ...]
    between: Between
    seeds: Seeds
    followed: frozenset[Address]
    moves: Mapping[Rule, Moves]
    expand: tuple[Expand, ...]
    stops: Mapping[Spot, Stop]
    hops: Mapping[Address, int]
    origins: tuple[Address, ...]  # by label, from 1
    course: Course = field(default_factory=Course)
    _issued: dict[Rule, Trace] = field(default_factory=dict, repr=False, compare=False)

    def traces(self) -> dict[Rule, Trace]:
        """Per rule the origins of all that came in. Raises `BooksDoNotClose`."""
        for rule, moves in self.moves.items():
            if rule not in self._issued:
                self._issued[rule] = self._trace(moves)
        return dict(self._issued)

    def _trace(self, moves: Moves) -> Trace:
        ledger, asset = self.ledger, self.losses[0].asset
        targets = _holdings(ledger, self.wallet, asset)
        units: dict[int, int] = {}
        for flow in moves.flows:
            if flow.target in targets and self._counts(flow.ordinal) and not self._own(flow.ordinal):
                for label, part in flow.lots:
                    units[label] = units.get(label, 0) + part
        received = self.received()
        unexplained = received - sum(units.values())
        if unexplained < 0:
            raise BooksDoNotClose(
                f"under {moves.rule} {self.wallet} received {received} base units and its origins add up to more",
                "this is a defect in fundtrail; keep the case file and report it",
            )
        units[WALLET] = units.get(WALLET, 0) + unexplained
        carried: dict[int, dict[int, None]] = {}
        for flow in moves.flows:
            for label, _ in flow.lots:
                if flow.source >= 0 and ledger.address(flow.source) == self.origins[label - 1]:
                    carried.setdefault(label, {})[flow.ordinal] = None
        ends = tuple(
            End(
                Place(asset, self.origins[label - 1]),
                self.stops[self.origins[label - 1]].code,
                ((1, part),),
                ((1, part),),
                tuple(ledger.transfer(at).id for at in carried.get(label, ())),
            )
            for label, part in sorted(units.items())
            if part
        )
        hops = tuple(
            Hop(
                ledger.transfer(flow.ordinal).id,
                ledger.address(flow.source) if flow.source >= 0 else None,
                ledger.address(flow.target),
                moved := ((1, sum(part for _, part in flow.lots)),),
                moved,
            )
            for flow in moves.flows
            if flow.target in targets or ledger.address(flow.target) in self.followed
        )
        unseen = tuple(
            Unseen(end.place.address, asset, 1, end.units)
            for end in ends
            if end.place.address in {*self.followed, self.wallet}
        )
        return Trace(moves.rule, self.between, self.losses, ((1, received),), ends, hops, unseen)

    def bounds(self) -> dict[Place, Bounds]:
        """For each origin the least and the most of it that arrived, under any rule."""
        ledger, asset = self.ledger, self.losses[0].asset
        target = Place(asset, self.wallet)
        known = known_until(ledger, self.followed)
        found: dict[Place, Bounds] = {}
        received = self.received()
        for label, origin in enumerate(self.origins, start=1):
            if label == WALLET:
                continue
            legs = {
                at: mine
                for at, claims in self.seeds.legs.items()
                if (mine := tuple(claim for claim in claims if claim[1] == label))
            }
            unseen = {hid: of for hid, of in self.seeds.unseen.items() if of == label}
            bounds = envelope(ledger, Seeds({}, unseen, legs=legs), known).get(target)
            if bounds:  # what came before `since`, and its own change, is in the flow and may not count
                least = 0 if self.losses[0].since or self._has_change() else bounds.least
                found[Place(asset, origin)] = Bounds(least, min(bounds.most, received))
        least = max(0, received - sum(bounds.most for bounds in found.values()))
        found[Place(asset, self.wallet)] = Bounds(least, received - sum(bounds.least for bounds in found.values()))
        return found

    def received(self) -> int:
        """What the wallet is recorded to have received from others, and must have had besides."""
        ledger, came = self.ledger, 0
        for target in _holdings(ledger, self.wallet, self.losses[0].asset):
            for at in filter(self._counts, ledger.events(target)):
                moved = [one for one in ledger.movements(at) if not one.own]
                paid = sum(units for one in moved for hid, units in one.inputs if hid == target)
                came += max(0, paid - ledger.balance_before(target, at)) if paid else 0
                for one in moved:
                    if not self._own(one.ordinal):
                        came += sum(units for hid, units in one.outputs if hid == target)
        return came

    def _own(self, ordinal: int) -> bool:
        """Whether the wallet pays in that movement itself: what comes back to it there is change."""
        ledger = self.ledger
        return any(
            ledger.address(hid) == self.wallet
            for one in ledger.movements(ledger.step_of(ordinal))
            if one.ordinal == ordinal
            for hid, _ in one.inputs
        )

    def _has_change(self) -> bool:
        """Whether the wallet ever paid itself and somebody else together."""
        targets = _holdings(self.ledger, self.wallet, self.losses[0].asset)
        return any(
            self._own(one.ordinal) and not one.own and any(hid == target for hid, _ in one.outputs)
            for target in targets
            for step in self.ledger.events(target)
            for one in self.ledger.movements(step)
        )

    def _counts(self, ordinal: int) -> bool:
        return self.ledger.transfer(ordinal).block.number >= self.losses[0].since

    def reached(self) -> dict[int, int]:
        """Every holding the origins' money may have come to, for reach only."""
        return reach(self.ledger, self.seeds, known_until(self.ledger, self.followed))


def originate(
    ledger: Ledger,
    labels: LabelBook,
    losses: Sequence[Loss],
    rules: StopRules | None = None,
    *,
    between: Between = Between.PARI_PASSU,
    known: Iterable[Address] = (),
    spent: bool = False,
) -> Origins:
    """Follow the money of `losses[0].wallet` back. Arguments as for `graphs.follow.follow`."""
    if len(losses) != 1 or losses[0].wallet is None:
        raise InputError("backward needs one wallet", "give an address as START")
    return _Back(ledger, labels, losses[0], losses[0].wallet, rules or StopRules(), between, set(known), spent).run()


class _Back:
    def __init__(
        self, ledger: Ledger, labels: LabelBook, loss: Loss, wallet: Address, rules: StopRules, between: Between,
        followed: set[Address], spent: bool,
    ) -> None:  # fmt: skip
        self.ledger, self.labels, self.loss, self.wallet = ledger, labels, loss, wallet
        self.rules, self.between, self.followed, self.spent = rules, between, followed, spent

    def run(self) -> Origins:
        ledger, spent = self.ledger, self.spent
        if ledger.coverage.of(self.wallet).state is State.NOT_ASKED and not spent:
            return self._result(Seeds({}), (), {}, (Expand(self.wallet, 0, 0),), {}, {})
        while True:
            seeds, origins, hops = self._seeds()
            known = known_until(ledger, self.followed)
            moves = {rule: move(ledger, seeds, known, rule, self.between) for rule in BACKWARD_RULES}
            units = self._arrived(moves.values(), len(origins))
            received = max(1, sum(units))
            stops: dict[Spot, Stop] = {}
            expand: list[Expand] = []
            grew = False
            for label, origin in enumerate(origins, start=1):
                if origin in self.followed or origin == self.wallet:
                    stops[origin] = Stop(origin, StopCode.NOT_SHOWN, _NOT_SHOWN)
                    continue
                step = self._step(origin, units[label - 1], received, hops.get(origin, 0), seeds, label)
                if step is None:
                    self.followed.add(origin)
                    grew = True
                elif isinstance(step, Expand):
                    expand.append(step)
                else:
                    stops[origin] = step
            if not grew:
                ranked = tuple(sorted(expand, key=lambda step: (-step.units, step.address)))
                if ranked:
                    moves = {BACKWARD_RULES[0]: moves[BACKWARD_RULES[0]]}
                return self._result(seeds, origins, moves, ranked, stops, hops)

    def _result(
        self, seeds: Seeds, origins: tuple[Address, ...], moves: dict[Rule, Moves], expand: tuple[Expand, ...],
        stops: dict[Spot, Stop], hops: dict[Address, int],
    ) -> Origins:  # fmt: skip
        return Origins(
            self.wallet,
            self.ledger,
            (self.loss,),
            self.between,
            seeds,
            frozenset(self.followed),
            moves,
            expand,
            stops,
            hops,
            origins,
        )

    def _seeds(self) -> tuple[Seeds, tuple[Address, ...], dict[Address, int]]:
        """Every payment into the wallets followed back is a seed, labelled by who paid; so is inflow not seen."""
        ledger, asset = self.ledger, self.loss.asset
        labels: dict[Address, int] = {self.wallet: 1}
        legs: dict[int, list[tuple[int, int, int]]] = {}
        unseen: dict[int, int] = {}
        hops = {self.wallet: 0}
        edge = [self.wallet]
        while edge:
            earlier: list[Address] = []
            for address in sorted(edge):
                for hid in _holdings(ledger, address, asset):
                    if address != self.wallet:
                        unseen[hid] = labels.setdefault(address, len(labels) + 1)
                    for step in ledger.events(hid):
                        if address == self.wallet and ledger.transfer(step).block.number < self.loss.since:
                            continue
                        for one in ledger.movements(step):
                            got = sum(units for at, units in one.outputs if at == hid)
                            if got:
                                self._paying(one, hid, got, address, labels, legs.setdefault(step, []), hops, earlier)
            edge = earlier
        claims = {step: tuple(dict.fromkeys(found)) for step, found in legs.items() if found}
        return Seeds({}, unseen, legs=claims), tuple(labels), hops

    def _paying(
        self, one: Movement, hid: int, got: int, address: Address, labels: dict[Address, int],
        claims: list[tuple[int, int, int]], hops: dict[Address, int], earlier: list[Address],
    ) -> None:  # fmt: skip
        """Who pays `hid` in a movement: what one payer paid is marked where it arrives, else where each one pays."""
        payers = [(at, units, self.ledger.address(at)) for at, units in one.inputs]
        if any(payer == address for _, _, payer in payers):
            return
        for at, units, payer in payers:
            if payer is None:
                continue
            if payer not in hops:
                hops[payer] = hops[address] + 1
                if payer in self.followed:
                    earlier.append(payer)
            if payer not in self.followed and payer != self.wallet:
                label = labels.setdefault(payer, len(labels) + 1)
                claims.append((hid, label, got) if len(payers) == 1 else (at, label, units))

    def _arrived(self, runs: Iterable[Moves], count: int) -> list[int]:
        """Per label the most that arrived in the wallet under any rule."""
        targets = _holdings(self.ledger, self.wallet, self.loss.asset)
        most = [0] * count
        for run in runs:
            mine = [0] * count
            for flow in run.flows:
                if flow.target in targets and self.ledger.transfer(flow.ordinal).block.number >= self.loss.since:
                    for label, units in flow.lots:
                        mine[label - 1] += units
            most = [max(pair) for pair in zip(most, mine, strict=True)]
        return most

    def _step(
        self, origin: Address, units: int, received: int, hops: int, seeds: Seeds, label: int
    ) -> Expand | Stop | None:
        rules, ledger = self.rules, self.ledger
        stop = labelled(self.labels, origin, rules)
        if stop:
            return stop
        if units < rules.floor(received, rules.dust_one_in):
            return Stop(
                origin, StopCode.DUST, f"less than one part in {rules.dust_one_in:,} of what the wallet received"
            )
        if hops > rules.hops:
            return Stop(origin, StopCode.HOP_LIMIT, f"{hops} payments before the wallet; the limit is {rules.hops}")
        coverage = ledger.coverage.of(origin)
        first = min(at for at, claims in seeds.legs.items() if any(of == label for _, of, _ in claims))
        block = ledger.transfer(first).block.number
        if coverage.state is State.NOT_ASKED:
            if self.spent:
                return Stop(origin, StopCode.BUDGET, "not asked: the budget was spent on larger amounts first")
            return Expand(origin, 0, units)
        why = unread(ledger, origin, block)
        if why:
            return Stop(origin, StopCode.NOT_READ, why, coverage.cited)
        return suspected_service(ledger, origin, rules)


def _holdings(ledger: Ledger, address: Address, asset: Asset) -> tuple[int, ...]:
    """The holdings of an address in one asset."""
    return tuple(hid for hid in ledger.holdings_of(address) if asset_of(ledger, hid) == asset)


__all__ = ["BACKWARD_RULES", "Origins", "originate"]
