"""The newest block up to which a Blockscout has everything, internal transfers included: it reads those later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from connectors.blockscout.asking import Asking
from connectors.blockscout.rows import time_in
from connectors.etherscan.answers import CHAIN_IDS
from connectors.etherscan.asking import quantity
from connectors.etherscan.rows import NOBODY
from connectors.fields import number_in
from connectors.protocol import Evidence
from tracer.errors import SourceSkipped, SourceUnusable
from tracer.values import Chain

_BEHIND = (0, 32, 256)  # blocks before the newest up to which internal transfers are looked for whole
_DEPTH = {"ethereum": 64}  # blocks until one counts as final, as Blockscout has no word for it: two epochs


@dataclass(frozen=True, slots=True)
class Head:
    """The block to read up to. `inner` is False where internal transfers before it are missing all the same."""

    number: int
    hash: str
    final: int | None
    at: int
    inner: bool
    evidence: tuple[Evidence, ...]


def head_of(asking: Asking, chain: Chain) -> Head:
    """The head as it is now, of the chain that we think the explorer is about. Raises `SourceError`."""
    answers: list[Evidence] = []
    _check(asking, chain, answers)
    newest = asking.items("/blocks", {"type": "block"})
    answers.append(newest.evidence)
    head, at = newest.rows[0] if newest.rows else None, asking.at
    if not isinstance(head, dict):
        raise asking.skipped("it shows no block", newest.evidence)
    with asking.understanding(newest.evidence):
        height, time = number_in(head, "height"), time_in(head)
    behind = (height - back for back in _BEHIND if back <= height)
    whole = next((number for number in behind if _processed(asking, number, answers)), None)
    number = height if whole is None else whole
    block = head if number == height else block_at(asking, number, answers)
    if block is None or not block.get("hash"):
        raise asking.skipped(f"it does not show block {number}", answers[-1])
    depth = _DEPTH.get(chain.name)
    final = None if depth is None else min(number, max(height - depth, 0))
    return Head(number, str(block["hash"]), final, at or time, whole is not None, tuple(dict.fromkeys(answers)))


def block_at(asking: Asking, number: int, answers: list[Evidence]) -> Mapping[str, object] | None:
    """The block of that number, None where there is none. Raises `SourceError`."""
    block, evidence = asking.ask(f"/blocks/{number}")
    answers.append(evidence)
    if "height" not in block:
        return None
    if block["height"] != number:
        raise asking.skipped(f"asked for block {number}, it gave another", evidence)
    return block


def _check(asking: Asking, chain: Chain, answers: list[Evidence]) -> None:
    """Refuse an explorer of another chain. Some do not say which they are of: then the user's word stands."""
    try:
        told, evidence = asking.chain_id()
    except SourceSkipped:
        return
    answers.append(evidence)
    number = quantity(told)
    if number is not None and CHAIN_IDS.get(str(number)) != chain.name:
        words = f"{asking.source} answers about chain {number}, not about {chain}"
        raise SourceUnusable(words, "check its address", source=asking.source, request=evidence.request)


def _processed(asking: Asking, last: int, answers: list[Evidence]) -> bool:
    """Whether the internal transfers of all blocks up to `last` are there. The list says so, whomever it is about."""
    blocks = {"startblock": "0", "endblock": str(last), "page": "1", "offset": "1", "sort": "asc"}
    try:
        body, evidence = asking.like_etherscan(module="account", action="txlistinternal", address=NOBODY, **blocks)
    except SourceSkipped:
        return False
    answers.append(evidence)
    return str(body.get("status")) in ("0", "1") and isinstance(body.get("result"), list)


__all__ = ["Head", "block_at", "head_of"]
