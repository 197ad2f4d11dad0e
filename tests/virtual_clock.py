"""A clock for the tests of waiting: it stands still until somebody sleeps."""

from __future__ import annotations


class VirtualClock:
    """Time that costs none. `slept` has every wait, in order; `set_back` is what an administrator may do to `now`."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self._now, self._since = now, 0.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._since

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.slept.append(seconds)
        self.pass_by(seconds)

    def pass_by(self, seconds: float) -> None:
        """Let time pass."""
        self._now += seconds
        self._since += seconds

    def set_back(self, seconds: float) -> None:
        """Set the time of day back. What only ever grows does not care."""
        self._now -= seconds
