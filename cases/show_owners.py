"""Who is taken for one owner, as a person reads it: judgements, who makes them and why, and the clusters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cases.show_parts import counted
from cases.table import table
from cases.visible import visible

SHORT = 12  # characters of an id
_WORDS = 60


def show_owners(told: Mapping[str, Any], *, width: int | None = None) -> str:
    """Both tables. A judgement is an inference: no amount and no trace rests on it."""
    judged = told["judgements"]
    if not judged:
        return "nobody judged that two addresses have one owner"
    rows = [
        [
            one["id"][:SHORT], _place(one["left"]), _place(one["right"]), str(one["confidence"]),
            visible(one["author"], _WORDS), visible(one["rule"], _WORDS), str(len(one["evidence"])), _counts(one),
        ]
        for one in judged
    ]  # fmt: skip
    headings = ["judgement", "one", "other", "sure", "by", "because", "transfers", "counts"]
    lines = [table(headings, rows, 0, width, colour=False), ""]
    sure = f" of judgements at least {told['confidence']} sure" if told["confidence"] else ""
    lines.append(f"{counted(len(told['clusters']), 'cluster', 'clusters')}{sure}; inferred, and no amount rests on it")
    for number, cluster in enumerate(told["clusters"], start=1):
        because = ", ".join(id[:SHORT] for id in cluster["judgements"])
        lines.append(f"{number}. {len(cluster['members'])} addresses, the weakest link {cluster['weakest']}: {because}")
        lines += [f"   {_place(member)}" for member in cluster["members"]]
    return "\n".join(lines)


def _place(address: Mapping[str, str]) -> str:
    return visible(f"{address['chain']}:{address['address']}")


def _counts(one: Mapping[str, Any]) -> str:
    if one["withdrawn"]:
        said = (f"{visible(one['by'], _WORDS)}: {visible(one['why'], _WORDS)}" for one in one["withdrawn"])
        return f"no: withdrawn by {'; by '.join(said)}"
    return f"no: {one['doubt']}" if one["doubt"] else "yes"
