"""The nouns that everything else is said in: chains, assets, amounts, addresses, holdings, transfers.

All are frozen. Money is an `int` of base units; `Decimal` appears only where a person reads it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from tracer.errors import BadAmount, InputError, Unbalanced, UnknownName

MAX_UNITS = 2**256 - 1  # the EVM word; no chain we read can hold more


class Family(StrEnum):
    """How a chain keeps value: slots per account, or coins (unspent outputs)."""

    EVM = "evm"
    TRON = "tron"
    BITCOIN = "bitcoin"


@dataclass(frozen=True, slots=True, order=True)
class Chain:
    """A blockchain, by its one name.

    >>> Chain.named("ethereum").symbol
    'ETH'
    """

    name: str
    family: Family = field(compare=False)
    symbol: str = field(compare=False)
    decimals: int = field(compare=False)

    @classmethod
    def named(cls, name: str) -> Chain:
        """The chain of that name, a test network too. Raises `UnknownName`."""
        try:
            return (CHAINS | TEST_CHAINS)[name.lower()]
        except KeyError:
            raise UnknownName.among("chain", name, CHAINS) from None

    @property
    def coin(self) -> Asset:
        """The chain's own coin."""
        return Asset(self, "", self.symbol, self.decimals)

    def __str__(self) -> str:
        return self.name


CHAINS: dict[str, Chain] = {
    name: Chain(name, family, symbol, decimals)
    for name, family, symbol, decimals in (
        ("ethereum", Family.EVM, "ETH", 18),
        ("bsc", Family.EVM, "BNB", 18),
        ("polygon", Family.EVM, "POL", 18),
        ("arbitrum", Family.EVM, "ETH", 18),
        ("optimism", Family.EVM, "ETH", 18),
        ("base", Family.EVM, "ETH", 18),
        ("avalanche", Family.EVM, "AVAX", 18),
        ("fantom", Family.EVM, "FTM", 18),
        ("gnosis", Family.EVM, "xDAI", 18),
        ("linea", Family.EVM, "ETH", 18),
        ("scroll", Family.EVM, "ETH", 18),
        ("zksync", Family.EVM, "ETH", 18),
        ("celo", Family.EVM, "CELO", 18),
        ("blast", Family.EVM, "ETH", 18),
        ("mantle", Family.EVM, "MNT", 18),
        ("ethereum-classic", Family.EVM, "ETC", 18),
        ("tron", Family.TRON, "TRX", 6),
        ("bitcoin", Family.BITCOIN, "BTC", 8),
        ("litecoin", Family.BITCOIN, "LTC", 8),
        ("dogecoin", Family.BITCOIN, "DOGE", 8),
        ("bitcoin-cash", Family.BITCOIN, "BCH", 8),
    )
}

#: Test networks, and those of a node of one's own: found by name alone, and never offered for an address.
TEST_CHAINS: dict[str, Chain] = {
    f"{chain.name}-{network}": Chain(f"{chain.name}-{network}", chain.family, f"t{chain.symbol}", chain.decimals)
    for chain in CHAINS.values()
    if chain.family is Family.BITCOIN
    for network in ("testnet", "regtest")
}


@dataclass(frozen=True, slots=True, order=True)
class Asset:
    """One fungible unit of account. Identity is (chain, contract); the symbol is for people and may lie.

    `contract` is empty for the chain's own coin, else the contract's canonical address text.
    """

    chain: Chain
    contract: str = ""
    symbol: str = field(default="", compare=False)
    decimals: int = field(default=0, compare=False)

    def __hash__(self) -> int:  # as for Address
        return hash((self.chain.name, self.contract))

    @property
    def name(self) -> str:
        """The identity as text: `ethereum` for the coin, `ethereum/0x...` for a token."""
        return f"{self.chain.name}/{self.contract}" if self.contract else self.chain.name

    def __str__(self) -> str:
        return self.symbol or self.name


def units_of(text: str) -> int:
    """Base units from text as files and stores carry them: decimal digits only, 0 to 2**256 - 1.

    >>> units_of("115792089237316195423570985008687907853269984665640564039457584007913129639935") == MAX_UNITS
    True
    >>> units_of("1e18")
    Traceback (most recent call last):
    ...
    tracer.errors.BadAmount: not a whole number of base units: '1e18'
    """
    # isdecimal() alone admits other scripts' digits, which two readers may read differently.
    if not isinstance(text, str) or not (text.isascii() and text.isdecimal()) or len(text) > 78:
        raise BadAmount(
            f"not a whole number of base units: {text!r:.100}", "write digits only, for example 1500000 for 1.5 USDT"
        )
    units = int(text)
    if units > MAX_UNITS:
        raise BadAmount(f"more than 2**256 - 1 base units: {text}", "no chain can hold this; check the row")
    return units


