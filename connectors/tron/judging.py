"""What TronGrid's answers mean before they are read: its suspensions, its errors with status 200, its refusals."""

from __future__ import annotations

import re

from connectors.fields import plain
from connectors.http.judging import Again, Skip, Stop, Use, Verdict, as_json
from connectors.http.protocol import Response

_SUSPENDED = re.compile(r"suspended for (\d{1,4})\s*s", re.IGNORECASE)
_LIMIT = re.compile(r"frequency limit|rate limit|allowed_rps|too many requests|request rate", re.IGNORECASE)
_QUOTA = re.compile(r"daily|quota|exceeds? the (?:number|usage)", re.IGNORECASE)
_REFUSED = re.compile(r'"success"\s*:\s*false|"Error"\s*:', re.IGNORECASE)
LEAST_SUSPENSION = 30  # seconds: what TronGrid says, and what it means when it does not say


def judge(response: Response) -> Verdict:
    """A 403 may be a suspension of some seconds, which passes, or a refused key, which does not.

    >>> body = b'{"success":false,"error":"The key exceeds the frequency limit(15), and the query server is suspended'
    >>> judge(Response(403, body + b' for 30s","statusCode":403}')).after
    31.0
    """
    text = response.body[:2000].decode(errors="replace")
    if response.status in (403, 429, 503):
        told = f"HTTP status {response.status}: {plain(text)}"
        if found := _SUSPENDED.search(text):
            return Again(told, float(max(LEAST_SUSPENSION, int(found[1])) + 1))
        if _LIMIT.search(text) and response.status == 403:
            return Again(told, float(LEAST_SUSPENSION + 1))
        if _QUOTA.search(text) and response.status != 503:
            return Stop(told, "the key's allowance is spent: go on tomorrow, or give another key (TRONGRID_API_KEY)")
    verdict = as_json(response)
    if isinstance(verdict, Use) and _REFUSED.search(text[:400]):
        if found := _SUSPENDED.search(text):
            return Again(plain(text), float(max(LEAST_SUSPENSION, int(found[1])) + 1))
        if _LIMIT.search(text):
            return Again(plain(text), float(LEAST_SUSPENSION + 1))
        if "timeout" in text.lower() or "timed out" in text.lower():
            return Again(plain(text))
        return Skip(f"it answers with an error: {plain(text)}")
    return verdict


__all__ = ["LEAST_SUSPENSION", "judge"]
