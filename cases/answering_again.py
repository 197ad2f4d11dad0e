"""An answer checked by giving it again: the same question, put to the facts, claims and decisions that a case holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cases.answer import FORMAT, Requests, answer
from cases.case_file import Case
from cases.codec import UNREADABLE, canonical
from cases.hops import Traced, hops_of
from cases.tracing import retraced
from graphs.leads import leads
from graphs.stops import StopRules
from tracer.errors import FundtrailError
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
