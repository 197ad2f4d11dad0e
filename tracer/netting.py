"""What one transaction moves, once what only passed through is netted away.

Sources give the coin's and the tokens' movements in two unmerged orders, so the order inside a transaction is not
known; and a router, a flash loan or a forwarding contract is money nobody kept. Where an address both got and paid an
asset, only the difference moved: all that is connected through such addresses becomes one movement from those who
paid more than they got to those who got more than they paid. All else stays as recorded, payer by payer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tracer.ledger import Movement, Row
from tracer.values import Address


def netted(movements: Sequence[Movement], stays: Callable[[int], bool]) -> tuple[Movement, ...]:
    """The movements of one transaction, netted per holding, which is per (address, asset).

    `stays`: holdings that are never netted away: sinks, and the addresses at which a trace may have to stop.

    >>> router = [Movement(0, ((1, 10),), ((2, 10),)), Movement(1, ((2, 9),), ((3, 9),))]
    >>> netted(router, lambda hid: False)
    (Movement(ordinal=0, inputs=((1, 10),), outputs=((2, 1), (3, 9)), through=()),)
    """
    passing = {hid for one in movements for hid, _ in one.inputs if not stays(hid) and not _own(one)}
    passing &= {hid for one in movements for hid, _ in one.outputs if not stays(hid) and not _own(one)}
    if not passing:
        return tuple(movements)
    group: dict[int, int] = {}

    def root(hid: int) -> int:
        while group.setdefault(hid, hid) != hid:
            group[hid] = hid = group[group[hid]]
        return hid

    joining = [[hid for hid, _ in one.inputs + one.outputs if not stays(hid)] for one in movements]
    for one, hids in zip(movements, joining, strict=True):
        if not _own(one):
            for hid in hids[1:]:
                group[root(hid)] = root(hids[0])
    pooled = {root(hid) for hid in passing}
    parts: dict[int, list[Movement]] = {}
    found: list[Movement] = []
    for one, hids in zip(movements, joining, strict=True):
        if hids and not _own(one) and root(hids[0]) in pooled:
            parts.setdefault(root(hids[0]), []).append(one)
        else:
            found.append(one)
    found += [net for part in parts.values() if (net := _net(part, stays)).inputs]
    return tuple(sorted(found, key=lambda one: one.ordinal))


def exchanges(movements: Sequence[Movement], address_of: Callable[[int], Address | None]) -> bool:
    """Whether somebody gave one asset and got another in this transaction, by the net of each."""
    net: dict[int, int] = {}
    for one in movements:
        for hid, units in one.inputs:
            net[hid] = net.get(hid, 0) - units
        for hid, units in one.outputs:
            net[hid] = net.get(hid, 0) + units
    gave = {address_of(hid) for hid, units in net.items() if units < 0} - {None}
    return bool(gave & {address_of(hid) for hid, units in net.items() if units > 0})


def _own(one: Movement) -> bool:
    """One's own: a payment to oneself, or an amount that changes where it is (a rebasing token)."""
    return any(hid == got for hid, _ in one.inputs for got, _ in one.outputs)


def _net(part: Sequence[Movement], stays: Callable[[int], bool]) -> Movement:
    net: dict[int, int] = {}
    paid: dict[int, int] = {}  # gross, of those that stay
    got: dict[int, int] = {}
    for one in part:
        for hid, units in one.inputs:
            side = paid if stays(hid) else net
            side[hid] = side.get(hid, 0) + (units if stays(hid) else -units)
        for hid, units in one.outputs:
            side = got if stays(hid) else net
            side[hid] = side.get(hid, 0) + units
    inputs: Row = tuple((hid, -units) for hid, units in net.items() if units < 0) + tuple(paid.items())
    outputs: Row = tuple((hid, units) for hid, units in net.items() if units > 0) + tuple(got.items())
    return Movement(part[0].ordinal, inputs, outputs, tuple(hid for hid, units in net.items() if not units))
