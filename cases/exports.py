"""Exports: a case as files for other programs, one table of formats, the same bytes for the same case everywhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cases.exporting import (
    csv_folder,
    cytoscape,
    dot,
    follow_the_money,
    gexf,
    graphml,
    json_lines,
    parquet,
    stix,
    workbook,
)
from cases.exporting.contents import Contents
from cases.exporting.reading_back import answer_text
from cases.hops import hops_of
from cases.write import write_new
from connectors.labels.tagpack_writing import tagpack_of
from tracer.errors import UnknownName


@dataclass(frozen=True, slots=True)
class Format:
    """One kind of export. `ending` is added to the case's name; `write` gives files by name, "" if it is just one."""

    ending: str
    write: Callable[[Contents], Mapping[str, bytes]]
    needs_answer: bool = False


def export(contents: Contents, target: Path, format: str, *, force: bool = False) -> tuple[Path, ...]:
    """Write `contents` and return the files: into the folder `target` for csv and parquet, else into that one file.

    The same contents give the same bytes on every machine. Files are private to the user (0600), appear whole or not
    at all, and replace nothing without `force`. Raises `UnknownName`, and `CaseConflict` where a file stands already.
    """
    if format not in FORMATS:
        raise UnknownName.among("export format", format, FORMATS)
    files = {target / name if name else target: body for name, body in FORMATS[format].write(contents).items()}
    write_new(files, force=force)
    return tuple(files)


def _text(write: Callable[[Contents], str]) -> Callable[[Contents], Mapping[str, bytes]]:
    return lambda contents: {"": write(contents).encode()}


#: By name, in the order in which they are listed.
FORMATS: dict[str, Format] = {
    "csv": Format("-csv", csv_folder.write),
    "json": Format(".json", _text(answer_text), needs_answer=True),
    "jsonl": Format(".jsonl", _text(json_lines.write)),
    "parquet": Format("-parquet", parquet.write),
    "xlsx": Format(".xlsx", lambda contents: {"": workbook.write(contents)}),
    "graphml": Format(".graphml", _text(graphml.write)),
    "gexf": Format(".gexf", _text(gexf.write), needs_answer=True),
    "cytoscape": Format(".cyjs", _text(cytoscape.write), needs_answer=True),
    "dot": Format(".dot", _text(dot.write), needs_answer=True),
    "ftm": Format(".ftm.jsonl", _text(follow_the_money.write)),
    "stix": Format(".stix.json", _text(stix.write)),
    "tagpack": Format(".tagpack.yaml", _text(lambda contents: tagpack_of(contents.labels))),
}

__all__ = ["FORMATS", "Format", "export", "hops_of"]
