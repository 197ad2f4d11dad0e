"""Puts the seam together for a source: keep what comes, ask again, keep to the limits, and the door itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from connectors.http.judging import Judge
from connectors.http.keeping import Keeping
from connectors.http.live import Limits, Live, SystemClock, require_safe
from connectors.http.pacing import Pace, Paced
from connectors.http.protocol import Clock, Transport
from connectors.http.recording import Recording, Replay
from connectors.http.retrying import Patience, Retrying
from connectors.settings import Settings


@dataclass(frozen=True, slots=True)
class Network:
    """How this run reaches the network. `replay` answers from a file and reaches nothing; `record` writes one.

    `transport`, where given, stands in for the door itself: for tests, and for whoever brings his own.
    """

    settings: Settings = field(default_factory=Settings)
    record: Path | None = None
    replay: Path | None = None
    limits: Limits = field(default_factory=Limits)
    patience: Patience = field(default_factory=Patience)
    clock: Clock = field(default_factory=SystemClock)
    transport: Transport | None = None

    def door(self, source: str, kind: str, base: str, judge: Judge, paces: Sequence[Pace] = ()) -> Keeping:
        """What the connector `source` sends through, to the host of `base` alone. Raises `InputError` for a bad one.

        `paces` are the limits that the provider publishes; what the user configured for `kind` wins.
        """
        require_safe(base)
        host, key = urlsplit(base).netloc, self.settings.key(kind)
        inner = self.transport or (Replay(self.replay) if self.replay else None)
        clock = _NoWaiting(self.clock) if self.replay and not self.transport else self.clock
        if inner is None:
            inner = Live((host,), proxy=self.settings.proxy, limits=self.limits, clock=self.clock)
            if self.record:
                inner = Recording(inner, self.record)
            if own := self.settings.requests_per_second(kind):
                paces = (Pace(own),)
            folder = self.settings.cache / "pace" if self.settings.cache else None
            inner = Paced(inner, paces, f"{host} {key.value if key else ''}", self.clock, folder)
        return Keeping(Retrying(inner, source, judge, clock, self.patience), source)


class _NoWaiting:
    """A recorded answer that says "later" has its later one in the record: nobody need wait for it."""

    def __init__(self, clock: Clock) -> None:
        self.now, self.monotonic = clock.now, clock.monotonic

    def sleep(self, seconds: float) -> None:
        """Go on at once."""


__all__ = ["Network"]
