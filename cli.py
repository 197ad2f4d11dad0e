"""FRONT DOOR: click commands, progress, printing and exit codes. No rule about money lives here.

What a command needs is imported inside it, so that `fundtrail --help` imports none of it.
"""

from __future__ import annotations

import gc
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from cases.case_file import Case
    from cases.investigation import Progress
    from cases.tracing import Question
    from connectors.bulk.ingest import Progress as Ingesting
    from connectors.protocol import Connector, Named
    from tracer.labels import LabelBook
    from tracer.values import Chain

PARTIAL = 3
INTERRUPTED = 130
RULES = ("all", "fifo", "lifo", "pro_rata", "taint_first", "clean_first", "highest_out")
BETWEEN = ("pari_passu", "first_in_first_out", "priority")
FEES = ("fee_last", "fee_prorata", "fee_in_ratio")
ORDERS = ("atomic", "exact")
FORMATS = (
    "csv", "json", "jsonl", "parquet", "xlsx", "graphml", "gexf", "cytoscape", "dot", "ftm", "stix", "tagpack",
)  # fmt: skip
BULK_FORMATS = ("auto", "ethereum-etl", "bitcoin-etl", "etherscan-csv", "own")
BULK_LIBRARIES = ("numba", "numpy", "pyarrow")
TABLE_LIBRARIES = ("pandas", "pyarrow", "xlsxwriter")
FILE = click.Path(dir_okay=False, path_type=Path)
SURE = click.IntRange(0, 100)
FOLDER = click.Path(file_okay=False, path_type=Path)


def _in_store(context: click.Context, _: click.Parameter, where: str | None) -> None:
    context.meta["store"] = where


STORE = click.option(
    "--store", metavar="URI", expose_value=False, callback=_in_store, is_eager=True,
    help="The case is in Neo4j there (bolt://, neo4j+s://), under its name, and not in a file.",
)  # fmt: skip


CASE_FILE = click.argument("file", type=FILE)


def CASE(command: Any) -> Any:  # noqa: N802  used like click's own decorators
    """The case a command is about."""
    return CASE_FILE(STORE(command))


def IN_CASE(command: Any) -> Any:  # noqa: N802  as above
    """A case that may be looked into."""
    return click.option("--case", "case_path", type=FILE, help="Look in this case.")(STORE(command))


LABELS = click.option("--labels", "label_paths", multiple=True, type=FILE, help="A label file. May be repeated.")
SOURCES = click.option(
    "--source", "sources", multiple=True, metavar="KIND:WHERE",
    help="Where histories come from; fundtrail sources lists the kinds. May be repeated.",
)  # fmt: skip
PREVIEW = click.option("--preview", is_flag=True, help="Only say which hosts would learn what is asked about.")
RECORD = click.option("--record", type=FILE, help="Write every answer of the network to this file too, without keys.")
REPLAY = click.option("--replay", type=FILE, help="Answer from a file made with --record; the network is not used.")
NAMED = click.option("--name", default="", help="The case's name in the database; else the file's, without its ending.")
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON on standard output, and nothing else there.")


