"""The JSON interface is what docs/answer.schema.json says, and the schema is strict enough to notice a change."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from cases.answer import canonical
from drawn_answer import claim, drawn, story_labels
from graphs.stops import StopRules
from hostile import HOSTILE
from notation import ETH, address
from tracer.coverage import Kind, State
from tracer.labels import Role
from tracer.losses import Loss
from tracer.lots import Between, Rule
from tracer.trace import Part, StopCode

DOCS = Path(__file__).parents[2] / "docs"
SCHEMA = json.loads((DOCS / "answer.schema.json").read_text(encoding="utf-8"))
VALID = Draft202012Validator(SCHEMA)


def read(told: dict[str, Any]) -> Any:
    """As a reader of the interface gets it."""
    return json.loads(canonical(told))


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("state", State)
def test_an_answer_of_every_coverage_is_valid(state: State) -> None:
    VALID.validate(read(drawn(coverage={"hidden": state}).answer))


def test_answers_of_a_whole_wallet_and_of_conflicting_claims_are_valid() -> None:
    conflict = [*story_labels(), claim("mixer", Role.SCAM, "Somebody")]
    VALID.validate(read(drawn(labels=conflict).answer))
    VALID.validate(read(drawn("1 w -> e 30", [], losses=[Loss("all", ETH, wallet=address("w"))]).answer))


def test_an_answer_with_every_hostile_name_is_valid() -> None:
    for name in HOSTILE:
        VALID.validate(read(drawn(labels=story_labels(name or "-", name or "-")).answer))


MUTATIONS: dict[str, Callable[[Any], object]] = {
    "an amount as a number": lambda told: told["ends"][0]["amounts"].update(fifo=1),
    "a signed amount": lambda told: told["ends"][0]["amounts"].update(fifo="-1"),
    "a decimal amount": lambda told: told["books"]["fifo"].update(lost="1.5"),
    "a padded amount": lambda told: told["books"]["fifo"].update(lost="01"),
    "poison as a rule": lambda told: told["ends"][0]["amounts"].update(poison="1"),
    "another format": lambda told: told.update(format="fundtrail-answer/1"),
    "a missing field": lambda told: told.pop("partial"),
    "a missing field of an end": lambda told: told["ends"][0].pop("why"),
    "one field too many": lambda told: told.update(extra=1),
    "one field of an end too many": lambda told: told["ends"][0].update(owner="x"),
    "an unknown stop": lambda told: told["ends"][0].update(stop="elsewhere"),
    "an unknown state": lambda told: told["coverage"].update(worst="unknown"),
    "no rule": lambda told: told.update(rules=[]),
    "a ratio as a number": lambda told: told["requests"].update(ratio=1.15),
}


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_the_schema_notices(mutation: str) -> None:
    told = copy.deepcopy(read(drawn().answer))
    MUTATIONS[mutation](told)
    assert not VALID.is_valid(told)


def test_every_object_of_the_schema_is_closed() -> None:
    def objects(node: Any) -> list[Any]:
        inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else []
        own = [node] if isinstance(node, dict) and node.get("type") == "object" else []
        return own + [found for one in inner for found in objects(one)]

    found = objects(SCHEMA)
    assert len(found) > 15
    assert not [node for node in found if "additionalProperties" not in node or node["additionalProperties"] is True]


def test_the_lists_of_words_are_those_of_the_code() -> None:
    ends = SCHEMA["$defs"]["end"]["properties"]
    assert ends["stop"]["enum"] == [str(code) for code in StopCode]
    assert ends["part"]["enum"] == [str(part) for part in Part]
    assert SCHEMA["$defs"]["rule"]["enum"] == [str(rule) for rule in Rule]
    assert SCHEMA["properties"]["between"]["enum"] == [str(between) for between in Between]
    assert SCHEMA["properties"]["coverage"]["properties"]["missing_kinds"]["items"]["enum"] == [
        str(kind) for kind in Kind
    ]
    assert SCHEMA["properties"]["coverage"]["properties"]["worst"]["enum"] == [*(state.word for state in State), None]
    roles = SCHEMA["properties"]["conflicts"]["items"]["properties"]["claims"]["items"]["properties"]["role"]["enum"]
    assert roles == [str(role) for role in Role]
    assert list(SCHEMA["properties"]["settings"]["properties"]) == [setting.name for setting in fields(StopRules)]


def test_every_field_of_the_schema_is_explained() -> None:
    page = (DOCS / "answer.md").read_text(encoding="utf-8")
    explained = {word for code in re.findall(r"`([^`]+)`", page) for word in re.findall(r"[a-z_]+", code)}

    def names(node: Any) -> set[str]:
        inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else []
        own = set(node["properties"]) if isinstance(node, dict) and "properties" in node else set()
        return own.union(*(names(one) for one in inner)) if inner else own

    assert names(SCHEMA) - explained == set()
