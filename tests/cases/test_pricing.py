"""Prices are pinned with where they came from, stand beside amounts, and change none of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.case_file import Case
from cases.codec import price_json, price_of
from cases.pricing import moments, pin_prices_for, priced, value_of
from cases.show_values import show_values
from connectors.prices.price_file import PriceFile
from connectors.prices.protocol import Price, Quoted
from connectors.protocol import Evidence, Page, Problem
from tracer.addresses import parse
from tracer.coverage import Coverage, Kind, State
from tracer.errors import CaseConflict
from tracer.values import MAX_UNITS, Asset, Block, Chain, Leg, Transfer, TransferId

ETH = Chain.named("ethereum")
A, B = parse("0x" + "a" * 40, ETH), parse("0x" + "b" * 40, ETH)
TETHER = Asset(ETH, "0xdac17f958d2ee523a2206206994597c13d831ec7", "USDT", 6)
FAKE = Asset(ETH, "0x" + "f" * 40, "USDT", 6)
TX = "0x" + "1" * 64
T = 1_680_612_831
BODY = Evidence(b'{"coins":{}}', "defillama:x", "GET x")


def price(amount: str, asset: Asset = ETH.coin, time: int = T, source: str = "defillama:x") -> Price:
    return Price(asset, "USD", Decimal(amount), T, time, source, Decimal("0.99"), BODY.id)


def pinned(*prices: Price) -> Quoted:
    return Quoted(prices, (BODY,), (Problem("no price of X", "X"),))


def end(asset: Asset, units: int, transfers: list[str] | None = None) -> dict[str, Any]:
    ids = [f"ethereum:{TX}:tx"] if transfers is None else transfers
    return {
        "address": B.text, "holding": None, "asset": asset.name, "symbol": asset.symbol, "decimals": asset.decimals,
        "amounts": {"fifo": str(units), "lifo": "0"}, "least": "0", "most": str(units), "transfers": ids,
    }  # fmt: skip


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    with Case.create(tmp_path / "a.fundtrail", at=T, tool="0") as made:
        legs = (Leg.slot(A, ETH.coin, 5),), (Leg.slot(B, ETH.coin, 5),)
        paid = Transfer(TransferId(ETH, TX), Block(7, T), 0, ETH.coin, *legs, (BODY.id,))
        read = Coverage(B, State.READ, frozenset({Kind.NATIVE}), "x", BODY.id, last=9)
        made.store_page("x:y", B, Page((paid,), "", BODY, read), at=T)
        yield made


def test_prices_are_kept_with_their_answers_and_the_same_again_change_nothing(case: Case) -> None:
    case.pin_prices(pinned(price("1799.120"), price("0.9998", TETHER)), at=T)
    head = case.head
    case.pin_prices(pinned(price("1799.120"), price("0.9998", TETHER)), at=T + 9)
    assert case.head == head
    assert case.prices() == (price("1799.120"), price("0.9998", TETHER))
    assert str(case.prices()[0].amount) == "1799.120"
    assert case.evidence(case.prices()[0].evidence).body == BODY.body
    assert case.log()[-1].kind == "prices"
    assert case.log()[-1].body["source"] == "defillama:x"
    assert case.log()[-1].body["without"] == [["no price of X", "X"]]
    assert case.verify(case.head) == []


def test_a_price_that_somebody_changed_is_found(case: Case) -> None:
    case.pin_prices(pinned(price("1799")), at=T)
    with closing(sqlite3.connect(case.path)) as db, db:
        db.execute("DROP TRIGGER prices_keeps_update")
        db.execute("UPDATE prices SET body = replace(body, '1799', '1798')")
    assert any("prices" in problem.where for problem in case.verify())


def test_a_price_whose_evidence_was_taken_away_is_named(case: Case) -> None:
    other = Evidence(b"{}", "defillama:x", "GET y")
    figure = Price(ETH.coin, "USD", Decimal(1), T, T, "defillama:x", None, other.id)
    case.pin_prices(Quoted((figure,), (other,)), at=T)
    with closing(sqlite3.connect(case.path)) as db, db:
        db.execute("DROP TRIGGER evidence_keeps_delete")
        db.execute("DELETE FROM evidence WHERE id = ?", (other.id,))
    assert any(problem.text.startswith("a row of prices cites") for problem in case.verify())


def test_a_price_without_the_bytes_it_cites_is_refused(case: Case) -> None:
    other = Price(ETH.coin, "USD", Decimal(1), T, T, "x", None, "sha256:" + "0" * 64)
    with pytest.raises(CaseConflict, match="not given"):
        case.pin_prices(Quoted((other,), ()), at=T)
    assert case.prices() == ()


def test_what_an_answer_rests_on_does_not_change_with_prices(case: Case) -> None:
    before, ledger = case.facts_hash({}), list(case.ledger().transfers)
    case.pin_prices(pinned(price("1799")), at=T)
    assert case.facts_hash({}) == before
    assert list(case.ledger().transfers) == ledger


def test_an_end_is_valued_exactly_with_its_price_and_when_that_was(case: Case) -> None:
    case.pin_prices(pinned(price("1799.123456789012345678", time=T - 60)), at=T)
    told = priced(case, {"ends": [end(ETH.coin, 2**128 + 1)]})
    (row,) = told["ends"]
    exact = Fraction(2**128 + 1) * Fraction("1799.123456789012345678") / 10**18
    assert Fraction(row["value"]["fifo"]) == exact
    assert row["value"]["lifo"] == "0"
    assert (row["price"], row["price_time"], row["price_source"]) == ("1799.123456789012345678", T - 60, "defillama:x")
    assert (row["confidence"], row["evidence"], row["at"], row["why_not"]) == ("0.99", BODY.id, T, "")
    assert row["most"] == row["value"]["fifo"]
    assert told["totals"] == {"fifo": row["value"]["fifo"], "lifo": "0"}
    assert told["not_valued"] == 0


@pytest.mark.parametrize(
    ("asset", "prices", "why"),
    [
        (FAKE, [price("1", TETHER)], "no price of this asset"),
        (TETHER, [price("1", FAKE)], "no price of this asset"),
        (Asset(Chain.named("base"), "", "ETH", 18), [price("1799")], "no price of this asset"),
        (ETH.coin, [price("1799", time=T - 86_401)], "for that moment"),
        (Asset(ETH, TETHER.contract, "USDT", 18), [price("1", TETHER)], "decimals"),
        (ETH.coin, [], "no price of this asset"),
    ],
)
def test_what_only_looks_alike_has_no_value(case: Case, asset: Asset, prices: list[Price], why: str) -> None:
    case.pin_prices(pinned(*prices), at=T)
    told = priced(case, {"ends": [end(asset, 10**20)]})
    assert told["ends"][0]["value"] == {}
    assert why in told["ends"][0]["why_not"]
    assert (told["totals"], told["not_valued"]) == ({}, 1)


def test_an_end_without_a_known_arrival_has_no_value(case: Case) -> None:
    case.pin_prices(pinned(price("1799")), at=T)
    told = priced(case, {"ends": [end(ETH.coin, 5, []), end(ETH.coin, 5, ["ethereum:0x" + "2" * 64 + ":tx"])]})
    assert told["not_valued"] == 2
    assert moments(case, {"ends": [end(ETH.coin, 5, [])]}) == []


def test_the_nearest_price_counts_and_other_sources_stand_beside_it(case: Case) -> None:
    case.pin_prices(pinned(price("1700", time=T - 3600, source="coingecko:y"), price("1800", time=T - 60)), at=T)
    (row,) = priced(case, {"ends": [end(ETH.coin, 10**18)]})["ends"]
    assert row["value"]["fifo"] == "1800"
    assert row["other_prices"] == [{"price": "1700", "price_time": T - 3600, "price_source": "coingecko:y"}]


def test_another_currency_is_not_mixed_in(case: Case) -> None:
    case.pin_prices(pinned(price("1800")), at=T)
    assert priced(case, {"ends": [end(ETH.coin, 10**18)]}, "EUR")["not_valued"] == 1


def test_what_an_answer_needs_is_asked_of_a_source_and_pinned(case: Case, tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text(f"asset,time,price,currency,source\nethereum,{T},1800.5,USD,expert\n")
    answer = {"ends": [end(ETH.coin, 10**18), end(ETH.coin, 2), end(FAKE, 9)]}
    quoted = pin_prices_for(case, PriceFile(path), answer, at=T)
    assert len(quoted.prices) == 1
    assert len(quoted.problems) == 1
    told = priced(case, answer)
    assert [row["value"].get("fifo") for row in told["ends"]] == ["1800.5", "0.000000000000003601", None]
    assert told["not_valued"] == 1
    assert case.verify(case.head) == []


def test_values_are_shown_with_price_source_and_time_and_what_has_none_is_counted(case: Case) -> None:
    case.pin_prices(pinned(price("1800.005", source="defillama:\x1b[31mx")), at=T)
    text = show_values(priced(case, {"ends": [end(ETH.coin, 10**21), end(FAKE, 7), end(FAKE, 8)]}))
    assert "1,800,005.00" in text
    assert "2023-04-04 12:53" in text
    assert "defillama:\\x1b[31mx" in text
    assert "Without a value: 2 of 3 ends: no price of this asset is pinned." in text
    assert "1,800,005.00" not in show_values(priced(case, {"ends": [end(FAKE, 7)]}))


@given(
    st.integers(1, 10**40), st.integers(-40, 20), st.integers(0, MAX_UNITS), st.integers(0, 36),
    st.none() | st.integers(0, 99),
)  # fmt: skip
def test_a_price_and_what_it_makes_of_an_amount_survive_writing_exactly(
    digits: int, exponent: int, units: int, decimals: int, confidence: int | None
) -> None:
    sure = None if confidence is None else Decimal(confidence) / 100
    made = Price(TETHER, "USD", Decimal(digits).scaleb(exponent), T, T, "x", sure, "sha256:0")
    again = price_of(dict(price_json(made)))
    assert again == made
    assert str(again.amount) == str(made.amount)
    exact = Fraction(units) * Fraction(made.amount) / 10**decimals
    assert Fraction(value_of(units, decimals, made.amount)) == exact
