"""What counts as an address on which chain, and what is said about text that does not."""

import os
import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracer.addresses import base58, parse, recognise
from tracer.addresses.networks import NETWORKS
from tracer.errors import BadAddress, UnknownName
from tracer.values import CHAINS, Address, Chain, Family

EVM_CHAINS = [chain for chain in CHAINS.values() if chain.family is Family.EVM]
USDT_TRON = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"
GENESIS = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"
CHECKSUMMED = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"


def spelled(text: str, chain: str) -> str:
    return parse(text, Chain.named(chain)).text


def refused(text: str, chain: str) -> BadAddress:
    with pytest.raises(BadAddress) as caught:
        parse(text, Chain.named(chain))
    assert caught.value.hint, "every refusal says what to do next"
    return caught.value


# Each row: chain, as written, as kept. Sources: EIP-55, BIP173, BIP350, the cashaddr and CashTokens specifications,
# the USDT contract on Tron, OFAC's list (LNf2..., DFFJ...), recorded Blockbook answers (D5dA..., ltc1...).
SPELLINGS = [
    ("ethereum", CHECKSUMMED, CHECKSUMMED.lower()),
    ("bsc", CHECKSUMMED.lower(), CHECKSUMMED.lower()),
    ("base", "0x" + CHECKSUMMED[2:].upper(), CHECKSUMMED.lower()),
    ("celo", CHECKSUMMED.upper(), CHECKSUMMED.lower()),
    ("ethereum", "0X" + CHECKSUMMED[2:], CHECKSUMMED.lower()),
    ("ethereum", "0x52908400098527886E0F7030069857D2E4169EE7", "0x52908400098527886e0f7030069857d2e4169ee7"),
    ("ethereum", "0x" + "0" * 40, "0x" + "0" * 40),
    ("ethereum", "0X" + "1" * 40, "0x" + "1" * 40),
    ("bitcoin", GENESIS, GENESIS),
    ("bitcoin", "3LRW7jeCvQCRdPF8S3yUCfRAx4eqXFmdcr", "3LRW7jeCvQCRdPF8S3yUCfRAx4eqXFmdcr"),
    ("bitcoin", "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"),
    ("litecoin", "LNf2JDiuunBz7GMDKFYHN4rq5meXWxiwfb", "LNf2JDiuunBz7GMDKFYHN4rq5meXWxiwfb"),
    ("litecoin", "MSdeRd4AsX3rRtX2Xvxp2JfaGmFHUYVk9A", "MSdeRd4AsX3rRtX2Xvxp2JfaGmFHUYVk9A"),
    ("litecoin", "3LRW7jeCvQCRdPF8S3yUCfRAx4eqXFmdcr", "MSdeRd4AsX3rRtX2Xvxp2JfaGmFHUYVk9A"),
    ("litecoin", "ltc1qpm594ntjq6ayqjngf6t9td2dxtey9d7985eept", "ltc1qpm594ntjq6ayqjngf6t9td2dxtey9d7985eept"),
    ("litecoin", "LTC1QPM594NTJQ6AYQJNGF6T9TD2DXTEY9D7985EEPT", "ltc1qpm594ntjq6ayqjngf6t9td2dxtey9d7985eept"),
    ("dogecoin", "D5dAUAx3Ezg1q4dRgzKTBsxp4VJietWkDh", "D5dAUAx3Ezg1q4dRgzKTBsxp4VJietWkDh"),
    ("dogecoin", "A3FWNUmzq8fXceLoG8DM7PAxPQbNUjae2B", "A3FWNUmzq8fXceLoG8DM7PAxPQbNUjae2B"),
    ("tron", USDT_TRON, USDT_TRON),
    ("tron", "41a614f803b6fd780986a42c78ec9c7f77e6ded13c", USDT_TRON),
    ("tron", "0x41a614f803b6fd780986a42c78ec9c7f77e6ded13c", USDT_TRON),
    ("tron", "0X41A614F803B6FD780986A42C78EC9C7F77E6DED13C", USDT_TRON),
    ("tron", "0xa614f803b6fd780986a42c78ec9c7f77e6ded13c", USDT_TRON),
    ("tron", "0xa614f803B6FD780986A42c78Ec9c7f77e6DeD13C", USDT_TRON),
]


