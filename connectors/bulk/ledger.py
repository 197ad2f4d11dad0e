"""The ledger of a folder: the same answers as one in memory, read from disk as they are asked for."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import pairwise, repeat
from pathlib import Path
from typing import NamedTuple, overload

from connectors.bulk.folder import FULL, LEAD, MULTI, NONE, OUT, OWN, PASSED, SINK_CODES, TOLD, UNSURE
from connectors.bulk.folder_coverage import FolderCoverage
from connectors.bulk.opened import Opened, Row, Span, StoredLeg, remembered
from connectors.bulk.stored_accounts import StoredAccount
from connectors.bulk.tables import words_of
from tracer.accounts import Account
from tracer.accounts import Entry as Line
from tracer.ledger import Ledger, Movement, Order
from tracer.netting import exchanges, netted
from tracer.values import (
    UNKNOWN_INDEX,
    UNKNOWN_METHOD,
    Address,
    Asset,
    Block,
    Chain,
    Holding,
    Leg,
    Outpoint,
    Sink,
    Slot,
    Transfer,
    TransferId,
)


class Entry(NamedTuple):
    """A line of an address's history: `out` if it paid. `other` is the hid on the other side, -1 for several."""

    ordinal: int
    time: int
    hid: int
    other: int
    out: bool
    units: int


