"""Asking a source about one address: page by page, each kept before the next is asked for, from where it was left."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import count

from cases.case_file import Case
from cases.reading_on import asserted, first_unread, known_of, overtaken, reorganised, verified
from connectors.protocol import Connector, Evidence, Page, Problem, ReadsOn
from tracer.coverage import Coverage, CoverageBook, State
from tracer.errors import BadRow, Contradiction, SourceError, SourceSkipped, SourceUnusable
from tracer.values import Address

MANY = "more pages than were asked for"  # how the coverage says so, and how reading on knows where it was left


def ask(
    case: Case, connector: Connector, address: Address, now: Callable[[], int], begin: str = "", most: int = 0
) -> Iterator[Page]:
    """Each page that the source gives about `address` and the case does not hold yet, after it was kept.

    One page is one request. A source that skips the address gives one page of it: coverage `FAILED`, with its reason.
    `begin` is the cursor to begin with where no reading was interrupted. After `most` pages, if it is not 0, the
    history counts as cut: a wallet with so many is likely a service, and would use up what all others need. Raises
    `SourceUnusable`, `Contradiction` or `CaseError`; what was given before is kept.
    """
    after = case.cursor(connector.name, address) or begin
    pages = connector.history(address, after)
    for number in count(1):
        try:
            page = next(pages, None)
        except SourceSkipped as skipped:
            page = _failed(connector, address, skipped)
        except BadRow as unread:  # an answer that is none of its kind, and no row of it that could be named
            page = _failed(connector, address, SourceSkipped(f"{connector.name}: {unread}", source=connector.name))
        if page is None or (page.coverage is None and not page.cursor):
            page = _ended(connector, address, page)
        if page.coverage is not None:
            if page.coverage.address != address:
                raise SourceUnusable(
                    f"asked about {address}, {connector.name} answered about {page.coverage.address}",
                    "report it to whoever keeps that source; nothing of the answer was kept",
                    source=connector.name,
                    address=address.text,
                )
            page = asserted(case, connector, address, page)
        page, stale = _kept(case, connector, address, page, now, after)
        whole = page.coverage is None or page.coverage.state in (State.READ, State.EMPTY)
        if not whole and isinstance(connector, ReadsOn):
            with suppress(SourceError):  # then it is verified before it is read on
                verified(case, connector, connector.name, address, now)
        yield page
        for other in stale:
            yield from read_on(case, connector, other, now)
        if page.coverage is not None:
            return
        after = page.cursor
        if number == most:
            reason = f"its history has {MANY}: {most:,}; `fundtrail fetch` reads on"
            cut = Coverage(address, State.CUT, frozenset(), connector.name, reason=reason)
            case.store_page(connector.name, address, Page((), "", None, cut), at=now(), after=after)
            return


def _kept(
    case: Case, connector: Connector, address: Address, page: Page, now: Callable[[], int], after: str
) -> tuple[Page, list[Address]]:
    """Keep the page. If it contradicts what was read before because the chain has reorganised since, mend that.

    The page as it is kept, and whom to read anew. If it is this very reading that began on a chain that is no more,
    the page says so and nothing else.
    """
    try:
        case.store_page(connector.name, address, page, at=now(), after=after)
    except Contradiction as error:
        begun = bool(case.cursor(connector.name, address))
        stale = reorganised(case, connector, now)
        if not stale:
            if isinstance(connector, ReadsOn):
                also = "if the chain has reorganised, read on with --update and all sources of the case"
                error.hint = f"{error.hint}; {also}" if error.hint else also
            raise
        if address in stale:
            page = overtaken(connector.name, address, None if begun else page.evidence)
        if address not in stale or not begun:
            case.store_page(connector.name, address, page, at=now(), after=after)
        return page, [other for other in stale if other != address]
    return page, []


def read_on(case: Case, connector: Connector, address: Address, now: Callable[[], int]) -> Iterator[Page]:
    """What the source has about `address` that the case has not: all of it, or what came since it was read last.

    A reading that was interrupted is finished first. Then the tail is verified: where the chain has reorganised, what
    was read after the last final block counts no longer and is read anew. A source that cannot read on is asked once.
    """
    stale: list[Address] = []
    if isinstance(connector, ReadsOn) and not verified(case, connector, connector.name, address, now):
        stale = reorganised(case, connector, now)  # whoever was paid in a block that is no more was told of it too
    if case.cursor(connector.name, address):
        yield from ask(case, connector, address, now)
    if not isinstance(connector, ReadsOn):
        if connector.name not in {source for source, _ in case.answers(address)}:
            yield from ask(case, connector, address, now)
        return
    left = case.left_at(connector.name, address)
    if left and MANY in known_of(case, connector.name, address).reason:
        yield from ask(case, connector, address, now, left)
    first = first_unread(case, connector.name, address)
    told = connector.name in {source for source, _ in case.answers(address)}
    begin = connector.cursor_from(address.chain, first) if told else ""
    yield from ask(case, connector, address, now, begin)
    for other in stale:
        yield from read_on(case, connector, other, now)


def ask_each(
    case: Case, connectors: Sequence[Connector], address: Address, now: Callable[[], int], most: int = 0
) -> Iterator[tuple[Connector, Page]]:
    """Ask one source after the other about `address` until one of them has read all of it, movements of every kind
    (`most`: see `ask`)."""
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
        for page in ask(case, connector, address, now, most=most):
            yield connector, page
            if page.coverage is not None and _tells_all(page.coverage):
                return


def settled(answers: Iterable[tuple[str, Coverage]], connectors: Sequence[Connector]) -> CoverageBook:
    """What is known of the addresses that no source is left to ask about: one read all of it, or each was asked."""
    by_address: dict[Address, list[tuple[str, Coverage]]] = {}
    for source, answer in answers:
        by_address.setdefault(answer.address, []).append((source, answer))
    book = CoverageBook()
    for address, told in by_address.items():
        able = {connector.name for connector in connectors if address.chain in connector.chains}
        if any(_tells_all(answer) for _, answer in told) or able <= {source for source, _ in told}:
            for _, answer in told:
                book.add(answer)
    return book


def _tells_all(answer: Coverage) -> bool:
    """Whether another source could add nothing: what this one cannot show, the next may."""
    return answer.complete and not answer.missing


def _failed(connector: Connector, address: Address, skipped: SourceSkipped) -> Page:
    reason = str(skipped)
    evidence = Evidence(skipped.body, connector.name, skipped.request) if skipped.body else None
    failed = Coverage(
        address, State.FAILED, frozenset(), connector.name, evidence.id if evidence else "", reason=reason
    )  # fmt: skip
    return Page((), "", evidence, failed, (Problem(reason, f"{connector.name}, {address}"),))


def _ended(connector: Connector, address: Address, page: Page | None) -> Page:
    """A source that ends without saying what it covered has not answered."""
    why = SourceSkipped("the source ended without saying what it had read", source=connector.name)
    failed = _failed(connector, address, why)
    if page is None:
        return failed
    return replace(page, coverage=failed.coverage, problems=page.problems + failed.problems)
