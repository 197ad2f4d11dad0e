"""Clusters from judgements: who is one owner if all of them hold. Nothing else makes a cluster."""

from __future__ import annotations

from collections.abc import Iterable

from cases.graph.nouns import Cluster
from tracer.judgements import Judgement
from tracer.values import Address


def clusters_of(judgements: Iterable[Judgement], *, confidence: int = 0) -> tuple[Cluster, ...]:
    """The clusters that judgements of at least that confidence make, each with its reasons; the smallest address first.

    >>> from tracer.values import Chain
    >>> eth = Chain.named("ethereum"); a, b, c = (Address(eth, f"0x{n}") for n in "abc")
    >>> [len(one.members) for one in clusters_of([Judgement(a, b, "r", (), 90, "us", 1),
    ...                                           Judgement(c, b, "r", (), 40, "us", 1)], confidence=50)]
    [2]
    """
    believed = sorted({one for one in judgements if one.confidence >= confidence})
    parent: dict[Address, Address] = {}

    def root(address: Address) -> Address:
        parent.setdefault(address, address)
        while parent[address] != address:
            parent[address] = parent[parent[address]]
            address = parent[address]
        return address

    for one in believed:
        low, high = sorted((root(one.left), root(one.right)))
        parent[high] = low
    members: dict[Address, list[Address]] = {}
    for address in sorted(parent):
        members.setdefault(root(address), []).append(address)
    reasons: dict[Address, list[Judgement]] = {}
    for one in believed:
        reasons.setdefault(root(one.left), []).append(one)
    return tuple(Cluster(tuple(members[first]), tuple(reasons[first])) for first in sorted(members))
