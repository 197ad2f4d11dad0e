"""Taking an export into a case: facts as facts that cite their bytes, labels as claims, an answer only if it holds."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cases.answering_again import doubt_about
from cases.case_file import Case
from cases.exporting import csv_folder, graphml, json_lines, parquet
from cases.exporting.contents import Contents
from cases.exporting.reading_back import CAPS
from connectors.labels import read_labels
from connectors.protocol import Evidence, Page, Problem
from connectors.reading import whole
from tracer.coverage import Coverage, State
from tracer.errors import CaseConflict, InputError
from tracer.labels import Label
from tracer.values import Address, Transfer

FORMATS = ("csv", "jsonl", "parquet", "graphml", "tagpack")


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import brought. `doubt`: why the answer was not taken over, "" if it was, or there was none."""

    format: str
    transfers: int = 0
    labels: int = 0
    losses: int = 0
    judgements: int = 0
    answer: bool = False
    doubt: str = ""
    rejected: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class _Claims:
    """Labels of one file, as `Case.pin_labels` takes them."""

    labels: Sequence[Label]
    evidence: Evidence
    rejected: Sequence[Problem] = ()


def import_into(case: Case, path: Path, *, at: int) -> Imported:
    """Take what `fundtrail export` wrote to `path` into `case`. The same again changes nothing.

    An answer becomes one of this case only if the case's own facts give it again, to the byte; else it stays in the
    log, as a note of what the file said. Raises `InputError` for a file that is not as it was exported,
    `Contradiction` or `CaseConflict` if the case says otherwise.
    """
    form = format_of(path)
    if form == "tagpack":
        file = read_labels(path, format="tagpack")
        case.pin_labels(file, at=at)
        return Imported(form, labels=len(file.labels), rejected=file.rejected)
    contents, source = _READERS[form](path), f"import:{digest_of(path)[:16]}"
    fresh = not any(entry.body.get("imported") == source for entry in case.log() if entry.kind == "note")
    take_in(case, contents, source, at=at)
    doubt = ""
    if contents.answer is not None:
        doubt = doubt_about(case, contents.answer, list(contents.hops))
        if not doubt:
            settings = {"imported": source, "settings": contents.answer["settings"]}
            case.issue(contents.answer, settings, at=at)
    if fresh:
        told: dict[str, Any] = {"imported": source, "format": form, "file": path.name}
        if doubt:
            told |= {"answer_not_taken_over": doubt, "answer": contents.answer, "hops": list(contents.hops)}
        case.record("note", told, at=at)
    return Imported(
        form, len(contents.transfers), len(contents.labels), len(contents.losses), len(contents.judgements),
        contents.answer is not None, doubt,
    )  # fmt: skip


def format_of(path: Path) -> str:
    """Which of `FORMATS` the export at `path` is, by its name and files. Raises `InputError`."""
    if path.is_dir():
        for form, name in (("csv", csv_folder.INDEX), ("parquet", "transfers.parquet")):
            if (path / name).is_file():
                return form
        raise InputError(f"{path} holds no export", f"name a folder with {csv_folder.INDEX} or transfers.parquet")
    endings = {".jsonl": "jsonl", ".graphml": "graphml", ".yaml": "tagpack", ".yml": "tagpack"}
    if path.suffix not in endings or path.name.endswith(".ftm.jsonl"):
        raise InputError(f"{path} is not an export that can be read back", f"those are {', '.join(FORMATS)}")
    return endings[path.suffix]


def digest_of(path: Path) -> str:
    """The hash of a file, or of a folder's files by name: what an import is named by, wherever the file lies."""
    if not path.is_dir():
        return hashlib.sha256(whole(path, CAPS)).hexdigest()
    digest = hashlib.sha256()
    for file in sorted(one for one in path.rglob("*") if one.is_file()):
        digest.update(f"{file.relative_to(path).as_posix()!r} {digest_of(file)}\n".encode())
    return digest.hexdigest()


