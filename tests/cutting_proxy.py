"""A proxy before a Bolt server that cuts connections after a commit was sent and before its answer is passed on."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

COMMIT = b"\x00\x02\xb0\x12\x00\x00"  # a Bolt message of one chunk: the structure 0x12 without fields


class Cutting:
    """Cuts at every other commit, `cuts` times. `cut` counts those that the server had carried out by then."""

    def __init__(self, host: str, port: int, cuts: int) -> None:
        self._target, self._left, self._lock = (host, port), cuts, threading.Lock()
        self.cut, self.commits = 0, 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def uri(self) -> str:
        return f"bolt://127.0.0.1:{self.port}"

    def close(self) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self._target, timeout=60)
            except OSError:
                client.close()
                continue
            doomed = threading.Event()
            for source, target, up in ((client, server, True), (server, client, False)):
                threading.Thread(target=self._pass, args=(source, target, up, doomed), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, up: bool, doomed: threading.Event) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                if up and COMMIT in data:
                    with self._lock:
                        self.commits += 1
                        if self._left and self.commits % 2:  # what is sent again may pass
                            self._left -= 1
                            doomed.set()
                elif not up and doomed.is_set():  # the server has answered: it has committed, and nobody hears of it
                    with self._lock:
                        self.cut += 1
                    break
                target.sendall(data)
        for one in (source, target):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


@contextmanager
def cutting(host: str, port: int, cuts: int) -> Iterator[Cutting]:
    """A proxy as long as the block lasts."""
    proxy = Cutting(host, port, cuts)
    try:
        yield proxy
    finally:
        proxy.close()
