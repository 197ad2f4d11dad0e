"""One row of an Etherscan account list (`txlist`, `txlistinternal`, `tokentx`) as the transfers it states."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from connectors.fields import address_in, moment_in, number_in, text_in, transaction_in, units_in
from tracer.coverage import Kind
from tracer.errors import BadRow
from tracer.values import UNKNOWN_INDEX, Address, Asset, Block, Chain, Leg, SinkKind, Transfer, TransferId

Row = Mapping[str, object]

KINDS = {"txlist": Kind.NATIVE, "txlistinternal": Kind.INTERNAL, "tokentx": Kind.TOKEN}
_MOVES_VALUE = {"call", "create", "create2", "suicide", "selfdestruct"}
_MOVES_NONE = {"delegatecall", "staticcall", "callcode"}  # they show their caller's value, or none
NOBODY = "0x" + "0" * 40  # how a token's event says that units were made, or destroyed
#: Stands before a number that is no place in the tree of calls; no call has so many siblings.
UNPLACED = 2**48


def transfers_of(action: str, row: Row, chain: Chain, twin: int, evidence: str) -> tuple[Transfer, ...]:
    """The transfers that a row states, () for a call that failed. Raises `InputError` where it cannot be read.

    `twin` counts the rows before it in the listing that look just the same (see `likeness`).
    """
    if action == "txlist":
        return _payment(row, chain, evidence)
    if action == "txlistinternal":
        return _internal(row, chain, twin, evidence)
    return (_token(row, chain, twin, evidence),)


def require_about(row: Row, action: str, address: Address) -> None:
    """Refuse a row that does not name the address asked about: the answer belongs to another question."""
    names = ("from", "to") if action == "tokentx" else ("from", "to", "contractAddress")
    if address.text not in {str(row.get(name)).lower() for name in names}:
        raise BadRow(f"the row does not concern {address}", "the answer belongs to another request")


def likeness(row: Row) -> tuple[object, ...]:
    """What two rows share when nothing but their place in the transaction, which is left out, tells them apart.

    Etherscan leaves out the log index of tokens, its kin the trace of internal transfers too.
    """
    parties = ("from", "to", "contractAddress", "value", "type")
    names = ("hash", "transactionHash", "traceId", "index", "logIndex", *parties)
    return tuple(str(row.get(name)) for name in names)


def _payment(row: Row, chain: Chain, evidence: str) -> tuple[Transfer, ...]:
    """The transaction's own value, and the fee that its sender paid. A failed one moves nothing but the fee."""
    if "tokenDecimal" in row or "traceId" in row:
        raise BadRow("this is not a row of txlist", "the request says txlist, the answer is another list")
    tx, block, index = _place(row, chain)
    coin, units, method = chain.coin, units_in(row, "value"), _method(row)
    value = TransferId(chain, tx)
    if text_in(row, "from") == "GENESIS":  # how Etherscan writes what block 0 allotted
        paid, got = Leg.sink(coin, SinkKind.ISSUE, units), Leg.slot(address_in(row, "to", chain), coin, units)
        return (Transfer(value, block, index, coin, (paid,), (got,), (evidence,)),)
    sender = address_in(row, "from", chain)
    fee = units_in(row, "gasUsed") * units_in(row, "gasPrice")
    paid, got = Leg.slot(sender, coin, fee), Leg.sink(coin, SinkKind.FEE, fee)
    charge = Transfer(TransferId(chain, tx, "fee"), block, index, coin, (paid,), (got,), (evidence,), method)
    if _flag(row, "isError") == "1" or _flag(row, "txreceipt_status", blank=True) == "0":
        return (charge,)
    return Transfer(value, block, index, coin, *_move(row, sender, coin, units), (evidence,), method), charge


