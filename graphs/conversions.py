"""Who exchanged what for what in one transaction, and why it is believed: an inference that the engine carries out.

Whoever takes a payment of one asset and a receipt of another for an exchange says that the stolen value is now in what
was received. So a thief who is believed too easily gets rid of it by handing himself a worthless token. Nothing is an
exchange here for looking like one: there is a reason for each, named in `why`, or the money is followed to whoever
was paid and the doubt is told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import prod

from graphs.counterparties import ExchangeRules, customers
from graphs.dealings import Trade, home_of, step_at, transfers_of
from graphs.reasons import Kind, Reason, Reasons
from tracer.conversions import Conversion, Exchanged
from tracer.labels import LabelBook
from tracer.ledger import Ledger
from tracer.values import Address, Asset, Family, Sink, Slot, shown

__all__ = ["Exchange", "ExchangeRules", "Kind", "Worth", "exchange"]

Worth = Callable[[Asset, int, int], int | None]  # (asset, units, UTC seconds) -> value in one common unit, if known

_TRUSTED = (Kind.SWAP, Kind.POSITION, Kind.WRAP, Kind.REBASE)
_DOUBTS = (Kind.LOSSY_SWAP, Kind.UNPROVEN, Kind.UNPRICED)  # the gravest first


@dataclass(frozen=True, slots=True)
class Exchange:
    """What was exchanged in the step at `ordinal`. `why` is a sentence; `evidence` what it rests on.

    Where it is not `trusted`, `conversions` are what it would be, for a person to decide; () where not even that can
    be told.
    """

    ordinal: int
    kind: Kind
    conversions: tuple[Conversion, ...]
    why: str
    evidence: tuple[str, ...]

    @property
    def trusted(self) -> bool:
        """Whether the engine carries it out. If not, the money is followed to whoever was paid."""
        return self.kind in _TRUSTED


@dataclass(frozen=True, slots=True)
class _Verdict:
    kind: Kind
    conversions: tuple[Conversion, ...]
    why: str
    evidence: tuple[str, ...]


def exchange(
    ledger: Ledger, labels: LabelBook, ordinal: int, rules: ExchangeRules | None = None, worth: Worth | None = None
) -> Exchange | None:
    """What was exchanged in the step at `ordinal`, None where nothing was.

    `worth`: prices, if there are any. Without them a rate cannot be judged, only who was dealt with.
    """
    movements = ledger.movements(ordinal)
    if not movements or ledger.transfer(ordinal).id.chain.family is Family.BITCOIN:
        return None
    if len(movements) == 1 and len(movements[0].inputs) == 1 == len(movements[0].outputs):
        return None
    return _Judge(ledger, labels, ordinal, rules or ExchangeRules(), worth).exchange()


class _Judge:
    """All that is asked about one step."""

    def __init__(
        self, ledger: Ledger, labels: LabelBook, ordinal: int, rules: ExchangeRules, worth: Worth | None
    ) -> None:
        self.ledger, self.labels, self.ordinal, self.rules = ledger, labels, ordinal, rules
        self.step = step_at(ledger, ordinal)
        self.reasons = Reasons(ledger, labels, ordinal, rules, self.step)
        self.worth = worth
        self.time = ledger.transfer(ordinal).block.time
        self.transfers = tuple(str(one.id) for one in transfers_of(ledger, ordinal) if one.units)

    def exchange(self) -> Exchange | None:
        givers, leads = self._givers()
        verdicts = self._apart([one for giver in givers for one in self._verdicts(giver)])
        rebased = self._rebases()
        doubts = [one for one in verdicts if one.kind in _DOUBTS]
        sure = [one for one in verdicts if one.kind in _TRUSTED]
        if doubts and (leads or not sure):
            worst = min(doubts, key=lambda one: _DOUBTS.index(one.kind))
            made = tuple(conversion for one in doubts for conversion in one.conversions)
            return Exchange(self.ordinal, worst.kind, made, worst.why, (*worst.evidence, *self.transfers))
        told = sure + rebased
        if not told:
            return None
        made = tuple(conversion for one in told for conversion in one.conversions)
        why = "; ".join(one.why for one in told)
        if doubts:
            why += f"; not carried out: {'; '.join(one.why for one in doubts)}"
        evidence = dict.fromkeys((*(text for one in told for text in one.evidence), *self.transfers))
        kind = min((one.kind for one in told), key=_TRUSTED.index)
        return Exchange(self.ordinal, kind, made, why, tuple(evidence))

    def _givers(self) -> tuple[list[Address], bool]:
        """Whose exchanges these are, and whether one party leads: the signer, or the wallet contract it called.

        If neither paid anything, as where a solver settles others' orders, all who paid are asked one by one.
        """
        payers = sorted(one for one in self.step.payers if not self.reasons.is_pool(one))
        for lead in (self.step.signer, self.step.called):
            if lead in payers:
                return [lead], True
        return payers, False

    def _verdicts(self, giver: Address) -> list[_Verdict]:
        groups: list[list[Trade]] = []
        for trade in self.step.trades(giver, self.reasons.is_pool):
            same = [group for group in groups if any(one.gave.keys() & trade.gave.keys() for one in group)]
            groups = [group for group in groups if group not in same]
            groups.append([*(one for group in same for one in group), trade])
        return [self._verdict(group) for group in groups]

    def _verdict(self, group: Sequence[Trade]) -> _Verdict:
        """What the trades of one giver that share what was given are taken for."""
        kinds = {self.reasons.kind(trade) for trade in group}
        kind = next(one for one in _TRUSTED if one in kinds)
        legs = self._legs(group)
        told = self._told(group)
        made = (Conversion(self.ordinal, *legs),) if legs else ()
        if any(not trade.alone for trade in group):
            return _Verdict(Kind.UNPROVEN, made, f"{told}, but others paid in too, and nothing says for whom", ())
        # What has no connection but the transaction may be alike in value by design: then no rate says anything.
        linked = kind is not Kind.SWAP or all(trade.joined for trade in group)
        rate = self._rate(group) if linked else None
        if rate is not None and not self._fair(*rate):
            why = f"{told}: by value {rate[1] * 100 // rate[0]} % came out of what went in; see who has the pool"
            return _Verdict(Kind.LOSSY_SWAP, made, why, ())
        for trade in group:
            own = self.reasons.own_pool(trade) if self.reasons.kind(trade) is Kind.SWAP else None
            if own is not None:
                return _Verdict(Kind.LOSSY_SWAP, made, f"{told}, through a pool that one party owns: {own[0]}", own[1])
        if not legs:
            why = f"{told}: several assets on one side, and what each is worth is not known"
            return _Verdict(Kind.UNPRICED, (), why, ())
        reasons: list[Reason] = []
        for trade in group:
            reason = self.reasons.reason(trade)
            if reason is None and rate is not None:
                reason = f"by value {rate[1] * 100 // rate[0]} % came out of what went in", ()
            if reason is None:
                why = f"{told} in one transaction, but nothing says that the one was given for the other"
                return _Verdict(Kind.UNPROVEN, made, why, ())
            reasons.append(reason)
        why = " and ".join(dict.fromkeys(text for text, _ in reasons))
        evidence = tuple(text for _, texts in reasons for text in texts)
        return _Verdict(kind, made + self._counterpart(group), f"{told}: {why}", evidence)

    def _counterpart(self, group: Sequence[Trade]) -> tuple[Conversion, ...]:
        """The other party's side, where two parties exchanged with each other and the other is no pool either."""
        (trade, *more) = group
        (other, *others) = sorted(trade.side)
        if more or others or len(trade.gave) != 1 or len(trade.got) != 1 or not trade.joined:
            return ()
        ((got_by, got),) = trade.got
        if got_by != trade.giver or self.reasons.is_pool(other) or other == self.step.called:
            return ()
        if self._givers()[1] is False and other in self._givers()[0]:
            return ()  # it is asked for itself
        if customers(self.ledger, other, (next(iter(trade.gave)), got), self.ordinal, self.rules):
            return ()
        gave = (self._leg(other, got, trade.got[trade.giver, got]),)
        return (Conversion(self.ordinal, gave, tuple(self._leg(other, *one) for one in trade.gave.items())),)

    def _rebases(self) -> list[_Verdict]:
        """Conversions of a holding into itself: what is stolen of it grows or shrinks in proportion."""
        found = []
        for hid, before, after, outputs in self.step.rebases:
            made = Conversion(self.ordinal, (Exchanged(hid, before, to=outputs),), (Exchanged(hid, after),))
            asset = self._asset(hid)
            why = f"{self.ledger.address(hid)}'s {_told(before, asset)} became {_told(after, asset)} where they are"
            found.append(_Verdict(Kind.REBASE, (made,), why, ()))
        return found

    def _apart(self, verdicts: list[_Verdict]) -> list[_Verdict]:
        """The same, but nothing that two givers' exchanges both claim is proven to be for either."""
        claimed: dict[int, set[Address | None]] = {}
        for one in verdicts:
            for conversion in one.conversions:
                giver = self.ledger.address(conversion.gave[0].hid)
                for leg in conversion.got:
                    claimed.setdefault(leg.hid, set()).add(giver)
        found = []
        for one in verdicts:
            if any(len(claimed[leg.hid]) > 1 for conversion in one.conversions for leg in conversion.got):
                why = f"{one.why}; but several paid for what was got, and nothing says who for how much"
                kind = Kind.UNPROVEN if one.kind in _TRUSTED else one.kind
                found.append(_Verdict(kind, one.conversions, why, one.evidence))
            else:
                found.append(one)
        return found

    def _legs(self, group: Sequence[Trade]) -> tuple[tuple[Exchanged, ...], tuple[Exchanged, ...]] | None:
        """What was given and got, with weights, None where nothing tells them.

        Several receipts of one asset weigh what they are. What was got for known parts of one asset weighs those
        parts. All else weighs what it is worth.
        """
        giver, (gave, got) = group[0].giver, _sums(group)
        for_each = all(len(trade.out) == 1 for trade in group) and len(gave) == 1
        weights: dict[tuple[Address, Asset], int | None]
        if len({asset for _, asset in got}) == 1:
            weights = dict(got)
        elif for_each:
            paid = dict.fromkeys(got, 0)
            totals = [sum(trade.got.values()) for trade in group]
            for trade, total in zip(group, totals, strict=True):
                for key, units in trade.got.items():
                    paid[key] += sum(trade.gave.values()) * units * (prod(totals) // total)
            weights = dict(paid)
        else:
            weights = {key: self._value(key[1], units) for key, units in got.items()}
        given = {asset: 1 if len(gave) == 1 else self._value(asset, units) for asset, units in gave.items()}
        side = frozenset[Address]().union(*(trade.side for trade in group))
        legs_in = tuple(
            replace(self._leg(giver, asset, units, given[asset] or 0), to=self._theirs(side, asset))
            for asset, units in gave.items()
        )
        legs_out = tuple(
            replace(self._leg(*key, units, weights[key] or 0), to=self._theirs(side, key[1], paid=True))
            for key, units in got.items()
        )
        return (legs_in, legs_out) if all(leg.weight for leg in legs_in + legs_out) else None

    def _theirs(self, side: frozenset[Address], asset: Asset, paid: bool = False) -> frozenset[int]:
        """The holdings of that asset that the side was paid into, or that it `paid` from.

        A token's contract stands for where it is issued and burned.
        """
        found = set()
        for one in self.step.movements:
            for hid, _ in one.inputs if paid else one.outputs:
                holding = self.ledger.holding(hid)
                if isinstance(holding, Slot | Sink) and holding.asset == asset and not self.ledger.is_fee(hid):
                    whose = holding.address if isinstance(holding, Slot) else home_of(asset)
                    if whose in side:
                        found.add(hid)
        return frozenset(found)

    def _leg(self, address: Address, asset: Asset, units: int, weight: int = 1) -> Exchanged:
        hid = self.ledger.hid(Slot(address, asset))
        if hid is None:
            raise ValueError(f"{address} has no {asset.name} in the ledger")  # it moved here, so it has
        return Exchanged(hid, units, weight)

    def _value(self, asset: Asset, units: int) -> int | None:
        return self.worth(asset, units, self.time) if self.worth is not None else None

    def _rate(self, group: Sequence[Trade]) -> tuple[int, int] | None:
        """(value that went in, value that came out), None where either is not known."""
        gave, got = _sums(group)
        values_in = [self._value(asset, units) for asset, units in gave.items()]
        values_out = [self._value(asset, units) for (_, asset), units in got.items()]
        went, came = (sum(one for one in side if one is not None) for side in (values_in, values_out))
        return None if None in values_in or None in values_out or went <= 0 else (went, came)

    def _fair(self, went: int, came: int) -> bool:
        return went * self.rules.least_percent <= came * 100 <= went * self.rules.most_percent

    def _told(self, group: Sequence[Trade]) -> str:
        giver, (gave, got) = group[0].giver, _sums(group)
        given = " and ".join(_told(units, asset) for asset, units in gave.items())
        mine = [_told(units, asset) for (address, asset), units in got.items() if address == giver]
        theirs = [f"{_told(units, asset)} went to {to}" for (to, asset), units in got.items() if to != giver]
        return f"{giver} gave {given} and {' and '.join((['got ' + ' and '.join(mine)] if mine else []) + theirs)}"

    def _asset(self, hid: int) -> Asset:
        holding = self.ledger.holding(hid)
        if not isinstance(holding, Slot | Sink):
            raise TypeError(f"no asset is exchanged at {holding}")
        return self.ledger.shown(holding.asset)


def _told(units: int, asset: Asset) -> str:
    """An amount with what a token is, not only what it calls itself."""
    amount = f"{shown(units, asset.decimals)} {asset}"  # no Amount: what several paid can be more than one can hold
    return f"{amount}{f' (token {asset.contract})' if asset.contract else ''}"


def _sums(group: Sequence[Trade]) -> tuple[dict[Asset, int], dict[tuple[Address, Asset], int]]:
    """What the trades gave and got in all."""
    gave: dict[Asset, int] = {}
    got: dict[tuple[Address, Asset], int] = {}
    for trade in group:
        for asset, units in trade.gave.items():
            gave[asset] = gave.get(asset, 0) + units
        for key, units in trade.got.items():
            got[key] = got.get(key, 0) + units
    return gave, got
