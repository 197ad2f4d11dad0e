"""Keeps to a source's limits, over all our processes: what was asked when is in a file that they share."""

from __future__ import annotations

import hashlib
import sqlite3
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.http.protocol import Clock, Request, Response, Transport
from tracer.errors import InputError

_AHEAD = 1000  # milliseconds that the newest request may lie ahead of the clock: what we cannot tell from haste


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
        """See `Transport`. Raises `InputError` where the count cannot be kept."""
        try:
            if self._paces:
                self._wait()
        except sqlite3.Error as error:
            told = f"how often sources were asked cannot be read in {self._folder}: {type(error).__name__}"
            raise InputError(told, "delete what is in that folder: it is not needed") from None
        return self._inner.send(request)

    def _wait(self) -> None:
        from pyrate_limiter import RateItem

        if self._bucket is None:
            self._bucket = self._open()
        longest = max(pace.seconds for pace in self._paces)
        while True:
            now = int((self._clock.now() if self._folder else self._clock.monotonic()) * 1000)
            newest = self._bucket.peek(0)
            if newest is not None and newest.timestamp > now + _AHEAD:
                self._set_back(newest.timestamp - now)
            item = RateItem(self._key_hash, now)
            if self._bucket.put(item):
                self._bucket.leak(now)
                return
            self._clock.sleep(min(max(self._bucket.waiting(item), 1) / 1000, longest))

    def _set_back(self, milliseconds: int) -> None:
        """The machine's clock was set back: so is what was counted, as if the newest request were of this moment.

        Forgetting it would let as many requests through at once as a whole pace allows.
        """
        bucket = self._bucket
        if self._folder is None:  # a clock that only ever grows cannot be set back
            return
        with bucket.lock:
            bucket.conn.execute("UPDATE rate_bucket SET item_timestamp = item_timestamp - ?", (milliseconds,)).close()
            bucket.conn.commit()

    def _open(self) -> Any:
        from pyrate_limiter import InMemoryBucket, Rate, SQLiteBucket

        rates = [Rate(pace.requests, pace.seconds * 1000) for pace in self._paces]
        if self._folder is None:
            return InMemoryBucket(rates)
        place = self._folder / f"{self._key_hash}.sqlite"
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if _spoiled(place):  # it only holds the last requests: nobody misses more of it than a moment's haste
                place.unlink()
            bucket = SQLiteBucket.init_from_file(rates, db_path=str(place), use_file_lock=True)
        except (OSError, sqlite3.Error) as error:
            told = f"how often sources were asked cannot be kept in {self._folder}: {type(error).__name__}"
            raise InputError(told, "name another folder for it: FUNDTRAIL_CACHE") from None
        weakref.finalize(self, bucket.close)
        return bucket


def _spoiled(place: Path) -> bool:
    """Whether there is a file that is no SQLite file."""
    if not place.exists() or not place.stat().st_size:
        return False
    with place.open("rb") as file:
        return file.read(16) != b"SQLite format 3\0"


__all__ = ["Pace", "Paced"]
