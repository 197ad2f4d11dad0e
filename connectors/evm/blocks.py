"""Blocks as a node tells them: the newest, the final one, and the times of those that something happened in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from connectors.evm.node import Call, Node, Told
from connectors.evm.quantities import hash_in, hexadecimal, moment_in, number_in, row_in
from connectors.window import Window
from tracer.values import Block, Chain

#: Chains on which every block that a node tells is final, so that a node needs no tag for it: their consensus accepts
#: a block before it is told. Everywhere else the node's own `finalized` tag decides, and without it nothing is final.
FINAL_AT_ONCE = frozenset({"avalanche", "fantom"})


class Reorganised(Exception):
    """The chain under a reading is no longer the one it began with. What was read of it cannot be trusted."""


@dataclass(frozen=True, slots=True)
class Tip:
    """The newest block, the newest final one, and when that was told (UTC seconds)."""

    block: Block
    final: int | None
    at: int


def tip_of(node: Node, chain: Chain) -> Tip:
    """The newest block now. Raises `SourceSkipped` where the node does not tell it."""
    latest, finalized = node.ask_all([header("latest"), header("finalized")])
    block = block_in(latest)
    if block is None:
        raise node.skipped(f"the node does not tell its newest block: {latest.fault or 'null'}", latest.call)
    if chain.name in FINAL_AT_ONCE:
        return Tip(block, block.number, latest.at)
    final = block_in(finalized) if finalized.fault is None else None
    return Tip(block, min(final.number, block.number) if final else None, latest.at)


def header(block: int | str) -> Call:
    """The question for a block without its transactions."""
    return Call("eth_getBlockByNumber", (block if isinstance(block, str) else hexadecimal(block), False))


def block_in(told: Told) -> Block | None:
    """The block that was told, None where there is none. Raises `BadRow`."""
    if told.fault is not None or told.result is None:
        return None
    row = row_in(told.result, "the block")
    number = number_in(row, "number")
    return Block(number, moment_in(row, "timestamp", number), hash_in(row, "hash"))


def require_same(node: Node, window: Window) -> None:
    """Raises `Reorganised` unless the window's last block is still the one it was."""
    now = block_in(node.ask(header(window.last).method, *header(window.last).params))
    if now is None or now.hash != window.tip:
        found = "gone" if now is None else now.hash
        raise Reorganised(f"block {window.last} was {window.tip} when the reading began and is {found} now")


def times(node: Node, known: Mapping[int, str], told: Mapping[int, int]) -> dict[int, Block]:
    """The blocks of `known` (number to hash), with their times: those `told` beside events, the rest are asked for.

    Raises `Reorganised` where a block has another hash by now.
    """
    found = {number: Block(number, told[number], hash) for number, hash in known.items() if number in told}
    missing = sorted(set(known) - set(found))
    for number, answer in zip(missing, node.ask_all([header(number) for number in missing]), strict=True):
        block = block_in(answer)
        if block is None or block.number != number:
            raise Reorganised(f"the node told of block {number} and does not know it now")
        if block.hash != known[number]:
            raise Reorganised(f"block {number} was {known[number]} and is {block.hash} now")
        found[number] = block
    return found


__all__ = ["FINAL_AT_ONCE", "Reorganised", "Tip", "block_in", "header", "require_same", "times", "tip_of"]
