"""Keeps every answer that a connector was given, as evidence, before the connector reads a byte of it."""

from __future__ import annotations

from connectors.http.protocol import Request, Response, Transport
from connectors.protocol import Evidence


class Keeping:
    """The outermost wrapper, and what a connector holds.

    `take` gives the evidence of all answers since the last `take`, in their order: it belongs to the page that was
    made from them.

    >>> class Echo:
    ...     def send(self, request): return Response(200, b"{}")
    >>> door = Keeping(Echo(), "rpc:http://127.0.0.1:8545")
    >>> door.send(Request("http://127.0.0.1:8545")).status, [kept.request for kept in door.take()], door.take()
    (200, ['GET http://127.0.0.1:8545'], ())
    """

    def __init__(self, inner: Transport, source: str) -> None:
        self._inner, self._source = inner, source
        self._kept: list[Evidence] = []
        self.sent = 0

    def send(self, request: Request) -> Response:
        """See `Transport`. Raises `SourceSkipped` or `SourceUnusable`, with the body at fault."""
        self.sent += 1
        response = self._inner.send(request)
        self._kept.append(Evidence(response.body, self._source, str(request)))
        return response

    def take(self) -> tuple[Evidence, ...]:
        """What was kept since the last time, each once."""
        kept, self._kept = tuple(dict.fromkeys(self._kept)), []
        return kept


__all__ = ["Keeping"]