class FrontDoor(click.Group):
    """Every error that is meant for people becomes two lines on standard error and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        from tracer.errors import FundtrailError

        try:
            return super().invoke(ctx)
        except FundtrailError as error:
            _complain(str(error), error.hint)
            ctx.exit(error.exit_code)
        except ModuleNotFoundError as error:
            library = (error.name or "").partition(".")[0]
            if library in TABLE_LIBRARIES and ctx.invoked_subcommand in ("export", "import"):
                what, extra = "this format needs", "tables"
            elif library in BULK_LIBRARIES:
                what, extra = "bulk ledgers need", "bulk"
            else:
                raise
            _complain(f"{what} more libraries: there is no {error.name}", f"pip install 'fundtrail[{extra}]'")
            ctx.exit(1)
        except KeyboardInterrupt:
            _complain("interrupted", "what was kept stays kept; the same command goes on from there")
            ctx.exit(INTERRUPTED)
        except BrokenPipeError:  # the reader of our output has left, as `head` does
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(0)


@click.group(cls=FrontDoor, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="fundtrail", prog_name="fundtrail")
def main() -> None:
    """Follow stolen funds to the accounts that hold them, with books that close.

    Exit codes: 0 the answer is whole, 1 it could not be done, 2 the command or a file cannot be used as given, 3 the
    answer is partial and says what hangs on it, 130 interrupted (the same command goes on from there).
    """
    gc.set_threshold(50_000)  # a ledger is very many objects and no cycles: looking for those took a sixth of a trace


@main.command()
@click.option("--out", default="demo-out", show_default=True, type=FOLDER,
              help="Folder for the case file and the exports.")  # fmt: skip
@JSON
def demo(out: Path, as_json: bool) -> None:
    """Follow the Ronin bridge theft of 2022, offline, from facts that ship with fundtrail.

    Builds the case, prints where the money rests under each rule, says what is not in the data, and writes the exports.
    Ends with 0 although the answer is partial: the data it ships with are.
    """
    from cases.demo import run_demo

    given, written = run_demo(out, now=_now, progress=_progress(as_json))
    _print_answer(given, as_json)
    if not as_json:
        click.echo("\nWritten:")
        for path in _shown(written):
            click.echo(f"  {path}")


@main.command()
@click.argument("start")
@SOURCES
@click.option("--case", "case_path", required=True, type=FILE, help="The case file; made if it is not there.")
@STORE
@LABELS
@click.option("--rule", type=click.Choice(RULES), default="all", show_default=True,
              help="The accounting rule; highest_out on Bitcoin and its kin only.")  # fmt: skip
@click.option("--between", type=click.Choice(BETWEEN), default="pari_passu", show_default=True,
              help="Whose stolen value leaves first where the rule does not say.")  # fmt: skip
@click.option("--fees", type=click.Choice(FEES), default="fee_last", show_default=True,
              help="Who bears a fee on Bitcoin and its kin.")  # fmt: skip
@click.option("--order", type=click.Choice(ORDERS), default="atomic", show_default=True,
              help="A transaction of many transfers: netted, or one by one as the source gives them.")  # fmt: skip
@click.option("--leads", is_flag=True, help="List what may lie beyond CoinJoins: odds, no amounts.")
@click.option("--backward", is_flag=True, help="Ask where the wallet's money came from.")
@click.option("--amount", metavar="NUMBER", help="Only the first so much, in whole units (12.5).")
@click.option("--since", metavar="BLOCK", type=click.IntRange(min=0), default=0,
              help="Only what a wallet had from this block on.")  # fmt: skip
@click.option("--max-requests", type=click.IntRange(min=0), default=1_000, show_default=True,
              help="The most answers to ask of the sources in this run; the largest amounts go first.")  # fmt: skip
@click.option("--max-pages", type=click.IntRange(min=0), default=25, show_default=True,
              help="The most pages to ask for of one address; who has more is cut there. 0: no limit.")  # fmt: skip
@click.option("--chain", metavar="NAME", help="The chain, where START leaves it open.")
@click.option("--victim", default="", help="A reference of whose loss this is.")
@click.option("--set", "settings", multiple=True, metavar="NAME=NUMBER",
              help="A stop rule's setting, e.g. hops=20. All are printed with the answer.")  # fmt: skip
@click.option("--update", is_flag=True,
              help="First verify the newest blocks of what the case has, and read on from there.")  # fmt: skip
@PREVIEW
@RECORD
@REPLAY
@JSON
def trace(
    sources: tuple[str, ...], case_path: Path, label_paths: tuple[Path, ...], update: bool, preview: bool,
    record: Path | None, replay: Path | None, as_json: bool, **asked: Any,
) -> None:  # fmt: skip
    """Follow START: a transaction hash (what it paid is the loss) or an address (all that the wallet had is).

    HASH:1 is output 1 of a Bitcoin transaction, HASH:log:7 one transfer of several on an account chain.
    Run again after an interruption, it goes on where it was.
    """
    from cases.tracing import trace as make_trace
    from cases.updating import update as read_news
    from connectors.labels import read_labels

    question = _question(**asked)
    if not sources and not _is_there(case_path):
        raise click.UsageError("no source to read from: give --source KIND:WHERE, for example --source file:FOLDER")
    connectors = _connectors(sources, question.chain, record, replay)
    if preview:
        _preview(connectors, as_json, replay)
        return
    files = [read_labels(path) for path in label_paths]
    _say_who_learns(connectors, "the addresses asked about", replay)
    for connector in connectors:
        _warn(getattr(connector, "problems", ()))
    with ExitStack() as stack:
        made = not _is_there(case_path)
        case = stack.enter_context(_open_or_create(case_path))
        stack.callback(lambda: _unmake(case) if made else None)
        for file in files:
            case.pin_labels(file, at=_now())
            _warn((*file.rejected,))
        if update:
            read_news(case, connectors, now=_now, progress=_progress(as_json))
        given = make_trace(case, question, connectors, now=_now, progress=_progress(as_json))
        head = case.head
    _print_answer(given, as_json)
    click.echo(f"head of the case's log, keep it elsewhere to anchor `case verify`: {head}", err=True)
    if given["partial"]:
        raise SystemExit(PARTIAL)


@main.command()
@click.argument("address")
@SOURCES
@click.option("--case", "case_path", type=FILE, help="The case file; made if it is not there.")
@STORE
@click.option("--chain", metavar="NAME", help="The chain, where ADDRESS and the sources leave it open.")
@click.option("--max-requests", type=click.IntRange(min=1), default=1_000, show_default=True,
              help="The most pages to ask for in this run; the same command goes on from there.")  # fmt: skip
@PREVIEW
@RECORD
@REPLAY
@JSON
def fetch(address: str, sources: tuple[str, ...], case_path: Path | None, chain: str | None, max_requests: int,
          preview: bool, record: Path | None, replay: Path | None, as_json: bool) -> None:  # fmt: skip
    """Read the history of ADDRESS into a case, whole, or what is new since it was read last.

    Says of each source how far it reads, what it cannot show, and whether what was read adds up to the balance. Ends
    with 3 where no source gave all of it.
    """
    from cases.fetching import fetch as read_whole
    from cases.show_fetch import show_fetch
    from cases.starting import wallet_of
    from tracer.values import Chain

    if not sources:
        raise click.UsageError("no source to read from: give --source KIND:WHERE; fundtrail sources lists the kinds")
    if not (case_path or preview):
        raise click.UsageError("nowhere to keep it: give --case FILE")
    on = Chain.named(chain) if chain else None
    connectors = _connectors(sources, on, record, replay)
    if preview or case_path is None:
        _preview(connectors, as_json, replay)
        return
    meant = wallet_of(address, on, connectors)
    _say_who_learns(connectors, "the addresses asked about", replay)
    made = not _is_there(case_path)
    with ExitStack() as stack:
        opened = stack.enter_context(_open_or_create(case_path))
        stack.callback(lambda: _unmake(opened) if made else None)
        told = read_whole(
            opened, connectors, meant, max_requests=max_requests, now=_now, progress=_progress(as_json)
        )  # fmt: skip
    _end_of_progress()
    _emit(told if as_json else show_fetch(told, width=_width(), colour=_colour()), as_json)
    if not told["complete"]:
        raise SystemExit(PARTIAL)


@main.command()
@JSON
def sources(as_json: bool) -> None:
    """List the kinds of source, what each reads, and what is configured for it. Asks nobody; shows no key."""
    from cases.health import sources_told
    from cases.show_fetch import show_sources
    from connectors.settings import Settings

    told = sources_told(Settings.load())
    _emit(told if as_json else show_sources(told, width=_width(), colour=_colour()), as_json)


@main.command()
@SOURCES
@click.option("--chain", metavar="NAME", help="The chain, where a source leaves it open.")
@JSON
def doctor(sources: tuple[str, ...], chain: str | None, as_json: bool) -> None:
    """Check what fundtrail needs on this machine, and ask each --source for its newest block, and nothing else.

    Ends with 1 if anything that is needed fails.
    """
    from cases.health import checks
    from cases.show_fetch import show_checks
    from connectors.http.network import Network
    from connectors.settings import Settings
    from tracer.values import Chain

    settings = Settings.load()
    told = list(checks(settings, sources, Network(settings), Chain.named(chain) if chain else None))
    _emit(told if as_json else show_checks(told, width=_width(), colour=_colour()), as_json)
    if any(one["state"] == "fails" for one in told):
        raise SystemExit(1)


@main.group()
def case() -> None:
    """Look into a case file: what was asked, found, done and judged."""


@case.command("show")
@CASE
@JSON
def case_show(file: Path, as_json: bool) -> None:
    """Print the latest answer, as it was given."""
    _print_latest(file, as_json, lambda given: given, "show")


@case.command("ends")
@CASE
@JSON
def case_ends(file: Path, as_json: bool) -> None:
    """Print where the stolen value rests, and why there."""
    _print_latest(file, as_json, lambda given: given["ends"], "show_ends")


@case.command("hops")
@CASE
@JSON
def case_hops(file: Path, as_json: bool) -> None:
    """Print the payments that moved stolen value, in order, with the amount under each rule."""
    from cases.answering_again import hops_behind
    from cases.show import show_hops
    from cases.tracing import latest

    with _open(file) as opened:
        given = latest(opened)
        hops = hops_behind(opened, given)
    _emit(hops if as_json else show_hops(given, hops, width=_width()), as_json)


@case.command("values")
@CASE
@click.option("--currency", default="USD", show_default=True, metavar="NAME", help="As the prices pinned are told in.")
@JSON
def case_values(file: Path, currency: str, as_json: bool) -> None:
    """Print what the ends of the latest answer were worth, each figure with its price, whose it is, and of when.

    By the prices that `prices fetch` pinned; nobody is asked. Ends with 3 if an end has none, or the answer is partial.
    """
    from cases.pricing import priced
    from cases.show_values import show_values
    from cases.tracing import latest

    with _open(file) as opened:
        given = latest(opened)
        values = priced(opened, given, currency.upper())
    _emit(values if as_json else show_values(values, width=_width(), colour=_colour()), as_json)
    if values["not_valued"]:
        click.echo("ends have no value: `fundtrail prices fetch` asks for the prices they lack", err=True)
    if given["partial"]:
        click.echo("the answer is partial: see case show", err=True)
    if values["not_valued"] or given["partial"]:
        raise SystemExit(PARTIAL)


@case.command("compare")
@CASE
@JSON
def case_compare(file: Path, as_json: bool) -> None:
    """Compare all rules on the latest question: what hangs on the choice, where they part."""
    from cases.comparing import compare
    from cases.show_way import show_comparison

    with _open(file) as opened:
        told = compare(opened)
    _emit(told if as_json else show_comparison(told, width=_width(), colour=_colour()), as_json)
    if told["partial"]:
        raise SystemExit(PARTIAL)


@case.command("log")
@CASE
@JSON
def case_log(file: Path, as_json: bool) -> None:
    """Print what was done in the case, each entry with its hash."""
    from cases.show_records import show_log

    with _open(file) as opened:
        entries = opened.log()
    if as_json:
        _emit([{"n": e.n, "at": e.at, "kind": e.kind, "body": e.body, "hash": e.hash} for e in entries], as_json)
    else:
        _emit(show_log(entries, width=_width()), as_json)


@case.command("verify")
@CASE
@click.option("--anchor", default="", metavar="HASH", help="A head hash kept elsewhere: then a cut-off tail shows too.")
@JSON
def case_verify(file: Path, anchor: str, as_json: bool) -> None:
    """Check the log's chain, every piece of evidence and all that cites it. Ends with 1 if anything is wrong."""
    with _open(file) as opened:
        problems, head = opened.verify(anchor), opened.head
    if as_json:
        _emit({"head": head, "problems": [{"text": p.text, "where": p.where} for p in problems]}, True)
    else:
        for problem in problems:
            click.echo(_visible(f"{problem.where}: {problem.text}" if problem.where else problem.text))
        click.echo(f"{len(problems)} problem{'' if len(problems) == 1 else 's'}. Head of the log: {head}")
        if not anchor:
            click.echo("The tail is not anchored: keep the head hash elsewhere and give it with --anchor.")
    if problems:
        raise SystemExit(1)


