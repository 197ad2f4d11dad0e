"""Who paid what to whom in one step, and with whom each payer dealt: sides of an exchange, told by structure alone.

A token's contract stands for where it is issued and burned, so a wrap is an exchange with the wrapper like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from graphs.counterparties import NOBODY
from tracer.ledger import Ledger, Movement
from tracer.lots import apportion
from tracer.values import Address, Asset, Sink, SinkKind, Slot, Transfer


@dataclass(frozen=True, slots=True)
class Payment:
    """`units` of `asset` that moved between two parties. Where several paid several, each paid each in proportion."""

    payer: Address
    payee: Address
    asset: Asset
    units: int


@dataclass(frozen=True, slots=True)
class Trade:
    """What `giver` gave to one side and what it, or somebody it had it paid to, got from that side.

    `side`: addresses connected by what they both got and paid. `joined` is False where what was given and what was got
    are not connected at all, but for being in one transaction. `alone`: nobody else only paid into that side.
    """

    giver: Address
    side: frozenset[Address]
    gave: dict[Asset, int]
    got: dict[tuple[Address, Asset], int]
    joined: bool
    alone: bool

    @property
    def out(self) -> set[Asset]:
        """What was got, by asset."""
        return {asset for _, asset in self.got}


@dataclass(frozen=True)
class Step:
    """One step's payments, who signed the transaction and which contract was called, None where not told."""

    movements: tuple[Movement, ...]
    payments: tuple[Payment, ...]
    rebases: tuple[tuple[int, int, int, frozenset[int]], ...]  # (hid, units before, after, all that came out of it)
    signer: Address | None
    called: Address | None

    @cached_property
    def contracts(self) -> frozenset[Address]:
        """The contracts of the tokens that moved."""
        return frozenset(home for one in self.payments if (home := home_of(one.asset)) is not None)

    @cached_property
    def payers(self) -> frozenset[Address]:
        """Who paid anything."""
        return frozenset(one.payer for one in self.payments)

    @cached_property
    def payees(self) -> frozenset[Address]:
        """Who was paid anything."""
        return frozenset(one.payee for one in self.payments)

    def trades(self, giver: Address, is_pool: Callable[[Address], bool]) -> list[Trade]:
        """What `giver` exchanged. Without one such trade: what it paid, against what it got from elsewhere."""
        sides = self._sides(giver)
        place = {address: at for at, side in enumerate(sides) for address in side}
        theirs: list[list[Payment]] = [[] for _ in sides]
        for one in self.payments:
            for at in {place[address] for address in (one.payer, one.payee) if address in place}:
                theirs[at].append(one)
        found = [self._trade(giver, side, paid, is_pool) for side, paid in zip(sides, theirs, strict=True)]
        joined = [trade for trade in found if trade.gave and trade.got]
        if joined:
            return joined
        gave: dict[Asset, int] = {}
        got: dict[tuple[Address, Asset], int] = {}
        side: set[Address] = set()
        for trade in found:
            mine = {key: units for key, units in trade.got.items() if key[0] == giver}
            if trade.gave or mine:
                side |= trade.side
            for asset, units in trade.gave.items():
                gave[asset] = gave.get(asset, 0) + units
            for key, units in mine.items():
                got[key] = got.get(key, 0) + units
        got = {key: units for key, units in got.items() if key[1] not in gave}
        return [Trade(giver, frozenset(side), gave, got, False, True)] if gave and got else []

    def paid_by(self, giver: Address, side: Iterable[Address]) -> set[Address]:
        """Whom of `side` the giver paid."""
        return {one.payee for one in self.payments if one.payer == giver} & set(side)

    def paying(self, trade: Trade) -> set[Address]:
        """Who of the side paid out what was got."""
        return {
            one.payer for one in self.payments if (one.payee, one.asset) in trade.got and one.payer in trade.side
        }  # fmt: skip

    def pools(self, trade: Trade) -> dict[Address, tuple[dict[Asset, int], dict[Asset, int]]]:
        """Of each of the side who exchanged: what it got and what it paid in the step, net."""
        nets: dict[Address, dict[Asset, int]] = {}
        for one in self.payments:
            for address, units in ((one.payee, one.units), (one.payer, -one.units)):
                mine = nets.setdefault(address, {})
                mine[one.asset] = mine.get(one.asset, 0) + units
        found = {}
        for address in sorted(trade.side):
            got = {asset: units for asset, units in nets[address].items() if units > 0}
            paid = {asset: -units for asset, units in nets[address].items() if units < 0}
            if got and paid:
                found[address] = got, paid
        return found

    def _sides(self, giver: Address) -> list[frozenset[Address]]:
        """Everybody else, those together who are connected by what they both got and paid."""
        group: dict[Address, Address] = {}

        def root(address: Address) -> Address:
            while group.setdefault(address, address) != address:
                group[address] = address = group[group[address]]
            return address

        between = (self.payers & self.payees) - {giver}
        for one in self.payments:
            if one.payer in between and one.payee in between:
                group[root(one.payee)] = root(one.payer)
        sides: dict[Address, set[Address]] = {}
        for address in sorted((self.payers | self.payees) - {giver}):
            sides.setdefault(root(address), set()).add(address)
        return [frozenset(side) for side in sides.values()]

    def _trade(
        self, giver: Address, side: frozenset[Address], payments: Sequence[Payment], is_pool: Callable[[Address], bool]
    ) -> Trade:
        nets: dict[Asset, int] = {}
        for one in payments:
            if one.payer == giver and one.payee in side:
                nets[one.asset] = nets.get(one.asset, 0) + one.units
            elif one.payee == giver and one.payer in side:
                nets[one.asset] = nets.get(one.asset, 0) - one.units
        gave = {asset: units for asset, units in nets.items() if units > 0}
        got = {(giver, asset): -units for asset, units in nets.items() if units < 0}
        mine = {asset for _, asset in got}
        others = {one.payer for one in payments if one.payee in side and one.payer not in side | {giver}}
        others -= self.payees  # who exchanged too has what it paid for
        if gave and not (mine and others):
            for one in payments:
                keeps = one.payer in side and one.payee not in self.payers and not is_pool(one.payee)
                if keeps and one.asset not in gave and (not mine or one.asset in mine):
                    key = one.payee, one.asset
                    got[key] = got.get(key, 0) + one.units
        # A contract that pays in beside, as a token that sells what it kept of its users' payments, has its own payees.
        alone = all(mine and is_pool(other) for other in others)
        return Trade(giver, side, gave, got, True, alone)


