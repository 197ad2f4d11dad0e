"""What the user tells about a table that the table does not tell itself: a small file beside it, `FILE.map.toml`.

    chain = "tron"                 # where the file does not name its chain
    time_zone = "UTC"              # or "+03:00": for times that name no zone
    [decimals]                     # of tokens, by contract
    TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t = 6

`csv:PATH` needs one, with a table `[columns]` too (docs/sources.md); the explorers' kinds read what they need of it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from connectors.fields import address, moment_in
from connectors.reading import text_of, whole
from tracer.errors import BadRow, InputError
from tracer.values import Chain, Family

ENDING = ".map.toml"
#: What `[columns]` may name. `amount` is in whole units, `units` in base units; one of the two.
COLUMNS = (
    "tx", "block", "time", "from", "to", "amount", "units", "asset", "symbol", "fee", "status", "position",
)  # fmt: skip
_KEYS = {
    "chain": str, "time_zone": str, "time_format": str, "asset": str, "symbol": str, "decimal_comma": bool,
    "succeeded": list, "columns": dict, "decimals": dict,
}  # fmt: skip
_OFFSET = re.compile(r"([+-])(\d\d):(\d\d)")
_NAIVE = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?)(?:\.\d{1,9})?", re.ASCII)
_UTC = re.compile(r"\s?(?:Z|\+00:?00|\(?UTC\)?)$")


@dataclass(frozen=True, slots=True)
class Telling:
    """The content of that file; all is empty where there is none. `path` is where it is, or would be."""

    path: Path
    chain: Chain | None = None
    time_zone: timezone | None = None
    time_format: str = ""
    asset: str = ""
    symbol: str = ""
    decimal_comma: bool = False
    succeeded: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    decimals: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def beside(cls, path: Path) -> Telling:
        """What is told beside the table at `path`, or for its whole folder. Raises `InputError`."""
        for place in (path.with_name(path.name + ENDING), path.parent / ENDING.removeprefix(".")):
            if place.exists():
                return cls.read(place)
        return cls(path.with_name(path.name + ENDING))

    @classmethod
    def read(cls, path: Path) -> Telling:
        """The file at `path`. Raises `InputError`."""
        try:
            told: dict[str, Any] = tomllib.loads(text_of(whole(path), str(path)))
        except tomllib.TOMLDecodeError as error:
            raise InputError(f"{path} is not TOML: {error}", 'for example: chain = "tron"') from None
        for name, value in told.items():
            if name not in _KEYS:
                raise InputError(f"{path}: nothing is named {name!r:.60}", f"known: {', '.join(_KEYS)}")
            if not isinstance(value, _KEYS[name]):
                raise InputError(f"{path}: {name} is {type(value).__name__}", f"it must be {_KEYS[name].__name__}")
        columns, decimals = told.get("columns", {}), told.get("decimals", {})
        if unknown := sorted(set(columns) - set(COLUMNS)):
            raise InputError(f"{path}: no column is meant by {unknown[0]!r:.60}", f"known: {', '.join(COLUMNS)}")
        if not all(isinstance(one, str) and one for one in (*columns.values(), *told.get("succeeded", []))):
            raise InputError(f"{path}: a column's name, or what stands for success, is no text", "write it in quotes")
        chain = Chain.named(told["chain"]) if "chain" in told else None
        return cls(
            path, chain, _zone(told.get("time_zone", ""), path), told.get("time_format", ""),
            told.get("asset", ""), told.get("symbol", ""), told.get("decimal_comma", False),
            tuple(told.get("succeeded", ())), columns, _decimals(decimals, chain, path),
        )  # fmt: skip

    def decimals_of(self, contract: str) -> int:
        """How many decimals the token has. Raises `BadRow` where nobody told, as nothing may be guessed."""
        if contract not in self.decimals:
            raise BadRow(
                f"the amount is in whole tokens, and nobody told how many decimals {contract} has",
                f"they stand on the token's page; write them into {self.path.name}: [decimals] and below it "
                f'"{contract}" = NUMBER',
            )
        return self.decimals[contract]

    def moment(self, text: str, field: str) -> int:
        """A time as tables have it, in UTC seconds. Raises `BadRow`, also where no zone is told.

        >>> Telling(Path("a.csv")).moment("2023-01-01 00:00:07.000000Z", "UnixTimestamp")
        1672531207
        """
        text = text.strip()
        if self.time_format:
            try:
                naive = datetime.strptime(text, self.time_format)  # noqa: DTZ007  its zone is told apart from it
            except ValueError:
                raise BadRow(f"{field} is {text!r:.60}, not in the form {self.time_format}") from None
            if naive.tzinfo is None and self.time_zone is None:
                raise self._no_zone(text, field)
            moment = naive if naive.tzinfo else naive.replace(tzinfo=self.time_zone)
            return moment_in({field: str(int(moment.timestamp()))}, field)
        bare = _UTC.sub("", text)
        if found := _NAIVE.fullmatch(bare):
            zone = UTC if bare != text else self.time_zone
            if zone is None:
                raise self._no_zone(text, field)
            try:
                moment = datetime.fromisoformat(f"{found[1]}T{found[2]}").replace(tzinfo=zone)
            except ValueError:
                raise BadRow(f"{field} is {text!r:.60}, which no calendar has") from None
            return moment_in({field: str(int(moment.timestamp()))}, field)
        if text.isascii() and text.isdecimal() and len(text) == 13:  # milliseconds, by their length: the year is sane
            return moment_in({field: text[:-3]}, field)
        return moment_in({field: text}, field)

    def _no_zone(self, text: str, field: str) -> BadRow:
        hint = f'write into {self.path.name}: time_zone = "UTC", or "+03:00"; ask whoever made the file'
        return BadRow(f"{field} is {text!r:.60}, which does not say in which time zone", hint)


def _zone(text: str, path: Path) -> timezone | None:
    if text in ("", "UTC", "Z"):
        return UTC if text else None
    found = _OFFSET.fullmatch(text)
    if not found or int(found[2]) > 14 or int(found[3]) > 59:
        raise InputError(f"{path}: time_zone is {text!r:.40}", '"UTC", or what the clock was ahead, as "+03:00"')
    ahead = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return timezone(ahead if found[1] == "+" else -ahead)


def _decimals(told: Mapping[str, Any], chain: Chain | None, path: Path) -> dict[str, int]:
    found = {}
    for contract, number in told.items():
        if type(number) is not int or not 0 <= number <= 255:
            raise InputError(f"{path}: {contract:.60} cannot have {number!r:.20} decimals", "a whole number, 0 to 255")
        trc10 = contract.isdecimal() and (chain is None or chain.family is Family.TRON)
        on = chain or (Chain.named("tron") if contract[:1] == "T" else Chain.named("ethereum"))
        found[contract if trc10 else address(contract, on).text] = number
    return found


__all__ = ["COLUMNS", "ENDING", "Telling"]
