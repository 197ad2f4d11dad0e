"""Deposit addresses by behaviour: what points to one, each check failing alone, and who is linked by one."""

from __future__ import annotations

from datetime import date

import pytest

from graphs.deposits import Deposit, deposit, depositors
from graphs.follow import follow
from graphs.stops import DAY, StopRules
from notation import ETH, ETHEREUM, address, ledger, name_of, payment, transfers
from tracer.labels import Label, LabelBook, Role
from tracer.ledger import Ledger
from tracer.losses import Loss
from tracer.trace import StopCode
from tracer.values import Asset

ETHER = 10**18
TOKEN = Asset(ETHEREUM, "0xt", "T", 6)
START = 1_600_000_000
RULES = StopRules()


def exchange(*names: str, confidence: int = 50) -> LabelBook:
    return LabelBook(
        Label(address(name), "Acme", f"Acme {name}", Role.EXCHANGE, "test", date(2024, 1, 1), confidence, "labels#1")
        for name in names
    )


def found(text: str, book: LabelBook | None = None, name: str = "d") -> Deposit | None:
    return deposit(ledger(text), book or exchange("hot"), address(name), RULES)


def checks(text: str, book: LabelBook | None = None) -> dict[str, bool | None]:
    reading = found(text, book)
    assert reading is not None
    return {check.name: check.met for check in reading.checks}


def siblings(count: int, hot: str = "hot", first: int = 500) -> str:
    return "\n".join(f"{first + n} s{n} -> {hot} 10" for n in range(count))


TYPICAL = "1 u1 -> d 1000\n2 d -> hot 999 gas 1\n3 u2 -> d 2000\n4 d -> hot 1999 gas 1\n" + siblings(19)


def test_a_typical_deposit_address_meets_every_check() -> None:
    reading = found(TYPICAL)
    assert reading is not None
    assert (reading.score, reading.swept, reading.venue.name) == (100, 2998, "Acme hot")
    assert {check.name for check in reading.checks if check.met is None} == {"the exchange pays its gas"}
    stop = reading.stop()
    assert (stop.code, stop.venue, stop.name) == (
        StopCode.DEPOSIT_ADDRESS,
        address("hot"),
        "deposit address of Acme hot",
    )
    assert stop.evidence == ("labels#1", str(payment(2)), str(payment(4)))
    assert "score 100" in stop.why


def test_the_score_without_siblings_is_still_enough() -> None:
    reading = found(TYPICAL.partition("500")[0])
    assert reading is not None
    assert reading.score == 94  # 85 of 90


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("every sweep empties it", "1 u1 -> d 1000\n2 d -> hot 900\n3 u2 -> d 2000\n4 d -> hot 1990\n"),
        (
            "it pays at most two",
            "1 u1 -> d 100000\n2 d -> hot 99998\n3 d -> p 1\n4 d -> q 1\n5 u -> d 500\n6 d -> hot 500\n",
        ),
        (
            "swept within a day",
            f"1 u1 -> d 1000 @{START}\n2 d -> hot 1000 @{START + DAY + 1}\n"
            f"3 u2 -> d 2000 @{START + 2 * DAY}\n4 d -> hot 2000 @{START + 4 * DAY}\n",
        ),
        ("it calls no contract", "1 u1 -> d 1000\n2 d -> hot 1000 call\n3 u2 -> d 2000\n4 d -> hot 2000\n"),
    ],
)
def test_one_check_fails_alone_and_says_so(name: str, text: str) -> None:
    late = siblings(19).replace("-> hot 10", f"-> hot 10 @{START + 9 * DAY}")
    assert {check: met for check, met in checks(text + late).items() if met is False} == {name: False}
    reading = found(text + late)
    assert reading is not None
    assert RULES.deposit_score <= reading.score < 100
    assert f"against: {name}" in reading.stop().why


def test_few_siblings_fail_alone() -> None:
    text = TYPICAL.partition("500")[0] + siblings(18)
    assert [name for name, met in checks(text).items() if met is False] == ["siblings sweep to the same wallet"]


