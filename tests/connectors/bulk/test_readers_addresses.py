"""Addresses looked at all at once: what is called right is an address in its one spelling, checksum and all."""

from __future__ import annotations

import pyarrow as pa
import pytest
from base58_bech32.base58 import b58decode
from hypothesis import given
from hypothesis import strategies as st

from connectors.bulk import readers_address_kernels as kernels
from connectors.bulk.readers_columns import Cells, column_of
from tracer.addresses import base58, parse, segwit
from tracer.addresses.networks import NETWORKS
from tracer.errors import BadAddress
from tracer.values import CHAINS, TEST_CHAINS, Chain, Family

CHAINS_IN_TEXT = [chain for chain in (CHAINS | TEST_CHAINS).values() if chain.family is not Family.EVM]
LETTERS = st.sampled_from("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz0OIl +-é\0")


def right(chain: Chain, texts: list[str]) -> list[bool]:
    cells = column_of(pa.array(texts, pa.string()), "addresses")
    assert isinstance(cells, Cells)
    found: list[bool] = kernels.plainly_right(chain, cells.data, cells.starts, cells.ends).tolist()
    return found


def one_spelling(chain: Chain, text: str) -> bool:
    try:
        return parse(text, chain).text == text
    except BadAddress:
        return False


@st.composite
def addresses(draw: st.DrawFn, chain: Chain) -> str:
    """An address of the chain, in any form that it has; of few bits now and then, for what begins with zeros."""
    digest = draw(
        st.one_of(st.binary(min_size=20, max_size=20), st.integers(0, 9).map(lambda n: n.to_bytes(20, "big")))
    )
    network = NETWORKS.get(chain.name)
    if network is None:
        return base58.write(0x41, digest)
    versions = [*network.key, *network.script]
    if network.segwit and draw(st.booleans()):
        version = draw(st.integers(0, 16))
        size = draw(st.sampled_from([20, 32])) if not version else draw(st.integers(2, 40))
        return segwit.write(network.segwit, version, (digest * 2)[:size])
    return base58.write(draw(st.sampled_from(versions)), digest)


@given(st.data(), st.sampled_from(CHAINS_IN_TEXT))
def test_what_is_called_right_is_the_one_spelling_and_what_is_that_is_called_right(
    data: st.DataObject, chain: Chain
) -> None:
    own = data.draw(st.lists(addresses(chain), min_size=1, max_size=5))
    foreign = data.draw(addresses(data.draw(st.sampled_from(CHAINS_IN_TEXT))))
    text = data.draw(st.sampled_from([*own, foreign]))
    at, length = data.draw(st.integers(0, len(text))), data.draw(st.integers(0, 2))
    broken = text[:at] + data.draw(st.text(LETTERS, max_size=3)) + text[at + length :]
    texts = [
        *own,
        foreign,
        broken,
        text.upper(),
        text.lower(),
        f" {text}",
        text + text,
        data.draw(st.text(max_size=40)),
    ]
    texts = [one for one in texts if not any(0xD800 <= ord(letter) < 0xE000 for letter in one)]
    for one, called in zip(texts, right(chain, texts), strict=True):
        spelled = one_spelling(chain, one)
        assert spelled or not called, one
        if spelled and not NETWORKS.get(chain.name, NETWORKS["bitcoin"]).cashaddr:
            assert called, one  # or it would be read one by one


@pytest.mark.parametrize("text", [
    "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "3EktnHQD7RiAE6uzMj2ZifT9YgRrkSgzQX",
    "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0", "bc1sw50qgdz25j",
])  # fmt: skip
def test_one_character_that_differs_is_always_noticed(text: str) -> None:
    bitcoin = Chain.named("bitcoin")
    letters = "0123456789abcdefghjkmnopqrstuvwxyzACXZ"
    others = [text[:at] + letter + text[at + 1 :] for at in range(len(text)) for letter in letters]
    for other, called in zip(others, right(bitcoin, others), strict=True):
        assert called == (other == text), other


@pytest.mark.parametrize("text", [  # of BIP173 and BIP350: what looks right, and is not
    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd",
    "bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4",
    "BC130XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ7ZWS8R", "bc1pw5dgrnzv",
    "bc1zw508d6qejxtdg4y5r3zarvaryvqyzf3du",
    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v8n0nx0muaewav253zgeav",
    "BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P",
    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v07qwwzcrf", "bc1gmk9yu",
    "bc1qr508d6qejxtdg4y5r3zarvaryv98gj9p", "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3pjxtptv",
    "tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vpggkg4j",
    "bc10w508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejx",
])  # fmt: skip
def test_known_traps_are_not_called_right(text: str) -> None:
    chain = Chain.named("bitcoin-testnet" if text.startswith("tb") else "bitcoin")
    assert right(chain, [text]) == [False]
    assert not one_spelling(chain, text)


def test_zeros_in_front_are_counted() -> None:
    """As a number, an address is the same with more and with fewer of them."""
    zeros = base58.write(0, bytes(8) + b"a" * 12)
    assert zeros.startswith("1" * 9)
    assert right(Chain.named("bitcoin"), [zeros, "1" + zeros, zeros[1:], zeros[8:]]) == [True, False, False, False]


def test_what_might_be_another_form_in_capitals_is_left_to_the_slow_way() -> None:
    litecoin = Chain.named("litecoin")
    tries = (
        base58.write(48, b58decode(f"LTC1{number:0>20}AAAAAAAAAA".replace("0", "A"))[1:21]) for number in range(10_000)
    )
    text = next(text for text in tries if text.startswith("LTC1") and text.isupper())
    assert not one_spelling(litecoin, text)
    assert right(litecoin, [text]) == [False]