def home_of(asset: Asset) -> Address | None:
    """The token's contract, None for the chain's coin."""
    return Address(asset.chain, asset.contract) if asset.contract else None


def step_at(ledger: Ledger, ordinal: int) -> Step:
    """The step at `ordinal` as payments between parties."""
    movements = ledger.movements(ordinal)
    payments: list[Payment] = []
    rebases = []
    for one in movements:
        rebased = _rebased(ledger, one)
        if rebased is not None:
            rebases.append(rebased)
        elif not one.own:
            payments += _payments(ledger, one)
    signer = called = None
    for transfer in transfers_of(ledger, ordinal):
        if transfer.id.position in ("tx", "fee"):
            signer = transfer.inputs[0].address or signer
        if transfer.id.position == "tx":
            called = transfer.outputs[0].address
    return Step(movements, tuple(payments), tuple(rebases), signer, called)


def transfers_of(ledger: Ledger, ordinal: int) -> list[Transfer]:
    """The transfers of the transaction that the transfer at `ordinal` is part of: they stand side by side."""
    id = ledger.transfer(ordinal).id
    first = last = ordinal
    while first and (before := ledger.transfer(first - 1).id).tx == id.tx and before.chain == id.chain:
        first -= 1
    while last + 1 < len(ledger) and (after := ledger.transfer(last + 1).id).tx == id.tx and after.chain == id.chain:
        last += 1
    return [ledger.transfer(at) for at in range(first, last + 1)]


def _rebased(ledger: Ledger, one: Movement) -> tuple[int, int, int, frozenset[int]] | None:
    """(hid, before, after, outputs) where one holding's amount changed where it is, beside an issue or a burn."""
    mine = [(hid, units) for hid, units in one.inputs if not ledger.is_sink(hid)]
    after = [(hid, units) for hid, units in one.outputs if not ledger.is_sink(hid)]
    if len(mine) == len(after) == 1 and mine[0][0] == after[0][0] and mine[0][1] != after[0][1]:
        sinks = [ledger.holding(hid) for hid, _ in one.inputs + one.outputs if ledger.is_sink(hid)]
        if all(isinstance(sink, Sink) and sink.kind in (SinkKind.ISSUE, SinkKind.BURN) for sink in sinks):
            return *mine[0], after[0][1], frozenset(hid for hid, _ in one.outputs)
    return None


def _payments(ledger: Ledger, one: Movement) -> list[Payment]:
    holding = ledger.holding((one.inputs or one.outputs)[0][0])
    if not isinstance(holding, Slot | Sink):
        return []
    asset, found = ledger.shown(holding.asset), []
    left = [units for _, units in one.outputs]
    for hid, units in one.inputs:
        payer = _party(ledger, hid, asset)
        parts = apportion(units, left)
        left = [rest - part for rest, part in zip(left, parts, strict=True)]
        for (paid, _), part in zip(one.outputs, parts, strict=True):
            payee = _party(ledger, paid, asset)
            if part and payer is not None and payee is not None and payer != payee:
                found.append(Payment(payer, payee, asset, part))
    return found


def _party(ledger: Ledger, hid: int, asset: Asset) -> Address | None:
    """Whose the holding is; the token's contract for where it is issued and burned."""
    address = ledger.address(hid)
    if address is not None:
        return home_of(asset) if asset.contract and address.text in NOBODY else address
    holding = ledger.holding(hid)
    issued = isinstance(holding, Sink) and holding.kind in (SinkKind.ISSUE, SinkKind.BURN)
    return home_of(asset) if issued else None
