"""Nouns of the graph as plain rows of texts and numbers, the same for every store, and back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cases.graph.nouns import Flow, Payment, Place, Rest, TraceRecord, Units, order_of
from tracer.values import Transfer, units_of

Row = dict[str, Any]


def legs_of(transfer: Transfer) -> tuple[list[tuple[Place, int]], list[tuple[Place, int]]]:
    """(who paid, who was paid): each place once, with all its units."""
    sides = []
    for side in (transfer.inputs, transfer.outputs):
        units: dict[Place, int] = {}
        for leg in side:
            place = Place.of_leg(leg)
            units[place] = units.get(place, 0) + leg.units
        sides.append(list(units.items()))
    return sides[0], sides[1]


def payments_of(transfer: Transfer) -> Iterable[Payment]:
    """One payment for each payer and each other party it paid."""
    payers, paid = legs_of(transfer)
    order, pooled = order_of(transfer), len(payers) > 1
    for source, _ in payers:
        for target, units in paid:
            if source != target:
                yield Payment(
                    order, str(transfer.id), source, target, transfer.asset.name, units,
                    transfer.block.number, transfer.block.time, transfer.index, pooled,
                )  # fmt: skip


def flow_json(flow: Flow) -> Row:
    """A flow as plain data, amounts as texts."""
    return {
        "order": flow.order, "transfer": flow.transfer, "asset": flow.asset, "block": flow.block, "time": flow.time,
        "source": _place(flow.source), "target": _place(flow.target),
        "units": _units(flow.units), "basis": _units(flow.basis), "by_loss": _by_loss(flow.by_loss),
    }  # fmt: skip


def flow_of(row: Row) -> Flow:
    """Back from `flow_json`."""
    return Flow(
        row["order"], row["transfer"], Place(*row["source"]), Place(*row["target"]), row["asset"], row["block"],
        row["time"], _units_of(row["units"]), _units_of(row["basis"]), _by_loss_of(row["by_loss"]),
    )  # fmt: skip


def rest_json(rest: Rest) -> Row:
    """An end as plain data."""
    return {
        "place": _place(rest.place), "asset": rest.asset, "decimals": rest.decimals, "stop": rest.stop,
        "part": rest.part, "label": rest.label, "basis": rest.basis, "why": rest.why,
        "units": _units(rest.units), "stolen": _units(rest.stolen), "by_loss": _by_loss(rest.by_loss),
        "least": None if rest.least is None else str(rest.least), "most": None if rest.most is None else str(rest.most),
    }  # fmt: skip


def rest_of(row: Row) -> Rest:
    """Back from `rest_json`."""
    least, most = (None if row[name] is None else units_of(row[name]) for name in ("least", "most"))
    return Rest(
        Place(*row["place"]), row["asset"], row["decimals"], row["stop"], row["part"], row["label"], row["basis"],
        row["why"], _units_of(row["units"]), _units_of(row["stolen"]), _by_loss_of(row["by_loss"]), least, most,
    )  # fmt: skip


def trace_json(trace: TraceRecord) -> Row:
    """A trace without its flows and ends."""
    return {
        "id": trace.id, "at": trace.at, "direction": trace.direction, "asset": trace.asset, "decimals": trace.decimals,
        "partial": trace.partial, "losses": list(trace.losses), "rules": list(trace.rules),
    }  # fmt: skip


def trace_of(row: Row, flows: Iterable[Flow], ends: Iterable[Rest]) -> TraceRecord:
    """Back from `trace_json`, with its parts."""
    return TraceRecord(
        row["id"], row["at"], row["direction"], row["asset"], row["decimals"], row["partial"],
        tuple(row["losses"]), tuple(row["rules"]), tuple(flows), tuple(ends),
    )  # fmt: skip


def _place(place: Place) -> list[str]:
    return [place.asset, place.text, place.kind]


def _units(units: Units) -> list[list[str]]:
    return [[rule, str(number)] for rule, number in units]


def _units_of(rows: list[list[str]]) -> Units:
    return tuple((rule, units_of(number)) for rule, number in rows)


def _by_loss(parts: tuple[tuple[str, str, int], ...]) -> list[list[str]]:
    return [[rule, loss, str(units)] for rule, loss, units in parts]


def _by_loss_of(rows: list[list[str]]) -> tuple[tuple[str, str, int], ...]:
    return tuple((rule, loss, units_of(units)) for rule, loss, units in rows)
