"""The test vectors that the authors of each form publish."""

import pytest

from tracer.addresses import evm, parse, segwit
from tracer.addresses.networks import NETWORKS
from tracer.errors import BadAddress
from tracer.values import Chain, Family

BITCOIN = Chain.named("bitcoin")
TESTNET = Chain("bitcoin-testnet", Family.BITCOIN, "BTC", 8)
CASH = Chain.named("bitcoin-cash")

# BIP350, "Test vectors for v0-v16 native segregated witness addresses", with the script each stands for.
SEGWIT = [
    ("BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", "0014751e76e8199196d454941c45d1b3a323f1433bd6"),
    (
        "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7",
        "00201863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262",
    ),
    (
        "bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y",
        "5128751e76e8199196d454941c45d1b3a323f1433bd6751e76e8199196d454941c45d1b3a323f1433bd6",
    ),
    ("BC1SW50QGDZ25J", "6002751e"),
    ("bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs", "5210751e76e8199196d454941c45d1b3a323"),
    (
        "tb1qqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesrxh6hy",
        "0020000000c4a5cad46221b2a187905e5266362b99d5e91c6ce24d165dab93e86433",
    ),
    (
        "tb1pqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesf3hn0c",
        "5120000000c4a5cad46221b2a187905e5266362b99d5e91c6ce24d165dab93e86433",
    ),
    (
        "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
        "512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
    ),
]

# BIP173 and BIP350, the invalid addresses, each with the word for its fault.
NOT_SEGWIT = [
    ("tc1qw508d6qejxtdg4y5r3zarvary0c5xw7kg3g4ty", "prefix"),
    ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", "checksum"),
    ("BC13W508D6QEJXTDG4Y5R3ZARVARY0C5XW7KN40WF2", "witness version 17"),
    ("bc1rw5uspcuh", "of the wrong kind"),  # BIP173 blames its length; under BIP350 the checksum comes first
    ("bc10w508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kw5rljs90", "of the wrong kind"),
    ("BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P", "program of 16 bytes"),
    ("tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sL5k7", "mixes"),
    ("bc1zw508d6qejxtdg4y5r3zarvaryvqyzf3du", "of the wrong kind"),
    ("tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3pjxtptv", "whole byte"),
    ("bc1gmk9yu", "length"),
    ("tc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq5zuyut", "prefix"),
    ("bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd", "witness version 1 takes bech32m"),
    ("tb1z0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqglt7rf", "witness version 2 takes bech32m"),
    ("BC1S0XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ54WELL", "witness version 16 takes bech32m"),
    ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh", "witness version 0 takes bech32"),
    ("tb1q0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq24jc47", "witness version 0 takes bech32"),
    ("bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4", "'o' at position 60"),
    ("BC130XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ7ZWS8R", "witness version 17"),
    ("bc1pw5dgrnzv", "program of 1 bytes"),
    ("bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v8n0nx0muaewav253zgeav", "program of 41 bytes"),
    ("tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq47Zagq", "mixes"),
    ("bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v07qwwzcrf", "whole byte"),
    ("tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vpggkg4j", "whole byte"),
]

# BIP173's addresses of version 1 and up in plain bech32, which BIP350 made invalid.
SUPERSEDED = [
    "bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7k7grplx",
    "BC1SW50QA3JX3S",
    "bc1zw508d6qejxtdg4y5r3zarvaryvg6kdaj",
]

