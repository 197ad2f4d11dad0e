"""Asking a source about one address: page by page, each kept before the next is asked for, from where it was left."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from cases.case_file import Case
from connectors.protocol import Connector, Page, Problem
from tracer.coverage import Coverage, CoverageBook, State
from tracer.errors import SourceSkipped, SourceUnusable
from tracer.values import Address


def ask(case: Case, connector: Connector, address: Address, now: Callable[[], int]) -> Iterator[Page]:
    """Each page that the source gives about `address` and the case does not hold yet, after it was kept.

    One page is one request. A source that skips the address gives one page of it: coverage `FAILED`, with its reason.
    Raises `SourceUnusable`, `Contradiction` or `CaseError`; what was given before is kept.
    """
    after = case.cursor(connector.name, address)
    pages = connector.history(address, after)
    while True:
        try:
            page = next(pages, None)
        except SourceSkipped as skipped:
            page = _failed(connector, address, str(skipped))
        if page is None or (page.coverage is None and not page.cursor):
            page = _ended(connector, address, page)
        if page.coverage is not None and page.coverage.address != address:
            raise SourceUnusable(
                f"asked about {address}, {connector.name} answered about {page.coverage.address}",
                "report it to whoever keeps that source; nothing of the answer was kept",
                source=connector.name,
                address=address.text,
            )
        case.store_page(connector.name, address, page, at=now(), after=after)
        yield page
        if page.coverage is not None:
            return
        after = page.cursor


def ask_each(
    case: Case, connectors: Sequence[Connector], address: Address, now: Callable[[], int]
) -> Iterator[tuple[Connector, Page]]:
    """Ask one source after the other about `address` until one of them has read all of it."""
    told = case.answers(address)
    done = {source for source, _ in told}
    able = [connector for connector in connectors if address.chain in connector.chains]
    if not able and not told:
        names = ", ".join(connector.name for connector in connectors) or "no source"
        reason = f"{names} cannot answer for {address.chain}" if connectors else "no source was given"
        nobody = Coverage(address, State.NOT_RECORDED, frozenset(), "", reason=reason)
        case.store_page("", address, Page((), "", None, nobody), at=now())
    for connector in able:
        if connector.name in done:
            continue
        for page in ask(case, connector, address, now):
            yield connector, page
            if page.coverage is not None and page.coverage.complete:
                return


def settled(answers: Iterable[tuple[str, Coverage]], connectors: Sequence[Connector]) -> CoverageBook:
    """What is known of the addresses that no source is left to ask about: one read all of it, or each was asked."""
    by_address: dict[Address, list[tuple[str, Coverage]]] = {}
    for source, answer in answers:
        by_address.setdefault(answer.address, []).append((source, answer))
    book = CoverageBook()
    for address, told in by_address.items():
        able = {connector.name for connector in connectors if address.chain in connector.chains}
        if any(answer.complete for _, answer in told) or able <= {source for source, _ in told}:
            for _, answer in told:
                book.add(answer)
    return book


def _failed(connector: Connector, address: Address, reason: str) -> Page:
    failed = Coverage(address, State.FAILED, frozenset(), connector.name, reason=reason)
    return Page((), "", None, failed, (Problem(reason, f"{connector.name}, {address}"),))


def _ended(connector: Connector, address: Address, page: Page | None) -> Page:
    """A source that ends without saying what it covered has not answered."""
    failed = _failed(connector, address, "the source ended without saying what it had read")
    if page is None:
        return failed
    return replace(page, coverage=failed.coverage, problems=page.problems + failed.problems)
