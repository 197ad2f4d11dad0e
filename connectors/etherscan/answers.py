"""What one Etherscan answer is: the question it answers, and its rows or the provider's excuse."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connectors.fields import moment_in, plain, text_in
from tracer.errors import BadRow
from tracer.values import Chain

CHAIN_IDS = {
    "1": "ethereum",
    "10": "optimism",
    "56": "bsc",
    "61": "ethereum-classic",
    "100": "gnosis",
    "137": "polygon",
    "250": "fantom",
    "324": "zksync",
    "5000": "mantle",
    "8453": "base",
    "42161": "arbitrum",
    "42220": "celo",
    "43114": "avalanche",
    "59144": "linea",
    "81457": "blast",
    "534352": "scroll",
}
_V1_CAP = 10_000
_V2_CAPS = (1_000, 5_000)  # free (since 2026-07) and paid plans: https://docs.etherscan.io
_EMPTY = re.compile(r"No [\w ]*found", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Question:
    """The request of an answer, its field names in small letters and without the key."""

    fields: Mapping[str, str]
    recorded: bool = True  # False for a bare body, whose request is not known
    holds_key: bool = False

    @classmethod
    def of(cls, request: object) -> Question:
        """The question that a recorded request asks. Raises `BadRow`."""
        if not isinstance(request, dict):
            raise BadRow("request is not an object")
        names = {name: name.lower() for name in request}
        fields = {small: text_in(request, name, "") for name, small in names.items() if small != "apikey"}
        return cls(fields, holds_key="apikey" in names.values())

    def __getitem__(self, name: str) -> str:
        return self.fields.get(name, "")

    def number(self, name: str) -> int | None:
        """The whole number in a field, None where it is missing or a word like `latest`."""
        text = self[name]
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None

    @property
    def chain(self) -> Chain:
        """The chain asked, which V1 did not name: Ethereum. Raises `BadRow`."""
        number = self["chainid"] or "1"
        if number not in CHAIN_IDS:
            raise BadRow(f"chainid {number:.20} is not a chain we know", f"known: {', '.join(CHAIN_IDS)}")
        return Chain.named(CHAIN_IDS[number])

    @property
    def listing(self) -> tuple[str, ...]:
        """The same for the pages of one listing."""
        names = ("action", "startblock", "endblock", "sort", "offset", "contractaddress")
        return (*(self[name] for name in names), "" if self.recorded else "bare")

    @property
    def page(self) -> int:
        """Which page of the listing, from 1."""
        return self.number("page") or 1

    def cap(self, rows: int) -> int:
        """The cap that `rows` rows may have hit; they have if they are as many."""
        asked = self.number("offset") or _V1_CAP
        plan = rows if self["chainid"] and rows in _V2_CAPS else _V1_CAP
        return min(asked, plan)

    def __str__(self) -> str:
        return "&".join(f"{name}={self.fields[name]}" for name in sorted(self.fields))


@dataclass(frozen=True, slots=True)
class Answer:
    """A body with its question. `rows` is empty where `failure`, the provider's words, is not."""

    question: Question
    as_of: int
    rows: Sequence[object]
    failure: str

    @classmethod
    def of(cls, record: Mapping[str, object], question: Question) -> Answer:
        """The answer in a recorded object {request, body, recorded_at, http_status}. Raises `InputError`."""
        as_of = moment_in({"recorded_at": _utc(text_in(record, "recorded_at", ""))}, "recorded_at", 0)
        rows, failure = rows_in(record.get("body"), text_in(record, "http_status", "200"))
        return cls(question, as_of, rows, failure)


def rows_in(body: object, status: str = "200") -> tuple[Sequence[object], str]:
    """The rows, or why there are none to trust. "No transactions found" is an answer; everything else is an error.

    Etherscan gives HTTP 200 and `status` 0 for both, so the words decide.
    """
    if body is None:
        return (), "the answer is empty (null)"
    if status != "200":
        return (), f"HTTP status {plain(status, 20)}: {plain(body)}"
    if not isinstance(body, dict):
        return (), f"not an answer of Etherscan: {plain(body) or 'nothing'}"
    result, message = body.get("result"), plain(body.get("message"))
    if str(body.get("status")) == "1" and isinstance(result, list):
        return result, ""
    if result == [] and _EMPTY.match(message):
        return (), ""
    return (), plain(f"{message}: {result}") if result else message


def _utc(text: str) -> str:
    """Recordings write microseconds, which a moment of ours has not."""
    return re.sub(r"\.\d+", "", text)
