"""Nouns as the rows that the statements for Neo4j take: exact amounts as text, beside them a float for the eye."""

from __future__ import annotations

import json
from typing import Any

from cases.codec import TransferReader, canonical, judgement_json, label_json, loss_json, sha256, transfer_text
from cases.graph.codec import flow_json, legs_of, rest_json, trace_json
from cases.graph.escaping import escaped, key, unescaped
from cases.graph.nouns import Cluster, Flow, Payment, Place, Rest, TraceRecord, Units, order_of
from tracer.judgements import Judgement
from tracer.labels import Label
from tracer.losses import Loss
from tracer.lots import Rule
from tracer.values import (
    Address,
    Asset,
    Block,
    Chain,
    Leg,
    Outpoint,
    Sink,
    SinkKind,
    Transfer,
    TransferId,
    units_of,
)

Row = dict[str, Any]
_RULES = frozenset(map(str, Rule))  # a property's name is never made of anything else


def value(units: int, decimals: int) -> float:
    """For the eye, and for sorting in Browser: about so many. Sums and evidence are made of `units`.

    >>> value(1_500_000, 6), value(2**256 - 1, 300)
    (1.5, 1.157920892373162e+77)
    """
    return units / 10**decimals if 0 <= decimals <= 36 else float(units)


def whole(number: int) -> int | str:
    """A number as it is, or as text where it does not fit 64 bits: a contract may claim any decimals."""
    return number if -(2**63) <= number < 2**63 else str(number)


def transfer_id(case: str, id: TransferId) -> str:
    """The key of a transfer in a case."""
    return f"{case}|{key(':'.join((id.chain.name, _part(id.tx), id.position)))}"


def _part(text: str) -> str:
    return text.replace("\\", "\\\\").replace(":", "\\c") if ":" in text or "\\" in text else text


def place_row(place: Place) -> Row:
    """A place."""
    return {"key": key(place.key), "chain": escaped(place.asset), "name": escaped(place.text)}


def is_simple(transfer: Transfer) -> bool:
    """Whether one relationship tells all of it: one leg a side, none of them a coin."""
    one = len(transfer.inputs) == 1 == len(transfer.outputs)
    return one and not isinstance(transfer.inputs[0].holding, Outpoint) and not isinstance(
        transfer.outputs[0].holding, Outpoint
    )  # fmt: skip


def sent_row(case: str, transfer: Transfer, source: Place, target: Place) -> Row:
    """A `SENT` relationship."""
    id, asset, units, block = transfer.id, transfer.asset, transfer.units, transfer.block
    made = transfer_id(case, id)
    return {
        "id": made, "source": key(source.key), "target": key(target.key),
        "props": {
            "id": made, "case": case, "order": order_of(transfer), "transfer": escaped(str(id)), "tx": escaped(id.tx),
            "position": id.position, "asset": escaped(asset.name), "symbol": escaped(asset.symbol),
            "decimals": whole(asset.decimals), "units": str(units), "value": value(units, asset.decimals),
            "block": whole(block.number), "time": whole(block.time), "blockHash": escaped(block.hash),
            "index": transfer.index, "method": escaped(transfer.method),
            "evidence": [escaped(one) for one in transfer.evidence],
        },
    }  # fmt: skip


def sent_of(row: Row) -> Transfer:
    """Back from what `READ_SENT` gives."""
    told = row["r"]
    name = unescaped(told["asset"])
    chain_name, _, contract = name.partition("/")
    chain = Chain.named(chain_name)
    asset = Asset(chain, contract, unescaped(told["symbol"]), int(told["decimals"]))
    units = units_of(told["units"])
    legs = []
    for side in ("a", "b"):
        place = place_of(row, side)
        if place.kind == "sink":
            legs.append(Leg.sink(asset, SinkKind(place.text), units))
        else:
            legs.append(Leg.slot(Address(chain, place.text), asset, units))
    return Transfer(
        TransferId(chain, unescaped(told["tx"]), told["position"]),
        Block(int(told["block"]), int(told["time"]), unescaped(told["blockHash"])),
        told["index"], asset, (legs[0],), (legs[1],),
        tuple(unescaped(one) for one in told["evidence"]), unescaped(told["method"]),
    )  # fmt: skip


