"""Where a trace stops, and why: the settings, printed with every result, and what one address's own data say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import repeat
from operator import floordiv

from tracer.accounts import Account
from tracer.errors import InputError
from tracer.labels import LabelBook, Role
from tracer.ledger import Ledger
from tracer.trace import StopCode
from tracer.values import Address, Slot

DAY = 86_400


@dataclass(frozen=True, slots=True)
class StopRules:
    """Settings. Shares are "one part in n" of all that is claimed as lost, so that no price is needed offline.

    The shares are measured over everything that came to an address, never per payment, or a launderer would
    only have to pay in small pieces (docs/decisions/0006).
    """

    dust_one_in: int = 1_000_000
    diluted_percent: int = 1
    diluted_one_in: int = 10_000
    dormant_days: int = 180
    window_days: int = 365
    hops: int = 12
    label_confidence: int = 20
    service_counterparties: int = 1_000
    service_daily: int = 100
    service_days: int = 3
    deposit_score: int = 80

    def __post_init__(self) -> None:
        for setting in fields(self):
            value = getattr(self, setting.name)
            if type(value) is not int or value < 0:
                raise InputError(f"{setting.name} is {value!r}", "a whole number, 0 or more")

    def floor(self, lost: int, one_in: int) -> int:
        """The least units that count, of `lost`; 0 switches the rule off."""
        return -(-lost // one_in) if one_in else 0


@dataclass(frozen=True, slots=True)
class Stop:
    """The trace ends at `address` (None: at what names no address).

    `why` is a sentence; `evidence` what it rests on; `name` who it is, from labels.
    """

    address: Address | None
    code: StopCode
    why: str
    evidence: tuple[str, ...] = ()
    name: str = ""
    venue: Address | None = None


_ROLE_STOPS = {
    Role.EXCHANGE: StopCode.EXCHANGE,
    Role.EXCHANGE_DEPOSIT: StopCode.DEPOSIT_ADDRESS,
    Role.SERVICE: StopCode.SERVICE,
    Role.MIXER: StopCode.MIXER,
    Role.BRIDGE: StopCode.BRIDGE,
    Role.BURN: StopCode.BURNED,
    Role.PROTOCOL: StopCode.PROTOCOL,
    Role.TOKEN: StopCode.PROTOCOL,
}


def labelled(labels: LabelBook, address: Address, rules: StopRules) -> Stop | None:
    """The stop that a label calls for: custodians, mixers and bridges end a trace; "scam" and "sanctioned" do not."""
    for label in labels.of(address):
        code = _ROLE_STOPS.get(label.role)
        if code and label.confidence >= rules.label_confidence:
            name = label.name or label.entity
            conflict = labels.conflicts(address)
            also = f"; claims conflict: {', '.join(sorted({c.entity for c in conflict}))}" if conflict else ""
            day = f", {label.seen}" if label.seen else ""
            why = f"labelled {name!r} ({label.role}) by {label.source}{day}, confidence {label.confidence}{also}"
            return Stop(address, code, why, (label.evidence,), name)
    return None


def suspected_service(ledger: Ledger, address: Address, rules: StopRules) -> Stop | None:
    """An unlabelled address that pays or is paid by so many that following it would accuse strangers."""
    holdings = ledger.holdings_of(address)
    fewest = min(rules.service_counterparties, rules.service_daily * rules.service_days)
    if sum(ledger.lines(hid) for hid in holdings) < fewest:
        return None  # fewer lines than counterparties that it would take
    accounts = [ledger.account(hid) for hid in holdings]
    several = set[int]().union(*(account.others for account in accounts))  # as many as addresses, or more
    if len(several) < min(rules.service_counterparties, rules.service_daily):
        return None
    if len(several) < rules.service_counterparties and not _busy(accounts, rules):
        return None
    paid = _others(accounts, Account.paid)
    whose = _whose(ledger, address, holdings, paid | _others(accounts, Account.came))
    everyone = len(set(whose.values()))
    if everyone >= rules.service_counterparties:
        told = len({whose[other] for other in paid if other in whose})
        why = f"not labelled, but {everyone:,} counterparties are recorded ({told:,} of them paid)"
    else:
        by_day: dict[int, set[Address | int]] = {}
        for one in accounts:
            for time, other, units in zip(one.times, one.others, one.units, strict=True):
                if units and other in whose:
                    by_day.setdefault(time // DAY, set()).add(whose[other])
        busy = sum(1 for others in by_day.values() if len(others) >= rules.service_daily)
        if busy < rules.service_days:
            return None
        why = f"not labelled, but {rules.service_daily} or more counterparties a day on {busy} days"
    return Stop(address, StopCode.SUSPECTED_SERVICE, f"{why}: it may be a service; review by hand")


def _others(accounts: Sequence[Account], side: Callable[[Account, Iterable[int]], Iterator[int]]) -> set[int]:
    """The holdings on the other side of what was paid, or of what came."""
    lines = (zip(side(one, one.others), side(one, one.units), strict=True) for one in accounts)
    return {other for line in lines for other, units in line if units}


def _whose(ledger: Ledger, address: Address, mine: Sequence[int], others: set[int]) -> dict[int, Address | int]:
    """Who has each of `others`, but for nobody and `address` itself. Of one asset, each holding is another's."""
    holding = ledger.holding(mine[0]) if len(mine) == 1 else None
    if isinstance(holding, Slot):
        return {other: other for other in others - ledger.sinks(holding.asset) - {*mine}}
    found = ((other, ledger.address(other)) for other in others)
    return {other: whose for other, whose in found if whose is not None and whose != address}


def _busy(accounts: Sequence[Account], rules: StopRules) -> bool:
    """Whether there are as many lines on as many days as it takes: told without asking whose they are."""
    lines = Counter[int]()
    for account in accounts:
        lines.update(map(floordiv, account.times, repeat(DAY)))
    return sum(1 for count in lines.values() if count >= rules.service_daily) >= rules.service_days
