"""What an export can hold, in the project's own nouns: facts, claims, decisions and inferences, never mixed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from cases.graph.clusters import clusters_of
from cases.graph.nouns import Cluster
from cases.hops import Traced, hops_of
from connectors.protocol import Evidence, Problem
from tracer.coverage import Coverage
from tracer.judgements import Judgement, Withdrawal, doubt_of
from tracer.labels import Label
from tracer.losses import Loss
from tracer.values import Transfer

if TYPE_CHECKING:
    from cases.case_file import Case

Answer = Mapping[str, Any]


class Statement(StrEnum):
    """What kind of thing is said. Every sheet, file, edge and entity of an export says which it is."""

    FACT = "fact"  # read from a chain or a source
    CLAIM = "claim"  # said by somebody who is named: a label
    DECISION = "decision"  # made by a person: what was lost, which judgement is withdrawn
    INFERENCE = "inference"  # computed under a rule that is named, or judged by somebody who is


@dataclass(frozen=True, slots=True)
class Contents:
    """All of a case that leaves it. Two with the same contents give the same bytes in every format.

    Facts: every report of every `transfers`, the `evidence` they were read from, the `coverage` (source asked, its
    answer) and the `problems` met. Claims: `labels`. Decisions: `losses`, and `withdrawals` of judgements. Inferences:
    the `answer` given last (None: none was given) and its `hops`, which are worked out anew from the facts, and are
    none where these give other ones by now; and the `judgements`, from which clusters follow.
    """

    transfers: tuple[Transfer, ...]
    evidence: tuple[Evidence, ...] = ()
    coverage: tuple[tuple[str, Coverage], ...] = ()
    problems: tuple[Problem, ...] = ()
    labels: tuple[Label, ...] = ()
    losses: tuple[Loss, ...] = ()
    answer: Answer | None = None
    hops: tuple[Mapping[str, Any], ...] = ()
    judgements: tuple[Judgement, ...] = ()
    withdrawals: tuple[Withdrawal, ...] = ()

    def doubts(self) -> dict[Judgement, str]:
        """Every judgement, and why it does not count: "" if it does."""
        withdrawn = {one.judgement for one in self.withdrawals}
        held = {one.id for one in self.transfers}
        return {one: doubt_of(one, withdrawn, held.__contains__) for one in self.judgements}

    def standing(self) -> tuple[Judgement, ...]:
        """The judgements that count."""
        return tuple(one for one, doubt in self.doubts().items() if not doubt)

    def clusters(self) -> tuple[Cluster, ...]:
        """What they make, however sure each of them is."""
        return clusters_of(self.standing())


def contents_of(case: Case, answer: Answer | None = None, traced: Traced | None = None) -> Contents:
    """What the case holds. `answer` and `traced` as `latest` and `traced_alike` give them; without them, no inference.

    What a reorganisation replaced is not among the transfers; the bytes that told it are among the evidence.
    """
    return Contents(
        tuple(case.reports()),
        tuple(case.all_evidence()),
        tuple(case.told()),
        tuple(case.problems()),
        tuple(case.labels()),
        case.losses(),
        answer,
        () if answer is None or traced is None else tuple(hops_of(answer, traced)),
        case.judgements(),
        case.withdrawals(),
    )


def contents_with_answer(case: Case) -> Contents:
    """What the case holds, with its latest answer where one was given; its hops only while they are that answer's."""
    from cases.answering_again import traced_alike
    from cases.tracing import latest

    if not case.issued():
        return contents_of(case)
    answer = latest(case)
    return contents_of(case, answer, traced_alike(case, answer))


def contents_told(answer: Answer, traced: Traced, labels: Iterable[Label] = ()) -> Contents:
    """The contents of a trace that is in no case file."""
    return Contents(
        tuple(traced.ledger.transfers),
        coverage=tuple((answer.source, answer) for answer in traced.ledger.coverage),
        problems=tuple(Problem(one["text"], one["where"]) for one in answer["problems"]),
        labels=tuple(labels),
        losses=tuple(traced.losses),
        answer=answer,
        hops=tuple(hops_of(answer, traced)),
    )
