"""An answer as a person reads it: facts, inferences and decisions apart, and what was not read before anything else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from cases.table import table, wrapped
from cases.visible import visible
from tracer.values import shown

Answer = Mapping[str, Any]
MOST_ROWS = 40
MOST_PROBLEMS = 20
_LABEL_WIDTH = 60
_STATES = {
    "read": "read",
    "empty": "read, none seen",
    "unstated": "from a file that does not say whether it is all",
    "cut": "cut at a cap: not read after it",
    "failed": "not read: the source answered with an error",
    "not recorded": "not read: the source has no answer",
    "not asked": "not read: not asked",
}


def show(answer: Answer, *, width: int | None = None, colour: bool = False) -> str:
    """The whole answer as text. `width` None: lines as long as their content, for files and pipes.

    `colour` allows terminal styles (bold only); leave it off where NO_COLOR is set or nobody looks at a terminal.
    """
    parts = (
        show_partial(answer, width=width, colour=colour),
        show_ends(answer, width=width, colour=colour),
        show_books(answer, width=width, colour=colour),
        show_venues(answer, width=width, colour=colour),
        show_not_in_data(answer, width=width, colour=colour),
        show_coverage(answer, width=width, colour=colour),
        show_reasons(answer, width=width, colour=colour),
        show_decisions(answer, width=width, colour=colour),
    )
    return "\n\n".join(part for part in parts if part) + "\n"


def show_partial(answer: Answer, *, width: int | None = None, colour: bool = False) -> str:
    """The banner of a partial answer, "" where it is whole."""
    if not answer["partial"]:
        return ""
    told = [line for why in answer["partial_because"] for line in wrapped("- " + visible(why), width)]
    return _section("PARTIAL: part of what this answer needs is not read", told, width, colour)


def show_ends(answer: Answer, *, width: int | None = None, colour: bool = False) -> str:
    """Where the stolen value rests: the largest ends, the others in one row with their sums."""
    rules, ends = answer["rules"], answer["ends"]
    largest = sorted(range(len(ends)), key=lambda at: (-_largest(ends[at]), at))[:MOST_ROWS]
    kept = [ends[at] for at in sorted(largest)]
    rest = [end for at, end in enumerate(ends) if at not in set(largest)]
    amounts = [end["amounts"][rule] for end in kept for rule in rules]
    figures = _Figures(answer, [*amounts, *(end[key] for end in kept for key in ("least", "most") if end[key])])
    rows = [
        [_place(end), end["stop"], _known(end), *map(figures.of, (*_amounts(end, rules), end["least"], end["most"]))]
        for end in kept
    ]
    if rest:
        sums = [figures.of(str(sum(int(end["amounts"][rule]) for end in rest))) for rule in rules]
        rows.append([f"and {len(rest)} more, see --json", "", "", *sums, "-", "-"])
    backward = answer["direction"] == "backward"
    what = "Where the money came from" if backward else "Where the stolen value rests"
    title = f"{what} (inferred: one column per accounting rule; least and most under any)"
    headings = ["address", "stop", "who", *rules, "least", "most"]
    return _section(
        title,
        [*wrapped(figures.note, width), table(headings, rows, len(rules) + 2, width, colour=colour)],
        width,
        colour,
    )


def show_books(answer: Answer, *, width: int | None = None, colour: bool = False) -> str:
    """lost = ends + held + fees + not followed, for each rule."""
    parts = ("lost", "ends", "held", "fees", "not_followed")
    books = answer["books"]
    figures = _Figures(answer, [books[rule][part] for rule in answer["rules"] for part in parts])
    rows = [[rule, *(figures.of(books[rule][part]) for part in parts)] for rule in answer["rules"]]
    open_ = [
        rule
        for rule in answer["rules"]
        if int(books[rule]["lost"]) != sum(int(books[rule][part]) for part in parts[1:])
    ]
    closed = "they close to the base unit" if not open_ else f"THEY DO NOT CLOSE under {', '.join(open_)}"
    total = "received" if answer["direction"] == "backward" else "lost"
    headings = ["rule", total, "= ends", "+ held", "+ fees", "+ not followed"]
    lines = [*wrapped(figures.note, width), table(headings, rows, 5, width, colour=colour)]
    return _section(f"Books (inferred; {closed})", lines, width, colour)


def show_venues(answer: Answer, *, width: int | None = None, colour: bool = False) -> str:
    """The exchange wallets, with what is recorded and what is inferred in columns of their own; "" where none is."""
    if not answer["venues"]:
        return ""
    amounts = [units for venue in answer["venues"] for key in ("deposited", "direct") for units in venue[key].values()]
    figures = _Figures(answer, [*amounts, *(venue["swept"] for venue in answer["venues"])])
    rows = []
    for venue in answer["venues"]:
        who = visible(venue["label"] or venue["entity"], _LABEL_WIDTH)
        inferred = [figures.span(venue["deposited"].values()), figures.span(venue["direct"].values())]
        rows.append([venue["address"] or "(its wallet is not known)", who, figures.of(venue["swept"]), *inferred])
        rows += [[f"  through {address}", "", "", "", ""] for address in venue["through"]]
    headings = [
        "exchange wallet",
        "labelled",
        "swept to it (recorded)",
        "at its deposit addresses (inferred)",
        "direct (inferred)",
    ]
    told = "A range: the least and the most of the rules shown. Deposit addresses: by their behaviour or a label."
    return _section(
        "Exchanges",
        [*wrapped(figures.note, width), *wrapped(told, width), table(headings, rows, 3, width, colour=colour)],
        width,
        colour,
    )


def show_not_in_data(answer: Answer, *, width: int | None = None, colour: bool = False) -> str:
    """Inflow that must have been there and that the data do not show; "" where there is none."""
    found = answer["not_in_data"]
    if not found:
        return ""
    figures = _Figures(answer, [units for one in found for units in one["amounts"].values()])
    rows = [
        [
            one["address"] or "(no address)",
            "other money" if one["loss"] is None else f"loss {visible(one['loss'], _LABEL_WIDTH)}",
            figures.span(one["amounts"].values()),
        ]
        for one in found
    ]
    told = "These wallets paid out more than they are recorded to have received. How it came is not in the data."
    lines = [
        *wrapped(told, width),
        *wrapped(figures.note, width),
        table(["address", "counted as", "amount"], rows, 1, width, colour=colour),
    ]
    return _section("Inflow that the data do not show", lines, width, colour)


def show_coverage(answer: Answer, *, width: int | None = None, colour: bool = False) -> str:
    """What was read and what was not, and what hangs on it."""
    coverage, requests = answer["coverage"], answer["requests"]
    lines = [f"  {count} {_STATES[state]}" for state, count in coverage["by_state"].items()] or [
        "  no history is needed"
    ]
    if coverage["missing_kinds"]:
        kinds = ", ".join(coverage["missing_kinds"])
        lines += wrapped(
            f"kinds of movement that the sources cannot show, so that none of them can be seen: {kinds}", width
        )
    if coverage["incomplete"]:
        figures = _Figures(answer, [units for one in coverage["incomplete"] for units in one["hangs"].values()])
        rows = [
            [
                one["address"],
                _STATES[one["state"]],
                visible(one["reason"], _LABEL_WIDTH),
                figures.span(one["hangs"].values()),
            ]
            for one in coverage["incomplete"]
        ]
        headings = ["address", "state", "reason", "stolen value at or after it (inferred)"]
        lines += [*wrapped(figures.note, width), table(headings, rows, 1, width, colour=colour)]
    if answer["order_not_told"]:
        count = len(answer["order_not_told"])
        lines += wrapped(
            f"in {count} blocks the source does not tell which of two payments came first, see --json", width
        )
    sources = ", ".join(visible(name) for name in requests["sources"]) or "no source"
    ratio = f", {requests['ratio']} per wallet that stolen value passes through" if requests["ratio"] else ""
    budget = f" (at most {requests['budget']} in a run)" if requests["budget"] is not None else ""
    lines += wrapped(f"{requests['asked']} answers asked of {sources}{budget}{ratio}", width)
    lines += wrapped(f"{answer['reach']['addresses']} addresses within reach. {answer['reach']['says']}", width)
    for problem in answer["problems"][:MOST_PROBLEMS]:
        where = f"{visible(problem['where'])}: " if problem["where"] else ""
        lines += wrapped(f"problem: {where}{visible(problem['text'])}", width)
    if len(answer["problems"]) > MOST_PROBLEMS:
        lines.append(f"  and {len(answer['problems']) - MOST_PROBLEMS:,} problems more, see --json")
    return _section("What was read (histories that this answer needs)", lines, width, colour)


def show_reasons(answer: Answer, *, width: int | None = None, colour: bool = False) -> str:
    """Ends known by behaviour, with what speaks for and against, and claims that conflict; "" where there are none."""
    lines: list[str] = []
    for end in answer["ends"]:
        if end["basis"] == "behaviour":
            lines += [end["address"] or _place(end), *wrapped(visible(end["why"]), width)]
    for conflict in answer["conflicts"]:
        told = "; ".join(
            f"{visible(claim['name'] or claim['entity'])} of {visible(claim['entity'])}, by {visible(claim['source'])}"
            for claim in conflict["claims"]
        )
        lines += [conflict["address"], *wrapped(f"claims conflict: {told}", width)]
    return (
        _section("How ends were recognised (inferred: review before acting on it)", lines, width, colour)
        if lines
        else ""
    )


def show_decisions(answer: Answer, *, width: int | None = None, colour: bool = False) -> str:
    """What people decided: the losses as stated and the settings."""
    asset, lines = answer["asset"], []
    for loss in answer["losses"]:
        stated = (
            "all of it"
            if loss["units"] is None
            else f"{shown(int(loss['units']), asset['decimals'])} {_symbol(answer)}"
        )
        victim = f", lost by {visible(loss['victim'])}" if loss["victim"] else ""
        since = f", from block {loss['since']}" if loss["since"] else ""
        lines += wrapped(f"loss {visible(loss['name'])}: {stated} at {loss['start']}{since}{victim}", width)
    settings = ", ".join(f"{name} {value}" for name, value in answer["settings"].items())
    lines += wrapped(f"between losses: {answer['between']}; fees: {answer['fees']}; {settings}", width)
    return _section("Decided (as stated, not inferred)", lines, width, colour)


def show_hops(
    answer: Answer, hops: Sequence[Mapping[str, Any]], *, width: int | None = None, colour: bool = False
) -> str:
    """The payments of `cases.exports.hops_of`, in the order of the chain."""
    rules = answer["rules"]
    figures = _Figures(answer, [hop["amounts"][rule] for hop in hops for rule in rules])
    rows = [
        [hop["source"] or "(several)", hop["target"] or "(no address)", _when(hop["time"]), hop["transfer"]]
        + [figures.of(hop["amounts"][rule]) for rule in rules]
        for hop in hops
    ]
    title = "Payments that moved stolen value (recorded; how much of each is stolen is inferred, by rule)"
    listed = table(["from", "to", "when (UTC)", "transfer", *rules], rows, len(rules), width, colour=colour)
    return _section(title, [*wrapped(figures.note, width), listed], width, colour)


class _Figures:
    """Amounts of one table with the same number of decimals: the fewest of 4 to 6 that let none read as nothing."""

    def __init__(self, answer: Answer, units: Iterable[str]) -> None:
        self.decimals: int = answer["asset"]["decimals"]
        least = min((int(text) for text in units if text != "0"), default=0)
        self.places = (
            next((places for places in range(4, 6) if least * 10**places >= 10**self.decimals), 6) if least else 4
        )
        self.places = min(self.places, self.decimals)
        self.note = f"in {_symbol(answer)}, cut (not rounded) to {self.places} decimals; base units: --json"

    def of(self, units: str | None) -> str:
        """`units` for the table; what is there but too little to show is told from nothing."""
        if units is None:
            return "-"
        text = shown(int(units), self.decimals, self.places)
        if units != "0" and not text.strip("0."):
            return "<" + (f"0.{'1'.rjust(self.places, '0')}" if self.places else "1")
        return text

    def span(self, units: Iterable[str]) -> str:
        """The least and the most of several, one figure where they are the same."""
        found = sorted(int(text) for text in units)
        if found[0] == found[-1]:
            return self.of(str(found[0]))
        return f"{self.of(str(found[0]))} .. {self.of(str(found[-1]))}"


def _section(title: str, lines: Sequence[str], width: int | None, colour: bool) -> str:
    headed = wrapped(title, width, indent="")
    return "\n".join([*(f"\x1b[1m{line}\x1b[0m" if colour else line for line in headed), *lines])


def _when(time: int) -> str:
    """UTC seconds as a date; a time that no calendar has stays a number."""
    try:
        return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return str(time)


def _symbol(answer: Answer) -> str:
    return visible(answer["asset"]["symbol"] or answer["asset"]["name"], 42)


def _amounts(end: Mapping[str, Any], rules: Sequence[str]) -> list[str]:
    return [end["amounts"][rule] for rule in rules]


def _largest(end: Mapping[str, Any]) -> int:
    return max(int(units) for units in end["amounts"].values())


def _place(end: Mapping[str, Any]) -> str:
    return end["address"] or f"({end['holding']})"


def _known(end: Mapping[str, Any]) -> str:
    """What the stop rests on, in words that keep a claim, an inference and a record apart."""
    label = visible(end["label"], _LABEL_WIDTH)
    if end["basis"] == "behaviour":
        return f"by its behaviour a {label}" if label else "by its behaviour consistent with a service"
    if label:
        return f"labelled {label} by {visible(end['labelled_by'], 40)}"
    return end["why"] if end["address"] is None else "not labelled"
