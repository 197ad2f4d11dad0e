"""The prices `coingecko:URL`: CoinGecko's daily price of a coin or token, at 0:00 UTC of the day asked about.

Its free plan goes back 365 days and no further (https://docs.coingecko.com); older days need DefiLlama, a paid key, or
a file of one's own. A token is looked up by chain and contract, which gives CoinGecko's name of it; then comes the day.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import urlsplit

from connectors.fields import plain
from connectors.http.judging import Skip, Stop, Verdict, as_json
from connectors.http.network import Network
from connectors.http.pacing import Pace
from connectors.http.protocol import Request, Response
from connectors.prices.defillama import number
from connectors.prices.names import coin_id, gecko_contract
from connectors.prices.protocol import Price, Quoted, Wanted, only_one
from connectors.protocol import Evidence, Problem
from connectors.strict_json import parse_json
from tracer.errors import BadRow, FundtrailError, SourceSkipped, SourceUnusable
from tracer.values import Asset

DEFAULT = "https://api.coingecko.com/api/v3"
KIND = "coingecko"
DAY = 86400
FREE_DAYS = 365
_PAID_HOST = "pro-api.coingecko.com"
_ID = re.compile(r"[a-z0-9._-]{1,100}", re.IGNORECASE)


class CoinGecko:
    """Prices of the day. With the URL `https://pro-api.coingecko.com/api/v3` the key is one of a paid plan."""

    def __init__(self, where: str, network: Network, currency: str = "USD") -> None:
        self._base = (where or network.settings.url(KIND) or DEFAULT).rstrip("/")
        key = network.settings.key_at(KIND, self._base, DEFAULT, f"https://{_PAID_HOST}")
        self._paid = urlsplit(self._base).netloc.lower() == _PAID_HOST
        self._currency, self._clock = currency.upper(), network.clock
        header = "x-cg-pro-api-key" if self._paid else "x-cg-demo-api-key"
        self._secret = {header: key.value} if key else {}
        self._door = network.door(
            self.name, KIND, self._base, judge, (Pace(5 if self._paid else 1, 1 if self._paid else 3),)
        )
        self._ids: dict[tuple[str, str], tuple[str, Evidence]] = {}

    @property
    def name(self) -> str:
        """`coingecko:URL`."""
        return f"{KIND}:{self._base}"

    @property
    def hosts(self) -> tuple[str, ...]:
        """The one host of the URL."""
        return (urlsplit(self._base).netloc,)

    @property
    def currency(self) -> str:
        """As chosen."""
        return self._currency

    def at(self, asset: Asset, time: int) -> Price:
        """See `Prices`."""
        return only_one(self.name, self.each([(asset, time)]), asset)

    def each(self, wanted: Wanted) -> Quoted:
        """See `Prices`: one request for each coin and day, one more for each token."""
        self._door.take()
        prices: list[Price] = []
        problems: list[Problem] = []
        days: dict[tuple[str, int], tuple[Mapping[str, object], Evidence]] = {}
        extra: dict[str, Evidence] = {}
        for asset, time in dict.fromkeys(wanted):
            try:
                self._require_reach(time)
                known = coin_id(asset, time) or self._id_of(asset, extra)
                day = time - time % DAY
                if (known, day) not in days:
                    days[known, day] = self._day(known, day)
                record, evidence = days[known, day]
                amount = price_in(record, known, self._currency)
                prices.append(Price(asset, self._currency, amount, time, day, self.name, None, evidence.id))
            except SourceUnusable:
                raise
            except FundtrailError as error:
                problems.append(Problem(f"no price of {asset.name} at {time}: {error}", asset.name))
        kept = {one.id: one for one in (*self._door.take(), *extra.values())}
        return Quoted(tuple(prices), tuple(kept.values()), tuple(problems))

    def _require_reach(self, time: int) -> None:
        if not self._paid and self._clock.now() - time > FREE_DAYS * DAY:
            raise BadRow(f"CoinGecko's free plan reaches back {FREE_DAYS} days only", "ask DefiLlama")

    def _id_of(self, asset: Asset, extra: dict[str, Evidence]) -> str:
        """CoinGecko's name of the token at that contract."""
        platform, contract = gecko_contract(asset)
        if not platform:
            raise BadRow("it is not among what CoinGecko can be asked about")
        if (platform, contract) not in self._ids:
            record, evidence = self._get(f"/coins/{platform}/contract/{contract}", {})
            found = record.get("id")
            if not isinstance(found, str) or not _ID.fullmatch(found):
                raise BadRow(f"its answer names no coin: {plain(found, 60)!r}")
            _require_decimals(record, platform, asset)
            self._ids[platform, contract] = found, evidence
        found, evidence = self._ids[platform, contract]
        extra[evidence.id] = evidence
        return found

    def _day(self, known: str, day: int) -> tuple[Mapping[str, object], Evidence]:
        date = datetime.fromtimestamp(day, UTC).strftime("%d-%m-%Y")
        return self._get(f"/coins/{known}/history", {"date": date, "localization": "false"})

    def _get(self, path: str, params: Mapping[str, str]) -> tuple[Mapping[str, object], Evidence]:
        request = Request(self._base + path, params=params, secret_headers=self._secret)
        body = self._door.send(request).body
        try:
            answer = parse_json(body.decode(), "the answer", decimals=True)
        except (BadRow, UnicodeDecodeError) as error:
            raise SourceSkipped(f"{self.name}: {error}", source=self.name, request=str(request), body=body) from None
        if not isinstance(answer, dict):
            raise SourceSkipped(f"{self.name}: no object", source=self.name, request=str(request), body=body)
        return answer, Evidence(body, self.name, str(request))


def _require_decimals(record: Mapping[str, object], platform: str, asset: Asset) -> None:
    """Refuse a token whose decimals CoinGecko tells otherwise: its price would be of another whole unit."""
    details = record.get("detail_platforms")
    told = details.get(platform) if isinstance(details, dict) else None
    decimals = told.get("decimal_place") if isinstance(told, dict) else None
    if decimals is not None and decimals != asset.decimals:
        raise BadRow(f"it counts {plain(decimals, 20)} decimals, the ledger {asset.decimals}: one of them is wrong")


def price_in(record: Mapping[str, object], known: str, currency: str) -> Decimal:
    """The price in an answer of `/coins/ID/history`. Raises `BadRow`; a coin too young has no `market_data`."""
    if record.get("id") != known:
        raise BadRow(f"asked about {known}, it answered about {plain(record.get('id'), 60)!r}")
    market = record.get("market_data")
    prices = market.get("current_price") if isinstance(market, dict) else None
    if not isinstance(prices, dict) or prices.get(currency.lower()) is None:
        raise BadRow(f"it has no price in {currency} on that day")
    return number(prices[currency.lower()], "current_price")


def judge(response: Response) -> Verdict:
    """A day out of reach comes as a refusal (401), and is none of the key."""
    text = response.body[:2000].decode(errors="replace")
    if response.status == 401 and ("10012" in text or "allowed time range" in text):
        return Skip(plain(text))
    if response.status == 403 and "10005" in text:
        return Stop(plain(text), "the request needs a paid plan")
    return as_json(response)


__all__ = ["DEFAULT", "FREE_DAYS", "KIND", "CoinGecko", "judge", "price_in"]
