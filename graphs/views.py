"""A trace as a graph to look at: addresses as nodes, payments of stolen value as edges. All that is on them is text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from graphs.follow import Following
from graphs.origins import Origins
from tracer.lots import Rule
from tracer.trace import Hop
from tracer.values import Address, Outpoint, Sink, Transfer

if TYPE_CHECKING:
    import networkx


def as_graph(
    following: Following | Origins, answer: Mapping[str, Any], clean: Callable[[str], str] = str
) -> networkx.MultiDiGraph:
    """The graph of `answer`, which `following` was answered with.

    A node is an address, a sink (`fee`) or, where several holdings pay in one transaction, that transaction. It has
    what the answer says of it as an end; `stop` is "" at a place that stolen value went through. An edge is what one
    transfer moved from one to another: its id, block, time (UTC seconds) and `units_RULE` in base units. `clean` is
    applied to every name and text, for formats that cannot hold all characters.
    """
    import networkx

    graph = networkx.MultiDiGraph()
    ends: dict[str, list[Mapping[str, Any]]] = {}
    for end in answer["ends"]:
        ends.setdefault(_key(end["address"], end["holding"]), []).append(end)
    edges: dict[tuple[int, str, str], dict[str, str]] = {}
    traces = following.traces()
    rules = [rule for rule in Rule if str(rule) in answer["rules"]]
    for rule in rules:
        for hop in traces[rule].hops:
            ordinal = following.ledger.ordinal(hop.transfer)
            if ordinal is None:
                raise ValueError(f"{hop.transfer} is a hop and not in the ledger")
            source, target = _sides(hop, following.ledger.transfer(ordinal))
            units = edges.setdefault((ordinal, source, target), {})
            moved = sum(part for _, part in hop.basis)
            units[f"units_{rule}"] = str(int(units.get(f"units_{rule}", "0")) + moved)
    names = {name for _, source, target in edges for name in (source, target)} | ends.keys()
    for name in sorted(names):
        graph.add_node(clean(name), **{key: clean(text) for key, text in _node(ends.get(name, []), answer).items()})
    nothing = {f"units_{rule}": "0" for rule in rules}
    for (ordinal, source, target), units in sorted(edges.items()):
        transfer = following.ledger.transfer(ordinal)
        told = {"transfer": str(transfer.id), "block": str(transfer.block.number), "time": str(transfer.block.time)}
        graph.add_edge(
            clean(source), clean(target), key=clean(f"{transfer.id}>{target}"), **told, **{**nothing, **units}
        )
    return graph


def as_graphml(graph: networkx.MultiDiGraph) -> str:
    """The graph as GraphML. Texts in it must be such as XML can hold: see `clean` of `as_graph`."""
    import networkx

    # Not write_graphml: it writes other bytes where lxml happens to be installed.
    text = "\n".join(networkx.generate_graphml(graph, named_key_ids=True))
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _key(address: str | None, holding: str | None) -> str:
    return address if address is not None else f"({holding})"


def _node(ends: Sequence[Mapping[str, Any]], answer: Mapping[str, Any]) -> dict[str, str]:
    """What the answer says of an end, as text; the same keys with nothing in them for what is none.

    Amounts are in the stolen asset, so that those of an address with ends in several assets add up.
    """
    end = ends[0] if ends else None
    told = {
        key: str(end[key]) if end and end[key] is not None else ""
        for key in ("stop", "part", "label", "labelled_by", "basis", "why")
    }
    amounts = {f"amount_{rule}": str(sum(int(one["basis_amounts"][rule]) for one in ends)) for rule in answer["rules"]}
    bounds = {
        key: str(sum(int(one[f"basis_{key}"]) for one in ends)) if end and end["least"] is not None else ""
        for key in ("least", "most")
    }
    return {"chain": answer["asset"]["chain"], "asset": answer["asset"]["name"], **told, **amounts, **bounds}


def _sides(hop: Hop, transfer: Transfer) -> tuple[str, str]:
    """The names of both nodes. Where several inputs pay, nobody can say which one: the transaction stands for them."""
    source = hop.source.text if hop.source is not None else _payer(transfer)
    return source, hop.target.text if hop.target is not None else _unaddressed(transfer)


def _payer(transfer: Transfer) -> str:
    payers: set[Address] = {leg.address for leg in transfer.inputs if leg.address is not None}
    return payers.pop().text if len(payers) == 1 else f"({transfer.id})"


def _unaddressed(transfer: Transfer) -> str:
    """The one side without an address, as the ends name it; where there are several, what they have in common."""
    found = [leg.holding for leg in transfer.outputs if leg.address is None]
    match found:
        case [Sink(kind=kind)]:
            return f"({kind})"
        case [Outpoint(chain=chain, tx=tx, index=index)]:
            return f"({chain}:{tx}:{index})"
    return f"(outputs without an address of {transfer.id})"
