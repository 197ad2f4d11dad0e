"""The ledger: transfers merged, checked and in one total order, with what was read of whom. Read-only.

Inside, holdings are small integers and each transfer is two rows of (holding, units); amounts stay Python integers,
because 64 bits end at 9.2 ETH in wei. A bulk ledger on disk answers the same questions.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from tracer.coverage import CoverageBook
from tracer.errors import Contradiction
from tracer.values import UNKNOWN_INDEX, Address, Asset, Holding, Leg, Outpoint, Sink, Slot, Transfer, TransferId

Row = tuple[tuple[int, int], ...]
_Order = tuple[str, int, int, str, tuple[int, tuple[int, ...], str]]


@dataclass(frozen=True, slots=True)
class _Entry:
    order: _Order
    transfer: Transfer
    inputs: Row
    outputs: Row


class Ledger:
    """Transfers in order. `ordinal` below is a transfer's place in that order, `hid` a holding's small integer.

    >>> from tracer.values import *
    >>> eth = Chain.named("ethereum"); a, b = Address(eth, "0xa"), Address(eth, "0xb")
    >>> pay = Transfer(TransferId(eth, "0x1"), Block(7, 1600000000), 0, eth.coin,
    ...                (Leg.slot(a, eth.coin, 5),), (Leg.slot(b, eth.coin, 5),), ("sha256:0",))
    >>> ledger = Ledger.of([pay, pay])
    >>> len(ledger), ledger.balance_before(ledger.hid(Slot(b, eth.coin)), 1)
    (1, 5)
    """

    def __init__(self) -> None:
        self.coverage = CoverageBook()
        self._entries: dict[TransferId, _Entry] = {}
        self._hids: dict[Holding, int] = {}
        self._holdings: list[Holding] = []
        self._addresses: dict[int, Address] = {}
        self._by_address: dict[Address, dict[int, None]] = {}
        self._transfers: list[Transfer] = []
        self._inputs: list[Row] = []
        self._outputs: list[Row] = []
        self._events: list[list[int]] = []
        self._balances: dict[int, list[int]] = {}
        self._ordinals: dict[TransferId, int] = {}
        self._shown: dict[Asset, Asset] = {}

    @classmethod
    def of(cls, transfers: Iterable[Transfer], coverage: CoverageBook | None = None) -> Ledger:
        """Merge, drop exact repeats (their evidence is kept), refuse contradictions, order. Raises `Contradiction`."""
        return cls().with_more(transfers, coverage)

    def with_more(self, transfers: Iterable[Transfer], coverage: CoverageBook | None = None) -> Ledger:
        """A ledger of these transfers too; `self` stays as it is."""
        more = Ledger()
        more.coverage = self.coverage if coverage is None else coverage
        more._entries = dict(self._entries)
        more._hids, more._holdings = dict(self._hids), list(self._holdings)
        more._addresses = dict(self._addresses)
        for transfer in transfers:
            known = more._entries.get(transfer.id)
            more._entries[transfer.id] = more._entry(transfer if known is None else _merged(known.transfer, transfer))
        more._index()
        return more

    def _entry(self, transfer: Transfer) -> _Entry:
        rows = []
        for legs in (transfer.inputs, transfer.outputs):
            row = []
            for leg in legs:
                hid = self._hids.setdefault(leg.holding, len(self._holdings))
                if hid == len(self._holdings):
                    self._holdings.append(leg.holding)
                if leg.address is not None:
                    self._addresses[hid] = leg.address
                row.append((hid, leg.units))
            rows.append(tuple(row))
        return _Entry((transfer.id.chain.name, *transfer.order), transfer, rows[0], rows[1])

    def _index(self) -> None:
        """Put all in order. Where one source tells a transaction's place in its block, all of it stands there."""
        placed: dict[tuple[str, str], Transfer] = {}
        unplaced = []
        for entry in self._entries.values():
            transfer, tx = entry.transfer, (entry.order[0], entry.order[3])
            if transfer.index == UNKNOWN_INDEX:
                unplaced.append(transfer)
            elif placed.setdefault(tx, transfer).index != transfer.index:
                raise _misplaced(placed[tx], transfer)
            asset = transfer.asset
            self._shown[asset] = max(asset, self._shown.get(asset, asset), key=lambda one: (one.symbol, one.decimals))
        for transfer in unplaced:
            told = placed.get((transfer.id.chain.name, transfer.id.tx))
            if told:
                self._entries[transfer.id] = self._entry(replace(transfer, index=told.index))
        entries = sorted(self._entries.values(), key=lambda entry: entry.order)
        self._transfers = [entry.transfer for entry in entries]
        self._inputs = [entry.inputs for entry in entries]
        self._outputs = [entry.outputs for entry in entries]
        self._events = [[] for _ in self._holdings]
        for ordinal, entry in enumerate(entries):
            for hid, _ in entry.inputs + entry.outputs:
                events = self._events[hid]
                if not events or events[-1] != ordinal:
                    events.append(ordinal)
        for hid, address in sorted(self._addresses.items()):
            self._by_address.setdefault(address, {})[hid] = None

    def __len__(self) -> int:
        return len(self._transfers)

    @property
    def transfers(self) -> Sequence[Transfer]:
        """All transfers, in order."""
        return self._transfers

    def transfer(self, ordinal: int) -> Transfer:
        """The transfer at `ordinal`."""
        return self._transfers[ordinal]

    def ordinal(self, id: TransferId) -> int | None:
        """Where the transfer of that id stands, None if it is not here."""
        if not self._ordinals:
            self._ordinals = {transfer.id: at for at, transfer in enumerate(self._transfers)}
        return self._ordinals.get(id)

    def of_tx(self, tx: str) -> tuple[Transfer, ...]:
        """The transfers of one transaction, in order."""
        return tuple(transfer for transfer in self._transfers if transfer.id.tx == tx)

    def hid(self, holding: Holding) -> int | None:
        """The small integer of `holding`, None if no transfer touches it."""
        return self._hids.get(holding)

    def holding(self, hid: int) -> Holding:
        """The holding behind the small integer."""
        holding = self._holdings[hid]
        if isinstance(holding, Slot) and holding.asset.contract:
            return Slot(holding.address, self.shown(holding.asset))
        return holding

    def address(self, hid: int) -> Address | None:
        """The address of a holding, None for a sink or a bare script."""
        return self._addresses.get(hid)

    def shown(self, asset: Asset) -> Asset:
        """The asset with one symbol and one number of decimals, whichever report of several came first."""
        return self._shown.get(asset, asset)

    def is_sink(self, hid: int) -> bool:
        """True for fees, burns and issues."""
        return isinstance(self._holdings[hid], Sink)

    def is_coin(self, hid: int) -> bool:
        """True for an output of a UTXO chain."""
        return isinstance(self._holdings[hid], Outpoint)

    def holdings_of(self, address: Address) -> tuple[int, ...]:
        """Every holding of `address`: its slots, or the outputs paid to it."""
        return tuple(self._by_address.get(address, ()))

    def inputs(self, ordinal: int) -> Row:
        """(hid, units) of each input."""
        return self._inputs[ordinal]

    def outputs(self, ordinal: int) -> Row:
        """(hid, units) of each output."""
        return self._outputs[ordinal]

    def events(self, hid: int) -> Sequence[int]:
        """The ordinals of the transfers that touch the holding, ascending."""
        return self._events[hid]

    def next_event(self, hid: int, after: int) -> int | None:
        """The first transfer after `after` that touches the holding."""
        events = self._events[hid]
        at = bisect_right(events, after)
        return events[at] if at < len(events) else None

    def balance_before(self, hid: int, ordinal: int) -> int:
        """What the holding held just before `ordinal`, by what is recorded.

        Where more leaves than had come, the difference came unseen at that moment and left at once, so the balance
        is never negative; the engine reports each such inflow as not in the data.
        """
        balances = self._balances.get(hid)
        if balances is None:
            balances = self._balances[hid] = self._running(hid)
        return balances[bisect_left(self._events[hid], ordinal)]

    def _running(self, hid: int) -> list[int]:
        balance, balances = 0, [0]
        for ordinal in self._events[hid]:
            paid = sum(units for at, units in self._inputs[ordinal] if at == hid)
            got = sum(units for at, units in self._outputs[ordinal] if at == hid)
            if not (paid and got):  # a payment to oneself moves nothing
                balance = max(0, balance - paid) + got
            balances.append(balance)
        return balances

    def ambiguous(self) -> tuple[tuple[Holding, int], ...]:
        """(holding, block) where two transfers touch one holding and the source does not tell which came first."""
        found: dict[tuple[Holding, int], None] = {}
        for hid, events in enumerate(self._events):
            if isinstance(self._holdings[hid], Slot):
                for one, two in pairwise(events):
                    first, second = self._transfers[one], self._transfers[two]
                    together = first.block.number == second.block.number and first.id.tx != second.id.tx
                    if together and (first.index == second.index or UNKNOWN_INDEX in (first.index, second.index)):
                        found[self._holdings[hid], first.block.number] = None
        return tuple(found)