@case.command("owners")
@CASE
@click.option("--confidence", type=SURE, default=0, show_default=True, help="Clusters of judgements as sure as that.")
@JSON
def case_owners(file: Path, confidence: int, as_json: bool) -> None:
    """Print every judgement that two addresses have one owner, and the clusters they make."""
    from cases.owners import owners
    from cases.show_owners import show_owners

    with _open(file) as opened:
        told = owners(opened, confidence)
    _emit(told if as_json else show_owners(told, width=_width()), as_json)


@case.command("same-owner")
@CASE
@click.argument("one")
@click.argument("other")
@click.option("--by", required=True, metavar="NAME", help="Who says so.")
@click.option("--why", required=True, metavar="TEXT", help="The reason, in words.")
@click.option("--confidence", type=SURE, required=True, help="How sure: 100 is proven.")
@click.option("--evidence", multiple=True, metavar="HASH", help="A transaction, or HASH:log:7. May be repeated.")
@JSON
def case_same_owner(file: Path, one: str, other: str, by: str, why: str, confidence: int, evidence: tuple[str, ...],
                    as_json: bool) -> None:  # fmt: skip
    """Record that somebody takes ONE and OTHER for addresses of one owner. No trace and no amount changes by it.

    On a chain that is not the case's, write it in front: bsc:0x...
    """
    from cases.owners import judge

    with _open(file) as opened:
        told = judge(opened, (one, other), by=by, why=why, confidence=confidence, evidence=evidence, at=_now())
    _emit(
        told if as_json else f"judgement {told['id']}: {'added' if told['added'] else 'it is there already'}", as_json
    )


