"""What goes through the seam: a request that shows no secret, an answer as raw bytes, and `send` between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlencode, urlsplit


@dataclass(frozen=True, slots=True)
class Request:
    """One request. What is secret stands in `secret_*` and nowhere else; `str()` and `repr()` never show it.

    Where a provider wants its key inside the path, `url` has `{key}` there and `secret_key` is what it stands for.

    >>> print(Request("https://api.example.org/v2", params={"page": "2"}, secret_params={"apikey": "k"}))
    GET https://api.example.org/v2?page=2
    """

    url: str
    method: str = "GET"
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    secret_params: Mapping[str, str] = field(default_factory=dict, repr=False)
    secret_headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    secret_key: str = field(default="", repr=False)

    @property
    def host(self) -> str:
        """`HOST` or `HOST:PORT`: who learns of it."""
        return urlsplit(self.url).netloc.rpartition("@")[2]

    def __str__(self) -> str:
        mark = "&" if "?" in self.url else "?"
        asked = f"{self.url}{mark}{urlencode(self.params)}" if self.params else self.url
        body = f" {self.body.decode(errors='replace')}" if self.body else ""
        return f"{self.method} {asked}{body}"


@dataclass(frozen=True, slots=True)
class Response:
    """One answer: the body's bytes after transfer and content decoding, before anything is read into them.

    Header names are in small letters. `at` is when it had come, in UTC seconds.
    """

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    at: int = 0


class Transport(Protocol):
    """Sends a request and gives the answer, whatever its status. Raises `Unanswered` where none came."""

    def send(self, request: Request) -> Response:
        """The answer to `request`."""
        ...


class Clock(Protocol):
    """Time, so that tests can have their own. The only floats: seconds to wait are no money."""

    def now(self) -> float:
        """UTC seconds since 1970."""
        ...

    def monotonic(self) -> float:
        """Seconds that only ever grow."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class Unanswered(Exception):
    """No whole answer came: refused, cut, timed out, too large. `text` names no secret; `body` is what had come.
    Users never see it: `Retrying` makes a `SourceError` of it. `again` is False where asking once more cannot help,
    `down` where the source is there, and only this answer cannot be had.
    """

    def __init__(self, text: str, *, again: bool = True, down: bool = True, body: bytes = b"") -> None:
        super().__init__(text)
        self.again = again
        self.down = down
        self.body = body


__all__ = ["Clock", "Request", "Response", "Transport", "Unanswered"]
