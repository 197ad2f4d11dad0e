"""One movement that two sources told under two names: it moved once."""

from __future__ import annotations

from collections.abc import Sequence

from tracer.values import Transfer

_MADE_UP = 10**6  # no transaction makes so many calls: a higher number is a name that was made up, and no place


def told_again(transfers: Sequence[Transfer]) -> set[int]:
    """Which of these transfers of one transaction, by their places in `transfers`, only tell again what others tell.

    A list that leaves out log indexes and traces has to make names up (`log:231910936770334_0`), and another source
    knows the movement by its place (`log:4`). Who paid whom how much of what is the same in both. Of such likes the
    transaction made as many as the source with the most of them says.
    """
    likes: dict[object, dict[tuple[int, int], list[int]]] = {}
    for at, transfer in enumerate(transfers):
        way = _way_of_naming(transfer)
        if way is not None:
            kind, named = way
            like = kind, transfer.asset, transfer.inputs, transfer.outputs
            likes.setdefault(like, {}).setdefault((named > 0, named), []).append(at)
    again: set[int] = set()
    for ways in likes.values():
        if len(ways) > 1:
            kept = min(ways, key=lambda way: (-len(ways[way]), way))
            again.update(at for way, places in ways.items() if way != kept for at in places)
    return again


def _way_of_naming(transfer: Transfer) -> tuple[str, int] | None:
    """`log` or `trace`, and the number that made-up names of this movement have in common, 0 where it has a place."""
    _, numbers, kind = transfer.id.place
    if kind == "log":
        return kind, numbers[0] if len(numbers) > 1 else 0
    if kind == "trace" and numbers:
        return kind, numbers[0] if numbers[0] >= _MADE_UP else 0
    return None


__all__ = ["told_again"]
