"""An answer as a person reads it: facts, inferences and decisions apart, and what was not read before anything else."""

from __future__ import annotations

from cases.show_ends import show_ends, show_losses
from cases.show_parts import LABEL_WIDTH, Answer, Figures, place, section, spans_of, symbol_of
from cases.show_way import show_commingling, show_exchanges, show_hops, show_leads
from cases.table import table, wrapped
from cases.visible import visible
from tracer.values import shown

__all__ = [
    "show",
    "show_books",
    "show_commingling",
    "show_coverage",
    "show_decisions",
    "show_ends",
    "show_exchanges",
    "show_hops",
    "show_leads",
    "show_losses",
    "show_not_in_data",
    "show_partial",
    "show_reasons",
    "show_venues",
]

MOST_PROBLEMS = 20
_STATES = {
    "read": "read",
    "empty": "read, none seen",
    "unstated": "from a file that does not say whether it is all",
    "cut": "cut at a cap: not read after it",
    "failed": "not read: an error, or a row that cannot be read",
    "not recorded": "not read: the source has no answer",
    "not asked": "not read: not asked",
}

_FEES = {
    "fee_last": "a fee is what is left after the outputs, or after the payment it was paid for",
    "fee_prorata": "on a UTXO chain a fee takes its share of all that a transaction brought together",
    "fee_in_ratio": "as fee_prorata, and who mined the block has from the fees what they brought",
}
_ORDER = {
    "atomic": "what an address gives and gets of one asset in one transaction is counted once, as the difference",
    "exact": "movements one after the other, as the source gives them",
}


