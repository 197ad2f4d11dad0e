"""Random histories from misbehaving providers, and the verdict on a reading of one: whole, a named gap, or wrong."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, replace
from typing import cast

from bitcoin_facts import random_coins
from blockscout_provider import BlockscoutProvider
from connectors.http.network import Network
from connectors.http.protocol import Request, Response, Transport
from connectors.http.retrying import Patience
from connectors.protocol import Connector, KnowsBalances, Page
from connectors.sources import open_source
from esplora_provider import URL as ESPLORA
from esplora_provider import EsploraProvider
from etherscan_provider import EtherscanProvider
from explorer_chain import addresses, facts_of, random_chain
from misbehaving import FAULTS, Misbehaving
from tracer.addresses import parse
from tracer.balances import counted
from tracer.coverage import Coverage
from tracer.errors import SourceError, SourceUnusable
from tracer.values import Address, Chain, Leg, Transfer
from tron_provider import USDT, Faults, TronProvider, fact_of, who
from tron_provider import Chain as TronChain
from virtual_clock import VirtualClock

ETHEREUM, BITCOIN, TRON = (Chain.named(name) for name in ("ethereum", "bitcoin", "tron"))
Facts = Counter[Hashable]


@dataclass(frozen=True)
class World:
    """A made-up history: who tells it, what opens it, whom to ask about, and what is true of him up to a block."""

    provider: Transport
    source: str
    chain: Chain
    address: Address
    truth: Callable[[int], Facts]
    facts: Callable[[Iterable[Transfer]], Facts]
    faults: tuple[str, ...]


def etherscan(seed: int) -> World:
    """Etherscan V2: random chains, page caps, windows, short pages, lists that trail; some requests trail more."""
    chance = random.Random(seed)
    made = random_chain(
        seed, wallets=3, transactions=chance.choice([0, 3, 12, 25]), blocks=30, head=chance.choice([30, 45]),
        crowded=chance.choice([0, 0, 0, 9]),
    )  # fmt: skip
    provider = EtherscanProvider(
        made, page=chance.choice([2, 3, 5, 10, 1000]), window=chance.choice([40, 200, 10_000]),
        lag=chance.choice([0, 0, 1, 4]), short=random.Random(seed) if chance.random() < 0.3 else None,
        finality=chance.choice([None, 8]),
    )  # fmt: skip
    text = addresses(3)[0]
    # A row of a token or a call has no name of its own in these lists: told twice, it is what two of them look like.
    # One page in the place of another only the balance shows, and these wallets pay more than they ever had.
    faults = tuple(name for name in FAULTS if name not in ("row twice", "another page"))
    return World(
        provider, "etherscan:ethereum", ETHEREUM, parse(text, ETHEREUM),
        lambda last: cast(Facts, made.facts_about(text, 0, last)), lambda rows: cast(Facts, facts_of(rows)), faults,
    )  # fmt: skip


def blockscout(seed: int) -> World:
    """Blockscout: the same chains, newest rows first; lists that trail, inner calls that are still to be worked out."""
    chance = random.Random(seed)
    made = random_chain(
        seed, wallets=3, transactions=chance.choice([0, 3, 12, 25]), blocks=30, head=chance.choice([30, 45]),
        crowded=chance.choice([0, 0, 0, 9]),
    )  # fmt: skip
    provider = BlockscoutProvider(
        made, page=chance.choice([1, 2, 3, 10, 50]), lag=chance.choice([0, 0, 1, 4]), pending=chance.choice([0, 0, 3])
    )
    text = addresses(3)[0]
    # Cut off here, rows would be passed by, since each page says itself where the next one begins.
    # One page in the place of another only the balance shows, and these wallets pay more than they ever had.
    faults = tuple(name for name in FAULTS if name not in ("short page", "another page"))
    return World(
        provider, "blockscout:ethereum", ETHEREUM, parse(text, ETHEREUM),
        lambda last: cast(Facts, made.facts_about(text, 0, last)), lambda rows: cast(Facts, facts_of(rows)), faults,
    )  # fmt: skip


def trongrid(seed: int) -> World:
    """TronGrid: TRX, tokens, inner calls, fees; caps, repeats, lost fingerprints and lists that trail."""
    chance = random.Random(seed)
    made, wallets = TronChain(), [who(number) for number in (11, 12, 13)]
    many = chance.choice([0, 2, 10, 20])
    for wallet in wallets if many else ():  # nobody pays what he does not have: balances are told, and prove something
        made.pay(who(99), wallet, 2**62)
        made.call(who(99), USDT, fee=345, logs=[(USDT, who(99), wallet, 2**250)])
    for _ in range(many):
        made.next_block(chance.choice([0, 0, 1, 3]))
        payer, payee = chance.sample(wallets, 2)
        units = chance.choice([1, 5, 2**53 + 1])
        if chance.random() < 0.4:
            made.pay(payer, payee, units, fee=chance.choice([0, 1100]))
        else:
            logs = [
                (USDT, *chance.sample(wallets, 2), chance.choice([0, 7, 2**200]))
                for _ in range(chance.choice([0, 1, 2]))
            ]
            inner = [(USDT, payer, 9)] if chance.random() < 0.2 else []
            made.call(payer, USDT, fee=345, logs=logs, inner=inner, failed=chance.choice(["", "", "", "REVERT"]))  # type: ignore[arg-type]
    faults = Faults(
        seed=seed,
        cap=chance.choice([2, 3, 200]),
        repeat=chance.choice([0, 0, 0.2]),
        lose=chance.choice([0, 0, 0.5]),
        lag=chance.choice([0, 0, 6]),
    )
    return World(
        Uneven(TronProvider(made, faults), chance), "trongrid:", TRON, wallets[0],
        lambda last: Counter(made.truth(wallets[0], 0, last)), lambda rows: Counter({fact_of(one) for one in rows}),
        tuple(name for name in FAULTS if name != "short page"),  # cut off here, rows would be passed by: see `Uneven`
    )  # fmt: skip


def esplora(seed: int) -> World:
    """Esplora: coins with several inputs and outputs, in pages of few, with figures and lists that trail."""
    chance = random.Random(seed)
    rows, wallet = random_coins(chance)
    provider = EsploraProvider.of_transfers(
        rows, tip=chance.choice([30, 40]), page=chance.choice([2, 3, 25]), lag=chance.choice([0, 0, 0, 2]),
    )  # fmt: skip
    # Where the listing and the figures trail the tip alike, nothing that Esplora tells could show it.
    provider.stats_lag = chance.choice([0, 0, 2]) if not provider.lag else 0

    def facts(read: Iterable[Transfer]) -> Facts:
        return Counter({(one.id, one.block.number, _legs(one.inputs), _legs(one.outputs)) for one in read})

    return World(
        provider, f"esplora:{ESPLORA}", BITCOIN, wallet,
        lambda last: facts(one for one in rows if wallet in _owners(one) and one.block.number <= last), facts,
        tuple(FAULTS),
    )  # fmt: skip


def _legs(legs: Iterable[Leg]) -> tuple[tuple[str, int], ...]:
    """By address; what is new, or goes to whoever made the block, may be told as one or as two."""
    sums = Counter[str]()
    for leg in legs:
        sums[str(leg.address)] += leg.units
    return tuple(sorted(sums.items()))


class Uneven:
    """A TronGrid whose pages are now and then shorter than before: the next one begins where they ended."""

    def __init__(self, inner: TronProvider, chance: random.Random) -> None:
        self.inner, self.chance = inner, chance

    def send(self, request: Request) -> Response:
        cap = self.chance.choice([*3 * [self.inner.faults.cap], 200])
        self.inner.faults, faults = replace(self.inner.faults, cap=cap), self.inner.faults
        try:
            return self.inner.send(request)
        finally:
            self.inner.faults = faults


def _owners(transfer: Transfer) -> set[Address | None]:
    return {leg.address for leg in transfer.inputs + transfer.outputs}


WORLDS: dict[str, Callable[[int], World]] = {
    "blockscout": blockscout,
    "esplora": esplora,
    "etherscan": etherscan,
    "trongrid": trongrid,
}


def read(world: World, connector: Connector, tries: int) -> tuple[list[Page], Coverage | None]:
    """What a case would hold after so many runs: each goes on after the last page that came."""
    pages: list[Page] = []
    for _ in range(tries):
        after = pages[-1].cursor if pages else ""
        try:
            for page in connector.history(world.address, after):
                pages.append(page)
        except SourceUnusable:
            continue  # the run is over; the next one goes on
        except SourceError:
            return pages, None  # this address is marked as failed
        return pages, pages[-1].coverage
    return pages, None


def verdict(world: World, pages: list[Page], coverage: Coverage | None) -> str:
    """`whole`, `gap`, `problem` where only a problem beside the rows names what was not read, or what is wrong.

    (`histories` adds `balance`: only the balance that the source states shows that something is missing.)
    """
    rows = [transfer for page in pages for transfer in page.transfers]
    found, everything = world.facts(rows), world.truth(10**9)
    if invented := found - everything:
        return f"INVENTED {dict(invented)}"
    if coverage is None:
        return "gap"
    for row in rows:
        if world.address not in _owners(row):
            return f"NOT ABOUT HIM {row.id}"
    if coverage.last is not None:
        upto = world.facts(row for row in rows if row.block.number <= coverage.last)
        if missing := world.truth(coverage.last) - upto:
            if any(problem for page in pages for problem in page.problems):
                return "gap" if coverage.missing else "problem"
            if coverage.complete or not coverage.reason:
                return f"LOST {dict(missing)}, {coverage}"
            return f"LOST before the block that it says it read to: {dict(missing)}, {coverage}"
    elif coverage.complete:
        return f"COMPLETE, and of no block: {coverage}"
    if coverage.complete:
        return "whole"
    return "gap" if coverage.reason else f"NO REASON {coverage}"


def unexplained(world: World, network: Network, bad: Misbehaving, pages: list[Page], coverage: Coverage) -> bool:
    """Whether what was read does not add up to what the source says is held: every reading into a case is so asked."""
    connector = open_source(world.source, network)
    bad.share = 0.0
    if not isinstance(connector, KnowsBalances) or coverage.last is None:
        return False
    sums = counted(
        world.address, (row for page in pages for row in page.transfers if row.block.number <= coverage.last)
    )
    try:
        stated, _ = connector.balances(world.address, sorted(sums), coverage.last)
    except SourceError:
        return False
    return any(sums[asset] != units for asset, units in stated.items())


def histories(kind: str, seeds: Iterable[int]) -> tuple[Counter[str], Counter[str]]:
    """What became of each history, and which faults were played. Fails at the first that is wrong."""
    told, played = Counter[str](), Counter[str]()
    for seed in seeds:
        world = WORLDS[kind](seed)
        chance = random.Random(f"faults {seed}")
        share = chance.choice([0.0, 0.02, 0.1, 0.3])
        some = tuple(chance.sample(world.faults, chance.choice([1, 3, len(world.faults)])))
        bad = Misbehaving(world.provider, chance, share, some)
        patience = Patience(attempts=chance.choice([1, 4]), failures=3)
        network = Network(transport=bad, clock=VirtualClock(), patience=patience)
        random.seed(seed)  # the waits are drawn from it
        try:
            pages, coverage = read(world, open_source(world.source, network), chance.choice([1, 3]))
        except SourceError:  # it cannot even be opened
            pages, coverage = [], None
        found = verdict(world, pages, coverage)
        if found.startswith("LOST") and coverage is not None and unexplained(world, network, bad, pages, coverage):
            found = "balance"
        assert found in ("whole", "gap", "problem", "balance"), f"{kind}, seed {seed}, faults {bad.done}: {found}"
        if found == "gap" and not bad.done:
            told["gap without a fault of the wire"] += 1
        told[found] += 1
        played.update(bad.done)
    return told, played
