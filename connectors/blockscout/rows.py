"""One row of a list of Blockscout's REST interface as the transfers it states."""

from __future__ import annotations

import re
from collections.abc import Mapping

from connectors.etherscan.rows import UNPLACED, token_legs
from connectors.fields import address_in, moment_in, number_in, text_in, transaction_in, units_in
from tracer.coverage import Kind
from tracer.errors import BadRow
from tracer.values import UNKNOWN_INDEX, UNKNOWN_METHOD, Address, Asset, Block, Chain, Leg, SinkKind, Transfer
from tracer.values import TransferId as Id

Row = Mapping[str, object]

#: The lists that make a history: path, kind of movement, and what goes with every request.
LISTS: tuple[tuple[str, Kind, Mapping[str, str]], ...] = (
    ("transactions", Kind.NATIVE, {}),
    ("internal-transactions", Kind.INTERNAL, {}),
    ("token-transfers", Kind.TOKEN, {"type": "ERC-20"}),
)
_MOVES_VALUE = {"call", "create", "create2", "selfdestruct"}
_MOVES_NONE = {"delegatecall", "staticcall", "callcode", "stop", "reward", "invalid"}
_FRACTION = re.compile(r"\.\d+(?=Z)")


def block_in(row: Row) -> int | None:
    """The row's block, None for a transaction that is in none yet. Raises `BadRow`."""
    if row.get("block_number") is None and row.get("result") == "pending":
        return None
    return number_in(row, "block_number")


def transfers_of(kind: Kind, row: Row, chain: Chain, evidence: str) -> tuple[Transfer, ...]:
    """The transfers that a row states, () for what moves nothing. Raises `InputError` where it cannot be read."""
    if kind is Kind.NATIVE:
        return _payment(row, chain, evidence)
    if kind is Kind.INTERNAL:
        return _internal(row, chain, evidence)
    return _token(row, chain, evidence)


def _payment(row: Row, chain: Chain, evidence: str) -> tuple[Transfer, ...]:
    """The transaction's own value, and the fee that its sender paid, with what it paid to the chain below."""
    tx, block = transaction_in(row, "hash", chain), _block(row, text_in(row, "block_hash", ""))
    index = number_in(row, "position", UNKNOWN_INDEX, least=UNKNOWN_INDEX)
    coin, units, sender, method = chain.coin, units_in(row, "value"), _party(row, "from", chain), _method(row)
    fee = row.get("fee")
    if not isinstance(fee, dict) or fee.get("type") != "actual":
        raise BadRow("fee does not say what was paid")
    charge = units_in(fee, "value")
    paid, got = Leg.slot(sender, coin, charge), Leg.sink(coin, SinkKind.FEE, charge)
    paid_fee = Transfer(Id(chain, tx, "fee"), block, index, coin, (paid,), (got,), (evidence,), method)
    status = text_in(row, "status")
    if status not in ("ok", "error"):
        raise BadRow(f"status is {status!r:.60}", "ok or error")
    if status == "error":
        return (paid_fee,)
    legs = (Leg.slot(sender, coin, units),), (Leg.slot(_payee(row, chain), coin, units),)
    return Transfer(Id(chain, tx), block, index, coin, *legs, (evidence,), method), paid_fee


def _internal(row: Row, chain: Chain, evidence: str) -> tuple[Transfer, ...]:
    """Value moved by a contract's call. Its running number is in the order of the calls, but is no trace."""
    kind, index = text_in(row, "type"), number_in(row, "index")
    if kind not in _MOVES_VALUE | _MOVES_NONE:
        raise BadRow(f"type is {kind!r:.60}", f"known: {', '.join(sorted(_MOVES_VALUE | _MOVES_NONE))}")
    success = row.get("success")
    if not isinstance(success, bool):
        raise BadRow(f"success is {success!r:.60}", "true or false")
    tx, block = transaction_in(row, "transaction_hash", chain), _block(row, "")
    sender, coin, units = _party(row, "from", chain), chain.coin, units_in(row, "value")
    legs = (Leg.slot(sender, coin, units),), (Leg.slot(_payee(row, chain), coin, units),)
    if not success or row.get("error") or kind in _MOVES_NONE or index == 0:  # 0 is the transaction itself
        return ()
    name = Id(chain, tx, f"trace:{UNPLACED}_{index}")
    return (Transfer(name, block, UNKNOWN_INDEX, coin, *legs, (evidence,)),)


def _token(row: Row, chain: Chain, evidence: str) -> tuple[Transfer, ...]:
    """A token's event, by its log index."""
    token, total = row.get("token"), row.get("total")
    if not isinstance(token, dict) or not isinstance(total, dict):
        raise BadRow("token or total is missing")
    kind = text_in(token, "type", "") or text_in(row, "token_type", "")
    if kind != "ERC-20":
        raise BadRow(f"a transfer of {kind!r:.40}, where ERC-20 was asked for")
    field = "address_hash" if "address_hash" in token else "address"  # before version 8
    contract = address_in(token, field, chain)
    decimals = min(units_in(token, "decimals"), 255) if text_in(token, "decimals", "") else 0
    asset = Asset(chain, contract.text, text_in(token, "symbol", ""), decimals)
    tx, units = transaction_in(row, "transaction_hash", chain), units_in(total, "value")
    legs = token_legs(asset, _party(row, "from", chain), _party(row, "to", chain), units)
    block = _block(row, text_in(row, "block_hash", ""))
    name = Id(chain, tx, f"log:{number_in(row, 'log_index')}")
    return (Transfer(name, block, UNKNOWN_INDEX, asset, *legs, (evidence,), UNKNOWN_METHOD),)


def _block(row: Row, name: str) -> Block:
    return Block(number_in(row, "block_number"), time_in(row), name)


def time_in(row: Row) -> int:
    """The row's time, as UTC seconds; Blockscout writes a fraction of zeros. Raises `BadRow`."""
    return moment_in({"timestamp": _FRACTION.sub("", text_in(row, "timestamp"))}, "timestamp")


def _party(row: Row, field: str, chain: Chain) -> Address:
    """The address in an object like {"hash": "0x...", "name": ...}. Names are what others say, and not read here."""
    party = row.get(field)
    if not isinstance(party, dict):
        raise BadRow(f"{field} is missing")
    return address_in({field: party.get("hash")}, field, chain)


def _payee(row: Row, chain: Chain) -> Address:
    """Who got it; the contract that was made, where there is no `to`."""
    return _party(row, "to" if row.get("to") is not None else "created_contract", chain)


def _method(row: Row) -> str:
    """The selector; the name beside it is the explorer's reading of it."""
    data = text_in(row, "raw_input", "?")
    if data == "?":
        return text_in(row, "method", "") or UNKNOWN_METHOD
    return data[:10].lower() if len(data) >= 10 else ""


__all__ = ["LISTS", "block_in", "time_in", "transfers_of"]
