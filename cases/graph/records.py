"""The answers of a case as traces for a graph: ends as they were answered, flows where they can be computed again."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from cases.answer import FORMAT
from cases.answering_again import traced_alike
from cases.case_file import Case
from cases.graph.nouns import Flow, Place, Rest, TraceRecord, Units, order_of
from cases.tracing import Traced
from tracer.lots import Rule
from tracer.trace import Hop
from tracer.values import Address, SinkKind, Transfer

_SINKS = frozenset(map(str, SinkKind))


def records_of(case: Case, without: Collection[tuple[int, str]] = ()) -> Iterator[TraceRecord]:
    """Every answer of our format, in the order they were given; but those of `without`, which are (when, id).

    An answer that was given twice, with another between, is one trace: of when it was given last.
    Flows are not part of an answer but computed from what the case holds. A case that has learnt more since, or where
    a reorganisation replaced some, may no longer give an earlier answer's; that one then has its ends and no flows.
    """
    for issued in {issued.hash: issued for issued in case.issued()}.values():
        if (issued.at, issued.hash) in without:
            continue
        given = json.loads(issued.text)
        if given.get("format") == FORMAT:
            yield record_of(given, issued.hash, issued.at, traced_alike(case, given))


def record_of(given: Mapping[str, Any], id: str, at: int, traced: Traced | None) -> TraceRecord:
    """An answer as a trace; without `traced` it has no flows."""
    return TraceRecord(
        id, at, given["direction"], given["asset"]["name"], given["asset"]["decimals"], given["partial"],
        tuple(loss["name"] for loss in given["losses"]), tuple(given["rules"]),
        tuple(_flows(given, traced)) if traced else (), tuple(map(_rest, given["ends"])),
    )  # fmt: skip


def _rest(end: Mapping[str, Any]) -> Rest:
    by_loss = [(rule, loss, int(units)) for rule, of in end["by_loss"].items() for loss, units in of.items()]
    least, most = (None if end[f"basis_{key}"] is None else int(end[f"basis_{key}"]) for key in ("least", "most"))
    return Rest(
        _place(end), end["asset"], end["decimals"], end["stop"], end["part"], end["label"], end["basis"], end["why"],
        _units(end["amounts"]), _units(end["basis_amounts"]), tuple(sorted(by_loss)), least, most,
    )  # fmt: skip


def _place(end: Mapping[str, Any]) -> Place:
    if end["address"] is not None:
        return Place(end["chain"], end["address"])
    if end["holding"] in _SINKS:
        return Place(end["asset"], end["holding"], "sink")
    text = str(end["holding"]).partition(":")[2]
    return Place(end["chain"], text, "output" if ":" in text else "payers")


def _units(amounts: Mapping[str, str]) -> Units:
    return tuple(sorted((rule, int(units)) for rule, units in amounts.items()))


def _flows(given: Mapping[str, Any], traced: Traced) -> list[Flow]:
    names = [loss["name"] for loss in given["losses"]]
    traces, found = traced.traces(), dict[tuple[int, Address | None, Address | None], list[tuple[str, Hop]]]()
    for rule in (rule for rule in Rule if str(rule) in given["rules"]):
        for hop in traces[rule].hops:
            ordinal = traced.ledger.ordinal(hop.transfer)
            if ordinal is None:
                raise ValueError(f"{hop.transfer} is a hop and not in the ledger")
            found.setdefault((ordinal, hop.source, hop.target), []).append((str(rule), hop))
    between = dict[tuple[int, Place, Place], list[tuple[str, Hop]]]()
    for (ordinal, *_), hops in found.items():
        between.setdefault((ordinal, *_sides(hops[0][1], traced.ledger.transfer(ordinal))), []).extend(hops)
    flows = []
    for (ordinal, source, target), hops in sorted(between.items(), key=lambda item: item[0]):
        transfer = traced.ledger.transfer(ordinal)
        units, basis = dict.fromkeys(given["rules"], 0), dict.fromkeys(given["rules"], 0)
        by_loss = dict[tuple[str, str], int]()
        for name, hop in hops:
            units[name] += sum(part for _, part in hop.lots)
            basis[name] += sum(part for _, part in hop.basis)
            for label, part in hop.lots:
                by_loss[name, names[label - 1]] = by_loss.get((name, names[label - 1]), 0) + part
        flows.append(
            Flow(
                order_of(transfer), str(transfer.id), source, target, transfer.asset.name, transfer.block.number,
                transfer.block.time, tuple(sorted(units.items())), tuple(sorted(basis.items())),
                tuple((rule, loss, part) for (rule, loss), part in sorted(by_loss.items())),
            )
        )  # fmt: skip
    return flows


def _sides(hop: Hop, transfer: Transfer) -> tuple[Place, Place]:
    """Who paid and who was paid; where nobody can say which of several it was, all of them together."""
    payers = {Place.of_leg(leg) for leg in transfer.inputs}
    paid = [Place.of_leg(leg) for leg in transfer.outputs if leg.address is None]
    source = Place.of(hop.source) if hop.source else (payers.pop() if len(payers) == 1 else Place.pooled(transfer.id))
    several = Place(transfer.id.chain.name, f"{transfer.id.tx}:several", "output")
    target = Place.of(hop.target) if hop.target else (paid[0] if len(paid) == 1 else several)
    return source, target
