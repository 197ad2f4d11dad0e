"""The engine: lots move in ledger order, and only through holdings that carry stolen value.

The next event of each such holding is looked up, and the earliest moves lots. So what is visited follows the reach of
the stolen value, not the size of the ledger; where that is most of it, a pass takes over (`tracer.steps`). One engine
serves every rule, one victim or many, a loss that is one payment or a whole wallet, and (with every origin as a label)
the question where a wallet's money came from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from tracer.conversions import Conversion, Exchanged, Strain, converted
from tracer.errors import BooksDoNotClose
from tracer.ledger import Ledger, Movement
from tracer.lots import CLEAN, Between, Content, Fees, Lot, Queue, Rule, apportion, empty
from tracer.moves import Amounts, Course, Draw, Flow, Growth, Moves, Seeds, barrier, comes_for, set_aside
from tracer.steps import Steps
from tracer.values import MAX_UNITS


@dataclass(slots=True)
class _Drawn:
    """A movement on its way: the lots of each input, and (once they are shared out) of each output."""

    one: Movement
    lots: dict[int, list[Lot]]
    shares: list[list[Lot]] | None = None


class _Run:
    def __init__(
        self, ledger: Ledger, seeds: Seeds, followed: Mapping[int, int], rule: Rule, between: Between, course: Course,
        growth: Growth | None,
    ) -> None:  # fmt: skip
        self.ledger = ledger
        self.seeds = seeds
        self.followed = dict(followed)
        self.growth = growth
        self.rule = rule
        self.between = between
        self.course = course
        self.contents: dict[int, Content] = {}
        self.flows: list[Flow] = []
        self.lost: Amounts = {}
        self.unseen: dict[int, Amounts] = {}
        self.left = dict(seeds.caps)
        self.strains: dict[int, Strain] = {}
        self.draws: list[Draw] = []
        self.next_label = seeds.labels() + 1
        self.steps = Steps(ledger, seeds.start(ledger), self.contents)
        self._both: set[int] = set()  # holdings on both sides of the step at hand
        self._stays: set[int] = set()  # those, and holdings that pay in several of its movements
        # (fee sink, block) -> step -> lots, where coinbases carry fees on.
        self.fees: dict[tuple[int, int], dict[int, list[Lot]]] = {}

    def run(self) -> Moves:
        ledger, contents, seeds = self.ledger, self.contents, self.seeds
        for ordinal in self.steps:
            movements = ledger.movements(ordinal)
            if len(movements) == 1 and ordinal not in self.course.conversions:
                self._move(ordinal, movements[0])
            else:
                self._step(ordinal, movements)
            for one in movements:
                for hid, _ in one.inputs + one.outputs:
                    if hid in seeds.unseen:
                        self.steps.queue(ledger.next_event(hid, ordinal))
                    elif hid in contents:
                        self.steps.look_up(hid, ordinal)
        rest = {
            hid: [lot for lot in content.lots() if lot[0]]
            for hid, content in sorted(contents.items())
            if content.stolen
        }
        for (sink, _), paid in self.fees.items():
            unclaimed = [lot for lots in paid.values() for lot in lots if lot[0]]
            if unclaimed:
                rest.setdefault(sink, []).extend(unclaimed)
            self.followed[sink] = len(ledger)
        return Moves(
            self.rule, self.followed, self.lost, tuple(self.flows), rest, self.unseen, self.strains, tuple(self.draws)
        )

    def _move(self, ordinal: int, one: Movement) -> None:
        """The common step: one movement, nothing exchanged."""
        if one.own:
            return
        claims = [list(claim) for claim in self.seeds.legs.get(ordinal, ())]
        if len(one.inputs) > 1 and len(one.outputs) > 1:
            self._both = self._stays = {hid for hid, _ in one.inputs} & {hid for hid, _ in one.outputs}
        lots: list[Lot] = []
        for hid, units in one.inputs:
            drawn = self._drawn(hid, units, ordinal)
            lots += self._claimed(hid, drawn, claims) if claims else drawn
        one_drawn = _Drawn(one, {-1: self._paid(one, lots)})
        for hid, part, source in self._outgoing(ordinal, one_drawn, claims):
            self._grow(hid, ordinal, [(one.ordinal, part, source)])
            self._given(hid, part, ordinal, one.ordinal, source)
        self._settle()

    def _step(self, ordinal: int, movements: Sequence[Movement]) -> None:
        """Several movements, or an exchange: all is paid before anything is received."""
        claims = [list(claim) for claim in self.seeds.legs.get(ordinal, ())]
        exchanges = self.course.conversions.get(ordinal, ())
        moving = [one for one in movements if not one.own]
        paying = [hid for one in moving for hid, _ in one.inputs]
        self._both = set(paying) & {hid for one in moving for hid, _ in one.outputs}
        self._stays = self._both | {hid for hid in paying if paying.count(hid) > 1}
        drawn = [_Drawn(one, {hid: self._drawn(hid, units, ordinal) for hid, units in one.inputs}) for one in moving]
        # What is paid out in an exchange may be what stolen value is exchanged for: then a claim to it comes after.
        late = [part for part in drawn if comes_for(part.one, exchanges)]
        for part in drawn:
            if not comes_for(part.one, exchanges):
                self._enter(part, claims)
        came: dict[int, tuple[int, list[Lot]]] = {}
        for exchange in exchanges:
            self._exchange(ordinal, exchange, drawn, came)
        # `clean`: hid -> how much of what such movements pay it is not what stolen value was exchanged for.
        waiting, clean = set_aside([part.one for part in late], came, claims, self.seeds)
        for part in late:
            if part.one.ordinal not in waiting:
                self._enter(part, claims)
        given: dict[int, list[tuple[tuple[int, ...], list[Lot], int]]] = {}
        for part in drawn:
            for hid, lots, source in self._outgoing(ordinal, part, ()):
                given.setdefault(hid, []).append(((part.one.ordinal,), lots, source))
        for hid, (source, lots) in came.items():
            paid = [lot for _, beside, _ in given[hid] for lot in beside]
            joined = _joined(paid, lots)
            if sum(units for _, units in joined) != sum(units for _, units in paid):
                raise BooksDoNotClose(
                    f"an exchange at {self.ledger.id(ordinal)} would put more into a holding than was paid to it",
                    "this is a defect in fundtrail; keep the case file and report it",
                )
            given[hid] = [(tuple(one for at, _, _ in given[hid] for one in at), joined, source)]
            bought = sum(units for _, units in lots)
            clean[hid] = max(0, clean.get(hid, 0) - bought) + sum(units for label, units in lots if not label)
        for hid, parts in given.items():
            mine = []
            for at, lots, source in parts:
                late_claims = [claim for one in at for claim in waiting.get(one, ())]
                claimed = self._claim(lots, late_claims, clean.get(hid, 0))
                mine.append((at[0], self._claimed(hid, claimed, claims), source))
            self._grow(hid, ordinal, mine)
            if hid in self.followed and hid not in self.contents and any(lot[0] for _, lots, _ in mine for lot in lots):
                self._content(hid, ordinal)  # before any of it is put there, also what is clean
            for first, lots, source in mine:
                self._given(hid, lots, ordinal, first, source)
        self._settle()

    def _enter(self, part: _Drawn, claims: Sequence[list[int]]) -> None:
        """What is paid here is a loss, as far as it is claimed."""
        one = part.one
        mine = {hid: self._claimed(hid, lots, claims) for hid, lots in part.lots.items()}
        if one.ordinal in self.seeds.paid:
            lots = self._paid(one, [lot for of_one in mine.values() for lot in of_one])
            mine = dict(zip(mine, _parts(lots, [units for _, units in one.inputs]), strict=True))
        part.lots = mine

    def _exchange(
        self, ordinal: int, exchange: Conversion, drawn: Sequence[_Drawn], came: dict[int, tuple[int, list[Lot]]]
    ) -> None:
        """Take what was given out of what was drawn, clean value in its place, and put what came for it in `came`."""
        gave = [(leg, self._captured(ordinal, leg, drawn)) for leg in exchange.gave]
        gave = [(replace(leg, units=sum(units for _, units in lots)), lots) for leg, lots in gave if lots]
        if not any(label for _, lots in gave for label, _ in lots):
            return
        # The order of lots is kept only by rules that keep one; to the others stolen value of one loss is one amount.
        key = (lambda label: label) if self.rule in (Rule.FIFO, Rule.LIFO) else self._loss
        giver = gave[0][0].hid if len(gave) == 1 else -1
        for leg, (lots, parents) in zip(exchange.got, converted(gave, exchange.got, key), strict=True):
            labels = {one: self.next_label + at for at, one in enumerate(parents)}
            self.next_label += len(labels)
            for one, given in parents.items():
                units = sum(units for label, units in lots if label == one)
                basis = sum(self._basis(label, part) for label, part in given)
                made = Strain(labels[one], self._loss(one), ordinal, leg.hid, units, tuple(given), basis)
                self.strains[made.label] = made
            source, earlier = came.get(leg.hid, (giver, []))
            strained = [(labels[label] if label else CLEAN, units) for label, units in lots]
            came[leg.hid] = (source if source == giver else -1, [*earlier, *strained])

    def _captured(self, ordinal: int, leg: Exchanged, drawn: Sequence[_Drawn]) -> list[Lot]:
        """What of a holding's payments was given in the exchange; clean value goes on in its place."""
        found: list[Lot] = []
        left = leg.units
        for part in drawn:
            one = part.one
            to = {hid for hid, _ in one.outputs}
            if not left or leg.hid not in part.lots or (leg.to and not leg.to & to):
                continue
            if leg.to and not to <= leg.to and len(one.inputs) == 1:
                if part.shares is None:
                    part.shares = self._shared(ordinal, one, part.lots[leg.hid])
                for at, (hid, _) in enumerate(one.outputs):
                    if hid in leg.to:
                        taken, part.shares[at] = self._cut(part.shares[at], left)
                        found += taken
                        left -= sum(units for _, units in taken)
            else:
                taken, part.lots[leg.hid] = self._cut(part.lots[leg.hid], left)
                found += taken
                left -= sum(units for _, units in taken)
        return found

    def _cut(self, lots: list[Lot], most: int) -> tuple[list[Lot], list[Lot]]:
        """(up to `most` units of them by the rule, the others and clean units for those that are gone)."""
        # Under lifo they left the holding newest first: the first of them go on.
        pool = Queue(last=False) if self.rule is Rule.LIFO else self._empty()
        pool.put(lots)
        units = min(most, pool.total)
        whole = units == pool.total
        taken = list(lots) if whole else pool.take(units)
        rest = [] if whole else pool.take(pool.total)
        return taken, [*rest, (CLEAN, units)]

    def _loss(self, label: int) -> int:
        return self.strains[label].loss if label in self.strains else label

    def _basis(self, label: int, units: int) -> int:
        strain = self.strains.get(label)
        return units if strain is None else units * strain.basis // strain.units

    def _paid(self, one: Movement, lots: list[Lot]) -> list[Lot]:
        for label, units in self.seeds.paid.get(one.ordinal, ()):
            lots = self._marked(lots, label, units)
        return lots

    def _claimed(self, hid: int, lots: list[Lot], claims: Sequence[list[int]]) -> list[Lot]:
        return self._claim(lots, [claim for claim in claims if claim[0] == hid])

    def _claim(self, lots: list[Lot], claims: Iterable[list[int]], most: int = MAX_UNITS) -> list[Lot]:
        for claim in claims:
            _, label, units = claim
            before = self.lost.get(label, 0)
            lots = self._marked(lots, label, min(units, most))
            done = self.lost[label] - before
            claim[2] -= done  # what several legs of one holding may be in all
            most -= done
        return lots

    def _outgoing(self, ordinal: int, part: _Drawn, claims: Sequence[list[int]]) -> list[tuple[int, list[Lot], int]]:
        """(hid, lots, who paid) of each output of a movement; nothing stolen goes through a barrier."""
        one = part.one
        source = one.inputs[0][0] if len(one.inputs) == 1 else -1
        lots = [lot for mine in part.lots.values() for lot in mine]
        if ordinal in self.course.barriers:
            stolen = tuple(lot for lot in lots if lot[0])
            if stolen:
                self.flows.append(Flow(one.ordinal, source, barrier(ordinal), stolen))
            lots = [(CLEAN, sum(units for _, units in lots))]
        shares = self._shared(ordinal, one, lots) if part.shares is None else part.shares
        return [
            (hid, self._claimed(hid, share, claims) if claims else share, source)
            for (hid, _), share in zip(one.outputs, shares, strict=True)
        ]

    def _shared(self, ordinal: int, one: Movement, lots: list[Lot]) -> list[list[Lot]]:
        """What each output gets of `lots`."""
        outputs = one.outputs
        # What one account holding paid left it in the rule's order already; coins come whole, and together.
        if len(outputs) == 1 and len(one.inputs) == 1 and not self.ledger.is_coin(outputs[0][0]):
            return [lots]
        fee = next((at for at, (hid, _) in enumerate(outputs) if self.ledger.is_fee(hid)), None)
        order = [at for at in range(len(outputs)) if at != fee]
        found: list[list[Lot]] = [[] for _ in outputs]
        if fee is not None and self.course.fees is Fees.LAST:
            order.append(fee)
        elif fee is not None:
            kept = self._empty()
            kept.put(lots)
            lots = kept.lots()
            shares = apportion(outputs[fee][1], [units for _, units in lots])
            found[fee] = [(label, part) for (label, _), part in zip(lots, shares, strict=True) if part]
            lots = [(label, units - part) for (label, units), part in zip(lots, shares, strict=True)]
        if self.rule is Rule.HIGHEST_OUT:
            order.sort(key=lambda at: (at == fee, -outputs[at][1]))
        # Account holdings have paid by the rule already, the newest first; coins come whole, and are taken by it here.
        account = not any(self.ledger.is_coin(hid) for hid, _ in one.inputs + one.outputs)
        pool = Queue(last=False) if account and self.rule is Rule.LIFO else self._empty()
        pool.put(lots)
        mixed, total, stolen = 0 < pool.stolen < pool.total, pool.total, pool.stolen
        for at, part in zip(order, pool.split([outputs[at][1] for at in order]), strict=True):
            found[at] = part
            if mixed:
                taken = sum(units for label, units in part if label)
                self.draws.append(Draw(one.ordinal, *outputs[at], total, stolen, taken, True))
        return found

    def _drawn(self, hid: int, units: int, ordinal: int) -> list[Lot]:
        """The lots that leave `hid`; last among them what it cannot have had by the record."""
        if self.course.fees is Fees.IN_RATIO and self.ledger.is_fee(hid):
            return self._collected(hid, units, ordinal)
        if ordinal > self.followed.get(hid, -1):
            return [(CLEAN, units)]
        content = self.contents.get(hid)
        if content is None:
            if hid not in self.seeds.unseen:
                return [(CLEAN, units)]
            content = self._content(hid, ordinal)
        short = max(0, units - content.total)
        # Whatever the rule, the unseen part leaves after all that is recorded: until then nothing needs it.
        came = self._unseen(hid, short, ordinal) if short else []
        units -= short
        total, stolen = content.total, content.stolen
        # A coin is spent whole, and a rebase changes all that is there: lots keep their order whatever the rule.
        if self.ledger.is_coin(hid):
            taken = content.lots()
        elif units == total and hid in self._both:
            taken, self.contents[hid] = content.lots(), self._empty()
            content = self.contents[hid]
        else:
            taken = content.take(units)
        if 0 < stolen < total and units < total:
            self.draws.append(Draw(ordinal, hid, units, total, stolen, stolen - content.stolen))
        if self.ledger.is_coin(hid) or not (content.stolen or hid in self._stays):
            del self.contents[hid]
        return taken + came

    def _unseen(self, hid: int, units: int, ordinal: int) -> list[Lot]:
        """What `hid` cannot have had by the record; of a wallet that is the loss itself it is stolen."""
        came: list[Lot] = [(CLEAN, units)]
        label = self.seeds.unseen.get(hid, CLEAN)
        if label and ordinal >= self.seeds.since.get(hid, 0):
            came = self._marked(came, label, units)
        amounts = self.unseen.setdefault(hid, {})
        for label, part in came:
            amounts[label] = amounts.get(label, 0) + part
        return came

    def _settle(self) -> None:
        """Forget the holdings that the step went back to, if nothing stolen is in them now."""
        for hid in self._stays:
            content = self.contents.get(hid)
            if content is not None and not content.stolen:
                del self.contents[hid]
        self._both, self._stays = set(), set()

    def _given(self, hid: int, lots: list[Lot], step: int, ordinal: int, source: int) -> None:
        stolen = tuple(lot for lot in lots if lot[0])
        if hid in self.followed:
            content = self.contents.get(hid)
            if content is None and stolen:
                content = self._content(hid, step)
            if content is not None:
                content.put(lots)
        elif stolen and self.course.fees is Fees.IN_RATIO and self.ledger.is_fee(hid):
            self._collect(hid, lots, step)
        if stolen:
            self.flows.append(Flow(ordinal, source, hid, stolen))

    def _grow(self, hid: int, step: int, parts: Sequence[tuple[int, list[Lot], int]]) -> None:
        """Ask whether to follow who holds `hid`, before the parts (ordinal, lots, who paid) of a step are put there."""
        if self.growth is None or hid in self.followed:
            return
        stolen = [(ordinal, source, tuple(lot for lot in lots if lot[0])) for ordinal, lots, source in parts]
        by = [Flow(ordinal, source, hid, lots) for ordinal, source, lots in stolen if lots]
        if by:
            worth = sum(self._basis(*lot) for flow in by for lot in flow.lots)
            more = self.growth.let_in(hid, step, by, worth)
            if more:
                self.followed.update(more)
                self.course = self.growth.course()

    def _content(self, hid: int, ordinal: int) -> Content:
        """A holding as it stands when stolen value first comes: all it had by the record is one clean lot."""
        content = self.contents[hid] = self._empty()
        content.put([(CLEAN, self.ledger.balance_before(hid, ordinal))])
        return content

    def _empty(self) -> Content:
        return empty(self.rule, self.between, self._loss)

    def _collect(self, hid: int, lots: list[Lot], ordinal: int) -> None:
        """Fees that carry stolen value: the block's coinbase, which comes after all that pay them, takes them on."""
        self.fees.setdefault((hid, self.ledger.block(ordinal).number), {})[ordinal] = lots
        self.steps.queue(self.ledger.collects(hid, ordinal))

    def _collected(self, hid: int, units: int, ordinal: int) -> list[Lot]:
        """What a coinbase takes of its block's fees, in the order of its transactions; the rest stays a fee."""
        block = hid, self.ledger.block(ordinal).number
        if block not in self.fees:
            return [(CLEAN, units)]
        content = self._empty()
        for step, paid in self.ledger.fees(hid, ordinal):
            content.put(self.fees[block].get(step, [(CLEAN, paid)]))
        if content.total < units:  # fees of transactions that are not in the ledger
            content.put([(CLEAN, units - content.total)])
        taken, rest = content.split([units, content.total - units])
        self.fees[block] = {ordinal: rest}
        return taken[::-1] if self.rule is Rule.LIFO else taken  # as they lay, not as they were taken

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


def _joined(lots: Sequence[Lot], came: Sequence[Lot]) -> list[Lot]:
    """What an output gets: what was exchanged for it, and what else was paid to it.

    If the counterparty's own stolen value came too, as much as there is room for stays beside it as it was.
    """
    stolen = [lot for lot in lots if lot[0]]
    clean = sum(units for label, units in lots if not label) - sum(units for _, units in came)
    return [*came, *stolen, (CLEAN, clean)] if clean > 0 else [*came, *stolen]


def _parts(lots: Sequence[Lot], units: Sequence[int]) -> list[list[Lot]]:
    """`lots` cut into runs of so many units."""
    queue = Queue(last=False)
    queue.put(lots)
    return queue.split(units)


def move(
    ledger: Ledger,
    seeds: Seeds,
    followed: Mapping[int, int],
    rule: Rule,
    between: Between = Between.PARI_PASSU,
    course: Course | None = None,
    growth: Growth | None = None,
) -> Moves:
    """Move the lots of `seeds` through the `followed` holdings under `rule`, and those that `growth` adds on the way.

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
    return _Run(ledger, seeds, followed, rule, between, course or Course(), growth).run()