@dataclass(frozen=True, slots=True, order=True)
class Amount:
    """A whole number of base units of one asset.

    >>> eth = Chain.named("ethereum").coin
    >>> str(Amount.parse("1.50", eth) + Amount(1, eth))
    '1.500000000000000001 ETH'
    """

    units: int
    asset: Asset

    def __post_init__(self) -> None:
        if type(self.units) is not int:  # bool and numpy integers are refused too
            raise TypeError(f"units must be int, got {type(self.units).__name__}")
        if not 0 <= self.units <= MAX_UNITS:
            raise BadAmount(f"{self.units} base units is outside 0 .. 2**256 - 1", "direction lives in the leg")

    @classmethod
    def parse(cls, text: str, asset: Asset) -> Amount:
        """An amount as people write it, in whole units: "1.5" ETH. Raises `BadAmount`, never rounds."""
        try:
            sign, digits, exponent = Decimal(text).as_tuple()
        except InvalidOperation:
            raise BadAmount(f"not an amount: {text!r:.100}", f"for example 12.5 for 12.5 {asset}") from None
        if not isinstance(exponent, int) or sign or abs(exponent) > 100:
            raise BadAmount(f"not an amount that can be lost: {text!r:.100}", "give a positive number")
        shift = exponent + asset.decimals
        whole = int("".join(map(str, digits)) or "0")
        if shift < 0 and whole % 10**-shift:
            raise BadAmount(f"{text} has more decimals than {asset} ({asset.decimals})", "nothing is rounded here")
        return cls(whole * 10**shift if shift >= 0 else whole // 10**-shift, asset)

    def __add__(self, other: Amount) -> Amount:
        if self.asset != other.asset:
            raise InputError(f"cannot add {other.asset.name} to {self.asset.name}")
        return Amount(self.units + other.units, self.asset)

    def __str__(self) -> str:
        return f"{shown(self.units, self.asset.decimals)} {self.asset}"


def shown(units: int, decimals: int, places: int | None = None) -> str:
    """Base units as a person reads them, exactly, or cut (not rounded) to `places` decimals.

    >>> shown(2499947605638000000000, 18)
    '2499.947605638'
    >>> shown(2499947605638000000000, 18, 2)
    '2499.94'
    """
    if not 0 <= decimals <= 36:  # a contract may claim any number: then the raw integer is the honest figure
        return str(units)
    whole, part = divmod(abs(units), 10**decimals)
    tail = str(part).rjust(decimals, "0") if decimals else ""
    tail = tail.rstrip("0") if places is None else tail[:places].ljust(places, "0")
    return f"{'-' if units < 0 else ''}{whole}{'.' if tail else ''}{tail}"


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """A place value can sit, in its chain's one spelling. Build it with `tracer.addresses.parse`."""

    chain: Chain
    text: str

    def __hash__(self) -> int:  # the text alone tells nearly all apart, and this is asked millions of times
        return hash(self.text)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """Where value sits on an account chain: one address's balance of one asset."""

    address: Address
    asset: Asset

    def __hash__(self) -> int:  # as for Address
        return hash((self.address.text, self.asset.contract))


@dataclass(frozen=True, slots=True, order=True)
class Outpoint:
    """Where value sits on a UTXO chain: one output of one transaction."""

    chain: Chain
    tx: str
    index: int


class SinkKind(StrEnum):
    """Where value leaves the ledger, or enters it, without an address."""

    FEE = "fee"
    BURN = "burn"
    ISSUE = "issue"
    UNSPENDABLE = "unspendable"
    SEIZED = "seized"  # taken out of circulation by the token's issuer


@dataclass(frozen=True, slots=True, order=True)
class Sink:
    """The far side of a fee, a burn or an issue of coins."""

    asset: Asset
    kind: SinkKind


Holding = Slot | Outpoint | Sink


@dataclass(frozen=True, slots=True, order=True)
class Leg:
    """One side of a transfer: so many units out of, or into, one holding.

    `address` is None where there is none: a sink, or a script without an address.
    """

    holding: Holding
    units: int
    address: Address | None = None

    def __post_init__(self) -> None:
        if type(self.units) is not int or not 0 <= self.units <= MAX_UNITS:
            raise BadAmount(f"a leg of {self.units!r:.100} base units", "whole numbers from 0 to 2**256 - 1 only")

    @classmethod
    def slot(cls, address: Address, asset: Asset, units: int) -> Leg:
        """The leg of an account transfer."""
        return cls(Slot(address, asset), units, address)

    @classmethod
    def coin(cls, tx: str, index: int, chain: Chain, units: int, address: Address | None) -> Leg:
        """The leg of a UTXO transfer: the output `index` of `tx`, made or spent."""
        return cls(Outpoint(chain, tx, index), units, address)

    @classmethod
    def sink(cls, asset: Asset, kind: SinkKind, units: int) -> Leg:
        """A fee, a burn or an issue."""
        return cls(Sink(asset, kind), units)


@dataclass(frozen=True, slots=True, order=True)
class Block:
    """A block by number and time (UTC seconds), and its hash where the source tells it."""

    number: int
    time: int
    hash: str = field(default="", compare=False)


_PHASES = {"tx": 0, "trace": 1, "log": 1, "step": 1, "fee": 2}


@dataclass(frozen=True, slots=True, order=True)
class TransferId:
    """(chain, transaction, position in it): what makes a transfer itself, everywhere.

    Positions: `tx` the transaction's own value (on a UTXO chain all of it), `trace:0_1` an internal call, `log:7` a
    token event, `step:4` where a source gives one execution order for both, `fee` what the payer paid for it.
    """

    chain: Chain
    tx: str
    position: str = "tx"

    def __hash__(self) -> int:  # as for Address
        return hash((self.tx, self.position))

    @property
    def place(self) -> tuple[int, tuple[int, ...], str]:
        """Order inside the transaction: value first, inner movements by their numbers, the fee last."""
        kind, _, rest = self.position.partition(":")
        try:
            return _PHASES[kind], tuple(int(part) for part in rest.split("_")) if rest else (), kind
        except (KeyError, ValueError):
            known = "tx, trace:0_1, log:7, step:4 or fee"
            raise InputError(f"no such position in a transaction: {self.position!r:.60}", known) from None

    def __str__(self) -> str:
        return f"{self.chain}:{self.tx}:{self.position}"


UNKNOWN_INDEX = -1  # place in the block not told
UNKNOWN_METHOD = "?"
_LAST = 2**31


@dataclass(frozen=True, slots=True)
class Transfer:
    """One balanced movement of one asset inside one transaction.

    An account transfer has one leg a side; a Bitcoin transaction is one transfer with all its inputs and outputs, the
    fee among the outputs. `index` is the transaction's place in its block, -1 where the source does not tell it.
    `evidence` names the bytes this was read from (`sha256:...#row`), one per source that said so.
    `method` is the called function's selector or name as the source gave it, "" for a plain payment, "?"
    (`UNKNOWN_METHOD`) where the source does not tell.

    >>> eth = Chain.named("ethereum"); a, b = Address(eth, "0xa"), Address(eth, "0xb")
    >>> Transfer(TransferId(eth, "0x1"), Block(1, 1600000000), 0, eth.coin,
    ...          (Leg.slot(a, eth.coin, 5),), (Leg.slot(b, eth.coin, 4),), ("sha256:0",))
    Traceback (most recent call last):
    ...
    tracer.errors.Unbalanced: ethereum:0x1:tx: inputs 5, outputs 4
    """

    id: TransferId
    block: Block
    index: int
    asset: Asset
    inputs: tuple[Leg, ...]
    outputs: tuple[Leg, ...]
    evidence: tuple[str, ...]
    method: str = ""

    def __post_init__(self) -> None:
        if not (self.inputs and self.outputs):
            raise Unbalanced(f"{self.id} has no {'outputs' if self.inputs else 'inputs'}", "each side has a leg")
        paid, got = sum(leg.units for leg in self.inputs), sum(leg.units for leg in self.outputs)
        if paid != got:
            raise Unbalanced(f"{self.id}: inputs {paid}, outputs {got}", "the source dropped or added a leg")
        if not self.evidence:
            raise InputError(f"{self.id} names no evidence", "every transfer says which bytes it was read from")

    @property
    def units(self) -> int:
        """What the transfer moves in all, fee included on a UTXO chain."""
        return sum(leg.units for leg in self.outputs)

    @property
    def order(self) -> tuple[int, int, str, tuple[int, tuple[int, ...], str]]:
        """The total order: block, place in block, transaction, place in transaction.

        A coinbase that collects fees comes last: they are paid by the block's other transactions.
        """
        collects = any(type(leg.holding) is Sink and leg.holding.kind is SinkKind.FEE for leg in self.inputs)
        return self.block.number, _LAST if collects else self.index, self.id.tx, self.id.place
