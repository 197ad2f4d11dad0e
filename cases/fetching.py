"""One address, read whole into a case, or read on, from every source given: what `fundtrail fetch` does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from cases.asking import read_on
from cases.case_file import Case
from cases.investigation import Progress
from cases.reading_on import known_of, reorganised
from connectors.protocol import AsksHosts, Connector, Named, Page, Problem, ReadsOn
from tracer.coverage import Coverage, State
from tracer.errors import InputError
from tracer.values import Address, TransferId

FORMAT = "fundtrail-fetch/1"


def fetch(
    case: Case,
    connectors: Sequence[Connector],
    address: Address,
    *,
    max_requests: int,
    now: Callable[[], int],
    progress: Callable[[Progress], None] = lambda _: None,
) -> dict[str, Any]:
    """Read what each source has about `address` and the case has not; what is known of it then, as plain data.

    Unlike a trace, it asks every source, so that they can be compared: one that contradicts another is refused with
    both pieces of evidence. `once` says of a source, as a file is one, that it answered before and is not asked
    again. Interrupted anywhere, or stopped by `max_requests` pages, it goes on where it was.
    """
    able = [connector for connector in connectors if address.chain in connector.chains]
    if not able:
        names = ", ".join(connector.name for connector in connectors)
        raise InputError(f"{names} cannot answer for {address.chain}", "give a source of that chain, or another chain")
    stale: list[tuple[Connector, Address]] = []
    if len(able) > 1:  # before one of them is told what another said of blocks that are no more
        stale = [(connector, each) for connector in able for each in reorganised(case, connector, now)]
    told, asked = [], 0
    for connector in able:
        pages: list[Page] = []
        allowed = asked < max_requests
        before = frozenset(transfer.id for transfer in case.about(connector.name, address))
        if allowed:
            for page in read_on(case, connector, address, now):
                asked += 1
                pages.append(page)
                progress(Progress(asked, max_requests, 1, address, connector.name, len(page.transfers)))
                if asked >= max_requests and page.coverage is None:
                    break
        told.append(_told(case, connector, address, pages, before) | {"once": allowed and not pages})
    for connector, other in stale:
        for page in read_on(case, connector, other, now) if other != address and asked < max_requests else ():
            asked += 1
            if asked >= max_requests and page.coverage is None:
                break
    return {
        "format": FORMAT,
        "chain": address.chain.name,
        "address": address.text,
        "requests": asked,
        "sources": told,
        "transfers": len(case.about_any(address)),
        "complete": any(one["complete"] for one in told),
    }


def preview(sources: Iterable[Named]) -> list[dict[str, Any]]:
    """Per source which hosts it speaks to: they learn every address that is asked about. None is asked by this."""
    return [{"source": one.name, "hosts": list(one.hosts) if isinstance(one, AsksHosts) else []} for one in sources]


def _told(
    case: Case, connector: Connector, address: Address, pages: Sequence[Page], before: frozenset[TransferId]
) -> dict[str, Any]:
    """What `connector` told: a row that only overlaps with what was read `before` is no new one."""
    known, short = known_of(case, connector.name, address), _short(case, connector, address, pages)
    problems: dict[Problem, None] = dict.fromkeys(problem for page in pages for problem in page.problems)
    return {
        "source": connector.name,
        "new": len({transfer.id for page in pages for transfer in page.transfers} - before),
        "complete": known.complete and not known.missing and not known.unexplained and not short,
        **_coverage(replace(known, reason=known.reason or short)),
        "rows": len(case.about(connector.name, address)),  # the coverage counts what overlaps twice
        "problems": [{"text": one.text, "where": one.where} for one in problems],
    }


def _short(case: Case, connector: Connector, address: Address, pages: Sequence[Page]) -> str:
    """Why this run did not come to the newest block though an earlier one may have read all there was, "" if it did."""
    if case.cursor(connector.name, address):
        return "what is new since was not read to its end; run it again to go on"
    if not pages and isinstance(connector, ReadsOn):
        return "what is new since was not asked for, as the requests were spent"
    newest = [answer for source, answer in case.answers(address) if source == connector.name][-1:]
    if newest and newest[0].state not in (State.READ, State.EMPTY):
        return f"what is new since was not read: {newest[0].reason}"
    return ""


def _coverage(known: Coverage) -> dict[str, Any]:
    return {
        "state": known.state.word,
        "reason": known.reason,
        "first": known.first,
        "last": known.last,
        "final": known.final,
        "as_of": known.as_of,
        "kinds": sorted(known.kinds),
        "missing": [str(kind) for kind in known.missing],
        "balances": [
            {
                "asset": one.asset.name, "symbol": one.asset.symbol, "decimals": one.asset.decimals,
                "block": one.block, "stated": str(one.stated), "counted": str(one.counted),
                "residue": str(one.residue),
            }
            for one in known.balances
        ],
    }  # fmt: skip


__all__ = ["FORMAT", "fetch", "preview"]
