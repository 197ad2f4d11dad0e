"""Following: the next steps as data, and one answer whatever the order in which wallets were read."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drawing import Row, covered_rows, written
from graphs.follow import follow
from graphs.following import Expand, Following
from graphs.stops import StopRules
from notation import ETH, ETHEREUM, address, ledger, name_of, payment, transfers
from tracer.coverage import Coverage, CoverageBook, Kind, State
from tracer.labels import Label, LabelBook, Role
from tracer.ledger import Ledger
from tracer.losses import Loss
from tracer.lots import Between, Rule
from tracer.trace import StopCode, Trace
from tracer.values import Address, Transfer

LOSS = (Loss("loss", ETH, paid=payment(1)),)
NO_DUST = StopRules(dust_one_in=0, diluted_one_in=0)


def labels(**roles: Role) -> LabelBook:
    return LabelBook(
        Label(address(name), name.title(), name.title(), role, "test", date(2024, 1, 1), 50, "labels#1")
        for name, role in roles.items()
    )


def codes(found: Following) -> dict[str, StopCode]:
    return {name_of(place): stop.code for place, stop in found.stops.items() if isinstance(place, Address)}


def amounts(found: Following, rule: Rule = Rule.FIFO) -> dict[str, tuple[str, int]]:
    return {name_of(end.place.address): (end.stop.value, end.units) for end in found.traces()[rule].ends}


def read(text: str, names: str, **states: State) -> Ledger:
    """The drawing, of which only the wallets named were read."""
    everyone = {name_of(leg.address) for t in transfers(text) for leg in t.inputs + t.outputs if leg.address}
    stated = dict.fromkeys(everyone - set(names.split()), State.NOT_ASKED)
    return ledger(text, coverage={**stated, **states})


# The next steps


def test_what_nobody_asked_about_is_expanded_from_where_the_value_came() -> None:
    found = follow(read("5 victim -> mule 60", ""), LabelBook(), (Loss("loss", ETH, paid=payment(5)),))
    assert found.expand == (Expand(address("mule"), 5, 60),)


def test_the_largest_stolen_value_is_asked_for_first() -> None:
    drawn = read("1 victim -> w 60\n2 w -> a 10\n3 w -> b 30\n4 w -> c 20", "w")
    found = follow(drawn, LabelBook(), LOSS)
    assert [(name_of(step.address), step.units) for step in found.expand] == [("b", 30), ("c", 20), ("a", 10)]


def test_among_equals_the_order_is_by_address() -> None:
    drawn = read("1 victim -> w 60\n2 w -> a 20\n3 w -> b 20\n4 w -> c 20", "w")
    asked = [step.address for step in follow(drawn, LabelBook(), LOSS).expand]
    assert asked == sorted(asked)


def test_the_wallet_that_was_lost_from_is_read_first() -> None:
    found = follow(read("1 w -> a 60", ""), LabelBook(), (Loss("all", ETH, wallet=address("w")),))
    assert found.expand == (Expand(address("w"), 0, 0),)
    nothing_yet = follow(Ledger.of([]), LabelBook(), (Loss("all", ETH, wallet=address("w")),))
    assert nothing_yet.expand == (Expand(address("w"), 0, 0),)


def test_a_labelled_receiver_is_never_asked_about() -> None:
    found = follow(read("1 victim -> kraken 60", ""), labels(kraken=Role.EXCHANGE), LOSS)
    assert (found.expand, codes(found)) == ((), {"kraken": StopCode.EXCHANGE})


def test_no_stolen_value_no_step() -> None:
    found = follow(read("1 victim -> w 60\n2 w -> a 60\n3 friend -> w 9\n4 w -> b 9", "w a"), LabelBook(), LOSS)
    assert found.expand == ()
    assert amounts(found) == {"a": ("unspent", 60)}


@pytest.mark.parametrize("rule", Rule.of(ETHEREUM.family))
def test_every_rule_is_followed_not_only_the_one_that_searches(rule: Rule) -> None:
    """Pro rata rounds a's share to nothing; another rule may put all of the loss there. It must be asked for."""
    text = "1 victim -> w 1\n2 friend -> w 9\n3 w -> a 1\n4 w -> b 9"
    found = follow(read(text, "w"), LabelBook(), LOSS, NO_DUST)
    everything = {name_of(step.address) for step in found.expand}
    while found.expand:
        everything |= {name_of(step.address) for step in found.expand}
        found = follow(read(text, "w " + " ".join(everything)), LabelBook(), LOSS, NO_DUST)
    assert everything == {"a", "b"}
    assert sum(units for _, units in amounts(found, rule).values()) == 1


