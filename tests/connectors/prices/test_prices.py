"""Prices: exact, with their own time and source, of the asset asked about and of no other."""

from __future__ import annotations

import gzip
import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from connectors.contract import signature_differences
from connectors.http.network import Network
from connectors.http.protocol import Request, Response
from connectors.prices.coingecko import CoinGecko, price_in
from connectors.prices.defillama import DefiLlama, told_in
from connectors.prices.names import COINS, coin_id, gecko_contract, llama_key
from connectors.prices.opening import KINDS, open_prices
from connectors.prices.price_file import PriceFile
from connectors.prices.protocol import Price, Prices
from connectors.settings import Settings
from connectors.strict_json import parse_json
from tracer.errors import BadRow, InputError, SourceSkipped, SourceUnusable
from tracer.values import CHAINS, Asset, Chain
from virtual_clock import VirtualClock

ETH, TRON = Chain.named("ethereum"), Chain.named("tron")
USDT = Asset(TRON, "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", "USDT", 6)
TETHER = Asset(ETH, "0xdac17f958d2ee523a2206206994597c13d831ec7", "USDT", 6)
T = 1_680_612_831
RECORDED = (
    Path(__file__).parents[3].parent / "shared" / "data" / "api-fixtures" / "rotki-recordings" / "prices.jsonl.gz"
)
_ABSENT = not RECORDED.exists() and os.environ.get("CI") != "true"
needs_recorded = pytest.mark.skipif(_ABSENT, reason="the recorded prices are not beside the repository")


class Answers:
    """A transport that answers by path and keeps what was asked."""

    def __init__(self, *answers: tuple[str, Any]) -> None:
        self._answers = answers
        self.asked: list[Request] = []

    def send(self, request: Request) -> Response:
        self.asked.append(request)
        for part, answer in self._answers:
            if part in request.url:
                if isinstance(answer, Response):
                    return answer
                return Response(200, answer if isinstance(answer, bytes) else json.dumps(answer).encode())
        return Response(404, b'{"error":"coin not found"}')


def llama(*answers: tuple[str, Any], **environ: str) -> tuple[DefiLlama, Answers]:
    transport = Answers(*answers)
    return DefiLlama("", Network(Settings(environ), transport=transport, clock=VirtualClock())), transport


def gecko(
    *answers: tuple[str, Any], now: int = T + 86400, where: str = "", **environ: str
) -> tuple[CoinGecko, Answers]:
    transport = Answers(*answers)
    return CoinGecko(where, Network(Settings(environ), transport=transport, clock=VirtualClock(now))), transport


def coin(price: str, **more: object) -> bytes:
    record = {"price": 0, "timestamp": T - 40, "symbol": "x", **more}
    return json.dumps(record).replace('"price": 0', f'"price": {price}').encode()


def answer(**coins: bytes) -> bytes:
    inner = b",".join(json.dumps(key).encode() + b":" + body for key, body in coins.items())
    return b'{"coins":{' + inner + b"}}"


@pytest.mark.parametrize("source", [DefiLlama, CoinGecko, PriceFile])
def test_every_source_of_prices_keeps_the_protocol(source: type) -> None:
    assert signature_differences(Prices, source) == []


def test_a_price_is_read_digit_by_digit_with_its_own_time() -> None:
    digits = "1799.1234567890123456789012345678901"
    prices, transport = llama(("/prices/historical/", answer(**{"coingecko:ethereum": coin(digits, confidence=0.99)})))
    price = prices.at(ETH.coin, T)
    assert price.amount == Decimal(digits)
    assert str(price.amount) == digits
    assert (price.asked, price.time, price.currency) == (T, T - 40, "USD")
    assert (price.source, price.confidence) == ("defillama:https://coins.llama.fi", Decimal("0.99"))
    assert price.evidence.startswith("sha256:")
    assert f"/prices/historical/{T}/coingecko:ethereum" in transport.asked[0].url


def test_several_moments_are_asked_in_one_request_and_each_gets_its_nearest() -> None:
    told = {"prices": [{"timestamp": T + hour * 3600, "price": 1 + hour, "confidence": 1} for hour in range(5)]}
    prices, transport = llama(("/batchHistorical", {"coins": {"coingecko:ethereum": told}}))
    quoted = prices.each([(ETH.coin, T + 3500), (ETH.coin, T + 7300), (ETH.coin, T + 7300)])
    assert [(one.time - T, one.amount) for one in quoted.prices] == [(3600, Decimal(2)), (7200, Decimal(3))]
    assert len(transport.asked) == 1
    asked = parse_json(transport.asked[0].params["coins"], "asked")
    assert asked == {"coingecko:ethereum": [T + 3500, T + 7300]}
    assert {price.evidence for price in quoted.prices} == {one.id for one in quoted.evidence}


