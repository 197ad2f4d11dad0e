"""The sheets of judgements, of withdrawals and of the clusters that follow, and the first two read back from them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace

from cases.codec import canonical, judgement_id, judgement_json, judgement_of, withdrawal_json, withdrawal_of
from cases.exporting.contents import Contents, Statement
from cases.exporting.sheets import Cells, Row, Sheet
from cases.graph.nouns import Cluster
from tracer.judgements import Judgement

_JUDGEMENTS = (
    "judgement", "left_chain", "left", "right_chain", "right", "rule", "evidence", "confidence", "author", "at",
    "doubt",
)  # fmt: skip
_WITHDRAWALS = ("judgement", "by", "why")
_CLUSTERS = ("cluster", "chain", "address", "size", "weakest", "judgements")


def owner_sheets(contents: Contents) -> list[Sheet]:
    """The sheets, none where nobody judged. `weakest`: the least confidence of a judgement in the cluster."""
    if not contents.judgements:
        return []
    judged = tuple(_judgement(one, doubt) for one, doubt in contents.doubts().items())
    members = tuple(row for one in contents.clusters() for row in _members(one))
    made = [
        Sheet("judgements", Statement.INFERENCE, _JUDGEMENTS, frozenset(("confidence", "at")), judged),
        Sheet("clusters", Statement.INFERENCE, _CLUSTERS, frozenset(("size", "weakest")), members),
    ]
    if contents.withdrawals:
        rows = tuple(tuple(withdrawal_json(one)[column] for column in _WITHDRAWALS) for one in contents.withdrawals)
        made.append(Sheet("withdrawals", Statement.DECISION, _WITHDRAWALS, frozenset(), rows))
    return made


def with_owners(contents: Contents, sheets: Mapping[str, Iterable[Cells]]) -> Contents:
    """The contents with the judgements and withdrawals of these sheets; both may be missing.

    Raises what decoding something that was changed can raise (`cases.codec.UNREADABLE`).
    """
    judgements = tuple(map(_judgement_of, sheets.get("judgements", ())))
    known = {judgement_id(one): one for one in judgements}
    withdrawals = tuple(withdrawal_of(row, known) for row in sheets.get("withdrawals", ()))
    return replace(contents, judgements=judgements, withdrawals=withdrawals)


def _judgement(one: Judgement, doubt: str) -> Row:
    told = judgement_json(one)
    sides = (told[side][key] for side in ("left", "right") for key in ("chain", "address"))
    cited = canonical(told["evidence"])
    return judgement_id(one), *sides, one.rule, cited, str(one.confidence), one.author, str(one.at), doubt


def _judgement_of(row: Cells) -> Judgement:
    sides = {side: {"chain": row[f"{side}_chain"], "address": row[side]} for side in ("left", "right")}
    numbers = {name: int(row[name]) for name in ("confidence", "at")}
    return judgement_of({**row, **sides, **numbers, "evidence": json.loads(row["evidence"])})


def _members(one: Cluster) -> Iterable[Row]:
    """A row for each address; a cluster is named after the first of them."""
    name = f"{one.members[0].chain.name}:{one.members[0].text}"
    because = " ".join(map(judgement_id, one.judgements))
    weakest = str(min(judgement.confidence for judgement in one.judgements))
    for member in one.members:
        yield name, member.chain.name, member.text, str(len(one.members)), weakest, because