def _internal(row: Row, chain: Chain, twin: int, evidence: str) -> tuple[Transfer, ...]:
    """Value moved by a contract's call. The row has no place in the block; its trace says where in the transaction.

    Blockscout gives a running number instead, which is in the order of the calls, but is no trace.
    """
    kind = text_in(row, "callType", "") or text_in(row, "type")
    if kind not in _MOVES_VALUE | _MOVES_NONE:
        raise BadRow(f"type is {kind!r:.60}", f"known: {', '.join(sorted(_MOVES_VALUE | _MOVES_NONE))}")
    tx, block, _ = _place(row, chain)
    coin, units, sender = chain.coin, units_in(row, "value"), address_in(row, "from", chain)
    legs = _move(row, sender, coin, units)
    if "traceId" in row:
        position = f"trace:{text_in(row, 'traceId')}"
    elif "index" in row:
        position = f"trace:{UNPLACED}_{number_in(row, 'index')}"
    else:
        payee = legs[1][0].address
        position = f"trace:{_digest(sender, payee, units)}_{twin}"
    name = TransferId(chain, tx, position)
    if not name.place[1]:
        raise BadRow("traceId is empty", "without it, two calls in one transaction cannot be told apart")
    if _flag(row, "isError") == "1" or kind in _MOVES_NONE:
        return ()
    return (Transfer(name, block, UNKNOWN_INDEX, coin, *legs, (evidence,)),)


def _token(row: Row, chain: Chain, twin: int, evidence: str) -> Transfer:
    """A token's event.

    Etherscan leaves out the log index. A running number will not do in its place: the payer's list and the payee's
    number the same event differently. So the position is made from what both lists show, and from `twin` for events
    that are alike in all of it. It names the event; it says nothing about order.
    """
    tx, block, index = _place(row, chain)
    contract = address_in(row, "contractAddress", chain)
    payer, payee, units = address_in(row, "from", chain), address_in(row, "to", chain), units_in(row, "value")
    if log := text_in(row, "logIndex", ""):
        position = f"log:{number_in({'logIndex': log}, 'logIndex')}"
    else:
        position = f"log:{_digest(contract, payer, payee, units)}_{twin}"
    # A contract may claim any number of decimals; it must not be able to spoil the whole answer with a silly one.
    decimals = min(units_in(row, "tokenDecimal"), 255) if text_in(row, "tokenDecimal", "") else 0
    asset = Asset(chain, contract.text, text_in(row, "tokenSymbol", ""), decimals)
    legs = token_legs(asset, payer, payee, units)
    return Transfer(TransferId(chain, tx, position), block, index, asset, *legs, (evidence,), _method(row))


def token_legs(asset: Asset, payer: Address, payee: Address, units: int) -> tuple[tuple[Leg], tuple[Leg]]:
    """The sides of a token's event: units that nobody pays are issued, those that nobody gets are burnt."""
    if payer.text == payee.text == NOBODY:
        raise BadRow("from and to are both the zero address: nobody got or paid anything")
    issued, burnt = payer.text == NOBODY, payee.text == NOBODY
    paid = Leg.sink(asset, SinkKind.ISSUE, units) if issued else Leg.slot(payer, asset, units)
    got = Leg.sink(asset, SinkKind.BURN, units) if burnt else Leg.slot(payee, asset, units)
    return (paid,), (got,)


def _digest(*told: object) -> int:
    return int.from_bytes(hashlib.sha256(" ".join(map(str, told)).encode()).digest()[:6])


def _move(row: Row, sender: Address, coin: Asset, units: int) -> tuple[tuple[Leg, ...], tuple[Leg, ...]]:
    """From the sender to `to`, or to the contract that was made where `to` is empty."""
    payee = address_in(row, "to" if text_in(row, "to", "") else "contractAddress", sender.chain)
    return (Leg.slot(sender, coin, units),), (Leg.slot(payee, coin, units),)


def _place(row: Row, chain: Chain) -> tuple[str, Block, int]:
    block = Block(number_in(row, "blockNumber"), moment_in(row, "timeStamp"), text_in(row, "blockHash", ""))
    name = "hash" if "hash" in row else "transactionHash"  # as Blockscout's list of internal transfers has it
    return transaction_in(row, name, chain), block, number_in(row, "transactionIndex", UNKNOWN_INDEX)


def _method(row: Row) -> str:
    """The selector. The function's name is a guess from a public list in which anybody can enter a joke or a lie."""
    selector = text_in(row, "methodId", "") or text_in(row, "input", "")[:10]
    if selector in ("", "0x", "deprecated"):
        return "" if selector != "deprecated" else text_in(row, "functionName", "").partition("(")[0]
    return selector.lower()


def _flag(row: Row, field: str, blank: bool = False) -> str:
    """`isError` and `txreceipt_status`; the latter is blank before the Byzantium fork, which introduced it."""
    flag = text_in(row, field, "" if blank else None)
    if flag not in (("0", "1", "") if blank else ("0", "1")):
        raise BadRow(f"{field} is {flag!r:.60}", "0 or 1")
    return flag