def test_an_asset_is_asked_about_by_chain_and_contract_and_never_by_symbol() -> None:
    fake = Asset(TRON, "TXL6rJbvmjD46zeN1JssfgxvSo99qC8MRT", "USDT", 6)
    known = answer(**{f"tron:{USDT.contract}": coin("1", decimals=6), "coingecko:tether": coin("1")})
    prices, _ = llama(("/prices/", known))
    quoted = prices.each([(USDT, T), (fake, T), (Asset(TRON, "1002000", "USDT", 6), T)])
    assert [price.asset for price in quoted.prices] == [USDT]
    assert len(quoted.problems) == 2
    with pytest.raises(SourceSkipped, match="no price"):
        prices.at(fake, T)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (coin("1", timestamp=T - 10**6), "seconds off"),
        (coin("1", decimals=18), "decimals"),
        (coin("0"), "no price"),
        (coin("-1"), "no price"),
        (coin("1e-70"), "places"),
        (coin('"1"'), "not a number"),
        (coin("true"), "not a number"),
        (coin("null"), "not a number"),
        (coin("1", timestamp="x"), "timestamp"),
        (b"7", "no object"),
        (b'{"prices":7}', "no object"),
    ],
)
def test_a_price_that_is_none_leaves_only_its_own_asset_without_a_value(body: bytes, said: str) -> None:
    told = answer(**{f"tron:{USDT.contract}": body, "coingecko:ethereum": coin("1800")})
    quoted = llama(("/prices/", told))[0].each([(USDT, T), (ETH.coin, T)])
    assert [price.asset for price in quoted.prices] == [ETH.coin]
    (problem,) = quoted.problems
    assert said in problem.text


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b'{"coins":[]}', b'{"coins":{"a":{"price":NaN}}}', b"[]", b'{"coins":{"a":1,"a":2}}']
)
def test_an_answer_that_is_none_gives_no_price(body: bytes) -> None:
    quoted = llama(("/prices/", body))[0].each([(ETH.coin, T)])
    assert quoted.prices == ()
    assert len(quoted.problems) == 1


def test_a_paid_key_travels_in_the_path_and_stands_nowhere() -> None:
    told = answer(**{"coingecko:ethereum": coin("1800")})
    prices, transport = llama(("/prices/", told), DEFILLAMA_API_KEY="canary-4711")
    price = prices.at(ETH.coin, T)
    assert transport.asked[0].secret_key == "canary-4711"
    assert "pro-api.llama.fi/{key}/coins/prices" in transport.asked[0].url
    assert "canary" not in repr(price) + prices.name + repr(prices.each([(ETH.coin, T)])) + str(transport.asked[0])


def test_coingecko_tells_the_days_price_with_the_days_time() -> None:
    record = {"id": "ethereum", "market_data": {"current_price": {"usd": 1, "eur": 2}}}
    body = json.dumps(record).replace('"usd": 1', '"usd": 1870.0123456789012345').encode()
    prices, transport = gecko(("/coins/ethereum/history", body), COINGECKO_API_KEY="canary")
    price = prices.at(ETH.coin, T)
    assert price.amount == Decimal("1870.0123456789012345")
    assert (price.time, price.confidence) == (T - T % 86400, None)
    assert transport.asked[0].params["date"] == "04-04-2023"
    assert transport.asked[0].secret_headers == {"x-cg-demo-api-key": "canary"}
    euros = CoinGecko("", Network(transport=Answers(("", body)), clock=VirtualClock(T)), "eur")
    assert (euros.at(ETH.coin, T).amount, euros.currency) == (Decimal(2), "EUR")


def test_a_token_is_found_by_its_contract_and_its_decimals_must_agree() -> None:
    day = ("/coins/tether/history", {"id": "tether", "market_data": {"current_price": {"usd": 1}}})
    for decimals, found in ((6, 1), (18, 0)):
        told = {"id": "tether", "detail_platforms": {"ethereum": {"decimal_place": decimals}}}
        prices, transport = gecko((f"/coins/ethereum/contract/{TETHER.contract}", told), day)
        quoted = prices.each([(TETHER, T), (TETHER, T + 60)])
        assert len(quoted.prices) == 2 * found
        assert len(transport.asked) == 2 if found else 1
        assert {price.evidence for price in quoted.prices} <= {one.id for one in quoted.evidence}


