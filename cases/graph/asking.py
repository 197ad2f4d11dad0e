"""The queries for investigators: `queries/*.cypher`, each with its title and parameters in a comment, as plain data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

from cases.graph.escaping import key, unescaped
from cases.graph.neo4j_session import Database
from tracer.addresses import parse
from tracer.errors import InputError, UnknownName
from tracer.values import Chain

#: `// $hops: number = 4, how many payments at most`; without `=` the parameter must be given.
_PARAMETER = re.compile(r"^// \$(\w+): (text|number|place)(?: = ([^,]*))?, (.+)$")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value that a query takes. A `place` is `chain:address`; `default` is None where it must be given."""

    name: str
    kind: str
    default: str | None
    meaning: str

    def value(self, text: str) -> str | int:
        """What travels to the server for `text`. Raises `InputError`."""
        if self.kind == "place":
            return key(self._place(text))
        if self.kind == "text":
            return text
        if not text.isascii() or not text.isdecimal() or len(text) > 18:
            raise InputError(f"{self.name} is {text!r:.60}", f"a whole number: {self.meaning}")
        return int(text)

    def _place(self, text: str) -> str:
        """The place as the graph spells it. What is no address of its chain may be a sink, and stays as it is."""
        chain, colon, name = text.partition(":")
        if not colon:
            raise InputError(f"{self.name} is {text!r:.60}", "the chain in front: ethereum:0x...")
        try:
            return f"{chain}:{parse(name, Chain.named(chain)).text}"
        except InputError:
            return text


@dataclass(frozen=True, slots=True)
class Query:
    """One file: `text` is all of it, as Browser takes it."""

    name: str
    title: str
    parameters: tuple[Parameter, ...]
    text: str


def queries() -> dict[str, Query]:
    """All that ship with the project, by name.

    >>> queries()["neighbours"].title
    'Whom an address paid and who paid it, by value'
    """
    folder = resources.files("cases.graph") / "queries"
    found = {}
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".cypher"):
            query = _parsed(file.name.removesuffix(".cypher"), file.read_text(encoding="utf-8"))
            found[query.name] = query
    return found


def _parsed(name: str, text: str) -> Query:
    first, *rest = text.splitlines()
    found = [_PARAMETER.match(line) for line in rest]
    parameters = tuple(Parameter(told[1], told[2], told[3], told[4]) for told in found if told)
    return Query(name, first.removeprefix("// "), parameters, text)


def ask(database: Database, name: str, case: str, given: Mapping[str, str]) -> list[dict[str, Any]]:
    """What the query of that name says of `case`, one dict a row. Raises `UnknownName` and `InputError`.

    The text sent is that of the file, always; what is `given` travels beside it.
    """
    known = queries()
    if name not in known:
        raise UnknownName.among("query", name, known)
    query = known[name]
    taken = {one.name: one for one in query.parameters if one.name != "case"}
    values: dict[str, Any] = {"case": case}
    for told in given:
        if told not in taken:
            raise UnknownName.among(f"parameter of {name}", told, taken)
    for parameter in taken.values():
        text = given.get(parameter.name, parameter.default)
        if text is None:
            raise InputError(
                f"{name} needs {parameter.name}: {parameter.meaning}", f"give it with --set {parameter.name}=..."
            )
        values[parameter.name] = parameter.value(text)
    return [{column: _plain(value) for column, value in row.items()} for row in database.read(query.text, **values)]


def _plain(value: object) -> Any:
    if isinstance(value, str):
        return unescaped(value)
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value if value is None or isinstance(value, int | float | bool) else str(value)
