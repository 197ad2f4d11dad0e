"""What an answer rests on: which histories were read, which were not, and how much stolen value hangs on each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cases.answer_ends import Rest
from graphs.following import Following
from graphs.origins import Origins
from tracer.balances import Balance
from tracer.coverage import Coverage, Kind, State
from tracer.lots import Rule
from tracer.trace import Part, StopCode, Trace
from tracer.values import Address

_UNKNOWN = (StopCode.BUDGET, StopCode.NOT_READ)


def passed(following: Following | Origins, traces: Mapping[Rule, Trace]) -> set[Address]:
    """The wallets that stolen value came to, under any rule, and that were read: to pass through, or to stay there."""
    started = {loss.wallet for loss in following.losses if loss.wallet is not None}
    moved = {hop.target for trace in traces.values() for hop in trace.hops if hop.target is not None}
    held = {stop.address for stop in following.stops.values() if stop.code.part is Part.HELD and stop.address}
    return {address for address in {*following.followed, *held} if address in moved or address in started}


def coverage_part(
    following: Following | Origins, rests: Sequence[Rest], traces: Mapping[Rule, Trace], chosen: Sequence[Rule]
) -> dict[str, Any]:
    """Of the histories that this answer needs: of followed wallets, of ends that were read, and of ends that were not.

    An end that a label or a setting decides needs none, so its "not asked" is no gap.
    """
    book = following.ledger.coverage
    needed = {book.of(address).address for address in following.followed}
    for rest in rests:
        address = rest.place.address
        if address is not None and (rest.code in _UNKNOWN or book.of(address).state is not State.NOT_ASKED):
            needed.add(address)
    found = [book.of(address) for address in sorted(needed)]
    answered = [one for one in found if one.state <= State.CUT]
    hangs = {rule: _hangs(following, traces[rule]) for rule in chosen}
    states = [one.state for one in found]
    return {
        "worst": max(states).word if states else None,
        "missing_kinds": [str(kind) for kind in Kind if any(kind in one.missing for one in answered)],
        "by_state": {state.word: states.count(state) for state in State if state in states},
        "incomplete": [_incomplete(one, following, hangs) for one in found if not one.complete],
        "unexplained": [_unexplained(one, balance, following) for one in found for balance in one.unexplained],
        "provisional": [
            {"address": one.address.text, "final": one.final, "last": one.last}
            for one in found
            if one.final is not None and one.last is not None and one.last > one.final
        ],
    }


def _unexplained(one: Coverage, balance: Balance, following: Following | Origins) -> dict[str, Any]:
    asset = following.ledger.shown(balance.asset)
    return {
        "address": one.address.text,
        "asset": asset.name,
        "symbol": asset.symbol,
        "decimals": asset.decimals,
        "block": balance.block,
        "stated": str(balance.stated),
        "counted": str(balance.counted),
        "residue": str(balance.residue),
        "source": one.source,
        "followed": one.address in following.followed,
    }


def _incomplete(
    one: Coverage, following: Following | Origins, hangs: Mapping[Rule, Mapping[Address, int]]
) -> dict[str, Any]:
    return {
        "address": one.address.text,
        "state": one.state.word,
        "reason": one.reason,
        "followed": one.address in following.followed,
        "hangs": {str(rule): str(units.get(one.address, 0)) for rule, units in hangs.items()},
    }


def _hangs(following: Following | Origins, trace: Trace) -> dict[Address, int]:
    """Per address the stolen units at it or after it: all that came there, what came back again counted once more,
    and never more than was lost."""
    lost = sum(units for _, units in trace.lost)
    came: dict[Address, int] = {}
    rests: dict[Address, int] = {}
    for hop in trace.hops:
        if hop.target is not None and hop.target != hop.source:
            came[hop.target] = came.get(hop.target, 0) + sum(units for _, units in hop.basis)
    for unseen in trace.unseen:
        if unseen.address is not None and unseen.label:
            came[unseen.address] = came.get(unseen.address, 0) + unseen.units
    for end in trace.ends:
        if end.place.address is not None:
            rests[end.place.address] = rests.get(end.place.address, 0) + end.stolen
    return {
        address: min(lost, max(came.get(address, 0), rests.get(address, 0))) for address in came.keys() | rests.keys()
    }


def partial_because(
    ends: Sequence[Mapping[str, Any]], chosen: Sequence[Rule], coverage: Mapping[str, Any]
) -> list[str]:
    """Why the answer is partial, a sentence each; none where every history it needs was read to the end."""
    because = []
    for code, told in (
        (StopCode.BUDGET, "not asked about, as the budget was spent"),
        (StopCode.NOT_READ, "not read, so not followed"),
    ):
        mine = [end for end in ends if end["stop"] == code]
        held = [end for end in mine if any(end["basis_amounts"][rule] != "0" for rule in chosen)]
        if held:
            because.append(f"{told}: {_counted(held, 'address', 'addresses')} with stolen value")
    unshown = [end for end in ends if end["stop"] == StopCode.NOT_SHOWN]
    if unshown:
        because.append(f"read, but how money came there is not in the data: {_counted(unshown, 'wallet', 'wallets')}")
    moved = {end["asset"] for end in ends}
    unsound = {one["address"] for one in coverage["unexplained"] if one["followed"] and one["asset"] in moved}
    if unsound:
        told = _counted(tuple(unsound), "followed wallet", "followed wallets")
        because.append(f"what was read does not add up to the balance that the source states: {told}")
    for state in State:
        gaps = [one for one in coverage["incomplete"] if one["followed"] and one["state"] == state.word]
        if gaps:
            reasons = sorted({one["reason"] for one in gaps if one["reason"]})
            why = f" ({'; '.join(reasons[:3])}{'; ...' if len(reasons) > 3 else ''})" if reasons else ""
            because.append(f"{_how(state)}: {_counted(gaps, 'followed wallet', 'followed wallets')}{why}")
    return because


def blind_because(
    following: Following | Origins, wallets: Iterable[Address], ends: Sequence[Mapping[str, Any]]
) -> list[str]:
    """That payments in what was stolen, or in what it became, are no kind of movement that was read at all.

    Such a wallet looks as if it had kept all: a whole history of tokens says nothing of its coins.
    """
    because = []
    for kind in (Kind.NATIVE, Kind.TOKEN):
        if any(("/" in end["asset"]) is (kind is Kind.TOKEN) for end in ends):
            known = [following.ledger.coverage.of(address) for address in {*wallets, *following.followed}]
            blind = [one for one in known if one.complete and kind in one.missing]
            if blind:
                told = f"{kind} payments, which the source cannot show, were not read"
                because.append(f"{told}: {_counted(blind, 'wallet', 'wallets')}")
    return because


def _how(state: State) -> str:
    return {
        State.READ: "history read in part",
        State.UNSTATED: "history from a file that does not say whether it is all",
        State.CUT: "history cut at a cap, not read after it",
    }.get(state, f"history not read, {state.word}")


def _counted(things: Sequence[object], one: str, many: str) -> str:
    return f"{len(things)} {one if len(things) == 1 else many}"
