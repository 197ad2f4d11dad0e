"""Exchange deposit addresses, recognised by behaviour, with the evidence for and against; and who is linked by one.

An exchange gives a customer an address and sweeps what arrives there to its own wallets. The last hop before it is
what the exchange can act on. Rule set: design of the project after Victor (FC 2020) and Tutela; docs/method.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from statistics import median_low

from graphs.stops import DAY, Stop, StopRules
from graphs.venues import Venues, sums
from tracer.accounts import Account
from tracer.judgements import Judgement
from tracer.labels import CUSTODIANS, Label, LabelBook
from tracer.ledger import Ledger
from tracer.trace import StopCode
from tracer.values import UNKNOWN_METHOD, Address, Asset, Slot, Transfer

_SAYS = {True: "for", False: "against", None: "not applicable"}
SHARED_SENDERS = 20  # an address this many pay is shared, and links nobody


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: its weight of 100, whether it held (None: does not apply here), and what was seen."""

    name: str
    weight: int
    met: bool | None
    seen: str


@dataclass(frozen=True, slots=True)
class Deposit:
    """Why `address` looks like (or unlike) a deposit address of the venue behind `hot`. `score` is 0 to 100."""

    address: Address
    asset: Asset
    hot: Address
    venue: Label
    sweeps: tuple[Transfer, ...]
    checks: tuple[Check, ...]

    @property
    def score(self) -> int:
        """Weight met of the weight that applies, in percent, rounded down. Without the first check it is 0."""
        if not self.checks[0].met:
            return 0
        applies = sum(check.weight for check in self.checks if check.met is not None)
        return sum(check.weight for check in self.checks if check.met) * 100 // applies

    @property
    def swept(self) -> int:
        """Base units passed on to the venue's wallet, as recorded."""
        return sum(sweep.units for sweep in self.sweeps)

    def stop(self) -> Stop:
        """The stop at this address."""
        told = [f"{_SAYS[check.met]}: {check.name}: {check.seen}" for check in self.checks]
        name = f"deposit address of {self.venue.name or self.venue.entity}"
        why = f"by its behaviour a {name}, score {self.score} of 100; {'; '.join(told)}"
        evidence = (self.venue.evidence, *(str(sweep.id) for sweep in self.sweeps))
        return Stop(self.address, StopCode.DEPOSIT_ADDRESS, why, evidence, name, self.hot)


def deposit(
    ledger: Ledger, labels: LabelBook, address: Address, rules: StopRules, venues: Venues | None = None, least: int = 0
) -> Deposit | None:
    """The best-scoring reading of `address` as a deposit address, None where nothing points to a labelled exchange.

    `venues`: what earlier questions about the same ledger and labels found, to save work. `least`: a lower score is of
    no use to who asks, and need not be worked out.
    """
    known = venues or Venues(ledger, labels, rules.label_confidence)
    found = []
    for hid in ledger.holdings_of(address):
        holding = ledger.holding(hid)
        if isinstance(holding, Slot):
            reading = _reading(ledger, address, holding.asset, hid, known, least)
            if reading:
                found.append(reading)
    return max(found, key=lambda reading: (reading.score, reading.swept, reading.asset), default=None)


def _reading(ledger: Ledger, address: Address, asset: Asset, hid: int, known: Venues, least: int) -> Deposit | None:
    account = ledger.account(hid)
    sent = sums(account, known.sinks(asset))
    if not sent:
        return None
    most = sum(sent.values())
    # A collector that gets little of it changes nothing, and looking for whose it is costs the most.
    much = {at: units for at, units in sent.items() if 20 * units >= most}
    little = {at: units for at, units in sent.items() if at not in much}
    if least and (
        known.scattered(little, most, asset) or _elsewhere(ledger, address, much, most, asset, known)
    ):  # fmt: skip
        return None
    asked = {*much, *known.exchanges(sent.keys(), asset)}
    hids = {payee: to for to in asked if (payee := ledger.address(to)) is not None}
    venues = {
        target: venue for target in sorted(hids) if (venue := known.of(hids[target], asset)) and target != address
    }
    out = {target: sent[hids[target]] for target in venues}
    if not venues:
        return None
    hot = max(venues, key=lambda target: (out[target], target))
    theirs = [target for target in venues if venues[target].entity == venues[hot].entity]
    wallets = {hids[target] for target in theirs}
    sweeps = [at for at, payee, units in _lines(account, account.paid) if units and payee in wallets]
    share = sum(out[target] for target in theirs) * 100 // most
    told = f"{share} % of it, in {_counted(len(sweeps), 'sweep')}, to {venues[hot].name or venues[hot].entity}"
    enough = share >= 95 and (len(sweeps) >= 2 or _empties(ledger, hid, sweeps[0]))
    first = Check("outflow goes to one exchange", 50, enough, told)
    if not enough:  # without it nothing else counts
        return Deposit(address, asset, hot, venues[hot], (), (first,))
    whole = [_empties(ledger, hid, at) for at in sweeps]
    came = [at for at, _, units in _lines(account, account.came) if units]
    waits = _waits(ledger, came, sweeps)
    methods = [ledger.transfer(at).method for at in ledger.events(hid) if ledger.inputs(at)[0][0] == hid]
    unknown = UNKNOWN_METHOD in methods  # then it counts against: what nobody told may not raise the score
    called = [method for method in methods if method]
    senders = known.senders(hids[hot], asset)
    checks = (
        first,
        Check("every sweep empties it", 15, all(whole), f"{sum(whole)} of {len(whole)} leave at most 0.5 %"),
        Check("it pays at most two", 10, len(sent) <= 2, f"{len(sent)} paid"),
        _gas(ledger, address, asset, theirs, sweeps),
        Check(
            "swept within a day",
            5,
            median_low(waits) <= DAY if waits else False,
            f"median {_counted(median_low(waits) // 60, 'minute')}"
            if waits
            else "no inflow before a sweep is recorded",
        ),
        Check(
            "it calls no contract",
            5,
            not called if not asset.contract else None,
            "the data do not tell" if unknown else _counted(len(called), "call"),
        ),
        Check(
            "siblings sweep to the same wallet",
            5,
            senders >= 20,
            f"{_counted(senders, 'sender')} to it in the data",
        ),
    )
    return Deposit(address, asset, hot, venues[hot], tuple(ledger.transfer(at) for at in sweeps), checks)


