"""What investigators ask of a graph. Each answer is computed here from what any store gives, so all stores agree."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from cases.graph.clusters import clusters_of
from cases.graph.nouns import Cluster, Flow, Payment, Place, Rest
from cases.graph.protocol import GraphStore
from tracer.errors import CaseConflict
from tracer.values import Address

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Neighbour:
    """What one other place dealt in one asset: exact sums, how many payments, and when (UTC seconds).

    `pooled` of the payments had several payers, so that their units may be others' too.
    """

    place: Place
    asset: str
    units: int
    payments: int
    pooled: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Touched:
    """Who else touched a place: who paid it, whom it paid, and whose stolen value the traces say came there."""

    payers: tuple[Neighbour, ...]
    paid: tuple[Neighbour, ...]
    stolen: tuple[tuple[str, str, str, int], ...]  # (trace, loss, rule, units), what flowed there


@dataclass(frozen=True, slots=True)
class Changes:
    """What the later of two traces says otherwise: what only it has, what only the earlier has, and what differs."""

    ends: tuple[tuple[Rest | None, Rest | None], ...]  # (earlier, later)
    flows: tuple[tuple[Flow | None, Flow | None], ...]


def neighbours(
    store: GraphStore, place: Place, *, out: bool, since: int | None = None, until: int | None = None,
    asset: str | None = None,
) -> tuple[Neighbour, ...]:  # fmt: skip
    """Whom `place` paid (`out`), or who paid it, between two blocks: by asset, the largest sum first."""
    found: dict[tuple[str, Place], list[Payment]] = {}
    for one in store.payments([place], out=out, since=since, until=until, asset=asset):
        found.setdefault((one.asset, one.target if out else one.source), []).append(one)
    told = [
        Neighbour(
            other, name, sum(one.units for one in all), len(all), sum(one.pooled for one in all),
            min(one.time for one in all), max(one.time for one in all),
        )
        for (name, other), all in found.items()
    ]  # fmt: skip
    return tuple(sorted(told, key=lambda one: (one.asset, -one.units, one.place)))


def paths(
    store: GraphStore, start: Place, *, out: bool = True, hops: int = 3, since: int | None = None,
    until: int | None = None, asset: str | None = None, to: Place | None = None, most: int = 1_000,
) -> tuple[tuple[Payment, ...], ...]:  # fmt: skip
    """Ways that respect time, of 1 to `hops` payments, the shortest first: forward (`out`), or back to the origin.

    Each payment may have been made with what the one before brought (`Payment.may_precede`); no place comes twice.
    With `to`, only those that end there. At most `most`, in an order that any store gives. That such a way exists
    says nothing about amounts: a trace does.
    """
    found: list[tuple[Payment, ...]] = []
    frontier: list[tuple[Payment, ...]] = [()]
    for _ in range(hops):
        ends = {_end(way, start, out) for way in frontier}
        onward: dict[Place, list[Payment]] = {}
        for one in store.payments(ends, out=out, since=since, until=until, asset=asset):
            onward.setdefault(one.source if out else one.target, []).append(one)
        longer: list[tuple[Payment, ...]] = []
        for way in frontier:
            seen = {start, *(place for one in way for place in (one.source, one.target))}
            for one in onward.get(_end(way, start, out), ()):
                fits = not way or (way[-1].may_precede(one) if out else one.may_precede(way[-1]))
                if fits and (one.target if out else one.source) not in seen:
                    longer.append((*way, one))
        found += [way for way in longer if to is None or _end(way, start, out) == to]
        if len(found) >= most:
            break
        frontier = longer[:most]
    return tuple(found[:most])


def _end(way: tuple[Payment, ...], start: Place, out: bool) -> Place:
    if not way:
        return start
    return way[-1].target if out else way[-1].source


def reached(
    store: GraphStore, start: Place, *, hops: int = 1, out: bool = True, asset: str | None = None
) -> dict[Place, int]:
    """Every place that a way of at most `hops` payments, in the order of time, leads to, with the fewest payments."""
    first: dict[Place, list[Payment]] = {}
    known: dict[Place, int] = {start: 0}
    frontier = {start}
    for hop in range(1, hops + 1):
        came: dict[Place, list[Payment]] = {}
        for one in store.payments(frontier, out=out, asset=asset):
            here, there = (one.source, one.target) if out else (one.target, one.source)
            earlier = first.get(here, [])
            if here == start or any(e.may_precede(one) if out else one.may_precede(e) for e in earlier):
                came.setdefault(there, []).append(one)
        frontier = set()
        for place, payments in came.items():
            best = _earliest([*first.get(place, []), *payments], out)
            if best != first.get(place):
                first[place] = best
                known.setdefault(place, hop)
                frontier.add(place)
        if not frontier:
            break
    del known[start]
    return known


def _earliest(payments: Iterable[Payment], out: bool) -> list[Payment]:
    """Those of the first block (the last, going back): what may follow any payment may follow one of these."""
    all = list(dict.fromkeys(payments))
    edge = min(one.block for one in all) if out else max(one.block for one in all)
    return [one for one in all if one.block == edge]


def shared(store: GraphStore, one: Place, two: Place, *, hops: int = 1) -> tuple[tuple[Place, int, int], ...]:
    """Places that money of both can have come to: (place, payments from the one, from the other), the nearest first.

    Sinks are left out: everybody pays fees.
    """
    first, second = (reached(store, start, hops=hops) for start in (one, two))
    both = [place for place in first.keys() & second.keys() if place.kind == "address" and place not in (one, two)]
    return tuple(
        (place, first[place], second[place])
        for place in sorted(both, key=lambda place: (first[place] + second[place], place))
    )


def touched(store: GraphStore, place: Place) -> Touched:
    """Who else touched `place`."""
    stolen = dict[tuple[str, str, str], int]()
    for _, id in store.traces():
        for flow in store.trace(id).flows:
            if flow.target == place:
                for rule, loss, units in flow.by_loss:
                    stolen[id, loss, rule] = stolen.get((id, loss, rule), 0) + units
    told = tuple((*key, units) for key, units in sorted(stolen.items()))
    return Touched(neighbours(store, place, out=False), neighbours(store, place, out=True), told)


def cluster_of(store: GraphStore, address: Address) -> Cluster | None:
    """The cluster that `address` is in, with every judgement that holds it together; None if it is in none."""
    for cluster in store.clusters():
        if address in cluster.members:
            members = set(cluster.members)
            reasons = [one for one in store.judgements() if one.left in members and one.right in members]
            return Cluster(cluster.members, tuple(reasons))
    return None


def clusters_again(store: GraphStore, *, confidence: int = 0) -> tuple[Cluster, ...]:
    """What the kept judgements make, at another confidence: clusters can be taken apart again."""
    return clusters_of(store.judgements(), confidence=confidence)


def way_of(store: GraphStore, trace: str, loss: str, end: Place, rule: str) -> tuple[tuple[Flow, int], ...]:
    """A way that units of `loss` took to `end` in a trace under `rule`: the fewest payments, each with those units.

    The units are what each payment moved of the loss, on this and any other way; so they need not fall along it.
    Raises `CaseConflict` where no such way is in the trace.
    """
    ways: dict[Place, tuple[tuple[Flow, int], ...]] = {}
    for flow in store.trace(trace).flows:  # in order: the way to whoever pays is known before he does
        units = sum(part for told, of, part in flow.by_loss if (told, of) == (rule, loss))
        if units:
            before = ways.setdefault(flow.source, ())  # who has got nothing of it yet is where the loss begins
            if flow.target not in ways or len(before) + 1 < len(ways[flow.target]):
                ways[flow.target] = (*before, (flow, units))
    if not ways.get(end):
        raise CaseConflict(
            f"no units of {loss:.60} come to {end.key:.120} under {rule}", "the ends: fundtrail case ends FILE"
        )
    return ways[end]


def changes(store: GraphStore, earlier: str, later: str) -> Changes:
    """What changed between two traces, end by end and payment by payment."""
    one, two = store.trace(earlier), store.trace(later)
    ends = _differing({(e.place, e.asset): e for e in one.ends}, {(e.place, e.asset): e for e in two.ends})
    flows = _differing(
        {(f.order, f.transfer, f.source, f.target): f for f in one.flows},
        {(f.order, f.transfer, f.source, f.target): f for f in two.flows},
    )
    return Changes(ends, flows)


def _differing(one: Mapping[K, V], two: Mapping[K, V]) -> tuple[tuple[V | None, V | None], ...]:
    keys = sorted({*one, *two}, key=repr)
    return tuple((one.get(key), two.get(key)) for key in keys if one.get(key) != two.get(key))