@case.command("withdraw")
@CASE
@click.argument("judgement")
@click.option("--by", required=True, metavar="NAME", help="Who withdraws it.")
@click.option("--why", required=True, metavar="TEXT", help="The reason, in words.")
@JSON
def case_withdraw(file: Path, judgement: str, by: str, why: str, as_json: bool) -> None:
    """Record that the judgement of that id counts no longer. It stays in the case, with who withdrew it and why."""
    from cases.owners import withdraw

    with _open(file) as opened:
        told = withdraw(opened, judgement, by=by, why=why, at=_now())
    _emit(told if as_json else f"judgement {told['judgement']}: withdrawn", as_json)


@main.group()
def prices() -> None:
    """What a unit cost, to stand beside amounts: nothing is ever counted with it."""


@prices.command("fetch")
@CASE
@click.option("--from", "where", required=True, metavar="KIND:WHERE",
              help="Who tells the prices: defillama, coingecko, or csv:PATH for a file of your own.")  # fmt: skip
@PREVIEW
@JSON
def prices_fetch(file: Path, where: str, preview: bool, as_json: bool) -> None:
    """Pin to the case what the assets of the latest answer's ends cost when stolen value last came there.

    Whoever tells the prices learns of which assets and moments, and no address of a wallet. `case values` shows what
    follows. Ends with 3 if there is none for some.
    """
    from cases.pricing import pin_prices_for
    from cases.show_parts import counted
    from cases.tracing import latest
    from connectors.prices.opening import open_prices

    source = open_prices(where)
    if preview:
        _preview([source], as_json)
        return
    with _open(file) as opened:
        given = latest(opened)
        _say_who_learns([source], "of which assets and moments the prices are asked for")
        quoted = pin_prices_for(opened, source, given, at=_now())
    _warn(quoted.problems)
    told = {"source": source.name, "currency": source.currency, "prices": len(quoted.prices),
            "without": [{"text": one.text, "where": one.where} for one in quoted.problems]}  # fmt: skip
    line = f"{source.name}, in {source.currency}: {counted(len(quoted.prices), 'price', 'prices')} pinned to the case"
    _emit(told if as_json else _visible(line), as_json)
    if quoted.problems:
        raise SystemExit(PARTIAL)


