"""Asks an Etherscan-like service one thing at a time: the question in its words, the answer with its evidence."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from connectors.etherscan.answers import rows_in
from connectors.etherscan.judging import WINDOW
from connectors.explorer import Asks
from connectors.fields import plain
from connectors.http.keeping import Keeping
from connectors.http.protocol import Request
from connectors.protocol import Evidence
from connectors.reading import text_of
from connectors.strict_json import parse_json

_QUANTITY = re.compile(r"0x[0-9a-fA-F]{0,64}", re.ASCII)


class BeyondWindow(Exception):
    """The service shows no rows this far into a listing. Never seen outside of this package."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one answer. `partial` says why they are not all there are, where the service says so itself."""

    rows: Sequence[object]
    evidence: Evidence
    partial: str = ""


@dataclass(slots=True)
class Asking(Asks):
    """Sends through `door` to `base`. `fixed` goes with every question, `secret` too, but is shown nowhere.

    `at` is when the newest answer had come, in UTC seconds.
    """

    door: Keeping
    base: str
    source: str
    fixed: Mapping[str, str]
    secret: Mapping[str, str] = field(repr=False, default_factory=dict)
    at: int = 0

    def ask(self, module: str, action: str, **params: str) -> tuple[Mapping[str, object], Evidence]:
        """The body of the answer, and the answer. Raises `SourceError`."""
        asked = {**self.fixed, "module": module, "action": action, **params}
        response = self.door.send(Request(self.base, params=asked, secret_params=self.secret))
        self.at = response.at
        (evidence,) = self.door.take()
        body = parse_json(text_of(response.body, "the answer"), "the answer")
        assert isinstance(body, dict)  # noqa: S101 - as judged
        return body, evidence

    def rows(self, module: str, action: str, **params: str) -> Rows:
        """The rows of a list. Raises `BeyondWindow`, `SourceError` for an answer that is an excuse."""
        body, evidence = self.ask(module, action, **params)
        result, message = body.get("result"), plain(body.get("message"))
        if str(body.get("status")) == "2" and isinstance(result, list):  # Blockscout's way to say "not yet all"
            return Rows(result, evidence, message)
        rows, failure = rows_in(body)
        if WINDOW.search(failure):
            raise BeyondWindow
        if failure:
            raise self.skipped(failure, evidence)
        return Rows(rows, evidence)

    def node(self, action: str, **params: str) -> tuple[object, Evidence]:
        """What a node would answer: the result, None where it knows none. Raises `SourceError` for its errors."""
        body, evidence = self.ask("proxy", action, **params)
        if body.get("error") or "jsonrpc" not in body:
            raise self.skipped(plain(body.get("error") or body.get("result") or body.get("message")), evidence)
        return body.get("result"), evidence


def quantity(told: object) -> int | None:
    """A number as nodes write it, None for what is none. Etherscan writes 0 as `0x`.

    >>> quantity("0x1b4"), quantity("0x"), quantity("436")
    (436, 0, None)
    """
    if not isinstance(told, str) or not _QUANTITY.fullmatch(told):
        return None
    return int(told[2:] or "0", 16)


__all__ = ["Asking", "BeyondWindow", "Rows", "quantity"]
