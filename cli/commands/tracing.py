"""Follow stolen funds: `trace`, and `demo`, which shows it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.ending import PARTIAL
from cli.network import PREVIEW, RECORDED, SOURCES, open_sources, say_who_learns, show_preview
from cli.opening import case_to_fill, is_there, now, open_to_fill
from cli.options import FOLDER, JSON, LABELS, chain_named, setting
from cli.printing import colour, emit, end_of_progress, folded, warn, width
from cli.progress import asking

if TYPE_CHECKING:
    from cases.tracing import Question

RULES = ("all", "fifo", "lifo", "pro_rata", "taint_first", "clean_first", "highest_out")
BETWEEN = ("pari_passu", "first_in_first_out", "priority")
FEES = ("fee_last", "fee_prorata", "fee_in_ratio")
ORDERS = ("atomic", "exact")


@click.command()
@click.option("--out", default="demo-out", show_default=True, type=FOLDER,
              help="Folder for the case file and the exports.")  # fmt: skip
@JSON
def demo(out: Path, as_json: bool) -> None:
    """Follow the Ronin bridge theft of 2022, offline, from facts that ship with fundtrail.

    Builds the case, prints where the money rests under each rule, says what is not in the data, and writes the exports.
    Ends with 0 although the answer is partial: the data it ships with are.
    """
    from cases.demo import run_demo

    given, written = run_demo(out, now=now, progress=asking(as_json))
    _print_answer(given, as_json)
    if not as_json:
        click.echo("\nWritten:")
        for path in folded(written):
            click.echo(f"  {path}")


@click.command()
@click.argument("start")
@SOURCES
@case_to_fill(required=True)
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
@RECORDED
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
    if not sources and not is_there(case_path):
        raise click.UsageError("no source to read from: give --source KIND:WHERE, for example --source file:FOLDER")
    connectors = open_sources(sources, question.chain, record, replay)
    if preview:
        show_preview(connectors, as_json, replay)
        return
    files = [read_labels(path) for path in label_paths]
    say_who_learns(connectors, "the addresses asked about", replay)
    for connector in connectors:
        warn(getattr(connector, "problems", ()))
    with open_to_fill(case_path) as case:
        for file in files:
            case.pin_labels(file, at=now())
            warn((*file.rejected,))
        if update:
            read_news(case, connectors, now=now, progress=asking(as_json))
        given = make_trace(case, question, connectors, now=now, progress=asking(as_json))
        head = case.head
    _print_answer(given, as_json)
    click.echo(f"head of the case's log, keep it elsewhere to anchor `case verify`: {head}", err=True)
    if given["partial"]:
        raise SystemExit(PARTIAL)


def _question(**asked: Any) -> Question:
    from cases.tracing import Question
    from graphs.stops import StopRules
    from tracer.ledger import Order
    from tracer.lots import Between, Fees, Rule

    settings = dict(setting(text, StopRules.__dataclass_fields__) for text in asked.pop("settings"))
    rule, chain, between = asked.pop("rule"), asked.pop("chain"), asked.pop("between")
    fees, order = Fees(asked.pop("fees")), Order(asked.pop("order"))
    return Question(
        **asked,
        chain=chain_named(chain),
        rules=() if rule == "all" else (Rule(rule),),
        between=Between(between),
        fees=fees,
        order=order,
        stops=StopRules(**settings),
    )


def _print_answer(given: dict[str, Any], as_json: bool) -> None:
    import json

    from cases.codec import canonical
    from cases.show import show

    given = json.loads(canonical(given))  # as `case show` has it, so that both print the same
    end_of_progress()
    emit(given if as_json else show(given, width=width(), colour=colour()), as_json)
