"""Claims about addresses, gathered for a question: those that a case has pinned and those in label files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from connectors.labels import LabelFile, read_labels
from tracer.errors import InputError
from tracer.labels import LabelBook


def book_of(pinned: LabelBook | None, label_paths: Iterable[Path]) -> LabelBook:
    """The claims that a case has pinned, then those of the files. Raises `InputError` if there is neither."""
    paths = list(label_paths)
    if pinned is None and not paths:
        raise InputError("no place to look in", "name a case with --case, or a label file with --labels")
    book = pinned or LabelBook()
    for path in paths:
        for label in read_labels(path).labels:
            book.add(label)
    return book


def file_told(path: Path, file: LabelFile) -> dict[str, Any]:
    """What was read of a label file and what was not, as plain data."""
    problems = {
        kind: [{"text": problem.text, "where": problem.where} for problem in found]
        for kind, found in (("rejected", file.rejected), ("skipped", file.skipped))
    }
    return {"file": str(path), "format": file.format, "rows": file.rows, "labels": len(file.labels), **problems}
