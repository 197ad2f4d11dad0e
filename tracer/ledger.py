"""The ledger: transfers merged, checked and in one total order, with what was read of whom. Read-only.

`Ledger` is what every ledger can be asked; `tracer.memory` keeps one in memory, a bulk ledger in a folder of columns.
`ordinal` below is a transfer's place in the order, `hid` a holding's small integer; amounts are Python integers.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from tracer.accounts import Account, Entry
from tracer.coverage import CoverageBook
from tracer.values import Address, Asset, Block, Chain, Holding, Sink, SinkKind, Transfer, TransferId

if TYPE_CHECKING:
    from tracer.memory import MemoryLedger

Row = tuple[tuple[int, int], ...]


class Order(StrEnum):
    """How the transfers of one transaction are put in order."""

    ATOMIC = "atomic"  # one step: netted per (address, asset), all paid before anything is received
    EXACT = "exact"  # as executed, where the source tells one order for coin and tokens (positions `step:N`)


class Movement(NamedTuple):
    """One asset moving in one step: (hid, units) of each input and output.

    It is one transfer as recorded, `ordinal`, or what is left of several of one transaction once what only passed
    through is netted away; `through` are the holdings it passed without staying.
    """

    ordinal: int
    inputs: Row
    outputs: Row
    through: tuple[int, ...] = ()

    @property
    def own(self) -> bool:
        """A payment to oneself: it moves nothing, under any rule."""
        if len(self.inputs) == 1 == len(self.outputs):
            return self.inputs[0][0] == self.outputs[0][0]
        return sorted(self.inputs) == sorted(self.outputs)


class Ledger(ABC):
    """Transfers in order, and the steps in which lots move.

    A transaction that makes several transfers is one step, since sources seldom tell the order of coin and token
    movements inside it: what an address both got and paid of one asset there is netted, and all is paid before
    anything is received. The step stands at the ordinal of its first transfer that moves anything; fees come after.
    With `Order.EXACT` a transaction whose transfers are told in the order of execution makes a step of each, unless
    somebody exchanged one asset for another in it.

    >>> from tracer.values import *
    >>> eth = Chain.named("ethereum"); a, b = Address(eth, "0xa"), Address(eth, "0xb")
    >>> pay = Transfer(TransferId(eth, "0x1"), Block(7, 1600000000), 0, eth.coin,
    ...                (Leg.slot(a, eth.coin, 5),), (Leg.slot(b, eth.coin, 5),), ("sha256:0",))
    >>> ledger = Ledger.of([pay, pay])
    >>> len(ledger), ledger.balance_before(ledger.hid(Slot(b, eth.coin)), 1)
    (1, 5)
    """

    coverage: CoverageBook
    order: Order = Order.ATOMIC
    rows_per_look_up: int = 0  # passed in the time of one look-up of the next event, about; 0: never pass

    @staticmethod
    def of(
        transfers: Iterable[Transfer],
        coverage: CoverageBook | None = None,
        *,
        keep: Collection[Address] = (),
        order: Order = Order.ATOMIC,
    ) -> MemoryLedger:
        """In memory: merge, drop exact repeats (their evidence is kept), refuse contradictions, order.

        `keep`: addresses that are never netted away, because a trace may have to stop there. Raises `Contradiction`.
        """
        from tracer.memory import MemoryLedger

        return MemoryLedger(keep, order).with_more(transfers, coverage)

    @abstractmethod
    def __len__(self) -> int:
        """How many transfers."""

    @property
    @abstractmethod
    def transfers(self) -> Sequence[Transfer]:
        """All transfers, in order."""

    @abstractmethod
    def transfer(self, ordinal: int) -> Transfer:
        """The transfer at `ordinal`."""

    @abstractmethod
    def ordinal(self, id: TransferId) -> int | None:
        """Where the transfer of that id stands, None if it is not here."""

    @abstractmethod
    def of_tx(self, chain: Chain, tx: str) -> tuple[Transfer, ...]:
        """The transfers of one transaction, in order."""

    @abstractmethod
    def latest(self, chain: Chain) -> int:
        """The time of the chain's last transfer here (UTC seconds), 0 where there is none."""

    @abstractmethod
    def hid(self, holding: Holding) -> int | None:
        """The small integer of `holding`, None if no transfer touches it."""

    @abstractmethod
    def holding(self, hid: int) -> Holding:
        """The holding behind the small integer."""

    @abstractmethod
    def address(self, hid: int) -> Address | None:
        """The address of a holding, None for a sink or a bare script."""

    @abstractmethod
    def shown(self, asset: Asset) -> Asset:
        """The asset with one symbol and one number of decimals, whichever report of several came first."""

    @abstractmethod
    def is_sink(self, hid: int) -> bool:
        """True for fees, burns and issues."""

    def sinks(self, asset: Asset) -> frozenset[int]:
        """The holdings of an asset that are nobody's: fees, burns and issues."""
        return frozenset(hid for kind in SinkKind if (hid := self.hid(Sink(asset, kind))) is not None)

    def is_fee(self, hid: int) -> bool:
        """True for the sink that fees go to."""
        if not self.is_sink(hid):
            return False
        sink = self.holding(hid)
        return isinstance(sink, Sink) and sink.kind is SinkKind.FEE

    def collects(self, fee: int, ordinal: int) -> int | None:
        """The coinbase that collects the fees of the block of `ordinal`, None if it is not here."""
        block, at = self.block(ordinal), self.next_event(fee, ordinal)
        while at is not None and self.block(at) == block:
            if any(hid == fee for hid, _ in self.inputs(at)):
                return at
            at = self.next_event(fee, at)
        return None

    def fees(self, fee: int, ordinal: int) -> list[tuple[int, int]]:
        """(step, units) of every fee paid in the block of `ordinal`, in order."""
        block, events = self.block(ordinal), self.events(fee)
        first = bisect_left(events, ordinal)
        while first and self.block(events[first - 1]) == block:
            first -= 1
        found = []
        for at in range(first, len(events)):
            if self.block(events[at]) != block:
                break
            paid = sum(units for hid, units in self.outputs(events[at]) if hid == fee)
            found += [(events[at], paid)] if paid else []
        return found

    @abstractmethod
    def is_coin(self, hid: int) -> bool:
        """True for an output of a UTXO chain."""

    @abstractmethod
    def holdings_of(self, address: Address) -> tuple[int, ...]:
        """Every holding of `address`: its slots, or the outputs paid to it."""

    @abstractmethod
    def movements(self, ordinal: int) -> tuple[Movement, ...]:
        """What moves in the step at `ordinal`, () where its transfer is part of another step or moves nothing."""

    @abstractmethod
    def step_of(self, ordinal: int) -> int:
        """The step that the transfer at `ordinal` is part of."""

    @abstractmethod
    def events(self, hid: int) -> Sequence[int]:
        """The steps that touch the holding, ascending."""

    @abstractmethod
    def balance_before(self, hid: int, ordinal: int) -> int:
        """What the holding held just before `ordinal`, by what is recorded.

        Where more leaves than had come, the difference came unseen at that moment and left at once, so the balance
        is never negative; the engine reports each such inflow as not in the data.
        """

    @abstractmethod
    def ambiguous(self, hids: Iterable[int]) -> tuple[tuple[Holding, int], ...]:
        """(holding, block), of these, where two transfers touch one and the source does not tell which came first."""

    def block(self, ordinal: int) -> Block:
        """The block of the transfer at `ordinal`."""
        return self.transfer(ordinal).block

    def id(self, ordinal: int) -> TransferId:
        """The id of the transfer at `ordinal`."""
        return self.transfer(ordinal).id

    def lines(self, hid: int) -> int:
        """At least as many as `entries` has, told without reading them."""
        return len(self.entries(hid))

    def composite(self, hid: int) -> Sequence[int]:
        """The steps of the holding in which more than one payer, payee or asset moves."""
        found = []
        for step in self.events(hid):
            movements = self.movements(step)
            if len(movements) != 1 or len(movements[0].inputs) != 1 or len(movements[0].outputs) != 1:
                found.append(step)
        return found

    def entries(self, hid: int) -> Sequence[Entry]:
        """The account of a holding, in order; payments to itself are left out."""
        found: list[Entry] = []
        for step in self.events(hid):
            time = self.block(step).time
            for one in self.movements(step):
                paid, got = ([at for at, _ in side] for side in (one.inputs, one.outputs))
                if hid in paid and hid not in got:
                    found += [Entry(step, time, at, True, units) for at, units in one.outputs]
                elif hid in got and hid not in paid:
                    found += [Entry(step, time, at, False, units) for at, units in one.inputs]
        return found

    def account(self, hid: int) -> Account:
        """The same as `entries`, in columns."""
        return Account(self.entries(hid))

    def passed(self, first: int, end: int, live: Collection[int], wanted: Collection[int]) -> Iterator[int]:
        """The steps at the ordinals `first` to `end` that are `wanted` or touch a `live` holding, as both are then.

        In order; some may touch none, be before `first` or come again.
        """
        for step in range(first, end):
            movements = self.movements(step)
            if step in wanted or any(hid in live for one in movements for hid, _ in one.inputs + one.outputs):
                yield step

    def inputs(self, ordinal: int) -> Row:
        """(hid, units) of each input of the step."""
        found = self.movements(ordinal)
        return found[0].inputs if len(found) == 1 else tuple(leg for one in found for leg in one.inputs)

    def outputs(self, ordinal: int) -> Row:
        """(hid, units) of each output of the step."""
        found = self.movements(ordinal)
        return found[0].outputs if len(found) == 1 else tuple(leg for one in found for leg in one.outputs)

    def next_event(self, hid: int, after: int) -> int | None:
        """The first step after `after` that touches the holding."""
        events = self.events(hid)
        at = bisect_right(events, after)
        return events[at] if at < len(events) else None
