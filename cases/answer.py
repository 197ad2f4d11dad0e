"""The answer: what a finished trace says, as plain data. This is the JSON interface that docs/answer.md explains."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from cases.answer_coverage import blind_because, coverage_part, partial_because, passed
from cases.answer_ends import conflicts_part, ends_part, resting
from cases.answer_venues import venues_part
from cases.answer_way import commingling_part, exchanges_part, leads_part
from connectors.protocol import Problem
from graphs.counterparties import ExchangeRules
from graphs.following import Following
from graphs.leads import Lead
from graphs.origins import Origins
from graphs.stops import StopRules
from tracer.envelope import Bounds
from tracer.errors import CaseConflict, InputError
from tracer.labels import LabelBook
from tracer.ledger import Ledger
from tracer.losses import Loss
from tracer.lots import Rule
from tracer.trace import Place, Trace
from tracer.values import Asset, Slot, shown

FORMAT = "fundtrail-answer/2"
REACH_SAYS = (
    "Addresses that stolen value may have come to if every unit that touched it counted as stolen. "
    "Reach only: no amount follows from it, and nothing is claimed from it."
)


@dataclass(frozen=True, slots=True)
class Requests:
    """What was asked of the sources: how many addresses, of which sources, of how many allowed (None: no limit)."""

    asked: int = 0
    budget: int | None = None
    sources: tuple[str, ...] = ()


def answer(
    following: Following | Origins,
    bounds: Mapping[Place, Bounds] | None,
    labels: LabelBook,
    *,
    rules: StopRules,
    requested: Sequence[Rule] | None = None,
    requests: Requests | None = None,
    problems: Sequence[Problem] = (),
    leads: Sequence[Lead] | None = None,
    head: str = "",
) -> dict[str, Any]:
    """What `following` says under the `requested` rules (None: all there are for such a chain).

    Text, lists, dicts, counts, truth values and None; every amount is a text of base units. `bounds` are
    `following.bounds()`, None where they were not computed. `head` names the state of the case (the hash of its last
    log entry), `problems` what could not be read, `leads` what was asked for beyond CoinJoins.
    Raises `CaseConflict` while something is still to be read, `InputError` for losses that cannot be added up,
    `BooksDoNotClose` if a trace contradicts itself.
    """
    asset = _one_asset(following)
    asked = requests or Requests()
    chosen = _chosen(following, Rule.of(asset.chain.family) if requested is None else requested)
    names = [loss.name for loss in following.losses]
    traces = following.traces()
    rests = resting(traces, following.stops)
    ends = ends_part(following, rests, chosen, names, bounds, labels, rules)
    coverage = coverage_part(following, rests, traces, chosen)
    wallets = passed(following, traces)
    because = [*partial_because(ends, chosen, coverage), *blind_because(following, wallets, ends)]
    because += _missing(following, traces, chosen)
    return {
        "format": FORMAT,
        "direction": "backward" if isinstance(following, Origins) else "forward",
        "case": {"head": head or None},
        "asset": {"chain": asset.chain.name, "name": asset.name, "symbol": asset.symbol, "decimals": asset.decimals},
        "losses": [_loss(loss, label, traces, chosen) for label, loss in enumerate(following.losses, start=1)],
        "rules": [str(rule) for rule in chosen],
        "between": str(following.between),
        "fees": str(following.course.fees),
        "order": str(following.ledger.order),
        "settings": asdict(rules),
        "exchange_settings": asdict(ExchangeRules(label_confidence=rules.label_confidence)),
        "partial": bool(because),
        "partial_because": because,
        "ends": ends,
        "books": {str(rule): _books(traces[rule]) for rule in chosen},
        "exchanges": exchanges_part(following),
        "commingling": commingling_part(following, chosen),
        "leads": leads_part(leads),
        "venues": venues_part(following, rests, chosen, labels, rules),
        "not_in_data": _not_in_data(traces, chosen, names),
        "reach": {"addresses": _reach(following), "says": REACH_SAYS},
        "coverage": coverage,
        "order_not_told": _order_not_told(following),
        "requests": {
            "asked": asked.asked,
            "wallets": len(wallets),
            "ratio": _ratio(asked.asked, len(wallets)),
            "budget": asked.budget,
            "sources": sorted(set(asked.sources)),
        },
        "conflicts": conflicts_part(rests, labels),
        "problems": [{"text": problem.text, "where": problem.where} for problem in problems],
    }


def canonical(answer: Mapping[str, Any]) -> str:
    """The one spelling of an answer: JSON in ASCII, keys sorted, on one line.

    >>> canonical({"b": "1", "a": ["é"]})
    '{"a":["\\\\u00e9"],"b":"1"}\\n'
    """
    return json.dumps(answer, sort_keys=True, ensure_ascii=True, allow_nan=False, separators=(",", ":")) + "\n"


def _one_asset(following: Following | Origins) -> Asset:
    """The asset of all losses: amounts of two cannot be added up, nor losses of one name told apart."""
    if following.expand:
        raise CaseConflict(
            f"the trace is not finished: {len(following.expand)} addresses are still to be read",
            "let it run on, or give it a budget, so that what is not read becomes an end of its own",
        )
    assets = sorted({loss.asset for loss in following.losses})
    if len(assets) != 1:
        told = ", ".join(asset.name for asset in assets) or "none"
        raise InputError(f"one answer speaks of one asset; the losses are in: {told}", "trace each asset on its own")
    names = [loss.name for loss in following.losses]
    if len(set(names)) != len(names):
        raise InputError("two losses have one name", "give each loss a name of its own")
    return assets[0]


def _chosen(following: Following | Origins, requested: Sequence[Rule]) -> list[Rule]:
    missing = [rule for rule in Rule if rule in requested and rule not in following.moves]
    if missing or not requested:
        can = ", ".join(rule for rule in Rule if rule in following.moves)
        told = ", ".join(missing)
        raise InputError(
            f"no trace under {told}" if told else "no rule is asked for", f"this trace can be had under: {can}"
        )
    return [rule for rule in Rule if rule in requested]


def _loss(loss: Loss, label: int, traces: Mapping[Rule, Trace], chosen: Sequence[Rule]) -> dict[str, Any]:
    return {
        "name": loss.name,
        "asset": loss.asset.name,
        "start": _start(loss),
        "since": loss.since,
        "victim": loss.victim,
        "units": None if loss.units is None else str(loss.units),
        "lost": {str(rule): str(dict(traces[rule].lost).get(label, 0)) for rule in chosen},
    }


def _start(loss: Loss) -> str:
    if loss.paid is None:
        return str(loss.wallet)
    return str(loss.paid) if loss.output is None else f"{loss.paid.chain}:{loss.paid.tx}:{loss.output}"


def _missing(following: Following | Origins, traces: Mapping[Rule, Trace], chosen: Sequence[Rule]) -> list[str]:
    """Losses of which less counts than was stated or paid, a sentence each: the rest must not be taken for traced."""
    said = []
    for label, loss in enumerate(following.losses, start=1):
        most = max(dict(traces[rule].lost).get(label, 0) for rule in chosen)
        moved = loss.units if loss.units is not None else _moved(following.ledger, loss)
        told = f"{shown(most, loss.asset.decimals)} of the {shown(moved, loss.asset.decimals)} {loss.asset}"
        if loss.units is not None and most < moved:
            said.append(
                f"loss {loss.name}: no more than {told} stated is recorded, or the rest is another loss already"
            )
        elif not most:
            said.append(f"loss {loss.name}: none of it counts: what it names is another loss already, or not recorded")
        elif most < moved:
            why = "the rest came back in the same transaction, or is another loss already"
            said.append(f"loss {loss.name}: {told} that the payment moved count: {why}")
    return said


def _moved(ledger: Ledger, loss: Loss) -> int:
    """What the payment that a loss names moved by the record; 0 for a wallet."""
    ordinal = None if loss.paid is None else ledger.ordinal(loss.paid)
    if ordinal is None:
        return 0
    transfer = ledger.transfer(ordinal)
    return transfer.units if loss.output is None else transfer.outputs[loss.output].units


def _books(trace: Trace) -> dict[str, str]:
    return {part: str(units) for part, units in asdict(trace.books).items()}


def _not_in_data(traces: Mapping[Rule, Trace], chosen: Sequence[Rule], names: Sequence[str]) -> list[dict[str, Any]]:
    """Units that left wallets without having been seen to arrive, by the loss they count as, None for none."""
    found: dict[tuple[str, str, int], tuple[Asset, dict[str, int]]] = {}
    for rule in chosen:
        for unseen in traces[rule].unseen:
            key = unseen.address.text if unseen.address else "", unseen.asset.name, unseen.label
            _, amounts = found.setdefault(key, (unseen.asset, dict.fromkeys(map(str, chosen), 0)))
            amounts[str(rule)] += unseen.units
    return [
        {
            "address": address or None,
            "asset": name,
            "symbol": asset.symbol,
            "decimals": asset.decimals,
            "loss": names[label - 1] if label else None,
            "amounts": {rule: str(units) for rule, units in amounts.items()},
        }
        for (address, name, label), (asset, amounts) in sorted(found.items(), key=lambda item: item[0])
        if any(amounts.values())
    ]


def _reach(following: Following | Origins) -> int:
    addresses = (following.ledger.address(hid) for hid in following.reached())
    return len({address for address in addresses if address is not None})


def _order_not_told(following: Following | Origins) -> list[dict[str, Any]]:
    """Where a source does not say which of two payments in a block came first, and stolen value was there."""
    found = set()
    ledger = following.ledger
    followed = [hid for address in sorted(following.followed) for hid in ledger.holdings_of(address)]
    for holding, block in ledger.ambiguous(followed):
        if isinstance(holding, Slot):
            found.add((holding.address.text, block))
    return [{"address": address, "block": block} for address, block in sorted(found)]


def _ratio(asked: int, wallets: int) -> str | None:
    """asked / wallets with two decimals, rounded up so that it never looks better than it is.

    >>> _ratio(3, 2), _ratio(1, 3), _ratio(5, 0)
    ('1.50', '0.34', None)
    """
    if not wallets:
        return None
    hundredths = -(-asked * 100 // wallets)
    return f"{hundredths // 100}.{hundredths % 100:02d}"
