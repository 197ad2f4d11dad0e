"""The prices `defillama:URL`: DefiLlama's coins API, without a key on its public host; in US dollars.

https://api-docs.defillama.com: `/prices/historical/TIME/KEYS` for one moment, `/batchHistorical?coins=` for several.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from urllib.parse import quote, urlsplit

from connectors.fields import moment_in, number_in
from connectors.http.judging import as_json
from connectors.http.live import KEY
from connectors.http.network import Network
from connectors.http.pacing import Pace
from connectors.http.protocol import Request
from connectors.prices.names import llama_key
from connectors.prices.protocol import WITHIN, Price, Quoted, Wanted, only_one
from connectors.protocol import Evidence, Problem
from connectors.strict_json import parse_json
from tracer.errors import BadRow, FundtrailError, SourceSkipped
from tracer.values import Asset

DEFAULT = "https://coins.llama.fi"
PAID = f"https://pro-api.llama.fi/{KEY}/coins"
KIND = "defillama"
_TOGETHER = 50  # assets in one request: the address must not become too long


class DefiLlama:
    """Prices within `within` seconds of the moment; its own time and confidence stand with each."""

    def __init__(self, where: str, network: Network, within: int = WITHIN) -> None:
        key = network.settings.key(KIND)
        self._base = (where or network.settings.url(KIND) or (PAID if key else DEFAULT)).rstrip("/")
        self._key, self._within = key.value if key else "", within
        self._door = network.door(self.name, KIND, self._base, as_json, (Pace(5),))

    @property
    def name(self) -> str:
        """`defillama:URL`."""
        return f"{KIND}:{self._base}"

    @property
    def hosts(self) -> tuple[str, ...]:
        """The one host of the URL."""
        return (urlsplit(self._base).netloc,)

    @property
    def currency(self) -> str:
        """US dollars."""
        return "USD"

    def at(self, asset: Asset, time: int) -> Price:
        """See `Prices`."""
        return only_one(self.name, self.each([(asset, time)]), asset)

    def each(self, wanted: Wanted) -> Quoted:
        """See `Prices`: one request for each moment, or for many moments at once."""
        self._door.take()
        prices: list[Price] = []
        problems: list[Problem] = []
        known = {}
        for asset, time in dict.fromkeys(wanted):
            if key := llama_key(asset, time):
                known[asset, time] = key
            else:
                problems.append(_none(asset, time, "it is not among what DefiLlama can be asked about"))
        left = list(known)
        while left:
            some, left = left[:_TOGETHER], left[_TOGETHER:]
            try:
                found, evidence = self._ask({one: known[one] for one in some})
            except SourceSkipped as error:
                problems += [_none(asset, time, str(error)) for asset, time in some]
                continue
            for asset, time in some:
                try:
                    prices.append(self._nearest(asset, time, found.get(known[asset, time], []), evidence))
                except FundtrailError as error:
                    problems.append(_none(asset, time, str(error)))
        return Quoted(tuple(prices), self._door.take(), tuple(problems))

    def _ask(self, wanted: Mapping[tuple[Asset, int], str]) -> tuple[dict[str, list[_Told] | BadRow], Evidence]:
        moments = {time for _, time in wanted}
        hours, rest = divmod(self._within, 3600)
        params = {"searchWidth": str(self._within) if rest else f"{hours}h"}
        if len(moments) == 1:
            names = ",".join(quote(key, safe=":") for key in dict.fromkeys(wanted.values()))
            path = f"/prices/historical/{moments.pop()}/{names}"
        else:
            asked: dict[str, list[int]] = {}
            for (_, time), key in wanted.items():
                asked.setdefault(key, []).append(time)
            path, params = "/batchHistorical", {"coins": json.dumps(asked, separators=(",", ":")), **params}
        request = Request(self._base + path, params=params, secret_key=self._key)
        body = self._door.send(request).body
        evidence = Evidence(body, self.name, str(request))
        try:
            return told_in(body), evidence
        except (BadRow, UnicodeDecodeError) as error:
            raise SourceSkipped(f"{self.name}: {error}", source=self.name, request=str(request), body=body) from None

    def _nearest(self, asset: Asset, time: int, told: list[_Told] | BadRow, evidence: Evidence) -> Price:
        if isinstance(told, BadRow):
            raise told
        if not told:
            raise BadRow("it has no price then")
        told_time, amount, confidence, decimals = min(told, key=lambda one: abs(one[0] - time))
        if abs(told_time - time) > self._within:
            raise BadRow(f"its nearest price is {abs(told_time - time)} seconds off")
        if asset.contract and decimals is not None and decimals != asset.decimals:
            raise BadRow(f"it counts {decimals} decimals, the ledger {asset.decimals}: one of them is wrong")
        return Price(asset, self.currency, amount, time, told_time, self.name, confidence, evidence.id)


_Told = tuple[int, Decimal, Decimal | None, int | None]  # time, price, confidence, decimals


def told_in(body: bytes) -> dict[str, list[_Told] | BadRow]:
    """The prices in an answer of `/prices/...` or `/batchHistorical`, by DefiLlama's name, or what is wrong with them.

    Raises `BadRow` for an answer that is none.
    """
    answer = parse_json(body.decode(), "the answer", decimals=True)
    coins = answer.get("coins") if isinstance(answer, dict) else None
    if not isinstance(coins, dict):
        raise BadRow("the answer holds no coins")
    found: dict[str, list[_Told] | BadRow] = {}
    for key, record in coins.items():
        try:
            found[key] = list(_told(record))
        except BadRow as error:
            found[key] = error
    return found


def _told(record: object) -> Iterator[_Told]:
    if not isinstance(record, dict):
        raise BadRow("what it tells of it is no object")
    decimals = number_in(record, "decimals", most=255) if record.get("decimals") is not None else None
    rows = record.get("prices", [record])
    for row in rows if isinstance(rows, list) else [None]:
        if not isinstance(row, dict):
            raise BadRow("a price is no object")
        confidence = number(row["confidence"], "confidence") if row.get("confidence") is not None else None
        yield moment_in(row, "timestamp"), number(row.get("price"), "price"), confidence, decimals


def number(value: object, field: str) -> Decimal:
    """A JSON number, exactly. Raises `BadRow`."""
    if type(value) is int:
        return Decimal(value)
    if not isinstance(value, Decimal):
        raise BadRow(f"{field} is {value!r:.60}, not a number")
    return value


def _none(asset: Asset, time: int, why: str) -> Problem:
    return Problem(f"no price of {asset.name} at {time}: {why}", asset.name)


__all__ = ["DEFAULT", "KIND", "DefiLlama", "number", "told_in"]
