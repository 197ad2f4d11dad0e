"""Looks one transaction up in Etherscan's lists, so that what is found is named just as in a wallet's history."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from connectors.etherscan.asking import Asking, quantity
from connectors.etherscan.logs import UNWRAP, WRAP
from connectors.etherscan.rows import NOBODY
from connectors.etherscan.twins import parties
from connectors.fields import address as address_on
from tracer.addresses import parse_tx
from tracer.errors import BadAddress, InputError, SourceSkipped
from tracer.values import Address, Chain, Transfer

MOST = 50  # wallets whose lists are asked for one transaction's sake

#: (list, address, block) -> what that list says of that address in that block.
ReadBlock = Callable[[str, Address, int], Iterable[Transfer]]


def transfers_in(asking: Asking, read: ReadBlock, chain: Chain, wrapped: str, tx: str) -> tuple[Transfer, ...]:
    """All that `tx` moved, () where the service does not know it. Raises `SourceError`.

    The list of internal transfers of a transaction does not say where in it they stand, nor does a receipt know a
    token's decimals. So both only tell whose lists to ask, as few as show every movement.
    """
    try:
        tx = parse_tx(tx, chain)
    except InputError:
        return ()
    transaction, _ = asking.node("eth_getTransactionByHash", txhash=tx)
    block = quantity(transaction.get("blockNumber")) if isinstance(transaction, dict) else None
    if not isinstance(transaction, dict) or block is None:
        return ()
    receipt, _ = asking.node("eth_getTransactionReceipt", txhash=tx)
    receipt = receipt if isinstance(receipt, dict) else None
    inner = asking.rows("account", "txlistinternal", txhash=tx)
    pairs: dict[str, list[tuple[str, ...]]] = {
        "txlist": [(str(transaction.get("from")),)],
        "txlistinternal": [_of(row) for row in inner.rows if isinstance(row, dict)],
        "tokentx": [*parties(receipt)],
        "wraps": [*_wrappers(receipt, wrapped)],
    }
    asked = [(name, text) for name, sides in pairs.items() for text in _few(sides)]
    if len(asked) > MOST:
        told = f"{asking.source}: {tx} moved something between more than {MOST} wallets"
        raise SourceSkipped(told, "ask for the wallet that matters", source=asking.source)
    found: dict[object, Transfer] = {}
    for name, text in asked:
        try:
            address = address_on(text, chain)
        except BadAddress:
            continue
        found.update({transfer.id: transfer for transfer in read(name, address, block) if transfer.id.tx == tx})
    return tuple(sorted(found.values(), key=lambda transfer: transfer.order))


def _of(row: Mapping[str, object]) -> tuple[str, ...]:
    return str(row.get("from")), str(row.get("to") or row.get("contractAddress"))


def _wrappers(receipt: Mapping[str, object] | None, wrapped: str) -> Iterator[tuple[str]]:
    """Who wrapped or unwrapped the chain's coin."""
    logs = receipt.get("logs") if receipt else None
    for log in logs if isinstance(logs, list) else []:
        topics = log.get("topics") if isinstance(log, dict) else None
        if not wrapped or not isinstance(log, dict) or str(log.get("address")).lower() != wrapped:
            continue
        if isinstance(topics, list) and len(topics) == 2 and topics[0] in (WRAP, UNWRAP):
            yield ("0x" + str(topics[1])[-40:],)


def _few(sides: Iterable[tuple[str, ...]]) -> list[str]:
    """As few of the parties as are party to every movement, or nearly: always the one with most of what is left.

    >>> _few([("a", "b"), ("a", "c"), ("d", "e")])
    ['a', 'd']
    """
    left = [[side.lower() for side in pair if side.lower() != NOBODY] for pair in sides]
    chosen: list[str] = []
    while any(left):
        counts: dict[str, int] = {}
        for pair in left:
            for side in set(pair):
                counts[side] = counts.get(side, 0) + 1
        best = min(counts, key=lambda side: (-counts[side], side))
        chosen.append(best)
        left = [pair for pair in left if pair and best not in pair]
    return chosen


__all__ = ["MOST", "transfers_in"]