def test_who_pays_others_as_well_is_no_deposit_address() -> None:
    """94.9 % to the exchange is not enough, 95 % is."""
    for kept, score_is_zero in ((51, True), (50, False)):
        reading = found(f"1 u1 -> d 1000\n2 d -> hot {1000 - kept - 1}\n3 d -> p {kept}\n4 d -> hot 1\n" + siblings(19))
        assert reading is not None
        assert (reading.score == 0) is score_is_zero


def test_one_payment_that_leaves_something_behind_is_no_sweep() -> None:
    reading = found("1 u1 -> d 1000\n2 d -> hot 900\n" + siblings(19))
    assert reading is not None
    assert reading.score == 0
    whole = found("1 u1 -> d 1000\n2 d -> hot 995\n" + siblings(19))
    assert whole is not None
    assert whole.score == 100


def test_who_never_paid_an_exchange_is_nothing() -> None:
    assert found("1 u1 -> d 1000\n2 d -> p 1000") is None
    assert found("1 u1 -> d 1000") is None
    assert found("1 u1 -> d 1000\n2 d -> hot 0") is None
    assert deposit(ledger(TYPICAL), exchange("hot"), address("stranger"), RULES) is None


def test_a_label_below_the_confidence_names_no_exchange() -> None:
    assert found(TYPICAL, exchange("hot", confidence=19)) is None
    assert found(TYPICAL, exchange("hot", confidence=20)) is not None


def test_two_wallets_of_one_exchange_are_one_exchange() -> None:
    reading = found("1 u1 -> d 1000\n2 d -> hot 1000\n3 u2 -> d 500\n4 d -> warm 500\n", exchange("hot", "warm"))
    assert reading is not None
    assert (reading.swept, reading.hot, reading.checks[0].met) == (1500, address("hot"), True)


def collected(senders: int, onward: int = 1000) -> str:
    lines = ["1 u1 -> d 1000", "2 d -> coll 1000"]
    lines += [f"{10 + n} s{n} -> coll 10" for n in range(senders - 1)]
    return "\n".join([*lines, f"90 coll -> hot {onward}", f"91 coll -> other {1000 - onward}"])


def test_a_collector_that_itself_sweeps_to_an_exchange_is_seen_through() -> None:
    reading = found(collected(10))
    assert reading is not None
    assert (reading.hot, reading.venue.name) == (address("coll"), "Acme hot")
    assert reading.score >= RULES.deposit_score


def test_a_launderers_own_next_wallet_is_no_collector() -> None:
    """d -> coll -> exchange: with few senders, coll is one more hop, and following goes on through it."""
    assert found(collected(9)) is None
    text = "1 victim -> d 1000\n2 d -> coll 1000\n3 coll -> hot 1000"
    losses = (Loss("loss", ETH, paid=payment(1)),)
    following = follow(ledger(text), exchange("hot"), losses)
    assert {name_of(place): stop.code for place, stop in following.stops.items()} == {"coll": StopCode.DEPOSIT_ADDRESS}


def test_a_collector_must_pay_the_exchange_nearly_all() -> None:
    assert found(collected(10, onward=950)) is not None
    assert found(collected(10, onward=949)) is None


def test_recursion_is_once() -> None:
    lines = [collected(10).replace("coll -> hot 1000", "coll -> second 1000")]
    lines += [f"{200 + n} t{n} -> second 1" for n in range(20)]
    assert found("\n".join([*lines, "300 second -> hot 1020"])) is None


def test_a_token_sweep_whose_gas_the_exchange_pays() -> None:
    def reading(gas_from: str, seconds: int) -> Deposit:
        coin = f"3 {gas_from} -> d 50 @{START + 1000}\n5 d -> d 0 gas 5 @{START + 1000 + seconds}"
        token = f"1 u1 -> d 1000 @{START}\n4 d -> hot 1000 call @{START + 1000 + seconds}"
        of = Ledger.of([*transfers(coin), *transfers(token, TOKEN)])
        got = deposit(of, exchange("hot"), address("d"), RULES)
        assert got is not None
        return got

    def met(got: Deposit) -> dict[str, bool | None]:
        return {check.name: check.met for check in got.checks}

    assert met(reading("hot", 3600))["the exchange pays its gas"] is True
    assert met(reading("hot", 3601))["the exchange pays its gas"] is False
    assert met(reading("friend", 60))["the exchange pays its gas"] is False
    assert met(reading("hot", 60))["it calls no contract"] is None, "a token moves by a call"


