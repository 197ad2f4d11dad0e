"""End points found, by name, in two cases that experts traced by hand: 54m and LIFI of AnonymousMFTracer/Ground-Truth.

`python benchmarks/bench_launder_truth.py`. What the figures show and what they do not: docs/benchmarks.md.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT))

from benchmarks.edge_lists import ETHEREUM, USD, EdgeList, read_edge_list  # noqa: E402 - needs the path above
from benchmarks.measuring import machine  # noqa: E402 - needs the path above
from cases.table import table  # noqa: E402 - needs the path above
from connectors.labels import read_labels  # noqa: E402 - needs the path above
from graphs.follow import follow  # noqa: E402 - needs the path above
from graphs.following import Following  # noqa: E402 - needs the path above
from tracer.coverage import Coverage, CoverageBook, Kind, State  # noqa: E402 - needs the path above
from tracer.labels import Label, LabelBook, Role  # noqa: E402 - needs the path above
from tracer.ledger import Ledger  # noqa: E402 - needs the path above
from tracer.losses import Loss  # noqa: E402 - needs the path above
from tracer.lots import Rule  # noqa: E402 - needs the path above
from tracer.trace import Part, StopCode  # noqa: E402 - needs the path above
from tracer.values import Address  # noqa: E402 - needs the path above

DATA = ROOT.parent / "shared" / "data"
CASES = ("54m", "LIFI")
INDEPENDENT = ("evm-explorers/etherscan-combinedAccountLabels.json", "cex-dune/cex_addresses.csv")

#: How a name that the experts gave begins -> what it says of the address. Names not listed here say nothing.
EXPERTS = (
    ("KuCoin_Deposit", Role.EXCHANGE_DEPOSIT),
    ("eXch_Deposit", Role.EXCHANGE_DEPOSIT),
    ("KuCoin", Role.EXCHANGE),
    ("eXch", Role.EXCHANGE),
    ("ChangeNOW", Role.EXCHANGE),
    ("ChangeHero", Role.EXCHANGE),
    ("Tornado.Cash", Role.MIXER),
    ("THORChain", Role.BRIDGE),
    ("Symbiosis", Role.BRIDGE),
    ("Across", Role.BRIDGE),
    ("Hop", Role.BRIDGE),
    ("Arbitrum", Role.BRIDGE),
    ("LI.FI: LiFi Diamond", Role.PROTOCOL),  # a swap, and not "LI.FI Exploiter"
    ("CoW Protocol", Role.PROTOCOL),
    ("MakerDAO: sDAI Token", Role.TOKEN),
    ("Null Address", Role.BURN),
)


@dataclass(frozen=True, slots=True)
class Found:
    """One case followed with one set of labels. `asked`: how many histories a source would have been asked for."""

    case: EdgeList
    labels: LabelBook
    following: Following
    asked: int

    def ends(self, rule: Rule) -> dict[Address, int]:
        """Address -> units that rest there."""
        return {end.place.address: end.units for end in self.following.traces()[rule].ends if end.place.address}

    def code(self, address: Address) -> StopCode:
        """Why units rest there."""
        return self.following.stops[address].code

    def doors(self, terminal: Address, rule: Rule) -> list[Address]:
        """The ends that lead into the same service as `terminal`: deposit addresses of it, or its own other address."""
        found = []
        for end in sorted(set(self.ends(rule)) & self.case.payers().get(terminal, set())):
            one, other = (self.case.names.get(at, "").partition(": ")[0] for at in (end, terminal))
            if self.code(end) is StopCode.DEPOSIT_ADDRESS or (one == other != "" and self.code(end).part is Part.ENDS):
                found.append(end)
        return found

    def swallowed(self, terminal: Address, rule: Rule) -> str:
        """Who keeps the stolen value that would have gone on to a terminal that was not found."""
        ends, payers = self.ends(rule), self.case.payers()
        seen, edge, stops = {terminal}, [terminal], set[Address]()
        while edge:
            further = [payer for at in edge for payer in payers.get(at, ()) if payer not in seen]
            seen |= set(further)
            stops |= {at for at in further if at in ends and at not in self.following.followed}
            edge = [at for at in further if at not in ends and at not in self.following.followed]
        told = ", ".join(sorted(f"{self.name(at)} ({self.code(at)})" for at in stops))
        if told:
            return f"stopped before it at {told}"
        can = (
            seen.intersection(place.address for place in self.following.bounds() if place.address)
            - self.following.followed
        )
        return "this rule puts nothing there" if can else "no rule can put anything there"

    def name(self, address: Address) -> str:
        """The experts' name, else the address cut short."""
        return self.case.names.get(address, f"{address.text[:8]}…")


def main() -> None:
    """Read, follow, score and print."""
    print(machine())
    folder = DATA / "launder-truth"
    if not folder.is_dir():
        print("skipped: ../shared/data/launder-truth is not here; docs/benchmarks.md says where it comes from")
        return
    cases = [read_edge_list(folder, name) for name in CASES]
    settings: dict[str, list[Label]] = {"none": []}
    known = frozenset[Address]().union(*(case.addresses for case in cases))
    independent = _independent(known)
    if independent is None:
        print("skipped: independent labels; ../shared/data/labels is not here")
    else:
        settings["independent"] = independent
    settings["and experts'"] = (independent or []) + [label for case in cases for label in _experts(case)]
    found = {
        (case.name, setting): _followed(case, LabelBook(labels))
        for setting, labels in settings.items()
        for case in cases
    }
    _scores(found, list(settings))
    for case in cases:
        _by_name(case, {setting: found[case.name, setting] for setting in settings})