def place_of(row: Row, side: str) -> Place:
    """The place whose columns begin with `side`."""
    return Place(unescaped(row[f"{side}c"]), unescaped(row[f"{side}n"]), row[f"{side}k"])


def transaction_rows(case: str, transfer: Transfer) -> tuple[Row, list[Row], list[Row]]:
    """A `Transaction` node, its `INPUT_OF` and its `OUTPUT_TO` relationships, one for each leg."""
    made = transfer_id(case, transfer.id)
    id = [transfer.id.chain.name, transfer.id.tx, transfer.id.position]
    props = {
        "id": made, "case": case, "order": order_of(transfer), "transfer": escaped(str(transfer.id)),
        "tx": escaped(transfer.id.tx), "asset": escaped(transfer.asset.name), "units": str(transfer.units),
        "value": value(transfer.units, transfer.asset.decimals), "block": whole(transfer.block.number),
        "time": whole(transfer.block.time), "index": transfer.index, "pooled": len(legs_of(transfer)[0]) > 1,
        "body": canonical([id, json.loads(transfer_text(transfer)), list(transfer.evidence)]),
    }  # fmt: skip
    sides = []
    for name, legs in (("in", transfer.inputs), ("out", transfer.outputs)):
        sides.append([
            {
                "id": f"{made}|{name}|{n}", "transaction": made, "place": key(Place.of_leg(leg).key),
                "props": {
                    "id": f"{made}|{name}|{n}", "case": case, "n": n, "asset": props["asset"],
                    "units": str(leg.units), "value": value(leg.units, transfer.asset.decimals),
                    "block": props["block"], "time": props["time"], **_coin(leg),
                },
            }
            for n, leg in enumerate(legs)
        ])  # fmt: skip
    return {"id": made, "props": props}, sides[0], sides[1]


def _coin(leg: Leg) -> Row:
    match leg.holding:
        case Outpoint(tx=tx, index=index):
            return {"tx": escaped(tx), "index": index}
        case Sink(kind=kind):
            return {"sink": str(kind)}
    return {}


def transaction_of(body: str, reader: TransferReader) -> Transfer:
    """Back from a `Transaction`'s body."""
    id, told, evidence = json.loads(body)
    return reader.read(id, told, tuple(evidence))


def payment_of(row: Row) -> Payment:
    """Back from what the statements for payments give."""
    return Payment(
        row["order"], unescaped(row["transfer"]), place_of(row, "a"), place_of(row, "b"), unescaped(row["asset"]),
        sum(units_of(one) for one in row["units"]), int(row["block"]), int(row["time"]), row["index"], row["pooled"],
    )  # fmt: skip


def claim_row(case: str, label: Label) -> Row:
    """A `Claim` node about an address."""
    body = canonical(label_json(label))
    id = f"{case}|{sha256(body)}"
    return {
        "id": id, "place": key(Place.of(label.address).key),
        "props": {
            "id": id, "case": case, "entity": escaped(label.entity), "name": escaped(label.name),
            "role": str(label.role), "source": escaped(label.source), "confidence": label.confidence,
            "seen": label.seen.isoformat() if label.seen else None, "evidence": escaped(label.evidence),
            "note": escaped(label.note), "body": body,
        },
    }  # fmt: skip


def loss_row(case: str, loss: Loss) -> Row:
    """A `Loss` node."""
    id = f"{case}|{key(loss.name)}"
    return {
        "id": id, "place": key(Place.of(loss.wallet).key) if loss.wallet else None,
        "paid": transfer_id(case, loss.paid) if loss.paid else None, "output": loss.output,
        "props": {
            "id": id, "case": case, "name": escaped(loss.name), "victim": escaped(loss.victim),
            "asset": escaped(loss.asset.name), "units": None if loss.units is None else str(loss.units),
            "since": whole(loss.since), "body": canonical(loss_json(loss)),
        },
    }  # fmt: skip


