"""What a transaction moved of the chain's coin: its value, what its calls passed on, its fee, what it was issued."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from connectors.evm.blocks import Reorganised
from connectors.evm.calls import Calls, calls_in_list, calls_in_tree
from connectors.evm.faults import Fault
from connectors.evm.node import Call, Node, Told
from connectors.evm.quantities import Row, hash_in, hexadecimal, number_in, quantity_in, row_in
from connectors.fields import address_in, text_in
from connectors.protocol import Problem
from tracer.errors import BadAddress, BadRow, SourceSkipped
from tracer.values import Address, Block, Chain, Leg, SinkKind, Transfer, TransferId

TRACES = {"trace_transaction": (), "debug_traceTransaction": ({"tracer": "callTracer"},)}
_PLAIN_GAS = 21_000  # what a transaction costs in which no code ran
_DEPOSIT = 0x7E  # OP stack: brought from the chain below, where it was paid for
_MANY = 3  # transactions of one block from which on all its receipts are asked for at once


@dataclass(frozen=True, slots=True)
class Whole:
    """A transaction, its receipt, and its calls: None where they are not known. `cited` are the answers."""

    row: Row
    receipt: Row
    calls: Calls | None
    cited: tuple[str, ...]

    @property
    def tx(self) -> str:
        """The transaction's hash."""
        return hash_in(self.row, "hash")

    @property
    def block(self) -> int:
        """The number of its block."""
        return number_in(self.receipt, "blockNumber")

    @property
    def block_hash(self) -> str:
        """The hash of its block."""
        return hash_in(self.receipt, "blockHash")

    @property
    def made(self) -> bool | None:
        """Whether it was carried out; None where neither receipt nor calls tell.

        Before Byzantium receipts do not say; but whatever failed then had used all its gas.
        """
        if self.receipt.get("status") is not None:
            return bool(quantity_in(self.receipt, "status", most=1))
        if self.calls is not None:
            return not self.calls.failed
        return True if quantity_in(self.receipt, "gasUsed") < quantity_in(self.row, "gas") else None


def read(node: Node, chain: Chain, found: Mapping[str, int], traces: str, receipts: bool) -> list[Whole]:
    """The transactions `found` (hash to block number), by block. `traces` is the method that tells calls, "" for none.

    `receipts`: whether the node gives all receipts of a block at once. Raises `Reorganised`, `SourceSkipped`, `BadRow`.
    """
    by_block: dict[int, list[str]] = {}
    for tx, block in found.items():
        by_block.setdefault(block, []).append(tx)
    calls: list[Call] = []
    for block, hashes in sorted(by_block.items()):
        if receipts and len(hashes) >= _MANY:
            calls += [Call("eth_getBlockByNumber", (hexadecimal(block), True))]
            calls += [Call("eth_getBlockReceipts", (hexadecimal(block),))]
        else:
            calls += [Call("eth_getTransactionByHash", (tx,)) for tx in sorted(hashes)]
            calls += [Call("eth_getTransactionReceipt", (tx,)) for tx in sorted(hashes)]
    rows: dict[str, tuple[Row, str]] = {}
    told_receipts: dict[str, tuple[Row, str]] = {}
    for told in node.ask_all(calls):
        for row, cited in _rows(told):
            if "transactionHash" in row:
                told_receipts[hash_in(row, "transactionHash")] = row, cited
            else:
                rows[hash_in(row, "hash")] = row, cited
    whole = []
    for block, hashes in sorted(by_block.items()):
        for tx in sorted(hashes):
            if tx not in rows or tx not in told_receipts:
                raise Reorganised(f"the node told of transaction {tx} in block {block} and does not know it now")
            (row, one), (receipt, two) = rows[tx], told_receipts[tx]
            whole.append(Whole(row, receipt, None, (one, two)))
    for one_of in whole:
        known = hash_in(one_of.row, "blockHash"), number_in(one_of.row, "blockNumber")
        if known != (one_of.block_hash, one_of.block) or found[one_of.tx] != one_of.block:
            raise Reorganised(f"transaction {one_of.tx} is told in two blocks, {known[0]} and {one_of.block_hash}")
    return _traced(node, chain, whole, traces) if traces else whole


def needs_trace(one: Whole) -> bool:
    """Whether its calls may have moved anything that its own row does not tell."""
    if one.receipt.get("status") is None:
        return True
    ran = quantity_in(one.receipt, "gasUsed") != _PLAIN_GAS or text_in(one.row, "to", "") == ""
    return bool(one.made) and ran


