"""Whether a page of a Blockscout's list fits between the page before it and the one after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.blockscout.asking import Items
from connectors.fields import plain


def gap_of(answer: Items, after: Mapping[str, str] | None, lowest: int, blocks: Sequence[int]) -> str:
    """Why the list cannot be trusted to be whole, "" where it can.

    `after` is what was sent for this page, `lowest` the oldest block of those before it, -1 where it is the first;
    `blocks` are those of its rows. The place where the next page starts is that of this page's last row: where it is
    not, rows were left out.
    """
    if blocks != sorted(blocks, reverse=True) or (blocks and lowest >= 0 and blocks[0] > lowest):
        return "its rows are not in the order of the chain"
    following = answer.following
    if following is None:
        return ""
    if after is not None and _place_of(following) >= _place_of(after):
        return "its pages do not come to an end"
    last = answer.rows[-1] if answer.rows else None
    if isinstance(last, dict) and (told := following.get("block_number")) is not None:
        number = last.get("block_number")
        if number is not None and told != str(number):
            return f"the next page goes on after block {plain(told, 20)}, this one ends in block {plain(number, 20)}"
        index = next((last[name] for name in ("position", "log_index") if name in last), None)
        told = following.get("index")
        if index is not None and told is not None and told != str(index):
            return (
                f"the next page goes on after row {plain(told, 20)} of its block, this one ends at {plain(index, 20)}"
            )
    return ""


def _place_of(params: Mapping[str, str]) -> tuple[int, ...]:
    """Where a page starts, in the order of the chain."""
    told = (params.get(name, "") for name in ("block_number", "transaction_index", "index"))
    return tuple(int(text) if text.isascii() and text.isdecimal() else -1 for text in told)


__all__ = ["gap_of"]
