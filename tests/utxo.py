"""Bitcoin ledgers as drawings, ledgers drawn by hypothesis, and what the engine makes of them, said by names.

One transaction a line, `BLOCK NAME: INPUTS -> OUTPUTS`; what the inputs have beyond the outputs is the fee:

    1 theft: old:60           -> thief:60
    2 mixed: theft.0 old:40   -> shop:55 thief:40    # fee 5
    2 mined: new:50 fees:5    -> miner:55

Inputs: `theft.0` an output drawn before, `old:40` a coin that nobody saw made (it is called `mixed<1`, for it is that
transaction's input 1), `new:50` issued coins, `fees:5` what a coinbase collects. Outputs: a name with units, `?:units`
a bare script without an address, `burn:units` a script that nobody can spend. A name is its own address.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple, TypeVar

from hypothesis import settings
from hypothesis import strategies as st

from tracer.engine import move
from tracer.envelope import Bounds, envelope
from tracer.ledger import Ledger
from tracer.lots import Between, Fees, Lot, Rule
from tracer.moves import Course, Moves, Seeds
from tracer.reach import reach
from tracer.trace import Place, place_of
from tracer.values import Address, Block, Chain, Holding, Leg, Outpoint, Sink, SinkKind, Transfer, TransferId

BITCOIN = Chain.named("bitcoin")
EVERYTHING = 2**256 - 1
EDGES = (2**53 + 1, 2**63, 2**64, 21 * 10**14, 2**128, 2**200)
OUTSIDE = frozenset({"shop", "bank"})  # never followed
_SOURCES = {"new": SinkKind.ISSUE, "fees": SinkKind.FEE}
few = settings(max_examples=settings().max_examples // 2)  # half of what other tests try: chains are slow to draw
Value = TypeVar("Value")
Part = tuple[str, int]  # what an input or an output is, and its units


class Tx(NamedTuple):
    """One transaction of a drawing."""

    name: str
    block: int
    inputs: tuple[Part, ...]
    outputs: tuple[Part, ...]

    @property
    def fee(self) -> int:
        """What the inputs have beyond the outputs."""
        return sum(units for _, units in self.inputs) - sum(units for _, units in self.outputs)

    @property
    def coinbase(self) -> bool:
        """Whether it issues coins or collects fees."""
        return any(what in _SOURCES for what, _ in self.inputs)

    def coin(self, at: int) -> str:
        """The name of output `at`; of a burnt one the sink's."""
        return f"{self.name}.{at}" if self.outputs[at][0] != "burn" else str(SinkKind.UNSPENDABLE)

    def source(self, at: int) -> str:
        """The name of input `at`."""
        return f"{self.name}<{at}" if self.inputs[at][0] == "old" else self.inputs[at][0]


def drawing(text: str) -> tuple[Tx, ...]:
    """The transactions of a drawing."""
    units_of: dict[str, int] = {}
    found = []
    for line in text.splitlines():
        head, _, rest = line.partition("#")[0].partition(": ")
        if not rest:
            continue
        block, name = head.split()
        paid, got = (words.split() for words in rest.split("->"))
        inputs = tuple((word, units_of[word]) if word in units_of else _part(word) for word in paid)
        found.append(Tx(name, int(block), inputs, tuple(map(_part, got))))
        units_of |= {f"{name}.{at}": units for at, (_, units) in enumerate(found[-1].outputs)}
    return tuple(found)


def _part(word: str) -> Part:
    what, _, units = word.partition(":")
    return what, int(units)


def txid(name: str) -> str:
    """The hash that a transaction's name stands for."""
    return hashlib.sha256(name.encode()).hexdigest()


def transfers(txs: Iterable[Tx], chain: Chain = BITCOIN) -> list[Transfer]:
    """The transfers of a drawing. A coinbase stands first in its block, the others as they are drawn."""
    owners: dict[str, str] = {}
    placed: dict[int, int] = {}
    found = []
    for tx in txs:
        place = 0 if tx.coinbase else placed.setdefault(tx.block, 1)
        placed[tx.block] = placed.get(tx.block, 1) + (not tx.coinbase)
        owners |= {f"{tx.name}.{at}": who for at, (who, _) in enumerate(tx.outputs)}
        inputs = tuple(_input(tx, at, chain, owners) for at in range(len(tx.inputs)))
        outputs = [_output(tx, at, chain) for at in range(len(tx.outputs))]
        if tx.fee:
            outputs.append(Leg.sink(chain.coin, SinkKind.FEE, tx.fee))
        block = Block(tx.block, 1_231_006_505 + 600 * tx.block)
        id = TransferId(chain, txid(tx.name))
        found.append(Transfer(id, block, place, chain.coin, inputs, tuple(outputs), (f"drawing#{tx.name}",)))
    return found


