"""Each stop code, from a ledger that calls for it and from the nearest one that does not."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date

import pytest

from graphs.follow import follow
from graphs.following import Following
from graphs.stops import DAY, StopRules, labelled, suspected_service
from notation import ETH, ETHEREUM, address, ledger, name_of, payment
from tracer.coverage import Coverage, CoverageBook, Kind, State
from tracer.errors import InputError
from tracer.labels import Label, LabelBook, Role
from tracer.ledger import Ledger
from tracer.losses import Loss
from tracer.lots import Rule
from tracer.trace import StopCode

LOSS = (Loss("loss", ETH, paid=payment(1)),)
RULES = StopRules(dust_one_in=0, diluted_one_in=0)
START = 1_600_000_000


def label(name: str, role: Role, confidence: int = 50, entity: str = "Acme", source: str = "test") -> Label:
    return Label(address(name), entity, f"{entity} 1", role, source, date(2024, 1, 1), confidence, f"{source}#1")


def stops(drawn: str | Ledger, *labels: Label, rules: StopRules = RULES, spent: bool = False) -> dict[str, StopCode]:
    """Name -> code of all places where stolen value rests, under any rule; no step may be left to take."""
    found = followed(drawn, *labels, rules=rules, spent=spent)
    assert found.expand == ()
    return {name_of(end.place.address): end.stop for trace in found.traces().values() for end in trace.ends}


def followed(drawn: str | Ledger, *labels: Label, rules: StopRules = RULES, spent: bool = False) -> Following:
    of = ledger(drawn) if isinstance(drawn, str) else drawn
    return follow(of, LabelBook(labels), LOSS, rules, spent=spent)


# Labels

PAID_ON = "1 victim -> w 60\n2 w -> x 60"


@pytest.mark.parametrize(
    ("role", "code"),
    [
        (Role.EXCHANGE, StopCode.EXCHANGE),
        (Role.EXCHANGE_DEPOSIT, StopCode.DEPOSIT_ADDRESS),
        (Role.SERVICE, StopCode.SERVICE),
        (Role.MIXER, StopCode.MIXER),
        (Role.BRIDGE, StopCode.BRIDGE),
        (Role.BURN, StopCode.BURNED),
        (Role.PROTOCOL, StopCode.PROTOCOL),
        (Role.TOKEN, StopCode.PROTOCOL),
    ],
)
def test_a_label_of_a_custodian_mixer_or_bridge_stops(role: Role, code: StopCode) -> None:
    assert stops(PAID_ON, label("w", role)) == {"w": code}
    stop = followed(PAID_ON, label("w", role)).stops[address("w")]
    assert stop.name == "Acme 1"
    assert stop.evidence == ("test#1",)
    assert "2024-01-01" in stop.why


@pytest.mark.parametrize("role", [Role.SCAM, Role.SANCTIONED, Role.MINER, Role.OTHER])
def test_a_label_that_only_informs_does_not_stop(role: Role) -> None:
    assert stops(PAID_ON, label("w", role)) == {"x": StopCode.UNSPENT}


@pytest.mark.parametrize(("confidence", "code"), [(20, StopCode.EXCHANGE), (19, None)])
def test_a_label_stops_from_the_confidence_asked_for(confidence: int, code: StopCode | None) -> None:
    expected = {"w": code} if code else {"x": StopCode.UNSPENT}
    assert stops(PAID_ON, label("w", Role.EXCHANGE, confidence)) == expected


def test_a_sure_label_stops_though_an_unsure_one_would_decide() -> None:
    assert stops(PAID_ON, label("w", Role.MIXER, 5), label("w", Role.EXCHANGE, 50, source="other")) == {
        "w": StopCode.EXCHANGE
    }


def test_claims_that_conflict_are_said() -> None:
    claims = LabelBook(
        [label("w", Role.EXCHANGE, entity="Acme"), label("w", Role.EXCHANGE, 40, entity="Zenith", source="b")]
    )
    stop = labelled(claims, address("w"), RULES)
    assert stop is not None
    assert "Acme, Zenith" in stop.why
    assert labelled(claims, address("x"), RULES) is None


# Amounts


def test_dust_is_measured_over_everything_that_came() -> None:
    rules = replace(RULES, dust_one_in=10)  # of 60: at least 6 count
    assert stops("1 victim -> w 60\n2 w -> x 5\n3 x -> y 5", rules=rules) == {"w": StopCode.UNSPENT, "x": StopCode.DUST}
    assert stops("1 victim -> w 60\n2 w -> x 6\n3 x -> y 6", rules=rules) == {
        "w": StopCode.UNSPENT,
        "y": StopCode.UNSPENT,
    }
    assert stops("1 victim -> w 60\n2 w -> x 3\n3 w -> x 3\n4 x -> y 6", rules=rules) == {
        "w": StopCode.UNSPENT,
        "y": StopCode.UNSPENT,
    }


def test_dust_rounds_up_so_that_one_unit_of_a_small_loss_counts() -> None:
    assert StopRules().floor(60, 1_000_000) == 1
    assert StopRules().floor(10**6 + 1, 10**6) == 2
    assert StopRules().floor(60, 0) == 0


DILUTED = "1 victim -> w 100\n2 friend -> x {clean}\n3 w -> x 1\n4 x -> y 50\n5 w -> z 99"


def test_diluted_is_little_of_the_loss_and_little_of_what_it_held() -> None:
    rules = replace(RULES, diluted_one_in=50, diluted_percent=1)  # of 100: less than 2
    assert stops(DILUTED.format(clean=100), rules=rules)["x"] is StopCode.DILUTED  # 1 of 101
    assert stops(DILUTED.format(clean=99), rules=rules).get("x") is not StopCode.DILUTED  # 1 of 100
    assert stops(DILUTED.format(clean=100), rules=replace(rules, diluted_one_in=100)).get("x") is not StopCode.DILUTED


# Distance and time


@pytest.mark.parametrize(
    ("hops", "code"), [(2, {"c": StopCode.HOP_LIMIT}), (3, {"d": StopCode.HOP_LIMIT}), (4, {"d": StopCode.UNSPENT})]
)
def test_the_hop_limit_counts_payments_after_the_loss(hops: int, code: dict[str, StopCode]) -> None:
    """victim -> w is the loss; a is one payment from it, b two, c three, d four."""
    text = "1 victim -> w 60\n2 w -> a 60\n3 a -> b 60\n4 b -> c 60\n5 c -> d 60"
    assert stops(text, rules=replace(RULES, hops=hops)) == code


def test_hops_are_counted_by_the_shortest_way() -> None:
    text = "1 victim -> w 60\n2 w -> a 30\n3 a -> b 30\n4 b -> c 30\n5 w -> c 30\n6 c -> d 60"
    found = followed(text)
    assert {name_of(place): hops for place, hops in found.hops.items()} == {"w": 0, "a": 1, "b": 2, "c": 1, "d": 2}


@pytest.mark.parametrize(("days", "code"), [(365, {"x": StopCode.UNSPENT}), (364, {"w": StopCode.TIME_WINDOW})])
def test_who_paid_on_only_after_the_window_is_not_followed(days: int, code: dict[str, StopCode]) -> None:
    text = f"1 victim -> w 60 @{START}\n2 w -> x 60 @{START + 365 * DAY}"
    assert stops(text, rules=replace(RULES, window_days=days)) == code


def test_a_window_of_nothing_is_no_window() -> None:
    text = f"1 victim -> w 60 @{START}\n2 w -> x 60 @{START + 4_000 * DAY}"
    assert stops(text, rules=replace(RULES, window_days=0)) == {"x": StopCode.UNSPENT}


@pytest.mark.parametrize(("days", "code"), [(180, StopCode.DORMANT), (179, StopCode.UNSPENT)])
def test_what_has_not_moved_for_long_is_dormant(days: int, code: StopCode) -> None:
    text = f"1 victim -> w 60 @{START}\n2 other -> else 1 @{START + days * DAY}"
    assert stops(text) == {"w": code}


def test_dormant_is_measured_to_the_day_the_history_was_read() -> None:
    of = ledger(f"1 victim -> w 60 @{START}")
    book = CoverageBook([Coverage(address("w"), State.READ, frozenset(Kind), "t", "e", 0, 1, START + 200 * DAY)])
    assert stops(Ledger.of(of.transfers, book)) == {"w": StopCode.DORMANT}


def test_gas_is_a_fee() -> None:
    assert stops("1 victim -> w 60\n2 w -> x 50 gas 10") == {"x": StopCode.UNSPENT, "-": StopCode.FEE}


# What was read


def test_what_nobody_asked_about_is_a_step_and_when_the_budget_is_spent_a_stop() -> None:
    of = ledger(PAID_ON, coverage={"x": State.NOT_ASKED})
    assert [name_of(step.address) for step in followed(of).expand] == ["x"]
    assert stops(of, spent=True) == {"x": StopCode.BUDGET}


@pytest.mark.parametrize("state", [State.FAILED, State.NOT_RECORDED, State.EMPTY])
def test_what_could_not_be_read_is_said(state: State) -> None:
    found = followed(ledger(PAID_ON, coverage={"w": state}))
    assert stops(ledger(PAID_ON, coverage={"w": state})) == {"w": StopCode.NOT_READ}
    assert found.stops[address("w")].evidence == ("drawing",)
    if state is not State.EMPTY:
        assert state.word in found.stops[address("w")].why


def test_an_empty_answer_about_a_wallet_that_was_paid_is_not_taken_for_an_answer() -> None:
    why = followed(ledger(PAID_ON, coverage={"w": State.EMPTY})).stops[address("w")].why
    assert "nothing" in why


def cut(text: str, name: str, last: int | None) -> Ledger:
    of = ledger(text)
    answer = Coverage(
        address(name), State.CUT, frozenset(Kind), "test", "answer#1", 0, last, rows=9, reason="cut at 10,000 rows"
    )
    return Ledger.of(of.transfers, CoverageBook([*(c for c in of.coverage if c.address != address(name)), answer]))


def test_a_history_cut_before_the_value_came_tells_nothing() -> None:
    text = "1 victim -> w 60\n5 w -> x 60\n9 x -> y 60"
    assert stops(cut(text, "x", 4)) == {"x": StopCode.NOT_READ}
    assert stops(cut(text, "x", None)) == {"x": StopCode.NOT_READ}
    assert stops(cut(text, "x", 5)) == {"x": StopCode.NOT_READ}, "what is left there: frozen"
    assert stops(cut(text, "x", 9)) == {"y": StopCode.UNSPENT}


def test_a_file_that_does_not_say_whether_it_is_whole_is_followed_only_through_payments_it_has() -> None:
    assert stops(ledger(PAID_ON, coverage={"w": State.UNSTATED})) == {"x": StopCode.UNSPENT}
    assert stops(ledger(PAID_ON, coverage={"x": State.UNSTATED})) == {"x": StopCode.NOT_READ}


# Services


def crowd(people: int, to: str = "x", first: int = 10) -> str:
    return "\n".join(f"{first + n} p{n} -> {to} 1" for n in range(people))


def test_a_wallet_of_very_many_counterparties_is_suspected_and_not_followed() -> None:
    """998 who pay, w who pays, and y who is paid, are 1,000; one less is not."""
    rules = replace(RULES, service_counterparties=50)
    text = "1 victim -> w 60\n2 w -> x 60\n3 x -> y 60\n"
    assert stops(text + crowd(48), rules=rules) == {"x": StopCode.SUSPECTED_SERVICE}
    assert stops(text + crowd(47), rules=rules) == {"y": StopCode.UNSPENT}
    assert "50 counterparties" in followed(text + crowd(48), rules=rules).stops[address("x")].why


def test_the_same_counterparty_counts_once_and_zero_payments_not_at_all() -> None:
    rules = replace(RULES, service_counterparties=4)
    text = "1 victim -> w 60\n2 w -> x 60\n3 x -> y 60\n"
    assert stops(text + "4 p0 -> x 1\n5 p0 -> x 1\n6 p1 -> x 0\n7 p2 -> x 0", rules=rules) == {
        "x": StopCode.UNSPENT,
        "y": StopCode.UNSPENT,
    } or stops(text + "4 p0 -> x 1\n5 p0 -> x 1\n6 p1 -> x 0\n7 p2 -> x 0", rules=rules) == {"y": StopCode.UNSPENT}


def test_many_counterparties_a_day_on_several_days_are_suspected() -> None:
    rules = replace(RULES, service_daily=5, service_days=3)

    def busy(days: int, each: int) -> str:
        lines = ["1 victim -> w 60", f"2 w -> x 60 @{START - DAY}", f"900 x -> y 60 @{START + 99 * DAY}"]
        lines += [
            f"{10 + 20 * day + n} p{n} -> x 1 @{START + day * DAY + n}" for day in range(days) for n in range(each)
        ]
        return "\n".join(lines)

    def suspected(text: str) -> bool:
        return suspected_service(ledger(text), address("x"), rules) is not None

    assert suspected(busy(3, 5))
    assert not suspected(busy(2, 5))
    assert not suspected(busy(3, 4))


def test_the_defaults_are_those_of_the_method() -> None:
    rules = StopRules()
    assert (rules.service_counterparties, rules.service_daily, rules.service_days) == (1_000, 100, 3)
    assert (rules.dormant_days, rules.window_days, rules.hops, rules.deposit_score) == (180, 365, 12, 80)


@pytest.mark.parametrize("setting", [setting.name for setting in fields(StopRules)])
@pytest.mark.parametrize("value", [-1, 1.0, True, "5", None])
def test_a_setting_that_is_no_whole_number_is_refused(setting: str, value: object) -> None:
    with pytest.raises(InputError, match=setting):
        StopRules(**{setting: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("rule", Rule.of(ETHEREUM.family))
def test_every_end_has_its_own_stop_and_the_books_close(rule: Rule) -> None:
    text = "1 victim -> w 100\n2 w -> kraken 20 gas 1\n3 w -> x 30\n4 x -> tornado 30\n5 w -> y 5"
    found = followed(text, label("kraken", Role.EXCHANGE), label("tornado", Role.MIXER))
    trace = found.traces()[rule]
    assert {name_of(end.place.address): (end.stop, end.units) for end in trace.ends} == {
        "kraken": (StopCode.EXCHANGE, 20), "-": (StopCode.FEE, 1), "tornado": (StopCode.MIXER, 30),
        "w": (StopCode.UNSPENT, 44), "y": (StopCode.UNSPENT, 5),
    }  # fmt: skip
    assert (trace.books.ends, trace.books.held, trace.books.fees) == (50, 49, 1)
