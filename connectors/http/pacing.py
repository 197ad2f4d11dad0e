"""Keeps to a source's limits, over all our processes: what was asked when is in a file that they share."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.http.protocol import Clock, Request, Response, Transport


@dataclass(frozen=True, slots=True)
class Pace:
    """At most so many requests in so many seconds."""

    requests: int
    seconds: int = 1


class Paced:
    """Waits until one more request is within every pace, then sends it. pyrate-limiter lives here.

    `key` is whom the limit is for (a host, and which key): those that share it share the limit. `folder` is where the
    count is kept; without one it is kept in memory, for this process alone.
    """

    def __init__(
        self, inner: Transport, paces: Sequence[Pace], key: str, clock: Clock, folder: Path | None = None
    ) -> None:
        self._inner, self._paces, self._clock, self._folder = inner, paces, clock, folder
        self._key_hash = hashlib.sha256(key.encode()).hexdigest()[:16]  # tells nobody which key was used
        self._bucket: Any = None

    def send(self, request: Request) -> Response:
        """See `Transport`."""
        if self._paces:
            self._wait()
        return self._inner.send(request)

    def _wait(self) -> None:
        from pyrate_limiter import RateItem

        if self._bucket is None:
            self._bucket = self._open()
        longest = max(pace.seconds for pace in self._paces)
        while True:
            now = int((self._clock.now() if self._folder else self._clock.monotonic()) * 1000)
            newest = self._bucket.peek(0)
            if newest is not None and newest.timestamp > now + longest * 1000:
                self._bucket.flush()  # the machine's clock was set back: what it says of later is void
            item = RateItem(self._key_hash, now)
            if self._bucket.put(item):
                self._bucket.leak(now)
                return
            self._clock.sleep(min(max(self._bucket.waiting(item), 1) / 1000, longest))

    def _open(self) -> Any:
        from pyrate_limiter import InMemoryBucket, Rate, SQLiteBucket

        rates = [Rate(pace.requests, pace.seconds * 1000) for pace in self._paces]
        if self._folder is None:
            return InMemoryBucket(rates)
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        place = str(self._folder / f"{self._key_hash}.sqlite")
        return SQLiteBucket.init_from_file(rates, db_path=place, use_file_lock=True)


__all__ = ["Pace", "Paced"]
