"""The source `etherscan-recorded:PATH`: answers of Etherscan (V1 and V2) that somebody kept, read as they are."""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from connectors.cursors import pages_after
from connectors.etherscan.answers import Answer, Question
from connectors.etherscan.reach import Reach, coverage_of, reach_of
from connectors.etherscan.rows import KINDS, likeness, require_about, transfers_of
from connectors.fields import address as address_on
from connectors.fields import plain, problem_of
from connectors.protocol import Evidence, Page, Problem
from connectors.reading import CAPS, Caps, lines, text_of, whole
from connectors.strict_json import parse_json
from tracer.coverage import Coverage, Kind, State
from tracer.errors import BadRow, FundtrailError, InputError
from tracer.values import Address, Chain, Leg, Transfer

# The request in front of the body: then a line of many megabytes need not be read to know whom it is about.
_REQUEST_FIRST = re.compile(rb'\s*\{\s*(?:"recorded_at"\s*:\s*"[^"\\]*"\s*,\s*)?"request"\s*:\s*(\{[^{}]*\})\s*,')
_ADDRESS_IN_NAME = re.compile(r"0x[0-9a-fA-F]{40}(?![0-9a-fA-F])")
_ACTION_IN_NAME = re.compile("|".join(sorted(KINDS, key=len, reverse=True)))
# Here a transaction also pays for its data on the chain below, which Etherscan's rows leave out.
_PAYS_TWICE = frozenset({"optimism", "base", "blast", "mantle", "scroll", "celo"})


@dataclass(frozen=True, slots=True)
class _Recording:
    """One recorded answer, unread: the bytes are kept packed, because hubs have megabytes of rows each."""

    where: str
    packed: bytes
    question: Question

    @property
    def raw(self) -> bytes:
        return zlib.decompress(self.packed)