def _input(tx: Tx, at: int, chain: Chain, owners: Mapping[str, str]) -> Leg:
    what, units = tx.inputs[at]
    if what in _SOURCES:
        return Leg.sink(chain.coin, _SOURCES[what], units)
    if what == "old":
        return Leg.coin(txid(tx.source(at)), 0, chain, units, Address(chain, "before"))
    name, _, number = what.partition(".")
    who = owners[what]
    return Leg.coin(txid(name), int(number), chain, units, None if who == "?" else Address(chain, who))


def _output(tx: Tx, at: int, chain: Chain) -> Leg:
    who, units = tx.outputs[at]
    if who == "burn":
        return Leg.sink(chain.coin, SinkKind.UNSPENDABLE, units)
    return Leg.coin(txid(tx.name), at, chain, units, None if who == "?" else Address(chain, who))


@dataclass(frozen=True)
class Drawn:
    """A chain with its losses, all of it followed but for the addresses in `outside`.

    `coins`: coin -> (label, units): the first so many clean units of what is paid there. `paid`: transaction ->
    (label, units): of what it moves. `unseen`: a coin that nobody saw made -> label.
    """

    txs: tuple[Tx, ...]
    coins: Mapping[str, Lot] = field(default_factory=dict)
    paid: Mapping[str, Lot] = field(default_factory=dict)
    unseen: Mapping[str, int] = field(default_factory=dict)
    caps: Mapping[int, int] = field(default_factory=dict)
    outside: frozenset[str] = OUTSIDE

    @cached_property
    def ledger(self) -> Ledger:
        return Ledger.of(transfers(self.txs))

    @cached_property
    def in_order(self) -> tuple[Tx, ...]:
        """As the chain has them, but a coinbase that collects fees is the last of its block."""
        collects = {tx.name for tx in self.txs if any(what == "fees" for what, _ in tx.inputs)}
        return tuple(sorted(self.txs, key=lambda tx: (tx.block, tx.name in collects, not tx.coinbase)))

    @cached_property
    def names(self) -> dict[Holding, str]:
        """What each holding is called."""
        found: dict[Holding, str] = {Sink(BITCOIN.coin, kind): str(kind) for kind in SinkKind}
        for tx in self.txs:
            found |= {Outpoint(BITCOIN, txid(tx.name), at): f"{tx.name}.{at}" for at in range(len(tx.outputs))}
            found |= {Outpoint(BITCOIN, txid(tx.source(at)), 0): tx.source(at) for at in range(len(tx.inputs))}
        return found

    def seeds(self, of: Ledger) -> Seeds:
        legs: dict[int, list[tuple[int, int, int]]] = {}
        for coin, (label, units) in self.coins.items():
            legs.setdefault(self.step(of, coin.partition(".")[0]), []).append((self.hid(of, coin), label, units))
        paid = {self.step(of, name): (lot,) for name, lot in self.paid.items()}
        unseen = {self.hid(of, coin): label for coin, label in self.unseen.items()}
        return Seeds(paid, unseen, dict(self.caps), legs={step: tuple(claims) for step, claims in legs.items()})

    def step(self, of: Ledger, name: str) -> int:
        """Where a transaction stands."""
        found = of.ordinal(TransferId(BITCOIN, txid(name)))
        assert found is not None, name
        return found

    def hid(self, of: Ledger, name: str) -> int:
        """The small integer of a holding."""
        found = next(of.hid(holding) for holding, known in self.names.items() if known == name)
        assert found is not None, name
        return found

    def followed(self, of: Ledger) -> dict[int, int]:
        hids = {hid for at in range(len(of)) for hid, _ in of.inputs(at) + of.outputs(at) if of.is_coin(hid)}
        return {hid: len(of) for hid in sorted(hids) if getattr(of.address(hid), "text", "?") not in self.outside}

    def moves(self, rule: Rule, fees: Fees = Fees.LAST, between: Between = Between.PARI_PASSU) -> Moves:
        of = self.ledger
        return move(of, self.seeds(of), self.followed(of), rule, between, Course(fees))

    def rests(
        self, rule: Rule, fees: Fees = Fees.LAST, between: Between = Between.PARI_PASSU
    ) -> dict[str, dict[int, int]]:  # fmt: skip
        """Coin or sink -> label -> units, wherever stolen units rest."""
        return resting(self, self.ledger, self.moves(rule, fees, between))

    def stolen(
        self, rule: Rule, fees: Fees = Fees.LAST, between: Between = Between.PARI_PASSU
    ) -> dict[str, int]:  # fmt: skip
        """Coin or sink -> stolen units of all losses."""
        return {name: sum(lots.values()) for name, lots in self.rests(rule, fees, between).items()}

    def passed(self, rule: Rule, fees: Fees = Fees.LAST) -> dict[str, int]:
        """Coin or sink -> stolen units that ever came there."""
        return self._came(self.moves(rule, fees))

    def _came(self, moves: Moves) -> dict[str, int]:
        found: dict[str, int] = {}
        for flow in moves.flows:
            name = self.names[self.ledger.holding(flow.target)]
            found[name] = found.get(name, 0) + sum(units for _, units in flow.lots)
        return found

    def poisoned(self, fees: Fees = Fees.LAST) -> dict[str, int]:
        """Coin or sink -> the step at which poison comes there."""
        of = self.ledger
        found = reach(of, self.seeds(of), self.followed(of), Course(fees))
        return {self.names[of.holding(hid)]: step for hid, step in found.items()}

    def bounds(self, fees: Fees = Fees.LAST) -> dict[str, Bounds]:
        """The envelope, by address, by coin where there is none, or by sink."""
        of = self.ledger
        found = envelope(of, self.seeds(of), self.followed(of), Course(fees))
        return {self.place(place): bounds for place, bounds in found.items()}

    def place(self, place: Place) -> str:
        """What the envelope's place is called here."""
        assert isinstance(place.holding, Outpoint | Sink | None)
        return str(place.address) if place.holding is None else self.names[place.holding]

    def by_place(self, rests: Mapping[str, int]) -> dict[str, int]:
        """What rests at coins, added up as the envelope's places are."""
        found: dict[str, int] = {}
        for name, units in rests.items():
            place = self.place(place_of(self.ledger, self.hid(self.ledger, name)))
            found[place] = found.get(place, 0) + units
        return found