def show(answer: Answer, *, width: int | None = None, colour: bool = False) -> str:
    """The whole answer as text. `width` None: lines as long as their content, for files and pipes.

    `colour` allows terminal styles (bold only); leave it off where NO_COLOR is set or nobody looks at a terminal.
    """
    parts = (
        show_partial(answer, width=width, colour=colour),
        show_ends(answer, width=width, colour=colour),
        show_losses(answer, width=width, colour=colour),
        show_books(answer, width=width, colour=colour),
        show_exchanges(answer, width=width, colour=colour),
        show_commingling(answer, width=width, colour=colour),
        show_leads(answer, width=width, colour=colour),
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
    return section("PARTIAL: part of what this answer needs is not read", told, width, colour)


def show_books(answer: Answer, *, width: int | None = None, colour: bool = False) -> str:
    """lost = ends + held + fees + not followed, for each rule."""
    parts = ("lost", "ends", "held", "fees", "not_followed")
    books = answer["books"]
    figures = Figures(answer["asset"], [books[rule][part] for rule in answer["rules"] for part in parts])
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
    return section(f"Books (inferred; {closed})", lines, width, colour)


def show_venues(answer: Answer, *, width: int | None = None, colour: bool = False) -> str:
    """The exchange wallets, with what is recorded and what is inferred in columns of their own; "" where none is."""
    if not answer["venues"]:
        return ""
    venues, stolen = answer["venues"], answer["asset"]
    inferred = [(stolen, list(venue[key].values())) for venue in venues for key in ("deposited", "direct")]
    note, spans = spans_of(answer, [*((venue, [venue["swept"]]) for venue in venues), *inferred])
    rows = []
    for at, venue in enumerate(venues):
        who, figures = visible(venue["label"] or venue["entity"], LABEL_WIDTH), len(venues) + 2 * at
        rows.append(
            [venue["address"] or "(its wallet is not known)", who, spans[at], spans[figures], spans[figures + 1]]
        )
        rows += [[f"  through {address}", "", "", "", ""] for address in venue["through"]]
    headings = [
        "exchange wallet",
        "labelled",
        "swept to it (recorded)",
        "at its deposit addresses (inferred)",
        "direct (inferred)",
    ]
    told = "A range: the least and the most of the rules shown. Deposit addresses: by their behaviour or a label."
    return section(
        "Exchange wallets",
        [*wrapped(note, width), *wrapped(told, width), table(headings, rows, 3, width, colour=colour)],
        width,
        colour,
    )


def show_not_in_data(answer: Answer, *, width: int | None = None, colour: bool = False) -> str:
    """Inflow that must have been there and that the data do not show; "" where there is none."""
    found = answer["not_in_data"]
    if not found:
        return ""
    note, spans = spans_of(answer, [(one, list(one["amounts"].values())) for one in found])
    rows = [
        [
            one["address"] or "(no address)",
            "other money" if one["loss"] is None else f"loss {visible(one['loss'], LABEL_WIDTH)}",
            span,
        ]
        for one, span in zip(found, spans, strict=True)
    ]
    told = "These wallets paid out more than they are recorded to have received. How it came is not in the data."
    lines = [
        *wrapped(told, width),
        *wrapped(note, width),
        table(["address", "counted as", "amount"], rows, 1, width, colour=colour),
    ]
    return section("Inflow that the data do not show", lines, width, colour)


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
        figures = Figures(answer["asset"], [units for one in coverage["incomplete"] for units in one["hangs"].values()])
        rows = [
            [
                one["address"],
                _STATES[one["state"]],
                visible(one["reason"], LABEL_WIDTH),
                figures.span(one["hangs"].values()),
            ]
            for one in coverage["incomplete"]
        ]
        headings = ["address", "state", "reason", "stolen value at or after it (inferred)"]
        lines += [*wrapped(figures.note, width), table(headings, rows, 1, width, colour=colour)]
    for one in coverage["unexplained"][:MOST_PROBLEMS]:
        places, symbol = one["decimals"], visible(one["symbol"] or one["asset"])
        stated, read, residue = (shown(int(one[key]), places) for key in ("stated", "counted", "residue"))
        lines += wrapped(
            f"{one['address']} does not add up at block {one['block']}: {visible(one['source'])} states "
            f"{stated} {symbol}, what was read of it sums to {read}; unexplained {residue}",
            width,
        )
    if len(coverage["unexplained"]) > MOST_PROBLEMS:
        lines.append(f"  and {len(coverage['unexplained']) - MOST_PROBLEMS:,} more that do not add up, see --json")
    if coverage["provisional"]:
        count = len(coverage["provisional"])
        lines += wrapped(
            f"{count} {'history ends' if count == 1 else 'histories end'} in blocks that were not final when read and "
            "may be replaced: read on with --update once they are",
            width,
        )
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
    return section("What was read (histories that this answer needs)", lines, width, colour)


def show_reasons(answer: Answer, *, width: int | None = None, colour: bool = False) -> str:
    """Ends known by behaviour, with what speaks for and against, and claims that conflict; "" where there are none."""
    lines: list[str] = []
    for end in answer["ends"]:
        if end["basis"] == "behaviour":
            lines += [end["address"] or place(end), *wrapped(visible(end["why"]), width)]
    for conflict in answer["conflicts"]:
        told = "; ".join(
            f"{visible(claim['name'] or claim['entity'])} of {visible(claim['entity'])}, by {visible(claim['source'])}"
            for claim in conflict["claims"]
        )
        lines += [conflict["address"], *wrapped(f"claims conflict: {told}", width)]
    return (
        section("How ends were recognised (inferred: review before acting on it)", lines, width, colour)
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
            else f"{shown(int(loss['units']), asset['decimals'])} {symbol_of(asset)}"
        )
        victim = f", lost by {visible(loss['victim'])}" if loss["victim"] else ""
        since = f", from block {loss['since']}" if loss["since"] else ""
        lines += wrapped(f"loss {visible(loss['name'])}: {stated} at {loss['start']}{since}{victim}", width)
    settings = ", ".join(f"{name} {value}" for name, value in answer["settings"].items())
    lines += wrapped(f"between losses: {answer['between']}; {settings}", width)
    lines += wrapped(f"fees: {answer['fees']}, {_FEES[answer['fees']]}", width)
    lines += wrapped(f"order inside a transaction: {answer['order']}, {_ORDER[answer['order']]}", width)
    return section("Decided (as stated, not inferred)", lines, width, colour)
