"""What a node can do for us, found by asking: how it finds transactions and tells their calls, how much at once."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.evm.blocks import Tip
from connectors.evm.events import NOBODY, TRANSFER
from connectors.evm.node import Call, Node, Told, unanswerable
from connectors.evm.quantities import hexadecimal
from connectors.evm.transactions import TRACES
from tracer.errors import InputError, SourceSkipped

FILTER, SEARCH, BLOCKS = "trace_filter", "ots", "blocks"
FINDS = (FILTER, SEARCH, BLOCKS)
MOST_BLOCKS = 50_000  # of a reading for which every block is read, where nothing else finds transactions

_NO_TX = "0x" + "0" * 63 + "1"
_STEPS = (1_000_000, 100_000, 50_000, 10_000, 5_000, 2_000, 1_000, 500, 100, 10, 1)


@dataclass(frozen=True, slots=True)
class Powers:
    """`finds`: how transactions of an address are found, one of `FINDS`. `traces`: the method that tells a
    transaction's calls, "" where none does. `receipts`: whether it gives a block's receipts at once. `span`: the most
    blocks that it lets one question be about."""  # fmt: skip

    finds: str
    traces: str
    receipts: bool
    span: int

    def found_in(self, blocks: int) -> str:
        """How transactions are found in a reading of so many blocks, "" where that would take too long."""
        return "" if self.finds == BLOCKS and blocks > MOST_BLOCKS else self.finds


def powers_of(node: Node, tip: Tip, finds: str | None = None, traces: str | None = None) -> Powers:
    """What the node can do. `finds` and `traces` choose among it. Raises `InputError` where it has not what is chosen.

    Nothing here is about an address that is investigated, so none of it is evidence.
    """
    last = hexadecimal(tip.block.number)
    nobody = {"fromBlock": last, "toBlock": last, "toAddress": [NOBODY]}
    methods = {
        FILTER: Call("trace_filter", (nobody,)),
        SEARCH: Call("ots_searchTransactionsAfter", (NOBODY, tip.block.number, 1)),
        **{method: Call(method, (_NO_TX, *params)) for method, params in TRACES.items()},
        "receipts": Call("eth_getBlockReceipts", (last,)),
    }
    has = {name: not unanswerable(told) for name, told in zip(methods, _ask_each(node, methods), strict=True)}
    able = [name for name in (FILTER, SEARCH) if has[name]] + [BLOCKS]
    tells = [method for method in TRACES if has[method]]
    if finds is not None and finds not in able:
        raise InputError(f"the node does not find transactions by {finds!r:.40}", f"it has: {', '.join(able)}")
    if traces and traces not in tells:
        raise InputError(f"the node has no {traces!r:.40}", f"it has: {', '.join(tells) or 'neither'}")
    chosen = able[0] if finds is None else finds
    traced = (tells[0] if tells else "") if traces is None else traces
    return Powers(chosen, traced, has["receipts"], _span(node, tip.block.number, chosen == FILTER))


def _ask_each(node: Node, methods: dict[str, Call]) -> list[Told]:
    try:
        return node.ask_all(list(methods.values()))
    except SourceSkipped:
        return [node.ask(call.method, *call.params) for call in methods.values()]


def _span(node: Node, tip: int, filters: bool) -> int:
    """The most blocks that the node takes in one question, of those that providers commonly allow."""
    for span in (tip + 1, *(step for step in _STEPS if step <= tip)):
        first, last = hexadecimal(tip + 1 - span), hexadecimal(tip)
        topics = [TRANSFER, "0x" + "0" * 63 + "1"]
        calls = [Call("eth_getLogs", ({"fromBlock": first, "toBlock": last, "topics": topics},))]
        if filters:
            calls.append(Call("trace_filter", ({"fromBlock": first, "toBlock": last, "toAddress": [_NO_TX[:42]]},)))
        if all(told.fault is None for told in node.ask_all(calls)):
            return span
    return 1


__all__ = ["BLOCKS", "FILTER", "FINDS", "MOST_BLOCKS", "SEARCH", "Powers", "powers_of"]
