"""What every graph store promises. `cases/graph/contract.py` is this page as tests; `questions.py` asks through it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Protocol

from cases.graph.nouns import Cluster, Payment, Place, TraceRecord
from tracer.judgements import Judgement
from tracer.labels import Label
from tracer.losses import Loss
from tracer.values import Address, Transfer, TransferId


class GraphStore(Protocol):
    """One case as a graph.

    Promises: writing is idempotent, in any order and any number of times, also when it was cut off at any point and
    is done again; what is written again with more evidence replaces what was there; amounts are exact up to 2**256 - 1
    and texts come back as they were, whatever is in them; reading gives one order, that of `nouns.order_of` for
    payments and the nouns' own for the rest; another case in the same database is neither seen nor touched.
    Facts (transfers), claims (labels), inferences (judgements, clusters, traces) and decisions (losses) are kept
    apart, and deleting an inference leaves every fact as it was.
    """

    def write_addresses(self, addresses: Iterable[Address]) -> None:
        """Keep addresses that no transfer needs to name."""
        ...

    def write_transfers(self, transfers: Iterable[Transfer]) -> None:
        """Keep facts, with the places they name. The iterable is consumed as it goes, never held."""
        ...

    def delete_transfers(self, ids: Iterable[TransferId]) -> None:
        """Remove these facts, where they are there, and nothing else: neither their places nor what rests on them."""
        ...

    def delete_unnamed_places(self) -> None:
        """Remove each place that no transfer, label, judgement, cluster, loss or trace of the case names.

        Those of `write_addresses` too. A place that other cases have stays theirs.
        """
        ...

    def write_labels(self, labels: Iterable[Label]) -> None:
        """Keep claims."""
        ...

    def write_judgements(self, judgements: Iterable[Judgement]) -> None:
        """Keep exactly these inferences about owners, with their evidence: those that count no longer go."""
        ...

    def write_clusters(self, clusters: Iterable[Cluster]) -> None:
        """Keep exactly these clusters: they are derived as a whole, so earlier ones go. Judgements stay."""
        ...

    def write_losses(self, losses: Iterable[Loss]) -> None:
        """Keep what was reported lost; a loss of the same name is replaced."""
        ...

    def write_trace(self, trace: TraceRecord) -> None:
        """Keep a trace with its flows and ends, the same again changes nothing."""
        ...

    def delete_trace(self, id: str) -> bool:
        """Remove that trace, its flows and its ends, and nothing else. False where there is none."""
        ...

    def addresses(self) -> Iterator[Address]:
        """Every address of the case, by chain and text."""
        ...

    def transfers(self) -> Iterator[Transfer]:
        """Every transfer, as it was written, in the order of `order_of`."""
        ...

    def labels(self) -> Iterator[Label]:
        """Every claim."""
        ...

    def judgements(self) -> Iterator[Judgement]:
        """Every judgement, in order."""
        ...

    def clusters(self) -> Iterator[Cluster]:
        """Every cluster, without reasons: `questions.cluster_of` adds them."""
        ...

    def losses(self) -> Iterator[Loss]:
        """Every loss, by name."""
        ...

    def traces(self) -> list[tuple[int, str]]:
        """(when, id) of every trace, in that order."""
        ...

    def trace(self, id: str) -> TraceRecord:
        """That trace. Raises `CaseConflict` where there is none."""
        ...

    def payments(
        self, places: Collection[Place], *, out: bool, since: int | None = None, until: int | None = None,
        asset: str | None = None,
    ) -> list[Payment]:  # fmt: skip
        """What those places paid (`out`) or were paid, in order: one for each other party of each transfer.

        `since` and `until` are block numbers, both included; payments of a place to itself are left out.
        """
        ...

    def close(self) -> None:
        """Let go of the file or the connection."""
        ...
