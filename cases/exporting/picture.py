"""A case as a graph to look at: places as nodes, recorded payments and traced value as edges of different kinds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cases.codec import canonical, judgement_id, judgement_json, transfer_key, transfer_text
from cases.exporting.contents import Answer, Contents, Statement
from tracer.judgements import Judgement
from tracer.labels import LabelBook
from tracer.values import Address, Leg, Outpoint, Sink, Transfer

Attributes = dict[str, str]


@dataclass(frozen=True, slots=True)
class Edge:
    """From node to node. `id` is its own among all edges."""

    id: str
    source: str
    target: str
    told: Attributes


@dataclass(frozen=True, slots=True)
class Picture:
    """Nodes by id, in order, and edges. Everything on them is text, not yet escaped for any format.

    A node's `kind` is `address`, `transaction` (where several paid or were paid at once), `output` (a script without an
    address) or `sink`. What is on it besides says in its name what it is: `claimed_` by a label, `decided_` by a
    person, `inferred_` by the trace. An edge's `statement` is `fact` (`sent`, `input_of`, `output_to`) or `inference`
    (`traced`, or `same_owner`: a judgement that counts, whose direction says nothing).
    """

    nodes: dict[str, Attributes]
    edges: tuple[Edge, ...]
    rules: tuple[str, ...]


def picture(contents: Contents, *, all_facts: bool = True) -> Picture:
    """The graph of the contents. Without `all_facts`, of the recorded payments those behind a traced one."""
    nodes: dict[str, Attributes] = {}
    behind = {hop["transfer"] for hop in contents.hops}
    edges: list[Edge] = []
    by_id: dict[str, Transfer] = {}
    for number, transfer in enumerate(contents.transfers):
        by_id.setdefault(str(transfer.id), transfer)
        if all_facts or str(transfer.id) in behind:
            edges += _recorded(number, transfer, nodes, {"record": record_of(transfer)} if all_facts else {})
    edges += [_traced(number, hop, by_id, nodes) for number, hop in enumerate(contents.hops)]
    rules = tuple(contents.answer["rules"]) if contents.answer else ()
    edges += [_judged(number, one, nodes) for number, one in enumerate(contents.standing())]
    if contents.answer:
        _inferred(contents.answer, nodes)
    _clustered(contents, nodes)
    _claimed(contents, nodes)
    _decided(contents, nodes)
    return Picture(dict(sorted(nodes.items())), tuple(edges), rules)


def record_of(transfer: Transfer) -> str:
    """All of a transfer as one JSON text: what graphml is read back from."""
    return canonical([transfer_key(transfer.id), transfer_text(transfer), list(transfer.evidence)])


def place_id(address: Address) -> str:
    """The id of an address's node."""
    return f"{address.chain.name}:{address.text}"


def _recorded(number: int, transfer: Transfer, nodes: dict[str, Attributes], record: Attributes) -> Iterable[Edge]:
    """One edge where one paid one; else the transaction is a node between all of its legs."""
    told = {
        "transfer": str(transfer.id), "block": str(transfer.block.number), "time": str(transfer.block.time),
        "asset": transfer.asset.name, "symbol": transfer.asset.symbol, "decimals": str(transfer.asset.decimals),
    }  # fmt: skip
    fact = {"statement": Statement.FACT.value}
    if len(transfer.inputs) == len(transfer.outputs) == 1:
        source, target = (_place(leg, nodes) for leg in (*transfer.inputs, *transfer.outputs))
        more = {"units": str(transfer.units), "method": transfer.method, "report": str(number), **record}
        return [Edge(f"f{number}", source, target, {**fact, "kind": "sent", **told, **more})]
    middle = f"({transfer.id})" if f"({transfer.id})" not in nodes else f"({transfer.id} as in report {number})"
    nodes[middle] = {
        "kind": "transaction", "chain": transfer.id.chain.name, **told, "method": transfer.method,
        "report": str(number), **record,
    }  # fmt: skip
    found = []
    for at, leg in enumerate(transfer.inputs):
        on = {**fact, "kind": "input_of", **told, "units": str(leg.units)}
        found.append(Edge(f"f{number}i{at}", _place(leg, nodes), middle, on))
    for at, leg in enumerate(transfer.outputs):
        on = {**fact, "kind": "output_to", **told, "units": str(leg.units)}
        found.append(Edge(f"f{number}o{at}", middle, _place(leg, nodes), on))
    return found


def _place(leg: Leg, nodes: dict[str, Attributes]) -> str:
    match leg:
        case Leg(address=Address() as address):
            nodes.setdefault(place_id(address), _address(address))
            return place_id(address)
        case Leg(holding=Outpoint(chain=chain, tx=tx, index=index)):
            name = f"({chain}:{tx}:{index})"
            nodes.setdefault(name, {"kind": "output", "chain": chain.name})
            return name
        case Leg(holding=Sink(asset=asset, kind=kind)):
            name = f"({kind} of {asset.name})"
            nodes.setdefault(name, {"kind": "sink", "chain": asset.chain.name})
            return name
    raise ValueError(f"a leg that is nowhere: {leg}")


def _address(address: Address) -> Attributes:
    return {"kind": "address", "chain": address.chain.name, "address": address.text}


