"""Reaching a server: what is refused, what is warned of, and that a password is in nothing that can be read."""

from __future__ import annotations

import pytest

from cases.graph.access import Access, checked, checked_name
from hostile_strings import CORPUS
from tracer.errors import InputError

CANARY = "canary-9f3c-never-shown"


def test_the_environment_is_read_as_auras_own_files_name_it() -> None:
    told = Access.of(
        {"NEO4J_URI": "neo4j+s://x.databases.neo4j.io", "NEO4J_USERNAME": "me", "NEO4J_PASSWORD": CANARY,
         "NEO4J_DATABASE": "cases"}, keyring=False,
    )  # fmt: skip
    assert (told.uri, told.username, told.password, told.database) == (
        "neo4j+s://x.databases.neo4j.io", "me", CANARY, "cases",
    )  # fmt: skip
    assert CANARY not in repr(told) + str(told)
    assert told.warning == ""


@pytest.mark.parametrize("password", ["neo4j", "password", "me"])
def test_a_password_that_anybody_tries_is_refused(password: str) -> None:
    with pytest.raises(InputError, match="anybody tries first"):
        Access.of({"NEO4J_URI": "bolt://127.0.0.1", "NEO4J_USERNAME": "me", "NEO4J_PASSWORD": password}, keyring=False)


def test_no_password_is_not_an_empty_password() -> None:
    with pytest.raises(InputError, match="no password"):
        Access.of({"NEO4J_URI": "bolt://127.0.0.1"}, keyring=False)


@pytest.mark.parametrize(
    "uri",
    ["", "http://x", "bolt://", "x", "bolt://me:pw@host", "bolt://me@host", "bolt+ssc://host", "neo4j+ssc://host",
     "bolt://host:99999", "file:///x", "bolt://[::1"],
)  # fmt: skip
def test_what_is_no_address_of_a_server_is_refused(uri: str) -> None:
    with pytest.raises(InputError) as told:
        checked(uri)
    assert "pw" not in str(told.value) + told.value.hint


def test_an_open_connection_to_another_machine_is_warned_of() -> None:
    assert "not encrypted" in Access("bolt://10.0.0.5:7687", "me", CANARY).warning
    for uri in ("bolt://127.0.0.1:7687", "bolt://localhost", "neo4j://[::1]:7687", "neo4j+s://db.example.org"):
        assert Access(uri, "me", CANARY).warning == ""


def test_no_hostile_text_is_a_name_of_a_case() -> None:
    taken = []
    for text in CORPUS:
        try:
            taken.append(checked_name(text))
        except InputError:
            continue
    assert all(text.isascii() and text.replace(".", "").replace("-", "").replace("_", "").isalnum() for text in taken)
    assert checked_name("ronin2022") == "ronin2022"
