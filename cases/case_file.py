"""The case file: one SQLite file with all that is known about a case, where it came from, and what was done when."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

from cases import judging, log, pages, statements
from cases.codec import (
    canonical,
    label_json,
    label_of,
    loss_json,
    loss_of,
    parsed,
    price_json,
    price_of,
    problem_json,
    problem_of,
    readable,
    sha256,
)
from cases.sqlite_file import SqliteFile
from cases.tables import FORMAT
from connectors.prices.protocol import Price, Quoted
from connectors.protocol import Evidence, Page, Problem
from tracer.coverage import Coverage, CoverageBook
from tracer.errors import CaseConflict
from tracer.judgements import Judgement, Withdrawal
from tracer.labels import Label, LabelBook
from tracer.ledger import Ledger, Order
from tracer.losses import Loss
from tracer.memory import MemoryLedger
from tracer.values import Address, Chain, Transfer, TransferId

if TYPE_CHECKING:
    import networkx
    import pandas

    from cases.graph.nouns import Cluster


class Labels(Protocol):
    """What is pinned: a label file as read (`connectors.labels.LabelFile` is one)."""

    @property
    def labels(self) -> Sequence[Label]:
        """The claims."""
        ...

    @property
    def rejected(self) -> Sequence[Problem]:
        """The rows that are none."""
        ...

    @property
    def evidence(self) -> Evidence:
        """The bytes."""
        ...


@dataclass(frozen=True, slots=True)
class Issued:
    """An answer as it was given. `text` is canonical JSON, `hash` its sha256, `inputs` that of all it rests on."""

    at: int
    hash: str
    inputs: str
    text: str


class Case:
    """One case, open. Rows are only ever added, each together with a log entry (docs/case-file.md).

    Times are UTC seconds and are always passed in: nothing in here reads a clock.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, Case.create(Path(folder, "my.fundtrail"), at=1700000000) as case:
    ...     case.record("note", {"text": "the victim called"}, at=1700000060)
    ...     [entry.kind for entry in case.log()], case.verify()
    (['opened', 'note'], [])
    """

    def __init__(self, file: SqliteFile) -> None:
        self._file = file

    @classmethod
    def create(cls, path: Path | str, *, at: int, tool: str = "") -> Case:
        """A new case at `path`, made by version `tool` (else the installed one). `CaseConflict` if there is a file."""
        file = SqliteFile.create(Path(path))
        try:
            with file.writing():
                file.begin_case()
                log.append(file, 1, at, "opened", {"format": FORMAT, "tool": tool or _version()})
            file.keep_journal()
        except BaseException:
            file.close()
            file.path.unlink(missing_ok=True)
            raise
        return cls(file)

    @classmethod
    def open(cls, path: Path | str) -> Case:
        """The case at `path`. Raises `CaseNotFound`, `CaseTooNew`, `CaseDamaged` or another `CaseError`."""
        return cls(SqliteFile.open(Path(path)))

    def close(self) -> None:
        """Close the file. All that was acknowledged is in it already."""
        self._file.close()

    def __enter__(self) -> Case:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @property
    def path(self) -> Path:
        """Where the case is."""
        return self._file.path

    # Facts: what sources gave, and how much of whom was read.

    def store_page(self, source: str, address: Address, page: Page, *, at: int, after: str = "") -> None:
        """Keep one page about `address` with its evidence, coverage and problems: all of it, or nothing.

        `source` is the connector's name, "" if none was asked; `after` the cursor that the page was asked with. Raises
        `Contradiction` if the page says otherwise than what the case holds, `CaseConflict` if it is there already.
        """
        pages.store(self._file, source, address, page, at=at, after=after)

    def replace_after(
        self, source: str, address: Address, above: int, *, at: int, was: str = "", now: str = ""
    ) -> None:  # fmt: skip
        """A reorganisation replaced the blocks after `above`: what `source` said of them until now counts no longer.

        Nothing is removed. `was` and `now` are the hashes, then and now, of the block by which it was noticed.
        """
        pages.replace_after(self._file, source, address, above, at=at, was=was, now=now)

    def about(self, source: str, address: Address) -> list[Transfer]:
        """The transfers that `source` reported about `address`, in order."""
        return pages.about(self._file, source, address)

    def about_any(self, address: Address) -> list[Transfer]:
        """The transfers that any source reported about `address`, in order."""
        return pages.about(self._file, "", address)

    def ledger(
        self, coverage: CoverageBook | None = None, order: Order = Order.ATOMIC, label_confidence: int = 0
    ) -> MemoryLedger:  # fmt: skip
        """All transfers, whatever the order in which they were read, with `coverage` (else `self.coverage()`)."""
        known = self.coverage() if coverage is None else coverage
        keep = self.labels().custodians(label_confidence)
        return Ledger.of(pages.transfers(self._file), known, keep=keep, order=order)

    def reports(self) -> list[Transfer]:
        """Every report of every transfer, not merged, each with all that cites it."""
        return pages.transfers(self._file)

    def transaction(self, chain: Chain, tx: str) -> tuple[Transfer, ...]:
        """What the case holds of one transaction, in order; () if nothing."""
        return pages.transaction(self._file, chain, tx)

    def transactions(
        self, after: str = "", most: int = 2_000, since: int = 0
    ) -> tuple[str, tuple[Transfer, ...]]:  # fmt: skip
        """(key, transfers) of the next `most` transactions behind the key `after`; ("", ()) where there are no more.

        For reading a case of any size in pieces; the order is that of the keys, not of the chain. Only of transactions
        that log entries after number `since` reported something of: all that is known of each, the earlier reports too.
        """
        return pages.transactions(self._file, after, most, since)

    def replaced(self) -> Iterator[TransferId]:
        """What was read of blocks that a reorganisation replaced since; some may stand, as read elsewhere or anew.

        In pieces, and one transfer as often as pages told it.
        """
        return pages.replaced(self._file)

    def holds(self, id: TransferId) -> bool:
        """Whether the case holds that transfer, and no reorganisation has replaced it."""
        return pages.holds(self._file, id)

    def answers(self, address: Address | None = None) -> list[tuple[str, Coverage]]:
        """(source asked, its final answer), in the order they were given: about one address, or about all."""
        return pages.answers(self._file, address)

    def cursor(self, source: str, address: Address) -> str:
        """Where to go on reading `address` from `source`, "" at the beginning."""
        return pages.cursor(self._file, source, address)

    def left_at(self, source: str, address: Address) -> str:
        """The cursor behind the last page that said where to go on, whatever was said of the history since."""
        return pages.cursor(self._file, source, address, any_page=False)

    def coverage(self) -> CoverageBook:
        """The best that is known of every address asked about; a history read in part counts as cut."""
        return CoverageBook(answer for _, answer in self.told())

    def told(self) -> list[tuple[str, Coverage]]:
        """(source asked, its answer), those of histories of which not all pages were read last."""
        return self.answers() + pages.unfinished(self._file)

    def requests(self) -> int:
        """How many pages were asked of sources, in all runs on this case."""
        ((count,),) = self._file.rows("SELECT count(*) FROM pages WHERE asked NOT LIKE '%,\"\"]'")
        return int(count)

    def sources(self) -> tuple[str, ...]:
        """The sources that were asked, by name."""
        with readable("a page"):
            asked = {json.loads(asked)[-1] for (asked,) in self._file.rows("SELECT DISTINCT asked FROM pages")}
        return tuple(sorted(asked - {""}))

    def evidence(self, id: str) -> Evidence:
        """The raw bytes behind a citation (`id`, with or without its `#row`). Raises `CaseConflict`."""
        return pages.evidence_of(self._file, id)

    def all_evidence(self) -> Iterator[Evidence]:
        """Every piece of evidence, by its id. Raises `CaseDamaged`."""
        for (id,) in self._file.rows("SELECT id FROM evidence ORDER BY id"):
            yield pages.evidence_of(self._file, id)

    def met(self, source: str, problems: Sequence[Problem], *, at: int) -> None:
        """Keep what a source said of itself when it was opened; the same again, or nothing, changes nothing."""
        known = set(self.problems())
        fresh = [problem for problem in problems if problem not in known]
        if not fresh:
            return
        with self._file.writing():
            n = log.next_number(self._file)
            pages.keep_problems(self._file, n, fresh)
            log.append(self._file, n, at, "source", {"source": source, **statements.source(self._file, n)})

    def problems(self) -> list[Problem]:
        """What was met while reading sources and labels, each once."""
        found = self._file.rows("SELECT DISTINCT body FROM problems ORDER BY body")
        with readable("a problem"):
            return [problem_of(json.loads(body)) for (body,) in found]

    # Claims and decisions.

    def pin_labels(self, file: Labels, *, at: int) -> None:
        """Keep the labels of a file as they are now, with the file itself. The same ones again change nothing."""
        store, rows = self._file, [canonical(label_json(label)) for label in file.labels]
        body = {"evidence": file.evidence.id, "source": file.evidence.source, "request": file.evidence.request}
        same = body["evidence"], statements.rows_hash([(row,) for row in rows])
        if any((entry["evidence"], entry["hash"]) == same for entry in self._told("labels")):
            return
        with store.writing():
            n = log.next_number(store)
            pages.keep_evidence(store, n, file.evidence)
            store.write("INSERT INTO labels VALUES (?, ?, ?)", [(n, row, text) for row, text in enumerate(rows)])
            pages.keep_problems(store, n, file.rejected)
            pages.must_have(store, {label.evidence for label in file.labels})
            log.append(store, n, at, "labels", {**body, **statements.labels(store, n)})

    def labels(self) -> LabelBook:
        """All labels pinned."""
        book = LabelBook()
        with readable("a label"):
            for record in parsed(body for (body,) in self._file.rows("SELECT body FROM labels ORDER BY n, row")):
                book.add(label_of(record))
        return book

    def pin_prices(self, quoted: Quoted, *, at: int) -> None:
        """Keep prices as a source told them, with its answers. The same ones again change nothing.

        They stand beside amounts where answers are shown, and nothing is ever counted with them.
        """
        store, rows = self._file, [canonical(price_json(price)) for price in quoted.prices]
        hashed = statements.rows_hash([(row,) for row in rows])
        if not rows or any(entry["hash"] == hashed for entry in self._told("prices")):
            return
        with store.writing():
            n = log.next_number(store)
            for evidence in quoted.evidence:
                pages.keep_evidence(store, n, evidence)
            store.write("INSERT INTO prices VALUES (?, ?, ?)", [(n, row, text) for row, text in enumerate(rows)])
            pages.must_have(store, {price.evidence for price in quoted.prices})
            # What has no price is told here and not among the problems: it is none of what answers rest on.
            told = {"source": quoted.prices[0].source, "without": [problem_json(one) for one in quoted.problems]}
            log.append(store, n, at, "prices", {**told, **statements.prices(store, n)})

    def prices(self) -> tuple[Price, ...]:
        """All prices pinned, in the order they were."""
        with readable("a price"):
            found = parsed(body for (body,) in self._file.rows("SELECT body FROM prices ORDER BY n, row"))
            return tuple(price_of(record) for record in found)

    def add_loss(self, loss: Loss, *, at: int) -> None:
        """Add a loss; the same one again changes nothing. Raises `CaseConflict` if it cannot stand beside another."""
        for known in self.losses():
            if known == loss:
                return
            if known.name == loss.name:
                raise CaseConflict(f"the case has another loss named {loss.name}", "give it another name")
            if loss.wallet is not None and (known.wallet, known.asset) == (loss.wallet, loss.asset):
                raise CaseConflict(
                    f"{known.name} is a loss of the same wallet {loss.wallet} already",
                    "give one of them as a transaction",
                )
        with self._file.writing():
            n = log.next_number(self._file)
            self._file.write("INSERT INTO losses VALUES (?, ?, ?)", [(n, loss.name, canonical(loss_json(loss)))])
            log.append(self._file, n, at, "loss", statements.loss(self._file, n))

    def losses(self) -> tuple[Loss, ...]:
        """The losses, in the order they were added: their places are the labels of lots, from 1."""
        with readable("a loss"):
            return tuple(loss_of(json.loads(body)) for (body,) in self._file.rows("SELECT body FROM losses ORDER BY n"))

    # Inferences: what was concluded, and given to somebody.

    def facts_hash(self, settings: Mapping[str, object]) -> str:
        """One hash over all that an answer rests on: `settings`, transfers, coverage, labels, problems and losses.

        It does not depend on the order in which sources were read.
        """
        digest = hashlib.sha256(canonical(settings).encode())
        for sql in (
            "SELECT DISTINCT transfer, evidence FROM citations ORDER BY transfer, evidence",
            "SELECT asked, body FROM pages LEFT JOIN coverage USING (n) ORDER BY asked, body",
            "SELECT asked, above, body FROM replaced ORDER BY n",
            "SELECT DISTINCT body FROM labels ORDER BY body",
            "SELECT DISTINCT body FROM problems ORDER BY body",
            "SELECT body FROM losses ORDER BY n",
        ):
            digest.update(canonical(self._file.rows(sql)).encode())
        return digest.hexdigest()

    def issue(self, answer: Mapping[str, object], settings: Mapping[str, object], *, at: int) -> Issued:
        """Keep an answer as given; the one issued last again changes nothing. Returns it as it is kept."""
        text = canonical(answer)
        hashed, inputs = sha256(text), self.facts_hash(settings)
        for last in self.issued()[-1:]:
            if (last.hash, last.inputs) == (hashed, inputs):
                return last
        with self._file.writing():
            n = log.next_number(self._file)
            self._file.write("INSERT INTO answers VALUES (?, ?, ?, ?)", [(n, hashed, inputs, text)])
            log.append(self._file, n, at, "trace", statements.trace(self._file, n))
        return Issued(at, hashed, inputs, text)

    def issued(self) -> list[Issued]:
        """The answers given so far, in order."""
        sql = "SELECT at, answers.hash, inputs, answers.body FROM answers JOIN log USING (n) ORDER BY n"
        return [Issued(at, hashed, inputs, text) for at, hashed, inputs, text in self._file.rows(sql)]

    # Who is taken for one owner: inferences, and decisions against them. No trace rests on any of it.

    def add_judgements(self, judgements: Iterable[Judgement], *, at: int) -> None:
        """Keep judgements; those that are there already, and none at all, change nothing.

        One may be about addresses, and cite transfers, that the case does not hold. It counts once it holds them.
        """
        judging.keep(self._file, judgements, at=at)

    def judgements(self) -> tuple[Judgement, ...]:
        """Every judgement in the order they were added, also those that do not count: see `doubts`."""
        return judging.judgements(self._file)

    def withdraw(self, judgement: Judgement, by: str, why: str, *, at: int) -> None:
        """From here on `judgement` counts no longer, and stays on record. Raises `CaseConflict` if it is not here."""
        judging.withdraw(self._file, Withdrawal(judgement, by, why), at=at)

    def withdrawals(self) -> tuple[Withdrawal, ...]:
        """Who withdrew what and why, in the order it was said."""
        return judging.withdrawals(self._file)

    def doubts(self) -> dict[Judgement, str]:
        """Every judgement, in the order they were added, and why it does not count: "" if it does."""
        return judging.doubts(self._file)

    def standing(self) -> tuple[Judgement, ...]:
        """The judgements that count."""
        return tuple(one for one, doubt in self.doubts().items() if not doubt)

    def clusters(self, confidence: int = 0) -> tuple[Cluster, ...]:
        """What the judgements that count and are so sure at least make, taken together."""
        from cases.graph.clusters import clusters_of

        return clusters_of(self.standing(), confidence=confidence)

    # The log.

    def record(self, kind: str, body: Mapping[str, Any], *, at: int) -> None:
        """Log an `export` or a `note`."""
        if kind not in ("export", "note"):
            raise ValueError(f"{kind!r} entries are made by what they tell of")
        with self._file.writing():
            log.append(self._file, log.next_number(self._file), at, kind, dict(body))

    def log(self) -> list[log.Entry]:
        """The log from its beginning."""
        return list(log.entries(self._file))

    @property
    def head(self) -> str:
        """The hash of the newest log entry, which stands for the whole case: kept elsewhere, it anchors `verify`."""
        return log.head(self._file)

    def verify(self, anchor: str = "") -> list[Problem]:
        """Everything in the case that is not as it was written; [] if there is nothing.

        A tail that was cut off can only be seen with an `anchor`: a head hash of this case that was kept elsewhere.
        """
        from cases.verification import faults

        return list(faults(self._file, anchor))

    # What leaves it, for notebooks (docs/exports.md).

    def to_networkx(self) -> networkx.MultiDiGraph:
        """The graph that the graphml export holds: recorded and traced edges apart, every value a text."""
        from cases.exporting.contents import contents_with_answer
        from cases.exporting.picture import picture
        from graphs.views import multigraph

        drawn = picture(contents_with_answer(self))
        return multigraph(drawn.nodes, drawn.edges)

    def to_pandas(self) -> dict[str, pandas.DataFrame]:
        """The sheets of the csv export as data frames by name. Figures are Python integers, never 64 bits wide.

        Needs `pip install 'fundtrail[tables]'`.
        """
        from cases.exporting.contents import contents_with_answer
        from cases.exporting.frames import frames

        return frames(contents_with_answer(self))

    def _told(self, kind: str) -> list[dict[str, Any]]:
        with readable("the log"):
            return [
                json.loads(body) for (body,) in self._file.rows("SELECT body FROM log WHERE kind = ? ORDER BY n", kind)
            ]


def unanchored(head: str) -> str:
    """What to say with the result of a `verify` without an anchor.

    >>> unanchored("5f1d")
    'the end of the log is not anchored; head hash 5f1d: keep it elsewhere, or a cut end cannot be seen'
    """
    return f"the end of the log is not anchored; head hash {head}: keep it elsewhere, or a cut end cannot be seen"


def _version() -> str:
    from importlib import metadata  # slow to import, and needed once in the life of a case

    try:
        return metadata.version("fundtrail")
    except metadata.PackageNotFoundError:
        return "unknown"
