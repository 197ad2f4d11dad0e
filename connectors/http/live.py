"""The door to the network: the only file that knows an HTTP library (httpx2, the maintained line of httpx)."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from connectors.http.protocol import Clock, Request, Response, Unanswered
from tracer.errors import InputError

KEPT_HEADERS = (
    "content-type", "date", "retry-after", "x-ratelimit-reset", "x-ratelimit-remaining", "x-credits-remaining",
)  # fmt: skip
KEY = "{key}"  # in a URL: where its provider wants the key
_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that one answer may be, in bytes after decompression, and take, in seconds."""

    bytes: int = 64 * 1024**2
    connect: float = 10.0
    read: float = 60.0
    whole: float = 300.0


class SystemClock:
    """The machine's own time."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class Live:
    """Sends over the network, to the hosts allowed and to no other.

    Redirects are answers like any other, never followed: a provider does not choose whom we speak to. Certificates are
    verified, and there is no switch for that. `proxy` is `http://`, `https://`, `socks5://` or `socks5h://`; with the
    last two names are resolved by the proxy. Proxies named in the environment are not used: they are given, or none is.
    """

    def __init__(
        self, hosts: Iterable[str], *, proxy: str = "", limits: Limits | None = None, clock: Clock | None = None
    ) -> None:
        self._hosts = frozenset(hosts)
        self._limits = limits or Limits()
        self._clock = clock or SystemClock()
        self._proxy = proxy
        self._client: Any = None

    def send(self, request: Request) -> Response:
        """See `Transport`. Raises `Unanswered`; `InputError` for a host that is not allowed."""
        import httpx2

        require_safe(request.url)
        if request.host not in self._hosts:
            allowed = ", ".join(sorted(self._hosts))
            raise InputError(f"{request.host} is not among the hosts allowed", f"allowed: {allowed}")
        if self._client is None:
            self._client = self._connect(httpx2)
        started, body = self._clock.monotonic(), bytearray()
        try:
            with self._client.stream(
                request.method,
                request.url.replace(KEY, quote(request.secret_key, safe="")),
                params={**request.params, **request.secret_params} or None,
                headers={**request.headers, **request.secret_headers},
                content=request.body or None,
            ) as answer:
                for piece in answer.iter_bytes(_CHUNK):
                    body += piece
                    if len(body) > self._limits.bytes:
                        raise Unanswered(f"the answer is longer than {self._limits.bytes:,} bytes", again=False)
                    if self._clock.monotonic() - started > self._limits.whole:
                        told = f"the answer took longer than {self._limits.whole:.0f} seconds"
                        raise Unanswered(told, body=_withheld(bytes(body), request))
                headers = {name: answer.headers[name] for name in KEPT_HEADERS if name in answer.headers}
                return Response(answer.status_code, _withheld(bytes(body), request), headers, int(self._clock.now()))
        except httpx2.DecodingError:
            raise Unanswered("the answer cannot be decompressed", body=_withheld(bytes(body), request)) from None
        except httpx2.TimeoutException as error:
            raise Unanswered(
                f"no answer in time ({type(error).__name__})", body=_withheld(bytes(body), request)
            ) from None
        except httpx2.ProxyError:
            raise Unanswered("the proxy refused", again=False) from None
        except (httpx2.TransportError, httpx2.InvalidURL) as error:
            # The library's own words may repeat the URL, and with it the key: only its kind is told.
            told = f"{request.host} could not be reached or broke off ({type(error).__name__})"
            raise Unanswered(told, body=_withheld(bytes(body), request)) from None

    def close(self) -> None:
        """Close all connections."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _connect(self, httpx2: Any) -> Any:
        import logging

        for name in ("httpx2", "httpcore2"):  # they write whole addresses into the log, and keys stand in addresses
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        limits = self._limits
        timeout = httpx2.Timeout(limits.read, connect=limits.connect)
        return httpx2.Client(proxy=self._proxy or None, timeout=timeout, follow_redirects=False, trust_env=False)


def _withheld(body: bytes, request: Request) -> bytes:
    """The body without our own secrets, should a provider repeat one: it is kept, and shown to others."""
    told = [*request.secret_params.values(), *request.secret_headers.values(), request.secret_key]
    for secret in {part for value in told for part in (value, value.rpartition(" ")[2], quote(value, safe=""))}:
        if len(secret) > 5:
            body = body.replace(secret.encode(), b"[key withheld]")
    return body


def require_safe(url: str) -> None:
    """Refuse what is no plain web address: another scheme, or a name and password in front of the host.

    >>> require_safe("file:///etc/passwd")
    Traceback (most recent call last):
    ...
    tracer.errors.InputError: 'file' is no scheme for a source
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise InputError(f"not a web address: {url!r:.200}", "for example https://api.etherscan.io/v2/api") from None
    if parts.scheme not in ("http", "https"):
        raise InputError(
            f"{parts.scheme!r:.20} is no scheme for a source", "https://, or http:// for a node of your own"
        )
    if not host or "@" in parts.netloc:
        raise InputError("the address of a source names a host and no password", "give keys by environment or file")


__all__ = ["KEPT_HEADERS", "Limits", "Live", "SystemClock", "require_safe"]
