"""What the calls inside a transaction moved of the chain's coin, from either form in which nodes tell them.

Two forms: flat lists (`trace_transaction`, `trace_block`, of OpenEthereum's kind) and trees (geth's callTracer). Both
give the same places. A call under one that failed moved nothing, though it looks as if it had; DELEGATECALL,
CALLCODE and STATICCALL show a value that is their caller's, or none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from connectors.evm.quantities import Row, number_in, quantity_in, row_in
from connectors.fields import address_in, text_in
from tracer.errors import BadRow
from tracer.values import Address, Chain

_TREE = {"CALL", "CREATE", "CREATE2", "SELFDESTRUCT"}
_TREE_STILL = {"DELEGATECALL", "CALLCODE", "STATICCALL", "STOP", "INVALID"}
_FLAT_STILL = {"delegatecall", "callcode", "staticcall"}
_LAST_PRECOMPILE = 0x1FF  # contracts of the chain itself have the lowest addresses: 1 to 17 and 256 so far
_MOST_CALLS = 100_000


@dataclass(frozen=True, slots=True)
class Move:
    """`units` that a call moved. `place` is its trace address: () for the transaction's own, (0, 1) for the second
    call that its first call made."""  # fmt: skip

    place: tuple[int, ...]
    payer: Address
    payee: Address
    units: int

    @property
    def position(self) -> str:
        """As in a `TransferId`."""
        return "trace:" + "_".join(map(str, self.place)) if self.place else "tx"


@dataclass(frozen=True, slots=True)
class Calls:
    """What a transaction's calls moved, in their order, and whether the transaction as a whole failed."""

    failed: bool
    moves: tuple[Move, ...]

    @property
    def inner(self) -> tuple[Move, ...]:
        """Those of the calls inside that moved anything."""
        return tuple(move for move in self.moves if move.place and move.units)


def calls_in_tree(tree: object, chain: Chain) -> Calls:
    """The moves in an answer of callTracer. Raises `BadRow`, `BadAddress`.

    Calls of the chain's own contracts that move nothing have no place of their own in the flat lists of most nodes, and
    so none here: otherwise one call would have two names.
    """
    top = row_in(tree, "the trace")
    moves: list[Move] = []
    left: list[tuple[tuple[int, ...], Row]] = [((), top)]
    while left:
        place, frame = left.pop()
        if frame.get("error"):
            continue  # and nothing below it
        kind = text_in(frame, "type").upper()
        if kind in _TREE:
            units = quantity_in(frame, "value", 0)
            if text_in(frame, "to", ""):
                payer, payee = address_in(frame, "from", chain), address_in(frame, "to", chain)
                moves.append(Move(place, payer, payee, units))
            elif units:
                raise BadRow(f"a {kind} that moved {units} names nobody in `to`")
        elif kind not in _TREE_STILL:
            raise BadRow(f"a call of the unknown kind {kind!r:.60}", "known: " + ", ".join(sorted(_TREE | _TREE_STILL)))
        inner = frame.get("calls") or []
        if not isinstance(inner, list):
            raise BadRow("calls is no list")
        counted = [row for row in (row_in(one, "a call") for one in inner) if not _precompile(row, chain)]
        left += [((*place, at), row) for at, row in enumerate(counted)]
        if len(moves) + len(left) > _MOST_CALLS:
            raise BadRow(f"more than {_MOST_CALLS:,} calls in one transaction")
    return Calls(bool(top.get("error")), tuple(sorted(moves, key=lambda move: move.place)))


def calls_in_list(traces: Sequence[object], chain: Chain) -> Calls:
    """The moves in the flat traces of one transaction, in any order. Raises `BadRow`, `BadAddress`."""
    rows = sorted(((place_of(row), row) for row in (row_in(one, "a trace") for one in traces)), key=lambda one: one[0])
    if not rows or rows[0][0]:
        raise BadRow("the traces of a transaction do not begin with its own call")
    void: set[tuple[int, ...]] = set()
    names: dict[tuple[int, ...], tuple[int, ...]] = {(): ()}  # by the place told, the one without the chain's contracts
    told: dict[tuple[int, ...], int] = {}  # how many calls of each were seen
    named: dict[tuple[int, ...], int] = {}
    moves = []
    for place, row in rows:  # parents first
        above = place[:-1]
        if place:
            if above not in names or place[-1] != told.get(above, 0):
                raise BadRow("the traces of a transaction make no tree: one is missing, or stands there twice")
            told[above] = place[-1] + 1
            names[place] = (*names[above], named.get(above, 0))
            if _precompile(_framed(row), chain):
                continue
            named[above] = named.get(above, 0) + 1
        if row.get("error") or (place and above in void):
            void.add(place)
        elif (move := _move_in(row, names[place], chain)) is not None:
            moves.append(move)
    return Calls(() in void, tuple(moves))


def _framed(row: Row) -> Row:
    """What a flat trace has in common with a frame of a tree."""
    action = row_in(row.get("action"), "action")
    return action if text_in(row, "type") == "call" else {}


def place_of(row: Row) -> tuple[int, ...]:
    """The trace address of a flat trace."""
    told = row.get("traceAddress")
    if not isinstance(told, list):
        raise BadRow(f"traceAddress is {told!r:.60}, no list")
    return tuple(number_in({"traceAddress": one}, "traceAddress") for one in told)


def _move_in(row: Row, place: tuple[int, ...], chain: Chain) -> Move | None:
    action, kind = row_in(row.get("action"), "action"), text_in(row, "type")
    if kind == "call":
        call = text_in(action, "callType")
        if call in _FLAT_STILL:
            return None
        if call != "call":
            raise BadRow(f"a call of the unknown kind {call!r:.60}")
        return _move(action, place, "from", address_in(action, "to", chain), "value", chain)
    if kind == "create":
        made = row_in(row.get("result"), "result")
        return _move(action, place, "from", address_in(made, "address", chain), "value", chain)
    if kind in ("suicide", "selfdestruct"):
        return _move(action, place, "address", address_in(action, "refundAddress", chain), "balance", chain)
    raise BadRow(f"a trace of the unknown type {kind!r:.60}", "known: call, create, suicide")


def _move(action: Row, place: tuple[int, ...], payer: str, payee: Address, units: str, chain: Chain) -> Move:
    return Move(place, address_in(action, payer, chain), payee, quantity_in(action, units, 0))


def _precompile(frame: Row, chain: Chain) -> bool:
    to = text_in(frame, "to", "")
    if not to or quantity_in(frame, "value", 0):
        return False
    return int(address_in(frame, "to", chain).text, 16) <= _LAST_PRECOMPILE


__all__ = ["Calls", "Move", "calls_in_list", "calls_in_tree", "place_of"]
