"""Scripts and addresses of the Bitcoin family, one to the other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracer.addresses import parse
from tracer.addresses.networks import NETWORKS
from tracer.addresses.scripts import address_of, script_of, unspendable
from tracer.errors import UnknownName
from tracer.values import CHAINS, TEST_CHAINS, Chain, Family

CHAIN_NAMES = sorted(NETWORKS)
PROGRAMS = st.integers(0, 16).flatmap(
    lambda version: st.tuples(
        st.just(version),
        st.sampled_from([20, 32]).flatmap(lambda n: st.binary(min_size=n, max_size=n))
        if version == 0
        else st.binary(min_size=2, max_size=40),
    )
)


@given(st.sampled_from(CHAIN_NAMES), st.binary(min_size=20, max_size=20), st.booleans())
def test_a_hash_of_twenty_bytes_has_an_address_on_every_network(name: str, digest: bytes, key: bool) -> None:
    script = b"\x76\xa9\x14" + digest + b"\x88\xac" if key else b"\xa9\x14" + digest + b"\x87"
    address = address_of(script, Chain.named(name))
    assert address is not None
    assert script_of(address) == script
    assert parse(address.text, Chain.named(name)) == address


@given(st.sampled_from([name for name in CHAIN_NAMES if NETWORKS[name].segwit]), PROGRAMS)
def test_a_witness_program_has_an_address_where_the_network_has_witnesses(name: str, told: tuple[int, bytes]) -> None:
    version, program = told
    script = bytes([version + 0x50 if version else 0, len(program)]) + program
    address = address_of(script, Chain.named(name))
    if version in (8, 9) and name.startswith("litecoin"):
        assert address is None  # what is inside MWEB is hidden
        return
    assert address is not None
    assert script_of(address) == script
    assert parse(address.text, Chain.named(name)) == address


@given(st.sampled_from(CHAIN_NAMES), st.binary(max_size=60))
def test_any_bytes_have_one_address_or_none(name: str, script: bytes) -> None:
    address = address_of(script, Chain.named(name))
    assert address is None or script_of(address) == script


@pytest.mark.parametrize(
    ("name", "script", "text"),
    [
        ("bitcoin", "76a91462e907b15cbf27d5425399ebf6f0fb50ebb88f1888ac", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"),
        ("bitcoin", "a914b472a266d0bd89c13706a4132ccfb16f7c3b9fcb87", "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy"),
        ("bitcoin", "0014751e76e8199196d454941c45d1b3a323f1433bd6", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"),
        ("bitcoin", "51024e73", "bc1pfeessrawgf"),  # pay to anchor, as Core 28 names it
        ("litecoin", "a914b472a266d0bd89c13706a4132ccfb16f7c3b9fcb87", "MQMHBtvnBfxTzt3K2bdxgSE7qZPHSXWsGM"),
        (
            "bitcoin-cash", "76a91476a04053bda0a88bda5177b86a15c3b29f55987388ac",
            "bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a",
        ),
    ],
)  # fmt: skip
def test_known_scripts_have_their_known_addresses(name: str, script: str, text: str) -> None:
    found = address_of(bytes.fromhex(script), Chain.named(name))
    assert found == parse(text, Chain.named(name))
    assert found is not None
    assert found.text == text


def test_what_has_no_address_has_none() -> None:
    key = bytes.fromhex("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")
    bare = b"\x21" + key + b"\xac"
    for script in (bare, b"\x51" + b"\x21" + key + b"\x51\xae", b"", b"\x6a\x04abcd", b"\x00\x15" + b"x" * 21):
        assert address_of(script, Chain.named("bitcoin")) is None
    assert address_of(bytes.fromhex("0014" + "ab" * 20), Chain.named("dogecoin")) is None
    assert [unspendable(script) for script in (b"\x6a", b"\x6aabc", b"", bare)] == [True, True, False, False]
    with pytest.raises(UnknownName):
        address_of(b"", Chain.named("ethereum"))


def test_test_networks_are_found_by_name_and_never_offered() -> None:
    assert set(TEST_CHAINS) == {name for name in NETWORKS if name not in CHAINS}
    for name, chain in TEST_CHAINS.items():
        assert Chain.named(name.upper()) is chain
        assert (chain.family, chain.decimals) == (Family.BITCOIN, 8)
    assert Chain.named("litecoin-regtest").symbol == "tLTC"
    with pytest.raises(UnknownName) as error:
        Chain.named("litecoin-regtes")
    assert "regtest" not in error.value.hint
