"""A small live source for tests of everything around a source: pages of JSON rows from a server on loopback.

`GET /tip` tells the newest block, `GET /rows?address=A&from=N` the rows of a page and where the next one begins.
`open_small("http://127.0.0.1:PORT", network)` is the connector, `answering(world)` what such a server says.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from connectors.http.judging import as_json
from connectors.http.network import Network
from connectors.http.protocol import Request
from connectors.protocol import Page
from connectors.strict_json import parse_json
from connectors.window import Window
from loopback import Asked, reply
from notation import ETHEREUM
from tracer.addresses import parse
from tracer.coverage import Kind
from tracer.errors import BadRow, SourceSkipped
from tracer.values import Address, Block, Chain, Leg, Transfer, TransferId

ROWS = 2
TIP = 1_000


@dataclass(frozen=True, slots=True)
class Row:
    """One payment of the world that the server tells of."""

    tx: str
    block: int
    payer: str
    payee: str
    units: int


def answering(world: Iterable[Row], rows: int = ROWS) -> Callable[[Asked], Iterator[bytes]]:
    """What a server of this source says of `world`."""
    world = sorted(world, key=lambda row: row.block)

    def answer(asked: Asked) -> Iterator[bytes]:
        parts = urlsplit(asked.target)
        told: Any = {"number": TIP, "hash": "0x" + "ab" * 32, "time": 1_700_000_000}
        if parts.path == "/rows":
            query = {name: value for name, (value, *_) in parse_qs(parts.query).items()}
            mine = [row for row in world if query["address"] in (row.payer, row.payee)]
            start = int(query["from"])
            page = [[row.tx, row.block, row.payer, row.payee, str(row.units)] for row in mine[start : start + rows]]
            told = {"rows": page, "next": start + rows if start + rows < len(mine) else None}
        yield reply(json.dumps(told).encode(), content_type="application/json")

    return answer


class SmallSource:
    """See the module."""

    def __init__(self, where: str, network: Network, chain: Chain | None = None) -> None:
        self._where, self._name = where, f"small:{where}"
        key = network.settings.key("rpc")
        self._key = {"x-api-key": key.value, "authorization": f"Bearer {key.value}"} if key else {}
        self._params = {"apikey": key.value} if key else {}
        self._door = network.door(self._name, "rpc", where, as_json)

    @property
    def name(self) -> str:
        return self._name

    @property
    def chains(self) -> frozenset[Chain]:
        return frozenset({ETHEREUM})

    def history(self, address: Address, after: str = "") -> Iterator[Page]:
        self._door.take()  # what an earlier reading left behind belongs to no page of this one
        if after:
            window, rest = Window.of(after)
            start, count = int(rest["from"]), int(rest["count"])
        else:
            tip = self._ask("/tip")
            window = Window(0, tip["number"], tip["hash"], tip["number"] - 10, tip["time"])
            start = count = 0
        while True:
            told = self._ask("/rows", address=address.text, **{"from": str(start)})
            *also, evidence = self._door.take()
            rows = tuple(_transfer(row, f"{evidence.id}#{at}") for at, row in enumerate(told["rows"]))
            count += len(rows)
            if told["next"] is None:
                coverage = window.coverage(address, Kind, self._name, rows=count, evidence=evidence.id)
                yield Page(rows, "", evidence, coverage, also=tuple(also))
                return
            start = told["next"]
            yield Page(rows, window.cursor(**{"from": start, "count": count}), evidence, None, also=tuple(also))

    def _ask(self, path: str, **params: str) -> dict[str, Any]:
        request = Request(
            self._where + path, params=params, secret_params=self._params, secret_headers=self._key
        )  # fmt: skip
        response = self._door.send(request)
        try:
            told = parse_json(response.body.decode(), "answer")
        except (BadRow, UnicodeDecodeError) as error:
            raise SourceSkipped(
                f"{self._name}: {error}", source=self._name, request=str(request), body=response.body
            ) from None
        if not isinstance(told, dict):
            raise SourceSkipped(f"{self._name}: no object", source=self._name, request=str(request))
        return told


def _transfer(row: list[Any], cited: str) -> Transfer:
    tx, block, payer, payee, units = row
    legs = [Leg.slot(parse(who, ETHEREUM), ETHEREUM.coin, int(units)) for who in (payer, payee)]
    where = Block(block, 1_600_000_000 + 12 * block)
    return Transfer(TransferId(ETHEREUM, tx), where, 0, ETHEREUM.coin, (legs[0],), (legs[1],), (cited,))


__all__ = ["ROWS", "Row", "SmallSource", "answering"]
