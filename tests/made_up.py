"""A source of made-up histories for the tests of cases: a drawing (see notation.py) answered page by page."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from cases.case_file import Case
from cases.codec import canonical, coverage_json
from connectors.protocol import Evidence, Page, Problem
from graphs.following import Following
from notation import ETHEREUM, address, name_of, transfers
from tracer.coverage import Coverage, Kind, State
from tracer.values import Address, Chain, Transfer

WORLD = """
    1 victim -> thief 1000 gas 1
    1 friend -> thief 70
    2 thief  -> mule 600 gas 1
    3 thief  -> aunt 300 gas 1
    3 thief  -> crumb 9 gas 1
    4 mule   -> till 250 gas 1
    4 mule   -> aunt 200 gas 1
    5 aunt   -> till 400 gas 1
    5 friend -> till 80
    6 aunt   -> cave 60 gas 1
    6 till   -> bank 700 gas 1
    7 crumb  -> cave 8 gas 1
    8 cave   -> bank 30 gas 1
    9 bank   -> thief 2 gas 1
"""
REQUESTS = 20  # what reading all of it from the thief on takes, two rows a page
LATER = 1_700_000_000


class MadeUp:
    """Answers for every address of a drawing; `asked` counts: (who, cursor) per request, in order.

    `states` gives answers other than `READ`. `before` is called with the number of each request before it is answered.
    """

    def __init__(
        self,
        drawing: str | Iterable[Transfer] = WORLD,
        *,
        name: str = "made-up:world",
        rows: int = 2,
        states: Mapping[str, State] | None = None,
        chains: Iterable[Chain] = (ETHEREUM,),
        before: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._transfers = list(transfers(drawing) if isinstance(drawing, str) else drawing)
        self._name, self._rows, self._chains, self._before = name, rows, frozenset(chains), before
        self._states = {address(who): state for who, state in (states or {}).items()}
        self.asked: list[tuple[str, str]] = []

    @property
    def name(self) -> str:
        return self._name

    @property
    def chains(self) -> frozenset[Chain]:
        return self._chains

    def history(self, address: Address, after: str = "") -> Iterator[Page]:
        for number, page in enumerate(self._pages(address)):
            if number >= int(after or 0):
                self._before(len(self.asked))
                self.asked.append((name_of(address), str(number or "")))
                yield page

    def transaction(self, chain: Chain, tx: str) -> tuple[Transfer, ...]:
        return tuple(found for found in self._transfers if (found.id.chain, found.id.tx) == (chain, tx))

    def _pages(self, address: Address) -> list[Page]:
        state = self._states.get(address, State.READ)
        mine = [found for found in self._transfers if address in {leg.address for leg in found.inputs + found.outputs}]
        if not mine or state in (State.EMPTY, State.FAILED, State.NOT_RECORDED):
            state, mine = (State.NOT_RECORDED if state is State.READ else state), []
        cut = [mine[at : at + self._rows] for at in range(0, len(mine), self._rows)] or [[]]
        return [self._page(address, number, rows, state, len(cut)) for number, rows in enumerate(cut)]

    def _page(self, address: Address, number: int, rows: list[Transfer], state: State, of: int) -> Page:
        body = json.dumps([address.text, number, [str(row.id) for row in rows]]).encode()
        evidence = Evidence(body, self.name, f"{address}, page {number}")
        cited = tuple(replace(row, evidence=(f"{evidence.id}#{at}",)) for at, row in enumerate(rows))
        if number + 1 < of:
            return Page(cited, str(number + 1), evidence, None)
        problems = () if state is State.READ else (Problem(f"made up as {state.word}", name_of(address)),)
        return Page(cited, "", evidence, self._coverage(address, state, evidence, len(rows)), problems)

    def _coverage(self, address: Address, state: State, evidence: Evidence, rows: int) -> Coverage:
        known = state in (State.READ, State.EMPTY)
        reason = "" if known else f"made up as {state.word}"
        kinds = frozenset(Kind) if state <= State.CUT else frozenset[Kind]()
        last = 1_000 if known else None
        return Coverage(address, state, kinds, self.name, evidence.id, 0, last, LATER, rows, reason)


class Clock:
    """Tells a second more each time it is asked."""

    def __init__(self, at: int = LATER) -> None:
        self.at = at

    def __call__(self) -> int:
        self.at += 1
        return self.at


def answer(case: Case, found: Following) -> str:
    """All that an answer says, as one text to compare byte for byte."""
    return canonical(
        {
            "traces": {rule.value: repr(trace) for rule, trace in found.traces().items()},
            "stops": [repr(stop) for _, stop in sorted(found.stops.items())],
            "coverage": [coverage_json(known) for known in case.coverage()],
            "problems": [repr(problem) for problem in case.problems()],
            "inputs": case.facts_hash({}),
        }
    )