def resting(of: Drawn, ledger: Ledger, moves: Moves) -> dict[str, dict[int, int]]:
    """Where units rest, from the flows themselves (`tracer.trace.issue` adds up the same on its own)."""
    found: dict[str, dict[int, int]] = {}
    lots = [(flow.target, lot) for flow in moves.flows if flow.target not in moves.followed for lot in flow.lots]
    lots += [(hid, lot) for hid, rest in moves.rest.items() for lot in rest]
    for hid, (label, units) in lots:
        by_label = found.setdefault(of.names[ledger.holding(hid)], {})
        by_label[label] = by_label.get(label, 0) + units
    return found


Recipe = tuple[bool, list[int], int, list[tuple[str, int]], int]
WHO = ("a", "b", "?", "shop", "burn")


def recipes(
    most_txs: int = 7, units: st.SearchStrategy[int] | None = None, who: tuple[str, ...] = WHO, most_outputs: int = 4
) -> st.SearchStrategy[list[Recipe]]:  # fmt: skip
    """What `grown` makes a chain of: (new block?, inputs, units of a fresh coin, outputs with sevenths, fee)."""
    one = st.tuples(
        st.booleans(),
        st.lists(st.integers(0, 9), min_size=1, max_size=3),
        st.integers(0, 12) if units is None else units,
        st.lists(st.tuples(st.sampled_from(who), st.integers(0, 7)), min_size=1, max_size=most_outputs),
        st.integers(0, 3),
    )
    return st.lists(one, min_size=1, max_size=most_txs)