def test_the_free_plan_is_not_asked_about_what_it_does_not_reach() -> None:
    day = {"id": "ethereum", "market_data": {"current_price": {"usd": 1}}}
    prices, transport = gecko(("/history", day), now=T + 366 * 86400)
    with pytest.raises(SourceSkipped, match="365 days"):
        prices.at(ETH.coin, T)
    assert transport.asked == []
    paid, transport = gecko(
        ("/history", day), now=T + 366 * 86400, where="https://pro-api.coingecko.com/api/v3", COINGECKO_API_KEY="k-paid"
    )
    assert paid.at(ETH.coin, T).amount == 1
    assert transport.asked[0].secret_headers == {"x-cg-pro-api-key": "k-paid"}


@pytest.mark.parametrize(
    "record",
    [
        {"id": "bitcoin", "market_data": {"current_price": {"usd": 1}}},
        {"id": "ethereum"},
        {"id": "ethereum", "market_data": {"current_price": {"eur": 1}}},
        {"id": "ethereum", "market_data": {"current_price": {"usd": None}}},
        {"id": "ethereum", "market_data": {"current_price": {"usd": "1"}}},
    ],
)
def test_another_coin_or_no_figure_is_no_price(record: dict[str, object]) -> None:
    with pytest.raises(SourceSkipped):
        gecko(("/history", record))[0].at(ETH.coin, T)


@pytest.mark.parametrize("where", ["https://evil.example/api/v3", "https://evil.example/pro-api.coingecko.com"])
def test_a_key_goes_to_coingecko_and_to_no_address_that_is_written_behind_the_colon(where: str) -> None:
    day = Response(200, b'{"id":"ethereum","market_data":{"current_price":{"usd":1.5}}}')
    prices, transport = gecko(("/history", day), where=where, COINGECKO_API_KEY="canary")
    prices.each([(ETH.coin, T)])
    assert [asked.secret_headers for asked in transport.asked] == [{}]


def test_a_refused_key_stops_and_a_day_out_of_reach_does_not() -> None:
    far = Response(401, b'{"error":{"status":{"error_code":10012,"error_message":"exceeds the allowed time range"}}}')
    assert gecko(("/history", far))[0].each([(ETH.coin, T)]).prices == ()
    with pytest.raises(SourceUnusable):
        gecko(("/history", Response(401, b'{"error":"invalid key"}')))[0].at(ETH.coin, T)


def test_every_chains_coin_has_a_name_and_no_two_coins_share_one_by_mistake() -> None:
    for chain in CHAINS.values():
        assert coin_id(chain.coin, T), chain
        assert llama_key(chain.coin, T) == f"coingecko:{coin_id(chain.coin, T)}"
    same = [chain for chain in CHAINS.values() if COINS.get(chain.name) == "ethereum"]
    assert {chain.symbol for chain in same} == {"ETH"}
    pol = Chain.named("polygon").coin
    assert [coin_id(pol, time) for time in (T, 1_790_000_000)] == ["matic-network", "polygon-ecosystem-token"]
    assert gecko_contract(Asset(TRON, "1002000")) == ("", "")


HEAD = "asset,time,price,currency,source\n"