class BulkLedger(Ledger):
    """A folder that `connectors.bulk.ingest.ingest` made. Read-only; opens in milliseconds. Raises `InputError`.

    `keep`: addresses that are never netted away, as in `Ledger.of`. Holdings have other numbers than in memory.
    """

    rows_per_look_up = 350

    def __init__(self, folder: Path | str, keep: Collection[Address] = (), order: Order = Order.ATOMIC) -> None:
        self.files = Opened(Path(folder))
        self.order = order
        self.coverage = FolderCoverage(self.files)
        self._keep = frozenset(keep)
        self._two_way = frozenset(self.files.manifest.two_way)
        self._told = order is Order.EXACT and any(text.startswith("step:") for text in self.files.manifest.positions)
        self._transfer_at: dict[int, Transfer] = {}
        self._holding_at: dict[int, Holding] = {}
        self._holdings_of: dict[Address, tuple[int, ...]] = {}
        self._steps_at: dict[int, tuple[int, tuple[Movement, ...]]] = {}
        self._events_at: dict[int, Sequence[int]] = {}
        self._entries_at: dict[int, Sequence[Line]] = {}
        self._accounts: dict[int, Account] = {}
        self._kinds: dict[int, frozenset[int]] = {}
        self._balances: dict[int, list[int]] = {}

    def __len__(self) -> int:
        return self.files.manifest.transfers

    @property
    def transfers(self) -> Sequence[Transfer]:
        """All transfers, in order, each read when it is asked for."""
        return _Transfers(self)

    def transfer(self, ordinal: int) -> Transfer:
        """The transfer at `ordinal`."""
        return remembered(self._transfer_at, ordinal, self._read)

    def ordinal(self, id: TransferId) -> int | None:
        """Where the transfer of that id stands, None if it is not here."""
        for ordinal in self._ordinals(id.chain, id.tx):
            if self.files.manifest.positions[self.files.row(ordinal).position] == id.position:
                return ordinal
        return None

    def of_tx(self, chain: Chain, tx: str) -> tuple[Transfer, ...]:
        """The transfers of one transaction, in order."""
        return tuple(map(self.transfer, self._ordinals(chain, tx)))

    def latest(self, chain: Chain) -> int:
        """The time of the chain's last transfer here, 0 where there is none."""
        return self.files.manifest.last_time if chain == self.files.chain else 0

    def hid(self, holding: Holding) -> int | None:
        """The small integer of `holding`, None if no transfer touches it."""
        files = self.files
        if isinstance(holding, Outpoint):
            try:
                key = words_of(bytes.fromhex(holding.tx))
            except ValueError:
                return None
            fits = files.coins and holding.chain == files.chain and len(key) == 8 and 0 <= holding.index < NONE
            return files.hid((*key, holding.index), 0) if fits else None
        number = files.asset_numbers.get(holding.asset.contract)
        if number is None or holding.asset.chain != files.chain:
            return None
        if isinstance(holding, Sink):
            return files.hid((0,) * files.key_words, number | SINK_CODES[holding.kind] << 24)
        words = None if files.coins else files.address_key(holding.address)
        return files.hid(words, number) if words is not None else None

    def holding(self, hid: int) -> Holding:
        """The holding behind the small integer."""
        return remembered(self._holding_at, hid, self.files.holding)

    def address(self, hid: int) -> Address | None:
        """The address of a holding, None for a sink or a bare script."""
        if self.files.coins:
            return self.files.address(hid)
        holding = self.holding(hid)
        return holding.address if isinstance(holding, Slot) else None

    def shown(self, asset: Asset) -> Asset:
        """The asset with one symbol and one number of decimals, whichever report of several came first."""
        number = self.files.asset_numbers.get(asset.contract) if asset.chain == self.files.chain else None
        return asset if number is None else self.files.assets[number]

    def is_sink(self, hid: int) -> bool:
        """True for fees, burns and issues."""
        return self.files.is_sink(hid)

    def is_coin(self, hid: int) -> bool:
        """True for an output of a UTXO chain."""
        return self.files.coins and not self.files.is_sink(hid)

    def holdings_of(self, address: Address) -> tuple[int, ...]:
        """Every holding of `address`: its slots, or the outputs paid to it."""
        return remembered(self._holdings_of, address, lambda one: tuple(self.files.holdings_of(one)))

    def movements(self, ordinal: int) -> tuple[Movement, ...]:
        """What moves in the step at `ordinal`."""
        return remembered(self._steps_at, ordinal, self._step)[1]

    def step_of(self, ordinal: int) -> int:
        """The step that the transfer is part of."""
        return remembered(self._steps_at, ordinal, self._step)[0]

    def events(self, hid: int) -> Sequence[int]:
        """The steps that touch the holding, ascending."""
        return remembered(self._events_at, hid, self._events)

    def next_event(self, hid: int, after: int) -> int | None:
        """The first step after `after` that touches the holding."""
        if self._told:
            return super().next_event(hid, after)
        kept = self._kept(hid)
        for words, _, first, last in self.files.spans(hid):
            begin = bisect_right(range(last), after, first, last, key=_steps_in(words))
            for place in range(begin, last):
                flags = words[12 * place + 3]
                step = words[12 * place] - (flags >> 8)
                if flags & LEAD and step > after:
                    if flags & MULTI and flags & UNSURE and not self._touches(step, hid):
                        continue
                    if kept or not flags & PASSED:
                        return step
        return None

    def passed(self, first: int, end: int, live: Collection[int], wanted: Collection[int]) -> Iterator[int]:
        """The steps of every transaction that has a row which is wanted or touches a live holding."""
        look = self._touched_coins if self.files.coins else self._touched
        behind = -1
        for at in look(first, end, live, wanted):
            if at <= behind:
                continue
            if self.files.alone(at, self.files.tx_at(at)):
                yield at
                continue
            together = self._siblings(self._first(at))
            behind = together[-1]
            yield from sorted({self.step_of(one) for one in together})

    def _touched(self, first: int, end: int, live: Collection[int], wanted: Collection[int]) -> Iterator[int]:
        for at, (payer, payee) in enumerate(self.files.ends(first, end), first):
            if payer in live or payee in live or at in wanted:
                yield at

    def _touched_coins(self, first: int, end: int, live: Collection[int], wanted: Collection[int]) -> Iterator[int]:
        for at, hids in enumerate(self.files.coin_ends(first, end), first):
            if at in wanted or any(hid in live for hid in hids):
                yield at

    def balance_before(self, hid: int, ordinal: int) -> int:
        """What the holding held just before `ordinal`, by what is recorded."""
        spans = self.files.spans(hid)
        if not (self._told or hid in self._two_way or self._kept(hid)) and spans:
            for span in spans:
                words, longs, first, last = span
                at = bisect_left(range(last), ordinal, first, last, key=_steps_in(words))
                if at < last:
                    break
            if not words[12 * min(at, last - 1) + 3] & UNSURE:
                return longs[6 * at + 5] << 64 | longs[6 * at + 4] if at < last else self._last_balance(hid, spans[-1])
        balances = remembered(self._balances, hid, self._running)
        return balances[bisect_left(self.events(hid), ordinal)]

    def ambiguous(self, hids: Iterable[int]) -> tuple[tuple[Holding, int], ...]:
        """(holding, block), of these, where the source does not tell which of two transfers came first."""
        txs, found = self.files.txs, dict[tuple[Holding, int], None]()
        for hid in hids:
            if self.is_sink(hid) or self.is_coin(hid):
                continue
            for one, two in pairwise(map(self.files.tx_at, self.events(hid))):
                if one != two and txs[12 * one + 8] == txs[12 * two + 8]:
                    places = txs[12 * one + 10], txs[12 * two + 10]
                    if places[0] == places[1] or NONE in places:
                        found[self.holding(hid), txs[12 * one + 8]] = None
        return tuple(found)

    def block(self, ordinal: int) -> Block:
        """The block of the transfer at `ordinal`."""
        at = 12 * self.files.tx_at(ordinal)
        return Block(self.files.txs[at + 8], self.files.txs[at + 9])

    def id(self, ordinal: int) -> TransferId:
        """The id of the transfer at `ordinal`."""
        row = self.files.row(ordinal)
        return TransferId(self.files.chain, self.files.tx_text(row.tx), self.files.manifest.positions[row.position])

    def lines(self, hid: int) -> int:
        """At least as many as `entries` has; an account chain's steps have one record for each leg."""
        if self.files.coins or self._several(hid):  # netted, one record can be a line for each on the far side
            return super().lines(hid)
        return sum(span.last - span.first for span in self.files.spans(hid))

    def composite(self, hid: int) -> Sequence[int]:
        """The steps of the holding in which more than one payer, payee or asset moves."""
        return super().composite(hid) if self.files.coins or self._several(hid) else ()

    def entries(self, hid: int) -> Sequence[Line]:
        """The account of a holding, in order; payments to itself are left out."""
        return remembered(self._entries_at, hid, self._entries)

    def _entries(self, hid: int) -> Sequence[Line]:
        if self._netted(hid):
            return super().entries(hid)
        one = self.account(hid)
        return list(map(Line, one.steps, one.times, one.others, map(bool, one.outs), one.units))

    def account(self, hid: int) -> Account:
        """The same in columns, each read when it is first asked for."""
        return remembered(self._accounts, hid, self._account)

    def _account(self, hid: int) -> Account:
        return super().account(hid) if self._netted(hid) else StoredAccount(self.files, hid)

    def _netted(self, hid: int) -> bool:
        """Whether lines are not records: some step has several inputs or outputs, or makes several transfers."""
        return self.files.coins or self._told or self._several(hid)

    def _several(self, hid: int) -> bool:
        """Whether some step of an account makes several transfers."""
        return any(flags & MULTI for flags in remembered(self._kinds, hid, self.files.kinds))

    def history(self, address: Address) -> list[Entry]:
        """All that came to and left an address, in order, each transfer as recorded: two entries if it paid itself."""
        found: list[Entry] = []
        for hid in self.files.holdings_of(address):
            found += self._coins(hid) if self.files.coins else self._history(hid)
        found.sort()
        return found

    def _history(self, hid: int) -> Iterator[Entry]:
        one = StoredAccount(self.files, hid, own=True)
        return map(Entry, one.steps, one.times, repeat(hid), one.others, map(bool, one.outs), one.units)

    def _coins(self, hid: int) -> Iterator[Entry]:
        for words, longs, first, last in map(self.files.fetch, self.files.spans(hid)):
            columns = (words[12 * first + at : 12 * last : 12].tolist() for at in (0, 1, 2, 3))
            amounts = (longs[6 * first + at : 6 * last : 6].tolist() for at in (2, 3))
            for ordinal, time, other, flags, low, high in zip(*columns, *amounts, strict=True):
                units = self._units(hid, ordinal, flags) if low == FULL == high else high << 64 | low
                yield Entry(ordinal, time, hid, -1 if other == NONE else other, flags & OUT == OUT, units)

    def _units(self, hid: int, ordinal: int, flags: int) -> int:
        side = self.files.sides(self.files.row(ordinal))[0 if flags & OUT else 1]
        return next(leg.units for leg in side if leg.hid == hid and leg.units >= 2**128 - 1)

    def _ordinals(self, chain: Chain, tx: str) -> list[int]:
        files = self.files
        number = files.tx_number(tx) if chain == files.chain else None
        if number is None:
            return []
        found = [files.ordinal(files.txs[12 * other + 11]) for other, key, _ in files.manifest.overwritten if key == tx]
        return sorted({*found, *self._siblings(files.first_ordinal(number))})

    def _first(self, at: int) -> int:
        """The first transfer of the transaction that the one at `at` is part of."""
        tx = self.files.tx_at(at)
        while at and self.files.tx_at(at - 1) == tx:
            at -= 1
        return at

    def _siblings(self, first: int) -> range:
        """The transfers of the transaction that begins at `first`."""
        tx, end = self.files.tx_at(first), first + 1
        while end < len(self) and self.files.tx_at(end) == tx:
            end += 1
        return range(first, end)

    def _read(self, ordinal: int) -> Transfer:
        files = self.files
        row = files.row(ordinal)
        if files.coins:
            inputs, outputs = (tuple(map(self._coin, side)) for side in files.sides(row))
        else:
            payer, payee, units = files.payment(row)
            inputs, outputs = (self._paid(payer, units),), (self._paid(payee, units),)
        holding = inputs[0].holding
        block, time, place = files.txs[12 * row.tx + 8 : 12 * row.tx + 11].tolist()
        return Transfer(
            TransferId(files.chain, files.tx_text(row.tx), files.manifest.positions[row.position]),
            Block(block, time),
            UNKNOWN_INDEX if place == NONE else place,
            files.assets[0] if isinstance(holding, Outpoint) else holding.asset,
            inputs,
            outputs,
            files.evidence(row),
            "" if files.coins else UNKNOWN_METHOD,  # a folder keeps no called functions
        )

    def _coin(self, leg: StoredLeg) -> Leg:
        return Leg(self.holding(leg.hid), leg.units, self.files.address_of(leg.owner))

    def _paid(self, hid: int, units: int) -> Leg:
        holding = self.holding(hid)
        return Leg(holding, units, holding.address if isinstance(holding, Slot) else None)

    def _recorded(self, ordinal: int, row: Row) -> Movement:
        if self.files.coins:
            inputs, outputs = self.files.sides(row)
            return Movement(ordinal, tuple(leg[:2] for leg in inputs), tuple(leg[:2] for leg in outputs))
        payer, payee, units = self.files.payment(row)
        return Movement(ordinal, ((payer, units),), ((payee, units),))

    def _step(self, ordinal: int) -> tuple[int, tuple[Movement, ...]]:
        """(the step's ordinal, what moves if it is this one)."""
        files = self.files
        row = files.row(ordinal)
        alone = ordinal, (self._recorded(ordinal, row),)
        if files.coins or files.alone(ordinal, row.tx) or not self._moves(row, alone[1][0]):
            return alone
        rows = [(at, files.row(at)) for at in self._siblings(self._first(ordinal))]
        found = [(one, moved) for at, one in rows if self._moves(one, moved := self._recorded(at, one))]
        if len(found) < 2:
            return alone
        recorded = [moved for _, moved in found]
        told = all(files.manifest.positions[one.position].startswith("step:") for one, _ in found)
        if self.order is Order.EXACT and told and not exchanges(recorded, self.address):
            for one in recorded:
                self._steps_at[one.ordinal] = one.ordinal, (one,)
        else:
            step = recorded[0].ordinal
            for one in recorded:
                self._steps_at[one.ordinal] = step, ()
            self._steps_at[step] = step, netted(recorded, self._stays)
        return self._steps_at[ordinal]

    def _moves(self, row: Row, recorded: Movement) -> bool:
        """Whether the transfer is one of those that are netted where a transaction makes several."""
        return bool(recorded.inputs[0][1]) and self.files.manifest.positions[row.position] != "fee"

    def _stays(self, hid: int) -> bool:
        return self.files.is_sink(hid) or self._kept(hid)

    def _kept(self, hid: int) -> bool:
        return bool(self._keep) and self.address(hid) in self._keep

    def _touches(self, step: int, hid: int) -> bool:
        return any(hid == at for one in self.movements(step) for at, _ in one.inputs + one.outputs)

    def _events(self, hid: int) -> Sequence[int]:
        ordinals: list[int] = []
        flags: list[int] = []
        for words, _, first, last in map(self.files.fetch, self.files.spans(hid)):
            ordinals += words[12 * first : 12 * last : 12].tolist()
            flags += words[12 * first + 3 : 12 * last : 12].tolist()
        if self._told and any(one & TOLD for one in flags):
            steps = sorted({self.step_of(ordinal) for ordinal in ordinals})
            return [step for step in steps if self._touches(step, hid)]
        kept = self._kept(hid)
        unsure = MULTI | UNSURE
        return [
            at - (flag >> 8)
            for at, flag in zip(ordinals, flags, strict=True)
            if flag & LEAD
            and (kept or not flag & PASSED)
            and (flag & unsure != unsure or self._touches(at - (flag >> 8), hid))
        ]

    def _last_balance(self, hid: int, span: Span) -> int:
        """What the holding has at the end: its balance before its last step, and what that step does."""
        words, longs, first, last = span
        balance = longs[6 * last - 1] << 64 | longs[6 * last - 2]
        flags = words[12 * last - 9]
        step, paid, got = words[12 * last - 12] - (flags >> 8), 0, 0
        for at in range(last - 1, first - 1, -1):
            one = words[12 * at + 3]
            if words[12 * at] - (one >> 8) != step:
                break
            units = longs[6 * at + 3] << 64 | longs[6 * at + 2]
            if one & OUT and not one & OWN:
                paid += units
            elif not one & OWN:
                got += units
        if flags & MULTI and not self.files.is_sink(hid):
            paid, got = max(0, paid - got), max(0, got - paid)
        return max(0, balance - paid) + got

    def _running(self, hid: int) -> list[int]:
        """The balance before each step and at the end, worked out as a ledger in memory does."""
        balance, balances = 0, [0]
        for step in self.events(hid):
            paid = got = 0
            for one in self.movements(step):
                if not one.own:
                    paid += sum(units for at, units in one.inputs if at == hid)
                    got += sum(units for at, units in one.outputs if at == hid)
            balance = max(0, balance - paid) + got
            balances.append(balance)
        return balances


class _Transfers(Sequence[Transfer]):
    def __init__(self, ledger: BulkLedger) -> None:
        self._ledger = ledger

    def __len__(self) -> int:
        return len(self._ledger)

    @overload
    def __getitem__(self, at: int) -> Transfer: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Transfer]: ...
    def __getitem__(self, at: int | slice) -> Transfer | Sequence[Transfer]:
        if isinstance(at, slice):
            return [self._ledger.transfer(one) for one in range(*at.indices(len(self)))]
        return self._ledger.transfer(at + len(self) if at < 0 else at)

    def __iter__(self) -> Iterator[Transfer]:
        return map(self._ledger.transfer, range(len(self)))


def _steps_in(words: memoryview) -> Callable[[int], int]:
    """The step of each record, by which a holding's records ascend."""
    return lambda at: words[12 * at] - (words[12 * at + 3] >> 8)
