"""What makes a live answer one to rely on: that it adds up to the balance, and that its last blocks still stand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from cases.case_file import Case
from connectors.protocol import Connector, KnowsBalances, Page, Problem, ReadsOn
from tracer.balances import Balance, counted
from tracer.coverage import Coverage, CoverageBook, State
from tracer.errors import SourceSkipped
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


def first_unread(case: Case, source: str, connector: ReadsOn, address: Address, now: Callable[[], int]) -> int:
    """The block to read on from: after what `source`, its name, was read of and still stands; 0 where nothing was.

    Where the last block read is no longer on the chain, the case is told so first.
    """
    known = known_of(case, source, address)
    if not known.complete or known.last is None:
        return 0
    if _stands(connector, known):
        return known.last + 1
    return _replaced(case, source, connector, known, now) + 1


def reorganised(case: Case, connector: Connector, now: Callable[[], int]) -> list[Address]:
    """The addresses of whose histories the last blocks no longer stand; the case is told of each."""
    if not isinstance(connector, ReadsOn):
        return []
    stale = []
    for address in dict.fromkeys(answer.address for asked, answer in case.answers() if asked == connector.name):
        known = known_of(case, connector.name, address)
        if known.last is not None and not _stands(connector, known):
            _replaced(case, connector.name, connector, known, now)
            stale.append(address)
    return stale


def _stands(connector: ReadsOn, known: Coverage) -> bool:
    """Whether the last block read is still the same: the final ones are by the chain's own rule."""
    if known.last is None or (known.final is not None and known.last <= known.final):
        return True
    return bool(known.tip) and connector.block_hash(known.address.chain, known.last) == known.tip


def _replaced(case: Case, source: str, connector: ReadsOn, known: Coverage, now: Callable[[], int]) -> int:
    """Tell the case that what came after the last final block counts no longer; that block's number, -1 for none."""
    above = known.final if known.final is not None else -1
    has = connector.block_hash(known.address.chain, known.last) if known.last is not None else ""
    case.replace_after(source, known.address, above, at=now(), was=known.tip, now=has)
    return above


__all__ = ["MOST_ASSETS", "asserted", "first_unread", "known_of", "reorganised"]
