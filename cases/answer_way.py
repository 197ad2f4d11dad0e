"""What an answer says of the way: exchanges that value went through, and where the accounting rules part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cases.answer_ends import holding_of
from graphs.comparison import Choice, commingling
from graphs.conversions import Exchange
from graphs.following import Following
from graphs.leads import Lead
from graphs.origins import Origins
from tracer.conversions import Exchanged
from tracer.ledger import Ledger
from tracer.lots import Rule
from tracer.trace import place_of


def exchanges_part(following: Following | Origins) -> list[dict[str, Any]]:
    """Every exchange that a followed holding took part in, trusted or not: who gave what for what, and why."""
    if isinstance(following, Origins):
        return []
    return [_exchange(following.ledger, one) for one in following.exchanges]


def _exchange(ledger: Ledger, one: Exchange) -> dict[str, Any]:
    transfer = ledger.transfer(one.ordinal)
    return {
        "transaction": f"{transfer.id.chain}:{transfer.id.tx}",
        "block": transfer.block.number,
        "time": transfer.block.time,
        "kind": str(one.kind),
        "trusted": one.trusted,
        "why": one.why,
        "evidence": list(one.evidence),
        "conversions": [
            {"gave": [_leg(ledger, leg) for leg in part.gave], "got": [_leg(ledger, leg) for leg in part.got]}
            for part in one.conversions
        ],
    }


def _leg(ledger: Ledger, leg: Exchanged) -> dict[str, Any]:
    place = place_of(ledger, leg.hid)
    return {
        "address": place.address.text if place.address else None,
        "asset": place.asset.name,
        "symbol": place.asset.symbol,
        "decimals": place.asset.decimals,
        "units": str(leg.units),
    }


def commingling_part(following: Following | Origins, chosen: Sequence[Rule]) -> list[dict[str, Any]]:
    """Where the rules part, and the payments at which they do, with what each rule took."""
    return [
        {
            "address": point.place.address.text if point.place.address else None,
            "holding": holding_of(point.place),
            "asset": point.place.asset.name,
            "symbol": point.place.asset.symbol,
            "decimals": point.place.asset.decimals,
            "pooled": point.pooled,
            "choices": [_choice(choice) for choice in point.choices],
        }
        for point in commingling(following.ledger, following.moves, chosen)
    ]


def _choice(choice: Choice) -> dict[str, Any]:
    return {
        "transfer": str(choice.transfer),
        "units": str(choice.units),
        "mixture": str(choice.total),
        "stolen_in_it": {str(rule): str(units) for rule, units in choice.held.items()},
        "stolen_taken": {str(rule): str(units) for rule, units in choice.taken.items()},
    }


LEADS_SAY = (
    "Outputs beyond a CoinJoin that may be the stolen value's, with the odds if nothing else is known. "
    "Leads only: no amount follows from them, they are no part of the books, and they prove nothing."
)


def leads_part(leads: Sequence[Lead] | None) -> dict[str, Any] | None:
    """The probabilistic layer, apart from every amount; None where it was not asked for."""
    if leads is None:
        return None
    return {
        "says": LEADS_SAY,
        "found": [
            {
                "coinjoin": f"{lead.coinjoin.chain}:{lead.coinjoin.tx}",
                "output": f"{lead.output.chain}:{lead.output.tx}:{lead.output.index}",
                "address": lead.address.text if lead.address else None,
                "one_in": lead.one_in,
                "labelled": lead.labelled,
                "why": lead.why,
                "path": [id.tx for id in lead.path],
            }
            for lead in leads
        ],
    }
