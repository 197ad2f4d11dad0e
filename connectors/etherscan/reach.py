"""How far recorded Etherscan listings reach, and what several of them say together about one address."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from connectors.etherscan.answers import Answer, Question
from tracer.coverage import Coverage, Kind, State
from tracer.values import Address

END = 2**63  # "to the newest block", whatever its number was
_NINES = re.compile(r"9{7,}")  # how requests write that: 99999999

_PAGES_MISSING = "pages of the answer are missing"

Blocks = tuple[int, int]  # first and last, both included


@dataclass(frozen=True, slots=True)
class Reach:
    """Which blocks a listing asked for (`wanted`), and the ones of which we have every row (`had`).

    `last` is the highest block had, as a number: where `had` goes to `END`, it is the newest block there was. `head`
    is that newest block where the rows tell it, else 0.
    """

    state: State
    wanted: Blocks
    had: Blocks | None
    last: int | None
    as_of: int
    head: int = 0
    reason: str = ""


def reach_of(pages: Sequence[Answer], unread: int) -> Reach:
    """How far one listing reaches, given its pages in order; `unread` of their rows could not be read."""
    question = pages[0].question
    rows = [row for page in pages for row in page.rows if isinstance(row, dict)]
    blocks = [_number(row, "blockNumber") for row in rows]
    head = _head(rows)
    wanted, last = _asked(question, head, max(blocks, default=None))
    state, reason = _verdict(pages, unread)
    had = wanted if state in (State.READ, State.EMPTY) else None
    if state is State.CUT and reason != _PAGES_MISSING:
        had = _before_the_cut(question, blocks, wanted)
    if had is None or had[1] != END:
        last = had[1] if had else None
    return Reach(state, wanted, had, last, min(page.as_of for page in pages), head, reason)


def coverage_of(
    address: Address, source: str, evidence: str, rows: int, reaches: Mapping[Kind, Sequence[Reach]]
) -> Coverage:
    """What all listings of an address say together, over every kind of movement that was asked for.

    A kind whose listings all failed counts as one the source cannot show. Of the others, the worst state and the
    blocks that all of them share are stated.
    """
    heads = [(reach.as_of, reach.head) for listings in reaches.values() for reach in listings if reach.head]
    whole = {kind: _joined([_with_head(reach, heads) for reach in listings]) for kind, listings in reaches.items()}
    told = {kind: reach for kind, reach in whole.items() if reach.state is not State.FAILED} or whole
    worst = max(told.values(), key=lambda reach: reach.state)
    state = State.READ if worst.state is State.EMPTY and len({r.state for r in told.values()}) > 1 else worst.state
    had = [reach.had for reach in told.values()]
    first = max((blocks[0] for blocks in had if blocks), default=0)
    lasts = [reach.last for reach in told.values()]
    known = [last for last in lasts if last is not None]
    last = min(known) if len(known) == len(lasts) and all(had) else None
    reasons = [f"{kind}: {reach.reason}" for kind, reach in told.items() if reach.reason]
    if last is not None and last < first:
        state, last = max(state, State.CUT), None
        reasons.append(f"no block was read for all of {', '.join(told)}")
    as_of = min(reach.as_of for reach in told.values())
    kinds = frozenset(told)
    return Coverage(address, state, kinds, source, evidence, first, last, as_of, rows, "; ".join(reasons))


def _verdict(pages: Sequence[Answer], unread: int) -> tuple[State, str]:
    """The state of one listing, and why it is not complete."""
    question, sizes = pages[0].question, [len(page.rows) for page in pages]
    full = [page.question.cap(size) <= size for page, size in zip(pages, sizes, strict=True)]
    numbers = [page.question.page for page in pages]
    if failure := next((page.failure for page in pages if page.failure), ""):
        return State.FAILED, failure
    if unread:
        return State.FAILED, f"{unread:,} of {sum(sizes):,} rows cannot be read"
    if numbers != list(range(1, len(pages) + 1)) or not all(full[:-1]):
        return State.CUT, _PAGES_MISSING
    if full[-1]:
        return State.CUT, f"the answer ends at {sum(sizes):,} rows, its cap"
    if not question.recorded:
        return State.UNSTATED, "the request was not recorded, so it is not known which blocks it asked for"
    if question["contractaddress"]:
        return State.UNSTATED, "the request asked for one token only"
    return (State.READ if sum(sizes) else State.EMPTY), ""


def _asked(question: Question, head: int, highest: int | None) -> tuple[Blocks, int | None]:
    """The blocks asked for, and the last of them that existed; that is None where nothing tells it."""
    start, end = question.number("startblock") or 0, question.number("endblock")
    if end is not None and not _NINES.fullmatch(question["endblock"]) and (not head or end < head):
        return (start, end), end
    if head:
        return (start, END), min(end, head) if end is not None else head
    return (start, END), highest


def _before_the_cut(question: Question, blocks: list[int], wanted: Blocks) -> Blocks | None:
    """The blocks read completely by a listing that was cut: those before the one it ended in."""
    newest_first = question["sort"].lower() == "desc"
    if not question.recorded or question["contractaddress"] or blocks != sorted(blocks, reverse=newest_first):
        return None
    first, last = (blocks[-1] + 1, wanted[1]) if newest_first else (wanted[0], blocks[-1] - 1)
    return (first, last) if first <= last else None


def _joined(reaches: Sequence[Reach]) -> Reach:
    """Several listings of one kind as one: windows side by side, a retry after an error, the same twice."""
    wanted = min(reach.wanted[0] for reach in reaches), max(reach.wanted[1] for reach in reaches)
    runs = _union(reach.had for reach in reaches if reach.had)
    missed = [reach for reach in reaches if not any(a <= reach.wanted[0] and reach.wanted[1] <= b for a, b in runs)]
    if not runs:
        return replace(max(reaches, key=lambda reach: reach.state), wanted=wanted)
    last = runs[0][1]  # one range is stated; what lies behind a gap is not used
    at_end = [reach for reach in reaches if reach.had and reach.had[1] == last]
    as_of = max(reach.as_of for reach in at_end)
    number = max((reach.last for reach in at_end if reach.last is not None), default=None)
    if not missed and len(runs) == 1:
        seen = any(reach.state is not State.EMPTY for reach in reaches if reach.had)
        return Reach(State.READ if seen else State.EMPTY, wanted, runs[0], number, as_of)
    reasons = list(dict.fromkeys(reach.reason for reach in missed if reach.reason))
    if len(runs) > 1:
        reasons.append(f"blocks {last + 1} to {runs[1][0] - 1} are not recorded")
    return Reach(State.CUT, wanted, runs[0], number, as_of, 0, "; ".join(reasons))


def _union(ranges: Iterable[Blocks]) -> list[Blocks]:
    """The ranges sorted, those that touch or overlap joined.

    >>> _union([(11, 20), (0, 10), (30, 40)])
    [(0, 20), (30, 40)]
    """
    runs: list[Blocks] = []
    for first, last in sorted(ranges):
        if runs and first <= runs[-1][1] + 1:
            runs[-1] = runs[-1][0], max(runs[-1][1], last)
        else:
            runs.append((first, last))
    return runs


def _with_head(reach: Reach, heads: Sequence[tuple[int, int]]) -> Reach:
    """The reach of an open-ended listing whose rows do not tell the newest block, helped by one taken before it."""
    if reach.had is None or reach.had[1] != END or reach.head or not reach.as_of:
        return reach
    known = [head for as_of, head in heads if 0 < as_of <= reach.as_of]
    return replace(reach, last=max([*known, reach.last or 0])) if known else reach


def _head(rows: Sequence[Mapping[str, object]]) -> int:
    """The newest block when the answer was given: a row's block and its confirmations, of which the first is itself."""
    return max((_number(row, "blockNumber") + n - 1 for row in rows if (n := _number(row, "confirmations"))), default=0)


def _number(row: Mapping[str, object], name: str) -> int:
    text = str(row.get(name))
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0
