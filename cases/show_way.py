"""The way of stolen value as a person reads it: payments, exchanges, where the rules part, leads beyond CoinJoins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cases.show_ends import largest
from cases.show_parts import (
    Answer,
    AssetFigures,
    Figures,
    asset_name,
    counted,
    place,
    section,
    spans_of,
    symbol_of,
    when,
)
from cases.table import table, wrapped
from cases.visible import visible

MOST_EXCHANGES = 10  # of those carried out, and of those that are not
MOST_HOLDINGS = 10
MOST_LEADS = 20


def show_hops(
    answer: Answer, hops: Sequence[Mapping[str, Any]], *, width: int | None = None, colour: bool = False
) -> str:
    """The payments of `cases.exports.hops_of`, in the order of the chain."""
    rules = answer["rules"]
    several = any(hop["asset"] != answer["asset"]["name"] or hop["amounts"] != hop["basis_amounts"] for hop in hops)
    if several:
        each = AssetFigures([(hop, hop["amounts"][rule]) for hop in hops for rule in rules])
        figures = [[each.of(hop, hop["amounts"][rule]) for rule in rules] for hop in hops]
        note = f"Amounts are {each.note}"
    else:
        one = Figures(answer["asset"], [hop["amounts"][rule] for hop in hops for rule in rules])
        figures, note = [[one.of(hop["amounts"][rule]) for rule in rules] for hop in hops], one.note
    rows = [
        [hop["source"] or "(several)", hop["target"] or "(no address)", when(hop["time"]), hop["transfer"], *mine]
        for hop, mine in zip(hops, figures, strict=True)
    ]
    title = "Payments that moved stolen value (recorded; how much of each is stolen is inferred, by rule)"
    listed = table(["from", "to", "when (UTC)", "transfer", *rules], rows, len(rules), width, colour=colour)
    return section(title, [*wrapped(note, width), listed], width, colour)


def show_exchanges(answer: Answer, *, width: int | None = None, colour: bool = False) -> str:
    """What followed wallets exchanged: what was carried out, what was not, and why; "" where there is nothing."""
    found = answer["exchanges"]
    if not found:
        return ""
    legs = [leg for one in found for part in one["conversions"] for side in ("gave", "got") for leg in part[side]]
    figures = AssetFigures((leg, leg["units"]) for leg in legs)
    lines: list[str] = wrapped(f"Amounts are {figures.note}", width) if legs else []
    for trusted, said in (
        (True, "carried out: what was got stands for what was given"),
        (False, "NOT carried out: the money is followed to whoever was paid; for a person to decide"),
    ):
        mine = [one for one in found if one["trusted"] is trusted]
        if mine:
            lines += wrapped(f"{len(mine)} {said}", width, indent="")
        for one in mine[:MOST_EXCHANGES]:
            lines += _exchange(one, figures, width)
        if len(mine) > MOST_EXCHANGES:
            lines.append(f"  and {len(mine) - MOST_EXCHANGES:,} more, see --json")
    return section("Exchanged on the way (inferred, by followed wallets)", lines, width, colour)


def _exchange(one: Mapping[str, Any], figures: AssetFigures, width: int | None) -> list[str]:
    lines = [one["transaction"], *wrapped(f"{one['kind']}, block {one['block']}, {when(one['time'])} UTC", width)]
    for part in one["conversions"]:
        for side in ("gave", "got"):
            told = " and ".join(
                f"{leg['address'] or 'no address'} {side} {figures.of(leg, leg['units'])}" for leg in part[side]
            )
            lines += wrapped(told, width)
    return lines + wrapped(f"why: {visible(one['why'])}", width)


def show_commingling(answer: Answer, *, width: int | None = None, colour: bool = False) -> str:
    """Per holding the first payment at which the rules part: of what, and what each rule took; "" if nowhere."""
    found, rules = answer["commingling"], answer["rules"]
    if not found:
        return ""
    kept = found[:MOST_HOLDINGS]
    firsts = [point["choices"][0] for point in kept]
    amounts = [
        (point, units)
        for point, first in zip(kept, firsts, strict=True)
        for units in (
            [first["units"]],
            [first["mixture"]],
            [first["stolen_in_it"][rule] for rule in rules],
            *([first["stolen_taken"][rule]] for rule in rules),
        )
    ]
    note, spans = spans_of(answer, amounts)
    columns = 3 + len(rules)
    rows = [
        [
            place(point),
            _parts_at(point),
            first["transfer"],
            *spans[at * columns : (at + 1) * columns],
        ]
        for at, (point, first) in enumerate(zip(kept, firsts, strict=True))
    ]
    if len(found) > len(kept):
        payments = sum(len(point["choices"]) for point in found[len(kept) :])
        rest = f"and {len(found) - len(kept):,} more, see --json"
        rows.append([rest, counted(payments, "payment", "payments"), *[""] * (columns + 1)])
    told = (
        "Stolen and other money lay together here, or the inputs of a transaction brought them together that paid it. "
        "Of the first such payment: what was paid, of how much, what of that was stolen, and how much of the stolen "
        "went along under each rule."
    )
    headings = ["mixed at", "rules part at", "first", "paid", "of", "stolen in it", *rules]
    lines = [*wrapped(told, width), *wrapped(note, width), table(headings, rows, columns, width, colour=colour)]
    return section("Where the rules part (commingling; inferred)", lines, width, colour)


def _parts_at(point: Mapping[str, Any]) -> str:
    """At how many payments the rules part, and on which side of them the money was mixed."""
    number = len(point["choices"])
    if point["pooled"]:
        return counted(number, "transaction that paid it", "transactions that paid it")
    return counted(number, "payment from it", "payments from it")


def show_leads(answer: Answer, *, width: int | None = None, colour: bool = False) -> str:
    """Outputs beyond CoinJoins, the best odds first; "" where leads were not asked for."""
    leads = answer["leads"]
    if leads is None:
        return ""
    rows = [
        [one["output"], one["address"] or "(no address)", f"1 in {one['one_in']:,}", visible(one["why"], 100)]
        for one in leads["found"][:MOST_LEADS]
    ]
    lines = wrapped(leads["says"], width)
    if rows:
        lines.append(table(["output", "address", "odds", "what is there"], rows, 0, width, colour=colour))
    else:
        lines += wrapped("no CoinJoin ends this trace, so there are none", width)
    if len(leads["found"]) > MOST_LEADS:
        lines.append(f"  and {len(leads['found']) - MOST_LEADS:,} more, see --json")
    return section("Leads beyond CoinJoins (odds, not amounts)", lines, width, colour)


def show_comparison(told: Mapping[str, Any], *, width: int | None = None, colour: bool = False) -> str:
    """What hangs on the rule: per end the least and the most of all rules and of any, then where they part."""
    kept, rest = largest(told["ends"])
    figures = Figures(told["asset"], [units for end in kept for units in _all(end) if units is not None])
    rows = [
        [
            _named(told, end),
            end["stop"],
            *map(figures.of, (*end["over_rules"].values(), end["basis_least"], end["basis_most"])),
            "yes" if end["rule_independent"] else "no",
        ]
        for end in kept
    ]
    if rest:
        rows.append([f"and {len(rest):,} more, see --json", *[""] * 6])
    stated = f"Rules compared: {', '.join(told['rules'])}. Amounts {figures.note}. Independent: no rule changes it."
    headings = ["address", "stop", "least of them", "most of them", "least of any", "most of any", "independent"]
    listed = [*wrapped(stated, width), table(headings, rows, 5, width, colour=colour)]
    parts = [section("What hangs on the rule (inferred)", listed, width, colour)]
    if told["partial"]:
        because = [line for why in told["partial_because"] for line in wrapped("- " + visible(why), width)]
        parts.insert(0, section("PARTIAL: part of what this answer needs is not read", because, width, colour))
    parts.append(show_commingling(told, width=width, colour=colour) or "The rules part nowhere.")
    return "\n\n".join(parts) + "\n"


def _all(end: Mapping[str, Any]) -> Iterable[str | None]:
    return (*end["over_rules"].values(), end["basis_least"], end["basis_most"])


def _named(told: Mapping[str, Any], end: Mapping[str, Any]) -> str:
    """An end, with its asset where that is not the stolen one."""
    return place(end) if end["asset"] == told["asset"]["name"] else f"{place(end)} {symbol_of(end)} ({asset_name(end)})"
