"""What an answer of Etherscan or its kin means: errors come with HTTP status 200, so the words decide."""

from __future__ import annotations

import re

from connectors.fields import plain
from connectors.http.judging import Again, Skip, Stop, Use, Verdict, as_json
from connectors.http.protocol import Response
from connectors.reading import text_of
from connectors.strict_json import parse_json
from tracer.errors import BadRow

#: "Result window is too large, PageNo x Offset size must be less than or equal to 10000": the reader goes another way.
WINDOW = re.compile(r"result window is too large", re.IGNORECASE)

_DAILY = re.compile(r"daily|day/limit|per day", re.IGNORECASE)
_BUSY = re.compile(r"rate limit|calls per sec|time-?out|too busy|try again|temporarily", re.IGNORECASE)
_KEY = re.compile(r"(invalid|missing)\W+(invalid\W+)?api\W?key|invalid api key attempts", re.IGNORECASE)
_PLAN = re.compile(r"free api access is not supported|full chain coverage", re.IGNORECASE)
_CHAIN = re.compile(r"unsupported chainid|chain not supported|deprecated v1", re.IGNORECASE)
_PRO = re.compile(r"api ?pro", re.IGNORECASE)


def judge(response: Response) -> Verdict:
    """The verdict on one answer. What is empty, and what is beyond the window, can be used: the reader tells them.

    >>> judge(Response(200, b'{"status":"0","message":"NOTOK","result":"Max rate limit reached"}'))
    Again(why='NOTOK: Max rate limit reached', after=None)
    >>> judge(Response(200, b'{"status":"0","message":"No transactions found","result":[]}'))
    Use()
    """
    verdict = as_json(response)
    if not isinstance(verdict, Use):
        return verdict
    try:
        body = parse_json(text_of(response.body, "the answer"), "the answer")
    except BadRow as error:
        return Again(f"{error}: {plain(response.body[:400].decode(errors='replace'))}")
    if not isinstance(body, dict):
        return Skip(f"not an answer of Etherscan: {plain(body)}")
    if "jsonrpc" in body:
        excuse = plain(body.get("error"))
        return of_words(excuse) if body.get("error") and _BUSY.search(excuse) else Use()
    result = body.get("result")
    if isinstance(result, list | dict) or str(body.get("status")) == "1":
        return Use()
    return of_words(plain(f"{body.get('message')}: {result}" if result else body.get("message")))


def of_words(told: str) -> Verdict:
    """The verdict on an excuse, in the provider's own words."""
    if WINDOW.search(told):
        return Use()
    if _KEY.search(told):
        return Stop(told, "set ETHERSCAN_API_KEY to a key of etherscan.io; those of its sister sites are not valid")
    if _PLAN.search(told):
        return Stop(told, "this chain is not on the free plan: use another plan, or another source for it")
    if _CHAIN.search(told):
        return Stop(told, "the service does not know this chain: use another source for it")
    if _BUSY.search(told) and _DAILY.search(told):
        return Stop(told, "the day's requests are spent: run the same command again tomorrow, it goes on where it was")
    if _PRO.search(told):
        return Skip(f"{told} (this request is not on the plan of the key)")
    if _BUSY.search(told):
        return Again(told)
    return Skip(told)


__all__ = ["WINDOW", "judge", "of_words"]
