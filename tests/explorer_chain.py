"""A made-up EVM chain that fake explorers serve from: what happened, and what an explorer's node says of it.

`Chain` is complete by construction, so what a reader finds can be compared with `facts_about`. A block without
transactions of its own holds one that `FILLER` sends to itself, as blocks of a living chain are never empty.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from tracer.values import Address, Sink, Slot, Transfer

FILLER = "0x" + "f1" * 20
WETH = "0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2"
NOBODY = "0x" + "0" * 40
GAS_PRICE, GAS = 7, 21_000
FEE = GAS_PRICE * GAS
START = 1_600_000_000  # the time of block 0; twelve seconds a block
#: (transaction, kind, payer, payee, contract, units): what tells two movements apart, and no source's names for them.
Fact = tuple[str, str, str, str, str, int]


@dataclass(frozen=True)
class Inner:
    """Value moved by a contract's call, at `trace` in the tree of calls."""

    trace: tuple[int, ...]
    sender: str
    payee: str
    units: int
    failed: bool = False
    type: str = "call"


@dataclass(frozen=True)
class Event:
    """A token's Transfer event; `log` is its index in the block."""

    log: int
    contract: str
    sender: str
    payee: str
    units: int


@dataclass(frozen=True)
class Wrap:
    """A Deposit or Withdrawal of the wrapped coin."""

    log: int
    owner: str
    units: int
    made: bool = True


@dataclass(frozen=True)
class Transaction:
    """One transaction with all that it did. Failed ones move nothing but the fee."""

    block: int
    index: int
    sender: str
    payee: str
    units: int = 0
    failed: bool = False
    inner: tuple[Inner, ...] = ()
    events: tuple[Event, ...] = ()
    wraps: tuple[Wrap, ...] = ()
    made: str = ""  # the contract that it made; then `payee` is ""
    name: str = ""

    @property
    def hash(self) -> str:
        return self.name or _digest("tx", self.block, self.index)

    def facts(self) -> Iterator[Fact]:
        """All that it moved."""
        yield self.hash, "fee", self.sender, "fee", "", FEE
        if self.failed:
            return
        yield self.hash, "tx", self.sender, self.payee or self.made, "", self.units
        for call in self.inner:
            if not call.failed and call.type == "call":
                yield self.hash, "trace", call.sender, call.payee, "", call.units
        for event in self.events:
            payer = "issue" if event.sender == NOBODY else event.sender
            payee = "burn" if event.payee == NOBODY else event.payee
            yield self.hash, "log", payer, payee, event.contract, event.units
        for wrap in self.wraps:
            sides = ("issue", wrap.owner) if wrap.made else (wrap.owner, "burn")
            yield self.hash, "log", *sides, WETH, wrap.units


@dataclass
class Chain:
    """Transactions in the order of the chain, up to block `head`. `fork` may be set to replace blocks from there on."""

    transactions: Sequence[Transaction]
    head: int
    number: int = 1  # the chain's id
    forked_at: int | None = None
    _by_block: dict[int, list[Transaction]] = field(default_factory=dict)
    _by_hash: dict[str, Transaction] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.transactions = sorted(self.transactions, key=lambda one: (one.block, one.index))
        assert all(one.block <= self.head for one in self.transactions)
        for one in self.transactions:
            self._by_block.setdefault(one.block, []).append(one)
            self._by_hash[one.hash] = one

    def in_block(self, number: int) -> list[Transaction]:
        return self._by_block.get(number) or [self.filler(number)]

    def filler(self, number: int) -> Transaction:
        return Transaction(number, 0, FILLER, FILLER, name=f"0x{'f1' * 24}{number:016x}")

    def by_hash(self, tx: str) -> Transaction | None:
        if tx.startswith("0x" + "f1" * 24):
            number = int(tx[-16:], 16)
            return self.filler(number) if number <= self.head and number not in self._by_block else None
        return self._by_hash.get(tx)

    def hash_of(self, number: int) -> str:
        fork = "" if self.forked_at is None or number < self.forked_at else "fork"
        return _digest("block", number, fork)

    def time_of(self, number: int) -> int:
        return START + 12 * number

    def facts_about(self, address: str, first: int = 0, last: int | None = None) -> Counter[Fact]:
        """All that moved from or to `address` in those blocks, each as often as it happened."""
        last = self.head if last is None else last
        return Counter(
            fact
            for one in self.transactions
            if first <= one.block <= last
            for fact in one.facts()
            if address in fact[2:4]
        )

    def balance(self, address: str, contract: str, block: int) -> int:
        return sum(
            (fact[3] == address) * fact[5] * n - (fact[2] == address) * fact[5] * n
            for fact, n in self.facts_about(address, 0, block).items()
            if fact[4] == contract
        )


