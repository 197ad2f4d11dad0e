"""A provider that misbehaves: a wrapper around any fake with `send`, and the same as a real server on loopback.

`Misbehaving(provider, random.Random(7), share=0.2)` spoils a fifth of its answers, each in one of `FAULTS`; the same
seed gives the same faults. `served(provider)` lets it be asked over a real connection, where it can also hang or send
a bomb.
"""

from __future__ import annotations

import json
import random
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from connectors.http.protocol import Request, Response, Transport, Unanswered
from loopback import Asked, Loopback, ResetNow, listening, reply

HTML = b"<!DOCTYPE html><html><title>Attention Required! | Cloudflare</title><body>{}</body></html>"
_NUMBER = re.compile(rb'(?<=[:\[,] )"?(?:0x[0-9a-f]+|[0-9]+)"?(?=[,\]}])|(?<=[:\[,])"?[0-9]+"?(?=[,\]}])')

Fault = Callable[["Misbehaving", Request, Response], Response]


@dataclass
class Misbehaving:
    """Spoils each answer with the chance `share`. `done` counts the faults that were played, by name."""

    inner: Transport
    chance: random.Random
    share: float = 0.1
    faults: tuple[str, ...] = ()
    done: dict[str, int] = field(default_factory=dict)
    earlier: dict[tuple[str, ...], Response] = field(default_factory=dict)

    def send(self, request: Request) -> Response:
        """The answer, or what became of it. Raises `Unanswered` for faults of the wire."""
        try:
            answer = self.inner.send(request)
        except (ValueError, KeyError, IndexError):  # what it is asked with came out of a spoilt answer
            return Response(422, b'{"message": "invalid parameter"}')
        if self.chance.random() < self.share:
            name = self.chance.choice(self.faults or tuple(FAULTS))
            spoilt = FAULTS[name](self, request, answer)
            if spoilt is not answer:
                self.done[name] = self.done.get(name, 0) + 1
            return spoilt
        if b"[{" in answer.body:
            self.earlier[_list(request)] = answer
        return answer


def _status(status: int, body: bytes, **headers: str) -> Fault:
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _, __, answer: Response(status, body, told, answer.at)