def _traced(number: int, hop: Mapping[str, Any], by_id: Mapping[str, Transfer], nodes: dict[str, Attributes]) -> Edge:
    transfer = by_id.get(hop["transfer"])
    if transfer is None:
        raise ValueError(f"a hop rests on the transfer {hop['transfer']!r:.100}, which is not there")
    source, target = _payer(hop["source"], transfer, nodes), _paid(hop["target"], transfer, nodes)
    told = {
        "statement": Statement.INFERENCE.value, "kind": "traced", "transfer": hop["transfer"],
        "block": str(hop["block"]), "time": str(hop["time"]), "asset": hop["asset"], "symbol": hop["symbol"],
        "decimals": str(hop["decimals"]), "through": " ".join(hop["through"]),
    }  # fmt: skip
    told |= {f"units_{rule}": units for rule, units in hop["amounts"].items()}
    told |= {f"basis_{rule}": units for rule, units in hop["basis_amounts"].items()}
    return Edge(f"t{number}", source, target, told)


def _judged(number: int, one: Judgement, nodes: dict[str, Attributes]) -> Edge:
    for side in (one.left, one.right):
        nodes.setdefault(place_id(side), _address(side))
    told = {
        "statement": Statement.INFERENCE.value, "kind": "same_owner", "judgement": judgement_id(one), "rule": one.rule,
        "confidence": str(one.confidence), "author": one.author, "at": str(one.at),
        "evidence": canonical(judgement_json(one)["evidence"]),
    }  # fmt: skip
    return Edge(f"j{number}", place_id(one.left), place_id(one.right), told)


def _clustered(contents: Contents, nodes: dict[str, Attributes]) -> None:
    """Which cluster an address is in, by its first member, and of how many."""
    for cluster in contents.clusters():
        told = {"inferred_cluster": place_id(cluster.members[0]), "inferred_cluster_size": str(len(cluster.members))}
        for member in cluster.members:
            nodes[place_id(member)] |= told


def _payer(text: str | None, transfer: Transfer, nodes: dict[str, Attributes]) -> str:
    """The node a hop leaves. Where several paid, nobody can say which one: the transaction stands for them."""
    payers = {leg.address or leg.holding for leg in transfer.inputs}
    if text is None and len(payers) == 1:
        return _place(transfer.inputs[0], nodes)
    return _named(text, transfer, nodes)


def _paid(text: str | None, transfer: Transfer, nodes: dict[str, Attributes]) -> str:
    """The node a hop comes to: the one output without an address, or, where there are several, the transaction."""
    nameless = [leg for leg in transfer.outputs if leg.address is None]
    if text is None and len(nameless) == 1:
        return _place(nameless[0], nodes)
    return _named(text, transfer, nodes)


def _named(text: str | None, transfer: Transfer, nodes: dict[str, Attributes]) -> str:
    chain = transfer.id.chain
    if text is not None:
        nodes.setdefault(place_id(Address(chain, text)), _address(Address(chain, text)))
        return place_id(Address(chain, text))
    nodes.setdefault(f"({transfer.id})", {"kind": "transaction", "chain": chain.name, "transfer": str(transfer.id)})
    return f"({transfer.id})"


def _inferred(answer: Answer, nodes: dict[str, Attributes]) -> None:
    """What the answer says of each end. Amounts are in the stolen asset, so that several ends at a place add up."""
    ends: dict[str, list[Mapping[str, Any]]] = {}
    for end in answer["ends"]:
        ends.setdefault(_end_id(end, nodes), []).append(end)
    for name, found in ends.items():
        first = found[0]
        told = {f"inferred_{key}": first[key] or "" for key in ("stop", "part", "label", "labelled_by", "basis", "why")}
        for rule in answer["rules"]:
            told[f"inferred_amount_{rule}"] = str(sum(int(one["basis_amounts"][rule]) for one in found))
        for key in ("least", "most"):
            if all(one[f"basis_{key}"] is not None for one in found):
                told[f"inferred_{key}"] = str(sum(int(one[f"basis_{key}"]) for one in found))
        nodes[name] |= told


def _end_id(end: Mapping[str, Any], nodes: dict[str, Attributes]) -> str:
    if end["address"] is not None:
        name = f"{end['chain']}:{end['address']}"
        nodes.setdefault(name, {"kind": "address", "chain": end["chain"], "address": end["address"]})
        return name
    holding = str(end["holding"])
    if ":" in holding:
        name = f"({holding})" if holding.count(":") == 2 else f"({holding}:tx)"
        nodes.setdefault(name, {"kind": "output" if holding.count(":") == 2 else "transaction", "chain": end["chain"]})
        return name
    name = f"({holding} of {end['asset']})"
    nodes.setdefault(name, {"kind": "sink", "chain": end["chain"]})
    return name


def _claimed(contents: Contents, nodes: dict[str, Attributes]) -> None:
    """The deciding claim about each address that is drawn; all of them are in the other formats."""
    book = LabelBook(contents.labels)
    for address in book.addresses():
        node, label = nodes.get(place_id(address)), book.deciding(address)
        if node is not None and label is not None:
            node |= {
                "claimed_entity": label.entity, "claimed_name": label.name, "claimed_role": label.role.value,
                "claimed_by": label.source, "claimed_confidence": str(label.confidence),
            }  # fmt: skip


def _decided(contents: Contents, nodes: dict[str, Attributes]) -> None:
    """Where the losses begin: the wallet lost from, or those who the lost payment went to."""
    by_id = {one.id: one for one in contents.transfers}
    for loss in contents.losses:
        at: list[Address | None] = [loss.wallet]
        if loss.paid in by_id:
            at = [leg.address for leg in by_id[loss.paid].outputs]
        for address in dict.fromkeys(at):
            node = nodes.get(place_id(address)) if address else None
            if node is not None:
                node["decided_loss"] = "; ".join(filter(None, [node.get("decided_loss", ""), loss.name]))
