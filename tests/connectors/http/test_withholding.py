"""What a provider repeats of our secrets does not get any further, however it spells them."""

from __future__ import annotations

import base64
import html
import json
import re
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.http.protocol import Request
from connectors.http.withholding import WITHHELD, withheld

KEY = 'k/3y+"<s p>&%é'
PLACES = [
    Request("https://x.org", secret_params={"apikey": KEY}),
    Request("https://x.org/{key}", secret_key=KEY),
    Request("https://x.org", secret_headers={"x-api-key": KEY.replace(" ", "_")}),
    Request("https://x.org", secret_headers={"authorization": f"Bearer {KEY.replace(' ', '_')}"}),
    Request(
        "https://x.org", secret_headers={"authorization": "Basic " + base64.b64encode(f"u:{KEY}".encode()).decode()}
    ),
]


@pytest.mark.parametrize("request_", PLACES)
def test_every_spelling_is_withheld(request_: Request) -> None:
    key = KEY.replace(" ", "_") if any("_" in value for value in request_.secret_headers.values()) else KEY
    coded = base64.b64encode(key.encode()).decode()
    small = re.sub("%..", lambda code: code[0].lower(), quote(key, safe=""))
    for spelt in (key, quote(key, safe=""), small, quote(key), quote_plus(key), html.escape(key), coded):
        body = withheld(b"before " + spelt.encode() + b" after", request_)
        assert body.startswith(b"before [key withheld]"), spelt
        assert body.endswith(b" after")
    assert key not in withheld(json.dumps({"a": key}).encode(), request_).decode()
    assert withheld(json.dumps({"a": key}).encode(), request_) == b'{"a": "[key withheld]"}'


@given(st.integers(6, 13))
def test_the_beginning_of_one_at_the_end_of_a_cut_answer_is_withheld_too(length: int) -> None:
    request = Request("https://x.org", secret_params={"apikey": "abcdefghijklm"})
    assert withheld(b"no: " + b"abcdefghijklm"[:length], request, cut=True) == b"no: " + WITHHELD


def test_one_secret_within_another_leaves_nothing_of_either() -> None:
    request = Request("https://x.org", secret_params={"a": "abcdefgh", "b": "abcdefghijkl"}, secret_key="cdefghij")
    assert withheld(b"abcdefghijkl abcdefgh", request) == WITHHELD + b" " + WITHHELD


def test_a_secret_that_looks_like_an_amount_makes_the_amount_unreadable_and_not_another() -> None:
    request = Request(
        "https://x.org", secret_headers={"authorization": "Basic " + base64.b64encode(b"u:000000").decode()}
    )
    assert withheld(b'{"value": 25000000000}', request) == b'{"value": 25[key withheld]000}'


def test_without_secrets_nothing_changes_and_short_ones_are_let_be() -> None:
    body = bytes(range(256)) * 4
    assert withheld(body, Request("https://x.org")) == body
    assert withheld(b"12345", Request("https://x.org", secret_key="12345")) == b"12345"
