"""Where a trace stops, and why: the settings, printed with every result, and what one address's own data say."""

from __future__ import annotations

from dataclasses import dataclass, fields

from tracer.errors import InputError
from tracer.labels import LabelBook, Role
from tracer.ledger import Ledger
from tracer.trace import StopCode
from tracer.values import Address

DAY = 86_400


@dataclass(frozen=True, slots=True)
class StopRules:
    """Settings. Shares are "one part in n" of all losses of the asset, so that no price is needed offline.

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
    entries = [entry for hid in holdings for entry in ledger.entries(hid)]
    if len({entry.other for entry in entries}) < min(rules.service_counterparties, rules.service_daily):
        return None
    mine = set(holdings)
    everyone: set[Address] = set()
    paid: set[Address] = set()
    by_day: dict[int, set[Address]] = {}
    for entry in entries:
        if not entry.units or entry.other in mine:
            continue
        other = ledger.address(entry.other)
        if other is not None and other != address:
            everyone.add(other)
            by_day.setdefault(entry.time // DAY, set()).add(other)
            if entry.out:
                paid.add(other)
    busy = sum(1 for others in by_day.values() if len(others) >= rules.service_daily)
    if len(everyone) >= rules.service_counterparties:
        why = f"not labelled, but {len(everyone):,} counterparties are recorded ({len(paid):,} of them paid)"
    elif busy >= rules.service_days:
        why = f"not labelled, but {rules.service_daily} or more counterparties a day on {busy} days"
    else:
        return None
    return Stop(address, StopCode.SUSPECTED_SERVICE, f"{why}: it may be a service; review by hand")
