"""The newest block that Etherscan's lists have reached: a list that trails the chain must not look empty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from connectors.etherscan.answers import CHAIN_IDS
from connectors.etherscan.asking import Asking, quantity
from connectors.fields import number_in, plain
from connectors.protocol import Evidence
from tracer.errors import BadRow, SourceSkipped, SourceUnusable
from tracer.values import Chain

_BACK = (0, 1, 2, 16, 64, 256)  # how far behind the newest block one is sought that the lists show
_WITHOUT_TAG = {"ethereum": 64}  # blocks until one counts as final where the service has no tag for it: two epochs


@dataclass(frozen=True, slots=True)
class Head:
    """A block that the lists have reached. `shown` is False where nothing in it could show whether they have."""

    number: int
    hash: str
    time: int
    final: int | None
    at: int
    shown: bool
    evidence: tuple[Evidence, ...]


def head_of(asking: Asking, chain: Chain) -> Head:
    """The head as it is now. Raises `SourceError`, also where the lists trail by more than 256 blocks.

    Blocks and lists come from two places in such a service. So a transaction of the newest block is looked for in its
    sender's list: if it is there, the list has reached the block; if not, the newest row there tells how far it has.
    """
    told, evidence = asking.node("eth_blockNumber")
    newest, at = quantity(told), asking.at
    if newest is None:
        raise asking.skipped(f"no block number: {plain(told)}", evidence)
    answers = [evidence]
    final = _final(asking, chain, newest, answers)
    silent: tuple[int, Mapping[str, object]] | None = None
    for number in (newest - back for back in _BACK if back <= newest):
        block = _block(asking, number, answers)
        sender = _sender(asking, chain, block, answers) if block else ""
        if block and not sender and silent is None:
            silent = number, block
        reached = _reached(asking, sender, number, answers) if sender else None
        if reached is not None and reached < number:
            block = _block(asking, reached, answers)
        if reached is not None and block:
            return _head(asking, reached, block, final, at, True, answers)
    if silent is not None:
        return _head(asking, *silent, final, at, False, answers)
    raise asking.skipped(f"its lists do not show block {newest}, nor one shortly before: ask again later", answers[-1])


def block_hash(asking: Asking, number: int, answers: list[Evidence]) -> str:
    """The hash of a block, "" where there is none. Raises `SourceError`."""
    block = _block(asking, number, answers)
    return str(block.get("hash") or "") if block else ""


def _head(
    asking: Asking, number: int, block: Mapping[str, object], final: int | None, at: int, shown: bool,
    answers: list[Evidence],
) -> Head:  # fmt: skip
    time, name = quantity(block.get("timestamp")), block.get("hash")
    if time is None or not isinstance(name, str) or not name:
        raise asking.skipped(f"block {number} has no time or no hash", answers[-1])
    known = None if final is None else min(final, number)
    return Head(number, name, time, known, at or time, shown, tuple(dict.fromkeys(answers)))


def _block(asking: Asking, number: int, answers: list[Evidence]) -> Mapping[str, object] | None:
    block, evidence = asking.node("eth_getBlockByNumber", tag=hex(number), boolean="false")
    answers.append(evidence)
    if block is None:
        return None
    if not isinstance(block, dict) or quantity(block.get("number")) != number:
        raise asking.skipped(f"asked for block {number}, it gave another: {plain(block, 60)}", evidence)
    return block


def _final(asking: Asking, chain: Chain, newest: int, answers: list[Evidence]) -> int | None:
    try:
        block, evidence = asking.node("eth_getBlockByNumber", tag="finalized", boolean="false")
    except SourceSkipped:
        block = None
    else:
        answers.append(evidence)
    number = quantity(block.get("number")) if isinstance(block, dict) else None
    if number is None and chain.name in _WITHOUT_TAG:
        return max(newest - _WITHOUT_TAG[chain.name], 0)
    return number


def _sender(asking: Asking, chain: Chain, block: Mapping[str, object], answers: list[Evidence]) -> str:
    """Who sent the last transaction of the block, "" where there is none. The chain it was signed for is checked."""
    hashes = block.get("transactions")
    if not isinstance(hashes, list) or not hashes:
        return ""
    transaction, evidence = asking.node("eth_getTransactionByHash", txhash=str(hashes[-1]))
    answers.append(evidence)
    if not isinstance(transaction, dict):
        return ""
    signed_for = quantity(transaction.get("chainId"))
    if signed_for and CHAIN_IDS.get(str(signed_for)) != chain.name:
        told = f"{asking.source} answers about chain {signed_for}, not about {chain}"
        raise SourceUnusable(told, "check its address", source=asking.source, request=evidence.request)
    return str(transaction.get("from") or "")


def _reached(asking: Asking, sender: str, number: int, answers: list[Evidence]) -> int | None:
    """The newest block, up to `number`, that the lists show to have reached; None where they do not tell."""
    listed = asking.rows(
        "account", "txlist", address=sender, startblock="0", endblock=str(number), page="1", offset="1", sort="desc"
    )
    answers.append(listed.evidence)
    row = listed.rows[0] if listed.rows else None
    if not isinstance(row, dict):
        return None
    try:
        block, since = number_in(row, "blockNumber"), number_in(row, "confirmations", 0)
    except BadRow:
        return None
    if block == number:
        return number
    reached = block + since - 1  # a block's first confirmation is itself
    return reached if since and reached < number else None


__all__ = ["Head", "block_hash", "head_of"]
