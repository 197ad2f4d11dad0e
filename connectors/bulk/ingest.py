"""Takes files into a ledger folder: what is new is added, what is known is cited, what cannot be true is listed.

The same file again adds nothing. An ingest that is killed leaves the folder as it was at its last commit, and the
next one goes on from there.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from connectors.bulk.accounts import take_batch
from connectors.bulk.batch import Batch, CoinBatch, Reader
from connectors.bulk.coins import take_coins
from connectors.bulk.folder import Manifest, Source, begin, locked, must_be_free, tidy
from connectors.bulk.writing import Tally, Writing
from tracer.errors import InputError

COMMIT_EVERY = 20_000_000  # rows: what a kill can cost; each commit writes the index anew
FORGET_EVERY = 32  # batches
_AHEAD = 2  # batches: some take longer to read, others to store


@dataclass(frozen=True, slots=True)
class Ingested:
    """What one ingest did, over all files. `unchanged`: files that were in the ledger already, to the byte."""

    rows: int
    added: int
    repeated: int
    rejected: int
    contradictions: int
    transfers: int
    unchanged: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an ingest is: `rows` of `file` are read; `size` is the file's bytes."""

    file: Path
    rows: int
    size: int


def ingest(
    paths: Iterable[Path],
    out: Path,
    *,
    reader: Reader,
    progress: Callable[[Progress], None] = lambda _: None,
    whole: bool = False,
    commit_every: int = COMMIT_EVERY,
) -> Ingested:
    """Take the files into the ledger folder `out`, which is made if it is not there.

    `whole`: the user states that all of the folder's sources together hold every transfer, of the kinds they show,
    in the blocks they span. Rows that cannot be used are in `rejected.jsonl` of the folder. Raises `InputError` where
    a file cannot be read as a whole; what was committed before stays, the rest of this ingest is not in the ledger.
    """
    must_be_free(out)
    with locked(out):
        before = begin(out, reader.chain)
        tidy(out, before)
        work = _Ingest(out, before, reader, progress, whole, commit_every)
        try:
            return work.run(list(paths))
        finally:
            work.into.close()


class _Ingest:
    def __init__(
        self,
        out: Path,
        manifest: Manifest,
        reader: Reader,
        progress: Callable[[Progress], None],
        whole: bool,
        every: int,
    ) -> None:
        self.into = Writing(out, manifest)
        self.sources = list(manifest.sources)
        self.reader, self.progress, self.every = reader, progress, every
        self.whole = whole
        self.since = 0  # rows since the last commit
        self.batches = 0
        self.done: list[Tally] = []
        self.unchanged: list[Path] = []

    def run(self, paths: list[Path]) -> Ingested:
        for path in paths:
            self._take(path)
        manifest = self.into.manifest
        if not any(one.added for one in self.done):
            self.whole = self.whole or manifest.whole  # nothing new: what was stated of it still holds
        if self.since or self.whole != manifest.whole or not manifest.files or manifest.sources != tuple(self.sources):
            manifest = self._commit()
        total = {name: sum(getattr(one, name) for one in self.done) for name in Tally.__dataclass_fields__}
        return Ingested(
            total["read"], total["added"], total["repeated"], total["rejected"], total["contradictions"],
            manifest.transfers, tuple(self.unchanged),
        )  # fmt: skip

    def _commit(self) -> Manifest:
        manifest = self.into.commit(tuple(self.sources), dict(self.reader.assets), self.whole)
        self.since = 0
        return manifest

    def _take(self, path: Path) -> None:
        try:
            status = path.stat()
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror}", "check the path") from None
        with ThreadPoolExecutor(1) as thread:
            digest = thread.submit(_sha256, path)
            known = self._known(digest, status.st_size)
            if known is not None and self.sources[known].finished:
                self.unchanged.append(path)
                left = self.sources[known]  # what was refused of it stays refused, and is told again
                self.done.append(Tally(rejected=left.rejected, contradictions=left.contradictions))
                return
            number = len(self.sources) if known is None else known
            # Its hash may still be computed: it is set before anything becomes true.
            if known is None:
                self.sources.append(Source(path.name, "", status.st_size, self.reader.name))
            before = self.sources[number]
            tally = Tally(read=before.read)
            for batch in _ahead(self.reader.batches(path, tally.read)):
                if self.since >= self.every and _first(batch) > tally.read:
                    self._tell(number, before, tally, digest, finished=False)
                    self._commit()
                self._add(batch, number, path, tally)
                self.batches += 1
                if self.batches % FORGET_EVERY == 0:
                    self.into.forget()
                self.progress(Progress(path, tally.read, status.st_size))
            self._tell(number, before, tally, digest, finished=True)
        after = path.stat()
        if (after.st_size, after.st_mtime_ns) != (status.st_size, status.st_mtime_ns):
            raise InputError(f"{path} changed while it was read", "ingest it again once it is complete")
        tally.read -= before.read
        self.done.append(tally)
        self.since = max(self.since, 1)

    def _known(self, digest: Future[str], size: int) -> int | None:
        """The number of the source that this file is, if it is one that was read before."""
        for number, source in enumerate(self.sources):
            if (source.size, source.format) == (size, self.reader.name) and source.sha256 == digest.result():
                return number
        return None

    def _tell(self, number: int, before: Source, tally: Tally, digest: Future[str], finished: bool) -> None:
        self.sources[number] = replace(
            before,
            sha256=digest.result(),
            read=tally.read,
            finished=finished,
            added=before.added + tally.added,
            repeated=before.repeated + tally.repeated,
            rejected=before.rejected + tally.rejected,
            contradictions=before.contradictions + tally.contradictions,
        )

    def _add(self, batch: Batch | CoinBatch, number: int, path: Path, tally: Tally) -> None:
        for one in batch.rejected:
            self.into.refuse(number, path.name, "rejected", one.row, one.why)
        tally.rejected += len(batch.rejected)
        if isinstance(batch, Batch) == self.into.manifest.coins:
            raise InputError(f"{self.reader.name} gives no transfers of {self.into.chain}", "name another format")
        before = tally.read
        if isinstance(batch, Batch):
            take_batch(self.into, batch, number, path.name, tally)
        else:
            take_coins(self.into, batch, number, path.name, tally)
        tally.read = max(before, _last(batch))
        self.since += tally.read - before


def _first(batch: Batch | CoinBatch) -> int:
    rows = [one.row for one in batch.rejected]
    return min([*rows, int(batch.rows.min())] if len(batch.rows) else rows, default=0)


def _last(batch: Batch | CoinBatch) -> int:
    rows = [one.row for one in batch.rejected]
    return max([*rows, int(batch.rows.max())] if len(batch.rows) else rows, default=0)


def _ahead(batches: Iterator[Batch | CoinBatch]) -> Iterator[Batch | CoinBatch]:
    """The batches, read while those before them are stored."""
    with ThreadPoolExecutor(1) as thread:
        coming = deque(thread.submit(next, batches, None) for _ in range(_AHEAD))
        while (batch := coming.popleft().result()) is not None:
            coming.append(thread.submit(next, batches, None))
            yield batch


def _sha256(path: Path) -> str:
    with path.open("rb", buffering=0) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
