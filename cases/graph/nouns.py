"""What a graph store keeps beside the nouns of `tracer`: places, payments, clusters, and traces with their ends."""

from __future__ import annotations

from dataclasses import dataclass

from cases.graph.escaping import key
from tracer.judgements import Judgement
from tracer.values import Address, Chain, Leg, Outpoint, Transfer, TransferId

#: (rule, base units), in the order of `tracer.lots.Rule`. A pair, not a mapping: traces are compared and hashed.
Units = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A node that money comes to: an address, or what stands where there is none.

    `asset` is the chain's name, or that of the asset for a sink of a token (`ethereum/0x...`); `text` the address.
    Without an address (`kind` is not "address") it is `fee`, `burn`, an output as `tx:index`, or a transaction whose
    several payers nobody can tell apart.

    >>> Place("ethereum", "0x1").key, Place("bitcoin", "fee", "sink").key
    ('ethereum:0x1', 'bitcoin:(sink fee)')
    """

    asset: str
    text: str
    kind: str = "address"

    @property
    def key(self) -> str:
        """The one text of the place: `chain:address`."""
        if self.kind != "address":
            return f"{self.asset}:({self.kind} {self.text})"
        return f"{self.asset}:{'(' if self.text.startswith('(') else ''}{self.text}"

    @property
    def address(self) -> Address | None:
        """The address, where it is one."""
        return Address(Chain.named(self.asset), self.text) if self.kind == "address" else None

    @classmethod
    def of(cls, address: Address) -> Place:
        """The place of an address."""
        return cls(address.chain.name, address.text)

    @classmethod
    def of_leg(cls, leg: Leg) -> Place:
        """Where a leg's units come from or go to."""
        if leg.address is not None:
            return cls.of(leg.address)
        if isinstance(leg.holding, Outpoint):
            return cls(leg.holding.chain.name, f"{leg.holding.tx}:{leg.holding.index}", "output")
        return cls(leg.holding.asset.name, str(getattr(leg.holding, "kind", "")), "sink")

    @classmethod
    def pooled(cls, id: TransferId) -> Place:
        """The several payers of one transaction, as one."""
        return cls(id.chain.name, f"{id.tx}:{id.position}", "payers")


@dataclass(frozen=True, slots=True)
class Payment:
    """A recorded transfer as seen from one of its payers and one of the paid.

    `units` is what `target` got of `asset`. `pooled` is true where several paid into the transfer: then nobody can
    say whose units these are. `index` is the transaction's place in its block, -1 where not told; `order` sorts.
    """

    order: str
    transfer: str
    source: Place
    target: Place
    asset: str
    units: int
    block: int
    time: int
    index: int
    pooled: bool = False

    def may_precede(self, later: Payment) -> bool:
        """Whether `later` can have spent what this one brought: it stands after it, or nobody tells that it does not.

        In one block the order is told by `index`; where that is missing, both orders stay possible.
        """
        if self.block != later.block:
            return self.block < later.block
        told = self.index >= 0 and later.index >= 0
        same = self.transfer.rpartition(":")[0] == later.transfer.rpartition(":")[0]
        return self.order < later.order if told or same else True


@dataclass(frozen=True, slots=True, order=True)
class Cluster:
    """Addresses that judgements, taken together, say are one owner's. An inference: see `judgements`."""

    members: tuple[Address, ...]
    judgements: tuple[Judgement, ...] = ()


@dataclass(frozen=True, slots=True)
class Flow:
    """Stolen units that one transfer moved, in a trace: an inference, under each of the trace's rules.

    `units` is in the transfer's asset, `basis` what that stands for in the stolen one; `by_loss` is (rule, loss,
    units). Where several paid, `source` is their common place.
    """

    order: str
    transfer: str
    source: Place
    target: Place
    asset: str
    block: int
    time: int
    units: Units
    basis: Units
    by_loss: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True, slots=True)
class Rest:
    """An end of a trace: where stolen value rests and why. `least` and `most` are None where not computed."""

    place: Place
    asset: str
    decimals: int
    stop: str
    part: str
    label: str
    basis: str
    why: str
    units: Units
    stolen: Units
    by_loss: tuple[tuple[str, str, int], ...]
    least: int | None
    most: int | None


@dataclass(frozen=True, slots=True)
class TraceRecord:
    """One answer of a case as a graph: `id` is the answer's sha256, `at` when it was given (UTC seconds)."""

    id: str
    at: int
    direction: str
    asset: str
    decimals: int
    partial: bool
    losses: tuple[str, ...]
    rules: tuple[str, ...]
    flows: tuple[Flow, ...]
    ends: tuple[Rest, ...]


def order_of(transfer: Transfer) -> str:
    """An ASCII text that sorts as the chain's order does: block, place in it, transaction, place in that.

    >>> from tracer.values import Asset, Block
    >>> eth = Chain.named("ethereum"); a, b = Address(eth, "0xa"), Address(eth, "0xb")
    >>> order_of(Transfer(TransferId(eth, "0x1", "log:7"), Block(12, 1), 3, eth.coin,
    ...                   (Leg.slot(a, eth.coin, 5),), (Leg.slot(b, eth.coin, 5),), ("sha256:0",)))
    '000000000000012 0000000004 0x1 1 0000000007 log'
    """
    block, index, tx, (phase, numbers, kind) = transfer.order
    inner = "_".join([f"{number:010d}" for number in numbers])
    return (
        key(f"{block:015d} {index + 1:010d} {tx} {phase} {inner} {kind}").encode("ascii", "backslashreplace").decode()
    )