@pytest.mark.parametrize(("chain", "written", "kept"), SPELLINGS)
def test_each_way_to_write_an_address_has_one_spelling(chain: str, written: str, kept: str) -> None:
    assert parse(written, Chain.named(chain)) == Address(Chain.named(chain), kept)
    assert spelled(kept, chain) == kept
    assert spelled(f" \t{written}\r\n", chain) == kept


@pytest.mark.parametrize(
    "written",
    [
        "bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a",
        "qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a",
        "BITCOINCASH:QPM2QSZNHKS23Z7629MMS6S4CWEF74VCWVY22GDX6A",
        "QPM2QSZNHKS23Z7629MMS6S4CWEF74VCWVY22GDX6A",
        "1BpEi6DfDAUFd7GtittLSdBeYJvcoaVggu",
    ],
)
def test_all_five_ways_to_write_one_bitcoin_cash_address_are_one_address(written: str) -> None:
    assert spelled(written, "bitcoin-cash") == "bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a"


def test_a_token_aware_cash_address_is_the_same_place_as_the_plain_one() -> None:
    aware = "bitcoincash:zr6m7j9njldwwzlg9v7v53unlr4jkmx6eycnjehshe"  # CHIP-2022-02 CashTokens, test vectors
    assert spelled(aware, "bitcoin-cash") == "bitcoincash:qr6m7j9njldwwzlg9v7v53unlr4jkmx6eylep8ekg2"


def test_recognise_names_every_chain_in_their_order() -> None:
    assert [a.chain for a in recognise(CHECKSUMMED)] == EVM_CHAINS
    assert {a.text for a in recognise(CHECKSUMMED)} == {CHECKSUMMED.lower()}
    assert [str(a.chain) for a in recognise(GENESIS)] == ["bitcoin", "bitcoin-cash"]
    old_script = recognise("3LRW7jeCvQCRdPF8S3yUCfRAx4eqXFmdcr")
    assert [str(a.chain) for a in old_script] == ["bitcoin", "litecoin", "bitcoin-cash"]
    assert len({a.text for a in old_script}) == 3
    assert [str(a.chain) for a in recognise("41a614f803b6fd780986a42c78ec9c7f77e6ded13c")] == ["tron"]


@pytest.mark.parametrize("text", ["", " ", "vitalik.eth", CHECKSUMMED[:-1], "ab" * 32, "0x" + "ab" * 32, "1" * 10**6])
def test_recognise_finds_nothing_where_there_is_nothing(text: str) -> None:
    assert recognise(text) == ()


@pytest.mark.parametrize(("chain", "written", "kept"), SPELLINGS)
def test_an_address_given_for_the_wrong_chain_says_which_chain_it_is_of(chain: str, written: str, kept: str) -> None:
    found = recognise(written)
    assert kept in {address.text for address in found} or chain == "tron"
    name = "n EVM" if found[0].chain.family is Family.EVM else f" {found[0].chain}"
    for wrong in set(CHAINS.values()) - {address.chain for address in found}:
        if wrong.family is Family.TRON and name == "n EVM":  # a contract log's way to write a Tron address
            continue
        error = refused(written, wrong.name)
        assert f"this is a{name}" in str(error)
        assert found[0].chain.name in error.hint


def test_a_tron_address_given_for_ethereum_says_so() -> None:
    assert "this is a tron address" in str(refused(USDT_TRON, "ethereum"))


@pytest.mark.parametrize(
    ("text", "chain", "network"),
    [
        ("tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7", "bitcoin", "bitcoin-testnet"),
        ("mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn", "bitcoin", "bitcoin-testnet"),
        ("bchtest:pr6m7j9njldwwzlg9v7v53unlr4jkmx6eyvwc0uz5t", "bitcoin-cash", "bitcoin-cash-testnet"),
    ],
)
def test_a_test_network_address_is_refused_by_its_name(text: str, chain: str, network: str) -> None:
    assert recognise(text) == ()
    assert f"this is a testnet address ({network})" in str(refused(text, chain))


