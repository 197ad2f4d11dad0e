"""How many requests a trace takes until the value is found: ours, two other searches, and an oracle that knows the way.

`python benchmarks/bench_requests.py`. What the figures show and what they do not: docs/benchmarks.md.
"""

from __future__ import annotations

import heapq
import sys
import tempfile
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT))

from benchmarks.measuring import bar, machine  # noqa: E402 - needs the path above
from benchmarks.thousand_rows import ETHEREUM, FACTS, ROWS, ThousandRows  # noqa: E402 - needs the path above
from cases.case_file import Case  # noqa: E402 - needs the path above
from cases.demo import EXPLOITER  # noqa: E402 - needs the path above
from cases.investigation import Progress, concluded, read  # noqa: E402 - needs the path above
from cases.starting import start  # noqa: E402 - needs the path above
from cases.table import table  # noqa: E402 - needs the path above
from connectors.labels import read_labels  # noqa: E402 - needs the path above
from graphs.follow import follow  # noqa: E402 - needs the path above
from graphs.following import Following  # noqa: E402 - needs the path above
from graphs.stops import StopRules, labelled  # noqa: E402 - needs the path above
from tracer.coverage import CoverageBook  # noqa: E402 - needs the path above
from tracer.labels import LabelBook  # noqa: E402 - needs the path above
from tracer.ledger import Ledger  # noqa: E402 - needs the path above
from tracer.losses import Loss  # noqa: E402 - needs the path above
from tracer.lots import Rule  # noqa: E402 - needs the path above
from tracer.trace import Part  # noqa: E402 - needs the path above
from tracer.values import Address  # noqa: E402 - needs the path above

SHARES = (50, 80, 95)
MOST = 400  # requests, for the searches that do not stop by themselves
RULES, RULE = StopRules(), Rule.PRO_RATA
BAR = 1.5


