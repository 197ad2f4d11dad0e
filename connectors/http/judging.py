"""What an answer means before its rows are read: to be used, to be asked for again, or the end of this source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from connectors.fields import plain
from connectors.http.protocol import Response


@dataclass(frozen=True, slots=True)
class Use:
    """The answer can be read."""


@dataclass(frozen=True, slots=True)
class Again:
    """It says nothing, and may say more later: not before `after` seconds, if the source told."""

    why: str
    after: float | None = None


@dataclass(frozen=True, slots=True)
class Skip:
    """The source does not answer this request: what hangs on it is not known."""

    why: str


@dataclass(frozen=True, slots=True)
class Stop:
    """The source as a whole cannot be used: a refused key, a spent quota, another chain."""

    why: str
    hint: str = ""


Verdict = Use | Again | Skip | Stop
Judge = Callable[[Response], Verdict]


def by_status(response: Response) -> Verdict:
    """The verdict that the HTTP status alone gives, for any provider.

    >>> by_status(Response(429, b"slow down", {"retry-after": "7"}))
    Again(why='HTTP status 429: slow down', after=7.0)
    """
    status, told = response.status, f"HTTP status {response.status}: {plain(response.body.decode(errors='replace'))}"
    if status in (401, 407):
        return Stop(told, "check the key or password that is configured for this source: fundtrail sources")
    if status == 403 or 300 <= status < 400:
        return Stop(told, "the source refuses us, or has moved: check its address and the key")
    if status in (408, 425, 429) or status >= 500:
        return Again(told, retry_after(response))
    if status != 200:
        return Skip(told)
    return Use()


def as_json(response: Response) -> Verdict:
    """`by_status`, and a body that is JSON from its first byte to its last: not a page of HTML, not cut short."""
    verdict = by_status(response)
    if not isinstance(verdict, Use):
        return verdict
    start, end = response.body.lstrip()[:1], response.body.rstrip()[-1:]
    if start + end not in (b"{}", b"[]"):
        what = "an empty answer" if not start else "an answer that is cut short" if start in (b"{", b"[") else "no JSON"
        return Again(f"{what}: {plain(response.body[:400].decode(errors='replace'))}")
    return Use()


def retry_after(response: Response) -> float | None:
    """Seconds to wait as the answer says: `Retry-After` in seconds or as a date; None where it does not.

    >>> retry_after(Response(429, b"", {"retry-after": "Tue, 14 Nov 2023 22:13:50 GMT"}, at=1700000000))
    30.0
    """
    told = response.headers.get("retry-after", "").strip()
    if told.isascii() and told.isdecimal() and len(told) < 8:
        return float(told)
    try:
        moment = parsedate_to_datetime(told)
    except (TypeError, ValueError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.fromtimestamp(response.at, UTC)).total_seconds())


__all__ = ["Again", "Judge", "Skip", "Stop", "Use", "Verdict", "as_json", "by_status", "retry_after"]
