"""Transaction hashes: one spelling per family, and a clear word about what is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracer.addresses import looks_like_tx, parse_tx
from tracer.errors import InputError
from tracer.values import CHAINS, Chain, Family

COINBASE = "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b"  # of Bitcoin's first block


@pytest.mark.parametrize("chain", CHAINS.values(), ids=str)
@pytest.mark.parametrize(
    "text", [COINBASE, COINBASE.upper(), "0x" + COINBASE, "0X" + COINBASE.upper(), f" {COINBASE}\n"]
)
def test_each_way_to_write_a_hash_has_one_spelling(chain: Chain, text: str) -> None:
    kept = parse_tx(text, chain)
    assert kept == ("0x" if chain.family is Family.EVM else "") + COINBASE
    assert parse_tx(kept, chain) == kept
    assert looks_like_tx(text)
    assert looks_like_tx(kept)


@pytest.mark.parametrize(
    ("text", "chain", "named"),
    [
        ("", "bitcoin", "it has 0 hex digits, a hash has 64"),
        (COINBASE[:-1], "bitcoin", "it has 63 hex digits"),
        ("0x" + COINBASE + "0", "ethereum", "it has 65 hex digits"),
        (COINBASE[:-1] + "g", "tron", "'g' at position 64"),
        ("0x" + COINBASE[:-1] + "g", "ethereum", "'g' at position 66"),
        ("0x" + "ab" * 20, "ethereum", "this is an address (ethereum)"),
        ("TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", "tron", "this is an address (tron)"),
        ("0x0x" + COINBASE, "ethereum", "'x' at position 4"),
        ("\uff11" * 64, "bitcoin", "'\\uff11' at position 1"),  # full-width digits are digits to int(), not here
        (COINBASE[:32] + "\n" + COINBASE[32:], "bitcoin", "'\\n' at position 33"),
        (None, "bitcoin", "NoneType"),
        (5, "bitcoin", "int"),
    ],
)
def test_what_is_no_hash_is_refused_with_the_reason(text: str, chain: str, named: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_tx(text, Chain.named(chain))
    assert named in str(caught.value)
    assert "64 hex digits" in caught.value.hint
    assert not looks_like_tx(text)


@given(st.text(max_size=300))
def test_hostile_text_is_shown_in_one_short_printable_line(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_tx("\x1b" + text, Chain.named("ethereum"))
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 300
    assert not looks_like_tx("\x1b" + text)
