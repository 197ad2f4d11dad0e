"""Many files into one ledger folder: the format of each is found first, so that nothing is begun in vain."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connectors.bulk.folder import load
from tracer.errors import CaseError, InputError
from tracer.values import Chain

if TYPE_CHECKING:
    from connectors.bulk.ingest import Progress

REFUSED = "rejected.jsonl"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # the disk, what one user may have of it, one file
_COUNTED = ("rows", "added", "repeated", "rejected", "contradictions")


def ingest_files(
    paths: Sequence[Path],
    out: Path,
    *,
    format: str = "auto",
    chain: Chain | None = None,
    whole: bool = False,
    blocks: Path | None = None,
    decimals: Mapping[str, int] | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
) -> dict[str, Any]:
    """Take `paths` into the ledger folder `out`, which is made if it is not there, and say what became of the rows.

    A folder among them stands for the files in it, by name; but not for a `coverage.csv`, which is about addresses, and
    a ledger is about blocks. `whole`, `blocks` and `decimals` as
    `connectors.bulk.ingest.ingest` and `connectors.bulk.readers.open_reader` have them. Several formats make one
    ingest each. Raises `InputError`, before anything is written where a format is not known, and `CaseError` where
    there is no room: what was committed before stands.
    """
    from connectors.bulk.ingest import ingest
    from connectors.bulk.readers import open_reader

    groups: dict[tuple[str, str], tuple[Any, list[Path]]] = {}
    for path in _files(paths):
        reader = open_reader(path, format, chain, blocks=blocks, decimals=decimals)
        groups.setdefault((reader.name, reader.chain.name), (reader, []))[1].append(path)
    chains = sorted({name for _, name in groups})
    if len(chains) > 1:
        raise InputError(f"these files are about {' and '.join(chains)}", "one folder holds one chain")
    with _room_in(out):
        done = [ingest(files, out, reader=reader, progress=progress, whole=whole) for reader, files in groups.values()]
    return {
        "folder": str(out),
        "formats": [name for name, _ in groups],
        **{key: sum(getattr(one, key) for one in done) for key in _COUNTED},
        "transfers": done[-1].transfers,
        "caveats": [text for reader, _ in groups.values() for text in getattr(reader, "caveats", ())],
        "unchanged": [str(path) for one in done for path in one.unchanged],
    }


def ledger_told(folder: Path) -> dict[str, Any]:
    """What a ledger folder holds, from its manifest. Raises `InputError` for a folder that is none."""
    manifest = load(folder)
    keys = ("chain", "transfers", "transactions", "holdings", "addresses", "first_block", "last_block", "last_time")
    return {
        "folder": str(folder),
        **{key: getattr(manifest, key) for key in (*keys, "whole")},
        "assets": len(manifest.assets),
        "bytes": sum(stored.size for stored in manifest.files.values()),
        "sources": [asdict(source) for source in manifest.sources],
    }


@contextmanager
def _room_in(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise CaseError(
            f"{folder} cannot be written: {error.strerror}", "free space, then give the same command again: it goes on"
        ) from error


def _files(paths: Iterable[Path]) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        inside = [path]
        if path.is_dir():
            inside = sorted(one for one in path.iterdir() if one.is_file() and _is_table(one))
            if not inside:
                raise InputError(f"{path} holds no files", "name the files, or the folder that has them")
        found += inside
    return found


def _is_table(path: Path) -> bool:
    return not path.name.startswith((".", "coverage.csv"))