def _elsewhere(
    ledger: Ledger, address: Address, sent: dict[int, int], most: int, asset: Asset, known: Venues
) -> bool:  # fmt: skip
    """Whether too much went to others than exchanges for the first check to hold; short accounts are asked first."""
    others = 0
    for at in sorted(sent, key=lambda hid: (ledger.lines(hid), hid)):
        payee = ledger.address(at)
        if payee is None or payee == address or known.of(at, asset) is None:
            others += sent[at]
        if 20 * others > most:
            return True
    return False


def _lines(account: Account, side: Callable[[Iterable[int]], Iterator[int]]) -> Iterator[tuple[int, int, int]]:
    """(step, who is on the other side, units) of each line on one side."""
    return zip(side(account.steps), side(account.others), side(account.units), strict=True)


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _senders(ledger: Ledger, target: Address, asset: Asset) -> set[Address]:
    hid = ledger.hid(Slot(target, asset))
    events = ledger.events(hid) if hid is not None else ()
    rows = (ledger.inputs(at)[0] for at in events if ledger.outputs(at)[0][0] == hid)
    senders = {at for at, units in rows if units and at != hid}
    return {sender for at in senders if (sender := ledger.address(at))}


def _empties(ledger: Ledger, hid: int, ordinal: int) -> bool:
    """Whether a sweep, with the fee paid for it, leaves at most 0.5 % behind."""
    before = ledger.balance_before(hid, ordinal)
    left = before - ledger.transfer(ordinal).units
    following = ledger.next_event(hid, ordinal)
    if following is not None and ledger.transfer(following).id.tx == ledger.transfer(ordinal).id.tx:
        left -= ledger.transfer(following).units
    return left * 200 <= before


def _waits(ledger: Ledger, came: list[int], sweeps: list[int]) -> list[int]:
    """Seconds from each inflow to the next sweep."""
    waits = []
    for ordinal in came:
        sweep = next((at for at in sweeps if at > ordinal), None)
        if sweep is not None:
            waits.append(ledger.transfer(sweep).block.time - ledger.transfer(ordinal).block.time)
    return waits


def _gas(ledger: Ledger, address: Address, asset: Asset, theirs: list[Address], sweeps: list[int]) -> Check:
    """A token sweep needs gas: an exchange sends it from its own wallets shortly before."""
    if not asset.contract:
        return Check("the exchange pays its gas", 10, None, "the coin itself pays")
    hid = ledger.hid(Slot(address, asset.chain.coin))
    fed = 0
    for sweep in sweeps:
        time = ledger.transfer(sweep).block.time
        for ordinal in ledger.events(hid) if hid is not None else ():
            payer = ledger.address(ledger.inputs(ordinal)[0][0])
            if payer in theirs and 0 <= time - ledger.transfer(ordinal).block.time <= 3600:
                fed += 1
                break
    return Check("the exchange pays its gas", 10, fed * 2 >= len(sweeps), f"before {fed} of {len(sweeps)} sweeps")


def depositors(
    ledger: Ledger,
    labels: LabelBook,
    found: Deposit,
    *,
    tolerance: int = 10**16,
    blocks: int = 3_200,
    author: str = "deposit-reuse/1",
) -> tuple[Judgement, ...]:
    """Judgements that those who paid into one deposit address are one owner (deposit-address reuse).

    A payer counts where a sweep follows within `blocks`, of the same amount; of the coin, less at most `tolerance` base
    units, for the fee. A labelled service is nobody's alias. An address with more than 20 payers is shared: it links
    nobody. Victor, FC 2020; Tutela (3,200 blocks, 0.01 ETH).
    """
    hid = ledger.hid(Slot(found.address, found.asset))
    if hid is None or len(_senders(ledger, found.address, found.asset)) > SHARED_SENDERS:
        return ()
    allowed = 0 if found.asset.contract else tolerance
    payers: dict[Address, tuple[Transfer, Transfer]] = {}
    for ordinal in ledger.events(hid):
        payer, paid = ledger.address(ledger.inputs(ordinal)[0][0]), ledger.transfer(ordinal)
        if payer is None or payer == found.address or any(label.role in CUSTODIANS for label in labels.of(payer)):
            continue
        for sweep in found.sweeps:
            late, short = sweep.block.number - paid.block.number, paid.units - sweep.units
            if sweep.order > paid.order and late <= blocks and 0 <= short <= allowed:
                payers.setdefault(payer, (paid, sweep))
                break
    links = []
    for one, two in pairwise(sorted(payers)):
        shown = (*payers[one], *payers[two])
        at = max(transfer.block.number for transfer in shown)
        links.append(Judgement(one, two, "deposit reuse", tuple(t.id for t in shown), 50, author, at))
    return tuple(links)
