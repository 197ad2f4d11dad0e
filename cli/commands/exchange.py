"""`export` and `import`: a case, exchanged with other programs."""

from __future__ import annotations

from pathlib import Path

import click

from cli.ending import PARTIAL
from cli.opening import CASE, case_to_fill, now, open_case, open_to_fill
from cli.options import JSON
from cli.printing import emit, folded, say, warn

FORMATS = (
    "csv", "json", "jsonl", "parquet", "xlsx", "graphml", "gexf", "cytoscape", "dot", "ftm", "stix", "tagpack",
)  # fmt: skip


@click.command()
@CASE
@click.option("--format", "form", type=click.Choice(FORMATS), required=True, help="csv and parquet make a folder.")
@click.option("--out", type=click.Path(path_type=Path), help="Where to; else beside the case file.")
@click.option("--force", is_flag=True, help="Replace what is there.")
@JSON
def export(file: Path, form: str, out: Path | None, force: bool, as_json: bool) -> None:
    """Write the case and its latest answer for other programs: facts, claims, decisions and inferences apart.

    csv, jsonl, parquet and graphml hold the whole case and can be imported again; tagpack holds the labels.
    """
    from cases.exporting.contents import contents_with_answer
    from cases.exporting.names import safe_name
    from cases.exports import FORMATS as FORMS
    from cases.exports import export as write_export
    from cases.tracing import latest

    target = out or file.with_name(safe_name(file.stem) + FORMS[form].ending)
    with open_case(file) as opened:
        if FORMS[form].needs_answer:
            latest(opened)  # says what to do where there is none
        written = write_export(contents_with_answer(opened), target, form, force=force)
        opened.record("export", {"format": form, "files": [path.name for path in written]}, at=now())
    emit([str(path) for path in written] if as_json else "\n".join(map(str, folded(written))), as_json)


@click.command("import")
@click.argument("path", type=click.Path(path_type=Path))
@case_to_fill(required=True)
@JSON
def import_(path: Path, case_path: Path, as_json: bool) -> None:
    """Take an export (csv, jsonl, parquet, graphml or tagpack) into a case.

    Facts stay facts and cite their raw bytes; labels stay claims. An answer is taken over only if this case's own
    facts give it again, to the byte. Ends with 3 if it was not, or if rows were refused.
    """
    from cases.importing import import_into
    from cases.show_parts import counted

    with open_to_fill(case_path) as case:
        told = import_into(case, path, at=now())
    warn(told.rejected)
    if told.doubt:
        say(f"warning: the answer was not taken over: {told.doubt}")
    counts = {noun: getattr(told, noun) for noun in ("transfers", "labels", "losses", "judgements")}
    if as_json:
        emit({"format": told.format, **counts, "answer": told.answer, "doubt": told.doubt,
               "rejected": len(told.rejected)}, True)  # fmt: skip
    else:
        taken = ", and the answer, given again to the byte" if told.answer and not told.doubt else ""
        one = ("transfer", "label", "loss", "judgement")
        said = (counted(number, noun, many) for noun, (many, number) in zip(one, counts.items(), strict=True))
        emit(f"{told.format}: {', '.join(said)}{taken}", as_json)
    if told.doubt or told.rejected:
        raise SystemExit(PARTIAL)