def moved(one: Whole, block: Block, chain: Chain) -> Iterator[Transfer]:
    """All transfers of the chain's coin in a transaction. Raises `BadRow`, `BadAddress`."""
    coin, index = chain.coin, number_in(one.receipt, "transactionIndex")
    sender, units = address_in(one.row, "from", chain), quantity_in(one.row, "value")
    method = _method(one.row)

    def transfer(position: str, paid: Leg, got: Leg, called: str = "") -> Transfer:
        id = TransferId(chain, one.tx, position)
        return Transfer(id, block, index, coin, (paid,), (got,), one.cited, called)

    if _type(one.row) == _DEPOSIT and (minted := quantity_in(one.row, "mint", 0)):
        yield transfer("step:0", Leg.sink(coin, SinkKind.ISSUE, minted), Leg.slot(sender, coin, minted))
    made = one.made
    if made is None:
        raise BadRow("nothing says whether it was carried out: its receipt has no status, and its calls are not known")
    if made:
        payee = _payee(one, chain)
        yield transfer("tx", Leg.slot(sender, coin, units), Leg.slot(payee, coin, units), method)
        for move in one.calls.inner if one.calls else ():
            paid, got = Leg.slot(move.payer, coin, move.units), Leg.slot(move.payee, coin, move.units)
            yield transfer(move.position, paid, got)
    if one.row.get("feeCurrency") is None:
        fee = fee_of(one)
        yield transfer("fee", Leg.slot(sender, coin, fee), Leg.sink(coin, SinkKind.FEE, fee), method)


def fee_of(one: Whole) -> int:
    """What the sender paid for it: gas, data on the chain below (OP stack, Scroll), blobs."""
    price = "effectiveGasPrice"
    priced = one.receipt if one.receipt.get(price) is not None else {price: one.row.get("gasPrice")}
    if one.receipt.get(price) is None and _type(one.row) > 1:
        raise BadRow("effectiveGasPrice is missing", "a node that does not tell it cannot tell the fee")
    fee = quantity_in(one.receipt, "gasUsed") * quantity_in(priced, price)
    if _type(one.row) == 3:
        fee += quantity_in(one.receipt, "blobGasUsed") * quantity_in(one.receipt, "blobGasPrice")
    return fee + quantity_in(one.receipt, "l1Fee", 0)


def caveats(one: Whole) -> Iterator[Problem]:
    """What its transfers do not say."""
    if one.row.get("feeCurrency") is not None:
        yield Problem(f"its fee was paid in the token {one.row['feeCurrency']!s:.60}: it is not taken", one.tx)


def _traced(node: Node, chain: Chain, whole: Sequence[Whole], traces: str) -> list[Whole]:
    """The same with their calls, where they may matter and the node can tell them."""
    asked = [one for one in whole if needs_trace(one)]
    calls = [Call(traces, (one.tx, *TRACES[traces])) for one in asked]
    try:
        told = node.ask_all(calls)
    except SourceSkipped:
        told = [_single(node, call) for call in calls]
    found = dict(zip((one.tx for one in asked), told, strict=True))
    return [_with_calls(one, found[one.tx], chain) if one.tx in found else _still(one) for one in whole]


def _single(node: Node, call: Call) -> Told:
    try:
        return node.ask(call.method, *call.params)
    except SourceSkipped as error:
        return Told(call, None, Fault(0, str(error)), "")


def _still(one: Whole) -> Whole:
    """One in which no code ran, or all that ran was undone: nothing is unknown of it."""
    return Whole(one.row, one.receipt, Calls(not one.made, ()), one.cited)


def _with_calls(one: Whole, told: Told, chain: Chain) -> Whole:
    if told.fault is not None or told.result is None:
        return one
    try:
        read = calls_in_list if isinstance(told.result, list) else calls_in_tree
        calls = read(told.result, chain)
    except (BadRow, BadAddress):
        return one
    return Whole(one.row, one.receipt, calls, (*one.cited, told.cited))


def _rows(told: Told) -> Iterator[tuple[Row, str]]:
    """The transactions or receipts in an answer, each with its citation."""
    if told.fault is not None:
        raise BadRow(f"{told.call.method}: {told.fault}")
    if told.result is None:
        return
    if told.call.method == "eth_getBlockByNumber":
        listed = row_in(told.result, "the block").get("transactions")
    elif told.call.method == "eth_getBlockReceipts":
        listed = told.result
    else:
        yield row_in(told.result, "the answer"), told.cited
        return
    if not isinstance(listed, list):
        raise BadRow(f"{told.call.method} gave no list")
    for at, one in enumerate(listed, 1):
        yield row_in(one, "a transaction"), f"{told.cited}.{at}"


def _payee(one: Whole, chain: Chain) -> Address:
    if text_in(one.row, "to", ""):
        return address_in(one.row, "to", chain)
    return address_in(one.receipt, "contractAddress", chain)


def _method(row: Row) -> str:
    selector = text_in(row, "input", "0x")[:10].lower()
    return "" if selector == "0x" else selector


def _type(row: Row) -> int:
    return quantity_in(row, "type", 0)


__all__ = ["TRACES", "Whole", "caveats", "fee_of", "moved", "needs_trace", "read"]