@main.group()
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
    from tracer.values import Chain

    if not (case_path or out):
        raise click.UsageError("nowhere to keep them: give --case FILE, or --out FILE for our own format")
    on = Chain.named(chain) if chain else None
    read = [read_labels(path, format=form, source=source, chain=on) for path in files]
    if case_path:
        with _open_or_create(case_path) as opened:
            for file in read:
                opened.pin_labels(file, at=_now())
    if out:
        write_labels([label for file in read for label in file.labels], out)
    if as_json:
        _emit([file_told(path, file) for path, file in zip(files, read, strict=True)], True)
    for path, file in zip(files, read, strict=True):
        if not as_json:
            click.echo(_visible(
                f"{path}: {file.format}, {file.rows} rows, {len(file.labels)} labels, "
                f"{len(file.rejected)} refused, {len(file.skipped)} of chains we do not follow"
            ))  # fmt: skip
        _warn(file.rejected)
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


@main.command()
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
    with _open(file) as opened:
        if FORMS[form].needs_answer:
            latest(opened)  # says what to do where there is none
        written = write_export(contents_with_answer(opened), target, form, force=force)
        opened.record("export", {"format": form, "files": [path.name for path in written]}, at=_now())
    _emit([str(path) for path in written] if as_json else "\n".join(map(str, _shown(written))), as_json)


@main.command("import")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--case", "case_path", required=True, type=FILE, help="The case file; made if it is not there.")
@STORE
@JSON
def import_(path: Path, case_path: Path, as_json: bool) -> None:
    """Take an export (csv, jsonl, parquet, graphml or tagpack) into a case.

    Facts stay facts and cite their raw bytes; labels stay claims. An answer is taken over only if this case's own
    facts give it again, to the byte. Ends with 3 if it was not, or if rows were refused.
    """
    from cases.importing import import_into
    from cases.show_parts import counted

    with ExitStack() as stack:
        made = not _is_there(case_path)
        case = stack.enter_context(_open_or_create(case_path))
        stack.callback(lambda: _unmake(case) if made else None)
        told = import_into(case, path, at=_now())
    _warn(told.rejected)
    if told.doubt:
        click.echo(_visible(f"warning: the answer was not taken over: {told.doubt}"), err=True)
    counts = {noun: getattr(told, noun) for noun in ("transfers", "labels", "losses", "judgements")}
    if as_json:
        _emit({"format": told.format, **counts, "answer": told.answer, "doubt": told.doubt,
               "rejected": len(told.rejected)}, True)  # fmt: skip
    else:
        taken = ", and the answer, given again to the byte" if told.answer and not told.doubt else ""
        one = ("transfer", "label", "loss", "judgement")
        said = (counted(number, noun, many) for noun, (many, number) in zip(one, counts.items(), strict=True))
        _emit(f"{told.format}: {', '.join(said)}{taken}", as_json)
    if told.doubt or told.rejected:
        raise SystemExit(PARTIAL)


@main.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(BULK_FORMATS), default="auto", show_default=True,
              help="The files' format, if not told by their columns.")  # fmt: skip