def _independent(known: frozenset[Address]) -> list[Label] | None:
    """What public lists say of addresses in the cases; None where the lists are not here."""
    paths = [DATA / "labels" / name for name in INDEPENDENT]
    if not all(path.is_file() for path in paths):
        return None
    return [label for path in paths for label in read_labels(path).labels if label.address in known]


def _experts(case: EdgeList) -> Iterable[Label]:
    for address, name in case.names.items():
        role = next((role for start, role in EXPERTS if name.startswith(start)), None)
        if role:
            entity = name.partition(":")[0].partition("_")[0]
            yield Label(address, entity, name, role, "the experts who traced the case", None, 50, f"{case.name}.csv")


def _followed(case: EdgeList, labels: LabelBook) -> Found:
    """Follow as a run on a source would: whom it asks for is read whole, for the lists are all there is."""
    last = max(case.transfers, key=lambda one: one.block).block
    losses = [Loss(f"loss-{number}", USD, case.name, wallet=one) for number, one in enumerate(case.sources, start=1)]
    whole, book = Ledger.of(case.transfers), CoverageBook()
    while True:
        found = follow(whole.with_more((), book), labels, losses)
        if not found.expand:
            return Found(case, labels, found, len(book))
        book = CoverageBook(book)
        for step in found.expand:
            book.add(Coverage(step.address, State.READ, frozenset(Kind), case.name, last=last.number, as_of=last.time))


def _scores(found: Mapping[tuple[str, str], Found], settings: Iterable[str]) -> None:
    rows = []
    for setting in settings:
        for rule in Rule:
            scored = [_score(found[name, setting], rule) for name in CASES]
            rows += [[name, setting, rule.value, *score.cells] for name, score in zip(CASES, scored, strict=True)]
            shares = [_percent(mean(part)) for part in zip(*(score.shares for score in scored), strict=True)]
            rows.append(["mean", setting, rule.value, "", "", shares[0], "", shares[1], shares[2], "", shares[3], ""])
    headings = ["case", "labels", "rule", "as ends", "through", "found", "named", "value at them", "at their doors",
                "other ends", "value there", "asked"]  # fmt: skip
    print(f"\nterminals found, and where the stolen value rests; {ETHEREUM}, values in USD as the lists give them")
    print(table(headings, rows, 9, None, colour=False))


@dataclass(frozen=True, slots=True)
class Score:
    """One case, labels and rule. `shares`: of the terminals found; of the value at them, at their doors, elsewhere."""

    cells: tuple[str, ...]
    shares: tuple[float, float, float, float]


def _score(found: Found, rule: Rule) -> Score:
    terminals, ends = found.case.terminals, found.ends(rule)
    direct = [one for one in terminals if one in ends]
    doors = {one: found.doors(one, rule) for one in terminals}
    through = [one for one in terminals if one not in ends and doors[one]]
    at_doors = {door for one in terminals for door in doors[one]}.difference(terminals)
    named = [one for one in direct if found.following.stops[one].name]
    others = [one for one in ends if one not in terminals and one not in at_doors]
    lost = sum(units for _, units in found.following.traces()[rule].lost)
    values = [sum(ends[one] for one in group) / lost for group in (direct, at_doors, others)]
    recall = (len(direct) + len(through)) / len(terminals)
    cells = (
        f"{len(direct)} of {len(terminals)}", str(len(through)), _percent(recall), str(len(named)), _percent(values[0]),
        f"{len(at_doors)}: {_percent(values[1])}", str(len(others)), _percent(values[2]), str(found.asked),
    )  # fmt: skip
    return Score(cells, (recall, values[0], values[1], values[2]))


def _by_name(case: EdgeList, found: Mapping[str, Found]) -> None:
    """Each terminal with what became of it, and the largest ends that are none."""
    print(f"\n{case.name}: each terminal, and what the trace has there under all rules unless it says which")
    rows = [
        [next(iter(found.values())).name(terminal), terminal.text, *(_fate(one, terminal) for one in found.values())]
        for terminal in case.terminals
    ]
    print(table(["terminal", "address", *found], rows, 0, None, colour=False))
    for setting, one in found.items():
        print(
            f"{case.name}, labels {setting}: the largest ends that are neither terminal nor door, under {Rule.PRO_RATA}"
        )
        ends = one.ends(Rule.PRO_RATA)
        doors = {door for terminal in case.terminals for door in one.doors(terminal, Rule.PRO_RATA)}
        others = sorted((at for at in ends if at not in doors.union(case.terminals)), key=lambda at: (-ends[at], at))
        for at in others[:6]:
            print(f"  {ends[at] // 10**USD.decimals:>12,} USD  {one.code(at):17}  {one.name(at)}")
        if not others:
            print("  none")


def _fate(found: Found, terminal: Address) -> str:
    by_fate: dict[str, list[str]] = {}
    for rule in Rule:
        if terminal in found.ends(rule):
            fate = str(found.code(terminal))
        elif doors := found.doors(terminal, rule):
            more = f" and {len(doors) - 1} more" if doors[1:] else ""
            fate = f"through {found.name(doors[0])}{more} ({found.code(doors[0])})"
        else:
            fate = f"MISSED: {found.swallowed(terminal, rule)}"
        by_fate.setdefault(fate, []).append(rule.value)
    if len(by_fate) == 1:
        return next(iter(by_fate))
    return "; ".join(f"{fate} [{', '.join(rules)}]" for fate, rules in by_fate.items())


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


if __name__ == "__main__":
    main()
