"""`neo4j`: a case in a graph database."""

from __future__ import annotations

from pathlib import Path

import click

from cli.ending import PARTIAL
from cli.opening import CASE_FILE, database, open_case
from cli.options import FOLDER, JSON
from cli.printing import emit, end_of_progress, visible, width
from cli.progress import sending

NAMED = click.option("--name", default="", help="The case's name in the database; else the file's, without its ending.")


@click.group()
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

    with open_case(file) as opened:
        fresh = server.push(opened, database(), name, progress=sending())
    end_of_progress()
    told = "all of it is there" if fresh else "all of it was there already"
    emit({"name": name or server.name_of(file), "pushed": fresh} if as_json else told, as_json)


@neo4j.command("pull")
@CASE_FILE
@NAMED
@JSON
def neo4j_pull(file: Path, name: str, as_json: bool) -> None:
    """Make the new case file FILE from what the server holds, and verify it."""
    from cases.graph import server

    head = server.pull(file, database(), name)
    told = visible(f"{file}: verified. Head of the log: {head}")
    emit({"file": str(file), "head": head} if as_json else told, as_json)


@neo4j.command("status")
@CASE_FILE
@NAMED
@JSON
def neo4j_status(file: Path, name: str, as_json: bool) -> None:
    """Compare a case with what the server holds of it. Ends with 3 if that is not all."""
    from dataclasses import asdict

    from cases.graph import server

    with open_case(file) as opened:
        found = server.status(opened, database(), name or server.name_of(file))
    told = "all of it is there" if found.same else "an earlier state is there" if found.there else "it is not there"
    unfinished = "; a push was not finished: the same command goes on" if found.pushing else ""
    nouns = ("places", "transfers", "traces", "judgements", "clusters")
    counts = ", ".join(f"{getattr(found, noun)} {noun}" for noun in nouns)
    emit(asdict(found) if as_json else f"{found.name}: {told}{unfinished}. {counts}", as_json)
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
    with Database(database()) as opened:
        rows = asking.ask(opened, query, name or server.name_of(file), values)
    emit(rows if as_json else show_rows(rows, width=width()), as_json)


@neo4j.command("csv")
@CASE_FILE
@NAMED
@click.option("--out", required=True, type=FOLDER, help="A new folder for the tables.")
@JSON
def neo4j_csv(file: Path, name: str, out: Path, as_json: bool) -> None:
    """Write a case as tables for `neo4j-admin database import full`, for the first load of a large one."""
    from cases.graph import import_tables, server

    with open_case(file) as opened:
        told = import_tables.write(opened, out, name or server.name_of(file))
    emit(told if as_json else "\n".join([*told["files"], "", *told["command"]]), as_json)
