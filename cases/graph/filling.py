"""Filling a graph store from a case: everything in it, in pieces, going on where an interrupted run stopped."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cases.case_file import Case
from cases.codec import canonical
from cases.graph.clusters import clusters_of
from cases.graph.nouns import TraceRecord
from cases.graph.protocol import GraphStore
from cases.graph.records import records_of
from cases.tables import FORMAT
from tracer.errors import CaseConflict
from tracer.values import Transfer

PIECE = 2_000  # transactions in memory at once
BETWEEN_MARKS = 20  # pieces: a run that is cut sends at most these again


class Fillable(GraphStore, Protocol):
    """A graph store that remembers how far it was filled."""

    def mark(self, name: str, value: str) -> None:
        """Remember."""
        ...

    def marked(self, name: str) -> str:
        """What was remembered, "" for nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Filling:
    """How far it is: what is being written, and how many of it by now."""

    what: str
    done: int


def fill(case: Case, store: Fillable, *, progress: Callable[[Filling], None] = lambda _: None) -> bool:
    """Write all of `case` to `store`; False if it was all there already. Interrupted, the same call goes on.

    Of the judgements those that count, and the clusters they make. Raises `CaseConflict` if the store holds another
    case.
    """
    head = case.head
    known = {entry.hash for entry in case.log()}
    for name in ("head", "filling"):
        if store.marked(name) not in known | {""}:
            raise CaseConflict(
                "there is another case of this name, or a later copy of this one",
                "pull it to look at it, or give this one another name with --name",
            )
    if store.marked("head") == head and store.marked("format") == str(FORMAT):
        return False
    store.mark("filling", head)
    with ThreadPoolExecutor(1) as aside:  # traces are computed again while transfers are on their way
        records = aside.submit(_records, case.path)
        _transfers(case, store, head, progress)
    labels = list(case.labels())
    store.write_labels(labels)
    progress(Filling("labels", len(labels)))
    standing = case.standing()
    store.write_judgements(standing)
    store.write_clusters(clusters_of(standing))
    progress(Filling("judgements", len(standing)))
    store.write_losses(case.losses())
    for n, record in enumerate(records.result(), start=1):
        store.write_trace(record)
        progress(Filling("traces", n))
    return True


def _records(path: Path) -> list[TraceRecord]:
    """Through a connection of its own: one of SQLite belongs to the thread that made it."""
    with Case.open(path) as case:
        return list(records_of(case))


def filled(case: Case, store: Fillable) -> None:
    """Say that all of the case as it is now is in the store, and of which format its file is."""
    store.mark("head", case.head)
    store.mark("format", str(FORMAT))


def _transfers(case: Case, store: Fillable, head: str, progress: Callable[[Filling], None]) -> None:
    told = json.loads(store.marked("transfers") or "[]")
    after, done = (told[1], told[2]) if told and told[0] == head else ("", 0)
    ended = after is None
    while not ended:
        last = [after]

        def pieces(last: list[str] = last) -> Iterator[Transfer]:
            for _ in range(BETWEEN_MARKS):
                key, found = case.transactions(last[0], PIECE)
                if not key:
                    last.append("")
                    return
                last[0] = key
                yield from found

        count = _Counted(pieces())
        store.write_transfers(count)
        after, done, ended = last[0], done + count.seen, len(last) > 1
        store.mark("transfers", canonical([head, None if ended else after, done]))
        progress(Filling("transfers", done))


class _Counted:
    """An iterator that counts what it gave."""

    def __init__(self, items: Iterator[Transfer]) -> None:
        self._items, self.seen = items, 0

    def __iter__(self) -> Iterator[Transfer]:
        for item in self._items:
            self.seen += 1
            yield item
