"""`case`: what a case holds, and what somebody judges of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from cli.ending import PARTIAL
from cli.opening import CASE, now, open_case
from cli.options import JSON
from cli.printing import colour, emit, say, visible, width

SURE = click.IntRange(0, 100)
SEE_SHOW = "the answer is partial: see case show"
Answer = dict[str, Any]


@click.group()
def case() -> None:
    """Look into a case file: what was asked, found, done and judged."""


@case.command("show")
@CASE
@JSON
def case_show(file: Path, as_json: bool) -> None:
    """Print the latest answer, as it was given."""
    from cases.show import show

    if _print_latest(file, as_json, lambda given: given, show)["partial"]:
        raise SystemExit(PARTIAL)


@case.command("ends")
@CASE
@JSON
def case_ends(file: Path, as_json: bool) -> None:
    """Print where the stolen value rests, and why there."""
    from cases.show import show_ends

    if _print_latest(file, as_json, lambda given: given["ends"], show_ends)["partial"]:
        say(SEE_SHOW)
        raise SystemExit(PARTIAL)


@case.command("hops")
@CASE
@JSON
def case_hops(file: Path, as_json: bool) -> None:
    """Print the payments that moved stolen value, in order, with the amount under each rule."""
    from cases.answering_again import hops_behind
    from cases.show import show_hops
    from cases.tracing import latest

    with open_case(file) as opened:
        given = latest(opened)
        hops = hops_behind(opened, given)
    emit(hops if as_json else show_hops(given, hops, width=width()), as_json)


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

    with open_case(file) as opened:
        given = latest(opened)
        values = priced(opened, given, currency.upper())
    emit(values if as_json else show_values(values, width=width(), colour=colour()), as_json)
    if values["not_valued"]:
        click.echo("ends have no value: `fundtrail prices fetch` asks for the prices they lack", err=True)
    if given["partial"]:
        say(SEE_SHOW)
    if values["not_valued"] or given["partial"]:
        raise SystemExit(PARTIAL)


@case.command("compare")
@CASE
@JSON
def case_compare(file: Path, as_json: bool) -> None:
    """Compare all rules on the latest question: what hangs on the choice, where they part."""
    from cases.comparing import compare
    from cases.show_way import show_comparison

    with open_case(file) as opened:
        told = compare(opened)
    emit(told if as_json else show_comparison(told, width=width(), colour=colour()), as_json)
    if told["partial"]:
        raise SystemExit(PARTIAL)


@case.command("log")
@CASE
@JSON
def case_log(file: Path, as_json: bool) -> None:
    """Print what was done in the case, each entry with its hash."""
    from cases.show_records import show_log

    with open_case(file) as opened:
        entries = opened.log()
    if as_json:
        emit([{"n": e.n, "at": e.at, "kind": e.kind, "body": e.body, "hash": e.hash} for e in entries], as_json)
    else:
        emit(show_log(entries, width=width()), as_json)


@case.command("verify")
@CASE
@click.option("--anchor", default="", metavar="HASH", help="A head hash kept elsewhere: then a cut-off tail shows too.")
@JSON
def case_verify(file: Path, anchor: str, as_json: bool) -> None:
    """Check the log's chain, every piece of evidence and all that cites it. Ends with 1 if anything is wrong."""
    with open_case(file) as opened:
        problems, head = opened.verify(anchor), opened.head
    if as_json:
        emit({"head": head, "problems": [{"text": p.text, "where": p.where} for p in problems]}, True)
    else:
        for problem in problems:
            click.echo(visible(f"{problem.where}: {problem.text}" if problem.where else problem.text))
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

    with open_case(file) as opened:
        told = owners(opened, confidence)
    emit(told if as_json else show_owners(told, width=width()), as_json)


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

    with open_case(file) as opened:
        told = judge(opened, (one, other), by=by, why=why, confidence=confidence, evidence=evidence, at=now())
    emit(told if as_json else f"judgement {told['id']}: {'added' if told['added'] else 'it is there already'}", as_json)


@case.command("withdraw")
@CASE
@click.argument("judgement")
@click.option("--by", required=True, metavar="NAME", help="Who withdraws it.")
@click.option("--why", required=True, metavar="TEXT", help="The reason, in words.")
@JSON
def case_withdraw(file: Path, judgement: str, by: str, why: str, as_json: bool) -> None:
    """Record that the judgement of that id counts no longer. It stays in the case, with who withdrew it and why."""
    from cases.owners import withdraw

    with open_case(file) as opened:
        told = withdraw(opened, judgement, by=by, why=why, at=now())
    emit(told if as_json else f"judgement {told['judgement']}: withdrawn", as_json)


def _print_latest(file: Path, as_json: bool, part: Callable[[Answer], Any], show: Callable[..., str]) -> Answer:
    """Print a part of the latest answer, and return all of it."""
    from cases.codec import readable
    from cases.tracing import latest

    with open_case(file) as opened:
        given = latest(opened)
    with readable("the answer"):
        text = part(given) if as_json else show(given, width=width(), colour=colour())
    emit(text, as_json)
    return given
