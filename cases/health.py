"""What is configured and whether it works: what `fundtrail sources` and `fundtrail doctor` tell. No key is shown."""

from __future__ import annotations

import importlib.util
import os
import platform
import sqlite3
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from connectors.http.network import Network
from connectors.protocol import AsksHosts, Connector, ReadsOn
from connectors.settings import KEY_VARIABLES, Settings
from connectors.sources import KINDS, LIVE, open_source
from connectors.window import Window
from tracer.errors import FundtrailError
from tracer.values import Chain

Check = dict[str, str]

#: Library, the extra that brings it, and what it is for.
EXTRAS = (
    ("numba", "bulk", "bulk ledgers"),
    ("pyarrow", "tables", "Parquet"),
    ("pandas", "tables", "data frames"),
    ("xlsxwriter", "tables", "spreadsheets"),
    ("keyring", "keyring", "keys from the desktop's keyring"),
    ("neo4j._rust", "neo4j-fast", "a faster way into Neo4j"),
)
SQLITE = (3, 37, 0)  # STRICT tables


def sources_told(settings: Settings) -> list[dict[str, str]]:
    """Every kind of source: what to write after it, what it reads, and how it is configured."""
    told = [
        {"kind": kind, "where": "PATH", "reads": local.reads, "base": "", "key": "none needed", "limit": ""}
        for kind, local in KINDS.items()
    ]
    for kind, live in LIVE.items():
        key, own = settings.key(kind), settings.requests_per_second(kind)
        names = " or ".join(KEY_VARIABLES.get(kind, ()))
        told.append({
            "kind": kind, "where": live.where, "reads": live.reads, "base": settings.url(kind) or live.base,
            "key": str(key) if key else f"not set ({names})" if names else "none needed",
            "limit": f"{own} requests a second, as configured" if own else live.limit,
        })  # fmt: skip
    return told


def reached(connector: Connector) -> Iterator[Check]:
    """Ask a live source for its newest block, per chain: the hosts it speaks to learn nothing but that."""
    for chain in sorted(connector.chains):
        if not isinstance(connector, ReadsOn):
            yield _check(connector.name, "ok", f"answers for {chain}, from this machine")
            continue
        hosts = ", ".join(connector.hosts) if isinstance(connector, AsksHosts) else ""
        try:
            window, _ = Window.of(connector.cursor_from(chain, 0))
        except FundtrailError as error:
            yield _check(connector.name, "fails", str(error), error.hint)
            continue
        at = f"{datetime.fromtimestamp(window.at, UTC):%Y-%m-%d %H:%M:%S} UTC" if window.at else "time not told"
        final = f", final {window.final}" if window.final is not None else ""
        yield _check(connector.name, "ok", f"{chain} at block {window.last} ({at}{final}), asked {hosts}")


def checks(
    settings: Settings, sources: Sequence[str], network: Network, chain: Chain | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Iterator[Check]:  # fmt: skip
    """What the doctor looks at, one after the other: `state` is `ok`, `missing` (optional) or `fails`."""
    yield _check("Python", "ok", platform.python_version())
    found = sqlite3.sqlite_version
    good = sqlite3.sqlite_version_info >= SQLITE
    yield _check("SQLite", "ok" if good else "fails", found, "" if good else "3.37 or newer is needed")
    for library, extra, purpose in EXTRAS:
        there = _installed(library)
        hint = "" if there else f"for {purpose}: pip install 'fundtrail[{extra}]'"
        yield _check(library, "ok" if there else "missing", "installed" if there else "not installed", hint)
    stated = settings.path is not None and settings.path.exists()
    yield _check(
        "configuration", "ok", f"{settings.path}, readable by you alone" if stated else f"none ({settings.path})"
    )
    yield _folder("cache", settings.cache)
    yield _folder("temporary files", Path(tempfile.gettempdir()))
    for kind in LIVE:
        if key := settings.key(kind):
            yield _check(f"key for {kind}", "ok", str(key))
    yield _check("proxy", "ok", "set" if settings.proxy else "none")
    neo4j = urlsplit(environ.get("NEO4J_URI", "")).netloc.rpartition("@")[2]  # a password may stand in front
    yield _check("Neo4j", "ok" if neo4j else "missing", neo4j or "NEO4J_URI is not set")
    for name in sources:
        try:
            yield from reached(open_source(name, network, chain))
        except FundtrailError as error:
            yield _check(name, "fails", str(error), error.hint)


def _installed(library: str) -> bool:
    try:
        return library in sys.modules or importlib.util.find_spec(library) is not None
    except ModuleNotFoundError:  # the package around it is not there
        return False


def _folder(what: str, folder: Path | None) -> Check:
    if folder is None:
        return _check(what, "missing", "none")
    there = folder
    while not there.exists():
        there = there.parent
    if os.access(there, os.W_OK):
        return _check(what, "ok", str(folder))
    return _check(what, "fails", f"{folder} cannot be written to", "set FUNDTRAIL_CACHE to a folder of your own")


def _check(what: str, state: str, found: str, hint: str = "") -> Check:
    return {"what": what, "state": state, "found": found, "hint": hint}


__all__ = ["checks", "reached", "sources_told"]
