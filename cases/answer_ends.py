"""The ends of an answer: one entry per place where stolen value rests, with every rule's figure beside the envelope."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphs.comparison import Compared
from graphs.following import Following
from graphs.origins import Origins
from graphs.stops import Stop, StopRules, labelled
from tracer.coverage import State
from tracer.envelope import Bounds
from tracer.errors import BooksDoNotClose
from tracer.labels import Label, LabelBook
from tracer.ledger import Ledger
from tracer.lots import Rule
from tracer.trace import End, Part, Place, Spot, StopCode, Trace
from tracer.values import Address, Outpoint, Sink, TransferId

#: What a stop rests on: facts, inferences and decisions are never worded alike.
_BASIS = {
    StopCode.DEPOSIT_ADDRESS: "behaviour",
    StopCode.SUSPECTED_SERVICE: "behaviour",
    StopCode.COINJOIN: "behaviour",
    StopCode.DUST: "setting",
    StopCode.DILUTED: "setting",
    StopCode.TIME_WINDOW: "setting",
    StopCode.HOP_LIMIT: "setting",
    StopCode.BUDGET: "setting",
    StopCode.NOT_READ: "coverage",
    StopCode.INDIVISIBLE: "record",
}
_UNSTOPPED = {  # why, where no stop says it
    StopCode.FEE: "paid to the network as fees",
    StopCode.BURNED: "out of circulation: nobody can spend it",
    StopCode.UNSPENT: "in an output that names no address",
    StopCode.INDIVISIBLE: "exchanged for less than one unit of what was received, so no unit there is it",
}


@dataclass(frozen=True, slots=True)
class Rest:
    """One place, its stop, and what rests there under each rule that was computed."""

    place: Place
    code: StopCode
    stop: Stop | None
    by_rule: Mapping[Rule, End]

    def units(self, rule: Rule) -> int:
        """Base units of the place's asset under `rule`, all losses together."""
        end = self.by_rule.get(rule)
        return end.units if end else 0

    def stolen(self, rule: Rule) -> int:
        """What they stand for in the stolen asset."""
        end = self.by_rule.get(rule)
        return end.stolen if end else 0

    @property
    def asset_name(self) -> str:
        """The asset's identity as text."""
        return self.place.asset.name

    @property
    def holding(self) -> str | None:
        """What it is where it has no address: `fee`, an output, or a transaction."""
        return holding_of(self.place)


def holding_of(place: Place) -> str | None:
    """A place without an address, as text; None where it has one."""
    match place.holding:
        case Sink(kind=kind):
            return str(kind)
        case Outpoint(chain=chain, tx=tx, index=index):
            return f"{chain}:{tx}:{index}"
        case TransferId(chain=chain, tx=tx):
            return f"{chain}:{tx}"
    return None


def resting(traces: Mapping[Rule, Trace], stops: Mapping[Spot, Stop]) -> list[Rest]:
    """Every place where any rule leaves stolen value: also those where a rule that was not asked for does."""
    found: dict[Place, dict[Rule, End]] = {}
    for rule, trace in traces.items():
        for end in trace.ends:
            found.setdefault(end.place, {})[rule] = end
    rests = []
    for place, ends in found.items():
        # Where one rule leaves too little for a unit and another leaves units, the place is what it is for the units.
        code = next((end.stop for end in ends.values() if end.stop is not StopCode.INDIVISIBLE), StopCode.INDIVISIBLE)
        stop = stops.get(place.spot) if place.spot and code is not StopCode.INDIVISIBLE else None
        rests.append(Rest(place, code, stop, ends))
    return rests


def ends_part(
    following: Following | Origins, rests: Sequence[Rest], chosen: Sequence[Rule], names: Sequence[str],
    bounds: Mapping[Place, Bounds] | None, labels: LabelBook, rules: StopRules,
) -> list[dict[str, Any]]:  # fmt: skip
    """The entries, by part of the books, the largest amount first."""
    parts = list(Part)

    def order(rest: Rest) -> tuple[int, int, int, str, str]:
        most = bounds[rest.place].stolen[1] if bounds and rest.place in bounds else 0
        address = rest.place.address.text if rest.place.address else "~"
        largest = max(rest.stolen(rule) for rule in chosen)
        return parts.index(rest.code.part), -largest, -most, address, (rest.holding or "") + rest.asset_name

    return [_end(following, rest, chosen, names, bounds, labels, rules) for rest in sorted(rests, key=order)]


