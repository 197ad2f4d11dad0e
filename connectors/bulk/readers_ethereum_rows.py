"""One row of an ethereum-etl table as the transfers it states, or what is wrong with it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from connectors.bulk.batch import SINK_CODES
from connectors.fields import address_in, moment_in, number_in, text_in, transaction_in, units_in
from connectors.likeness import Twins
from tracer.errors import BadRow, InputError
from tracer.values import UNKNOWN_INDEX, Asset, Block, Chain, Leg, SinkKind, Transfer, TransferId

Row = Mapping[str, object]

FEE, BURN, ISSUE = (SINK_CODES[kind] for kind in (SinkKind.FEE, SinkKind.BURN, SinkKind.ISSUE))
TRACE_TYPES = ("call", "create", "suicide", "reward", "daofork", "genesis")
FIRST_WITHOUT_TX = 3
CALL_TYPES = ("call", "callcode", "delegatecall", "staticcall")
EVIDENCE = ("row",)  # the ledger cites the file's hash and the row; a transfer on its way there only needs something
_LAST = 2**31 - 1
_NOBODY = "0x" + "0" * 40
_UTC = re.compile(r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:\.0+)?(?: UTC|Z|\+00:00)", re.ASCII)
_TRACE = re.compile(r"\d{1,9}(?:,\d{1,9})*", re.ASCII)


def transaction(row: Row, chain: Chain) -> tuple[Transfer, ...]:
    """The transaction's value and its fee; of a failed one the fee alone. Raises `InputError`."""
    tx, block, index = transaction_in(row, "hash", chain), _block(row), _index(row)
    coin, value, payer = chain.coin, units_in(row, "value"), address_in(row, "from_address", chain)
    found = []
    if number_in(row, "receipt_status", 1, most=1):  # 1 made, 0 failed
        field = "to_address" if text_in(row, "to_address", "") else "receipt_contract_address"
        if text_in(row, field, ""):
            payee = address_in(row, field, chain)
            legs = (Leg.slot(payer, coin, value),), (Leg.slot(payee, coin, value),)
            found.append(Transfer(TransferId(chain, tx), block, index, coin, *legs, EVIDENCE))
        elif value:
            raise BadRow(
                "to_address is empty: it makes a contract, which receipt_contract_address does not name",
                "export with receipts",
            )
    fee = _fee(row)
    if fee is not None:
        legs = (Leg.slot(payer, coin, fee),), (Leg.sink(coin, SinkKind.FEE, fee),)
        found.append(Transfer(TransferId(chain, tx, "fee"), block, index, coin, *legs, EVIDENCE))
    return tuple(found)


def unsure(row: Row) -> tuple[int, int]:
    """1 where the row does not say whether it failed, 1 where it does not say what fee was paid."""
    return int(not text_in(row, "receipt_status", "")), int(_fee(row) is None)


def token_transfer(row: Row, chain: Chain) -> tuple[Transfer, ...]:
    """A token's event: a transfer, an issue (from the zero address) or a burn (to it). Raises `InputError`."""
    tx, block, index = transaction_in(row, "transaction_hash", chain), _block(row), _index(row)
    asset = Asset(chain, address_in(row, "token_address", chain).text)
    value, log = units_in(row, "value"), number_in(row, "log_index")
    payer, payee = address_in(row, "from_address", chain), address_in(row, "to_address", chain)
    if payer.text == payee.text == _NOBODY:
        raise BadRow("from_address and to_address are both the zero address: nobody got or paid anything")
    issued, burnt = payer.text == _NOBODY, payee.text == _NOBODY
    paid = Leg.sink(asset, SinkKind.ISSUE, value) if issued else Leg.slot(payer, asset, value)
    got = Leg.sink(asset, SinkKind.BURN, value) if burnt else Leg.slot(payee, asset, value)
    return (Transfer(TransferId(chain, tx, f"log:{log}"), block, index, asset, (paid,), (got,), EVIDENCE),)


