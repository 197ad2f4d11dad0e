"""Where the stolen value rests, and whose it is there, as a person reads it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cases.show_parts import Answer, AssetFigures, Figures, known, place, section
from cases.table import table, wrapped
from cases.visible import visible

MOST_ROWS = 40
MOST_LOSSES = 12  # columns; the others share one
_STANDS_FOR = "  stands for"


def show_ends(answer: Answer, *, width: int | None = None, colour: bool = False) -> str:
    """The largest ends, the others in one row with their sums.

    An end that was exchanged on the way is told in its own asset, and on a line below in the stolen one.
    """
    rules = answer["rules"]
    kept, rest = largest(answer["ends"])
    rows, note = (_converted if any(map(_is_converted, kept)) else _plain)(answer, kept, rest)
    backward = answer["direction"] == "backward"
    what = "Where the money came from" if backward else "Where the stolen value rests"
    title = f"{what} (inferred: one column per accounting rule; least and most under any)"
    headings = ["address", "stop", "who", *rules, "least", "most"]
    listed = table(headings, rows, len(rules) + 2, width, colour=colour)
    return section(title, [*wrapped(note, width), listed], width, colour)


def show_losses(answer: Answer, *, width: int | None = None, colour: bool = False) -> str:
    """Of several losses, what each has at each end, the least and the most over the rules shown; "" for one loss."""
    names = [loss["name"] for loss in answer["losses"]]
    if len(names) < 2:
        return ""
    kept, rest = largest(answer["ends"])
    columns = [[name] for name in names[:MOST_LOSSES]]
    if len(names) > MOST_LOSSES:
        columns.append(names[MOST_LOSSES:])
    spans = [[_of(answer, [end], column) for column in columns] for end in kept]
    figures = Figures(answer["asset"], [units for row in spans for found in row for units in found])
    rows = [
        [place(end), end["stop"], *map(figures.span, mine)]
        for end, mine in zip(kept, spans, strict=True)
        if any(set(found) != {"0"} for found in mine)
    ]
    if rest:
        rows.append(
            [f"and {len(rest)} more, see --json", "", *(figures.span(_of(answer, rest, column)) for column in columns)]
        )
    told = "A range: the least and the most of the rules shown. All in the stolen asset."
    headings = ["address", "stop", *(_heading(answer, column) for column in columns)]
    lines = [*wrapped(figures.note, width), *wrapped(told, width)]
    lines.append(table(headings, rows, len(columns), width, colour=colour))
    return section(f"Whose it is (inferred; between losses: {answer['between']})", lines, width, colour)


def largest(ends: Sequence[Mapping[str, Any]]) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """The ends to show, in the answer's order, and the others. By what they stand for: assets do not compare."""
    sizes = [max(int(units) for units in end["basis_amounts"].values()) for end in ends]
    shown = set(sorted(range(len(ends)), key=lambda at: (-sizes[at], at))[:MOST_ROWS])
    kept = [end for at, end in enumerate(ends) if at in shown]
    return kept, [end for at, end in enumerate(ends) if at not in shown]


def _is_converted(end: Mapping[str, Any]) -> bool:
    """Whether what rests there is not simply what was stolen: also where it was exchanged there and back again."""
    return bool(
        end["amounts"] != end["basis_amounts"] or (end["least"], end["most"]) != (end["basis_least"], end["basis_most"])
    )


def _plain(
    answer: Answer, kept: Sequence[Mapping[str, Any]], rest: Sequence[Mapping[str, Any]]
) -> tuple[list[list[str]], str]:
    rules = answer["rules"]
    figures = Figures(answer["asset"], _units(kept, rules, "amounts", "least", "most"))
    rows = [
        [place(end), end["stop"], known(end), *map(figures.of, _row(end, rules, "amounts", "least", "most"))]
        for end in kept
    ]
    if rest:
        rows.append([f"and {len(rest)} more, see --json", "", "", *map(figures.of, _sums(rest, rules)), "-", "-"])
    return rows, figures.note


def _converted(
    answer: Answer, kept: Sequence[Mapping[str, Any]], rest: Sequence[Mapping[str, Any]]
) -> tuple[list[list[str]], str]:
    rules, stolen = answer["rules"], answer["asset"]
    own, basis = ("amounts", "least", "most"), ("basis_amounts", "basis_least", "basis_most")
    mine = [(end, units) for end in kept for units in _units([end], rules, *own)]
    figures = AssetFigures([*((stolen, units) for units in _units(kept, rules, *basis)), *mine])
    rows = []
    for end in kept:
        of = end if end["asset"] != stolen["name"] else stolen
        rows.append([place(end), end["stop"], known(end), *(figures.of(of, units) for units in _row(end, rules, *own))])
        if _is_converted(end):
            rows.append([_STANDS_FOR, "", "", *(figures.of(stolen, units) for units in _row(end, rules, *basis))])
    if rest:
        sums = [figures.of(stolen, units) for units in _sums(rest, rules)]
        rows.append([f"and {len(rest)} more, see --json: stand for", "", "", *sums, "-", "-"])
    told = "What was exchanged on the way stands for what was given for it, and that is what the books add up"
    return rows, f"{told}. Amounts are {figures.note}"


def _row(end: Mapping[str, Any], rules: Sequence[str], amounts: str, least: str, most: str) -> list[str | None]:
    return [*(end[amounts][rule] for rule in rules), end[least], end[most]]


def _units(ends: Sequence[Mapping[str, Any]], rules: Sequence[str], *keys: str) -> list[str]:
    return [units for end in ends for units in _row(end, rules, *keys) if units is not None]


def _sums(ends: Sequence[Mapping[str, Any]], rules: Iterable[str]) -> list[str]:
    return [str(sum(int(end["basis_amounts"][rule]) for end in ends)) for rule in rules]


def _of(answer: Answer, ends: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[str]:
    """By rule, what these losses have at these ends together."""
    return [
        str(sum(int(end["by_loss"][rule].get(name, "0")) for end in ends for name in names)) for rule in answer["rules"]
    ]


def _heading(answer: Answer, names: Sequence[str]) -> str:
    """A loss by its victim, where each has one of its own; else by its name."""
    if len(names) > 1:
        return f"{len(names)} other losses"
    victims = [loss["victim"] for loss in answer["losses"]]
    told = {loss["name"]: loss["victim"] for loss in answer["losses"]}
    distinct = all(victim.strip() for victim in victims) and len(set(victims)) == len(victims)
    return visible(told[names[0]] if distinct else names[0], 24)