@click.option("--out", required=True, type=FOLDER, help="The ledger folder; made if it is not there.")
@click.option("--chain", metavar="NAME", help="The chain, where the files leave it open.")
@click.option("--blocks", type=FILE, help="ethereum-etl's table of blocks, for exports without block_timestamp.")
@click.option("--decimals", multiple=True, metavar="CONTRACT=NUMBER", help="A token's decimals, for Etherscan's lists.")
@click.option("--whole", is_flag=True, help="You state that these files hold all transfers of their kind and blocks.")
@JSON
def ingest(paths: tuple[Path, ...], form: str, out: Path, chain: str | None, blocks: Path | None,
           decimals: tuple[str, ...], whole: bool, as_json: bool) -> None:  # fmt: skip
    """Take chain extracts into a ledger folder, for `trace --source ledger:FOLDER`. Ends with 3 if rows were refused.

    A file that is in the folder already adds nothing. Interrupted, the same command goes on from there.
    """
    from cases.ingesting import ingest_files
    from cases.show_ledger import show_ingested
    from tracer.values import Chain

    on = Chain.named(chain) if chain else None
    of = dict(_setting(text) for text in decimals)
    with ExitStack() as stack:
        tell = _counting(stack)
        told = ingest_files(paths, out, format=form, chain=on, blocks=blocks, decimals=of, whole=whole, progress=tell)
    _emit(told if as_json else show_ingested(told), as_json)
    if told["rejected"] or told["contradictions"]:
        raise SystemExit(PARTIAL)


@main.group()
def ledger() -> None:
    """Look into a ledger folder that `ingest` made."""


@ledger.command("show")
@click.argument("folder", type=FOLDER)
@JSON
def ledger_show(folder: Path, as_json: bool) -> None:
    """Print what a ledger folder holds, and what it was made from."""
    from cases.ingesting import ledger_told
    from cases.show_ledger import show_ledger

    told = ledger_told(folder)
    _emit(told if as_json else show_ledger(told, width=_width()), as_json)


@ledger.command("verify")
@click.argument("folder", type=FOLDER)
@JSON
def ledger_verify(folder: Path, as_json: bool) -> None:
    """Read all of a ledger folder and compare it with its manifest. Ends with 1 if anything is wrong."""
    from connectors.bulk.folder import verify

    problems = list(verify(folder))
    said = [*map(_visible, problems), f"{len(problems)} problem{'' if len(problems) == 1 else 's'}"]
    _emit({"problems": problems} if as_json else "\n".join(said), as_json)
    if problems:
        raise SystemExit(1)


@main.group()
def neo4j() -> None:
    """Explore a case in a Neo4j server: push it there, pull it back, ask it questions.

    The server and the account come from NEO4J_URI, NEO4J_USERNAME, NEO4J_PASSWORD and NEO4J_DATABASE, or a keyring.
    """


@neo4j.command("push")
@CASE_FILE
@NAMED
@JSON
def neo4j_push(file: Path, name: str, as_json: bool) -> None:
    """Write all of a case to the server. Interrupted, the same command goes on; sent twice, nothing is there twice."""
    from cases.graph import server

    with _open(file) as opened:
        fresh = server.push(opened, _access(), name, progress=_pushing())
    _end_of_progress()
    told = "all of it is there" if fresh else "all of it was there already"
    _emit({"name": name or server.name_of(file), "pushed": fresh} if as_json else told, as_json)


@neo4j.command("pull")
@CASE_FILE
@NAMED
@JSON
def neo4j_pull(file: Path, name: str, as_json: bool) -> None:
    """Make the new case file FILE from what the server holds, and verify it."""
    from cases.graph import server

    head = server.pull(file, _access(), name)
    told = _visible(f"{file}: verified. Head of the log: {head}")
    _emit({"file": str(file), "head": head} if as_json else told, as_json)


@neo4j.command("status")
@CASE_FILE
@NAMED
@JSON
def neo4j_status(file: Path, name: str, as_json: bool) -> None:
    """Compare a case with what the server holds of it. Ends with 3 if that is not all."""
    from dataclasses import asdict

    from cases.graph import server

    with _open(file) as opened:
        found = server.status(opened, _access(), name or server.name_of(file))
    told = "all of it is there" if found.same else "an earlier state is there" if found.there else "it is not there"
    unfinished = "; a push was not finished: the same command goes on" if found.pushing else ""
    nouns = ("places", "transfers", "traces", "judgements", "clusters")
    counts = ", ".join(f"{getattr(found, noun)} {noun}" for noun in nouns)
    _emit(asdict(found) if as_json else f"{found.name}: {told}{unfinished}. {counts}", as_json)
    if not found.same:
        raise SystemExit(PARTIAL)


