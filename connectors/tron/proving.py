"""Do TronGrid's lists reach the node's final block? Asked of a transaction that is known to stand in that block."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.fields import address, text_in
from connectors.http.protocol import Clock
from connectors.tron.asking import Asking
from connectors.tron.assets import TRON
from connectors.tron.blocks import Told
from connectors.tron.transactions import contract_in
from tracer.errors import FundtrailError, SourceSkipped
from tracer.values import Address

_USDT = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"
_TRANSFER = "a9059cbb"  # transfer(address,uint256)
_ATTEMPTS, _WAIT = 4, 3.0  # a block takes three seconds; the lists are a few of them behind at most


def doubt_about(asking: Asking, block: Mapping[str, Any], tip: Told, clock: Clock | None) -> str:
    """Why the lists may end before `tip`; "" if they show what is in it, or nothing in it can be looked for.

    The node tells the block with its transactions. One is looked for in its sender's list of transactions, one that
    paid USDT in his list of token transfers: lists that lack them lack others too. Asked a few times before it is said.
    """
    for path, name, found in _probes(block):
        tx, sender = found
        at = {"only_confirmed": "true", "min_timestamp": str(tip.ms), "max_timestamp": str(tip.ms)}
        for attempt in range(_ATTEMPTS):
            if attempt and clock is not None:
                clock.sleep(_WAIT)
            try:
                rows = asking.page(sender, path, at).rows
            except SourceSkipped as error:
                if "HTTP status 404" in str(error):  # no such list here
                    break
                return f"whether its list {path} reaches block {tip.block.number} could not be seen: {error}"
            if any(row.get(name) == tx for row in rows):
                break
        else:
            return f"its list {path} does not reach block {tip.block.number}: {tx}, which is in it, is not listed"
    return ""


def _probes(block: Mapping[str, Any]) -> list[tuple[str, str, tuple[str, Address]]]:
    """(list, field with the hash, (hash, sender)): at most one for each list."""
    found: dict[str, tuple[str, str, tuple[str, Address]]] = {}
    transactions = block.get("transactions")
    for row in transactions if isinstance(transactions, list) else []:
        try:
            kind, value = contract_in(row)
            told = text_in(row, "txID"), address(text_in(value, "owner_address"), TRON)
            paid_usdt = (
                kind == "TriggerSmartContract"
                and text_in(value, "data", "").startswith(_TRANSFER)
                and address(text_in(value, "contract_address"), TRON).text == _USDT
                and row.get("ret") == [{"contractRet": "SUCCESS"}]
            )
        except (FundtrailError, AttributeError):
            continue
        found.setdefault("/transactions", ("/transactions", "txID", told))
        if paid_usdt:
            found.setdefault("/transactions/trc20", ("/transactions/trc20", "transaction_id", told))
    return list(found.values())


__all__ = ["doubt_about"]
