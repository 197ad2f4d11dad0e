"""Labels: claims about addresses, each with who says so, when, how surely and from which bytes. Conflicts are kept."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from tracer.entities import same_entity
from tracer.errors import InputError
from tracer.values import Address


class Role(StrEnum):
    """What an address is said to be. The custodial and mixing roles end a trace; the others inform it."""

    EXCHANGE = "exchange"  # a custodial exchange's own wallet
    EXCHANGE_DEPOSIT = "exchange deposit"  # an address an exchange gave to one customer
    SERVICE = "service"  # custodial, but not an exchange: payment processor, gambling, custodian, market
    MIXER = "mixer"
    BRIDGE = "bridge"
    PROTOCOL = "protocol"  # exchange contract, lending pool, router: value is converted, not kept
    TOKEN = "token"  # a token's contract
    MINER = "miner"
    SCAM = "scam"  # phishing, fraud, theft, ransomware
    SANCTIONED = "sanctioned"
    BURN = "burn"  # an address nobody can spend from
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Label:
    """One claim about one address.

    `entity` is who ("HTX"), `name` the address's own name ("HTX 35"). `seen` is the day the claim was taken from its
    source, None where unknown; `confidence` 0 to 100 as TagPacks grade it (100 proven, 50 reported, 20 crawled,
    10 heuristic). `evidence` is the hash of the bytes it was read from, with the row. `note` is the source's remark.
    """

    address: Address
    entity: str
    name: str
    role: Role
    source: str
    seen: date | None
    confidence: int
    evidence: str
    note: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.confidence <= 100:
            raise InputError(f"label confidence {self.confidence} is not between 0 and 100")
        if not self.source or not self.evidence:
            raise InputError(f"label of {self.address} names no source", "a label without a source is not loaded")


#: Which claim decides where a trace stops when several are made about one address: the first of these that any makes.
PRECEDENCE = (
    Role.MIXER,
    Role.EXCHANGE_DEPOSIT,
    Role.EXCHANGE,
    Role.BRIDGE,
    Role.SERVICE,
    Role.BURN,
    Role.PROTOCOL,
    Role.TOKEN,
    Role.MINER,
    Role.SANCTIONED,
    Role.SCAM,
    Role.OTHER,
)

#: Roles whose entity is who has the money. That "OFAC SDN" and "Tornado Cash" both speak of one address is no conflict.
CUSTODIANS = frozenset({Role.EXCHANGE, Role.EXCHANGE_DEPOSIT, Role.SERVICE, Role.MIXER, Role.BRIDGE})


class LabelBook:
    """All claims, by address. Nothing is overwritten; repeats of the same claim by the same source count once."""

    def __init__(self, labels: Iterable[Label] = ()) -> None:
        self._by_address: dict[Address, dict[tuple[str, str, Role, str, int, str], Label]] = {}
        for label in labels:
            self.add(label)

    def add(self, label: Label) -> None:
        """Keep the claim; of repeats by one source the newest day stays."""
        claims = self._by_address.setdefault(label.address, {})
        key = label.entity, label.name, label.role, label.source, label.confidence, label.note
        known = claims.get(key)
        if known is None or (label.seen or date.min, label.evidence) > (known.seen or date.min, known.evidence):
            claims[key] = label

    def of(self, address: Address) -> tuple[Label, ...]:
        """Every claim about `address`, the deciding one first."""
        return tuple(sorted(self._by_address.get(address, {}).values(), key=_weight))

    def deciding(self, address: Address) -> Label | None:
        """The claim that decides where a trace stops: by role (`PRECEDENCE`), then confidence, then the newest."""
        return next(iter(self.of(address)), None)

    def conflicts(self, address: Address) -> tuple[Label, ...]:
        """The claims that name a custodian of `address`, if two of them name different ones, else nothing."""
        claims = [label for label in self.of(address) if label.entity and label.role in CUSTODIANS]
        apart = any(not same_entity(claims[0].entity, claim.entity) for claim in claims[1:])
        return tuple(claims) if apart else ()

    def addresses(self) -> Collection[Address]:
        """Every address that somebody says something about."""
        return self._by_address.keys()

    def custodians(self, confidence: int = 0) -> frozenset[Address]:
        """The addresses that somebody says, so surely at least, belong to one who holds others' money."""
        return frozenset(
            address
            for address, claims in self._by_address.items()
            if any(
                claim.confidence >= confidence and (claim.role in CUSTODIANS or claim.role is Role.BURN)
                for claim in claims.values()
            )
        )

    def search(self, text: str) -> Iterator[Label]:
        """Claims whose address, entity or name contains `text`, in address order."""
        wanted = text.casefold()
        for address in sorted(self._by_address):
            for label in self.of(address):
                if wanted in f"{address.text}\n{label.entity}\n{label.name}".casefold():
                    yield label

    def __iter__(self) -> Iterator[Label]:
        for address in sorted(self._by_address):
            yield from self.of(address)

    def __len__(self) -> int:
        return sum(len(claims) for claims in self._by_address.values())


def _weight(label: Label) -> tuple[int, int, int, str, str, str]:
    seen = label.seen.toordinal() if label.seen else 0
    return PRECEDENCE.index(label.role), -label.confidence, -seen, label.source, label.entity, label.name
