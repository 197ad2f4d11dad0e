"""Filling a graph store from a case: everything in it, in pieces, going on where an interrupted run stopped."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence
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
from cases.log import Entry
from cases.tables import FORMAT
from tracer.errors import CaseConflict
from tracer.values import Transfer

PIECE = 2_000  # transactions in memory at once
NOTHING = '["","",0]'  # the mark of transfers where none was sent yet
BETWEEN_MARKS = 20  # pieces: a run that is cut sends at most these again
FACTS = ("page", "reorg")  # the kinds of entries that change transfers
BESIDE = ("trace", "export", "note", "prices", "judgements", "withdrawal")  # those that no trace rests on


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


def fill(case: Case, store: Fillable, *, progress: Callable[[Filling], None] = lambda _: None) -> str:
    """Write all of `case` to `store`: the head that it had then, for `filled`; "" if it was all there already.

    Interrupted, the same call goes on.
    Of the judgements those that count, and the clusters they make. Raises `CaseConflict` if the store holds another
    case.
    """
    head, log = case.head, case.log()
    known = {entry.hash for entry in log}
    for name in ("head", "filling"):
        if store.marked(name) not in known | {""}:
            raise CaseConflict(
                "there is another case of this name, or a later copy of this one",
                "pull it to look at it, or give this one another name with --name",
            )
    if store.marked("head") == head and store.marked("format") == str(FORMAT):
        return ""
    store.mark("filling", head)
    there = _traces_there(store, log)
    with ThreadPoolExecutor(1) as aside:  # traces are computed again while transfers are on their way
        records = aside.submit(_records, case.path, there)
        _take_out(case, store, log)
        _transfers(case, store, log, progress)
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
    store.delete_unnamed_places()
    return head


def _records(path: Path, there: Collection[tuple[int, str]]) -> list[TraceRecord]:
    """Through a connection of its own: one of SQLite belongs to the thread that made it."""
    with Case.open(path) as case:
        return list(records_of(case, there))


def _traces_there(store: Fillable, log: Sequence[Entry]) -> list[tuple[int, str]]:
    """The traces that the store holds as they would be sent now: nothing that they rest on came since."""
    last = _number(log, store.marked("head"))
    return store.traces() if last and all(entry.kind in BESIDE for entry in log if entry.n > last) else []


def filled(store: Fillable, head: str) -> None:
    """Say that all of the case is in the store, as it was at `head`, which `fill` returned, and its file's format.

    What the mark `filling` says by now may be of another process, which began later and did not end.
    """
    store.mark("head", head)
    store.mark("format", str(FORMAT))


def _number(log: Sequence[Entry], hashed: str) -> int:
    """Which entry has that hash; 0, which is before all, for none."""
    return next((entry.n for entry in log if entry.hash == hashed), 0)


def _take_out(case: Case, store: Fillable, log: Sequence[Entry]) -> None:
    """Take out what reorganisations replaced since this was last done; then all transfers are to be sent.

    Among what is taken out is what stands all the same, as read elsewhere or mined again: it may stand otherwise, and
    is sent as it is now. The mark comes last, so a cut before it does this once more, with nothing sent in between.
    """
    since = _number(log, store.marked("reorganised"))
    if any(entry.kind == "reorg" for entry in log if entry.n > since):
        store.delete_transfers(case.replaced())
        store.mark("transfers", NOTHING)
        store.mark("reorganised", log[-1].hash)


def _transfers(case: Case, store: Fillable, log: Sequence[Entry], progress: Callable[[Filling], None]) -> None:
    """Send the transfers that are not there yet.

    The mark: the case's head then, the key behind which to go on (None: nowhere), how many were sent, and the head
    of the case when all its transfers were there. Of what came since then only transactions with new reports are sent.
    """
    head = log[-1].hash
    told, after, done, whole = (*json.loads(store.marked("transfers") or NOTHING), "")[:4]
    if any(entry.kind in FACTS for entry in log if entry.n > _number(log, told)):
        after, done, whole = "", 0, told if after is None else whole
    since = _number(log, whole)
    ended = after is None
    while not ended:
        last = [after]

        def pieces(last: list[str] = last) -> Iterator[Transfer]:
            for _ in range(BETWEEN_MARKS):
                key, found = case.transactions(last[0], PIECE, since)
                if not key:
                    last.append("")
                    return
                last[0] = key
                yield from found

        count = _Counted(pieces())
        store.write_transfers(count)
        after, done, ended = last[0], done + count.seen, len(last) > 1
        store.mark("transfers", canonical([head, None if ended else after, done, whole]))
        progress(Filling("transfers", done))


class _Counted:
    """An iterator that counts what it gave."""

    def __init__(self, items: Iterator[Transfer]) -> None:
        self._items, self.seen = items, 0

    def __iter__(self) -> Iterator[Transfer]:
        for item in self._items:
            self.seen += 1
            yield item