def test_while_something_is_to_expand_the_trace_so_far_can_still_be_had() -> None:
    found = follow(read("1 victim -> w 60\n2 w -> a 10", "w"), LabelBook(), LOSS)
    assert found.expand
    for trace in found.traces().values():
        books = trace.books
        assert books.lost == books.ends + books.held + books.fees + books.not_followed == 60


def test_every_place_where_value_rests_has_a_stop_though_rules_differ_on_how_far_it_is() -> None:
    """Under pro rata `x` is three payments away, under fifo a shorter way opens that pro rata rounds away: v -> x.

    Whether `x` is within two payments must then be decided once, or nobody stops there and nobody follows.
    """
    text = """
        1 victim -> w 4
        2 w      -> y 3
        3 friend -> w 90
        4 w      -> v 1
        5 y      -> v 3
        6 friend -> v 1
        7 v      -> x 2
    """
    for hops in range(5):
        found = follow(ledger(text), LabelBook(), LOSS, replace(NO_DUST, hops=hops))
        assert set(found.traces()) == set(Rule.of(ETHEREUM.family))


@given(covered_rows(20, 9), st.integers(0, 3))
def test_every_place_where_value_rests_has_one_stop(drawn: list[Row], hops: int) -> None:
    found = follow(ledger("1 victim -> a 9\n" + _from_two(drawn)), LabelBook(), LOSS, replace(NO_DUST, hops=hops))
    assert set(found.traces()) == set(Rule.of(ETHEREUM.family))


def _from_two(drawn: Sequence[Row]) -> str:
    return "\n".join(f"{n} {source} -> {target} {units}" for n, (source, target, units) in enumerate(drawn, start=2))


# Cut histories, and those read in part


def test_value_that_came_outside_of_the_blocks_read_is_not_called_unspent() -> None:
    """Read up to block 100, or from block 500 on, says nothing of what came in block 200."""
    for first, last in ((0, 100), (500, None), (500, 900)):
        of = ledger("1 victim -> w 60\n200 w -> a 60")
        told = [replace(of.coverage.of(address("a")), first=first, last=last), of.coverage.of(address("w"))]
        found = follow(of.with_more([], CoverageBook(told)), LabelBook(), LOSS, NO_DUST)
        assert amounts(found) == {"a": ("not read", 60)}
        assert "block" in found.stops[address("a")].why


def test_a_wallet_is_followed_up_to_the_last_block_that_was_read_of_it() -> None:
    of = ledger("1 victim -> w 60\n2 w -> a 10\n200 w -> b 20\n201 victim -> w 5")
    told = [replace(of.coverage.of(address("w")), last=100), of.coverage.of(address("a"))]
    found = follow(of.with_more([], CoverageBook(told)), LabelBook(), LOSS, NO_DUST)
    assert amounts(found)["w"] == ("not read", 50)


def test_a_cut_history_freezes_what_was_not_seen_to_leave() -> None:
    text = "1 victim -> w 60\n2 w -> a 10\n3 w -> b 20\n4 w -> a 5"
    full = ledger(text)
    cut = Coverage(address("w"), State.CUT, frozenset(Kind), "test", "answer#1", 0, 2, rows=2, reason="10,000 rows")
    book = CoverageBook([*(c for c in full.coverage if c.address != address("w")), cut])
    found = follow(Ledger.of(full.transfers, book), LabelBook(), LOSS)
    assert amounts(found) == {"w": ("not read", 50), "a": ("unspent", 10)}
    assert "10,000 rows" in found.stops[address("w")].why
    assert found.stops[address("w")].evidence == ("answer#1",)


def test_a_wallet_lost_from_of_which_no_block_is_complete_is_not_followed_through() -> None:
    text = "1 friend -> w 60\n2 w -> a 60"
    found = follow(ledger(text, coverage={"w": State.CUT}), LabelBook(), (Loss("all", ETH, wallet=address("w")),))
    assert amounts(found) == {"w": ("not read", 60)}


# The order of reading


