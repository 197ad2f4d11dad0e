"""Reading on: what is new is added, what a reorganisation replaced counts no longer, and what is missing shows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from itertools import count, islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases import tracing
from cases.asking import ask, ask_each, read_on
from cases.case_file import Case
from cases.fetching import fetch
from cases.reading_on import known_of
from cases.updating import update
from connectors.contract import ConnectorContract
from connectors.protocol import Connector, Page
from made_up import LATER, Clock
from made_up_chain import MadeUpChain, MadeUpLive
from notation import ETH, address
from tracer.balances import counted
from tracer.coverage import State
from tracer.errors import BadRow, CaseConflict, SourceSkipped
from tracer.values import Address, Chain

THIEF, MULE, SHOP, FRIEND = map(address, ("thief", "mule", "shop", "friend"))


def chain_of_six() -> MadeUpChain:
    chain = MadeUpChain()
    for block in ([(FRIEND, THIEF, 9)], [], [(THIEF, MULE, 4)], [], [(MULE, SHOP, 3)], [(THIEF, SHOP, 1)]):
        chain.mine(*block)
    return chain


class TestMadeUpLive(ConnectorContract):
    """The live source of these tests keeps the promises of every source, those of live ones included."""

    @pytest.fixture
    def connector(self) -> Connector:
        return MadeUpLive(chain_of_six())

    @pytest.fixture
    def address(self) -> Address:
        return THIEF

    @pytest.fixture
    def unknown_address(self) -> Address:
        return address("nobody")


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    with Case.create(tmp_path / "case", at=LATER) as case:
        yield case


def ids_and_blocks(case: Case, source: MadeUpLive, who: Address) -> set[tuple[str, int, str]]:
    return {(one.id.tx, one.block.number, one.block.hash) for one in case.about(source.name, who)}


def truth(chain: MadeUpChain, who: Address) -> set[tuple[str, int, str]]:
    return {
        (one.id.tx, one.block.number, one.block.hash)
        for one in chain.transfers()
        if who in {leg.address for leg in one.inputs + one.outputs}
    }


def test_a_history_that_adds_up_says_so_for_the_block_it_ends_with(case: Case) -> None:
    chain = chain_of_six()
    *_, last = ask(case, MadeUpLive(chain), THIEF, Clock())
    assert last.coverage is not None
    (balance,) = last.coverage.balances
    assert (balance.asset, balance.block, balance.stated, balance.counted) == (ETH, 5, 4, 4)
    assert last.coverage.unexplained == ()
    assert case.coverage().of(THIEF) == last.coverage
    assert case.verify() == []


def test_a_lost_row_shows_as_what_the_balance_leaves_unexplained(case: Case) -> None:
    chain = chain_of_six()
    *_, last = ask(case, MadeUpLive(chain, lose=[2]), THIEF, Clock())
    assert last.coverage is not None
    assert [(one.stated, one.counted, one.residue) for one in last.coverage.unexplained] == [(4, 8, -4)]
    assert case.coverage().of(THIEF).unexplained == last.coverage.unexplained


def test_reading_on_adds_what_is_new_and_asks_for_nothing_else(case: Case) -> None:
    chain = chain_of_six()
    source = MadeUpLive(chain)
    list(ask(case, source, THIEF, Clock()))
    asked = source.asked
    chain.mine((MULE, THIEF, 2))
    pages = list(read_on(case, source, THIEF, Clock()))
    assert [one.block.number for page in pages for one in page.transfers] == [6]
    assert source.asked == asked + 1
    coverage = known_of(case, source.name, THIEF)
    assert (coverage.complete, coverage.first, coverage.last) == (True, 0, 6)
    assert coverage.balances[0].residue == 0


class Overlapping(MadeUpLive):
    """Reads on one block earlier than asked, as sources do that page by blocks."""

    def cursor_from(self, chain: Chain, first: int) -> str:
        return super().cursor_from(chain, max(first - 1, 0))


def test_a_row_that_is_told_again_where_reading_on_overlaps_is_no_new_one(case: Case) -> None:
    chain = chain_of_six()
    source = Overlapping(chain)
    first = fetch(case, [source], THIEF, max_requests=9, now=Clock())
    again = fetch(case, [source], THIEF, max_requests=9, now=Clock())
    assert [(one["new"], one["rows"]) for told in (first, again) for one in told["sources"]] == [(3, 3), (0, 3)]


def test_what_a_reorganisation_replaced_counts_no_longer_but_stays_in_the_file(case: Case) -> None:
    chain = chain_of_six()
    source = MadeUpLive(chain)
    list(ask(case, source, THIEF, Clock()))
    before = truth(chain, THIEF)
    chain.reorganise(5, [(THIEF, MULE, 2)], [(THIEF, SHOP, 1)])
    list(read_on(case, source, THIEF, Clock()))
    assert ids_and_blocks(case, source, THIEF) == truth(chain, THIEF) != before
    assert known_of(case, source.name, THIEF).balances[0].residue == 0
    assert [entry.kind for entry in case.log()].count("reorg") == 1
    with sqlite3.connect(case.path) as db:
        ((kept,),) = db.execute("SELECT count(*) FROM transfers")
    assert kept > len(truth(chain, THIEF))
    db.close()
    assert case.verify() == []


def test_a_reorganisation_noticed_by_a_contradiction_is_mended_for_all_it_touched(case: Case) -> None:
    chain = chain_of_six()
    source = MadeUpLive(chain)
    list(ask(case, source, THIEF, Clock()))
    # The thief's payment to the shop is mined again, a block later: the shop's history says otherwise than the thief's.
    chain.reorganise(5, [], [(THIEF, SHOP, 1)])
    list(ask(case, source, SHOP, Clock()))
    for who in (THIEF, SHOP):
        assert ids_and_blocks(case, source, who) == truth(chain, who)
        assert known_of(case, source.name, who).complete
    held = counted(THIEF, case.ledger().transfers)
    assert held[ETH] == 4
    assert case.verify() == []


def test_an_interrupted_reading_on_is_finished_before_a_new_one_begins(case: Case) -> None:
    chain = chain_of_six()
    source = MadeUpLive(chain)
    list(ask(case, source, THIEF, Clock()))
    chain.mine((MULE, THIEF, 2))
    chain.mine((MULE, THIEF, 7))
    next(iter(read_on(case, source, THIEF, Clock())))
    chain.mine((MULE, THIEF, 8))
    list(read_on(case, source, THIEF, Clock()))
    assert ids_and_blocks(case, source, THIEF) == truth(chain, THIEF)
    assert known_of(case, source.name, THIEF).last == 8


def test_a_case_with_a_reorganisation_says_so_when_its_row_is_changed(case: Case) -> None:
    chain = chain_of_six()
    source = MadeUpLive(chain)
    list(ask(case, source, THIEF, Clock()))
    chain.reorganise(5, [], [])
    list(read_on(case, source, THIEF, Clock()))
    case.close()
    with sqlite3.connect(case.path) as db:
        db.execute("DROP TRIGGER replaced_keeps_update")
        db.execute("UPDATE replaced SET above = 99")
        trigger = "CREATE TRIGGER replaced_keeps_update BEFORE UPDATE ON replaced "
        db.execute(trigger + "BEGIN SELECT RAISE(ABORT, 'nothing in a case is changed or removed'); END")
    db.close()
    with Case.open(case.path) as again:
        assert any("reorg" in problem.where for problem in again.verify())


def test_a_history_of_more_pages_than_asked_for_is_cut_and_read_on_from_there(case: Case) -> None:
    chain = chain_of_six()
    source = MadeUpLive(chain)
    list(ask_each(case, [source], THIEF, Clock(), most=2))
    known = known_of(case, source.name, THIEF)
    assert (known.state, known.last, source.asked) == (State.CUT, None, 2)
    assert "more pages than were asked for: 2" in known.reason
    assert list(ask_each(case, [source], THIEF, Clock(), most=2)) == []
    list(read_on(case, source, THIEF, Clock()))
    assert ids_and_blocks(case, source, THIEF) == truth(chain, THIEF)
    assert known_of(case, source.name, THIEF).complete
    assert source.asked == 4  # one page was left, and one looks whether anything is new
    assert case.verify() == []


def test_an_answer_that_cannot_be_read_costs_one_address_and_not_the_run(case: Case) -> None:
    class Garbled(MadeUpLive):
        def history(self, address: Address, after: str = "") -> Iterator[Page]:
            raise BadRow("value is missing")
            yield from super().history(address, after)

    (page,) = ask(case, Garbled(chain_of_six()), THIEF, Clock())
    assert page.coverage is not None
    assert (page.coverage.state, page.coverage.reason) == (State.FAILED, "made-up:live: value is missing")


class OtherNames(MadeUpLive):
    """The same chain, told by a source that has no places in transactions and makes names up."""

    def history(self, address: Address, after: str = "") -> Iterator[Page]:
        for page in super().history(address, after):
            named = [replace(one, id=replace(one.id, position="log:281474976710657_0")) for one in page.transfers]
            yield replace(page, transfers=tuple(named))


def test_a_source_that_names_a_payment_otherwise_is_refused_since_it_would_count_twice(case: Case) -> None:
    chain = chain_of_six()
    list(ask(case, MadeUpLive(chain), THIEF, Clock()))
    for who in (THIEF, MULE):  # the same history, and one that shares a payment with it
        with pytest.raises(CaseConflict, match="would count twice"):
            list(ask(case, OtherNames(chain, name="made-up:list"), who, Clock()))
    list(ask(case, MadeUpLive(chain, name="made-up:agrees"), MULE, Clock()))
    assert counted(THIEF, case.ledger().transfers)[ETH] == 4


def chain_with_late_payments() -> MadeUpChain:
    chain = MadeUpChain()
    late: list[list[tuple[Address, Address, int]]] = [[(THIEF, SHOP, 3)], [(THIEF, SHOP, 1)]]
    for block in ([(FRIEND, THIEF, 9)], [], [(THIEF, MULE, 4)], [], *late):
        chain.mine(*block)
    return chain


@pytest.mark.parametrize("killed", [True, False])
@pytest.mark.parametrize("again", [[], [(THIEF, SHOP, 3)]])
def test_the_pages_of_a_reading_that_a_reorganisation_broke_count_no_longer(
    case: Case, killed: bool, again: list[tuple[Address, Address, int]]
) -> None:
    chain = chain_with_late_payments()
    source = MadeUpLive(chain)
    pages = ask(case, source, THIEF, Clock())
    assert [[one.block.number for one in next(pages).transfers] for _ in range(3)] == [[0], [2], [4]]
    chain.reorganise(4, [], again, [])  # what was paid in block 4 is never paid, or a block later
    if not killed:
        list(pages)
    list(read_on(case, source, THIEF, Clock()))
    assert ids_and_blocks(case, source, THIEF) == truth(chain, THIEF)
    assert known_of(case, source.name, THIEF).complete
    assert case.verify() == []


def test_the_pages_read_on_that_a_reorganisation_broke_count_no_longer_either(case: Case) -> None:
    chain = chain_of_six()
    source = MadeUpLive(chain)
    list(ask(case, source, THIEF, Clock()))
    for units in (20, 21, 22):
        chain.mine((MULE, THIEF, units))
    pages = read_on(case, source, THIEF, Clock())
    assert [[one.block.number for one in next(pages).transfers] for _ in range(2)] == [[6], [7]]
    chain.reorganise(7, [], [], [])
    list(pages)
    list(read_on(case, source, THIEF, Clock()))
    assert ids_and_blocks(case, source, THIEF) == truth(chain, THIEF)


def test_money_that_a_reorganisation_sent_elsewhere_is_not_with_whom_it_was_sent_to_first(case: Case) -> None:
    chain = chain_of_six()
    source = MadeUpLive(chain)
    for who in (THIEF, SHOP):
        list(ask(case, source, who, Clock()))
    chain.reorganise(5, [(THIEF, MULE, 1)])
    list(read_on(case, source, THIEF, Clock()))
    told = {(one.id.tx, one.block.number, one.block.hash) for one in case.ledger().transfers}
    assert told == truth(chain, THIEF) | truth(chain, SHOP)


def test_a_transfer_that_a_reorganisation_replaced_is_not_held(case: Case) -> None:
    chain = chain_of_six()
    source = MadeUpLive(chain)
    list(ask(case, source, THIEF, Clock()))
    gone = chain.transfers()[-1].id
    assert case.holds(gone)
    chain.reorganise(5, [], [])
    list(read_on(case, source, THIEF, Clock()))
    assert not case.holds(gone)
    assert case.transaction(gone.chain, gone.tx) == ()


def test_two_sources_of_one_history_are_both_mended_before_they_are_compared(case: Case) -> None:
    chain = chain_of_six()
    sources = [MadeUpLive(chain, name="made-up:one"), MadeUpLive(chain, name="made-up:two")]
    for who in (THIEF, SHOP):
        fetch(case, sources, who, max_requests=100, now=Clock())
    chain.reorganise(5, [], [(THIEF, SHOP, 1)])
    told = fetch(case, sources, THIEF, max_requests=100, now=Clock())
    assert told["complete"]
    for source in sources:
        for who in (THIEF, SHOP):
            assert ids_and_blocks(case, source, who) == truth(chain, who)
    chain.reorganise(5, [], [], [(THIEF, SHOP, 1)])
    update(case, sources, now=Clock())
    assert {(one.id.tx, one.block.number) for one in case.ledger().transfers} == {
        (one.id.tx, one.block.number) for one in chain.transfers()
    }


def test_a_fetch_that_did_not_come_to_the_newest_block_is_not_complete_because_an_earlier_one_was(case: Case) -> None:
    chain = chain_of_six()
    source = MadeUpLive(chain)
    assert fetch(case, [source], THIEF, max_requests=9, now=Clock())["complete"]
    for units in (20, 21, 22):
        chain.mine((MULE, THIEF, units))
    cut = fetch(case, [source], THIEF, max_requests=1, now=Clock())
    assert (cut["complete"], cut["sources"][0]["last"]) == (False, 5)
    assert "run it again" in cut["sources"][0]["reason"]
    assert fetch(case, [source], THIEF, max_requests=9, now=Clock())["complete"]
    chain.mine((MULE, THIEF, 23))
    failed = fetch(case, [Unwilling(chain)], THIEF, max_requests=9, now=Clock())
    assert not failed["complete"]
    assert "HTTP status 500" in failed["sources"][0]["reason"]


def test_a_source_that_fails_at_once_is_told_beside_the_one_that_did_not(case: Case) -> None:
    chain = chain_of_six()

    class Down(MadeUpLive):
        def cursor_from(self, chain: Chain, first: int) -> str:
            raise SourceSkipped("HTTP status 500", source=self.name)

        def block_hash(self, chain: Chain, number: int) -> str:
            raise SourceSkipped("HTTP status 500", source=self.name)

    told = fetch(case, [MadeUpLive(chain), Down(chain, name="made-up:down")], THIEF, max_requests=9, now=Clock())
    assert [(one["state"], one["complete"]) for one in told["sources"]] == [("read", True), ("failed", False)]


class Unwilling(MadeUpLive):
    """Tells its newest block and no history."""

    def history(self, address: Address, after: str = "") -> Iterator[Page]:
        raise SourceSkipped("HTTP status 500", source=self.name)
        yield from super().history(address, after)


@pytest.mark.parametrize(("budget", "most", "pages"), [(7, 25, 7), (100, 5, 5), (100, 0, 30)])
def test_leads_to_a_hub_keep_to_the_budget_and_to_the_most_pages_of_one(
    case: Case, monkeypatch: pytest.MonkeyPatch, budget: int, most: int, pages: int
) -> None:
    chain = MadeUpChain()
    for units in range(1, 31):
        chain.mine((THIEF, SHOP, units))
    source, lead = MadeUpLive(chain), SimpleNamespace(address=SHOP, labelled=False)
    monkeypatch.setattr(tracing, "_leads", lambda *_: (lead,))
    monkeypatch.setattr(tracing, "_conclude", lambda *_: SimpleNamespace(ledger=case.ledger()))
    asked = tracing.Question("", max_pages=most)
    begun: Any = SimpleNamespace(ledger=case.ledger())
    tracing._read_leads(case, begun, asked, None, [source], budget, Clock())
    assert source.asked == pages


PARTIES = st.sampled_from([THIEF, MULE, SHOP])
BLOCK = st.lists(st.tuples(PARTIES, PARTIES, st.integers(1, 2**70)), max_size=2)
GROWTH = st.tuples(st.just(0), st.lists(BLOCK, min_size=1, max_size=3))
FORK = st.tuples(st.integers(1, 3), st.lists(BLOCK, min_size=3, max_size=5))  # no deeper than what is not final
READ = PARTIES
BEGUN = st.tuples(PARTIES, st.integers(1, 3))  # a reading that is killed after so many pages


@pytest.mark.slow
@given(steps=st.lists(st.one_of(GROWTH, FORK, READ, BEGUN), max_size=25))
def test_after_any_growth_and_forks_the_case_equals_a_fresh_reading(
    tmp_path_factory: pytest.TempPathFactory,
    steps: list[Address | tuple[Address, int] | tuple[int, list[list[tuple[Address, Address, int]]]]],
) -> None:
    chain, salt = MadeUpChain(depth=3), count()
    chain.mine(*((FRIEND, who, 10**70) for who in (THIEF, MULE, SHOP)))
    source = MadeUpLive(chain)
    with Case.create(tmp_path_factory.mktemp("case") / "case", at=LATER) as case:
        for step in steps:
            if isinstance(step, Address):
                list(read_on(case, source, step, Clock()))
                continue
            depth, drawn = step
            if isinstance(depth, Address):
                assert isinstance(drawn, int)
                list(islice(read_on(case, source, depth, Clock()), drawn))
                continue
            assert isinstance(drawn, list)
            # Each transaction once: the chain names them by payer, payee and units.
            blocks = [[(one, other, units * 10**6 + next(salt)) for one, other, units in block] for block in drawn]
            if depth:
                chain.reorganise(max(len(chain.blocks) - depth, 1), *blocks)
            else:
                for block in blocks:
                    chain.mine(*block)
        for who in (THIEF, MULE, SHOP, THIEF, MULE, SHOP):
            list(read_on(case, source, who, Clock()))
        for who in (THIEF, MULE, SHOP):
            assert ids_and_blocks(case, source, who) == truth(chain, who)
            assert known_of(case, source.name, who).last == len(chain.blocks) - 1
            assert known_of(case, source.name, who).state in (State.READ, State.EMPTY)
        assert case.verify() == []
