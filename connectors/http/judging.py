"""What an answer means before its rows are read: to be used, to be asked for again, or the end of this source."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from connectors.fields import plain
from connectors.http.protocol import Response
from connectors.strict_json import room_to_nest


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


#: Reads without making numbers of digits: here only whether it is whole matters.
_WHOLE = json.JSONDecoder(parse_int=len, parse_float=len, parse_constant=len)

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
    start, told = response.body.lstrip()[:1], plain(response.body[:400].decode(errors="replace"))
    if start not in (b"{", b"["):
        return Again(f"{'no JSON' if start else 'an empty answer'}: {told}")
    try:
        with room_to_nest():
            _WHOLE.decode(response.body.decode())
    except RecursionError:
        return Skip(f"an answer that is nested too deeply: {told}")
    except ValueError:
        return Again(f"an answer that is cut short or damaged: {told}")
    return Use()


def retry_after(response: Response) -> float | None:
    """Seconds to wait as the answer says: `Retry-After` in seconds or as a date; None where it does not.

    >>> retry_after(Response(429, b"", {"retry-after": "Tue, 14 Nov 2023 22:13:50 GMT"}, at=1700000000))
    30.0
    """
    told = response.headers.get("retry-after", "").strip()
    if told.isascii() and told.isdecimal() and len(told) < 8:
        return float(told)
    moment = _moment(told)
    if moment is None:
        return None
    # Their clock, where they tell it: ours may go wrong, and we would ask too early.
    now = _moment(response.headers.get("date", "")) or datetime.fromtimestamp(response.at, UTC)
    return max(0.0, (moment - now).total_seconds())


def _moment(told: str) -> datetime | None:
    """A date as HTTP writes it; None for what is none."""
    try:
        moment = parsedate_to_datetime(told)
    except (TypeError, ValueError, OverflowError, IndexError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


__all__ = ["Again", "Judge", "Skip", "Stop", "Use", "Verdict", "as_json", "by_status", "retry_after"]