def main() -> None:
    """Measure and print."""
    print(machine())
    source, labels = ThousandRows(), LabelBook(read_labels(FACTS / "labels.csv").labels)
    data = "all recorded answers, hubs included" if source.whole else "the shipped facts alone: no hub, no bystander"
    print(f"data: {data}; a page has 1,000 rows; rule {RULE.value}\n")
    order, loss, final = _ours(source)
    ends = _ends(final)
    all_of_it = sum(ends.values())
    curves = {
        "ours": _curve(order, source, labels, loss, ends),
        "breadth first": _curve(_search(source, labels, loss, by_value=False), source, labels, loss, ends),
        "largest total received": _curve(_search(source, labels, loss, by_value=True), source, labels, loss, ends),
        "oracle": _curve(_oracle(source, loss, final, ends), source, labels, loss, ends),
    }
    rows = []
    for name, curve in curves.items():
        needed = [curve.needed(-(-all_of_it * share // 100)) for share in SHARES]
        most = f"{curve.value_after(len(curve.order)) * 100 // all_of_it} %"
        asked = str(sum(requests for _, requests in curve.order))
        rows.append([name, *(str(number or "never") for number in needed), most, asked])
    heads = ["search", *(f"requests to {share} %" for share in SHARES), "found in all", "requests in all"]
    print(table(heads, rows, 1, None, colour=False))
    ours, oracle = (curves[name].needed(-(-all_of_it * 95 // 100)) for name in ("ours", "oracle"))
    if ours and oracle:
        print(f"to 95 %: ours / oracle {ours / oracle:.2f}; {bar(ours / oracle, BAR, 'times the oracle')}")


def _ours(source: ThousandRows) -> tuple[list[tuple[Address, int]], Loss, Following]:
    """Whom our own loop asks, in its order, and the answer once it is done."""
    asked: list[Address] = []

    def note(told: Progress) -> None:
        asked.append(told.address)

    with tempfile.TemporaryDirectory() as folder, Case.create(Path(folder, "case"), at=1) as case:
        case.pin_labels(read_labels(FACTS / "labels.csv"), at=1)
        loss = start(case, EXPLOITER, chain=ETHEREUM, victim="Ronin bridge", connectors=[source], now=lambda: 1)
        read(case, [source], follow, rules=RULES, max_requests=10_000, now=lambda: 1, progress=note)
        final = concluded(case, follow, rules=RULES)
    return [(address, asked.count(address)) for address in dict.fromkeys(asked)], loss, final


def _search(
    source: ThousandRows, labels: LabelBook, loss: Loss, *, by_value: bool
) -> Iterator[tuple[Address, int]]:  # fmt: skip
    """Read whoever was paid by somebody read: in the order met, or whoever received most in all so far.

    Labelled services are not read, as with ours. Neither knows what was stolen of what was paid.
    """
    assert loss.wallet
    received: dict[Address, int] = {loss.wallet: 0}
    queue: list[tuple[int, int, Address]] = [(0, 0, loss.wallet)]
    met, done = 0, set[Address]()
    while queue:
        _, _, address = heapq.heappop(queue)
        if address in done or labelled(labels, address, RULES):
            continue
        done.add(address)
        yield address, source.pages(address)
        for row in source.told(address)[0]:
            payee = row.outputs[0].address
            if row.inputs[0].address != address or payee is None or payee in done or not row.units:
                continue
            fresh = payee not in received
            received[payee] = received.get(payee, 0) + row.units
            if fresh or by_value:
                met += 1
                heapq.heappush(queue, (-received[payee] if by_value else 0, met, payee))


def _oracle(
    source: ThousandRows, loss: Loss, final: Following, ends: Mapping[Address, int]
) -> Iterator[tuple[Address, int]]:  # fmt: skip
    """Reads only wallets that stolen value passed, only the pages with the payments that carried it, and always next
    those that bring most for a request: it knows the final answer. Greedy, so a little better may be possible."""
    pays: dict[Address, dict[Address, int]] = {}
    cost: dict[Address, int] = {}
    first: dict[Address, Address] = {}
    places = {payer: {row.id: at for at, row in enumerate(source.told(payer)[0])} for payer in final.followed}
    for hop in final.traces()[RULE].hops:
        payer, payee = hop.source, hop.target
        if payer is None or payee is None or payer == payee or payer not in places:
            continue
        paid = pays.setdefault(payer, {})
        paid[payee] = paid.get(payee, 0) + sum(units for _, units in hop.lots)
        cost[payer] = max(cost.get(payer, 1), places[payer].get(hop.transfer, 0) // ROWS + 1)
        if payee != loss.wallet:
            first.setdefault(payee, payer)
    assert loss.wallet
    done: set[Address] = set()
    while len(done) < len(pays):
        best: tuple[float, list[Address]] | None = None
        for wallet in pays.keys() - done:
            chain = list(_way(wallet, first, done))
            gain = sum(units for at in chain for payee, units in pays.get(at, {}).items() if payee in ends)
            told = gain / sum(cost.get(at, 1) for at in chain), chain
            if best is None or told[0] > best[0]:
                best = told
        assert best
        for wallet in reversed(best[1]):
            done.add(wallet)
            yield wallet, cost.get(wallet, 1)


def _way(wallet: Address, first: Mapping[Address, Address], done: set[Address]) -> Iterator[Address]:
    """The wallet, and those still to be read before it that its stolen value came through first."""
    seen: set[Address] = set()
    while wallet not in done and wallet not in seen:
        seen.add(wallet)
        yield wallet
        if wallet not in first:
            return
        wallet = first[wallet]


def _ends(final: Following) -> dict[Address, int]:
    """Address -> stolen units that end with somebody who can be asked, or beyond tracing."""
    found: dict[Address, int] = {}
    for end in final.traces()[RULE].ends:
        if end.stop.part is Part.ENDS and end.place.address:
            found[end.place.address] = found.get(end.place.address, 0) + end.stolen
    return found


@dataclass(frozen=True, slots=True)
class Curve:
    """A search, wallet after wallet, and what is found after so many of them."""

    order: list[tuple[Address, int]]
    value_after: Callable[[int], int]

    def needed(self, least: int) -> int | None:
        """Requests after which so much is found, looked for by halving, since it only grows; None where it never is."""
        if self.value_after(len(self.order)) < least:
            return None
        wallets = bisect_left(range(len(self.order)), least, key=self.value_after)
        return sum(requests for _, requests in self.order[:wallets])


def _curve(
    searched: Iterable[tuple[Address, int]], source: ThousandRows, labels: LabelBook, loss: Loss,
    ends: Mapping[Address, int],
) -> Curve:  # fmt: skip
    order: list[tuple[Address, int]] = []
    for address, requests in searched:
        if sum(one for _, one in order) + requests > MOST:
            break
        order.append((address, requests))

    @cache
    def value_after(wallets: int) -> int:
        told = [source.told(address) for address, _ in order[:wallets]]
        ledger = Ledger.of((row for rows, _ in told for row in rows), CoverageBook(coverage for _, coverage in told))
        now = _ends(follow(ledger, labels, [loss], RULES, spent=True))
        return sum(min(units, now.get(end, 0)) for end, units in ends.items())

    return Curve(order, value_after)


if __name__ == "__main__":
    main()