# D1: who paid into one deposit address is one owner


def linked(text: str, asset: Asset = ETH, book: LabelBook | None = None) -> list[set[str]]:
    of = ledger(text, asset)
    reading = deposit(of, book or exchange("hot"), address("d"), RULES)
    assert reading is not None
    return [{name_of(link.left), name_of(link.right)} for link in depositors(of, book or exchange("hot"), reading)]


def d1(first_sweep: int = 9995 * 10**14, first_block: int = 150, *more: str) -> str:
    lines = [f"100 u1 -> d {ETHER}", f"{first_block} d -> hot {first_sweep}"]
    return "\n".join([*lines, *more, f"5000 u2 -> d {2 * ETHER}", f"5020 d -> hot {1999 * 10**15}"])


def test_d1_two_who_pay_one_deposit_address_are_one_owner() -> None:
    assert linked(d1()) == [{"u1", "u2"}]


def test_d1_a_sweep_that_misses_too_much_links_nobody() -> None:
    assert linked(d1(985 * 10**15)) == []
    assert linked(d1(990 * 10**15)) == [{"u1", "u2"}], "0.01 exactly"
    assert linked(d1(990 * 10**15 - 1)) == []


def test_d1_a_sweep_that_comes_too_late_links_nobody() -> None:
    assert linked(d1(first_block=100 + 3_201)) == []
    assert linked(d1(first_block=100 + 3_200)) == [{"u1", "u2"}]


def test_d1_an_address_that_very_many_pay_is_a_deposit_address_but_links_nobody() -> None:
    def crowd(count: int) -> str:
        return "\n".join(f"{10 * n} u{n} -> d {ETHER}\n{10 * n + 1} d -> hot {ETHER}" for n in range(1, count + 1))

    reading = found(crowd(25))
    assert reading is not None
    assert reading.score >= RULES.deposit_score
    assert linked(crowd(25)) == []
    assert linked(crowd(21)) == []
    assert len(linked(crowd(20))) == 19


def test_d1_of_a_token_the_amount_must_be_the_same() -> None:
    """0.01 ether is 10**16 base units; as base units of a token of six decimals that is ten billion of it."""
    text = "100 u1 -> d 1000000\n150 d -> hot {}\n5000 u2 -> d 2000000\n5020 d -> hot 2000000"
    assert linked(text.format(1_000_000), TOKEN) == [{"u1", "u2"}]
    assert linked(text.format(900_000), TOKEN) == []


def test_d1_an_exchange_that_pays_a_customer_out_is_not_the_customer() -> None:
    """u2's payment comes from another exchange's own wallet: that wallet and u1 are not one owner."""
    text = d1().replace("u2 -> d", "binance -> d")
    assert linked(text, book=exchange("hot", "binance")) == []


def test_d1_a_judgement_says_how_it_was_reached() -> None:
    of = ledger(d1())
    reading = deposit(of, exchange("hot"), address("d"), RULES)
    assert reading is not None
    (link,) = depositors(of, exchange("hot"), reading)
    assert link.left < link.right
    assert set(link.evidence) == {payment(100), payment(150), payment(5000), payment(5020)}
    assert (link.rule, link.confidence, link.author) == ("deposit reuse", 50, "deposit-reuse/1")
    assert link.at >= 5000, "it cannot be made before both had paid"


def test_d1_the_address_itself_and_payments_of_nothing_link_nobody() -> None:
    assert linked(d1(9995 * 10**14, 150, "160 d -> d 5", "161 dust -> d 0")) == [{"u1", "u2"}]