def test_a_file_of_ones_own_gives_the_nearest_price_of_that_identity(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    rows = f"ethereum,{T},1800.50,USD,expert report 4\nethereum,{T + 7200},1900,USD,expert report 4\n"
    rows += f"tron/{USDT.contract},2023-04-04T12:00:00Z,0.99987,USD,bank\n"
    path.write_text(HEAD + rows)
    prices = open_prices(f"csv:{path}")
    assert prices.at(ETH.coin, T + 3000).amount == Decimal("1800.50")
    assert prices.at(ETH.coin, T + 5000).amount == 1900
    assert prices.at(ETH.coin, T).source == f"csv:{path} (expert report 4)"
    assert prices.at(USDT, T).amount == Decimal("0.99987")
    for asset in (Asset(TRON, "TXL6rJbvmjD46zeN1JssfgxvSo99qC8MRT", "USDT", 6), Chain.named("base").coin):
        with pytest.raises(SourceSkipped, match="none"):
            prices.at(asset, T)
    with pytest.raises(SourceSkipped, match="seconds off"):
        prices.at(ETH.coin, T + 10**6)
    quoted = prices.each([(ETH.coin, T)])
    assert quoted.evidence[0].body == (HEAD + rows.splitlines()[0] + "\n").encode()


@pytest.mark.parametrize(
    "row",
    [
        f"USDT,{T},1,USD,x",
        f"ethereum,{T},1.5e3,USD,x",
        f'ethereum,{T},"1,800",USD,x',
        f"ethereum,{T},0,USD,x",
        f"ethereum,{T},-1,USD,x",
        f"ethereum,{T},NaN,USD,x",
        f"ethereum,{T},1,dollars,x",
        f"ethereum,{T},1,USD,",
        "ethereum,2023-04-04 12:00,1,USD,x",
        f"tron/USDT,{T},1,USD,x",
        f"ethereum,{T},1,USD",
    ],
)
def test_a_row_that_says_no_price_is_a_problem_with_its_line(tmp_path: Path, row: str) -> None:
    path = tmp_path / "p.csv"
    path.write_text(HEAD + f"ethereum,{T},7,USD,x\n" + row + "\n")
    quoted = open_prices(f"csv:{path}").each([(ETH.coin, T)])
    assert [price.amount for price in quoted.prices] == [7]
    assert [problem.where for problem in quoted.problems] == ["p.csv, line 3"]


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    for text in ("", "asset,price\n", HEAD + f"ethereum,{T},1,USD,x\nethereum,{T},1,EUR,x\n"):
        path.write_text(text)
        with pytest.raises(InputError):
            open_prices(f"csv:{path}")
    with pytest.raises(InputError, match="does not say where"):
        open_prices("csv:")
    assert set(KINDS) == {"csv", "defillama", "coingecko"}
    assert open_prices("coingecko:", Network(transport=Answers())).name.startswith("coingecko:https://api.")


@pytest.mark.parametrize("amount", ["0", "-1", "NaN", "Infinity", "1E+70", "1E-70"])
def test_a_price_cannot_be_made_of_what_is_none(amount: str) -> None:
    with pytest.raises(BadRow):
        Price(ETH.coin, "USD", Decimal(amount), T, T, "x", None, "sha256:0")


@needs_recorded
def test_every_recorded_answer_of_defillama_and_coingecko_parses() -> None:
    read = {"coins.llama.fi": 0, "api.coingecko.com": 0}
    with gzip.open(RECORDED, "rt") as stream:
        for line in stream:
            record = json.loads(line)
            parts, body = urlsplit(record["uri"]), record["response"].encode()
            if parts.netloc == "coins.llama.fi":
                asked = parts.path.rpartition("/")[2].split(",")
                told = told_in(body)
                assert set(told) <= set(asked)
                assert not [one for one in told.values() if isinstance(one, BadRow)]
            elif parts.netloc == "api.coingecko.com" and parts.path.endswith("/history"):
                answered = parse_json(record["response"], "recorded", decimals=True)
                assert isinstance(answered, dict)
                assert price_in(answered, parts.path.split("/")[-2], "USD") > 0
            else:
                continue
            read[parts.netloc] += 1
    assert read["coins.llama.fi"] > 30
    assert read["api.coingecko.com"] >= 1


@needs_recorded
def test_a_recorded_price_of_2020_comes_out_as_it_was_told() -> None:
    """BNB on 2020-11-03 21:12:59 UTC, as DefiLlama answered in November 2025: 26.765469766407215 at 21:08:09."""
    with gzip.open(RECORDED, "rt") as stream:
        told = next(json.loads(line)["response"] for line in stream if "historical/1604437979" in line)
    price = llama(("/prices/historical/1604437979/coingecko:binancecoin", told.encode()))[0].at(
        Chain.named("bsc").coin, 1_604_437_979
    )
    assert (str(price.amount), price.time, price.confidence) == ("26.765469766407215", 1_604_437_689, None)


def test_the_file_of_prices_that_the_page_shows_is_read(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "prices.md").read_text()
    (tmp_path / "p.csv").write_text(page.partition("```csv\n")[2].partition("```")[0])
    prices = PriceFile(tmp_path / "p.csv")
    assert prices.problems == []
    assert prices.at(ETH.coin, 1648042149).amount == Decimal("3001.25")
    assert prices.at(USDT, 1648042149).source.endswith("(central bank)")
