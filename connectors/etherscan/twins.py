"""Token rows that are alike: as many events, or one event told twice? The receipt of the transaction decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.etherscan.asking import Asking, quantity
from connectors.etherscan.listing import Row
from connectors.etherscan.rows import likeness
from connectors.protocol import Evidence, Problem
from tracer.errors import SourceSkipped

TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"  # keccak of its signature


def told_once(asking: Asking, rows: Sequence[Row]) -> tuple[tuple[Row, ...], list[Evidence], list[Problem], int]:
    """The rows without repetitions, the receipts that were read, what is to be known, and how many rows are missing.
    Raises `SourceUnusable`.

    Two equal payments in one transaction are two rows that nothing tells apart, since the log index is left out.
    """
    alike: dict[tuple[object, ...], list[Row]] = {}
    for row in rows:
        if isinstance(row.told, dict):
            alike.setdefault(likeness(row.told), []).append(row)
    dropped: set[str] = set()
    receipts: dict[str, Mapping[str, object] | None] = {}
    answers: list[Evidence] = []
    problems: list[Problem] = []
    missing = 0
    for like in (rows for rows in alike.values() if len(rows) > 1):
        told = like[0].told
        assert isinstance(told, dict)  # noqa: S101 - as grouped above
        tx = str(told.get("hash"))
        if tx not in receipts:
            receipts[tx] = _receipt(asking, tx, answers)
        events = _count(receipts[tx], told)
        if not events:
            problems.append(Problem(f"{len(like)} rows are alike, and no receipt says whether they are one", tx))
        elif events < len(like):
            dropped.update(row.cited for row in like[events:])
            problems.append(Problem(f"{len(like)} rows are alike, but the receipt has {events}: the rest repeat", tx))
        elif events > len(like):
            missing += events - len(like)
            problems.append(Problem(f"{len(like)} rows are alike, but the receipt has {events}: some are missing", tx))
    return tuple(row for row in rows if row.cited not in dropped), answers, problems, missing


def _receipt(asking: Asking, tx: str, answers: list[Evidence]) -> Mapping[str, object] | None:
    try:
        receipt, evidence = asking.node("eth_getTransactionReceipt", txhash=tx)
    except SourceSkipped:
        return None
    answers.append(evidence)
    return receipt if isinstance(receipt, dict) else None


def _count(receipt: Mapping[str, object] | None, row: Mapping[str, object]) -> int:
    """How many events of the receipt say what the row says."""
    logs = receipt.get("logs") if receipt else None
    if not isinstance(logs, list):
        return 0
    sought = tuple(str(row.get(name)).lower() for name in ("contractAddress", "from", "to", "value"))
    return sum(_said(log) == sought for log in logs)


def _said(log: object) -> tuple[str, str, str, str] | None:
    topics = log.get("topics") if isinstance(log, dict) else None
    if not isinstance(log, dict) or not isinstance(topics, list) or len(topics) != 3 or topics[0] != TRANSFER:
        return None
    units = quantity(log.get("data"))
    return (str(log.get("address")).lower(), _address(topics[1]), _address(topics[2]), str(units))


def _address(topic: object) -> str:
    return "0x" + str(topic)[-40:].lower()


def parties(receipt: Mapping[str, object] | None) -> list[tuple[str, str]]:
    """Payer and payee of each event of a fungible token in the receipt."""
    logs = receipt.get("logs") if receipt else None
    said = [_said(log) for log in logs] if isinstance(logs, list) else []
    return [(one[1], one[2]) for one in said if one]


__all__ = ["TRANSFER", "parties", "told_once"]