def _end(
    following: Following | Origins, rest: Rest, chosen: Sequence[Rule], names: Sequence[str],
    bounds: Mapping[Place, Bounds] | None, labels: LabelBook, rules: StopRules,
) -> dict[str, Any]:  # fmt: skip
    place, address = rest.place, rest.place.address
    basis, name, source = _who(rest, labels, rules)
    found = _envelope(rest, bounds)
    over = Compared(place, {rule: rest.stolen(rule) for rule in chosen})
    return {
        "chain": place.asset.chain.name,
        "address": address.text if address else None,
        "holding": rest.holding,
        "asset": place.asset.name,
        "decimals": place.asset.decimals,
        "symbol": place.asset.symbol,
        "stop": str(rest.code),
        "part": str(rest.code.part),
        "label": name,
        "labelled_by": source,
        "basis": basis,
        "why": rest.stop.why if rest.stop else _UNSTOPPED.get(rest.code, str(rest.code)),
        "amounts": {str(rule): str(rest.units(rule)) for rule in chosen},
        "basis_amounts": {str(rule): str(rest.stolen(rule)) for rule in chosen},
        "by_loss": {str(rule): _by_loss(rest, rule, names) for rule in chosen},
        "over_rules": {"least": str(over.least), "most": str(over.most)},
        "least": str(found.least) if found else None,
        "most": str(found.most) if found else None,
        "basis_least": str(found.stolen[0]) if found else None,
        "basis_most": str(found.stolen[1]) if found else None,
        "rule_independent": found is not None and found.rule_independent,
        "transfers": _transfers(following.ledger, rest),
        "evidence": list(rest.stop.evidence) if rest.stop else [],
        "coverage": _coverage(following.ledger, address),
        "hops": following.hops.get(address) if address else None,
    }


def _who(rest: Rest, labels: LabelBook, rules: StopRules) -> tuple[str, str, str]:
    """(basis, name, source of the name). A name that the stop gives comes first, then the deciding claim's."""
    address = rest.place.address
    if rest.stop is None:
        return "record", "", ""
    if address is None:
        return _BASIS.get(rest.code, "record"), "", ""
    basis = "label" if labelled(labels, address, rules) == rest.stop else _BASIS.get(rest.code, "record")
    claims = labels.of(address)
    if rest.stop.name:
        told = [claim for claim in claims if _called(claim) == rest.stop.name] if basis == "label" else []
        return basis, rest.stop.name, told[0].source if told else ""
    claims = tuple(sorted(claims, key=lambda claim: claim.confidence < rules.label_confidence))  # those trusted first
    if not claims:
        return basis, "", ""
    weak = claims[0].confidence < rules.label_confidence
    doubt = f" (confidence {claims[0].confidence}, under {rules.label_confidence}: not acted on)" if weak else ""
    return basis, _called(claims[0]) + doubt, claims[0].source


def _called(claim: Label) -> str:
    return claim.name or claim.entity


def _envelope(rest: Rest, bounds: Mapping[Place, Bounds] | None) -> Bounds | None:
    """The bounds. A rule outside them would prove one of the two wrong, so then there is no answer."""
    if bounds is None:
        return None
    found = bounds.get(rest.place, Bounds(0, 0))  # places that the envelope does not name can hold nothing
    low, high = found.stolen
    for rule, end in rest.by_rule.items():
        if not (found.least <= end.units <= found.most and low <= end.stolen <= high):
            raise BooksDoNotClose(
                f"under {rule} {end.units} base units ({end.stolen} of what was stolen) rest at "
                f"{rest.place.address or rest.holding}, outside the envelope of {found}",
                "this is a defect in fundtrail; keep the case file and report it",
            )
    return found


def _by_loss(rest: Rest, rule: Rule, names: Sequence[str]) -> dict[str, str]:
    end = rest.by_rule.get(rule)
    return {names[label - 1]: str(units) for label, units in (end.basis if end else ()) if units}


def _transfers(ledger: Ledger, rest: Rest) -> list[str]:
    """What carried stolen value there under any rule, in ledger order."""
    ids: dict[TransferId, None] = {id: None for end in rest.by_rule.values() for id in end.transfers}
    return [str(id) for id in sorted(ids, key=lambda id: (ledger.ordinal(id) or 0, id))]


def _coverage(ledger: Ledger, address: Address | None) -> dict[str, Any] | None:
    if address is None:
        return None
    found = ledger.coverage.of(address)
    missing = [] if found.state is State.NOT_ASKED else [str(kind) for kind in found.missing]
    return {"state": found.state.word, "missing": missing}


def conflicts_part(rests: Sequence[Rest], labels: LabelBook) -> list[dict[str, Any]]:
    """The claims about an end's address where two of them name different owners."""
    addresses = sorted({rest.place.address for rest in rests if rest.place.address is not None})
    return [
        {"address": address.text, "claims": [_claim(claim) for claim in claims]}
        for address in addresses
        if (claims := labels.conflicts(address))
    ]


def _claim(claim: Label) -> dict[str, Any]:
    return {
        "entity": claim.entity,
        "name": claim.name,
        "role": str(claim.role),
        "source": claim.source,
        "seen": claim.seen.isoformat() if claim.seen else None,
        "confidence": claim.confidence,
        "evidence": claim.evidence,
    }