def test_a_local_node_is_followed_by_naming_its_network() -> None:
    regtest = Chain("litecoin-regtest", Family.BITCOIN, "LTC", 8)
    old = base58.write(196, bytes(20))
    assert parse(old, regtest).text == base58.write(58, bytes(20))
    assert parse(base58.write(111, bytes(20)), regtest).text == base58.write(111, bytes(20))
    with pytest.raises(BadAddress, match="this is a bitcoin"):
        parse(GENESIS, regtest)
    with pytest.raises(UnknownName):
        parse(GENESIS, Chain("namecoin", Family.BITCOIN, "NMC", 8))


def test_a_litecoin_key_address_that_begins_like_the_segwit_prefix_is_still_read() -> None:
    from base58_bech32 import base58 as code

    text = base58.write(48, code.b58decode("LTC1" + "z" * 30)[1:21])
    assert text.startswith("LTC1")
    assert spelled(text, "litecoin") == text


def test_every_bitcoin_like_chain_has_its_row() -> None:
    assert {chain.name for chain in CHAINS.values() if chain.family is Family.BITCOIN} <= set(NETWORKS)


# Each row: text, chain, what the message must name, what the hint must name.
WRONG = [
    ("", "bitcoin", "empty", "give an address"),
    (CHECKSUMMED[:-1], "ethereum", "39 hex digits", "copy"),
    (CHECKSUMMED + "0", "ethereum", "41 hex digits", "copy"),
    ("0x" + "ab" * 32, "ethereum", "64 hex digits", "transaction hash"),
    ("0x" + "a" * 39 + "g", "ethereum", "'g' at position 42", "copy"),
    (CHECKSUMMED[2:].lower(), "ethereum", "start with 0x", "0x5aaeb6"),
    ("vitalik.eth", "ethereum", "start with 0x", "copy"),
    ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb", "bitcoin", "checksum is wrong", "copy"),
    ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfN0", "bitcoin", "'0' at position 34", "0 (zero), O, I or l"),
    ("3lhhdlbvwbzchnqv8dn4ndkfcnycg1fq", "bitcoin", "'l' at position 2", "put in lower case"),
    ("3MK1iimdxRdWabcF7Zg7AR5T4nud4EkHB", "litecoin", "hold 24 bytes", "copy"),
    (f"bitcoin:{GENESIS}", "bitcoin", "':' at position 8", "copy"),
    ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", "bitcoin", "checksum is wrong", "copy"),
    ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3tb", "bitcoin", "'b' at position 42", "copy"),
    ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3T4", "bitcoin", "mixes capital", "copy"),
    ("BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3t4", "bitcoin", "mixes capital", "copy"),
    ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", "dogecoin", "no addresses of that form", "copy"),
    ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", "litecoin", "prefix 'bc1'", "copy"),
    ("BC130XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ7ZWS8R", "bitcoin", "witness version 17", "copy"),
    ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh", "bitcoin", "witness version 0 takes bech32", "copy"),
    ("ltcmweb1qqtgfpkm7wrt7x4rx0rrvp7dm7j6y5q0fljkhyxwxf95y5trkqtq4sqfpgz9rl", "litecoin", "MWEB", "transaction"),
    ("bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6q", "bitcoin-cash", "checksum is wrong", "copy"),
    ("ecash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a", "bitcoin-cash", "prefix is 'ecash'", "copy"),
    ("qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6", "bitcoin-cash", "41 characters", "copy"),
    ("TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6u", "tron", "checksum is wrong", "copy"),
    ("0x41a614f803b6fd780986a42c78ec9c7f77e6ded1", "bitcoin", "EVM address", "ethereum"),
    ("0x41a614f803b6fd780986a42c78ec9c7f77e6ded", "tron", "41 characters", "41 and 40"),
    ("41a614f803b6fd780986a42c78ec9c7f77e6ded13c00", "tron", "44 characters", "41 and 40"),
    ("5KYZdUEo39z3FPrtuX2QbbwGnNP5zTd7yyr2SC1j299sBCnWjss", "bitcoin", "51 characters", "copy"),
    ("\u0422R7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", "tron", "'\\u0422' at position 1", "look like"),
    ("0x5aAeb6053F3E94C9b9A09\u200bf33669435E7Ef1BeAed", "ethereum", "'\\u200b' at position 24", "invisible"),
    ("BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7\u212aV8F3T4", "bitcoin", "'\\u212a' at position 36", "look like"),
]


