"""The door to the network: the only file that knows an HTTP library (httpx2, the maintained line of httpx)."""

from __future__ import annotations

import time
import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Timer
from typing import Any
from urllib.parse import quote, urlsplit

from connectors.http.inflating import ACCEPTED, BadCoding, inflated
from connectors.http.protocol import Clock, Request, Response, Unanswered
from connectors.http.web_address import KEY, place_of, require_safe
from connectors.http.withholding import withheld
from tracer.errors import InputError

KEPT_HEADERS = (
    "content-type", "date", "retry-after", "x-ratelimit-reset", "x-ratelimit-remaining", "x-credits-remaining",
)  # fmt: skip
PROXIES = ("http", "https", "socks5", "socks5h")


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
    No cookie is kept, and nothing but gzip is unpacked. Raises `InputError` for a bad proxy.
    """

    def __init__(
        self, hosts: Iterable[str], *, proxy: str = "", limits: Limits | None = None, clock: Clock | None = None
    ) -> None:
        if proxy:
            _require_proxy(proxy)
        self._hosts = frozenset(host.lower() for host in hosts)
        self._limits = limits or Limits()
        self._clock = clock or SystemClock()
        self._proxy = proxy
        self._client: Any = None
        self._socket: Any = None  # of the connection that was opened last
        self._odd: tuple[type[Exception], ...] = ()  # what a proxy that speaks no SOCKS makes the library raise
        self._left: weakref.finalize[Any, Any] | None = None

    def send(self, request: Request) -> Response:
        """See `Transport`. Raises `Unanswered`; `InputError` for a host that is not allowed."""
        import httpx2

        require_safe(request.url)
        if request.host.lower() not in self._hosts:
            allowed = ", ".join(sorted(self._hosts))
            raise InputError(f"{request.host} is not among the hosts allowed", f"allowed: {allowed}")
        if self._client is None:
            self._connect(httpx2)
        body = bytearray()
        odd: tuple[type[Exception], ...] = (httpx2.ProxyError, *self._odd)
        try:
            sent = self._written(httpx2, request)
            with self._deadline() as late:
                answer = self._client.send(sent, stream=True)
                try:
                    self._read(answer, body, late)
                finally:
                    answer.close()
                    self._client.cookies.clear()  # a cookie would tie one of our questions to the next
            told = {name: answer.headers[name] for name in KEPT_HEADERS if name in answer.headers}
            headers = {name: _readable(withheld(value.encode(), request)) for name, value in told.items()}
            return Response(answer.status_code, withheld(bytes(body), request), headers, int(self._clock.now()))
        except _Whole:
            told_late = f"the answer took longer than {self._limits.whole:.0f} seconds"
            raise Unanswered(told_late, body=withheld(bytes(body), request, cut=True)) from None
        except _TooLong:
            told_long = f"the answer is longer than {self._limits.bytes:,} bytes"
            raise Unanswered(told_long, again=False, down=False) from None
        except BadCoding as error:
            raise Unanswered(f"the answer: {error}", body=withheld(bytes(body), request, cut=True)) from None
        except httpx2.TimeoutException as error:
            told_time = f"no answer in time ({type(error).__name__})"
            raise Unanswered(told_time, body=withheld(bytes(body), request, cut=True)) from None
        except odd:
            self._drop()
            raise Unanswered("the proxy refused, or could not reach the host") from None
        except httpx2.LocalProtocolError:
            raise Unanswered("the request is no HTTP: a key in it has a strange letter", again=False) from None
        except (httpx2.TransportError, OSError) as error:
            # The library's own words may repeat the URL, and with it the key: only its kind is told.
            untrusted = _is_of(error, "SSLCertVerificationError")
            why = "its certificate is not valid" if untrusted else f"broken off ({type(error).__name__})"
            told_broken = f"{request.host} could not be reached or read: {why}"
            raise Unanswered(told_broken, again=not untrusted, body=withheld(bytes(body), request, cut=True)) from None

    def close(self) -> None:
        """Close all connections. Left open, they are closed when nobody holds this any more."""
        if self._left is not None:
            self._left()
        self._client = self._socket = self._left = None

    def _connect(self, httpx2: Any) -> None:
        import logging

        for name in ("httpx2", "httpcore2"):  # they write whole addresses into the log, and keys stand in addresses
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        limits = self._limits
        try:
            self._client = httpx2.Client(
                proxy=self._proxy or None,
                timeout=httpx2.Timeout(limits.read, connect=limits.connect),
                headers={"accept-encoding": ACCEPTED},
                follow_redirects=False,
                trust_env=False,
            )
        except (ValueError, httpx2.InvalidURL):
            raise InputError(*_NO_PROXY) from None
        self._left = weakref.finalize(self, self._client.close)
        if self._proxy.startswith("socks"):
            import socksio

            self._odd = (socksio.SOCKSError, AssertionError, ValueError, IndexError)

    def _written(self, httpx2: Any, request: Request) -> Any:
        """The request as the library sends it, once the library reads its address as we do."""
        try:
            url = httpx2.URL(request.url.replace(KEY, quote(request.secret_key, safe="")))
            url = url.copy_merge_params({**request.params, **request.secret_params})  # a query in `url` stays
            headers = {**request.headers, **request.secret_headers}
            sent = self._client.build_request(request.method, url, headers=headers, content=request.body or None)
        except (httpx2.InvalidURL, ValueError):  # their words would repeat what is wrong, and it may be the key
            told = "the request cannot be written: its address, or a key, has letters that no request can have"
            raise InputError(told, "look at the key and the address configured for this source") from None
        if place_of(f"{url.scheme}://{url.netloc.decode()}") != place_of(request.url):
            raise InputError("the address of the source can be read in two ways", "write it plainly")
        sent.extensions["trace"] = self._seen
        return sent

    def _read(self, answer: Any, body: bytearray, late: _Late) -> None:
        started = self._clock.monotonic()
        for piece in inflated(answer.iter_raw(), answer.headers.get("content-encoding", "")):
            body += piece
            if len(body) > self._limits.bytes:
                raise _TooLong
            if late.passed or self._clock.monotonic() - started > self._limits.whole:
                raise _Whole
        if late.passed:  # the end of the connection looks like the end of an answer that told no length
            raise _Whole

    @contextmanager
    def _deadline(self) -> Iterator[_Late]:
        """Ends the connection when the whole time is over. The library knows a limit for each single wait only: an
        answer that comes letter by letter would never be over."""  # fmt: skip
        late = _Late()
        door = weakref.ref(self)  # a clock that was stopped may outlive the door

        def end() -> None:
            late.passed = True
            here = door()
            if here is not None and here._socket is not None:
                with suppress(OSError):
                    here._socket.shutdown(2)  # both ways: who waits for more wakes up

        timer = Timer(self._limits.whole, end)
        timer.daemon = True
        timer.start()
        try:
            yield late
        except Exception:
            if late.passed:
                raise _Whole from None
            raise
        finally:
            timer.cancel()

    def _drop(self) -> None:
        """Close what the library leaves open when a proxy does not do as it should."""
        if self._socket is not None:
            self._socket.close()

    def _seen(self, event: str, told: dict[str, Any]) -> None:
        """What the library tells of its doings: here only which socket it has opened."""
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            self._socket = told["return_value"].get_extra_info("socket")


_NO_PROXY = "the proxy configured is none", "for example socks5h://127.0.0.1:9050, in FUNDTRAIL_PROXY or in the file"


class _Late:
    """Whether the whole time is over."""

    passed = False


class _Whole(Exception):
    """The answer took too long as a whole."""


class _TooLong(Exception):
    """The answer has more bytes than we take."""


def _require_proxy(proxy: str) -> None:
    """Refuse what is no proxy, without repeating it: its password may stand in it."""
    try:
        parts = urlsplit(proxy)
        sound = parts.scheme in PROXIES and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        sound = False
    if not sound:
        raise InputError(*_NO_PROXY)


def _is_of(error: BaseException | None, name: str) -> bool:
    """Whether the error, or what caused it, is of the class so named."""
    while error is not None:
        if type(error).__name__ == name:
            return True
        error = error.__cause__ or error.__context__
    return False


def _readable(value: bytes) -> str:
    return value.decode(errors="replace")


__all__ = ["KEPT_HEADERS", "KEY", "Limits", "Live", "SystemClock", "require_safe"]
