"""One wrong character in an address with a checksum is always noticed, wherever it stands and whatever it is."""

import string

import pytest

from tracer.addresses import bitcoin, evm, parse, tron
from tracer.addresses.networks import NETWORKS
from tracer.errors import BadAddress
from tracer.values import Chain, Family

# One address of each form. Sources: the vectors of test_addresses_vectors.py; the genesis block; OFAC's list
# (bc1q4..., LNf2..., DFFJ..., TBHT...); recorded Blockbook answers (ltc1..., D5dA...); the USDT contracts.
ADDRESSES = [
    ("bitcoin", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"),
    ("bitcoin", "16w1D5WRVKJuZUsSRzdLp9w3YGcgoxDXb"),
    ("bitcoin", "3LRW7jeCvQCRdPF8S3yUCfRAx4eqXFmdcr"),
    ("bitcoin", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"),
    ("bitcoin", "bc1q4rzdtlt0uslyw86cp29sctl6ct29g9a95cuup7pn5md9ddj7xgmqpp5m73"),
    ("bitcoin", "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0"),
    ("bitcoin", "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4"),
    ("litecoin", "LNf2JDiuunBz7GMDKFYHN4rq5meXWxiwfb"),
    ("litecoin", "MSdeRd4AsX3rRtX2Xvxp2JfaGmFHUYVk9A"),
    ("litecoin", "3LRW7jeCvQCRdPF8S3yUCfRAx4eqXFmdcr"),
    ("litecoin", "ltc1qpm594ntjq6ayqjngf6t9td2dxtey9d7985eept"),
    ("dogecoin", "D5dAUAx3Ezg1q4dRgzKTBsxp4VJietWkDh"),
    ("dogecoin", "A3FWNUmzq8fXceLoG8DM7PAxPQbNUjae2B"),
    ("bitcoin-cash", "bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a"),
    ("bitcoin-cash", "ppm2qsznhks23z7629mms6s4cwef74vcwvn0h829pq"),
    ("bitcoin-cash", "bitcoincash:pvhfadjrmc4adxl8payajshf34wauh4jlrfnpuyetfnzh5llrnh9w3q8y9qcp"),
    ("bitcoin-cash", "1BpEi6DfDAUFd7GtittLSdBeYJvcoaVggu"),
    ("tron", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"),
    ("tron", "TBHTJqAy4DhHhmT3dNceJYNRz4SdLofLre"),
    ("ethereum", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"),
    ("ethereum", "0xdAC17F958D2ee523a2206206994597C13D831ec7"),
    ("ethereum", "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb"),
]


def read(text: str, chain: Chain) -> str:
    """What `parse` asks first; asking the forms themselves leaves out the costly search for other chains."""
    if chain.family is Family.EVM:
        return evm.read(text)
    return tron.read(text) if chain.family is Family.TRON else bitcoin.read(text, NETWORKS[chain.name])


@pytest.mark.parametrize(("name", "right"), ADDRESSES)
def test_every_single_wrong_character_is_noticed_at_every_position(name: str, right: str) -> None:
    chain, typos = Chain.named(name), 0
    assert read(right, chain) == parse(right, chain).text
    for place in range(len(right)):
        for letter in string.digits + string.ascii_letters + string.punctuation:
            wrong = right[:place] + letter + right[place + 1 :]
            if wrong == right or wrong.startswith("0X"):  # 0X is another way to write 0x, not another address
                continue
            typos += 1
            with pytest.raises(BadAddress):
                read(wrong, chain)
    assert typos >= len(right) * 93 - 1


@pytest.mark.parametrize(("name", "right"), ADDRESSES)
def test_parse_notices_a_wrong_a_missing_and_a_doubled_character(name: str, right: str) -> None:
    chain = Chain.named(name)
    for place in range(len(right)):
        other = "7" if right[place] != "7" else "8"
        missing = right[:place] + right[place + 1 :]
        for wrong in (right[:place] + other + right[place + 1 :], missing, right[: place + 1] + right[place:]):
            with pytest.raises(BadAddress):
                parse(wrong, chain)


@pytest.mark.parametrize(("name", "right"), ADDRESSES)
def test_two_neighbours_swapped_are_noticed(name: str, right: str) -> None:
    for place in range(len(right) - 1):
        wrong = right[:place] + right[place + 1] + right[place] + right[place + 2 :]
        if wrong != right:
            with pytest.raises(BadAddress):
                parse(wrong, Chain.named(name))