def _merged(known: Transfer, again: Transfer) -> Transfer:
    """One transfer from two reports of it, evidence of both; a difference of fact is a `Contradiction`."""
    if known == again and known.block.hash == again.block.hash and repr(known.asset) == repr(again.asset):
        return known
    differences = [
        f"{what}: {one} / {two}"
        for what, one, two in (
            ("block", known.block, again.block),
            ("asset", known.asset.name, again.asset.name),
            ("inputs", _told(known.inputs), _told(again.inputs)),
            ("outputs", _told(known.outputs), _told(again.outputs)),
            ("block hash", known.block.hash or again.block.hash, again.block.hash or known.block.hash),
        )
        if one != two
    ]
    if known.index != again.index and UNKNOWN_INDEX not in (known.index, again.index):
        differences.append(f"place in block: {known.index} / {again.index}")
    if differences:
        sources = (*known.evidence, *again.evidence)
        raise Contradiction(
            f"two sources disagree about {known.id}: {'; '.join(differences)}",
            f"compare the evidence: {' and '.join(sources)}; leave one out, or ask a third source",
            evidence=sources,
        )
    return replace(
        known,
        block=known.block if known.block.hash else again.block,
        asset=max(known.asset, again.asset, key=lambda asset: (asset.symbol, asset.decimals)),
        index=max(known.index, again.index),
        evidence=tuple(sorted({*known.evidence, *again.evidence})),
        method=max(known.method, again.method),
    )


def _misplaced(one: Transfer, two: Transfer) -> Contradiction:
    evidence = (*one.evidence, *two.evidence)
    return Contradiction(
        f"{one.id} and {two.id} stand at places {one.index} and {two.index} of their block",
        f"one transaction has one place; compare the evidence: {' and '.join(evidence)}",
        evidence=evidence,
    )


def _told(legs: Sequence[Leg]) -> str:
    return ", ".join(f"{leg.units} at {leg.address or leg.holding}" for leg in legs)