class Source:
    """All histories of a drawing, read one wallet at a time."""

    def __init__(self, text: str) -> None:
        self.whole = ledger(text)

    def investigate(
        self,
        labels: LabelBook,
        losses: Sequence[Loss],
        rules: StopRules,
        pick: Callable[[Sequence[Expand]], Sequence[Expand]],
        *,
        known: bool,
    ) -> Following:
        """Ask, read, follow, until nothing is asked. `pick` says which of the steps are taken first."""
        start = [t for t in self.whole.transfers if any(t.id == loss.paid for loss in losses)]
        of, answers = Ledger.of(start), list[Coverage]()
        found = follow(of, labels, losses, rules)
        while found.expand:
            rows: list[Transfer] = []
            for step in pick(found.expand):
                answers.append(self.whole.coverage.of(step.address))
                rows += [
                    t for t in self.whole.transfers if any(leg.address == step.address for leg in t.inputs + t.outputs)
                ]
            of = of.with_more(rows, CoverageBook(answers))
            found = follow(of, labels, losses, rules, known=found.followed if known else ())
        return follow(of, labels, losses, rules)  # the last call is told of no earlier ones


def largest(steps: Sequence[Expand]) -> Sequence[Expand]:
    return steps[:1]


def some(chance: random.Random) -> Callable[[Sequence[Expand]], Sequence[Expand]]:
    return lambda steps: chance.sample(list(steps), chance.randint(1, len(steps)))


def told(found: Following) -> tuple[dict[Rule, Trace], dict[str, StopCode]]:
    traces = found.traces()
    rests = {name_of(end.place.address) for trace in traces.values() for end in trace.ends}
    return traces, {name: code for name, code in codes(found).items() if name in rests}


NAMES = ("a", "b", "c", "d", "e")


@st.composite
def webs(draw: st.DrawFn) -> str:
    """A theft and what five wallets and two outsiders then pay each other, over minutes or over years."""
    pace = draw(st.sampled_from([60, 40 * 86_400]))
    lines = [f"1 victim -> a 40 @{1_600_000_000}"]
    for block in range(2, 2 + draw(st.integers(1, 18))):
        source, target = draw(st.sampled_from((*NAMES, "friend"))), draw(st.sampled_from((*NAMES, "shop")))
        gas = draw(st.sampled_from(["", " gas 1"]))
        lines.append(f"{block} {source} -> {target} {draw(st.integers(0, 30))}{gas} @{1_600_000_000 + block * pace}")
    return "\n".join(lines)


@given(
    webs(),
    st.randoms(use_true_random=False),
    st.booleans(),
    st.sampled_from(
        [NO_DUST, replace(NO_DUST, hops=2), StopRules(dust_one_in=8, diluted_one_in=4, diluted_percent=50)]
    ),
)
def test_the_order_in_which_wallets_are_read_changes_nothing(
    text: str, chance: random.Random, known: bool, rules: StopRules
) -> None:
    rules = replace(rules, window_days=0)  # the window has tests of its own below
    source = Source(text)
    book = labels(shop=Role.EXCHANGE)
    one = source.investigate(book, LOSS, rules, largest, known=known)
    two = source.investigate(book, LOSS, rules, some(chance), known=known)
    assert told(one) == told(two)


@given(webs(), st.randoms(use_true_random=False), st.booleans())
def test_nor_does_it_with_a_time_window(text: str, chance: random.Random, known: bool) -> None:
    source = Source(text)
    rules = replace(NO_DUST, window_days=60)
    one = source.investigate(labels(shop=Role.EXCHANGE), LOSS, rules, largest, known=known)
    two = source.investigate(labels(shop=Role.EXCHANGE), LOSS, rules, some(chance), known=known)
    assert told(one) == told(two)


def in_order(*names: str) -> Callable[[Sequence[Expand]], Sequence[Expand]]:
    """Those named first, in that order; then everybody else."""
    return lambda steps: sorted(
        steps, key=lambda step: (names.index(n) if (n := name_of(step.address)) in names else 99, n)
    )[:1]


def out_of_order(*names: str) -> Callable[[Sequence[Expand]], Sequence[Expand]]:
    """Those named last."""
    return lambda steps: sorted(steps, key=lambda step: (name_of(step.address) in names, step.address))[:1]


