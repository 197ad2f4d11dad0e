"""The answer says what the trace says: every end with every rule's figure, the books, the venues, what is missing."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.answer import Requests, answer, canonical
from connectors.protocol import Problem
from drawn_answer import STORY, claim, drawn, end_of, story_labels
from followed_exchanges import followed
from graphs.follow import follow
from graphs.origins import BACKWARD_RULES, originate
from graphs.stops import StopRules
from notation import ETH, address, ledger, payment
from tracer.coverage import State
from tracer.envelope import Bounds
from tracer.errors import BooksDoNotClose, CaseConflict, InputError
from tracer.labels import LabelBook, Role
from tracer.losses import Loss
from tracer.lots import Rule
from tracer.trace import Part
from tracer.values import Asset, Chain

EDGES = [1, 2, 2**53 + 1, 2**63, 2**64, 2**128, 2**256 - 1]
A1 = """
    1 clean  -> w 200
    2 victim -> w 120
    3 w -> a 160
    4 other  -> w  80
    5 w -> b 100
    6 w -> z 140
"""


def strings(told: Any) -> list[str]:
    if isinstance(told, dict):
        return [text for key, value in told.items() for text in [key, *strings(value)]]
    return (
        [text for value in told for text in strings(value)]
        if isinstance(told, list)
        else [told]
        if isinstance(told, str)
        else []
    )


def test_the_worked_example_of_commingling_stands_in_the_ends() -> None:
    told = drawn(A1, [], losses=[Loss("theft", ETH, paid=payment(2))]).answer
    amounts = {name: end_of(told, name)["amounts"] for name in "abz"}
    assert amounts["a"] == {"fifo": "0", "lifo": "120", "pro_rata": "60", "taint_first": "120", "clean_first": "0"}
    assert amounts["b"] == {"fifo": "60", "lifo": "0", "pro_rata": "25", "taint_first": "0", "clean_first": "0"}
    assert amounts["z"] == {"fifo": "60", "lifo": "0", "pro_rata": "35", "taint_first": "0", "clean_first": "120"}
    bounds = [(end_of(told, name)["least"], end_of(told, name)["most"]) for name in "abz"]
    assert bounds == [("0", "120"), ("0", "100"), ("0", "120")]


def test_the_books_close_under_every_rule_and_are_the_sum_of_the_ends() -> None:
    told = drawn().answer
    for rule in told["rules"]:
        books = {part: int(units) for part, units in told["books"][rule].items()}
        assert books["lost"] == 60 == sum(books[part] for part in Part)
        for part in Part:
            assert books[part] == sum(int(end["amounts"][rule]) for end in told["ends"] if end["part"] == part)


def test_ends_stand_by_part_of_the_books_then_the_largest_first() -> None:
    ends = drawn().answer["ends"]
    order = [
        (list(Part).index(Part(end["part"])), -max(int(units) for units in end["amounts"].values())) for end in ends
    ]
    assert order == sorted(order)
    assert [end["stop"] for end in ends] == ["deposit address", "mixer", "unspent", "fee", "not read"]


def test_an_end_says_who_says_so_and_what_it_rests_on() -> None:
    told = drawn().answer
    mixer, deposit, hidden = (end_of(told, name) for name in ("mixer", "deposit", "hidden"))
    assert (mixer["basis"], mixer["label"], mixer["labelled_by"], mixer["evidence"]) == (
        "label",
        "Mixer",
        "a list",
        ["sha256:label"],
    )
    assert (deposit["basis"], deposit["label"], deposit["labelled_by"]) == (
        "behaviour",
        "deposit address of Exchange 1",
        "",
    )
    assert (hidden["basis"], hidden["coverage"]) == (
        "coverage",
        {"state": "not recorded", "missing": ["native", "internal", "token"]},
    )
    assert (mixer["hops"], mixer["transfers"]) == (1, [str(payment(6))])
    [fee] = [end for end in told["ends"] if end["stop"] == "fee"]
    assert (fee["address"], fee["holding"], fee["basis"]) == (None, "fee", "record")


def test_a_rule_that_was_not_asked_for_has_no_figure_but_its_ends_stay() -> None:
    whole, told = drawn(A1, []).answer, drawn(A1, [], requested=[Rule.LIFO]).answer
    assert told["rules"] == ["lifo"] == list(told["books"])
    assert len(told["ends"]) == len(whole["ends"])
    assert all(list(end["amounts"]) == ["lifo"] for end in told["ends"])


def test_a_loss_of_which_a_part_came_back_at_once_says_how_much_of_it_counts() -> None:
    book = LabelBook([claim("bank", Role.EXCHANGE)])
    lines = ["1 victim -> thief 100 USDT", "1 thief -> victim 20 USDT", "2 thief -> bank 80 USDT"]
    for kept, said in (
        (lines, ["loss l0: 80 of the 100 USDT that the payment moved count"]),
        ([lines[0], lines[2]], []),
    ):
        found = followed("\n".join(kept), book)
        made = answer(found, found.bounds(), book, rules=StopRules())
        told = [one for one in made["partial_because"] if one.startswith("loss ")]
        assert [one[: len(start)] for one, start in zip(told, said, strict=True)] == said
        assert set(made["losses"][0]["lost"].values()) == ({"80"} if said else {"100"})


def test_rules_stand_in_their_own_order_whatever_was_typed() -> None:
    assert drawn(requested=[Rule.CLEAN_FIRST, Rule.FIFO, Rule.FIFO]).answer["rules"] == ["fifo", "clean_first"]


def test_poison_is_a_reach_and_never_an_amount() -> None:
    told = drawn().answer
    assert told["reach"]["addresses"] == 4  # the mule and those it paid; a sink is no address
    assert "nothing is claimed" in told["reach"]["says"]
    assert not [text for text in strings(told) if "poison" in text]


def test_a_venue_tells_what_was_swept_from_what_is_inferred() -> None:
    [venue] = drawn().answer["venues"]
    assert venue["address"] == address("exchange").text
    assert (venue["label"], venue["entity"]) == ("Exchange 1", "Exchange")
    assert venue["through"] == [address("deposit").text]
    assert venue["swept"] == "49"
    assert venue["deposited"] == end_of(drawn().answer, "deposit")["amounts"]
    assert set(venue["direct"].values()) == {"0"}


def test_value_paid_to_an_exchange_wallet_is_direct() -> None:
    [venue] = drawn("1 victim -> exchange 7", story_labels()).answer["venues"]
    assert (venue["through"], venue["swept"], venue["direct"]["fifo"], venue["deposited"]["fifo"]) == (
        [],
        "0",
        "7",
        "0",
    )


def test_a_deposit_address_known_by_label_alone_is_a_venue_without_a_wallet() -> None:
    labels = [claim("till", Role.EXCHANGE_DEPOSIT, "Exchange: Deposit", entity="Exchange")]
    [venue] = drawn("1 victim -> till 7", labels).answer["venues"]
    assert (venue["address"], venue["entity"], venue["through"]) == (None, "Exchange", [address("till").text])
    assert venue["deposited"]["fifo"] == "7"


def test_two_victims_are_told_apart_at_every_end() -> None:
    two = [Loss("first", ETH, "A", paid=payment(1)), Loss("second", ETH, "B", paid=payment(2))]
    told = drawn("1 a -> w 50\n2 b -> w 50\n3 w -> e 50", [], losses=two).answer
    by_loss = end_of(told, "e")["by_loss"]
    assert (by_loss["fifo"], by_loss["lifo"]) == ({"first": "50"}, {"second": "50"})
    assert by_loss["pro_rata"] == {"first": "25", "second": "25"}
    assert [loss["lost"]["fifo"] for loss in told["losses"]] == ["50", "50"]


def test_inflow_that_was_not_seen_is_named_apart() -> None:
    told = drawn("1 w -> e 30", [], losses=[Loss("all", ETH, wallet=address("w"))]).answer
    [unseen] = told["not_in_data"]
    assert (unseen["address"], unseen["loss"], set(unseen["amounts"].values())) == (address("w").text, "all", {"30"})


def test_a_whole_answer_is_not_partial() -> None:
    told = drawn(coverage={}).answer
    assert (told["partial"], told["partial_because"]) == (False, [])
    assert told["coverage"]["worst"] == "read"


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (State.NOT_ASKED, "not asked about, as the budget was spent: 1 address with stolen value"),
        (State.NOT_RECORDED, "not read, so not followed: 1 address with stolen value"),
        (State.FAILED, "not read, so not followed: 1 address with stolen value"),
    ],
)
def test_an_answer_that_something_hangs_on_is_partial_and_says_why(state: State, said: str) -> None:
    told = drawn(coverage={"hidden": state}).answer
    assert told["partial"]
    assert told["partial_because"] == [said]
    [gap] = told["coverage"]["incomplete"]
    assert (gap["address"], gap["state"], gap["followed"]) == (address("hidden").text, state.word, False)
    assert gap["hangs"] == end_of(told, "hidden")["amounts"]
    assert told["coverage"]["worst"] == state.word


def test_a_followed_wallet_that_may_have_more_rows_makes_the_answer_partial() -> None:
    told = drawn(coverage={"mule": State.UNSTATED}).answer
    assert told["partial_because"] == [
        "history from a file that does not say whether it is all: 1 followed wallet (drawn as unstated)"
    ]
    [gap] = told["coverage"]["incomplete"]
    assert gap["hangs"]["fifo"] == "60"  # all of it went through the mule


def test_value_that_comes_back_never_makes_more_hang_than_was_lost() -> None:
    text = "1 victim -> w 10\n2 w -> x 10\n3 x -> w 10\n4 w -> x 10\n5 x -> w 10"
    told = drawn(text, [], coverage={"w": State.UNSTATED}).answer
    assert {gap["hangs"]["fifo"] for gap in told["coverage"]["incomplete"]} == {"10"}


def test_an_end_decided_by_a_label_needs_no_history_so_not_asking_is_no_gap() -> None:
    told = drawn(coverage={"mixer": State.NOT_ASKED}).answer
    assert end_of(told, "mixer")["coverage"] == {"state": "not asked", "missing": []}
    assert told["coverage"]["incomplete"] == []
    assert not told["partial"]


def test_requests_are_counted_against_the_wallets_that_value_passes_through() -> None:
    assert drawn().answer["requests"] == {
        "asked": 5,
        "wallets": 1,
        "ratio": "5.00",
        "budget": 9,
        "sources": ["drawing:here"],
    }


def test_claims_that_conflict_stand_with_both_their_sources() -> None:
    labels = [*story_labels(), claim("mixer", Role.EXCHANGE, "Bank", "another list")]
    [conflict] = drawn(labels=labels).answer["conflicts"]
    assert conflict["address"] == address("mixer").text
    assert [(one["entity"], one["source"], one["seen"]) for one in conflict["claims"]] == [
        ("Mixer", "a list", "2024-05-01"),
        ("Bank", "another list", "2024-05-01"),
    ]


def test_problems_of_the_data_travel_with_the_answer() -> None:
    case = drawn()
    told = answer(case.following, None, case.labels, rules=StopRules(), problems=[Problem("unreadable", "row 7")])
    assert told["problems"] == [{"text": "unreadable", "where": "row 7"}]


def test_bounds_that_were_not_computed_are_none_and_not_zero() -> None:
    case = drawn()
    told = answer(case.following, None, case.labels, rules=StopRules())
    assert {(end["least"], end["most"], end["rule_independent"]) for end in told["ends"]} == {(None, None, False)}


def test_a_rule_outside_the_envelope_is_not_issued() -> None:
    case = drawn()
    wrong = {place: Bounds(bounds.most + 1, bounds.most + 1) for place, bounds in case.following.bounds().items()}
    with pytest.raises(BooksDoNotClose, match="outside the envelope"):
        answer(case.following, wrong, case.labels, rules=StopRules())


def test_a_trace_that_still_asks_for_more_has_no_answer_yet() -> None:
    book = ledger("1 victim -> mule 60", coverage={"mule": State.NOT_ASKED})
    following = follow(book, LabelBook(), [Loss("theft", ETH, paid=payment(1))])
    with pytest.raises(CaseConflict, match="1 addresses are still to be read"):
        answer(following, None, LabelBook(), rules=StopRules())


def test_losses_of_two_assets_are_not_added_up() -> None:
    case = drawn()
    dollar = Asset(Chain.named("ethereum"), address("usdt").text, "USDT", 6)
    mixed = replace(case.following, losses=(*case.following.losses, Loss("more", dollar, paid=payment(2))))
    with pytest.raises(InputError, match="one asset"):
        answer(mixed, None, case.labels, rules=StopRules())


def test_two_losses_of_one_name_are_refused() -> None:
    with pytest.raises(InputError, match="one name"):
        drawn("1 a -> w 5\n2 b -> w 5", [], losses=[Loss("x", ETH, paid=payment(1)), Loss("x", ETH, paid=payment(2))])


def test_backward_is_answered_in_the_same_shape_under_the_rules_it_has() -> None:
    book = ledger("1 a -> w 30\n2 b -> w 20", coverage={"a": State.NOT_RECORDED})
    back = originate(book, LabelBook([claim("b", Role.EXCHANGE)]), [Loss("w", ETH, wallet=address("w"))], spent=True)
    told = answer(
        back, back.bounds(), LabelBook([claim("b", Role.EXCHANGE)]), rules=StopRules(), requested=BACKWARD_RULES
    )
    assert told["direction"] == "backward"
    assert {end["address"]: end["amounts"]["fifo"] for end in told["ends"]} == {
        address("a").text: "30",
        address("b").text: "20",
    }
    with pytest.raises(InputError, match="no trace under taint_first"):
        answer(back, None, LabelBook(), rules=StopRules(), requested=[Rule.TAINT_FIRST])


@pytest.mark.parametrize("units", EDGES)
def test_amounts_of_every_width_come_out_to_the_last_digit(units: int) -> None:
    told = drawn(f"1 victim -> mule {units}\n2 mule -> shop {units}", []).answer
    end = end_of(told, "shop")
    assert {*end["amounts"].values(), end["least"], end["most"], told["books"]["fifo"]["lost"]} == {str(units)}
    assert json.loads(canonical(told))["books"]["fifo"]["lost"] == str(units)


def test_nothing_lost_is_an_answer_without_ends() -> None:
    told = drawn("1 victim -> mule 0", []).answer
    assert (told["ends"], told["books"]["fifo"]["lost"]) == ([], "0")


def test_canonical_is_ascii_on_one_line_and_survives_reading() -> None:
    told = drawn(labels=story_labels(mixer="Mix\ud800\u202e\n火")).answer
    text = canonical(told)
    assert text.isascii()
    assert text.count("\n") == 1
    assert json.loads(text) == told


def test_only_text_lists_dicts_counts_truth_and_none_are_in_it() -> None:
    def kinds(value: Any) -> set[type]:
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        return {type(value)}.union(*map(kinds, inner))

    assert kinds(drawn().answer) == {dict, list, str, int, bool, type(None)}


@given(st.permutations(STORY.strip().splitlines()), st.permutations(story_labels()))
def test_the_order_in_which_data_came_changes_no_byte(lines: list[str], labels: list[Any]) -> None:
    # Evidence names the drawn line, which moves with the line; the rest may not.
    assert canonical(drawn("\n".join(lines), labels).answer) == canonical(drawn().answer)


def test_the_ratio_is_rounded_up_so_that_it_never_looks_better_than_it_is() -> None:
    case = drawn("1 victim -> a 9\n2 a -> b 9\n3 b -> c 9", [])
    told = answer(case.following, None, case.labels, rules=StopRules(), requests=Requests(asked=4))
    assert (told["requests"]["wallets"], told["requests"]["ratio"]) == (3, "1.34")