def _unanswered(text: str, **told: Any) -> Fault:
    def fault(_: Misbehaving, __: Request, answer: Response) -> Response:
        raise Unanswered(text, body=answer.body[: len(answer.body) // 2], **told)

    return fault


def _cut(self: Misbehaving, _: Request, answer: Response) -> Response:
    return replace(answer, body=answer.body[: self.chance.randrange(max(len(answer.body), 1))])


def _number(text: bytes) -> Fault:
    """One number of the answer becomes another text: what no chain can hold, or no JSON."""

    def fault(self: Misbehaving, _: Request, answer: Response) -> Response:
        found = list(_NUMBER.finditer(answer.body))
        if not found:
            return answer
        one = self.chance.choice(found)
        quoted = one[0].startswith(b'"')
        spelt = b'"' + text + b'"' if quoted and text[:1].isdigit() else text
        return replace(answer, body=answer.body[: one.start()] + spelt + answer.body[one.end() :])

    return fault


def _rows(change: Callable[[random.Random, list[Any]], list[Any]]) -> Fault:
    """What becomes of the rows of a list, wherever the list stands in the answer."""

    def fault(self: Misbehaving, _: Request, answer: Response) -> Response:
        try:
            told = json.loads(answer.body)
        except ValueError:
            return answer
        holder = told if isinstance(told, dict) else {"": told}
        for name in ("result", "data", "items", ""):
            rows = holder.get(name)
            if isinstance(rows, list) and len(rows) > 1 and isinstance(rows[0], dict):
                holder[name] = change(self.chance, rows)
                return replace(answer, body=json.dumps(told).encode())
        return answer

    return fault


def _earlier(self: Misbehaving, request: Request, answer: Response) -> Response:
    """A cache gives what it gave to another page of the same list."""
    return self.earlier.get(_list(request), answer) if request.params else answer


def _list(request: Request) -> tuple[str, ...]:
    """Which list about whom is asked for, whichever page of it."""
    return request.url, *(request.params.get(name, "") for name in ("action", "address", "topic0", "topic1", "topic2"))


def _another_chain(_: Misbehaving, __: Request, answer: Response) -> Response:
    body = re.sub(rb'("chainId": ?)"0x[0-9a-f]+"', rb'\1"0x38"', answer.body)
    body = body.replace(b"000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f", b"00" * 32)
    return replace(answer, body=body) if body != answer.body else answer


def _shuffled(chance: random.Random, rows: list[Any]) -> list[Any]:
    return chance.sample(rows, len(rows))


def _doubled(chance: random.Random, rows: list[Any]) -> list[Any]:
    at = chance.randrange(len(rows))
    return [*rows[: at + 1], *rows[at:]]


#: By name: what providers were seen to do.
FAULTS: Mapping[str, Fault] = {
    "429": _status(429, b"Too Many Requests"),
    "429, seconds": _status(429, b"slow down", retry_after="7"),
    "429, date": _status(
        429, b"slow down", retry_after="Fri, 13 Oct 2034 00:00:00 GMT", date="Thu, 12 Oct 2034 23:59:00 GMT"
    ),
    "429, an hour": _status(429, b"daily limit", retry_after="3600"),
    "500": _status(500, b"Internal Server Error"),
    "502": _status(502, HTML, content_type="text/html"),
    "hang": _unanswered("no answer in time (ReadTimeout)"),
    "reset": _unanswered("could not be reached or read: broken off (ReadError)"),
    "bomb": _unanswered("the answer is longer than 67,108,864 bytes", again=False, down=False),
    "cut": _cut,
    "page of HTML": _status(200, HTML, content_type="text/html"),
    "content type": lambda _, __, answer: replace(answer, headers={"content-type": "text/html"}),
    "nothing": _status(200, b""),
    "null": _status(200, b"null"),
    "no UTF-8": lambda _, __, answer: replace(answer, body=answer.body.replace(b'"', b'"\xff', 1)),
    "NaN": _number(b"NaN"),
    "10^80": _number(b"1" + b"0" * 80),
    "fraction": _number(b"1.5"),
    "negative": _number(b"-1"),
    "deep": _status(200, b"[" * 50_000 + b"]" * 50_000),
    "another chain": _another_chain,
    "another page": _earlier,
    "shuffled": _rows(_shuffled),
    "row twice": _rows(_doubled),
    "short page": _rows(lambda chance, rows: rows[: chance.randint(1, len(rows) - 1)]),
}  # fmt: skip


def served(
    provider: Transport, base: str, spoil: Callable[[Asked], Iterator[bytes] | None] = lambda _: None
) -> AbstractContextManager[Loopback]:
    """The provider on loopback: what comes for `/PATH` is asked of it as `base/PATH`. `spoil` may answer instead."""

    def answer(asked: Asked) -> Iterator[bytes]:
        own = spoil(asked)
        if own is not None:
            yield from own
            return
        parts = urlsplit(asked.target)
        request = Request(base + parts.path.rstrip("/"), asked.method, dict(parse_qsl(parts.query)), {}, asked.body)
        secret = {name: value for name, value in request.params.items() if name in ("apikey", "key")}
        rest = {name: value for name, value in request.params.items() if name not in secret}
        try:
            told = provider.send(replace(request, params=rest, secret_params=secret, secret_headers=asked.headers))
        except Unanswered:
            raise ResetNow from None
        yield reply(told.body, told.status, **{name.replace("-", "_"): value for name, value in told.headers.items()})

    return listening(answer)


def bomb() -> Iterator[bytes]:
    """A gzip file of 10 GB in 10 MB: one packed megabyte of nothing, over and over."""
    packing = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    yield b"HTTP/1.1 200 X\r\ncontent-encoding: gzip\r\nconnection: close\r\n\r\n" + packing.flush(zlib.Z_FULL_FLUSH)
    yield packing.compress(bytes(1 << 20)) + packing.flush(zlib.Z_FULL_FLUSH)
    megabyte = packing.compress(bytes(1 << 20)) + packing.flush(zlib.Z_FULL_FLUSH)
    for _ in range(10_000):
        yield megabyte


__all__ = ["FAULTS", "HTML", "Misbehaving", "bomb", "served"]
