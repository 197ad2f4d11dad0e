"""The payments that moved stolen value, as plain data: inferred from the trace, beside the transfer each rests on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphs.following import Following
from graphs.origins import Origins
from tracer.lots import Rule
from tracer.trace import Hop

Answer = Mapping[str, Any]
Traced = Following | Origins


def hops_of(answer: Answer, following: Traced) -> list[dict[str, Any]]:
    """The payments that moved stolen value, in the order of the chain: the units under each rule, and of each loss.

    `source` and `target` are None where several paid, or where there is no address. `gave`: asset -> rule -> units
    that were exchanged for it there; `basis_amounts` is what the units stand for in the stolen asset. `by_loss` and
    `basis_by_loss`: rule -> name of the loss -> units.
    """
    names = [loss["name"] for loss in answer["losses"]]
    found: dict[tuple[int, str | None, str | None], dict[str, Any]] = {}
    for rule, hop, ordinal in _moved(answer, following):
        transfer = following.ledger.transfer(ordinal)
        source, target = hop.source.text if hop.source else None, hop.target.text if hop.target else None
        asset = following.ledger.shown(transfer.asset)
        told = found.setdefault(
            (ordinal, source, target),
            {
                "transfer": str(transfer.id),
                "block": transfer.block.number,
                "time": transfer.block.time,
                "source": source,
                "target": target,
                "asset": asset.name,
                "symbol": asset.symbol,
                "decimals": asset.decimals,
                "through": [address.text for address in hop.through],
                "amounts": dict.fromkeys(answer["rules"], "0"),
                "basis_amounts": dict.fromkeys(answer["rules"], "0"),
                "gave": {},
                "by_loss": {one: {} for one in answer["rules"]},
                "basis_by_loss": {one: {} for one in answer["rules"]},
            },
        )
        for key, lots in (("amounts", hop.lots), ("basis_amounts", hop.basis)):
            told[key][rule] = str(int(told[key][rule]) + sum(units for _, units in lots))
        for asset, _, units in hop.gave:
            mine = told["gave"].setdefault(asset.name, {})
            mine[rule] = str(int(mine.get(rule, "0")) + units)
        for key, lots in (("by_loss", hop.lots), ("basis_by_loss", hop.basis)):
            of = told[key][rule]
            for label, units in lots:
                of[names[label - 1]] = str(int(of.get(names[label - 1], "0")) + units)
    return [
        told for _, told in sorted(found.items(), key=lambda item: (item[0][0], item[0][1] or "~", item[0][2] or "~"))
    ]


def _moved(answer: Answer, following: Traced) -> list[tuple[str, Hop, int]]:
    """(rule, hop, the ordinal of the recorded transfer behind it), by rule and in ledger order."""
    traces = following.traces()
    found = []
    for rule in (rule for rule in Rule if str(rule) in answer["rules"]):
        for hop in traces[rule].hops:
            ordinal = following.ledger.ordinal(hop.transfer)
            if ordinal is None:
                raise ValueError(f"{hop.transfer} is a hop and not in the ledger")
            found.append((str(rule), hop, ordinal))
    return found