def trace(row: Row, chain: Chain, twins: Twins) -> tuple[Transfer, ...]:
    """What a trace moved; () for what was reverted, moves nothing, or only shows its caller's value.

    The top call is the transaction's own value and has its identity, `tx`: read from both tables, it counts once.
    Rewards and irregular changes have no transaction; theirs is the block's number, filled with zeros to a hash.
    """
    kind = text_in(row, "trace_type")
    if kind not in TRACE_TYPES:
        raise BadRow(f"trace_type is {kind!r:.60}", f"known: {', '.join(TRACE_TYPES)}")
    if kind in TRACE_TYPES[FIRST_WITHOUT_TX:]:
        return _without_tx(row, kind, chain, twins)
    made = number_in(row, "status", most=1)
    call = text_in(row, "call_type", "")
    if kind == "call" and call not in CALL_TYPES:
        raise BadRow(f"call_type is {call!r:.60}", f"known: {', '.join(CALL_TYPES)}")
    if not made or (kind == "call" and call != "call"):
        return ()
    value = units_in(row, "value")
    if not value:
        return ()
    if not text_in(row, "transaction_hash", ""):
        raise BadRow("transaction_hash is empty", "traces of geth lack it: export with a node that tells it")
    name = TransferId(chain, transaction_in(row, "transaction_hash", chain), trace_position(_trace_text(row)))
    payer, payee = address_in(row, "from_address", chain), address_in(row, "to_address", chain)
    legs = (Leg.slot(payer, chain.coin, value),), (Leg.slot(payee, chain.coin, value),)
    return (Transfer(name, _block(row), _index(row), chain.coin, *legs, EVIDENCE),)


def trace_position(text: str) -> str:
    """The position that a trace address stands for.

    >>> trace_position("0,1"), trace_position("")
    ('trace:0_1', 'tx')
    """
    if text and not _TRACE.fullmatch(text):
        raise BadRow(f"trace_address is {text!r:.60}", "whole numbers with commas between, for example 0,1")
    return "trace:" + text.replace(",", "_") if text else "tx"


def _trace_text(row: Row) -> str:
    value = row.get("trace_address")
    if isinstance(value, list):  # as JSON has it
        return ",".join(str(one) for one in value)
    return text_in(row, "trace_address", "")


def _without_tx(row: Row, kind: str, chain: Chain, twins: Twins) -> tuple[Transfer, ...]:
    value, block, coin = units_in(row, "value"), _block(row), chain.coin
    payee = address_in(row, "to_address", chain)
    got = Leg.slot(payee, coin, value)
    issued = Leg.sink(coin, SinkKind.ISSUE, value)
    if kind == "genesis":
        name = TransferId(chain, f"GENESIS_{payee.text[2:]}")
        return (Transfer(name, block, UNKNOWN_INDEX, coin, (issued,), (got,), EVIDENCE),)
    tx = f"0x{block.number:064x}"
    likeness = f"{tx} {kind} {text_in(row, 'reward_type', '')} {text_in(row, 'from_address', '')} {payee} {value}"
    digest = int.from_bytes(hashlib.sha256(likeness.encode()).digest()[:6])
    name = TransferId(chain, tx, f"trace:{digest}_{twins.next(likeness)}")
    if kind == "daofork":  # done before the block's transactions, so the index is not known to be later than any
        paid = Leg.slot(address_in(row, "from_address", chain), coin, value)
        return (Transfer(name, block, UNKNOWN_INDEX, coin, (paid,), (got,), EVIDENCE),)
    return (Transfer(name, block, _LAST, coin, (issued,), (got,), EVIDENCE),)  # paid when the block is done


def _fee(row: Row) -> int | None:
    """What was paid for the transaction, None where the row does not say."""
    if text_in(row, "receipt_gas_used", "") == "":
        return None
    price = "receipt_effective_gas_price"
    if not text_in(row, price, "") and not text_in(row, "max_fee_per_gas", ""):
        price = "gas_price"
    if not text_in(row, price, ""):
        return None
    fee = units_in(row, "receipt_gas_used") * units_in(row, price)
    if text_in(row, "receipt_blob_gas_used", "") and text_in(row, "receipt_blob_gas_price", ""):
        fee += units_in(row, "receipt_blob_gas_used") * units_in(row, "receipt_blob_gas_price")
    if text_in(row, "receipt_l1_fee", ""):
        fee += units_in(row, "receipt_l1_fee")
    if fee >= 2**96:
        raise BadRow(f"the fee would be {fee} base units", "gas used and its price do not fit together")
    return fee


def _block(row: Row) -> Block:
    number = number_in(row, "block_number")
    stamp = row.get("block_timestamp")
    if isinstance(stamp, str) and (found := _UTC.fullmatch(stamp)):
        stamp = found[1] + "Z"
    return Block(number, moment_in({"block_timestamp": stamp}, "block_timestamp"))


def _index(row: Row) -> int:
    return number_in(row, "transaction_index", UNKNOWN_INDEX)


__all__ = ["EVIDENCE", "InputError", "Twins", "token_transfer", "trace", "trace_position", "transaction", "unsure"]
