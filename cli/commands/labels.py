"""`labels`: who says what about which address."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.ending import PARTIAL
from cli.opening import IN_CASE, STORE, now, open_case, open_or_create
from cli.options import FILE, JSON, LABELS, chain_named
from cli.printing import emit, visible, warn, width

if TYPE_CHECKING:
    from tracer.labels import LabelBook


@click.group()
def labels() -> None:
    """Who says what about which address: import, look up, search."""


@labels.command("import")
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option("--case", "case_path", type=FILE, help="Pin them to this case.")
@STORE
@click.option("--out", type=FILE, help="Write them as our own CSV (.gz, .xz).")
@click.option("--format", "form", default="auto", show_default=True, help="The files' format, if not told by content.")
@click.option("--source", default="", help="Who says so, where the file does not.")
@click.option("--chain", metavar="NAME", help="The chain, where the file leaves it open.")
@JSON
def labels_import(files: tuple[Path, ...], case_path: Path | None, out: Path | None, form: str, source: str,
                  chain: str | None, as_json: bool) -> None:  # fmt: skip
    """Read label files, say what was refused and why, and keep the rest. Ends with 3 if rows were refused."""
    from cases.claims import file_told
    from connectors.labels import read_labels, write_labels

    if not (case_path or out):
        raise click.UsageError("nowhere to keep them: give --case FILE, or --out FILE for our own format")
    on = chain_named(chain)
    read = [read_labels(path, format=form, source=source, chain=on) for path in files]
    if case_path:
        with open_or_create(case_path) as opened:
            for file in read:
                opened.pin_labels(file, at=now())
    if out:
        write_labels([label for file in read for label in file.labels], out)
    if as_json:
        emit([file_told(path, file) for path, file in zip(files, read, strict=True)], True)
    for path, file in zip(files, read, strict=True):
        if not as_json:
            click.echo(visible(
                f"{path}: {file.format}, {file.rows} rows, {len(file.labels)} labels, "
                f"{len(file.rejected)} refused, {len(file.skipped)} of chains we do not follow"
            ))  # fmt: skip
        warn(file.rejected)
    if any(file.rejected for file in read):
        raise SystemExit(PARTIAL)


@labels.command("show")
@click.argument("address")
@IN_CASE
@LABELS
@JSON
def labels_show(address: str, case_path: Path | None, label_paths: tuple[Path, ...], as_json: bool) -> None:
    """Print every claim about ADDRESS, the one that decides where a trace stops first."""
    from cases.claims import book_of
    from tracer.addresses import recognise
    from tracer.errors import BadAddress

    meant = recognise(address)
    if not meant:
        raise BadAddress(f"not an address of any chain we follow: {address!r:.100}", "copy it again, whole")
    book = book_of(_pinned(case_path), label_paths)
    _print_labels([label for one in meant for label in book.of(one)], as_json)


@labels.command("search")
@click.argument("text")
@IN_CASE
@LABELS
@JSON
def labels_search(text: str, case_path: Path | None, label_paths: tuple[Path, ...], as_json: bool) -> None:  # fmt: skip
    """Print the claims whose address, entity or name contains TEXT."""
    from cases.claims import book_of

    _print_labels(list(book_of(_pinned(case_path), label_paths).search(text)), as_json)


def _print_labels(found: list[Any], as_json: bool) -> None:
    from cases.codec import label_json
    from cases.show_records import show_labels

    emit([label_json(label) for label in found] if as_json else show_labels(found, width=width()), as_json)


def _pinned(case_path: Path | None) -> LabelBook | None:
    if case_path is None:
        return None
    with open_case(case_path) as opened:
        return opened.labels()