def facts_of(transfers: Iterable[Transfer], last: int | None = None) -> Counter[Fact]:
    """What transfers that were read say, in the words of `Chain`; up to block `last`, each transfer id once."""
    found = {transfer.id: transfer for transfer in transfers if last is None or transfer.block.number <= last}
    return Counter(
        (
            one.id.tx,
            one.id.position.partition(":")[0],
            _side(one.inputs[0].holding),
            _side(one.outputs[0].holding),
            one.asset.contract,
            one.units,
        )
        for one in found.values()
    )


def addresses(count: int) -> list[str]:
    """That many made-up wallets."""
    return [_digest("wallet", number, "")[:42] for number in range(count)]


def random_chain(
    seed: int, *, wallets: int = 4, transactions: int = 40, blocks: int = 60, crowded: int = 0, head: int | None = None
) -> Chain:
    """A random history; `crowded` is how many more transactions of the first wallet stand in one block."""
    pick = random.Random(seed)
    who = addresses(wallets)
    token = addresses(wallets + 2)[-2:]
    places = [pick.randint(1, blocks) for _ in range(transactions)]
    places += [pick.randint(1, blocks)] * crowded
    seen: Counter[int] = Counter()
    logs: Counter[int] = Counter()
    made = []
    for block in sorted(places):
        sender, payee = (who[0], pick.choice(who)) if pick.random() < 0.6 else (pick.choice(who), who[0])
        inner = tuple(
            Inner((0, number), pick.choice([payee, *who]), pick.choice(who), pick.choice([0, 5, 5, 2**64, 2**200]),
                  pick.random() < 0.1, pick.choice(["call", "call", "call", "delegatecall"]))
            for number in range(pick.choice([0, 0, 0, 1, 2, 3]))
        )  # fmt: skip
        events, wraps = [], []
        for _ in range(pick.choice([0, 0, 1, 2, 4])):
            logs[block] += 1
            sides = pick.choice([(sender, payee), (payee, sender), (NOBODY, payee), (sender, NOBODY)])
            events.append(Event(logs[block], pick.choice(token), *sides, pick.choice([0, 1, 1, 2**53 + 1, 2**256 - 1])))
        if pick.random() < 0.1:
            logs[block] += 1
            wraps.append(Wrap(logs[block], sender, 5, pick.random() < 0.7))
            inner = (*inner, Inner((9,), sender, WETH, 5))
        units = pick.choice([0, 1, 2**53 + 1, 2**63, 2**64, 2**128])
        failed = pick.random() < 0.1
        if failed:
            inner, events, wraps = (), [], []
        made.append(Transaction(block, seen[block], sender, payee, units, failed, inner, tuple(events), tuple(wraps)))
        seen[block] += 1
    return Chain(made, blocks if head is None else head)


def _side(holding: object) -> str:
    if isinstance(holding, Sink):
        return holding.kind.value
    assert isinstance(holding, Slot)
    place: Address = holding.address
    return place.text


def _digest(*told: object) -> str:
    return "0x" + hashlib.sha256(" ".join(map(str, told)).encode()).hexdigest()