@pytest.mark.parametrize(("text", "chain", "named", "advised"), WRONG)
def test_a_refusal_names_what_is_wrong_and_what_to_do(text: str, chain: str, named: str, advised: str) -> None:
    error = refused(text, chain)
    assert named in str(error).partition(" is not an address of ")[2]
    assert advised in error.hint


@pytest.mark.parametrize("chain", ["ethereum", "tron"])
def test_a_wrong_eip55_checksum_shows_the_right_spelling_only_as_a_hint(chain: str) -> None:
    error = refused("0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", chain)
    assert "checksum is wrong" in str(error)
    assert CHECKSUMMED not in str(error)
    assert CHECKSUMMED in error.hint
    assert f"only if you are sure of every character, write it in lower case: {CHECKSUMMED.lower()}" in error.hint


@given(st.text(max_size=300), st.sampled_from(sorted(CHAINS)))
def test_hostile_text_is_refused_in_one_short_printable_line(text: str, chain: str) -> None:
    error = refused("\x1b[31m" + text, chain)
    assert str(error).isprintable()
    assert len(str(error)) < 400
    assert recognise("\x1b[31m" + text) == ()


def test_a_megabyte_of_text_is_refused_at_once_and_cut() -> None:
    begun = time.perf_counter()
    error = refused("1" * 10**6, "bitcoin")
    assert time.perf_counter() - begun < 1
    assert "1000000 characters" in str(error)
    assert "give one address" in error.hint
    assert len(str(error)) < 250


@pytest.mark.parametrize("text", [None, 5, b"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", ["x"]])
def test_what_is_not_text_is_refused_too(text: object) -> None:
    for chain in ("ethereum", "bitcoin", "tron"):
        with pytest.raises(BadAddress, match="an address"):
            parse(text, Chain.named(chain))  # type: ignore[arg-type]


@given(st.binary(min_size=20, max_size=20))
def test_reading_what_was_written_gives_the_same_address(digest: bytes) -> None:
    written = "0x" + digest.hex()
    assert spelled(written, "ethereum") == written
    tron = spelled(written, "tron")
    assert spelled(tron, "tron") == tron == spelled("41" + digest.hex(), "tron")
    legacy = base58.write(0, digest)
    assert spelled(legacy, "bitcoin") == legacy
    cash = spelled(legacy, "bitcoin-cash")
    assert spelled(cash, "bitcoin-cash") == cash == spelled(cash.removeprefix("bitcoincash:"), "bitcoin-cash")


def test_a_hundred_thousand_small_hex_addresses_take_no_time_worth_naming() -> None:
    ethereum = Chain.named("ethereum")
    texts = ["0x" + os.urandom(20).hex() for _ in range(100_000)]
    begun = time.process_time()
    for text in texts:
        parse(text, ethereum)
    assert time.process_time() - begun < 2  # about 0.2 s where this was written; hashing each would take 3 s


def test_importing_the_room_imports_no_library_of_codes_or_hashes() -> None:
    script = (
        "import sys; from tracer.addresses import parse; from tracer.values import Chain;"
        "parse('0x' + 'a' * 40, Chain.named('ethereum'));"
        "sys.exit(', '.join(m for m in sys.modules if m.split('.')[0] in ('Crypto', 'base58_bech32')) or None)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
