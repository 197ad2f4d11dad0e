"""The peer of the envelope: the whole ledger unrolled in time by the book, solved by networkx.

For ledgers whose transfers have one payer and one payee, and losses that are all a wallet had.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import networkx

from tracer.ledger import Ledger
from tracer.moves import Seeds
from tracer.reach import reach
from tracer.trace import Place, place_of


def whole_network(
    ledger: Ledger, seeds: Seeds, followed: Mapping[int, int], *, every_event: bool = True
) -> networkx.DiGraph[Any]:
    """A node per holding and event, an arc per payment and per stay; ends are `Place`s. From "loss" it is supplied.

    With `every_event` off, a node per holding and inflow only, which is all that the bounds need.
    """
    arcs: Counter[tuple[Any, Any]] = Counter()
    reached = reach(ledger, seeds, followed)
    node: dict[int, tuple[int, int]] = {}  # hid -> (hid, ordinal of its last event)
    total: dict[int, int] = {}

    def came(hid: int, units: int, ordinal: int, source: Any) -> None:
        held = total[hid] if hid in total else ledger.balance_before(hid, ordinal)
        fresh = hid, ordinal
        if hid in node:
            arcs[node[hid], fresh] += held
        node[hid], total[hid] = fresh, held + units
        arcs[source, fresh] += units

    def left(hid: int, units: int, ordinal: int) -> Any:
        source = node[hid]
        total[hid] -= units
        if every_event and total[hid]:
            node[hid] = hid, ordinal
            arcs[source, node[hid]] += total[hid]
        return source

    tracked = {hid for hid in reached if hid in followed} | set(seeds.unseen)
    for ordinal in sorted({at for hid in tracked for at in ledger.events(hid)}):
        ((payer, units),), ((payee, _),) = ledger.inputs(ordinal), ledger.outputs(ordinal)
        if payer == payee:
            continue
        source: Any = None
        if payer in followed and (payer in node or payer in seeds.unseen):
            short = units - total.get(payer, 0)
            if short > 0 and payer in seeds.unseen:
                came(payer, short, ordinal, "loss")
            source = left(payer, min(units, total[payer]), ordinal)
        if payee in seeds.unseen:  # all that comes here is the loss, whatever it was before
            came(payee, units, ordinal, "loss")
            payee_node: Any = "back in the loss"
        elif source is None:
            if payee in node:
                total[payee] += units
            continue
        elif payee in followed:
            came(payee, units, ordinal, source)
            continue
        else:
            payee_node = place_of(ledger, payee)
        if source is not None:
            arcs[source, payee_node] += units
    for hid, last in node.items():
        arcs[last, place_of(ledger, hid)] += total[hid]
    graph = networkx.DiGraph()
    graph.add_edges_from((tail, head, {"capacity": units}) for (tail, head), units in arcs.items() if units)
    return graph


def most_at(graph: networkx.DiGraph[Any], place: Place) -> int:
    """The most that can rest at `place` under any rule: one maximum flow, by preflow-push, in Python integers."""
    flow = networkx.algorithms.flow.preflow_push(graph, "loss", place, value_only=True)
    return int(flow.graph["flow_value"])
