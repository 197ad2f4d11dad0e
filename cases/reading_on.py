"""What makes a live answer one to rely on: that it adds up to the balance, and that its last blocks still stand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from cases.case_file import Case
from connectors.protocol import Connector, Evidence, KnowsBalances, Page, Problem, ReadsOn
from connectors.window import Window
from tracer.balances import Balance, counted
from tracer.coverage import Coverage, CoverageBook, State
from tracer.errors import InputError, SourceSkipped
from tracer.values import Address, Asset

MOST_ASSETS = 25  # whose balances are asked for: anybody can send a wallet thousands of worthless tokens


def asserted(case: Case, connector: Connector, address: Address, page: Page) -> Page:
    """The last page of a history, with what the source says the address holds beside the sum of what was read.

    Only where it can tell that for the last block read. What does not add up is told, never corrected.
    """
    coverage = page.coverage
    if coverage is None or coverage.state not in (State.READ, State.EMPTY) or coverage.last is None:
        return page
    if not isinstance(connector, KnowsBalances):
        return page
    read = [*case.about(connector.name, address), *page.transfers]
    sums = {address.chain.coin: 0, **counted(address, read)}
    touched: dict[Asset, int] = {}
    for transfer in read:
        touched[transfer.asset] = touched.get(transfer.asset, 0) + 1
    ranked = sorted(sums, key=lambda asset: (bool(asset.contract), -touched.get(asset, 0), asset))
    problems = list(page.problems)
    try:
        stated, evidence = connector.balances(address, ranked[:MOST_ASSETS], coverage.last)
    except SourceSkipped as skipped:
        problems.append(Problem(f"its balance could not be asked for: {skipped}", f"{connector.name}, {address}"))
        return replace(page, problems=tuple(problems))
    if len(ranked) > MOST_ASSETS:
        told = f"the balances of {len(ranked) - MOST_ASSETS} of its {len(ranked)} assets were not compared"
        problems.append(Problem(told, f"{connector.name}, {address}"))
    balances = tuple(
        Balance(asset, coverage.last, stated[asset], sums[asset]) for asset in ranked if asset in stated
    )  # fmt: skip
    coverage = replace(coverage, balances=balances)
    return replace(page, coverage=coverage, also=(*page.also, *evidence), problems=tuple(problems))


def known_of(case: Case, source: str, address: Address) -> Coverage:
    """What one source's answers about `address` say together."""
    return CoverageBook(answer for asked, answer in case.answers(address) if asked == source).of(address)


def first_unread(case: Case, source: str, address: Address) -> int:
    """The block to read on from: after what `source`, its name, was read of and still counts; 0 where nothing does."""
    known = known_of(case, source, address)
    return known.last + 1 if known.complete and known.last is not None else 0


def verified(case: Case, connector: ReadsOn, source: str, address: Address, now: Callable[[], int]) -> bool:
    """Whether what `source`, its name, was read of about `address` is of the chain as it is now.

    Where it is not, the case is told that what came after the last final block counts no longer, and a reading that
    was not at its end will not be gone on with.
    """
    known = known_of(case, source, address)
    tails = [Window(0, known.last, known.tip, known.final, 0)] if known.last is not None else []
    for window in (*tails, *_unended(case, source, address)):
        if window.final is not None and window.last <= window.final:
            continue  # by the chain's own rule
        has = connector.block_hash(address.chain, window.last)
        if not window.tip or has != window.tip:
            _give_up(case, source, address, now)
            above = window.final if window.final is not None else -1
            case.replace_after(source, address, above, at=now(), was=window.tip, now=has)
            return False
    return True


def reorganised(case: Case, connector: Connector, now: Callable[[], int]) -> list[Address]:
    """The addresses of whose histories the last blocks no longer stand; the case is told of each."""
    if not isinstance(connector, ReadsOn):
        return []
    asked = dict.fromkeys(answer.address for source, answer in case.told() if source == connector.name)
    return [address for address in asked if not verified(case, connector, connector.name, address, now)]


def overtaken(source: str, address: Address, evidence: Evidence | None = None) -> Page:
    """The last page of a reading that cannot be gone on with: the chain that it began on is no more."""
    reason = "the chain was reorganised while it was read: read this address again"
    cited = evidence.id if evidence else ""
    coverage = Coverage(address, State.FAILED, frozenset(), source, cited, reason=reason)
    return Page((), "", evidence, coverage, (Problem(reason, f"{source}, {address}"),))


def _unended(case: Case, source: str, address: Address) -> list[Window]:
    """The blocks of the reading made last, if it has not come to a good end: its pages count all the same."""
    told = [answer for asked, answer in case.answers(address) if asked == source]
    whole = bool(told) and told[-1].state in (State.READ, State.EMPTY)
    if whole and not case.cursor(source, address):
        return []
    try:
        return [Window.of(case.left_at(source, address))[0]]
    except InputError:  # it had one page, which then holds nothing that is not final
        return []


def _give_up(case: Case, source: str, address: Address, now: Callable[[], int]) -> None:
    cursor = case.cursor(source, address)
    if cursor:
        case.store_page(source, address, overtaken(source, address), at=now(), after=cursor)


__all__ = ["MOST_ASSETS", "asserted", "first_unread", "known_of", "overtaken", "reorganised", "verified"]
