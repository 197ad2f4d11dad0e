"""CoinJoins and their kin, told from one transaction alone: every published rule by its name, in whole numbers.

Who mixes coins with others in one transaction breaks two inferences: that its inputs have one owner, and that an output
belongs to the payer of any one input. No single rule finds all mixes, so what excludes is the union of all of them.

Sources: BlockSci (`isCoinjoin`); Dumplings by nopara73 (`Scanner`), which counts a group of equal outputs as given in
every rule; GraphSense (`heuristics_service`, 2026). Where a rule leaves a tie between two most frequent amounts to
chance, the lower one is taken here. All count spendable outputs: OP_RETURN is left out, and so is the fee.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from tracer.addresses.networks import NETWORKS
from tracer.values import Address, Leg, Outpoint, Sink, SinkKind, Transfer, shown

BTC = 100_000_000
DUST = (546, 2_730)  # the smallest outputs that nodes forward: they mark something else than a mix
POOLS = {100_000: 5_000, 1_000_000: 50_000, 5_000_000: 175_000, 50_000_000: 1_750_000}  # Whirlpool: coin, fee
COORDINATORS = frozenset({"bc1qs604c7jv6amk4cxqlnvuxv26hv3e48cds4m0ew", "bc1qa24tsgchvuxsaccp8vrnkfd85hrcpafg20kmjw"})
WASABI_1, WASABI_1_NO_FIXED_COORDINATOR, WASABI_2 = 530_500, 610_000, 741_213  # first blocks
WHIRLPOOL = 570_000
_PREMIUM = (100, 110_000)  # what a newcomer's coin holds above the pool's, for the miners
_BITCOINS = ("bitcoin", "bitcoin-testnet", "bitcoin-regtest")  # Wasabi and Whirlpool never ran elsewhere


def _denominations(least: int, most: int) -> frozenset[int]:
    series = ((1, 2), (1, 3), (2, 3), (1, 10), (2, 10), (5, 10))
    powers = range(most.bit_length())
    return frozenset(value for by, base in series for k in powers if least <= (value := by * base**k) <= most)


WASABI_2_DENOMINATIONS = _denominations(5_000, 134_375_000_000)


@dataclass(frozen=True, slots=True)
class CoinJoin:
    """What kind of mix a transaction looks like, by which rules, and the outputs that hold exactly equal amounts.

    `protocol` is whirlpool, wasabi-1, wasabi-2, whirlpool-tx0 or equal-output; the last is what the general rules find,
    JoinMarket among it, and what a protocol's rule finds before that protocol existed. `denominations` are the amounts
    that the rules take for the mixed ones, `anonymity` the (units, number of outputs) of those held more than once.
    `mixes` is False for a Tx0, which one owner makes to enter a mix later: its inputs and outputs, but for the fee,
    are still that owner's.
    """

    protocol: str
    rules: tuple[str, ...]
    denominations: tuple[int, ...]
    anonymity: tuple[tuple[int, int], ...]
    why: str
    mixes: bool = True


@dataclass(frozen=True, slots=True)
class _Shape:
    """The numbers that the rules ask for. A leg without an address counts as a script of its own."""

    bitcoin: bool
    height: int
    inputs: tuple[Leg, ...]
    outputs: tuple[Leg, ...]
    unspendable: int
    paid: tuple[int, ...]
    got: tuple[int, ...]
    groups: Counter[int]
    mode: int
    n: int
    scripts_in: int
    scripts_out: int
    busiest: int

    @property
    def distinct(self) -> bool:
        return self.scripts_out == len(self.outputs)

    @property
    def repeated(self) -> tuple[int, ...]:
        return tuple(sorted(value for value, n in self.groups.items() if n > 1))


def coinjoin(transfer: Transfer, exchanges: Collection[Address] = ()) -> CoinJoin | None:
    """The mix that the transaction looks like by any rule, None where no rule holds or a Stonewall explains it.

    A Stonewall is one wallet's imitation of a mix: it withdraws the general rules, not those of one protocol.
    `exchanges` are addresses labelled as an exchange's: an exchange that pays out looks like JoinMarket to GraphSense.
    """
    shape = _shape(transfer)
    if shape is None:
        return None
    # A Tx0 is one owner's: its rule finds plain payments too, so before Whirlpool existed it says nothing.
    void = {"equal-output"} if _stonewall(shape) else set()
    void |= {"whirlpool-tx0"} if shape.height < WHIRLPOOL else set()
    found = {
        name: values
        for name, (family, rule) in _RULES.items()
        if family not in void and (values := rule(shape)) and _applies(name, shape, exchanges)
    }
    if not found:
        return None
    protocol = _protocol([_RULES[name][0] for name in found], shape)
    values = tuple(sorted({value for these in found.values() for value in these}))
    mixes = protocol != "whirlpool-tx0"
    equal = tuple((value, shape.groups[value]) for value in values if mixes and shape.groups[value] > 1)
    return CoinJoin(protocol, tuple(found), values, equal, _why(protocol, tuple(found), values, shape, transfer), mixes)


def verdicts(transfer: Transfer, exchanges: Collection[Address] = ()) -> dict[str, bool]:
    """What each rule says for itself, by its name; `stonewall` is the veto. All False where no coins are spent."""
    shape = _shape(transfer)
    if shape is None:
        return dict.fromkeys((*_RULES, "stonewall"), False)
    said = {name: bool(rule(shape)) and _applies(name, shape, exchanges) for name, (_, rule) in _RULES.items()}
    return said | {"stonewall": _stonewall(shape)}


def payjoin_suspect(transfer: Transfer) -> bool:
    """Whether an input was not needed: a hint, never proof, that the payee put a coin in too (BIP78).

    Of two outputs one is the payment, and which is not known: so the inputs without the smallest must reach even for
    the larger one, and for the fee. A wallet that gathers its coins looks the same.
    """
    shape = _shape(transfer)
    if shape is None or shape.scripts_in < 2 or len(shape.outputs) != 2 or shape.unspendable:
        return False
    fee = transfer.units - sum(shape.got)
    return sum(shape.paid) - min(shape.paid) >= max(shape.got) + fee


def _shape(transfer: Transfer) -> _Shape | None:
    """None for what spends no coins: a coinbase, or a transfer between accounts."""
    inputs = transfer.inputs
    outputs = tuple(leg for leg in transfer.outputs if isinstance(leg.holding, Outpoint))
    if not outputs or not all(isinstance(leg.holding, Outpoint) for leg in inputs):
        return None
    paid, got = tuple(leg.units for leg in inputs), tuple(leg.units for leg in outputs)
    groups, scripts = Counter(got), _scripts(inputs)
    mode, n = _most_frequent(groups)
    return _Shape(
        bitcoin=transfer.id.chain.name in _BITCOINS,
        height=transfer.block.number,
        inputs=inputs,
        outputs=outputs,
        unspendable=sum(1 for leg in transfer.outputs if _is_unspendable(leg)),
        paid=paid,
        got=got,
        groups=groups,
        mode=mode,
        n=n,
        scripts_in=len(scripts),
        scripts_out=len(_scripts(outputs)),
        busiest=max(scripts.values()),
    )


def _is_unspendable(leg: Leg) -> bool:
    return isinstance(leg.holding, Sink) and leg.holding.kind is SinkKind.UNSPENDABLE


def _scripts(legs: Sequence[Leg]) -> Counter[object]:
    return Counter(leg.holding if leg.address is None else leg.address for leg in legs)


def _most_frequent(groups: Counter[int]) -> tuple[int, int]:
    return min(groups.items(), key=lambda group: (-group[1], group[0]))


def _is_key_hash(leg: Leg) -> bool:
    """P2WPKH: witness version 0 ("q") and a hash of 20 bytes."""
    return _is_segwit(leg, "q", 32)


def _is_taproot(leg: Leg) -> bool:
    """P2TR: witness version 1 ("p") and a key of 32 bytes."""
    return _is_segwit(leg, "p", 52)


def _is_segwit(leg: Leg, version: str, letters: int) -> bool:
    if leg.address is None or not (network := NETWORKS.get(leg.address.chain.name)) or not network.segwit:
        return False
    start = f"{network.segwit}1{version}"
    return leg.address.text.startswith(start) and len(leg.address.text) == len(start) + letters + 6  # the checksum


# Each rule gives the amounts it takes for the mixed ones, () for "no".


def _blocksci(tx: _Shape) -> tuple[int, ...]:
    each_with_change = (len(tx.outputs) + 1) // 2
    holds = len(tx.inputs) >= 2 and len(tx.outputs) >= 3 and tx.scripts_in >= each_with_change == tx.n
    return (tx.mode,) if holds and tx.mode not in DUST else ()


def _wasabi_1_dumplings(tx: _Shape) -> tuple[int, ...]:
    if not tx.bitcoin or tx.height < WASABI_1:
        return ()
    if tx.height < WASABI_1_NO_FIXED_COORDINATOR:
        pays = any(leg.address is not None and leg.address.text in COORDINATORS for leg in tx.outputs)
        return tuple(sorted(value for value, n in tx.groups.items() if n > 2)) if pays else ()
    holds = (
        all(_is_key_hash(leg) for leg in (*tx.inputs, *tx.outputs))
        and len(tx.inputs) >= tx.n >= 10
        and abs(tx.mode - BTC // 10) <= BTC // 50
        and sum(1 for n in tx.groups.values() if n == 1) >= 2
    )
    return (tx.mode,) if holds else ()


def _wasabi_1_0_graphsense(tx: _Shape) -> tuple[int, ...]:
    near = Counter({value: n for value, n in tx.groups.items() if abs(value - BTC // 10) <= BTC // 200})
    if not near:
        return ()
    value, n = _most_frequent(near)
    return (value,) if _wasabi_1_round(tx, n) and 2 * n >= len(tx.outputs) - 1 else ()


def _wasabi_1_1_graphsense(tx: _Shape) -> tuple[int, ...]:
    levels: list[list[int]] = []
    level = BTC // 10
    while level <= max(tx.got):
        near = [value for value in tx.got if 20 * abs(value - level) <= level]
        levels += [near] if len(near) >= 2 else []
        level *= 2
    mixed = sum(len(near) for near in levels)
    enough = 2 * mixed >= len(tx.outputs) - 1 or mixed >= len(tx.outputs) - tx.scripts_in - 1
    holds = levels and enough and _wasabi_1_round(tx, max(len(near) for near in levels))
    return tuple(sorted({value for near in levels for value in near})) if holds else ()


def _wasabi_1_round(tx: _Shape, n: int) -> bool:
    """What GraphSense asks of a Wasabi 1 round of `n` participants; small ones must not look like an even split."""
    total = sum(tx.got)
    rest = min(total % tx.mode, -total % tx.mode) if tx.mode else total
    return (
        tx.bitcoin
        and len(tx.inputs) >= 10 * tx.busiest  # at least ten, too
        and 3 <= n <= tx.scripts_in <= 7 * n
        and tx.distinct
        and (len(tx.inputs) >= 20 or 10_000 * rest > total)
    )


def _wasabi_2_dumplings(tx: _Shape) -> tuple[int, ...]:
    standard = [value for value in tx.got if value in WASABI_2_DENOMINATIONS]
    holds = (
        tx.bitcoin
        and tx.height >= WASABI_2
        and len(tx.inputs) >= 50
        and tx.n >= 2
        and 10 * len(standard) > 8 * len(tx.outputs)
        and all(side == tuple(sorted(side, reverse=True)) for side in (tx.paid, tx.got))
        and all(_is_key_hash(leg) or _is_taproot(leg) for leg in tx.inputs)
    )
    return tuple(sorted(set(standard))) if holds else ()


def _wasabi_2_graphsense(tx: _Shape) -> tuple[int, ...]:
    mixed = sum(tx.groups[value] for value in tx.repeated)
    holds = (
        tx.bitcoin
        and len(tx.inputs) >= 20
        and len(tx.inputs) >= 10 * tx.busiest
        and min(tx.got) >= 5_000
        and tx.distinct
        and len(tx.outputs) - 1 <= 2 * mixed
        and mixed < len(tx.outputs)
        and len(tx.repeated) >= 3
    )
    return tx.repeated if holds else ()


def _whirlpool_dumplings(tx: _Shape) -> tuple[int, ...]:
    holds = (
        tx.bitcoin
        and tx.height >= WHIRLPOOL
        and 5 <= len(tx.inputs) == len(tx.outputs) == tx.n <= 10
        and tx.mode in POOLS
        and tx.mode in tx.paid
        and all(abs(units - tx.mode) <= _PREMIUM[1] for units in tx.paid)
        and all(_is_key_hash(leg) for leg in (*tx.inputs, *tx.outputs))
    )
    return (tx.mode,) if holds else ()


def _whirlpool_graphsense(tx: _Shape) -> tuple[int, ...]:
    premiums = [units - tx.mode for units in tx.paid if units != tx.mode]
    holds = (
        tx.bitcoin
        and 5 <= len(tx.inputs) == len(tx.outputs) == tx.n <= 8
        and tx.mode in POOLS
        and tx.distinct
        and tx.scripts_in == len(tx.inputs)
        and 1 <= len(premiums) <= 4
        and all(_PREMIUM[0] <= premium <= _PREMIUM[1] for premium in premiums)
    )
    return (tx.mode,) if holds else ()


def _whirlpool_tx0(tx: _Shape) -> tuple[int, ...]:
    if not tx.bitcoin or tx.unspendable != 1:
        return ()
    for pool, fee in POOLS.items():
        entry = Counter({value: n for value, n in tx.groups.items() if _PREMIUM[0] <= value - pool <= _PREMIUM[1]})
        fees = sum(1 for value in tx.got if fee <= 2 * value and value <= 3 * fee)
        if entry and fees == 1:
            value, n = _most_frequent(entry)
            if len(tx.outputs) >= 2 and len(tx.outputs) - 2 <= n <= 70:
                return (value,)
    return ()


def _joinmarket_dumplings(tx: _Shape) -> tuple[int, ...]:
    holds = (
        len(tx.repeated) == 1
        and 2 * tx.n == len(tx.outputs)
        and tx.scripts_out >= tx.n <= tx.scripts_in
        and max(tx.paid) <= tx.mode + max(value for value in tx.got if value != tx.mode) - BTC // 10_000
    )
    return (tx.mode,) if holds else ()


def _joinmarket_graphsense(tx: _Shape) -> tuple[int, ...]:
    large = Counter({value: n for value, n in tx.groups.items() if value > DUST[1]})
    if not large:
        return ()
    value, n = _most_frequent(large)
    inputs, outputs = len(tx.inputs), len(tx.outputs)
    holds = 3 <= n <= tx.scripts_in and n < outputs <= 2 * n and tx.distinct
    return (value,) if holds and (inputs < 50 or (inputs <= 20 * n and 10 * outputs >= 17 * n)) else ()


def _stonewall(tx: _Shape) -> bool:
    """One pair of equal outputs, and one or two others that differ: one wallet alone can make it."""
    pair = tx.repeated
    shape = len(tx.outputs) in (3, 4) and len(tx.inputs) >= 2 and tx.distinct
    return shape and len(pair) == 1 and tx.n == 2 and pair[0] >= 5_000


_RULES: dict[str, tuple[str, Callable[[_Shape], tuple[int, ...]]]] = {
    "whirlpool-dumplings": ("whirlpool", _whirlpool_dumplings),
    "whirlpool-graphsense": ("whirlpool", _whirlpool_graphsense),
    "whirlpool-tx0-graphsense": ("whirlpool-tx0", _whirlpool_tx0),
    "wasabi-2-dumplings": ("wasabi-2", _wasabi_2_dumplings),
    "wasabi-2-graphsense": ("wasabi-2", _wasabi_2_graphsense),
    "wasabi-1-dumplings": ("wasabi-1", _wasabi_1_dumplings),
    "wasabi-1.0-graphsense": ("wasabi-1", _wasabi_1_0_graphsense),
    "wasabi-1.1-graphsense": ("wasabi-1", _wasabi_1_1_graphsense),
    "joinmarket-dumplings": ("equal-output", _joinmarket_dumplings),
    "joinmarket-graphsense": ("equal-output", _joinmarket_graphsense),
    "blocksci": ("equal-output", _blocksci),
}
_SINCE = {"whirlpool": WHIRLPOOL, "whirlpool-tx0": WHIRLPOOL, "wasabi-2": WASABI_2, "wasabi-1": WASABI_1}
_TITLES = {
    "whirlpool": "a Whirlpool mix",
    "whirlpool-tx0": "a Whirlpool Tx0, which prepares coins for a mix",
    "wasabi-2": "a Wasabi 2 CoinJoin",
    "wasabi-1": "a Wasabi 1 CoinJoin",
    "equal-output": "a CoinJoin with equal outputs",
}


def _applies(name: str, tx: _Shape, exchanges: Collection[Address]) -> bool:
    return name != "joinmarket-graphsense" or not any(leg.address in exchanges for leg in tx.inputs)


def _protocol(families: Sequence[str], tx: _Shape) -> str:
    """The most particular protocol that existed at that height; a rule's name must not claim what could not be."""
    return next((family for family in families if _SINCE.get(family, 0) <= tx.height), "equal-output")


def _why(protocol: str, rules: tuple[str, ...], values: tuple[int, ...], tx: _Shape, transfer: Transfer) -> str:
    held = sum(tx.groups[value] for value in values)
    if len(values) == 1:
        exactly = f"{shown(values[0], transfer.asset.decimals)} {transfer.asset}"
        what = f"{held} {'holds' if held == 1 else 'hold'} exactly {exactly}"
    else:
        what = f"{held} hold one of {len(values)} amounts that it mixes"
    return (
        f"it looks like {_TITLES[protocol]} by the rule{'s' if len(rules) > 1 else ''} {', '.join(rules)}: "
        f"{_counted(len(tx.inputs), 'input')} from {_counted(tx.scripts_in, 'script')}, "
        f"{_counted(len(tx.outputs), 'spendable output')}, of which {what}"
    )


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