@neo4j.command("query")
@click.argument("query", metavar="NAME")
@CASE_FILE
@NAMED
@click.option("--set", "given", multiple=True, metavar="NAME=VALUE", help="A value that the query takes.")
@JSON
def neo4j_query(query: str, file: Path, name: str, given: tuple[str, ...], as_json: bool) -> None:
    """Ask one of the queries for investigators; without a known NAME, they are listed."""
    from cases.graph import asking, server
    from cases.graph.neo4j_session import Database
    from cases.show_records import show_rows

    values = dict(text.partition("=")[::2] for text in given)
    with Database(_access()) as database:
        rows = asking.ask(database, query, name or server.name_of(file), values)
    _emit(rows if as_json else show_rows(rows, width=_width()), as_json)


@neo4j.command("csv")
@CASE_FILE
@NAMED
@click.option("--out", required=True, type=FOLDER, help="A new folder for the tables.")
@JSON
def neo4j_csv(file: Path, name: str, out: Path, as_json: bool) -> None:
    """Write a case as tables for `neo4j-admin database import full`, for the first load of a large one."""
    from cases.graph import import_tables, server

    with _open(file) as opened:
        told = import_tables.write(opened, out, name or server.name_of(file))
    _emit(told if as_json else "\n".join([*told["files"], "", *told["command"]]), as_json)


def _access() -> Any:
    from cases.graph.access import Access

    found = Access.of(os.environ)
    if found.warning:
        click.echo(_visible(f"warning: {found.warning}"), err=True)
    return found


def _pushing() -> Callable[[Any], None]:
    """What is being sent, on a terminal only."""
    on_terminal = sys.stderr.isatty()

    def tell(step: Any) -> None:
        if on_terminal:
            click.echo(f"\r\x1b[2K{step.done:,} {step.what}", nl=False, err=True)

    return tell


@main.command()
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
def completion(shell: str) -> None:
    """Print the shell's completion script: eval "$(fundtrail completion bash)"."""
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"click knows no completion for {shell}")
    click.echo(found(main, {}, "fundtrail", "_FUNDTRAIL_COMPLETE").source())


def _connectors(names: Iterable[str], chain: Chain | None, record: Path | None, replay: Path | None) -> list[Connector]:
    from connectors.http.network import Network
    from connectors.settings import Settings
    from connectors.sources import open_source

    network = Network(Settings.load(), record=record, replay=replay)
    return [open_source(name, network, chain) for name in names]


def _hosts(sources: Sequence[Named], replay: Path | None) -> list[dict[str, Any]]:
    """What `cases.fetching.preview` tells; a reading from a record reaches nobody."""
    from cases.fetching import preview

    return [told | ({"hosts": []} if replay else {}) for told in preview(sources)]


def _preview(sources: Sequence[Named], as_json: bool, replay: Path | None = None) -> None:
    told = _hosts(sources, replay)
    lines = [f"{one['source']}: {', '.join(one['hosts']) or 'nobody, it is read on this machine'}" for one in told]
    _emit(told if as_json else _visible_lines(lines), as_json)


def _say_who_learns(sources: Sequence[Named], what: str, replay: Path | None = None) -> None:
    hosts = sorted({host for one in _hosts(sources, replay) for host in one["hosts"]})
    if hosts:
        click.echo(f"who learns {what}: {', '.join(map(_visible, hosts))}", err=True)


def _visible_lines(lines: list[str]) -> str:
    return "\n".join(map(_visible, lines))


def _end_of_progress() -> None:
    if sys.stderr.isatty():
        click.echo("\r\x1b[2K", nl=False, err=True)


def _shown(written: tuple[Path, ...]) -> list[Path]:
    """What was written, for a person: of raw bytes in files by the hundred only their folder."""
    return list(dict.fromkeys(path.parent if path.parent.name == "evidence" else path for path in written))


def _question(**asked: Any) -> Question:
    from cases.tracing import Question
    from graphs.stops import StopRules
    from tracer.ledger import Order
    from tracer.lots import Between, Fees, Rule
    from tracer.values import Chain

    settings = dict(_setting(text, StopRules.__dataclass_fields__) for text in asked.pop("settings"))
    rule, chain, between = asked.pop("rule"), asked.pop("chain"), asked.pop("between")
    fees, order = Fees(asked.pop("fees")), Order(asked.pop("order"))
    return Question(
        **asked,
        chain=Chain.named(chain) if chain else None,
        rules=() if rule == "all" else (Rule(rule),),
        between=Between(between),
        fees=fees,
        order=order,
        stops=StopRules(**settings),
    )


def _setting(text: str, known: Any = None) -> tuple[str, int]:
    from tracer.errors import InputError, UnknownName

    name, _, value = text.partition("=")
    if known is not None and name not in known:
        raise UnknownName.among("setting", name, known)
    if not value.isascii() or not value.isdecimal() or len(value) > 18:
        raise InputError(f"{name} is {value!r:.60}", f"a whole number, for example {name}=10")
    return name, int(value)


def _stored() -> str:
    """The database that the case is in, "" for a file."""
    return click.get_current_context().meta.get("store") or ""


