"""The ledger in memory.

Inside, holdings are small integers and each transfer is two rows of (holding, units); amounts stay Python integers,
because 64 bits end at 9.2 ETH in wei.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

from tracer.accounts import Account, Entry
from tracer.coins import causal, check
from tracer.coverage import CoverageBook
from tracer.errors import Contradiction
from tracer.ledger import Ledger, Movement, Order, Row
from tracer.netting import exchanges, netted
from tracer.repeats import told_again
from tracer.values import (
    UNKNOWN_INDEX,
    UNKNOWN_METHOD,
    Address,
    Asset,
    Chain,
    Family,
    Holding,
    Leg,
    Outpoint,
    Sink,
    SinkKind,
    Slot,
    Transfer,
    TransferId,
)

BIP30 = ({91_722, 91_880}, {91_812, 91_842})  # the blocks of Bitcoin whose coinbases have one txid, two and two
_Order = tuple[str, int, int, str, tuple[int, tuple[int, ...], str]]


@dataclass(frozen=True, slots=True)
class _Entry:
    order: _Order
    transfer: Transfer
    inputs: Row
    outputs: Row


class MemoryLedger(Ledger):
    """Made by `Ledger.of`; `with_more` grows it into another one."""

    def __init__(self, keep: Collection[Address] = (), order: Order = Order.ATOMIC) -> None:
        self.coverage = CoverageBook()
        self.order = order
        self._keep = frozenset(keep)
        self._entries: dict[TransferId, _Entry] = {}
        self._hids: dict[Holding, int] = {}
        self._holdings: list[Holding] = []
        self._addresses: dict[int, Address] = {}
        self._by_address: dict[Address, dict[int, None]] = {}
        self._transfers: list[Transfer] = []
        self._movements: list[tuple[Movement, ...]] = []
        self._steps: dict[int, int] = {}
        self._events: list[list[int]] = []
        self._balances: dict[int, list[int]] = {}
        self._accounts: dict[int, Sequence[Entry]] = {}
        self._columns: dict[int, Account] = {}
        self._ordinals: dict[TransferId, int] = {}
        self._shown: dict[Asset, Asset] = {}
        self._latest: dict[Chain, int] = {}

    def with_more(self, transfers: Iterable[Transfer], coverage: CoverageBook | None = None) -> MemoryLedger:
        """A ledger of these transfers too; `self` stays as it is. Raises `Contradiction`."""
        more = MemoryLedger(self._keep, self.order)
        more.coverage = self.coverage if coverage is None else coverage
        more._entries = dict(self._entries)
        more._hids, more._holdings = dict(self._hids), list(self._holdings)
        more._addresses = dict(self._addresses)
        for transfer in transfers:
            more._add(transfer)
        more._index()
        return more

    def _add(self, transfer: Transfer) -> None:
        known = self._entries.get(transfer.id)
        if known is not None and _same_coinbase_twice(known.transfer, transfer):
            earlier, later = sorted((known.transfer, transfer), key=lambda one: one.block)
            self._entries[later.id] = self._entry(later)
            self._add(_overwritten(earlier))
            return
        self._entries[transfer.id] = self._entry(transfer if known is None else _merged(known.transfer, transfer))

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
        if any(entry.transfer.id.chain.family is Family.BITCOIN for entry in entries):
            entries = [entries[at] for at in causal([entry.transfer for entry in entries])]
            check(entry.transfer for entry in entries)
        self._transfers = [entry.transfer for entry in entries]
        self._movements = [(Movement(at, entry.inputs, entry.outputs),) for at, entry in enumerate(entries)]
        for transfer in self._transfers:
            chain = transfer.id.chain
            self._latest[chain] = max(self._latest.get(chain, 0), transfer.block.time)
        self._net()
        self._events = [[] for _ in self._holdings]
        for ordinal, movements in enumerate(self._movements):
            for one in movements:
                for hid, _ in one.inputs + one.outputs:
                    events = self._events[hid]
                    if not events or events[-1] != ordinal:
                        events.append(ordinal)
        for hid, address in sorted(self._addresses.items()):
            self._by_address.setdefault(address, {})[hid] = None

    def _net(self) -> None:
        """Make one step of each transaction that makes several transfers."""
        numbered = enumerate(self._transfers)
        for (chain, _), run in groupby(numbered, key=lambda item: (item[1].id.chain, item[1].id.tx)):
            if chain.family is Family.BITCOIN:
                continue
            moved = [at for at, transfer in run if transfer.id.position != "fee" and transfer.units]
            if len(moved) > 1:
                again = told_again([self._transfers[at] for at in moved])
                moved, repeats = (
                    [at for place, at in enumerate(moved) if (place in again) is told] for told in (False, True)
                )
                for at in repeats:
                    self._movements[at] = ()
                    self._steps[at] = moved[0]
            if len(moved) > 1:
                recorded = [one for at in moved for one in self._movements[at]]
                told = all(self._transfers[at].id.position.startswith("step:") for at in moved)
                if self.order is Order.EXACT and told and not exchanges(recorded, self.address):
                    continue
                together = netted(recorded, self._stays)
                for at in moved:
                    self._movements[at] = ()
                    self._steps[at] = moved[0]
                self._movements[moved[0]] = together

    def _stays(self, hid: int) -> bool:
        return isinstance(self._holdings[hid], Sink) or self._addresses.get(hid) in self._keep

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

    def of_tx(self, chain: Chain, tx: str) -> tuple[Transfer, ...]:
        """The transfers of one transaction, in order."""
        return tuple(one for one in self._transfers if one.id.tx == tx and one.id.chain == chain)

    def latest(self, chain: Chain) -> int:
        """The time of the chain's last transfer here, 0 where there is none."""
        return self._latest.get(chain, 0)

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

    def movements(self, ordinal: int) -> tuple[Movement, ...]:
        """What moves in the step at `ordinal`."""
        return self._movements[ordinal]

    def step_of(self, ordinal: int) -> int:
        """The step that the transfer is part of."""
        return self._steps.get(ordinal, ordinal)

    def events(self, hid: int) -> Sequence[int]:
        """The steps that touch the holding, ascending."""
        return self._events[hid]

    def entries(self, hid: int) -> Sequence[Entry]:
        """The account of a holding, in order."""
        if hid not in self._accounts:
            self._accounts[hid] = super().entries(hid)
        return self._accounts[hid]

    def account(self, hid: int) -> Account:
        """The same in columns."""
        if hid not in self._columns:
            self._columns[hid] = super().account(hid)
        return self._columns[hid]

    def balance_before(self, hid: int, ordinal: int) -> int:
        """What the holding held just before `ordinal`, by what is recorded."""
        balances = self._balances.get(hid)
        if balances is None:
            balances = self._balances[hid] = self._running(hid)
        return balances[bisect_left(self._events[hid], ordinal)]

    def _running(self, hid: int) -> list[int]:
        balance, balances = 0, [0]
        for ordinal in self._events[hid]:
            paid = got = 0
            for one in self._movements[ordinal]:
                if not one.own:
                    paid += sum(units for at, units in one.inputs if at == hid)
                    got += sum(units for at, units in one.outputs if at == hid)
            balance = max(0, balance - paid) + got
            balances.append(balance)
        return balances

    def ambiguous(self, hids: Iterable[int]) -> tuple[tuple[Holding, int], ...]:
        """(holding, block), of these, where the source does not tell which of two transfers came first."""
        found: dict[tuple[Holding, int], None] = {}
        for hid in hids:
            if isinstance(self._holdings[hid], Slot):
                for one, two in pairwise(self._events[hid]):
                    first, second = self._transfers[one], self._transfers[two]
                    together = first.block.number == second.block.number and first.id.tx != second.id.tx
                    if together and (first.index == second.index or UNKNOWN_INDEX in (first.index, second.index)):
                        found[self._holdings[hid], first.block.number] = None
        return tuple(found)


def is_coinbase(transfer: Transfer) -> bool:
    """Whether it issues coins on a UTXO chain: nothing but new coins and fees go in."""
    utxo = transfer.id.chain.family is Family.BITCOIN
    return utxo and all(isinstance(leg.holding, Sink) for leg in transfer.inputs)


def _same_coinbase_twice(one: Transfer, two: Transfer) -> bool:
    """Twice, on Bitcoin, two coinbases had one txid; since BIP34 a coinbase names its height, and none can."""
    blocks = {one.block.number, two.block.number}
    return is_coinbase(two) and two.id.chain.name == "bitcoin" and blocks in BIP30


def _overwritten(transfer: Transfer) -> Transfer:
    """The earlier of two coinbases of one txid (BIP30: blocks 91722 and 91812 of Bitcoin). Nobody can spend it.

    The chain keeps one set of unspent outputs by txid, so the later one took the earlier one's place.
    """
    lost = Leg.sink(transfer.asset, SinkKind.UNSPENDABLE, transfer.units)
    id = replace(transfer.id, position=f"tx:{transfer.block.number}")
    return replace(transfer, id=id, outputs=(lost,))


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
        method=max(known.method, again.method, key=lambda method: (method != UNKNOWN_METHOD, method)),
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
