"""A decoded transaction, as a node or an explorer tells it, as one transfer with all its inputs and outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connectors.bitcoin.chains import new_coins
from connectors.fields import address as address_on
from connectors.fields import number_in, text_in, units_in
from tracer.addresses import parse_tx
from tracer.addresses.scripts import address_of, unspendable
from tracer.errors import BadAddress, BadAmount, BadRow, InputError
from tracer.values import Address, Amount, Block, Chain, Leg, SinkKind, Transfer, TransferId

Point = tuple[str, int]  # transaction, number of its output
MOST = 2**64 - 1  # what one output may hold: every coin there will be of any such chain is less
_NO_OUTPUT = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Output:
    """So many base units, and the script that guards them."""

    units: int
    script: bytes


@dataclass(frozen=True, slots=True)
class Told:
    """One transaction. `spent` has an entry for each input, none for a coinbase; `fee` is None where it is not told."""

    tx: str
    spent: tuple[tuple[Point, Output], ...]
    outputs: tuple[Output, ...]
    coinbase: bool
    fee: int | None = None


def transfer_of(told: Told, chain: Chain, block: Block, index: int, evidence: str) -> Transfer:
    """The transfer of the whole transaction: the fee is its last output, a coinbase makes coins and collects fees.

    Raises `BadRow` where inputs and outputs do not fit each other.
    """
    coin = chain.coin
    got = tuple(
        Leg.sink(coin, SinkKind.UNSPENDABLE, output.units)
        if unspendable(output.script)
        else Leg.coin(told.tx, number, chain, output.units, address_of(output.script, chain))
        for number, output in enumerate(told.outputs)
    )
    if not got:
        raise BadRow("it has no outputs", "a transaction has at least one")
    total = sum(leg.units for leg in got)
    if told.coinbase:
        new = new_coins(chain, block.number, total)
        paid = (Leg.sink(coin, SinkKind.ISSUE, new), *_fee(chain, total - new))
    else:
        paid = tuple(
            Leg.coin(*point, chain, output.units, address_of(output.script, chain)) for point, output in told.spent
        )
        if not paid:
            raise BadRow("it has no inputs, and is no coinbase", "an input is missing")
        fee = sum(leg.units for leg in paid) - total
        if fee < 0:
            raise BadRow(f"the outputs hold {-fee} more than the inputs", "an input is missing, or was changed")
        if told.fee not in (None, fee):
            raise BadRow(f"its fee is said to be {told.fee}, but its inputs hold {fee} more than its outputs")
        got += _fee(chain, fee)
    return Transfer(TransferId(chain, told.tx), block, index, coin, paid, got, (evidence,))


def _fee(chain: Chain, units: int) -> tuple[Leg, ...]:
    return (Leg.sink(chain.coin, SinkKind.FEE, units),) if units else ()


def from_core(row: Mapping[str, Any], chain: Chain, known: Mapping[Point, Output] | None = None) -> Told:
    """A transaction as Core decodes it. What its inputs spend is in it (`prevout`), else in `known`.

    Amounts are decimal numbers of whole coins, taken exactly. Raises `BadRow`, `BadAmount` or `BadAddress`.
    """
    tx = parse_tx(text_in(row, "txid"), chain)
    inputs, spent = objects(row, "vin"), []
    coinbase = len(inputs) == 1 and "coinbase" in inputs[0]
    for one in [] if coinbase else inputs:
        point = point_of(one, chain)
        told = one.get("prevout")
        if isinstance(told, dict):
            spent.append((point, _core_output(told, chain)))
        elif known is not None and point in known:
            spent.append((point, known[point]))
        else:
            raise BadRow(f"what its input {point[0]}:{point[1]} spends is not told", "start the node with -txindex=1")
    fee = coins(row["fee"], chain) if row.get("fee") is not None and not coinbase else None
    return Told(tx, tuple(spent), outputs_from_core(row, chain), coinbase, fee)


def outputs_from_core(row: Mapping[str, Any], chain: Chain) -> tuple[Output, ...]:
    """The outputs of a transaction as Core decodes it, in their order."""
    outputs = objects(row, "vout")
    for number, one in enumerate(outputs):
        if number_in(one, "n", most=_NO_OUTPUT) != number:
            raise BadRow(f"output {number} calls itself {one['n']}", "an output is missing")
    return tuple(_core_output(one, chain) for one in outputs)


def untold(row: Mapping[str, Any], chain: Chain) -> list[Point]:
    """What the inputs spend whose outputs are not in the transaction itself."""
    return [
        point_of(one, chain)
        for one in objects(row, "vin")
        if "coinbase" not in one and not isinstance(one.get("prevout"), dict)
    ]


def point_of(row: Mapping[str, Any], chain: Chain) -> Point:
    """What an input spends."""
    if row.get("ismweb"):
        raise BadRow("an input is inside MWEB, where amounts are hidden", "it can be followed up to there only")
    return parse_tx(text_in(row, "txid"), chain), number_in(row, "vout", most=_NO_OUTPUT - 1)


def _core_output(row: Mapping[str, Any], chain: Chain) -> Output:
    if row.get("ismweb"):
        raise BadRow("an output is inside MWEB, where amounts are hidden", "it can be followed up to there only")
    told = row.get("scriptPubKey")
    if not isinstance(told, dict):
        raise BadRow("an output has no scriptPubKey")
    script = _script(told, "hex")
    listed = told.get("addresses")  # before Core 22; of a bare key it lists one that does not guard this output
    alone = listed[0] if isinstance(listed, list) and len(listed) == 1 else None
    _must_be(address_of(script, chain), told.get("address") or alone, chain)
    return Output(coins(row.get("value"), chain), script)


def from_esplora(row: Mapping[str, Any], chain: Chain) -> Told:
    """A transaction as Esplora tells it: amounts are whole base units, `prevout` is null for a coinbase."""
    tx = parse_tx(text_in(row, "txid"), chain)
    inputs, spent = objects(row, "vin"), []
    coinbase = len(inputs) == 1 and inputs[0].get("is_coinbase") is True
    for one in [] if coinbase else inputs:
        told = one.get("prevout")
        if not isinstance(told, dict):
            raise BadRow("an input does not say what it spends", "ask another instance: this one may be indexing")
        spent.append((point_of(one, chain), _esplora_output(told, chain)))
    outputs = tuple(_esplora_output(one, chain) for one in objects(row, "vout"))
    fee = units_in(row, "fee") if row.get("fee") is not None and not coinbase else None
    return Told(tx, tuple(spent), outputs, coinbase, fee)


def _esplora_output(row: Mapping[str, Any], chain: Chain) -> Output:
    script = _script(row, "scriptpubkey")
    _must_be(address_of(script, chain), row.get("scriptpubkey_address"), chain)
    return Output(_counted(units_in(row, "value")), script)


def _must_be(found: Address | None, told: object, chain: Chain) -> None:
    """The address is read off the script; one that the source names beside it must be the same."""
    if found is None or told is None:
        return
    if not isinstance(told, str) or address_on(told, chain) != found:
        raise BadAddress(f"an output is said to be of {told!r:.80}, but its script is of {found}", "ask another source")


def _script(row: Mapping[str, Any], field: str) -> bytes:
    text = text_in(row, field)
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise BadRow(f"{field} is {text!r:.60}, not hex") from None


def coins(value: object, chain: Chain) -> int:
    """Base units from a number of whole coins. Nothing is rounded: Core writes all eight decimals.

    >>> coins(Decimal("20999999.97690000"), Chain.named("bitcoin"))
    2099999997690000
    """
    if type(value) not in (int, Decimal):
        raise BadAmount(f"an amount is {value!r:.60}, not a number of coins")
    try:
        return _counted(Amount.parse(str(value), chain.coin).units)
    except InputError as error:
        raise BadAmount(f"an amount is {value!s:.60}: {error}", error.hint) from None


def _counted(units: int) -> int:
    if units > MOST:
        raise BadAmount(f"an output of {units}, more than 2**64 - 1", "no chain of this family has so many coins")
    return units


def objects(row: Mapping[str, Any], field: str) -> list[Mapping[str, Any]]:
    """The list of objects in `field`. Raises `BadRow`."""
    listed = row.get(field)
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise BadRow(f"{field} is not a list of objects")
    return listed


__all__ = [
    "Output", "Point", "Told", "coins", "from_core", "from_esplora", "objects", "outputs_from_core", "point_of",
    "transfer_of", "untold",
]  # fmt: skip