# The cashaddr specification: the same hash in the old form and in the new.
TRANSLATED = [
    ("1BpEi6DfDAUFd7GtittLSdBeYJvcoaVggu", "bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a"),
    ("1KXrWXciRDZUpQwQmuM1DbwsKDLYAYsVLR", "bitcoincash:qr95sy3j9xwd2ap32xkykttr4cvcu7as4y0qverfuy"),
    ("16w1D5WRVKJuZUsSRzdLp9w3YGcgoxDXb", "bitcoincash:qqq3728yw0y47sqn6l2na30mcw6zm78dzqre909m2r"),
    ("3CWFddi6m4ndiGyKqzYvsFYagqDLPVMTzC", "bitcoincash:ppm2qsznhks23z7629mms6s4cwef74vcwvn0h829pq"),
    ("3LDsS579y7sruadqu11beEJoTjdFiFCdX4", "bitcoincash:pr95sy3j9xwd2ap32xkykttr4cvcu7as4yc93ky28e"),
    ("31nwvkZwyPdgzjBJZXfDmSWsC4ZLKpYyUw", "bitcoincash:pqq3728yw0y47sqn6l2na30mcw6zm78dzq5ucqzc37"),
]

# The cashaddr specification, "Larger Test Vectors": (type, hash, address), one for each size of hash.
LARGER = [
    (0, "F5BF48B397DAE70BE82B3CCA4793F8EB2B6CDAC9", "bitcoincash:qr6m7j9njldwwzlg9v7v53unlr4jkmx6eylep8ekg2"),
    (1, "F5BF48B397DAE70BE82B3CCA4793F8EB2B6CDAC9", "bchtest:pr6m7j9njldwwzlg9v7v53unlr4jkmx6eyvwc0uz5t"),
    (1, "F5BF48B397DAE70BE82B3CCA4793F8EB2B6CDAC9", "pref:pr6m7j9njldwwzlg9v7v53unlr4jkmx6ey65nvtks5"),
    (15, "F5BF48B397DAE70BE82B3CCA4793F8EB2B6CDAC9", "prefix:0r6m7j9njldwwzlg9v7v53unlr4jkmx6ey3qnjwsrf"),
    (
        0,
        "7ADBF6C17084BC86C1706827B41A56F5CA32865925E946EA",
        "bitcoincash:q9adhakpwzztepkpwp5z0dq62m6u5v5xtyj7j3h2ws4mr9g0",
    ),
    (
        0,
        "3A84F9CF51AAE98A3BB3A78BF16A6183790B18719126325BFC0C075B",
        "bitcoincash:qgagf7w02x4wnz3mkwnchut2vxphjzccwxgjvvjmlsxqwkcw59jxxuz",
    ),
    (
        0,
        "3173EF6623C6B48FFD1A3DCC0CC6489B0A07BB47A37F47CFEF4FE69DE825C060",
        "bitcoincash:qvch8mmxy0rtfrlarg7ucrxxfzds5pamg73h7370aa87d80gyhqxq5nlegake",
    ),
    (
        0,
        "C07138323E00FA4FC122D3B85B9628EA810B3F381706385E289B0B25631197D194B5C238BEB136FB",
        "bitcoincash:qnq8zwpj8cq05n7pytfmskuk9r4gzzel8qtsvwz79zdskftrzxtar994cgutavfklv39gr3uvz",
    ),
    (
        0,
        "E361CA9A7F99107C17A622E047E3745D3E19CF804ED63C5C40C6BA763696B98241223D8CE62AD48D863F4CB18C930E4C",
        "bitcoincash:qh3krj5607v3qlqh5c3wq3lrw3wnuxw0sp8dv0zugrrt5a3kj6ucysfz8kxwv2k53krr7n933jfsunqex2w82sl",
    ),
    (
        0,
        "D9FA7C4C6EF56DC4FF423BAAE6D495DBFF663D034A72D1DC7D52CBFE7D1E6858F9D523AC0A7A5C34077638E4DD1A701BD017842789982041",
        "bitcoincash:qmvl5lzvdm6km38lgga64ek5jhdl7e3aqd9895wu04fvhlnare5937w4ywkq57juxsrhvw8ym5d8qx7sz7zz0zvcypqscw8jd03f",
    ),
    (
        0,
        "D0F346310D5513D9E01E299978624BA883E6BDA8F4C60883C10F28C2967E67EC77ECC7EEEAEAFC6DA89FAD72D11AC961E164678B868AEEEC"
        "5F2C1DA08884175B",
        "bitcoincash:qlg0x333p4238k0qrc5ej7rzfw5g8e4a4r6vvzyrcy8j3s5k0en7calvclhw46hudk5flttj6ydvjc0pv3nchp52amk97tqa5zyg"
        "g96mtky5sv5w",
    ),
]