def _is_there(path: Path) -> bool:
    """Whether a new case need not be made; one in a database is looked for when it is opened."""
    return bool(_stored()) or path.exists()


def _open(path: Path) -> AbstractContextManager[Case]:
    from cases.case_file import Case

    return _working_copy(path) if _stored() else Case.open(path)


def _open_or_create(path: Path) -> AbstractContextManager[Case]:
    from cases.case_file import Case

    if _stored():
        return _working_copy(path, make=True)
    return Case.open(path) if path.exists() else Case.create(path, at=_now())


def _pinned(case_path: Path | None) -> LabelBook | None:
    if case_path is None:
        return None
    with _open(case_path) as opened:
        return opened.labels()


def _working_copy(path: Path, make: bool = False) -> AbstractContextManager[Case]:
    from cases.graph.access import Access
    from cases.graph.working_copy import working_copy

    access = Access.of(os.environ, _stored())
    if access.warning:
        click.echo(f"warning: {_visible(access.warning)}", err=True)
    return working_copy(path, access, at=_now(), make=make)


def _unmake(case: Case) -> None:
    """A case that was made for a question that could not begin is taken away again; one that holds a page is kept."""
    if not (case.losses() or case.requests() or case.issued() or len(case.labels()) or case.judgements()):
        for ending in ("", "-wal", "-shm"):
            Path(f"{case.path}{ending}").unlink(missing_ok=True)


def _print_labels(found: list[Any], as_json: bool) -> None:
    from cases.codec import label_json
    from cases.show_records import show_labels

    _emit([label_json(label) for label in found] if as_json else show_labels(found, width=_width()), as_json)


def _print_latest(file: Path, as_json: bool, part: Callable[[dict[str, Any]], Any], shown: str) -> None:
    from cases import show
    from cases.codec import readable
    from cases.tracing import latest

    with _open(file) as opened:
        given = latest(opened)
    with readable("the answer"):
        text = part(given) if as_json else getattr(show, shown)(given, width=_width(), colour=_colour())
    _emit(text, as_json)
    if given["partial"]:
        if shown != "show":
            click.echo("the answer is partial: see case show", err=True)
        raise SystemExit(PARTIAL)


def _print_answer(given: dict[str, Any], as_json: bool) -> None:
    import json

    from cases.codec import canonical
    from cases.show import show

    given = json.loads(canonical(given))  # as `case show` has it, so that both print the same
    _end_of_progress()
    _emit(given if as_json else show(given, width=_width(), colour=_colour()), as_json)


def _emit(what: Any, as_json: bool) -> None:
    if as_json:
        from cases.codec import canonical

        sys.stdout.write(canonical(what) + "\n")
    else:
        click.echo(what, color=True)


def _warn(problems: Any, most: int = 10) -> None:
    for problem in problems[:most]:
        click.echo(_visible(f"warning: {problem.where}: {problem.text}"), err=True)
    if len(problems) > most:
        click.echo(f"warning: and {len(problems) - most} more like these", err=True)


def _progress(quiet: bool) -> Callable[[Progress], None]:
    """One line on a terminal, written over; a line now and then elsewhere, so that a log stays readable."""
    on_terminal = sys.stderr.isatty()

    def tell(step: Progress) -> None:
        line = f"{step.requests} of at most {step.most} requests, {step.wanted} wanted; {step.address.text}"
        if on_terminal:
            click.echo(f"\r\x1b[2K{line[: shutil.get_terminal_size().columns - 1]}", nl=False, err=True)
        elif not quiet and step.requests % 25 == 0:
            click.echo(line, err=True)

    return tell


def _counting(stack: ExitStack) -> Callable[[Ingesting], None]:
    """Rows read, a line for each file, on standard error."""
    from rich.console import Console
    from rich.progress import Progress, TextColumn, TimeElapsedColumn

    columns = TextColumn("{task.description}", markup=False), TextColumn("{task.completed:,} rows", markup=False)
    bar = Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True))
    tasks: dict[Path, Any] = {}

    def tell(step: Ingesting) -> None:
        if not tasks:
            stack.enter_context(bar)
        if step.file not in tasks:
            tasks[step.file] = bar.add_task(_visible(step.file.name), total=None)
        bar.update(tasks[step.file], completed=step.rows)

    return tell


def _complain(message: str, hint: str) -> None:
    _end_of_progress()
    click.echo(f"fundtrail: {_visible(message)}", err=True)
    if hint:
        click.echo(f"  try: {_visible(hint)}", err=True)


def _visible(text: str) -> str:
    from cases.visible import visible

    return visible(text)


def _width() -> int | None:
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def _colour() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def _now() -> int:
    import time

    return int(time.time())


if __name__ == "__main__":
    main()