def judgement_row(case: str, one: Judgement) -> Row:
    """A `SAME_OWNER` relationship."""
    body = canonical(judgement_json(one))
    id = f"{case}|{sha256(body)}"
    return {
        "id": id, "left": key(Place.of(one.left).key), "right": key(Place.of(one.right).key),
        "props": {
            "id": id, "case": case, "rule": escaped(one.rule), "confidence": one.confidence,
            "author": escaped(one.author), "at": whole(one.at),
            # No list rather than an empty one, which the import tool has no way to write.
            "evidence": [escaped(str(id)) for id in one.evidence] or None, "body": body,
        },
    }  # fmt: skip


def cluster_rows(case: str, one: Cluster) -> tuple[Row, list[tuple[Place, Row]]]:
    """A `Cluster` node, and the `IN_CLUSTER` relationship of each place in it."""
    places = sorted(map(Place.of, one.members))
    id = f"{case}|{sha256(' '.join(key(place.key) for place in places))}"
    node = {"id": id, "props": {"id": id, "case": case, "size": len(places)}}
    keys = ((place, key(place.key)) for place in places)
    return node, [(place, {"id": f"{id}|{name}", "cluster": id, "place": name}) for place, name in keys]


def trace_row(case: str, trace: TraceRecord, *, is_whole: bool) -> Row:
    """A `Trace` node; `whole` once all of it is there."""
    id = f"{case}|{key(trace.id)}"
    return {
        "id": id,
        "props": {
            "id": id, "case": case, "trace": trace.id, "at": trace.at, "direction": trace.direction,
            "asset": escaped(trace.asset), "partial": trace.partial, "rules": [escaped(one) for one in trace.rules],
            "losses": [escaped(one) for one in trace.losses], "whole": is_whole, "body": canonical(trace_json(trace)),
        },
    }  # fmt: skip


def flow_row(case: str, trace: TraceRecord, n: int, flow: Flow) -> Row:
    """A `TRACED_TO` relationship."""
    id = f"{case}|{key(trace.id)}|{n}"
    return {
        "id": id, "source": key(flow.source.key), "target": key(flow.target.key),
        "props": {
            "id": id, "case": case, "trace": trace.id, "n": n, "order": escaped(flow.order),
            "transfer": escaped(flow.transfer), "asset": escaped(flow.asset), "block": whole(flow.block),
            "time": whole(flow.time), **_by_rule("units", flow.units), **_by_rule("basis", flow.basis),
            "value": _seen(flow.basis, trace.decimals), "body": canonical(flow_json(flow)),
        },
    }  # fmt: skip


def end_row(case: str, trace: TraceRecord, n: int, rest: Rest) -> Row:
    """An `End` node with its trace and place."""
    id = f"{case}|{key(trace.id)}|end|{n}"
    return {
        "id": id, "trace": f"{case}|{key(trace.id)}", "place": key(rest.place.key),
        "props": {
            "id": id, "case": case, "trace": trace.id, "n": n, "stop": escaped(rest.stop), "part": escaped(rest.part),
            "label": escaped(rest.label), "basis": escaped(rest.basis), "why": escaped(rest.why),
            "asset": escaped(rest.asset), **_by_rule("units", rest.units), **_by_rule("stolen", rest.stolen),
            "least": None if rest.least is None else str(rest.least),
            "most": None if rest.most is None else str(rest.most),
            "value": _seen(rest.stolen, trace.decimals), "body": canonical(rest_json(rest)),
        },
    }  # fmt: skip


def _by_rule(name: str, units: Units) -> Row:
    return {f"{name}_{rule}": str(number) for rule, number in units if rule in _RULES}


def _seen(units: Units, decimals: int) -> float:
    """The largest under any rule: how thick to draw it."""
    return value(max((number for _, number in units), default=0), decimals)
