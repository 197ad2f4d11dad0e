"""The loop: it asks for whom the money leads to, largest first, once each, and says what it could not ask."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cases.case_file import Case
from cases.investigation import Progress, concluded, investigate, read
from connectors.contract import ConnectorContract
from connectors.protocol import Connector, Page
from graphs.follow import follow
from graphs.following import Following
from graphs.origins import originate
from graphs.stops import StopRules
from made_up import LATER, REQUESTS, Clock, MadeUp, answer
from notation import ETH, address, name_of, payment
from tracer.coverage import Coverage, State
from tracer.errors import Contradiction, SourceSkipped, SourceUnusable
from tracer.losses import Loss
from tracer.lots import Rule
from tracer.trace import StopCode
from tracer.values import Address, Chain

RULES = StopRules()


class TestMadeUp(ConnectorContract):
    """The source of these tests keeps the promises of every source."""

    @pytest.fixture
    def connector(self) -> Connector:
        return MadeUp()

    @pytest.fixture
    def address(self) -> Address:
        return address("thief")

    @pytest.fixture
    def unknown_address(self) -> Address:
        return address("nobody")


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    with Case.create(tmp_path / "case", at=LATER) as case:
        case.add_loss(Loss("all", ETH, wallet=address("thief")), at=LATER)
        yield case


def run(case: Case, *sources: Connector, most: int = 10_000) -> Following:
    return investigate(case, sources, rules=RULES, max_requests=most, now=Clock())


def stop_at(found: Following, who: str) -> StopCode:
    return found.stops[address(who)].code


def who_was_asked(source: MadeUp) -> list[str]:
    """Each once, in the order of the first request."""
    return list(dict.fromkeys(who for who, _ in source.asked))


def test_it_reads_whoever_the_money_leads_to_and_nobody_else(case: Case) -> None:
    source = MadeUp()
    found = run(case, source)
    assert set(who_was_asked(source)) == {"thief", "mule", "aunt", "crumb", "till", "cave", "bank"}
    assert not found.expand
    for trace in found.traces().values():
        books = trace.books
        assert books.lost == books.ends + books.held + books.fees + books.not_followed
    assert case.requests() == len(source.asked)
    assert case.verify() == []


def test_the_answer_is_what_the_case_says_when_it_is_opened_again(case: Case) -> None:
    told = answer(case, run(case, MadeUp()))
    case.close()
    with Case.open(case.path) as again:
        assert answer(again, concluded(again, follow, rules=RULES)) == told


def test_a_second_run_asks_nothing_and_answers_the_same(case: Case) -> None:
    first, second = MadeUp(), MadeUp()
    told = answer(case, run(case, first))
    head = case.head
    assert answer(case, run(case, second)) == told
    assert second.asked == []
    assert case.head == head


def test_an_empty_case_asks_nothing(tmp_path: Path) -> None:
    source = MadeUp()
    with Case.create(tmp_path / "empty", at=1) as case:
        assert not run(case, source).traces()[Rule.FIFO].ends
    assert source.asked == []


def test_progress_is_told_after_each_page_that_was_kept(case: Case) -> None:
    source, told = MadeUp(), list[tuple[int, int, int, str]]()

    def progress(now: Progress) -> None:
        told.append((now.requests, case.requests(), now.transfers, name_of(now.address)))

    investigate(case, [source], rules=RULES, max_requests=500, now=Clock(), progress=progress)
    assert [requests for requests, _, _, _ in told] == list(range(1, len(source.asked) + 1))
    assert all(requests == kept for requests, kept, _, _ in told)
    assert [who for _, _, _, who in told] == [who for who, _ in source.asked]


def test_with_little_budget_the_largest_amounts_go_first(case: Case) -> None:
    source = MadeUp(rows=99)
    found = run(case, source, most=4)
    assert who_was_asked(source) == ["thief", "mule", "aunt", "till"]
    assert stop_at(found, "crumb") is StopCode.BUDGET
    assert stop_at(found, "bank") is StopCode.BUDGET


def test_with_plenty_of_budget_all_that_are_wanted_are_asked_before_following_again(case: Case) -> None:
    source, wanted = MadeUp(rows=99), list[int]()
    told = wanted.append
    investigate(case, [source], rules=RULES, max_requests=500, now=Clock(), progress=lambda now: told(now.wanted))
    assert who_was_asked(source)[:5] == ["thief", "mule", "aunt", "crumb", "till"]
    assert wanted[:4] == [1, 3, 3, 3]


def test_without_a_budget_nobody_is_asked_and_the_rest_ends_as_budget(tmp_path: Path) -> None:
    source = MadeUp()
    with Case.create(tmp_path / "c", at=1) as case:
        case.store_page(source.name, address("victim"), next(MadeUp(rows=99).history(address("victim"))), at=2)
        case.add_loss(Loss("paid", ETH, paid=payment(1)), at=3)
        found = run(case, source, most=0)
    assert source.asked == []
    assert stop_at(found, "thief") is StopCode.BUDGET


@pytest.mark.parametrize("most", range(1, 25))
def test_a_run_never_asks_more_than_it_may_and_the_next_goes_on(case: Case, most: int) -> None:
    source = MadeUp()
    run(case, source, most=most)
    assert len(source.asked) == case.requests() == min(most, REQUESTS)
    found = run(case, source)
    assert len(set(source.asked)) == len(source.asked) == case.requests() == REQUESTS
    assert not [stop for stop in found.stops.values() if stop.code is StopCode.BUDGET]


def test_a_history_read_in_part_says_so_in_the_answer(case: Case) -> None:
    found = run(case, MadeUp(), most=6)
    mule = found.ledger.coverage.of(address("mule"))
    assert (mule.state, mule.rows) == (State.CUT, 2)
    assert stop_at(found, "mule") is StopCode.NOT_READ
    assert "reading stopped after page 1" in found.stops[address("mule")].why


def test_a_chain_that_no_source_answers_for_is_not_recorded_and_costs_no_request(case: Case) -> None:
    elsewhere = MadeUp(chains=[Chain.named("tron")], name="made-up:tron")
    found = run(case, elsewhere)
    known = found.ledger.coverage.of(address("thief"))
    assert (known.state, known.reason) == (State.NOT_RECORDED, "made-up:tron cannot answer for ethereum")
    assert (elsewhere.asked, case.requests(), case.sources()) == ([], 0, ())
    source = MadeUp()
    assert run(case, source).ledger.coverage.of(address("thief")).state is State.READ
    assert case.verify() == []


def test_each_source_is_asked_in_turn_until_one_has_read_all_of_it(case: Case) -> None:
    first = MadeUp(name="made-up:first", states={"mule": State.NOT_RECORDED, "aunt": State.CUT})
    second = MadeUp(name="made-up:second")
    found = run(case, first, second)
    assert set(who_was_asked(second)) == {"mule", "aunt"}
    assert found.ledger.coverage.of(address("mule")).source == "made-up:second"
    told = {name_of(known.address): known.complete for known in case.coverage()}
    assert all(told.values())


def test_a_source_added_later_is_asked_only_about_what_is_missing(case: Case) -> None:
    first = MadeUp(name="made-up:first", states={"mule": State.NOT_RECORDED})
    found = run(case, first)
    assert stop_at(found, "mule") is StopCode.NOT_READ
    second = MadeUp(name="made-up:second")
    found = run(case, first, second)
    assert who_was_asked(second) == ["mule"]
    assert len(set(first.asked)) == len(first.asked)
    alone = MadeUp(name="made-up:first")
    with Case.create(case.path.with_name("alone"), at=LATER) as other:
        other.add_loss(case.losses()[0], at=LATER)
        other_books = [trace.books for trace in run(other, alone).traces().values()]
    assert [trace.books for trace in found.traces().values()] == other_books


class Failing(MadeUp):
    """Raises for one wallet: at once, or after its first page."""

    error: type[SourceSkipped | SourceUnusable] = SourceSkipped
    after = 0

    def history(self, address: Address, after: str = "") -> Iterator[Page]:
        for number, page in enumerate(super().history(address, after)):
            if name_of(address) == "mule" and number == self.after:
                raise self.error("HTTP 500", "later", source=self.name, address=address.text)
            yield page


@pytest.mark.parametrize("after", [0, 1])
def test_an_address_that_a_source_skips_is_failed_with_the_reason_and_the_run_goes_on(case: Case, after: int) -> None:
    source = Failing()
    source.after = after
    found = run(case, source)
    known = found.ledger.coverage.of(address("mule"))
    assert (known.state, known.reason) == (State.FAILED, "HTTP 500")
    assert stop_at(found, "mule") is StopCode.NOT_READ
    assert any(problem.text == "HTTP 500" and str(address("mule")) in problem.where for problem in case.problems())
    assert "crumb" in who_was_asked(source)
    assert case.requests() == len(source.asked)
    asked = list(source.asked)
    run(case, source)
    assert source.asked == asked


@pytest.mark.parametrize("after", [0, 1])
def test_a_source_that_cannot_be_used_stops_the_run_and_what_was_read_is_safe(case: Case, after: int) -> None:
    broken = Failing()
    broken.error, broken.after = SourceUnusable, after
    with pytest.raises(SourceUnusable):
        run(case, broken)
    assert case.log()[-1].kind == "note"
    assert "HTTP 500" in case.log()[-1].body["text"]
    assert case.verify() == []
    kept = case.requests()
    source = MadeUp()
    run(case, source)
    assert len(source.asked) + kept == REQUESTS


class Endless(MadeUp):
    """Its histories end before they are over, as a connector with a defect might."""

    def history(self, address: Address, after: str = "") -> Iterator[Page]:
        for page in super().history(address, after):
            if page.cursor:
                yield page


class Silent(MadeUp):
    """Its last pages do not say what they cover."""

    def history(self, address: Address, after: str = "") -> Iterator[Page]:
        for page in super().history(address, after):
            yield Page(page.transfers, page.cursor, page.evidence, None)


@pytest.mark.parametrize("source", [Endless(), Silent(), Endless(rows=99)])
def test_a_source_that_does_not_say_what_it_read_has_failed(case: Case, source: MadeUp) -> None:
    found = run(case, source)
    known = found.ledger.coverage.of(address("thief"))
    assert known.state is State.FAILED
    assert "without saying" in known.reason
    assert case.verify() == []


class Confused(MadeUp):
    """Answers about somebody else."""

    def _coverage(self, address_: Address, *rest: object) -> Coverage:
        return Coverage(address("friend"), State.EMPTY, frozenset(), self.name)


def test_an_answer_about_somebody_else_is_not_kept(case: Case) -> None:
    with pytest.raises(SourceUnusable, match="answered about"):
        run(case, Confused(rows=99))
    assert case.requests() == 0


def test_sources_that_contradict_each_other_stop_the_run_and_the_case_stays_good(case: Case) -> None:
    honest = MadeUp("1 victim -> thief 10\n2 thief -> mule 9", name="made-up:honest", states={"mule": State.CUT})
    liar = MadeUp("1 victim -> thief 10\n2 thief -> mule 8", name="made-up:liar")
    with pytest.raises(Contradiction) as raised:
        run(case, honest, liar)
    assert len({cited.partition("#")[0] for cited in raised.value.evidence}) == 2
    assert case.verify() == []
    assert case.sources() == ("made-up:honest",)
    assert run(case, honest).ledger.coverage.of(address("mule")).state is State.CUT


def test_the_way_back_is_read_by_the_same_loop(case: Case) -> None:
    source = MadeUp(rows=99)
    loss = Loss("back", ETH, wallet=address("bank"))
    with Case.create(case.path.with_name("back"), at=LATER) as back:
        back.add_loss(loss, at=LATER)
        read(back, [source], originate, rules=RULES, max_requests=99, now=Clock())
        found = concluded(back, originate, rules=RULES)
    assert {"bank", "till", "cave"} <= set(who_was_asked(source))
    assert found.traces()


class Partial(MadeUp):
    """Tells of the mule's history only what came before block 5, and does not say that there is more."""

    def _pages(self, who: Address) -> list[Page]:
        whole = self._transfers
        if name_of(who) == "mule":
            self._transfers = [transfer for transfer in whole if transfer.block.number < 5]
        try:
            return super()._pages(who)
        finally:
            self._transfers = whole


def test_what_was_followed_on_less_data_is_no_shortcut_to_the_answer(case: Case) -> None:
    """The mule looks like a wallet until the others' histories show how many it deals with."""
    drawing = """
        1 victim -> thief 1000
        2 thief  -> mule 600
        3 mule   -> aunt 500
        4 aunt   -> son1 100
        4 aunt   -> son2 100
        4 aunt   -> son3 100
        5 son1   -> mule 50
        5 son2   -> mule 50
        5 son3   -> mule 50
        6 mule   -> bank 100
    """
    source = Partial(drawing, rows=99, states={"mule": State.UNSTATED})
    rules = StopRules(service_counterparties=5)
    found = investigate(case, [source], rules=rules, max_requests=999, now=Clock())
    assert "son3" in who_was_asked(source)
    assert stop_at(found, "mule") is StopCode.SUSPECTED_SERVICE
    assert answer(case, found) == answer(case, concluded(case, follow, rules=rules))
