"""An answer checked by giving it again: the same question, put to the facts, claims and decisions that a case holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cases.answer import FORMAT, Requests, answer
from cases.answer_ends import ends_part, resting
from cases.case_file import Case
from cases.codec import UNREADABLE, canonical
from cases.hops import Traced, hops_of
from cases.tracing import retraced
from graphs.leads import leads
from graphs.stops import StopRules
from tracer.errors import CaseConflict, FundtrailError
from tracer.labels import LabelBook
from tracer.lots import Rule
from tracer.values import TransferId


def doubt_about(case: Case, given: Mapping[str, Any], hops: Sequence[Mapping[str, Any]]) -> str:
    """Why the case does not bear out `given` and its `hops`, "" if tracing anew gives both to the byte.

    What was asked of which sources is taken from `given`: it happened elsewhere, and decides no figure.
    """
    try:
        if given["format"] != FORMAT:
            return f"it is of format {given['format']!r:.40}; this program gives {FORMAT}"
        traced = retraced(case, dict(given))
        again = _again(case, given, traced)
        if canonical(again) != canonical(given):
            return f"tracing anew says otherwise of {_first_difference(given, again)}"
        if canonical(hops_of(again, traced)) != canonical(list(hops)):
            return "tracing anew gives other hops"
    except FundtrailError as error:
        return str(error)
    except UNREADABLE as error:
        return f"it is not an answer: {error!r:.200}"
    return ""


def traced_alike(case: Case, given: Mapping[str, Any]) -> Traced | None:
    """The trace behind an answer, if what the case holds by now still moves the same units to the same ends.

    None once a reorganisation or another page changed that: the payments would be those of another answer. Bounds,
    labels and coverage may say otherwise than they did; books and ends, and what brought each its units, may not.
    """
    try:
        traced = retraced(case, dict(given))
        return traced if _moves_alike(given, traced) else None
    except FundtrailError:
        return None


def hops_behind(case: Case, given: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The payments that an answer rests on. Raises `CaseConflict` where the case moves other units by now."""
    traced = traced_alike(case, given)
    if traced is None:
        raise CaseConflict(
            "by what the case holds now, other units moved than when it gave its last answer",
            "a reorganisation or another page changed that: trace again, then ask for the payments",
        )
    return hops_of(given, traced)


def _moves_alike(given: Mapping[str, Any], traced: Traced) -> bool:
    chosen, traces = [Rule(rule) for rule in given["rules"]], traced.traces()
    if not set(chosen) <= set(traces):
        return False
    for rule, books in given["books"].items():
        found = traces[Rule(rule)].books
        if any(str(getattr(found, part)) != units for part, units in books.items()):
            return False
    names = [loss.name for loss in traced.losses]
    rests = resting(traces, traced.stops)
    again = ends_part(traced, rests, chosen, names, None, LabelBook(()), StopRules(**given["settings"]))
    return _moved(again) == _moved(given["ends"])


def _moved(ends: Sequence[Mapping[str, Any]]) -> list[str]:
    told = "chain", "address", "holding", "asset", "amounts", "basis_amounts", "by_loss", "transfers"
    return sorted(canonical({key: end[key] for key in told}) for end in ends)


def _again(case: Case, given: Mapping[str, Any], traced: Traced) -> dict[str, Any]:
    asked, rules = given["requests"], StopRules(**given["settings"])
    labels = case.labels()
    coinjoins = [spot for spot in traced.stops if isinstance(spot, TransferId)]
    return answer(
        traced,
        traced.bounds(),
        labels,
        rules=rules,
        requested=[Rule(rule) for rule in given["rules"]],
        requests=Requests(asked["asked"], asked["budget"], tuple(asked["sources"])),
        problems=case.problems(),
        leads=None if given["leads"] is None else leads(traced.ledger, labels, coinjoins, rules),
    )


def _first_difference(given: Mapping[str, Any], again: Mapping[str, Any]) -> str:
    return next(key for key in sorted(given.keys() | again.keys()) if given.get(key) != again.get(key))
