"""Real servers on 127.0.0.1 for the tests: one that says whatever bytes it is told to, and a SOCKS5 proxy."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came over the wire; header names in small letters."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


class ResetNow(Exception):
    """Raised by an answer: the connection is cut with a reset, not with a proper end."""


Answer = Callable[[Asked], Iterable[bytes]]


def reply(body: bytes, status: int = 200, **headers: str) -> bytes:
    """A whole HTTP answer; `content_type="text/html"` becomes that header."""
    told = {"content-length": str(len(body)), **{name.replace("_", "-"): value for name, value in headers.items()}}
    lines = "".join(f"{name}: {value}\r\n" for name, value in told.items() if value)
    return f"HTTP/1.1 {status} X\r\n{lines}\r\n".encode() + body


@dataclass(slots=True)
class Loopback:
    """What `listening` gives: where it listens, and what came."""

    port: int
    connections: int = 0
    asked: list[Asked] = field(default_factory=list)
    sent: int = 0
    raw: bytes = b""

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}"


@contextmanager
def listening(answer: Answer, tls: ssl.SSLContext | None = None) -> Iterator[Loopback]:
    """A server whose every request is answered with the bytes that `answer` yields; one request a connection."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        server = Loopback(door.getsockname()[1])

        def serve(connection: socket.socket) -> None:
            with connection:
                connection.settimeout(20)
                with suppress(OSError):
                    spoken = tls.wrap_socket(connection, server_side=True) if tls else connection
                    with spoken:
                        asked = _heard(spoken, server)
                        if asked is None:
                            return
                        server.asked.append(asked)
                        try:
                            for piece in answer(asked):
                                spoken.sendall(piece)
                                server.sent += len(piece)
                        except ResetNow:
                            spoken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        with _accepting(door, serve, server):
            yield server


@contextmanager
def socks5(leads_to: int, reply_code: int = 0, garbage: bytes = b"") -> Iterator[Loopback]:
    """A SOCKS5 proxy that sends every connection to one port here. `asked` has what it was asked for: in `target` the
    kind of address (1: IPv4, 3: a name, 4: IPv6) and the address itself."""  # fmt: skip
    with socket.create_server(("127.0.0.1", 0)) as door:
        server = Loopback(door.getsockname()[1])

        def serve(connection: socket.socket) -> None:
            with connection, suppress(OSError):
                connection.settimeout(20)
                _, methods = _exactly(connection, 2)
                _exactly(connection, methods)
                if garbage:
                    connection.sendall(garbage)
                    return
                connection.sendall(b"\x05\x00")
                _, _, _, kind = _exactly(connection, 4)
                length = {1: 4, 4: 16}.get(kind) or _exactly(connection, 1)[0]
                host = _exactly(connection, length)
                _exactly(connection, 2)
                server.asked.append(Asked("CONNECT", f"{kind} {host.decode(errors='replace')}", {}, b""))
                connection.sendall(bytes([5, reply_code, 0, 1, 0, 0, 0, 0, 0, 0]))
                if reply_code:
                    return
                with socket.create_connection(("127.0.0.1", leads_to)) as far:
                    back = threading.Thread(target=_pump, args=(far, connection), daemon=True)
                    back.start()
                    _pump(connection, far)
                    back.join(20)

        with _accepting(door, serve, server):
            yield server


@contextmanager
def _accepting(door: socket.socket, serve: Callable[[socket.socket], None], server: Loopback) -> Iterator[None]:
    door.settimeout(0.05)
    over = threading.Event()
    threads: list[threading.Thread] = []

    def accept() -> None:
        while not over.is_set():
            try:
                connection, _ = door.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            server.connections += 1
            threads.append(threading.Thread(target=serve, args=(connection,), daemon=True))
            threads[-1].start()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield
    finally:
        over.set()
        accepting.join(5)
        for thread in threads:
            thread.join(5)


def _heard(connection: socket.socket, server: Loopback) -> Asked | None:
    raw = b""
    while b"\r\n\r\n" not in raw:
        more = connection.recv(65536)
        if not more:
            return None
        raw += more
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        body += connection.recv(65536)
    server.raw += raw
    method, target, _ = first.split(" ")
    return Asked(method, target, headers, body)


def _exactly(connection: socket.socket, length: int) -> bytes:
    got = b""
    while len(got) < length:
        more = connection.recv(length - len(got))
        if not more:
            raise ConnectionError
        got += more
    return got


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while more := source.recv(65536):
            target.sendall(more)
        target.shutdown(socket.SHUT_WR)