class EtherscanRecorded:
    """Recorded answers from JSON lines, or from a folder (docs/sources.md). Rows are read when asked for.

    `problems` is what was found while opening: answers that cannot be read or used, with their line.
    """

    def __init__(self, where: Path | str, caps: Caps = CAPS) -> None:
        self._name = f"etherscan-recorded:{where}"
        self._recordings: dict[Address, list[_Recording]] = {}
        self._unplaced: list[Problem] = []  # answers of which not even the address is known
        self._kept: set[tuple[Address, bytes]] = set()
        self.problems: list[Problem] = []
        for path in _files(Path(where)):
            if ".json" in path.suffixes:
                self._keep(whole(path, caps), path.name, path.name)
                continue
            number = 0
            for number, raw in lines(path, caps):
                if raw.strip():
                    self._keep(raw, f"{path.name}, line {number}", "")
            if not number:
                raise InputError(f"{path} is empty", "one recorded answer a line: docs/sources.md")

    @property
    def name(self) -> str:
        """`etherscan-recorded:PATH` as given."""
        return self._name

    @property
    def chains(self) -> frozenset[Chain]:
        """The chains that the recorded requests asked about."""
        return frozenset(address.chain for address in self._recordings)

    def history(self, address: Address, after: str = "") -> Iterator[Page]:
        """One page per recorded answer about `address`; the cursor is its number."""
        pages = self._pages(address)
        yield from pages_after(pages, [page.cursor for page in pages[:-1]], after, self.name)

    def transaction(self, chain: Chain, tx: str) -> tuple[Transfer, ...]:
        """The transfers of `tx` in the recorded answers, () if there are none."""
        sought, found = tx.lower().encode(), {}
        for address, recordings in self._recordings.items():
            if address.chain == chain and any(sought in recording.raw.lower() for recording in recordings):
                for page in self._pages(address):
                    found.update({transfer.id: transfer for transfer in page.transfers if transfer.id.tx == tx})
        return tuple(sorted(found.values(), key=lambda transfer: transfer.order))

    def _pages(self, address: Address) -> list[Page]:
        recordings = self._recordings.get(address, [])
        if not recordings:
            reason = "no answer about this address is recorded"
            coverage = Coverage(address, State.NOT_RECORDED, frozenset(), self.name, reason=reason)
            return [Page((), "", None, coverage, self._summary())]
        answers = [_answer(recording) for recording in recordings]
        pages: dict[int, Page] = {}
        reaches: dict[Kind, list[Reach]] = {}
        for numbers in _listings(recordings, answers):
            twins: dict[tuple[object, ...], int] = {}
            for number in numbers:
                pages[number] = self._page(address, recordings[number], answers[number], number, twins)
            unread = sum(len(pages[number].problems) for number in numbers)
            kind = KINDS[recordings[numbers[0]].question["action"]]
            reaches.setdefault(kind, []).append(reach_of([answers[number] for number in numbers], unread))
        ordered = [pages[number] for number in sorted(pages)]
        last, rows = ordered[-1], sum(len(answer.rows) for answer in answers)
        coverage = coverage_of(address, self.name, last.evidence.id if last.evidence else "", rows, reaches)
        problems = (*last.problems, *_caveats(address.chain, answers), *self._summary())
        return [*ordered[:-1], replace(last, cursor="", coverage=coverage, problems=problems)]

    def _page(
        self,
        address: Address,
        recording: _Recording,
        answer: Answer,
        number: int,
        twins: dict[tuple[object, ...], int],
    ) -> Page:
        """One answer. `twins` counts like rows over the pages of a listing."""
        action = answer.question["action"]
        evidence = Evidence(recording.raw, self.name, str(answer.question))
        cited = evidence.id
        transfers: list[Transfer] = []
        problems: list[Problem] = []
        if answer.failure:
            problems.append(Problem(f"the answer is an error: {answer.failure}", recording.where))
        for place, row in enumerate(answer.rows, 1):
            try:
                if not isinstance(row, dict):
                    raise BadRow("not an object")
                alike = likeness(row)
                twins[alike] = twin = twins.get(alike, -1) + 1
                stated = transfers_of(action, row, address.chain, twin, f"{cited}#{place}")
                require_about(row, action, address)
            except FundtrailError as error:
                problems.append(problem_of(error, f"{recording.where}, row {place}"))
            else:
                transfers.extend(transfer for transfer in stated if _touches(transfer, address))
        return Page(tuple(transfers), str(number + 1), evidence, None, tuple(problems))

    def _summary(self) -> tuple[Problem, ...]:
        """What was wrong on opening may concern any address, so each is told, once and briefly."""
        if not self._unplaced:
            return ()
        text = f"{len(self._unplaced)} recorded answers cannot be read and may concern this address; the first: "
        return (Problem(text + self._unplaced[0].text, self._unplaced[0].where),)

    def _keep(self, raw: bytes, where: str, file_name: str) -> None:
        """File the answer under the address it is about."""
        try:
            question, broken = _question(raw, where, file_name)
        except FundtrailError as error:
            self._unplaced.append(problem_of(error, where))
            self.problems.append(self._unplaced[-1])
            return
        if broken:
            self.problems.append(problem_of(broken, where))
        if question.holds_key:
            self.problems.append(
                Problem("the request holds an API key, which will be kept as evidence; take it out", where)
            )
        try:
            if question["action"] not in KINDS:
                known = ", ".join(KINDS)
                raise BadRow(f"action {question['action']!r:.60} is not used here", f"read are {known}")
            if not question["address"]:
                raise BadRow(
                    "the request is about no address", "lists of one transaction or of blocks are not used here"
                )
            address = address_on(question["address"], question.chain)
        except FundtrailError as error:
            self.problems.append(problem_of(error, where))
            return
        if (address, digest := hashlib.sha256(raw).digest()) in self._kept:
            return  # the same bytes again, as a folder has them that holds a selection beside the whole
        self._kept.add((address, digest))
        rows = raw.count(b'"blockNumber"')
        if question.cap(rows) <= rows:
            text = f"the answer about {address} ends at its cap of {rows:,} rows while saying OK"
            hangs = "what came later is unknown; what hangs on it stands under coverage where a trace needs it"
            self.problems.append(Problem(f"{text}: {hangs}", where))
        recording = _Recording(where, zlib.compress(raw, 1), question)
        self._recordings.setdefault(address, []).append(recording)


