"""Reasons to believe that what one party gave and what it got are one exchange: structure, labels, the record.

None of them knows any one protocol; each is a sentence's part that says what it rests on.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from graphs.counterparties import ExchangeRules, claim, custodian, customers, dealt_with, lets_go, owner
from graphs.dealings import Step, Trade, home_of
from tracer.labels import LabelBook, Role
from tracer.ledger import Ledger
from tracer.values import Address, Slot

Reason = tuple[str, tuple[str, ...]]  # a sentence's part, and what it rests on


class Kind(StrEnum):
    """What an exchange is taken for."""

    SWAP = "swap"
    WRAP = "wrap"  # with the token's own contract, for the token or back
    POSITION = "position"  # for a share in a pool, a vault or a stake, or back
    REBASE = "rebase"  # the amount of a token changes where it is
    LOSSY_SWAP = "lossy swap"  # the rate is out of bounds, or the pool is one party's own
    UNPRICED = "unpriced"  # several assets on one side, and nothing says what each is worth
    UNPROVEN = "unproven"  # it looks like an exchange, and nothing else says that it is one


@dataclass(frozen=True, slots=True)
class Reasons:
    """What speaks for an exchange, and against it, in the step at `ordinal`."""

    ledger: Ledger
    labels: LabelBook
    ordinal: int
    rules: ExchangeRules
    step: Step

    def is_pool(self, address: Address) -> bool:
        """A contract of what moved here, or labelled as one that exchanges: no person."""
        known = claim(self.labels, address, (Role.PROTOCOL, Role.TOKEN), self.rules)
        return address in self.step.contracts or known is not None

    def kind(self, trade: Trade) -> Kind:
        """Swap, wrap or position, by who issues or burns what."""
        assets = [*trade.gave, *trade.out]
        homes = {home_of(asset) for asset in assets} & trade.side
        if len(trade.side) == 1 and len(assets) == 2 and homes:
            return Kind.WRAP
        issued = {home_of(asset) for asset in trade.out} & self.step.paying(trade)
        burned = {home_of(asset) for asset in trade.gave} & self.step.paid_by(trade.giver, trade.side)
        return Kind.POSITION if issued | burned else Kind.SWAP

    def reason(self, trade: Trade) -> Reason | None:
        """The first reason there is, prices apart."""
        made_up = self.rules.unlabelled  # anybody can deploy a token, call a router and trade with himself
        found = self._by_itself(trade) or self._by_label(trade)
        return found or (self._by_record(trade) if made_up else None)

    def _by_itself(self, trade: Trade) -> Reason | None:
        """The token's contract took what was given and issued the token, or took the token and released the rest."""
        paid, paying = self.step.paid_by(trade.giver, trade.side), self.step.paying(trade)
        if not trade.joined or self.kind(trade) is Kind.SWAP or len(paid | paying) != 1:
            return None
        (contract,) = paid
        for tokens, reserves in ((trade.out, trade.gave), (trade.gave, trade.out)):
            token = next((asset for asset in tokens if home_of(asset) == contract), None)
            if token is not None:
                if not self._is_labelled(contract):
                    if not self.rules.unlabelled:
                        return None
                    for reserve in reserves:
                        if lets_go(self.ledger, contract, token, reserve, self.ordinal, self.rules):
                            return None
                return f"{contract} is the contract of {token} and itself took the one and gave the other", ()
        return None

    def _is_labelled(self, address: Address) -> bool:
        return claim(self.labels, address, (Role.PROTOCOL, Role.TOKEN), self.rules) is not None

    def _by_label(self, trade: Trade) -> Reason | None:
        """A label says that who was paid, was called or passed it on exchanges for others.

        Who was paid must be who pays out, or be labelled too: that the first pool is known says nothing of the last.
        """
        roles = (Role.PROTOCOL,) if self.kind(trade) is Kind.SWAP else (Role.PROTOCOL, Role.TOKEN)
        paid, paying = self.step.paid_by(trade.giver, trade.side), self.step.paying(trade)
        all_of = paid | paying if self.kind(trade) is Kind.SWAP else paid
        found = [claim(self.labels, address, roles, self.rules) for address in sorted(all_of)]
        if not all(found) and trade.joined and self.rules.unlabelled:
            found = [claim(self.labels, address, (Role.PROTOCOL,), self.rules) for address in self._passed(trade)]
        else:
            found = found if all(found) else []
        label = next((one for one in found if one is not None), None)
        if label is None:
            return None
        name = label.name or label.entity
        why = f"{label.address} is labelled {name!r} ({label.role}) by {label.source}, confidence {label.confidence}"
        return why, (label.evidence,)

    def _passed(self, trade: Trade) -> list[Address]:
        """The contract that was called, and whom what was given or got passed without staying."""
        found = [self.step.called] if self.step.called is not None else []
        ends = {(trade.giver, asset) for asset in trade.gave} | set(trade.got)
        for one in self.step.movements:
            holdings = [self.ledger.holding(hid) for hid, _ in one.inputs + one.outputs]
            if any(isinstance(holding, Slot) and (holding.address, holding.asset) in ends for holding in holdings):
                found += [address for hid in one.through if (address := self.ledger.address(hid)) is not None]
        return found

    def _by_record(self, trade: Trade) -> Reason | None:
        """Whoever exchanged is a market: the record shows it exchanging the same two assets, both ways, with many."""
        pools = self.step.pools(trade)
        # A wrapper on the way is not asked: whoever exchanges with its token beside it is.
        wrappers = [pool for pool, sides in pools.items() if {pool} & {home_of(one) for side in sides for one in side}]
        pools = {pool: sides for pool, sides in pools.items() if pool not in wrappers}
        if not trade.joined or not pools:
            return None
        kin = dealt_with(self.ledger, trade.giver, self.ordinal, self.rules) | {trade.giver}
        steps: dict[int, None] = {}
        fewest = 0
        for pool, (got, paid) in pools.items():
            if len(got) != 1 or len(paid) != 1:
                return None
            pair = next(iter(got)), next(iter(paid))
            others = customers(self.ledger, pool, pair, self.ordinal, self.rules)
            others = {address: at for address, at in others.items() if address not in kin}
            if len(others) < max(self.rules.market_parties, 1):
                return None
            fewest = min(fewest or len(others), len(others))
            steps |= dict.fromkeys(list(others.values())[: self.rules.market_parties])
        names = " and ".join(str(pool) for pool in pools)
        why = f"{names} exchanged the same two assets, both ways, with {fewest} others in the record"
        return why, tuple(str(self.ledger.transfer(at).id) for at in steps)

    def own_pool(self, trade: Trade) -> Reason | None:
        """That most of a pool's recorded liquidity came from a party, or from somebody it dealt with directly."""
        parties = sorted({trade.giver, *(address for address, _ in trade.got)})
        for pool, (got, paid) in self.step.pools(trade).items():
            for asset, moved in (*got.items(), *paid.items()):
                own = owner(self.ledger, pool, asset, moved, self.ordinal, self.rules)
                if own is None or custodian(self.labels, own.address, self.rules):
                    continue
                for party in parties:
                    kin = own.address == party
                    if kin or own.address in dealt_with(self.ledger, party, self.ordinal, self.rules):
                        share = f"{own.units * 100 // own.total} % of the {asset} recorded as {pool}'s liquidity"
                        who = party.text if kin else f"{own.address}, which dealt directly with {party}"
                        ids = tuple(str(self.ledger.transfer(at).id) for at in own.steps)
                        return f"{share} came from {who}", ids
        return None
