"""Whom a command asks: which sources, and who learns what by it, said before anything is asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.options import FILE, together
from cli.printing import emit, say, visible

if TYPE_CHECKING:
    from connectors.protocol import Connector, Named
    from tracer.values import Chain

SOURCES = click.option(
    "--source", "sources", multiple=True, metavar="KIND:WHERE",
    help="Where histories come from; fundtrail sources lists the kinds. May be repeated.",
)  # fmt: skip
PREVIEW = click.option("--preview", is_flag=True, help="Only say which hosts would learn what is asked about.")
RECORDED = together(
    click.option("--record", type=FILE, help="Write every answer of the network to this file too, without keys."),
    click.option("--replay", type=FILE, help="Answer from a file made with --record; the network is not used."),
)


def open_sources(
    names: Iterable[str], chain: Chain | None, record: Path | None, replay: Path | None
) -> list[Connector]:
    """The sources of these names, behind one network."""
    from connectors.http.network import Network
    from connectors.settings import Settings
    from connectors.sources import open_source

    network = Network(Settings.load(), record=record, replay=replay)
    return [open_source(name, network, chain) for name in names]


def show_preview(sources: Sequence[Named], as_json: bool, replay: Path | None = None) -> None:
    """Print who would learn what is asked about, and ask nobody."""
    told = _hosts(sources, replay)
    lines = [f"{one['source']}: {', '.join(one['hosts']) or 'nobody, it is read on this machine'}" for one in told]
    emit(told if as_json else "\n".join(map(visible, lines)), as_json)


def say_who_learns(sources: Sequence[Named], what: str, replay: Path | None = None) -> None:
    """Name the hosts that will learn `what`, if there are any."""
    hosts = sorted({host for one in _hosts(sources, replay) for host in one["hosts"]})
    if hosts:
        say(f"who learns {what}: {', '.join(map(visible, hosts))}")


def _hosts(sources: Sequence[Named], replay: Path | None) -> list[dict[str, Any]]:
    """What `cases.fetching.preview` tells; a reading from a record reaches nobody."""
    from cases.fetching import preview

    return [told | ({"hosts": []} if replay else {}) for told in preview(sources)]