def _question(raw: bytes, where: str, file_name: str) -> tuple[Question, FundtrailError | None]:
    """What the answer is an answer to, and what is wrong with the rest of it. Raises where not even that is known."""
    start = _REQUEST_FIRST.match(raw)
    if start and raw.rstrip().endswith(b"}"):
        return Question.of(parse_json(text_of(start[1], where), where)), None
    bare = _bare_question(file_name)
    try:
        record = parse_json(text_of(raw, where), where)
    except FundtrailError as error:
        if start:
            return Question.of(parse_json(text_of(start[1], where), where)), error
        if bare is None:
            raise
        return bare, error
    if isinstance(record, dict) and "request" in record:
        return Question.of(record["request"]), None
    if bare is None:
        raise BadRow("it holds no request", 'write {"request": ..., "body": ...}, or the address into the file name')
    return bare, None


def _bare_question(file_name: str) -> Question | None:
    """What a file that holds nothing but a body answers, as its name tells: `txlistinternal_0x....json`."""
    named, action = _ADDRESS_IN_NAME.search(file_name), _ACTION_IN_NAME.search(file_name)
    if not named:
        return None
    return Question({"address": named[0], "action": action[0] if action else "txlist"}, recorded=False)


def _answer(recording: _Recording) -> Answer:
    """The answer, read; what cannot be read is a failure with the reason, as if the provider had said so."""
    question, where = recording.question, recording.where
    try:
        text = text_of(recording.raw, where)
        if not question.recorded:
            return Answer.of({"body": parse_json(text, where) if text.lstrip()[:1] in tuple("{[n") else text}, question)
        record = parse_json(text, where)
        return Answer.of(record if isinstance(record, dict) else {}, question)
    except FundtrailError as error:
        return Answer(question, 0, (), plain(str(error)))


def _listings(recordings: Sequence[_Recording], answers: Sequence[Answer]) -> Iterator[list[int]]:
    """The numbers of the answers that are pages of one listing, in page order.

    Of several answers for one page, the listing takes the newest that is not an error; the others stand alone.
    """
    by_listing: dict[tuple[str, ...], dict[int, list[int]]] = {}
    for number, recording in enumerate(recordings):
        question = recording.question
        by_listing.setdefault(question.listing, {}).setdefault(question.page, []).append(number)
    for pages in by_listing.values():
        ranked = {
            page: sorted(numbers, key=lambda number: (bool(answers[number].failure), -answers[number].as_of, number))
            for page, numbers in pages.items()
        }
        yield [ranked[page][0] for page in sorted(ranked)]
        for page in sorted(ranked):
            yield from ([number] for number in ranked[page][1:])


def _caveats(chain: Chain, answers: Sequence[Answer]) -> Iterator[Problem]:
    """What Etherscan's lists cannot say, however complete they are."""
    if chain.name in _PAYS_TWICE:
        yield Problem(f"fees on {chain} are too low by what was paid for data on the chain below: txlist leaves it out")
    if any(answer.question["action"] == "tokentx" and answer.rows for answer in answers):
        yield Problem(
            "tokentx leaves out log indexes: the order of token transfers inside one transaction is not known, and "
            "another source would name the same transfers differently"
        )


def _touches(transfer: Transfer, address: Address) -> bool:
    legs: tuple[Leg, ...] = transfer.inputs + transfer.outputs
    return any(leg.address == address for leg in legs)


def _files(where: Path) -> list[Path]:
    """The file named, or the .json and .jsonl files of a folder, by name."""
    if not where.exists():
        raise InputError(f"there is no file or folder {where}", "etherscan-recorded:PATH names recorded answers")
    if not where.is_dir():
        return [where]
    found = [path for path in sorted(where.iterdir()) if {".json", ".jsonl"} & set(path.suffixes) and path.is_file()]
    if not found:
        raise InputError(
            f"{where} holds no .json and no .jsonl", "one recorded answer per file or line: docs/sources.md"
        )
    return found
