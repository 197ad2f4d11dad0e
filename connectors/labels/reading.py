"""Reads a label file of any known format into labels, with every row that is not one accounted for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from connectors.labels.formats import FORMATS
from connectors.labels.rows import Claim, Document, Format, Skipped
from connectors.protocol import Evidence, Problem
from connectors.reading import Caps, text_of, whole
from tracer.addresses import parse
from tracer.errors import InputError, UnknownName
from tracer.labels import Label
from tracer.values import Address, Chain

MOST_BYTES = 200_000_000


@dataclass(frozen=True, slots=True)
class LabelFile:
    """What a label file holds.

    Every one of its `rows` either gave labels (one or several, all with the same `evidence`), or is among `rejected`
    (cannot be read), or among `skipped` (its chain is none of ours); both say which row and why.
    """

    labels: tuple[Label, ...]
    rejected: tuple[Problem, ...]
    skipped: tuple[Problem, ...]
    evidence: Evidence
    format: str
    rows: int


def read_labels(
    path: Path,
    *,
    format: str = "auto",
    source: str = "",
    chain: Chain | None = None,
    seen: date | None = None,
    max_bytes: int = MOST_BYTES,
) -> LabelFile:
    """The labels in the file at `path`, plain, gzip or xz.

    `format` is a name in `FORMATS`, or "auto" to tell it by content. `source`, `chain` and `seen` (the day the list
    was taken) fill in what the file itself leaves open. Raises `InputError` if the file as a whole cannot be read or is
    longer than `max_bytes` once unpacked.

    >>> read_labels(Path("no such file"))
    Traceback (most recent call last):
    ...
    tracer.errors.InputError: there is no file no such file
    """
    body = whole(path, Caps(max_bytes, max_bytes))
    evidence = Evidence(body, source or path.name, path.name)
    document = Document(path.name, path.absolute().parent.name, text_of(body, path.name), source, chain, seen)
    if not document.text.strip():
        raise InputError(f"{path.name} is empty", "check that it was copied or downloaded completely")
    kind = _format_of(document) if format == "auto" else _format_named(format)
    file_id = evidence.id
    labels: list[Label] = []
    rejected: list[Problem] = []
    skipped: list[Problem] = []
    rows = 0
    for outcome in kind.read(document):
        rows += 1
        where = f"{path.name}, {kind.unit} {outcome.row}"
        if isinstance(outcome, Claim):
            try:
                labels += _labels_of(outcome, f"{file_id}#{outcome.row}")
            except InputError as error:
                rejected.append(Problem(str(error), where))
        else:
            (skipped if isinstance(outcome, Skipped) else rejected).append(Problem(outcome.reason, where))
    if not rows:
        raise InputError(f"{path.name} holds no {kind.unit}s", "check that it was copied or downloaded completely")
    return LabelFile(tuple(labels), tuple(rejected), tuple(skipped), evidence, kind.name, rows)


def _labels_of(claim: Claim, evidence: str) -> list[Label]:
    text = parse(claim.address, claim.chains[0]).text  # chains of one family spell an address alike
    return [
        Label(
            Address(chain, text), claim.entity, claim.name, role,
            claim.source, claim.seen, claim.confidence, evidence, claim.note,
        )
        for chain in claim.chains
        for role in claim.roles
    ]  # fmt: skip


def _format_named(name: str) -> Format:
    if name not in FORMATS:
        raise UnknownName.among("label format", name, FORMATS)
    return FORMATS[name]


def _format_of(document: Document) -> Format:
    fitting = [kind for kind in FORMATS.values() if kind.fits is not None and kind.fits(document)]
    if len(fitting) == 1:
        return fitting[0]
    found = "several label formats fit" if fitting else "no label format fits"
    names = ", ".join(kind.name for kind in fitting or FORMATS.values())
    raise InputError(f"{document.name}: {found}", f"name the format, one of {names}; see docs/label-files.md")