# EIP-55, "Test Cases".
EIP55 = [
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
    "0xde709f2102306220921060314715629080e2fb77",
    "0x27b1fdb04752bbc536007a920d24acb045561c26",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
]


def network(text: str) -> Chain:
    return TESTNET if text.lower().startswith("tb1") else BITCOIN


@pytest.mark.parametrize(("text", "script"), SEGWIT)
def test_bip350_addresses_stand_for_their_scripts(text: str, script: str) -> None:
    from base58_bech32 import bech32

    assert parse(text, network(text)).text == text.lower()
    version = int(script[:2], 16)
    values = [version - 0x50 if version else 0, *bech32.convertbits(bytes.fromhex(script[4:]), 8, 5)]
    assert bech32.bech32_encode(text[:2].lower(), values).decode() == text.lower()


@pytest.mark.parametrize(("text", "fault"), NOT_SEGWIT)
def test_bip173_and_bip350_invalid_addresses_are_refused_for_their_fault(text: str, fault: str) -> None:
    with pytest.raises(BadAddress):
        parse(text, network(text))
    with pytest.raises(BadAddress) as caught:
        segwit.read(text, NETWORKS[network(text).name].segwit)
    assert fault in str(caught.value)


@pytest.mark.parametrize("text", SUPERSEDED)
def test_versions_above_zero_in_plain_bech32_are_refused_since_bip350(text: str) -> None:
    with pytest.raises(BadAddress, match="takes bech32m"):
        parse(text, BITCOIN)


@pytest.mark.parametrize(("legacy", "cash"), TRANSLATED)
def test_legacy_bitcoin_cash_addresses_translate_as_the_specification_says(legacy: str, cash: str) -> None:
    assert parse(legacy, CASH) == parse(cash, CASH) == parse(cash.partition(":")[2].upper(), CASH)
    assert parse(legacy, CASH).text == cash


@pytest.mark.parametrize(("kind", "digest", "text"), LARGER)
def test_the_cashaddr_code_agrees_with_the_specification(kind: int, digest: str, text: str) -> None:
    from base58_bech32 import cashaddr

    prefix = text.partition(":")[0]
    assert cashaddr.cashaddr_decode(text) == (prefix, kind, bytes.fromhex(digest))
    assert cashaddr.cashaddr_encode(prefix, kind, bytes.fromhex(digest)).decode() == text


@pytest.mark.parametrize("text", [text for _, digest, text in LARGER if len(digest) > 40])
def test_hashes_no_bitcoin_cash_script_has_are_refused_although_their_checksum_fits(text: str) -> None:
    with pytest.raises(BadAddress, match="length is wrong"):
        parse(text, CASH)


def test_a_script_of_32_bytes_is_a_bitcoin_cash_address() -> None:
    text = "bitcoincash:pvhfadjrmc4adxl8payajshf34wauh4jlrfnpuyetfnzh5llrnh9w3q8y9qcp"
    assert parse(text, CASH).text == text


def test_an_unknown_cash_address_type_is_refused() -> None:
    from base58_bech32 import cashaddr

    with pytest.raises(BadAddress, match="address type 4 does not exist"):
        parse(cashaddr.cashaddr_encode("bitcoincash", 4, bytes(20)).decode(), CASH)


@pytest.mark.parametrize("text", EIP55)
def test_eip55_gives_the_capitals_of_its_own_examples(text: str) -> None:
    assert "0x" + evm.checksummed(text[2:]) == text
    assert parse(text, Chain.named("ethereum")).text == text.lower()
