"""What a node's error means: too much asked, a method or a state it does not have, or that it is busy.

Codes are used by providers as they please (-32005 is a rate limit here and a result limit there), so the words decide
first and the codes where the words say nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from connectors.fields import plain
from connectors.http.judging import Again, Skip, Stop, Use, Verdict, by_status
from connectors.http.protocol import Response
from connectors.strict_json import parse_json
from tracer.errors import BadRow


class Meaning(StrEnum):
    """What to do about an error."""

    BUSY = "busy"  # ask again, later
    SPENT = "spent"  # the plan's allowance is used up, or the key refused: no other request will be answered either
    TOO_MUCH = "too much"  # ask for less
    NO_METHOD = "no method"  # this node, or this plan, does not have it
    NO_STATE = "no state"  # pruned, or not there yet
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Fault:
    """The error object of a JSON-RPC answer, its words fit to print.

    >>> Fault(-32005, "query returned more than 10000 results").meaning
    <Meaning.TOO_MUCH: 'too much'>
    >>> Fault(-32005, "daily request count exceeded, request rate limited").meaning
    <Meaning.SPENT: 'spent'>
    >>> Fault(3, "execution reverted: invalid api key").meaning
    <Meaning.OTHER: 'other'>
    """

    code: int
    text: str

    @classmethod
    def of(cls, error: object) -> Fault:
        """The fault that `error`, the value of an answer's error field, tells."""
        if not isinstance(error, dict):
            return cls(0, plain(error))
        code = error.get("code")
        text = plain(error.get("message") or "an error without words")
        return cls(code if type(code) is int else 0, text)

    @property
    def meaning(self) -> Meaning:
        """See the module."""
        text = self.text.lower()
        if self.code in _OF_A_CONTRACT or "revert" in text:  # a contract's own words, and it may choose any
            return Meaning.OTHER
        for meaning, words in _WORDS:
            if words.search(text):
                return meaning
        return _CODES.get(self.code, Meaning.OTHER)

    def __str__(self) -> str:
        return f"{self.text} (code {self.code})"


_WORDS = tuple(
    (meaning, re.compile("|".join(words)))
    for meaning, words in (
        (Meaning.SPENT, (
            r"(daily|monthly)\b.{0,40}(exceed|reach|limit|quota)", r"quota", r"out of credits|insufficient credits",
            r"(invalid|missing|unknown|expired)\b.{0,20}(api[ -]?key|project id|credential)", r"must be authenticated",
            r"unauthori[sz]ed", r"project id .{0,30}(disabled|not found)",
        )),
        (Meaning.BUSY, (
            r"rate.?limit", r"too many requests", r"requests? (limit|rate|per)", r"per second", r"throttl",
            r"compute units",
        )),
        (Meaning.NO_METHOD, (
            r"method\b.{0,80}\b(not|isn't|unsupported|disabled|unavailable)", r"(no such|unknown|unsupported) method",
            r"not (supported|implemented|enabled|whitelisted|allowed)\b",
            r"(available|upgrade)\b.{0,60}\b(plan|tier)\b", r"tracer not found|unknown tracer",
        )),
        (Meaning.TOO_MUCH, (
            r"blocks? range|range (is )?too|range limit|maximum range|max range",
            r"more than \d+ (results|logs|blocks)", r"too many (results|logs|blocks|topics)",
            r"(response|result|reply|content)\b.{0,20}(size|too large|too big)",
            r"query (returned|timeout|exceeds|timed)", r"exceeds? (the )?(max|limit|range|\d)",
            r"(limited to|up to) (a )?\d",
            r"too large", r"narrow|smaller range|reduce",
        )),
        (Meaning.BUSY, (
            r"capacity", r"try again|retry|temporar|overload|busy", r"limit exceeded", r"timed? ?out|timeout",
        )),
        (Meaning.NO_STATE, (
            r"missing trie node", r"prun", r"archive", r"unknown block|blockoutofrange|beyond (current )?head|not yet",
            r"(state|histor\w*|header|block|trace|transaction)\b.{0,60}(not found|not available|unavailable|missing)",
        )),
    )
)  # fmt: skip
_CODES = {
    -32601: Meaning.NO_METHOD,
    -32005: Meaning.TOO_MUCH,
    429: Meaning.BUSY,
    -32029: Meaning.BUSY,
    -32097: Meaning.BUSY,
    413: Meaning.TOO_MUCH,
}
_OF_A_CONTRACT = (3, -32015)


def judge(response: Response) -> Verdict:
    """What an answer of a node means as a whole. Errors that are about the question itself are the asker's to read."""
    told = _told(response)
    if isinstance(told, BadRow):
        by_http = by_status(response)
        if not isinstance(by_http, Use):
            return Use() if response.status == 413 else by_http
        if "not JSON" in str(told):  # cut short, or a page of HTML
            return Again(f"no JSON-RPC answer: {plain(response.body[:400].decode(errors='replace'))}")
        return Skip(plain(told))
    if response.status in (401, 407):
        return by_status(response)
    for fault in _faults(told):
        if fault.meaning is Meaning.SPENT:
            return Stop(f"the node refuses: {fault}", "check the key and the plan: fundtrail sources")
        if fault.meaning is Meaning.BUSY:
            return Again(f"the node is busy: {fault}", _after(response))
    if response.status == 413 or (response.status in (200, 400, 403, 404, 500) and list(_faults(told))):
        return Use()
    return by_status(response)


def _after(response: Response) -> float | None:
    found = by_status(Response(429, b"", response.headers, response.at))
    return found.after if isinstance(found, Again) else None


def _told(response: Response) -> object:
    """The answer's value, or why it is none."""
    try:
        return parse_json(response.body.decode(), "the answer")
    except UnicodeDecodeError:
        return BadRow("the answer: not JSON: not UTF-8")
    except BadRow as error:
        return error


def _faults(told: object) -> Iterator[Fault]:
    for one in told if isinstance(told, list) else [told]:
        if isinstance(one, dict) and one.get("error") is not None:
            yield Fault.of(one["error"])


__all__ = ["Fault", "Meaning", "judge"]