def test_a_wallet_that_waited_stays_stopped_whatever_is_read_first() -> None:
    """`w` gets 20 through `a`, pays on two years later, then gets 20 through `b`: by b alone, it never paid."""
    day = 86_400
    text = f"""
        1 victim -> s 45 @{day * 10_000}
        2 s -> a 20 @{day * 10_001}
        3 a -> w 20 @{day * 10_002}
        4 w -> x 20 @{day * 10_800}
        5 s -> b 20 @{day * 10_899}
        6 b -> w 20 @{day * 10_900}
        7 s -> c 5 @{day * 10_901}
    """
    source, rules = Source(text), replace(NO_DUST, window_days=365)
    one = source.investigate(LabelBook(), LOSS, rules, in_order("s", "a", "b", "c", "w"), known=True)
    two = source.investigate(LabelBook(), LOSS, rules, in_order("s", "b", "c", "w", "a"), known=True)
    assert told(one) == told(two)


def test_a_deposit_address_is_one_whatever_is_read_first() -> None:
    """Siblings that sweep to the same wallet count for `d` (83 of 100 with them, 77 without), also those read later."""
    lines = ["1 victim -> s 100", "2 s -> p 40", "3 s -> m 40", "4 p -> d 40", "5 d -> hot 20", "6 d -> hot 10"]
    lines += [f"{50 + n} m -> j{n} 2\n{80 + n} j{n} -> hot 2" for n in range(19)]
    source, book = Source("\n".join(lines)), labels(hot=Role.EXCHANGE)
    one = source.investigate(book, LOSS, NO_DUST, in_order("s", "p", "d"), known=True)
    two = source.investigate(book, LOSS, NO_DUST, out_of_order("p", "d"), known=True)
    assert told(one) == told(two)


@given(webs(), st.integers(0, 6))
def test_a_spent_budget_is_said_and_the_books_still_close(text: str, asks: int) -> None:
    source = Source(text)
    of, answers = Ledger.of(list(source.whole.transfers)[:1]), list[Coverage]()
    found = follow(of, LabelBook(), LOSS, NO_DUST)
    for _ in range(asks):
        if not found.expand:
            break
        step = found.expand[0]
        answers.append(source.whole.coverage.of(step.address))
        rows = [t for t in source.whole.transfers if any(leg.address == step.address for leg in t.inputs + t.outputs)]
        of = of.with_more(rows, CoverageBook(answers))
        found = follow(of, LabelBook(), LOSS, NO_DUST, known=found.followed)
    spent = follow(of, LabelBook(), LOSS, NO_DUST, known=found.followed, spent=True)
    assert spent.expand == ()
    assert set(spent.traces()) == set(Rule.of(ETHEREUM.family))
    assert (StopCode.BUDGET in codes(spent).values()) == bool(found.expand)


@given(covered_rows(12, 9), st.randoms(use_true_random=False))
def test_the_order_of_the_data_changes_nothing(drawn: list[Row], chance: random.Random) -> None:
    whole = ledger("1 victim -> a 9\n" + _from_two(drawn))
    arrived = chance.sample(list(whole.transfers), len(whole))
    again = Ledger.of(arrived, whole.coverage)
    one, two = follow(whole, LabelBook(), LOSS, NO_DUST), follow(again, LabelBook(), LOSS, NO_DUST)
    assert one.traces() == two.traces()
    assert list(one.stops.items()) == list(two.stops.items())
    assert one.hops == two.hops


@pytest.mark.parametrize("between", Between)
def test_several_losses_are_followed_at_once(between: Between) -> None:
    text = "1 anna -> w 50\n2 berta -> w 50\n3 w -> kraken 50"
    losses = (*LOSS, Loss("other", ETH, victim="berta", paid=payment(2)))
    found = follow(ledger(text), labels(kraken=Role.EXCHANGE), losses, between=between)
    for trace in found.traces().values():
        assert trace.lost == ((1, 50), (2, 50))
        assert trace.books.ends == 50
        assert trace.between is between


def test_poison_is_for_reach_only() -> None:
    found = follow(ledger("1 victim -> w 5\n2 w -> a 5\n3 friend -> w 5\n4 w -> b 5"), LabelBook(), LOSS)
    assert {name_of(found.ledger.address(hid)) for hid in found.reached()} == {"w", "a", "b"}
    assert set(amounts(found)) == {"a"}


def test_rows_of_the_drawing_are_numbered_from_one() -> None:
    assert written([("victim", "a", 5)]).startswith("1 ")