def take_in(case: Case, contents: Contents, source: str, *, at: int) -> None:
    """All but the answer. Each page is kept whole or not at all; interrupted, the same call goes on."""
    bodies = {one.id: one for one in contents.evidence}
    _must_have_all(contents, bodies)
    for loss in contents.losses:
        if any(known.name == loss.name and known != loss for known in case.losses()):
            raise CaseConflict(f"the case has another loss named {loss.name}", "import into a new case")
    cited = {id.partition("#")[0] for id in _cited(contents)}
    spare = tuple(bodies[id] for id in sorted(bodies.keys() - cited))
    kept = Counter((asked, answer.address) for asked, answer in case.answers())
    met: Counter[tuple[str, Address]] = Counter()
    for number, (asked, answer, transfers) in enumerate(_pages(contents, source)):
        key = asked, answer.address
        met[key] += 1
        if met[key] <= kept[key]:
            continue  # from an import that was interrupted
        ids = {id.partition("#")[0] for one in transfers for id in one.evidence} - {answer.evidence}
        also = (*(bodies[id] for id in sorted(ids)), *(spare if number == 0 else ()))
        page = Page(transfers, "", bodies.get(answer.evidence), answer, (), also)
        case.store_page(asked, answer.address, page, at=at, after=str(met[key] - 1) if met[key] > 1 else "")
    if not contents.transfers and not contents.coverage:
        for one in spare:
            case.pin_labels(_Claims((), one), at=at)
    case.met(source, contents.problems, at=at)
    by_file: dict[str, list[Label]] = {}
    for label in contents.labels:
        by_file.setdefault(label.evidence.partition("#")[0], []).append(label)
    for id, labels in by_file.items():
        case.pin_labels(_Claims(labels, bodies[id]), at=at)
    for loss in contents.losses:
        case.add_loss(loss, at=at)
    case.add_judgements(contents.judgements, at=at)
    for told in contents.withdrawals:
        case.withdraw(told.judgement, told.by, told.why, at=at)


def _pages(contents: Contents, source: str) -> Iterator[tuple[str, Coverage, tuple[Transfer, ...]]]:
    """(asked, answer, the transfers that touch its address), a page for each answer; every transfer is on one."""
    touching: dict[Address, list[Transfer]] = {}
    nameless: list[Transfer] = []
    for transfer in contents.transfers:
        found = dict.fromkeys(leg.address for leg in (*transfer.inputs, *transfer.outputs) if leg.address is not None)
        for address in found:
            touching.setdefault(address, []).append(transfer)
        if not found:
            nameless.append(transfer)
    answers = list(contents.coverage)
    told = {answer.address for _, answer in answers}
    placed = {id(one) for address in told for one in touching.get(address, ())}
    for address, transfers in touching.items():
        if address not in told and not placed.issuperset(map(id, transfers)):
            placed.update(map(id, transfers))
            reason = "imported from an export that does not say what was read of it"
            answers.append(("", Coverage(address, State.UNSTATED, frozenset(), "", reason=reason)))
    if nameless and not answers:
        raise InputError("the export holds transfers of no address at all", "there is nobody to keep them for")
    for number, (asked, answer) in enumerate(answers):
        more = nameless if number == 0 else []
        yield f"{source}/{asked}", answer, (*touching.get(answer.address, ()), *more)


def _cited(contents: Contents) -> set[str]:
    """Every evidence id that something rests on, with its row."""
    cited = {id for one in contents.transfers for id in one.evidence} | {one.evidence for one in contents.labels}
    return cited | {id for _, answer in contents.coverage for id in answer.cited}


def _must_have_all(contents: Contents, bodies: Mapping[str, Evidence]) -> None:
    missing = sorted({id.partition("#")[0] for id in _cited(contents)} - bodies.keys())
    if missing:
        raise InputError(f"the export cites {missing[0]:.80} and does not hold it", "copy the whole export again")


_READERS = {"csv": csv_folder.read, "jsonl": json_lines.read, "parquet": parquet.read, "graphml": graphml.read}
