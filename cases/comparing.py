"""The rules compared: what of an answer hangs on the choice of an accounting rule, whatever rule it was asked under."""

from __future__ import annotations

from typing import Any

from cases.answer import answer
from cases.case_file import Case
from cases.tracing import latest, retraced
from graphs.origins import BACKWARD_RULES
from graphs.stops import StopRules
from tracer.lots import Rule
from tracer.values import Chain

FORMAT = "fundtrail-comparison/1"
_FRAME = ("asset", "direction", "losses", "rules", "between", "fees", "order", "settings", "partial", "partial_because")
_END = (
    "chain", "address", "holding", "asset", "symbol", "decimals", "stop", "part", "label", "labelled_by", "amounts",
    "basis_amounts", "over_rules", "least", "most", "basis_least", "basis_most", "rule_independent",
)  # fmt: skip


def compare(case: Case) -> dict[str, Any]:
    """All rules on the question that the case answered last: per end min..max and the envelope, and where they part.

    As in docs/answer.md, field by field, of the fields that have to do with the choice. Computed again from what the
    case holds; nobody is asked, and nothing is kept. Raises `CaseConflict` where the case gave no answer yet.
    """
    given = latest(case)
    traced = retraced(case, given)
    backward = given["direction"] == "backward"
    rules = BACKWARD_RULES if backward else Rule.of(Chain.named(given["asset"]["chain"]).family)
    settings = StopRules(**given["settings"])
    whole = answer(traced, traced.bounds(), case.labels(), rules=settings, requested=rules)
    return {
        "format": FORMAT,
        **{key: whole[key] for key in _FRAME},
        "ends": [{key: end[key] for key in _END} for end in whole["ends"]],
        "books": whole["books"],
        "commingling": whole["commingling"],
    }