def grown(drawn: Iterable[Recipe], *, mined: bool = False, kept: int = 0) -> tuple[Tx, ...]:
    """A chain. Each input is an unspent coin by its number, or a fresh one; outputs get sevenths of what is left.

    `mined`: each block that paid fees ends with a coinbase that collects them, but for `kept`.
    """
    unspent: list[Part] = []
    found: list[Tx] = []
    block = 1

    def mine() -> None:
        fees = sum(tx.fee for tx in found if tx.block == block) - kept
        if mined and fees > 0:
            found.append(Tx(f"m{block}", block, (("new", 5), ("fees", fees)), (("a", 3), ("b", fees + 2))))
            unspent.extend((f"m{block}.{at}", units) for at, (_, units) in enumerate(found[-1].outputs))

    for number, (later, picks, fresh, parts, fee) in enumerate(drawn):
        if later and found:
            mine()
            block += 1
        inputs: list[Part] = []
        for pick in dict.fromkeys(picks):
            # A coinbase's coin cannot be spent in its own block.
            usable = [coin for coin in unspent if coin not in inputs and not coin[0].startswith(f"m{block}.")]
            inputs.append(usable[pick] if pick < len(usable) else ("old", fresh))
        unspent = [coin for coin in unspent if coin not in inputs]
        left = sum(units for _, units in inputs)
        left -= left * fee // 14
        outputs = []
        for at, (who, sevenths) in enumerate(parts):
            outputs.append((who, left if at == len(parts) - 1 else left * sevenths // 7))
            left -= outputs[-1][1]
        tx = Tx(f"t{number}", block, tuple(inputs), tuple(outputs))
        found.append(tx)
        unspent += [(tx.coin(at), units) for at, (who, units) in enumerate(outputs) if who != "burn"]
    mine()
    return tuple(found)


def chains(
    most_txs: int = 7, *, units: st.SearchStrategy[int] | None = None, mined: bool = False
) -> st.SearchStrategy[tuple[Tx, ...]]:  # fmt: skip
    """Chains of small coins, or of coins of `units`."""
    return recipes(most_txs, units).map(lambda drawn: grown(drawn, mined=mined))


def large() -> st.SearchStrategy[int]:
    """Units at the edges of what other number types can hold, and near them."""
    return st.sampled_from(EDGES).flatmap(lambda edge: st.integers(edge - 2, edge + 2))


def entries(txs: Iterable[Tx]) -> list[str]:
    """Transactions that spend nothing but coins that nobody saw made."""
    return [tx.name for tx in txs if all(what == "old" for what, _ in tx.inputs)]


@st.composite
def thefts(
    draw: st.DrawFn, txs: st.SearchStrategy[tuple[Tx, ...]], *, losses: int = 1, partial: bool = False,
    unseen: bool = False,
) -> Drawn:  # fmt: skip
    """Chains of which some coins or whole transactions are losses; with `partial` only their first so many units."""
    found = draw(txs)
    units = st.integers(0, 9) if partial else st.just(EVERYTHING)
    lot = st.tuples(st.integers(1, losses), units)
    coins = [tx.coin(at) for tx in found for at, (who, _) in enumerate(tx.outputs) if who != "burn"]
    old = [tx.source(at) for tx in found for at, (what, _) in enumerate(tx.inputs) if what == "old"]
    return Drawn(
        found,
        draw(_some(coins, lot, 3)),
        draw(_some([tx.name for tx in found], lot, 2)),
        draw(_some(old, st.integers(1, losses), 2)) if unseen else {},
    )


def _some(of: list[str], value: st.SearchStrategy[Value], most: int) -> st.SearchStrategy[dict[str, Value]]:
    return st.dictionaries(st.sampled_from(of), value, max_size=most) if of else st.just({})


@st.composite
def entered(draw: st.DrawFn, txs: st.SearchStrategy[tuple[Tx, ...]], *, losses: int = 1) -> Drawn:
    """Chains into which stolen value enters only by coins that nobody saw made, each wholly of one loss or clean."""
    found = draw(txs)
    return Drawn(found, paid=draw(_some(entries(found), st.tuples(st.integers(1, losses), st.just(EVERYTHING)), 4)))


def changed(of: Drawn, change: Callable[[Tx], Tx]) -> Drawn:
    """The same with each transaction changed."""
    return replace(of, txs=tuple(map(change, of.txs)))


def times(of: Drawn, n: int) -> Drawn:
    """All amounts times `n`; losses are whole coins or transactions."""
    return changed(
        of,
        lambda tx: tx._replace(
            inputs=tuple((what, units * n) for what, units in tx.inputs),
            outputs=tuple((who, units * n) for who, units in tx.outputs),
        ),
    )
